/* SPDX-License-Identifier: MIT */
/* switch_table.h - the jump tables of switches, which lie in the code of a method. */
#ifndef HP_SWITCH_TABLE_H
#define HP_SWITCH_TABLE_H

#include "arch/x86_64/method_scan.h"

/**
 * switch_table_read() - the table that the `jmp *%reg` at @off takes its target from.
 * Marks its bytes and where it leads; changes the decoder's instruction.
 * Return: is it one that is understood?
 */
bool switch_table_read(struct method_scan *s, uint32_t off);

#endif
