/* `sfrun table` of tables that delta-rs and Spark wrote (tests/data): what it says, and what it says of what is wrong.
 * The rows themselves are judged by judge.py. */
#include <json-c/json.h>
#include <string.h>

#include "fixture.h"

static void summary_says_what_the_table_is(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect_part(f, "table rs/types", 0,
                "  Files        12 (95.4 KiB), 1,500 rows\n  Partitions   region (4 values)\n"
                "  Protocol     reader 1, writer 2\n",
                NULL);
    expect_part(f, "table rs/types", 0, "  region   string         yes   yes\n", NULL);
    expect_part(f, "table rs/plain", 0, "  POSITION OF  VERSION\n  conn-1            11\n", NULL);
    expect_part(f, "table sp/dv", 0, "900 rows; 100 more are deleted by vectors of 1 file\n", NULL);
    expect_part(f, "table sp4/ict", 0, "               delta.columnMapping.mode = name\n", NULL);
    expect_part(f, "table rs/types --version 0", 0, "  Files        4 ", NULL);
    g_auto(Ran) json = run_program(f->root, "table sp/types --json");
    struct json_object *object = json_tokener_parse(json.out), *member = NULL;
    g_assert_true(json_object_object_get_ex(object, "columns", &member));
    g_assert_cmpuint(json_object_array_length(member), ==, 17);
    g_assert_true(json_object_object_get_ex(object, "version", &member));
    json_object_put(object);
}

static void history_and_files_are_listed(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect_part(f, "table rs/types --history", 0, "  VERSION  TIME (UTC)           OPERATION  ROWS  ADDED  REMOVED",
                NULL);
    expect_part(f, "table sp/dv --history --json", 0, "\"operation\":\"DELETE\",\"files_added\":1,\"files_removed\":1",
                NULL);
    expect(f, "sh -c '$SF_TEST_SFRUN table rs/plain --history --limit 3 --json | wc -l'", 0, NULL,
           "9 older commits are not shown; --limit 0 shows all");
    expect(f, "sh -c '$SF_TEST_SFRUN table rs/plain --history --limit 0 --json | wc -l'", 0, "12\n", NULL);
    expect(f, "sh -c '$SF_TEST_SFRUN table rs/plain --files | wc -l'", 0, "12\n", NULL);
    expect(f, "sh -c '$SF_TEST_SFRUN table rs/plain --files --limit 2 --json | wc -l'", 0, "2\n", NULL);
    expect_part(f, "table rs/types --files --json", 0, "\"partition\":{\"region\":null}", NULL);
}

static void rows_are_shown_as_asked(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "table rs/types -w 'id = 1004' -c id,region -c q,m", 0,
           "    id  region    q       m\n  1004  N       754  321.48\n", NULL);
    expect(f, "table rs/types -w 'id = 1004' -c q,id --json", 0, "{\"q\":754,\"id\":1004}\n", NULL);
    expect(f, "table sp/types -n 1 -c arr,b,st,mp", 0,
           "  arr    b       st               mp\n  [3,4]  \"Mw==\"  {\"a\":3,\"b\":\"3\"}  "
           "[{\"key\":\"k\",\"value\":3}]\n",
           NULL);
    expect(f, "sh -c '$SF_TEST_SFRUN table rs/types -n 7 --json | wc -l'", 0, "7\n", NULL);
    expect(f, "table rs/types -n 0", 0, "", NULL);
    expect(f, "sh -c 'COLUMNS=40 $SF_TEST_SFRUN table rs/types -n 1 | head -1 | cut -c1-20'", 0, "    id  region\n",
           "2 of 10 columns fit here; --columns takes others");
}

/* Files are told apart by the partition's value and by what their statistics say, and rows by what they are. */
static void conditions_leave_out_files_and_rows(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const struct {
        const char *condition, *answer;
    } rows[] = {
        {"region = ''N''", "\"count\":375,\"version\":2,\"files\":12,\"files_skipped\":9,\"files_read\":0,"},
        {"region IS NULL", "\"count\":375,\"version\":2,\"files\":12,\"files_skipped\":9,\"files_read\":0,"},
        {"region != ''N'' AND id < 500",
         "\"count\":250,\"version\":2,\"files\":12,\"files_skipped\":10,\"files_read\":2,"},
        {"id >= 1500", "\"count\":0,\"version\":2,\"files\":12,\"files_skipped\":12,\"files_read\":0,"},
        {"allnull IS NOT NULL", "\"count\":0,\"version\":2,\"files\":12,\"files_skipped\":12,\"files_read\":0,"},
        {"id IS NULL", "\"count\":0,\"version\":2,\"files\":12,\"files_skipped\":12,\"files_read\":0,"},
        {"m = 321.48", "\"count\":1,"},
        {"m = 3.2148e2", "\"count\":1,"},
        {"m < 1e-10 AND m > -1E+1", "\"count\":"},
        {"m = 321.480000000000000000000000000000000", "\"count\":1,"},
        {"m = 321.4800000000000000000000000000001", "\"count\":0,"},
        {"d = date ''1995-08-05''", "\"count\":1,"},
        {"ts = ''2024-01-01 00:20:34.567''", "\"count\":1,"},
        {"ts >= ''2024-01-01T00:20:34.567Z'' and ts < ''2024-01-01 00:20:34.567001''", "\"count\":1,"},
        {"id IN (3, 5,1500) OR id BETWEEN 10 AND 12", "\"count\":5,"},
        {"NOT (id NOT IN (3, 5) AND NOT id BETWEEN 10 AND 12)", "\"count\":5,"},
        {"NOT NOT id = 3", "\"count\":1,"},
        {"NOT (q > 3) OR q > 3 OR q IS NULL", "\"count\":1500,"},
        {"region = ''N'' OR id < 0", "\"count\":375,\"version\":2,\"files\":12,\"files_skipped\":9,\"files_read\":0,"},
        {"NOT (region != ''N'' AND region != ''S'')", "\"count\":750,\"version\":2,\"files\":12,\"files_skipped\":6,"},
        {"`region` = ''N'' and \"ok\" = true and v < 1e300", "\"count\":"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) parts = g_strsplit(rows[i].condition, "''", -1);
        g_autofree char *text = g_strjoinv("'", parts), *quoted = g_shell_quote(text);
        g_autofree char *words = g_strconcat("table rs/types --json --count -w ", quoted, NULL);
        expect_part(f, words, 0, rows[i].answer, NULL);
    }
    expect(f, "table rs/types --count --explain -w \"region = 'N'\"", 0, "375\n",
           "read 0 of 12 files (0 B); 9 skipped by partition values and statistics");
}

/* The message, and a caret under the place. */
static void mistakes_in_conditions_are_pointed_at(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const struct {
        const char *condition, *error;
    } rows[] = {
        {"regin = 'N'", "there is no column 'regin'; did you mean 'region'?\n    regin = 'N'\n    ^\n"},
        {"id > 3 AND id = x", "column 'id' (long) is compared with a number such as 12.50\n    id > 3 AND id = x\n"
                              "                    ^\n"},
        {"region = N", "column 'region' (string) is compared with a text in quotes such as 'EU'"},
        {"region = 'N", "a quotation mark ' is not closed\n    region = 'N\n             ^\n"},
        {"d = '2024-02-30'", "column 'd' (date) is compared with a date such as '2024-01-15'"},
        {"ts > '10:30'", "(timestamp) is compared with a time in UTC"},
        {"ok = 1", "(boolean) is compared with true or false"},
        {"id", "a comparison is expected at the end"},
        {"id >", "a number such as 12.50 is expected at the end\n    id >\n        ^\n"},
        {"id = NULL", "nothing is equal to NULL; write IS NULL"},
        {"id IS 3", "NULL is expected here"},
        {"id = 3 XOR id = 4", "AND, OR or the end is expected here\n    id = 3 XOR id = 4\n           ^\n"},
        {"id IN 3", "a list of values in parentheses is expected here"},
        {"id NOT", "IN or BETWEEN is expected at the end"},
        {"id IN (3, x)", "column 'id' (long) is compared with a number"},
        {"id IN (3", "a comma or a closing parenthesis is expected at the end"},
        {"id IN ()", "a number such as 12.50 is expected here"},
        {"id BETWEEN 3 OR 4", "AND and the upper bound of BETWEEN are expected here"},
        {"(id = 3", "AND, OR or a closing parenthesis is expected at the end"},
        {"NOT", "a column is expected at the end"},
        {"id = 3 AND", "a column is expected at the end"},
        {"= 3", "a column is expected here"},
        {"id = 3)", "AND, OR or the end is expected here"},
        {"id.x = 3", "members of columns cannot be compared"},
        {"\x1b[31mid = 3", "    \\x1b[31mid = 3\n    ^\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *quoted = g_shell_quote(rows[i].condition);
        g_autofree char *words = g_strconcat("table rs/types -w ", quoted, NULL);
        expect(f, words, 2, "", rows[i].error);
    }
    g_autofree char *deep = g_strnfill(101, '('), *words = g_strdup_printf("table rs/types -w '%sid = 3'", deep);
    expect(f, words, 2, "", "parentheses are nested more than 100 deep");
    expect(f, "table sp/types -w 'arr = 3'", 2, "", "can only be asked for IS NULL");
    expect(f, "table sp/types --count -w 'arr IS NULL'", 0, "0\n", NULL);
    expect(f, "table rs/types -c id,nme", 2, "", "--columns: there is no column 'nme'");
}

static void other_versions_are_read(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "table sp/dv --count --version 1", 0, "1000\n", NULL);
    expect(f, "table rs/types --count --timestamp 2099-01-01", 0, "1500\n", NULL);
    expect(f, "table rs/types --version 7", 1, "", "there is no version 7; the newest is 2");
    expect(f, "table rs/types --timestamp 2020-01-01", 1, "", "the log begins later, with version 0 of ");
    expect(f, "table rs/types --timestamp yesterday", 1, "", "'yesterday' is not a time such as 2024-01-15");
    expect(f, "table rs/types --timestamp 2024-01-01 --version 1", 2, "", "give one");
    expect(f, "sh -c 'rm rs/plain/_delta_log/0000000000000000000[0-7].json'", 0, "", NULL);
    expect(f, "table rs/plain --count --version 8", 0, "4500\n", NULL);
    expect(f, "table rs/plain --count --version 3", 1, "", "version 3 can no longer be read");
}

static void what_is_not_a_table_is_said(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "table nothing", 1, "",
           "'nothing' is not a Delta table: there is no _delta_log in it; `sfrun ls 'nothing'`");
    expect(f, "sh -c 'rm rs/types/region=N/*'", 0, "", NULL);
    expect(f, "table rs/types --count", 0, "1500\n", NULL); /* the log knows */
    expect(f, "table rs/types --count -w 'q > 3'", 1, "", "it is not there: was it vacuumed, or removed by hand?");
    expect(f,
           "sh -c 'printf \"{\\\"protocol\\\":{\\\"minReaderVersion\\\":3,\\\"minWriterVersion\\\":7,"
           "\\\"readerFeatures\\\":[\\\"magic\\\"],\\\"writerFeatures\\\":[]}}\\n\" > "
           "rs/types/_delta_log/00000000000000000003.json'",
           0, "", NULL);
    expect(f, "table rs/types", 1, "", "the table needs the feature 'magic', which we do not read");
}

/* Any byte of it may be another. */
static void deletion_vectors_are_not_trusted(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(f->root, "sp/dv", NULL), *path = NULL, *body = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
    gsize size;
    for (const char *name; (name = g_dir_read_name(dir));) {
        if (g_str_has_suffix(name, ".bin"))
            path = g_build_filename(folder, name, NULL);
    }
    g_assert_nonnull(path);
    g_assert_true(g_file_get_contents(path, &body, &size, NULL));
    for (gsize i = 1; i < size; i += 1 + size / 12) {
        g_autofree char *other = g_memdup2(body, size);
        other[i] ^= 0x41;
        g_assert_true(g_file_set_contents(path, other, (gssize) size, NULL));
        expect(f, "table sp/dv --count -w 'id > 0'", 1, "", "the deletion vector of 'part-");
    }
    g_assert_true(g_file_set_contents(path, body, (gssize) size - 3, NULL));
    expect(f, "table sp/dv --count -w 'id > 0'", 1, "", "is too short");
    g_assert_true(g_file_set_contents(path, body, (gssize) size, NULL));
    expect(f, "table sp/dv --count -w 'id > 0'", 0, "900\n", NULL);
}

/* Version 3 of sp/dv: one file more, a copy of the other, with this vector inline. */
static void put_vector(const Fixture *f, const char *text, int size, int cardinality)
{
    g_autofree char *log = g_build_filename(f->root, "sp/dv/_delta_log/00000000000000000003.json", NULL);
    g_autofree char *commit = g_strdup_printf(
        "{\"add\":{\"path\":\"more.parquet\",\"partitionValues\":{},\"size\":9118,\"modificationTime\":1,"
        "\"dataChange\":true,\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":\"%s\","
        "\"sizeInBytes\":%d,\"cardinality\":%d}}}\n",
        text, size, cardinality);
    g_assert_true(g_file_set_contents(log, commit, -1, NULL));
}

/* Else a small one could take hours. */
static void deletion_vectors_ascend(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const struct {
        const char *text;
        int size, cardinality;
        bool damaged; /* overlapping runs, descending ones, a container twice, a bitmap twice */
    } rows[] = {
        {"^Bg9^0rr910000000000j1{Tm0rr9f00ic200@Sj00Ao4", 35, 15, false},
        {"^Bg9^0rr910000000000j1{Tm0rr9k00ic200@Se00@S9", 35, 15, true},
        {"^Bg9^0rr910000000000j1{Tm0rr9f00icc00Ao400@S9", 35, 15, true},
        {"^Bg9^0rr910000000000iXQKl0SSi200000000007YTKo8uo:q0rrf3", 44, 2, true},
        {"^Bg9^0SSi20000000000iXQKl0rr91000005c8Xg0rr910025l0003100000000Mg00062", 56, 2, true},
    };
    expect(f, "sh -c 'cp sp/dv/part-*.parquet sp/dv/more.parquet'", 0, "", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        put_vector(f, rows[i].text, rows[i].size, rows[i].cardinality);
        expect(f, "table sp/dv --count -w 'id >= 0'", rows[i].damaged ? 1 : 0, rows[i].damaged ? "" : "1885\n",
               rows[i].damaged ? "its bitmaps are damaged" : NULL);
    }
}

static void replace_text(const char *path, const char *old, const char *new)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(text, old, -1);
    g_assert_cmpuint(g_strv_length(parts), >, 1);
    g_autofree char *other = g_strjoinv(new, parts);
    g_assert_true(g_file_set_contents(path, other, -1, NULL));
}

/* Spark's statistics: floats in the fewest digits, numbers beyond 64 bits, any characters. */
static void bounds_are_read_as_they_were_meant(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const struct {
        const char *old, *new, *condition;
    } rows[] = {
        {"f32\\\":3.0", "f32\\\":0.7", "f32 < 0.7"}, /* the float is less */
        {"m\\\":504.63", "m\\\":99999999999999999999999", "m > 18446744073709551615"},
        {"m\\\":-48.89", "m\\\":-99999999999999999999999", "m < -9223372036854775808"},
        {"n\xc3\xa4me-xxxxxxxxxxxxxxxxxxxxxxxxxxx", "z\\\\u0000z", "name > \"z\""},
    };
    g_autofree char *log = g_build_filename(f->root, "sp/types/_delta_log/00000000000000000000.json", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *words = g_strdup_printf(
            "table sp/types --count --json -w 'region IS NULL AND id < 1500 AND %s'", rows[i].condition);
        replace_text(log, rows[i].old, rows[i].new);
        expect_part(f, words, 0, "\"files_read\":1,", NULL);
    }
}

static void columns_by_id_are_not_guessed(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const char refused[] = "the table's delta.columnMapping.mode is 'id'";
    expect(f, "sh -c 'sed -i s/columnMapping.mode...name/columnMapping.mode\\\":\\\"id/ sp4/ict/_delta_log/*.json'", 0,
           "", NULL);
    g_auto(Ran) all = run_program(f->root, "table sp4/ict --json -n 3");
    g_assert_cmpint(all.status, ==, 0);
    expect(f, "table optimize sp4/ict", 1, "", refused);
    expect(f, "sh -c 'sed -i s/col-c126e417/col-c126e418/ sp4/ict/_delta_log/*.json'", 0, "", NULL);
    expect(f, "table sp4/ict --json -n 3", 1, "", refused);
}

static void files_of_other_stores_are_not_ours(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const char *const paths[] = {"gs://b/x.parquet", "dbfs:/x.parquet", "abfss://c@h/x.parquet"};
    g_autofree char *log = g_build_filename(f->root, "rs/types/_delta_log/00000000000000000003.json", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *commit = g_strdup_printf("{\"add\":{\"path\":\"%s\",\"partitionValues\":{\"region\":\"N\"},"
                                                  "\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n",
                                                  paths[i]);
        g_assert_true(g_file_set_contents(log, commit, -1, NULL));
        expect(f, "table rs/types --count -w 'q > 3'", 2, "", "lies outside of the table");
        expect(f, "table vacuum rs/types", 1, "", "lies outside of the table");
    }
}

#ifdef HAS_S3
static void tables_on_s3_are_read(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_setenv("AWS_ENDPOINT_URL", fake_s3_url(fake), TRUE);
    upload(fake, f, "sp/dv", "lake/silver/dv");
    upload(fake, f, "rs/types", "lake/silver/types");
    expect(f, "table s3://lake/silver/dv --count -w 'id < 100'", 0, "90\n", NULL);
    expect(f, "table s3://lake/silver/types -w 'id = 1004' -c id,region --json", 0, "{\"id\":1004,\"region\":\"N\"}\n",
           NULL);
    expect(f, "table s3://lake/silver/none", 1, "", "'s3://lake/silver/none' is not a Delta table");
    expect(f, "table s3://missing/none", 1, "", "NoSuchBucket");
}
#endif

#define ADD(name, function) g_test_add("/table/" name, Fixture, NULL, set_up_tables, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("AWS_ACCESS_KEY_ID", "id", TRUE);
    g_setenv("AWS_SECRET_ACCESS_KEY", "secret", TRUE);
    ADD("summary says what the table is", summary_says_what_the_table_is);
    ADD("history and files are listed", history_and_files_are_listed);
    ADD("rows are shown as asked", rows_are_shown_as_asked);
    ADD("conditions leave out files and rows", conditions_leave_out_files_and_rows);
    ADD("mistakes in conditions are pointed at", mistakes_in_conditions_are_pointed_at);
    ADD("other versions are read", other_versions_are_read);
    ADD("what is not a table is said", what_is_not_a_table_is_said);
    ADD("deletion vectors are not trusted", deletion_vectors_are_not_trusted);
    ADD("deletion vectors ascend", deletion_vectors_ascend);
    ADD("bounds are read as they were meant", bounds_are_read_as_they_were_meant);
    ADD("columns by id are not guessed", columns_by_id_are_not_guessed);
    ADD("files of other stores are not ours", files_of_other_stores_are_not_ours);
#ifdef HAS_S3
    ADD("tables on s3 are read", tables_on_s3_are_read);
#endif
    return g_test_run();
}
