/* The harness's life: one plugin loaded, bound, opened, closed; what it keeps until the end. Hooks: harness_hooks.c. */
#include "harness_private.h"

#include "config/options.h"

static Document *parse_options(const char *options, Diagnostics *diagnostics)
{
    const char *text = *options ? options : "{}";
    return yaml_load_text(text, strlen(text), "options.yaml", diagnostics);
}

static const Plugin *load(const char *name)
{
    SfError err;
    const Plugin *plugin = registry_load(name, &err);
    if (!plugin)
        g_error("%s", err.message);
    return plugin;
}

char *harness_check(const char *plugin, const char *options)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Document) document = parse_options(options, diagnostics);
    if (document)
        options_check(load(plugin), document_root(document), NULL, diagnostics);
    diagnostics_sort(diagnostics);
    return diagnostics_text(diagnostics);
}

static void schema_free(gpointer data)
{
    sf_schema_done(data);
    g_free(data);
}

static void split_free(gpointer data)
{
    SfSplit *split = data;
    g_free((gpointer) split->name);
    g_free((gpointer) split->topic);
    g_free(split);
}

static void batch_unref(gpointer data)
{
    sf_batch_unref(data);
}

static void join(gpointer data)
{
    g_thread_join(data);
}

Harness *harness_new(const char *plugin, const char *options)
{
    g_autofree char *wrong = harness_check(plugin, options);
    if (*wrong)
        g_error("%s", wrong);
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    Harness *h = g_new0(Harness, 1);
    HarnessPrivate *p = h->own = g_new0(HarnessPrivate, 1);
    h->now_ms = INT64_C(1705314600000);
    h->memory = INT64_C(40) << 20;
    h->monotonic_ms = 1000000;
    p->plugin = load(plugin);
    p->document = parse_options(options, diagnostics);
    p->pipeline = (Pipeline){.name = (char *) "test", .file = (char *) "options.yaml"};
    p->step = (Step){.name = (char *) plugin,
                     .plugin = p->plugin,
                     .options = document_root(p->document),
                     .place = document_root(p->document),
                     .inputs = g_ptr_array_new(),
                     .input_names = g_ptr_array_new_with_free_func(g_free)};
    p->schemas = g_ptr_array_new_with_free_func(schema_free);
    p->outputs = g_ptr_array_new_with_free_func(schema_free);
    p->splits = g_ptr_array_new_with_free_func(split_free);
    p->readings = g_ptr_array_new_with_free_func(g_free);
    p->chains = g_ptr_array_new_with_free_func(g_free);
    p->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    p->keepings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    p->origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    p->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    p->batches = g_ptr_array_new_with_free_func(batch_unref);
    p->texts = g_ptr_array_new_with_free_func(g_free);
    p->threads = g_ptr_array_new_with_free_func(join);
    g_mutex_init(&p->mutex);
    p->logs = g_string_new(NULL);
    p->rejects = g_string_new(NULL);
    p->faults = g_string_new(NULL);
    return h;
}

void harness_free(Harness *h)
{
    if (!h)
        return;
    harness_close(h);
    HarnessPrivate *p = h->own;
    g_ptr_array_unref(p->threads);
    g_ptr_array_unref(p->batches);
    g_ptr_array_unref(p->texts);
    g_ptr_array_unref(p->chains);
    g_ptr_array_unref(p->readings);
    g_ptr_array_unref(p->splits);
    g_ptr_array_unref(p->outputs);
    g_ptr_array_unref(p->schemas);
    g_ptr_array_unref(p->step.inputs);
    g_ptr_array_unref(p->step.input_names);
    g_hash_table_unref(p->answers);
    g_hash_table_unref(p->keepings);
    g_hash_table_unref(p->origins);
    g_hash_table_unref(p->wanted);
    document_free(p->document);
    g_mutex_clear(&p->mutex);
    g_string_free(p->logs, TRUE);
    g_string_free(p->rejects, TRUE);
    g_string_free(p->faults, TRUE);
    g_free(p);
    g_free(h);
}

const char *harness_name(const Harness *h)
{
    return h->own->plugin->head.name;
}

void harness_need_ok(const Harness *h, const char *hook)
{
    if (h->status != SF_OK)
        g_error("%s: %s: %s: %s", harness_name(h), hook, sf_status_name(h->status), h->err.message);
}

void harness_input(Harness *h, const char *name, const struct ArrowSchema *schema)
{
    HarnessPrivate *p = h->own;
    g_assert_null(h->instance);
    struct ArrowSchema *copy = g_new0(struct ArrowSchema, 1);
    SfError err;
    if (sf_schema_copy(schema, copy, &err) != SF_OK)
        g_error("%s", err.message);
    g_ptr_array_add(p->schemas, copy);
    g_ptr_array_add(p->step.inputs, copy); /* only how many there are */
    if (p->step.input_names->len > 0)
        g_ptr_array_remove_index(p->step.input_names, p->step.input_names->len - 1);
    g_ptr_array_add(p->step.input_names, g_strdup(name));
    g_ptr_array_add(p->step.input_names, NULL);
}

void harness_input_text(Harness *h, const char *name, const char *schema)
{
    g_auto(ArrowSchema) made = {0};
    rows_schema(schema, &made);
    harness_input(h, name, &made);
}

/* Batches outlive the instance whose schema they have. */
static void keep_output(Harness *h)
{
    if (h->status != SF_OK || h->own->plugin->kind == SF_SINK)
        return;
    struct ArrowSchema *copy = g_new0(struct ArrowSchema, 1);
    g_assert_cmpint(sf_schema_copy(&h->instance->out, copy, NULL), ==, SF_OK);
    g_ptr_array_add(h->own->outputs, copy);
}

SfStatus harness_try_bind(Harness *h)
{
    HarnessPrivate *p = h->own;
    if (h->instance)
        return SF_OK;
    if (p->plugin->kind != SF_SOURCE && p->schemas->len == 0) {
        g_auto(ArrowSchema) raw = {0};
        g_assert_cmpint(sf_schema_raw(&raw, NULL), ==, SF_OK);
        harness_input(h, "events", &raw);
    }
    if (p->step.input_names->len == 0)
        g_ptr_array_add(p->step.input_names, NULL);
    h->err.message[0] = '\0';
    h->instance = instance_new(&p->step, &p->pipeline, 0, h->bounded, &harness_host, h, &h->err);
    if (!h->instance)
        return h->status = SF_CONFIG;
    h->node = &h->instance->node;
    h->status = instance_bind(h->instance, (const struct ArrowSchema *const *) p->schemas->pdata, &h->err);
    keep_output(h);
    if (h->status != SF_OK) {
        g_clear_pointer(&h->instance, instance_free);
        h->node = NULL;
    }
    return h->status;
}

SfStatus harness_try_open(Harness *h)
{
    HarnessPrivate *p = h->own;
    if (h->instance && p->opened)
        return SF_OK;
    SF_TRY(harness_try_bind(h));
    SfStatus (*open)(SfNode *, SfError *) = p->plugin->kind == SF_SOURCE      ? p->plugin->source.open
                                            : p->plugin->kind == SF_TRANSFORM ? p->plugin->transform.open
                                                                              : p->plugin->sink.open;
    h->status = open ? open(h->node, &h->err) : SF_OK;
    p->opened = h->status == SF_OK;
    return h->status;
}

void harness_open(Harness *h)
{
    h->status = SF_OK;
    harness_try_open(h);
    harness_need_ok(h, "open");
}

void harness_close(Harness *h)
{
    HarnessPrivate *p = h->own;
    g_ptr_array_set_size(p->threads, 0);
    g_clear_pointer(&h->instance, instance_free);
    h->node = NULL;
    p->opened = false;
    for (guint i = 0; i < p->readings->len; i++)
        ((Reading *) p->readings->pdata[i])->assigned = false;
    for (guint i = 0; i < p->chains->len; i++)
        ((Chain *) p->chains->pdata[i])->recovered = false;
}

void harness_reopen(Harness *h)
{
    harness_close(h);
    harness_open(h);
}

const char *harness_hold_text(Harness *h, char *text)
{
    g_ptr_array_add(h->own->texts, text);
    return text;
}

const char *harness_text(Harness *h, const SfBatch *batch)
{
    return harness_hold_text(h, batch_text(batch));
}
