/* The gold sink's grammar: what it makes of tables, and what it says of mistakes, before anything is opened. */
#include <string.h>
#include "gold_place.h"

#define SCHEMA                                                                                                         \
    "order_id string, customer_id string, customer_name string, region string, sales decimal(12,2), weight double, "   \
    "tags list<string>, _topic string not null, _partition int not null, _offset bigint not null, _timestamp "         \
    "timestamp"

static Harness *sink(const char *options, const char *schema)
{
    g_autofree char *all = g_strconcat("connection: Driver=SQLite3;Database=unused.db\n", options, NULL);
    Harness *h = harness_new("snowflake-gold-sink", all);
    harness_input_text(h, "sales", schema);
    return h;
}

typedef struct Mistake {
    const char *options, *message;
} Mistake;

static void assert_mistakes(const Mistake *cases, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        g_autoptr(Harness) h = sink(cases[i].options, SCHEMA);
        if (harness_try_bind(h) != SF_CONFIG)
            g_error("'%s' is accepted", cases[i].options);
        gold_assert_contains(h->err.message, cases[i].message);
    }
}

static void test_mistakes(void)
{
    static const Mistake cases[] = {
        {"", "no table to keep: give 'facts', or 'dimensions', or both"},
        {"facts: [f]", "options.yaml:2:8: 'facts' is a map: a table's name, then its key and columns"},
        {"facts: {f: order_id}", "options.yaml:2:12: table 'f' is a map with 'key' and 'columns'"},
        {"facts: {f: {columns: [sales]}}",
         "options.yaml:2:9: table 'f' needs a 'key': the column that tells one row from another"},
        {"facts: {f: {key: order_id, colums: [sales]}}",
         "options.yaml:2:28: table 'f': unknown key 'colums'; did you mean 'columns'?"},
        {"dimensions: {d: {key: region, dimensions: []}}", "options.yaml:2:31: table 'd': unknown key 'dimensions'"},
        {"facts: {f: {key: order_id, columns: [sale]}}",
         "options.yaml:2:38: table 'f': input 'sales' has no column 'sale'; did you mean 'sales'?"},
        {"facts: {f: {key: order_id, columns: {amount: saless}}}",
         "options.yaml:2:46: table 'f': input 'sales' has no column 'saless'; did you mean 'sales'?"},
        {"facts: {f: {key: orderid, columns: [sales]}}",
         "options.yaml:2:18: table 'f': input 'sales' has no column 'orderid'; did you mean 'order_id'?"},
        {"facts: {f: {key: order_id, columns: [sales], latest_by: [_timestmp]}}",
         "options.yaml:2:58: table 'f': input 'sales' has no column '_timestmp'; did you mean '_timestamp'?"},
        {"facts: {f: {key: orderid, columns: [sale, sales, regio]}}",
         "options.yaml:2:37: table 'f': input 'sales' has no column 'sale'; did you mean 'sales'?\n"
         "options.yaml:2:50: table 'f': input 'sales' has no column 'regio'; did you mean 'region'?\n"
         "options.yaml:2:18: table 'f': input 'sales' has no column 'orderid'; did you mean 'order_id'?"},
        {"facts: {f: {key: order_id, columns: [sales, Sales]}}", "table 'f' lists column 'Sales' twice"},
        {"facts: {f: {key: order_id, columns: [sales, {SALES: region}]}}", "table 'f' lists column 'SALES' twice"},
        {"facts: {f: {key: order_id, columns: [tags]}}",
         "column 'tags' is a list, which a table cannot hold; take a member of it in the step before, or "
         "leave it out"},
        {"facts: {f: {key: weight, columns: [sales]}}",
         "'weight' is a float64, which cannot be a key; use a decimal or a string"},
        {"facts: {f: {key: order_id, columns: {sales: {form: sales}}}}",
         "options.yaml:2:46: column 'sales': unknown key 'form'; did you mean 'from'?"},
        {"facts: {f: {key: order_id, columns: {sales: {type: 'int); DROP TABLE x'}}}}",
         "column 'sales': 'type' is a type of the database's, such as 'varchar(20)'"},
        {"facts: {f: {key: order_id, columns: {sales: {type: 'numeric(12'}}}}", "column 'sales': 'type' is a type"},
        {"facts: {f: {key: order_id, columns: {sales: [a]}}}", "column 'sales' takes a column of the input, {from"},
        {"facts: {f: {key: [], columns: [sales]}}", "table 'f': 'key' is a column or a list of columns"},
        {"facts: {f: {key: order_id, columns: [sales], dimensions: [d]}}", "table 'f': no dimension 'd'"},
        {"dimensions: {dim_x: {key: region, columns: []}}\nfacts: {f: {key: order_id, columns: [sales], dimensions: "
         "[dim_y]}}",
         "table 'f': no dimension 'dim_y'; did you mean 'dim_x'?"},
        {"dimensions: {F: {key: region, columns: []}}\nfacts: {f: {key: order_id, columns: [sales]}}",
         "table 'f' is listed twice"},
        {"facts: {f: {key: order_id, columns: {Ünit: sales, ÜNIT: region}}}", "table 'f' lists column 'ÜNIT' twice"},
        {"facts: {f: {key: order_id, columns: [sales]}}\nprovenance: false",
         "table 'f' needs 'latest_by' where 'provenance' is false: which of two rows with one key wins?"},
    };
    assert_mistakes(cases, G_N_ELEMENTS(cases));
}

static void test_shapes(void)
{
    static const Mistake cases[] = {
        {"facts: {f: {key: order_id, columns: ['']}}", "table 'f': a column has an empty name"},
        {"facts: {f: {key: order_id, columns: {sales: {from: [a]}}}}",
         "options.yaml:2:52: column 'sales': 'from' is a column of the input"},
        {"facts: {f: {key: order_id, columns: {sales: {type: }}}}", "column 'sales': 'type' is a type"},
        {"facts: {f: {key: order_id, columns: {sales: {type: '9'}}}}", "column 'sales': 'type' is a type"},
        {"facts: {f: {key: order_id, columns: {sales: {type: 'a)('}}}}", "column 'sales': 'type' is a type"},
        {"facts: {f: {key: order_id, columns: {sales: {type: 'a, b'}}}}", "column 'sales': 'type' is a type"},
        {"facts: {f: {key: order_id, columns: {sales: {type: 'a-b'}}}}", "column 'sales': 'type' is a type"},
        {"facts: {f: {key: order_id, columns: [[sales]]}}",
         "options.yaml:2:38: table 'f': a column is a name or one 'name: column of the input'"},
        {"facts: {f: {key: order_id, columns: [{sales: , region: }]}}",
         "table 'f': a column is a name or one 'name: column of the input'"},
        {"facts: {f: {key: {a: b}, columns: [sales]}}", "table 'f': 'key' is a column or a list of columns"},
        {"facts: {f: {key: [order_id, [region]], columns: [sales]}}",
         "options.yaml:2:29: table 'f': 'key' is a column or a list of columns"},
        {"facts: {f: {key: order_id, latest_by: , columns: [sales]}}",
         "table 'f': 'latest_by' is a column or a list of columns"},
        {"dimensions: {d: {key: region}}\nfacts: {f: {key: order_id, columns: [sales], dimensions: d}}",
         "options.yaml:3:58: table 'f': 'dimensions' is a list of dimensions"},
        {"dimensions: {d: {key: region}}\nfacts: {f: {key: order_id, columns: [sales], dimensions: [[d]]}}",
         "table 'f': no dimension ''"},
        {"dimensions: {d: {key: region}}\nfacts: [f]", "'facts' is a map: a table's name, then its key and columns"},
        {"dimensions: [d]", "options.yaml:2:13: 'dimensions' is a map: a table's name, then its key and columns"},
        {"facts: {f: {key: order_id, columns: [sales], delete_when: {region: [a, [b]]}}}", "table 'f': 'delete_when'"},
        {"facts: {}\ndimensions: {}", "no table to keep: give 'facts', or 'dimensions', or both"},
    };
    assert_mistakes(cases, G_N_ELEMENTS(cases));
}

/* Who comes from dbt, Spark or Kafka Connect is told our word. */
static void test_words_of_others(void)
{
    static const Mistake cases[] = {
        {"facts: {f: {unique_key: order_id}}",
         "options.yaml:2:13: table 'f': unknown key 'unique_key'; it is 'key' here"},
        {"facts: {f: {Primary_Key: order_id}}", "table 'f': unknown key 'Primary_Key'; it is 'key' here"},
        {"dimensions: {d: {pk.fields: region}}", "table 'd': unknown key 'pk.fields'; it is 'key' here"},
        {"facts: {f: {key: order_id, updated_at: _timestamp}}",
         "options.yaml:2:28: table 'f': unknown key 'updated_at'; it is 'latest_by' here"},
    };
    assert_mistakes(cases, G_N_ELEMENTS(cases));
}

/* Ten of a table at most, and then those of the next. */
static void test_many_mistakes(void)
{
    g_autoptr(GString) options = g_string_new("facts: {f: {key: order_id, columns: [");
    for (int i = 0; i < 30; i++)
        g_string_append_printf(options, "%sno_%d", i > 0 ? ", " : "", i);
    g_string_append(options, "]}, g: {key: nothing, columns: []}}");
    g_autoptr(Harness) h = sink(options->str, SCHEMA);
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message, "'no_9'\noptions.yaml:");
    gold_assert_contains(h->err.message, "table 'g': input 'sales' has no column 'nothing'");
    g_assert_null(strstr(h->err.message, "'no_10'"));
}

static void test_names_of_the_sinks_own(void)
{
    static const Mistake cases[] = {
        {"ledger: sf_deleted_F\nfacts: {f: {key: order_id, columns: [sales], delete_when: {region: x}}}",
         "table 'f' keeps its deleted keys in 'sf_deleted_f', which is the ledger's name; rename it, or set 'ledger'"},
        {"facts: {f: {key: _Deleted_at, columns: {_Deleted_at: order_id}, delete_when: {region: x}}}",
         "table 'f': its table of deleted keys has a column '_deleted_at' of its own; rename yours"},
        {"facts: {SF_Ledger: {key: order_id, columns: [sales]}}",
         "options.yaml:2:9: table 'SF_Ledger' has the ledger's name; rename it, or set 'ledger'"},
    };
    assert_mistakes(cases, G_N_ELEMENTS(cases));
}

static void test_no_provenance_in_the_input(void)
{
    g_autoptr(Harness) h = sink("facts: {f: {key: id}}", "id int");
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message,
                         "options.yaml:2:9: table 'f': input 'sales' has no column '_topic'; let the step before "
                         "add it (json-decode does with 'provenance: true'), or set 'provenance: false'");
}

static void test_inputs_that_differ(void)
{
    g_autoptr(Harness) h = sink("facts: {f: {key: order_id, columns: [sales]}}", SCHEMA);
    harness_input_text(
        h, "more",
        "order_id string, sales bigint, _topic string, _partition int, _offset bigint, _timestamp timestamp");
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message, "column 'sales' of input 'more' differs in type from the inputs before it");
    static const struct {
        const char *schema, *message;
    } cases[] = {
        {"order_id string, sales decimal(13,2), _topic string, _partition int, _offset bigint, _timestamp timestamp",
         "column 'sales' of input 'more' differs in type"},
        {"order_id string, sales decimal(12,1), _topic string, _partition int, _offset bigint, _timestamp timestamp",
         "column 'sales' of input 'more' differs in type"},
        {"order_id string, sale decimal(12,2), _topic string, _partition int, _offset bigint, _timestamp timestamp",
         "input 'more' has no column 'sales', which the tables need; did you mean 'sale'?"},
        {"order_id string, sales decimal(12,2), _topic string, _partition int, _offset bigint, _timestamp timestamp, "
         "_tombstone bool",
         "input 'more' has a column '_tombstone', and an input before it has none"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) other = sink("facts: {f: {key: order_id, columns: [sales]}}", SCHEMA);
        harness_input_text(other, "more", cases[i].schema);
        g_assert_cmpint(harness_try_bind(other), ==, SF_CONFIG);
        gold_assert_contains(other->err.message, cases[i].message);
    }
}

/* Columns of a table in their order, as the database has them. */
static void assert_columns(const char *options, const char *table, const char *expected)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = gold_harness(place, options);
    harness_input_text(h, "sales", SCHEMA);
    harness_open(h);
    g_autofree char *sql =
        g_strdup_printf("SELECT group_concat(name || ' ' || type, ', ') FROM pragma_table_info('%s')", table);
    gold_assert_query(place, sql, expected);
}

/* Databases tell letters beyond A to Z apart, even those that make one of A and a. */
static void test_names_beyond_ascii(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    static const char columns[] = "{id: , Ünit: a, ünit: b, strasse: c, straße: d}";
    g_autofree char *facts =
        g_strdup_printf("facts: {Öl: {key: id, columns: %s}, öl: {key: id, columns: %s}}", columns, columns);
    g_autoptr(Harness) h = gold_harness(place, facts);
    harness_input_text(
        h, "sales",
        "id int not null, a string, b string, c string, d string, _topic string not null, _partition int "
        "not null, _offset bigint not null, _timestamp timestamp");
    const char *rows[] = {"[1, \"A\", \"B\", \"C\", \"D\", \"t\", 0, 0, \"2024-01-15T10:00:00Z\"]"};
    harness_write(h, 0, harness_rows(h, 0, "t/0", 0, rows, 1));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_reopen(h); /* the columns are found again, none is added */
    g_assert_cmpint(harness_recover(h, 0, "t/0"), ==, 1);
    g_assert_null(strstr(harness_logs(h), "added"));
    static const char *const tables[] = {"Öl", "öl"};
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT \"Ünit\", \"ünit\", \"strasse\", \"straße\" FROM \"%s\"", tables[i]);
        gold_assert_query(place, sql, "A|B|C|D");
    }
}

#define ENDS ", _timestamp TIMESTAMP, _topic TEXT, _partition INTEGER, _offset BIGINT"

static void test_columns(void)
{
    assert_columns("facts: {f: {key: order_id, columns: [sales]}}", "f", "sales DECIMAL(12,2), order_id TEXT" ENDS);
    assert_columns("facts: {f: {key: id, columns: {id: order_id, amount: sales, region: }}}", "f",
                   "id TEXT, amount DECIMAL(12,2), region TEXT" ENDS);
    assert_columns("facts: {f: {key: order_id, columns: {id: order_id, amount: {from: sales, type: 'decimal(9,1)'}}}}",
                   "f", "id TEXT, amount decimal(9,1)" ENDS);
    assert_columns("facts: {f: {key: [order_id, order_id], columns: {a: sales, b: sales, c: {type: 'char(2)', from: "
                   "region}}, latest_by: [a, a]}}",
                   "f",
                   "a DECIMAL(12,2), b DECIMAL(12,2), c char(2), order_id TEXT, _topic TEXT, _partition INTEGER, "
                   "_offset BIGINT, _timestamp TIMESTAMP");
    assert_columns("facts: {f: {key: order_id, columns: [order_id, {amount: sales}]}}", "f",
                   "order_id TEXT, amount DECIMAL(12,2)" ENDS);
    assert_columns("dimensions: {d: {key: customer_id, columns: region}}", "d", "region TEXT, customer_id TEXT" ENDS);
    assert_columns(
        "dimensions: {d: {key: customer_id}}", "sf_ledger",
        "pipeline TEXT, step TEXT, input TEXT, split TEXT, end_position BIGINT, rows_in BIGINT, rows_rejected BIGINT, "
        "updated_at TIMESTAMP, origin TEXT");
}

/* A fact of all columns has those of the row: whether it is a tombstone is of the event, as its place is. */
static void test_tombstones_are_no_column(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h =
        gold_harness(place, "facts: {f: {key: id}, g: {key: id, columns: {id: , gone: _tombstone}}}");
    harness_input_text(h, "rows",
                       "id int, _tombstone bool not null, v int, _topic string not null, _partition int not null, "
                       "_offset bigint not null, _timestamp timestamp");
    harness_open(h);
    gold_assert_query(place, "SELECT group_concat(name) FROM pragma_table_info('f')",
                      "id,v,_timestamp,_topic,_partition,_offset");
    gold_assert_query(place, "SELECT group_concat(name) FROM pragma_table_info('g')",
                      "id,gone,_timestamp,_topic,_partition,_offset"); /* unless it is asked for */

    g_autoptr(GoldPlace) other = gold_place_new(); /* not one by its type: a column like others */
    g_autoptr(Harness) text = gold_harness(other, "facts: {f: {key: id}}");
    harness_input_text(text, "rows",
                       "id int, _tombstone string, _topic string not null, _partition int not null, _offset bigint not "
                       "null, _timestamp timestamp");
    harness_open(text);
    gold_assert_query(other, "SELECT group_concat(name) FROM pragma_table_info('f')",
                      "id,_tombstone,_timestamp,_topic,_partition,_offset");
}

static void test_facts_join(void)
{
    static const char dimensions[] =
        "dimensions: {d: {key: customer_id, columns: []}, e: {key: region, columns: []}}\n";
    g_autofree char *all = g_strconcat(dimensions, "facts: {f: {key: order_id, columns: [order_id]}}", NULL);
    g_autofree char *one =
        g_strconcat(dimensions, "facts: {f: {key: order_id, columns: [order_id], dimensions: [e]}}", NULL);
    g_autofree char *none =
        g_strconcat(dimensions, "facts: {f: {key: order_id, columns: [order_id], dimensions: []}}", NULL);
    assert_columns(all, "f", "order_id TEXT, customer_id TEXT, region TEXT" ENDS);
    assert_columns(one, "f", "order_id TEXT, region TEXT" ENDS);
    assert_columns(none, "f", "order_id TEXT" ENDS);
}

static void test_without_provenance(void)
{
    assert_columns("provenance: false\nfacts: {f: {key: order_id, columns: [sales], latest_by: [sales, _timestamp]}}",
                   "f", "sales DECIMAL(12,2), order_id TEXT, _timestamp TIMESTAMP");
}

static void test_two_inputs(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = gold_harness(place, "facts: {f: {key: order_id, columns: [sales]}}");
    static const char *const reordered =
        "_offset bigint, sales decimal(12,2), order_id string, _topic string, _partition int, _timestamp timestamp";
    static const char *const plain =
        "order_id string, sales decimal(12,2), _topic string, _partition int, _offset bigint, _timestamp timestamp";
    harness_input_text(h, "web", plain);
    harness_input_text(h, "shop", reordered);
    static const char *const web[] = {"[\"A\", 1.00, \"t\", 0, 0, \"2024-01-15T10:00:00Z\"]"};
    static const char *const shop[] = {"[0, 2.00, \"A\", \"t\", 1, \"2024-01-15T10:00:00Z\"]"};
    harness_write(h, 0, harness_rows(h, 0, "t/0", 0, web, 1));
    harness_write(h, 1, harness_rows(h, 1, "t/0", 0, shop, 1));
    harness_commit(h, SF_COMMIT_END);
    gold_assert_query(place, "SELECT order_id, sales, _partition FROM f", "A|2|1");
    gold_assert_query(place, "SELECT input, split, end_position FROM sf_ledger ORDER BY input",
                      "shop|t/0|1\nweb|t/0|1");
}

static void test_names_and_conditions(void)
{
    static const char *const cases[][2] = {
        {"facts: {f: {key: orderid, columns: [], delete_when: {regio: x}, skip_when: x}}",
         "options.yaml:2:18: table 'f': input 'sales' has no column 'orderid'; did you mean 'order_id'?\n"
         "options.yaml:2:54: table 'f': input 'sales' has no column 'regio'; did you mean 'region'?\n"
         "options.yaml:2:76: table 'f': 'skip_when' is a map of columns to values"},
        {"facts: {sf_ledger_columns: {key: order_id, columns: []}}",
         "options.yaml:2:9: table 'sf_ledger_columns' has the ledger's name; rename it, or set 'ledger'"},
        {"facts: {SF_DELETED_f: {key: order_id, columns: []}, f: {key: order_id, columns: [], delete_when: {region: "
         "x}}}",
         "options.yaml:2:9: table 'SF_DELETED_f' has the name of another one's deleted keys"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Harness) h = sink(cases[i][0], SCHEMA);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        gold_assert_contains(h->err.message, cases[i][1]);
    }
}

static void test_connection_is_checked(void)
{
    static const char *const cases[][2] = {
        {"Driver=SQLite3", "connection: SQLite needs 'Database='"},
        {"'Driver={SQLite3;Database=hunter2'", "begins with '{' and does not end with '}'"},
        {"hunter2", "connection: part 1 is not 'name=value'"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *options = g_strdup_printf("connection: %s\nfacts: {f: {key: order_id}}", cases[i][0]);
        g_autoptr(Harness) h = harness_new("snowflake-gold-sink", options);
        harness_input_text(h, "sales", SCHEMA);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        gold_assert_contains(h->err.message, cases[i][1]);
        g_assert_null(strstr(h->err.message, "hunter2"));
    }
}

static void test_secrets(void)
{
    g_autoptr(Harness) h =
        harness_new("snowflake-gold-sink", "connection: Driver=Nowhere;PWD=hunter2\nfacts: {f: {key: order_id}}");
    harness_input_text(h, "sales",
                       "order_id string, _topic string, _partition int, _offset bigint, _timestamp timestamp");
    g_assert_cmpint(harness_try_open(h), ==, SF_CONFIG);
    gold_assert_contains(h->err.message, "ODBC driver 'Nowhere' is not installed");
    g_assert_null(strstr(h->err.message, "hunter2"));
    g_autoptr(Harness) away = harness_new(
        "snowflake-gold-sink", "connection: Driver=PostgreSQL Unicode;Server=127.0.0.1;Port=1;Database=d\nuser: "
                               "u\npassword: hunter2\nfacts: {f: {key: order_id}}");
    harness_input_text(away, "sales",
                       "order_id string, _topic string, _partition int, _offset bigint, _timestamp timestamp");
    g_assert_cmpint(harness_try_open(away), ==, SF_RETRY);
    gold_assert_contains(away->err.message, "Server=127.0.0.1;Port=1;Database=d;UID=u'");
    g_assert_null(strstr(away->err.message, "PWD"));
    g_assert_null(strstr(away->err.message, "hunter2"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/model/names that are the sink's own", test_names_of_the_sinks_own);
    g_test_add_func("/gold/model/names beyond ASCII", test_names_beyond_ascii);
    g_test_add_func("/gold/model/mistakes are named with their place and a hint", test_mistakes);
    g_test_add_func("/gold/model/shapes that are wrong are told", test_shapes);
    g_test_add_func("/gold/model/words of other tools are told as ours", test_words_of_others);
    g_test_add_func("/gold/model/not all of very many mistakes are told", test_many_mistakes);
    g_test_add_func("/gold/model/an input without provenance is told apart", test_no_provenance_in_the_input);
    g_test_add_func("/gold/model/inputs must agree on types", test_inputs_that_differ);
    g_test_add_func("/gold/model/columns by list, map and by default", test_columns);
    g_test_add_func("/gold/model/a tombstone's mark is not a column by itself", test_tombstones_are_no_column);
    g_test_add_func("/gold/model/a fact has the keys of its dimensions", test_facts_join);
    g_test_add_func("/gold/model/provenance can be left out", test_without_provenance);
    g_test_add_func("/gold/model/two inputs have a ledger row each", test_two_inputs);
    g_test_add_func("/gold/model/names of the sink's own tables are refused, and wrong conditions told",
                    test_names_and_conditions);
    g_test_add_func("/gold/model/a connection string is checked before anything is opened", test_connection_is_checked);
    g_test_add_func("/gold/model/secrets are in no message", test_secrets);
    return g_test_run();
}
