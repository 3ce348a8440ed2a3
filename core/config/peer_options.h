/* What another system's option is called here. */
#ifndef CORE_PEER_OPTIONS_H
#define CORE_PEER_OPTIONS_H

#include <sf/option.h>

/* "; write 'brokers'" for an option that is another system's, where the options at hand have what it stands for; else
 * NULL. */
char *peer_option(const SfOption *options, size_t n, const char *name);

#endif
