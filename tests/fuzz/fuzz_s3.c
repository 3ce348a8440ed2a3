/* Any bytes as an S3 server's answer: listings and errors. Never a crash, no key that was not asked for, and words that
 * can be shown. The first byte says which answer it is. Linked with s3_run_one() wrapped: see meson.build. */
#include <glib.h>
#include <string.h>

#include "fuzz.h"
#include "s3/s3.h"

#define PREFIX "_sf/p/"

static const uint8_t *the_answer;
static size_t the_size;

SfStatus __wrap_s3_run_one(S3Store *store, S3Call *call, SfError *err);

SfStatus __wrap_s3_run_one(S3Store *store, S3Call *call, SfError *err)
{
    (void) store;
    (void) err;
    call->http.answer = g_byte_array_new();
    g_byte_array_append(call->http.answer, the_answer, (guint) the_size);
    call->http.code = 200;
    call->status = SF_OK;
    return SF_OK;
}

static void assert_shown(const char *text)
{
    g_assert_true(g_utf8_validate(text, -1, NULL));
    for (const char *c = text; *c; c = g_utf8_next_char(c))
        g_assert_false(g_unichar_iscntrl(g_utf8_get_char(c)));
}

static void read_listing(S3Store *store, const char *prefix)
{
    SfError err = {.message = ""};
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    SfStatus status = s3_list(&store->base, prefix, NULL, 3000, entries, &err);
    for (guint i = 0; i < entries->len; i++) {
        const StoreEntry *entry = entries->pdata[i];
        g_assert_true(g_str_has_prefix(entry->key, prefix));
        g_assert_cmpint(entry->size, >=, 0);
    }
    if (status != SF_OK)
        assert_shown(err.message);
}

static void count_text(gpointer user, const char *parent, const char *name, const char *text)
{
    *(gsize *) user += strlen(parent) + strlen(name) + strlen(text);
}

static void read_error(const S3Store *store, uint8_t kind)
{
    SfError err = {.message = ""};
    gsize total = 0;
    S3Call call = {.method = kind & 2 ? "POST" : "GET", .key = "k"};
    call.http.code = kind & 2 ? 200 : 400 + (kind >> 2);
    call.http.answer = g_byte_array_new();
    g_byte_array_append(call.http.answer, the_answer, (guint) the_size);
    s3_call_judge(store, &call);
    if (call.status != SF_OK && call.status != SF_EMPTY) {
        s3_call_fail(store, &call, &err);
        assert_shown(err.message);
    }
    s3_xml_read(call.http.answer, count_text, &total);
    g_assert_cmpuint(total, <=, 20 * the_size + 1000);
    s3_call_done(&call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static StoreOptions options;
    S3Store store = {.base = {.url = (char *) "s3://b/p"},
                     .options = &options,
                     .bucket = (char *) "b",
                     .prefix = (char *) "p/",
                     .scheme = (char *) "http",
                     .host = (char *) "h",
                     .region = (char *) "r"};
    if (size < 1)
        return 0;
    the_answer = data + 1;
    the_size = size - 1;
    if (data[0] & 1)
        read_listing(&store, data[0] & 2 ? PREFIX : "");
    else
        read_error(&store, data[0]);
    return 0;
}
