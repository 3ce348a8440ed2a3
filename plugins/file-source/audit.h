/* What an audit is told of files. */
#ifndef FILE_SOURCE_AUDIT_H
#define FILE_SOURCE_AUDIT_H

#include "reader.h"

typedef struct FileAudit {
    const char *path;
    const char *topic; /* or NULL */
    Memory *memory;    /* is not written */
    ReaderLimits limits;
} FileAudit;

/* Lines of all files that are there now; in a deep audit the lines themselves. */
SfStatus file_audit(const FileAudit *all, SfAudit *audit, SfError *err);

#endif
