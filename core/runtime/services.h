/* The host as plugins see it (SfNode.host): each service hands over to the part that does it. */
#ifndef CORE_SERVICES_H
#define CORE_SERVICES_H

#include <sf/sf.h>

extern const SfHost host_services;

#endif
