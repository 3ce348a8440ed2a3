/* The thread that maintains the table; see maintain.h. */
#include "maintain.h"

#include "delta/care/care.h"

/* Under these the table keeps when it was done last, by whomever: several processes do it once. */
#define OPTIMIZED "streamforge.maintain/optimize"
#define VACUUMED "streamforge.maintain/vacuum"
/* A share of the pipeline's memory is for it. What it holds is the new file, twice while it is finished, and what is
 * read of an old one; to be sorted, rows are unpacked. */
#define MEMORY_SHARE 2
#define TARGETS_HELD 3
#define TARGETS_HELD_SORTED 12
#define LEAST_TARGET (INT64_C(1) << 20)
#define PATIENCE_US 50000
#define RETRY_MS 10000

typedef enum Order { ORDER_FINISH = 1, ORDER_STOP } Order;

struct Maintenance {
    SfNode *node;
    const MaintainOptions *options; /* the sink's, which do not change */
    const char *const *sort_by;
    ParquetCodec codec;
    int level;
    Store *store;
    GThread *thread;
    GAsyncQueue *orders; /* to the thread */
    GAsyncQueue *ended;  /* from it: once, at its end */
    gint stop;           /* atomic; likewise the next two */
    gint64 memory;       /* of the pipeline */
    gint64 held;
    gint64 charged; /* the sink's; likewise */
    bool gone;
    /* the thread's */
    gint64 optimize_at, vacuum_at; /* when they are due; INT64_MAX: never */
    bool told_small;
};

static void note_held(gpointer user, int64_t memory)
{
    Maintenance *maintenance = user;
    __atomic_store_n(&maintenance->held, memory, __ATOMIC_RELAXED);
}

static CareLimits limits_of(Maintenance *maintenance)
{
    return (CareLimits){.stop = &maintenance->stop, .held = note_held, .user = maintenance};
}

/* ---- the thread's work ------------------------------------------------------------------------------------------- */

static int64_t target_of(Maintenance *maintenance)
{
    bool sorted = maintenance->options->sort_by->len > 0;
    int64_t memory = __atomic_load_n(&maintenance->memory, __ATOMIC_RELAXED) / MEMORY_SHARE;
    int64_t most = MAX(memory / (sorted ? TARGETS_HELD_SORTED : TARGETS_HELD), LEAST_TARGET);
    if (maintenance->options->target > most && !maintenance->told_small) {
        sf_log(maintenance->node, SF_LOG_WARNING,
               "maintain: files are packed up to %" G_GINT64_FORMAT " MiB, not to target_size: more does not fit into "
               "the pipeline's share of `memory`",
               most >> 20);
        maintenance->told_small = true;
    }
    return MIN(maintenance->options->target, most);
}

static SfStatus optimize(Maintenance *maintenance, DeltaLog *log, SfError *err)
{
    CareOptimize how = {.target = target_of(maintenance),
                        .thrifty = true,
                        .sort_by = maintenance->sort_by,
                        .codec = maintenance->codec,
                        .level = maintenance->level,
                        .app_id = OPTIMIZED,
                        .limits = limits_of(maintenance)};
    CareOptimized done;
    SfStatus status = care_optimize(log, &how, &done, err);
    if (done.commits > 0)
        sf_log(maintenance->node, SF_LOG_INFO,
               "maintain: packed %" G_GINT64_FORMAT " files (%" G_GINT64_FORMAT " bytes) into %" G_GINT64_FORMAT
               " (%" G_GINT64_FORMAT " bytes)",
               done.old_files, done.old_bytes, done.new_files, done.new_bytes);
    return status;
}

static SfStatus vacuum(Maintenance *maintenance, DeltaLog *log, SfError *err)
{
    CareVacuum how = {.retention_ms = maintenance->options->retention_ms, .limits = limits_of(maintenance)};
    CareVacuumed done;
    SF_TRY(care_vacuum(log, &how, &done, err));
    if (done.files > 0)
        sf_log(maintenance->node, SF_LOG_INFO,
               "maintain: deleted %" G_GINT64_FORMAT " files (%" G_GINT64_FORMAT " bytes) that no version needs",
               done.files, done.bytes);
    return care_record(log, VACUUMED, "VACUUM END", err);
}

/* When it is due again, after it was done at the time that the table has. */
static int64_t due_after(const DeltaLog *log, const char *app_id, int64_t every_ms)
{
    int64_t last = delta_log_txn(log, app_id);
    return last >= 0 && last < G_MAXINT64 / 1000 - every_ms ? last * 1000 + every_ms : 0;
}

typedef SfStatus (*Work)(Maintenance *maintenance, DeltaLog *log, SfError *err);

static void tell_failure(const Maintenance *maintenance, SfStatus status, const SfError *err)
{
    if (g_atomic_int_get(&maintenance->stop))
        return;
    sf_log(maintenance->node, status == SF_FENCED || status == SF_RETRY ? SF_LOG_INFO : SF_LOG_WARNING, "maintain: %s",
           err->message);
}

/* When it is to be looked at again. */
static int64_t do_if_due(Maintenance *maintenance, const char *app_id, int64_t every_ms, Work work)
{
    SfError err = {""};
    g_autoptr(DeltaLog) log = delta_log_new(maintenance->node, maintenance->store);
    int64_t now = sf_now_ms(maintenance->node);
    SfStatus status = delta_log_load(log, &err);
    if (status == SF_OK && log->version >= 0 && due_after(log, app_id, every_ms) > now)
        return due_after(log, app_id, every_ms);
    if (status == SF_OK && log->version >= 0)
        status = work(maintenance, log, &err);
    note_held(maintenance, 0);
    if (status != SF_OK)
        tell_failure(maintenance, status, &err);
    return now + (status == SF_RETRY ? MIN(every_ms, RETRY_MS) : every_ms);
}

static void do_what_is_due(Maintenance *maintenance)
{
    const MaintainOptions *options = maintenance->options;
    if (sf_now_ms(maintenance->node) >= maintenance->optimize_at)
        maintenance->optimize_at = do_if_due(maintenance, OPTIMIZED, options->optimize_ms, optimize);
    if (!g_atomic_int_get(&maintenance->stop) && sf_now_ms(maintenance->node) >= maintenance->vacuum_at)
        maintenance->vacuum_at = do_if_due(maintenance, VACUUMED, options->vacuum_ms, vacuum);
}

static gpointer maintain(gpointer user)
{
    Maintenance *maintenance = user;
    gpointer order = NULL;
    maintenance->optimize_at = maintenance->options->optimize_ms > 0 ? 0 : INT64_MAX;
    maintenance->vacuum_at = maintenance->options->vacuum_ms > 0 ? 0 : INT64_MAX;
    while (!order) {
        if (g_async_queue_length(maintenance->orders) <= 0)
            g_atomic_int_set(&maintenance->stop, 0); /* a pause interrupts, too; who wants the end gives an order */
        do_what_is_due(maintenance);
        int64_t wait_ms = MIN(maintenance->optimize_at, maintenance->vacuum_at) - sf_now_ms(maintenance->node);
        order = g_async_queue_timeout_pop(maintenance->orders, (guint64) CLAMP(wait_ms, 1, 86400000) * 1000);
    }
    g_async_queue_push(maintenance->ended, maintenance);
    return NULL;
}

/* ---- the sink's side --------------------------------------------------------------------------------------------- */

static const char *const *columns_of(const GPtrArray *names)
{
    const char **out = g_new0(const char *, names->len + 1);
    for (guint i = 0; i < names->len; i++)
        out[i] = names->pdata[i];
    return out;
}

SfStatus maintenance_start(Sink *sink, SfError *err)
{
    static const ParquetCodec codecs[] = {PARQUET_SNAPPY, PARQUET_ZSTD, PARQUET_UNCOMPRESSED};
    if (!sink->maintain || (sink->care.optimize_ms == 0 && sink->care.vacuum_ms == 0))
        return SF_OK;
    Maintenance *maintenance = g_new0(Maintenance, 1);
    sink->maintenance = maintenance;
    maintenance->node = sink->node;
    maintenance->options = &sink->care;
    maintenance->sort_by = columns_of(sink->care.sort_by);
    maintenance->codec = codecs[sink->compression];
    maintenance->level = (int) sink->compression_level;
    maintenance->orders = g_async_queue_new();
    maintenance->ended = g_async_queue_new();
    maintenance->store = store_new(sink->node, &sink->store_options, err);
    if (!maintenance->store)
        return SF_CONFIG;
    maintenance_charge(sink);
    maintenance->thread = g_thread_try_new("maintain", maintain, maintenance, NULL);
    return maintenance->thread ? SF_OK : sf_fail(err, SF_RETRY, "maintain: no thread can be started");
}

void maintenance_charge(Sink *sink)
{
    Maintenance *maintenance = sink->maintenance;
    if (!maintenance)
        return;
    gint64 held = __atomic_load_n(&maintenance->held, __ATOMIC_RELAXED);
    __atomic_store_n(&maintenance->memory, sf_memory(sink->node), __ATOMIC_RELAXED);
    if (held != maintenance->charged)
        sf_charge(sink->node, held - maintenance->charged);
    maintenance->charged = held;
}

void maintenance_finish(Sink *sink)
{
    Maintenance *maintenance = sink->maintenance;
    if (!maintenance || maintenance->gone)
        return;
    g_async_queue_push(maintenance->orders, GINT_TO_POINTER(ORDER_FINISH));
    g_async_queue_pop(maintenance->ended);
    maintenance->gone = true;
    maintenance_charge(sink);
}

void maintenance_interrupt(Maintenance *maintenance)
{
    g_atomic_int_set(&maintenance->stop, 1);
    store_interrupt(maintenance->store);
}

void maintenance_stop(Sink *sink)
{
    Maintenance *maintenance = sink->maintenance;
    if (!maintenance)
        return;
    if (maintenance->thread) {
        maintenance_interrupt(maintenance);
        g_async_queue_push(maintenance->orders, GINT_TO_POINTER(ORDER_STOP));
        while (!maintenance->gone && !g_async_queue_timeout_pop(maintenance->ended, PATIENCE_US))
            maintenance_interrupt(maintenance);
        g_thread_join(maintenance->thread);
    }
    if (maintenance->charged)
        sf_charge(sink->node, -maintenance->charged);
    store_free(maintenance->store);
    g_async_queue_unref(maintenance->orders);
    g_async_queue_unref(maintenance->ended);
    g_free((gpointer) maintenance->sort_by);
    g_free(maintenance);
    sink->maintenance = NULL;
}
