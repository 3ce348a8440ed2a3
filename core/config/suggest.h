/* The nearest known word is sf_suggest() (sf/value.h); and how a user's text is shown. */
#ifndef CORE_SUGGEST_H
#define CORE_SUGGEST_H

#include <glib.h>
#include <sf/value.h>

/* The text in quotes, cut to a length that suits a message, without line breaks. */
char *text_shown(const char *text);

#endif
