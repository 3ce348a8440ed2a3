/* Delta tables: the log, schemas, paths, statistics and checkpoints
 * (https://github.com/delta-io/delta/blob/master/PROTOCOL.md). What is in the log was written by others: it is
 * checked, and what we lack is refused by name. */
#ifndef KIT_DELTA_H
#define KIT_DELTA_H

#include <json-c/json.h>

#include "names.h"
#include "parquet/parquet.h"
#include "store/store.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_object, json_object_put)

/* ---- the log: log.c, log_read.c
 * ------------------------------------------------------------------------------------ */

#define DELTA_NEVER INT64_MIN

/* The newest txn action of an appId. */
typedef struct DeltaTxn {
    int64_t version;
    int64_t updated_ms; /* DELTA_NEVER: it does not say */
} DeltaTxn;

/* The newest state that we know of a table: what a writer needs, not its files. Used by one thread. */
typedef struct DeltaLog {
    SfNode *node; /* for messages to the operator */
    Store *store;
    int64_t version;    /* -1: no table yet */
    int64_t checkpoint; /* newest version with a checkpoint that can be read; -1: none */
    int64_t noted;      /* newest version with one of others, perhaps not to be read; -1: none */
    json_object *protocol;
    json_object *metadata;      /* the whole action: what we do not know is carried over */
    GHashTable *txns;           /* char *appId → DeltaTxn * */
    GHashTable *domains;        /* char *domain → char *configuration, of those that are not removed */
    int64_t commit_time;        /* inCommitTimestamp of the newest commit, or INT64_MIN */
    bool commit_seen;           /* the commit of this version was there; a checkpoint may stand without one */
    GPtrArray *checkpoint_keys; /* char *: its files, without sidecars; empty: to be looked for */
    int64_t checkpoint_bytes;   /* of its own files, without sidecars */
    int64_t commit_bytes;       /* of the commits since */
    int64_t cleaned_day;        /* since 1970, on which delta_log_clean() found nothing more to do */
} DeltaLog;

/* What commits of others, and ours, brought. */
typedef struct DeltaNews {
    const char *txn_id; /* in: commitInfo.txnId that is looked for; may be NULL */
    bool found;         /* it was there */
    bool schema;        /* a metaData or protocol action was there */
} DeltaNews;

DeltaLog *delta_log_new(SfNode *node, Store *store);
void delta_log_free(DeltaLog *log);

/* Reads the newest state from the newest checkpoint on. SF_OK without a table too. */
SfStatus delta_log_load(DeltaLog *log, SfError *err);

/* Reads the commits after log->version; on an error the state is that of the last commit that could be read. */
SfStatus delta_log_update(DeltaLog *log, DeltaNews *news, SfError *err);

/* Whether the log still has the version that we know: it may have been cleaned beyond it, or be another table's. The
 * version behind it must not be written then. */
SfStatus delta_log_holds(DeltaLog *log, bool *holds, SfError *err);

/* Applies the text of commit `version`, which must be the next. */
SfStatus delta_log_apply(DeltaLog *log, int64_t version, const char *text, size_t size, DeltaNews *news, SfError *err);

/* One action of a commit, or of a checkpoint, whichever keys it has. */
SfStatus delta_log_take_action(DeltaLog *log, json_object *object, DeltaNews *news, SfError *err);
SfStatus delta_log_take_txn(DeltaLog *log, json_object *txn, SfError *err);

/* The newest txn action with that appId, or NULL; and its version, or -1. */
const DeltaTxn *delta_log_find_txn(const DeltaLog *log, const char *app_id);
int64_t delta_log_txn(const DeltaLog *log, const char *app_id);

/* The last row id that was given out (feature rowTracking); -1: none. */
int64_t delta_log_row_ids(const DeltaLog *log);
SfStatus delta_log_take_domain(DeltaLog *log, json_object *domain, SfError *err);

/* A table property, or NULL. */
const char *delta_log_property(const DeltaLog *log, const char *name);

/* One like "interval 7 days"; `other` when it is not set, INT64_MAX when it is nothing that we understand: what is kept
 * for ever is never wrong. */
int64_t delta_log_interval_ms(const DeltaLog *log, const char *name, int64_t other);

/* SF_CONFIG, with the feature's name, when the table needs what we lack for appending. */
SfStatus delta_log_check_features(const DeltaLog *log, SfError *err);
/* Whether the table's protocol has that feature for writers. */
bool delta_log_supports(const DeltaLog *log, const char *feature);
int delta_protocol_version(const DeltaLog *log, const char *member); /* "minReaderVersion"; 0: it does not say */
bool delta_log_in_commit_time(const DeltaLog *log);

/* "_delta_log/00000000000000000007.json" */
char *delta_commit_key(int64_t version);
/* "_delta_log/" + 20 digits + rest → version and rest; false: another kind of name. */
bool delta_log_key(const char *key, int64_t *version, const char **rest);

/* ---- JSON: json.c
 * -------------------------------------------------------------------------------------------------- */

/* One JSON object, with nothing but blanks around it; NULL and SF_FATAL text. */
json_object *delta_json_parse(const char *text, size_t size, SfError *err);
json_object *delta_json_member(json_object *object, const char *name, json_type type); /* or NULL */
const char *delta_json_text(json_object *object, const char *name);                    /* or NULL */
/* False: a whole number that may be another, beyond 64 bits, which json-c cuts to the nearest that it has. */
bool delta_json_fits(json_object *number);

/* The objects of a commit, one after the other. */
typedef struct DeltaText {
    const char *at;
    const char *end;
    size_t line;   /* of what was read last */
    bool no_files; /* add, remove and cdc actions are passed over */
} DeltaText;

/* The next one, which is the caller's; SF_END after the last. */
SfStatus delta_text_next(DeltaText *text, json_object **out, SfError *err);

/* All that are left, until one is refused. `text->line` is then where. */
typedef SfStatus (*DeltaEach)(gpointer user, json_object *object, SfError *err);
SfStatus delta_text_each(DeltaText *text, DeltaEach each, gpointer user, SfError *err);
/* log.c: into the log's state. */
SfStatus delta_log_take_text(DeltaLog *log, DeltaText *text, DeltaNews *news, SfError *err);

/* ---- names: names.c
 * ------------------------------------------------------------------------------------------------ */

/* Whether both are one column: without case, by Spark's rule. UTF-8. */
bool delta_name_equal(const char *a, const char *b);
/* The number of the rows' column that is called so; -1: they have none. */
int delta_column_of(const struct ArrowSchema *schema, const char *name);

/* Names with a number each, found by that rule in constant time. */
typedef NameSet DeltaNames; /* free by g_hash_table_unref */
DeltaNames *delta_names_new(void);
DeltaNames *delta_names_of_type(json_object *type);                        /* a struct's fields by their places */
bool delta_names_add(DeltaNames *names, const char *name, int64_t number); /* false: it is there */
int64_t delta_names_find(const DeltaNames *names, const char *name);       /* -1: there is none */

/* ---- schemas: schema.c, project.c, rules.c
 * ---------------------------------------------------------------------------------------------- */

/* An empty struct type, and one from metaData.schemaString. */
json_object *delta_schema_new(void);
json_object *delta_schema_parse(json_object *metadata, SfError *err);

typedef enum DeltaMerge {
    DELTA_MERGE_CREATE,        /* columns keep their `not null` */
    DELTA_MERGE_CREATE_MAPPED, /* the same, and names may have any characters: files have others */
    DELTA_MERGE_EVOLVE,        /* new columns and members are added at the end, nullable */
    DELTA_MERGE_MAPPED,        /* the same, with any names */
    DELTA_MERGE_CHECK          /* new columns are refused */
} DeltaMerge;

/* Makes the table's schema hold the rows of `input`; *changed tells whether it had to grow. SF_CONFIG names the
 * column when types differ or the table's columns cannot be left out. */
json_object *delta_schema_field(json_object *schema, const char *name); /* or NULL; borrowed */
json_object *delta_schema_field_at(json_object *type, const DeltaNames *names, const char *name);
bool delta_field_nullable(json_object *field);
json_object *delta_type_of(json_object *type, const char *member); /* of a field or a type: whatever JSON it is */
const char *delta_type_name(const SfField *field, char *room, size_t size); /* of a primitive */
bool delta_primitive_type(const char *name, SfField *out); /* false: "decimal(99,2)", and what we have no type for */
/* Whether rows of that primitive type may go into a column of the table's type. */
bool delta_type_takes(json_object *type, const SfField *field);

SfStatus delta_schema_merge(json_object *schema, const struct ArrowSchema *input, DeltaMerge how, bool *changed,
                            SfError *err);

typedef enum DeltaRuleKind {
    DELTA_ANY,
    DELTA_BYTE,
    DELTA_SHORT,
    DELTA_FLOAT,
    DELTA_VARCHAR, /* at most `limit` characters; likewise char, whose shorter texts are padded */
    DELTA_CHAR,
    DELTA_MAP /* keys differ */
} DeltaRuleKind;

/* What the table asks of a column's values beyond the type that the rows promise. */
typedef struct DeltaRule {
    int column; /* number in the input, the struct or the list around it */
    char *name; /* for messages; "[]" for elements */
    bool not_null;
    DeltaRuleKind kind;
    int limit;
    GPtrArray *members; /* DeltaRule *; NULL: none */
} DeltaRule;

/* Whether the value may stay; else `why` is "who.name: …", appended. */
bool delta_rule_holds(const DeltaRule *rule, const SfColumn *column, int64_t row, GString *why);

/* Of those columns of the rows that have any, DeltaRule * (free by g_ptr_array_unref). */
GPtrArray *delta_rules_new(json_object *schema, const struct ArrowSchema *input, SfError *err);
const DeltaRule *delta_rules_of(const GPtrArray *rules, int column); /* or NULL */

/* The types that Spark keeps beside a field's, "varchar(5)" or "array<char(2)>", as a tree: a text for a primitive, an
 * object by the type's members and the struct's names. NULL without an error: there is none. */
json_object *delta_spark_types(json_object *field, SfError *err);

/* The limit of "varchar(5)", of which `type` is the word; false: it is another type. */
bool delta_text_limit(json_object *spark, const char *type, int *limit);

/* The file's schema of these rows: columns of `input` except those in `leave_out` (strv), with the table's names and
 * nullability, and how the file stores them. map[i]: number of its column i in the input. */
typedef struct DeltaProjection {
    struct ArrowSchema schema;
    ParquetHint *hints; /* one a column */
    GPtrArray *owned;   /* what the hints hold */
    int *map;
    size_t n;
} DeltaProjection;

SfStatus delta_schema_project(json_object *schema, bool mapped, const struct ArrowSchema *input, char **leave_out,
                              DeltaProjection *out, SfError *err);
/* Whether files of the same schema are stored alike. */
bool delta_hints_equal(const struct ArrowSchema *schema, const ParquetHint *a, const ParquetHint *b);
void delta_projection_done(DeltaProjection *projection);

/* ---- texts: times.c
 * ------------------------------------------------------------------------------------------------ */

bool delta_date_parse(const char *text, int64_t *days); /* "2024-01-15", and nothing else */
/* "2024-01-15T10:30:01.5Z", in microseconds; with another character `between` date and clock the Z may be missing. */
bool delta_timestamp_parse(const char *text, char between, int64_t *us);

/* ---- conditions: check.c, check_parse.c
 * ------------------------------------------------------------------------------------------------ */

typedef struct DeltaCheck DeltaCheck;

/* The table's CHECK constraints and invariants, over rows of these columns (free by g_ptr_array_unref). NULL, and
 * SF_CONFIG with its name, where one is beyond us. */
GPtrArray *delta_checks_new(const DeltaLog *log, const struct ArrowSchema *input, SfError *err);
/* columns: of the rows, by number. False: the row may not be in the table; `why` is appended. */
bool delta_check_holds(const DeltaCheck *check, const SfColumn *columns, int64_t row, GString *why);

/* ---- columns that the table fills: fill.c, expression.c, expression_value.c, identity.c
 * ------------------------------------------------------------------------------------------------ */

/* An identity column: which numbers it has given out. `mark`: in the log; `last`: with the rows of the next commit. */
typedef struct DeltaIdentity {
    char *name;
    int64_t start;
    int64_t step;
    bool explicit; /* rows may have values of their own */
    bool marked;   /* there is a mark */
    bool begun;    /* likewise last */
    int64_t mark;
    int64_t last;
} DeltaIdentity;

GPtrArray *delta_identities_new(const DeltaLog *log, json_object *schema); /* DeltaIdentity *, which the array owns */
DeltaIdentity *delta_identity_find(const GPtrArray *identities, const char *name); /* or NULL */
bool delta_identity_next(DeltaIdentity *identity, int64_t *out);                   /* false: there is none */
bool delta_identity_moved(const DeltaIdentity *identity);
/* Whether what `older` has given out since its mark is still free in the table's newer state. */
bool delta_identity_follows(const DeltaIdentity *identity, const DeltaIdentity *older);
void delta_identity_write(const DeltaIdentity *identity, json_object *schema);
void delta_identity_written(DeltaIdentity *identity); /* after the commit */

typedef struct DeltaFill DeltaFill;

/* Of the table's columns: those that the rows leave out and that have a default or an identity, and the generated ones.
 * NULL, and SF_CONFIG with its name, where one is beyond us. Borrows the identities. */
GPtrArray *delta_fills_new(const DeltaLog *log, json_object *schema, const GPtrArray *identities,
                           const struct ArrowSchema *input, SfError *err);
/* The rows' columns, with those that are filled behind them. */
SfStatus delta_fills_schema(const GPtrArray *fills, const struct ArrowSchema *input, struct ArrowSchema *out,
                            SfError *err);

typedef struct DeltaFillRows {
    const SfColumn *columns; /* of the rows, by number */
    int64_t n;
    int64_t now_us;
    void (*refuse)(gpointer user, int64_t row, const char *why); /* the row cannot be in the table */
    gpointer user;
} DeltaFillRows;

/* out: the columns that delta_fills_schema() adds, as a struct of so many rows; untouched where there are none. */
SfStatus delta_fills_apply(const GPtrArray *fills, const DeltaFillRows *rows, struct ArrowArray *out, SfError *err);

/* ---- column mapping: mapping.c
 * ------------------------------------------------------------------------------------------------ */

bool delta_log_maps(const DeltaLog *log);
bool delta_log_maps_by_id(
    const DeltaLog *log); /* files may have any names: their field ids tell, which we do not read */
const char *delta_file_name(json_object *field, bool mapped); /* of the column in files, statistics, partition values */
int32_t delta_field_id(json_object *field, bool mapped);      /* 0: none */
SfStatus delta_mapping_check(json_object *schema, SfError *err);
/* Gives ids beyond *highest, and physical names, to fields that have none. */
SfStatus delta_mapping_extend(json_object *schema, int64_t *highest, SfError *err);

/* ---- files: path.c, stats.c, action.c
 * ---------------------------------------------------------------------------------- */

/* Partition value of a row as the log writes it; false: null. Appended. */
bool delta_partition_text(const SfColumn *column, int64_t row, GString *out);

/* "order_date=2024-01-15/" as the store's key has it; value NULL: null. Appended; nothing when the name would be too
 * long. */
void delta_partition_dir(const char *column, const char *value, GString *out);

/* A key as add.path has it. Appended. */
void delta_path_encode(const char *key, GString *out);
/* Back; NULL when it is not valid. */
char *delta_path_decode(const char *path);
/* The same text for all spellings of an add's or remove's path that mean one file. */
char *delta_path_identity(const char *path);

/* add.stats of the file that the writer has just finished. */
char *delta_stats(const ParquetWriter *writer, int64_t rows, int64_t indexed);

typedef struct DeltaAdd {
    char *key;          /* in the store */
    GPtrArray *columns; /* names of the partition columns (borrowed) */
    GPtrArray *values;  /* char *, NULL: null */
    int64_t size;
    int64_t modified_ms;
    char *stats;
    int64_t first_row_id;   /* of its rows (feature rowTracking); -1: none */
    int64_t commit_version; /* with it */
} DeltaAdd;

void delta_add_free(DeltaAdd *add);
void delta_add_encode(const DeltaAdd *add, GString *out); /* a line */
void delta_txn_encode(const char *app_id, int64_t version, int64_t now_ms, GString *out);
void delta_row_ids_encode(int64_t last, GString *out); /* the domain that tells of them */
void delta_action_encode(const char *name, json_object *action, GString *out);
char *delta_uuid(void);

/* ---- checkpoints: checkpoint.c, checkpoint_read.c
 * ----------------------------------------------------------------------- */

/* Protocol, metaData, txns and domains of one checkpoint file into the log's state. `key` tells its kind. */
SfStatus delta_checkpoint_read(DeltaLog *log, const char *key, GBytes *file, SfError *err);

/* Merges the newest checkpoint and the commits after it into a checkpoint of log->version, and points
 * _last_checkpoint to it. Of V2, with the sidecars that have not changed, where the table has that feature. */
SfStatus delta_checkpoint_write(DeltaLog *log, SfError *err);

/* Whether one is due, after a commit of ours: at the table's delta.checkpointInterval; where it has none, at `usual`
 * commits as soon as they have brought as many bytes as the last checkpoint has, at ten times as many in any case. */
bool delta_checkpoint_due(DeltaLog *log, int64_t usual);

/* clean.c: deletes what lies before an expired checkpoint, up to a thousand files a call, once a day all of them. */
SfStatus delta_log_clean(DeltaLog *log, SfError *err);

/* Version that _last_checkpoint names (-1: none, or it cannot be read), and the keys of a version's checkpoint (char
 * *, owned by the array; none when it is incomplete). */
SfStatus delta_checkpoint_last(DeltaLog *log, int64_t *version, SfError *err);
SfStatus delta_checkpoint_keys(DeltaLog *log, int64_t version, GPtrArray *out, SfError *err);
/* The store's key of a sidecar action; NULL and SF_FATAL where its path leads elsewhere. */
char *delta_sidecar_key(json_object *sidecar, SfError *err);
/* Those that a checkpoint's file refers to. */
SfStatus delta_checkpoint_sidecars(DeltaLog *log, const char *key, GPtrArray *out, SfError *err);
/* Whether a log file's name, behind its version, is that of a checkpoint in one piece, or in one and sidecars. */
bool delta_checkpoint_is_whole(const char *rest);

/* Columns of a checkpoint, in our order: what a writer's state needs comes first, what only a V2 checkpoint has
 * last. */
typedef enum DeltaColumn {
    DELTA_COLUMN_TXN,
    DELTA_COLUMN_METADATA,
    DELTA_COLUMN_PROTOCOL,
    DELTA_COLUMN_DOMAIN,
    DELTA_COLUMNS_OF_STATE,
    DELTA_COLUMN_ADD = DELTA_COLUMNS_OF_STATE,
    DELTA_COLUMN_REMOVE,
    DELTA_COLUMNS,
    DELTA_COLUMN_SIDECAR = DELTA_COLUMNS,
    DELTA_COLUMN_CHECKPOINT, /* checkpointMetadata */
    DELTA_COLUMNS_OF_V2
} DeltaColumn;

/* checkpoint_rows.c: struct schema of a checkpoint's rows, one nullable struct an action; and rows ↔ JSON actions.
 * Lists called as in delta_checkpoint_maps are maps. */
extern const char *const delta_checkpoint_maps[];
SfStatus delta_checkpoint_schema(DeltaColumn n, struct ArrowSchema *out, SfError *err);
/* With the struct of statistics as the last member of `add`. */
SfStatus delta_checkpoint_schema_with(DeltaColumn n, const SfField *stats, struct ArrowSchema *out, SfError *err);
void delta_checkpoint_add(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out);
json_object *delta_checkpoint_json(const SfColumn *column, int64_t row, SfError *err); /* NULL for null */

/* checkpoint_stats.c, stats_values.c: add.stats_parsed, by the table's columns. */
SfStatus delta_checkpoint_schema_of(const DeltaLog *log, DeltaColumn n, struct ArrowSchema *out, SfError *err);
bool delta_stats_add(const struct ArrowSchema *schema, json_object *value, SfColumnBuilder *out); /* false: left out */
json_object *delta_stats_json(const SfColumn *column, int64_t row); /* of a float, decimal, date or timestamp */

/* How a checkpoint has statistics (delta.checkpoint.writeStatsAsJson, writeStatsAsStruct). */
typedef enum DeltaStatsForm {
    DELTA_STATS_TEXT,   /* add.stats */
    DELTA_STATS_BOTH,   /* and add.stats_parsed */
    DELTA_STATS_STRUCT, /* add.stats_parsed alone; the text stays where it cannot be parsed */
} DeltaStatsForm;

/* Gives an add action its statistics in that form, from whichever it has. */
void delta_stats_complete(json_object *add, DeltaStatsForm form);

#define DELTA_MAX_COMMIT (INT64_C(1) << 28)
#define DELTA_MAX_CHECKPOINT (INT64_C(1) << 31)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeltaLog, delta_log_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeltaAdd, delta_add_free)

#endif
