/* One chain's rows on their way into files: a hidden file grows until it is committed, then gets the name that says its
 * range. Ranges without rows go to a small position file, so that they leave no files behind; it is also the lock that
 * keeps two processes from writing the same chain. */
#ifndef FILE_SINK_CHAIN_H
#define FILE_SINK_CHAIN_H

#include <sys/types.h>
#include "names.h"
#include "ranges/ranges.h"

/* What the chains of an input have in common; outlives them. */
typedef struct ChainPlace {
    const char *files; /* directories */
    const char *positions;
    mode_t mode;  /* of files; 0: as the umask has it */
    GQueue *held; /* chains that are locked, the one that was used last at the tail */
} ChainPlace;

typedef struct Chain {
    Range range; /* `committed` is NONE before recover as well */
    SfNode *node;
    const ChainPlace *place;
    char *key;
    char *position_path;
    char *hidden_path;
    int64_t rows;    /* in the hidden file and the buffer */
    int position_fd; /* < 0: not locked */
    int hidden_fd;
    GList link;          /* in place->held while it is locked */
    bool renamed;        /* the hidden file has its name already, but the directory is not synced */
    int64_t hidden_size; /* bytes that are surely in the hidden file */
    GString *buffer;     /* what comes behind them */
    int64_t charged;     /* its memory, as the host knows it */
} Chain;

/* The chain's struct as ranges_add() made it, and before ranges_free() ends it. */
void chain_init(Chain *chain, SfNode *node, const ChainPlace *place);
void chain_clear(gpointer chain);

/* Drops what is open, locks, and reads how far the files and the position file say that the chain got. SF_RETRY while
 * another process has the lock. */
SfStatus chain_recover(Chain *chain, SfError *err);

/* Locks again if need be: SF_FENCED when another process moved the chain on in between. */
SfStatus chain_hold(Chain *chain, SfError *err);

/* Takes note of a batch whose rows are in the buffer. */
SfStatus chain_add(Chain *chain, const SfBatch *batch, int64_t rows, SfError *err);

/* Moves the buffer into the hidden file once there is much of it, or all of it. */
SfStatus chain_flush(Chain *chain, bool all, SfError *err);

/* Makes everything up to the end durable and visible. */
SfStatus chain_commit(Chain *chain, SfError *err);

/* Lets another process have it; what is in the buffer stays, and chain_hold() looks whether anything came between. Not
 * with rows in the hidden file. */
void chain_release(Chain *chain);

/* Releases those that were not used for the longest time, until no more than that many are locked: descriptors are few
 * where splits are many. What is in their hidden files is committed. */
SfStatus chain_spare(GQueue *held, guint most, SfError *err);

#endif
