// SPDX-License-Identifier: MIT
/*
 * tiny_agent.c - the least agent there is, for tests/jvm/test_agent_attach.c: does what its options
 * say. It knows neither JNI nor JVMTI; Agent_OnAttach is (JavaVM *, char *options, void *reserved).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int Agent_OnAttach(void *vm, char *options, void *reserved);

static int write_loaded(const char *text)
{
	int fd = open("loaded", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	size_t len = strlen(text);

	return fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd);
}

/* "return:N", "exit", "sleep"; anything else goes to the file "loaded" in the working directory. */
int Agent_OnAttach(void *vm, char *options, void *reserved)
{
	(void)vm;
	(void)reserved;
	if (!options)
		return write_loaded("(null)");
	if (!strncmp(options, "return:", 7))
		return atoi(options + 7);
	if (!strcmp(options, "exit"))
		_exit(0);
	if (!strcmp(options, "sleep"))
		sleep(60);
	return write_loaded(options);
}
