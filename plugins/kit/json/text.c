/* Escapes of JSON strings and base64, strictly. */
#include "json/text.h"

#include <stdint.h>
#include <string.h>

static uint32_t read_hex(const char *p)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char) p[i];
        value = value << 4 | (uint32_t) (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char) c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (char) (0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (char) (0xE0 | c >> 12);
        } else {
            *out++ = (char) (0xF0 | c >> 18);
            *out++ = (char) (0x80 | (c >> 12 & 0x3F));
        }
        *out++ = (char) (0x80 | (c >> 6 & 0x3F));
    }
    *out++ = (char) (0x80 | (c & 0x3F));
    return out;
}

/* From a \u to behind it, and behind its other half; NULL when that is missing. */
static const char *read_unicode(const char *p, const char *end, uint32_t *out)
{
    uint32_t c = read_hex(p + 2);
    p += 6;
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
            return NULL;
        uint32_t low = read_hex(p + 2);
        if (low < 0xDC00 || low > 0xDFFF)
            return NULL;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        p += 6;
    } else if (c >= 0xDC00 && c <= 0xDFFF) {
        return NULL;
    }
    *out = c;
    return p;
}

long json_unescape(const char *text, size_t size, char *out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *p = text, *end = text + size;
    char *to = out;
    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t) (end - p));
        size_t plain = (size_t) ((escape ? escape : end) - p);
        memcpy(to, p, plain);
        to += plain;
        p += plain;
        if (!escape)
            break;
        if (p[1] == 'u') {
            uint32_t c = 0;
            p = read_unicode(p, end, &c);
            if (!p)
                return -1;
            to = put_utf8(to, c);
        } else {
            *to++ = meanings[strchr(letters, p[1]) - letters];
            p += 2;
        }
    }
    return (long) (to - out);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long json_read_base64(const char *text, size_t size, char *out)
{
    if (size % 4 != 0)
        return -1;
    char *to = out;
    for (size_t i = 0; i < size; i += 4) {
        size_t pads = 0;
        if (i + 4 == size)
            pads = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int value = j < 4 - pads ? base64_value(text[i + j]) : 0;
            if (value < 0)
                return -1;
            bits = bits << 6 | (uint32_t) value;
        }
        if ((pads == 1 && (bits & 0xFF)) || (pads == 2 && (bits & 0xFFFF)))
            return -1;
        for (size_t j = 0; j < 3 - pads; j++)
            *to++ = (char) (bits >> (16 - 8 * j));
    }
    return (long) (to - out);
}
