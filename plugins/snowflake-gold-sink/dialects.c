/* Which dialect a driver's product speaks. */
#include "dialects.h"

const OdbcProfile *const dialect_profiles[] = {&dialect_sqlite.odbc, &dialect_postgresql.odbc, &dialect_snowflake.odbc,
                                               NULL};

static const Dialect *dialect_of(const OdbcProfile *profile)
{
    static const Dialect *const dialects[] = {&dialect_sqlite, &dialect_postgresql, &dialect_snowflake};
    for (gsize i = 0; i < G_N_ELEMENTS(dialects); i++)
        if (profile == &dialects[i]->odbc)
            return dialects[i];
    return NULL;
}

const Dialect *dialect_find(const char *product)
{
    return dialect_of(odbc_profile_by_product(dialect_profiles, product));
}

const Dialect *dialect_guess(const char *connection)
{
    return dialect_of(odbc_profile_by_driver(dialect_profiles, connection));
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
