/* Claims a directory by a small file that names its owner. Names that begin with an underscore are hidden from
 * readers, as in Spark. */
#include "folder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include "names.h"

static SfStatus make_directory(const char *path, SfError *err)
{
    if (g_mkdir_with_parents(path, 0777) == 0)
        return SF_OK;
    return sf_fail(err, SF_RETRY, "cannot create directory '%s': %s", path, g_strerror(errno));
}

SfStatus folder_claim(SfNode *node, const char *path, SfError *err)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *marker = g_build_filename(path, "_streamforge", NULL);
    g_autofree char *owner = g_strdup_printf("step %s of pipeline %s", node->step, node->pipeline);
    g_autofree char *text = g_strdup_printf("%s\n%s\n", owner, node->n_inputs > 1 ? "several inputs" : "one input");
    g_autofree char *found = NULL;
    SF_TRY(make_directory(path, err));
    if (!g_file_test(marker, G_FILE_TEST_EXISTS) &&
        !g_file_set_contents_full(marker, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666,
                                  &error))
        return sf_fail(err, SF_RETRY, "cannot write to directory '%s': %s", path, error->message);
    if (!g_file_get_contents(marker, &found, NULL, &error))
        return sf_fail(err, SF_RETRY, "cannot read '%s': %s", marker, error->message);
    if (strcmp(found, text) == 0)
        return SF_OK;
    g_auto(GStrv) lines = g_strsplit(found, "\n", 3);
    if (lines[0] && strcmp(lines[0], owner) == 0)
        return sf_fail(err, SF_CONFIG,
                       "directory '%s' was begun with %s; a step that gets more or fewer needs a new directory", path,
                       lines[1] ? lines[1] : "other inputs");
    return sf_fail(err, SF_CONFIG, "directory '%s' belongs to %s; every step needs a directory of its own", path,
                   lines[0] ? lines[0] : "nobody");
}

void folder_places(const SfNode *node, const char *path, size_t input, char **files, char **positions)
{
    g_autofree char *name = node->n_inputs > 1 ? name_key(node->inputs[input]) : NULL;
    *files = g_build_filename(path, name, NULL);
    *positions = g_build_filename(path, "_positions", name, NULL);
}

SfStatus folder_of_input(SfNode *node, const char *path, size_t input, char **files, char **positions, SfError *err)
{
    g_autofree char *data = NULL, *state = NULL;
    folder_places(node, path, input, &data, &state);
    SF_TRY(make_directory(data, err));
    SF_TRY(make_directory(state, err));
    *files = g_steal_pointer(&data);
    *positions = g_steal_pointer(&state);
    return SF_OK;
}
