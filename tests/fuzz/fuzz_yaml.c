/* Any bytes as a pipeline file: never a crash, and either a pipeline or a message. So the
 * bind hooks of all plugins get what no author thought of. */
#include <glib.h>
#include <string.h>

#include "fuzz.h"
#include "config/pipeline.h"

static guint64 walk(const SfValue *value)
{
    guint64 sum = (guint64) sf_value_line(value) + (guint64) sf_value_column(value);
    g_assert_true(sf_value_line(value) >= 1 && sf_value_column(value) >= 1);
    g_assert_true((sf_value_text(value) != NULL) == (sf_value_kind(value) == SF_VALUE_SCALAR));
    for (size_t i = 0; i < sf_value_size(value); i++) {
        const SfValue *key = sf_value_key(value, i);
        sum += walk(sf_value_at(value, i));
        if (key)
            g_assert_nonnull(sf_value_get(value, sf_value_text(key)));
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Document) document = yaml_load_text((const char *) data, size, "f.yaml", diagnostics);
    if (!document)
        g_assert_true(diagnostics_any(diagnostics));
    else
        g_assert_true(walk(document_root(document)) > 0);
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autoptr(Diagnostics) said = diagnostics_new();
    g_autoptr(Pipeline) pipeline = pipeline_load_text(text, "f.yaml", said);
    g_assert_true((pipeline != NULL) == !diagnostics_any(said));
    for (guint i = 0; i < said->errors->len; i++) {
        g_autofree char *message = diagnostic_line(g_ptr_array_index(said->errors, i), NULL);
        g_assert_true(g_utf8_validate(message, -1, NULL) && !strchr(message, '\n'));
    }
    return 0;
}
