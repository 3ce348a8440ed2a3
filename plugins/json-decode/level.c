/* Builds the tree of levels from the fields' paths, and finds keys that come out of order. */
#include "level.h"

#define FIRST_SLOTS 8

static uint32_t hash(const char *name, size_t size)
{
    uint32_t value = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char) name[i]) * 16777619u;
    return value ^ value >> 15;
}

static void node_init(Node *node, char *name)
{
    *node = (Node){.name = name, .fields = g_ptr_array_new()};
}

/* Puts key `number` into a slot; there is room. */
static void index_key(Level *level, uint32_t number)
{
    const Key *key = &level->first[number];
    uint32_t slot = hash(key->name, key->size) & level->slot_mask;
    while (level->slots[slot])
        slot = (slot + 1) & level->slot_mask;
    level->slots[slot] = number + 1;
}

/* Counts in the key that was just appended; at most half of the slots are taken. */
static void index_last(Level *level)
{
    level->n = level->keys->len;
    level->first = &g_array_index(level->keys, Key, 0);
    if (2 * level->n <= level->slot_mask + 1) {
        index_key(level, level->n - 1);
        return;
    }
    uint32_t size = 2 * (level->slot_mask + 1);
    g_free(level->slots);
    level->slots = g_new0(uint32_t, size);
    level->slot_mask = size - 1;
    for (uint32_t i = 0; i < level->n; i++)
        index_key(level, i);
}

static Node *add_key(Level *level, const char *name)
{
    int64_t there = level_find(level, name, strlen(name));
    if (there >= 0)
        return &level->first[there].node;
    Key key = {.name = g_strdup(name), .size = strlen(name)};
    bool plain = json_scan_plain(name, name + key.size) == name + key.size;
    if (plain && key.size < sizeof key.quoted) {
        memcpy(key.quoted, name, key.size);
        key.quoted[key.size] = '"';
        key.mask = (2u << key.size) - 1;
    }
    node_init(&key.node, g_strdup(name));
    g_array_append_val(level->keys, key);
    index_last(level);
    return &level->first[level->n - 1].node;
}

static Node *add_item(Node *list, int64_t index)
{
    if (!list->items) {
        list->items = g_new0(Items, 1);
        list->items->items = g_array_new(FALSE, TRUE, sizeof(Item));
        list->items->numbers = g_hash_table_new(NULL, NULL);
    }
    GArray *items = list->items->items;
    gpointer number, key = GSIZE_TO_POINTER((gsize) index);
    if (g_hash_table_lookup_extended(list->items->numbers, key, NULL, &number))
        return &g_array_index(items, Item, GPOINTER_TO_UINT(number)).node;
    g_hash_table_insert(list->items->numbers, key, GUINT_TO_POINTER(items->len));
    Item item = {.index = index};
    node_init(&item.node, g_strdup_printf("%s[%" G_GINT64_FORMAT "]", list->name, index));
    list->items->from_end |= index < 0;
    g_array_append_val(items, item);
    return &g_array_index(items, Item, items->len - 1).node;
}

static Level *level_empty(void)
{
    Level *level = g_new0(Level, 1);
    level->keys = g_array_new(FALSE, TRUE, sizeof(Key));
    level->slots = g_new0(uint32_t, FIRST_SLOTS);
    level->slot_mask = FIRST_SLOTS - 1;
    node_init(&level->whole, g_strdup("$"));
    return level;
}

/* The node that the path leads to. Those on the way are as strict as the field. */
static Node *add_path(Level *level, const JsonPath *path, bool strict)
{
    Node *node = &level->whole;
    for (guint i = 0; i < path->steps->len; i++) {
        const JsonPathStep *step = &g_array_index(path->steps, JsonPathStep, i);
        node->strict |= strict;
        if (step->key && i > 0 && !node->level)
            node->level = level_empty();
        node = !step->key ? add_item(node, step->index) : add_key(i > 0 ? node->level : level, step->key);
    }
    return node;
}

static void add_candidates(Level *level, Field *field)
{
    field->found = g_new0(const char *, field->paths->len);
    if (!level->deferred)
        level->deferred = g_ptr_array_new();
    g_ptr_array_add(level->deferred, field);
    for (guint i = 0; i < field->paths->len; i++) {
        Candidate candidate = {.field = field, .path = i};
        Node *node = add_path(level, g_ptr_array_index(field->paths, i), false);
        if (!node->candidates)
            node->candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
        g_array_append_val(node->candidates, candidate);
    }
}

static void add_field(Level *level, Field *field)
{
    if (field->paths && field->paths->len > 1) {
        add_candidates(level, field);
        return;
    }
    Node *node = field->paths ? add_path(level, g_ptr_array_index(field->paths, 0), true) : add_key(level, field->name);
    g_ptr_array_add(node->fields, field);
}

/* A struct's members, or the ones of a list's element, whatever lies between. */
static void add_inner(Field *field)
{
    while (field->kind == FIELD_LIST)
        field = g_ptr_array_index(field->children, 0);
    if (field->kind == FIELD_STRUCT)
        field->level = level_new(field->children);
}

static void seal(Level *level);

static void seal_node(Node *node)
{
    bool all = node->fields->len == 1 && !node->candidates && !node->level && !node->items;
    node->only = all ? g_ptr_array_index(node->fields, 0) : NULL;
    if (node->level)
        seal(node->level);
    for (guint i = 0; node->items && i < node->items->items->len; i++)
        seal_node(&g_array_index(node->items->items, Item, i).node);
}

/* Once all keys are there. */
static void seal(Level *level)
{
    if (level->keys->len == 0)
        add_key(level, ""); /* which nothing asks for: there is always one to expect */
    level->seen = g_new0(uint64_t, (level->n + 63) / 64);
    for (uint32_t i = 0; i < level->n; i++) {
        Key *key = &level->first[i];
        key->next = (i + 1) % level->n;
        seal_node(&key->node);
    }
}

Level *level_new(const GPtrArray *fields)
{
    Level *level = level_empty();
    for (guint i = 0; i < fields->len; i++) {
        add_field(level, g_ptr_array_index(fields, i));
        add_inner(g_ptr_array_index(fields, i));
    }
    seal(level);
    return level;
}

static void free_inner(Field *field)
{
    g_clear_pointer(&field->found, g_free);
    while (field->kind == FIELD_LIST)
        field = g_ptr_array_index(field->children, 0);
    g_clear_pointer(&field->level, level_free);
}

static void node_clear(Node *node)
{
    for (guint i = 0; i < node->fields->len; i++)
        free_inner(g_ptr_array_index(node->fields, i));
    g_ptr_array_unref(node->fields);
    g_clear_pointer(&node->candidates, g_array_unref);
    level_free(node->level);
    for (guint i = 0; node->items && i < node->items->items->len; i++)
        node_clear(&g_array_index(node->items->items, Item, i).node);
    if (node->items) {
        g_array_unref(node->items->items);
        g_hash_table_unref(node->items->numbers);
    }
    g_free(node->items);
    g_free(node->name);
}

void level_free(Level *level)
{
    if (!level)
        return;
    for (guint i = 0; i < level->keys->len; i++) {
        Key *key = &g_array_index(level->keys, Key, i);
        node_clear(&key->node);
        g_free(key->name);
    }
    for (guint i = 0; level->deferred && i < level->deferred->len; i++)
        free_inner(g_ptr_array_index(level->deferred, i));
    g_clear_pointer(&level->deferred, g_ptr_array_unref);
    node_clear(&level->whole);
    g_array_unref(level->keys);
    g_free(level->slots);
    g_free(level->seen);
    g_free(level);
}

int64_t level_find(const Level *level, const char *name, size_t size)
{
    uint32_t slot = hash(name, size) & level->slot_mask;
    for (; level->slots[slot]; slot = (slot + 1) & level->slot_mask) {
        uint32_t number = level->slots[slot] - 1;
        const Key *key = &level->first[number];
        if (key->size == size && memcmp(key->name, name, size) == 0)
            return number;
    }
    return -1;
}
