/* The SQL texts that each dialect gets: golden, so that a change is seen. `--print snowflake` writes them out, a
 * line each, for a lint by another parser (tests/e2e/test_gold_snowflake.py). */
#include <stdio.h>
#include <string.h>
#include "dialects.h"
#include "rows.h"
#include "type_words.h"
#include "config/yaml.h"

#define SCHEMA                                                                                                         \
    "order_id string not null, customer_id string, order_date date, sales decimal(12,2), quantity int, big bigint, "   \
    "weight double, paid bool, raw binary, at timestamp, _topic string not null, _partition int not null, "            \
    "_offset bigint not null, _timestamp timestamp"

#define TABLES                                                                                                         \
    "dimensions: {dim_customer: {key: customer_id, columns: []}}\n"                                                    \
    "facts: {fact_sales: {key: order_id, latest_by: at, columns: {amount: sales, order_date: , quantity: , big: , "    \
    "weight: , "                                                                                                       \
    "paid: , raw: , note: {from: customer_id, type: varchar(9)}}},\n"                                                  \
    "  fact_open: {key: [order_id, customer_id], latest_by: big, delete_when: {paid: true}, columns: []}}\n"

typedef struct Texts {
    ArrowSchema schema;
    Diagnostics *diagnostics;
    Document *document;
    Model *model;
} Texts;

static Texts *texts_new(void)
{
    SfError err;
    Texts *texts = g_new0(Texts, 1);
    rows_schema(SCHEMA, &texts->schema);
    texts->diagnostics = diagnostics_new();
    texts->document = yaml_load_text(TABLES, strlen(TABLES), "t.yaml", texts->diagnostics);
    const SfValue *root = document_root(texts->document);
    g_autoptr(GHashTable) columns = model_columns(&texts->schema);
    ModelInput input = {.schema = &texts->schema, .name = "sales", .columns = columns};
    texts->model = model_new(sf_value_get(root, "dimensions"), sf_value_get(root, "facts"), true, &input, &err);
    if (!texts->model)
        g_error("%s", err.message);
    return texts;
}

static void texts_free(Texts *texts)
{
    model_free(texts->model);
    document_free(texts->document);
    diagnostics_free(texts->diagnostics);
    sf_schema_done(&texts->schema);
    g_free(texts);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Texts, texts_free)

static Place place_of(const Texts *texts, const Dialect *dialect, guint target)
{
    return (Place){
        .dialect = dialect, .schema = "gold", .model = texts->model, .target = texts->model->targets->pdata[target]};
}

static char *create_table(const Texts *texts, const Dialect *dialect, guint target)
{
    Place place = place_of(texts, dialect, target);
    GString *sql = g_string_new(NULL);
    sql_create_table(&place, sql);
    return g_string_free(sql, FALSE);
}

static char *upsert(const Texts *texts, const Dialect *dialect, guint target)
{
    Place place = place_of(texts, dialect, target);
    GString *sql = g_string_new(NULL);
    if (dialect == &dialect_snowflake)
        snowflake_merge(&place, "\"GOLD\".\"SF_STAGE\"", 0, 100, sql);
    else
        sql_upsert(&place, "VALUES (?)", sql);
    return g_string_free(sql, FALSE);
}

/* What looks rows up, and deletes. */
static void add_checks(const Dialect *dialect, const Place *place, GString *out)
{
    const char *rows = dialect == &dialect_snowflake ? "SELECT * FROM \"GOLD\".\"SF_STAGE\"" : "VALUES (?)";
    Place none = {0};
    sql_check(place, &none, rows, out);
    g_string_append(out, ";\n");
    if (!place->target->deleted)
        return;
    Place deleted = sql_deleted(place);
    sql_check(&deleted, place, rows, out);
    g_string_append(out, ";\n");
}

/* The table of deleted keys, what goes into it, and what that does to the table. */
static void add_deletes(const Dialect *dialect, const Place *place, GString *out)
{
    Place deleted = sql_deleted(place);
    sql_create_table(&deleted, out);
    g_string_append(out, ";\n");
    if (dialect == &dialect_snowflake) {
        snowflake_merge(&deleted, "\"GOLD\".\"SF_STAGE\"", 0, 100, out);
        g_string_append(out, ";\n");
        snowflake_erase(place, "\"GOLD\".\"SF_STAGE\"", 0, 100, out);
    } else {
        sql_upsert(&deleted, "VALUES (?)", out);
        g_string_append(out, ";\n");
        sql_erase(place, "VALUES (?)", out);
    }
    g_string_append(out, ";\n");
}

/* All statements of a dialect, a line each. */
static char *statements(const Dialect *dialect)
{
    g_autoptr(Texts) texts = texts_new();
    GString *out = g_string_new(NULL);
    for (const char *const *sql = dialect->session; *sql; sql++)
        g_string_append_printf(out, "%s;\n", *sql);
    if (dialect->label)
        g_string_append_printf(out, "%s'streamforge p/s';\n", dialect->label);
    dialect->add_to_ledger("sf_ledger", "('p', 's', '', 'it''s/0', -1, 0, 0, '2024-01-15 10:30:00')", out);
    g_string_append(out, ";\n");
    for (guint i = 0; i < texts->model->targets->len; i++) {
        Place place = place_of(texts, dialect, i);
        g_autofree char *create = create_table(texts, dialect, i);
        g_autofree char *load = upsert(texts, dialect, i);
        g_autoptr(GString) add = g_string_new(NULL);
        sql_add_column(&place, target_column(place.target, 0), add);
        g_string_append_printf(out, "%s;\n%s;\n%s;\n", create, add->str, load);
        if (place.target->deleted)
            add_deletes(dialect, &place, out);
        add_checks(dialect, &place, out);
    }
    return g_string_free(out, FALSE);
}

static void test_statements(gconstpointer data)
{
    const Dialect *dialect = data;
    g_autofree char *name = g_ascii_strdown(dialect->odbc.product, -1);
    g_autofree char *path = g_strdup_printf(SF_SOURCE_DIR "/tests/plugins/gold_sql/%s.sql", name);
    g_autofree char *expected = NULL;
    g_autofree char *got = statements(dialect);
    g_assert_true(g_file_get_contents(path, &expected, NULL, NULL));
    g_assert_cmpstr(got, ==, expected);
}

static void test_names_and_strings(void)
{
    static const struct {
        const Dialect *dialect;
        const char *name, *quoted, *string;
    } cases[] = {
        {&dialect_sqlite, "Fact_Sales", "\"Fact_Sales\"", "'it''s \\'"},
        {&dialect_postgresql, "Fact_Sales", "\"fact_sales\"", "'it''s \\'"},
        {&dialect_snowflake, "Fact_Sales", "\"FACT_SALES\"", "'it''s \\\\'"},
        {&dialect_postgresql, "mit \"Größe\"", "\"mit \"\"Größe\"\"\"", "'it''s \\'"},
        {&dialect_snowflake, "1st", "\"1st\"", "'it''s \\\\'"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) name = g_string_new(NULL), string = g_string_new(NULL);
        sql_name(cases[i].dialect, cases[i].name, name);
        sql_string(cases[i].dialect, "it's \\", string);
        g_assert_cmpstr(name->str, ==, cases[i].quoted);
        g_assert_cmpstr(string->str, ==, cases[i].string);
    }
}

static void test_types(void)
{
    TypeText is = type_text("timestamp(3) with  time zone");
    g_assert_cmpstr(is.words, ==, "timestamp with time zone");
    g_assert_cmpint(is.first, ==, 3);
    is = type_text("NUMBER(38, 2)");
    g_assert_cmpstr(is.words, ==, "number");
    g_assert_cmpint(is.first, ==, 38);
    g_assert_cmpint(is.second, ==, 2);
    is = type_text(" Character   Varying ( 12 , 3 , 4 ) x ");
    g_assert_cmpstr(is.words, ==, "character varying x");
    g_assert_cmpint(is.first, ==, 12);
    is = type_text("text");
    g_assert_cmpint(is.first, ==, -1);
    is = type_text("broken(");
    g_assert_cmpstr(is.words, ==, "broken");
}

static void test_limits(void)
{
    static const struct {
        const char *type;
        int limit;
    } cases[] = {{"character varying(5)", 5},
                 {"VARCHAR(20)", 20},
                 {"character varying", -1},
                 {"varchar", -1},
                 {"text", -1},
                 {"citext", -1},
                 {"character(5)", -1},
                 {"", -1}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(dialect_postgresql.limit(cases[i].type), ==, cases[i].limit);
    g_assert_null(dialect_sqlite.limit);
    g_assert_null(dialect_snowflake.limit);
}

static const Source a_text = {.type = SF_UTF8}, a_big = {.type = SF_INT64}, a_real = {.type = SF_FLOAT64},
                    a_time = {.type = SF_TIMESTAMP};
static const Source a_money = {.type = SF_DECIMAL128, .precision = 12, .scale = 2};
static const Source a_flag = {.type = SF_BOOL}, a_raw = {.type = SF_BINARY}, a_day = {.type = SF_DATE},
                    a_small = {.type = SF_INT32};
static const Source a_huge = {.type = SF_DECIMAL128, .precision = 38, .scale = 0};

static const struct {
    const Dialect *dialect;
    const Source *source;
    const char *type;
    bool takes;
} existing[] = {
    {&dialect_postgresql, &a_text, "character varying(5)", true}, /* says aloud what is too long */
    {&dialect_postgresql, &a_text, "character(5)", false},
    {&dialect_postgresql, &a_big, "integer", true},
    {&dialect_postgresql, &a_big, "double precision", false},
    {&dialect_postgresql, &a_money, "numeric", true},
    {&dialect_postgresql, &a_money, "numeric(10,2)", true},
    {&dialect_postgresql, &a_money, "numeric(12,1)", false}, /* rounds in silence */
    {&dialect_postgresql, &a_money, "double precision", false},
    {&dialect_postgresql, &a_huge, "bigint", true},
    {&dialect_postgresql, &a_real, "real", false},
    {&dialect_postgresql, &a_time, "timestamp without time zone", true},
    {&dialect_postgresql, &a_time, "timestamp(3) with time zone", false},
    {&dialect_postgresql, &a_time, "timestamp(6) with time zone", true},
    {&dialect_postgresql, &a_time, "timestamp(5) with time zone", false},
    {&dialect_postgresql, &a_time, "date", false},
    {&dialect_sqlite, &a_text, "VARCHAR(5)", true},
    {&dialect_sqlite, &a_text, "INTEGER", false},
    {&dialect_sqlite, &a_text, "", true},
    {&dialect_sqlite, &a_money, "DECIMAL(12,2)", true},
    {&dialect_sqlite, &a_huge, "DECIMAL(38,0)", false},
    {&dialect_sqlite, &a_huge, "TEXT", true},
    {&dialect_sqlite, &a_big, "REAL", false},
    {&dialect_snowflake, &a_text, "VARCHAR(16777216)", true},
    {&dialect_snowflake, &a_money, "NUMBER(38,0)", false},
    {&dialect_snowflake, &a_money, "NUMBER(10,2)", true},
    {&dialect_snowflake, &a_real, "FLOAT", true},
    {&dialect_snowflake, &a_time, "TIMESTAMP_NTZ(9)", true},
    {&dialect_snowflake, &a_time, "TIMESTAMP_NTZ(6)", true}, /* microseconds */
    {&dialect_snowflake, &a_time, "TIMESTAMP_NTZ(5)", false},
    {&dialect_snowflake, &a_time, "TIMESTAMP_TZ", true},
    {&dialect_snowflake, &a_time, "TIMESTAMP_NTZ(3)", false},
    {&dialect_snowflake, &a_time, "DATE", false},
    {&dialect_snowflake, &a_big, "NUMBER(19,0)", true},
    {&dialect_snowflake, &a_small, "NUMERIC(5,0)", true},
    {&dialect_snowflake, &a_small, "FLOAT", false},
    {&dialect_snowflake, &a_real, "DOUBLE", true},
    {&dialect_snowflake, &a_real, "NUMBER(38,10)", false},
    {&dialect_snowflake, &a_flag, "BOOLEAN", true},
    {&dialect_snowflake, &a_flag, "NUMBER(1,0)", false},
    {&dialect_snowflake, &a_raw, "BINARY(8388608)", true},
    {&dialect_snowflake, &a_raw, "VARCHAR", false},
    {&dialect_snowflake, &a_day, "DATE", true},
    {&dialect_snowflake, &a_day, "TIMESTAMP_NTZ(9)", false},
    {&dialect_snowflake, &a_money, "FLOAT", false},
    {&dialect_postgresql, &a_big, "numeric", true},
    {&dialect_postgresql, &a_big, "text", false},
    {&dialect_postgresql, &a_small, "smallint", true},
    {&dialect_postgresql, &a_money, "bigint", false},
    {&dialect_postgresql, &a_huge, "text", false},
    {&dialect_postgresql, &a_flag, "boolean", true},
    {&dialect_postgresql, &a_flag, "integer", false},
};

static void test_existing_types(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(existing); i++)
        if (existing[i].dialect->takes(existing[i].source, existing[i].type) != existing[i].takes)
            g_error("%s: %s for %s", existing[i].dialect->odbc.product, existing[i].type,
                    sf_type_name(existing[i].source->type));
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--print") == 0) {
        const Dialect *dialect = dialect_find(argv[2]);
        g_autofree char *text = dialect ? statements(dialect) : g_strdup("");
        fputs(text, stdout);
        return dialect ? 0 : 2;
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/gold/sql/SQLite's statements are these", &dialect_sqlite, test_statements);
    g_test_add_data_func("/gold/sql/PostgreSQL's statements are these", &dialect_postgresql, test_statements);
    g_test_add_data_func("/gold/sql/Snowflake's statements are these", &dialect_snowflake, test_statements);
    g_test_add_func("/gold/sql/names and strings are quoted as each database wants", test_names_and_strings);
    g_test_add_func("/gold/sql/types are read from their texts", test_types);
    g_test_add_func("/gold/sql/room for characters is read from a type", test_limits);
    g_test_add_func("/gold/sql/existing columns take a type or not", test_existing_types);
    return g_test_run();
}
