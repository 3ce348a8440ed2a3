/* The state of cpp-filter, and its hooks, which are C++. */
#ifndef TESTS_ABI_CPP_FILTER_H
#define TESTS_ABI_CPP_FILTER_H

#include <sf/sf.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CppFilter {
    SfList words;
    struct CppWords *known; /* a C++ object */
} CppFilter;

SfStatus cpp_filter_open(SfNode *node, SfError *err);
SfStatus cpp_filter_apply(SfNode *node, const SfBatch *in, SfBatch *out, SfError *err);
void cpp_filter_close(SfNode *node);

#ifdef __cplusplus
}
#endif

#endif
