#include "cli/cli.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

static int print_effective(int argc, char *const *argv, struct buffer *out) {
    struct config config;
    if (!cli_load_config(&config, argc, argv, NULL, false))
        return 2;
    config_write_effective(&config, out);
    config_deinit(&config);
    return 0;
}

int config_command(int argc, char **argv) {
    int result = 0;
    struct buffer out;
    buffer_init(&out, CONFIG_TEXT_BYTES_MAX);
    if (argc == 1 && strcmp(argv[0], "--markdown") == 0)
        config_write_markdown(&out);
    else if (argc == 1 && strcmp(argv[0], "--env-example") == 0)
        config_write_env_example(&out);
    else
        result = print_effective(argc, argv, &out);
    check(!out.overflowed);
    fputs(buffer_view(&out).data, stdout);
    buffer_deinit(&out);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("posthaste: stdout");
        return 1;
    }
    return result;
}
