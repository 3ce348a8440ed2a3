/* The program: everything is in libsf, so that tests and other programs have it too. */
#include "cli/cli.h"
#include "runtime/process.h"

int main(int argc, char **argv)
{
    process_begin();
    return cli_finish(cli_main(argc, argv));
}
