/* What objects of others are called. */
#include "source.h"

#include <string.h>

/* Digits that end at `end`, from `begin` on at most; and the number that they are. */
static bool digits_before(const char *begin, const char *end, const char **digits, int64_t *number)
{
    const char *at = end;
    while (at > begin && g_ascii_isdigit(at[-1]))
        at--;
    *digits = at;
    if (at == end || end - at > 20)
        return false;
    guint64 value = g_ascii_strtoull(at, NULL, 10);
    *number = (int64_t) value;
    return value < INT64_MAX;
}

/* Kafka's own rule, and what s3-bronze-sink calls topics. */
static bool is_topic(const char *begin, const char *end)
{
    for (const char *c = begin; c < end; c++)
        if (!g_ascii_isalnum(*c) && !strchr("._-@%", *c))
            return false;
    return begin < end;
}

/* Where the ending begins, ".json.gz": words behind dots, with letters in front. Topics may have dots, too. */
static const char *find_ending(const char *name)
{
    const char *end = name + strlen(name);
    for (const char *dot; (dot = g_strrstr_len(name, end - name, ".")) && g_ascii_isalpha(dot[1]); end = dot)
        for (const char *c = dot + 1; c < end; c++)
            if (!g_ascii_isalnum(*c))
                return end;
    return end;
}

static bool read_name(const char *name, char separator, ObjectName *out)
{
    const char *ending = find_ending(name), *start, *partition;
    int64_t number;
    if (!digits_before(name, ending, &start, &out->start) || start - name < 2 || start[-1] != separator)
        return false;
    if (!digits_before(name, start - 1, &partition, &number) || number > INT32_MAX)
        return false;
    if (partition - name < 2 || partition[-1] != separator || !is_topic(name, partition - 1))
        return false;
    out->topic = g_strndup(name, (gsize) (partition - 1 - name));
    out->partition = (int32_t) number;
    out->name = (size_t) (start - name);
    out->digits = (size_t) (ending - start);
    return true;
}

bool name_read(const char *key, ObjectName *out)
{
    const char *slash = strrchr(key, '/'), *name = slash ? slash + 1 : key;
    *out = (ObjectName){.directory = (size_t) (name - key)};
    return read_name(name, '+', out) || read_name(name, '-', out);
}

bool name_is_hidden(const char *key)
{
    for (const char *segment = key; segment; segment = strchr(segment, '/') ? strchr(segment, '/') + 1 : NULL)
        if (segment[0] == '_' || segment[0] == '.')
            return true;
    return false;
}
