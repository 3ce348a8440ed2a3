/* The directory that a sink has to itself, and the places of an input in it. */
#ifndef FILE_SINK_FOLDER_H
#define FILE_SINK_FOLDER_H

#include <glib.h>
#include <sf/sf.h>

/* Creates it, or checks that it is this step's: another step's positions in it would pass for ours. Else SF_CONFIG. */
SfStatus folder_claim(SfNode *node, const char *path, SfError *err);

/* Where the files of an input go, and its position files; both are created. Inputs of a step that has several have a
 * directory each. */
SfStatus folder_of_input(SfNode *node, const char *path, size_t input, char **files, char **positions, SfError *err);

/* The same places, which need not be there. */
void folder_places(const SfNode *node, const char *path, size_t input, char **files, char **positions);

#endif
