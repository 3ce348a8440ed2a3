/* The program: everything is in libsf, so that tests and other programs have it too. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_finish(cli_main(argc, argv));
}
