/* Consumer groups' members (the "classic" protocol, KIP-62, KIP-345). The groups' positions are offsets.c's. */
#ifndef BROKER_GROUPS_H
#define BROKER_GROUPS_H

#include "broker.h"
#include "conn.h"

typedef enum State { GROUP_EMPTY, GROUP_PREPARING, GROUP_COMPLETING, GROUP_STABLE } State;

typedef struct Protocol {
    char *name;
    GBytes *metadata;
} Protocol;

typedef struct Member {
    char *id;
    char *instance; /* group.instance.id, or NULL */
    char *client;
    char *host;
    gint32 session_ms;
    gint32 rebalance_ms;
    gint64 seen_us;
    GArray *protocols;  /* Protocol, the member's liking first */
    GBytes *assignment; /* or NULL */
    bool joined;        /* in the rebalance that is going on */
    Reply join;         /* somebody who waits for an answer, or nobody; likewise */
    Reply sync;
} Member;

typedef struct Group {
    char *id;
    State state;
    gint32 generation;
    char *type;
    char *protocol;
    char *leader;
    GPtrArray *members; /* Member *, in the order of their coming */
    gint64 deadline_us; /* of the rebalance */
} Group;

GArray *protocols_new(void); /* of Protocol, which it owns */
void groups_init(Broker *broker);
void groups_done(Broker *broker);
Group *groups_find(const Broker *broker, const char *id);
Group *groups_get(Broker *broker, const char *id);
Member *group_find(const Group *group, const char *id);
Member *group_instance(const Group *group, const char *instance);
const Protocol *member_protocol(const Member *member, const char *name);
Member *group_add(Broker *broker, Group *group, const char *instance, const char *client, const char *host);
void group_remove(Group *group, Member *member);
/* The member speaks for itself: its errors otherwise. `generation` < 0 is not compared. */
Code group_check(const Group *group, const char *member, const char *instance, gint32 generation, Member **out);
/* Members are to join anew; and what follows once all have. */
void group_rebalance(Group *group);
void group_try_complete(Group *group);
/* What the leader has given out is told to those who wait for it. */
void group_answer_syncs(Group *group);
void group_answer_join(const Group *group, Member *member, Code code);
/* Members that were silent for too long go; ms until the next could, or -1. */
gint64 groups_expire(Broker *broker, gint64 now_us);
void groups_forget_conn(const Broker *broker, const Conn *conn);

#endif
