/* Writes Delta tables by delta-silver-sink for foreign readers to judge: delta_tables DIR makes DIR/types,
 * DIR/parts, … beside DIR/<table>.json, one line a row that must be in it. */
#include "harness.h"

#include <stdio.h>

#define ALL_TYPES                                                                                                      \
    "id bigint not null, b bool, i int, l bigint, f double, d9 decimal(9,2), d18 decimal(18,4), d38 decimal(38,10), "  \
    "s string, v string view, z binary, day date, t timestamp"

static const char *root;

typedef struct Writer {
    Harness *h;
    FILE *expected;
    struct ArrowSchema schema;
    gint64 next;
} Writer;

static Writer writer_open(const char *name, const char *options, const char *schema, const char *mode)
{
    Writer writer = {0};
    g_autofree char *text = g_strdup_printf("url: file://%s/%s\n%s", root, name, options);
    g_autofree char *path = g_strdup_printf("%s/%s.json", root, name);
    writer.h = harness_new("delta-silver-sink", text);
    harness_input_text(writer.h, "rows", schema);
    rows_schema(schema, &writer.schema);
    writer.expected = fopen(path, mode);
    g_assert_nonnull(writer.expected);
    writer.next = harness_recover(writer.h, 0, "rows/0");
    writer.next = MAX(writer.next, 0);
    return writer;
}

static void writer_add(Writer *writer, const char *const *json, gsize n)
{
    const SfBatch *batch = harness_rows(writer->h, 0, "rows/0", writer->next, json, n);
    for (gsize i = 0; i < n; i++) {
        g_autofree char *line = rows_text(&writer->schema, &batch->rows, (gint64) i);
        fprintf(writer->expected, "%s\n", line);
    }
    harness_write(writer->h, 0, batch);
    writer->next += (gint64) n;
}

static void writer_close(Writer *writer)
{
    harness_commit(writer->h, SF_COMMIT_END);
    if (harness_logs(writer->h)[0])
        g_error("the sink says: %s", harness_logs(writer->h));
    harness_free(writer->h);
    fclose(writer->expected);
    sf_schema_done(&writer->schema);
}

static void make_types(const char *name, const char *options)
{
    static const char *const extremes[] = {
        "[1, true, 2147483647, 9223372036854775807, 1.7976931348623157e308, 9999999.99, 99999999999999.9999, "
        "9999999999999999999999999999.9999999999, \"Ä\", \"short\", \"\", \"9999-12-31\", "
        "\"9999-12-31T23:59:59.999999Z\"]",
        "[2, false, -2147483648, -9223372036854775808, -1.7976931348623157e308, -9999999.99, -99999999999999.9999, "
        "-9999999999999999999999999999.9999999999, \"\", \"a view of more than twelve\", \"bytes\", \"1600-01-01\", "
        "\"1600-01-01T00:00:00.000001Z\"]",
        "[3, null, null, null, null, null, null, null, null, null, null, null, null]",
        "[4, true, 0, 0, -0.0, 0.00, 0.0000, 0.0000000001, \"😈\", \"ö\", \"z\", \"1970-01-01\", "
        "\"1969-12-31T23:59:59.999999Z\"]",
    };
    Writer writer = writer_open(name, options, ALL_TYPES, "w");
    writer_add(&writer, extremes, G_N_ELEMENTS(extremes));
    harness_commit(writer.h, SF_COMMIT_CHECKPOINT);
    for (int i = 0; i < 5000; i++) {
        g_autofree char *row =
            g_strdup_printf("[%d, %s, %d, %d, %d.5, %d.25, %d.5, %d.125, \"name-%d\", \"view-%d\", \"b%d\", "
                            "\"20%02d-0%d-1%d\", \"2024-01-15T10:%02d:01.%06dZ\"]",
                            i + 10, i % 2 ? "true" : "false", i % 7, i * 1000, i, i % 50, -i, i, i % 100, i, i % 3,
                            i % 90, i % 9 + 1, i % 10, i % 60, i);
        const char *json = row;
        writer_add(&writer, &json, 1);
        if (i % 1000 == 999)
            harness_commit(writer.h, SF_COMMIT_CHECKPOINT);
    }
    writer_close(&writer);
}

static void make_floats(void)
{
    static const char *const rows[] = {"[1, \"NaN\"]",       "[2, 1.5]",  "[3, \"Infinity\"]",
                                       "[4, \"-Infinity\"]", "[5, null]", "[6, -0.0]"};
    Writer writer = writer_open("floats", "", "id int, f double", "w");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        writer_add(&writer, &rows[i], 1);
        harness_commit(writer.h, SF_COMMIT_CHECKPOINT);
    }
    writer_close(&writer);
}

/* Values at which statistics go wrong, of every type; each file has its own few of them. bounds.py asks for all. */
typedef struct BoundColumn {
    const char *type;
    const char *values[9];
} BoundColumn;

#define WIDE "0123456789012345678901234567890"
#define LAST "\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF"

static const BoundColumn bound_columns[] = {
    {"b bool", {"false", "true"}},
    {"i int", {"-2147483648", "-1", "0", "1", "7", "2147483647"}},
    {"l bigint", {"-9223372036854775808", "-1", "0", "9007199254740993", "9223372036854775807"}},
    {"f double",
     {"\"-Infinity\"", "-1.7976931348623157e308", "-1.5", "-0.0", "0.0", "4.9e-324", "2.5", "\"NaN\"", "\"Infinity\""}},
    {"d9 decimal(9,2)", {"-9999999.99", "-0.01", "0.00", "1.50", "9999999.99"}},
    {"d18 decimal(18,4)", {"-99999999999999.9999", "-0.0001", "0.0000", "12.5000", "99999999999999.9999"}},
    {"d38 decimal(38,10)",
     {"-9999999999999999999999999999.9999999999", "-256.0000000000", "0.0000000000", "0.0000000001",
      "9999999999999999999999999999.9999999999"}},
    {"s string",
     {"\"\"", "\"A\"", "\"" WIDE "\"", "\"" WIDE "~zz\"", "\"" WIDE WIDE "é" WIDE "\"", "\"é\"", "\"\U0010FFFFx\"",
      "\"" LAST LAST LAST LAST LAST LAST LAST LAST LAST "x\""}},
    {"day date", {"\"0001-01-01\"", "\"1582-10-04\"", "\"1970-01-01\"", "\"2024-02-29\"", "\"9999-12-31\""}},
    {"t timestamp",
     {"\"0001-01-01T00:00:00.000001Z\"", "\"1969-12-31T23:59:59.999999Z\"", "\"1970-01-01T00:00:00Z\"",
      "\"2024-01-15T10:30:01.000999Z\"", "\"2024-01-15T10:30:01.001Z\"", "\"9999-12-31T23:59:59.999999Z\""}},
};

static void add_bound_row(GString *row, GRand *random, int file)
{
    for (gsize c = 0; c < G_N_ELEMENTS(bound_columns); c++) {
        const BoundColumn *column = &bound_columns[c];
        gsize n = 0;
        while (n < G_N_ELEMENTS(column->values) && column->values[n])
            n++;
        gsize at = ((gsize) file + c + (gsize) g_rand_int_range(random, 0, 2)) % n;
        bool null = g_rand_int_range(random, 0, 5) == 0;
        g_string_append_printf(row, ", %s", null ? "null" : column->values[at]);
    }
    const char *const *floats = bound_columns[3].values;
    const char *one = floats[g_rand_int_range(random, 0, 9)];
    const char *other = floats[g_rand_int_range(random, 0, 9)];
    g_string_append_printf(row, ", {\"f\": %s, \"in\": {\"f\": %s}}, [%s, null, %s], [{\"f\": %s}]", one, other, one,
                           other, one);
}

static void make_bounds(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(4);
    g_autoptr(GString) schema = g_string_new("id int not null");
    for (gsize c = 0; c < G_N_ELEMENTS(bound_columns); c++)
        g_string_append_printf(schema, ", %s", bound_columns[c].type);
    g_string_append(schema, ", st struct<f double, in struct<f double>>, fs list<double>, os list<struct<f double>>");
    Writer writer = writer_open("bounds", "checkpoint_interval: 7", schema->str, "w");
    for (int i = 0; i < 100; i++) {
        g_autoptr(GString) row = g_string_new(NULL);
        g_string_append_printf(row, "[%d", i);
        add_bound_row(row, random, i / 4);
        g_string_append_c(row, ']');
        const char *json = row->str;
        writer_add(&writer, &json, 1);
        if (i % 4 == 3)
            harness_commit(writer.h, SF_COMMIT_CHECKPOINT);
    }
    writer_close(&writer);
}

static void make_parts(void)
{
    static const char *const rows[] = {
        "[1, \"2024-01-15\", \"A/A %20f=:\", 1.50, \"2024-01-15T10:30:01.5Z\", true, 7]",
        "[2, \"2024-01-16\", \"Ö st 😈\", -0.05, \"1969-12-31T23:59:59.000001Z\", false, -9223372036854775808]",
        "[3, null, null, null, null, null, null]",
        "[4, \"2024-01-15\", \"a'b\\\"c{d}[e]^#?*\\\\x\", 12.00, \"2024-01-15T10:30:01.5Z\", true, 7]",
        "[5, \"0001-01-01\", \"__HIVE\", 9999999999999999999999999999.99, \"9999-12-31T23:59:59.999999Z\", true, 0]",
    };
    Writer writer = writer_open("parts", "partition_by: [day, s, d, t, b, n]\nmax_open_files: 3",
                                "id int, day date, s string, d decimal(30,2), t timestamp, b bool, n bigint", "w");
    writer_add(&writer, rows, G_N_ELEMENTS(rows));
    writer_add(&writer, rows, G_N_ELEMENTS(rows));
    writer_close(&writer);
}

static void make_nested(void)
{
    static const char *const rows[] = {
        "[1, [\"x\", null, \"\"], [[1, 2], [], null], {\"name\": \"Eve\", \"age\": 7, \"tags\": [1, null]}, [{\"a\": "
        "1, \"b\": \"q\"}, null]]",
        "[2, null, null, null, null]",
        "[3, [], [], {\"name\": null, \"age\": null, \"tags\": null}, []]",
        "[4, [\"only\"], [[3]], {\"name\": \"Bob\", \"age\": 1, \"tags\": []}, [{\"a\": null, \"b\": null}]]",
    };
    Writer writer = writer_open("nested", "compression: zstd",
                                "id int not null, tags list<string>, deep list<list<bigint>>, "
                                "who struct<name string, age int, tags list<int>>, items list<struct<a int, b string>>",
                                "w");
    for (int i = 0; i < 500; i++)
        writer_add(&writer, rows, G_N_ELEMENTS(rows));
    writer_close(&writer);
}

static void make_evolve(void)
{
    const char *first = "[1, \"a\"]";
    const char *second = "[2, \"b\", 1.25, {\"x\": 1}]";
    const char *third = "[3, \"c\"]";
    Writer writer = writer_open("evolve", "", "id int, name string", "w");
    writer_add(&writer, &first, 1);
    writer_close(&writer);
    writer = writer_open("evolve", "", "id int, name string, price decimal(5,2), more struct<x int>", "a");
    writer_add(&writer, &second, 1);
    writer_close(&writer);
    writer = writer_open("evolve", "", "id int, name string", "a");
    writer_add(&writer, &third, 1);
    writer_close(&writer);
}

static void make_many(const char *name, const char *options)
{
    Writer writer = writer_open(name, options, "id int, p string, text string", "w");
    for (int i = 0; i < 35; i++) {
        g_autofree char *row = g_strdup_printf("[%d, \"p%d\", \"text %d\"]", i, i % 3, i);
        const char *json = row;
        writer_add(&writer, &json, 1);
        harness_commit(writer.h, SF_COMMIT_CHECKPOINT);
    }
    writer_close(&writer);
}

/* What readers see is then what the checkpoint of that version says. */
static void forget_commits(const char *name, int before)
{
    for (int version = 0; version < before; version++) {
        g_autofree char *path = g_strdup_printf("%s/%s/_delta_log/%020d.json", root, name, version);
        g_assert_cmpint(remove(path), ==, 0);
    }
}

static void make_texts(void)
{
    static const char *const parts[] = {
        "ASCII that goes on and on beyond thirty-two characters", "ÄÖÜäöüßéèêëàâîïôûçñøåæœÿžšćđłńśźżабвгд",
        "\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF"
        "\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF"
        "\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF"
        "\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFF\U0010FFFFxyz",
        "exactly thirty-two characters so"};
    Writer writer = writer_open("texts", "", "id int, s string", "w");
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *row = g_strdup_printf("[%zu, \"%s\"]", i, parts[i]);
        const char *json = row;
        writer_add(&writer, &json, 1);
        harness_commit(writer.h, SF_COMMIT_CHECKPOINT);
    }
    writer_close(&writer);
}

/* Three pages a column, in the order of their values: readers that skip pages have some to skip. */
static void make_paged(void)
{
    Writer writer = writer_open("paged", "", "id int, name string, price decimal(5,2), f double", "w");
    for (int i = 0; i < 41; i++) {
        g_autoptr(GPtrArray) json = g_ptr_array_new_with_free_func(g_free);
        for (int j = 0; j < 1000; j++)
            g_ptr_array_add(json, i < 20 ? g_strdup_printf("[%d, \"name %d\", %d.25, null]", i / 20, i / 20, i / 20)
                                         : g_strdup_printf("[%d, \"name %d\", null, %d.5]", i / 20, i / 20, i / 20));
        writer_add(&writer, (const char *const *) json->pdata, json->len);
    }
    writer_close(&writer);
}

static void make_wide(void)
{
    g_autoptr(GString) schema = g_string_new("c0 int");
    g_autoptr(GString) row = g_string_new("[0");
    for (int i = 1; i < 40; i++) {
        g_string_append_printf(schema, ", c%d int", i);
        g_string_append_printf(row, ", %d", i);
    }
    g_string_append_c(row, ']');
    const char *json = row->str;
    Writer writer = writer_open("wide", "compression: none", schema->str, "w");
    writer_add(&writer, &json, 1);
    writer_close(&writer);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: delta_tables DIR\n");
        return 2;
    }
    root = argv[1];
    make_types("types", "");
    make_types("types_zstd", "compression: zstd\ncompression_level: 3");
    make_floats();
    make_bounds();
    make_parts();
    make_nested();
    make_evolve();
    make_many("many", "partition_by: [p]\ntable_properties: {delta.checkpointInterval: 10}");
    forget_commits("many", 30);
    make_many("pruned", "partition_by: [p]\ntable_properties: {delta.checkpointInterval: 10}");
    make_many("sidecars",
              "partition_by: [p]\ntable_properties: {delta.checkpointInterval: 4, delta.checkpointPolicy: v2}");
    forget_commits("sidecars", 32);
    make_texts();
    make_paged();
    make_wide();
    return 0;
}
