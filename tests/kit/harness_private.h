/* What the harness's files share. */
#ifndef TEST_HARNESS_PRIVATE_H
#define TEST_HARNESS_PRIVATE_H

#include "harness.h"

/* A split in a source's hands. */
typedef struct Reading {
    const SfSplit *split;
    bool assigned;
    gint64 begun;     /* where it was assigned */
    gint64 polled;    /* end of the last batch */
    gint64 published; /* what `committed` was told, or SF_POSITION_NONE */
    gint64 lag;
} Reading;

/* One split by one input of a sink. */
typedef struct Chain {
    gsize input;
    const SfSplit *split;
    bool recovered; /* in this attempt */
    gint64 written;
    gint64 committed;
    gint64 known_ms;    /* by sf_recovered() */
    const char *origin; /* by sf_recovered_origin() */
} Chain;

/* What sinks keep of a split. */
typedef struct Keeping {
    gint64 committed_ms;
    const char *origin;
} Keeping;

/* What an audit is to look at. */
typedef struct Wanted {
    gint64 from;
    gint64 to;
} Wanted;

typedef struct HarnessPrivate {
    const Plugin *plugin;
    Document *document;
    Step step;
    Pipeline pipeline;
    bool opened;
    GPtrArray *schemas;   /* of the inputs */
    GPtrArray *outputs;   /* schemas of instances, which batches outlive */
    GPtrArray *splits;    /* SfSplit * */
    GPtrArray *readings;  /* Reading * */
    GPtrArray *chains;    /* Chain * */
    GHashTable *answers;  /* split name → gint64 * */
    bool fresh;           /* a sink without positions is asked, too */
    GHashTable *keepings; /* split name → Keeping * */
    GHashTable *origins;  /* split name → origin, as the source or the test says */
    GHashTable *wanted;   /* split name → Wanted * */
    GPtrArray *batches;   /* const SfBatch *, one reference each */
    GPtrArray *texts;
    GPtrArray *threads;
    GMutex mutex; /* log and fault come from any thread */
    GString *logs;
    GString *rejects;
    GString *faults;
    guint n_rejects;
} HarnessPrivate;

extern const SfHost harness_host;

Harness *harness_of(const SfNode *node);
const char *harness_name(const Harness *h);
SfSplit *harness_split_make(Harness *h, const char *name, const char *topic, gint32 partition);
Reading *harness_reading(Harness *h, const SfSplit *split);
Chain *harness_chain(Harness *h, gsize input, const SfSplit *split);

/* Position of a row, as batch.h defines it. */
gint64 harness_position(const SfBatch *batch, gint64 row);

/* The harness keeps the rows as a host's batch until it ends. */
const SfBatch *harness_hold(Harness *h, SfBatch *moved);
const char *harness_hold_text(Harness *h, char *text);
void harness_add_reject(Harness *h, const SfBatch *batch, gint64 first, gint64 n, const char *cause);

/* Ends the test program unless the last hook said SF_OK. */
void harness_need_ok(const Harness *h, const char *hook);

#endif
