/* Single values as JSON text: exact, locale-free, without snprintf on the common paths. */
#include "value.h"

#include <math.h>
#include "civil.h"
#include "scan.h"

__extension__ typedef unsigned __int128 Wide;

/* Room for n more bytes behind the text (and GString's NUL); they count once len is moved over them. */
static inline char *room(GString *out, gsize n)
{
    if (G_UNLIKELY(n >= out->allocated_len - out->len)) {
        gsize size = out->len;
        g_string_set_size(out, size + n);
        g_string_truncate(out, size);
    }
    return out->str + out->len;
}

static inline void done(GString *out, const char *end)
{
    out->len = (gsize) (end - out->str);
    out->str[out->len] = '\0';
}

static inline char *put_two(char *p, unsigned value)
{
    p[0] = (char) ('0' + value / 10);
    p[1] = (char) ('0' + value % 10);
    return p + 2;
}

/* At least `least` digits, two at a time from the end. */
static char *put_digits(char *p, uint64_t value, int least)
{
    char digits[20];
    int n = sizeof digits;
    for (; value >= 10; value /= 100)
        put_two(digits + (n -= 2), (unsigned) (value % 100));
    if (value > 0 || n == sizeof digits)
        digits[--n] = (char) ('0' + value);
    int size = (int) sizeof digits - n;
    for (; least > size; least--)
        *p++ = '0';
    memcpy(p, digits + n, (gsize) size);
    return p + size;
}

void json_write_int(GString *out, int64_t value)
{
    char *p = room(out, 21);
    if (value < 0)
        *p++ = '-';
    done(out, put_digits(p, value < 0 ? 0 - (uint64_t) value : (uint64_t) value, 1));
}

void json_write_decimal(GString *out, SfDecimal value, int scale)
{
    const uint64_t ten19 = UINT64_C(10000000000000000000);
    char digits[64]; /* 2^127 has 39, of which the last `scale` stand behind the point */
    Wide wide = (Wide) (uint64_t) value.high << 64 | value.low;
    Wide size = value.high < 0 ? -wide : wide;
    char *end = digits;
    if (size >= ten19) {
        end = put_digits(end, (uint64_t) (size / ten19), 1); /* at most 20 digits: 2^127 / 10^19 */
        end = put_digits(end, (uint64_t) (size % ten19), 19);
    } else {
        end = put_digits(end, (uint64_t) size, 1);
    }
    int n = (int) (end - digits);
    char *p = room(out, 84);
    if (value.high < 0)
        *p++ = '-';
    if (n <= scale)
        *p++ = '0';
    for (int i = 0; i < n - scale; i++)
        *p++ = digits[i];
    if (scale > 0)
        *p++ = '.';
    for (int i = n; i < scale; i++)
        *p++ = '0';
    for (int i = MAX(n - scale, 0); i < n; i++)
        *p++ = digits[i];
    done(out, p);
}

/* value = integer / 10^k with both exact in a double: the division rounds correctly, so this text reads back as value,
 * and the least such k has the fewest digits. */
static bool write_short_float(GString *out, double value)
{
    static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10};
    double size = fabs(value);
    for (gsize k = 0; k < G_N_ELEMENTS(tens) && size * tens[k] < 9007199254740992.0; k++) {
        double integer = nearbyint(size * tens[k]);
        if (integer / tens[k] != size)
            continue;
        SfDecimal decimal = {.low = (uint64_t) integer};
        if (signbit(value))
            g_string_append_c(out, '-');
        json_write_decimal(out, decimal, (int) k);
        if (k == 0)
            g_string_append_len(out, ".0", 2);
        return true;
    }
    return false;
}

void json_write_float(GString *out, double value)
{
    if (isnan(value)) {
        g_string_append(out, "\"NaN\"");
        return;
    }
    if (isinf(value)) {
        g_string_append(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    if (write_short_float(out, value))
        return;
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, sizeof text, formats[i], value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    g_string_append(out, text);
}

static char *put_date(char *p, int64_t days)
{
    Civil civil = civil_from_days(days);
    if (civil.year < 0 || civil.year > 9999)
        *p++ = civil.year < 0 ? '-' : '+';
    p = put_digits(p, (uint64_t) (civil.year < 0 ? -civil.year : civil.year), 4);
    *p++ = '-';
    p = put_two(p, (unsigned) civil.month);
    *p++ = '-';
    return put_two(p, (unsigned) civil.day);
}

void json_write_date(GString *out, int32_t days)
{
    char *p = room(out, 32);
    *p++ = '"';
    p = put_date(p, days);
    *p++ = '"';
    done(out, p);
}

void json_write_timestamp(GString *out, int64_t us)
{
    int64_t days = us / CIVIL_DAY_US - (us % CIVIL_DAY_US < 0);
    int64_t rest = us % CIVIL_DAY_US + (us % CIVIL_DAY_US < 0 ? CIVIL_DAY_US : 0);
    unsigned seconds = (unsigned) (rest / 1000000);
    char *p = room(out, 48);
    *p++ = '"';
    p = put_date(p, days);
    *p++ = 'T';
    p = put_two(p, seconds / 3600);
    *p++ = ':';
    p = put_two(p, seconds / 60 % 60);
    *p++ = ':';
    p = put_two(p, seconds % 60);
    *p++ = '.';
    p = put_digits(p, (uint64_t) (rest % 1000000), 6);
    *p++ = 'Z';
    *p++ = '"';
    done(out, p);
}

/* Copies up to the first byte that must be escaped, or to end. There is room for 16 bytes more than the text. */
static inline const char *copy_plain(const char *text, const char *end, char **to)
{
    char *p = *to;
#if JSON_VECTORS
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    while (end - text >= 16) {
        __m128i part = _mm_loadu_si128((const __m128i *) (const void *) text);
        _mm_storeu_si128((__m128i *) (void *) p, part);
        __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(_mm_max_epu8(part, control), control),
                                   _mm_or_si128(_mm_cmpeq_epi8(part, quote), _mm_cmpeq_epi8(part, backslash)));
        unsigned mask = (unsigned) _mm_movemask_epi8(odd);
        int plain = mask ? __builtin_ctz(mask) : 16;
        p += plain;
        text += plain;
        if (mask) {
            *to = p;
            return text;
        }
    }
#endif
    while (text < end && (unsigned char) *text >= ' ' && *text != '"' && *text != '\\')
        *p++ = *text++;
    *to = p;
    return text;
}

static char *put_escape(char *p, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    *p++ = '\\';
    for (const char *letter = letters; *letter; letter += 2) {
        if (*letter == (char) c) {
            *p++ = letter[1];
            return p;
        }
    }
    *p++ = 'u';
    *p++ = '0';
    *p++ = '0';
    *p++ = hex[c >> 4];
    *p++ = hex[c & 15];
    return p;
}

void json_write_text(GString *out, const char *data, gsize size)
{
    const char *end = data + size;
    char *p = room(out, size + 32);
    *p++ = '"';
    while ((data = copy_plain(data, end, &p)) < end) {
        p = put_escape(p, (unsigned char) *data++);
        out->len = (gsize) (p - out->str);
        p = room(out, (gsize) (end - data) + 32);
    }
    *p++ = '"';
    done(out, p);
}

void json_write_base64(GString *out, const void *data, gsize size)
{
    int state = 0, save = 0;
    char *p = room(out, size / 3 * 4 + 16);
    *p++ = '"';
    p += g_base64_encode_step(data, size, FALSE, p, &state, &save);
    p += g_base64_encode_close(FALSE, p, &state, &save);
    *p++ = '"';
    done(out, p);
}
