/* Plugins by name: finds the module, checks that it is what it says, copies its descriptor. Calls no hook. */
#include "registry.h"
#include "option_table.h"
#include "peers.h"
#include "search_path.h"
#include "suggest.h"

#include <gmodule.h>
#include <link.h>
#include <string.h>

#define ABI "1"
#define MAX_OPTIONS 1024
#define MAX_STATE ((size_t) 64 << 20)

typedef struct Segment {
    uintptr_t address;
    uintptr_t end; /* 0: not found */
} Segment;

static GHashTable *loaded; /* name → Plugin *, for the life of the process */

static char **directories(void)
{
    return search_path("SF_PLUGIN_PATH", "SF_PLUGIN_DIR", SF_PLUGINDIR);
}

static char *find_module(const char *name)
{
    g_auto(GStrv) dirs = directories();
    g_autofree char *file = g_strconcat(name, ".so", NULL);
    for (char **dir = dirs; *dir; dir++) {
        g_autofree char *path = g_build_filename(*dir, file, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&path);
    }
    return NULL;
}

static char *plugin_name(const char *file, const char *path)
{
    (void) path;
    return g_str_has_suffix(file, ".so") ? g_strndup(file, strlen(file) - strlen(".so")) : NULL;
}

GPtrArray *registry_list(void)
{
    g_auto(GStrv) dirs = directories();
    return search_path_list(dirs, plugin_name);
}

/* The name of a plugin mostly ends with its kind: those of another kind do not help. */
static void keep_kind(GPtrArray *names, SfKind kind)
{
    static const char *const ends[] = {"-source", "-transform", "-sink"};
    for (guint i = names->len; i > 0 && kind; i--)
        for (int end = 0; end < 3; end++)
            if (end + 1 != (int) kind && g_str_has_suffix(names->pdata[i - 1], ends[end])) {
                g_ptr_array_remove_index(names, i - 1);
                break;
            }
}

/* By letters, or by words where they say more. */
char *registry_nearest(const char *name, SfKind kind)
{
    g_autoptr(GPtrArray) names = registry_list();
    keep_kind(names, kind);
    const char *const *all = (const char *const *) names->pdata;
    const char *peer = peer_plugin(name, all, names->len);
    const char *near = nearest_word(name, all, names->len);
    if (peer && (!near || peer_shared_words(name, peer) > peer_shared_words(name, near) + 1))
        near = peer;
    return g_strdup(near);
}

static SfStatus unknown(const char *name, SfKind kind, SfError *err)
{
    g_autoptr(GPtrArray) names = registry_list();
    if (names->len == 0) {
        g_auto(GStrv) dirs = directories();
        g_autofree char *searched = g_strjoinv(", ", dirs);
        return sf_fail(err, SF_CONFIG, "there is no plugin '%s', nor any other, in %s; set SF_PLUGIN_PATH", name,
                       searched);
    }
    g_autofree char *near = registry_nearest(name, kind);
    if (near)
        return sf_fail(err, SF_CONFIG, "there is no plugin '%s'; did you mean '%s'?", name, near);
    return sf_fail(err, SF_CONFIG, "there is no plugin '%s'; `sfrun plugins` lists the available ones", name);
}

/* The module has no symbol of our ABI: says what it is instead. */
static SfStatus wrong_abi(GModule *module, const char *path, SfError *err)
{
    for (int version = 2; version < 10; version++) {
        gpointer symbol = NULL;
        g_autofree char *name = g_strdup_printf("sf_plugin_v%d", version);
        if (g_module_symbol(module, name, &symbol))
            return sf_fail(err, SF_CONFIG,
                           "plugin '%s' speaks version %d of the plugin ABI, this sfrun (%s) version " ABI
                           "; build it for version " ABI " or update sfrun",
                           path, version, SF_VERSION);
    }
    return sf_fail(err, SF_CONFIG, "'%s' is not a plugin of Streamforge: it has no symbol sf_plugin_v" ABI, path);
}

static size_t descriptor_size(SfKind kind)
{
    switch (kind) {
    case SF_SOURCE:
        return sizeof(SfSource);
    case SF_TRANSFORM:
        return sizeof(SfTransform);
    case SF_SINK:
        return sizeof(SfSink);
    default:
        return 0;
    }
}

static SfStatus check_head(const SfHead *head, const char *name, const char *path, SfError *err)
{
    if (head->size < sizeof(SfHead) || !descriptor_size(head->kind))
        return sf_fail(err, SF_CONFIG, "plugin '%s' has no valid descriptor (size %u, kind %d); rebuild it", path,
                       head->size, (int) head->kind);
    if (!head->name || !g_str_equal(head->name, name))
        return sf_fail(err, SF_CONFIG, "plugin '%s' calls itself '%s'; file name and .name must be the same", path,
                       head->name ? head->name : "");
    if (head->state_size > MAX_STATE)
        return sf_fail(err, SF_CONFIG, "plugin '%s' wants a state of %zu bytes; the most is 64 MiB", path,
                       head->state_size);
    return SF_OK;
}

static bool is_complete(const Plugin *plugin, const char **missing)
{
    *missing = NULL;
    if (plugin->kind == SF_SOURCE)
        *missing = !plugin->source.bind ? "bind" : !plugin->source.poll ? "poll" : NULL;
    else if (plugin->kind == SF_SINK)
        *missing = !plugin->sink.write                                                 ? "write"
                   : !plugin->sink.commit                                              ? "commit"
                   : !plugin->sink.recover && plugin->sink.delivery == SF_EXACTLY_ONCE ? "recover"
                                                                                       : NULL;
    else if (!plugin->transform.apply && !(plugin->transform.needs && plugin->transform.keep_row))
        *missing = "apply (or needs and keep_row)";
    return !*missing;
}

/* The end of the loaded segment that has the address, or NULL: where a table without an end would run out of memory. */
static int find_segment(struct dl_phdr_info *info, size_t size, void *data)
{
    (void) size;
    Segment *segment = data;
    const ElfW(Phdr) *end = info->dlpi_phdr + info->dlpi_phnum;
    for (const ElfW(Phdr) *header = info->dlpi_phdr; header != end; header++) {
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type != PT_LOAD || segment->address < start || segment->address >= start + header->p_memsz)
            continue;
        segment->end = start + header->p_memsz;
        return 1;
    }
    return 0;
}

static uintptr_t segment_end(const void *address)
{
    Segment segment = {.address = (uintptr_t) address};
    dl_iterate_phdr(find_segment, &segment);
    return segment.end;
}

/* What lies behind a table that SF_OPTION_END does not close: its texts are not texts. */
static char *no_end_problem(const SfOption *option, guint row)
{
    bool texts = segment_end(option->field) != 0 && (!option->name || segment_end(option->name) != 0) &&
                 (!option->value || segment_end(option->value) != 0) && (!option->doc || segment_end(option->doc) != 0);
    if (texts && option_type_name(option->type))
        return NULL;
    return g_strdup_printf("row %u of its option table is not an option; close the table by SF_OPTION_END", row + 1);
}

/* Rows of the plugin's stride → rows of ours, with zeros where an older plugin has nothing. */
static SfStatus copy_options(Plugin *plugin, SfError *err)
{
    const SfHead *head = &plugin->head;
    size_t stride = head->option_size;
    plugin->options = g_array_new(FALSE, TRUE, sizeof(SfOption));
    if (!head->options)
        return SF_OK;
    if (stride < offsetof(SfOption, since) || stride > 4096 || stride % sizeof(gpointer))
        return sf_fail(err, SF_CONFIG, "plugin '%s' has option rows of %zu bytes; rebuild it", plugin->path, stride);
    uintptr_t end = segment_end(head->options);
    for (const char *row = (const char *) head->options;; row += stride) {
        SfOption option = {0};
        if (end && (uintptr_t) row + stride > end)
            return sf_fail(err, SF_CONFIG, "plugin '%s': its option table does not end; close it by SF_OPTION_END",
                           plugin->path);
        memcpy(&option, row, MIN(stride, sizeof option));
        if (!option.field)
            return SF_OK;
        g_autofree char *problem = no_end_problem(&option, plugin->options->len);
        if (!problem)
            problem = option_row_problem(&option, head->state_size);
        if (!problem && option_is_own(option_name(&option)))
            problem = g_strdup_printf("option '%s' has a name that every step uses already", option_name(&option));
        if (!problem && plugin->options->len >= MAX_OPTIONS)
            problem = g_strdup("its option table does not end; close it by SF_OPTION_END");
        if (problem)
            return sf_fail(err, SF_CONFIG, "plugin '%s': %s", plugin->path, problem);
        g_array_append_val(plugin->options, option);
    }
}

static void plugin_free(Plugin *plugin)
{
    g_clear_pointer(&plugin->options, g_array_unref);
    g_free(plugin->path);
    g_free(plugin);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plugin, plugin_free)

static Plugin *plugin_new(const SfHead *head, const char *name, const char *path, SfError *err)
{
    if (check_head(head, name, path, err) != SF_OK)
        return NULL;
    g_autoptr(Plugin) plugin = g_new0(Plugin, 1);
    plugin->path = g_strdup(path);
    plugin->kind = head->kind;
    memcpy(&plugin->head, head, MIN(head->size, descriptor_size(head->kind)));
    const char *missing = NULL;
    if (!is_complete(plugin, &missing)) {
        sf_fail(err, SF_CONFIG, "plugin '%s' lacks its hook %s", path, missing);
        return NULL;
    }
    if (copy_options(plugin, err) != SF_OK)
        return NULL;
    return g_steal_pointer(&plugin);
}

/* dlopen's text starts with the path, which our message has already. */
static SfStatus cannot_load(const char *path, SfError *err)
{
    const char *cause = g_module_error();
    if (!cause)
        cause = "unknown cause";
    if (g_str_has_prefix(cause, path) && cause[strlen(path)] == ':')
        cause = g_strchug((char *) cause + strlen(path) + 1);
    bool symbol = strstr(cause, "undefined symbol") != NULL;
    return sf_fail(err, SF_CONFIG, "cannot load plugin '%s': %s%s", path, cause,
                   symbol ? "; it was built against something else, rebuild it" : "");
}

const Plugin *registry_load(const char *name, SfError *err)
{
    return registry_load_as(name, 0, err);
}

const Plugin *registry_load_as(const char *name, SfKind kind, SfError *err)
{
    if (!loaded)
        loaded = g_hash_table_new(g_str_hash, g_str_equal);
    const Plugin *known = g_hash_table_lookup(loaded, name);
    if (known)
        return known;
    bool is_path = strchr(name, '/') || *name == '.' || !*name;
    g_autofree char *path = is_path ? NULL : find_module(name);
    if (!path) {
        unknown(name, kind, err);
        return NULL;
    }
    const char *fault = search_path_fault(path);
    if (fault) {
        sf_fail(err, SF_CONFIG, "plugin '%s' is not loaded: %s", path, fault);
        return NULL;
    }
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    if (!module) {
        cannot_load(path, err);
        return NULL;
    }
    g_module_make_resident(module);
    gpointer head = NULL;
    if (!g_module_symbol(module, "sf_plugin_v" ABI, &head) || !head) {
        wrong_abi(module, path, err);
        return NULL;
    }
    Plugin *plugin = plugin_new(head, name, path, err);
    if (plugin)
        g_hash_table_insert(loaded, (gpointer) plugin->head.name, plugin);
    return plugin;
}
