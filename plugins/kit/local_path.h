/* Paths of options that name local files. */
#ifndef KIT_LOCAL_PATH_H
#define KIT_LOCAL_PATH_H

#include <glib.h>
#include <sf/sf.h>

/* SF_CONFIG when the option's text is a URL: open(2) would take it for a name, and "s3://bucket" make "s3:".
 * `instead` says who does take URLs; may be "". For bind: no I/O. */
SfStatus local_path_check(const char *option, const char *path, const char *instead, SfError *err);

/* The path from the root, without "." and "..". SF_CONFIG when it is relative and the working directory is no more:
 * GLib would take "/" for it. */
SfStatus local_path_absolute(const char *option, const char *path, char **out, SfError *err);

#endif
