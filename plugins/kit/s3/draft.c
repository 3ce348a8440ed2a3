/* Drafts of the S3 store: bodies that go up in parts while the rest is still to come. The upload begins with the first
 * full part, parts are sent beside the writer, and the object is there when the upload is completed, which has the
 * condition. A part stays in memory until the store has it. */
#include "s3.h"

#include <string.h>

#define PAUSE_US G_USEC_PER_SEC /* after a failure, until what failed is sent again */

typedef struct Part {
    char number[8];
    GBytes *body; /* until it is there */
    char *etag;   /* NULL: it is not there */
    S3Job *job;   /* NULL: nobody sends it */
} Part;

typedef struct S3Draft {
    StoreDraft base;
    S3Store *store;
    char *key;
    char *id;         /* of the upload; NULL: it has not begun */
    GPtrArray *parts; /* Part *, by number */
    bool has_rest;    /* the last one is the body that was put */
    size_t held;      /* bytes of parts that are not there */
    bool completed;   /* the object is there, and ours */
    bool gone;        /* the store knows no such upload */
    bool lost;        /* nor an object */
    gint64 again_us;  /* monotonic: nothing is sent before */
} S3Draft;

#ifdef SF_FAULTS
static void fault(const S3Draft *draft, const char *point)
{
    if (draft->store->base.node)
        sf_fault(draft->store->base.node, point);
}
#else
#define fault(draft, point) ((void) (draft))
#endif

static void part_free(gpointer user)
{
    Part *part = user;
    g_bytes_unref(part->body);
    g_free(part->etag);
    g_free(part);
}

static Part *add_part(S3Draft *draft, GBytes *body)
{
    Part *part = g_new0(Part, 1);
    part->body = body;
    draft->held += g_bytes_get_size(body);
    g_ptr_array_add(draft->parts, part);
    g_snprintf(part->number, sizeof part->number, "%u", draft->parts->len);
    return part;
}

/* Takes the outcome of a call that sent a part. */
static void settle_part(S3Draft *draft, Part *part, const S3Call *call)
{
    if (call->status == SF_OK && call->http.etag[0]) {
        part->etag = g_strdup(call->http.etag);
        draft->held -= g_bytes_get_size(part->body);
        g_clear_pointer(&part->body, g_bytes_unref);
        fault(draft, "upload-2-part-sent");
    } else if (call->status == SF_EMPTY) {
        draft->gone = draft->lost = true;
    } else {
        draft->again_us = g_get_monotonic_time() + PAUSE_US;
    }
}

static void end_job(S3Draft *draft, Part *part)
{
    settle_part(draft, part, &part->job->call);
    s3_call_done(&part->job->call);
    g_clear_pointer(&part->job, g_free);
}

static void collect_jobs(S3Draft *draft, bool wait)
{
    S3Sender *sender = &draft->store->sender;
    for (guint i = 0; i < draft->parts->len && draft->held > 0; i++) {
        Part *part = draft->parts->pdata[i];
        if (part->job && wait)
            s3_sender_wait(sender, part->job);
        if (part->job && s3_sender_is_done(sender, part->job))
            end_job(draft, part);
    }
}

static void start_part(S3Draft *draft, Part *part)
{
    part->job = g_new0(S3Job, 1);
    part->job->call = s3_upload_part(draft->key, draft->id, part->number, part->body);
    if (s3_sender_start(draft->store, part->job))
        return;
    g_clear_pointer(&part->job, g_free);
    draft->again_us = g_get_monotonic_time() + PAUSE_US;
}

/* Whether some have failed; they are sent once more. */
static bool repeat_parts(S3Draft *draft)
{
    bool any = false;
    for (guint i = 0; i < draft->parts->len && draft->held > 0; i++) {
        Part *part = draft->parts->pdata[i];
        if (part->etag || part->job)
            continue;
        any = true;
        start_part(draft, part);
    }
    return any;
}

/* What keeps it from beginning is told by the put, which then has all of the body. */
static bool begin_draft(S3Draft *draft)
{
    if (s3_upload_begin(draft->store, draft->key, &draft->id, NULL) == SF_OK) {
        fault(draft, "upload-1-begun");
        return true;
    }
    draft->again_us = g_get_monotonic_time() + PAUSE_US;
    return false;
}

/* One part is left for the rest. */
static bool takes_part(const S3Draft *draft, size_t size)
{
    return size >= s3_draft_unit(&draft->store->base) && !draft->lost && !draft->has_rest &&
           draft->parts->len < S3_PARTS_MAX - 1 && g_get_monotonic_time() >= draft->again_us;
}

static size_t write_draft(StoreDraft *base, const char *data, size_t size)
{
    S3Draft *draft = (S3Draft *) base;
    collect_jobs(draft, false);
    if (!takes_part(draft, size) || repeat_parts(draft) || (!draft->id && !begin_draft(draft)))
        return 0;
    char *copy = g_try_malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    start_part(draft, add_part(draft, g_bytes_new_take(copy, size)));
    return size;
}

static size_t draft_held(StoreDraft *base)
{
    S3Draft *draft = (S3Draft *) base;
    collect_jobs(draft, false);
    return draft->held;
}

static void free_draft(StoreDraft *base)
{
    S3Draft *draft = (S3Draft *) base;
    for (guint i = 0; i < draft->parts->len; i++) {
        const Part *part = draft->parts->pdata[i];
        if (part->job)
            s3_sender_cancel(&draft->store->sender, part->job);
    }
    collect_jobs(draft, true);
    if (draft->id && !draft->completed && !draft->gone)
        s3_upload_abort(draft->store, draft->key, draft->id);
    g_ptr_array_unref(draft->parts);
    g_free(draft->key);
    g_free(draft->id);
    g_free(draft);
}

size_t s3_draft_unit(const Store *store)
{
    return (size_t) ((const S3Store *) store)->options->part_size;
}

StoreDraft *s3_draft(Store *base, const char *key)
{
    S3Store *store = (S3Store *) base;
    if (!store->parts_proven)
        return NULL;
    S3Draft *draft = g_new0(S3Draft, 1);
    draft->base = (StoreDraft){.write = write_draft, .held = draft_held, .free = free_draft};
    draft->store = store;
    draft->key = g_strdup(key);
    draft->parts = g_ptr_array_new_with_free_func(part_free);
    return &draft->base;
}

bool s3_draft_has_begun(const StoreDraft *base)
{
    return ((const S3Draft *) base)->parts->len > 0;
}

/* ---- puts ---- */

static SfStatus refuse_lost(const S3Draft *draft, SfError *err)
{
    return sf_fail(err, SF_FENCED,
                   "the upload of 's3://%s/%s%s' was ended by somebody else, such as a life-cycle rule of the bucket; "
                   "its rows are read once more",
                   draft->store->bucket, draft->store->prefix, draft->key);
}

/* The rest of the body becomes the last part, and all that are on their way come to an end. */
static SfStatus close_draft(S3Draft *draft, GBytes *rest, SfError *err)
{
    collect_jobs(draft, true);
    if (draft->lost)
        return refuse_lost(draft, err);
    if (!draft->has_rest && g_bytes_get_size(rest) > 0)
        add_part(draft, g_bytes_ref(rest));
    draft->has_rest = true;
    return SF_OK;
}

static S3Draft *draft_of(const StoreObject *object)
{
    return (S3Draft *) object->draft;
}

static GPtrArray *missing_parts(StoreObject *const *objects, size_t n, GPtrArray *owners)
{
    GPtrArray *missing = g_ptr_array_new();
    for (size_t i = 0; i < n; i++) {
        S3Draft *draft = draft_of(objects[i]);
        for (guint j = 0; j < draft->parts->len; j++) {
            if (((Part *) draft->parts->pdata[j])->etag)
                continue;
            g_ptr_array_add(missing, draft->parts->pdata[j]);
            g_ptr_array_add(owners, draft);
        }
    }
    return missing;
}

/* What is not there yet, of all drafts at once. */
static SfStatus send_missing(S3Store *store, StoreObject *const *objects, size_t n, SfError *err)
{
    g_autoptr(GPtrArray) owners = g_ptr_array_new();
    g_autoptr(GPtrArray) missing = missing_parts(objects, n, owners);
    g_autofree S3Call *calls = g_new0(S3Call, missing->len);
    for (guint i = 0; i < missing->len; i++) {
        const S3Draft *draft = owners->pdata[i];
        const Part *part = missing->pdata[i];
        calls[i] = s3_upload_part(draft->key, draft->id, part->number, part->body);
    }
    s3_run(store, calls, missing->len);
    SfStatus status = SF_OK;
    for (guint i = 0; i < missing->len; i++) {
        Part *part = missing->pdata[i];
        S3Draft *draft = owners->pdata[i];
        settle_part(draft, part, &calls[i]);
        if (status == SF_OK && !part->etag) {
            if (calls[i].status == SF_OK) /* without an etag */
                calls[i].status = SF_RETRY;
            status = draft->lost ? refuse_lost(draft, err) : s3_call_fail(store, &calls[i], err);
        }
        s3_call_done(&calls[i]);
    }
    return status;
}

static GBytes *list_of(const S3Draft *draft)
{
    g_autofree const char **etags = g_new(const char *, draft->parts->len);
    for (guint i = 0; i < draft->parts->len; i++)
        etags[i] = ((const Part *) draft->parts->pdata[i])->etag;
    return s3_upload_list(etags, draft->parts->len);
}

/* An upload that is gone was completed by us, and the answer was lost, or it was given up by somebody: what is there
 * decides, and whether it is ours the caller finds out, as after a refusal. */
static SfStatus settle_end(S3Draft *draft, StoreObject *object, S3Call *call, SfError *err)
{
    if (call->status != SF_OK && call->status != SF_EMPTY)
        return s3_call_fail(draft->store, call, err);
    draft->gone = call->status == SF_EMPTY;
    draft->completed = object->created = !draft->gone && !call->conflict;
    if (!draft->gone)
        return SF_OK;
    int64_t size = -1;
    SF_TRY(s3_stat_all(&draft->store->base, &object->key, &size, 1, err));
    draft->lost = size < 0;
    return draft->lost ? refuse_lost(draft, err) : SF_OK;
}

static SfStatus complete_drafts(S3Store *store, StoreObject *const *objects, size_t n, SfError *err)
{
    g_autofree S3Call *calls = g_new0(S3Call, n);
    for (size_t i = 0; i < n; i++) {
        const S3Draft *draft = draft_of(objects[i]);
        calls[i] = s3_upload_complete(draft->key, draft->id, list_of(draft), objects[i]->only_new);
        fault(draft, "upload-3-before-complete");
    }
    s3_run(store, calls, n);
    SfStatus status = SF_OK;
    for (size_t i = 0; i < n; i++) {
        S3Draft *draft = draft_of(objects[i]);
        SfStatus settled = settle_end(draft, objects[i], &calls[i], status == SF_OK ? err : NULL);
        status = status == SF_OK ? settled : status;
        fault(draft, "upload-4-completed");
        g_bytes_unref(calls[i].body);
        s3_call_done(&calls[i]);
    }
    return status;
}

SfStatus s3_put_drafts(S3Store *store, StoreObject **objects, size_t n, SfError *err)
{
    g_autofree StoreObject **open = g_new(StoreObject *, n);
    size_t n_open = 0;
    for (size_t i = 0; i < n; i++) {
        objects[i]->created = draft_of(objects[i])->completed; /* by an earlier put */
        if (!objects[i]->created)
            open[n_open++] = objects[i];
    }
    for (size_t i = 0; i < n_open; i++)
        SF_TRY(close_draft(draft_of(open[i]), open[i]->body, err));
    SF_TRY(send_missing(store, open, n_open, err));
    return complete_drafts(store, open, n_open, err);
}
