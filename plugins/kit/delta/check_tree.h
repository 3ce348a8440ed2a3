/* Conditions of a table, as SQL: what check_parse.c makes of them and check.c asks of rows. Internal to the kit. */
#ifndef KIT_DELTA_CHECK_TREE_H
#define KIT_DELTA_CHECK_TREE_H

#include "sql.h"

typedef struct CheckOperand {
    bool is_column;
    bool length; /* of the column's text in characters */
    bool single; /* the table keeps it as a float */
    int column;  /* in the rows; -1: they leave it out, so it is null */
    SqlKind kind;
    SqlValue value; /* a literal's */
    char *owned;    /* its text */
} CheckOperand;

typedef enum CheckOp {
    CHECK_AND,
    CHECK_OR,
    CHECK_NOT,
    CHECK_IS_NULL,
    CHECK_TRUTH,
    CHECK_EQ,
    CHECK_SAME, /* <=> */
    CHECK_LT,
    CHECK_LE
} CheckOp;

/* Operators by their children, comparisons by their operands. */
typedef struct CheckNode {
    CheckOp op;
    struct CheckNode *a;
    struct CheckNode *b;
    CheckOperand left;
    CheckOperand right;
} CheckNode;

struct DeltaCheck {
    char *name;
    char *text;
    CheckNode *root;
};

/* NULL and why (SF_CONFIG) where the text is beyond us. */
CheckNode *check_parse(const char *text, json_object *schema, const struct ArrowSchema *input, SfError *err);
void check_node_free(CheckNode *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckNode, check_node_free)

#endif
