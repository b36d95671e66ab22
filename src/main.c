/* The table of commands, and the choice among them. */
#include "cli/cli.h"
#include "cli/mock_provider.h"

#include <stdio.h>
#include <string.h>

#define HELP_BYTES_MAX 65536

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"serve", serve_command, "dispatch messages and serve the API (also without any command)"},
    {"demo", demo_command, "the same with a provider of its own and sample messages"},
    {"send", send_command, "send --to +15551234567 \"text\": put one message into the queue"},
    {"list", list_command, "list [--status S] [--limit N]: the newest messages, and counts"},
    {"migrate", migrate_command, "migrate up|down|status|create NAME: the database's schema"},
    {"mock-provider", mock_provider_command, "a provider to try and to test with"},
    {"config", config_command, "print the effective configuration, secrets hidden"},
    {"openapi", openapi_command,
     "[--markdown]: print the OpenAPI document of the API, or the list of its paths"},
    {"version", version_command, "print the version"},
    {"help", help_command, "print this"},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

int help_command(int argc, char **argv) {
    (void)argc;
    (void)argv;
    puts("posthaste delivers messages from a queue in a database to a provider over HTTP.\n\n"
         "usage: posthaste [COMMAND] [OPTIONS]\n\nCommands:");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-14s %s\n", commands[i].name, commands[i].summary);
    puts("\nOptions (also as environment variables, and in a .env file):");
    struct buffer options;
    buffer_init(&options, HELP_BYTES_MAX);
    config_write_help(&options);
    fputs(buffer_view(&options).data, stdout);
    buffer_deinit(&options);
    return 0;
}

/* "--version" and "--help" stand for the commands; other options are those of serve. */
static const char *command_name(const char *argument) {
    if (strcmp(argument, "--version") == 0)
        return "version";
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        return "help";
    return strncmp(argument, "--", 2) == 0 ? "serve" : argument;
}

/* Every command but the mock provider, which has flags of its own, explains itself by --help. */
static bool wants_help(const struct command *command, int argc, char **argv) {
    for (int i = 0; i < argc && command->run != mock_provider_command; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? command_name(argv[1]) : "serve";
    bool named = argc > 1 && (strncmp(argv[1], "--", 2) != 0 || strcmp(name, "serve") != 0);
    int skipped = named ? 2 : 1;
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (wants_help(&commands[i], argc - skipped, argv + skipped))
            return help_command(0, NULL);
        return commands[i].run(argc - skipped, argv + skipped);
    }
    fprintf(stderr, "posthaste: there is no command %s; `posthaste help` lists them\n", name);
    return 2;
}
