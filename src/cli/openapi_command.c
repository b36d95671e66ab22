/* posthaste openapi: the API's document, for docs/openapi.json, docs/api.md and for tools. */
#include "api/openapi.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#define DOCUMENT_BYTES_MAX ((size_t)4 << 20)

int openapi_command(int argc, char **argv) {
    bool markdown = argc == 1 && strcmp(argv[0], "--markdown") == 0;
    if (argc > 0 && !markdown)
        return cli_usage("openapi", "usage: posthaste openapi [--markdown]");
    struct buffer document;
    buffer_init(&document, DOCUMENT_BYTES_MAX);
    if (markdown)
        routes_write_markdown(&document);
    else
        openapi_write(&document);
    fputs(buffer_view(&document).data, stdout);
    buffer_deinit(&document);
    if (fflush(stdout) == 0)
        return 0;
    perror("posthaste: stdout");
    return 1;
}
