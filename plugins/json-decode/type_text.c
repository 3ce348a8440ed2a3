/* The short form of a field: "decimal(12,2) not null from a.b". A hand-written descent; words ignore case. */
#include "type_text.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 64, MAX_PATHS = 16, MAX_FORMS = 16 };

/* The text under way. */
typedef struct Reader {
    const char *p;
    SfError *err;
    int depth;
} Reader;

static void skip_space(Reader *reader)
{
    while (g_ascii_isspace(*reader->p))
        reader->p++;
}

static bool take(Reader *reader, char c)
{
    skip_space(reader);
    if (*reader->p != c)
        return false;
    reader->p++;
    return true;
}

/* What stands there, for a message: a word or a number with nothing of what is behind it, or a sign; or the end. */
static char *shown_next(Reader *reader)
{
    skip_space(reader);
    size_t size = strcspn(reader->p, "()<>,:`' \t\n");
    if (!*reader->p)
        return g_strdup("the end");
    return g_strdup_printf("'%.*s'", (int) CLAMP(size, 1, 40), reader->p);
}

static SfStatus expect(Reader *reader, char c, const char *where)
{
    if (take(reader, c))
        return SF_OK;
    g_autofree char *next = shown_next(reader);
    return sf_fail(reader->err, SF_CONFIG, "'%c' expected %s, not %s", c, where, next);
}

static size_t word_size(const char *p)
{
    size_t n = 0;
    while (g_ascii_isalnum(p[n]) || p[n] == '_')
        n++;
    return n;
}

static bool take_word(Reader *reader, const char *word)
{
    skip_space(reader);
    size_t size = word_size(reader->p);
    if (size != strlen(word) || g_ascii_strncasecmp(reader->p, word, size) != 0)
        return false;
    reader->p += size;
    return true;
}

static SfStatus read_count(Reader *reader, int least, int most, const char *what, int *out)
{
    skip_space(reader);
    char *end = NULL;
    long value = strtol(reader->p, &end, 10);
    if (!g_ascii_isdigit(*reader->p) || value < least || value > most) {
        g_autofree char *next = shown_next(reader);
        return sf_fail(reader->err, SF_CONFIG, "%s is %d to %d, not %s", what, least, most, next);
    }
    reader->p = end;
    *out = (int) value;
    return SF_OK;
}

/* A text in single quotes, '' for one inside. */
static SfStatus read_quoted(Reader *reader, char **out)
{
    if (!take(reader, '\''))
        return sf_fail(reader->err, SF_CONFIG, "a format in single quotes expected: format 'yyyy-MM-dd'");
    g_autoptr(GString) text = g_string_new(NULL);
    for (; *reader->p; reader->p++) {
        if (*reader->p == '\'' && reader->p[1] != '\'') {
            reader->p++;
            *out = g_string_free(g_steal_pointer(&text), FALSE);
            return SF_OK;
        }
        if (*reader->p == '\'')
            reader->p++;
        g_string_append_c(text, *reader->p);
    }
    return sf_fail(reader->err, SF_CONFIG, "quote without an end in the format");
}

/* (12,2) or (12,2,base64), or nothing. */
static SfStatus read_decimal(Reader *reader, Field *field)
{
    field->precision = 10; /* decimal alone is decimal(10,0), in Spark as in SQL */
    if (!take(reader, '('))
        return SF_OK;
    SF_TRY(read_count(reader, 1, SF_DECIMAL_MAX_PRECISION, "a decimal's precision", &field->precision));
    if (take(reader, ','))
        SF_TRY(read_count(reader, 0, field->precision, "a decimal's scale", &field->scale));
    if (take(reader, ',')) {
        if (!take_word(reader, "base64")) {
            g_autofree char *next = shown_next(reader);
            return sf_fail(reader->err, SF_CONFIG, "base64 may stand behind a decimal's scale, not %s", next);
        }
        field->base64 = true;
    }
    return expect(reader, ')', "behind a decimal's precision and scale");
}

static SfStatus add_unit(Field *field, TimeUnit unit, SfError *err)
{
    if (field->unit != UNIT_NONE)
        return sf_fail(err, SF_CONFIG, "two units: a number does not say which of them it counts");
    field->unit = unit;
    if (unit == UNIT_NS && field->kind == FIELD_TIMESTAMP)
        g_ptr_array_add(field->forms, NULL);
    return SF_OK;
}

/* A unit's word, or iso. UNIT_NONE: iso. */
static bool is_unit(const Field *field, const char *text, TimeUnit *unit)
{
    static const char *const words[] = {"iso", "days", "s", "ms", "us", "ns", "timestamp"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(text, words[i]) == 0 && (field->kind == FIELD_DATE || (i != UNIT_DAYS && i < 6))) {
            *unit = i == 6 ? UNIT_NONE : (TimeUnit) i;
            return true;
        }
    }
    return false;
}

static SfStatus add_form(Field *field, const char *text, bool quoted, SfError *err)
{
    TimeUnit unit = UNIT_NONE;
    if (!field->forms)
        field->forms = g_ptr_array_new_with_free_func((GDestroyNotify) pattern_free);
    if (field->forms->len >= MAX_FORMS)
        return sf_fail(err, SF_CONFIG, "more than %d formats", MAX_FORMS);
    if (!quoted && is_unit(field, text, &unit)) {
        if (unit != UNIT_NONE)
            return add_unit(field, unit, err);
        g_ptr_array_add(field->forms, NULL);
        return SF_OK;
    }
    Pattern *pattern = pattern_new(text, err);
    if (!pattern)
        return SF_CONFIG;
    g_ptr_array_add(field->forms, pattern);
    return SF_OK;
}

SfStatus field_add_format(Field *field, const char *text, SfError *err)
{
    if (field->kind == FIELD_DATE || field->kind == FIELD_TIMESTAMP)
        return add_form(field, text, false, err);
    if (field->kind != FIELD_DECIMAL)
        return sf_fail(err, SF_CONFIG, "format is for date, timestamp and decimal");
    if (g_ascii_strcasecmp(text, "base64") != 0)
        return sf_fail(err, SF_CONFIG, "a decimal's format is base64, not '%.40s'", text);
    field->base64 = true;
    return SF_OK;
}

/* A unit, iso, or format '…', whose first word may be left out from the second one on. */
static SfStatus read_form(Reader *reader, Field *field)
{
    bool clock = field->kind == FIELD_TIMESTAMP, first = !field->forms;
    TimeUnit unit = UNIT_NONE;
    skip_space(reader);
    size_t size = word_size(reader->p);
    g_autofree char *word = g_strndup(reader->p, MIN(size, MAX_NAME));
    if (is_unit(field, word, &unit)) {
        reader->p += size;
        return add_form(field, word, false, reader->err);
    }
    if (!take_word(reader, "format") && (first || *reader->p != '\''))
        return sf_fail(reader->err, SF_CONFIG,
                       clock ? "in a timestamp's brackets stands s, ms, us, ns or iso, or format 'yyyy-MM-dd HH:mm:ss'"
                             : "in a date's brackets stands days, s, ms, us, ns or iso, or format 'dd.MM.yyyy'");
    g_autofree char *text = NULL;
    SF_TRY(read_quoted(reader, &text));
    return add_form(field, text, true, reader->err);
}

/* (ms), (format '…'), several of them, or nothing. */
static SfStatus read_time(Reader *reader, Field *field)
{
    if (!take(reader, '('))
        return SF_OK;
    do
        SF_TRY(read_form(reader, field));
    while (take(reader, ','));
    return expect(reader, ')',
                  field->kind == FIELD_TIMESTAMP ? "behind a timestamp's unit or format" : "behind a date's format");
}

static SfStatus read_field(Reader *reader, Field *field);
static SfStatus read_type(Reader *reader, Field *field);

static SfStatus read_list(Reader *reader, Field *field)
{
    Field *element = field_add_child(field, "element");
    if (take_word(reader, "of"))
        return read_type(reader, element);
    SF_TRY(expect(reader, '<', "behind list, as in list<string> (or: list of string)"));
    SF_TRY(read_field(reader, element));
    if (element->paths)
        return sf_fail(reader->err, SF_CONFIG, "a list's element has no path of its own");
    return expect(reader, '>', "behind a list's element");
}

static SfStatus read_member(Reader *reader, Field *field)
{
    skip_space(reader);
    bool quoted = take(reader, '`');
    size_t size = quoted ? strcspn(reader->p, "`") : word_size(reader->p);
    if (size == 0 || size > MAX_NAME || (quoted && reader->p[size] != '`')) {
        g_autofree char *next = shown_next(reader);
        return sf_fail(reader->err, SF_CONFIG, "a member's name expected, as in struct<city string>, not %s", next);
    }
    g_autofree char *name = g_strndup(reader->p, size);
    reader->p += size + quoted;
    take(reader, ':');
    return read_field(reader, field_add_child(field, name));
}

static SfStatus read_struct(Reader *reader, Field *field)
{
    SF_TRY(expect(reader, '<', "behind struct, as in struct<city string, zip int>"));
    do
        SF_TRY(read_member(reader, field));
    while (take(reader, ','));
    return expect(reader, '>', "behind a struct's members");
}

static SfStatus unknown_type(Reader *reader, size_t size)
{
    static const char *const words[] = {"string",  "json",    "int",    "bigint",  "double",
                                        "decimal", "boolean", "binary", "date",    "timestamp",
                                        "list",    "array",   "struct", "integer", "long"};
    char nearest[64];
    g_autofree char *word = g_strndup(reader->p, MIN(size, MAX_NAME));
    if (size == 0) {
        g_autofree char *next = shown_next(reader);
        return sf_fail(reader->err, SF_CONFIG, "a type expected, not %s", next);
    }
    sf_suggest(word, words, G_N_ELEMENTS(words), nearest, sizeof nearest);
    return sf_fail(reader->err, SF_CONFIG, "unknown type '%s'%s", word,
                   *nearest ? nearest
                            : "; known are string, json, int, bigint, double, decimal(p,s), boolean, binary, "
                              "date, timestamp, list, struct");
}

static SfStatus read_type(Reader *reader, Field *field)
{
    static const struct {
        const char *word;
        FieldKind kind;
    } types[] = {{"string", FIELD_STRING},
                 {"text", FIELD_STRING},
                 {"varchar", FIELD_STRING},
                 {"json", FIELD_JSON},
                 {"int", FIELD_INT},
                 {"integer", FIELD_INT},
                 {"bigint", FIELD_BIGINT},
                 {"long", FIELD_BIGINT},
                 {"double", FIELD_DOUBLE},
                 {"float", FIELD_DOUBLE},
                 {"decimal", FIELD_DECIMAL},
                 {"numeric", FIELD_DECIMAL},
                 {"boolean", FIELD_BOOL},
                 {"bool", FIELD_BOOL},
                 {"binary", FIELD_BINARY},
                 {"date", FIELD_DATE},
                 {"timestamp", FIELD_TIMESTAMP},
                 {"list", FIELD_LIST},
                 {"array", FIELD_LIST},
                 {"struct", FIELD_STRUCT}};
    skip_space(reader);
    const char *start = reader->p;
    size_t found = 0;
    while (found < G_N_ELEMENTS(types) && !take_word(reader, types[found].word))
        found++;
    if (found == G_N_ELEMENTS(types))
        return unknown_type(reader, word_size(start));
    if (++reader->depth >= SF_SCHEMA_MAX_DEPTH)
        return sf_fail(reader->err, SF_CONFIG, "types nested deeper than %d", SF_SCHEMA_MAX_DEPTH);
    field->kind = types[found].kind;
    SfStatus status = SF_OK;
    if (field->kind == FIELD_DECIMAL)
        status = read_decimal(reader, field);
    else if (field->kind == FIELD_DATE || field->kind == FIELD_TIMESTAMP)
        status = read_time(reader, field);
    else if (field->kind == FIELD_LIST)
        status = read_list(reader, field);
    else if (field->kind == FIELD_STRUCT)
        status = read_struct(reader, field);
    reader->depth--;
    if (status == SF_OK) {
        g_free(field->type);
        field->type = g_strndup(start, (gsize) (reader->p - start));
    }
    return status;
}

static SfStatus add_path(Field *field, const char **text, SfError *err)
{
    JsonPath *path = json_path_read(text, err);
    if (!path)
        return SF_CONFIG;
    if (!field->paths)
        field->paths = g_ptr_array_new_with_free_func((GDestroyNotify) json_path_free);
    g_ptr_array_add(field->paths, path);
    return field->paths->len <= MAX_PATHS ? SF_OK : sf_fail(err, SF_CONFIG, "more than %d paths", MAX_PATHS);
}

/* "after.id or before.id" */
static SfStatus read_paths(Reader *reader, Field *field)
{
    do {
        skip_space(reader);
        SF_TRY(add_path(field, &reader->p, reader->err));
    } while (take_word(reader, "or"));
    return SF_OK;
}

static SfStatus read_field(Reader *reader, Field *field)
{
    bool from = false;
    SF_TRY(read_type(reader, field));
    for (;;) {
        if (field->nullable && take_word(reader, "not")) {
            if (!take_word(reader, "null")) {
                g_autofree char *next = shown_next(reader);
                return sf_fail(reader->err, SF_CONFIG, "'null' expected behind 'not', not %s", next);
            }
            field->nullable = false;
        } else if (!from && take_word(reader, "from")) {
            SF_TRY(read_paths(reader, field));
            from = true;
        } else {
            return SF_OK;
        }
    }
}

static SfStatus expect_end(Reader *reader)
{
    skip_space(reader);
    if (!*reader->p)
        return SF_OK;
    return sf_fail(reader->err, SF_CONFIG, "'%.40s' behind a type; 'not null' and 'from PATH' may stand there, once",
                   reader->p);
}

SfStatus field_parse(Field *field, const char *text, SfError *err)
{
    Reader reader = {.p = text, .err = err};
    SF_TRY(read_field(&reader, field));
    return expect_end(&reader);
}

SfStatus field_parse_path(Field *field, const char *text, SfError *err)
{
    SF_TRY(add_path(field, &text, err));
    text += strspn(text, " \t\r\n");
    return *text ? sf_fail(err, SF_CONFIG, "'%.40s' behind a path; put backticks around keys like that", text) : SF_OK;
}
