/* What an audit has found, for people and for programs. */
#ifndef COMMANDS_AUDIT_PRINT_H
#define COMMANDS_AUDIT_PRINT_H

#include "model.h"

void print_text(const Audit *audit);
void print_json(const Audit *audit);

#endif
