/* The notation of paths. A hand-written descent: each kind of step is a function. */
#include "json/path.h"

#include <stdbool.h>
#include <string.h>

enum { MAX_STEPS = 32, MAX_INDEX_DIGITS = 9 };

static void clear_step(gpointer step)
{
    g_free(((JsonPathStep *) step)->key);
}

void json_path_free(JsonPath *path)
{
    if (!path)
        return;
    g_array_unref(path->steps);
    g_free(path->text);
    g_free(path);
}

static SfStatus add_step(JsonPath *path, char *key, int64_t index, SfError *err)
{
    JsonPathStep step = {.key = key, .index = index};
    g_array_append_val(path->steps, step);
    return path->steps->len <= MAX_STEPS ? SF_OK : sf_fail(err, SF_CONFIG, "a path of more than %d steps", MAX_STEPS);
}

static SfStatus fail_key(const char *p, SfError *err)
{
    static const char expected[] = "a path expected, as in customer.city, items[0].sku or `first key`.city";
    return *p ? sf_fail(err, SF_CONFIG, "%s, not '%.20s'", expected, p)
              : sf_fail(err, SF_CONFIG, "%s; this one ends where a key is expected", expected);
}

/* What other notations mean by a character must not become part of a key that no event has. */
static SfStatus check_key(const char *key, size_t size, SfError *err)
{
    size_t plain = strcspn(key, "*?()\"'{}|:/\\");
    if (plain >= size)
        return SF_OK;
    if (key[plain] == '*')
        return sf_fail(err, SF_CONFIG,
                       "'%.*s' in a path gives several values; read the list or object itself, as list<…> or struct<…>",
                       (int) size, key);
    return sf_fail(err, SF_CONFIG,
                   "'%c' in the path '%.*s'; write user.id or user[0].id, and backticks around a key with it",
                   key[plain], (int) size, key);
}

static SfStatus read_key(JsonPath *path, const char **p, SfError *err)
{
    bool quoted = **p == '`';
    const char *key = *p + quoted;
    size_t size = strcspn(key, quoted ? "`" : "`., >\t\r\n[]");
    if (size == 0 || (quoted && key[size] != '`'))
        return fail_key(*p, err);
    if (!quoted)
        SF_TRY(check_key(key, size, err));
    *p = key + size + quoted;
    return add_step(path, g_strndup(key, size), 0, err);
}

/* ['key'] or ["key"]: a backslash takes the next character as it is. */
static SfStatus read_quoted_key(JsonPath *path, const char **p, SfError *err)
{
    const char *start = *p;
    char quote = *(*p)++;
    g_autoptr(GString) key = g_string_new(NULL);
    for (; **p && **p != quote; (*p)++) {
        if (**p == '\\' && (*p)[1])
            (*p)++;
        g_string_append_c(key, **p);
    }
    if (!**p || key->len == 0)
        return fail_key(start, err);
    (*p)++;
    return add_step(path, g_string_free(g_steal_pointer(&key), FALSE), 0, err);
}

static SfStatus read_index(JsonPath *path, const char **p, SfError *err)
{
    bool negative = **p == '-';
    const char *digits = *p + negative;
    size_t size = strspn(digits, "0123456789");
    if (size == 0 || (digits[size] != ']' && digits[size] != '\0'))
        return sf_fail(err, SF_CONFIG,
                       "'[%.20s' in a path; [0] is a list's first element, [-1] its last one, ['key'] a member; for "
                       "several values read the list itself, as list<…>",
                       *p);
    int64_t index = g_ascii_strtoll(digits, NULL, 10);
    if (size > MAX_INDEX_DIGITS || (negative && index == 0))
        return sf_fail(err, SF_CONFIG, "no list has an element [%.20s", *p);
    *p = digits + size;
    return add_step(path, NULL, negative ? -index : index, err);
}

static SfStatus read_bracket(JsonPath *path, const char **p, SfError *err)
{
    (*p)++;
    SF_TRY(**p == '\'' || **p == '"' ? read_quoted_key(path, p, err) : read_index(path, p, err));
    if (**p == '\0')
        return sf_fail(err, SF_CONFIG, "the path ends before its ']'");
    if (**p != ']')
        return sf_fail(err, SF_CONFIG, "']' expected in a path, not '%.20s'", *p);
    (*p)++;
    return SF_OK;
}

static SfStatus read_steps(JsonPath *path, const char **p, SfError *err)
{
    bool root = **p == '$' && ((*p)[1] == '\0' || strchr(".[ ,>\t\r\n", (*p)[1]));
    if (root)
        (*p)++;
    else if (**p == '/')
        return sf_fail(err, SF_CONFIG, "'%.40s' is a JSON pointer; a path is written as user.id or user[0].id", *p);
    else
        SF_TRY(read_key(path, p, err));
    while (**p == '.' || **p == '[') {
        if (**p == '[') {
            SF_TRY(read_bracket(path, p, err));
        } else {
            (*p)++;
            SF_TRY(read_key(path, p, err));
        }
    }
    if (path->steps->len > 0 && !g_array_index(path->steps, JsonPathStep, 0).key)
        return sf_fail(err, SF_CONFIG, "an event is an object: a path begins with a key, as in $.items[0]");
    return SF_OK;
}

JsonPath *json_path_read(const char **text, SfError *err)
{
    g_autoptr(JsonPath) path = g_new0(JsonPath, 1);
    const char *start = *text;
    path->steps = g_array_new(FALSE, FALSE, sizeof(JsonPathStep));
    g_array_set_clear_func(path->steps, clear_step);
    if (read_steps(path, text, err) != SF_OK)
        return NULL;
    path->text = g_strndup(start, (gsize) (*text - start));
    return g_steal_pointer(&path);
}
