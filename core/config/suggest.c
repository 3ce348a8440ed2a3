/* The nearest known word for one that is not known, by edit distance; and how a user's text is shown in a message. */
#include "suggest.h"

#include <string.h>

#define MAX_WORD 64

/* People mix up case and the separators of names; neither counts as a difference. */
static char folded(char c)
{
    return c == '-' || c == '.' || c == ' ' ? '_' : g_ascii_tolower(c);
}

static guint least(guint a, guint b, guint c)
{
    return MIN(MIN(a, b), c);
}

/* Optimal string alignment: insertions, deletions, replacements and swapped neighbours cost 1. */
static guint edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
    guint rows[3][MAX_WORD + 1];
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (guint) j;
    for (size_t i = 1; i <= na; i++) {
        guint *row = rows[i % 3];
        const guint *last = rows[(i + 2) % 3];
        const guint *before = rows[(i + 1) % 3];
        row[0] = (guint) i;
        for (size_t j = 1; j <= nb; j++) {
            bool same = folded(a[i - 1]) == folded(b[j - 1]);
            row[j] = least(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
            bool swapped =
                i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]);
            if (swapped)
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

static bool starts_like(const char *word, const char *start)
{
    for (; *start; word++, start++)
        if (folded(*word) != folded(*start))
            return false;
    return true;
}

/* One is the beginning of the other: "some-bronze" for "some-bronze-sink". */
static bool cut_short(const char *a, size_t na, const char *b, size_t nb)
{
    return MIN(na, nb) >= 3 && (na < nb ? starts_like(b, a) : starts_like(a, b));
}

const char *nearest_word(const char *word, const char *const *words, size_t n)
{
    size_t length = strlen(word);
    const char *best = NULL;
    guint best_distance = MAX_WORD;
    for (size_t i = 0; i < n && length > 0 && length <= MAX_WORD; i++) {
        size_t other = strlen(words[i]);
        if (other > MAX_WORD)
            continue;
        guint distance = edit_distance(word, length, words[i], other);
        guint allowed = MAX(1, (guint) (MIN(length, other) / 3));
        if (distance > allowed && cut_short(word, length, words[i], other))
            distance = allowed;
        if (distance <= allowed && distance < best_distance) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}

const char *sf_suggest(const char *word, const char *const *words, size_t n, char *out, size_t size)
{
    const char *best = nearest_word(word, words, n);
    if (size > 0)
        g_snprintf(out, size, best ? "; did you mean '%s'?" : "%s", best ? best : "");
    return out;
}

char *text_shown(const char *text)
{
    const glong limit = 80;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    bool cut = g_utf8_strlen(valid, -1) > limit;
    g_autofree char *part = cut ? g_utf8_substring(valid, 0, limit) : g_strdup(valid);
    GString *out = g_string_new("'");
    for (const char *c = part; *c; c++)
        g_string_append_c(out, g_ascii_iscntrl(*c) ? ' ' : *c);
    g_string_append(out, cut ? "…'" : "'");
    return g_string_free(out, FALSE);
}
