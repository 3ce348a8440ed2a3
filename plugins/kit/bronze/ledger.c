/* Finds entries by their keys. What lies among them is foreign, and there may be much of it. */
#include "ledger.h"

#include <inttypes.h>
#include <string.h>

#define PAGE_KEYS 1000
#define BACK_FIRST 4096 /* positions to look back from a hint */

SfStatus ledger_root(const char *topics_dir, char **root, SfError *err)
{
    g_auto(GStrv) parts = g_strsplit(topics_dir ? topics_dir : "", "/", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    for (char **part = parts; *part; part++) {
        if (g_str_equal(*part, ".") || g_str_equal(*part, ".."))
            return sf_fail(err, SF_CONFIG, "topics.dir: '%s' has a segment '%s'; name a directory below the url",
                           topics_dir, *part);
        if (**part)
            g_string_append_printf(text, "%s/", *part);
    }
    *root = g_string_free(g_steal_pointer(&text), FALSE);
    return SF_OK;
}

char *ledger_segment(const char *name)
{
    GString *segment = g_string_new(NULL);
    for (const char *c = name; *c; c++) {
        bool plain = g_ascii_isalnum(*c) || strchr("._-", *c);
        g_string_append_printf(segment, plain ? "%c" : "%%%02X", (unsigned char) *c);
    }
    if (g_str_equal(segment->str, "") || g_str_equal(segment->str, ".") || g_str_equal(segment->str, ".."))
        g_string_append_c(segment, '_');
    return g_string_free(segment, FALSE);
}

char *ledger_entry_key(const char *ledger, int64_t start)
{
    return g_strdup_printf("%s%020" PRId64 ".json", ledger, start);
}

SfStatus ledger_get(Store *store, const char *ledger, int64_t start, Entry **out, SfError *err)
{
    SfStatus status = ledger_find(store, ledger, start, out, err);
    if (status != SF_EMPTY)
        return status;
    g_autofree char *key = ledger_entry_key(ledger, start);
    return sf_fail(err, SF_RETRY, "ledger entry '%s' has vanished from '%s'", key, store_url(store));
}

SfStatus ledger_find(Store *store, const char *ledger, int64_t start, Entry **out, SfError *err)
{
    g_autofree char *key = ledger_entry_key(ledger, start);
    g_autoptr(GBytes) body = NULL;
    SF_TRY(store_get(store, key, ENTRY_MAX, &body, err));
    g_autoptr(Entry) entry = entry_read(body, key, err);
    if (!entry)
        return SF_CONFIG;
    if (entry->start != start)
        return sf_fail(err, SF_CONFIG, "ledger entry '%s' says that it starts at %" PRId64, key, entry->start);
    *out = g_steal_pointer(&entry);
    return SF_OK;
}

static bool start_of(const char *ledger, const char *key, int64_t *start)
{
    if (!g_str_has_prefix(key, ledger))
        return false;
    const char *digits = key + strlen(ledger);
    if (strspn(digits, G_CSET_DIGITS) != 20 || !g_str_equal(digits + 20, ".json"))
        return false;
    guint64 number = g_ascii_strtoull(digits, NULL, 10);
    *start = (int64_t) number;
    return number < INT64_MAX;
}

static void take_entries(const char *ledger, const GPtrArray *entries, LedgerPage *page)
{
    for (guint i = 0; i < entries->len; i++) {
        const StoreEntry *entry = entries->pdata[i];
        int64_t start;
        if (!start_of(ledger, entry->key, &start))
            continue;
        if (page->n++ == 0)
            page->first = start;
        page->last = start;
        page->last_ms = entry->modified_ms;
    }
}

/* Keys that are not of entries may be among them, whole pages of them. */
SfStatus ledger_page(Store *store, const char *ledger, int64_t behind, LedgerPage *page, SfError *err)
{
    g_autofree char *after = behind >= 0 ? ledger_entry_key(ledger, behind) : NULL;
    *page = (LedgerPage){.full = true};
    while (page->n == 0 && page->full) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(store, ledger, after, PAGE_KEYS, entries, err));
        take_entries(ledger, entries, page);
        page->full = entries->len == PAGE_KEYS;
        if (page->full) {
            g_free(after);
            after = g_strdup(((const StoreEntry *) entries->pdata[PAGE_KEYS - 1])->key);
        }
    }
    return SF_OK;
}

static int64_t add_capped(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* The search: entries lie in (low, high]; pages are asked for behind `probe`. */
typedef struct Search {
    int64_t low; /* start of the last entry seen, or -1 */
    int64_t low_ms;
    int64_t high; /* none begins behind it; INT64_MAX: not known */
    int64_t probe;
    int64_t stride; /* to gallop by, forward or back */
} Search;

static void look_further(Search *search, int64_t hint)
{
    if (search->low >= 0 && search->high == INT64_MAX) { /* forward, faster and faster */
        search->probe = add_capped(search->low, search->stride);
        search->stride = add_capped(search->stride, search->stride);
    } else if (search->low >= 0) { /* there is an end: halve */
        search->probe = search->low + (search->high - search->low) / 2;
    } else { /* nothing yet: back from the hint */
        search->stride = add_capped(search->stride, search->stride * 7);
        search->probe = hint > search->stride ? hint - search->stride : -1;
    }
}

SfStatus ledger_last(Store *store, const char *ledger, int64_t hint, int64_t *start, int64_t *written_ms, SfError *err)
{
    Search search = {.low = -1, .high = INT64_MAX, .probe = hint > 0 ? hint - 1 : -1, .stride = BACK_FIRST};
    for (;;) {
        LedgerPage page;
        SF_TRY(ledger_page(store, ledger, search.probe, &page, err));
        if (page.n > 0) {
            if (search.low < 0)
                search.stride = MAX(page.last - page.first, 1);
            search.low = page.last;
            search.low_ms = page.last_ms;
        } else {
            search.high = search.probe;
        }
        bool exhausted = search.low < 0 ? search.probe < 0 : search.high <= search.low;
        if (exhausted || (page.n > 0 && !page.full)) {
            *start = search.low;
            *written_ms = search.low_ms;
            return SF_OK;
        }
        look_further(&search, hint);
    }
}

/* The last start up to the position that a listing from `behind` on finds, over as many pages as it takes. */
static SfStatus last_up_to(Store *store, const char *ledger, int64_t behind, int64_t position, int64_t *start,
                           SfError *err)
{
    g_autofree char *after = behind >= 0 ? ledger_entry_key(ledger, behind) : NULL;
    for (bool full = true; full;) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(store, ledger, after, PAGE_KEYS, entries, err));
        full = entries->len == PAGE_KEYS;
        for (guint i = 0; i < entries->len; i++) {
            int64_t found;
            if (!start_of(ledger, ((const StoreEntry *) entries->pdata[i])->key, &found))
                continue;
            if (found > position)
                return SF_OK;
            *start = found;
        }
        g_free(after);
        after = full ? g_strdup(((const StoreEntry *) entries->pdata[PAGE_KEYS - 1])->key) : NULL;
    }
    return SF_OK;
}

/* Back from the position, farther and farther: a listing goes forward only. */
SfStatus ledger_floor(Store *store, const char *ledger, int64_t position, int64_t *start, SfError *err)
{
    *start = SF_POSITION_NONE;
    for (int64_t stride = BACK_FIRST;; stride = add_capped(stride, stride * 7)) {
        int64_t behind = position > stride ? position - stride - 1 : -1;
        SF_TRY(last_up_to(store, ledger, behind, position, start, err));
        if (*start != SF_POSITION_NONE || behind < 0)
            return SF_OK;
    }
}
