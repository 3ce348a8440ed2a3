/* Which dialect a driver's product speaks. */
#include "dialects.h"

const OdbcProfile *const dialect_profiles[] = {&dialect_sqlite.odbc, &dialect_postgresql.odbc, &dialect_snowflake.odbc,
                                               NULL};

const Dialect *dialect_find(const char *product)
{
    static const Dialect *const dialects[] = {&dialect_sqlite, &dialect_postgresql, &dialect_snowflake};
    const OdbcProfile *profile = odbc_profile_by_product(dialect_profiles, product);
    for (gsize i = 0; i < G_N_ELEMENTS(dialects); i++)
        if (profile == &dialects[i]->odbc)
            return dialects[i];
    return NULL;
}

char *dialect_products(void)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; dialect_profiles[i]; i++) {
        const char *separator = i == 0 ? "" : dialect_profiles[i + 1] ? ", " : " and ";
        g_string_append_printf(out, "%s%s", separator, dialect_profiles[i]->product);
    }
    return g_string_free(out, FALSE);
}
