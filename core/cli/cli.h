/* The command line's frame: every command is a page (what `--help` shows, what completion knows, what is parsed) and a
 * function. Flags are option rows as plugins have them, so a flag has a type, bounds and a line of help in one place.
 *
 *   typedef struct Options { bool json; int64_t partitions; SfList properties; } Options;
 *   static const CliFlag flags[] = {
 *       CLI_FLAG(0, NULL, SF_OPTION_BOOL(Options, json, .doc = "Print JSON.")),
 *       CLI_FLAG('p', "N", SF_OPTION_INT(Options, partitions, .value = "1", .min = "1", .doc = "Partitions.")),
 *       CLI_FLAG('X', "KEY=VALUE", SF_OPTION_LIST(Options, properties, .name = "property", .doc = "Of librdkafka.")),
 *       CLI_FLAGS_END
 *   };
 *   Options options = {0};
 *   g_auto(CliLine) line = {0};
 *   int status = cli_parse(&page, argc, argv, &options, &line);
 *   if (status >= 0)
 *       return status;      // --help was shown (0), or the complaint (2)
 */
#ifndef CORE_CLI_H
#define CORE_CLI_H

#include <glib.h>
#include <stdbool.h>
#include <sf/option.h>
#include "private.h"

/* One flag: --<the row's name, '_' written '-'>. A bool takes no value, a list is given by repeating the flag. */
typedef struct CliFlag {
    char letter;          /* short form, or 0 */
    const char *argument; /* what help calls the value: "N"; NULL: after its type */
    SfOption option;
} CliFlag;

#define CLI_FLAG(short_form, value_name, ...)                                                                          \
    {                                                                                                                  \
        .letter = (short_form), .argument = (value_name), .option = __VA_ARGS__                                        \
    }
#define CLI_FLAGS_END                                                                                                  \
    {                                                                                                                  \
        .letter = 0                                                                                                    \
    }

typedef struct CliPage {
    const char *name;      /* "check" */
    const char *arguments; /* "FILE…|DIR", behind the name in the usage line */
    const char *summary;   /* one line, no full stop */
    const char *text;      /* paragraphs, or NULL */
    const CliFlag *flags;  /* beside --help, which every page has */
    const char *examples;  /* "sfrun check sales.yaml" lines, or NULL */
    const char *exits;     /* exit statuses beside 0, 1 and 2: "3  …" lines, or NULL */
    int least;             /* words that must be there */
    int most;              /* words that may be there; negative: any number */
} CliPage;

/* What is left of the command line when the flags are taken away; owns what list and string flags point to. */
typedef struct CliLine {
    char **words; /* NULL-terminated */
    int n_words;
    gpointer arena;
    gpointer list;
} CliLine;

/* Fills `options` (defaults first) and `line`. Returns -1 to go on, otherwise the exit status: help has been shown on
 * standard output, or one complaint on standard error. argv[0] is the command's name. */
SF_PRIVATE int cli_parse(const CliPage *page, int argc, char **argv, gpointer options, CliLine *line);
SF_PRIVATE void cli_line_done(CliLine *line);

/* "sfrun check: <message>" on standard error; returns exit status 2, for a usage that no flag's row can express. */
SF_PRIVATE int cli_fail(const CliPage *page, const char *format, ...) SF_PRINTF(2, 3);

/* The last act of a program: what it printed must have been taken. `status`, or 1 after a complaint, for a full disk;
 * a reader that has gone (`| head`) is not a failure. */
SF_PRIVATE int cli_finish(int status);

/* "--from-beginning" without the dashes. */
SF_PRIVATE char *cli_flag_name(const CliFlag *flag);

/* What help calls the flag's value: "N", "human|json", "STRING". */
char *cli_flag_value(const CliFlag *flag);

/* The page as `--help` shows it. */
SF_PRIVATE char *cli_help(const CliPage *page);

/* Appends paragraphs broken at blanks, their further lines indented; lines that start with a blank stay as they are. */
void cli_append_wrapped(GString *out, const char *text, guint indent);

typedef struct Command {
    const CliPage *page;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an ExitCode */
} Command;

extern const CliPage command_check_page;
extern const CliPage command_completion_page;
extern const CliPage command_help_page;
extern const CliPage command_pause_page;
extern const CliPage command_plugins_page;
extern const CliPage command_resume_page;
extern const CliPage command_trigger_page;
extern const CliPage command_run_page;
extern const CliPage command_status_page;
extern const CliPage command_stop_page;
int command_check(int argc, char **argv);
int command_completion(int argc, char **argv);
int command_help(int argc, char **argv);
int command_pause(int argc, char **argv);
int command_plugins(int argc, char **argv);
int command_resume(int argc, char **argv);
int command_trigger(int argc, char **argv);
int command_run(int argc, char **argv);
int command_status(int argc, char **argv);
int command_stop(int argc, char **argv);

/* The built-in commands: given once, by cli_begin(), which cli_main() calls; then listed (n is set). Main thread. */
void cli_begin(void);
void cli_use_commands(const Command *built_in, size_t n);
const Command *cli_commands(size_t *n);

/* The built-in command of that name, or NULL. */
const Command *cli_find(const char *name);

/* The program behind a further command (topics, produce, …), or NULL; the names (char *) of all of them, sorted. */
char *cli_find_program(const char *word);
GPtrArray *cli_programs(void);

/* Runs the program in our place; returns only when that fails, with the exit status for it. */
int cli_run_program(const char *path, char **argv);

/* What the program behind the word, or one of its sub-commands (NULL: itself), prints by --help; "" when it does not.
 * Its summary out of that. */
char *cli_program_help(const char *word, const char *verb);
char *cli_program_summary(const char *help);

/* `sfrun --help` on standard output; returns the exit status. */
int cli_print_overview(void);

/* Complains about a word that is not a command, with the nearest that is one; returns the exit status. */
int cli_unknown(const char *word);

/* The manual page in roff (man 7). */
char *cli_man(void);

/* Whole command line: `sfrun FILE…` is `sfrun run FILE…`; a word that is neither a command of ours nor a file runs
 * <SF_COMMAND_PATH or libexecdir/streamforge>/sfrun-<word> in our place, as git does. */
SF_PRIVATE int cli_main(int argc, char **argv);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliLine, cli_line_done)

#endif
