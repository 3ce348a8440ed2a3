/* A plugin whose hooks are C++: the descriptor and the option table stay C, as the plugin guide says. */
#include "cpp_filter.h"

static const SfOption options[] = {
    SF_OPTION_LIST(CppFilter, words, .required = true, .doc = "The words of column s that stay."), SF_OPTION_END};

SF_TRANSFORM_PLUGIN = {SF_TRANSFORM_HEAD(CppFilter, .name = "cpp-filter", .version = "1.0.0",
                                         .summary = "Keeps rows with known words", .options = options),
                       .open = cpp_filter_open, .apply = cpp_filter_apply, .close = cpp_filter_close};
