/* Silver and gold as cheap as a C program can have them. Silver: the twelve fields as typed columns, no dictionary,
 * compression, statistics or a log. Gold: prepared upserts into a fact and two dimensions in one transaction a lot, in
 * the order of the keys, each of a dimension's keys once, with the settings of the sink's profile and without SQLite's
 * locks. Nothing is checked: fields stand in the order of the events of tests/testbed/events.py. */
#include "floor_layers.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOT = 100000, FIELDS = 12, COLUMN_BYTES = 1 << 20, ARENA_BYTES = 64 << 20, TIME_SIZE = 26, SEEN_BITS = 14 };

typedef enum Kind { KIND_TEXT, KIND_DATE, KIND_CENTS, KIND_INT } Kind;

typedef struct Slice {
    const char *data;
    int size;
    gint64 number; /* of all but texts */
} Slice;

/* In the order of the event. */
enum {
    ORDER,
    DAY,
    CUSTOMER,
    CUSTOMER_NAME,
    PRODUCT,
    PRODUCT_NAME,
    CATEGORY,
    REGION,
    SALES,
    QUANTITY,
    DISCOUNT,
    PROFIT
};
static const Kind kinds[FIELDS] = {KIND_TEXT, KIND_DATE, KIND_TEXT,  KIND_TEXT, KIND_TEXT,  KIND_TEXT,
                                   KIND_TEXT, KIND_TEXT, KIND_CENTS, KIND_INT,  KIND_CENTS, KIND_CENTS};

typedef struct Row {
    Slice fields[FIELDS];
    const char *topic;
    gint32 partition;
    gint64 offset;
    char time[TIME_SIZE + 1];
} Row;

typedef struct FloorColumn {
    char *bytes;
    gsize size, room;
} FloorColumn;

struct FloorLayers {
    char *directory;
    FloorColumn columns[FIELDS];
    gint64 files;
    sqlite3 *database;
    sqlite3_stmt *fact, *customer, *product;
    Row *rows; /* of the present lot, and their events */
    gsize n, used;
    char *arena;
    Row **sorted;
    const Slice *seen[1 << SEEN_BITS]; /* dimensions' keys of this lot */
    gint64 day;                        /* that `day_text` is of */
    char day_text[11];
};

static const char schema[] =
    "PRAGMA page_size=16384; PRAGMA cache_size=-4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE fact_sales (order_id TEXT NOT NULL, order_date DATE, customer_id TEXT, customer_name TEXT, "
    "product_id "
    "TEXT, sales_amount DECIMAL(12,2), quantity INTEGER, discount DECIMAL(12,2), profit DECIMAL(12,2), _timestamp "
    "TIMESTAMP, _offset BIGINT, _topic TEXT, _partition INTEGER, PRIMARY KEY (order_id));"
    "CREATE TABLE dim_customer (customer_id TEXT NOT NULL, customer_name TEXT, region TEXT, _timestamp TIMESTAMP, "
    "PRIMARY "
    "KEY (customer_id));"
    "CREATE TABLE dim_product (product_id TEXT NOT NULL, product_name TEXT, category TEXT, _timestamp TIMESTAMP, "
    "PRIMARY "
    "KEY (product_id));";

static const char fact[] =
    "INSERT INTO fact_sales AS t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (order_id) DO UPDATE SET "
    "order_date = excluded.order_date, customer_id = excluded.customer_id, customer_name = excluded.customer_name, "
    "product_id = excluded.product_id, sales_amount = excluded.sales_amount, quantity = excluded.quantity, discount = "
    "excluded.discount, profit = excluded.profit, _timestamp = excluded._timestamp, _offset = excluded._offset, _topic "
    "= "
    "excluded._topic, _partition = excluded._partition WHERE excluded._timestamp >= t._timestamp";
static const char customer[] =
    "INSERT INTO dim_customer AS t VALUES (?, ?, ?, ?) ON CONFLICT (customer_id) DO UPDATE SET customer_name = "
    "excluded.customer_name, region = excluded.region, _timestamp = excluded._timestamp WHERE excluded._timestamp >= "
    "t._timestamp";
static const char product[] =
    "INSERT INTO dim_product AS t VALUES (?, ?, ?, ?) ON CONFLICT (product_id) DO UPDATE SET product_name = "
    "excluded.product_name, category = excluded.category, _timestamp = excluded._timestamp WHERE excluded._timestamp "
    ">= "
    "t._timestamp";

G_GNUC_NORETURN static void give_up(const char *what)
{
    fprintf(stderr, "floor: %s\n", what);
    exit(1);
}

static void check(sqlite3 *database, int code)
{
    if (code != SQLITE_OK && code != SQLITE_DONE)
        give_up(sqlite3_errmsg(database));
}

FloorLayers *floor_layers_new(const char *directory)
{
    FloorLayers *layers = g_new0(FloorLayers, 1);
    g_autofree char *file = g_build_filename(directory, "gold.db", NULL);
    layers->directory = g_strdup(directory);
    layers->rows = g_new(Row, LOT);
    layers->sorted = g_new(Row *, LOT);
    layers->arena = g_malloc(ARENA_BYTES);
    layers->day = -1;
    check(NULL, sqlite3_config(SQLITE_CONFIG_MULTITHREAD));
    check(NULL, sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0));
    check(layers->database, sqlite3_open(file, &layers->database));
    check(layers->database, sqlite3_exec(layers->database, schema, NULL, NULL, NULL));
    check(layers->database, sqlite3_prepare_v2(layers->database, fact, -1, &layers->fact, NULL));
    check(layers->database, sqlite3_prepare_v2(layers->database, customer, -1, &layers->customer, NULL));
    check(layers->database, sqlite3_prepare_v2(layers->database, product, -1, &layers->product, NULL));
    return layers;
}

/* ---- the event ---- */

static gint64 digits(const char **at)
{
    gint64 number = 0;
    while (g_ascii_isdigit(**at))
        number = number * 10 + *(*at)++ - '0';
    return number;
}

static gint64 days(const char *at)
{
    gint64 year = digits(&at);
    at++;
    gint64 month = digits(&at);
    at++;
    gint64 day = digits(&at);
    year -= month <= 2; /* of the proleptic Gregorian calendar, counted from March */
    gint64 of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719468;
}

/* 12.34 is 1234; there are always two decimals, or none. */
static gint64 cents(const char *at)
{
    bool negative = *at == '-';
    at += negative;
    gint64 number = digits(&at) * 100;
    if (*at == '.')
        number += digits(&(const char *){at + 1});
    return negative ? -number : number;
}

/* From behind the field before to behind this one. */
static const char *next_field(const char *at, const char *end, Kind kind, Slice *out)
{
    at = memchr(at, ':', (gsize) (end - at));
    if (!at)
        give_up("an event has too few fields");
    at += 1 + (at[1] == ' ');
    bool quoted = *at == '"';
    at += quoted;
    const char *begin = at;
    while (at < end && (quoted ? *at != '"' : *at != ',' && *at != '}'))
        at++;
    *out = (Slice){.data = begin, .size = (int) (at - begin)};
    out->number = kind == KIND_DATE ? days(begin) : kind == KIND_CENTS ? cents(begin) : 0;
    if (kind == KIND_INT)
        out->number = cents(begin) / 100;
    return at;
}

/* ---- silver ---- */

static void append(FloorColumn *column, const void *bytes, gsize size)
{
    if (column->room - column->size < size) {
        column->room = MAX(2 * column->room, COLUMN_BYTES);
        column->bytes = g_realloc(column->bytes, column->room);
    }
    memcpy(column->bytes + column->size, bytes, size);
    column->size += size;
}

static void add_columns(FloorLayers *layers, const Slice *fields)
{
    for (int i = 0; i < FIELDS; i++) {
        FloorColumn *column = &layers->columns[i];
        if (kinds[i] == KIND_TEXT) {
            append(column, &fields[i].size, sizeof fields[i].size);
            append(column, fields[i].data, (gsize) fields[i].size);
        } else {
            append(column, &fields[i].number, kinds[i] == KIND_CENTS ? sizeof(gint64) : sizeof(gint32));
        }
    }
}

static void write_columns(FloorLayers *layers)
{
    g_autofree char *path = g_strdup_printf("%s/columns-%d.bin", layers->directory, (int) layers->files++);
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    for (int i = 0; i < FIELDS && file >= 0; i++) {
        if (write(file, layers->columns[i].bytes, layers->columns[i].size) != (gssize) layers->columns[i].size)
            give_up("cannot write columns");
        layers->columns[i].size = 0;
    }
    if (file < 0 || fdatasync(file) || close(file))
        give_up("cannot write columns");
}

/* ---- gold ---- */

static void bind_text(sqlite3_stmt *statement, int column, const char *text, int size)
{
    sqlite3_bind_text(statement, column, text, size, SQLITE_STATIC);
}

static void step(FloorLayers *layers, sqlite3_stmt *statement)
{
    check(layers->database, sqlite3_step(statement));
    check(layers->database, sqlite3_reset(statement));
}

/* Whether a dimension's key was there in this lot: the later row of two is taken for the same. */
static bool seen_before(FloorLayers *layers, const Slice *key)
{
    guint64 hash = (guint64) key->size;
    for (int i = 0; i < key->size; i++)
        hash = hash * 31 + (guchar) key->data[i];
    for (guint at = (guint) (hash * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15) >> (64 - SEEN_BITS));;
         at = (at + 1) % (1 << SEEN_BITS)) {
        const Slice *there = layers->seen[at];
        if (!there) {
            layers->seen[at] = key;
            return false;
        }
        if (there->size == key->size && memcmp(there->data, key->data, (gsize) key->size) == 0)
            return true;
    }
}

static void add_dimension(FloorLayers *layers, sqlite3_stmt *statement, const Row *row, int key, int name, int kind)
{
    const Slice *fields = row->fields;
    if (seen_before(layers, &fields[key]))
        return;
    bind_text(statement, 1, fields[key].data, fields[key].size);
    bind_text(statement, 2, fields[name].data, fields[name].size);
    bind_text(statement, 3, fields[kind].data, fields[kind].size);
    bind_text(statement, 4, row->time, TIME_SIZE);
    step(layers, statement);
}

static void add_fact(FloorLayers *layers, const Row *row)
{
    static const int texts[] = {ORDER, DAY, CUSTOMER, CUSTOMER_NAME, PRODUCT};
    sqlite3_stmt *statement = layers->fact;
    for (int i = 0; i < (int) G_N_ELEMENTS(texts); i++)
        bind_text(statement, i + 1, row->fields[texts[i]].data, row->fields[texts[i]].size);
    sqlite3_bind_double(statement, 6, (double) row->fields[SALES].number / 100);
    sqlite3_bind_int64(statement, 7, row->fields[QUANTITY].number);
    sqlite3_bind_double(statement, 8, (double) row->fields[DISCOUNT].number / 100);
    sqlite3_bind_double(statement, 9, (double) row->fields[PROFIT].number / 100);
    bind_text(statement, 10, row->time, TIME_SIZE);
    sqlite3_bind_int64(statement, 11, row->offset);
    bind_text(statement, 12, row->topic, -1);
    sqlite3_bind_int(statement, 13, row->partition);
    step(layers, statement);
}

static int by_order(const void *a, const void *b)
{
    const Slice *x = &(*(Row *const *) a)->fields[ORDER], *y = &(*(Row *const *) b)->fields[ORDER];
    int order = memcmp(x->data, y->data, (gsize) MIN(x->size, y->size));
    return order ? order : x->size - y->size;
}

static void commit(FloorLayers *layers)
{
    write_columns(layers);
    for (gsize i = 0; i < layers->n; i++)
        layers->sorted[i] = &layers->rows[i];
    qsort(layers->sorted, layers->n, sizeof *layers->sorted, by_order);
    memset(layers->seen, 0, sizeof layers->seen);
    check(layers->database, sqlite3_exec(layers->database, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    for (gsize i = 0; i < layers->n; i++) {
        add_fact(layers, layers->sorted[i]);
        add_dimension(layers, layers->customer, layers->sorted[i], CUSTOMER, CUSTOMER_NAME, REGION);
        add_dimension(layers, layers->product, layers->sorted[i], PRODUCT, PRODUCT_NAME, CATEGORY);
    }
    check(layers->database, sqlite3_exec(layers->database, "COMMIT", NULL, NULL, NULL));
    layers->n = layers->used = 0;
}

/* ---- both ---- */

static void put_two(char *to, int number)
{
    to[0] = (char) ('0' + number / 10 % 10);
    to[1] = (char) ('0' + number % 10);
}

/* 2024-01-15 10:30:00.000000 */
static void format_time(FloorLayers *layers, char *out, gint64 ms)
{
    gint64 day = ms / 86400000, rest = ms % 86400000;
    if (day != layers->day) {
        struct tm at;
        time_t seconds = (time_t) (ms / 1000);
        gmtime_r(&seconds, &at);
        strftime(layers->day_text, sizeof layers->day_text, "%Y-%m-%d", &at);
        layers->day = day;
    }
    memcpy(out, "0000-00-00 00:00:00.000000", TIME_SIZE + 1);
    memcpy(out, layers->day_text, 10);
    put_two(out + 11, (int) (rest / 3600000));
    put_two(out + 14, (int) (rest / 60000 % 60));
    put_two(out + 17, (int) (rest / 1000 % 60));
    put_two(out + 20, (int) (rest % 1000 / 10));
    out[22] = (char) ('0' + rest % 10);
}

void floor_layers_add(FloorLayers *layers, const FloorEvent *event)
{
    if (layers->n == LOT || ARENA_BYTES - layers->used < event->size)
        commit(layers);
    Row *row = &layers->rows[layers->n++];
    char *data = layers->arena + layers->used;
    memcpy(data, event->data, event->size);
    layers->used += event->size;
    row->topic = event->topic;
    row->partition = event->partition;
    row->offset = event->offset;
    format_time(layers, row->time, event->timestamp_ms);
    const char *at = data, *end = data + event->size;
    for (int i = 0; i < FIELDS; i++)
        at = next_field(at, end, kinds[i], &row->fields[i]);
    add_columns(layers, row->fields);
}

void floor_layers_end(FloorLayers *layers)
{
    if (layers->n > 0)
        commit(layers);
    sqlite3_finalize(layers->fact);
    sqlite3_finalize(layers->customer);
    sqlite3_finalize(layers->product);
    check(layers->database, sqlite3_close(layers->database));
    for (int i = 0; i < FIELDS; i++)
        g_free(layers->columns[i].bytes);
    g_free(layers->rows);
    g_free(layers->sorted);
    g_free(layers->arena);
    g_free(layers->directory);
    g_free(layers);
}
