/* How the sanitizers that a build asks for are set up, in all programs that have libsf. */
#include <sf/error.h>

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer believes that the size of a module's thread-local block stands before it. With glibc it does not, and a
 * program that has loaded several modules may die by what it finds there. */
SF_API const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "intercept_tls_get_addr=0";
}
#endif
