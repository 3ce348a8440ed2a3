/* Thrift's compact protocol: writing what we made, reading what cannot be trusted. Knows no Parquet. */
#include "thrift.h"

/* What the upper half of a header's byte holds: the distance of a field's id, or a list's size below it. */
#define SHORT_FORM_MAX 15

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t) value << 1) ^ (uint64_t) (value >> 63);
}

void thrift_writer_init(ThriftWriter *writer, Buffer *out)
{
    *writer = (ThriftWriter){.out = out};
}

void thrift_writer_resume(ThriftWriter *writer, Buffer *out, int16_t last)
{
    thrift_writer_init(writer, out);
    writer->last[0] = last;
}

static void add_header(ThriftWriter *writer, int16_t id, ThriftType type)
{
    int16_t *last = &writer->last[writer->depth];
    int delta = id - *last;
    g_assert(delta > 0);
    if (delta <= SHORT_FORM_MAX) {
        buffer_add_byte(writer->out, (uint8_t) (delta << 4 | type));
    } else {
        buffer_add_byte(writer->out, (uint8_t) type);
        buffer_add_varint(writer->out, zigzag(id));
    }
    *last = id;
}

static void add_varint_field(ThriftWriter *writer, int16_t id, ThriftType type, int64_t value)
{
    add_header(writer, id, type);
    buffer_add_varint(writer->out, zigzag(value));
}

void thrift_add_i32(ThriftWriter *writer, int16_t id, int32_t value)
{
    add_varint_field(writer, id, THRIFT_I32, value);
}

void thrift_add_i64(ThriftWriter *writer, int16_t id, int64_t value)
{
    add_varint_field(writer, id, THRIFT_I64, value);
}

void thrift_add_i16(ThriftWriter *writer, int16_t id, int16_t value)
{
    add_varint_field(writer, id, THRIFT_I16, value);
}

void thrift_add_i8(ThriftWriter *writer, int16_t id, int8_t value)
{
    add_header(writer, id, THRIFT_I8);
    buffer_add_byte(writer->out, (uint8_t) value);
}

void thrift_add_bool(ThriftWriter *writer, int16_t id, bool value)
{
    add_header(writer, id, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_element_binary(ThriftWriter *writer, const void *data, size_t size)
{
    buffer_add_varint(writer->out, size);
    buffer_add(writer->out, data, size);
}

void thrift_add_binary(ThriftWriter *writer, int16_t id, const void *data, size_t size)
{
    add_header(writer, id, THRIFT_BINARY);
    thrift_element_binary(writer, data, size);
}

void thrift_add_string(ThriftWriter *writer, int16_t id, const char *text)
{
    thrift_add_binary(writer, id, text, strlen(text));
}

void thrift_begin_list(ThriftWriter *writer, int16_t id, ThriftType element, size_t n)
{
    add_header(writer, id, THRIFT_LIST);
    if (n < SHORT_FORM_MAX) {
        buffer_add_byte(writer->out, (uint8_t) (n << 4 | element));
    } else {
        buffer_add_byte(writer->out, (uint8_t) (SHORT_FORM_MAX << 4 | element));
        buffer_add_varint(writer->out, n);
    }
}

void thrift_begin_element(ThriftWriter *writer)
{
    g_assert(writer->depth + 1 < THRIFT_MAX_DEPTH);
    writer->last[++writer->depth] = 0;
}

void thrift_begin_struct(ThriftWriter *writer, int16_t id)
{
    add_header(writer, id, THRIFT_STRUCT);
    thrift_begin_element(writer);
}

void thrift_end_struct(ThriftWriter *writer)
{
    buffer_add_byte(writer->out, THRIFT_STOP);
    if (writer->depth > 0)
        writer->depth--;
}

void thrift_element_int(ThriftWriter *writer, int64_t value)
{
    buffer_add_varint(writer->out, zigzag(value));
}

void thrift_element_bool(ThriftWriter *writer, bool value)
{
    buffer_add_byte(writer->out, value ? THRIFT_TRUE : THRIFT_FALSE);
}

static uint8_t read_byte(ThriftReader *reader)
{
    if (reader->failed || reader->at >= reader->end) {
        reader->failed = true;
        return 0;
    }
    return *reader->at++;
}

static uint64_t read_varint(ThriftReader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = read_byte(reader);
        if (shift < 64)
            value |= (uint64_t) (byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return reader->failed ? 0 : value;
    }
    reader->failed = true;
    return 0;
}

int64_t thrift_item_int(ThriftReader *reader)
{
    uint64_t value = read_varint(reader);
    return (int64_t) (value >> 1 ^ (~(value & 1) + 1));
}

static ThriftBytes take_span(ThriftReader *reader, uint64_t size)
{
    if (reader->failed || size > (uint64_t) (reader->end - reader->at)) {
        reader->failed = true;
        return (ThriftBytes){NULL, 0};
    }
    ThriftBytes bytes = {reader->at, (size_t) size};
    reader->at += size;
    return bytes;
}

ThriftBytes thrift_item_bytes(ThriftReader *reader)
{
    return take_span(reader, read_varint(reader));
}

bool thrift_next(ThriftReader *reader, ThriftField *field)
{
    uint8_t header = read_byte(reader);
    if (reader->failed || (header & 0x0F) == THRIFT_STOP)
        return false;
    field->type = header & 0x0F;
    if (header >> 4)
        field->id = (int16_t) (field->id + (header >> 4));
    else
        field->id = (int16_t) thrift_item_int(reader);
    return !reader->failed;
}

int64_t thrift_int(ThriftReader *reader, const ThriftField *field)
{
    if (field->type == THRIFT_I8)
        return (int8_t) read_byte(reader);
    if (field->type >= THRIFT_I16 && field->type <= THRIFT_I64)
        return thrift_item_int(reader);
    thrift_skip(reader, field);
    return 0;
}

bool thrift_bool(const ThriftField *field)
{
    return field->type == THRIFT_TRUE;
}

ThriftBytes thrift_bytes(ThriftReader *reader, const ThriftField *field)
{
    if (field->type == THRIFT_BINARY)
        return thrift_item_bytes(reader);
    thrift_skip(reader, field);
    return (ThriftBytes){NULL, 0};
}

static size_t list_header(ThriftReader *reader, uint8_t *element)
{
    uint8_t header = read_byte(reader);
    uint64_t n = header >> 4;
    if (n == SHORT_FORM_MAX)
        n = read_varint(reader);
    *element = header & 0x0F;
    /* An element takes at least one byte: a bigger claim is a lie, and would be a bomb. */
    if (n > (uint64_t) (reader->end - reader->at))
        reader->failed = true;
    return reader->failed ? 0 : (size_t) n;
}

static void skip_value(ThriftReader *reader, uint8_t type, bool element);

static void skip_elements(ThriftReader *reader, uint8_t type, size_t n)
{
    if (!thrift_enter(reader))
        return;
    for (size_t i = 0; i < n && !reader->failed; i++)
        skip_value(reader, type, true);
    thrift_leave(reader);
}

static void skip_map(ThriftReader *reader)
{
    uint64_t n = read_varint(reader);
    uint8_t types = n > 0 ? read_byte(reader) : 0;
    if (n > (uint64_t) (reader->end - reader->at))
        reader->failed = true;
    if (!thrift_enter(reader))
        return;
    for (uint64_t i = 0; i < n && !reader->failed; i++) {
        skip_value(reader, types >> 4, true);
        skip_value(reader, types & 0x0F, true);
    }
    thrift_leave(reader);
}

static void skip_struct(ThriftReader *reader)
{
    ThriftField field = {0};
    if (!thrift_enter(reader))
        return;
    while (thrift_next(reader, &field))
        skip_value(reader, field.type, false);
    thrift_leave(reader);
}

static void skip_value(ThriftReader *reader, uint8_t type, bool element)
{
    uint8_t inner;
    size_t n;
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        if (element)
            read_byte(reader);
        break;
    case THRIFT_I8:
        read_byte(reader);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        read_varint(reader);
        break;
    case THRIFT_DOUBLE:
        take_span(reader, 8);
        break;
    case THRIFT_BINARY:
        thrift_item_bytes(reader);
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        n = list_header(reader, &inner);
        skip_elements(reader, inner, n);
        break;
    case THRIFT_MAP:
        skip_map(reader);
        break;
    case THRIFT_STRUCT:
        skip_struct(reader);
        break;
    default:
        reader->failed = true;
    }
}

void thrift_skip(ThriftReader *reader, const ThriftField *field)
{
    skip_value(reader, field->type, false);
}

size_t thrift_list(ThriftReader *reader, const ThriftField *field, ThriftType element)
{
    if (field->type != THRIFT_LIST) {
        thrift_skip(reader, field);
        return 0;
    }
    uint8_t type;
    size_t n = list_header(reader, &type);
    if (type == element || n == 0)
        return n;
    skip_elements(reader, type, n);
    return 0;
}
