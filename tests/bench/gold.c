/* Cost of the gold sink a row: sales events of one partition, handed to it as batches of 5,000, committed in lots.
 *
 *   gold CONNECTION [--rows N] [--commit N] [--existing PERCENT] [--deletes PERCENT] [--server-pid PID] [--json]
 *
 * Client: CPU of this process in the sink's hooks. Server: CPU of PID and its children. The tables are dropped
 * before. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "harness_private.h"
#include "odbc/odbc.h"
#include "sale.h"

#define BATCH 5000

#define SCHEMA                                                                                                         \
    "order_id string not null, order_date date, customer_id string, customer_name string, product_id string, "         \
    "product_name string, category string, region string, sales decimal(12,2), quantity int, discount decimal(6,3), "  \
    "profit decimal(12,2), _topic string not null, _partition int not null, _offset bigint not null, _timestamp "      \
    "timestamp, op string"

#define OPTIONS                                                                                                        \
    "dimensions:\n"                                                                                                    \
    "  dim_customer: {key: customer_id, columns: [customer_name, region]}\n"                                           \
    "  dim_product: {key: product_id, columns: [product_name, category]}\n"                                            \
    "facts:\n"                                                                                                         \
    "  fact_sales: {key: order_id, columns: {order_date: , customer_name: , sales_amount: sales, quantity: , "         \
    "discount: , profit: }%s}\n"

static gint64 rows = 1000000;
static gint64 lot = 100000;
static gint existing = 0;
static gint deletes = -1;
static gint server_pid = 0;
static gboolean json = FALSE;

static double own_cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* proc(5), /proc/PID/stat: 4 ppid, 14 utime, 15 stime, 16 and 17 of its waited-for children. */
static double process_cpu(const char *pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%s/stat", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL) || !strrchr(text, ')'))
        return 0;
    g_auto(GStrv) fields = g_strsplit(strrchr(text, ')') + 2, " ", 20);
    if (g_strv_length(fields) < 20)
        return 0;
    bool is_server = g_ascii_strtoll(pid, NULL, 10) == server_pid,
         is_child = g_ascii_strtoll(fields[1], NULL, 10) == server_pid;
    gint64 ticks = 0;
    for (int i = 11; i < (is_server ? 15 : 13); i++)
        ticks += g_ascii_strtoll(fields[i], NULL, 10);
    return is_server || is_child ? (double) ticks / (double) sysconf(_SC_CLK_TCK) : 0;
}

static double server_cpu(void)
{
    double seconds = 0;
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
    for (const char *name; server_pid > 0 && (name = g_dir_read_name(proc));)
        if (g_ascii_isdigit(*name))
            seconds += process_cpu(name);
    return seconds;
}

static void add_text(SfBuilder *builder, gsize column, const char *text)
{
    sf_add_str(sf_builder_column(builder, column), text, (int64_t) strlen(text));
}

static void add_row(SfBuilder *builder, gint64 number, gint64 offset)
{
    Sale sale = sale_at(number);
    add_text(builder, 0, sale.order);
    sf_add_i32(sf_builder_column(builder, 1), sale.day);
    add_text(builder, 2, sale.customer);
    add_text(builder, 3, sale.name);
    add_text(builder, 4, sale.product);
    add_text(builder, 5, "Wireless mouse");
    add_text(builder, 6, "Electronics");
    add_text(builder, 7, "North");
    sf_add_decimal(sf_builder_column(builder, 8), (SfDecimal){.low = (uint64_t) sale.sales});
    sf_add_i32(sf_builder_column(builder, 9), sale.quantity);
    sf_add_decimal(sf_builder_column(builder, 10), (SfDecimal){.low = (uint64_t) sale.discount});
    sf_add_decimal(sf_builder_column(builder, 11), (SfDecimal){.low = (uint64_t) sale.profit});
    add_text(builder, 12, "sales_events");
    sf_add_i32(sf_builder_column(builder, 13), 0);
    sf_add_i64(sf_builder_column(builder, 14), offset);
    sf_add_i64(sf_builder_column(builder, 15), INT64_C(1705312800000000) + offset * 1000);
    add_text(builder, 16, sale.shuffled % 100 < deletes ? "d" : "u");
}

static const SfBatch *make_batch(Harness *h, const struct ArrowSchema *schema, gint64 first, gint64 offset)
{
    SfError err;
    SfBuilder *builder = sf_builder_new(schema, &err);
    for (gint64 i = 0; i < BATCH; i++) {
        add_row(builder, first + i, offset + i);
        sf_builder_end_row(builder, &err);
    }
    SfBatch batch = {
        .schema = schema, .split = harness_split(h, "sales_events/0"), .start = offset, .end = offset + BATCH};
    if (sf_builder_finish(builder, &batch.rows, &err) != SF_OK)
        g_error("%s", err.message);
    sf_builder_free(builder);
    return harness_hold(h, &batch);
}

typedef struct Cost {
    double client, server, wall;
} Cost;

/* Loads orders [first, first + n) at the offsets from *offset on. */
static Cost run(Harness *h, const struct ArrowSchema *schema, gint64 first, gint64 n, gint64 *offset)
{
    Cost cost = {0};
    for (gint64 done = 0; done < n; done += lot) {
        g_autoptr(GPtrArray) batches = g_ptr_array_new();
        for (gint64 i = 0; i < MIN(lot, n - done); i += BATCH, *offset += BATCH)
            g_ptr_array_add(batches, (gpointer) make_batch(h, schema, first + done + i, *offset));
        double client = own_cpu(), server = server_cpu();
        gint64 begun = g_get_monotonic_time();
        for (guint i = 0; i < batches->len; i++)
            harness_write(h, 0, batches->pdata[i]);
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        cost.wall += (double) (g_get_monotonic_time() - begun) / 1e6;
        cost.client += own_cpu() - client;
        cost.server += server_cpu() - server;
    }
    return cost;
}

static void drop_tables(const char *connection)
{
    static const char *const tables[] = {"dim_customer",          "dim_product", "fact_sales",
                                         "sf_deleted_fact_sales", "sf_ledger",   "sf_ledger_columns"};
    SfError err;
    g_autoptr(Odbc) odbc = odbc_new(&(OdbcLogin){.connection = connection, .timeout_ms = 10000});
    if (odbc_open(odbc, &err) != SF_OK)
        g_error("%s", err.message);
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strdup_printf("DROP TABLE IF EXISTS %s", tables[i]);
        if (odbc_exec(odbc, sql, NULL, &err) != SF_OK)
            g_error("%s", err.message);
    }
}

int main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"rows", 0, 0, G_OPTION_ARG_INT64, &rows, "Rows to load", "N"},
        {"commit", 0, 0, G_OPTION_ARG_INT64, &lot, "Rows a commit", "N"},
        {"existing", 0, 0, G_OPTION_ARG_INT, &existing, "Share that is there before", "PERCENT"},
        {"deletes", 0, 0, G_OPTION_ARG_INT, &deletes, "delete_when holds for that share; 0: it never does", "PERCENT"},
        {"server-pid", 0, 0, G_OPTION_ARG_INT, &server_pid, "Database to measure as well", "PID"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Rows and CPU seconds only", NULL},
        {NULL}};
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("CONNECTION");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
        fprintf(stderr, "gold: %s\n", error ? error->message : "which connection?");
        return 2;
    }
    drop_tables(argv[1]);
    g_autofree char *options =
        g_strdup_printf("connection: %s\n" OPTIONS, argv[1], deletes < 0 ? "" : ", delete_when: {op: d}");
    g_autoptr(Harness) h = harness_new("snowflake-gold-sink", options);
    g_auto(ArrowSchema) schema = {0};
    rows_schema(SCHEMA, &schema);
    harness_input(h, "sales", &schema);
    harness_recover(h, 0, "sales_events/0");
    gint64 offset = 0, before = rows * existing / 100 / BATCH * BATCH;
    run(h, &schema, 0, before, &offset);
    Cost cost = run(h, &schema, 0, rows, &offset);
    double per_row = 1e6 / (double) rows;
    if (json) {
        printf("{\"rows\": %" G_GINT64_FORMAT ", \"cpu\": %.3f}\n", rows, cost.client + cost.server);
        return 0;
    }
    printf("%" G_GINT64_FORMAT " rows, %d %% existing, %d %% deletes, %" G_GINT64_FORMAT
           " a commit: client %.2f, server %.2f, together %.2f CPU µs/row; %.0f rows/s\n",
           rows, existing, deletes, lot, cost.client * per_row, cost.server * per_row,
           (cost.client + cost.server) * per_row, (double) rows / cost.wall);
    return 0;
}
