/* Record batches (KIP-98, magic 2) as producers send them, and places to keep them. */
#ifndef TEST_BATCHES_H
#define TEST_BATCHES_H

#include "log.h"

typedef struct Made {
    gint64 producer; /* -1: none */
    gint16 epoch;
    gint32 sequence;
    bool transactional;
    gint32 records;
    gint64 ms;
} Made;

GByteArray *batch_made(Made made);
/* What log_append() said; *base as it does. */
Code batch_append(Log *log, Made made, gint64 *base);
/* A directory of the test's own, for g_free() after batch_remove_place(). */
char *batch_place(void);
void batch_remove_place(const char *place);

#endif
