/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the one contract between the agent inside a JVM and hotprobe outside.
 *
 * Includes nothing: fixed widths come from <linux/types.h>, included before. The agent listens on
 * two sockets in the abstract namespace (nothing is left behind when the process dies), where PID
 * is what the process itself sees as its own:
 *
 *   @hotprobe.PID          stream: JSON lines for whoever connects (docs/protocol.md)
 *   @hotprobe.PID.control  seqpacket: the requests and replies below, one message each, in turns
 *
 * When two PID namespaces share a network namespace, such a name may be taken: then a number is
 * appended, "@hotprobe.PID.1" and so on up to HP_AGENT_NAMES_MAX - 1, then a random one of 16
 * hexadecimal digits. Anybody may take a name: the kernel tells whose a socket is (sock_diag(7)),
 * the peer's credentials do it again. Both sockets accept root and the process's own user, as
 * HotSpot's attach listener does, and nobody else.
 *
 * Either end may be hostile to the other: sizes are checked before any cast.
 */
#ifndef HP_WIRE_H
#define HP_WIRE_H

#define HP_AGENT_VERSION   1
#define HP_AGENT_NAMES_MAX 8
#define HP_AGENT_DATA_MAX  4096 /* bytes behind a request or reply */

enum hp_agent_kind {
	/*
	 * First on each connection. arg[0]: HP_AGENT_VERSION of the client.
	 * Result 0, or -EBUSY if another controller is connected; arg[0] version, arg[1] PID as the
	 * process sees it, arg[2] JVMTI phase (jvmtiPhase), arg[3] JDK feature version.
	 *
	 * The agent itself sends one, filled in like the reply, to the launcher's socket (option
	 * wait), and waits until the launcher closes the connection. A result below 0: the agent is
	 * not at work, and the data says why.
	 */
	HP_AGENT_HELLO = 1,
	/*
	 * arg[0] number, arg[1..6] arguments. Only memfd_create, mmap, munmap, membarrier and
	 * close; -EPERM for others. Result as from the kernel.
	 */
	HP_AGENT_SYSCALL = 2,
	/* Data is kept, until the next one, at the address that is the result. */
	HP_AGENT_SCRATCH = 3,
	/*
	 * Call the code at arg[0] with arg[1..3] in rdi, rsi, rdx; it may change r12 to r14.
	 * Result 0.
	 */
	HP_AGENT_CALL = 4,
	/* Result 0 and a descriptor: the process's own, number arg[0]. */
	HP_AGENT_FD = 5,
	/* Result 0 and a descriptor: the file whose path is the data, opened read-only. */
	HP_AGENT_OPEN = 6,
	/*
	 * Result 0 when a safepoint has begun and ended since: no Java thread is where it was in
	 * code that does not poll. -EAGAIN before the VM is initialised, -ESRCH after its death.
	 */
	HP_AGENT_SAFEPOINT = 7,
	/* Let a JVM go on that waits at its start (option wait). Result 0. */
	HP_AGENT_GO = 8,
	/*
	 * Result: the lowest of the process's descriptors, from arg[0] on, whose link in /proc
	 * reads as the data; -ENOENT if there is none.
	 */
	HP_AGENT_NEXT_FD = 9,
	/*
	 * Does a seccomp filter allow what is asked for with HP_AGENT_SYSCALL and _CALL? Result 0,
	 * also without a filter; -EPERM: arg[0] is the number of a system call that is not allowed,
	 * arg[1] the error that it fails with, or 0 if it ends the process or gets no answer: then
	 * those two requests fail with -EPERM, too. Other errors: it could not be tried.
	 */
	HP_AGENT_TRY = 10,
};

struct hp_agent_msg {
	__u32 size; /* of the whole message, data included */
	__u16 kind; /* enum hp_agent_kind; a reply repeats the request's */
	__u16 pad;
	__s64 result; /* replies: >= 0, or -errno */
	__u64 arg[7];
};

_Static_assert(sizeof(struct hp_agent_msg) == 72, "hp_agent_msg");

#endif
