/* JSON of the log: one object after the other, with blanks of any kind between them, as delta-rs reads them. What
 * others wrote is checked and weighed before memory is given to it: json-c takes hundreds of bytes for "{},". */
#include "delta.h"
#include "json/scan.h"

/* Of one object: bytes, and values, where an object or a list counts eight times. The largest action is a metaData of
 * tens of thousands of columns, and its schema, which is a JSON text in it. */
#define MAX_BYTES (64 << 20)
#define MAX_WEIGHT (1 << 20)

static SfStatus weigh(const char *text, const char *end, SfError *err)
{
    JsonScan scan = {.end = end};
    int weight = 0;
    if (end - text > MAX_BYTES)
        return sf_fail(err, SF_FATAL, "a JSON object of %zd bytes exceeds the limit of %d MiB", (gssize) (end - text),
                       MAX_BYTES >> 20);
    for (const char *at = text; at < end && weight <= MAX_WEIGHT; at++) {
        if (*at == '"')
            at = json_scan_string(&scan, at + 1);
        else if (*at == '{' || *at == '[')
            weight += 8;
        else if (*at == ',' || *at == ':')
            weight++;
    }
    return weight <= MAX_WEIGHT ? SF_OK : sf_fail(err, SF_FATAL, "a JSON object has too many values");
}

/* Valid JSON, from brace to brace. */
static json_object *parse(const char *text, const char *end, SfError *err)
{
    if (weigh(text, end, err) != SF_OK)
        return NULL;
    json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH);
    json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
    json_object *object = json_tokener_parse_ex(tokener, text, (int) (end - text));
    enum json_tokener_error why = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (why == json_tokener_success && json_object_is_type(object, json_type_object))
        return object;
    sf_fail(err, SF_FATAL, "not a JSON object: %s", json_tokener_error_desc(why));
    json_object_put(object);
    return NULL;
}

/* The object at *at, past blanks, and behind it; NULL: the text ends before, or something else is there. */
static const char *find_object(const char **at, const char *end, SfError *err)
{
    JsonScan scan = {.end = end};
    const char *start = *at;
    *at = json_scan_space(&scan, start);
    if (*at == end)
        return NULL;
    const char *behind = **at == '{' ? json_scan_value(&scan, *at) : json_scan_fail(&scan, *at, "no '{'");
    if (!behind)
        sf_fail(err, SF_FATAL, "not a JSON object: %s at byte %zd", scan.reason, (gssize) (scan.fault - start));
    return behind;
}

json_object *delta_json_parse(const char *text, size_t size, SfError *err)
{
    SfError why = {0};
    JsonScan scan = {.end = text + size};
    const char *at = text;
    const char *behind = find_object(&at, text + size, &why);
    if (behind && json_scan_space(&scan, behind) == text + size)
        return parse(at, behind, err);
    sf_fail(err, SF_FATAL, "%s",
            why.message[0] ? why.message
            : behind       ? "more than a JSON object"
                           : "not a JSON object");
    return NULL;
}

/* {"add":{…}}, of which a writer needs nothing: it takes no memory. */
static bool is_file_action(const char *text, const char *end)
{
    static const char *const names[] = {"\"add\"", "\"remove\"", "\"cdc\""};
    JsonScan scan = {.end = end};
    const char *at = json_scan_space(&scan, text + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        size_t size = strlen(names[i]);
        if ((size_t) (end - at) <= size || memcmp(at, names[i], size) != 0)
            continue;
        at = json_scan_space(&scan, at + size);
        at = json_scan_value(&scan, json_scan_space(&scan, at + 1));
        return at && json_scan_space(&scan, at) == end - 1;
    }
    return false;
}

SfStatus delta_text_next(DeltaText *text, json_object **out, SfError *err)
{
    for (;;) {
        SfError why = {0};
        const char *start = text->at;
        const char *behind = find_object(&start, text->end, &why);
        for (const char *at = text->at; at < start; at++)
            text->line += *at == '\n';
        text->at = start;
        if (!behind)
            return why.message[0] ? sf_fail(err, SF_FATAL, "%s", why.message) : SF_END;
        bool skip = text->no_files && is_file_action(start, behind);
        if (!skip && !(*out = parse(start, behind, err)))
            return SF_FATAL;
        for (; text->at < behind; text->at++)
            text->line += *text->at == '\n';
        if (!skip)
            return SF_OK;
    }
}

SfStatus delta_text_each(DeltaText *text, DeltaEach each, gpointer user, SfError *err)
{
    SfStatus status;
    do {
        json_object *object = NULL;
        status = delta_text_next(text, &object, err);
        if (status == SF_OK)
            status = each(user, object, err);
        json_object_put(object);
    } while (status == SF_OK);
    return status == SF_END ? SF_OK : status;
}

json_object *delta_json_member(json_object *object, const char *name, json_type type)
{
    json_object *member = NULL;
    if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, name, &member) ||
        !json_object_is_type(member, type))
        return NULL;
    return member;
}

const char *delta_json_text(json_object *object, const char *name)
{
    json_object *member = delta_json_member(object, name, json_type_string);
    return member ? json_object_get_string(member) : NULL;
}

bool delta_json_fits(json_object *number)
{
    if (!json_object_is_type(number, json_type_int))
        return true;
    int64_t value = json_object_get_int64(number);
    return value > INT64_MIN && value < INT64_MAX;
}
