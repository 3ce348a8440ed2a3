/* Fault points of debug builds: SF_FAULT=point:n kills this process by SIGKILL at the n-th passage of that point. */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include "private.h"

SF_PRIVATE void fault_pass(const char *point);

#endif
