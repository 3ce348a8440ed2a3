/* `sfrun table vacuum`. */
#ifndef COMMANDS_TABLE_VACUUM_H
#define COMMANDS_TABLE_VACUUM_H

/* argv[0] is the word; the exit status. */
int table_vacuum(int argc, char **argv);

#endif
