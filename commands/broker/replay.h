/* The journal at a start. */
#ifndef BROKER_REPLAY_H
#define BROKER_REPLAY_H

#include "broker.h"

/* Reads what is there, finishes what was cut short, and writes it anew. NULL, or the problem: the caller frees it. */
char *journal_open(Broker *broker);

#endif
