/* sfrun as a user calls it. */
#ifndef TESTS_KIT_PROGRAM_H
#define TESTS_KIT_PROGRAM_H

#include <glib.h>
#include <stdbool.h>

typedef struct Ran {
    int status;
    char *out;
    char *err;
} Ran;

void ran_done(Ran *ran);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ran, ran_done)

/* Runs $SF_TEST_SFRUN with these words, or a line that begins with "sh ", in the directory (NULL: this one) to its end.
 * The default main context goes round meanwhile: a status server of the test's own answers. */
Ran run_program(const char *directory, const char *words);

/* The output is JSON's [], however the library of the day breaks its lines. */
bool ran_printed_empty_list(const Ran *ran);

#endif
