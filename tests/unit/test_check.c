/* batch_check(): rows whose structure is not that of their schema are found before anybody reads them. */
#include <locale.h>
#include "rows.h"

#define SCHEMA                                                                                                         \
    "n int not null, name string, body binary view, lines list<struct<sku string, tags list<int>>>, who struct<age "   \
    "int>"

typedef struct Fixture {
    ArrowSchema schema;
    SfBatch batch;
    SfError err;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(GRand) random = g_rand_new_with_seed(4);
    rows_schema(SCHEMA, &f->schema);
    f->batch.schema = &f->schema;
    rows_random(&f->schema, 50, random, &f->batch.rows);
    g_assert_cmpint(batch_check(&f->batch, &f->err), ==, SF_OK);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    sf_batch_done(&f->batch);
    sf_schema_done(&f->schema);
}

static void assert_wrong(Fixture *f, const char *message)
{
    g_assert_cmpint(batch_check(&f->batch, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==, message);
}

static struct ArrowArray *column(Fixture *f, const char *name)
{
    return f->batch.rows.children[sf_schema_find(&f->schema, name)];
}

static void test_sound_rows_pass(Fixture *f, gconstpointer data)
{
    (void) data;
    SharedBatch *shared = shared_batch_new(&f->batch);
    for (gint64 first = 0; first <= 50; first += 10) {
        g_auto(SfBatch) slice = {0};
        g_assert_cmpint(sf_batch_slice(&shared->batch, first, 50 - first, &slice, NULL), ==, SF_OK);
        g_assert_cmpint(batch_check(&slice, &f->err), ==, SF_OK);
    }
    sf_batch_unref(&shared->batch);
    const SfBatch none = {.schema = &f->schema};
    g_assert_cmpint(batch_check(&none, &f->err), ==, SF_OK);
}

static void test_number_of_columns(Fixture *f, gconstpointer data)
{
    (void) data;
    f->batch.rows.n_children = 4;
    assert_wrong(f, "4 columns where the schema has 5");
    f->batch.rows.n_children = 5;
}

static void test_rows_of_a_column(Fixture *f, gconstpointer data)
{
    (void) data;
    column(f, "name")->length = 49;
    assert_wrong(f, "column 'name' has 49 rows where the batch has 50");
}

static void test_offset_of_the_batch(Fixture *f, gconstpointer data)
{
    (void) data;
    f->batch.rows.offset = 1;
    assert_wrong(f, "the struct of columns has an offset or nulls of its own");
    f->batch.rows.offset = 0;
}

static void test_nulls_without_a_bitmap(Fixture *f, gconstpointer data)
{
    (void) data;
    column(f, "n")->null_count = 3;
    assert_wrong(f, "column 'n' says 3 nulls and has no bitmap of them");
}

static void test_layout_of_another_type(Fixture *f, gconstpointer data)
{
    (void) data;
    column(f, "name")->n_buffers = 2;
    assert_wrong(f, "column 'name': an array of 2 buffers and 0 children is not a valid string");
}

static void test_list_that_needs_more_elements(Fixture *f, gconstpointer data)
{
    (void) data;
    struct ArrowArray *elements = column(f, "lines")->children[0];
    gint64 has = elements->length;
    elements->length = has - 1;
    g_autofree char *says =
        g_strdup_printf("column 'item' has %d values where %d are needed", (int) has - 1, (int) has);
    assert_wrong(f, says);
    elements->length = has;
    elements->children[1]->length = has - 1;
    g_autofree char *below =
        g_strdup_printf("column 'tags' has %d values where %d are needed", (int) has - 1, (int) has);
    assert_wrong(f, below);
}

static void test_ends_that_go_back(Fixture *f, gconstpointer data)
{
    (void) data;
    gint32 *ends = (gint32 *) column(f, "lines")->buffers[1];
    gint32 last = ends[50];
    ends[50] = -7;
    assert_wrong(f, "the ends of column 'lines' run from 0 to -7");
    ends[50] = last;
    ends[0] = -1;
    g_assert_cmpint(batch_check(&f->batch, &f->err), ==, SF_FATAL);
}

static void test_member_shorter_than_its_struct(Fixture *f, gconstpointer data)
{
    (void) data;
    column(f, "who")->children[0]->length = 10;
    assert_wrong(f, "column 'age' has 10 values where 50 are needed");
}

/* U+0000 is a character of UTF-8; also beside texts that are more than ASCII, which are looked at one by one. */
static void test_texts(Fixture *f, gconstpointer data)
{
    (void) data;
    static const struct {
        const char *bytes;
        gsize size;
        bool good;
    } texts[] = {{"", 0, true},
                 {NULL, 0, true},
                 {"\0", 1, true},
                 {"é\0日\0", 7, true},
                 {"\0\0\xff", 3, false},
                 {"a\xc3", 2, false},
                 {"\xc3\0\xa9", 3, false},
                 {"\xed\xa0\x80", 3, false}, /* half of a surrogate pair */
                 {"\xc0\x80", 2, false}};    /* U+0000 as Java writes it */
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_true(sf_is_utf8(texts[i].bytes, (int64_t) texts[i].size) == texts[i].good);
    g_auto(ArrowSchema) schema = {0};
    rows_schema("name string", &schema);
    SfBatch batch = {.schema = &schema};
    const char *rows[] = {"[\"é\"]", "[\"a\\u0000b\"]"};
    rows_from_json(&schema, rows, 2, &batch.rows);
    g_assert_cmpint(batch_check(&batch, &f->err), ==, SF_OK);
    rows_assert_valid(&schema, &batch.rows);
    ((char *) batch.rows.children[0]->buffers[2])[1] = 'x';
    g_assert_cmpint(batch_check(&batch, &f->err), ==, SF_FATAL);
    g_assert_cmpstr(f->err.message, ==,
                    "the text in row 0 of column 'name' is not valid UTF-8; reject the row, or make the column binary");
    sf_batch_done(&batch);
}

static void add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/check/", name, NULL);
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    add("sound rows pass", test_sound_rows_pass);
    add("number of columns", test_number_of_columns);
    add("rows of a column", test_rows_of_a_column);
    add("offset of the batch", test_offset_of_the_batch);
    add("nulls without a bitmap", test_nulls_without_a_bitmap);
    add("layout of another type", test_layout_of_another_type);
    add("list that needs more elements", test_list_that_needs_more_elements);
    add("ends that go back", test_ends_that_go_back);
    add("member shorter than its struct", test_member_shorter_than_its_struct);
    add("texts", test_texts);
    return g_test_run();
}
