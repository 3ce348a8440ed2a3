/* One option row and one value → one typed field. Under options.h (a step's options) and cli.h (a command's flags). */
#ifndef CORE_OPTION_READ_H
#define CORE_OPTION_READ_H

#include <sf/option.h>
#include "diagnostics.h"

/* Owns what typed fields point to: strings, lists and maps of one state. */
typedef struct OptionArena OptionArena;

OptionArena *option_arena_new(void);
void option_arena_free(OptionArena *arena);

typedef struct OptionReader {
    OptionArena *arena;
    Diagnostics *diagnostics;
    bool resolve; /* secrets by reference are read now; otherwise they stay what they are */
} OptionReader;

/* Reads a value into `field`. False after complaints, which name the option and have the value's place. */
bool option_read(const OptionReader *reader, const SfOption *option, const SfValue *value, gpointer field);

/* Reads the default, min, max or a word of the command line: the same notation without YAML around it (a list is one
 * item, unless it is in brackets). NULL when fine, otherwise the problem. */
char *option_read_text(OptionArena *arena, const SfOption *option, const char *text, gpointer field);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OptionArena, option_arena_free)

/* Library properties that hold secrets (sasl.password, ssl.key.password), whose values may be references, too. */
SF_PRIVATE bool option_holds_secret(const char *key);

#endif
