#include "cli/mock_record.h"

#include "api/server.h"
#include "base/check.h"
#include "base/clock.h"

void mock_record_init(struct mock_record *record) {
    *record = (struct mock_record){0};
    monitor_init(&record->monitor);
    mock_ids_init(&record->ids);
    for (size_t i = 0; i < MOCK_REQUESTS_KEPT; i++)
        buffer_init(&record->kept[i].bytes, MOCK_REQUEST_BYTES_MAX);
}

static void drop_oldest(struct mock_record *record) {
    struct mock_kept *oldest = &record->kept[record->kept_first];
    record->kept_bytes -= oldest->bytes.size;
    buffer_deinit(&oldest->bytes);
    record->kept_first = (record->kept_first + 1) % MOCK_REQUESTS_KEPT;
    record->kept_count--;
}

void mock_record_deinit(struct mock_record *record) {
    while (record->kept_count > 0)
        drop_oldest(record);
    mock_ids_deinit(&record->ids);
    monitor_deinit(&record->monitor);
}

static void keep_header(struct text name, struct text value, void *context) {
    struct buffer *bytes = context;
    size_t begin = bytes->len;
    buffer_append(bytes, name);
    for (size_t i = begin; i < bytes->len; i++)
        if (bytes->data[i] >= 'A' && bytes->data[i] <= 'Z')
            bytes->data[i] = (char)(bytes->data[i] - 'A' + 'a');
    buffer_append_byte(bytes, '\0');
    buffer_append(bytes, value);
    buffer_append_byte(bytes, '\0');
}

/* A full ring gives the memory of its oldest to the new one. */
static struct mock_kept *next_place(struct mock_record *record) {
    if (record->kept_count == MOCK_REQUESTS_KEPT) {
        record->kept_first = (record->kept_first + 1) % MOCK_REQUESTS_KEPT;
        record->kept_count--;
    }
    size_t at = (record->kept_first + record->kept_count++) % MOCK_REQUESTS_KEPT;
    struct mock_kept *kept = &record->kept[at];
    record->kept_bytes -= kept->bytes.size;
    buffer_clear(&kept->bytes);
    return kept;
}

static void keep(struct mock_record *record, const struct mock_arrival *arrival, int64_t now_ms) {
    struct mock_kept *kept = next_place(record);
    kept->at_ms = now_ms;
    kept->status = arrival->status;
    kept->fate = arrival->fate;
    kept->has_id = arrival->id.data != NULL;
    kept->id_len = arrival->id.len;
    kept->to_len = arrival->to.len;
    kept->content_len = arrival->content.len;
    buffer_append(&kept->bytes, arrival->id);
    buffer_append(&kept->bytes, arrival->to);
    buffer_append(&kept->bytes, arrival->content);
    request_each_header(arrival->request, keep_header, &kept->bytes);
    check(!kept->bytes.overflowed);
    record->kept_bytes += kept->bytes.size;
    while (record->kept_bytes > MOCK_REQUESTS_BYTES_MAX)
        drop_oldest(record);
}

static void count_id(struct mock_record *record, struct text id) {
    if (id.data == NULL)
        return;
    struct mock_id *counted = mock_ids_add(&record->ids, id);
    if (counted == NULL) {
        record->sums.untracked++;
        return;
    }
    record->sums.with_id++;
    counted->received++;
}

void mock_record_arrival(struct mock_record *record, const struct mock_arrival *arrival) {
    int64_t now_ms = clock_wall_ms(&clock_system);
    struct mock_sums *sums = &record->sums;
    monitor_lock(&record->monitor);
    sums->requests++;
    sums->hung += arrival->fate == MOCK_HANG;
    sums->in_flight++;
    if (sums->in_flight > sums->in_flight_max)
        sums->in_flight_max = sums->in_flight;
    if (sums->first_at_ms == 0)
        sums->first_at_ms = now_ms;
    sums->last_at_ms = now_ms;
    count_id(record, arrival->id);
    keep(record, arrival, now_ms);
    monitor_unlock(&record->monitor);
}

static void count_accepted(struct mock_record *record, struct text id) {
    record->sums.accepted++;
    struct mock_id *counted = id.data != NULL ? mock_ids_find(&record->ids, id) : NULL;
    if (counted == NULL)
        return;
    if (counted->accepted++ == 0)
        record->sums.accepted_unique++;
    else
        record->sums.accepted_again++;
}

void mock_record_end(struct mock_record *record, struct text id, enum mock_fate fate) {
    monitor_lock(&record->monitor);
    record->sums.in_flight--;
    record->sums.failed += fate == MOCK_FAIL;
    record->sums.reset += fate == MOCK_RESET;
    if (fate == MOCK_ACCEPT)
        count_accepted(record, id);
    monitor_unlock(&record->monitor);
}

void mock_record_clear(struct mock_record *record) {
    monitor_lock(&record->monitor);
    int64_t in_flight = record->sums.in_flight;
    record->sums = (struct mock_sums){.in_flight = in_flight, .in_flight_max = in_flight};
    mock_ids_deinit(&record->ids);
    mock_ids_init(&record->ids);
    while (record->kept_count > 0)
        drop_oldest(record);
    monitor_unlock(&record->monitor);
}

struct mock_sums mock_record_sums(struct mock_record *record) {
    monitor_lock(&record->monitor);
    struct mock_sums sums = record->sums;
    monitor_unlock(&record->monitor);
    return sums;
}
