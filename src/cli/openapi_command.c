/* posthaste openapi: the API's document, for docs/openapi.json and for tools. */
#include "api/openapi.h"
#include "cli/cli.h"

#include <stdio.h>

#define DOCUMENT_BYTES_MAX ((size_t)4 << 20)

int openapi_command(int argc, char **argv) {
    (void)argv;
    if (argc > 0)
        return cli_usage("openapi", "usage: posthaste openapi");
    struct buffer document;
    buffer_init(&document, DOCUMENT_BYTES_MAX);
    openapi_write(&document);
    fputs(buffer_view(&document).data, stdout);
    buffer_deinit(&document);
    if (fflush(stdout) == 0)
        return 0;
    perror("posthaste: stdout");
    return 1;
}
