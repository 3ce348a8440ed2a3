/* What the gold sink's tests share: a SQLite file in a directory of its own, and reading it. With SF_GOLD_CONNECTION
 * set, the same rules are tested on that PostgreSQL or Snowflake, in a schema of its own (tests/e2e/test_gold_*.py
 * do that). */
#ifndef TEST_GOLD_PLACE_H
#define TEST_GOLD_PLACE_H

#include "harness.h"
#include "odbc/odbc.h"

typedef struct GoldPlace {
    char *directory; /* of the SQLite file, or NULL */
    char *schema;    /* or NULL */
    char *connection;
    Odbc *odbc;
} GoldPlace;

GoldPlace *gold_place_new(void);
void gold_place_free(GoldPlace *place);

/* The sink with the place's connection and these options beside it; not bound yet, without inputs. */
Harness *gold_harness(GoldPlace *place, const char *options);

bool gold_is(const GoldPlace *place, const char *product);

void gold_exec(GoldPlace *place, const char *sql);
/* "a|b" lines; null is NULL. */
char *gold_query(GoldPlace *place, const char *sql);

void gold_assert_query(GoldPlace *place, const char *sql, const char *expected);

/* Runs it in so many processes at once, by their numbers, and waits for all; each has to return 0. False: the test is
 * skipped, for the database has no locks to test. */
bool gold_processes(GoldPlace *place, int n, int (*run)(GoldPlace *place, int number));

/* The part is in the text, or the test ends showing both. */
void gold_assert_contains(const char *text, const char *part);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GoldPlace, gold_place_free)

#endif
