/* The inside of SfValue and Document: for the YAML reader, and for the readers of options and pipelines. */
#ifndef CORE_VALUE_H
#define CORE_VALUE_H

#include "document.h"

struct SfValue {
    SfValueKind kind;
    int line; /* 1-based, likewise column; of an empty value: its key's */
    int column;
    bool plain;   /* a scalar without quotes */
    bool blank;   /* null because nothing at all stands there, not even ~ */
    bool bad;     /* has been complained about: whatever it says, it says no more */
    bool tainted; /* it, or something in it, is bad */
    bool open;    /* being read: an alias to it would be endless */
    guint weight; /* nodes in it, aliases followed */
    guint height; /* levels of lists and maps in it */
    const char *file;
    char *text;
    GPtrArray *keys;  /* SfValue *, of a map */
    GPtrArray *items; /* SfValue *, of a list or a map */
};

struct Document {
    char *name;
    GPtrArray *values; /* SfValue *: owns every node, shared ones once */
    const SfValue *root;
    gsize replaced; /* bytes of scalars with environment references */
};

Document *document_new(const char *name);

/* A node of the document's, at the place. */
SfValue *document_add(Document *document, SfValueKind kind, int line, int column);

#endif
