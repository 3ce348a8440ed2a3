/* Messages: cut at a character, valid UTF-8, safe with their own text as an argument. */
#include <glib.h>
#include <locale.h>
#include <string.h>
#include <sf/sf.h>

static void test_status_is_returned_and_message_written(void)
{
    SfError err;
    g_assert_cmpint(sf_fail(&err, SF_RETRY, "broker '%s' is away (%d)", "k1:9092", 7), ==, SF_RETRY);
    g_assert_cmpstr(err.message, ==, "broker 'k1:9092' is away (7)");
}

static void test_error_may_be_null(void)
{
    g_assert_cmpint(sf_fail(NULL, SF_CONFIG, "x"), ==, SF_CONFIG);
    g_assert_cmpint(sf_fail_prefix(NULL, SF_FATAL, "x"), ==, SF_FATAL);
}

static void test_long_message_is_cut_at_a_character(void)
{
    for (gsize blanks = 0; blanks < 4; blanks++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (gsize i = 0; i < blanks; i++)
            g_string_append_c(text, 'x');
        while (text->len < 2 * SF_ERROR_SIZE)
            g_string_append(text, "€"); /* three bytes */
        SfError err;
        sf_fail(&err, SF_FATAL, "%s", text->str);
        gsize length = strlen(err.message);
        g_assert_true(g_utf8_validate(err.message, -1, NULL));
        g_assert_cmpuint(length, ==, blanks + (SF_ERROR_SIZE - 1 - blanks) / 3 * 3);
        g_assert_true(g_str_has_prefix(text->str, err.message));
    }
}

/* Characters of two, three and four bytes that end with the room, or one byte behind it. */
static void test_last_character(void)
{
    static const char *const characters[] = {"x", "ä", "€", "😀"};
    for (gsize i = 0; i < G_N_ELEMENTS(characters); i++) {
        gsize size = strlen(characters[i]);
        for (gsize over = 0; over <= size; over++) {
            g_autofree char *start = g_strnfill(SF_ERROR_SIZE - 1 - size + over, 'a');
            SfError err;
            sf_fail(&err, SF_FATAL, "%s%s%s", start, characters[i], "bcdef");
            g_autofree char *whole = g_strconcat(start, characters[i], NULL);
            start[MIN(strlen(start), SF_ERROR_SIZE - 1)] = 0;
            g_assert_cmpstr(err.message, ==, over == 0 ? whole : start);
        }
    }
}

static void test_message_that_just_fits_is_whole(void)
{
    char text[SF_ERROR_SIZE];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    SfError err;
    sf_fail(&err, SF_FATAL, "%s", text);
    g_assert_cmpstr(err.message, ==, text);
}

static void test_invalid_bytes_are_replaced(void)
{
    SfError err;
    sf_fail(&err, SF_REJECT, "value '%s' is no date", "a\xff\xfe€\xc3");
    g_assert_cmpstr(err.message, ==, "value 'a??€?' is no date");
}

static void test_mistakes_are_lines_while_they_fit(void)
{
    SfError all = {""}, one;
    char text[600];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    g_assert_cmpint(sf_fail_also(NULL, &(SfError){"x"}), ==, SF_CONFIG);
    sf_fail_also(&all, &(SfError){"first"});
    sf_fail(&one, SF_CONFIG, "%s", text);
    g_assert_cmpint(sf_fail_also(&all, &one), ==, SF_CONFIG);
    sf_fail_also(&all, &one); /* does not fit: left out whole */
    sf_fail_also(&all, &(SfError){"last"});
    g_autofree char *expected = g_strdup_printf("first\n%s\nlast", text);
    g_assert_cmpstr(all.message, ==, expected);
}

static void test_own_message_may_be_an_argument(void)
{
    SfError err;
    sf_fail(&err, SF_RETRY, "connection refused");
    sf_fail(&err, SF_RETRY, "cannot reach '%s': %s", "k1", err.message);
    g_assert_cmpstr(err.message, ==, "cannot reach 'k1': connection refused");
}

static void test_prefix_goes_before_the_message(void)
{
    SfError err;
    sf_fail(&err, SF_RETRY, "connection refused");
    g_assert_cmpint(sf_fail_prefix(&err, SF_RETRY, "step '%s'", "gold"), ==, SF_RETRY);
    g_assert_cmpstr(err.message, ==, "step 'gold': connection refused");
}

static void test_prefix_of_a_full_message_cuts_its_end(void)
{
    g_autofree char *euros = g_strnfill(SF_ERROR_SIZE, ' ');
    for (gsize i = 0; i + 3 < SF_ERROR_SIZE; i += 3)
        memcpy(euros + i, "€", 3);
    euros[SF_ERROR_SIZE - 1] = '\0';
    SfError err;
    sf_fail(&err, SF_FATAL, "%s", euros);
    sf_fail_prefix(&err, SF_FATAL, "%s", "ab");
    g_assert_true(g_str_has_prefix(err.message, "ab: €€"));
    g_assert_true(g_utf8_validate(err.message, -1, NULL));
    g_assert_cmpuint(strlen(err.message), <, SF_ERROR_SIZE);
}

static void test_every_status_has_a_name(void)
{
    g_assert_cmpstr(sf_status_name(SF_OK), ==, "ok");
    g_assert_cmpstr(sf_status_name(SF_END), ==, "end");
    g_assert_cmpstr(sf_status_name(SF_FENCED), ==, "fenced");
    g_assert_cmpstr(sf_status_name(SF_FATAL), ==, "fatal");
    g_assert_cmpstr(sf_status_name((SfStatus) 99), ==, "unknown");
    g_assert_cmpstr(sf_status_name((SfStatus) -1), ==, "unknown");
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/status is returned and message written", test_status_is_returned_and_message_written);
    g_test_add_func("/error/error may be null", test_error_may_be_null);
    g_test_add_func("/error/long message is cut at a character", test_long_message_is_cut_at_a_character);
    g_test_add_func("/error/last character", test_last_character);
    g_test_add_func("/error/message that just fits is whole", test_message_that_just_fits_is_whole);
    g_test_add_func("/error/invalid bytes are replaced", test_invalid_bytes_are_replaced);
    g_test_add_func("/error/own message may be an argument", test_own_message_may_be_an_argument);
    g_test_add_func("/error/mistakes-are-lines-while-they-fit", test_mistakes_are_lines_while_they_fit);
    g_test_add_func("/error/prefix goes before the message", test_prefix_goes_before_the_message);
    g_test_add_func("/error/prefix of a full message cuts its end", test_prefix_of_a_full_message_cuts_its_end);
    g_test_add_func("/error/every status has a name", test_every_status_has_a_name);
    return g_test_run();
}
