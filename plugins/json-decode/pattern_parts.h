/* A pattern's inside: what pattern.c makes and pattern_read.c reads by. */
#ifndef JSON_DECODE_PATTERN_PARTS_H
#define JSON_DECODE_PATTERN_PARTS_H

#include <glib.h>

typedef struct Part {
    char letter; /* 0: a literal; '[' and ']': an optional section's ends */
    int count;   /* of the letter */
    char literal;
    guint end; /* of '[': the number of its ']' */
} Part;

struct Pattern {
    GArray *parts; /* of Part */
};

#endif
