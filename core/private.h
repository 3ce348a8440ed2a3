/* What the shared library shows to our own programs (sfrun, commands/) and to the plugin harness beside the public ABI;
 * not installed, not stable. */
#ifndef CORE_PRIVATE_H
#define CORE_PRIVATE_H

#define SF_PRIVATE __attribute__((visibility("default")))

#endif
