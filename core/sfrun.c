/* The program: everything is in libsf, so that tests and other programs have it too. */
#include "cli/cli.h"
#include "runtime/process.h"

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer believes that the size of a module's thread-local block stands before it, which it does not with glibc:
 * with many modules it dies by what it finds there. */
SF_API const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "intercept_tls_get_addr=0";
}
#endif

int main(int argc, char **argv)
{
    process_begin();
    return cli_finish(cli_main(argc, argv));
}
