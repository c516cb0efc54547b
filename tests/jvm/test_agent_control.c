/* SPDX-License-Identifier: MIT */
/*
 * test_agent_control.c - the control socket of wire.h: each request does what it says, whoever may
 * not ask is refused, and nothing that comes over it hurts the JVM.
 */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/inside.h"

#define PHASE_LIVE 4 /* JVMTI_PHASE_LIVE */

static int64_t ask(int fd, int kind, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t arg[7] = {a, b, c};
	struct inside_reply r;

	inside_request(fd, &r, kind, arg, NULL, 0);
	assert_int_equal(r.fd, -1);
	return r.m.result;
}

static int64_t scratch(int fd, const void *data, size_t len)
{
	struct inside_reply r;

	return inside_request(fd, &r, HP_AGENT_SCRATCH, NULL, data, len);
}

/* --- each request ------------------------------------------------------------------------------*/

/*
 * Stores its arguments where rdi points, spoils everything it may, and returns: mov %rdi,%r14;
 * mov %rsi,(%r14); mov %rdx,8(%r14); mov %rsp,16(%r14); xor of all but rbx, rbp, rsp, r15; ret
 */
static const unsigned char spoiler[] = {
	0x49, 0x89, 0xfe, 0x49, 0x89, 0x36, 0x49, 0x89, 0x56, 0x08, 0x49, 0x89, 0x66, 0x10,
	0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x31, 0xf6, 0x31, 0xff, 0x45, 0x31, 0xc0, 0x45,
	0x31, 0xc9, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xdb, 0x45, 0x31, 0xe4, 0x45, 0x31, 0xed,
	0x45, 0x31, 0xf6, 0x0f, 0x57, 0xc0, 0x44, 0x0f, 0x57, 0xc0, 0xc3,
};

/* A page of the target that holds code, made as hotprobe makes its region. */
static uint64_t map_code(int fd, const void *code, size_t len)
{
	int64_t name = scratch(fd, "code", 5), memfd, addr;
	uint64_t arg[7] = {SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_SHARED}, number[7] = {0};
	struct inside_reply r;

	assert_true(name > 0);
	memfd = ask(fd, HP_AGENT_SYSCALL, SYS_memfd_create, (uint64_t)name, MFD_CLOEXEC);
	assert_true(memfd > 2);
	arg[5] = (uint64_t)memfd;
	number[0] = (uint64_t)memfd;
	inside_request(fd, &r, HP_AGENT_FD, number, NULL, 0);
	assert_int_equal(r.m.result, 0);
	assert_int_equal(pwrite(r.fd, code, len, 0), len);
	assert_int_equal(ftruncate(r.fd, 4096), 0);
	close(r.fd);
	addr = inside_request(fd, &r, HP_AGENT_SYSCALL, arg, NULL, 0);
	assert_true(addr > 0 && addr % 4096 == 0);
	assert_int_equal(ask(fd, HP_AGENT_SYSCALL, SYS_close, (uint64_t)memfd, 0), 0);
	return (uint64_t)addr;
}

static void check_call(struct jvm *j, int fd)
{
	uint64_t code = map_code(fd, spoiler, sizeof(spoiler)), zero[3] = {0}, got[3];
	int64_t data = scratch(fd, zero, sizeof(zero));

	assert_int_equal(ask(fd, HP_AGENT_CALL, code, (uint64_t)data, 7), 0);
	assert_int_equal(jvm_read(j, (uint64_t)data, got, sizeof(got)), 0);
	assert_int_equal(got[0], 7);
	assert_int_equal(got[1], 0);
	/* At a function's entry the stack is 8 off from a multiple of 16. */
	assert_int_equal(got[2] % 16, 8);
	assert_int_equal(ask(fd, HP_AGENT_SYSCALL, SYS_munmap, code, 4096), 0);
}

static void check_open(int fd, const char *dir)
{
	struct inside_reply r;
	char path[PATH_MAX];

	assert_int_equal(inside_request(fd, &r, HP_AGENT_OPEN, NULL, "/proc/self/maps", 15), 0);
	assert_true(r.fd >= 0);
	assert_int_equal(fcntl(r.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(r.fd);
	assert_int_equal(inside_request(fd, &r, HP_AGENT_OPEN, NULL, "/none", 5), -ENOENT);
	assert_int_equal(inside_request(fd, &r, HP_AGENT_OPEN, NULL, "a\0b", 3), -EINVAL);
	assert_int_equal(inside_request(fd, &r, HP_AGENT_OPEN, NULL, "", 0), -EINVAL);
	/* Nobody writes to this one: it must not hold up the agent. */
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(inside_request(fd, &r, HP_AGENT_OPEN, NULL, path, strlen(path)), 0);
	close(r.fd);
}

static void requests_work(const struct jdk *jdk)
{
	const uint64_t version[7] = {HP_AGENT_VERSION};
	struct inside_reply r;
	struct jvm j;
	int fd;

	inside_start(&j, jdk, NULL);
	fd = inside_controller(&j);
	assert_int_equal(inside_request(fd, &r, HP_AGENT_HELLO, version, NULL, 0), 0);
	assert_int_equal(r.m.arg[0], HP_AGENT_VERSION);
	assert_int_equal(r.m.arg[1], j.pid);
	assert_int_equal(r.m.arg[2], PHASE_LIVE);
	assert_int_equal(r.m.arg[3], jdk->version);
	check_call(&j, fd);
	check_open(fd, j.dir);
	assert_int_equal(ask(fd, HP_AGENT_SYSCALL, SYS_getpid, 0, 0), -EPERM);
	assert_int_equal(ask(fd, HP_AGENT_SYSCALL, 1ull << 32 | SYS_close, 0, 0), -EPERM);
	assert_int_equal(ask(fd, HP_AGENT_SYSCALL, SYS_close, 9999, 0), -EBADF);
	assert_int_equal(ask(fd, HP_AGENT_FD, 9999, 0, 0), -EBADF);
	assert_int_equal(ask(fd, HP_AGENT_FD, UINT64_MAX, 0, 0), -EBADF);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(fd, HP_AGENT_SAFEPOINT, 0, 0, 0), 0);
	assert_int_equal(ask(fd, HP_AGENT_GO, 0, 0, 0), 0);
	assert_int_equal(ask(fd, 999, 0, 0, 0), -EOPNOTSUPP);
	assert_int_equal(ask(fd, 0, 0, 0, 0), -EOPNOTSUPP);
	close(fd);
	free(jvm_ask(&j, "warm 1000"));
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* Every request of wire.h, with what it must refuse. */
static void control_requests(void **state _unused_)
{
	inside_each_jdk(requests_work);
}

/*
 * A descriptor that is passed on is not closed inside: that would take the application's locks on
 * the file away.
 */
static void control_keeps_file_locks(void **state _unused_)
{
	_cleanup_free_ char *path = NULL;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	uint64_t arg[7] = {0};
	struct inside_reply r;
	struct jvm j;
	int64_t number;
	int fd, own;

	inside_start(&j, jdk_or_skip("jdk17"), NULL);
	assert_true(asprintf(&path, "%s/locked", j.dir) > 0);
	free(jvm_ask(&j, "lock %s", path));
	fd = inside_controller(&j);
	number = inside_request(fd, &r, HP_AGENT_NEXT_FD, arg, path, strlen(path));
	assert_true(number > 2);
	arg[0] = (uint64_t)number + 1;
	assert_int_equal(inside_request(fd, &r, HP_AGENT_NEXT_FD, arg, path, strlen(path)),
			 -ENOENT);
	assert_int_equal(inside_request(fd, &r, HP_AGENT_NEXT_FD, arg, "", 0), -EINVAL);
	arg[0] = (uint64_t)number;
	assert_int_equal(inside_request(fd, &r, HP_AGENT_FD, arg, NULL, 0), 0);
	close(r.fd);
	own = open(path, O_RDWR | O_CLOEXEC);
	assert_true(own >= 0);
	assert_int_equal(fcntl(own, F_GETLK, &lock), 0);
	assert_int_equal(lock.l_type, F_WRLCK);
	assert_int_equal(lock.l_pid, j.pid);
	close(own);
	close(fd);
	jvm_quit(&j);
}

/* A safepoint counts only when one really was: HotSpot's own log must show each. */
static void safepoint_is_one(const struct jdk *jdk)
{
	_cleanup_free_ char *text = NULL;
	size_t n = 0, cap = 0;
	struct jvm j;
	FILE *f;
	int fd;

	jvm_start(&j, jdk,
		  (const char *const[]){inside_flag(NULL), "-Xlog:safepoint:file=safepoints", NULL},
		  (const char *const[]){"prog.Inside", NULL});
	jvm_ready(&j);
	fd = inside_controller(&j);
	for (int i = 0; i < 50; i++)
		assert_int_equal(ask(fd, HP_AGENT_SAFEPOINT, 0, 0, 0), 0);
	close(fd);
	assert_true(asprintf(&text, "%s/safepoints", j.dir) > 0);
	jvm_quit(&j);
	f = fopen(text, "re");
	assert_non_null(f);
	while (getline(&text, &cap, f) > 0)
		n += strstr(text, "GetAllStackTraces") != NULL;
	fclose(f);
	assert_true(n >= 50);
}

static void control_safepoint_in_log(void **state _unused_)
{
	inside_each_jdk(safepoint_is_one);
}

/* --- who may not -------------------------------------------------------------------------------*/

/* Send these bytes as a new peer's first message; the connection must end, the reply be -EPROTO. */
static void check_malformed(struct jvm *j, bool hello_first, const void *bytes, size_t len)
{
	int fd = hello_first ? inside_controller(j) : inside_connect(j, SOCK_SEQPACKET, ".control");
	struct inside_reply r;

	assert_true(fd >= 0);
	inside_send(fd, bytes, len);
	assert_int_equal(inside_receive(fd, &r), sizeof(r.m));
	assert_int_equal(r.m.result, -EPROTO);
	assert_int_equal(inside_receive(fd, &r), 0);
	close(fd);
}

/* Sizes that are not what they say end the connection; the next controller is welcome. */
static void control_malformed(void **state _unused_)
{
	struct {
		struct hp_agent_msg m;
		char data[HP_AGENT_DATA_MAX + 8];
	} r = {.m = {.size = sizeof(r.m), .kind = HP_AGENT_SAFEPOINT}};
	struct jvm j;
	int fd;

	inside_start(&j, jdk_or_skip("jdk17"), NULL);
	for (int hello = 0; hello < 2; hello++) {
		check_malformed(&j, hello, &r, 1);
		check_malformed(&j, hello, &r, sizeof(r.m) - 1);
		check_malformed(&j, hello, &r, sizeof(r.m) + 1);
		r.m.size = UINT32_MAX;
		check_malformed(&j, hello, &r, sizeof(r.m));
		r.m.size = 0;
		check_malformed(&j, hello, &r, sizeof(r.m));
		r.m.kind = HP_AGENT_SCRATCH;
		r.m.size = sizeof(r.m) + HP_AGENT_DATA_MAX + 1;
		check_malformed(&j, hello, &r, r.m.size);
		check_malformed(&j, hello, &r, sizeof(r));
		r.m.kind = HP_AGENT_SAFEPOINT;
		r.m.size = sizeof(r.m) + 4; /* data where none belongs */
		check_malformed(&j, hello, &r, r.m.size);
		r.m.size = sizeof(r.m);
	}
	check_malformed(&j, false, &r, sizeof(r.m)); /* not a HELLO first */
	fd = inside_controller(&j);
	memset(r.data, 'x', HP_AGENT_DATA_MAX);
	assert_true(scratch(fd, r.data, HP_AGENT_DATA_MAX) > 0);
	close(fd);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* One controller at a time; when it is gone, the next one. Silent connections hold up nobody. */
static void control_one_at_a_time(void **state _unused_)
{
	const uint64_t version[7] = {HP_AGENT_VERSION};
	int silent[12], first, second;
	struct inside_reply r;
	uint64_t until;
	struct jvm j;

	inside_start(&j, jdk_or_skip("jdk17"), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		silent[i] = inside_connect(&j, SOCK_SEQPACKET, ".control");
	first = inside_controller(&j);
	second = inside_connect(&j, SOCK_SEQPACKET, ".control");
	assert_int_equal(inside_request(second, &r, HP_AGENT_HELLO, version, NULL, 0), -EBUSY);
	assert_int_equal(r.m.arg[1], j.pid);
	assert_int_equal(inside_receive(second, &r), 0);
	close(second);
	assert_int_equal(ask(first, HP_AGENT_SAFEPOINT, 0, 0, 0), 0);
	close(first);
	until = mono_ms() + INSIDE_TIMEOUT_MS;
	for (;;) {
		int64_t result;

		second = inside_connect(&j, SOCK_SEQPACKET, ".control");
		result = inside_request(second, &r, HP_AGENT_HELLO, version, NULL, 0);
		if (!result)
			break;
		assert_int_equal(result, -EBUSY);
		assert_true(mono_ms() < until);
		close(second);
		pause_ms(10);
	}
	assert_int_equal(ask(second, HP_AGENT_SAFEPOINT, 0, 0, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		close(silent[i]);
	close(second);
	jvm_quit(&j);
}

/* Return: exit status of a child that is user @uid and connects: 0 if it is hung up on. */
static int hung_up_on(struct jvm *j, uid_t uid, int type, const char *suffix)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct hp_agent_msg m = {.size = sizeof(m), .kind = HP_AGENT_HELLO};
		struct pollfd p = {.events = POLLIN};
		int fd = -1;

		if (!setgroups(0, NULL) && !setgid(uid) && !setuid(uid))
			fd = inside_connect(j, type, suffix);
		if (fd < 0)
			_exit(2);
		send(fd, &m, sizeof(m), MSG_NOSIGNAL);
		p.fd = fd;
		poll(&p, 1, INSIDE_TIMEOUT_MS);
		_exit(recv(fd, &m, sizeof(m), MSG_DONTWAIT) > 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Another user gets nothing from either socket; the process's own user and root do. */
static void sockets_refuse_other_users(void **state _unused_)
{
	struct jvm j;

	test_needs_root();
	inside_start(&j, jdk_or_skip("jdk17"), NULL);
	assert_int_equal(hung_up_on(&j, 65534, SOCK_STREAM, ""), 0);
	assert_int_equal(hung_up_on(&j, 65534, SOCK_SEQPACKET, ".control"), 0);
	assert_int_equal(hung_up_on(&j, 0, SOCK_STREAM, ""), 1);
	assert_int_equal(hung_up_on(&j, 0, SOCK_SEQPACKET, ".control"), 1);
	jvm_quit(&j);
}

/* --- a launcher --------------------------------------------------------------------------------*/

static int launcher_listen(char *option, size_t len)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int n = snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "hp-test.%d", getpid());

	snprintf(option, len, "wait=hp-test.%d", getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&sa,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)),
			 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* The JVM says who it is, and stands still. Return: the connection. */
static int launcher_accept(int l, struct jvm *j)
{
	struct hp_agent_msg m;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(recv(fd, &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(m.size, sizeof(m));
	assert_int_equal(m.kind, HP_AGENT_HELLO);
	assert_int_equal(m.arg[0], HP_AGENT_VERSION);
	assert_int_equal(m.arg[1], j->pid);
	assert_int_equal(m.arg[3], j->jdk->version);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len), 0);
	assert_int_equal(peer.pid, j->pid);
	return fd;
}

static void start_waiting(struct jvm *j, const struct jdk *jdk, const char *option)
{
	jvm_start(j, jdk, (const char *const[]){inside_flag(option), NULL},
		  (const char *const[]){"prog.Inside", NULL});
}

static void launcher_says_go(const struct jdk *jdk)
{
	char option[64];
	struct jvm j;
	int l = launcher_listen(option, sizeof(option)), fd, control;

	start_waiting(&j, jdk, option);
	fd = launcher_accept(l, &j);
	control = inside_controller(&j);
	/* It is held at VMStart: no Java runs, no safepoint can be had, all else works. */
	assert_int_equal(ask(control, HP_AGENT_SAFEPOINT, 0, 0, 0), -EAGAIN);
	check_call(&j, control);
	assert_null(child_line(j.c, 300));
	assert_int_equal(ask(control, HP_AGENT_GO, 0, 0, 0), 0);
	jvm_ready(&j);
	assert_int_equal(ask(control, HP_AGENT_SAFEPOINT, 0, 0, 0), 0);
	close(control);
	close(fd);
	close(l);
	jvm_quit(&j);
}

/* With a launcher the JVM waits before its first Java instruction, and goes on when told. */
static void wait_until_go(void **state _unused_)
{
	inside_each_jdk(launcher_says_go);
}

/* Return: milliseconds that a JVM needs when its launcher dies; it would be held for 10000. */
static uint64_t ready_without_launcher(int l, const struct jdk *jdk, const char *option)
{
	uint64_t start, took;
	struct jvm j;
	int fd;

	start_waiting(&j, jdk, option);
	fd = launcher_accept(l, &j);
	assert_null(child_line(j.c, 100));
	start = mono_ms();
	close(fd);
	jvm_ready(&j);
	took = mono_ms() - start;
	jvm_quit(&j);
	return took;
}

#define DEATHS_TRIED 5 /* a busy machine may be slow to start a JVM, but not each time */

/* A launcher that dies lets the JVM go; one that is silent holds it for ten seconds at most. */
static void wait_launcher_fails(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	_cleanup_free_ char *errors = NULL;
	uint64_t start, held;
	char option[64];
	struct jvm j;
	int l = launcher_listen(option, sizeof(option)), fd, tries = 0;

	while (ready_without_launcher(l, jdk, option) >= 9000)
		assert_true(++tries < DEATHS_TRIED);

	start = mono_ms();
	start_waiting(&j, jdk, option);
	fd = launcher_accept(l, &j);
	held = mono_ms();
	jvm_ready(&j);
	/* Its time begins somewhere between the two. */
	assert_true(mono_ms() - start >= 9000);
	assert_true(mono_ms() - held <= 30000);
	close(fd);
	close(l);
	jvm_quit(&j);

	start_waiting(&j, jdk, option);
	jvm_ready(&j);
	errors = child_errors(j.c);
	assert_non_null(strstr(errors, "nobody waits at @hp-test."));
	jvm_quit(&j);
}

/* --- forks and deaths --------------------------------------------------------------------------*/

static pid_t pid_in(const struct jvm *j, const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	int pid = 0;

	assert_true(asprintf(&path, "%s/%s", j->dir, name) > 0);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	return pid;
}

/* Both names must go, soon: the JVM is ending. */
static void check_gone(struct jvm *j)
{
	uint64_t until = mono_ms() + INSIDE_TIMEOUT_MS;
	int stream, control;

	do {
		pause_ms(10);
		stream = inside_connect(j, SOCK_STREAM, "");
		control = inside_connect(j, SOCK_SEQPACKET, ".control");
		close(stream);
		close(control);
	} while ((stream >= 0 || control >= 0) && mono_ms() < until);
	assert_int_equal(stream, -ECONNREFUSED);
	assert_int_equal(control, -ECONNREFUSED);
}

/* A child the JVM forks and that never calls exec() answers nobody: the names go with the JVM. */
static void forked_child_is_silent(void **state _unused_)
{
	_cleanup_free_ char *second = inside_second_library();
	struct lines *l;
	struct jvm j;
	pid_t child;

	inside_start(&j, jdk_or_skip("jdk17"), "events=told");
	l = inside_read(&j);
	json_decref(inside_until(l, "replayed", NULL, NULL, NULL));
	free(inside_attach(&j, second, "fork"));
	child = pid_in(&j, "forked");
	/* Nor does it hold a reader's connection open. */
	child_close_stdin(j.c);
	json_decref(inside_until(l, "vm_death", NULL, NULL, NULL));
	assert_null(inside_next(l, INSIDE_TIMEOUT_MS));
	lines_close(l);
	check_gone(&j);
	assert_int_equal(kill(child, 0), 0);
	kill(child, SIGKILL);
	jvm_free(&j);
}

/* Requests without end in a child, until the connection ends. */
static pid_t hammer(struct jvm *j, int kind)
{
	pid_t child = fork();
	int fd;

	if (child)
		return child;
	close_range(3, ~0u, 0); /* the JVM's stdin must end with its other end in the test */
	fd = inside_connect(j, SOCK_SEQPACKET, ".control");
	for (int k = HP_AGENT_HELLO;; k = kind) {
		struct hp_agent_msg m = {.size = sizeof(m), .kind = (__u16)k};

		if (send(fd, &m, sizeof(m), MSG_NOSIGNAL) < 0 || recv(fd, &m, sizeof(m), 0) <= 0)
			_exit(0);
		if (m.result && m.result != -ESRCH)
			_exit(1);
	}
}

static void death_amid_requests(const struct jdk *jdk)
{
	for (int i = 0; i < 4; i++) {
		struct lines *l;
		struct jvm j;
		int status;
		pid_t child;

		inside_start(&j, jdk, "events=told");
		child = hammer(&j, i % 2 ? HP_AGENT_SAFEPOINT : HP_AGENT_GO);
		free(jvm_ask(&j, "threads 50"));
		l = inside_read(&j); /* its replay is under way when the end comes */
		jvm_quit(&j);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		lines_close(l);
	}
}

/* The VM may end at any moment, amid requests and replays: exit status 0, and no crash. */
static void death_at_any_moment(void **state _unused_)
{
	inside_each_jdk(death_amid_requests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(control_requests),
		jvm_test(control_safepoint_in_log),
		jvm_test(control_keeps_file_locks),
		jvm_test(control_malformed),
		jvm_test(control_one_at_a_time),
		jvm_test(sockets_refuse_other_users),
		jvm_test(wait_until_go),
		jvm_test(wait_launcher_fails),
		jvm_test(forked_child_is_silent),
		jvm_test(death_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
