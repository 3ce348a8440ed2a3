/* What a flag and its value are called. */
#include "cli.h"
#include "config/option_table.h"

char *cli_flag_name(const CliFlag *flag)
{
    return g_strdelimit(g_strdup(option_name(&flag->option)), "_", '-');
}

char *cli_flag_value(const CliFlag *flag)
{
    if (flag->argument)
        return g_strdup(flag->argument);
    if (flag->option.words)
        return g_strjoinv("|", (char **) flag->option.words);
    return g_ascii_strup(option_type_name(flag->option.type), -1);
}
