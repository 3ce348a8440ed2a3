/* path.format: from its text to pieces, and from an instant to a directory. */
#ifndef KIT_BRONZE_FORMAT_H
#define KIT_BRONZE_FORMAT_H

#include <glib.h>
#include <sf/sf.h>

typedef struct PathPiece {
    char token; /* 'Y' 'M' 'd' 'H' 'm', or 0 for text */
    char *text;
} PathPiece;

typedef struct PathFormat {
    const char *text; /* as given; borrowed */
    GArray *pieces;   /* of PathPiece */
    char unit;        /* the finest token, or 0 */
} PathFormat;

/* Strict: what looks like a pattern of dates that we do not have is refused, where earlier versions took it for a word.
 * What path_format_done() takes back also after a failure. */
SfStatus path_format_init(PathFormat *format, const char *text, bool strict, SfError *err);
void path_format_done(PathFormat *format);

/* "year=2024/month=01/day=15"; µs of local time. */
char *path_format_write(const PathFormat *format, int64_t bucket);

/* The multiple of `step` at or below the value, which may be negative. */
static inline int64_t path_floor(int64_t value, int64_t step)
{
    int64_t rest = value % step;
    return value - (rest < 0 ? rest + step : rest);
}

#endif
