/* The public ABI, frozen: sizes, offsets and numbers as plugins were compiled with, and the functions that they
 * link. A struct that a plugin allocates or indexes never changes; descriptors and SfHost may get new members at
 * their end. */
#include <glib.h>
#include <gmodule.h>
#include <locale.h>
#include <sf/sf.h>

typedef struct Frozen {
    const char *what;
    gint64 now;
    gint64 then;
} Frozen;

#define SIZE(type, then)                                                                                               \
    {                                                                                                                  \
        "sizeof(" #type ")", sizeof(type), then                                                                        \
    }
#define MEMBER(type, member, then)                                                                                     \
    {                                                                                                                  \
        "offset of " #type "." #member, offsetof(type, member), then                                                   \
    }
#define VALUE(name, then)                                                                                              \
    {                                                                                                                  \
#name, name, then                                                                                              \
    }

/* clang-format off */
static const Frozen layouts[] = {
    SIZE(struct ArrowSchema, 72),
    MEMBER(struct ArrowSchema, format, 0),
    MEMBER(struct ArrowSchema, name, 8),
    MEMBER(struct ArrowSchema, metadata, 16),
    MEMBER(struct ArrowSchema, flags, 24),
    MEMBER(struct ArrowSchema, n_children, 32),
    MEMBER(struct ArrowSchema, children, 40),
    MEMBER(struct ArrowSchema, dictionary, 48),
    MEMBER(struct ArrowSchema, release, 56),
    MEMBER(struct ArrowSchema, private_data, 64),
    SIZE(struct ArrowArray, 80),
    MEMBER(struct ArrowArray, length, 0),
    MEMBER(struct ArrowArray, null_count, 8),
    MEMBER(struct ArrowArray, offset, 16),
    MEMBER(struct ArrowArray, n_buffers, 24),
    MEMBER(struct ArrowArray, n_children, 32),
    MEMBER(struct ArrowArray, buffers, 40),
    MEMBER(struct ArrowArray, children, 48),
    MEMBER(struct ArrowArray, dictionary, 56),
    MEMBER(struct ArrowArray, release, 64),
    MEMBER(struct ArrowArray, private_data, 72),
    SIZE(SfError, 1024),
    MEMBER(SfError, message, 0),
    SIZE(SfField, 40),
    MEMBER(SfField, name, 0),
    MEMBER(SfField, type, 8),
    MEMBER(SfField, nullable, 12),
    MEMBER(SfField, view, 13),
    MEMBER(SfField, precision, 16),
    MEMBER(SfField, scale, 20),
    MEMBER(SfField, n_children, 24),
    MEMBER(SfField, children, 32),
    SIZE(SfSplit, 24),
    MEMBER(SfSplit, name, 0),
    MEMBER(SfSplit, topic, 8),
    MEMBER(SfSplit, partition, 16),
    MEMBER(SfSplit, index, 20),
    SIZE(SfPosition, 16),
    MEMBER(SfPosition, split, 0),
    MEMBER(SfPosition, position, 8),
    SIZE(SfBatch, 128),
    MEMBER(SfBatch, schema, 0),
    MEMBER(SfBatch, rows, 8),
    MEMBER(SfBatch, split, 88),
    MEMBER(SfBatch, start, 96),
    MEMBER(SfBatch, end, 104),
    MEMBER(SfBatch, bytes, 112),
    MEMBER(SfBatch, newest_us, 120),
    SIZE(SfBytes, 16),
    MEMBER(SfBytes, data, 0),
    MEMBER(SfBytes, size, 8),
    SIZE(SfDecimal, 16),
    MEMBER(SfDecimal, low, 0),
    MEMBER(SfDecimal, high, 8),
    SIZE(SfColumn, 80),
    MEMBER(SfColumn, type, 0),
    MEMBER(SfColumn, precision, 4),
    MEMBER(SfColumn, scale, 8),
    MEMBER(SfColumn, view, 12),
    MEMBER(SfColumn, length, 16),
    MEMBER(SfColumn, offset, 24),
    MEMBER(SfColumn, validity, 32),
    MEMBER(SfColumn, values, 40),
    MEMBER(SfColumn, data, 48),
    MEMBER(SfColumn, view_data, 56),
    MEMBER(SfColumn, schema, 64),
    MEMBER(SfColumn, array, 72),
    SIZE(SfColumnBuilder, 96),
    MEMBER(SfColumnBuilder, type, 0),
    MEMBER(SfColumnBuilder, failed, 4),
    MEMBER(SfColumnBuilder, length, 8),
    MEMBER(SfColumnBuilder, capacity, 16),
    MEMBER(SfColumnBuilder, nulls, 24),
    MEMBER(SfColumnBuilder, validity, 32),
    MEMBER(SfColumnBuilder, values, 40),
    MEMBER(SfColumnBuilder, data_size, 48),
    MEMBER(SfColumnBuilder, data_capacity, 56),
    MEMBER(SfColumnBuilder, data, 64),
    MEMBER(SfColumnBuilder, n_children, 72),
    MEMBER(SfColumnBuilder, children, 80),
    MEMBER(SfColumnBuilder, reserved, 88),
    SIZE(SfList, 16),
    MEMBER(SfList, size, 0),
    MEMBER(SfList, items, 8),
    SIZE(SfPair, 16),
    MEMBER(SfPair, key, 0),
    MEMBER(SfPair, value, 8),
    SIZE(SfMap, 16),
    MEMBER(SfMap, size, 0),
    MEMBER(SfMap, pairs, 8),
    SIZE(SfOption, 96),
    MEMBER(SfOption, field, 0),
    MEMBER(SfOption, name, 8),
    MEMBER(SfOption, type, 16),
    MEMBER(SfOption, offset, 20),
    MEMBER(SfOption, required, 24),
    MEMBER(SfOption, value, 32),
    MEMBER(SfOption, min, 40),
    MEMBER(SfOption, max, 48),
    MEMBER(SfOption, words, 56),
    MEMBER(SfOption, doc, 64),
    MEMBER(SfOption, since, 72),
    MEMBER(SfOption, deprecated_by, 80),
    MEMBER(SfOption, example, 88),
    SIZE(SfNode, 72),
    MEMBER(SfNode, size, 0),
    MEMBER(SfNode, task, 4),
    MEMBER(SfNode, pipeline, 8),
    MEMBER(SfNode, step, 16),
    MEMBER(SfNode, state, 24),
    MEMBER(SfNode, host, 32),
    MEMBER(SfNode, host_data, 40),
    MEMBER(SfNode, inputs, 48),
    MEMBER(SfNode, n_inputs, 56),
    MEMBER(SfNode, bounded, 64),
    MEMBER(SfNode, tasks, 68),
    SIZE(SfHead, 64),
    MEMBER(SfHead, size, 0),
    MEMBER(SfHead, kind, 4),
    MEMBER(SfHead, name, 8),
    MEMBER(SfHead, version, 16),
    MEMBER(SfHead, summary, 24),
    MEMBER(SfHead, doc, 32),
    MEMBER(SfHead, options, 40),
    MEMBER(SfHead, option_size, 48),
    MEMBER(SfHead, reserved, 52),
    MEMBER(SfHead, state_size, 56),
    SIZE(SfAssignment, 48),
    MEMBER(SfAssignment, name, 0),
    MEMBER(SfAssignment, topic, 8),
    MEMBER(SfAssignment, partition, 16),
    MEMBER(SfAssignment, start, 24),
    MEMBER(SfAssignment, position, 32),
    MEMBER(SfAssignment, split, 40),
    SIZE(SfSource, 120),
    MEMBER(SfSource, head, 0),
    MEMBER(SfSource, bind, 64),
    MEMBER(SfSource, open, 72),
    MEMBER(SfSource, poll, 80),
    MEMBER(SfSource, serve, 88),
    MEMBER(SfSource, committed, 96),
    MEMBER(SfSource, interrupt, 104),
    MEMBER(SfSource, close, 112),
    SIZE(SfNeed, 16),
    MEMBER(SfNeed, name, 0),
    MEMBER(SfNeed, type, 8),
    SIZE(SfTransform, 112),
    MEMBER(SfTransform, head, 0),
    MEMBER(SfTransform, bind, 64),
    MEMBER(SfTransform, open, 72),
    MEMBER(SfTransform, apply, 80),
    MEMBER(SfTransform, close, 88),
    MEMBER(SfTransform, needs, 96),
    MEMBER(SfTransform, keep_row, 104),
    SIZE(SfRecovery, 32),
    MEMBER(SfRecovery, input, 0),
    MEMBER(SfRecovery, split, 8),
    MEMBER(SfRecovery, hint, 16),
    MEMBER(SfRecovery, position, 24),
    SIZE(SfSink, 136),
    MEMBER(SfSink, head, 0),
    MEMBER(SfSink, delivery, 64),
    MEMBER(SfSink, bind, 72),
    MEMBER(SfSink, open, 80),
    MEMBER(SfSink, recover, 88),
    MEMBER(SfSink, write, 96),
    MEMBER(SfSink, commit, 104),
    MEMBER(SfSink, tick, 112),
    MEMBER(SfSink, interrupt, 120),
    MEMBER(SfSink, close, 128),
    SIZE(SfHost, 176),
    MEMBER(SfHost, size, 0),
    MEMBER(SfHost, log, 8),
    MEMBER(SfHost, now_ms, 16),
    MEMBER(SfHost, assign, 24),
    MEMBER(SfHost, revoke, 32),
    MEMBER(SfHost, lag, 40),
    MEMBER(SfHost, reject, 48),
    MEMBER(SfHost, settle, 56),
    MEMBER(SfHost, committed, 64),
    MEMBER(SfHost, charge, 72),
    MEMBER(SfHost, fault, 80),
    MEMBER(SfHost, expect, 88),
    MEMBER(SfHost, recovered, 96),
    MEMBER(SfHost, last_commit, 104),
    MEMBER(SfHost, furthest, 112),
    MEMBER(SfHost, monotonic_ms, 120),
    MEMBER(SfHost, patience, 128),
    MEMBER(SfHost, set_origin, 136),
    MEMBER(SfHost, other_origin, 144),
    MEMBER(SfHost, origin, 152),
    MEMBER(SfHost, recovered_origin, 160),
    MEMBER(SfHost, memory, 168),
};

static const Frozen numbers[] = {
    VALUE(SF_OK, 0),
    VALUE(SF_EMPTY, 1),
    VALUE(SF_END, 2),
    VALUE(SF_RETRY, 3),
    VALUE(SF_REJECT, 4),
    VALUE(SF_FENCED, 5),
    VALUE(SF_CONFIG, 6),
    VALUE(SF_FATAL, 7),
    VALUE(SF_STATUS_32_BITS, 2147483647),
    VALUE(SF_BOOL, 1),
    VALUE(SF_INT32, 2),
    VALUE(SF_INT64, 3),
    VALUE(SF_FLOAT64, 4),
    VALUE(SF_DECIMAL128, 5),
    VALUE(SF_UTF8, 6),
    VALUE(SF_BINARY, 7),
    VALUE(SF_DATE, 8),
    VALUE(SF_TIMESTAMP, 9),
    VALUE(SF_LIST, 10),
    VALUE(SF_STRUCT, 11),
    VALUE(SF_TYPE_32_BITS, 2147483647),
    VALUE(SF_RAW_KEY, 0),
    VALUE(SF_RAW_VALUE, 1),
    VALUE(SF_RAW_TOPIC, 2),
    VALUE(SF_RAW_PARTITION, 3),
    VALUE(SF_RAW_OFFSET, 4),
    VALUE(SF_RAW_TIMESTAMP, 5),
    VALUE(SF_RAW_HEADERS, 6),
    VALUE(SF_RAW_COLUMNS, 7),
    VALUE(SF_VALUE_NULL, 1),
    VALUE(SF_VALUE_SCALAR, 2),
    VALUE(SF_VALUE_LIST, 3),
    VALUE(SF_VALUE_MAP, 4),
    VALUE(SF_VALUE_32_BITS, 2147483647),
    VALUE(SF_OPTION_TYPE_STRING, 1),
    VALUE(SF_OPTION_TYPE_INT, 2),
    VALUE(SF_OPTION_TYPE_FLOAT, 3),
    VALUE(SF_OPTION_TYPE_BOOL, 4),
    VALUE(SF_OPTION_TYPE_SIZE, 5),
    VALUE(SF_OPTION_TYPE_DURATION, 6),
    VALUE(SF_OPTION_TYPE_ENUM, 7),
    VALUE(SF_OPTION_TYPE_LIST, 8),
    VALUE(SF_OPTION_TYPE_MAP, 9),
    VALUE(SF_OPTION_TYPE_SECRET, 10),
    VALUE(SF_OPTION_TYPE_TREE, 11),
    VALUE(SF_OPTION_TYPE_32_BITS, 2147483647),
    VALUE(SF_SOURCE, 1),
    VALUE(SF_TRANSFORM, 2),
    VALUE(SF_SINK, 3),
    VALUE(SF_KIND_32_BITS, 2147483647),
    VALUE(SF_AT_LEAST_ONCE, 1),
    VALUE(SF_EXACTLY_ONCE, 2),
    VALUE(SF_DELIVERY_32_BITS, 2147483647),
    VALUE(SF_COMMIT_CHECKPOINT, 1),
    VALUE(SF_COMMIT_MEMORY, 2),
    VALUE(SF_COMMIT_REVOKE, 3),
    VALUE(SF_COMMIT_END, 4),
    VALUE(SF_COMMIT_SETTLE, 5),
    VALUE(SF_COMMIT_32_BITS, 2147483647),
    VALUE(SF_LOG_DEBUG, 1),
    VALUE(SF_LOG_INFO, 2),
    VALUE(SF_LOG_WARNING, 3),
    VALUE(SF_LOG_32_BITS, 2147483647),
};

static const char *const functions[] = {
    "sf_add_list",
    "sf_add_null",
    "sf_array_done",
    "sf_batch_compact",
    "sf_batch_done",
    "sf_batch_keep",
    "sf_batch_ref",
    "sf_batch_share",
    "sf_batch_slice",
    "sf_batch_unref",
    "sf_builder_bytes",
    "sf_builder_column",
    "sf_builder_end_row",
    "sf_builder_end_rows",
    "sf_builder_finish",
    "sf_builder_free",
    "sf_builder_new",
    "sf_builder_rollback",
    "sf_builder_rows",
    "sf_column",
    "sf_column_at",
    "sf_column_builder_grow",
    "sf_column_builder_grow_data",
    "sf_column_child",
    "sf_column_view",
    "sf_fail",
    "sf_batch_with",           "sf_batch_keep_with",
    "sf_schema_with",
    "sf_fail_also",
    "sf_fail_prefix",
    "sf_fail_v",
    "sf_is_utf8",
    "sf_log",
    "sf_reject",
    "sf_rows_from_columns",
    "sf_schema_check",
    "sf_schema_copy",
    "sf_schema_describe",
    "sf_schema_done",
    "sf_schema_equal",
    "sf_schema_field",
    "sf_schema_find",
    "sf_schema_make",
    "sf_schema_raw",
    "sf_status_name",
    "sf_suggest",
    "sf_type_name",
    "sf_value_at",
    "sf_value_column",
    "sf_value_fail",
    "sf_value_file",
    "sf_value_get",
    "sf_value_key",
    "sf_value_kind",
    "sf_value_line",
    "sf_value_size",
    "sf_value_text",
};
/* clang-format on */

static void check(const Frozen *frozen, gsize n, const char *rule)
{
    guint moved = 0;
    for (gsize i = 0; i < n; i++)
        if (frozen[i].now != frozen[i].then) {
            g_test_message("%s is %" G_GINT64_FORMAT ", it was %" G_GINT64_FORMAT, frozen[i].what, frozen[i].now,
                           frozen[i].then);
            moved++;
        }
    if (moved > 0)
        g_error("%u of %s have changed, the first ones above; plugins that are out there break. %s", moved,
                "the frozen figures", rule);
}

static void test_structs_keep_their_layout(void)
{
    if (sizeof(gpointer) != 8) {
        g_test_skip("frozen for 64-bit machines");
        return;
    }
    check(layouts, G_N_ELEMENTS(layouts),
          "Only descriptors, SfOption, SfNode and SfHost may grow, at their end: then correct the size here");
}

static void test_enumerations_keep_their_numbers(void)
{
    check(numbers, G_N_ELEMENTS(numbers), "New words get new numbers");
}

static void test_functions_stay_exported(void)
{
    GModule *lib = g_module_open(SF_LIBRARY, G_MODULE_BIND_LOCAL | G_MODULE_BIND_LAZY);
    if (!lib)
        g_error("%s", g_module_error());
    for (gsize i = 0; i < G_N_ELEMENTS(functions); i++) {
        gpointer function;
        if (!g_module_symbol(lib, functions[i], &function))
            g_error("%s is gone from libsf; plugins that are out there do not load any more", functions[i]);
    }
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/abi/structs keep their layout", test_structs_keep_their_layout);
    g_test_add_func("/abi/enumerations keep their numbers", test_enumerations_keep_their_numbers);
    g_test_add_func("/abi/functions stay exported", test_functions_stay_exported);
    return g_test_run();
}
