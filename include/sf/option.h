/* Option tables: one row is the option's parser, its error messages, its line in `sfrun plugins NAME`, in
 * docs/reference.md and in the editor's JSON Schema. The host fills the plugin's state from the table before open.
 *
 *   typedef struct Greeter { const char *greeting; int64_t limit; } Greeter;
 *   static const SfOption options[] = {
 *       SF_OPTION_STRING(Greeter, greeting, .value = "hello", .doc = "What to say."),
 *       SF_OPTION_INT(Greeter, limit, .value = "10", .min = "1", .doc = "How often at most."),
 *       SF_OPTION_END
 *   };
 *
 * The macros check at compile time that the field has the option's C type. The option's name in YAML is the field's,
 * unless .name says otherwise ("flush.size"). Units belong to the type, never to the name. Defaults, min and max are
 * text in the user's notation. Strings, lists, maps and trees in the state are the host's, valid until close. An error
 * of bind that starts with an option's name ("key: there is no column 'x'") is shown at that option's place in the
 * file. */
#ifndef SF_OPTION_H
#define SF_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sf/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum SfOptionType {
    SF_OPTION_TYPE_STRING = 1, /* const char *, NULL when not given and without default */
    SF_OPTION_TYPE_INT,        /* int64_t: 10, -3, 1_000_000 */
    SF_OPTION_TYPE_FLOAT,      /* double */
    SF_OPTION_TYPE_BOOL,       /* bool: true, false */
    SF_OPTION_TYPE_SIZE,       /* int64_t bytes: 512, 64KiB, 8MiB, 1GiB, 10MB */
    SF_OPTION_TYPE_DURATION,   /* int64_t ms: 250ms, 5s, 10m, 1h, 7d; a bare number is ms where .name ends in ".ms" */
    SF_OPTION_TYPE_ENUM,       /* int32_t: number of the word in .words */
    SF_OPTION_TYPE_LIST,       /* SfList of strings; one bare scalar is a list of one */
    SF_OPTION_TYPE_MAP,        /* SfMap: string to string */
    SF_OPTION_TYPE_SECRET,     /* const char *; `file:PATH` and `exec:COMMAND` are resolved; prints as *** */
    SF_OPTION_TYPE_TREE,       /* const SfValue *: the plugin reads the YAML itself */
    SF_OPTION_TYPE_32_BITS = INT32_MAX
} SfOptionType;

typedef struct SfList {
    size_t size;
    const char *const *items;
} SfList;

typedef struct SfPair {
    const char *key;
    const char *value;
} SfPair;

typedef struct SfMap {
    size_t size;
    const SfPair *pairs;
} SfMap;

/* Append only: a table's stride is in the descriptor, so an older plugin's shorter rows are read with zeros behind. */
typedef struct SfOption {
    const char *field; /* NULL ends the table */
    const char *name;  /* as users write it; NULL: the same as field */
    SfOptionType type;
    uint32_t offset; /* of the field in the state */
    bool required;
    const char *value; /* default; NULL: zero */
    const char *min;   /* likewise max; NULL: no bound */
    const char *max;
    const char *const *words;  /* of an enum; the closed keys of a map, or of the maps in a tree that is one */
    const char *doc;           /* one line */
    const char *since;         /* version of the plugin that brought it; NULL: the first */
    const char *deprecated_by; /* name of the option to use instead */
    const char *example;       /* for trees and lists: YAML text that the reference page shows */
} SfOption;

#if defined(__cplusplus)
#define SF_OPTION_FIELD_(state, member, ctype) ((uint32_t) offsetof(state, member))
#else
#define SF_OPTION_FIELD_(state, member, ctype)                                                                         \
    ((uint32_t) (offsetof(state, member) +                                                                             \
                 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((state *) 0)->member), ctype) ? 1 : -1])))
#endif

#define SF_OPTION_ROW_(state, member, kind, ctype, ...)                                                                \
    {                                                                                                                  \
        .field = #member, .type = SF_OPTION_TYPE_##kind, .offset = SF_OPTION_FIELD_(state, member, ctype), __VA_ARGS__ \
    }

#define SF_OPTION_STRING(state, member, ...) SF_OPTION_ROW_(state, member, STRING, const char *, __VA_ARGS__)
#define SF_OPTION_INT(state, member, ...) SF_OPTION_ROW_(state, member, INT, int64_t, __VA_ARGS__)
#define SF_OPTION_FLOAT(state, member, ...) SF_OPTION_ROW_(state, member, FLOAT, double, __VA_ARGS__)
#define SF_OPTION_BOOL(state, member, ...) SF_OPTION_ROW_(state, member, BOOL, bool, __VA_ARGS__)
#define SF_OPTION_SIZE(state, member, ...) SF_OPTION_ROW_(state, member, SIZE, int64_t, __VA_ARGS__)
#define SF_OPTION_DURATION(state, member, ...) SF_OPTION_ROW_(state, member, DURATION, int64_t, __VA_ARGS__)
#define SF_OPTION_ENUM(state, member, ...) SF_OPTION_ROW_(state, member, ENUM, int32_t, __VA_ARGS__)
#define SF_OPTION_LIST(state, member, ...) SF_OPTION_ROW_(state, member, LIST, SfList, __VA_ARGS__)
#define SF_OPTION_MAP(state, member, ...) SF_OPTION_ROW_(state, member, MAP, SfMap, __VA_ARGS__)
#define SF_OPTION_SECRET(state, member, ...) SF_OPTION_ROW_(state, member, SECRET, const char *, __VA_ARGS__)
#define SF_OPTION_TREE(state, member, ...) SF_OPTION_ROW_(state, member, TREE, const SfValue *, __VA_ARGS__)
#define SF_OPTION_END                                                                                                  \
    {                                                                                                                  \
        .field = NULL                                                                                                  \
    }

#ifdef __cplusplus
}
#endif

#endif
