/* See server.h. One request of a connection at a time, as Kafka does: the next is read when the last was answered. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dispatch.h"
#include "groups.h"
#include "owner.h"

#define REQUEST_MAX (100 * 1024 * 1024) /* socket.request.max.bytes */
#define READ_SIZE (64 * 1024)
#define UNSENT_MAX (64 * 1024 * 1024) /* a connection that does not read gets no further answers */

struct Server {
    Broker *broker;
    int fd;
    GPtrArray *conns; /* Conn * */
    gint64 tired_us;  /* no descriptor was left: until then nobody is let in */
};

/* ---- requests --------------------------------------------------------------------------------------------------- */

/* One whole request; false: the connection is of no use. */
static bool handle(Broker *broker, Conn *conn, const guint8 *data, gsize size)
{
    g_autoptr(GStringChunk) texts = g_string_chunk_new(512);
    Request request = {.broker = broker,
                       .deadline_us = conn->parked ? conn->deadline_us : 0,
                       .in = {.at = data, .end = data + size, .texts = texts}};
    Outcome outcome;
    request.api = in_i16(&request.in);
    request.version = in_i16(&request.in);
    bool flexible = dispatch_is_flexible(request.api, request.version);
    request.reply = (Reply){.conn = conn,
                            .version = request.version,
                            .correlation = in_i32(&request.in),
                            .flexible = flexible,
                            .tagged = flexible && request.api != API_VERSIONS};
    const char *client = in_text(&request.in);
    request.client = client ? client : "";
    request.in.flexible = flexible;
    in_tags(&request.in);
    request.out = reply_body(&request.reply);
    bool parked = conn->parked;
    conn->parked = false;
    conn->held = true;
    bool good = dispatch(&request, &outcome) && !request.in.broken;
    if (good && outcome == ANSWERED)
        reply_send(&request.reply, &request.out);
    if (outcome == SILENT || outcome == ANSWERED)
        conn->held = false;
    if (good && outcome == PARKED) {
        conn->parked = true;
        conn->held = false;
        conn->deadline_us = parked ? conn->deadline_us : request.deadline_us;
    }
    if (request.out.bytes)
        g_byte_array_unref(request.out.bytes);
    return good;
}

/* As many requests as are there, up to one whose answer takes time. */
static void handle_all(Broker *broker, Conn *conn)
{
    guint used = 0;
    while (!conn->gone && !conn->held && conn->out->len - conn->sent < UNSENT_MAX && conn->in->len - used >= 4) {
        guint32 size = (guint32) wire_get(conn->in->data + used, 4);
        if (size > REQUEST_MAX || size < 8) {
            conn->gone = true;
            break;
        }
        if (conn->in->len - used - 4 < size)
            break;
        conn->gone = !handle(broker, conn, conn->in->data + used + 4, size);
        if (conn->parked)
            break;
        used += 4 + size;
    }
    if (used > 0)
        g_byte_array_remove_range(conn->in, 0, used);
}

/* ---- sockets ---------------------------------------------------------------------------------------------------- */

static void conn_free(gpointer data)
{
    Conn *conn = data;
    close(conn->fd);
    g_byte_array_unref(conn->in);
    g_byte_array_unref(conn->out);
    g_free(conn->host);
    g_free(conn);
}

static void receive(Server *server, Conn *conn)
{
    guint at = conn->in->len;
    g_byte_array_set_size(conn->in, at + READ_SIZE);
    gssize n = read(conn->fd, conn->in->data + at, READ_SIZE);
    g_byte_array_set_size(conn->in, at + (guint) MAX(n, 0));
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        conn->gone = true;
    else if (!conn->parked)
        handle_all(server->broker, conn);
}

static void transmit(Conn *conn)
{
    if (conn->gone || conn->sent == conn->out->len)
        return;
    gssize n = send(conn->fd, conn->out->data + conn->sent, conn->out->len - conn->sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        conn->gone = true;
    conn->sent += (guint) MAX(n, 0);
    if (conn->sent < conn->out->len)
        return;
    g_byte_array_set_size(conn->out, 0);
    conn->sent = 0;
}

static void let_in(Server *server)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    static const int one = 1;
    char host[INET_ADDRSTRLEN] = "";
    int fd = accept4(server->fd, (struct sockaddr *) &peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        server->tired_us = g_get_monotonic_time() + G_USEC_PER_SEC;
    if (fd < 0)
        return;
    if (!owner_is_ours(fd)) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    inet_ntop(AF_INET, &peer.sin_addr, host, sizeof host);
    Conn *conn = g_new0(Conn, 1);
    conn->fd = fd;
    conn->host = g_strdup(host);
    conn->in = g_byte_array_new();
    conn->out = g_byte_array_new();
    g_ptr_array_add(server->conns, conn);
}

Server *server_new(Broker *broker, gint32 port)
{
    static const int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((guint16) port)};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *) &address, size) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *) &address, &size) != 0) {
        int problem = errno;
        if (fd >= 0)
            close(fd);
        errno = problem;
        return NULL;
    }
    Server *server = g_new0(Server, 1);
    server->broker = broker;
    server->fd = fd;
    server->conns = g_ptr_array_new_with_free_func(conn_free);
    broker->host = g_strdup("127.0.0.1");
    broker->port = ntohs(address.sin_port);
    groups_init(broker);
    return server;
}

void server_free(Server *server)
{
    groups_done(server->broker);
    g_ptr_array_unref(server->conns);
    close(server->fd);
    g_free(server);
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

/* Parked requests whose time has come, or all of them where something has changed. */
static void try_again(Server *server, bool changed)
{
    gint64 now = g_get_monotonic_time();
    for (guint i = 0; i < server->conns->len; i++) {
        Conn *conn = server->conns->pdata[i];
        if (conn->parked && !conn->gone && (changed || conn->deadline_us <= now))
            handle_all(server->broker, conn);
    }
}

static gint64 sooner(gint64 left, gint64 right)
{
    return left < 0 ? right : right < 0 ? left : MIN(left, right);
}

static int wait_ms(const Server *server, gint64 timers_ms)
{
    gint64 now = g_get_monotonic_time(), next = timers_ms;
    for (guint i = 0; i < server->conns->len; i++) {
        const Conn *conn = server->conns->pdata[i];
        if (conn->parked)
            next = sooner(next, MAX((conn->deadline_us - now) / 1000, 0) + 1);
    }
    if (server->tired_us > now)
        next = sooner(next, (server->tired_us - now) / 1000 + 1);
    return (int) MIN(next, 60000);
}

static void prepare(const Server *server, int stop, GArray *fds)
{
    struct pollfd first[] = {{.fd = stop, .events = POLLIN},
                             {.fd = server->tired_us > g_get_monotonic_time() ? -1 : server->fd, .events = POLLIN}};
    g_array_set_size(fds, 0);
    g_array_append_vals(fds, first, G_N_ELEMENTS(first));
    for (guint i = 0; i < server->conns->len; i++) {
        const Conn *conn = server->conns->pdata[i];
        bool waits = conn->held || conn->parked || conn->in->len > REQUEST_MAX;
        struct pollfd one = {.fd = conn->fd, .events = waits ? POLLRDHUP : POLLIN};
        one.events |= conn->sent < conn->out->len ? POLLOUT : 0;
        g_array_append_val(fds, one);
    }
}

static void serve_conns(Server *server, const GArray *fds)
{
    enum { BEFORE = 2 };
    for (guint i = 0; i < server->conns->len; i++) {
        Conn *conn = server->conns->pdata[i];
        short events = i + BEFORE < fds->len ? g_array_index(fds, struct pollfd, i + BEFORE).revents : 0;
        if (events & (POLLERR | POLLHUP | POLLNVAL | POLLRDHUP))
            conn->gone = true;
        else if (events & POLLIN)
            receive(server, conn);
        else if (!conn->held && !conn->parked)
            handle_all(server->broker, conn); /* what came before an answer that was late */
    }
}

static void sweep(Server *server)
{
    for (guint i = server->conns->len; i-- > 0;) {
        Conn *conn = server->conns->pdata[i];
        transmit(conn);
        if (!conn->gone)
            continue;
        groups_forget_conn(server->broker, conn);
        g_ptr_array_remove_index(server->conns, i);
    }
}

void server_run(Server *server, int stop)
{
    Broker *broker = server->broker;
    g_autoptr(GArray) fds = g_array_new(FALSE, TRUE, sizeof(struct pollfd));
    for (;;) {
        gint64 now = g_get_monotonic_time();
        gint64 timers_ms = sooner(producers_expire(broker, now), groups_expire(broker, now));
        timers_ms = sooner(timers_ms, store_retain(broker, now));
        sweep(server);
        prepare(server, stop, fds);
        poll((struct pollfd *) (void *) fds->data, fds->len, wait_ms(server, timers_ms));
        if (g_array_index(fds, struct pollfd, 0).revents)
            return;
        guint seen = broker->changes;
        serve_conns(server, fds);
        if (g_array_index(fds, struct pollfd, 1).revents)
            let_in(server);
        try_again(server, broker->changes != seen);
    }
}
