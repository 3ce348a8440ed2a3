/* The test harness for plugins: one plugin as a black box; options and batches in; batches, statuses, rejects and
 * positions out; clock and answers scripted. For test programs in C, C++ and whatever calls C; not for plugins.
 *
 *   cc test.c $(pkg-config --cflags --libs streamforge-harness) && SF_PLUGIN_PATH=. ./a.out
 *
 *   Harness *h = harness_new("text-length", "column: text");
 *   harness_input_text(h, "lines", "text string");
 *   const char *rows[] = {"[\"four\"]", "[null]"};
 *   const SfBatch *out = harness_apply(h, harness_rows(h, 0, "file/0", 100, rows, 2)); // binds and opens by itself
 *   assert(strcmp(harness_text(h, out), "{\"text\":\"four\",\"length\":4}\n{\"text\":null,\"length\":null}") == 0);
 *   assert(strcmp(harness_rejects(h), "") == 0);           // or "file/0@101: <the cause>" lines
 *   harness_free(h);
 *
 *   Harness *h = harness_new("lines-sink", "path: /tmp/x");
 *   harness_write(h, 0, harness_raw(h, "events/0", 0, values, n)); // statuses other than SF_OK: harness_try_write()
 *   harness_commit(h, SF_COMMIT_END);
 *   harness_reopen(h);                                      // as after a crash: nothing is committed on the way
 *   assert(harness_recover(h, 0, "events/0") == n);
 *
 * A plugin that breaks the host's rules ends the test program (SIGABRT) with a message: a batch of another schema,
 * damaged rows, ranges that do not chain, a position that was not written, a commit that returns SF_OK and leaves
 * written rows behind. Wrong texts in the test do, too. Everything that the harness returns lives until harness_free().
 * One harness is used by one thread. Source compatible within a major version; compile tests against the version that
 * they run with. */
#ifndef SF_HARNESS_H
#define SF_HARNESS_H

#include <sf/audit.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct Harness {
    struct Instance *instance; /* the host's; NULL when closed */
    SfNode *node;              /* the instance's */
    SfStatus status;           /* of the last hook */
    SfError err;               /* what it said */

    /* What the plugin sees; set as you like. */
    int64_t now_ms;         /* wall clock; starts at 2024-01-15 10:30:00 UTC, stands still */
    int64_t monotonic_ms;   /* what sf_monotonic_ms() says; stands still, too */
    bool bounded;           /* before open */
    SfStatus settle_answer; /* of sf_settle() */

    /* What the plugin did. */
    int64_t charged; /* by sf_charge() */
    int64_t charged_peak;
    int64_t expected;    /* by sf_expect() */
    int64_t patience_ms; /* by sf_patience() */
    unsigned settled;    /* calls of sf_settle() */
    struct HarnessPrivate *own;
    int64_t memory; /* what sf_memory() says; 40 MiB unless set */
} Harness;

/* Loads the plugin (on SF_PLUGIN_PATH) and takes its options as YAML text, a flow or block map; "" for none. */
SF_API Harness *harness_new(const char *plugin, const char *options);
SF_API void harness_free(Harness *h);

/* What `sfrun check` says of these options, lines joined by '\n'; "" when they are fine. Does not
 * bind. Freed by the caller, with free(). */
SF_API char *harness_check(const char *plugin, const char *options);

/* Before bind: the next input of a transform or sink. Without any the plugin gets one, "events", of raw rows. */
SF_API void harness_input(Harness *h, const char *name, const struct ArrowSchema *schema);
SF_API void harness_input_text(Harness *h, const char *name, const char *schema); /* "id int not null, text string" */

/* Life. harness_open() and all below bind and open where that has not been done, and end the test program when it
 * fails. */
SF_API SfStatus harness_try_bind(Harness *h);
SF_API SfStatus harness_try_open(Harness *h);
SF_API void harness_open(Harness *h);
SF_API void harness_close(Harness *h);
/* A new attempt: closes, new state from the same options, opens. Clock, answers and records stay. */
SF_API void harness_reopen(Harness *h);

/* Time passes, by both clocks. */
SF_API void harness_pass(Harness *h, int64_t ms);

/* Splits by name: "sales_events/0" is partition 0 of topic sales_events. */
SF_API const SfSplit *harness_split(Harness *h, const char *name);

/* Batches for the plugin. Raw rows have offsets first, first + 1, … and the clock's time; the range is that of the
 * offsets. A NULL value is a null. */
SF_API const SfBatch *harness_raw(Harness *h, const char *split, int64_t first, const char *const *values, size_t n);
/* Typed rows for input number `input`; range [start, start + n). */
SF_API const SfBatch *harness_rows(Harness *h, size_t input, const char *split, int64_t start, const char *const *json,
                                   size_t n);
/* The same rows with another range; end < 0 keeps it. For holes in positions, and for batches without rows. */
SF_API const SfBatch *harness_with_range(Harness *h, const SfBatch *batch, int64_t start, int64_t end);

/* Transform. */
SF_API const SfBatch *harness_apply(Harness *h, const SfBatch *batch);
SF_API SfStatus harness_try_apply(Harness *h, const SfBatch *batch);

/* Sink. Positions of chains that were not recovered yet are recovered by the first write. */
SF_API int64_t harness_recover(Harness *h, size_t input, const char *split);
SF_API SfStatus harness_try_recover(Harness *h, size_t input, const char *split);
SF_API int64_t harness_recover_hint(Harness *h, size_t input, const char *split, int64_t hint);
SF_API void harness_write(Harness *h, size_t input, const SfBatch *batch);
SF_API SfStatus harness_try_write(Harness *h, size_t input, const SfBatch *batch);
SF_API void harness_commit(Harness *h, SfCommitReason reason);
SF_API SfStatus harness_try_commit(Harness *h, SfCommitReason reason);
SF_API void harness_tick(Harness *h);
/* What sf_committed() said last, or SF_POSITION_NONE. */
SF_API int64_t harness_committed(Harness *h, size_t input, const char *split);
/* The time that sf_recovered() gave, or 0. */
SF_API int64_t harness_known_ms(Harness *h, size_t input, const char *split);

/* The origin of a split, as a source would set it, NULL: not known; and the one that a sink has kept, or NULL. */
SF_API void harness_set_origin(Harness *h, const char *split, const char *origin);
SF_API const char *harness_recovered_origin(Harness *h, size_t input, const char *split);

/* Source. Answers to sf_assign(): set beforehand; a split without one starts where the source says. */
SF_API void harness_answer(Harness *h, const char *split, int64_t position);
/* From now on another sink is asked too, which knows no split: where the source's start is below the answer, reading
 * starts there. */
SF_API void harness_answer_fresh(Harness *h);
/* What sinks keep of the split beside that answer: when they committed up to it (ms since 1970, -1: not known), and the
 * origin of those rows (NULL: not known). */
SF_API void harness_keep(Harness *h, const char *split, int64_t committed_ms, const char *origin);
/* The next batch, or NULL with h->status SF_EMPTY, SF_END or what else the source said. */
SF_API const SfBatch *harness_poll(Harness *h, int64_t timeout_ms);
/* Instead of a poll, as the host does while it is full or paused. */
SF_API SfStatus harness_try_serve(Harness *h);
/* End of what has been polled of the split. */
SF_API int64_t harness_polled(Harness *h, const char *split);
/* Tells the source that all sinks have committed what was polled. */
SF_API void harness_publish(Harness *h, bool last);
/* Splits that the source holds now, sorted and joined by ' '. */
SF_API const char *harness_assigned(Harness *h);
SF_API int64_t harness_lag(Harness *h, const char *split); /* what sf_lag() said, or SF_POSITION_NONE */

/* Audit, sink or source: a new state, bound and not opened; whatever the test has open stays as it is. What the hook
 * reported, a line each, in its order, valid until the harness ends:
 *   "range input 0 events/0 [100, 200) rows 100 rejected 0: <place>"  (figures that are not known: "?")
 *   "rows input 0 events/0: 100 101 102"                              (what came in one call, sorted)
 *   "batch events/0 [100, 200): 100 101 102"
 *   "checked 3 objects, 300 bytes"
 *   "fault <place>: <message>", "orphan …", "unknown …", "note …"
 * and at the end, where it is not SF_OK, "status <name>: <message>". */
SF_API const char *harness_audit(Harness *h, SfAuditDepth depth);
/* The same, and `expected` (n batches, each by its input) go to audit_rows behind it; only what was said of them. */
SF_API const char *harness_audit_rows(Harness *h, const size_t *inputs, const SfBatch *const *expected, size_t n);
/* What sf_audit_wanted() says of the split from now on; otherwise 0 and INT64_MAX. */
SF_API void harness_audit_wanted(Harness *h, const char *split, int64_t from, int64_t to);

/* Calls the plugin's interrupt from another thread after so many ms. */
SF_API void harness_interrupt_after(Harness *h, int64_t ms);

/* Texts, valid until the harness ends. */
SF_API const char *harness_text(Harness *h, const SfBatch *batch); /* rows, a line each */
SF_API const char *harness_rejects(Harness *h);                    /* "events/0@101: cause" lines, in order */
SF_API unsigned harness_n_rejects(Harness *h);
SF_API const char *harness_logs(Harness *h);   /* "info: …" lines */
SF_API const char *harness_faults(Harness *h); /* fault points passed, joined by ' ' */
SF_API void harness_forget(Harness *h);        /* empties the records above */

#ifdef __cplusplus
}
#endif

#endif
