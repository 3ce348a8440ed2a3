/* The harness for our own tests: that of <sf/harness.h>, and what needs GLib or the core. A test reads like this:
 *
 *   g_autoptr(Harness) h = harness_new("json-decode", "schema: {id: int not null}");
 *   const SfBatch *in = harness_raw(h, "events/0", 100, (const char *[]){"{\"id\": 1}", "{\"id\": \"x\"}"}, 2);
 *   const SfBatch *out = harness_apply(h, in);
 *   g_assert_cmpstr(harness_text(h, out), ==, "{\"id\":1}"); */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include <sf/harness.h>

#include "config/instance.h"
#include "rows.h"

const SfBatch *harness_raw_rows(Harness *h, const char *split, const RawRow *rows, gsize n);

/* Polls until that many rows have come or SF_END (then fewer); at most 60 s, then the test program ends.
 * NULL-terminated. */
GPtrArray *harness_poll_rows(Harness *h, gint64 rows); /* of const SfBatch *, free with g_ptr_array_unref */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Harness, harness_free)

#endif
