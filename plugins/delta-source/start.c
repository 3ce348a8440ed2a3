/* Where a sink that knows nothing of the table begins. */
#include "local_path.h"
#include "source.h"

#include <inttypes.h>
#include <string.h>

/* Spark's options, whose version may be a word. */
static SfStatus take_spark_names(StartOptions *start, SfError *err)
{
    gint64 version;
    start->timestamp = start->timestamp ? start->timestamp : start->spark_timestamp;
    if (!start->spark_version)
        return SF_OK;
    if (strcmp(start->spark_version, "latest") == 0) {
        start->starting = START_LATEST;
        return SF_OK;
    }
    if (!g_ascii_string_to_signed(start->spark_version, 10, 0, MOST_VERSION, &version, NULL))
        return sf_fail(err, SF_CONFIG, "startingVersion: '%s' is not a version or 'latest'", start->spark_version);
    start->version = version;
    return SF_OK;
}

/* "2024-01-15", "2024-01-15 10:30:01", "2024-01-15T10:30:01.5Z"; UTC. */
static bool parse_moment(const char *text, int64_t *ms)
{
    int64_t us, days;
    g_autofree char *with_zone = g_strconcat(text, "Z", NULL);
    if (delta_date_parse(text, &days)) {
        *ms = days * INT64_C(86400000);
        return true;
    }
    bool good = delta_timestamp_parse(text, ' ', &us) || delta_timestamp_parse(text, 'T', &us) ||
                delta_timestamp_parse(with_zone, 'T', &us);
    *ms = good ? us / 1000 : 0;
    return good;
}

SfStatus start_check(StartOptions *start, SfError *err)
{
    int64_t ms;
    SF_TRY(take_spark_names(start, err));
    if (start->version >= 0 && start->timestamp)
        return sf_fail(err, SF_CONFIG, "starting_version: give it or starting_timestamp, not both");
    if (start->starting == START_SNAPSHOT && start->version >= 0)
        start->starting = START_VERSION;
    if (start->starting == START_SNAPSHOT && start->timestamp)
        start->starting = START_TIMESTAMP;
    if ((start->starting == START_VERSION) != (start->version >= 0) ||
        (start->starting == START_TIMESTAMP) != (start->timestamp != NULL))
        return sf_fail(err, SF_CONFIG,
                       "starting: 'version' goes with starting_version, 'timestamp' with starting_timestamp, the "
                       "others with neither");
    if (start->timestamp && !parse_moment(start->timestamp, &ms))
        return sf_fail(err, SF_CONFIG,
                       "starting_timestamp: '%s' is not a time such as 2024-01-15 or 2024-01-15T10:30:01Z",
                       start->timestamp);
    return SF_OK;
}

/* The first commit at that time or later. */
static SfStatus version_from(DeltaLog *log, const char *timestamp, int64_t *version, SfError *err)
{
    int64_t ms = 0;
    g_autoptr(GArray) commits = NULL;
    parse_moment(timestamp, &ms);
    SF_TRY(delta_commits_list(log, &commits, err));
    if (commits->len > 0 && g_array_index(commits, DeltaCommit, 0).version == 0) {
        g_auto(DeltaCommitInfo) info = {0};
        SF_TRY(delta_commit_info(log, &g_array_index(commits, DeltaCommit, 0), &info, err));
        *version = 0;
        if (info.time_ms >= ms)
            return SF_OK;
    }
    SfStatus status = delta_version_at(log, ms - 1, version, err);
    if (status == SF_CONFIG)
        return sf_fail_prefix(err, status, "starting_timestamp: '%s'", timestamp);
    ++*version;
    return status;
}

SfStatus start_position(const StartOptions *start, DeltaLog *log, int64_t *position, SfError *err)
{
    int64_t version = log->version + 1;
    if (start->starting == START_SNAPSHOT) {
        *position = position_at(log->version, true, 0);
        return SF_OK;
    }
    if (start->starting == START_TIMESTAMP)
        SF_TRY(version_from(log, start->timestamp, &version, err));
    if (start->starting == START_VERSION)
        version = start->version;
    if (version > log->version + 1)
        return sf_fail(err, SF_CONFIG, "starting_version: %s has no version %" PRId64 " yet; the newest is %" PRId64,
                       store_url(log->store), version, log->version);
    *position = position_at(version, false, 0);
    return SF_OK;
}

int64_t start_before(int64_t position)
{
    Place place = place_of(position);
    int64_t version = place.snapshot ? place.version : place.version - 1;
    return version < 0 ? 0 : position_at(version, true, 0);
}

SfStatus start_check_snapshot(DeltaLog *log, int64_t position, SfError *err)
{
    Place place = place_of(position);
    g_autoptr(DeltaLog) then = delta_log_new(log->node, log->store);
    SfError why = {""};
    SfStatus status = place.snapshot ? delta_log_load_at(then, place.version, &why) : SF_OK;
    if (status == SF_CONFIG)
        return sf_fail(err, status,
                       "%s; a new sink needs it, since another sink has got no further; run the pipeline without the "
                       "new sink until the others have caught up, then add it",
                       why.message);
    return status == SF_OK ? SF_OK : sf_fail(err, status, "%s", why.message);
}

SfStatus start_split_name(const char *url, char **out, SfError *err)
{
    if (g_str_has_prefix(url, "s3://") || g_str_has_prefix(url, "s3a://")) {
        *out = g_strconcat("s3://", strstr(url, "://") + 3, NULL);
        return SF_OK;
    }
    g_autofree char *path =
        g_str_has_prefix(url, "file://") ? g_uri_unescape_string(url + strlen("file://"), NULL) : g_strdup(url);
    const char *from = path && g_str_has_prefix(path, "localhost/") ? path + strlen("localhost") : path;
    return local_path_absolute("url", from ? from : url, out, err);
}
