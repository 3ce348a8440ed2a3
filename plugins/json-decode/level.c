/* Builds the tree of levels from the fields' paths, and finds keys that come out of order. */
#include "level.h"

static uint32_t hash(const char *name, size_t size)
{
    uint32_t value = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char) name[i]) * 16777619u;
    return value ^ value >> 15;
}

static Key *add_key(Level *level, const char *name)
{
    for (guint i = 0; i < level->keys->len; i++) {
        Key *key = &g_array_index(level->keys, Key, i);
        if (strcmp(key->name, name) == 0)
            return key;
    }
    Key key = {.name = g_strdup(name), .size = strlen(name), .fields = g_ptr_array_new()};
    bool plain = json_scan_plain(name, name + key.size) == name + key.size;
    if (plain && key.size < sizeof key.quoted) {
        memcpy(key.quoted, name, key.size);
        key.quoted[key.size] = '"';
        key.mask = (2u << key.size) - 1;
    }
    g_array_append_val(level->keys, key);
    return &g_array_index(level->keys, Key, level->keys->len - 1);
}

static Level *level_empty(void)
{
    Level *level = g_new0(Level, 1);
    level->keys = g_array_new(FALSE, TRUE, sizeof(Key));
    return level;
}

static void add_field(Level *level, Field *field)
{
    char *own[] = {field->name, NULL};
    char **path = field->path ? field->path : own;
    Key *key = add_key(level, *path);
    while (*++path) {
        if (!key->level)
            key->level = level_empty();
        key = add_key(key->level, *path);
    }
    g_ptr_array_add(key->fields, field);
}

/* A struct's members, or the ones of a list's element, whatever lies between. */
static void add_inner(Field *field)
{
    while (field->kind == FIELD_LIST)
        field = g_ptr_array_index(field->children, 0);
    if (field->kind == FIELD_STRUCT)
        field->level = level_new(field->children);
}

/* Once all keys are there. */
static void seal(Level *level)
{
    level->n = level->keys->len;
    level->first = &g_array_index(level->keys, Key, 0);
    level->seen = g_new0(uint64_t, (level->n + 63) / 64);
    uint32_t size = 8;
    while (size < 2 * level->n)
        size *= 2;
    level->slots = g_new0(uint32_t, size);
    level->slot_mask = size - 1;
    for (uint32_t i = 0; i < level->n; i++) {
        Key *key = &level->first[i];
        uint32_t slot = hash(key->name, key->size) & level->slot_mask;
        while (level->slots[slot])
            slot = (slot + 1) & level->slot_mask;
        level->slots[slot] = i + 1;
        key->next = (i + 1) % level->n;
        key->only = key->fields->len == 1 && !key->level ? g_ptr_array_index(key->fields, 0) : NULL;
        if (key->level)
            seal(key->level);
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
    while (field->kind == FIELD_LIST)
        field = g_ptr_array_index(field->children, 0);
    g_clear_pointer(&field->level, level_free);
}

void level_free(Level *level)
{
    if (!level)
        return;
    for (guint i = 0; i < level->keys->len; i++) {
        Key *key = &g_array_index(level->keys, Key, i);
        for (guint j = 0; j < key->fields->len; j++)
            free_inner(g_ptr_array_index(key->fields, j));
        g_ptr_array_unref(key->fields);
        level_free(key->level);
        g_free(key->name);
    }
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
