/* YAML trees and an input's schema → the tables to keep. */
#include "model.h"

#include <string.h>

const char *const model_provenance[] = {"_topic", "_partition", "_offset", "_timestamp", NULL};

/* Of one table that are told at once: each is compared with all columns of the input for the nearest name. */
#define MOST_MISTAKES 10

static const char tombstone_name[] = "_tombstone";

/* What one table is being built from. */
typedef struct Build {
    Model *model;
    Target *target;
    const ModelInput *input;
} Build;

void model_free(Model *model)
{
    if (!model)
        return;
    g_ptr_array_unref(model->targets);
    g_hash_table_unref(model->tables);
    g_array_unref(model->sources);
    g_hash_table_unref(model->source_names);
    g_string_chunk_free(model->text);
    g_free(model);
}

NameSet *model_columns(const struct ArrowSchema *schema)
{
    NameSet *columns = name_set_new(NAMES_EXACT);
    for (int64_t i = 0; i < schema->n_children; i++)
        name_set_add(columns, schema->children[i]->name, i);
    return columns;
}

/* "; did you mean 'x'?" over the input's columns. */
static const char *suggest_input_column(const ModelInput *input, const char *name, char *out, gsize size)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (int64_t i = 0; i < input->schema->n_children; i++)
        g_ptr_array_add(names, (gpointer) input->schema->children[i]->name);
    return sf_suggest(name, (const char *const *) names->pdata, names->len, out, size);
}

static guint add_source(Model *model, Source source)
{
    guint number = model->sources->len;
    g_array_append_val(model->sources, source);
    name_set_add(model->source_names, source.name, number);
    return number;
}

static SfStatus find_source(const Build *build, const char *name, const SfValue *place, guint *out, SfError *err)
{
    Model *model = build->model;
    gint64 known = name_set_find(model->source_names, name);
    *out = (guint) known;
    if (known >= 0)
        return SF_OK;
    char hint[160];
    gint64 number = name_set_find(build->input->columns, name);
    if (number < 0)
        return sf_value_fail(place, err, "table '%s': input '%s' has no column '%s'%s", build->target->table,
                             build->input->name, name, suggest_input_column(build->input, name, hint, sizeof hint));
    SfField field;
    if (sf_schema_field(build->input->schema->children[number], &field, err) != SF_OK)
        return SF_CONFIG;
    if (field.type == SF_LIST || field.type == SF_STRUCT)
        return sf_value_fail(place, err,
                             "table '%s': column '%s' is a %s, which a table cannot hold; "
                             "take a member of it in the step before, or leave it out",
                             build->target->table, name, sf_type_name(field.type));
    Source source = {.name = g_string_chunk_insert_const(model->text, name),
                     .type = field.type,
                     .precision = field.precision,
                     .scale = field.scale};
    *out = add_source(model, source);
    return SF_OK;
}

static SfStatus model_add_column(const Build *build, const char *name, const char *from, const char *override,
                                 const SfValue *place, SfError *err)
{
    GStringChunk *text = build->model->text;
    if (*name == '\0')
        return sf_value_fail(place, err, "table '%s': a column has an empty name", build->target->table);
    if (target_find(build->target, name) >= 0)
        return sf_value_fail(place, err, "table '%s' lists column '%s' twice", build->target->table, name);
    Column column = {.name = g_string_chunk_insert_const(text, name),
                     .override = override ? g_string_chunk_insert_const(text, override) : NULL};
    SF_TRY(find_source(build, from, place, &column.source, err));
    target_add(build->target, column);
    return SF_OK;
}

/* `type:` goes into CREATE TABLE as it is: letters, digits and what types are written with, nothing that ends a
 * column. */
static SfStatus check_override(const SfValue *value, const char *column, SfError *err)
{
    const char *text = sf_value_text(value);
    int depth = 0;
    bool good = text && g_ascii_isalpha(*text);
    for (const char *at = text; good && *at; at++) {
        depth += (*at == '(') - (*at == ')');
        good = depth >= 0 && (g_ascii_isalnum(*at) || strchr("_ ()", *at) || (*at == ',' && depth > 0));
    }
    if (!good || depth != 0)
        return sf_value_fail(value, err, "column '%s': 'type' is a type of the database's, such as 'varchar(20)'",
                             column);
    return SF_OK;
}

/* What stands behind a column's name: nothing, the input's column, or {from, type}. */
static SfStatus parse_table_column(const Build *build, const SfValue *key, const SfValue *value, SfError *err)
{
    const char *name = sf_value_text(key);
    SfValueKind kind = sf_value_kind(value);
    if (kind == SF_VALUE_NULL)
        return model_add_column(build, name, name, NULL, key, err);
    if (kind == SF_VALUE_SCALAR)
        return model_add_column(build, name, sf_value_text(value), NULL, value, err);
    if (kind == SF_VALUE_LIST)
        return sf_value_fail(value, err, "column '%s' takes a column of the input, {from: …, type: …}, or nothing",
                             name);
    static const char *const words[] = {"from", "type"};
    for (gsize i = 0; i < sf_value_size(value); i++) {
        const char *word = sf_value_text(sf_value_key(value, i));
        char hint[160];
        if (strcmp(word, words[0]) != 0 && strcmp(word, words[1]) != 0)
            return sf_value_fail(sf_value_key(value, i), err, "column '%s': unknown key '%s'%s", name, word,
                                 sf_suggest(word, words, G_N_ELEMENTS(words), hint, sizeof hint));
    }
    const SfValue *from = sf_value_get(value, "from");
    const SfValue *type = sf_value_get(value, "type");
    if (from && sf_value_kind(from) != SF_VALUE_SCALAR)
        return sf_value_fail(from, err, "column '%s': 'from' is a column of the input", name);
    if (type)
        SF_TRY(check_override(type, name, err));
    return model_add_column(build, name, from ? sf_value_text(from) : name, type ? sf_value_text(type) : NULL,
                            from ? from : key, err);
}

static SfStatus parse_item(const Build *build, const SfValue *item, SfError *err)
{
    SfValueKind kind = sf_value_kind(item);
    if (kind == SF_VALUE_SCALAR)
        return model_add_column(build, sf_value_text(item), sf_value_text(item), NULL, item, err);
    if (kind == SF_VALUE_MAP && sf_value_size(item) == 1)
        return parse_table_column(build, sf_value_key(item, 0), sf_value_at(item, 0), err);
    return sf_value_fail(item, err, "table '%s': a column is a name or one 'name: column of the input'",
                         build->target->table);
}

/* A list of columns, or a map of them: what is wrong with them. */
static SfStatus parse_each(const Build *build, const SfValue *columns, SfError *err)
{
    bool map = sf_value_kind(columns) == SF_VALUE_MAP;
    SfError all = {""}, one;
    guint mistakes = 0;
    for (gsize i = 0; i < sf_value_size(columns) && mistakes < MOST_MISTAKES; i++) {
        const SfValue *item = sf_value_at(columns, i);
        SfStatus status =
            map ? parse_table_column(build, sf_value_key(columns, i), item, &one) : parse_item(build, item, &one);
        if (status == SF_OK)
            continue;
        sf_fail_also(&all, &one);
        mistakes++;
    }
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static bool is_about_the_event(const Model *model, const char *name)
{
    if (model->tombstone >= 0 && strcmp(name, tombstone_name) == 0)
        return true;
    return g_strv_contains(model_provenance, name);
}

static SfStatus parse_columns(const Build *build, const SfValue *columns, SfError *err)
{
    SfValueKind kind = columns ? sf_value_kind(columns) : SF_VALUE_NULL;
    if (kind == SF_VALUE_SCALAR)
        return model_add_column(build, sf_value_text(columns), sf_value_text(columns), NULL, columns, err);
    if (kind == SF_VALUE_LIST || kind == SF_VALUE_MAP)
        return parse_each(build, columns, err);
    const struct ArrowSchema *schema = build->input->schema;
    bool all = kind == SF_VALUE_NULL && build->target->is_fact;
    for (int64_t i = 0; all && i < schema->n_children; i++)
        if (!is_about_the_event(build->model, schema->children[i]->name))
            SF_TRY(model_add_column(build, schema->children[i]->name, schema->children[i]->name, NULL,
                                    build->target->place, err));
    return SF_OK;
}

/* A name in `key` or `latest_by`: a column of the table, by its own name or the input's; one that is missing is
 * added. */
static SfStatus take_table_column(const Build *build, const char *name, const SfValue *place, GArray *out, SfError *err)
{
    gint64 number = target_find(build->target, name);
    gint64 source = name_set_find(build->model->source_names, name);
    if (number < 0 && source >= 0)
        number = target_find_source(build->target, (guint) source);
    if (number < 0) {
        SF_TRY(model_add_column(build, name, name, NULL, place, err));
        number = build->target->columns->len - 1;
    }
    guint column = (guint) number;
    for (guint i = 0; i < out->len; i++)
        if (g_array_index(out, guint, i) == column)
            return SF_OK;
    g_array_append_val(out, column);
    return SF_OK;
}

/* A scalar or a list of scalars. */
static SfStatus take_table_columns(const Build *build, const SfValue *value, const char *option, GArray *out,
                                   SfError *err)
{
    if (sf_value_kind(value) == SF_VALUE_SCALAR)
        return take_table_column(build, sf_value_text(value), value, out, err);
    if (sf_value_kind(value) != SF_VALUE_LIST || sf_value_size(value) == 0)
        return sf_value_fail(value, err, "table '%s': '%s' is a column or a list of columns", build->target->table,
                             option);
    for (gsize i = 0; i < sf_value_size(value); i++) {
        const SfValue *item = sf_value_at(value, i);
        if (sf_value_kind(item) != SF_VALUE_SCALAR)
            return sf_value_fail(item, err, "table '%s': '%s' is a column or a list of columns", build->target->table,
                                 option);
        SF_TRY(take_table_column(build, sf_value_text(item), item, out, err));
    }
    return SF_OK;
}

static SfStatus parse_key(const Build *build, const SfValue *body, SfError *err)
{
    Target *target = build->target;
    const SfValue *key = sf_value_get(body, "key");
    if (!key)
        return sf_value_fail(target->place, err, "table '%s' needs a 'key': the column that tells one row from another",
                             target->table);
    SF_TRY(take_table_columns(build, key, "key", target->key, err));
    for (guint i = 0; i < target->key->len; i++) {
        const Column *column = target_column(target, g_array_index(target->key, guint, i));
        if (column_source(build->model, column)->type == SF_FLOAT64)
            return sf_value_fail(key, err,
                                 "table '%s': '%s' is a float64, which cannot be a key; use a decimal or a string",
                                 target->table, column->name);
    }
    return SF_OK;
}

/* The winner of two rows with one key: latest_by, then the place in the topic, which no two events share. */
static SfStatus parse_order(const Build *build, const SfValue *body, SfError *err)
{
    Target *target = build->target;
    const SfValue *latest_by = sf_value_get(body, "latest_by");
    if (latest_by) {
        SF_TRY(take_table_columns(build, latest_by, "latest_by", target->order, err));
        target->n_latest = target->order->len;
    } else if (!build->model->provenance)
        return sf_value_fail(target->place, err,
                             "table '%s' needs 'latest_by' where 'provenance' is false: which of two rows with one key "
                             "wins?",
                             target->table);
    if (!build->model->provenance)
        return SF_OK;
    for (gsize i = 0; model_provenance[i]; i++)
        if (name_set_find(build->input->columns, model_provenance[i]) < 0)
            return sf_value_fail(
                target->place, err,
                "table '%s': input '%s' has no column '%s'; let the step before add it (json-decode does "
                "with 'provenance: true'), or set 'provenance: false' and 'latest_by' here",
                target->table, build->input->name, model_provenance[i]);
    if (!latest_by)
        SF_TRY(take_table_column(build, "_timestamp", target->place, target->order, err));
    for (gsize i = 0; i < 3; i++)
        SF_TRY(take_table_column(build, model_provenance[i], target->place, target->order, err));
    g_autoptr(GArray) rest = g_array_new(FALSE, FALSE, sizeof(guint));
    return take_table_column(build, "_timestamp", target->place, rest, err);
}

/* A fact without a dimension's key could not be joined with it. */
static SfStatus join_dimensions(const Build *build, const SfValue *body, SfError *err)
{
    const SfValue *named = sf_value_get(body, "dimensions");
    if (named && sf_value_kind(named) != SF_VALUE_LIST)
        return sf_value_fail(named, err, "table '%s': 'dimensions' is a list of dimensions", build->target->table);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < build->model->n_dimensions; i++)
        g_ptr_array_add(names, (gpointer) ((Target *) build->model->targets->pdata[i])->table);
    gsize n = named ? sf_value_size(named) : names->len;
    for (gsize i = 0; i < n; i++) {
        const SfValue *item = named ? sf_value_at(named, i) : build->target->place;
        const char *name = named ? sf_value_text(item) : names->pdata[i];
        guint number = 0;
        char hint[160];
        if (!name || !g_ptr_array_find_with_equal_func(names, name, g_str_equal, &number))
            return sf_value_fail(
                item, err, "table '%s': no dimension '%s'%s", build->target->table, name ? name : "",
                sf_suggest(name ? name : "", (const char *const *) names->pdata, names->len, hint, sizeof hint));
        const Target *dimension = build->model->targets->pdata[number];
        g_autoptr(GArray) ignored = g_array_new(FALSE, FALSE, sizeof(guint));
        for (guint k = 0; k < dimension->key->len; k++) {
            const Column *key = target_column(dimension, g_array_index(dimension->key, guint, k));
            SF_TRY(take_table_column(build, column_source(build->model, key)->name, item, ignored, err));
        }
    }
    return SF_OK;
}

/* A column of the input, or of the table where that is named otherwise. */
static SfStatus find_condition(gpointer data, const char *name, const SfValue *place, guint *source, SfType *type,
                               SfError *err)
{
    const Build *build = data;
    gint64 column = target_find(build->target, name);
    if (name_set_find(build->input->columns, name) < 0 && column >= 0)
        *source = target_column(build->target, (guint) column)->source;
    else
        SF_TRY(find_source(build, name, place, source, err));
    *type = g_array_index(build->model->sources, Source, *source).type;
    return SF_OK;
}

static SfStatus parse_when(Build *build, const SfValue *body, const char *option, When **out, SfError *err)
{
    const SfValue *value = sf_value_get(body, option);
    g_autofree char *name = g_strdup_printf("table '%s': '%s'", build->target->table, option);
    return value ? when_parse(value, name, build->model->text, find_condition, build, out, err) : SF_OK;
}

/* What others call the same thing: dbt, Kafka Connect's JDBC sink, Delta and Snowflake, Spark. */
static const char *foreign_table_word(const char *word)
{
    static const struct {
        const char *theirs, *ours;
    } words[] = {{"unique_key", "key"},          {"primary_key", "key"},    {"pk.fields", "key"},
                 {"updated_at", "latest_by"},    {"order_by", "latest_by"}, {"sequence_by", "latest_by"},
                 {"version_column", "latest_by"}};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(word, words[i].theirs) == 0)
            return words[i].ours;
    return NULL;
}

static SfStatus fail_table_word(const Target *target, const SfValue *place, const char *const *words, gsize n_words,
                                SfError *err)
{
    const char *word = sf_value_text(place), *ours = foreign_table_word(word);
    char hint[160];
    if (ours)
        return sf_value_fail(place, err, "table '%s': unknown key '%s'; it is '%s' here", target->table, word, ours);
    return sf_value_fail(place, err, "table '%s': unknown key '%s'%s", target->table, word,
                         sf_suggest(word, words, n_words, hint, sizeof hint));
}

static SfStatus check_table_words(const Target *target, const SfValue *body, SfError *err)
{
    static const char *const words[] = {"key", "columns", "latest_by", "delete_when", "skip_when", "dimensions", NULL};
    gsize n_words = G_N_ELEMENTS(words) - (target->is_fact ? 1 : 2);
    if (sf_value_kind(body) != SF_VALUE_MAP)
        return sf_value_fail(body, err, "table '%s' is a map with 'key' and 'columns'", target->table);
    for (gsize i = 0; i < sf_value_size(body); i++) {
        const char *word = sf_value_text(sf_value_key(body, i));
        bool known = g_strv_contains(words, word) && (target->is_fact || strcmp(word, words[n_words]) != 0);
        if (!known)
            return fail_table_word(target, sf_value_key(body, i), words, n_words, err);
    }
    return SF_OK;
}

/* All that is wrong with these. */
static SfStatus parse_parts(Build *build, const SfValue *body, SfError *err)
{
    SfError all = {""}, one;
    if (parse_columns(build, sf_value_get(body, "columns"), &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (parse_key(build, body, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (parse_when(build, body, "delete_when", &build->target->delete_when, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (parse_when(build, body, "skip_when", &build->target->skip_when, &one) != SF_OK)
        sf_fail_also(&all, &one);
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static SfStatus parse_table(Model *model, const SfValue *name, const SfValue *body, bool is_fact,
                            const ModelInput *input, SfError *err)
{
    Target *target = target_new(model->text, sf_value_text(name), is_fact, name);
    g_ptr_array_add(model->targets, target);
    if (!name_set_add(model->tables, target->table, model->targets->len - 1))
        return sf_value_fail(name, err, "table '%s' is listed twice", target->table);
    SF_TRY(check_table_words(target, body, err));
    Build build = {.model = model, .target = target, .input = input};
    SF_TRY(parse_parts(&build, body, err));
    if (is_fact)
        SF_TRY(join_dimensions(&build, body, err));
    SF_TRY(parse_order(&build, body, err));
    if (!target->delete_when && model->tombstone < 0)
        return SF_OK;
    target->deleted = target_deleted(model->text, target, err);
    return target->deleted ? SF_OK : SF_CONFIG;
}

static SfStatus parse_tables(Model *model, const SfValue *tables, bool are_facts, const ModelInput *input, SfError *err)
{
    if (!tables || sf_value_kind(tables) == SF_VALUE_NULL)
        return SF_OK;
    if (sf_value_kind(tables) != SF_VALUE_MAP)
        return sf_value_fail(tables, err, "'%s' is a map: a table's name, then its key and columns",
                             are_facts ? "facts" : "dimensions");
    SfError all = {""}, one;
    for (gsize i = 0; i < sf_value_size(tables); i++)
        if (parse_table(model, sf_value_key(tables, i), sf_value_at(tables, i), are_facts, input, &one) != SF_OK)
            sf_fail_also(&all, &one);
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

/* A column of that name and another type is one like any other. */
static bool marks_tombstones(const ModelInput *input)
{
    gint64 number = name_set_find(input->columns, tombstone_name);
    SfField field;
    SfError ignored;
    return number >= 0 && sf_schema_field(input->schema->children[number], &field, &ignored) == SF_OK &&
           field.type == SF_BOOL;
}

static void find_tombstone(Model *model, const ModelInput *input)
{
    Source source = {.name = tombstone_name, .type = SF_BOOL};
    model->tombstone = marks_tombstones(input) ? (gint64) add_source(model, source) : -1;
}

Model *model_new(const SfValue *dimensions, const SfValue *facts, bool provenance, const ModelInput *input,
                 SfError *err)
{
    g_autoptr(Model) model = g_new0(Model, 1);
    model->targets = g_ptr_array_new_with_free_func((GDestroyNotify) target_free);
    model->tables = name_set_new(MODEL_NAMES);
    model->sources = g_array_new(FALSE, FALSE, sizeof(Source));
    model->source_names = name_set_new(NAMES_EXACT);
    model->text = g_string_chunk_new(256);
    model->provenance = provenance;
    find_tombstone(model, input);
    if (parse_tables(model, dimensions, false, input, err) != SF_OK)
        return NULL;
    model->n_dimensions = model->targets->len;
    if (parse_tables(model, facts, true, input, err) != SF_OK)
        return NULL;
    if (model->targets->len > 0)
        return g_steal_pointer(&model);
    sf_fail(err, SF_CONFIG, "no table to keep: give 'facts', or 'dimensions', or both");
    return NULL;
}

SfStatus model_match(const Model *model, const ModelInput *input, gint64 *numbers, SfError *err)
{
    if (model->tombstone < 0 && marks_tombstones(input))
        return sf_fail(err, SF_CONFIG, "input '%s' has a column '%s', and an input before it has none", input->name,
                       tombstone_name);
    for (guint i = 0; i < model->sources->len; i++) {
        const Source *source = &g_array_index(model->sources, Source, i);
        gint64 number = name_set_find(input->columns, source->name);
        char hint[160];
        if (number < 0)
            return sf_fail(err, SF_CONFIG, "input '%s' has no column '%s', which the tables need%s", input->name,
                           source->name, suggest_input_column(input, source->name, hint, sizeof hint));
        SfField field;
        SF_TRY(sf_schema_field(input->schema->children[number], &field, err));
        if (field.type != source->type || field.precision != source->precision || field.scale != source->scale)
            return sf_fail(err, SF_CONFIG, "column '%s' of input '%s' differs in type from the inputs before it",
                           source->name, input->name);
        numbers[i] = number;
    }
    return SF_OK;
}

gint64 target_provenance(const Model *model, const Target *target, gsize number)
{
    return target_find_source(target, (guint) name_set_find(model->source_names, model_provenance[number]));
}

bool model_deletes(const Model *model)
{
    for (guint i = 0; i < model->targets->len; i++)
        if (((Target *) model->targets->pdata[i])->deleted)
            return true;
    return false;
}
