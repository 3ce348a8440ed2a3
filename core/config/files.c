/* The pipeline files that a command line names: directories are listed, files loaded, names compared. */
#include "files.h"

#include <stdio.h>
#include <string.h>

static void file_free(gpointer data)
{
    PipelineFile *file = data;
    pipeline_free(file->pipeline);
    diagnostics_free(file->diagnostics);
    g_free(file->path);
    g_free(file);
}

static PipelineFile *files_add(GPtrArray *files, const char *path)
{
    PipelineFile *file = g_new0(PipelineFile, 1);
    file->path = g_strdup(path);
    file->diagnostics = diagnostics_new();
    g_ptr_array_add(files, file);
    return file;
}

static gint file_by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static void add_directory(GPtrArray *files, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        if (*name != '.' && (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml")))
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
    g_ptr_array_sort(names, file_by_text);
    for (guint i = 0; i < names->len; i++)
        files_add(files, g_ptr_array_index(names, i));
    if (names->len == 0)
        diagnostics_add(files_add(files, path)->diagnostics, NULL, "%s: %s", path,
                        error ? error->message : "there is no *.yaml file in this directory");
}

static void check_name(const GPtrArray *files, PipelineFile *file)
{
    for (guint i = 0; i < files->len; i++) {
        const PipelineFile *other = g_ptr_array_index(files, i);
        if (other == file)
            return;
        if (!other->pipeline || strcmp(other->pipeline->name, file->pipeline->name) != 0)
            continue;
        const SfValue *root = document_root(file->pipeline->document);
        diagnostics_add(file->diagnostics, sf_value_get(root, "pipeline"),
                        "pipeline '%s' is in '%s' already; one process runs a name once", file->pipeline->name,
                        other->path);
        g_clear_pointer(&file->pipeline, pipeline_free);
        return;
    }
}

static const Pipeline *find_pipeline(const GPtrArray *files, const char *name)
{
    for (guint i = 0; i < files->len; i++) {
        const Pipeline *pipeline = ((const PipelineFile *) files->pdata[i])->pipeline;
        if (pipeline && strcmp(pipeline->name, name) == 0)
            return pipeline;
    }
    return NULL;
}

/* Whether runs of `from` lead to runs of `to`, over others. */
static bool leads_to(const GPtrArray *files, const Pipeline *from, const Pipeline *to, guint depth)
{
    for (guint i = 0; to && i < to->trigger.after->len && depth <= files->len; i++) {
        const Pipeline *before = find_pipeline(files, to->trigger.after->pdata[i]);
        if (before && (before == from || leads_to(files, from, before, depth + 1)))
            return true;
    }
    return false;
}

/* `after` names pipelines of the same process, and no circle of them. Returns whether it does. */
static bool check_after(const GPtrArray *files, const PipelineFile *file, bool all)
{
    const Trigger *trigger = &file->pipeline->trigger;
    const SfValue *map = sf_value_get(document_root(file->pipeline->document), "trigger");
    const SfValue *place = trigger->after->len > 0 ? sf_value_get(map, "after") : NULL;
    static const char missing[] = "'after': pipeline '%s' is not among the files; name its file, too, or the directory "
                                  "of both";
    bool right = true;
    for (guint i = 0; i < trigger->after->len; i++) {
        const char *name = trigger->after->pdata[i];
        if (find_pipeline(files, name))
            continue;
        if (all)
            diagnostics_add(file->diagnostics, place, missing, name);
        else
            diagnostics_warn(file->diagnostics, place, missing, name);
        right = !all;
    }
    if (trigger->after->len > 0 && leads_to(files, file->pipeline, file->pipeline, 0)) {
        diagnostics_add(file->diagnostics, place, "'after': runs of '%s' would lead to runs of itself, for ever",
                        file->pipeline->name);
        right = false;
    }
    return right;
}

/* All are looked at before one is dropped. What a file means that has not been read is not known. */
void files_check_triggers(const GPtrArray *files, bool all)
{
    g_autofree bool *right = g_new0(bool, files->len + 1);
    for (guint i = 0; i < files->len; i++) {
        if (!((const PipelineFile *) files->pdata[i])->pipeline)
            return;
    }
    for (guint i = 0; i < files->len; i++)
        right[i] = check_after(files, files->pdata[i], all);
    for (guint i = 0; i < files->len; i++) {
        if (!right[i])
            g_clear_pointer(&((PipelineFile *) files->pdata[i])->pipeline, pipeline_free);
    }
}

GPtrArray *files_load(char **paths)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(file_free);
    for (char **path = paths; *path; path++) {
        if (g_file_test(*path, G_FILE_TEST_IS_DIR))
            add_directory(files, *path);
        else
            files_add(files, *path);
    }
    for (guint i = 0; i < files->len; i++) {
        PipelineFile *file = g_ptr_array_index(files, i);
        if (diagnostics_any(file->diagnostics))
            continue;
        file->pipeline = pipeline_load(file->path, file->diagnostics);
        if (file->pipeline)
            check_name(files, file);
    }
    return files;
}

static void print_problems(const GPtrArray *problems, const char *before)
{
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *line = diagnostic_line(g_ptr_array_index(problems, i), before);
        fprintf(stderr, "%s\n", line);
    }
}

bool files_print_problems(const GPtrArray *files)
{
    bool any = false;
    for (guint i = 0; i < files->len; i++) {
        const PipelineFile *file = g_ptr_array_index(files, i);
        print_problems(file->diagnostics->errors, NULL);
        print_problems(file->diagnostics->warnings, "warning: ");
        any = any || diagnostics_any(file->diagnostics);
    }
    return any;
}
