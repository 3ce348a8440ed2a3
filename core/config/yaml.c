/* Pipeline files: libyaml's events → a tree of SfValue. Types are not resolved here, only what is empty. */
#include "yaml.h"
#include "suggest.h"
#include "value.h"
#include "yaml_env.h"
#include "yaml_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define MAX_FILE (4 << 20)
#define MAX_DEPTH 64
#define MAX_NODES 200000 /* with aliases followed: stops "billion laughs" */
#define MAX_JOINED 10000 /* of escapes: each scalar with some is a new reading of the file */

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(yaml_event_t, yaml_event_delete)

typedef struct Builder {
    yaml_parser_t parser;
    const char *text;
    gsize size;
    Document *document;
    Diagnostics *diagnostics;
    GHashTable *anchors; /* name → SfValue *, the last one of that name */
    GArray *joined;      /* of JoinedEscape: what the text is shorter by */
    GString *better;     /* what to read instead, after a syntax error that is not the user's */
    bool broken;         /* no sense in reading on */
} Builder;

static SfValue *read_node(Builder *builder, const yaml_event_t *event, guint depth, const SfValue *key);

static void builder_init(Builder *builder, const GString *text, GArray *joined, Document *document,
                         Diagnostics *diagnostics)
{
    *builder = (Builder){
        .text = text->str, .size = text->len, .joined = joined, .document = document, .diagnostics = diagnostics};
    builder->anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    yaml_parser_initialize(&builder->parser);
    yaml_parser_set_input_string(&builder->parser, (const unsigned char *) text->str, text->len);
}

static void builder_done(Builder *builder)
{
    g_hash_table_unref(builder->anchors);
    yaml_parser_delete(&builder->parser);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Builder, builder_done)

/* 1-based, in the file: the text may be shorter by then. */
static int column_of(const Builder *builder, yaml_mark_t mark)
{
    int column = (int) mark.column + 1;
    for (guint i = 0; i < builder->joined->len; i++) {
        const JoinedEscape *escape = &g_array_index(builder->joined, JoinedEscape, i);
        if (escape->line == mark.line && escape->column <= mark.column)
            column += JOINED_CHARACTERS;
    }
    return column;
}

/* An error after which the rest of the file says nothing. */
static void stop(Builder *builder, yaml_mark_t mark, const char *message)
{
    SfValue place = {.file = builder->document->name, .line = (int) mark.line + 1, .column = column_of(builder, mark)};
    diagnostics_add(builder->diagnostics, &place, "%s", message);
    builder->broken = true;
}

/* Reader errors have a byte offset only, all others a problem and mostly a context with marks. */
static void report_syntax(Builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    yaml_mark_t mark = parser->problem_mark;
    const char *problem = parser->problem ? parser->problem : "out of memory";
    if (parser->error == YAML_READER_ERROR) {
        text_mark(builder->text, builder->size, parser->problem_offset, &mark.line, &mark.column);
        g_autofree char *message =
            g_strdup_printf("%s (character U+%04X)", problem, (guint) MAX(parser->problem_value, 0));
        stop(builder, mark, message);
        return;
    }
    const char *hint = text_hint(builder->text, builder->size, mark.line, mark.column, problem);
    g_autofree char *context = NULL;
    if (parser->context && (parser->context_mark.line != mark.line || parser->context_mark.column != mark.column))
        context = g_strdup_printf(", %s that starts at %d:%d", parser->context, (int) parser->context_mark.line + 1,
                                  (int) parser->context_mark.column + 1);
    else if (parser->context)
        context = g_strdup_printf(", %s", parser->context);
    g_autofree char *message = g_strconcat(problem, context ? context : "", hint, NULL);
    stop(builder, mark, message);
}

/* What libyaml refuses and JSON allows (YAML 1.2.2, section 1.3: every JSON text is YAML). */
static bool mend(Builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    if (parser->error != YAML_SCANNER_ERROR || !strstr(parser->problem, "invalid Unicode character escape code") ||
        builder->joined->len >= MAX_JOINED)
        return false;
    builder->better = text_join_escapes(builder->text, builder->size, parser->problem_mark.line,
                                        parser->problem_mark.column, builder->joined);
    builder->broken = builder->better != NULL;
    return builder->broken;
}

static bool next_event(Builder *builder, yaml_event_t *out)
{
    if (builder->broken)
        return false;
    if (!yaml_parser_parse(&builder->parser, out)) {
        if (!mend(builder))
            report_syntax(builder);
        return false;
    }
    return true;
}

static SfValue *yaml_add_value(Builder *builder, SfValueKind kind, yaml_mark_t mark)
{
    return document_add(builder->document, kind, (int) mark.line + 1, column_of(builder, mark));
}

/* Core tags say what we know already; any other would mean something that we do not know, such as !!binary. */
static void check_tag(Builder *builder, const SfValue *value, const yaml_char_t *tag)
{
    static const char *const known[] = {"str", "int", "float", "bool", "null", "map", "seq", NULL};
    static const char core[] = "tag:yaml.org,2002:";
    const char *name = (const char *) tag;
    bool is_core = name && g_str_has_prefix(name, core);
    if (!name || g_str_equal(name, "!") || (is_core && g_strv_contains(known, name + strlen(core))))
        return;
    g_autofree char *shown = is_core ? g_strconcat("!!", name + strlen(core), NULL) : g_strdup(name);
    diagnostics_add(builder->diagnostics, value, "tag '%s' is not supported; %s", shown,
                    is_core ? "remove it, and write the value as text" : "remove it");
}

static void set_anchor(Builder *builder, const yaml_char_t *anchor, SfValue *value)
{
    if (anchor)
        g_hash_table_replace(builder->anchors, g_strdup((const char *) anchor), value);
}

static bool stands_for_null(const SfValue *value)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
    return value->plain && g_strv_contains(words, value->text);
}

static SfValue *read_scalar(Builder *builder, const yaml_event_t *event, const SfValue *key, bool is_key)
{
    const char *text = (const char *) event->data.scalar.value;
    SfValue *value = yaml_add_value(builder, SF_VALUE_SCALAR, event->start_mark);
    bool tagged_text = event->data.scalar.tag && strstr((const char *) event->data.scalar.tag, ":str");
    value->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tagged_text;
    if (value->plain && !*text && key) {
        value->line = key->line;
        value->column = key->column;
    }
    check_tag(builder, value, event->data.scalar.tag);
    set_anchor(builder, event->data.scalar.anchor, value);
    if (memchr(text, 0, event->data.scalar.length))
        diagnostics_add(builder->diagnostics, value, "text holds a NUL character ('\\0'); remove it");
    if (!is_key && strstr(text, "${")) {
        value->text = env_replace(value, text, &builder->document->replaced, builder->diagnostics);
        value->bad = value->tainted = !value->text;
    }
    if (!value->text)
        value->text = g_strdup(text);
    if (!is_key && stands_for_null(value)) {
        value->kind = SF_VALUE_NULL;
        value->blank = !*text;
        g_clear_pointer(&value->text, g_free);
    }
    return value;
}

static SfValue *read_alias(Builder *builder, const yaml_event_t *event, guint depth)
{
    const char *name = (const char *) event->data.alias.anchor;
    SfValue *target = g_hash_table_lookup(builder->anchors, name);
    SfValue *place = yaml_add_value(builder, SF_VALUE_NULL, event->start_mark);
    if (!target)
        diagnostics_add(builder->diagnostics, place, "alias '*%s' has no anchor '&%s' before it", name, name);
    else if (target->open)
        diagnostics_add(builder->diagnostics, place, "alias '*%s' refers to a node that contains it", name);
    else if (depth + target->height > MAX_DEPTH)
        stop(builder, event->start_mark, "nested more than 64 levels deep by aliases");
    else
        return target;
    place->bad = place->tainted = true;
    return place;
}

/* Adds a child to a list or a map, and its weight; false when the tree got too big. */
static bool adopt(Builder *builder, SfValue *parent, SfValue *child, yaml_mark_t mark)
{
    g_ptr_array_add(parent->items, child);
    parent->weight += child->weight;
    parent->tainted = parent->tainted || child->tainted;
    parent->height = MAX(parent->height, child->height + 1);
    if (parent->weight <= MAX_NODES)
        return true;
    stop(builder, mark, "more than 200000 values, with aliases followed; no pipeline needs as many");
    return false;
}

static bool yaml_read_list(Builder *builder, SfValue *list, guint depth)
{
    for (;;) {
        g_auto(yaml_event_t) event = {0};
        if (!next_event(builder, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        SfValue *item = read_node(builder, &event, depth + 1, NULL);
        if (!item || !adopt(builder, list, item, event.start_mark))
            return false;
    }
}

/* A key as a scalar node; a node of kind null (after a complaint) when it is something else. */
static SfValue *yaml_read_key(Builder *builder, const yaml_event_t *event, guint depth)
{
    if (event->type == YAML_SCALAR_EVENT) {
        SfValue *key = read_scalar(builder, event, NULL, true);
        if (*key->text)
            return key;
        diagnostics_add(builder->diagnostics, key, "the key before ':' is missing");
        key->kind = SF_VALUE_NULL;
        return key;
    }
    SfValue *place = yaml_add_value(builder, SF_VALUE_NULL, event->start_mark);
    diagnostics_add(builder->diagnostics, place, "a key must be plain text, not %s",
                    event->type == YAML_ALIAS_EVENT ? "an alias" : "a list or a map");
    return read_node(builder, event, depth + 1, NULL) ? place : NULL;
}

/* Files one pair under its key, or says what is wrong with it. */
static bool add_pair(Builder *builder, SfValue *map, GHashTable *seen, SfValue *key, SfValue *value, yaml_mark_t mark)
{
    if (key->kind == SF_VALUE_NULL)
        return true;
    const SfValue *first = g_hash_table_lookup(seen, key->text);
    if (first) {
        g_autofree char *shown = text_shown(key->text);
        diagnostics_add(builder->diagnostics, key, "%s is there twice; the first is on line %d", shown, first->line);
        return !builder->broken;
    }
    g_hash_table_insert(seen, key->text, key);
    g_ptr_array_add(map->keys, key);
    return adopt(builder, map, value, mark);
}

static bool merge_map(Builder *builder, SfValue *map, GHashTable *seen, const SfValue *from, yaml_mark_t mark)
{
    if (from->kind != SF_VALUE_MAP) {
        diagnostics_add(builder->diagnostics, from, "'<<' takes a map or a list of maps");
        return true;
    }
    for (guint i = 0; i < from->keys->len; i++) {
        SfValue *key = g_ptr_array_index(from->keys, i);
        if (g_hash_table_contains(seen, key->text))
            continue; /* the map's own pairs, and earlier merges, come first */
        if (!add_pair(builder, map, seen, key, g_ptr_array_index(from->items, i), mark))
            return false;
    }
    return true;
}

/* `<<: *defaults` (https://yaml.org/type/merge.html). */
static bool merge(Builder *builder, SfValue *map, GHashTable *seen, const SfValue *from, yaml_mark_t mark)
{
    if (from->kind != SF_VALUE_LIST)
        return merge_map(builder, map, seen, from, mark);
    for (guint i = 0; i < from->items->len; i++)
        if (!merge_map(builder, map, seen, g_ptr_array_index(from->items, i), mark))
            return false;
    return true;
}

static bool is_merge(const SfValue *key)
{
    return key->plain && key->text && g_str_equal(key->text, "<<");
}

static bool yaml_read_map(Builder *builder, SfValue *map, guint depth)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) merges = g_ptr_array_new();
    for (;;) {
        g_auto(yaml_event_t) key_event = {0};
        g_auto(yaml_event_t) event = {0};
        if (!next_event(builder, &key_event))
            return false;
        if (key_event.type == YAML_MAPPING_END_EVENT)
            break;
        SfValue *key = yaml_read_key(builder, &key_event, depth);
        if (!key || !next_event(builder, &event))
            return false;
        SfValue *value = read_node(builder, &event, depth + 1, key);
        if (!value)
            return false;
        if (is_merge(key))
            g_ptr_array_add(merges, value);
        else if (!add_pair(builder, map, seen, key, value, event.start_mark))
            return false;
    }
    for (guint i = 0; i < merges->len; i++)
        if (!merge(builder, map, seen, g_ptr_array_index(merges, i), builder->parser.mark))
            return false;
    return true;
}

static SfValue *read_collection(Builder *builder, const yaml_event_t *event, guint depth)
{
    if (depth > MAX_DEPTH) {
        stop(builder, event->start_mark, "nested more than 64 levels deep");
        return NULL;
    }
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    SfValue *value = yaml_add_value(builder, is_map ? SF_VALUE_MAP : SF_VALUE_LIST, event->start_mark);
    value->items = g_ptr_array_new();
    value->keys = is_map ? g_ptr_array_new() : NULL;
    value->height = 1;
    value->open = true;
    check_tag(builder, value, is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
    set_anchor(builder, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, value);
    bool good = is_map ? yaml_read_map(builder, value, depth) : yaml_read_list(builder, value, depth);
    value->open = false;
    return good ? value : NULL;
}

/* NULL when reading cannot go on. */
static SfValue *read_node(Builder *builder, const yaml_event_t *event, guint depth, const SfValue *key)
{
    SfValue *value = NULL;
    if (event->type == YAML_SCALAR_EVENT)
        value = read_scalar(builder, event, key, false);
    else if (event->type == YAML_ALIAS_EVENT)
        value = read_alias(builder, event, depth);
    else
        value = read_collection(builder, event, depth);
    return builder->broken ? NULL : value;
}

/* One document, and nothing behind it. */
static void read_stream(Builder *builder)
{
    guint documents = 0;
    for (;;) {
        g_auto(yaml_event_t) event = {0};
        if (!next_event(builder, &event) || event.type == YAML_STREAM_END_EVENT)
            return;
        if (event.type == YAML_DOCUMENT_START_EVENT && ++documents > 1)
            stop(builder, event.start_mark, "a second document starts here; one file holds one pipeline");
        bool is_node = event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT ||
                       event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
        if (is_node && !builder->broken)
            builder->document->root = read_node(builder, &event, 1, NULL);
    }
}

/* One reading of the text; NULL when it is not to be had, with `better` when another one may be. */
static Document *read_document(const GString *text, const char *name, GArray *joined, Diagnostics *diagnostics,
                               GString **better)
{
    g_autoptr(Document) document = document_new(name);
    g_auto(Builder) builder;
    builder_init(&builder, text, joined, document, diagnostics);
    read_stream(&builder);
    *better = builder.better;
    if (builder.broken)
        return NULL;
    if (!document->root)
        document->root = document_add(document, SF_VALUE_NULL, 1, 1);
    return g_steal_pointer(&document);
}

Document *yaml_load_text(const char *text, gsize size, const char *name, Diagnostics *diagnostics)
{
    g_autofree char *problem = NULL;
    SfValue place = {.file = name, .line = 1, .column = 1};
    if (!text_is_utf8(text, size, &place.line, &place.column, &problem)) {
        diagnostics_add(diagnostics, &place, "%s", problem);
        return NULL;
    }
    g_autoptr(GArray) joined = g_array_new(FALSE, FALSE, sizeof(JoinedEscape));
    g_autoptr(GString) current = g_string_new_len(text, (gssize) size);
    guint before = diagnostics->n_errors;
    for (;;) {
        GString *better = NULL;
        Document *document = read_document(current, name, joined, diagnostics, &better);
        if (!better)
            return document;
        g_string_free(current, TRUE);
        current = better;
        diagnostics_forget(diagnostics, before);
    }
}

/* Reads pipes too, so the size is known only at the end. NULL and errno. */
static GString *yaml_read_all(const char *path)
{
    g_autoptr(GString) out = g_string_new(NULL);
    FILE *file = g_str_equal(path, "-") ? stdin : fopen(path, "re");
    if (!file)
        return NULL;
    char buffer[16384];
    size_t n = 0;
    while (out->len <= MAX_FILE && (n = fread(buffer, 1, sizeof buffer, file)) > 0)
        g_string_append_len(out, buffer, (gssize) n);
    int failure = ferror(file) ? errno : out->len > MAX_FILE ? EFBIG : 0;
    if (file != stdin)
        fclose(file);
    errno = failure;
    return failure ? NULL : g_steal_pointer(&out);
}

Document *yaml_load_file(const char *path, Diagnostics *diagnostics)
{
    g_autoptr(GString) text = yaml_read_all(path);
    if (!text) {
        int failure = errno;
        diagnostics_add(diagnostics, NULL, "%s: cannot read the file: %s", path,
                        failure == EFBIG ? "larger than 4 MiB" : g_strerror(failure));
        return NULL;
    }
    return yaml_load_text(text->str, text->len, g_str_equal(path, "-") ? "<stdin>" : path, diagnostics);
}
