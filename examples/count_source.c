/* A source: counts from 0, one row a number. The smallest thing that starts where the sinks stopped. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <sf/sf.h>

typedef struct Count {
    int64_t rows;
    int64_t broken;
    SfBuilder *builder;
    const SfSplit *split;
    int64_t next;
} Count;

static const SfOption options[] = {
    SF_OPTION_INT(Count, rows, .value = "100", .min = "0", .doc = "How many rows there are in all."),
    SF_OPTION_INT(Count, broken, .value = "0", .min = "0", .doc = "Every so many rows one is not a number; 0: none."),
    SF_OPTION_END,
};

/* The schema of the rows. Nothing else is known of them before the first poll, so everything must be in here. */
static SfStatus bind_schema(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    (void) node;
    static const SfField fields[] = {{.name = "text", .type = SF_UTF8}};
    return sf_schema_make(fields, 1, out, err);
}

static SfStatus open_count(SfNode *node, SfError *err)
{
    Count *count = node->state;
    struct ArrowSchema schema;
    SF_TRY(bind_schema(node, &schema, err));
    count->builder = sf_builder_new(&schema, err);
    sf_schema_done(&schema);
    return count->builder ? SF_OK : SF_FATAL;
}

/* Says what it is about to read; the host answers where the sinks stopped. */
static SfStatus assign(SfNode *node, SfError *err)
{
    Count *count = node->state;
    SfAssignment assignment = {.name = "count/0", .topic = "count", .partition = 0, .start = 0};
    SF_TRY(sf_assign(node, &assignment, 1, err));
    count->split = assignment.split;
    count->next = assignment.position;
    sf_log(node, SF_LOG_INFO, "counting from %" PRId64 " to %" PRId64, count->next, count->rows);
    return SF_OK;
}

static SfStatus poll_count(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    Count *count = node->state;
    if (!count->split)
        SF_TRY(assign(node, err));
    if (count->next >= count->rows) {
        if (node->bounded)
            return SF_END;
        struct timespec pause = {.tv_nsec = (timeout_ms < 100 ? timeout_ms : 100) * 1000000};
        nanosleep(&pause, NULL);
        return SF_EMPTY;
    }
    int64_t end = count->next + 1000 < count->rows ? count->next + 1000 : count->rows;
    for (int64_t n = count->next; n < end; n++) {
        char text[24];
        bool broken = count->broken > 0 && n % count->broken == count->broken - 1;
        int size = snprintf(text, sizeof text, broken ? "number %" PRId64 : "%" PRId64, n);
        sf_add_str(sf_builder_column(count->builder, 0), text, size);
        SF_TRY(sf_builder_end_row(count->builder, err));
    }
    SF_TRY(sf_builder_finish(count->builder, &out->rows, err));
    out->split = count->split;
    out->start = count->next;
    out->end = count->next = end;
    return SF_OK;
}

static void close_count(SfNode *node)
{
    Count *count = node->state;
    sf_builder_free(count->builder);
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(Count, .name = "count-source", .version = "1.0.0", .summary = "Counts from 0", .options = options),
    .bind = bind_schema,
    .open = open_count,
    .poll = poll_count,
    .close = close_count,
};
