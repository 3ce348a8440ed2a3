/* Text from outside on its way to a terminal. */
#ifndef CORE_PRINTABLE_H
#define CORE_PRINTABLE_H

#include <glib.h>
#include "private.h"

/* A copy in which nothing moves the cursor or speaks to the terminal: control characters (C0, DEL, C1) are written as
 * \x1b, bytes that are no UTF-8 become U+FFFD. `keep` are those that may stay, such as "\n\t". Owned by the caller. Any
 * thread. */
SF_PRIVATE char *printable(const char *text, const char *keep);

/* The same of bytes that may have NULs; `escape` is what stands before the two hexadecimal digits: "\\x", or "\\u00"
 * where JSON is to stay JSON. */
SF_PRIVATE char *printable_bytes(const char *bytes, gsize size, const char *keep, const char *escape);

/* The text as one line of a message: as above, with blanks for line breaks and tabs, and URLs without their user info
 * ("http://user:password@host" is "http://host"). Owned by the caller. Any thread. */
SF_PRIVATE char *message_line(const char *text);

/* Our own text without its colours (ECMA-48, SGR), and how many columns of a terminal it takes: East Asian wide
 * characters take two, combining marks none. */
char *printable_plain(const char *text);
SF_PRIVATE guint printable_width(const char *text);

/* The text in that many columns at most; where something is left out, "…" stands for it, with up to `tail` columns of
 * the text's end behind it. Text without colours. Owned by the caller. */
SF_PRIVATE char *printable_cut(const char *text, guint width, guint tail);

/* 1234567 as "1,234,567" and, in four columns at most, as "1.2M". Owned by the caller. */
SF_PRIVATE char *printable_count(gint64 n);
SF_PRIVATE char *printable_brief_count(gint64 n);

#endif
