/* Opening a table at a version. */
#include "table.h"

#include <stdio.h>

#include "data/printable.h"
#include "runtime/fault.h"
#include "runtime/runtime.h"

static void say(SfNode *node, SfLogLevel level, const char *message)
{
    const OpenTable *table = node->host_data;
    g_autofree char *text = message_line(message);
    if (level == SF_LOG_WARNING)
        fprintf(stderr, "sfrun %s: %s\n", table->page->name, text);
}

static void die_here(SfNode *node, const char *point)
{
    (void) node;
    fault_pass(point);
}

static int64_t now_ms(SfNode *node)
{
    (void) node;
    return g_get_real_time() / 1000;
}

/* "2024-01-15", "2024-01-15 10:30:01", "2024-01-15T10:30:01.5Z"; UTC. */
static SfStatus parse_timestamp(const char *text, int64_t *ms, SfError *err)
{
    int64_t us, days;
    g_autofree char *with_zone = g_strconcat(text, "Z", NULL);
    if (delta_date_parse(text, &days))
        *ms = days * INT64_C(86400000);
    else if (delta_timestamp_parse(text, ' ', &us) || delta_timestamp_parse(text, 'T', &us) ||
             delta_timestamp_parse(with_zone, 'T', &us))
        *ms = us / 1000;
    else
        return sf_fail(err, SF_CONFIG, "--timestamp: '%s' is not a time such as 2024-01-15 or 2024-01-15T10:30:01Z",
                       text);
    return SF_OK;
}

static SfStatus load_table(OpenTable *table, SfError *err)
{
    const TableOptions *options = table->options;
    SF_TRY(options->version >= 0 && !options->timestamp ? delta_log_load_at(table->log, options->version, err)
                                                        : delta_log_load(table->log, err));
    if (table->log->version < 0)
        return sf_fail(err, SF_CONFIG,
                       "'%s' is not a Delta table: there is no _delta_log in it; `sfrun ls '%s'` shows "
                       "what is there",
                       table->place.shown, table->place.shown);
    if (!options->timestamp)
        return SF_OK;
    int64_t ms = 0, version = 0;
    SF_TRY(parse_timestamp(options->timestamp, &ms, err));
    SF_TRY(delta_version_at(table->log, ms, &version, err));
    return version == table->log->version ? SF_OK : delta_log_load_at(table->log, version, err);
}

static SfStatus read_schema(OpenTable *table, SfError *err)
{
    SF_TRY(delta_log_check_reading(table->log, err));
    table->schema = delta_schema_parse(table->log->metadata, err);
    if (!table->schema)
        return sf_fail_prefix(err, SF_FATAL, "%s", store_url(table->log->store));
    table->fields = delta_json_member(table->schema, "fields", json_type_array);
    return SF_OK;
}

int table_open(const CliPage *page, const TableOptions *options, const char *word, OpenTable *out)
{
    SfError err = {""};
    *out = (OpenTable){.page = page, .options = options};
    out->host = (SfHost){.size = sizeof(SfHost), .log = say, .now_ms = now_ms, .fault = die_here};
    out->node = (SfNode){.size = sizeof(SfNode), .host = &out->host, .host_data = out};
    if (options->version >= 0 && options->timestamp)
        return cli_fail(page, "--version and --timestamp say the same in two ways; give one");
    int status = place_open(page, &options->place, word, true, &out->place);
    if (status >= 0)
        return status;
    out->log = delta_log_new(&out->node, out->place.store);
    SfStatus loaded = load_table(out, &err);
    if (loaded == SF_OK)
        loaded = read_schema(out, &err);
    return loaded == SF_OK ? -1 : place_failed(page, &err);
}

void table_close(OpenTable *table)
{
    json_object_put(table->schema);
    delta_log_free(table->log);
    place_done(&table->place);
    *table = (OpenTable){0};
}

int64_t table_number(json_object *object, const char *name)
{
    json_object *number = delta_json_member(object, name, json_type_int);
    return number ? MAX(json_object_get_int64(number), -1) : -1;
}
