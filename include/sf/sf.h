/* Streamforge's public ABI, version 1: everything that a plugin needs. C11 and the standard headers only; C++17 takes
 * them too, but the descriptor and the option table stand in a C file, since their macros name members in an order of
 * their own. No exception may leave a hook.
 *
 * Start reading at plugin.h (what a plugin is), then option.h (its options) and batch.h (its data). Conventions: names
 * are sf_noun_verb; inputs are const, outputs `out`, the error comes last; on failure outputs stay untouched;
 * destructors accept NULL; text is UTF-8. */
#ifndef SF_H
#define SF_H

#include <sf/arrow.h>
#include <sf/error.h>
#include <sf/schema.h>
#include <sf/batch.h>
#include <sf/column.h>
#include <sf/builder.h>
#include <sf/value.h>
#include <sf/option.h>
#include <sf/plugin.h>
#include <sf/audit.h>

#endif
