/* SPDX-License-Identifier: MIT */
#include "lib/inside.h"

#include <sys/time.h>
#include <sys/un.h>

#include "lib/cmocka_all.h"
#include "lib/hp.h"

const char *inside_flag(const char *options)
{
	static char flag[2 * PATH_MAX];

	snprintf(flag, sizeof(flag), "-agentpath:%s%s%s", env_agent(), options ? "=" : "",
		 options ? options : "");
	return flag;
}

void inside_start(struct jvm *j, const struct jdk *jdk, const char *options)
{
	jvm_start(j, jdk, (const char *const[]){inside_flag(options), NULL},
		  (const char *const[]){"prog.Inside", NULL});
	jvm_ready(j);
}

char *inside_attach(struct jvm *j, const char *library, const char *options)
{
	char command[2 * PATH_MAX];

	snprintf(command, sizeof(command), "JVMTI.agent_load %s \"%s\"", library, options);
	return jvm_jcmd(j, command);
}

int inside_connect(struct jvm *j, int type, const char *suffix)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int n = snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "hotprobe.%d%s", j->pid, suffix);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = INSIDE_TIMEOUT_MS / 1000};

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&sa,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)))
		return fd;
	n = -errno;
	close(fd);
	return n;
}

struct lines *inside_read(struct jvm *j)
{
	int fd = inside_connect(j, SOCK_STREAM, "");
	struct timeval never = {0};

	if (fd < 0)
		jvm_fail(j, "no event stream: %s", strerror(-fd));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof(never));
	return lines_open(fd);
}

json_t *inside_next(struct lines *l, int timeout_ms)
{
	_cleanup_free_ char *line = lines_next(l, timeout_ms);
	json_t *o = line ? json_line(line) : NULL;

	if (line && !o)
		fail_msg("not JSON: %s", line);
	return o;
}

json_t *inside_until(struct lines *l, const char *event, const char *key, const char *value,
		     json_t *seen)
{
	uint64_t until = mono_ms() + INSIDE_TIMEOUT_MS;

	while (mono_ms() < until) {
		json_t *o = inside_next(l, (int)(until - mono_ms()));

		if (!o)
			break;
		if (!strcmp(json_text(o, "event"), event) &&
		    (!key || !strcmp(json_text(o, key), value)))
			return o;
		if (seen)
			json_array_append(seen, o);
		json_decref(o);
	}
	fail_msg("no event %s with %s", event, value ? value : "anything");
	return NULL;
}

void inside_send(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

size_t inside_receive(int fd, struct inside_reply *ret)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {.iov_base = &ret->m, .iov_len = sizeof(ret->m)};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;

	if (n < 0 && errno != ECONNRESET)
		fail_msg("no reply: %s", strerror(errno));
	ret->fd = -1;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&ret->fd, CMSG_DATA(c), sizeof(int));
	return n < 0 ? 0 : (size_t)n;
}

int64_t inside_request(int fd, struct inside_reply *ret, int kind, const uint64_t arg[7],
		       const void *data, size_t len)
{
	struct {
		struct hp_agent_msg m;
		char data[HP_AGENT_DATA_MAX];
	} r = {.m = {.size = (__u32)(sizeof(r.m) + len), .kind = (__u16)kind}};

	if (arg)
		memcpy(r.m.arg, arg, sizeof(r.m.arg));
	if (len)
		memcpy(r.data, data, len);
	inside_send(fd, &r, r.m.size);
	assert_int_equal(inside_receive(fd, ret), sizeof(ret->m));
	assert_int_equal(ret->m.size, sizeof(ret->m));
	assert_int_equal(ret->m.kind, kind);
	return ret->m.result;
}

int inside_controller(struct jvm *j)
{
	int fd = inside_connect(j, SOCK_SEQPACKET, ".control");
	struct inside_reply r;
	const uint64_t arg[7] = {HP_AGENT_VERSION};

	if (fd < 0)
		jvm_fail(j, "no control socket: %s", strerror(-fd));
	if (inside_request(fd, &r, HP_AGENT_HELLO, arg, NULL, 0))
		jvm_fail(j, "not welcome: %s", strerror((int)-r.m.result));
	return fd;
}

json_t *inside_replay(struct lines *l)
{
	json_t *seen = json_array();

	json_decref(inside_until(l, "replayed", NULL, NULL, seen));
	assert_string_equal(json_text(json_array_get(seen, 0), "event"), "jvm");
	return seen;
}

const json_t *inside_method(const json_t *events, const char *class, const char *name)
{
	const json_t *o;
	size_t i;

	json_array_foreach (events, i, o)
		if (!strcmp(json_text(o, "event"), "compiled") &&
		    !strcmp(json_text(o, "class"), class) && !strcmp(json_text(o, "name"), name))
			return o;
	return NULL;
}

void inside_each_jdk(void (*test)(const struct jdk *jdk))
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	for (size_t i = 0; i < n; i++) {
		if (jdks[i].altered)
			continue;
		print_message("  %s\n", jdks[i].name);
		test(&jdks[i]);
	}
}

char *inside_second_library(void)
{
	char exe[PATH_MAX], *ret = NULL;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	assert_true(n > 0);
	exe[n] = 0;
	*strrchr(exe, '/') = 0;
	assert_true(asprintf(&ret, "%s/../lib/second_agent.so", exe) > 0);
	return ret;
}
