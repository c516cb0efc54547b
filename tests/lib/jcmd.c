/* SPDX-License-Identifier: MIT */
/*
 * jcmd.c - HotSpot's attach protocol, version 1, which JDK 17 to 25 understand: enough to send a
 * diagnostic command. The run-time packages of newer JDKs carry no jcmd, and a JVM per question
 * would be slow.
 *
 * Source: OpenJDK 17 src/jdk.attach/linux/classes/sun/tools/attach/VirtualMachineImpl.java and
 * src/hotspot/os/linux/attachListener_linux.cpp.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/cmocka_all.h"
#include "lib/jvm.h"

#define SOCKET_TIMEOUT_MS 180000

/* The JVM opens its socket when it finds this file in its working directory at a SIGQUIT. */
static int attach_trigger(struct jvm *j)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cwd/.attach_pid%d", j->pid, j->pid);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	kill(j->pid, SIGQUIT);
	return 0;
}

static int attach_connect(struct jvm *j)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	uint64_t until = mono_ms() + SOCKET_TIMEOUT_MS;
	bool triggered = false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/.java_pid%d", j->pid);
	while (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		if (!triggered && attach_trigger(j))
			jvm_fail(j, "cannot ask for the attach socket");
		triggered = true;
		if (mono_ms() > until || kill(j->pid, 0) || (j->c && !child_running(j->c))) {
			close(fd);
			return -1;
		}
		pause_ms(10);
	}
	return fd;
}

static char *read_all(int fd)
{
	size_t len = 0, cap = 1 << 20;
	char *text = malloc(cap);
	ssize_t n;

	while (text && (n = read(fd, text + len, cap - len - 1)) > 0) {
		len += (size_t)n;
		if (cap - len < 65536)
			text = realloc(text, cap *= 2);
	}
	if (!text)
		abort();
	text[len] = 0;
	return text;
}

char *jvm_jcmd(struct jvm *j, const char *command)
{
	_cleanup_free_ char *reply = NULL;
	char request[1024];
	int fd = attach_connect(j), len;

	if (fd < 0)
		jvm_fail(j, "the JVM opened no attach socket");
	/* version, operation, then always three arguments, each ended by NUL */
	len = snprintf(request, sizeof(request), "1%cjcmd%c%s%c%c%c", 0, 0, command, 0, 0, 0);
	assert_int_equal(write(fd, request, (size_t)len), len);
	reply = read_all(fd);
	close(fd);
	if (strncmp(reply, "0\n", 2))
		jvm_fail(j, "%s failed: %s", command, reply);
	return strdup(reply + 2);
}

static int code_cmp(const void *a, const void *b)
{
	const struct code *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/*
 * "196 4 0 com.shop.Cart.add(I)V [0x00007f.., 0x00007f.. - 0x00007f..]"
 * Source: OpenJDK 17 src/hotspot/share/code/codeCache.cpp, CodeCache::print_codelist().
 */
static bool code_parse(char *line, struct code *ret)
{
	unsigned long header, begin, end;
	char *open = strrchr(line, '[');
	int used = 0;

	if (!open || sscanf(open, "[%lx, %lx - %lx]", &header, &begin, &end) != 3)
		return false;
	if (sscanf(line, "%d %d %d %n", &ret->compile_id, &ret->level, &ret->state, &used) != 3)
		return false;
	open[-1] = 0;
	ret->header = header;
	ret->begin = begin;
	ret->end = end;
	ret->method = line + used;
	return true;
}

void jvm_codelist(struct jvm *j, struct codelist *ret)
{
	char *save = NULL;
	size_t cap = 1024;

	*ret = (struct codelist){.text = jvm_jcmd(j, "Compiler.codelist")};
	ret->v = calloc(cap, sizeof(*ret->v));
	for (char *line = strtok_r(ret->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (ret->n == cap)
			ret->v = reallocarray(ret->v, cap *= 2, sizeof(*ret->v));
		if (!ret->v)
			abort();
		if (!code_parse(line, &ret->v[ret->n++]))
			jvm_fail(j, "Compiler.codelist says '%s'", line);
	}
	qsort(ret->v, ret->n, sizeof(*ret->v), code_cmp);
}

void codelist_free(struct codelist *l)
{
	free(l->v);
	free(l->text);
	*l = (struct codelist){0};
}

size_t codelist_find(const struct codelist *l, const char *name, int level)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += !strncmp(l->v[i].method, name, strlen(name)) &&
		     (level < 0 || l->v[i].level == level);
	return n;
}

bool codelist_same(const struct codelist *a, const struct codelist *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].header != b->v[i].header || a->v[i].state != b->v[i].state ||
		    a->v[i].compile_id != b->v[i].compile_id)
			return false;
	return true;
}

/*
 * Is nothing compiled now, nor waiting to be? What is, stands in a line of its own between the
 * titles. Source: OpenJDK 17 src/hotspot/share/compiler/compileBroker.cpp, print_compile_queues().
 */
static bool compilers_idle(struct jvm *j)
{
	_cleanup_free_ char *text = jvm_jcmd(j, "Compiler.queue");
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strcmp(line, "Current compiles: ") && strcmp(line, "Empty") &&
		    !strstr(line, " compile queue:"))
			return false;
	return true;
}

#define SETTLE_STEP_MS 100
#define SETTLE_TIMES   3

void jvm_settle(struct jvm *j, struct codelist *ret)
{
	uint64_t until = mono_ms() + SOCKET_TIMEOUT_MS;
	struct codelist last, now;
	int same = 0;

	jvm_codelist(j, &last);
	while (same < SETTLE_TIMES) {
		bool idle;

		if (mono_ms() > until)
			jvm_fail(j, "the compilers do not come to rest");
		pause_ms(SETTLE_STEP_MS);
		idle = compilers_idle(j);
		jvm_codelist(j, &now);
		same = idle && codelist_same(&last, &now) ? same + 1 : 0;
		codelist_free(&last);
		last = now;
	}
	if (ret)
		*ret = last;
	else
		codelist_free(&last);
}
