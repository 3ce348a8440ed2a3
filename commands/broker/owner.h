/* Who is at the other end of a TCP connection on this machine. */
#ifndef BROKER_OWNER_H
#define BROKER_OWNER_H

#include <stdbool.h>

/* The peer of this IPv4 loopback connection is a process of our user, or root's. */
bool owner_is_ours(int fd);

#endif
