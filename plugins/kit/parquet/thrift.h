/* Thrift's compact protocol, as far as Parquet's metadata needs it
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). */
#ifndef KIT_PARQUET_THRIFT_H
#define KIT_PARQUET_THRIFT_H

#include <stdbool.h>
#include "buffer.h"

/* "Struct encoding": types of fields, and of elements, in which the first two are one. */
typedef enum ThriftType {
    THRIFT_STOP = 0,
    THRIFT_TRUE = 1,
    THRIFT_FALSE = 2,
    THRIFT_I8 = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_MAP = 11,
    THRIFT_STRUCT = 12
} ThriftType;

#define THRIFT_MAX_DEPTH 32

/* Fields of a struct must be added in ascending order of their ids. */
typedef struct ThriftWriter {
    Buffer *out;
    int depth;
    int16_t last[THRIFT_MAX_DEPTH]; /* id of the last field, per nesting */
} ThriftWriter;

void thrift_writer_init(ThriftWriter *writer, Buffer *out); /* begins the outermost struct */
void thrift_writer_resume(ThriftWriter *writer, Buffer *out,
                          int16_t last); /* goes on behind field `last` of a struct */
void thrift_add_i32(ThriftWriter *writer, int16_t id, int32_t value);
void thrift_add_i64(ThriftWriter *writer, int16_t id, int64_t value);
void thrift_add_i16(ThriftWriter *writer, int16_t id, int16_t value);
void thrift_add_i8(ThriftWriter *writer, int16_t id, int8_t value);
void thrift_add_bool(ThriftWriter *writer, int16_t id, bool value);
void thrift_add_binary(ThriftWriter *writer, int16_t id, const void *data, size_t size);
void thrift_add_string(ThriftWriter *writer, int16_t id, const char *text);
void thrift_begin_list(ThriftWriter *writer, int16_t id, ThriftType element, size_t n);
void thrift_begin_struct(ThriftWriter *writer, int16_t id);
void thrift_begin_element(ThriftWriter *writer); /* a struct that is an element of a list */
void thrift_end_struct(ThriftWriter *writer);
void thrift_element_int(ThriftWriter *writer, int64_t value); /* of any width but i8 */
void thrift_element_bool(ThriftWriter *writer, bool value);   /* of a list of THRIFT_TRUE */
void thrift_element_binary(ThriftWriter *writer, const void *data, size_t size);

/* Reads untrusted bytes: the first error sets `failed`, everything after it reads as zero or empty. */
typedef struct ThriftReader {
    const uint8_t *at;
    const uint8_t *end;
    int depth;
    bool failed;
} ThriftReader;

typedef struct ThriftField {
    int16_t id;
    uint8_t type;
} ThriftField;

typedef struct ThriftBytes {
    const uint8_t *data;
    size_t size;
} ThriftBytes;

/* Next field of the struct that the caller walks with one zeroed ThriftField; false at its end or on an error. */
bool thrift_next(ThriftReader *reader, ThriftField *field);
/* Values of the field; a field of another type is skipped and reads as zero. */
int64_t thrift_int(ThriftReader *reader, const ThriftField *field);
bool thrift_bool(const ThriftField *field);
ThriftBytes thrift_bytes(ThriftReader *reader, const ThriftField *field);
/* A list of `element`s: its size, checked against the bytes that are left; 0 for anything else, which is skipped. */
size_t thrift_list(ThriftReader *reader, const ThriftField *field, ThriftType element);
int64_t thrift_item_int(ThriftReader *reader);
ThriftBytes thrift_item_bytes(ThriftReader *reader);
void thrift_skip(ThriftReader *reader, const ThriftField *field);

/* Around the fields of a nested struct: guards the depth. */
static inline bool thrift_enter(ThriftReader *reader)
{
    if (++reader->depth > THRIFT_MAX_DEPTH)
        reader->failed = true;
    return !reader->failed;
}

static inline void thrift_leave(ThriftReader *reader)
{
    reader->depth--;
}

#endif
