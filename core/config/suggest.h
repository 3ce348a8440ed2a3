/* The nearest known word (sf_suggest() in sf/value.h makes a text of it); and how a user's text is shown. */
#ifndef CORE_SUGGEST_H
#define CORE_SUGGEST_H

#include <glib.h>
#include <sf/value.h>

/* One of the words, or NULL when none is near. */
const char *nearest_word(const char *word, const char *const *words, size_t n);

/* The text in quotes, cut to a length that suits a message, without line breaks. */
char *text_shown(const char *text);

#endif
