/* Status and error: the status says what the host does next, the error says why in words for a person.
 *
 * A hook returns a status and, when that is not SF_OK, SF_EMPTY or SF_END, fills the caller's SfError by sf_fail().
 * Plugins never log errors: the host does, once. Messages are lower case, without a full stop, name the user's text in
 * quotes and say what helps: "bucket 'raw' does not exist; create it or correct 'url'". No secrets in them. */
#ifndef SF_ERROR_H
#define SF_ERROR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SF_API __attribute__((visibility("default")))
#define SF_PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))
#else
#define SF_API
#define SF_PRINTF(string, first)
#endif

typedef enum SfStatus {
    SF_OK = 0,     /* done */
    SF_EMPTY = 1,  /* nothing there now: ask again (a poll without a batch, a look-up without a result) */
    SF_END = 2,    /* a bounded source has returned all that was there when it was opened */
    SF_RETRY = 3,  /* the outside is away or refuses for now: the host backs off and makes the same call again */
    SF_REJECT = 4, /* this data cannot be processed: the host sends the whole batch to the step's errors */
    SF_FENCED = 5, /* another process has moved the position on: the host drops what is open and recovers anew */
    SF_CONFIG = 6, /* the user must change the pipeline: it stops with exit status 2 */
    SF_FATAL = 7,  /* nothing helps: the pipeline stops, committed data stays as it is */
    SF_STATUS_32_BITS = INT32_MAX
} SfStatus;

#define SF_ERROR_SIZE 1024

/* Owned by the caller, who may pass NULL where a function allows it. A longer message is cut at a character. */
typedef struct SfError {
    char message[SF_ERROR_SIZE];
} SfError;

/* Writes the message (err may be NULL) and returns status, so that a failing path is one line. Any thread. */
SF_API SfStatus sf_fail(SfError *err, SfStatus status, const char *format, ...) SF_PRINTF(3, 4);
SF_API SfStatus sf_fail_v(SfError *err, SfStatus status, const char *format, va_list args) SF_PRINTF(3, 0);

/* Puts "<prefix>: " before a message that is already there. Returns status. */
SF_API SfStatus sf_fail_prefix(SfError *err, SfStatus status, const char *format, ...) SF_PRINTF(3, 4);

/* For bind, which is to find all mistakes, not the first only: adds one to those that are in `all` already (empty to
 * begin with), a line each. One that does not fit any more is left for the next `sfrun check`. Returns SF_CONFIG. */
SF_API SfStatus sf_fail_also(SfError *all, const SfError *more);

/* "ok", "retry", …: for logs and tests. Static text. */
SF_API const char *sf_status_name(SfStatus status);

/* Returns early with any status but SF_OK. Owning locals must clean up by themselves. */
#define SF_TRY(call)                                                                                                   \
    do {                                                                                                               \
        SfStatus sf_try_status_ = (call);                                                                              \
        if (sf_try_status_ != SF_OK)                                                                                   \
            return sf_try_status_;                                                                                     \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
