/* A growing byte buffer for encoders: memory is kept between uses, room is made once and then filled without checks. */
#ifndef KIT_PARQUET_BUFFER_H
#define KIT_PARQUET_BUFFER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct Buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
} Buffer;

/* Grows to hold at least `size` bytes in all; aborts when memory is out, as GLib does. */
static inline void buffer_grow(Buffer *buffer, size_t size)
{
    size_t capacity = MAX(buffer->capacity + buffer->capacity / 2, MAX(size, 64));
    buffer->data = g_realloc(buffer->data, capacity);
    buffer->capacity = capacity;
}

/* Makes room for `more` bytes and returns where they go; the caller adds to size what it wrote. */
static inline uint8_t *buffer_room(Buffer *buffer, size_t more)
{
    if (more > buffer->capacity - buffer->size)
        buffer_grow(buffer, buffer->size + more);
    return buffer->data + buffer->size;
}

/* Room for `size` bytes in all, where the size comes from input; false: no memory. */
static inline bool buffer_try_reserve(Buffer *buffer, size_t size)
{
    if (size <= buffer->capacity && buffer->data)
        return true;
    uint8_t *data = g_try_realloc(buffer->data, MAX(size, 64));
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = MAX(size, 64);
    return true;
}

static inline void buffer_add(Buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(buffer_room(buffer, size), data, size);
    buffer->size += size;
}

static inline void buffer_add_byte(Buffer *buffer, uint8_t byte)
{
    *buffer_room(buffer, 1) = byte;
    buffer->size++;
}

static inline void buffer_add_u32(Buffer *buffer, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    buffer_add(buffer, &value, sizeof value);
}

static inline void buffer_add_varint(Buffer *buffer, uint64_t value)
{
    uint8_t *at = buffer_room(buffer, 10);
    size_t n = 0;
    while (value >= 0x80) {
        at[n++] = (uint8_t) (value | 0x80);
        value >>= 7;
    }
    at[n++] = (uint8_t) value;
    buffer->size += n;
}

static inline void buffer_done(Buffer *buffer)
{
    g_free(buffer->data);
    *buffer = (Buffer){0};
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Buffer, buffer_done)

#endif
