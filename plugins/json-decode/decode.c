/* The walk over an event: objects by level, lists, what is missing, and the row's end. Values are scalar.c's. */
#include "decode.h"

#include "explain.h"
#include "json/text.h"
#include "scalar.h"

void decoder_init(Decoder *decoder, GPtrArray *fields, SfBuilder *builder, bool reject_unknown)
{
    *decoder = (Decoder){.builder = builder, .root = level_new(fields), .reject_unknown = reject_unknown};
}

void decoder_done(Decoder *decoder)
{
    g_clear_pointer(&decoder->root, level_free);
    g_clear_pointer(&decoder->scratch, g_free);
    decoder->scratch_size = 0;
}

static const char *fail_syntax(Decoder *decoder, const Field *field, const char *p, const char *reason)
{
    json_scan_fail(&decoder->scan, p, reason);
    return decode_fail(decoder, FAULT_SYNTAX, field, p);
}

static const char *decode_null(Decoder *decoder, Field *field, const char *p)
{
    const char *end = json_scan_value(&decoder->scan, p);
    if (!end)
        return decode_fail(decoder, FAULT_SYNTAX, field, p);
    if (!field->nullable)
        return decode_fail(decoder, FAULT_NULL, field, p);
    sf_add_null(field->column);
    return end;
}

static const char *decode_list(Decoder *decoder, Field *field, const char *p)
{
    JsonScan *scan = &decoder->scan;
    Field *element = g_ptr_array_index(field->children, 0);
    if (*p != '[')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    p = json_scan_space(scan, p + 1);
    field->element = 0;
    bool more = p == scan->end || *p != ']';
    while (more) {
        p = decode_field(decoder, element, p);
        if (!p)
            return NULL;
        p = json_scan_space(scan, p);
        more = p < scan->end && *p == ',';
        if (!more && (p == scan->end || *p != ']'))
            return fail_syntax(decoder, field, p, "',' or ']' expected");
        if (more)
            p = json_scan_space(scan, p + 1);
        field->element++;
    }
    sf_add_list(field->column);
    return p + 1;
}

/* A text of up to 15 bytes without escapes, well before the end, is copied with what is behind it: the common case of
 * the most common type. NULL: take the long way. */
static inline const char *decode_short_text(const Decoder *decoder, SfColumnBuilder *column, const char *p)
{
#if JSON_VECTORS
    if (decoder->scan.end - p < 18 || *p != '"' || column->length >= column->capacity ||
        column->data_capacity - column->data_size < 16)
        return NULL;
    __m128i text = _mm_loadu_si128((const __m128i *) (const void *) (p + 1));
    unsigned odd = json_scan_odd(text);
    unsigned size = (unsigned) __builtin_ctz(odd | 1u << 16);
    if (size == 16 || p[1 + size] != '"')
        return NULL;
    _mm_storeu_si128((__m128i *) (void *) (column->data + column->data_size), text);
    column->data_size += size;
    ((int32_t *) (void *) column->values)[column->length + 1] = (int32_t) column->data_size;
    sf_builder_valid_(column);
    return p + size + 2;
#else
    (void) decoder, (void) column, (void) p;
    return NULL;
#endif
}

const char *decode_field(Decoder *decoder, Field *field, const char *p)
{
    const char *end = field->kind == FIELD_STRING ? decode_short_text(decoder, field->column, p) : NULL;
    if (end)
        return end;
    if (p == decoder->scan.end)
        return fail_syntax(decoder, field, p, "value expected");
    if (*p == 'n')
        return decode_null(decoder, field, p);
    if (field->kind == FIELD_LIST)
        return decode_list(decoder, field, p);
    if (field->kind != FIELD_STRUCT)
        return decode_scalar(decoder, field, p);
    if (*p != '{')
        return decode_fail(decoder, FAULT_WRONG, field, p);
    p = decode_object(decoder, field->level, field, p);
    if (p)
        sf_add_struct(field->column);
    return p;
}

/* The default is a text of its own. */
static bool add_default(Decoder *decoder, Field *field)
{
    JsonScan event = decoder->scan;
    decoder->scan = (JsonScan){.end = field->fallback + strlen(field->fallback)};
    bool ok = decode_field(decoder, field, field->fallback) != NULL;
    decoder->scan = event;
    return ok;
}

static bool add_missing_field(Decoder *decoder, Field *field, const char *place)
{
    if (field->fallback)
        return add_default(decoder, field);
    if (field->nullable)
        sf_add_null(field->column);
    else
        decode_fail(decoder, FAULT_MISSING, field, place);
    return field->nullable;
}

static bool add_missing(Decoder *decoder, const Node *node, const char *place);

static bool add_all_missing(Decoder *decoder, const Level *level, const char *place)
{
    for (uint32_t i = 0; i < level->n; i++)
        if (!add_missing(decoder, &level->first[i].node, place))
            return false;
    return true;
}

/* The elements that a list of n does not have; 0: all. */
static bool add_missing_items(Decoder *decoder, const Items *items, int64_t n, const char *place)
{
    for (guint i = 0; i < items->items->len; i++) {
        const Item *item = &g_array_index(items->items, Item, i);
        if ((item->index >= n || item->index < -n) && !add_missing(decoder, &item->node, place))
            return false;
    }
    return true;
}

static bool add_missing(Decoder *decoder, const Node *node, const char *place)
{
    for (guint i = 0; i < node->fields->len; i++)
        if (!add_missing_field(decoder, g_ptr_array_index(node->fields, i), place))
            return false;
    return (!node->level || add_all_missing(decoder, node->level, place)) &&
           (!node->items || add_missing_items(decoder, node->items, 0, place));
}

/* A value that no column wants: checked all the same. */
static const char *skip_value(Decoder *decoder, const Field *field, const char *p)
{
    const char *end = json_scan_value(&decoder->scan, p);
    return end ? end : decode_fail(decoder, FAULT_SYNTAX, field, p);
}

/* A value that paths lead through, but that has no inside: null is as if nothing was there, and so is a value of
 * another kind where every field has a path besides. */
static const char *pass_by(Decoder *decoder, const Node *node, DecodeFault fault, const Field *field, const char *p)
{
    const char *end = skip_value(decoder, field, p);
    if (end && *p != 'n' && node->strict) {
        decoder->node = node;
        return decode_fail(decoder, fault, field, p);
    }
    return end;
}

static const char *decode_members(Decoder *decoder, const Node *node, const Field *field, const char *p)
{
    if (p < decoder->scan.end && *p == '{')
        return decode_object(decoder, node->level, field, p);
    const char *end = pass_by(decoder, node, FAULT_NO_OBJECT, field, p);
    return end && add_all_missing(decoder, node->level, p) ? end : NULL;
}

static const char *decode_node(Decoder *decoder, const Node *node, const Field *field, const char *p);

/* The element's value goes to all whose number it is, counted from either end. */
static const char *decode_item(Decoder *decoder, const Items *items, int64_t i, int64_t n, const Field *field,
                               const char *p)
{
    const char *end = NULL;
    for (guint j = 0; j < items->items->len; j++) {
        const Item *item = &g_array_index(items->items, Item, j);
        if (item->index != i && item->index != i - n)
            continue;
        end = decode_node(decoder, &item->node, field, p);
        if (!end)
            return NULL;
    }
    return end ? end : skip_value(decoder, field, p);
}

/* From behind a list's opening bracket to behind the closing one. *n: its elements, which are decoded where `items` is
 * not NULL: *n is their number then, or more than any index. */
static const char *walk_list(Decoder *decoder, const Items *items, const Field *field, const char *p, int64_t *n)
{
    JsonScan *scan = &decoder->scan;
    int64_t i = 0;
    p = json_scan_space(scan, p);
    bool more = p == scan->end || *p != ']';
    while (more) {
        p = items ? decode_item(decoder, items, i, *n, field, p) : skip_value(decoder, field, p);
        if (!p)
            return NULL;
        i++;
        p = json_scan_space(scan, p);
        more = p < scan->end && *p == ',';
        if (!more && (p == scan->end || *p != ']'))
            return fail_syntax(decoder, field, p, "',' or ']' expected");
        if (more)
            p = json_scan_space(scan, p + 1);
    }
    *n = i;
    return p + 1;
}

static const char *decode_items(Decoder *decoder, const Node *node, const Field *field, const char *p)
{
    int64_t n = INT64_MAX;
    if (p == decoder->scan.end || *p != '[') {
        const char *end = pass_by(decoder, node, FAULT_NO_LIST, field, p);
        return end && add_missing_items(decoder, node->items, 0, p) ? end : NULL;
    }
    if (node->items->from_end && !walk_list(decoder, NULL, field, p + 1, &n))
        return NULL;
    const char *end = walk_list(decoder, node->items, field, p + 1, &n);
    return end && add_missing_items(decoder, node->items, n, p) ? end : NULL;
}

static const char *decode_node(Decoder *decoder, const Node *node, const Field *field, const char *p)
{
    const char *end = NULL;
    if (node->only)
        return decode_field(decoder, node->only, p);
    for (guint i = 0; i < node->fields->len; i++) {
        end = decode_field(decoder, g_ptr_array_index(node->fields, i), p);
        if (!end)
            return NULL;
    }
    for (guint i = 0; node->candidates && i < node->candidates->len; i++) {
        const Candidate *candidate = &g_array_index(node->candidates, Candidate, i);
        candidate->field->found[candidate->path] = p;
    }
    if (node->level && !(end = decode_members(decoder, node, field, p)))
        return NULL;
    if (node->items && !(end = decode_items(decoder, node, field, p)))
        return NULL;
    return end ? end : skip_value(decoder, field, p);
}

/* The fields of several paths, once all is known of their object; their values have been checked. */
static const char *decode_deferred(Decoder *decoder, const Level *level, const char *p)
{
    for (guint i = 0; i < level->deferred->len; i++) {
        Field *field = g_ptr_array_index(level->deferred, i);
        const char *value = NULL;
        for (guint j = 0; j < field->paths->len && (!value || *value == 'n'); j++)
            value = field->found[j] ? field->found[j] : value;
        if (value ? !decode_field(decoder, field, value) : !add_missing_field(decoder, field, p))
            return NULL;
    }
    return p;
}

/* A key that was not the expected one: from behind its opening quote to its closing quote; *number is -1 for one that
 * the schema does not have. */
static const char *find_key(Decoder *decoder, const Level *level, const char *p, int64_t *number)
{
    const char *end = json_scan_string(&decoder->scan, p);
    if (!end)
        return decode_fail(decoder, FAULT_SYNTAX, NULL, p);
    size_t size = (size_t) (end - p);
    if (!decoder->scan.escapes) {
        *number = level_find(level, p, size);
        return end;
    }
    if (!decode_reserve(decoder, size))
        return NULL;
    long length = json_unescape(p, size, decoder->scratch);
    *number = length < 0 ? -1 : level_find(level, decoder->scratch, (size_t) length);
    return end;
}

/* From a key's opening quote over its colon to the value. *number: of the key that we hope for, then of the key that it
 * was; -1 for one that the schema does not have. */
static const char *find_value(Decoder *decoder, const Level *level, const Field *field, const char *p, int64_t *number)
{
    JsonScan *scan = &decoder->scan;
    if (p == scan->end || *p != '"')
        return fail_syntax(decoder, field, p, "field name expected");
    const char *name = ++p;
    if (key_is(&level->first[*number], p, scan->end))
        p += level->first[*number].size;
    else
        p = find_key(decoder, level, p, number);
    if (!p)
        return NULL;
    p = json_scan_space(scan, p + 1);
    if (p == scan->end || *p != ':')
        return fail_syntax(decoder, field, p, "':' expected");
    p = json_scan_space(scan, p + 1);
    if (*number < 0 && decoder->reject_unknown)
        return decode_fail(decoder, FAULT_UNKNOWN, field, name);
    return p;
}

/* A key, its colon and its value; *number as above, -1 also for a key that was there before. */
static inline const char *decode_member(Decoder *decoder, Level *level, const Field *field, const char *p,
                                        int64_t *number)
{
    const char *value = key_pass(&level->first[*number], p, decoder->scan.end);
    if (!value)
        value = find_value(decoder, level, field, p, number);
    if (!value)
        return NULL;
    if (*number >= 0 && level_see(level, (uint32_t) *number))
        return decode_node(decoder, &level->first[*number].node, field, value);
    *number = -1;
    return skip_value(decoder, field, value);
}

static const char *add_unseen(Decoder *decoder, const Level *level, const char *p)
{
    for (uint32_t i = 0; i < level->n; i++)
        if (!(level->seen[i >> 6] >> (i & 63) & 1) && !add_missing(decoder, &level->first[i].node, p))
            return NULL;
    return p;
}

const char *decode_object(Decoder *decoder, Level *level, const Field *field, const char *p)
{
    JsonScan *scan = &decoder->scan;
    uint32_t *next = &level->start;
    level_begin(level);
    p = json_scan_space(scan, p + 1);
    bool more = p == scan->end || *p != '}';
    while (more) {
        int64_t number = *next;
        p = decode_member(decoder, level, field, p, &number);
        if (!p)
            return NULL;
        if (number >= 0) {
            *next = (uint32_t) number;
            next = &level->first[number].next;
        }
        p = json_scan_space(scan, p);
        more = p < scan->end && *p == ',';
        if (!more && (p == scan->end || *p != '}'))
            return fail_syntax(decoder, field, p, "',' or '}' expected");
        if (more)
            p = json_scan_space(scan, p + 1);
    }
    p++;
    if (level->missing > 0 && !add_unseen(decoder, level, p))
        return NULL;
    return level->deferred ? decode_deferred(decoder, level, p) : p;
}

static const char *decode_document(Decoder *decoder, const char *p)
{
    JsonScan *scan = &decoder->scan;
    p = json_scan_space(scan, p);
    if (p == scan->end || *p != '{') {
        decoder->node = NULL;
        return decode_fail(decoder, json_scan_value(scan, p) ? FAULT_NO_OBJECT : FAULT_SYNTAX, NULL, p);
    }
    const GPtrArray *whole = decoder->root->whole.fields;
    const char *start = p;
    p = decode_object(decoder, decoder->root, NULL, p);
    for (guint i = 0; p && i < whole->len; i++)
        p = decode_field(decoder, g_ptr_array_index(whole, i), start);
    if (!p)
        return NULL;
    p = json_scan_space(scan, p);
    return p == scan->end ? p : fail_syntax(decoder, NULL, p, "text after the object");
}

SfStatus decoder_event(Decoder *decoder, const char *data, size_t size, SfError *err)
{
    decoder->scan = (JsonScan){.end = data + size};
    bool ok = decode_document(decoder, data) != NULL;
    if (ok && decoder->tombstone)
        sf_add_bool(decoder->tombstone, false);
    if (ok)
        return sf_builder_end_row(decoder->builder, err);
    sf_builder_rollback(decoder->builder);
    if (decoder->fault == FAULT_NO_MEMORY)
        return sf_fail(err, SF_FATAL, "out of memory for a text of an event");
    return decode_explain(decoder, data, err);
}

bool decoder_try(Decoder *decoder, Field *field, const char *text, SfError *err)
{
    decoder->scan = (JsonScan){.end = text + strlen(text)};
    bool ok = decode_field(decoder, field, text) != NULL;
    if (!ok)
        decode_explain(decoder, text, err);
    sf_builder_rollback(decoder->builder);
    return ok;
}
