/* Which dialect a driver's product speaks. */
#include "dialects.h"

#include <string.h>

const Dialect *dialect_find(const char *product)
{
    static const Dialect *const dialects[] = {&dialect_sqlite, &dialect_postgresql, &dialect_snowflake};
    for (gsize i = 0; i < G_N_ELEMENTS(dialects); i++)
        if (g_ascii_strncasecmp(product, dialects[i]->product, strlen(dialects[i]->product)) == 0)
            return dialects[i];
    return NULL;
}
