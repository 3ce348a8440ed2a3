/* The signer against AWS's own vectors, all 38 of its suite. */
#include "s3/sigv4.h"

#include <json-c/json.h>
#include <string.h>

#define CASES "tests/data/aws-sigv4/v4"

/* One case's context.json and request.txt, ready for the signer. */
typedef struct Case {
    char *folder;
    json_object *context;
    char *method;
    char *path;
    GArray *query;   /* of SigV4Pair */
    GArray *headers; /* of SigV4Pair */
    char *body;
    GPtrArray *texts; /* what the pairs point to */
    int64_t time_s;
} Case;

static const char *text_of(json_object *object, const char *name)
{
    json_object *member = NULL;
    return json_object_object_get_ex(object, name, &member) ? json_object_get_string(member) : NULL;
}

static bool flag_of(json_object *object, const char *name)
{
    json_object *member = NULL;
    return json_object_object_get_ex(object, name, &member) && json_object_get_boolean(member);
}

static char *read_text(const Case *it, const char *name)
{
    g_autofree char *path = g_build_filename(it->folder, name, NULL);
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static char *keep(Case *it, char *text)
{
    g_ptr_array_add(it->texts, text);
    return text;
}

static void add_pair(GArray *pairs, const char *name, const char *value)
{
    SigV4Pair pair = {name, value};
    g_array_append_val(pairs, pair);
}

/* RFC 3986, section 5.2.4, which other services than S3 apply first. */
static char *normalised(const char *path)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    g_auto(GStrv) segments = g_strsplit(path, "/", -1);
    for (char **segment = segments; *segment; segment++) {
        if (g_str_equal(*segment, "..") && kept->len > 0)
            g_ptr_array_set_size(kept, (int) kept->len - 1);
        else if (**segment && !g_str_equal(*segment, ".") && !g_str_equal(*segment, ".."))
            g_ptr_array_add(kept, *segment);
    }
    g_ptr_array_add(kept, NULL);
    g_autofree char *joined = g_strjoinv("/", (char **) kept->pdata);
    bool slash = kept->len > 1 && g_str_has_suffix(path, "/");
    return g_strconcat("/", joined, slash ? "/" : "", NULL);
}

static void take_query(Case *it, const char *query)
{
    g_auto(GStrv) pairs = g_strsplit(query, "&", -1);
    for (char **pair = pairs; *pair; pair++) {
        g_auto(GStrv) halves = g_strsplit(*pair, "=", 2);
        if (halves[0])
            add_pair(it->query, keep(it, g_uri_unescape_string(halves[0], NULL)),
                     keep(it, g_uri_unescape_string(halves[1] ? halves[1] : "", NULL)));
    }
}

/* "GET /a b?x=y HTTP/1.1" */
static void take_first_line(Case *it, const char *line)
{
    const char *target = strchr(line, ' ') + 1;
    g_autofree char *all = g_strndup(target, (gsize) (g_strrstr(target, " HTTP/") - target));
    g_auto(GStrv) parts = g_strsplit(all, "?", 2);
    it->method = keep(it, g_strndup(line, (gsize) (target - line - 1)));
    it->path = keep(it, flag_of(it->context, "normalize") ? normalised(parts[0]) : g_strdup(parts[0]));
    take_query(it, parts[1] ? parts[1] : "");
}

static void take_header(Case *it, const char *line)
{
    if (g_ascii_isspace(*line)) { /* goes on from the line before */
        SigV4Pair *last = &g_array_index(it->headers, SigV4Pair, it->headers->len - 1);
        last->value = keep(it, g_strconcat(last->value, line, NULL));
        return;
    }
    g_auto(GStrv) halves = g_strsplit(line, ":", 2);
    add_pair(it->headers, keep(it, g_strdup(halves[0])), keep(it, g_strdup(halves[1])));
}

static Case *case_new(const char *folder)
{
    Case *it = g_new0(Case, 1);
    it->folder = g_strdup(folder);
    it->texts = g_ptr_array_new_with_free_func(g_free);
    it->query = g_array_new(FALSE, FALSE, sizeof(SigV4Pair));
    it->headers = g_array_new(FALSE, FALSE, sizeof(SigV4Pair));
    g_autofree char *context = read_text(it, "context.json");
    it->context = json_tokener_parse(context);
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text_of(it->context, "timestamp"), NULL);
    it->time_s = g_date_time_to_unix(time);
    g_autofree char *request = read_text(it, "request.txt");
    g_auto(GStrv) halves = g_strsplit(request, "\n\n", 2);
    it->body = keep(it, g_strdup(halves[1] ? halves[1] : ""));
    g_auto(GStrv) lines = g_strsplit(halves[0], "\n", -1);
    take_first_line(it, lines[0]);
    for (char **line = lines + 1; *line && **line; line++)
        take_header(it, *line);
    return it;
}

static void case_free(Case *it)
{
    json_object_put(it->context);
    g_ptr_array_unref(it->texts);
    g_array_unref(it->query);
    g_array_unref(it->headers);
    g_free(it->folder);
    g_free(it);
}

static void expect_text(const Case *it, const char *name, const char *actual)
{
    g_autofree char *expected = read_text(it, name);
    g_assert_cmpstr(actual, ==, g_strchomp(expected));
}

static void expect_all(Case *it, const char *form, SigV4Signer *signer, const SigV4Request *request)
{
    g_autofree char *canonical_file = g_strconcat(form, "-canonical-request.txt", NULL);
    g_autofree char *sign_file = g_strconcat(form, "-string-to-sign.txt", NULL);
    g_autofree char *signature_file = g_strconcat(form, "-signature.txt", NULL);
    g_autofree char *canonical = sigv4_canonical_request(request);
    g_autofree char *to_sign = sigv4_string_to_sign(signer, request);
    g_autofree char *signature = sigv4_signature(signer, request);
    expect_text(it, canonical_file, canonical);
    expect_text(it, sign_file, to_sign);
    expect_text(it, signature_file, signature);
}

static SigV4Request request_of(const Case *it, const char *hash)
{
    return (SigV4Request){.method = it->method,
                          .path = it->path,
                          .payload_hash = hash,
                          .time_s = it->time_s,
                          .query = (const SigV4Pair *) (gpointer) it->query->data,
                          .n_query = it->query->len,
                          .headers = (const SigV4Pair *) (gpointer) it->headers->data,
                          .n_headers = it->headers->len};
}

static void check_header_form(Case *it, SigV4Signer *signer, const char *token, const char *hash)
{
    char time[SIGV4_TIME_SIZE];
    sigv4_time(it->time_s, time);
    guint own = it->headers->len;
    add_pair(it->headers, "X-Amz-Date", time);
    if (flag_of(it->context, "sign_body"))
        add_pair(it->headers, "x-amz-content-sha256", hash);
    if (token && !flag_of(it->context, "omit_session_token"))
        add_pair(it->headers, "X-Amz-Security-Token", token);
    SigV4Request request = request_of(it, hash);
    expect_all(it, "header", signer, &request);
    g_autofree char *authorization = sigv4_authorization(signer, &request);
    g_autofree char *sent = read_text(it, "header-signed-request.txt");
    g_assert_nonnull(strstr(sent, authorization));
    g_array_set_size(it->headers, own);
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *signed_names(const Case *it)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < it->headers->len; i++) {
        g_autofree char *name = g_ascii_strdown(g_array_index(it->headers, SigV4Pair, i).name, -1);
        if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
            g_ptr_array_add(names, g_steal_pointer(&name));
    }
    g_ptr_array_sort(names, by_text);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(";", (char **) names->pdata);
}

/* The same signature as a presigned URL has it. */
static void check_query_form(Case *it, SigV4Signer *signer, const char *token, const char *hash)
{
    char time[SIGV4_TIME_SIZE];
    sigv4_time(it->time_s, time);
    g_autofree char *credential =
        g_strdup_printf("%s/%.8s/%s/%s/aws4_request", signer->access_key_id, time, signer->region, signer->service);
    g_autofree char *names = signed_names(it);
    g_autofree char *expires = g_strdup(text_of(it->context, "expiration_in_seconds"));
    add_pair(it->query, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    add_pair(it->query, "X-Amz-Credential", credential);
    add_pair(it->query, "X-Amz-Date", time);
    add_pair(it->query, "X-Amz-Expires", expires);
    add_pair(it->query, "X-Amz-SignedHeaders", names);
    if (token && !flag_of(it->context, "omit_session_token"))
        add_pair(it->query, "X-Amz-Security-Token", token);
    SigV4Request request = request_of(it, hash);
    expect_all(it, "query", signer, &request);
}

static void check_case(const char *folder)
{
    g_test_message("%s", folder);
    Case *it = case_new(folder);
    json_object *credentials = NULL;
    g_assert_true(json_object_object_get_ex(it->context, "credentials", &credentials));
    SigV4Signer signer;
    sigv4_signer_init(&signer, text_of(credentials, "access_key_id"), text_of(credentials, "secret_access_key"),
                      text_of(it->context, "region"), text_of(it->context, "service"));
    g_autofree char *hash = sigv4_hash(it->body, strlen(it->body));
    check_header_form(it, &signer, text_of(credentials, "token"), hash);
    check_query_form(it, &signer, text_of(credentials, "token"), hash);
    sigv4_signer_done(&signer);
    case_free(it);
}

static guint check_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *folder = g_build_filename(path, name, NULL);
        check_case(folder);
        n++;
    }
    return n;
}

static void all_vectors_are_signed(void)
{
    g_assert_cmpuint(check_folder(SF_SOURCE_DIR "/" CASES), ==, 38);
}

static void path_segments_are_encoded_once(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    sigv4_encode(out, "/a b+c=%~\xc3\xa9", true);
    g_assert_cmpstr(out->str, ==, "/a%20b%2Bc%3D%25~%C3%A9");
    g_string_truncate(out, 0);
    sigv4_encode(out, "a/b", false);
    g_assert_cmpstr(out->str, ==, "a%2Fb");
}

static void query_is_sorted_by_name_then_value(void)
{
    const SigV4Pair pairs[] = {{"b", "1"}, {"a-b", "2"}, {"a", "9"}, {"a", "10"}, {"uploads", ""}};
    g_autofree char *query = sigv4_query(pairs, G_N_ELEMENTS(pairs));
    g_assert_cmpstr(query, ==, "a=10&a=9&a-b=2&b=1&uploads=");
}

static void key_of_another_day_is_derived_anew(void)
{
    SigV4Signer kept, fresh;
    sigv4_signer_init(&kept, "id", "secret", "us-east-1", "s3");
    sigv4_signer_init(&fresh, "id", "secret", "us-east-1", "s3");
    const SigV4Pair headers[] = {{"host", "h"}};
    SigV4Request request = {.method = "GET",
                            .path = "/",
                            .headers = headers,
                            .n_headers = 1,
                            .payload_hash = SIGV4_UNSIGNED,
                            .time_s = 86399};
    g_autofree char *before = sigv4_signature(&kept, &request);
    request.time_s = 86400;
    g_autofree char *after = sigv4_signature(&kept, &request);
    g_autofree char *expected = sigv4_signature(&fresh, &request);
    g_assert_cmpstr(after, ==, expected);
    g_assert_cmpstr(after, !=, before);
    sigv4_signer_done(&kept);
    sigv4_signer_done(&fresh);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sigv4/all vectors are signed", all_vectors_are_signed);
    g_test_add_func("/sigv4/path segments are encoded once", path_segments_are_encoded_once);
    g_test_add_func("/sigv4/query is sorted by name, then value", query_is_sorted_by_name_then_value);
    g_test_add_func("/sigv4/key of another day is derived anew", key_of_another_day_is_derived_anew);
    return g_test_run();
}
