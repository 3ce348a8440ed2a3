/* See record.h. */
#include "record.h"

static LeafReader *leaf_at(Leaves *leaves, const FileNode *leaf)
{
    if (!leaves->by_number[leaf->leaf]) {
        LeafReader *made = g_new0(LeafReader, 1);
        leaf_reader_init(made, leaf, leaves->input, leaves->codec);
        leaves->by_number[leaf->leaf] = made;
    }
    return leaves->by_number[leaf->leaf];
}

const FileNode *record_member(const FileNode *group, const char *name)
{
    for (size_t i = 0; i < group->n_children; i++)
        if (strcmp(group->children[i]->name, name) == 0)
            return group->children[i];
    return NULL;
}

/* µs a unit, or -n: n units a µs; 0: no timestamp. Without any annotation the writer meant plain numbers. */
static int64_t timestamp_scale(const FileNode *file)
{
    static const int64_t scales[] = {
        [PARQUET_UNIT_MILLIS] = 1000, [PARQUET_UNIT_MICROS] = 1, [PARQUET_UNIT_NANOS] = -1000};
    if (file->logical == PARQUET_LOGICAL_TIMESTAMP && file->unit >= PARQUET_UNIT_MILLIS &&
        file->unit <= PARQUET_UNIT_NANOS)
        return scales[file->unit];
    if (file->converted == PARQUET_CONVERTED_TIMESTAMP_MILLIS)
        return 1000;
    return file->converted == PARQUET_CONVERTED_TIMESTAMP_MICROS ? 1 : 0;
}

#define BIT(physical) (1u << (physical))

/* The physical types that values of a type are read from. */
static const unsigned readable[] = {
    [SF_BOOL] = BIT(PARQUET_BOOLEAN),
    [SF_INT32] = BIT(PARQUET_INT32),
    [SF_INT64] = BIT(PARQUET_INT32) | BIT(PARQUET_INT64),
    [SF_FLOAT64] = BIT(PARQUET_FLOAT) | BIT(PARQUET_DOUBLE),
    [SF_DECIMAL128] = BIT(PARQUET_INT32) | BIT(PARQUET_INT64) | BIT(PARQUET_BYTE_ARRAY) | BIT(PARQUET_FIXED),
    [SF_UTF8] = BIT(PARQUET_BYTE_ARRAY),
    [SF_BINARY] = BIT(PARQUET_BYTE_ARRAY) | BIT(PARQUET_FIXED),
    [SF_DATE] = BIT(PARQUET_INT32),
    [SF_TIMESTAMP] = BIT(PARQUET_INT64) | BIT(PARQUET_INT96),
};

/* Whether a leaf's values are of the wanted type, which is neither list nor struct. */
static bool fits(const ParquetNode *wanted, const FileNode *file)
{
    if (!(readable[wanted->type] & BIT(file->type)))
        return false;
    bool decimal = file->logical == PARQUET_LOGICAL_DECIMAL || file->converted == PARQUET_CONVERTED_DECIMAL;
    switch (wanted->type) {
    case SF_BOOL:
    case SF_FLOAT64:
        return true;
    case SF_DECIMAL128:
        return decimal && file->scale == wanted->scale && file->width <= 16;
    case SF_DATE:
        return file->logical == PARQUET_LOGICAL_DATE || file->converted == PARQUET_CONVERTED_DATE;
    case SF_INT64:
        return !decimal && timestamp_scale(file) == 0;
    case SF_TIMESTAMP:
        return file->type == PARQUET_INT96 || timestamp_scale(file) != 0;
    default:
        return !decimal;
    }
}

/* What repeats in a list, by the rules for old files (LogicalTypes.md, "Lists", backward compatibility). */
static SfStatus bind_list(Leaves *leaves, Bound *bound, const FileNode *file, SfError *err)
{
    if (file->n_children != 1 || file->children[0]->repetition != PARQUET_REPEATED)
        return sf_fail(err, SF_FATAL, "column '%s' is not a list in the Parquet file", file->name);
    const FileNode *repeated = file->children[0];
    g_autofree char *tuple = g_strconcat(file->name, "_tuple", NULL);
    bool itself =
        repeated->n_children != 1 || strcmp(repeated->name, "array") == 0 || strcmp(repeated->name, tuple) == 0;
    bound->repeated_def = repeated->max_def;
    bound->repeated_rep = repeated->max_rep;
    bound->children = g_new0(Bound, 1);
    return record_bind(leaves, &bound->children[0], bound->wanted->children[0],
                       itself ? repeated : repeated->children[0], err);
}

static SfStatus bind_struct(Leaves *leaves, Bound *bound, const FileNode *file, SfError *err)
{
    if (file->type >= 0)
        return sf_fail(err, SF_FATAL, "column '%s' is not a struct in the Parquet file", file->name);
    bound->children = g_new0(Bound, bound->wanted->n_children);
    for (size_t i = 0; i < bound->wanted->n_children; i++) {
        const ParquetNode *child = bound->wanted->children[i];
        SF_TRY(record_bind(leaves, &bound->children[i], child, record_member(file, child->name), err));
        if (!bound->guide)
            bound->guide = bound->children[i].guide;
    }
    return SF_OK;
}

static SfStatus bind_guide(Leaves *leaves, Bound *bound, const FileNode *file, SfError *err)
{
    const FileNode *leaf = file;
    while (leaf->n_children > 0)
        leaf = leaf->children[0];
    if (leaf->type < 0 || leaf->max_rep != file->max_rep)
        return sf_fail(err, SF_FATAL, "column '%s' has no member outside lists in the Parquet file", file->name);
    bound->guide = leaf_at(leaves, leaf);
    bound->guide_only = bound->wanted->n_children > 0;
    return SF_OK;
}

SfStatus record_bind(Leaves *leaves, Bound *bound, const ParquetNode *wanted, const FileNode *file, SfError *err)
{
    bound->wanted = wanted;
    bound->file = file;
    if (!file) {
        if (!wanted->nullable)
            return sf_fail(err, SF_FATAL, "the Parquet file has no column '%s'", wanted->name);
        return SF_OK;
    }
    if (wanted->type == SF_LIST) {
        SF_TRY(bind_list(leaves, bound, file, err));
        bound->guide = bound->children[0].guide;
        return SF_OK;
    }
    if (wanted->type == SF_STRUCT) {
        SF_TRY(bind_struct(leaves, bound, file, err));
        return bound->guide || wanted == leaves->root ? SF_OK : bind_guide(leaves, bound, file, err);
    }
    if (file->type < 0 || !fits(wanted, file))
        return sf_fail(err, SF_FATAL, "column '%s': the Parquet file has it as %s, which cannot be read as %s",
                       wanted->name, parquet_type_name(file->type), sf_type_name(wanted->type));
    bound->scale = timestamp_scale(file);
    return bind_guide(leaves, bound, file, err);
}

void record_done(Bound *bound)
{
    for (size_t i = 0; bound->children && i < bound->wanted->n_children; i++)
        record_done(&bound->children[i]);
    g_free(bound->children);
}

const char *record_lacks(const Bound *bound)
{
    const char *name = bound->file ? NULL : bound->wanted->name;
    for (size_t i = 0; bound->children && !name && i < bound->wanted->n_children; i++)
        name = record_lacks(&bound->children[i]);
    return name;
}

static SfStatus corrupt(const Bound *bound, SfError *err, const char *what)
{
    return sf_fail(err, SF_FATAL, "corrupt Parquet file: column '%s': %s", bound->wanted->name, what);
}

/* Makes the guide's current level. */
static SfStatus level(const Bound *bound, SfError *err)
{
    SfStatus status = leaf_reader_fill(bound->guide, err);
    return status == SF_END ? corrupt(bound, err, "fewer values than rows") : status;
}

/* Past one level in every leaf below a node that is null or empty. */
static SfStatus skip_level(Bound *bound, SfError *err)
{
    if (!bound->file)
        return SF_OK;
    if (!bound->children || bound->guide_only) {
        SF_TRY(level(bound, err));
        bound->guide->next++;
    }
    for (size_t i = 0; bound->children && i < bound->wanted->n_children; i++)
        SF_TRY(skip_level(&bound->children[i], err));
    return SF_OK;
}

/* Sign-extends big- or little-endian two's complement of at most 16 bytes. */
static SfDecimal decimal_of(SfBytes bytes, bool big_endian)
{
    uint64_t low = 0;
    uint64_t high = 0;
    int64_t n = bytes.size;
    bool negative = n > 0 && bytes.data[big_endian ? 0 : n - 1] & 0x80;
    if (negative)
        low = high = UINT64_MAX;
    for (int64_t i = 0; i < n; i++) {
        high = high << 8 | low >> 56;
        low = low << 8 | (uint8_t) bytes.data[big_endian ? i : n - 1 - i];
    }
    return (SfDecimal){.low = low, .high = (int64_t) high};
}

/* Spark's timestamps by default: nanoseconds of the day, then the Julian day. */
static bool int96_us(SfBytes bytes, int64_t *out)
{
    uint64_t nanos;
    uint32_t day;
    memcpy(&nanos, bytes.data, 8);
    memcpy(&day, bytes.data + 8, 4);
    int64_t days = (int64_t) GUINT32_FROM_LE(day) - 2440588;
    return !__builtin_mul_overflow(days, INT64_C(86400000000), out) &&
           !__builtin_add_overflow(*out, (int64_t) (GUINT64_FROM_LE(nanos) / 1000), out);
}

/* *value: the number as it is in the file. */
static bool timestamp_us(const Bound *bound, SfBytes bytes, int64_t *value)
{
    if (bytes.size == 12)
        return int96_us(bytes, value);
    if (bound->scale >= 0)
        return !__builtin_mul_overflow(*value, bound->scale, value);
    *value = *value / -bound->scale - (*value % -bound->scale < 0);
    return true;
}

static SfStatus add_number(const Bound *bound, SfBytes bytes, SfColumnBuilder *out, SfError *err)
{
    uint32_t word = 0;
    uint64_t wide = 0;
    float single;
    double number;
    memcpy(&word, bytes.data, MIN(bytes.size, 4));
    memcpy(&wide, bytes.data, MIN(bytes.size, 8));
    word = GUINT32_FROM_LE(word);
    wide = GUINT64_FROM_LE(wide);
    int64_t value = bytes.size == 4 ? (int32_t) word : (int64_t) wide;
    switch (bound->wanted->type) {
    case SF_INT32:
    case SF_DATE:
        sf_add_i32(out, (int32_t) word);
        break;
    case SF_FLOAT64:
        memcpy(&single, &word, 4);
        memcpy(&number, &wide, 8);
        sf_add_f64(out, bytes.size == 4 ? (double) single : number);
        break;
    case SF_TIMESTAMP:
        if (!timestamp_us(bound, bytes, &value))
            return corrupt(bound, err, "a timestamp is out of range");
        sf_add_i64(out, value);
        break;
    default:
        sf_add_i64(out, value);
    }
    return SF_OK;
}

static SfStatus reader_add_value(const Bound *bound, SfColumnBuilder *out, SfError *err)
{
    SfBytes bytes;
    SF_TRY(leaf_reader_value(bound->guide, &bytes, err));
    switch (bound->wanted->type) {
    case SF_BOOL:
        sf_add_bool(out, bytes.data[0]);
        return SF_OK;
    case SF_UTF8:
        if (bytes.size > 0 && !sf_is_utf8(bytes.data, bytes.size))
            return corrupt(bound, err, "a text is not valid UTF-8");
        sf_add_str(out, bytes.data, bytes.size);
        return SF_OK;
    case SF_BINARY:
        sf_add_str(out, bytes.data, bytes.size);
        return SF_OK;
    case SF_DECIMAL128:
        if (bytes.size > 16)
            return corrupt(bound, err, "a decimal has more than 16 bytes");
        sf_add_decimal(
            out, decimal_of(bytes, bound->file->type == PARQUET_FIXED || bound->file->type == PARQUET_BYTE_ARRAY));
        return SF_OK;
    default:
        return add_number(bound, bytes, out, err);
    }
}

static SfStatus add_null(const Bound *bound, SfColumnBuilder *out, SfError *err)
{
    if (!bound->wanted->nullable)
        return corrupt(bound, err, "a null in a required column");
    sf_add_null(out);
    return SF_OK;
}

static SfStatus assemble_list(Bound *bound, SfColumnBuilder *out, SfError *err)
{
    if (leaf_def(bound->guide) < bound->repeated_def) {
        SF_TRY(skip_level(bound, err));
        sf_add_list(out);
        return SF_OK;
    }
    SfStatus status;
    do {
        SF_TRY(record_assemble(&bound->children[0], out->children[0], err));
        status = leaf_reader_fill(bound->guide, err);
        if (status != SF_OK && status != SF_END)
            return status;
    } while (status == SF_OK && leaf_rep(bound->guide) == bound->repeated_rep);
    sf_add_list(out);
    return SF_OK;
}

static SfStatus assemble_struct(Bound *bound, SfColumnBuilder *out, SfError *err)
{
    if (bound->guide_only)
        bound->guide->next++;
    for (size_t i = 0; i < bound->wanted->n_children; i++)
        SF_TRY(record_assemble(&bound->children[i], out->children[i], err));
    sf_add_struct(out);
    return SF_OK;
}

/* The value at the current level, and past it. */
SfStatus record_assemble(Bound *bound, SfColumnBuilder *out, SfError *err)
{
    if (!bound->file)
        return add_null(bound, out, err);
    SF_TRY(level(bound, err));
    if (leaf_def(bound->guide) < bound->file->max_def) {
        SF_TRY(skip_level(bound, err));
        return add_null(bound, out, err);
    }
    if (bound->wanted->type == SF_LIST)
        return assemble_list(bound, out, err);
    if (bound->wanted->type == SF_STRUCT)
        return assemble_struct(bound, out, err);
    SF_TRY(reader_add_value(bound, out, err));
    bound->guide->next++;
    return SF_OK;
}
