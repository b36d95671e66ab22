/* What the commands share. A command is one function in a file of its own; it is given the
 * arguments after its name and returns the exit status: 0, 1 when it failed, 2 when it was called
 * wrongly. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "config/config.h"
#include "store/store_office.h"

#define CLI_ARGUMENTS_MAX 256

/* Loads the configuration; warnings and faults go to stderr. False: there were faults, and nothing
 * is to be ended. `command_defaults` may be NULL. */
bool cli_load_config(struct config *config, int argc, char *const *argv,
                     const char *const *command_defaults, bool for_serve);

/* Arguments of a command: some are its own, the others are options of the configuration. */
struct cli_arguments {
    char *own[CLI_ARGUMENTS_MAX]; /* plain words, in order */
    int own_count;
    char *options[CLI_ARGUMENTS_MAX];
    int option_count;
};

/* Takes `--name value` or `--name=value` of a command's own flag; NULL where it is not given. To
 * be called before cli_arguments_split, which then does not see it. */
const char *cli_take_flag(int *argc, char **argv, const char *name);
/* Takes a command's own `--name` that has no value, likewise; false where it is not given. */
bool cli_take_switch(int *argc, char **argv, const char *name);
/* Sorts words from options, each of which has its value behind it or after a '='. */
bool cli_arguments_split(struct cli_arguments *arguments, int argc, char **argv);

/* What the configuration says of the store; its texts stay the configuration's. */
struct store_options cli_store_options(const struct config *config);

/* A store and a session for a command that does one thing. `leave_schema` as in store.h. */
struct cli_store {
    struct store *store;
    struct store_session *session; /* NULL with leave_schema */
};

/* False: the reason is on stderr. */
bool cli_store_open(struct cli_store *store, const struct config *config, bool leave_schema);
void cli_store_close(struct cli_store *store);

/* "posthaste COMMAND: text" on stderr; returns 1 or 2, for `return cli_fail(…)`. */
int cli_fail(const char *command, const char *text);
int cli_usage(const char *command, const char *text);

/* The commands, one file each. mock_provider.h has the one that is missing here. */
int serve_command(int argc, char **argv);
int demo_command(int argc, char **argv);
int migrate_command(int argc, char **argv);
int send_command(int argc, char **argv);
int list_command(int argc, char **argv);
int config_command(int argc, char **argv);
int openapi_command(int argc, char **argv);
int version_command(int argc, char **argv);
int help_command(int argc, char **argv);

#endif
