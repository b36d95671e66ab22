#include "base/buffer.h"
#include "cli/mock_provider.h"
#include "cli/mock_record.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define HELP_BYTES_MAX 4096
#define THREADS_MAX 64

static const char HELP_HEAD[] =
    "usage: posthaste mock-provider [flags]\n"
    "A provider to try posthaste with: it takes messages at POST /send, remembers them\n"
    "(GET /received, /requests, /stats) and misbehaves as it is told (POST /behave).\n"
    "\n"
    "  --port N           the port, 0 lets the system choose (3001)\n"
    "  --bind ADDRESS     the address to listen on (127.0.0.1)\n"
    "  --threads N        how many threads serve, 1 to 64 (1)\n";

enum parsed { PARSED_RUN, PARSED_HELP, PARSED_WRONG };

static bool flag_has_value(struct text flag, bool *known) {
    *known = true;
    if (text_equal_string(flag, "--port") || text_equal_string(flag, "--bind") ||
        text_equal_string(flag, "--threads"))
        return true;
    return mock_behaviour_flag_has_value(flag, known);
}

static enum status set_flag(struct mock_provider_options *options, struct text flag,
                            const char *value, struct error *error) {
    if (text_equal_string(flag, "--bind")) {
        options->bind = value;
        return STATUS_OK;
    }
    bool port = text_equal_string(flag, "--port");
    if (!port && !text_equal_string(flag, "--threads"))
        return mock_behaviour_set_flag(&options->behaviour, flag, value, error);
    int64_t number = 0;
    int64_t min = port ? 0 : 1;
    int64_t max = port ? UINT16_MAX : THREADS_MAX;
    if (!text_to_int64(text_of(value), &number) || number < min || number > max)
        return error_set(error, STATUS_INVALID,
                         "%.*s must be a whole number from %d to %d, not \"%s\"",
                         TEXT_ARGUMENT(flag), (int)min, (int)max, value);
    if (port)
        options->port = (uint16_t)number;
    else
        options->threads = (unsigned)number;
    return STATUS_OK;
}

/* "--flag value" or "--flag=value"; `*at` is left on the last word used. */
static enum status parse_flag(struct mock_provider_options *options, int argc, char *const *argv,
                              int *at, struct error *error) {
    struct text rest = text_of(argv[*at]);
    struct text flag = text_cut(&rest, '=');
    const char *value = rest.data;
    bool known = false;
    bool needs_value = flag_has_value(flag, &known);
    if (!known)
        return error_set(error, STATUS_INVALID, "unknown flag \"%.*s\"; --help lists what there is",
                         TEXT_ARGUMENT(flag));
    if (!needs_value && value != NULL)
        return error_set(error, STATUS_INVALID, "%.*s takes no value", TEXT_ARGUMENT(flag));
    if (needs_value && value == NULL && *at + 1 == argc)
        return error_set(error, STATUS_INVALID, "%.*s needs a value; see --help",
                         TEXT_ARGUMENT(flag));
    if (needs_value && value == NULL)
        value = argv[++*at];
    return set_flag(options, flag, value, error);
}

static enum parsed parse(struct mock_provider_options *options, int argc, char *const *argv,
                         struct error *error) {
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return PARSED_HELP;
        if (parse_flag(options, argc, argv, &i, error) != STATUS_OK)
            return PARSED_WRONG;
    }
    return mock_behaviour_check(&options->behaviour, error) == STATUS_OK ? PARSED_RUN
                                                                         : PARSED_WRONG;
}

static void print_help(void) {
    struct buffer help;
    buffer_init(&help, HELP_BYTES_MAX);
    buffer_append_string(&help, HELP_HEAD);
    mock_behaviour_write_help(&help);
    fputs(buffer_view(&help).data, stdout);
    fflush(stdout);
    buffer_deinit(&help);
}

static void print_summary(struct mock_provider *provider) {
    struct mock_sums sums = mock_provider_sums(provider);
    printf("mock provider stopped: %lld requests, %lld accepted, %lld failed, %lld hung, "
           "%lld reset, %lld duplicates accepted\n",
           (long long)sums.requests, (long long)sums.accepted, (long long)sums.failed,
           (long long)sums.hung, (long long)sums.reset, (long long)sums.accepted_again);
    fflush(stdout);
}

static int serve(const struct mock_provider_options *options, const sigset_t *signals) {
    struct mock_provider *provider = NULL;
    struct error error;
    if (mock_provider_create(&provider, options, &error) != STATUS_OK) {
        fprintf(stderr, "posthaste mock-provider: %s\n", error.text);
        return error.status == STATUS_INVALID ? 2 : 1;
    }
    bool v6 = strchr(options->bind, ':') != NULL;
    printf("mock provider listening on http://%s%s%s:%u/send\n", v6 ? "[" : "", options->bind,
           v6 ? "]" : "", mock_provider_port(provider));
    fflush(stdout);
    int received = 0;
    sigwait(signals, &received);
    print_summary(provider);
    mock_provider_destroy(provider);
    return 0;
}

int mock_provider_command(int argc, char **argv) {
    struct mock_provider_options options = mock_provider_standard();
    struct error error;
    enum parsed parsed = parse(&options, argc, argv, &error);
    if (parsed == PARSED_WRONG) {
        fprintf(stderr, "posthaste mock-provider: %s\n", error.text);
        return 2;
    }
    if (parsed == PARSED_HELP) {
        print_help();
        return 0;
    }
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    int result = serve(&options, &signals);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}
