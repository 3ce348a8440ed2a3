/* The floor for gold on SQLite: what a C program needs that does nothing but upsert sales events into one table, by
 * one prepared statement in one transaction, with SQLite's own settings.
 *
 *   upsert_floor FILE ROWS LOT       a new file; rows of a lot are in the order of their keys, as gold's commits are
 *
 * CPU of this process from BEGIN to COMMIT, without making the events. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "sale.h"

#define COLUMNS                                                                                                        \
    "order_id, order_date, customer_name, sales_amount, quantity, discount, profit, customer_id, product_id, _topic, " \
    "_partition, _offset, _timestamp"

static const char create[] =
    "CREATE TABLE fact_sales (order_id TEXT NOT NULL, order_date DATE, customer_name TEXT, sales_amount DECIMAL(12,2), "
    "quantity INTEGER, discount DECIMAL(6,3), profit DECIMAL(12,2), customer_id TEXT, product_id TEXT, _topic TEXT, "
    "_partition INTEGER, _offset BIGINT, _timestamp TIMESTAMP, PRIMARY KEY (order_id))";

static const char upsert[] =
    "INSERT INTO fact_sales AS t (" COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (order_id) DO "
    "UPDATE SET order_date = excluded.order_date, customer_name = excluded.customer_name, sales_amount = "
    "excluded.sales_amount, quantity = excluded.quantity, discount = excluded.discount, profit = excluded.profit, "
    "customer_id = excluded.customer_id, product_id = excluded.product_id, _topic = excluded._topic, _partition = "
    "excluded._partition, _offset = excluded._offset, _timestamp = excluded._timestamp WHERE excluded._timestamp >= "
    "t._timestamp";

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void check(sqlite3 *database, int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE)
        return;
    fprintf(stderr, "upsert_floor: %s\n", sqlite3_errmsg(database));
    exit(1);
}

static int by_order(const void *a, const void *b)
{
    return strcmp(((const Sale *) a)->order, ((const Sale *) b)->order);
}

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    sqlite3_bind_text(statement, column, text, (int) strlen(text), SQLITE_STATIC);
}

static void write_sale(sqlite3 *database, sqlite3_stmt *statement, const Sale *sale, gint64 offset)
{
    bind_text(statement, 1, sale->order);
    bind_text(statement, 2, "2024-01-15");
    bind_text(statement, 3, sale->name);
    sqlite3_bind_double(statement, 4, (double) sale->sales / 100);
    sqlite3_bind_int(statement, 5, sale->quantity);
    sqlite3_bind_double(statement, 6, (double) sale->discount / 1000);
    sqlite3_bind_double(statement, 7, (double) sale->profit / 100);
    bind_text(statement, 8, sale->customer);
    bind_text(statement, 9, sale->product);
    bind_text(statement, 10, "sales_events");
    sqlite3_bind_int(statement, 11, 0);
    sqlite3_bind_int64(statement, 12, offset);
    bind_text(statement, 13, "2024-01-15 10:00:00.000000");
    check(database, sqlite3_step(statement));
    check(database, sqlite3_reset(statement));
}

int main(int argc, char **argv)
{
    gint64 rows = argc == 4 ? g_ascii_strtoll(argv[2], NULL, 10) : 0;
    gint64 lot = argc == 4 ? g_ascii_strtoll(argv[3], NULL, 10) : 0;
    if (rows <= 0 || lot <= 0) {
        fprintf(stderr, "usage: upsert_floor FILE ROWS LOT\n");
        return 2;
    }
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    check(database, sqlite3_open(argv[1], &database));
    check(database, sqlite3_exec(database, create, NULL, NULL, NULL));
    check(database, sqlite3_prepare_v2(database, upsert, -1, &statement, NULL));
    g_autofree Sale *sales = g_new(Sale, lot);
    check(database, sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    double cpu = 0;
    for (gint64 done = 0; done < rows; done += lot) {
        gint64 n = MIN(lot, rows - done);
        for (gint64 i = 0; i < n; i++)
            sales[i] = sale_at(done + i);
        double begin = cpu_seconds();
        qsort(sales, (size_t) n, sizeof *sales, by_order);
        for (gint64 i = 0; i < n; i++)
            write_sale(database, statement, &sales[i], done + i);
        cpu += cpu_seconds() - begin;
    }
    double begin = cpu_seconds();
    check(database, sqlite3_exec(database, "COMMIT", NULL, NULL, NULL));
    cpu += cpu_seconds() - begin;
    printf("{\"rows\": %" G_GINT64_FORMAT ", \"cpu\": %.3f}\n", rows, cpu);
    sqlite3_finalize(statement);
    return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}
