/* A database that a test plays itself: what the gold sink sends to it, in order, and what it hears. Between them are
 * the sink as it is, the kit's ODBC wrapper, the driver manager and the driver of tests/snowflake. */
#ifndef TEST_GOLD_SERVER_H
#define TEST_GOLD_SERVER_H

#include "harness.h"

/* Of the rows `id int, name string, gone bool` and their place in a topic. */
#define GOLD_FACT "facts: {f: {key: id, columns: [name]}}"
#define GOLD_DELETING "facts: {f: {key: id, columns: [name], delete_when: {gone: true}}}"

/* An answer, and how the statement begins that reads the step's positions. */
#define GOLD_ERROR(state, code, message)                                                                               \
    "{\"error\": {\"state\": \"" state "\", \"code\": " #code ", \"message\": \"" message "\"}}"
#define GOLD_LEDGER "SELECT input, split, end_position"

/* A new life: the sink with an input of such rows, which will talk to a database that calls itself `product`. Forgets
 * what was sent and all answers. */
Harness *gold_server_sink(const char *product, const char *options);

/* Statements that have `part` in them are answered so: {"rows": [["a", 1]], "columns": 2}, {"changed": 1}, or
 * {"error": {"state": "42501", "code": 1, "message": "…"}}. The last of several answers counts. So are the calls that
 * are not statements: LOGIN, LOGOUT, COMMIT, ROLLBACK, `autocommit on` and `… off`. All else is done: one row changed,
 * no rows found. */
void gold_server_answer(const char *part, const char *answer);
/* Likewise, the next `times` times only. */
void gold_server_answer_times(const char *part, const char *answer, int times);

/* Rows of the ids and offsets [first, first + n) of "t/0". */
void gold_server_write(Harness *h, gint64 first, gint64 n, const char *gone);

/* What was sent since this was last asked, a line each; "… <- [[1, "a"]]" where rows were bound. */
char *gold_server_sent(void);

/* These parts are in it, one behind the other (NULL ends them); it is not. */
void gold_server_assert_sent(const char *first, ...) G_GNUC_NULL_TERMINATED;
void gold_server_assert_not_sent(const char *part);

#endif
