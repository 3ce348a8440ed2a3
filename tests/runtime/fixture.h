/* What the runtime's tests share: pipelines of scripted plugins in a directory of their own, and what their ledgers
 * say. */
#ifndef TESTS_RUNTIME_FIXTURE_H
#define TESTS_RUNTIME_FIXTURE_H

#include <glib.h>
#include <json-c/json.h>

#include "runtime/log.h"
#include "runtime/runtime.h"

#define ROWS 1000
#define SOURCE "  n: {source: count-source, splits: 3, published: '${DIR}/published'"
#define SINK(name, from) "  " name ": {sink: ledger-sink, from: " from ", path: '${DIR}/" name "'"

typedef struct Fixture {
    char *dir;
} Fixture;

typedef struct Total {
    gint64 end, rows, sum, commits;
} Total;

typedef struct FixtureTest {
    const char *path;
    void (*test)(Fixture *fixture, gconstpointer data);
} FixtureTest;

extern const Total all; /* of the numbers below ROWS */

/* Runs the tests; or one pipeline, where run_apart() has started this program anew. */
int fixture_main(int argc, char **argv, const FixtureTest *tests, gsize n);

/* A pipeline's text; settings are lines of its head. */
char *pipeline_text(const char *name, const char *settings, const char *steps);

/* Runs pipelines until they end; texts end with NULL. */
ExitCode run_texts(const char *const *texts, bool once);
ExitCode run_with(const char *settings, const char *steps); /* once */
ExitCode run(const char *steps);

/* The same in a process of its own, which gets SF_FAULT=fault (NULL: none). */
GPid run_apart(const char *settings, const char *steps, bool once, const char *fault);
int wait_for_end(GPid pid); /* waitpid's status */

/* What comes to standard error meanwhile. */
char *heard(void (*speak)(gpointer data), gpointer data);

/* Once, in a process of its own; returns its log, as JSON, and waitpid's status. */
char *run_heard(const char *settings, const char *steps, int *status);

/* Sends the signal to a process when a file of the fixture's directory exists. `sent` is the thread, to be joined. */
typedef struct SignalWhen {
    char *path;
    GPid pid;
    int signal;
    gint64 sent_us; /* monotonic */
    GThread *sent;
} SignalWhen;
void signal_when(SignalWhen *when, const Fixture *fixture, const char *file, GPid pid, int signal);
void signal_done(SignalWhen *when); /* waits */

/* Runs the steps until the pipeline's status, as sfrun shows it, is as wanted; returns that status. */
struct json_object *run_until(const Fixture *fixture, bool (*is_wanted)(struct json_object *pipeline),
                              const char *steps);
struct json_object *member(struct json_object *object, const char *key);

/* Waits until the file is there; by a path, or in the fixture's directory. */
void await_file(const char *path);
void await_named(const Fixture *fixture, const char *name);
void make_named(const Fixture *fixture, const char *name); /* an empty file there */

/* Adds up one chain of a ledger; its ranges must chain from 0. */
Total total(const Fixture *fixture, const char *ledger, const char *input, const char *split);

/* Numbers below ROWS that n divides (dividing = true) or does not. */
Total numbers(gint64 n, bool dividing);

/* All three splits of SOURCE are as wanted. */
void check(const Fixture *fixture, const char *ledger, const char *input, Total want);

#endif
