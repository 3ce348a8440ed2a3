/* Directories that tests make. */
#ifndef TESTS_KIT_TREE_H
#define TESTS_KIT_TREE_H

/* Removes it with all that is in it. What is not there is fine. */
void remove_tree(const char *path);

#endif
