/* What an option row is called. */
#ifndef CORE_OPTION_NAME_H
#define CORE_OPTION_NAME_H

#include <sf/option.h>

/* The name that a user writes for an option row. */
static inline const char *option_name(const SfOption *option)
{
    return option->name ? option->name : option->field;
}

#endif
