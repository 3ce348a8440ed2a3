/* What splits and objects are called in keys. The ledger, the objects and the host must mean the same by a split. */
#include <inttypes.h>
#include <string.h>

#include "bronze.h"

#define HASH_DIGITS 12

/* Behind "…/<partition>" in the split's name: "" or "@<epoch>". NULL: it is not a numbered partition, but a file or the
 * like, of which there may be others with the same topic and partition. */
static const char *numbered(const SfSplit *split)
{
    g_autofree char *end = g_strdup_printf("/%" PRId32, split->partition);
    const char *slash = strrchr(split->name, '/');
    if (!slash || !g_str_has_prefix(slash, end))
        return NULL;
    const char *rest = slash + strlen(end);
    bool epoch = rest[0] == '@' && rest[1] && strspn(rest + 1, G_CSET_DIGITS) == strlen(rest + 1);
    return !*rest || epoch ? rest : NULL;
}

bool split_is_numbered(const SfSplit *split)
{
    return numbered(split) != NULL;
}

/* A topic that was deleted and created anew has the offsets of the old one again: its epoch tells its objects and its
 * ledger from theirs. */
static char *plain_name(const Chain *chain)
{
    const char *epoch = numbered(chain->range.split);
    return g_strconcat(chain->topic, epoch ? epoch : "", NULL);
}

static char *own_name(const Chain *chain)
{
    g_autofree char *plain = plain_name(chain);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, chain->range.split->name, -1);
    return g_strdup_printf("%s@s%.*s", plain, HASH_DIGITS, hash);
}

char *chain_ledger(const Bronze *bronze, const Chain *chain, const char *pipeline, bool own)
{
    g_autofree char *name = own ? own_name(chain) : plain_name(chain);
    g_autofree char *segment = ledger_segment(pipeline);
    return g_strdup_printf("%s" LEDGERS "%s/%s/%" PRId32 "/", bronze->root, segment, name,
                           chain->range.split->partition);
}

void chain_call(const Bronze *bronze, const SfNode *node, Chain *chain, bool own)
{
    const SfSplit *split = chain->range.split;
    g_free(chain->topic);
    g_free(chain->name);
    g_free(chain->ledger);
    chain->topic = ledger_segment(split->topic ? split->topic : split->name);
    chain->name = own ? own_name(chain) : plain_name(chain);
    chain->ledger = chain_ledger(bronze, chain, node->pipeline, own);
}

static const char *packing_of(const Layout *layout)
{
    return layout->options.compression == COMPRESSION_GZIP ? ".gz" : "";
}

static char *file_name(const Bronze *bronze, const Chain *chain, int64_t first, const char *extension,
                       const char *packing)
{
    return g_strdup_printf("%s+%" PRId32 "+%0*" PRId64 "%s%s", chain->name, chain->range.split->partition,
                           (int) bronze->pad, first, extension, packing);
}

char *chain_directory(const Bronze *bronze, const Layout *layout, const Chain *chain, int64_t bucket)
{
    g_autofree char *path = path_format_write(&layout->path, bucket);
    return g_strconcat(bronze->root, chain->topic, *path ? "/" : "", path, NULL);
}

char *chain_object_key(const Bronze *bronze, const Layout *layout, const Chain *chain, int64_t bucket, int64_t first)
{
    g_autofree char *directory = chain_directory(bronze, layout, chain, bucket);
    const char *extension = layout->options.format == FORMAT_JSON ? ".json" : bronze->extension;
    g_autofree char *file = file_name(bronze, chain, first, extension, packing_of(layout));
    return g_strconcat(directory, "/", file, NULL);
}

char *chain_beside_key(const Bronze *bronze, const Layout *layout, const Chain *chain, int64_t bucket, int64_t first,
                       Beside kind)
{
    g_autofree char *directory = chain_directory(bronze, layout, chain, bucket);
    g_autofree char *extension = g_strdup_printf(".%s.json", beside_words[kind]);
    g_autofree char *file = file_name(bronze, chain, first, extension, packing_of(layout));
    return g_strconcat(directory, "/", file, NULL);
}

bool chain_has_key(const Bronze *bronze, const Chain *chain, const char *key)
{
    g_autofree char *below = g_strconcat(bronze->root, chain->topic, "/", NULL);
    return g_str_has_prefix(key, below);
}

bool chain_owns_key(const Bronze *bronze, const Chain *chain, const char *key)
{
    const char *slash = strrchr(key, '/');
    g_autofree char *begin = g_strdup_printf("/%s+%" PRId32 "+", chain->name, chain->range.split->partition);
    return chain_has_key(bronze, chain, key) && g_str_has_prefix(slash, begin) && g_ascii_isdigit(slash[strlen(begin)]);
}
