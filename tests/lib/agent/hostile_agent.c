/* SPDX-License-Identifier: MIT */
/*
 * hostile_agent.c - a JVM that plays tricks with what hotprobe puts into it, for
 * tests/jvm/test_hostile.c. Options: "shrink" has a thread cut every memfd short until it is
 * sealed; "maps" maps memfds of hotprobe's names that are not as hotprobe makes them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <jvmti.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FDS 64

static void *shrink(void *arg)
{
	for (;;)
		for (int fd = 3; fd < FDS; fd++)
			for (int s; (s = fcntl(fd, F_GET_SEALS)) >= 0 && !(s & F_SEAL_SHRINK);)
				(void)!ftruncate(fd, 0);
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
	if (!strcmp(options, "shrink"))
		return pthread_create(&thread, NULL, shrink, NULL) ? JNI_ERR : JNI_OK;
	return map_odd();
}
