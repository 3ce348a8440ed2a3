/* The command line's frame: a table of commands, shared help, colours and JSON output. */
#ifndef CORE_CLI_H
#define CORE_CLI_H

#include <glib.h>
#include <stdbool.h>

typedef struct Command {
    const char *name;
    const char *arguments; /* "FILE…" */
    const char *summary;   /* one line */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an ExitCode */
} Command;

int command_check(int argc, char **argv);
int command_plugins(int argc, char **argv);
int command_run(int argc, char **argv);
int command_status(int argc, char **argv);

/* Whole command line: `sfrun FILE…` is `sfrun run FILE…`; a word that is no command of ours and no file runs
 * <SF_COMMAND_PATH or libexecdir/streamforge>/sfrun-<word> in our place, as git does. */
int cli_main(int argc, char **argv);

#endif
