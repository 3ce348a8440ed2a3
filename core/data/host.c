/* The host's services that format text; the rest are inline calls in plugin.h. */
#include <glib.h>
#include <sf/audit.h>

/* Causes and log lines quote data, which need not be UTF-8; what reads them (an errors column, JSON logs) insists on
 * it. */
static char *format_valid(const char *format, va_list args) G_GNUC_PRINTF(1, 0);

static char *format_valid(const char *format, va_list args)
{
    char *text = g_strdup_vprintf(format, args);
    if (g_utf8_validate(text, -1, NULL))
        return text;
    g_autofree char *broken = text;
    return g_utf8_make_valid(broken, -1);
}

void sf_log(SfNode *node, SfLogLevel level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = format_valid(format, args);
    va_end(args);
    node->host->log(node, level, message);
}

void sf_reject(SfNode *node, const SfBatch *batch, int64_t row, const char *cause, ...)
{
    va_list args;
    va_start(args, cause);
    g_autofree char *text = format_valid(cause, args);
    va_end(args);
    node->host->reject(node, batch, row, text);
}

static void audit_find(SfAudit *audit, SfAuditKind kind, const char *place, const char *format, va_list args)
    G_GNUC_PRINTF(4, 0);

static void audit_find(SfAudit *audit, SfAuditKind kind, const char *place, const char *format, va_list args)
{
    g_autofree char *message = format_valid(format, args);
    g_autofree char *valid = place ? g_utf8_make_valid(place, -1) : NULL;
    audit->find(audit, kind, valid, message);
}

void sf_audit_fault(SfAudit *audit, const char *place, const char *message, ...)
{
    va_list args;
    va_start(args, message);
    audit_find(audit, SF_AUDIT_FAULT, place, message, args);
    va_end(args);
}

void sf_audit_orphan(SfAudit *audit, const char *place, const char *message, ...)
{
    va_list args;
    va_start(args, message);
    audit_find(audit, SF_AUDIT_ORPHAN, place, message, args);
    va_end(args);
}

void sf_audit_unknown(SfAudit *audit, const char *place, const char *message, ...)
{
    va_list args;
    va_start(args, message);
    audit_find(audit, SF_AUDIT_UNKNOWN, place, message, args);
    va_end(args);
}

void sf_audit_note(SfAudit *audit, const char *place, const char *message, ...)
{
    va_list args;
    va_start(args, message);
    audit_find(audit, SF_AUDIT_NOTE, place, message, args);
    va_end(args);
}
