/* CPU of our Parquet writer on the sales row, per codec: one thread, rows in memory, the best of some runs. Leaves
 * one file a codec in DIR, which parquet_encode.py reads to time other writers on the same rows.
 *
 * parquet_encode DIR [rows] [rows a batch] */
#include "parquet/parquet.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS 5
#define COLUMNS 12

static guint64 state = 42;

/* splitmix64 */
static guint64 next_random(void)
{
    guint64 z = (state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static guint below(guint n)
{
    return (guint) (((next_random() >> 32) * n) >> 32);
}

static const SfField fields[COLUMNS] = {
    {.name = "order_id", .type = SF_UTF8, .nullable = true},
    {.name = "order_date", .type = SF_DATE, .nullable = true},
    {.name = "customer_id", .type = SF_UTF8, .nullable = true},
    {.name = "customer_name", .type = SF_UTF8, .nullable = true},
    {.name = "product_id", .type = SF_UTF8, .nullable = true},
    {.name = "product_name", .type = SF_UTF8, .nullable = true},
    {.name = "category", .type = SF_UTF8, .nullable = true},
    {.name = "region", .type = SF_UTF8, .nullable = true},
    {.name = "quantity", .type = SF_INT32, .nullable = true},
    {.name = "sales", .type = SF_DECIMAL128, .precision = 12, .scale = 2, .nullable = true},
    {.name = "discount", .type = SF_FLOAT64, .nullable = true},
    {.name = "profit", .type = SF_FLOAT64, .nullable = true},
};

static void add_text(SfBuilder *builder, size_t column, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void add_text(SfBuilder *builder, size_t column, const char *format, ...)
{
    char text[64];
    va_list args;
    va_start(args, format);
    int size = g_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sf_add_str(sf_builder_column(builder, column), text, size);
}

static void add_row(SfBuilder *builder, guint64 i)
{
    static const char *const regions[] = {"North", "South", "East", "West", "Central"};
    static const char *const categories[] = {"Technology", "Furniture", "Office Supplies"};
    static const char *const products[] = {"Laptop Pro 14", "Oak Desk", "Paper A4 Box", "Standing Lamp"};
    guint customer = below(10000);
    guint category = below(3);
    guint product = below(4);
    guint quantity = 1 + below(14);
    guint price = 500 + below(99500);
    guint discount = below(5) * 5;
    gint64 cents = (gint64) quantity * price * (100 - discount) / 100;
    add_text(builder, 0, "ORD-%08" G_GUINT64_FORMAT, i);
    sf_add_i32(sf_builder_column(builder, 1), (gint32) (19723 + below(731)));
    add_text(builder, 2, "CUST-%05u", customer);
    add_text(builder, 3, "Customer Number%u", customer % 256);
    add_text(builder, 4, "PROD-%u%03u", category, product);
    add_text(builder, 5, "%s", products[product]);
    add_text(builder, 6, "%s", categories[category]);
    add_text(builder, 7, "%s", regions[below(5)]);
    sf_add_i32(sf_builder_column(builder, 8), (gint32) quantity);
    sf_add_decimal(sf_builder_column(builder, 9), (SfDecimal){.low = (guint64) cents});
    sf_add_f64(sf_builder_column(builder, 10), discount / 100.0);
    sf_add_f64(sf_builder_column(builder, 11), (double) cents / 100.0 * ((gint) below(61) - 20) / 100.0);
}

static void check(SfStatus status, const SfError *err)
{
    if (status == SF_OK)
        return;
    fprintf(stderr, "parquet_encode: %s\n", err->message);
    exit(1);
}

static GPtrArray *make_batches(const struct ArrowSchema *schema, gint64 rows, gint64 per_batch)
{
    SfError err = {0};
    GPtrArray *batches = g_ptr_array_new();
    SfBuilder *builder = sf_builder_new(schema, &err);
    for (gint64 i = 0; i < rows;) {
        for (gint64 n = 0; n < per_batch && i < rows; n++, i++) {
            add_row(builder, (guint64) i);
            check(sf_builder_end_row(builder, &err), &err);
        }
        struct ArrowArray *batch = g_new0(struct ArrowArray, 1);
        check(sf_builder_finish(builder, batch, &err), &err);
        g_ptr_array_add(batches, batch);
    }
    sf_builder_free(builder);
    return batches;
}

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

static void measure(const char *dir, const char *name, const ParquetOptions *options, const struct ArrowSchema *schema,
                    const GPtrArray *batches, gint64 rows)
{
    SfError err = {0};
    double best = 0;
    gsize size = 0;
    gint64 memory = 0;
    for (int run = 0; run < RUNS; run++) {
        g_autoptr(ParquetWriter) writer = parquet_writer_new(schema, options, &err);
        g_autoptr(GBytes) file = NULL;
        double start = cpu_seconds();
        for (guint i = 0; i < batches->len; i++) {
            const struct ArrowArray *batch = batches->pdata[i];
            check(parquet_writer_add(writer, (const struct ArrowArray *const *) batch->children, 0, NULL, batch->length,
                                     &err),
                  &err);
        }
        memory = parquet_writer_memory(writer);
        check(parquet_writer_finish(writer, &file, &err), &err);
        double used = cpu_seconds() - start;
        best = run == 0 || used < best ? used : best;
        size = g_bytes_get_size(file);
        g_autofree char *path = g_strdup_printf("%s/ours-%s.parquet", dir, name);
        if (run == 0 && !g_file_set_contents(path, g_bytes_get_data(file, NULL), (gssize) size, NULL))
            exit(1);
    }
    printf("streamforge %-8s %.3f us/row %10zu bytes, %" G_GINT64_FORMAT " KiB held\n", name,
           best * 1e6 / (double) rows, size, memory >> 10);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: parquet_encode DIR [rows] [rows a batch]\n");
        return 2;
    }
    gint64 rows = argc > 2 ? g_ascii_strtoll(argv[2], NULL, 10) : 1000000;
    gint64 per_batch = argc > 3 ? g_ascii_strtoll(argv[3], NULL, 10) : 8192;
    SfError err = {0};
    struct ArrowSchema schema;
    check(sf_schema_make(fields, COLUMNS, &schema, &err), &err);
    GPtrArray *batches = make_batches(&schema, rows, per_batch);
    measure(argv[1], "none", &(ParquetOptions){.codec = PARQUET_UNCOMPRESSED}, &schema, batches, rows);
    measure(argv[1], "snappy", &(ParquetOptions){.codec = PARQUET_SNAPPY}, &schema, batches, rows);
    measure(argv[1], "zstd-1", &(ParquetOptions){.codec = PARQUET_ZSTD, .level = 1}, &schema, batches, rows);
    return 0;
}
