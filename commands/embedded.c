/* See embedded.h. One line a connection: "create NAME PARTITIONS", answered by "ok" or what is wrong. */
#include "embedded.h"

#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_SIZE 512
#define ANSWER_SECONDS 5

/* An abstract name (unix(7)): nothing to clean up after a kill. */
static socklen_t address_of(int port, struct sockaddr_un *out)
{
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    int size = g_snprintf(out->sun_path + 1, sizeof out->sun_path - 1, "streamforge-broker-%d", port);
    return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + (size_t) size);
}

static int port_of(const char *brokers)
{
    const char *end = strchr(brokers, ',');
    g_autofree char *first = end ? g_strndup(brokers, (gsize) (end - brokers)) : g_strdup(brokers);
    const char *colon = strrchr(first, ':');
    return colon ? (int) g_ascii_strtoll(colon + 1, NULL, 10) : 0;
}

static int connect_to(int port)
{
    struct sockaddr_un address;
    socklen_t size = address_of(port, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &address, size) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* A line without its end, or NULL. */
static char *read_line(int fd)
{
    char line[LINE_MAX_SIZE];
    size_t used = 0;
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    while (used < sizeof line && poll(&poll_fd, 1, ANSWER_SECONDS * 1000) > 0) {
        ssize_t n = read(fd, line + used, sizeof line - used);
        if (n <= 0)
            return NULL;
        char *end = memchr(line + used, '\n', (size_t) n);
        used += (size_t) n;
        if (end)
            return g_strndup(line, (gsize) (end - line));
    }
    return NULL;
}

static void write_line(int fd, const char *text)
{
    g_autofree char *line = g_strdup_printf("%s\n", text);
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        g_debug("the asker is gone");
}

char *embedded_create(const char *brokers, const char *topic, int64_t partitions, bool *there)
{
    int fd = connect_to(port_of(brokers));
    *there = fd >= 0;
    if (fd < 0)
        return NULL;
    g_autofree char *question = g_strdup_printf("create %s %" G_GINT64_FORMAT, topic, partitions);
    write_line(fd, question);
    char *answer = read_line(fd);
    close(fd);
    if (g_strcmp0(answer, "ok") != 0)
        return answer ? answer : g_strdup("the embedded broker does not answer");
    g_free(answer);
    return NULL;
}

static void answer(int fd, const char *(*create)(void *data, const char *topic, int partitions), void *data)
{
    g_autofree char *line = read_line(fd);
    g_auto(GStrv) words = g_strsplit(line ? line : "", " ", 4);
    const char *wrong = "unknown request";
    if (g_strv_length(words) == 3 && strcmp(words[0], "create") == 0)
        wrong = create(data, words[1], (int) g_ascii_strtoll(words[2], NULL, 10));
    write_line(fd, wrong ? wrong : "ok");
    close(fd);
}

bool embedded_serve(int port, int stop, const char *(*create)(void *data, const char *topic, int partitions),
                    void *data)
{
    struct sockaddr_un address;
    socklen_t size = address_of(port, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens = fd >= 0 && bind(fd, (struct sockaddr *) &address, size) == 0 && listen(fd, 8) == 0;
    struct pollfd fds[] = {{.fd = stop, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (listens && (poll(fds, 2, -1) < 0 || !fds[0].revents)) {
        int client = fds[1].revents & POLLIN ? accept4(fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (client >= 0)
            answer(client, create, data);
    }
    if (fd >= 0)
        close(fd);
    return listens;
}
