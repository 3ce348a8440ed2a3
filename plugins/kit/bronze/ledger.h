/* Bronze's ledgers in a store: "<root>_sf/<pipeline>/<name>/<partition>/<start>.json", an entry for each range, in the
 * order of their starts, each of which is the end of the one before. A ledger is given by what all of its keys begin
 * with, up to the '/' in front of the start. */
#ifndef KIT_BRONZE_LEDGER_H
#define KIT_BRONZE_LEDGER_H

#include "entry.h"
#include "store/store.h"

#define LEDGERS "_sf/"            /* below the URL, or topics.dir */
#define LEDGER_CLAIM "split.json" /* says whose a ledger's name is; sorts behind all entries */

/* The option topics.dir as "" or "a/b/", below the URL's place. SF_CONFIG: it leads out of it. */
SfStatus ledger_root(const char *topics_dir, char **root, SfError *err);

/* A segment of a key from any name: Kafka's topics stay as they are, in others all but letters, digits and "._-" are
 * percent-encoded. */
char *ledger_segment(const char *name);

char *ledger_entry_key(const char *ledger, int64_t start);

/* The entry that starts there. SF_RETRY: there is none, SF_CONFIG: it cannot be used. */
SfStatus ledger_get(Store *store, const char *ledger, int64_t start, Entry **out, SfError *err);

/* Likewise; SF_EMPTY: there is none (yet). */
SfStatus ledger_find(Store *store, const char *ledger, int64_t start, Entry **out, SfError *err);

/* Starts of entries behind a position (-1: all): of a page of them the first and the last. What else lies there is
 * passed over. */
typedef struct LedgerPage {
    size_t n;
    bool full; /* there may be more */
    int64_t first;
    int64_t last;
    int64_t last_ms; /* when it was written */
} LedgerPage;
SfStatus ledger_page(Store *store, const char *ledger, int64_t behind, LedgerPage *page, SfError *err);

/* Start of the last entry and when it was written, found by few listings however many there are, back and forth from a
 * hint (SF_POSITION_NONE: from the first); SF_POSITION_NONE: there is none. */
SfStatus ledger_last(Store *store, const char *ledger, int64_t hint, int64_t *start, int64_t *written_ms, SfError *err);

/* Start of the last entry that does not begin behind the position; SF_POSITION_NONE: there is none. */
SfStatus ledger_floor(Store *store, const char *ledger, int64_t position, int64_t *start, SfError *err);

#endif
