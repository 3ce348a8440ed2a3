/* s3-bronze-sink where the pipeline or the step was renamed: the rows so far are not written again in silence. */
#include "bronze_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define OBJECT "sales_events/year=2024/month=01/day=15/sales_events+0+0000000000.json"
#define ENTRY "sales_events/0/00000000000000000000.json"

/* What a pipeline `old` with a step of this name has left: three rows. */
static void leave_rows(const Place *place)
{
    g_autofree char *from = g_build_filename(place->path, "_sf/test", NULL);
    g_autofree char *to = g_build_filename(place->path, "_sf/old", NULL);
    Harness *h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 3, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_assert_cmpint(g_rename(from, to), ==, 0);
}

/* Likewise of a step `raw` of this pipeline. */
static void leave_rows_of_step(const Place *place)
{
    g_autofree char *path = g_build_filename(place->path, "_sf/test/" ENTRY, NULL);
    Harness *h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 3, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autofree char *entry = NULL;
    g_assert_true(g_file_get_contents(path, &entry, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(entry, "\"step\":\"s3-bronze-sink\"", -1);
    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    g_autofree char *renamed = g_strjoinv("\"step\":\"raw\"", parts);
    g_assert_true(g_file_set_contents(path, renamed, -1, NULL));
}

static void expect_refused(const Place *place, const char *options, const char *message)
{
    g_autoptr(Harness) h = place_sink(place, options);
    g_assert_cmpint(harness_try_recover(h, 0, EVENTS), ==, SF_CONFIG);
    g_test_message("%s", h->err.message);
    g_assert_nonnull(strstr(h->err.message, message));
}

static void expect_goes_on(const Place *place, const char *options)
{
    Harness *h = place_sink(place, options);
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 3);
    harness_write(h, 0, numbers(h, EVENTS, 3, 2, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autofree char *objects = place_objects(place);
    g_assert_cmpstr(objects, ==,
                    OBJECT ": {\"n\":0}|{\"n\":1}|{\"n\":2}|\n"
                           "sales_events/year=2024/month=01/day=15/sales_events+0+0000000003.json: "
                           "{\"n\":3}|{\"n\":4}|\n");
    h = place_sink(place, ""); /* the ledger knows the new name by now */
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 5);
    harness_free(h);
    h = place_sink(place, options); /* it may stay */
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 5);
    harness_free(h);
}

static void a_renamed_pipeline_is_told(Place *place, gconstpointer unused)
{
    (void) unused;
    leave_rows(place);
    expect_refused(place, "", "pipeline 'old' has written 'sales_events/0' to ");
    expect_refused(place, "", "set 'adopt: old' if 's3-bronze-sink' takes over from it (a pipeline that was renamed)");
    expect_refused(place, "adopt: older", "pipeline 'old' has written");
    expect_refused(place, "adopt: old/raw", "set 'adopt: old/s3-bronze-sink' if");
}

static void a_renamed_pipeline_goes_on(Place *place, gconstpointer adopt)
{
    leave_rows(place);
    expect_goes_on(place, adopt);
}

static void a_renamed_step_is_told(Place *place, gconstpointer unused)
{
    (void) unused;
    leave_rows_of_step(place);
    expect_refused(place, "", "step 'raw' of pipeline 'test' has written 'sales_events/0' to ");
    expect_refused(place, "start: anew", "set 'adopt: test/raw' if 's3-bronze-sink' takes over");
    expect_refused(place, "adopt: raw2", "step 'raw' of pipeline 'test'");
}

static void a_renamed_step_goes_on(Place *place, gconstpointer adopt)
{
    leave_rows_of_step(place);
    expect_goes_on(place, adopt);
}

static void a_range_that_the_old_name_began_is_finished(Place *place, gconstpointer unused)
{
    (void) unused;
    leave_rows(place);
    place_delete(place, OBJECT);
    Harness *h = place_sink(place, "adopt: old");
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 0);
    harness_write(h, 0, numbers(h, EVENTS, 0, 3, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 3);
    harness_free(h);
    expect_goes_on(place, "adopt: old");
}

static void what_begins_anew_overwrites_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    leave_rows(place);
    Harness *h = place_sink(place, "start: anew");
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, SF_POSITION_NONE);
    harness_write(h, 0, numbers(h, EVENTS, 0, 2, NOON_US));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "somebody else wrote it, and it stays as it is"));
    place_delete(place, OBJECT);
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 2);
    harness_free(h);
    g_autofree char *objects = place_objects(place);
    g_assert_cmpstr(objects, ==, OBJECT ": {\"n\":0}|{\"n\":1}|\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function, data)                                                                                      \
    g_test_add("/bronze/names/" name, Place, data, place_set_up, function, place_tear_down)
    ADD("a renamed pipeline is told", a_renamed_pipeline_is_told, NULL);
    ADD("a renamed pipeline goes on", a_renamed_pipeline_goes_on, "adopt: old");
    ADD("a renamed pipeline goes on, with the step", a_renamed_pipeline_goes_on, "adopt: old/s3-bronze-sink");
    ADD("a renamed step is told", a_renamed_step_is_told, NULL);
    ADD("a renamed step goes on", a_renamed_step_goes_on, "adopt: raw");
    ADD("a renamed step goes on, with the pipeline", a_renamed_step_goes_on, "adopt: test/raw");
    ADD("a range that the old name began is finished", a_range_that_the_old_name_began_is_finished, NULL);
    ADD("what begins anew overwrites nothing", what_begins_anew_overwrites_nothing, NULL);
    return g_test_run();
}
