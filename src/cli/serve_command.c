/* posthaste serve: what the program is for. */
#include "cli/cli.h"
#include "cli/service.h"

int serve_command(int argc, char **argv) {
    struct config config;
    if (!cli_load_config(&config, argc, argv, NULL, true))
        return 2;
    service_prepare_signals();
    struct service service;
    struct error error;
    int result = 0;
    if (service_start(&service, &config, &error) == STATUS_OK) {
        service_wait(&service);
        service_stop(&service, config.shutdown_grace_ms);
    } else {
        result = cli_fail("serve", error.text);
    }
    config_deinit(&config);
    return result;
}
