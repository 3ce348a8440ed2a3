/* A client's connection, and answers on it. Reading and writing its socket is server.c's. */
#ifndef BROKER_CONN_H
#define BROKER_CONN_H

#include "wire.h"

typedef struct Conn {
    int fd;
    char *host;
    GByteArray *in;
    GByteArray *out;
    guint sent;
    bool held;   /* the answer to its last request comes later */
    bool parked; /* the request that `in` begins with is tried again */
    gint64 deadline_us;
    bool gone;
} Conn;

/* Where an answer goes, and in which form; conn NULL: nobody waits for one. */
typedef struct Reply {
    Conn *conn;
    gint16 version;
    gint32 correlation;
    bool flexible; /* its fields (KIP-482) */
    bool tagged;   /* its header; not that of ApiVersions (KIP-511) */
} Reply;

/* An answer's body, to be written. */
Out reply_body(const Reply *reply);
/* The answer; body->bytes is consumed. */
void reply_send(const Reply *reply, Out *body);

#endif
