/* Options that do nothing with the others are refused, not ignored: who set one wanted something. */
#ifndef KIT_IGNORED_H
#define KIT_IGNORED_H

#include <glib.h>
#include <sf/sf.h>

typedef struct Ignored {
    const char *option;
    bool is;         /* it is given, and has no effect */
    const char *why; /* behind "has no effect ": "on s3:// URLs" */
} Ignored;

/* SF_CONFIG: one or more of them are; each is told, a line each. */
static inline SfStatus ignored_refuse(const Ignored *rules, size_t n, SfError *err)
{
    SfError all = {0}, one;
    for (size_t i = 0; i < n; i++) {
        if (!rules[i].is)
            continue;
        sf_fail(&one, SF_CONFIG, "%s: has no effect %s; remove it", rules[i].option, rules[i].why);
        sf_fail_also(&all, &one);
    }
    return all.message[0] ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

#endif
