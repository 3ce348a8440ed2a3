/* The loopback server: connections, requests, scripted faults. What S3 would do is in fake_s3.c. */
#include "fake_http.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Client {
    FakeS3 *fake;
    FILE *in;
    GThread *thread;
} Client;

static void request_free(FakeRequest *request)
{
    g_free(request->method);
    g_free(request->target);
    g_hash_table_unref(request->headers);
    g_byte_array_unref(request->body);
    g_free(request);
}

/* A line without its CR LF; NULL: the client has left. */
static char *read_line(FILE *in)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size = getline(&line, &room, in);
    char *copy = size < 0 ? NULL : g_strchomp(g_strndup(line, (gsize) size));
    free(line);
    return copy;
}

static bool read_body(FILE *in, FakeRequest *request)
{
    const char *length = g_hash_table_lookup(request->headers, "content-length");
    gsize size = length ? g_ascii_strtoull(length, NULL, 10) : 0;
    g_byte_array_set_size(request->body, (guint) size);
    return size == 0 || fread(request->body->data, 1, size, in) == size;
}

/* NULL: the client has left. */
static FakeRequest *read_request(FILE *in)
{
    g_autofree char *first = read_line(in);
    if (!first)
        return NULL;
    g_auto(GStrv) words = g_strsplit(first, " ", 3);
    g_assert_cmpuint(g_strv_length(words), ==, 3);
    FakeRequest *request = g_new0(FakeRequest, 1);
    request->method = g_strdup(words[0]);
    request->target = g_strdup(words[1]);
    request->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    request->body = g_byte_array_new();
    char *line;
    while ((line = read_line(in)) && *line) {
        g_auto(GStrv) pair = g_strsplit(line, ":", 2);
        g_hash_table_replace(request->headers, g_ascii_strdown(pair[0], -1), g_strdup(g_strstrip(pair[1])));
        g_free(line);
    }
    g_free(line);
    if (read_body(in, request))
        return request;
    request_free(request);
    return NULL;
}

static bool matches(const FakeScript *script, const FakeRequest *request)
{
    return (!script->method || g_str_equal(script->method, request->method)) &&
           (!script->part || strstr(request->target, script->part));
}

static FakeScript next_fault(FakeS3 *fake, const FakeRequest *request)
{
    for (guint i = 0; i < fake->scripts->len; i++) {
        FakeScript *script = &g_array_index(fake->scripts, FakeScript, i);
        if (!matches(script, request))
            continue;
        FakeScript found = *script;
        if (script->times >= 0 && --script->times <= 0)
            g_array_remove_index(fake->scripts, i);
        return found;
    }
    return (FakeScript){.fault = FAKE_NONE};
}

static void record(FakeS3 *fake, const FakeRequest *request)
{
    g_string_append_printf(fake->log, "%s %s\n", request->method, request->target);
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, request->headers);
    while (g_hash_table_iter_next(&iter, &name, &value))
        g_hash_table_replace(fake->last_headers, g_strdup(name), g_strdup(value));
}

static void set_error(FakeAnswer *answer, const FakeScript *script)
{
    g_string_truncate(answer->headers, 0);
    g_string_truncate(answer->body, 0);
    if (script->fault == FAKE_BODY) {
        answer->status = script->status;
        g_string_assign(answer->body, script->code);
    } else {
        fake_s3_error(answer, script->status, script->code ? script->code : "");
    }
    if (script->header)
        g_string_append_printf(answer->headers, "%s\r\n", script->header);
}

static FakeFault work(FakeS3 *fake, FakeRequest *request, FakeAnswer *answer)
{
    g_mutex_lock(&fake->mutex);
    record(fake, request);
    FakeScript script = next_fault(fake, request);
    if (script.fault == FAKE_IGNORE_NEW)
        g_hash_table_remove(request->headers, "if-none-match");
    bool idle = script.fault == FAKE_ANSWER || script.fault == FAKE_CUT || script.fault == FAKE_HANG ||
                script.fault == FAKE_BODY || script.fault == FAKE_DRIP;
    if (!idle)
        fake_s3_serve(fake, request, answer);
    if (script.fault == FAKE_ANSWER || script.fault == FAKE_DO_ANSWER || script.fault == FAKE_BODY)
        set_error(answer, &script);
    g_mutex_unlock(&fake->mutex);
    return script.fault;
}

static bool send_text(int fd, const GString *text)
{
    for (gsize sent = 0; sent < text->len;) {
        ssize_t now = send(fd, text->str + sent, text->len - sent, MSG_NOSIGNAL);
        if (now <= 0)
            return false;
        sent += (gsize) now;
    }
    return true;
}

static bool send_answer(int fd, const FakeRequest *request, const FakeAnswer *answer, bool length)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "HTTP/1.1 %d X\r\n%s", answer->status, answer->headers->str);
    if (length)
        g_string_append_printf(text, "Content-Length: %zu\r\n", answer->body->len);
    g_string_append(text, "\r\n");
    if (!g_str_equal(request->method, "HEAD"))
        g_string_append_len(text, answer->body->str, (gssize) answer->body->len);
    return send_text(fd, text) && length;
}

/* A byte now and then, until the client has enough of it. */
static void drip(int fd)
{
    g_autoptr(GString) byte = g_string_new("HTTP/1.1 500 X\r\nContent-Length: 60000\r\n\r\n");
    while (send_text(fd, byte)) {
        g_string_assign(byte, "x");
        g_usleep(50000);
    }
}

/* false: the connection is to be closed. */
static bool serve_one(FakeS3 *fake, FILE *in)
{
    FakeRequest *request = read_request(in);
    if (!request)
        return false;
    FakeAnswer answer = {.status = 200, .headers = g_string_new(NULL), .body = g_string_new(NULL)};
    FakeFault fault = work(fake, request, &answer);
    bool open = false;
    if (fault == FAKE_HANG)
        fgetc(in); /* until the client gives up */
    else if (fault == FAKE_DRIP)
        drip(fileno(in));
    else if (fault != FAKE_CUT && fault != FAKE_DO_CUT)
        open = send_answer(fileno(in), request, &answer, fault != FAKE_NO_LENGTH);
    g_mutex_lock(&fake->mutex);
    fake->answered += open;
    g_mutex_unlock(&fake->mutex);
    g_string_free(answer.headers, TRUE);
    g_string_free(answer.body, TRUE);
    request_free(request);
    return open;
}

static gpointer serve_client(gpointer user)
{
    Client *client = user;
    while (serve_one(client->fake, client->in))
        ;
    shutdown(fileno(client->in), SHUT_RDWR);
    return NULL;
}

static void client_free(gpointer user)
{
    Client *client = user;
    shutdown(fileno(client->in), SHUT_RDWR);
    g_thread_join(client->thread);
    fclose(client->in);
    g_free(client);
}

static gpointer accept_all(gpointer user)
{
    FakeS3 *fake = user;
    int fd;
    while ((fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        g_mutex_lock(&fake->mutex);
        Client *client = g_new0(Client, 1);
        client->fake = fake;
        client->in = fdopen(fd, "r");
        client->thread = g_thread_new("fake-client", serve_client, client);
        g_ptr_array_add(fake->clients, client);
        fake->connections++;
        g_mutex_unlock(&fake->mutex);
    }
    return NULL;
}

static void listen_on_loopback(FakeS3 *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fake->listener, (struct sockaddr *) &address, size), ==, 0);
    g_assert_cmpint(getsockname(fake->listener, (struct sockaddr *) &address, &size), ==, 0);
    g_assert_cmpint(listen(fake->listener, 64), ==, 0);
    fake->url = g_strdup_printf("http://127.0.0.1:%d", ntohs(address.sin_port));
}

static int by_path(gconstpointer a, gconstpointer b, gpointer unused)
{
    (void) unused;
    return strcmp(a, b);
}

FakeS3 *fake_s3_new(void)
{
    FakeS3 *fake = g_new0(FakeS3, 1);
    g_mutex_init(&fake->mutex);
    fake->scripts = g_array_new(FALSE, FALSE, sizeof(FakeScript));
    fake->log = g_string_new(NULL);
    fake->last_headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    fake->objects = g_tree_new_full(by_path, NULL, g_free, (GDestroyNotify) g_bytes_unref);
    fake->sums = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    fake->uploads = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, fake_upload_free);
    fake->clients = g_ptr_array_new_with_free_func(client_free);
    listen_on_loopback(fake);
    fake->thread = g_thread_new("fake-s3", accept_all, fake);
    return fake;
}

void fake_s3_free(FakeS3 *fake)
{
    if (!fake)
        return;
    shutdown(fake->listener, SHUT_RDWR);
    g_thread_join(fake->thread);
    close(fake->listener);
    g_ptr_array_unref(fake->clients);
    g_array_free(fake->scripts, TRUE);
    g_string_free(fake->log, TRUE);
    g_hash_table_unref(fake->last_headers);
    g_tree_unref(fake->objects);
    g_hash_table_unref(fake->sums);
    g_hash_table_unref(fake->uploads);
    g_mutex_clear(&fake->mutex);
    g_free(fake->url);
    g_free(fake);
}
