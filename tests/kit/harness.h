/* One plugin as a black box: options and batches in; batches, statuses, rejects and positions out; clock and answers
 * scripted.
 *
 *   g_autoptr(Harness) h = harness_new("json-decode", "schema: {id: int not null}");
 *   const SfBatch *in = harness_raw(h, "events/0", 100, (const char *[]){"{\"id\": 1}", "{\"id\": \"x\"}"}, 2);
 *   const SfBatch *out = harness_apply(h, in); // binds and opens by itself where that has not been done
 *   g_assert_cmpstr(harness_text(h, out), ==, "{\"id\":1}");
 *   g_assert_cmpstr(harness_rejects(h), ==, "events/0@101: id: \"x\" is no int");
 *
 *   g_autoptr(Harness) h = harness_new("file-sink", "path: /tmp/x");
 *   harness_write(h, 0, harness_raw(h, "events/0", 0, values, n)); // statuses other than SF_OK: harness_try_write()
 *   harness_commit(h, SF_COMMIT_END);
 *   harness_reopen(h);                                      // as after a crash: nothing is committed on the way
 *   g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, n);
 *
 * A plugin that breaks the host's rules ends the test program: a batch of another schema, damaged rows, ranges that
 * do not chain, a position that was not written, a commit that returns SF_OK and leaves written rows behind.
 * Everything that the harness returns lives until harness_free(). */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include "config/instance.h"
#include "rows.h"

typedef struct Harness {
    Instance *instance; /* NULL when closed */
    SfNode *node;       /* the instance's */
    SfStatus status;    /* of the last hook */
    SfError err;        /* what it said */

    /* What the plugin sees; set as you like. */
    gint64 now_ms;          /* wall clock; starts at 2024-01-15 10:30:00 UTC, stands still */
    gint64 monotonic_ms;    /* what sf_monotonic_ms() says; stands still, too */
    bool bounded;           /* before open */
    SfStatus settle_answer; /* of sf_settle() */

    /* What the plugin did. */
    gint64 charged; /* by sf_charge() */
    gint64 charged_peak;
    gint64 expected;    /* by sf_expect() */
    gint64 patience_ms; /* by sf_patience() */
    guint settled;      /* calls of sf_settle() */
    struct HarnessPrivate *private;
} Harness;

/* Loads the plugin (on SF_PLUGIN_PATH) and takes its options as YAML text, a flow or block map; "" for none. */
Harness *harness_new(const char *plugin, const char *options);
void harness_free(Harness *h);

/* What `sfrun check` says of these options, lines joined by '\n'; "" when they are fine. Does not bind. */
char *harness_check(const char *plugin, const char *options);

/* Before bind: the next input of a transform or sink. Without any the plugin gets one, "events", of raw rows. */
void harness_input(Harness *h, const char *name, const struct ArrowSchema *schema);
void harness_input_text(Harness *h, const char *name, const char *schema); /* as rows_schema() */

/* Life. harness_open() and all below bind and open where that has not been done, and end the test program when it
 * fails. */
SfStatus harness_try_bind(Harness *h);
SfStatus harness_try_open(Harness *h);
void harness_open(Harness *h);
void harness_close(Harness *h);
/* A new attempt: closes, new state from the same options, opens. Clock, answers and records stay. */
void harness_reopen(Harness *h);

/* Time passes, by both clocks. */
void harness_pass(Harness *h, gint64 ms);

/* Splits by name: "sales_events/0" is partition 0 of topic sales_events. */
const SfSplit *harness_split(Harness *h, const char *name);

/* Batches for the plugin. Raw rows have offsets first, first + 1, … and the clock's time; the range is that of the
 * offsets. A NULL value is a null. */
const SfBatch *harness_raw(Harness *h, const char *split, gint64 first, const char *const *values, gsize n);
const SfBatch *harness_raw_rows(Harness *h, const char *split, const RawRow *rows, gsize n);
/* Typed rows for input number `input`; range [start, start + n). */
const SfBatch *harness_rows(Harness *h, gsize input, const char *split, gint64 start, const char *const *json, gsize n);
/* The same rows with another range; end < 0 keeps it. For holes in positions, and for batches without rows. */
const SfBatch *harness_with_range(Harness *h, const SfBatch *batch, gint64 start, gint64 end);

/* Transform. */
const SfBatch *harness_apply(Harness *h, const SfBatch *batch);
SfStatus harness_try_apply(Harness *h, const SfBatch *batch);

/* Sink. Positions of chains that were not recovered yet are recovered by the first write. */
gint64 harness_recover(Harness *h, gsize input, const char *split);
SfStatus harness_try_recover(Harness *h, gsize input, const char *split);
gint64 harness_recover_hint(Harness *h, gsize input, const char *split, gint64 hint);
void harness_write(Harness *h, gsize input, const SfBatch *batch);
SfStatus harness_try_write(Harness *h, gsize input, const SfBatch *batch);
void harness_commit(Harness *h, SfCommitReason reason);
SfStatus harness_try_commit(Harness *h, SfCommitReason reason);
void harness_tick(Harness *h);
/* What sf_committed() said last, or SF_POSITION_NONE. */
gint64 harness_committed(Harness *h, gsize input, const char *split);
/* The time that sf_recovered() gave, or 0. */
gint64 harness_known_ms(Harness *h, gsize input, const char *split);

/* The origin of a split, as a source would set it, NULL: not known; and the one that a sink has kept, or NULL. */
void harness_set_origin(Harness *h, const char *split, const char *origin);
const char *harness_recovered_origin(Harness *h, gsize input, const char *split);

/* Source. Answers to sf_assign(): set beforehand; a split without one starts where the source says. */
void harness_answer(Harness *h, const char *split, gint64 position);
/* The next batch, or NULL with h->status SF_EMPTY, SF_END or what else the source said. */
const SfBatch *harness_poll(Harness *h, gint64 timeout_ms);
/* Polls until that many rows have come or SF_END (then fewer); at most 60 s, then the test program ends.
 * NULL-terminated. */
GPtrArray *harness_poll_rows(Harness *h, gint64 rows); /* of const SfBatch *, free with g_ptr_array_unref */
/* End of what has been polled of the split. */
gint64 harness_polled(Harness *h, const char *split);
/* Tells the source that all sinks have committed what was polled. */
void harness_publish(Harness *h, bool last);
/* Splits that the source holds now, sorted and joined by ' '. */
const char *harness_assigned(Harness *h);
gint64 harness_lag(Harness *h, const char *split); /* what sf_lag() said, or SF_POSITION_NONE */

/* Calls the plugin's interrupt from another thread after so many ms. */
void harness_interrupt_after(Harness *h, gint64 ms);

/* Texts, valid until the harness ends. */
const char *harness_text(Harness *h, const SfBatch *batch); /* rows, a line each */
const char *harness_rejects(Harness *h);                    /* "events/0@101: cause" lines, in order */
guint harness_n_rejects(Harness *h);
const char *harness_logs(Harness *h);   /* "info: …" lines */
const char *harness_faults(Harness *h); /* fault points passed, joined by ' ' */
void harness_forget(Harness *h);        /* empties the records above */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Harness, harness_free)

#endif
