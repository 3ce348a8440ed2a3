/* The same job by simdjson, for the bench. */
#ifndef BENCH_JSON_RIVAL_H
#define BENCH_JSON_RIVAL_H

#include <sf/builder.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Chooses the implementation of that number and returns its name; "" when this CPU lacks it, NULL past the last. */
const char *rival_use(size_t number);

/* One sales event into the bench's twelve columns. Up to 64 bytes behind the text are read. */
bool rival_decode(const char *text, size_t size, SfBuilder *builder);

/* Checks the whole text by building its tree. */
bool rival_parse(const char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
