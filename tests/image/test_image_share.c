// SPDX-License-Identifier: MIT
/*
 * test_image_share.c - traces of native images beside those who share the file or the process with
 * them: other instances, plain uprobes, tracers, programs that replace each other, policies. No
 * process is hurt, and in the end every byte of its text is as in its file.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/image_run.h"
#include "lib/image_text.h"
#include "lib/image_work.h"
#include "lib/leader.h"
#include "lib/jvm.h"
#include "lib/plain.h"

/* Methods that only run when something is asked. */
#define PARSER	"org.pkl.core.parser.**.*"
#define REFUSER "refuse-writable-text"

/* --- plain uprobes ---------------------------------------------------------------------------- */

/* File offsets of the first instructions of the methods that @spec asks for, at most @max. */
static size_t offsets_of(const char *path, const char *spec, uint64_t *ret, size_t max)
{
	json_t *list = hp_json((const char *[]){"methods", "--json", "-x", path, spec, NULL}, 0),
	       *o;
	size_t i, n = 0;

	json_array_foreach (list, i, o)
		if (n < max)
			ret[n++] = json_addr(o, "offset");
	json_decref(list);
	assert_true(n > 0);
	return n;
}

/* --- two at once ------------------------------------------------------------------------------ */

static const char *const count_parser[] = {"--count-only", PARSER, NULL};

/* @x: of all processes, else of @pid. */
static struct child *begin(const char *path, pid_t pid, bool x)
{
	return x ? image_trace(path, 0, count_parser, NULL)
		 : image_trace(path, pid, count_parser, NULL);
}

static void in_order(const char *path, bool x_first_in, bool x_first_out)
{
	struct child *c = repl_start(path, NULL), *hp[2];
	json_int_t hits[2];

	hp[0] = begin(path, child_pid(c), x_first_in);
	hp[1] = begin(path, child_pid(c), !x_first_in);
	repl_ask(c, "let (x = 5600) x + 78", "5678");
	trace_end(hp[x_first_in != x_first_out], SIGINT, "interrupted", &hits[0]);
	repl_ask(c, "1 + 1", "2");
	trace_end(hp[x_first_in == x_first_out], SIGINT, "interrupted", &hits[1]);
	image_text_check(child_pid(c));
	assert_true(hits[0] > 0 && hits[1] > hits[0]);
	repl_end(c);
}

/* -x and -p on one process, in any order: both see the calls, and nothing stays. */
static void share_with_another_instance(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22");

	for (int order = 0; order < 4; order++)
		in_order(path, order & 1, order & 2);
}

/* Both see the same calls. */
static void share_counts_with_another_instance(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22");
	struct child *c = repl_start(path, NULL), *x, *p;
	json_int_t hits[2];

	for (int round = 0; round < 2; round++) {
		p = round ? begin(path, child_pid(c), false) : NULL;
		x = begin(path, 0, true);
		p = p ? p : begin(path, child_pid(c), false);
		repl_ask(c, "let (x = 5600) x + 78", "5678");
		image_await_input(c);
		trace_end(p, SIGINT, "interrupted", &hits[0]);
		trace_end(x, SIGINT, "interrupted", &hits[1]);
		assert_int_equal(hits[0], hits[1]);
		assert_true(hits[0] > 10);
		image_text_check(child_pid(c));
	}
	repl_end(c);
}

/* A second -p is refused with the PID of the first, which goes on. */
static void share_second_is_refused(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22");
	struct child *c = repl_start(path, NULL), *hp;
	char pid[16], first[16];
	static const char *const commands[] = {"trace", "clean"};
	json_int_t hits;
	pid_t helpers[8];
	size_t nhelpers;

	hp = hp_trace(child_pid(c), count_parser);
	json_decref(hp_attached(hp));
	snprintf(pid, sizeof(pid), "%d", child_pid(c));
	snprintf(first, sizeof(first), "PID %d:", child_pid(hp));
	nhelpers = child_descendants(child_pid(hp), helpers, ARRAY_SIZE(helpers));
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct hp_result r;
		char helper[16];
		bool named;

		hp_run(&r, (const char *const[]){commands[i], "-p", pid, i ? NULL : PARSER, NULL});
		hp_result_check(&r, 1);
		named = strstr(r.err, first);
		for (size_t k = 0; k < nhelpers && !named; k++) {
			snprintf(helper, sizeof(helper), "PID %d:", helpers[k]);
			named = strstr(r.err, helper);
		}
		if (!named)
			fail_msg("'%s' names neither %s nor a process of its", r.err, first);
		hp_result_free(&r);
	}
	repl_ask(c, "1 + 1", "2");
	trace_end(hp, SIGINT, "interrupted", &hits);
	assert_true(hits > 0);
	image_text_check(child_pid(c));
	repl_end(c);
}

/* --- beside plain uprobes --------------------------------------------------------------------- */

#define PLAIN_MAX 40

static void with_plain(const char *path, bool plain_first_in, bool plain_first_out)
{
	struct child *c = repl_start(path, NULL), *hp = NULL;
	struct plain plain[PLAIN_MAX];
	uint64_t offsets[PLAIN_MAX], seen = 0;
	size_t n = offsets_of(path, PARSER, offsets, PLAIN_MAX);
	json_int_t hits;

	for (int step = 0; step < 2; step++) {
		if (!step == plain_first_in)
			for (size_t i = 0; i < n; i++)
				plain_open(&plain[i], path, offsets[i]);
		else
			hp = begin(path, child_pid(c), false);
	}
	repl_ask(c, "let (x = 5600) x + 78", "5678");
	for (int step = 0; step < 2; step++) {
		if (!step == plain_first_out)
			for (size_t i = 0; i < n; i++)
				seen += plain_close(&plain[i]);
		else
			trace_end(hp, SIGINT, "interrupted", &hits);
		repl_ask(c, "2 + 2", "4");
	}
	assert_true(seen > 0 && hits >= (json_int_t)seen);
	image_text_check(child_pid(c));
	repl_end(c);
}

/* Plain uprobes on the first instructions of the probed methods, in any order. */
static void share_with_plain_uprobes(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22");

	for (int order = 0; order < 4; order++)
		with_plain(path, order & 1, order & 2);
}

/* Where the first jump into a region is in the file; 0: there is none. */
static uint64_t find_jump(pid_t pid, const char *path)
{
	struct image_text t;
	json_t *list = hp_json((const char *[]){"methods", "--json", "-x", path, PARSER, NULL}, 0),
	       *o;
	uint64_t found = 0;
	size_t i;

	image_text_look(pid, &t);
	assert_true(t.diverted > 0);
	json_array_foreach (list, i, o) {
		uint64_t entry = json_addr(o, "entry"), at = t.first_jump;

		if (at >= entry && at < json_addr(o, "end"))
			found = json_addr(o, "offset") + (at - entry);
	}
	json_decref(list);
	return found;
}

/* A plain uprobe right on the jump that leads to a slot: when we detach it stays, and works. */
static void share_a_diverted_instruction(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22"); /* at a fixed address */
	struct child *c = repl_start(path, NULL), *hp = begin(path, child_pid(c), false);
	struct image_text t;
	struct plain plain;

	plain_open(&plain, path, find_jump(child_pid(c), path));
	repl_ask(c, "let (x = 5600) x + 78", "5678");
	trace_end(hp, SIGINT, "interrupted", NULL);
	image_text_look(child_pid(c), &t);
	assert_int_equal(t.trapped, 1);
	assert_int_equal(t.diverted + t.other, 0);
	assert_false(t.region);
	repl_ask(c, "2 + 2", "4");
	plain_close(&plain);
	image_text_check(child_pid(c));
	repl_end(c);
}

/* --- somebody is in the way ------------------------------------------------------------------- */

/* Somebody holds the file's lock for ever: probes are put where they meet nobody. */
static void share_with_a_lock_held(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22");
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct child *c = repl_start(path, NULL), *hp;
	json_int_t hits;
	json_t *attached;

	assert_int_equal(flock(fd, LOCK_EX), 0);
	hp = image_trace(path, child_pid(c), count_parser, &attached);
	assert_int_equal(member(attached, "diverted"), 0);
	assert_true(member(attached, "sites") > 10);
	repl_ask(c, "2 + 2", "4");
	trace_end(hp, SIGINT, "interrupted", &hits);
	assert_true(hits > 0);
	image_text_check(child_pid(c));
	repl_end(c);
	json_decref(attached);
}

/* A process in another tracer's hands is probed in place, also where a killed instance left jumps.
 */
static void share_with_a_tracer(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22");
	struct child *c = repl_start(path, NULL), *hp = begin(path, child_pid(c), false), *other;
	json_int_t hits;
	json_t *attached;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", child_pid(c));
	child_kill_tree(hp);
	child_free(hp);
	other = child_start((const char *[]){"strace", "-f", "-e", "trace=none", "-p", pid, NULL},
			    NULL);
	free(child_error_line(other, HP_TIMEOUT_MS));
	if (!child_running(other))
		test_skip("no strace");
	hp = image_trace(path, child_pid(c), count_parser, &attached);
	assert_int_equal(member(attached, "diverted"), 0);
	repl_ask(c, "2 + 2", "4");
	trace_end(hp, SIGINT, "interrupted", &hits);
	assert_true(hits > 0);
	repl_ask(c, "3 + 3", "6");
	child_signal(other, SIGINT);
	child_wait(other, HP_TIMEOUT_MS);
	child_free(other);
	trace_clean(child_pid(c));
	image_text_check(child_pid(c));
	repl_end(c);
	json_decref(attached);
}

/* Its first thread ends while it is traced, and the trace goes on; the next ones find it as ever.
 */
static void share_without_its_leader(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22");
	struct child *c = repl_start(path, NULL), *hp;
	json_t *attached;
	json_int_t hits;

	repl_ask(c, "1 + 1", "2");
	for (int round = 0; round < 2; round++) {
		hp = image_trace(path, child_pid(c), count_parser, &attached);
		assert_true(member(attached, "diverted") > 0);
		if (round == 0)
			leader_end(child_pid(c));
		repl_ask(c, "2 + 2", "4");
		trace_end(hp, SIGINT, "interrupted", &hits);
		assert_true(hits > 0);
		json_decref(attached);
	}
	hp = image_trace(path, child_pid(c), count_parser, NULL);
	child_kill_tree(hp);
	child_free(hp);
	trace_clean(child_pid(c));
	repl_ask(c, "3 + 3", "6");
	child_free(c);
}

/*
 * Become a program where mprotect() to PROT_READ | PROT_WRITE | PROT_EXEC fails with EPERM, as
 * under systemd's MemoryDenyWriteExecute=.
 */
static void filter_mprotect(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_READ | PROT_WRITE | PROT_EXEC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(filter), .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(126);
}

/* The kernel's own policy, with EACCES as SELinux has it. Linux 6.3; source: prctl.h. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE		 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static int refuse(const char *how, char **argv)
{
	if (!strcmp(how, "filter"))
		filter_mprotect();
	else if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		return 125;
	execv(argv[0], argv);
	return 127;
}

static bool has_mdwe(void)
{
	return prctl(PR_SET_MDWE + 1 /* PR_GET_MDWE */, 0, 0, 0, 0) >= 0;
}

/* With a filter on ourselves we may not suspend that of the target either. */
static void refused_by(const char *how)
{
	_cleanup_free_ char *path = image_copy("ce22"), *said = NULL;
	char self[PATH_MAX] = "", pid[16];
	struct child *c, *hp;
	json_t *attached;
	json_int_t hits;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	c = repl_start(path, (const char *const[]){self, REFUSER, how, NULL});
	snprintf(pid, sizeof(pid), "%d", child_pid(c));
	hp = child_start((const char *[]){self, REFUSER, how, env_bin(), "trace", "--json", "-p",
					  pid, "--count-only", PARSER, NULL},
			 NULL);
	attached = hp_attached(hp);
	assert_int_equal(member(attached, "diverted"), 0);
	assert_true(member(attached, "sites") > 10);
	/* Other notes may come first. */
	do {
		free(said);
		said = child_error_line(hp, HP_TIMEOUT_MS);
	} while (said && !strstr(said, "put in place"));
	if (!said)
		hp_fail(hp, "%s: it did not say so", how);
	repl_ask(c, "2 + 2", "4");
	trace_end(hp, SIGINT, "interrupted", &hits);
	assert_true(hits > 0);
	image_text_check(child_pid(c));
	repl_end(c);
	json_decref(attached);
}

/* A policy against writable text: the trace falls back to probes in place, and says so. */
static void share_with_a_policy(void **state _unused_)
{
	refused_by("filter");
	if (has_mdwe())
		refused_by("mdwe");
	else
		test_pass_over("this kernel has no PR_SET_MDWE");
}

/* --- programs that come and go ---------------------------------------------------------------- */

/* What execve(2) is told, on the stack of the thread that calls it. */
struct exec_words {
	uint64_t argv[4];
	char path[PATH_MAX], option[32], value[32];
};

/* Have the process, which waits in a system call, execute the compiler at @path instead. */
static void make_exec(pid_t pid, const char *path)
{
	struct exec_words w = {.option = "--warning_level", .value = "QUIET"};
	struct iovec local = {&w, sizeof(w)}, remote = {.iov_len = sizeof(w)};
	struct user_regs_struct regs;
	uint64_t at;

	assert_int_equal(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	assert_int_equal(waitpid(pid, NULL, __WALL), pid);
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	at = (regs.rsp - 4 * PATH_MAX) & ~15ULL;
	snprintf(w.path, sizeof(w.path), "%s", path);
	w.argv[0] = regs.rdi = at + offsetof(struct exec_words, path);
	w.argv[1] = at + offsetof(struct exec_words, option);
	w.argv[2] = at + offsetof(struct exec_words, value);
	remote.iov_base = (void *)at;
	assert_int_equal(process_vm_writev(pid, &local, 1, &remote, 1, 0), sizeof(w));
	regs.rip -= 2; /* the system call that it waits in */
	regs.rax = SYS_execve;
	regs.orig_rax = UINT64_MAX; /* which is not to be restarted */
	regs.rsi = at + offsetof(struct exec_words, argv);
	regs.rdx = 0;
	assert_int_equal(ptrace(PTRACE_SETREGS, pid, 0, &regs), 0);
	assert_int_equal(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
}

/*
 * The traced image executes another program, which has its data where the image had its text: it is
 * left alone.
 */
static void share_with_a_successor(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22"), *next = image_copy("ce25");
	_cleanup_free_ char *script = compiler_script(1), *want = compiler_expected(next, script);
	struct child *c = repl_start(path, NULL), *hp;

	hp = image_trace(path, child_pid(c),
			 (const char *const[]){"--count-only", "org.pkl.**.*", NULL}, NULL);
	repl_ask(c, "2 + 2", "4");
	make_exec(child_pid(c), next);
	image_await_input(c);
	trace_end(hp, SIGINT, "interrupted", NULL);
	image_text_check(child_pid(c));
	compiler_feed(c, script);
	compiler_check(c, want);
}

/* The file of a running image is replaced by another: what runs is traced, and left as it was. */
static void share_a_deleted_file(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22"), *other = image_copy("ce25");
	struct child *c = repl_start(path, NULL), *hp;
	struct hp_result r;
	json_int_t hits;
	char pid[16];

	assert_int_equal(rename(other, path), 0);
	hp = hp_trace(child_pid(c), count_parser);
	json_decref(hp_attached(hp));
	repl_ask(c, "2 + 2", "4");
	trace_end(hp, SIGINT, "interrupted", &hits);
	assert_true(hits > 0);
	image_text_check(child_pid(c));
	snprintf(pid, sizeof(pid), "%d", child_pid(c));
	hp_run(&r, (const char *[]){"trace", "-x", path, "-p", pid, "**.main", NULL});
	hp_result_check(&r, 1);
	hp_result_free(&r);
	repl_end(c);
}

/* An image in another mount namespace, where nothing here can be seen, and the other way round. */
static void share_another_mount_namespace(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22"), *script = NULL;
	struct child *c, *hp;
	json_int_t hits;

	assert_true(asprintf(&script,
			     "mount -t tmpfs none /mnt && cp %s /mnt/image && exec /mnt/image repl",
			     path) > 0);
	c = child_start((const char *[]){"unshare", "-m", "sh", "-c", script, NULL}, NULL);
	repl_ask(c, "1200 + 34", "1234");
	hp = hp_trace(child_pid(c), count_parser);
	json_decref(hp_attached(hp));
	repl_ask(c, "2 + 2", "4");
	trace_end(hp, SIGINT, "interrupted", &hits);
	assert_true(hits > 0);
	image_text_check(child_pid(c));
	repl_end(c);
}

#define KILLS 12

/* The process ends at any moment of an attach: that is told, and nothing waits for it. */
static void share_with_a_dying_process(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce25");
	uint64_t took = 0;

	for (int i = 0; i <= KILLS; i++) {
		struct child *c = compiler_start(path, NULL, NULL), *hp;
		uint64_t start = mono_ms();
		int status;

		hp = hp_trace(child_pid(c),
			      (const char *const[]){"--count-only",
						    "com.google.javascript.jscomp.**.*", NULL});
		if (!i) { /* to know how long it takes */
			json_decref(hp_attached(hp));
			took = mono_ms() - start;
		} else {
			pause_ms((int)(took * (uint64_t)i / KILLS));
			if (i > KILLS - 3) /* between, and during detach */
				json_decref(hp_attached(hp));
			if (i == KILLS)
				child_signal(hp, SIGINT);
		}
		child_signal(c, SIGKILL);
		status = child_wait(hp, HP_TIMEOUT_MS);
		if (status != 3 && !(i == KILLS && !status))
			hp_fail(hp, "killed after %d/%d: exit status %d", i, KILLS, status);
		child_free(hp);
		child_free(c);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(share_with_another_instance),
		jvm_test(share_counts_with_another_instance),
		jvm_test(share_second_is_refused),
		jvm_test(share_with_plain_uprobes),
		jvm_test(share_a_diverted_instruction),
		jvm_test(share_with_a_lock_held),
		jvm_test(share_with_a_tracer),
		jvm_test(share_without_its_leader),
		jvm_test(share_with_a_policy),
		jvm_test(share_with_a_successor),
		jvm_test(share_a_deleted_file),
		jvm_test(share_another_mount_namespace),
		jvm_test(share_with_a_dying_process),
	};

	if (argc > 3 && !strcmp(argv[1], REFUSER))
		return refuse(argv[2], argv + 3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
