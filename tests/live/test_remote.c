// SPDX-License-Identifier: MIT
/*
 * test_remote.c - a target reached by its agent: what the agent may do wrong, where it may be,
 * and what we need no right to.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/code_cache.h"
#include "lib/fake_agent.h"
#include "agent/agent_link.h"
#include "region/region_table.h"
#include "proc/maps.h"

#define SHORT_NS (200 * NSEC_PER_MSEC) /* what is waited for an agent that says nothing */
#define LONG_NS	 (60 * NSEC_PER_SEC)   /* and for one that answers, on a busy machine */
#define MAPPED	 100000		       /* of a user namespace's root, outside of it */

static struct victim victim;

/* The agent does wrong from now on, and is not waited for as long; or right. */
static void go_wrong(enum fake_wrong wrong, enum hp_agent_kind kind)
{
	bool waits = wrong == FAKE_SILENT, at_safepoint = kind == HP_AGENT_SAFEPOINT;

	agent_limit_ns = waits && !at_safepoint ? SHORT_NS : LONG_NS;
	agent_safepoint_ns = waits && at_safepoint ? SHORT_NS : LONG_NS;
	fake_agent_go_wrong(wrong, kind);
}

static int setup(void **state)
{
	(void)state;
	cache_map();
	fake_agent_map();
	go_wrong(FAKE_RIGHT, 0);
	victim_start_fn(&victim, cache_victim_agent);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	victim_stop(&victim);
	fake_agent_unmap();
	cache_unmap();
	return 0;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static struct remote *open_way(void)
{
	struct remote *w = NULL;

	assert_int_equal(remote_agent_open(victim.pid, &w), 0);
	return w;
}

static struct region *create(struct remote *w)
{
	struct region *r = NULL;
	uint64_t ns;

	assert_int_equal(region_create(w, cache_low(), cache_high(), &r, &ns), 0);
	return r;
}

/* --- an agent that does wrong ----------------------------------------------------------------- */

static int expected(enum fake_wrong wrong)
{
	return wrong == FAKE_SILENT ? -ETIMEDOUT : -EPROTO;
}

/* A reply that is too short, too long, another's, late or none: an error, and no descriptor stays.
 */
static void agent_link_refuses_replies(void **state)
{
	const enum fake_wrong wrongs[] = {FAKE_SHORT,  FAKE_KIND,   FAKE_SIZE,	 FAKE_LONG,
					  FAKE_RESULT, FAKE_SILENT, FAKE_CLOSES, FAKE_TWO_FDS};
	struct agent_ask q = {.kind = HP_AGENT_SCRATCH, .data = "x", .len = 1};
	struct agent_link *l;
	int fds = count_fds();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		go_wrong(wrongs[i], HP_AGENT_HELLO);
		/* To hang up at once is how the agent refuses somebody. */
		assert_int_equal(agent_link_open(victim.pid, &l),
				 wrongs[i] == FAKE_CLOSES ? -ECONNREFUSED : expected(wrongs[i]));
		go_wrong(FAKE_RIGHT, 0);
		assert_int_equal(agent_link_open(victim.pid, &l), 0);
		go_wrong(wrongs[i], HP_AGENT_SCRATCH);
		assert_int_equal(agent_link_ask(l, &q), expected(wrongs[i]));
		/* From now on it is of no use, whatever comes. */
		go_wrong(FAKE_RIGHT, 0);
		assert_int_equal(agent_link_ask(l, &q), expected(wrongs[i]));
		agent_link_close(l);
	}
	assert_int_equal(count_fds(), fds);
}

/* One of another version, or that takes itself for another process, is no agent of ours. */
static void agent_link_refuses_strangers(void **state)
{
	struct agent_link *l;

	(void)state;
	fake_agent->version = 1;
	assert_int_equal(agent_link_open(victim.pid, &l), -EPROTO);
	fake_agent->version = 0;
	fake_agent->pid_off = 1;
	assert_int_equal(agent_link_open(victim.pid, &l), -EPROTO);
	fake_agent->pid_off = 0;
	assert_int_equal(agent_link_open(victim.pid, &l), 0);
	assert_int_equal(l->jdk, 17);
	agent_link_close(l);
	assert_int_equal(agent_link_open(getpid(), &l), -ENOENT);
	assert_int_equal(agent_link_open(0x3fffff, &l), -ESRCH);
}

/* What comes as the target's memory must be that kind of file: reading it must end. */
static void agent_open_checks_files(void **state)
{
	const enum fake_wrong wrongs[] = {FAKE_NO_FD, FAKE_TWO_FDS, FAKE_OTHER_FILE};
	struct remote *w;
	int fds = count_fds();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		go_wrong(wrongs[i], HP_AGENT_OPEN);
		assert_int_equal(remote_agent_open(victim.pid, &w), -EPROTO);
	}
	go_wrong(FAKE_RIGHT, 0);
	w = open_way();
	assert_int_equal(view_open_file(w->view, "/proc"), -ENOENT);
	assert_int_equal(view_open_file(w->view, "/no such file"), -ENOENT);
	go_wrong(FAKE_OTHER_FILE, HP_AGENT_OPEN);
	assert_int_equal(view_open_file(w->view, "/proc/self/exe"), -ENOENT);
	remote_close(w);
	assert_int_equal(count_fds(), fds);
}

/* A file that is not our memfd is not taken for it. */
static void agent_create_checks_memfd(void **state)
{
	struct remote *w = open_way();
	struct region *r;
	uint64_t ns;

	(void)state;
	go_wrong(FAKE_OTHER_FILE, HP_AGENT_FD);
	assert_int_equal(region_create(w, cache_low(), cache_high(), &r, &ns), -EPROTO);
	go_wrong(FAKE_RIGHT, 0);
	assert_int_equal(region_close_fds(w), 0);
	remote_close(w);
}

/* After an answer that came too late the next request finds out what became of it. */
static void agent_patch_late(void **state)
{
	struct remote *w = open_way();
	struct region *r = create(w);
	size_t restored, skipped;

	(void)state;
	go_wrong(FAKE_SILENT, HP_AGENT_CALL);
	assert_int_equal(cache_divert(r, 3), -ETIMEDOUT);
	assert_int_equal(cache_divert(r, 4), -ETIMEDOUT); /* it is still at it */
	go_wrong(FAKE_RIGHT, 0);
	assert_int_equal(cache_divert(r, 4), 0);
	assert_int_equal(region_restore(r, &restored, &skipped), 0);
	assert_int_equal(restored, 2);
	assert_int_equal(region_unmap(r), 0);
	region_close(r);
	remote_close(w);
	victim_check(&victim);
}

/* Without the proof that no thread is inside, the region stays. */
static void agent_unmap_needs_safepoint(void **state)
{
	struct remote *w = open_way();
	struct region *r = create(w);
	uint8_t byte;

	(void)state;
	go_wrong(FAKE_SILENT, HP_AGENT_SAFEPOINT);
	assert_int_equal(region_unmap(r), -ETIMEDOUT);
	assert_int_equal(remote_read(w, r->base, &byte, 1), 0);
	go_wrong(FAKE_RIGHT, 0);
	assert_int_equal(region_unmap(r), 0);
	assert_int_equal(remote_read(w, r->base, &byte, 1), -EFAULT);
	region_close(r);
	remote_close(w);
}

/* Where a fault would be the target's end, a word that is not there is found before. */
static void agent_patch_never_faults(void **state)
{
	struct remote *w = open_way();
	struct region *r = create(w);
	struct patch_op ops[2] = {cache_op(r, 50), cache_op(r, 51)};

	(void)state;
	r->code_low = 0;
	r->code_high = UINT64_MAX;
	ops[1].addr = 8;
	assert_int_equal(patch_apply(r, ops, 2, NULL), -EFAULT);
	ops[1].addr = r->text; /* read, but not written */
	assert_int_equal(patch_apply(r, ops, 2, NULL), -EFAULT);
	assert_int_equal(cache_word(&victim, 50), ops[0].expect);
	assert_int_equal(region_unmap(r), 0);
	region_close(r);
	remote_close(w);
	victim_check(&victim);
}

/* --- who else is there ------------------------------------------------------------------------ */

/* The agent serves one, and one that goes by ptrace asks it too. */
static void agent_excludes_others(void **state)
{
	struct remote *w = open_way(), *other;

	(void)state;
	assert_int_equal(remote_agent_open(victim.pid, &other), -EBUSY);
	assert_int_equal(remote_ptrace_open(victim.pid, &other), -EBUSY);
	remote_close(w);
	assert_int_equal(remote_ptrace_open(victim.pid, &w), 0);
	assert_int_equal(remote_agent_open(victim.pid, &other), -EBUSY);
	remote_close(w);
	w = open_way();
	remote_close(w);
}

/* Each kind removes what an instance left that used the other, its descriptor too. */
static void ways_remove_each_others(void **state)
{
	int (*const opens[])(pid_t, struct remote **) = {remote_ptrace_open, remote_agent_open};

	(void)state;
	for (int i = 0; i < 2; i++) {
		uint64_t before = cache_word(&victim, 4);
		size_t restored, skipped;
		struct region *r;
		struct remote *w;
		pid_t holder;

		assert_int_equal(opens[i](victim.pid, &w), 0);
		r = create(w);
		assert_int_equal(cache_divert(r, 4), 0);
		region_close(r);
		remote_close(w);

		assert_int_equal(opens[!i](victim.pid, &w), 0);
		assert_int_equal(region_find(w, cache_low(), cache_high(), 0, &r, &holder), 0);
		assert_int_equal(region_restore(r, &restored, &skipped), 0);
		assert_int_equal(restored, 1);
		assert_int_equal(cache_word(&victim, 4), before);
		assert_int_equal(region_unmap(r), 0);
		region_close(r);
		assert_int_equal(region_close_fds(w), 0);
		remote_close(w);
		victim_check(&victim);
	}
}

static void late_agent(struct victim *v)
{
	victim_ready(v);
	while (!victim_shared->release)
		usleep(100);
	cache_victim_agent(v);
}

/* Someone else who holds the agent's name is not asked anything. */
static void agent_found_beside_squatter(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), len;
	struct victim v;
	struct remote *w;

	(void)state;
	fake_agent->listening = 0;
	victim_start_fn(&v, late_agent);
	len = sprintf(a.sun_path + 1, "hotprobe.%d.control", v.pid);
	assert_int_equal(
		bind(sock, (struct sockaddr *)&a,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)),
		0);
	assert_int_equal(listen(sock, 1), 0);
	v.shared->release = 1;
	victim_wait_for(&fake_agent->listening, 1);
	assert_int_equal(remote_agent_open(v.pid, &w), 0);
	remote_close(w);
	/* With its queue full, too. */
	for (int i = 0; i < 4; i++)
		assert_int_equal(remote_agent_open(v.pid, &w) ? 1 : (remote_close(w), 0), 0);
	close(sock);
	victim_stop(&v);
}

/* --- other namespaces ------------------------------------------------------------------------- */

static void in_other_net(struct victim *v)
{
	if (unshare(CLONE_NEWNET)) {
		victim_shared->calls = 1; /* not here */
		victim_ready(v);
		pause();
	}
	cache_victim_agent(v);
}

static void in_other_user(struct victim *v)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		victim_shared->calls = 1;
		victim_ready(v);
		pause();
	}
	victim_ready(v);
	while (!victim_shared->release) /* its user is mapped from outside */
		usleep(100);
	/* Another user's process is not dumpable, and not tied to its parent, until it says so. */
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0) || prctl(PR_SET_DUMPABLE, 1) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL))
		victim_error(__LINE__);
	cache_victim_agent(v);
}

static bool write_map(pid_t pid, const char *name)
{
	char path[64], text[64];
	int fd, len = sprintf(text, "0 %d 1000", MAPPED);
	bool ok;

	sprintf(path, "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, text, (size_t)len) == len;
	if (fd >= 0)
		close(fd);
	return ok;
}

static ino_t net_namespace(void)
{
	char link[64] = "";

	assert_true(readlink("/proc/self/ns/net", link, sizeof(link) - 1) > 0);
	return (ino_t)strtoul(link + strlen("net:["), NULL, 10);
}

static void check_found(struct victim *v)
{
	ino_t net = net_namespace();
	struct remote *w;
	int fds = count_fds();

	victim_wait_for(&fake_agent->listening, 1);
	assert_int_equal(remote_agent_open(v->pid, &w), 0);
	remote_close(w);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(net_namespace(), net);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* the child that went there is gone */
}

/* Names are those of a network namespace: ours stays, and the agent of another one is found. */
static void agent_found_in_other_net(void **state)
{
	struct victim v;
	bool here;

	(void)state;
	fake_agent->listening = 0;
	victim_start_fn(&v, in_other_net);
	here = !v.shared->calls;
	if (here)
		check_found(&v);
	victim_stop(&v);
	if (!here)
		skip();
}

/* Our root is nobody in another user namespace: the agent there gets its own user to see. */
static void agent_found_in_other_user(void **state)
{
	struct victim v;
	bool here;

	(void)state;
	fake_agent->listening = 0;
	victim_start_fn(&v, in_other_user);
	here = !v.shared->calls && write_map(v.pid, "uid_map") && write_map(v.pid, "gid_map");
	v.shared->release = 1;
	if (here)
		check_found(&v);
	victim_stop(&v);
	if (!here)
		skip();
}

/* --- without rights --------------------------------------------------------------------------- */

/* From now on ptrace(2) and the calls that go with it are this process's end. */
static int forbid_ptrace(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_writev, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog prog = {ARRAY_SIZE(code), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static int drop_ptrace(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		return -1;
	d[0].effective &= ~(1u << CAP_SYS_PTRACE);
	d[0].permitted &= ~(1u << CAP_SYS_PTRACE);
	return (int)syscall(SYS_capset, &h, d);
}

/* In a child: a whole session. Return: the line where it went wrong, or 0. */
static int session(bool leave)
{
	size_t restored, skipped;
	struct region *r;
	struct remote *w;
	uint64_t ns;

	if (remote_agent_open(victim.pid, &w))
		return __LINE__;
	if (region_create(w, cache_low(), cache_high(), &r, &ns))
		return __LINE__;
	if (region_run_slot0(r, 8) || cache_divert(r, 5) || cache_divert(r, 6))
		return __LINE__;
	if (leave)
		return 0;
	if (region_restore(r, &restored, &skipped) || restored != 2)
		return __LINE__;
	return region_unmap(r) ? __LINE__ : 0;
}

static int clean(void)
{
	size_t restored, skipped;
	struct region *r;
	struct remote *w;
	pid_t holder;

	if (remote_agent_open(victim.pid, &w) || region_close_fds(w))
		return __LINE__;
	if (region_find(w, cache_low(), cache_high(), 0, &r, &holder))
		return __LINE__;
	if (region_restore(r, &restored, &skipped) || restored != 2)
		return __LINE__;
	return region_unmap(r) ? __LINE__ : 0;
}

static void in_child(int (*first)(void), int (*then)(void))
{
	pid_t child = victim_fork();
	int status;

	if (!child)
		_exit(first() ? 255 : then());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status)
		fail_msg("ended with 0x%x (line %d)", status, WEXITSTATUS(status));
}

static int session_whole(void)
{
	return session(false);
}

static int session_killed(void)
{
	return session(true);
}

/* A whole session makes no call of the ptrace family. */
static void agent_makes_no_ptrace_call(void **state)
{
	(void)state;
	in_child(forbid_ptrace, session_whole);
	victim_check(&victim);
}

/* Is the victim's memory closed to one without CAP_SYS_PTRACE? */
static int is_closed(void)
{
	char path[32];

	sprintf(path, "/proc/%d/mem", victim.pid);
	return open(path, O_RDONLY) >= 0;
}

/* Without CAP_SYS_PTRACE, too; and what is left then is found through the agent alone. */
static void agent_needs_no_capability(void **state)
{
	int status;
	pid_t child;

	(void)state;
	child = victim_fork();
	if (!child)
		_exit(drop_ptrace() || is_closed());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status) /* the test has no capabilities to give up */
		skip();
	in_child(drop_ptrace, session_whole);
	in_child(drop_ptrace, session_killed);
	victim_check(&victim);
	in_child(drop_ptrace, clean);
	victim_check(&victim);
}

/* --- names ------------------------------------------------------------------------------------ */

#define remote_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		remote_test(agent_link_refuses_replies), remote_test(agent_link_refuses_strangers),
		remote_test(agent_open_checks_files),	 remote_test(agent_create_checks_memfd),
		remote_test(agent_patch_late),		 remote_test(agent_unmap_needs_safepoint),
		remote_test(agent_patch_never_faults),	 remote_test(agent_excludes_others),
		remote_test(ways_remove_each_others),	 remote_test(agent_found_beside_squatter),
		remote_test(agent_found_in_other_net),	 remote_test(agent_found_in_other_user),
		remote_test(agent_makes_no_ptrace_call), remote_test(agent_needs_no_capability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
