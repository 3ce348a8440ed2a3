/* A fault in words that let a person find and mend it: the field, the value as it stood there, and what was
 * expected. */
#include "explain.h"

enum { SHOWN = 100 }; /* bytes of a value at most */

/* As it is where it is printable UTF-8, else "\xNN"; cut at a character. */
static void put_printable(GString *out, const char *text, size_t size)
{
    const char *end = text + size, *limit = text + MIN(size, SHOWN);
    while (text < limit) {
        size_t n = json_scan_utf8(text, end);
        if (n == 0 || (unsigned char) *text < ' ' || *text == 0x7F) {
            g_string_append_printf(out, "\\x%02X", (unsigned char) *text++);
        } else if (text + n > limit) {
            break;
        } else {
            g_string_append_len(out, text, (gssize) n);
            text += n;
        }
    }
    if (text < end)
        g_string_append(out, "…");
}

/* "items[3].price", and where it is read from when that is not its name. */
static void put_field(GString *out, const Field *field)
{
    if (field->parent) {
        put_field(out, field->parent);
        if (field->parent->kind == FIELD_LIST)
            g_string_append_printf(out, "[%" G_GINT64_FORMAT "]", field->parent->element);
        else
            g_string_append_printf(out, ".%s", field->name);
    } else {
        g_string_append(out, field->name);
    }
    for (guint i = 0; field->paths && i < field->paths->len; i++) {
        const JsonPath *path = g_ptr_array_index(field->paths, i);
        g_string_append_printf(out, "%s%s", i == 0 ? " (" : ", ", path->text);
    }
    if (field->paths)
        g_string_append_c(out, ')');
}

/* "text 'abc'", "'1e400'", "a list": what stands at p. Texts are shown with their escapes. */
static void put_value(GString *out, const char *p, const char *end)
{
    JsonScan scan = {.end = end};
    const char *after = json_scan_value(&scan, p);
    if (!after)
        after = end;
    if (p < end && (*p == '{' || *p == '[')) {
        g_string_append(out, *p == '{' ? "an object" : "a list");
        return;
    }
    bool text = p < end && *p == '"';
    g_string_append(out, text ? "text '" : "'");
    put_printable(out, p + text, (size_t) (after - p) - (text ? 2 : 0));
    g_string_append_c(out, '\'');
}

static void put_syntax(GString *out, const Decoder *decoder, const char *data)
{
    const JsonScan *scan = &decoder->scan;
    g_string_append_printf(out, "not valid JSON: %s at byte %zu", scan->reason, (size_t) (scan->fault - data));
    if (scan->fault == scan->end) {
        g_string_append(out, scan->fault == data ? ": the value is empty" : ", where the value ends");
        return;
    }
    g_string_append(out, ", not '");
    put_printable(out, scan->fault, (size_t) MIN(scan->end - scan->fault, 20));
    g_string_append_c(out, '\'');
}

static bool is_time(const Field *field)
{
    return field->kind == FIELD_DATE || field->kind == FIELD_TIMESTAMP;
}

/* What the schema could say so that a number is taken; NULL: nothing. */
static const char *number_remedy(const Field *field, char first)
{
    if (is_time(field) && field->unit == UNIT_NONE)
        return field->kind == FIELD_DATE ? "a number needs its unit in the schema, as in date(days)"
                                         : "a number needs its unit in the schema, as in timestamp(ms)";
    bool zero_or_one = first == '0' || first == '1';
    return field->kind == FIELD_BOOL && !field->from_number && zero_or_one
               ? "'from_number: true' in the schema takes 0 and 1"
               : NULL;
}

/* The same for a text. */
static const char *text_remedy(const Field *field, const char *text, size_t size)
{
    bool word = (size == 4 && memcmp(text, "true", 4) == 0) || (size == 5 && memcmp(text, "false", 5) == 0);
    bool number = (field->kind >= FIELD_INT && field->kind <= FIELD_DOUBLE) || (is_time(field) && field->unit);
    if (field->from_text)
        return NULL;
    if (field->kind == FIELD_BOOL && word)
        return "'from_text: true' in the schema takes it";
    return number && number_is(text, size) ? "'from_text: true' in the schema takes numbers in texts" : NULL;
}

static void put_wrong(GString *out, const Decoder *decoder)
{
    JsonScan scan = {.end = decoder->scan.end};
    const char *p = decoder->place;
    const char *text_end = *p == '"' ? json_scan_string(&scan, p + 1) : NULL;
    const char *advice = text_end            ? text_remedy(decoder->field, p + 1, (size_t) (text_end - p - 1))
                         : json_is_digit(*p) ? number_remedy(decoder->field, *p)
                                             : NULL;
    g_string_append_printf(out, " is not a valid %s%s%s", decoder->field->type, advice ? "; " : "",
                           advice ? advice : "");
}

static void put_finer(GString *out, const Field *field)
{
    if (field->kind == FIELD_TIMESTAMP)
        g_string_append_printf(out, " is finer than a microsecond; %s in the schema cuts it off",
                               field->unit == UNIT_NONE && !field->forms ? "timestamp(ns)" : "'round: down'");
    else if (field->kind == FIELD_DECIMAL)
        g_string_append_printf(out, " has more digits behind the point than %s", field->type);
    else
        g_string_append_printf(out, " is not a valid %s", field->type);
}

static void put_fault(GString *out, const Decoder *decoder)
{
    const Field *field = decoder->field;
    switch (decoder->fault) {
    case FAULT_WRONG:
        put_wrong(out, decoder);
        break;
    case FAULT_TOO_BIG:
        g_string_append_printf(out, " does not fit %s", field->type);
        break;
    case FAULT_TOO_FINE:
        put_finer(out, field);
        break;
    case FAULT_OUTSIDE:
        g_string_append(out, " is outside of the years 0001 to 9999");
        break;
    case FAULT_SURROGATE:
        g_string_append(out, " has an unpaired surrogate");
        break;
    case FAULT_NULL:
        g_string_append(out, "null, but the schema says not null");
        break;
    case FAULT_MISSING:
        g_string_append(out, "missing, but the schema says not null");
        break;
    case FAULT_NO_OBJECT:
        g_string_append(out, " is not an object");
        if (decoder->node && *decoder->place == '[')
            g_string_append_printf(out, "; an element of it is read from %s[0]", decoder->node->name);
        break;
    case FAULT_NO_LIST:
        g_string_append(out, " is not a list");
        break;
    case FAULT_SYNTAX:
    case FAULT_UNKNOWN:
    case FAULT_NO_MEMORY:
        break;
    }
}

static void put_unknown(GString *out, const Decoder *decoder)
{
    JsonScan scan = {.end = decoder->scan.end};
    const char *end = json_scan_string(&scan, decoder->place);
    g_string_append(out, "field '");
    put_printable(out, decoder->place, (size_t) ((end ? end : scan.end) - decoder->place));
    g_string_append(out, "' is not in the schema");
}

/* A value of no kind at all looks like one of another kind to a field. */
static void prefer_syntax(Decoder *decoder)
{
    JsonScan scan = {.end = decoder->scan.end};
    if (decoder->fault != FAULT_WRONG || json_scan_value(&scan, decoder->place))
        return;
    decoder->fault = FAULT_SYNTAX;
    decoder->scan = scan;
}

SfStatus decode_explain(Decoder *decoder, const char *data, SfError *err)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const Field *field = decoder->field;
    prefer_syntax(decoder);
    if (decoder->fault == FAULT_SYNTAX) {
        put_syntax(out, decoder, data);
        return sf_fail(err, SF_REJECT, "%s", out->str);
    }
    const Node *node = decoder->fault == FAULT_NO_OBJECT || decoder->fault == FAULT_NO_LIST ? decoder->node : NULL;
    if (field)
        put_field(out, field);
    if (node)
        g_string_append_printf(out, "%s%s", field ? "." : "", node->name);
    if (field || node)
        g_string_append(out, ": ");
    if (decoder->fault == FAULT_UNKNOWN)
        put_unknown(out, decoder);
    else if (decoder->fault != FAULT_NULL && decoder->fault != FAULT_MISSING)
        put_value(out, decoder->place, decoder->scan.end);
    put_fault(out, decoder);
    return sf_fail(err, SF_REJECT, "%s", out->str);
}
