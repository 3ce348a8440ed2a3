/* path.format: from its text to pieces. Two notations: Joda's, as Kafka Connect has it, with words in quotes; and ours,
 * where runs of letters are words unless they are tokens. */
#include <string.h>

#include "civil.h"
#include "format.h"

#define MINUTE_US INT64_C(60000000)

static const char fineness[] = "YMdHm"; /* from coarse to fine */

static void add_path_text(PathFormat *format, const char *text, gsize size)
{
    PathPiece piece = {.text = g_strndup(text, size)};
    if (size > 0)
        g_array_append_val(format->pieces, piece);
    else
        g_free(piece.text);
}

static void add_path_token(PathFormat *format, char token)
{
    PathPiece piece = {.token = token};
    g_array_append_val(format->pieces, piece);
    if (!format->unit || strchr(fineness, token) > strchr(fineness, format->unit))
        format->unit = token;
}

typedef struct Token {
    const char *text;
    char token;
} Token;

/* The token that begins here, or NULL. DD is the day of the month in our own notation only; in Joda's it is one of
 * the year. */
static const Token *token_at(const char *text, bool joda)
{
    static const Token tokens[] = {{"YYYY", 'Y'}, {"yyyy", 'Y'}, {"MM", 'M'}, {"dd", 'd'},
                                   {"HH", 'H'},   {"mm", 'm'},   {"DD", 'd'}};
    for (size_t i = 0; i < G_N_ELEMENTS(tokens) - joda; i++)
        if (g_str_has_prefix(text, tokens[i].text))
            return &tokens[i];
    return NULL;
}

/* Whether a run of letters is nothing but tokens: "YYYYMMdd" is, "year" is a word. */
static bool all_tokens(const char *run, gsize size, bool joda)
{
    gsize at = 0;
    while (at < size) {
        const Token *token = token_at(run + at, joda);
        if (!token || at + strlen(token->text) > size)
            return false;
        at += strlen(token->text);
    }
    return true;
}

/* ---- words, and patterns that we do not have ---- */

/* Letters that stand for something in Joda's patterns and in Java's (java.time.format.DateTimeFormatter). */
#define PATTERN_LETTERS "GCxwWeEyYuDdMLaKhHkmsSnzZQq"
#define LONE_LETTERS "yYMdDHhmsSwEaxekKZ" /* those that stand for something alone, too: a lone G, C or z is a word */

/* A run of letters by its groups of equal ones: "yyyyMMddss" has four. */
typedef struct Groups {
    int all;
    int tokens;
    int pairs;    /* of two letters or more */
    int patterns; /* of letters that stand for something */
    bool year;
    bool upper_token;
    bool upper_within; /* "yyM" */
} Groups;

static Groups groups_of(const char *run, gsize size)
{
    Groups groups = {0};
    for (gsize at = 0, next; at < size; at = next) {
        for (next = at + 1; next < size && run[next] == run[at];)
            next++;
        gsize length = next - at;
        const Token *token = token_at(run + at, false);
        bool is_token = token && strlen(token->text) == length;
        groups.all++;
        groups.pairs += length > 1;
        groups.patterns += strchr(length > 1 ? PATTERN_LETTERS : LONE_LETTERS, run[at]) != NULL;
        groups.tokens += is_token;
        groups.year |= is_token && token->token == 'Y';
        groups.upper_token |= is_token && g_ascii_isupper(run[at]);
        groups.upper_within |= at > 0 && g_ascii_isupper(run[at]) && g_ascii_islower(run[at - 1]);
    }
    return groups;
}

static bool has_lower(const char *run, gsize size)
{
    for (gsize i = 0; i < size; i++)
        if (g_ascii_islower(run[i]))
            return true;
    return false;
}

/* Whether a run that is not all tokens was meant as a pattern: one letter repeated ("M", "yy", "EEE"), or tokens among
 * other letters ("yyyyMMddHHmmss", "ddTHH", "monthMM"). Words have doubled letters too: "comment", "address",
 * "SUMMARY" are some. */
static bool looks_like_pattern(const char *run, gsize size)
{
    Groups groups = groups_of(run, size);
    bool all_patterns = groups.patterns == groups.all;
    if (groups.all == 1 || groups.year || groups.tokens > 1)
        return all_patterns || groups.tokens > 0;
    if (all_patterns && (groups.upper_token || groups.pairs == groups.all || (groups.upper_within && groups.pairs > 0)))
        return true;
    return groups.upper_token && has_lower(run, size);
}

static SfStatus add_letters(PathFormat *format, const char *run, gsize size, bool joda, bool strict, SfError *err)
{
    Groups groups = groups_of(run, size);
    bool tokens = all_tokens(run, size, joda);
    bool wrong = tokens ? groups.tokens < groups.all : joda || looks_like_pattern(run, size);
    if (!tokens || (strict && wrong)) {
        if (joda || (strict && wrong))
            return sf_fail(
                err, SF_CONFIG,
                "path.format: '%s' has '%.*s', which is not a field of a date; write YYYY, MM, dd, HH or mm, and "
                "words in quotes",
                format->text, (int) size, run);
        add_path_text(format, run, size);
        return SF_OK;
    }
    for (gsize at = 0; at < size;) {
        const Token *token = token_at(run + at, joda);
        add_path_token(format, token->token);
        at += strlen(token->text);
    }
    return SF_OK;
}

/* ---- the whole ---- */

/* 'text' in quotes; '' is a quote, within such text, too (Joda-Time, DateTimeFormat). Returns where it goes on, or
 * NULL. */
static const char *add_quoted(PathFormat *format, const char *open)
{
    const char *at = open + 1;
    if (*at == '\'') {
        add_path_text(format, at, 1);
        return at + 1;
    }
    for (const char *close; (close = strchr(at, '\'')); at = close + 2) {
        bool doubled = close[1] == '\'';
        add_path_text(format, at, (gsize) (close - at) + doubled);
        if (!doubled)
            return close + 1;
    }
    return NULL;
}

static gsize letters(const char *text)
{
    gsize n = 0;
    while (g_ascii_isalpha(text[n]))
        n++;
    return n;
}

static bool has_dots_only(const char *path)
{
    g_auto(GStrv) segments = g_strsplit(path, "/", -1);
    return g_strv_contains((const char *const *) segments, ".") ||
           g_strv_contains((const char *const *) segments, "..");
}

static void write_token(GString *out, char token, Civil day, int64_t rest_us)
{
    switch (token) {
    case 'Y':
        g_string_append_printf(out, "%04d", (int) day.year);
        break;
    case 'M':
        g_string_append_printf(out, "%02d", day.month);
        break;
    case 'd':
        g_string_append_printf(out, "%02d", day.day);
        break;
    case 'H':
        g_string_append_printf(out, "%02d", (int) (rest_us / (60 * MINUTE_US)));
        break;
    default:
        g_string_append_printf(out, "%02d", (int) (rest_us / MINUTE_US % 60));
        break;
    }
}

char *path_format_write(const PathFormat *format, int64_t bucket)
{
    int64_t midnight = path_floor(bucket, CIVIL_DAY_US);
    Civil day = civil_from_days(midnight / CIVIL_DAY_US);
    GString *path = g_string_new(NULL);
    for (guint i = 0; i < format->pieces->len; i++) {
        const PathPiece *piece = &g_array_index(format->pieces, PathPiece, i);
        if (piece->token)
            write_token(path, piece->token, day, bucket - midnight);
        else
            g_string_append(path, piece->text);
    }
    return g_string_free(path, FALSE);
}

static SfStatus check_path_format(const PathFormat *format, SfError *err)
{
    const char *text = format->text;
    g_autofree char *sample = path_format_write(format, 0);
    if (!*text)
        return SF_OK;
    if (g_str_has_prefix(sample, "/") || g_str_has_suffix(sample, "/"))
        return sf_fail(err, SF_CONFIG,
                       "path.format: '%s' %s with a '/'; leave it out: the directory is put between topic "
                       "and object with a '/' on both sides",
                       text, *sample == '/' ? "begins" : "ends");
    bool odd = strstr(sample, "//") || has_dots_only(sample) || strspn(sample, " ") == strlen(sample);
    if (odd)
        return sf_fail(err, SF_CONFIG, "path.format: '%s' gives '%s', which is not a relative path", text, sample);
    return SF_OK;
}

static SfStatus read_pieces(PathFormat *format, bool strict, SfError *err)
{
    const char *text = format->text;
    bool joda = strchr(text, '\'') != NULL;
    for (const char *p = text; *p;) {
        gsize run = letters(p);
        if (*p == '\'') {
            p = add_quoted(format, p);
            if (!p)
                return sf_fail(err, SF_CONFIG,
                               "path.format: '%s' has a quote that is not closed; write '' for a quote itself", text);
        } else if (run > 0) {
            SF_TRY(add_letters(format, p, run, joda, strict, err));
            p += run;
        } else {
            gsize size = strcspn(p, "'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
            add_path_text(format, p, size);
            p += size;
        }
    }
    return check_path_format(format, err);
}

SfStatus path_format_init(PathFormat *format, const char *text, bool strict, SfError *err)
{
    *format = (PathFormat){.text = text, .pieces = g_array_new(FALSE, FALSE, sizeof(PathPiece))};
    return read_pieces(format, strict, err);
}

void path_format_done(PathFormat *format)
{
    for (guint i = 0; format->pieces && i < format->pieces->len; i++)
        g_free(g_array_index(format->pieces, PathPiece, i).text);
    g_clear_pointer(&format->pieces, g_array_unref);
}
