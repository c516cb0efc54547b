/* SPDX-License-Identifier: MIT */
/* leader.h - end the first thread of a process, as pthread_exit() in main() does; the others go on.
 */
#ifndef HP_TEST_LEADER_H
#define HP_TEST_LEADER_H

#include <sys/types.h>

/** leader_end() - the leader must be asleep in a system call. Returns when it has ended. */
void leader_end(pid_t pid);

#endif
