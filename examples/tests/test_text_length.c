/* Tests of text-length by the harness, from C:
 *
 *   cc test_text_length.c $(pkg-config --cflags --libs streamforge-harness) -o test && SF_PLUGIN_PATH=.. ./test */
#undef NDEBUG
#include <assert.h>
#include <string.h>
#include <sf/harness.h>

static void lengths_are_added_and_long_texts_rejected(void)
{
    static const char *const rows[] = {"[\"four\"]", "[null]", "[\"too long\"]"};
    Harness *h = harness_new("text-length", "{column: text, most: 5}");
    harness_input_text(h, "lines", "text string");
    const SfBatch *out = harness_apply(h, harness_rows(h, 0, "file/0", 100, rows, 3));
    assert(strcmp(harness_text(h, out), "{\"text\":\"four\",\"length\":4}\n{\"text\":null,\"length\":null}") == 0);
    assert(strcmp(harness_rejects(h), "file/0@102: text: a text of 8 bytes, where 5 are the most") == 0);
    harness_free(h);
}

static void a_column_that_is_not_there_is_said(void)
{
    Harness *h = harness_new("text-length", "column: txt");
    harness_input_text(h, "lines", "text string");
    assert(harness_try_bind(h) == SF_CONFIG);
    assert(strcmp(h->err.message, "column: there is no column 'txt'") == 0);
    harness_free(h);
}

int main(void)
{
    lengths_are_added_and_long_texts_rejected();
    a_column_that_is_not_there_is_said();
    return 0;
}
