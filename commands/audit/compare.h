/* The equation of every input of every sink. */
#ifndef COMMANDS_AUDIT_COMPARE_H
#define COMMANDS_AUDIT_COMPARE_H

#include "model.h"

/* Adds lines, and findings where it does not hold. */
void compare_all(Audit *audit);

#endif
