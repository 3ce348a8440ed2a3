/* `sfrun table optimize`. */
#ifndef COMMANDS_TABLE_OPTIMIZE_H
#define COMMANDS_TABLE_OPTIMIZE_H

#include "table.h"

/* argv[0] is the word; the exit status. */
int table_optimize(int argc, char **argv);

#endif
