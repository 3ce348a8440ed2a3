/* What the table looks like and what that means for the rows of each input: created, appended to, or grown. */
#include "sink.h"

static SfStatus check_partition(const struct ArrowSchema *input, const char *name, SfError *err)
{
    int number = delta_column_of(input, name);
    SfField field;
    if (number < 0)
        return sf_fail(err, SF_CONFIG,
                       "partition_by: there is no column '%s' in the rows (a table that is there keeps its own "
                       "partitioning without the option)",
                       name);
    SF_TRY(sf_schema_field(input->children[number], &field, err));
    if (field.type == SF_BINARY || field.type == SF_LIST || field.type == SF_STRUCT)
        return sf_fail(err, SF_CONFIG, "partition_by: column '%s' is a %s, which a table cannot be partitioned by",
                       name, sf_type_name(field.type));
    return SF_OK;
}

static SfStatus check_partition_again(const Sink *sink, size_t number, SfError *err)
{
    const char *name = sink->partition_by.items[number];
    for (size_t i = 0; i < number; i++)
        if (delta_name_equal(name, sink->partition_by.items[i]))
            return sf_fail(err, SF_CONFIG, "partition_by: column '%s' is there twice", name);
    return SF_OK;
}

/* Which names there may be, the table says: with column mapping, any. */
static SfStatus check_columns(const struct ArrowSchema *input, SfError *err)
{
    g_autoptr(json_object) schema = delta_schema_new();
    bool changed = false;
    return delta_schema_merge(schema, input, DELTA_MERGE_MAPPED, &changed, err);
}

SfStatus table_check_options(const Sink *sink, const struct ArrowSchema *input, SfError *err)
{
    SfError all = {0};
    SfError one = {0};
    properties_check(sink, &all);
    for (size_t i = 0; i < sink->partition_by.size; i++) {
        if (check_partition(input, sink->partition_by.items[i], &one) != SF_OK ||
            check_partition_again(sink, i, &one) != SF_OK)
            sf_fail_also(&all, &one);
    }
    if (check_columns(input, &one) != SF_OK)
        sf_fail_also(&all, &one);
    return all.message[0] ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static bool is_busy(const Sink *sink)
{
    return sink->n_open > 0 || sink->files->len > 0;
}

static bool same_names(const GPtrArray *a, const GPtrArray *b)
{
    bool same = a->len == b->len;
    for (guint i = 0; same && i < a->len; i++)
        same = g_str_equal(a->pdata[i], b->pdata[i]);
    return same;
}

/* The columns that the table is partitioned by, each of which its schema has to have. */
static SfStatus table_partitions(const Sink *sink, GPtrArray *names, SfError *err)
{
    json_object *list = delta_json_member(sink->log->metadata, "partitionColumns", json_type_array);
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        g_ptr_array_add(names, g_strdup(json_object_get_string(json_object_array_get_idx(list, i))));
    for (guint i = 0; i < names->len; i++)
        if (!names->pdata[i] || !delta_schema_field(sink->schema, names->pdata[i]))
            return sf_fail(err, SF_FATAL, "%s: the table is partitioned by '%s', which its schema does not have",
                           store_url(sink->store), names->pdata[i] ? (const char *) names->pdata[i] : "null");
    return SF_OK;
}

/* The option's columns, as the schema of the table to be created writes them. */
static void option_partitions(const Sink *sink, GPtrArray *names)
{
    for (size_t i = 0; i < sink->partition_by.size; i++) {
        json_object *field = delta_schema_field(sink->schema, sink->partition_by.items[i]);
        g_ptr_array_add(names, g_strdup(delta_json_text(field, "name")));
    }
}

/* The option must agree with a table that is there, where it is given. */
static SfStatus check_option_agrees(const Sink *sink, const GPtrArray *names, SfError *err)
{
    bool same = names->len == sink->partition_by.size;
    for (guint i = 0; same && i < names->len; i++)
        same = delta_name_equal(names->pdata[i], sink->partition_by.items[i]);
    if (same || sink->partition_by.size == 0)
        return SF_OK;
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (const char *) names->pdata[i]);
    return sf_fail(err, SF_CONFIG,
                   "partition_by differs from %s, which is partitioned by [%s]; a table's partitioning cannot change",
                   store_url(sink->store), text->str);
}

/* Takes the names over, with those that files and the log have for them. */
static void set_partitions(Sink *sink, GPtrArray *names)
{
    g_clear_pointer(&sink->partitions, g_ptr_array_unref);
    g_clear_pointer(&sink->keys, g_ptr_array_unref);
    sink->partitions = names;
    sink->keys = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(sink->keys,
                        g_strdup(delta_file_name(delta_schema_field(sink->schema, names->pdata[i]), sink->mapped)));
}

static SfStatus plan_partitions(Sink *sink, SfError *err)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    SF_TRY(table_partitions(sink, names, err));
    if (sink->log->version < 0)
        option_partitions(sink, names);
    else
        SF_TRY(check_option_agrees(sink, names, err));
    if (sink->partitions && !same_names(sink->partitions, names) && is_busy(sink))
        return sf_fail(err, SF_FENCED, "the partitioning of %s has changed under rows that are not committed",
                       store_url(sink->store));
    set_partitions(sink, g_steal_pointer(&names));
    return SF_OK;
}

static SfStatus plan_partition(const Sink *sink, const Input *input, const char *name, PartitionColumn *out,
                               SfError *err)
{
    json_object *field = delta_schema_field(sink->schema, name);
    out->number = delta_column_of(&input->schema, name);
    out->nullable = delta_field_nullable(field);
    out->local = g_strcmp0(delta_json_text(field, "type"), "timestamp_ntz") == 0;
    const DeltaRule *rule = out->number >= 0 ? delta_rules_of(input->rules, out->number) : NULL;
    if (rule && rule->kind == DELTA_CHAR)
        return sf_fail(err, SF_CONFIG, "%s is partitioned by '%s', a char(%d), which this sink lacks",
                       store_url(sink->store), name, rule->limit);
    return SF_OK;
}

static SfStatus plan_rules(Sink *sink, Input *input, SfError *err)
{
    GPtrArray *rules = delta_rules_new(sink->schema, &input->schema, err);
    if (!rules)
        return sf_fail_prefix(err, SF_CONFIG, "%s", store_url(sink->store));
    if (input->rules)
        g_ptr_array_unref(input->rules);
    input->rules = rules;
    g_clear_pointer(&input->checks, g_ptr_array_unref);
    if (sink->log->version < 0)
        return SF_OK;
    input->checks = delta_checks_new(sink->log, &input->schema, err);
    return input->checks ? SF_OK : SF_CONFIG;
}

/* What a file of these columns would be, in a form to compare. */
static bool same_files(const DeltaProjection *a, const DeltaProjection *b)
{
    return sf_schema_equal(&a->schema, &b->schema) && delta_hints_equal(&a->schema, a->hints, b->hints);
}

static SfStatus plan_input(Sink *sink, Input *input, SfError *err)
{
    SF_TRY(plan_rules(sink, input, err));
    g_autofree char **names = g_new0(char *, sink->partitions->len + 1);
    for (guint i = 0; i < sink->partitions->len; i++)
        names[i] = sink->partitions->pdata[i];
    DeltaProjection projection = {0};
    SF_TRY(delta_schema_project(sink->schema, sink->mapped, &input->schema, names, &projection, err));
    bool first = input->projection.n == 0;
    bool same = !first && same_files(&input->projection, &projection);
    delta_projection_done(&input->projection);
    input->projection = projection;
    if (!same) {
        g_ptr_array_set_size(input->idle, 0);
        if (is_busy(sink))
            return sf_fail(err, SF_FENCED, "the schema of %s has changed under rows that are not committed",
                           store_url(sink->store));
    }
    g_free(input->partition);
    input->partition = g_new0(PartitionColumn, sink->partitions->len);
    for (guint i = 0; i < sink->partitions->len; i++)
        SF_TRY(plan_partition(sink, input, names[i], &input->partition[i], err));
    return SF_OK;
}

/* Numbers that rows have, and no commit yet, must be free still. */
static SfStatus plan_identities(Sink *sink, json_object *schema, SfError *err)
{
    g_autoptr(GPtrArray) identities = delta_identities_new(sink->log, schema);
    for (guint i = 0; sink->identities && i < sink->identities->len && is_busy(sink); i++) {
        const DeltaIdentity *older = sink->identities->pdata[i];
        DeltaIdentity *identity = delta_identity_find(identities, older->name);
        if (!identity || !delta_identity_follows(identity, older))
            return sf_fail(err, SF_FENCED,
                           "%s: another writer has used numbers of the identity column '%s' that rows here have",
                           store_url(sink->store), older->name);
        identity->begun = older->begun;
        identity->last = older->last;
    }
    if (sink->identities)
        g_ptr_array_unref(sink->identities);
    sink->identities = g_steal_pointer(&identities);
    return SF_OK;
}

static SfStatus plan_fills(Sink *sink, json_object *schema, Input *input, SfError *err)
{
    GPtrArray *fills = delta_fills_new(sink->log, schema, sink->identities, &input->given, err);
    if (!fills)
        return SF_CONFIG;
    if (input->fills)
        g_ptr_array_unref(input->fills);
    input->fills = fills;
    sf_schema_done(&input->schema);
    return delta_fills_schema(fills, &input->given, &input->schema, err);
}

static SfStatus plan_columns(Sink *sink, json_object *schema, SfError *err)
{
    SF_TRY(plan_identities(sink, schema, err));
    for (size_t i = 0; i < sink->n_inputs; i++)
        SF_TRY(plan_fills(sink, schema, &sink->inputs[i], err));
    return SF_OK;
}

SfStatus table_plan(Sink *sink, SfError *err)
{
    bool create = sink->log->version < 0;
    if (!create)
        SF_TRY(delta_log_check_features(sink->log, err));
    g_autoptr(json_object) schema = create ? delta_schema_new() : delta_schema_parse(sink->log->metadata, err);
    if (!schema)
        return SF_FATAL;
    SF_TRY(plan_columns(sink, schema, err));
    bool changed = create;
    sink->mapped = create ? properties_map_columns(sink) : delta_log_maps(sink->log);
    DeltaMerge evolve = sink->mapped ? DELTA_MERGE_MAPPED : DELTA_MERGE_EVOLVE;
    DeltaMerge fresh = sink->mapped ? DELTA_MERGE_CREATE_MAPPED : DELTA_MERGE_CREATE;
    DeltaMerge how = create ? fresh : sink->merge_schema ? evolve : DELTA_MERGE_CHECK;
    for (size_t i = 0; i < sink->n_inputs; i++) {
        SfStatus status = delta_schema_merge(schema, &sink->inputs[i].schema, how, &changed, err);
        if (status != SF_OK)
            return sf_fail_prefix(err, status, "%s", store_url(sink->store));
    }
    sink->column_id = table_number(sink, "delta.columnMapping.maxColumnId", 0);
    if (sink->mapped)
        SF_TRY(delta_mapping_extend(schema, &sink->column_id, err));
    json_object_put(sink->schema);
    sink->schema = g_steal_pointer(&schema);
    sink->schema_changed = changed;
    SF_TRY(plan_partitions(sink, err));
    for (size_t i = 0; i < sink->n_inputs; i++)
        SF_TRY(plan_input(sink, &sink->inputs[i], err));
    return SF_OK;
}

SfStatus table_refresh(Sink *sink, SfError *err)
{
    if (sink->stale)
        SF_TRY(table_plan(sink, err));
    sink->stale = false;
    return SF_OK;
}

static json_object *new_metadata(const Sink *sink)
{
    json_object *metadata = json_object_new_object();
    json_object *format = json_object_new_object();
    json_object *columns = json_object_new_array();
    json_object *configuration = json_object_new_object();
    g_autofree char *id = delta_uuid();
    json_object_object_add(format, "provider", json_object_new_string("parquet"));
    json_object_object_add(format, "options", json_object_new_object());
    for (guint i = 0; i < sink->partitions->len; i++)
        json_object_array_add(columns, json_object_new_string(sink->partitions->pdata[i]));
    properties_add(sink, configuration);
    json_object_object_add(metadata, "id", json_object_new_string(id));
    json_object_object_add(metadata, "format", format);
    json_object_object_add(metadata, "schemaString", NULL);
    json_object_object_add(metadata, "partitionColumns", columns);
    json_object_object_add(metadata, "configuration", configuration);
    json_object_object_add(metadata, "createdTime", json_object_new_int64(sf_now_ms(sink->node)));
    return metadata;
}

/* The action of the next commit: what others have put into it stays. */
json_object *table_metadata(Sink *sink)
{
    json_object *metadata = NULL;
    if (sink->log->version < 0)
        metadata = new_metadata(sink);
    else
        json_object_deep_copy(sink->log->metadata, &metadata, NULL);
    for (guint i = 0; i < sink->identities->len; i++)
        delta_identity_write(sink->identities->pdata[i], sink->schema);
    const char *text =
        json_object_to_json_string_ext(sink->schema, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    json_object_object_add(metadata, "schemaString", json_object_new_string(text));
    json_object *configuration = delta_json_member(metadata, "configuration", json_type_object);
    if (sink->mapped && configuration) {
        g_autofree char *highest = g_strdup_printf("%" G_GINT64_FORMAT, sink->column_id);
        json_object_object_add(configuration, "delta.columnMapping.maxColumnId", json_object_new_string(highest));
    }
    return metadata;
}

bool table_changes(const Sink *sink)
{
    bool changes = sink->schema_changed;
    for (guint i = 0; i < sink->identities->len; i++)
        changes |= delta_identity_moved(sink->identities->pdata[i]);
    return changes;
}

void table_committed(Sink *sink)
{
    sink->schema_changed = false;
    for (guint i = 0; i < sink->identities->len; i++)
        delta_identity_written(sink->identities->pdata[i]);
}

int64_t table_number(const Sink *sink, const char *property, int64_t other)
{
    const char *text = delta_log_property(sink->log, property);
    gint64 number;
    return text && g_ascii_string_to_signed(text, 10, -1, INT32_MAX, &number, NULL) ? number : other;
}

/* A clustered table wants statistics of the columns that it is clustered by, wherever they are (PROTOCOL.md, "Clustered
 * Table"). */
int64_t table_indexed(const Sink *sink)
{
    bool clustered = sink->log->version >= 0 && delta_log_supports(sink->log, "clustering");
    return clustered ? -1 : table_number(sink, "delta.dataSkippingNumIndexedCols", 32);
}
