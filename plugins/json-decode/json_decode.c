/* json-decode: a column of JSON objects → typed columns. This file binds and hands batches through; the walk over a
 * text is decode.c's, the `schema:` option schema.c's. */
#include "absent.h"
#include "decode.h"
#include "schema.h"
#include "tombstone.h"

typedef enum Unknown { UNKNOWN_IGNORE, UNKNOWN_REJECT } Unknown;
enum { TOMBSTONES_REJECT, TOMBSTONES_DROP, TOMBSTONES_KEEP };

/* An input column that goes through as it is. */
typedef struct Pass {
    int64_t column; /* of the input */
    const char *name;
} Pass;

typedef struct JsonDecode {
    const SfValue *schema;
    const char *column;
    SfList keep;
    bool provenance;
    int32_t unknown;
    int32_t tombstones;
    bool from_text;
    int32_t round;

    GPtrArray *fields; /* Field * */
    GArray *passes;    /* of Pass; their columns come after the fields' */
    int64_t from;      /* number of the input column with the texts */
    int64_t key;       /* likewise with the records' keys, where tombstones are kept */
    size_t built;      /* columns of the builder: the fields', and _tombstone where it is */
    SfBuilder *builder;
    Decoder decoder;
    Tombstones *gone; /* where tombstones are kept */
    Absent absent;
} JsonDecode;

static const char *const unknown_words[] = {"ignore", "reject", NULL};
static const char *const tombstone_words[] = {"reject", "drop", "keep", NULL};
static const char *const round_words[] = {"reject", "half_up", "half_even", "down", NULL};

static const SfOption options[] = {
    SF_OPTION_TREE(JsonDecode, schema, .required = true, .words = field_keys,
                   .doc = "Output columns: a map of names to types.",
                   .example = "order_id: string not null\n"
                              "order_date: date\n"
                              "sales: decimal(12,2)\n"
                              "city: string from customer.address.city\n"
                              "quantity: {type: int, default: 1}\n"),
    SF_OPTION_STRING(JsonDecode, column, .value = "value", .doc = "Input column that holds the JSON objects."),
    SF_OPTION_BOOL(JsonDecode, provenance, .value = "true",
                   .doc = "Add _topic, _partition, _offset and _timestamp of the event, where the input has them."),
    SF_OPTION_LIST(JsonDecode, keep, .doc = "Input columns to pass on as they are.", .example = "[key, headers]"),
    SF_OPTION_ENUM(JsonDecode, unknown, .value = "ignore", .words = unknown_words,
                   .doc = "What becomes of an event with a field that the schema lacks."),
    SF_OPTION_ENUM(JsonDecode, tombstones, .value = "reject", .words = tombstone_words,
                   .doc = "What becomes of an event without a value; keep: a row of its key, with true in _tombstone."),
    SF_OPTION_BOOL(JsonDecode, from_text, .value = "false",
                   .doc = "Take numbers, and true and false, in texts, too: \"42\". A column may say otherwise."),
    SF_OPTION_ENUM(
        JsonDecode, round, .value = "reject", .words = round_words,
        .doc = "What becomes of digits that a decimal or timestamp has no room for. A column may say otherwise."),
    SF_OPTION_END};

static const char doc[] =
    "Decodes one JSON object a row (RFC 8259, UTF-8) into typed columns. A row that does not fit its schema in every\n"
    "field goes to the step's errors output with the field, its value and what was expected; nothing is rounded,\n"
    "truncated or guessed where the schema does not ask for it.\n"
    "\n"
    "| type | takes | column |\n"
    "|---|---|---|\n"
    "| `string` | a text; a number, true or false as it is written | utf8 |\n"
    "| `json` | any value, as it is written | utf8 |\n"
    "| `int`, `bigint` (`integer`, `long`) | a whole number: 5, -0, 1e3, 2.0 | int32, int64 |\n"
    "| `decimal(p,s)` | a number, or a text that holds one | decimal128 |\n"
    "| `decimal(p,s,base64)` | the unscaled value's bytes, as Kafka Connect and Debezium write decimals; {scale, "
    "value} | decimal128 "
    "|\n"
    "| `double` (`float`) | a number; the texts NaN, Infinity, -Infinity | float64 |\n"
    "| `boolean` (`bool`) | true, false | bool |\n"
    "| `binary` | base64 | binary |\n"
    "| `date` | 2024-01-15 | date |\n"
    "| `date(days)`, `(s)`, `(ms)`, `(us)`, `(ns)` | a number of them since 1970-01-01 UTC: the day in UTC | date |\n"
    "| `date(iso)` | ISO 8601 with or without a time: the day in UTC | date |\n"
    "| `date(format 'dd.MM.yyyy')` | a text of that format | date |\n"
    "| `timestamp` | ISO 8601: 2024-01-15T10:30:01.5+01:00; without offset UTC; at most microseconds | timestamp |\n"
    "| `timestamp(s)`, `(ms)`, `(us)` | a number of them since 1970-01-01 UTC, with or without fraction | timestamp |\n"
    "| `timestamp(ns)` | likewise, or ISO 8601; what is finer than a microsecond is cut off | timestamp |\n"
    "| `timestamp(format 'yyyy-MM-dd HH:mm:ss')` | a text of that format | timestamp |\n"
    "| `timestamp(iso, ms)`, `date(format 'yyyyMMdd', 'dd.MM.yyyy')` | the first that a value is of | as above |\n"
    "| `list<type>`, `list of type` (`array`) | an array | list |\n"
    "| `struct<name type, …>` | an object | struct |\n"
    "\n"
    "`not null` behind a type rejects rows where the field is null or missing. `from a.b` reads the column from "
    "inside\n"
    "nested objects, `from items[0].sku` from a list's element ([-1] is the last one), `from $` from the whole event;\n"
    "JSONPath's $.items[0]['sku'] is the same. A key with a dot, a blank or a sign in it stands in backticks: from\n"
    "`first key`.city. Of several paths, `from after.id or before.id`, the first counts whose value is there and not\n"
    "null. In the long form a column is a map: `{type: int, default: 0}`,\n"
    "`{list: {struct: {sku: string, price: decimal(10,2)}}}`, with `from: PATH` or `from: [PATH, …]`, `nullable: "
    "false`\n"
    "and `default`, which stands in for a missing field (a null stays null). What else may stand there:\n"
    "\n"
    "| in a column's map | meaning |\n"
    "|---|---|\n"
    "| `format: FORMAT`, `format: [iso, ms, dd.MM.yyyy]` | what stands in a type's brackets above |\n"
    "| `from_text: true` | int, bigint, double, and dates and timestamps of a unit take a number in a text, as JSON "
    "writes numbers; boolean takes true, t, yes, y, 1, false, f, no, n, 0 in any case |\n"
    "| `from_number: true` | boolean takes 0 and 1 |\n"
    "| `round: half_up`, `half_even`, `down` | digits that a decimal has no room for behind the point, or a timestamp "
    "behind its microseconds, are rounded (down: cut off) |\n"
    "| `from_key: PATH` | with `tombstones: keep`: where the key of a record without a value has the column; $ is the "
    "whole key |\n"
    "\n"
    "What a list or struct says of from_text and round holds for all in it, what the step says for all columns.\n"
    "\n"
    "`tombstones: keep` makes a row of an event without a value: the columns that its key has, null in all others, "
    "and\n"
    "true in a column `_tombstone`, by which snowflake-gold-sink deletes. All columns without `from_key` may be null "
    "then.\n"
    "\n"
    "Formats have the letters of Spark and Java: y u year, M L month (MMM Jan, MMMM January), d day, D day of the "
    "year, E\n"
    "weekday, Q quarter, G era, H k h K hour, a AM or PM, m minute, s second, S fraction (as many digits), X x Z O z\n"
    "offset; one letter takes as many digits as there are; ''quoted'' text stands for itself, what stands in [ ] may "
    "be\n"
    "missing. A weekday or quarter that is not the day's is a reject. A format of digits alone also takes a number.\n"
    "\n"
    "A column that is null in all of the first 1,000 rows is named in a warning: it may be called otherwise there.\n"
    "\n"
    "Of several fields of one name in an object the first counts. Dates and timestamps lie in the years 0001 to 9999.\n"
    "Numbers keep their digits: 169299987.35345112 fits decimal(18,8) exactly and is rejected for decimal(12,2).\n";

static SfField describe_column(const struct ArrowSchema *schema, GPtrArray *arena)
{
    SfField field = {.name = ""};
    sf_schema_field(schema, &field, NULL);
    SfField *children = g_new0(SfField, field.n_children);
    g_ptr_array_add(arena, children);
    for (size_t i = 0; i < field.n_children; i++)
        children[i] = describe_column(schema->children[i], arena);
    field.children = children;
    return field;
}

/* A column goes through once: it can be moved to one place only. */
static SfStatus add_pass(JsonDecode *self, Pass pass, SfError *err)
{
    for (guint i = 0; i < self->passes->len; i++) {
        const Pass *other = &g_array_index(self->passes, Pass, i);
        if (other->column == pass.column)
            return sf_fail(err, SF_CONFIG, "keep: '%s' is passed on as '%s' already", other->name, pass.name);
    }
    g_array_append_val(self->passes, pass);
    return SF_OK;
}

static SfStatus find_passes(JsonDecode *self, const struct ArrowSchema *in, SfError *err)
{
    static const struct {
        const char *column;
        const char *name;
    } provenance[] = {
        {"topic", "_topic"}, {"partition", "_partition"}, {"offset", "_offset"}, {"timestamp", "_timestamp"}};
    for (size_t i = 0; i < self->keep.size; i++) {
        Pass pass = {.column = sf_schema_find(in, self->keep.items[i]), .name = self->keep.items[i]};
        if (pass.column < 0)
            return sf_fail(err, SF_CONFIG, "keep: the input has no column '%s'", pass.name);
        SF_TRY(add_pass(self, pass, err));
    }
    for (size_t i = 0; self->provenance && i < G_N_ELEMENTS(provenance); i++) {
        Pass pass = {.column = sf_schema_find(in, provenance[i].column), .name = provenance[i].name};
        if (pass.column >= 0)
            SF_TRY(add_pass(self, pass, err));
    }
    return SF_OK;
}

static SfStatus find_texts(JsonDecode *self, const struct ArrowSchema *in, SfError *err)
{
    self->from = sf_schema_find(in, self->column);
    if (self->from < 0)
        return sf_fail(err, SF_CONFIG, "the input has no column '%s'; name the one with the JSON texts by 'column'",
                       self->column);
    SfField field;
    SF_TRY(sf_schema_field(in->children[self->from], &field, err));
    if (field.type != SF_BINARY && field.type != SF_UTF8)
        return sf_fail(err, SF_CONFIG, "column '%s' is %s; JSON texts are binary or string", self->column,
                       sf_type_name(field.type));
    return SF_OK;
}

static SfStatus make_decoder(JsonDecode *self, GArray *columns, SfError *err)
{
    struct ArrowSchema schema = {.release = NULL};
    SF_TRY(sf_schema_make((const SfField *) (void *) columns->data, columns->len, &schema, err));
    self->builder = sf_builder_new(&schema, err);
    sf_schema_done(&schema);
    if (!self->builder)
        return SF_CONFIG;
    for (guint i = 0; i < self->fields->len; i++)
        field_set_column(g_ptr_array_index(self->fields, i), sf_builder_column(self->builder, i));
    decoder_init(&self->decoder, self->fields, self->builder, self->unknown == UNKNOWN_REJECT);
    if (self->tombstones == TOMBSTONES_KEEP)
        self->gone = tombstones_new(&self->decoder, self->fields, sf_builder_column(self->builder, self->fields->len));
    return SF_OK;
}

/* A default has to fit its own type, which shows by decoding it once. */
static SfStatus check_defaults(JsonDecode *self, const GPtrArray *fields, SfError *err)
{
    for (guint i = 0; i < fields->len; i++) {
        Field *field = g_ptr_array_index(fields, i);
        SfError cause;
        if (field->children)
            SF_TRY(check_defaults(self, field->children, err));
        if (field->fallback && !decoder_try(&self->decoder, field, field->fallback, &cause))
            return sf_value_fail(self->schema, err, "default of %s", cause.message);
    }
    return SF_OK;
}

/* Where tombstones get their columns from. */
static SfStatus find_keys(JsonDecode *self, const struct ArrowSchema *in, SfError *err)
{
    guint keys = 0;
    SfField column = {.type = SF_BOOL};
    for (guint i = 0; i < self->fields->len; i++)
        keys += ((Field *) g_ptr_array_index(self->fields, i))->key != NULL;
    if (self->tombstones != TOMBSTONES_KEEP)
        return keys == 0
                   ? SF_OK
                   : sf_value_fail(self->schema, err, "from_key is for tombstones; 'tombstones: keep' keeps them");
    if (keys == 0)
        return sf_fail(err, SF_CONFIG,
                       "tombstones: keep needs a column that says which row is gone, as in {type: int, from_key: id}");
    self->key = sf_schema_find(in, "key");
    if (self->key >= 0)
        SF_TRY(sf_schema_field(in->children[self->key], &column, err));
    if (column.type != SF_BINARY && column.type != SF_UTF8)
        return sf_fail(err, SF_CONFIG, "tombstones: keep needs an input column 'key', binary or string");
    return SF_OK;
}

/* A tombstone has null in what its key does not say, whatever the schema says of events. */
static void describe_fields(JsonDecode *self, GArray *columns, GPtrArray *arena)
{
    bool keep = self->tombstones == TOMBSTONES_KEEP;
    SfField tombstone = {.name = "_tombstone", .type = SF_BOOL};
    for (guint i = 0; i < self->fields->len; i++) {
        const Field *field = g_ptr_array_index(self->fields, i);
        SfField column = field_describe(field, arena);
        column.nullable |= keep && !field->key;
        g_array_append_val(columns, column);
    }
    if (keep)
        g_array_append_val(columns, tombstone);
    self->built = columns->len;
}

static void describe_passes(const JsonDecode *self, const struct ArrowSchema *in, GArray *columns, GPtrArray *arena)
{
    for (guint i = 0; i < self->passes->len; i++) {
        const Pass *pass = &g_array_index(self->passes, Pass, i);
        SfField field = describe_column(in->children[pass->column], arena);
        field.name = pass->name;
        g_array_append_val(columns, field);
    }
}

/* All that is wrong with the options, not the first only. */
static SfStatus read_options(JsonDecode *self, const struct ArrowSchema *in, SfError *err)
{
    FieldRules rules = {.from_text = self->from_text, .round = (Round) self->round};
    SfError all = {""}, one;
    if (find_texts(self, in, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (find_passes(self, in, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (fields_read(self->schema, rules, &self->fields, &one) != SF_OK)
        sf_fail_also(&all, &one);
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static SfStatus bind(SfNode *node, const struct ArrowSchema *in, struct ArrowSchema *out, SfError *err)
{
    JsonDecode *self = node->state;
    g_autoptr(GPtrArray) arena = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) columns = g_array_new(FALSE, TRUE, sizeof(SfField));
    self->passes = g_array_new(FALSE, TRUE, sizeof(Pass));
    SfStatus status = read_options(self, in, err);
    if (status == SF_OK)
        status = find_keys(self, in, err);
    if (self->fields)
        describe_fields(self, columns, arena);
    if (status != SF_OK) { /* what is known serves the check of the steps behind */
        describe_passes(self, in, columns, arena);
        sf_schema_make((const SfField *) (void *) columns->data, columns->len, out, NULL);
        return status;
    }
    SF_TRY(make_decoder(self, columns, err));
    SF_TRY(check_defaults(self, self->fields, err));
    absent_init(&self->absent, self->fields);
    describe_passes(self, in, columns, arena);
    return sf_schema_make((const SfField *) (void *) columns->data, columns->len, out, err);
}

/* One row into the builder. SF_REJECT: it is not, and `cause` has why, or is empty where nobody needs to know. */
static SfStatus decode_row(JsonDecode *self, const SfColumn *texts, const SfColumn *keys, int64_t row, SfError *cause)
{
    *cause->message = '\0';
    if (!sf_is_null(texts, row)) {
        SfBytes text = sf_bytes(texts, row);
        return decoder_event(&self->decoder, text.data, (size_t) text.size, cause);
    }
    if (self->tombstones == TOMBSTONES_DROP)
        return SF_REJECT;
    if (self->tombstones == TOMBSTONES_REJECT)
        return sf_fail(cause, SF_REJECT, "no value (a tombstone); 'tombstones: drop' leaves such rows out");
    if (sf_is_null(keys, row))
        return sf_fail(cause, SF_REJECT, "neither a value nor a key: no row can be deleted by it");
    SfBytes key = sf_bytes(keys, row);
    return tombstones_event(self->gone, key.data, (size_t) key.size, cause);
}

/* Decodes all rows into the builder; *keep (made with the first row that is left out) has a bit for each that is in
 * it. */
static SfStatus decode_rows(SfNode *node, const SfBatch *in, uint8_t **keep, SfError *err)
{
    JsonDecode *self = node->state;
    SfColumn texts, keys;
    SF_TRY(sf_column_at(in, self->from, &texts, err));
    if (self->tombstones == TOMBSTONES_KEEP)
        SF_TRY(sf_column_at(in, self->key, &keys, err));
    for (int64_t row = 0; row < sf_rows(in); row++) {
        SfError cause;
        SfStatus status = decode_row(self, &texts, &keys, row, &cause);
        if (status == SF_OK)
            continue;
        if (status != SF_REJECT)
            return sf_fail(err, status, "%s", cause.message);
        if (*cause.message)
            sf_reject(node, in, row, "%s", cause.message);
        if (!*keep) {
            *keep = g_malloc((gsize) (sf_rows(in) + 7) / 8);
            memset(*keep, 0xFF, (gsize) (sf_rows(in) + 7) / 8);
        }
        (*keep)[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    }
    return SF_OK;
}

static void move_column(struct ArrowArray *from, struct ArrowArray *to)
{
    *to = *from;
    from->release = NULL;
}

/* The columns that go through: all rows without a copy, or those of `keep` (NULL: all). */
static SfStatus pass_columns(JsonDecode *self, const SfBatch *in, const uint8_t *keep, struct ArrowArray *columns,
                             SfError *err)
{
    SfBatch kept = {.schema = NULL};
    if (keep && self->passes->len > 0)
        SF_TRY(sf_batch_keep(in, keep, &kept, err));
    for (guint i = 0; i < self->passes->len; i++) {
        int64_t column = g_array_index(self->passes, Pass, i).column;
        if (keep)
            move_column(kept.rows.children[column], &columns[i]);
        else
            SF_TRY(sf_batch_share(in, column, &columns[i], err));
    }
    sf_batch_done(&kept);
    return SF_OK;
}

static SfStatus collect(JsonDecode *self, const SfBatch *in, const uint8_t *keep, struct ArrowArray *columns,
                        SfError *err)
{
    struct ArrowArray built = {.release = NULL};
    SF_TRY(sf_builder_finish(self->builder, &built, err));
    for (int64_t i = 0; i < built.n_children; i++)
        move_column(built.children[i], &columns[i]);
    sf_array_done(&built);
    return pass_columns(self, in, keep, columns + self->built, err);
}

static SfStatus apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
{
    JsonDecode *self = node->state;
    g_autofree uint8_t *keep = NULL;
    SF_TRY(decode_rows(node, in, &keep, err));
    int64_t rows = sf_builder_rows(self->builder);
    size_t n = self->built + self->passes->len;
    g_autofree struct ArrowArray *columns = g_new0(struct ArrowArray, n);
    SfStatus status = collect(self, in, keep, columns, err);
    if (status == SF_OK)
        absent_note(&self->absent, node, columns, rows);
    if (status == SF_OK)
        return sf_rows_from_columns(columns, n, rows, &out->rows, err);
    for (size_t i = 0; i < n; i++)
        sf_array_done(&columns[i]);
    return status;
}

static void close_node(SfNode *node)
{
    JsonDecode *self = node->state;
    absent_done(&self->absent);
    g_clear_pointer(&self->gone, tombstones_free);
    decoder_done(&self->decoder);
    g_clear_pointer(&self->builder, sf_builder_free);
    g_clear_pointer(&self->fields, g_ptr_array_unref);
    g_clear_pointer(&self->passes, g_array_unref);
}

SF_TRANSFORM_PLUGIN = {
    SF_TRANSFORM_HEAD(JsonDecode, .name = "json-decode", .version = SF_VERSION,
                      .summary = "Decodes JSON texts into typed columns, by a schema", .doc = doc, .options = options),
    .bind = bind,
    .apply = apply,
    .close = close_node,
};
