/* The gold sink deletes: by `delete_when` and by tombstones, in whatever order rows and deletes come, and whoever
 * brings them. The judge is the rule itself, in expected_rows(): of a key's events the greatest decides. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gold_place.h"

#define PROVENANCE ", _topic string not null, _partition int not null, _offset bigint not null, _timestamp timestamp"
#define SCHEMA "id int, name string, lsn bigint, op string" PROVENANCE
#define FACT "facts: {f: {key: id, latest_by: lsn, delete_when: {op: d}, skip_when: {op: s}, columns: [name]}}"
#define ROWS "SELECT id, name FROM f ORDER BY id"

static Harness *sink(GoldPlace *place, const char *options, const char *schema)
{
    Harness *h = gold_harness(place, options);
    harness_input_text(h, "changes", schema);
    return h;
}

/* Rows without their provenance, of "t/<partition>", at the offsets from `first` on. */
static void write_rows(Harness *h, int partition, gint64 first, const char *const *rows, gsize n)
{
    g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *split = g_strdup_printf("t/%d", partition);
    for (gsize i = 0; i < n; i++)
        g_ptr_array_add(whole, g_strdup_printf("[%s, \"t\", %d, %d, \"2024-01-15T10:00:00Z\"]", rows[i], partition,
                                               (int) first + (int) i));
    harness_write(h, 0, harness_rows(h, 0, split, first, (const char *const *) whole->pdata, n));
}

#define WRITE(h, partition, first, ...)                                                                                \
    do {                                                                                                               \
        const char *rows_[] = {__VA_ARGS__};                                                                           \
        write_rows(h, partition, first, rows_, G_N_ELEMENTS(rows_));                                                   \
    } while (0)

/* Debezium's c, u, d of one row: in one batch, and each in a commit of its own. */
static void test_delete(void)
{
    for (int each = 0; each < 2; each++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        g_autoptr(Harness) h = sink(place, FACT, SCHEMA);
        static const char *const events[] = {"1, \"a\", 1, \"c\"", "1, \"b\", 2, \"u\"", "2, \"x\", 3, \"c\"",
                                             "1, null, 4, \"d\""};
        for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
            write_rows(h, 0, (gint64) i, &events[i], 1);
            if (each)
                harness_commit(h, SF_COMMIT_CHECKPOINT);
        }
        harness_commit(h, SF_COMMIT_END);
        gold_assert_query(place, ROWS, "2|x");
        gold_assert_query(place, "SELECT id, lsn, _offset FROM sf_deleted_f", "1|4|3");
        gold_assert_query(place, "SELECT rows_in, rows_rejected FROM sf_ledger", "4|0");
    }
}

static void test_older_rows_stay_away(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, FACT, SCHEMA);
    WRITE(h, 0, 0, "1, null, 5, \"d\""); /* before anything that it deletes */
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    WRITE(h, 1, 0, "1, \"old\", 4, \"u\"", "2, \"x\", 1, \"u\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, ROWS, "2|x");
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "t/2"), ==, SF_POSITION_NONE);
    WRITE(h, 2, 0, "1, \"old, too\", 3, \"u\"", "1, \"nothing is known of it\", null, \"u\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, ROWS, "2|x");
    WRITE(h, 2, 2, "1, \"born again\", 6, \"c\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    WRITE(h, 2, 3, "1, null, 2, \"d\"", "2, null, 0, \"d\""); /* older deletes change nothing */
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, ROWS, "1|born again\n2|x");
}

/* ---- any order ---- */

#define KEYS 6
#define PARTITIONS 3
#define EVENTS 40 /* of a partition */

typedef struct Event {
    int id, lsn; /* lsn -1: null */
    char op;
    int partition, offset;
} Event;

static Event event_at(guint seed, int partition, int offset)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed * 100003 + (guint) (partition * 1000 + offset));
    g_rand_int(rand);
    Event event = {.id = g_rand_int_range(rand, 0, KEYS),
                   .lsn = g_rand_int_range(rand, 0, 12),
                   .op = "uuuddds"[g_rand_int_range(rand, 0, 7)],
                   .partition = partition,
                   .offset = offset};
    if (event.op == 'u' && event.lsn == 0)
        event.lsn = -1;
    return event;
}

static char *row_of(const Event *event)
{
    g_autofree char *lsn = event->lsn < 0 ? g_strdup("null") : g_strdup_printf("%d", event->lsn);
    return g_strdup_printf("%d, \"p%do%d\", %s, \"%c\"", event->id, event->partition, event->offset, lsn, event->op);
}

static bool is_greater(const Event *a, const Event *b)
{
    if (a->lsn != b->lsn)
        return a->lsn > b->lsn;
    return a->partition != b->partition ? a->partition > b->partition : a->offset > b->offset;
}

static char *expected_rows(guint seed, int events)
{
    GString *out = g_string_new(NULL);
    for (int id = 0; id < KEYS; id++) {
        Event best = {.op = '-'};
        for (int partition = 0; partition < PARTITIONS; partition++)
            for (int offset = 0; offset < events; offset++) {
                Event event = event_at(seed, partition, offset);
                if (event.id == id && event.op != 's' && (best.op == '-' || is_greater(&event, &best)))
                    best = event;
            }
        if (best.op == 'u')
            g_string_append_printf(out, "%s%d|p%do%d", out->len > 0 ? "\n" : "", id, best.partition, best.offset);
    }
    return g_string_free(out, FALSE);
}

static void write_event(Harness *h, guint seed, int partition, int offset)
{
    Event event = event_at(seed, partition, offset);
    g_autofree char *row = row_of(&event);
    WRITE(h, partition, offset, row);
}

/* Partitions in any interleaving, commits anywhere, and a process that dies now and then. */
static void test_any_order(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    for (guint round = 0; round < 12; round++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        int events = gold_is(place, "Snowflake") ? 8 : EVENTS; /* the emulator is slow */
        if (gold_is(place, "Snowflake") && round != 2)
            continue;
        g_autoptr(Harness) h = sink(place, FACT, SCHEMA);
        int next[PARTITIONS] = {0};
        for (int left = PARTITIONS; left > 0;) {
            int partition = g_rand_int_range(rand, 0, PARTITIONS);
            for (int n = g_rand_int_range(rand, 1, 9); n > 0 && next[partition] < events; n--) {
                write_event(h, round / 3, partition, next[partition]++);
                left -= next[partition] == events;
            }
            if (round % 3 > 0 && g_rand_int_range(rand, 0, 3) == 0)
                harness_commit(h, SF_COMMIT_CHECKPOINT);
            if (round % 3 < 2 || g_rand_int_range(rand, 0, 4) > 0)
                continue;
            harness_reopen(h); /* what was not committed is read again */
            left = PARTITIONS;
            for (int i = 0; i < PARTITIONS; i++) {
                g_autofree char *split = g_strdup_printf("t/%d", i);
                gint64 position = harness_recover(h, 0, split);
                next[i] = position == SF_POSITION_NONE ? 0 : (int) position;
                left -= next[i] == events;
            }
        }
        harness_commit(h, SF_COMMIT_END);
        g_autofree char *expected = expected_rows(round / 3, events);
        gold_assert_query(place, ROWS, expected);
        gold_assert_query(place, "SELECT count(*) FROM f JOIN sf_deleted_f d ON d.id = f.id AND d.lsn > f.lsn", "0");
    }
}

static int run_process(GoldPlace *place, int partition)
{
    g_autoptr(Harness) h = sink(place, FACT, SCHEMA);
    for (int i = 0; harness_try_open(h) != SF_OK; i++) {
        if (h->status != SF_RETRY || i > 200)
            g_error("%s: %s", sf_status_name(h->status), h->err.message);
        g_usleep(5000);
    }
    for (int offset = 0; offset < EVENTS; offset++) {
        write_event(h, 1, partition, offset);
        for (int i = 0; harness_try_commit(h, SF_COMMIT_CHECKPOINT) != SF_OK; i++) {
            if (h->status != SF_RETRY || i > 200)
                g_error("%s: %s", sf_status_name(h->status), h->err.message);
            g_usleep(5000);
        }
    }
    return 0;
}

/* A row and its delete under way in two processes at once. */
static void test_rows_and_deletes_of_processes(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_processes(place, PARTITIONS, run_process))
        return;
    g_autofree char *expected = expected_rows(1, EVENTS);
    gold_assert_query(place, ROWS, expected);
}

static pid_t commit_in_child(GoldPlace *place, int partition, const char *const *rows, gsize n)
{
    pid_t child = fork();
    if (child > 0)
        return child;
    GoldPlace own = {.schema = place->schema, .connection = place->connection};
    g_autoptr(Harness) h = sink(&own, FACT, SCHEMA);
    write_rows(h, partition, 0, rows, n);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    _exit(0);
}

/* Until so many sessions of this database wait for a lock, or the child has ended. */
static void await_waiting(GoldPlace *place, int n, pid_t child)
{
    for (;;) {
        gold_exec(place, "SELECT pg_stat_clear_snapshot()"); /* or this transaction sees one state for ever */
        g_autofree char *got = gold_query(place, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                                 "AND datname = current_database()");
        siginfo_t info = {.si_pid = 0};
        g_assert_cmpint(waitid(P_PID, (id_t) child, &info, WEXITED | WNOHANG | WNOWAIT), ==, 0);
        if (g_ascii_strtoll(got, NULL, 10) == n || info.si_pid == child)
            return;
        g_usleep(5000);
    }
}

static void await_end(pid_t child)
{
    int status = 0;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

/* A transaction that has written the row, and is held up before its end, when the delete comes; and the other way
 * round. */
static void test_row_and_delete_at_once(void)
{
    static const char *const row[] = {"1, \"older\", 5, \"u\"", "9, \"b\", 2, \"u\""};
    static const char *const delete[] = {"1, null, 7, \"d\"", "9, null, 3, \"d\""};
    for (int order = 0; order < 2; order++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        if (!gold_is(place, "PostgreSQL")) {
            g_test_skip("SQLite has one writer, and the emulator no locks");
            return;
        }
        g_autoptr(Harness) h = sink(place, FACT, SCHEMA);
        WRITE(h, 0, 0, "9, \"a\", 1, \"u\"");
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        SfError err;
        g_assert_cmpint(odbc_autocommit(place->odbc, false, &err), ==, SF_OK);
        gold_exec(place, "UPDATE f SET name = name WHERE id = 9"); /* holds up the first after its key 1 */
        pid_t first = commit_in_child(place, 1, order ? delete : row, 2);
        await_waiting(place, 1, first);
        pid_t second = commit_in_child(place, 2, order ? row : delete, 1);
        await_waiting(place, 2, second);
        g_assert_cmpint(odbc_autocommit(place->odbc, true, &err), ==, SF_OK);
        await_end(first);
        await_end(second);
        gold_assert_query(place, "SELECT count(*) FROM f WHERE id = 1", "0");
    }
}

/* Without a place in a topic equal rows and deletes have no order of their own: the delete wins, always. */
static void test_ties_without_provenance(void)
{
    static const char options[] =
        "provenance: false\nfacts: {f: {key: id, latest_by: lsn, delete_when: {op: d}, columns: [name]}}";
    static const char *const orders[][3] = {{"1, \"a\", 5, \"u\"", "1, null, 5, \"d\"", "1, \"b\", null, \"u\""},
                                            {"1, null, 5, \"d\"", "1, \"a\", 5, \"u\"", "1, \"b\", null, \"u\""},
                                            {"1, \"b\", null, \"u\"", "1, null, 5, \"d\"", "1, \"a\", 4, \"u\""}};
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(orders); i++) {
        g_autoptr(GoldPlace) place = gold_place_new();
        if (gold_is(place, "Snowflake") && i % 3 > 0)
            continue;
        g_autoptr(Harness) h = sink(place, options, SCHEMA);
        for (int k = 0; k < 3; k++) {
            write_rows(h, 0, k, &orders[i / 2][k], 1);
            if (i & 1)
                harness_commit(h, SF_COMMIT_CHECKPOINT);
        }
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        gold_assert_query(place, "SELECT count(*) FROM f", "0");
        WRITE(h, 0, 3, "1, \"again\", 6, \"c\"");
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        gold_assert_query(place, ROWS, "1|again");
    }
}

/* ---- tables side by side ---- */

static void test_each_table_by_itself(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h =
        sink(place,
             "dimensions:\n  d: {key: name, skip_when: {op: d}, columns: [lsn]}\n"
             "facts:\n  open: {key: [id, name], delete_when: [{op: d}, {done: true, lsn: [7, 8]}], columns: []}\n"
             "  f: {key: id, delete_when: {op: d}, columns: [done]}\n",
             "id int, name string, lsn bigint, op string, done bool" PROVENANCE);
    WRITE(h, 0, 0, "1, \"a\", 1, \"c\", false", "2, \"a\", 2, \"c\", false", "3, \"b\", 6, \"u\", true");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    WRITE(h, 0, 3, "1, \"a\", 7, \"u\", true", "2, \"a\", 9, \"d\", null", "4, \"c\", 9, \"d\", true",
          "3, \"b\", 9, \"u\", true", "null, \"b\", 9, \"d\", null");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, name FROM open ORDER BY id", "3|b");
    gold_assert_query(place, "SELECT id, CASE WHEN done THEN 1 ELSE 0 END FROM f ORDER BY id", "1|1\n3|1");
    gold_assert_query(place, "SELECT name, lsn FROM d ORDER BY name", "a|7\nb|9");
    gold_assert_contains(harness_rejects(h), "t/0@7: id: is null, but the key of table 'open', without which nothing");
}

static void test_dimension(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place,
                                "dimensions: {d: {key: name, columns: [lsn], delete_when: {op: [d, t]}}}\n"
                                "facts: {f: {key: id, columns: []}}",
                                SCHEMA);
    WRITE(h, 0, 0, "1, \"a\", 1, \"c\"", "2, \"b\", 2, \"c\"", "3, \"b\", 3, \"t\"", "4, null, 3, \"c\"",
          "5, null, 3, \"d\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT name FROM d", "a");
    gold_assert_query(place, "SELECT id, name FROM f ORDER BY id", "1|a\n2|b\n3|b\n4|NULL");
    gold_assert_contains(harness_rejects(h), "t/0@4: name: is null, but the key of table 'd', without which");
}

static void test_tombstones(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "dimensions: {d: {key: name}}\nfacts: {f: {key: id}}",
                                "id int, name string, _tombstone bool not null" PROVENANCE);
    WRITE(h, 0, 0, "1, \"a\", false", "2, \"b\", false", "1, null, true", "9, null, true");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, name, _offset FROM f", "2|b|1");
    gold_assert_query(place, "SELECT name FROM d ORDER BY name", "a\nb"); /* an order goes, its customer does not */
    WRITE(h, 0, 4, "1, \"a\", false", "2, null, true");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id, name, _offset FROM f", "1|a|4");
    g_assert_cmpuint(harness_n_rejects(h), ==, 0);
    WRITE(h, 0, 6, "null, null, true");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_contains(harness_rejects(h), "id: is null, but the key of table 'f', without which nothing can be");
}

static void test_tombstone_without_order(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "facts: {f: {key: id, latest_by: lsn, columns: []}}",
                                "id int, lsn bigint, _tombstone bool not null" PROVENANCE);
    WRITE(h, 0, 0, "1, 5, false", "1, null, true");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id FROM f", "1");
    g_assert_cmpstr(harness_rejects(h), ==,
                    "t/0@1: lsn: is null, but tells whether the delete is the latest of table 'f'; take what every "
                    "tombstone has for 'latest_by', such as _timestamp or _offset");
}

/* ---- trouble ---- */

/* A delete that the database refuses is a reject like any row, and the others are done. */
static void test_refused_delete(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    if (!gold_is(place, "PostgreSQL")) {
        g_test_skip("PostgreSQL only: foreign keys are not enforced elsewhere");
        return;
    }
    g_autoptr(Harness) h = sink(place, FACT, SCHEMA);
    WRITE(h, 0, 0, "1, \"a\", 1, \"c\"", "2, \"b\", 2, \"c\"", "3, \"c\", 3, \"c\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_exec(place, "CREATE TABLE mine (id INTEGER REFERENCES f (id))");
    gold_exec(place, "INSERT INTO mine VALUES (2)");
    WRITE(h, 0, 3, "1, null, 4, \"d\"", "2, null, 5, \"d\"", "3, \"d\", 6, \"u\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, ROWS, "2|b\n3|d");
    gold_assert_contains(harness_rejects(h), "t/0@4: table 'f': ");
    gold_assert_query(place, "SELECT id FROM sf_deleted_f", "1");
}

/* A delete needs its key and its order, and what else is in it does not matter. */
static void test_untakable_values_of_a_delete(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, FACT, SCHEMA);
    WRITE(h, 0, 0, "1, \"a\", 1, \"c\"", "2, \"b\\u0000\", 2, \"c\"", "1, \"\\u0000\", 3, \"d\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT count(*) FROM f", "0");
    gold_assert_query(place, "SELECT id FROM sf_deleted_f", "1");
    g_assert_cmpuint(harness_n_rejects(h), ==, 1);
}

static void test_retention(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, "delete.retention: 1h\n" FACT, SCHEMA);
    WRITE(h, 0, 0, "1, null, 5, \"d\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id FROM sf_deleted_f", "1");
    h->now_ms = g_get_real_time() / 1000 + 3000000; /* the database's clock tells when it was deleted */
    h->monotonic_ms += 3600000;
    WRITE(h, 0, 1, "1, \"a\", 4, \"c\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT id FROM sf_deleted_f", "1");
    h->now_ms += 1200000;
    h->monotonic_ms += 3600000;
    WRITE(h, 0, 2, "2, \"b\", 4, \"c\"");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    gold_assert_query(place, "SELECT count(*) FROM sf_deleted_f", "0");
    gold_assert_query(place, ROWS, "2|b");
}

/* Many keys at once, in statements of every size. */
static void test_many(void)
{
    g_autoptr(GoldPlace) place = gold_place_new();
    g_autoptr(Harness) h = sink(place, FACT, SCHEMA);
    int n = gold_is(place, "Snowflake") ? 60 : 3000;
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < n; i++)
        g_ptr_array_add(rows, g_strdup_printf("%d, \"n%d\", 1, \"c\"", i, i));
    write_rows(h, 0, 0, (const char *const *) rows->pdata, rows->len);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_ptr_array_set_size(rows, 0);
    for (int i = 0; i < n; i++)
        if (i % 3 > 0)
            g_ptr_array_add(rows, g_strdup_printf("%d, null, 2, \"d\"", i));
    write_rows(h, 0, n, (const char *const *) rows->pdata, rows->len);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_autofree char *kept = g_strdup_printf("%d", n / 3);
    g_autofree char *gone = g_strdup_printf("%d", n - n / 3);
    gold_assert_query(place, "SELECT count(*) FROM f WHERE id % 3 = 0", kept);
    gold_assert_query(place, "SELECT count(*) FROM f", kept);
    gold_assert_query(place, "SELECT count(*) FROM sf_deleted_f", gone);
}

static void test_mistakes(void)
{
    static const struct {
        const char *table, *message;
    } cases[] = {
        {"delete_when: d", "'delete_when' is a map of columns to values, such as {op: d}, or a list of such maps"},
        {"delete_when: {}", "is a map of columns to values"},
        {"delete_when: {opp: d}", "input 'changes' has no column 'opp'; did you mean 'op'?"},
        {"delete_when: {lsn: d}", "'d' is not a whole number"},
        {"delete_when: {op: []}", "the list of values is empty"},
        {"delete_when: {op: {a: b}}", "a value is a text, a whole number, true, false or null"},
        {"delete_when: {_timestamp: now}", "a column of type timestamp is compared with null only"},
        {"delete_wen: {op: d}", "unknown key 'delete_wen'; did you mean 'delete_when'?"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *options =
            g_strdup_printf("connection: Driver=SQLite3;Database=x.db\nfacts: {f: {key: id, %s}}", cases[i].table);
        g_autoptr(Harness) h = harness_new("snowflake-gold-sink", options);
        harness_input_text(h, "changes", SCHEMA);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        gold_assert_contains(h->err.message, cases[i].message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/deletes/a key's row goes, in a batch and in the table", test_delete);
    g_test_add_func("/gold/deletes/what is older than a delete stays away", test_older_rows_stay_away);
    g_test_add_func("/gold/deletes/rows and deletes come in any order", test_any_order);
    g_test_add_func("/gold/deletes/rows and deletes come from processes at once", test_rows_and_deletes_of_processes);
    g_test_add_func("/gold/deletes/a row and its delete wait for each other", test_row_and_delete_at_once);
    g_test_add_func("/gold/deletes/of equals without provenance the delete wins", test_ties_without_provenance);
    g_test_add_func("/gold/deletes/each table has rules of its own", test_each_table_by_itself);
    g_test_add_func("/gold/deletes/a dimension loses rows by its own key", test_dimension);
    g_test_add_func("/gold/deletes/a tombstone deletes what has its key", test_tombstones);
    g_test_add_func("/gold/deletes/a delete that cannot be ordered is a reject", test_tombstone_without_order);
    g_test_add_func("/gold/deletes/a delete that the database refuses is a reject", test_refused_delete);
    g_test_add_func("/gold/deletes/other values of a delete do not matter", test_untakable_values_of_a_delete);
    g_test_add_func("/gold/deletes/deleted keys are forgotten after the retention", test_retention);
    g_test_add_func("/gold/deletes/many at once", test_many);
    g_test_add_func("/gold/deletes/mistakes are named with their place", test_mistakes);
    return g_test_run();
}
