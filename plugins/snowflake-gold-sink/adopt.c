/* Positions under other names: of pipelines, steps and inputs that were renamed, or that write to the same tables. */
#include "ledger.h"

#include <string.h>

#include "ranges/adopt.h"
#include "written.h"

/* A ledger row of another name. */
typedef struct Other {
    char *writer; /* "<pipeline>/<step>", and "/<input>" where it had several */
    bool known;   /* its step has written to our tables */
    int64_t position;
    int64_t moved_ms;
    char *origin; /* or "" */
} Other;

static void other_free(gpointer data)
{
    Other *other = data;
    g_free(other->writer);
    g_free(other->origin);
    g_free(other);
}

static bool is_own_row(const Session *session, const char *pipeline, const char *step, const char *input)
{
    if (strcmp(pipeline, session->node->pipeline) != 0 || strcmp(step, session->node->step) != 0)
        return false;
    bool several = session->node->n_inputs > 1;
    return several ? g_strv_contains(session->node->inputs, input) : *input == '\0';
}

/* One row into its split's list. */
static SfStatus take_other(const Session *session, OdbcStatement *statement, GHashTable *writers, GHashTable *out,
                           SfError *err)
{
    g_autofree char *pipeline = NULL, *step = NULL, *input = NULL, *split = NULL, *time = NULL, *origin = NULL;
    int64_t position = -1; /* where it is null */
    bool null = false;
    SF_TRY(ledger_text(statement, 0, &pipeline, err));
    SF_TRY(ledger_text(statement, 1, &step, err));
    SF_TRY(ledger_text(statement, 2, &input, err));
    SF_TRY(ledger_text(statement, 3, &split, err));
    SF_TRY(odbc_int64(statement, 4, &null, &position, err));
    SF_TRY(ledger_text(statement, 5, &time, err));
    SF_TRY(ledger_text(statement, 6, &origin, err));
    if (position < 0 || is_own_row(session, pipeline, step, input))
        return SF_OK;
    GPtrArray *others = g_hash_table_lookup(out, split);
    if (!others) {
        others = g_ptr_array_new_with_free_func(other_free);
        g_hash_table_insert(out, g_steal_pointer(&split), others);
    }
    g_autofree char *writer = g_strdup_printf("%s\n%s", pipeline, step);
    Other *other = g_new(Other, 1);
    *other = (Other){.writer = g_strjoin("/", pipeline, step, *input ? input : NULL, NULL),
                     .known = g_hash_table_contains(writers, writer),
                     .position = position,
                     .moved_ms = ledger_time(time),
                     .origin = g_steal_pointer(&origin)};
    g_ptr_array_add(others, other);
    return SF_OK;
}

/* Split's name → GPtrArray of Other. */
static SfStatus read_others(Session *session, GHashTable *out, SfError *err)
{
    g_autoptr(GHashTable) writers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!session->anew)
        SF_TRY(written_writers(session, writers, err));
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_append_printf(sql, "SELECT pipeline, step, input, split, end_position, updated_at, %s FROM ",
                           ledger_origin(session));
    ledger_table(session, sql);
    g_autoptr(OdbcStatement) statement = NULL;
    SfStatus status = odbc_query(session->odbc, sql->str, &statement, err);
    while (status == SF_OK && (status = odbc_fetch(statement, err)) == SF_OK)
        SF_TRY(take_other(session, statement, writers, out, err));
    return status == SF_EMPTY ? SF_OK : status;
}

/* By the first of the names that is there; with the input, where that is not NULL. */
static const Other *find_other(const GPtrArray *others, char *const *names, const char *input)
{
    for (; *names; names++) {
        g_autofree char *writer = g_strjoin("/", *names, input, NULL);
        for (guint i = 0; i < others->len; i++)
            if (strcmp(((const Other *) others->pdata[i])->writer, writer) == 0)
                return others->pdata[i];
    }
    return NULL;
}

/* The position that is taken over. Where the step had one input and has several now, the first one goes on; *named says
 * so to the others, which begin. */
static const Other *adopted(const Session *session, const Chain *chain, const GPtrArray *others, bool *named)
{
    g_auto(GStrv) names = adopt_names(session->node, session->adopt);
    const char *input = ledger_input(session, chain);
    const Other *single = find_other(others, names, NULL);
    *named = single != NULL;
    if (*input == '\0')
        return single;
    const Other *other = find_other(others, names, input);
    return other || chain->range.input > 0 ? other : single;
}

static SfStatus check_other_writers(const Session *session, const Chain *chain, const GPtrArray *others, SfError *err)
{
    for (guint i = 0; i < others->len && !session->anew; i++) {
        const Other *other = others->pdata[i];
        if (other->known)
            return sf_fail(err, SF_CONFIG,
                           "'%s' has written '%s' to these tables already; set 'adopt: %s' if '%s' takes over from it "
                           "(a pipeline, step or input that was renamed), or 'start: anew' to read it from the "
                           "beginning",
                           other->writer, chain->range.split->name, other->writer, session->node->step);
    }
    return SF_OK;
}

SfStatus ledger_adopt(Session *session, GPtrArray *wanted, SfError *err)
{
    g_autoptr(GHashTable) splits =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
    bool read = false;
    for (guint i = 0; i < wanted->len; i++) {
        Chain *chain = wanted->pdata[i];
        if (chain->there != SF_POSITION_NONE)
            continue;
        if (!read)
            SF_TRY(read_others(session, splits, err));
        read = true;
        const GPtrArray *others = g_hash_table_lookup(splits, chain->range.split->name);
        if (!others)
            continue;
        bool named = false;
        const Other *other = adopted(session, chain, others, &named);
        if (other) {
            chain->there = other->position;
            chain->moved_ms = other->moved_ms;
            g_free(chain->origin);
            chain->origin = g_strdup(other->origin);
        } else if (!named) {
            SF_TRY(check_other_writers(session, chain, others, err));
        }
    }
    return SF_OK;
}
