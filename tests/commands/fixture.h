/* A directory in which commands run: empty, or with the tables of tests/data. */
#ifndef TESTS_COMMANDS_FIXTURE_H
#define TESTS_COMMANDS_FIXTURE_H

#include "program.h"
#ifdef HAS_S3
#include "fake_s3.h"
#endif

typedef struct Fixture {
    char *root;
} Fixture;

void set_up_empty(Fixture *f, gconstpointer unused);
void set_up_tables(Fixture *f, gconstpointer unused);
void tear_down(Fixture *f, gconstpointer unused);

/* Runs sfrun with these words: its status, its output (NULL: any), a part of its errors (NULL: it has none). */
void expect(const Fixture *f, const char *words, int status, const char *out, const char *err);

/* The same with a part of its output. */
void expect_part(const Fixture *f, const char *words, int status, const char *out, const char *err);

/* All of a table's rows, sorted. */
char *rows_of(const Fixture *f, const char *table);

/* What the log of version 0 of rs/types calls its first file. */
char *first_path(const Fixture *f);

#ifdef HAS_S3
/* All files of a folder become objects of the bucket. */
void upload(FakeS3 *fake, const Fixture *f, const char *folder, const char *bucket);
#endif

#endif
