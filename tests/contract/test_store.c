/* Runs the same cases on every back end of the store; see store_cases.h. */
#include "base/memory.h"
#include "contract/store_cases.h"

#include <stdio.h>
#include <stdlib.h>

#define CASES_MAX 512
#define NAME_BYTES_MAX 160

/* What a test of cmocka points to: the case, and the back end until the fixture is set up. */
struct run {
    const struct back_end *back_end;
    const struct store_case *item;
    struct store_fixture *fixture;
    char name[NAME_BYTES_MAX];
};

struct plan {
    struct run runs[CASES_MAX];
    struct CMUnitTest tests[CASES_MAX];
    size_t count;
};

static int set_up(void **state) {
    struct run *run = *state;
    void *fixture = (void *)run->back_end;
    int result = store_fixture_set_up(&fixture);
    run->fixture = fixture;
    return result;
}

static int tear_down(void **state) {
    struct run *run = *state;
    void *fixture = run->fixture;
    return store_fixture_tear_down(&fixture);
}

static void run_case(void **state) {
    struct run *run = *state;
    run->item->run(run->fixture);
}

static void add(struct plan *plan, const struct back_end *back_end,
                const struct store_cases *cases) {
    for (size_t i = 0; i < cases->count; i++) {
        assert_true(plan->count < CASES_MAX);
        struct run *run = &plan->runs[plan->count];
        *run = (struct run){.back_end = back_end, .item = &cases->items[i]};
        int length =
            snprintf(run->name, sizeof run->name, "%s: %s", back_end->name, cases->items[i].name);
        assert_in_range(length, 1, (int)sizeof run->name - 1);
        for (char *at = run->name; *at != '\0'; at++)
            if (*at == '_')
                *at = ' ';
        plan->tests[plan->count++] = (struct CMUnitTest){.name = run->name,
                                                         .test_func = run_case,
                                                         .setup_func = set_up,
                                                         .teardown_func = tear_down,
                                                         .initial_state = run};
    }
}

int main(void) {
    static const struct back_end back_ends[] = {
        {.name = "memory"},
        {.name = "sqlite", .has_file = true, .has_schema = true},
        {.name = "postgres", .has_schema = true, .is_server = true},
    };
    static const struct store_cases *const shared[] = {
        &store_cases_insert, &store_cases_claim,  &store_cases_settle, &store_cases_lease,
        &store_cases_read,   &store_cases_query,  &store_cases_drafts, &store_cases_keys,
        &store_cases_change, &store_cases_office, &store_cases_threads};
    struct plan *plan = memory_zeroed(1, sizeof *plan);
    for (size_t b = 0; b < sizeof back_ends / sizeof back_ends[0]; b++)
        for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
            add(plan, &back_ends[b], shared[i]);
    add(plan, &back_ends[1], &store_cases_kept);
    add(plan, &back_ends[1], &store_cases_programs);
    add(plan, &back_ends[1], &store_cases_sqlite);
    add(plan, &back_ends[1], &store_cases_sqlite_file);
    add(plan, &back_ends[2], &store_cases_kept);
    add(plan, &back_ends[2], &store_cases_programs);
    int result = _cmocka_run_group_tests("store", plan->tests, plan->count, NULL, NULL);
    free(plan);
    return result;
}
