/* What the files of `sfrun tap` share. */
#ifndef COMMANDS_TAP_PRINT_H
#define COMMANDS_TAP_PRINT_H

#include "kafka_command.h"

typedef struct TapOptions {
    Connection connection;
    const char *topic;
    bool from_beginning;
    int64_t max_messages;
    int64_t partition;
    const char *offset;
    bool key;
    bool headers;
    bool place;
    bool exit;
    bool json;
    bool terminal; /* standard output is one; not a flag */
} TapOptions;

/* One record on standard output; false when nobody reads it any more. */
bool tap_print(const TapOptions *options, const rd_kafka_message_t *message);

#endif
