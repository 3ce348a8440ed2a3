/* Columns that none of the first rows has a value for: a misspelt name or path looks like data that is always null. */
#ifndef JSON_DECODE_ABSENT_H
#define JSON_DECODE_ABSENT_H

#include "field.h"

/* Zeroed: nothing has been seen. */
typedef struct Absent {
    int64_t rows;    /* seen so far */
    GPtrArray *left; /* const Field *, borrowed: columns without a value so far */
    GArray *columns; /* of guint: their numbers */
    bool told;
} Absent;

void absent_init(Absent *absent, const GPtrArray *fields);
void absent_done(Absent *absent);

/* Looks at a batch (columns: one a field, in order), and logs one warning once enough rows have been seen. */
void absent_note(Absent *absent, SfNode *node, const struct ArrowArray *columns, int64_t rows);

#endif
