/* The last words of a process that a plugin ends: by a crash, or by exit(). */
#ifndef CORE_CRASH_H
#define CORE_CRASH_H

/* Once, at start. Signals that something handles already (a sanitizer) are left to it. */
void crash_watch(void);

/* A plugin's name in the last words of an abort; false: no plugin is in it. */
void crash_name_abort(void);

#endif
