/* A path's way through a text that has been checked: no fault is looked for a second time. */
#include <string.h>

#include "json/path.h"
#include "json/scan.h"
#include "json/text.h"

/* From behind a value to the next one, or to the bracket that closes the list or object. */
static const char *next_value(JsonScan *scan, const char *p)
{
    p = json_scan_space(scan, p);
    return *p == ',' ? json_scan_space(scan, p + 1) : p;
}

static bool same_key(const char *text, size_t size, bool escapes, const char *key)
{
    size_t wanted = strlen(key);
    if (!escapes)
        return size == wanted && memcmp(text, key, size) == 0;
    if (size < wanted)
        return false;
    g_autofree char *plain = g_try_malloc(size);
    long length = plain ? json_unescape(text, size, plain) : -1;
    return length >= 0 && (size_t) length == wanted && memcmp(plain, key, wanted) == 0;
}

static const char *find_member(JsonScan *scan, const char *p, const char *key)
{
    if (*p != '{')
        return NULL;
    p = json_scan_space(scan, p + 1);
    while (*p != '}') {
        const char *text = p + 1, *close = json_scan_string(scan, text);
        bool same = same_key(text, (size_t) (close - text), scan->escapes, key);
        p = json_scan_space(scan, json_scan_space(scan, close + 1) + 1); /* over the colon */
        if (same)
            return p;
        p = next_value(scan, json_scan_value(scan, p));
    }
    return NULL;
}

static int64_t count_elements(JsonScan *scan, const char *p)
{
    int64_t n = 0;
    for (p = json_scan_space(scan, p + 1); *p != ']'; n++)
        p = next_value(scan, json_scan_value(scan, p));
    return n;
}

static const char *find_element(JsonScan *scan, const char *p, int64_t index)
{
    if (*p != '[')
        return NULL;
    if (index < 0)
        index += count_elements(scan, p);
    if (index < 0)
        return NULL;
    p = json_scan_space(scan, p + 1);
    for (; index > 0 && *p != ']'; index--)
        p = next_value(scan, json_scan_value(scan, p));
    return *p != ']' ? p : NULL;
}

bool json_path_find(const JsonPath *path, const char *data, size_t size, const char **value, size_t *value_size)
{
    JsonScan scan = {.end = data + size};
    const char *p = json_scan_space(&scan, data);
    for (guint i = 0; p && i < path->steps->len; i++) {
        const JsonPathStep *step = &g_array_index(path->steps, JsonPathStep, i);
        p = step->key ? find_member(&scan, p, step->key) : find_element(&scan, p, step->index);
    }
    if (!p)
        return false;
    *value = p;
    *value_size = (size_t) (json_scan_value(&scan, p) - p);
    return true;
}
