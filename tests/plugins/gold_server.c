/* Answers to the driver of tests/snowflake, which finds them in the program that it is loaded into. */
#include "gold_server.h"

#include <gmodule.h>
#include <json-c/json.h>
#include <string.h>

typedef struct Answer {
    char *part;
    char *text;
    int times; /* that are left; -1: always */
} Answer;

static GArray *answers; /* Answer */
static GString *sent;

static void clear_answer(gpointer data)
{
    g_free(((Answer *) data)->part);
    g_free(((Answer *) data)->text);
}

static void gold_server_reset(void)
{
    if (answers) {
        g_array_unref(answers);
        g_string_free(sent, TRUE);
    }
    answers = g_array_new(FALSE, FALSE, sizeof(Answer));
    g_array_set_clear_func(answers, clear_answer);
    sent = g_string_new(NULL);
}

Harness *gold_server_sink(const char *product, const char *options)
{
    gold_server_reset();
    g_autofree char *all =
        g_strdup_printf("connection: Driver=" TEST_DRIVER ";Server=none;Port=1;Product=%s\n%s", product, options);
    Harness *h = harness_new("snowflake-gold-sink", all);
    harness_input_text(h, "rows",
                       "id int not null, name string, gone bool, _topic string not null, _partition int not null, "
                       "_offset bigint not null, _timestamp timestamp");
    return h;
}

void gold_server_answer_times(const char *part, const char *answer, int times)
{
    Answer one = {g_strdup(part), g_strdup(answer), times};
    g_array_append_val(answers, one);
}

void gold_server_answer(const char *part, const char *answer)
{
    gold_server_answer_times(part, answer, -1);
}

char *gold_server_sent(void)
{
    char *text = g_string_free(sent, FALSE);
    sent = g_string_new(NULL);
    return text;
}

static const char *find_answer(const char *sql)
{
    for (guint i = answers->len; i-- > 0;) {
        Answer *answer = &g_array_index(answers, Answer, i);
        if (answer->times == 0 || !strstr(sql, answer->part))
            continue;
        answer->times -= answer->times > 0;
        return answer->text;
    }
    return "{\"changed\": 1, \"columns\": 1, \"rows\": []}";
}

G_MODULE_EXPORT char *sf_test_odbc_answer(const char *question);

char *sf_test_odbc_answer(const char *question)
{
    json_object *asked = json_tokener_parse(question), *sql = NULL, *rows = NULL;
    g_autofree char *call = g_ascii_strup(json_object_get_string(json_object_object_get(asked, "do")), -1);
    const char *what = call;
    if (json_object_object_get_ex(asked, "sql", &sql))
        what = json_object_get_string(sql);
    else if (json_object_object_get(asked, "toggle"))
        what =
            json_object_get_boolean(json_object_object_get(asked, "autocommit")) ? "autocommit on" : "autocommit off";
    if (json_object_object_get_ex(asked, "rows", &rows))
        g_string_append_printf(sent, "%s <- %s\n", what, json_object_to_json_string_ext(rows, JSON_C_TO_STRING_PLAIN));
    else
        g_string_append_printf(sent, "%s\n", what);
    char *answer = strdup(find_answer(what));
    json_object_put(asked);
    return answer;
}

void gold_server_write(Harness *h, gint64 first, gint64 n, const char *gone)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (gint64 i = first; i < first + n; i++)
        g_ptr_array_add(rows, g_strdup_printf("[%d, \"a\", %s, \"t\", 0, %d, null]", (int) i, gone, (int) i));
    harness_write(h, 0, harness_rows(h, 0, "t/0", first, (const char *const *) rows->pdata, rows->len));
}

void gold_server_assert_sent(const char *first, ...)
{
    g_autofree char *all = gold_server_sent();
    const char *at = all;
    va_list parts;
    va_start(parts, first);
    for (const char *part = first; part; part = va_arg(parts, const char *)) {
        const char *found = strstr(at, part);
        if (!found)
            g_error("'%s' does not come, in this order, in:\n%s", part, all);
        at = found + strlen(part);
    }
    va_end(parts);
}

void gold_server_assert_not_sent(const char *part)
{
    g_autofree char *all = gold_server_sent();
    if (strstr(all, part))
        g_error("'%s' was sent:\n%s", part, all);
}
