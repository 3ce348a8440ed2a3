/* The pipeline files that a command line names. */
#ifndef CORE_FILES_H
#define CORE_FILES_H

#include "pipeline.h"

typedef struct PipelineFile {
    char *path;
    Pipeline *pipeline; /* NULL when there are errors */
    Diagnostics *diagnostics;
} PipelineFile;

/* Loads every file, and every *.yaml and *.yml of a directory, in order: PipelineFile *, owned by the array. Two
 * pipelines of one name are an error of the later one, as they would share positions. Main thread. */
SF_PRIVATE GPtrArray *files_load(char **paths);

/* Looks whether pipelines that follow others (`after`) find them among the files: an error where these are `all` that
 * will run, otherwise a warning. Nothing where a file has errors. */
void files_check_triggers(const GPtrArray *files, bool all);

/* Errors and warnings of all files on standard error; whether there was any error. */
SF_PRIVATE bool files_print_problems(const GPtrArray *files);

#endif
