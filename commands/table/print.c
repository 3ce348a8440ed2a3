/* Small texts of the table's pages. */
#include "table.h"

#include <stdio.h>

static char *formatted(int64_t ms, const char *format)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    return time ? g_date_time_format(time, format) : g_strdup("-");
}

char *time_text(int64_t ms)
{
    return formatted(ms, "%Y-%m-%d %H:%M:%S");
}

char *time_json(int64_t ms)
{
    g_autofree char *seconds = formatted(ms, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", seconds, (int) (ms % 1000));
}

void json_add(json_object *object, const char *name, const char *text)
{
    json_object_object_add(object, name, text ? json_object_new_string(text) : NULL);
}

void json_add_number(json_object *object, const char *name, int64_t number)
{
    json_object_object_add(object, name, number < 0 ? NULL : json_object_new_int64(number));
}

void json_print(json_object *object)
{
    puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}
