/* Any bytes as a request: they are answered or refused, and never read beyond their end (the sanitizers see to that).
 * Half of them are made of what requests are made of, so that they get further. */
#include "dispatch.h"
#include "groups.h"

#include <string.h>

#define ROUNDS 60000

static void add_piece(Out *out, GRand *rand)
{
    static const char *const texts[] = {"t", "group", "", "id", "range", "consumer", "max.message.bytes", "a/b"};
    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        out_text(out, g_rand_boolean(rand) ? texts[g_rand_int_range(rand, 0, G_N_ELEMENTS(texts))] : NULL);
        break;
    case 1:
        out_count(out, g_rand_int_range(rand, -1, 4));
        break;
    case 2:
        out_i16(out, (gint16) g_rand_int_range(rand, -1, 3));
        break;
    case 3:
        out_i32(out, g_rand_int_range(rand, -2, 10000));
        break;
    case 4:
        out_i64(out, g_rand_int_range(rand, -3, 5));
        break;
    default:
        out_i8(out, (gint8) g_rand_int_range(rand, -128, 128));
    }
}

static GByteArray *any_request(GRand *rand, bool flexible)
{
    Out out = {.bytes = g_byte_array_new(), .flexible = flexible};
    bool wild = g_rand_boolean(rand);
    for (gint32 i = g_rand_int_range(rand, 0, 30); i > 0; i--) {
        if (wild)
            out_i8(&out, (gint8) g_rand_int_range(rand, -128, 128));
        else
            add_piece(&out, rand);
    }
    return out.bytes;
}

static void give(Broker *broker, Conn *conn, GRand *rand)
{
    static const gint16 keys[] = {0,  1,  2,  3,  8,  9,  10, 11, 12, 13, 14, 15,
                                  16, 18, 19, 20, 22, 24, 25, 26, 28, 32, 37, 42};
    gint16 api = keys[g_rand_int_range(rand, 0, G_N_ELEMENTS(keys))], version = (gint16) g_rand_int_range(rand, 0, 13);
    bool flexible = dispatch_is_flexible(api, version);
    g_autoptr(GByteArray) bytes = any_request(rand, flexible);
    g_autofree guint8 *exact = g_memdup2(bytes->data, bytes->len); /* so that one byte beyond is seen */
    g_autoptr(GStringChunk) texts = g_string_chunk_new(64);
    Reply reply = {.conn = conn, .version = version, .flexible = flexible};
    Request request = {.broker = broker,
                       .reply = reply,
                       .api = api,
                       .version = version,
                       .client = "fuzz",
                       .deadline_us = 1, /* nothing waits */
                       .in = {.at = exact, .end = exact + bytes->len, .texts = texts, .flexible = flexible},
                       .out = reply_body(&reply)};
    Outcome outcome;
    dispatch(&request, &outcome);
    g_clear_pointer(&request.out.bytes, g_byte_array_unref);
}

static void test_any_bytes(void)
{
    g_autofree char *problem = NULL;
    g_autoptr(GRand) rand = g_rand_new_with_seed(20261126);
    Broker *broker = store_open(NULL, &problem);
    g_autoptr(GByteArray) answers = g_byte_array_new();
    Conn conn = {.host = (char *) "127.0.0.1", .out = answers};
    Producer *producer = NULL;
    g_assert_nonnull(broker);
    broker->host = g_strdup("127.0.0.1");
    groups_init(broker);
    store_create(broker, "t", 3, NULL);
    producers_start(broker, "id", 1000, -1, -1, &producer);
    for (int i = 0; i < ROUNDS; i++) {
        give(broker, &conn, rand);
        g_byte_array_set_size(answers, 0);
        if (i % 1000 == 0)
            groups_expire(broker, G_MAXINT64 / 2); /* members that such requests have made */
    }
    g_assert_cmpuint(g_hash_table_size(broker->topics), >, 0);
    groups_done(broker);
    store_close(broker);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/broker/requests/any-bytes", test_any_bytes);
    return g_test_run();
}
