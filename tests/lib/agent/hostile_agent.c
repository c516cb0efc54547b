/* SPDX-License-Identifier: MIT */
/*
 * hostile_agent.c - a JVM that plays tricks with what hotprobe puts into it. Options:
 *
 *   shrink   a thread cuts every memfd short until it is sealed
 *   maps     memfds of hotprobe's names are mapped that are not as hotprobe makes them
 *   filter   a thread waits for the file "filter", has a seccomp filter end the process at any
 *            membarrier(), and makes the file "filtered"
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <jvmti.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FDS	64
#define STEP_US 1000

static void *shrink(void *arg)
{
	for (;;)
		for (int fd = 3; fd < FDS; fd++)
			for (int s; (s = fcntl(fd, F_GET_SEALS)) >= 0 && !(s & F_SEAL_SHRINK);)
				(void)!ftruncate(fd, 0);
	return arg;
}

static void *filter(void *arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(*code), code};

	while (access("filter", F_OK))
		usleep(STEP_US);
	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	    !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog))
		close(open("filtered", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	return arg;
}

/* Not from the file's beginning; and what the layout of another version might look like. */
static int map_odd(void)
{
	const char *const names[] = {"hotprobe.1", "hotprobe.99"};

	for (int i = 0; i < 2; i++) {
		int fd = memfd_create(names[i], MFD_CLOEXEC);

		if (fd < 0 || ftruncate(fd, 8192) ||
		    mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, i ? 0 : 4096) == MAP_FAILED)
			return JNI_ERR;
		close(fd);
	}
	return JNI_OK;
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options, void *reserved)
{
	pthread_t thread;

	(void)vm, (void)reserved;
	if (!strcmp(options, "maps"))
		return map_odd();
	return pthread_create(&thread, NULL, *options == 's' ? shrink : filter, NULL) ? JNI_ERR
										      : JNI_OK;
}
