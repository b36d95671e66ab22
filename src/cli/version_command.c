/* posthaste version, --version */
#include "base/version.h"
#include "cli/cli.h"

#include <stdio.h>

int version_command(int argc, char **argv) {
    (void)argv;
    if (argc > 0)
        return cli_usage("version", "takes no arguments");
    printf("posthaste\nVersion: %s\nBuild Time: %s\nGit Commit: %s\n", POSTHASTE_VERSION,
           POSTHASTE_BUILD_TIME, POSTHASTE_GIT_COMMIT);
    return 0;
}
