/* What a plugin's hooks find while a pipeline is checked. */
#ifndef CORE_BIND_HOST_H
#define CORE_BIND_HOST_H

#include <glib.h>
#include <sf/sf.h>

extern const SfHost bind_host;

#endif
