/* The hooks of cpp-filter: no exception leaves them. */
#include "cpp_filter.h"

#include <new>
#include <string_view>
#include <unordered_set>
#include <vector>

struct CppWords {
    std::unordered_set<std::string_view> all;
};

SfStatus cpp_filter_open(SfNode *node, SfError *err)
try {
    auto *filter = static_cast<CppFilter *>(node->state);
    filter->known = new CppWords;
    for (size_t i = 0; i < filter->words.size; i++)
        filter->known->all.insert(filter->words.items[i]);
    return SF_OK;
} catch (const std::bad_alloc &) {
    return sf_fail(err, SF_RETRY, "no memory for %zu words", static_cast<CppFilter *>(node->state)->words.size);
}

SfStatus cpp_filter_apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err)
try {
    const auto *filter = static_cast<const CppFilter *>(node->state);
    SfColumn column;
    SF_TRY(sf_column(in, "s", SF_UTF8, &column, err));
    std::vector<uint8_t> keep(static_cast<size_t>(sf_rows(in)) / 8 + 1);
    for (int64_t row = 0; row < sf_rows(in); row++) {
        SfBytes bytes = sf_bytes(&column, row);
        std::string_view word(bytes.size > 0 ? bytes.data : "", static_cast<size_t>(bytes.size));
        if (sf_is_null(&column, row))
            sf_reject(node, in, row, "s: a null where a word was expected");
        else if (filter->known->all.count(word) > 0)
            keep[static_cast<size_t>(row >> 3)] |= static_cast<uint8_t>(1u << (row & 7));
    }
    return sf_batch_keep(in, keep.data(), out, err);
} catch (const std::bad_alloc &) {
    return sf_fail(err, SF_RETRY, "no memory for a batch of %d rows", static_cast<int>(sf_rows(in)));
}

void cpp_filter_close(SfNode *node)
{
    delete static_cast<CppFilter *>(node->state)->known;
}
