/* S3's XML answers as a run of fields. The documents are flat; elements come in another order from each server. */
#include "s3.h"

#include <string.h>

#define DEPTH_MAX 16

typedef struct Reader {
    S3XmlField field;
    gpointer user;
    char *names[DEPTH_MAX];
    int depth;
    GString *text;
} Reader;

static void start_element(GMarkupParseContext *context, const char *name, const char **keys, const char **values,
                          gpointer user, GError **error)
{
    (void) context;
    (void) keys;
    (void) values;
    Reader *reader = user;
    if (reader->depth == DEPTH_MAX) {
        g_set_error(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, "nested too deep");
        return;
    }
    reader->names[reader->depth++] = g_strdup(name);
    g_string_truncate(reader->text, 0);
}

static void end_element(GMarkupParseContext *context, const char *name, gpointer user, GError **error)
{
    (void) context;
    (void) error;
    Reader *reader = user;
    reader->depth--;
    reader->field(reader->user, reader->depth ? reader->names[reader->depth - 1] : "", name, reader->text->str);
    g_free(reader->names[reader->depth]);
    g_string_truncate(reader->text, 0);
}

static void on_text(GMarkupParseContext *context, const char *text, gsize size, gpointer user, GError **error)
{
    (void) context;
    (void) error;
    g_string_append_len(((Reader *) user)->text, text, (gssize) size);
}

bool s3_xml_read(const GByteArray *xml, S3XmlField field, gpointer user)
{
    static const GMarkupParser parser = {.start_element = start_element, .end_element = end_element, .text = on_text};
    if (xml->len == 0)
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    Reader reader = {.field = field, .user = user, .text = text};
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, &reader, NULL);
    bool good = g_markup_parse_context_parse(context, (const char *) xml->data, (gssize) xml->len, NULL) &&
                g_markup_parse_context_end_parse(context, NULL);
    while (reader.depth > 0)
        g_free(reader.names[--reader.depth]);
    return good;
}
