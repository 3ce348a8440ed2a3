/* CPU of JSON events → columns, in µs an event: our decoder, our check alone, and simdjson's ways to the same columns
 * under each of its implementations that this CPU has. One thread, events in memory, the best of some runs.
 *
 * json_decode FILE [WHAT]    one event a line, as sfrun produce makes them; WHAT: only lines with this text */
#include <glib.h>
#include <stdio.h>
#include <time.h>

#include "decode.h"
#include "type_text.h"
#include "json/check.h"
#include "json_rival.h"
#include "json/write.h"

enum { RUNS = 7, BATCH_ROWS = 4096, COLUMNS = 12 };

static const char *const columns[COLUMNS][2] = {
    {"order_id", "string not null"}, {"order_date", "date"},        {"customer_id", "string"},
    {"customer_name", "string"},     {"product_id", "string"},      {"product_name", "string"},
    {"category", "string"},          {"region", "string"},          {"quantity", "int"},
    {"sales", "decimal(12,2)"},      {"discount", "decimal(12,2)"}, {"profit", "decimal(12,2)"},
};

typedef struct Bench {
    GPtrArray *fields;
    struct ArrowSchema schema;
    SfBuilder *builder;
    Decoder decoder;
    JsonWriter *writer;
    GArray *events; /* of SfBytes */
    const char *rival;
    const char *what;
} Bench;

typedef void (*Work)(Bench *bench, const SfBytes *event);

static void end_batch(Bench *bench)
{
    struct ArrowArray rows = {0};
    SfError err;
    if (sf_builder_finish(bench->builder, &rows, &err) != SF_OK)
        g_error("%s", err.message);
    sf_array_done(&rows);
}

static void decode_event(Bench *bench, const SfBytes *event)
{
    SfError err;
    if (decoder_event(&bench->decoder, event->data, (size_t) event->size, &err) != SF_OK)
        g_error("%s", err.message);
}

static void check_event(Bench *bench, const SfBytes *event)
{
    (void) bench;
    if (!json_valid(event->data, (size_t) event->size, NULL, NULL))
        g_error("an event is no JSON");
}

static void rival_event(Bench *bench, const SfBytes *event)
{
    SfError err;
    if (!rival_decode(event->data, (size_t) event->size, bench->builder))
        g_error("%s: an event was not read", bench->rival);
    if (sf_builder_end_row(bench->builder, &err) != SF_OK)
        g_error("%s", err.message);
}

static void rival_check(Bench *bench, const SfBytes *event)
{
    if (!rival_parse(event->data, (size_t) event->size))
        g_error("%s: an event was not read", bench->rival);
}

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double) time.tv_sec * 1e6 + (double) time.tv_nsec / 1e3;
}

static void measure(Bench *bench, const char *what, Work work)
{
    double best = G_MAXDOUBLE;
    if (bench->what && !strstr(what, bench->what))
        return;
    for (int run = 0; run < RUNS; run++) {
        double start = now_us();
        for (guint i = 0; i < bench->events->len; i++) {
            work(bench, &g_array_index(bench->events, SfBytes, i));
            if ((i + 1) % BATCH_ROWS == 0)
                end_batch(bench);
        }
        end_batch(bench);
        best = MIN(best, (now_us() - start) / bench->events->len);
    }
    printf("%-44s %.3f\n", what, best);
}

static void measure_rivals(Bench *bench)
{
    for (size_t i = 0; (bench->rival = rival_use(i)); i++) {
        if (!*bench->rival)
            continue;
        g_autofree char *decode = g_strdup_printf("simdjson On-Demand, %s", bench->rival);
        g_autofree char *parse = g_strdup_printf("simdjson DOM, check only, %s", bench->rival);
        measure(bench, decode, rival_event);
        measure(bench, parse, rival_check);
    }
}

/* Rows back to JSON, from one batch of all events. */
static void measure_writer(Bench *bench)
{
    SfBatch batch = {.schema = &bench->schema};
    SfError err;
    g_autoptr(GString) out = g_string_new(NULL);
    double best = G_MAXDOUBLE;
    for (guint i = 0; i < bench->events->len; i++)
        decode_event(bench, &g_array_index(bench->events, SfBytes, i));
    if (sf_builder_finish(bench->builder, &batch.rows, &err) != SF_OK)
        g_error("%s", err.message);
    bench->writer = json_writer_new(&bench->schema, &err);
    if (!bench->writer || json_writer_batch(bench->writer, &batch, &err) != SF_OK)
        g_error("%s", err.message);
    for (int run = 0; run < RUNS; run++) {
        double start = now_us();
        for (int64_t row = 0; row < sf_rows(&batch); row++) {
            json_writer_row(bench->writer, row, out);
            if (out->len > 1 << 20)
                g_string_truncate(out, 0);
        }
        best = MIN(best, (now_us() - start) / (double) MAX(sf_rows(&batch), 1));
    }
    printf("%-44s %.3f\n", "rows to JSON lines", best);
    sf_array_done(&batch.rows);
    json_writer_free(bench->writer);
}

static void bench_init(Bench *bench)
{
    SfError err;
    SfField described[COLUMNS];
    g_autoptr(GPtrArray) arena = g_ptr_array_new_with_free_func(g_free);
    bench->fields = g_ptr_array_new_with_free_func((GDestroyNotify) field_free);
    for (int i = 0; i < COLUMNS; i++) {
        Field *field = field_new(columns[i][0]);
        g_ptr_array_add(bench->fields, field);
        if (field_parse(field, columns[i][1], &err) != SF_OK)
            g_error("%s", err.message);
        described[i] = field_describe(field, arena);
    }
    if (sf_schema_make(described, COLUMNS, &bench->schema, &err) != SF_OK ||
        !(bench->builder = sf_builder_new(&bench->schema, &err)))
        g_error("%s", err.message);
    for (guint i = 0; i < COLUMNS; i++)
        ((Field *) g_ptr_array_index(bench->fields, i))->column = sf_builder_column(bench->builder, i);
    decoder_init(&bench->decoder, bench->fields, bench->builder, false);
}

static void read_events(Bench *bench, char *text, gsize size)
{
    bench->events = g_array_new(FALSE, FALSE, sizeof(SfBytes));
    for (char *p = text, *end; (end = memchr(p, '\n', (gsize) (text + size - p))); p = end + 1) {
        SfBytes event = {.data = p, .size = end - p};
        g_array_append_val(bench->events, event);
    }
    printf("%u events of %.0f bytes\n", bench->events->len, (double) size / MAX(bench->events->len, 1));
}

int main(int argc, char **argv)
{
    g_autofree char *text = NULL;
    gsize size = 0;
    Bench bench = {0};
    if (argc < 2 || argc > 3 || !g_file_get_contents(argv[1], &text, &size, NULL)) {
        g_printerr("Usage: json_decode FILE [WHAT]\n");
        return 2;
    }
    char *padded = g_realloc(g_steal_pointer(&text), size + 64); /* simdjson reads past what it is given */
    text = padded;
    bench.what = argv[2];
    bench_init(&bench);
    read_events(&bench, text, size);
    measure(&bench, "json-decode", decode_event);
    measure(&bench, "check only", check_event);
    if (!bench.what || strstr("rows to JSON lines", bench.what))
        measure_writer(&bench);
    measure_rivals(&bench);
    decoder_done(&bench.decoder);
    sf_builder_free(bench.builder);
    sf_schema_done(&bench.schema);
    g_ptr_array_unref(bench.fields);
    g_array_unref(bench.events);
    return 0;
}
