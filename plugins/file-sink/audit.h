/* What an audit is told of an input's files. */
#ifndef FILE_SINK_AUDIT_H
#define FILE_SINK_AUDIT_H

#include <sf/sf.h>

typedef struct FilesAudit {
    uint32_t input;
    const char *files; /* directories */
    const char *positions;
    bool json; /* lines say which rows they are */
} FilesAudit;

SfStatus files_audit(const FilesAudit *all, SfAudit *audit, SfError *err);

#endif
