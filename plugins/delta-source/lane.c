/* The split at work: version after version, file after file, in batches with the positions of source.h. */
#include "lane.h"

#include <inttypes.h>

#define INFO_FILES 100 /* a snapshot of so many files is told of */

static ListingOptions listing_options(const Lane *lane)
{
    return (ListingOptions){.columns = lane->columns,
                            .on_change = (OnChange) lane->options->on_change,
                            .node = lane->node,
                            .log = lane->follow.log};
}

static void end_file(Lane *lane)
{
    g_clear_pointer(&lane->reading, reading_free);
    lane->file = NULL;
}

static void end_version(Lane *lane)
{
    end_file(lane);
    g_clear_pointer(&lane->listing, listing_free);
}

void lane_reset(Lane *lane)
{
    end_version(lane);
}

void lane_done(Lane *lane)
{
    end_version(lane);
    backlog_done(&lane->backlog);
    g_clear_pointer(&lane->follow.log, delta_log_free);
}

size_t lane_held(const Lane *lane)
{
    return (lane->listing ? listing_held(lane->listing) : 0) + (lane->reading ? reading_held(lane->reading) : 0);
}

int64_t lane_end(const Lane *lane)
{
    return position_at(lane->last_version + 1, false, 0);
}

/* ---- versions --------------------------------------------------------------------------------------------------- */

/* A commit that is older than the newest is not there: the log was cleaned up below the position. */
static SfStatus meet_missing_commit(Lane *lane, int64_t version, SfError *err)
{
    const char *url = store_url(lane->follow.log->store);
    g_autoptr(GArray) commits = NULL;
    SF_TRY(delta_commits_list(lane->follow.log, &commits, err));
    int64_t next = lane->follow.log->version + 1;
    for (guint i = commits->len; i-- > 0;) {
        int64_t other = g_array_index(commits, DeltaCommit, i).version;
        next = other > version ? other : next;
    }
    if (lane->options->on_missing == MISSING_STOP)
        return sf_fail(err, SF_FATAL,
                       "%s: version %" PRId64 " is no longer in the log, which goes on with %" PRId64
                       ": it was cleaned up before it was read (delta.logRetentionDuration); give the sinks another "
                       "place to begin anew with a snapshot, or set 'on_missing: skip' to go on without these versions",
                       url, version, next);
    sf_log(lane->node, SF_LOG_WARNING,
           "%s: versions %" PRId64 " to %" PRId64 " are no longer in the log, and are passed over (on_missing: skip)",
           url, version, next - 1);
    lane->skip_to = position_at(next, false, 0);
    return SF_OK;
}

static SfStatus open_version(Lane *lane, SfError *err)
{
    Place place = place_of(lane->position);
    ListingOptions options = listing_options(lane);
    if (place.snapshot)
        return listing_of_snapshot(&options, place.version, &lane->listing, err);
    SfStatus status = listing_of_commit(&options, place.version, &lane->listing, err);
    return status == SF_EMPTY ? meet_missing_commit(lane, place.version, err) : status;
}

static int64_t version_start(const Lane *lane)
{
    return position_at(lane->listing->version, lane->listing->snapshot, 0);
}

static int64_t version_end(const Lane *lane)
{
    return position_at(lane->listing->version + 1, false, 0);
}

static void tell_snapshot(const Lane *lane)
{
    const Listing *listing = lane->listing;
    if (listing->snapshot && (listing->n_files >= INFO_FILES || listing->pruned > 0))
        sf_log(lane->node, SF_LOG_INFO,
               "%s: version %" PRId64 " was read as a snapshot: %" PRId64 " files, %" PRId64
               " of them passed over by partition values and statistics",
               store_url(lane->follow.log->store), listing->version, listing->n_files, listing->pruned);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static SfStatus name_file(const Lane *lane, const SourceFile *file, SfStatus status, SfError *err)
{
    const char *path = delta_json_text(file->action, "path");
    return sf_fail_prefix(err, status, "%s: version %" PRId64 ", file '%s'", store_url(lane->follow.log->store),
                          lane->listing->version, path ? path : "");
}

/* Where sinks stopped behind a file, its rows count, and nobody knows them any more. */
static SfStatus refuse_uncounted(const Lane *lane, const SourceFile *file, SfError *err)
{
    sf_fail(err, SF_FATAL,
            "it is not there, and the log does not say how many rows it had, which is needed to find the row of the "
            "version that comes next; restore it, or give the sinks another place to begin anew with a newer snapshot");
    return name_file(lane, file, SF_FATAL, err);
}

/* A data file is gone. Its rows are passed over, as many as the log says. */
static SfStatus meet_missing_file(const Lane *lane, SourceFile *file, SfError *err)
{
    if (lane->options->on_missing == MISSING_STOP) {
        sf_fail(
            err, SF_FATAL,
            "it is not there: was it vacuumed before it was read? Restore it, give the sinks another place to begin "
            "anew with a newer snapshot, or set 'on_missing: skip' to go on without its rows");
        return name_file(lane, file, SF_FATAL, err);
    }
    if (file->rows < 0 && lane->position > version_start(lane) + lane->listing->row)
        return refuse_uncounted(lane, file, err);
    g_autofree char *rows =
        file->rows >= 0 ? g_strdup_printf("%" PRId64, file->rows) : g_strdup("an unknown number of");
    const char *path = delta_json_text(file->action, "path");
    sf_log(lane->node, SF_LOG_WARNING, "%s: version %" PRId64 ", file '%s' is missing: %s rows are passed over",
           store_url(lane->follow.log->store), lane->listing->version, path ? path : "", rows);
    file->fate = WHERE_NEVER;
    file->rows = MAX(file->rows, 0);
    return SF_OK;
}

static SfStatus count_rows(const Lane *lane, SourceFile *file, SfError *err)
{
    if (file->rows >= 0)
        return SF_OK;
    SfStatus status = reading_count(lane->follow.log, file, &file->rows, err);
    if (status == SF_EMPTY)
        return meet_missing_file(lane, file, err);
    return status == SF_OK ? SF_OK : name_file(lane, file, status, err);
}

static bool spend_quota(Quota *quota, const SourceFile *file)
{
    json_object *size = delta_json_member(file->action, "size", json_type_int);
    int64_t bytes = size ? MAX(json_object_get_int64(size), 0) : 0;
    if (quota->used && (quota->files < 1 || bytes > quota->bytes))
        return false;
    quota->used = true;
    quota->files = MAX(quota->files - 1, 0);
    quota->bytes = MAX(quota->bytes - bytes, 0);
    return true;
}

/* Begins to read lane->file, which has rows behind the position. SF_EMPTY: the quota is used up. */
static SfStatus open_file(Lane *lane, Quota *quota, SfError *err)
{
    int64_t row = lane->position - version_start(lane) - lane->listing->row;
    Quota before = *quota;
    if (!spend_quota(quota, lane->file))
        return SF_EMPTY;
    SfStatus status =
        reading_new(lane->follow.log, lane->columns, lane->listing, lane->file, MAX(row, 0), &lane->reading, err);
    if (status == SF_OK)
        return SF_OK;
    *quota = before;
    return status == SF_EMPTY ? meet_missing_file(lane, lane->file, err) : name_file(lane, lane->file, status, err);
}

/* Positions are counted below SNAPSHOT_ROWS. */
static SfStatus check_room(const Lane *lane, SfError *err)
{
    if (lane->file->rows < SNAPSHOT_ROWS - lane->listing->row)
        return SF_OK;
    return sf_fail(err, SF_CONFIG,
                   "%s: version %" PRId64 " has more than %" PRId64
                   " rows, which positions have no room for; begin with 'starting: latest'",
                   store_url(lane->follow.log->store), lane->listing->version, SNAPSHOT_ROWS);
}

/* The next file that has rows to give. SF_END: the version has no more. */
static SfStatus next_file(Lane *lane, Quota *quota, SfError *err)
{
    ListingOptions options = listing_options(lane);
    while (!lane->reading) {
        if (!lane->file) {
            SF_TRY(listing_next(&options, lane->listing, &lane->file, err));
            lane->listing->pruned += lane->file->fate == WHERE_NEVER;
        }
        SF_TRY(count_rows(lane, lane->file, err));
        SF_TRY(check_room(lane, err));
        int64_t end = version_start(lane) + lane->listing->row + lane->file->rows;
        bool wanted = end > lane->position;
        if (wanted && lane->file->fate != WHERE_NEVER)
            SF_TRY(open_file(lane, quota, err));
        if (!wanted || lane->file->fate == WHERE_NEVER) {
            lane->listing->row += lane->file->rows;
            lane->file = NULL;
        }
    }
    return SF_OK;
}

/* ---- batches ---------------------------------------------------------------------------------------------------- */

static SfStatus give_nothing(const Lane *lane, int64_t end, SfBatch *out, SfError *err)
{
    SfBuilder *builder = sf_builder_new(&lane->columns->out, err);
    SfStatus status = builder ? sf_builder_finish(builder, &out->rows, err) : SF_FATAL;
    sf_builder_free(builder);
    out->end = end;
    return status;
}

/* Whether nothing comes behind the file that was read to its end. */
static bool is_last_file(const Lane *lane)
{
    return lane->listing->next >= lane->listing->files->len && !lane->listing->more;
}

static void end_rows(Lane *lane, SfBatch *out)
{
    lane->listing->row += reading_rows(lane->reading);
    end_file(lane);
    if (!is_last_file(lane))
        return;
    out->end = version_end(lane);
    tell_snapshot(lane);
    end_version(lane);
}

/* SF_END: the file has no more rows. A range that moves nothing is passed over. */
static SfStatus read_rows(Lane *lane, SfBatch *out, SfError *err)
{
    int64_t base = version_start(lane) + lane->listing->row;
    for (;;) {
        SfStatus status = reading_next(lane->reading, out, err);
        if (status == SF_END)
            return SF_END;
        if (status != SF_OK)
            return name_file(lane, lane->file, status, err);
        out->end += base;
        if (out->rows.length > 0 || out->end > lane->position)
            break;
        sf_array_done(&out->rows);
    }
    if (out->end == base + reading_rows(lane->reading))
        end_rows(lane, out);
    return SF_OK;
}

/* One batch of the version. */
static SfStatus read_batch(Lane *lane, Quota *quota, SfBatch *out, SfError *err)
{
    for (;;) {
        SfStatus status = next_file(lane, quota, err);
        if (status == SF_END) {
            int64_t end = version_end(lane);
            tell_snapshot(lane);
            end_version(lane);
            return give_nothing(lane, end, out, err);
        }
        SF_TRY(status);
        int64_t base = version_start(lane) + lane->listing->row;
        if (lane->position < base) /* files before it were passed over */
            return give_nothing(lane, base, out, err);
        status = read_rows(lane, out, err);
        if (status != SF_END)
            return status;
        lane->listing->row += reading_rows(lane->reading);
        end_file(lane);
    }
}

static SfStatus give_batch(Lane *lane, SfStatus status, SfBatch *out)
{
    if (status == SF_OK) {
        out->split = lane->split;
        out->start = lane->position;
        out->newest_us = INT64_MIN;
        backlog_add(&lane->backlog, out->end, out->rows.length);
        lane->position = out->end;
    } else if (status != SF_EMPTY) {
        end_version(lane); /* listed and read again up to the position */
    }
    return status;
}

SfStatus lane_poll(Lane *lane, Quota *quota, SfBatch *out, SfError *err)
{
    if (lane->position >= lane_end(lane))
        return SF_END;
    if (!lane->listing)
        SF_TRY(open_version(lane, err));
    SfStatus status = lane->listing ? read_batch(lane, quota, out, err) : give_nothing(lane, lane->skip_to, out, err);
    return give_batch(lane, status, out);
}

/* ---- lag --------------------------------------------------------------------------------------------------------- */

/* Of the version that is being read. */
static int64_t rows_of_listing(const Lane *lane)
{
    if (!lane->listing)
        return 0;
    int64_t base = version_start(lane) + lane->listing->row;
    int64_t file = lane->reading ? reading_rows(lane->reading) - MAX(lane->position - base, 0) : 0;
    return lane->listing->left + MAX(file, 0);
}

int64_t lane_lag_end(const Lane *lane)
{
    int64_t versions = lane->last_version + 1 - place_of(lane->position).version - (lane->listing ? 1 : 0);
    return lane->backlog.committed + lane->backlog.rows + rows_of_listing(lane) + MAX(versions, 0);
}
