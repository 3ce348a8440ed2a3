/* Which profile a connection string or a product is of. */
#include "profile.h"

#include <string.h>

#include "keyword.h"

static bool profile_has_driver(const OdbcProfile *profile, const char *low)
{
    for (const char *const *part = profile->drivers; *part; part++)
        if (strstr(low, *part))
            return true;
    return false;
}

const OdbcProfile *odbc_profile_by_driver(const OdbcProfile *const *profiles, const char *connection)
{
    g_autofree char *driver = odbc_setting(connection, "Driver");
    g_autofree char *low = g_ascii_strdown(driver ? driver : "", -1);
    for (; profiles && *profiles; profiles++)
        if (profile_has_driver(*profiles, low))
            return *profiles;
    return NULL;
}

const OdbcProfile *odbc_profile_by_product(const OdbcProfile *const *profiles, const char *product)
{
    for (; profiles && *profiles; profiles++)
        if (g_ascii_strncasecmp(product, (*profiles)->product, strlen((*profiles)->product)) == 0)
            return *profiles;
    return NULL;
}
