/* SPDX-License-Identifier: MIT */
/*
 * test_hostile.c - JVMs that play tricks: the trace works or is refused in one line, hotprobe never
 * dies of them, and `clean` never says that nothing is left where something is.
 */
#include <poll.h>

#include "lib/attach.h"
#include "lib/cmocka_all.h"
#include "lib/exact.h"
#include "lib/inside.h"

#define SHRINK_TRIES 6

static void hostile_start(struct jvm *j, const char *trick)
{
	_cleanup_free_ char *library = built_path("../lib/hostile_agent.so"), *flag = NULL;

	assert_true(asprintf(&flag, "-agentpath:%s=%s", library, trick) > 0);
	jvm_start(j, jdk_or_skip("jdk17"), (const char *const[]){flag, NULL},
		  (const char *const[]){"prog.Busy", NULL});
	jvm_ready(j);
}

static void hp_about(struct hp_result *r, struct jvm *j, const char *command)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(r, (const char *const[]){command, "-p", pid, NULL});
}

/* A memfd that is cut short before it is sealed: refused, or caught in time; nothing stays. */
static void shrinks_its_memfds(void **state _unused_)
{
	struct hp_result r;
	char pid[16];
	struct jvm j;

	hostile_start(&j, "shrink");
	snprintf(pid, sizeof(pid), "%d", j.pid);
	for (int i = 0; i < SHRINK_TRIES; i++) {
		hp_run(&r, (const char *const[]){"trace", "-q", "-p", pid, "-d", "0.1",
						 "prog.Busy.work", NULL});
		if (r.status) {
			hp_result_check(&r, 1);
			assert_non_null(strstr(r.err, "changed the memfd that was made there"));
		}
		hp_result_free(&r);
		hp_about(&r, &j, "clean");
		hp_result_check(&r, 0);
		hp_result_free(&r);
		assert_false(jvm_maps_has(&j, "memfd:hotprobe"));
	}
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* --- user namespaces -------------------------------------------------------------------------- */

#define SOMEBODY 1234 /* on this machine, and nobody to the JVM */

/* Is user @uid refused on this socket of the JVM's agent: hung up on without a word? */
static void refused(struct jvm *j, uid_t uid, int type, const char *suffix, bool expected)
{
	struct hp_agent_msg m = {
		.size = sizeof(m), .kind = HP_AGENT_HELLO, .arg = {HP_AGENT_VERSION}};
	struct pollfd p = {.events = POLLIN};
	bool silent;
	char byte;

	assert_int_equal(seteuid(uid), 0);
	p.fd = inside_connect(j, type, suffix);
	assert_int_equal(seteuid(0), 0);
	assert_true(p.fd >= 0);
	send(p.fd, &m, sizeof(m), MSG_NOSIGNAL);
	assert_int_equal(poll(&p, 1, JVM_TIMEOUT_MS), 1);
	silent = recv(p.fd, &byte, 1, 0) <= 0;
	close(p.fd);
	if (silent != expected)
		jvm_fail(j, "%s: user %u is %srefused", *suffix ? suffix : ".events", uid,
			 expected ? "not " : "");
}

/* What `trace --via agent` says: it ends with @status. */
static void by_agent(struct jvm *j, int status, const char *said)
{
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"trace", "-q", "-p", pid, "-d", "0.1", "--via", "agent",
					 "prog.Busy.work", NULL});
	hp_result_check(&r, status);
	if (!strstr(r.err, said))
		jvm_fail(j, "said: %s", r.err);
	hp_result_free(&r);
}

/*
 * On the host's network, in a user namespace that maps nobody: the JVM itself, hotprobe's root and
 * every local user look the same to its agent, so it obeys none; by ptrace it can be traced.
 */
static void obeys_nobody_unmapped(void **state _unused_)
{
	const char *const nobody[] = {"unshare", "-U", NULL};
	const char *const flags[] = {inside_flag("quiet"), NULL};
	struct hp_result r;
	char pid[16];
	struct jvm j;

	test_needs_root();
	test_needs_user_namespace();
	attach_start(&j, jdk_or_skip("jdk17"), nobody, flags);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	for (uid_t uid = 0; uid <= SOMEBODY; uid += SOMEBODY) {
		refused(&j, uid, SOCK_SEQPACKET, ".control", true);
		refused(&j, uid, SOCK_STREAM, "", true);
	}
	by_agent(&j, 4, "its agent refuses us");
	hp_about(&r, &j, "check");
	assert_non_null(strstr(r.out, "is loaded, and refuses us"));
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"trace", "-p", pid, "-d", "0.1", "prog.Busy.work", NULL});
	hp_result_check(&r, 0);
	hp_result_free(&r);
	hp_about(&r, &j, "clean");
	hp_result_check(&r, 0);
	hp_result_free(&r);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* Where some users are mapped: its root and itself are obeyed, and nobody else. */
static void obeys_its_own_users(void **state _unused_)
{
	struct jvm j;

	test_needs_root();
	test_needs_user_namespace();
	attach_start_nobodys(&j, (const char *const[]){NOBODYS, "unshare", "-Ur", NULL});
	by_agent(&j, 0, "");
	refused(&j, NOBODY, SOCK_SEQPACKET, ".control", false);
	refused(&j, SOMEBODY, SOCK_SEQPACKET, ".control", true);
	refused(&j, 0, SOCK_SEQPACKET, ".control", true);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* Mappings of our name that no hotprobe of this version made: they stay, and `clean` says so. */
static void clean_tells_what_stays(void **state _unused_)
{
	struct hp_result r;
	struct jvm j;

	hostile_start(&j, "maps");
	hp_about(&r, &j, "clean");
	hp_result_check(&r, 1);
	assert_non_null(strstr(r.err, "2 mappings or descriptors named memfd:hotprobe stay"));
	hp_result_free(&r);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* --- names ------------------------------------------------------------------------------------ */

/* Take a name of the agent in @j, and fill its queue. */
static void take_name(struct jvm *j, int number)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), s;

	len += (socklen_t)snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1,
				   number ? "hotprobe.%d.control.%d" : "hotprobe.%d.control",
				   j->pid, number);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 0), 0);
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(s, (struct sockaddr *)&sa, len), 0);
}

/*
 * Anybody may hold every name that the agent's socket has by its number. The agent takes another
 * one, and is found; a JVM without an agent is traced, and what a killed trace left is removed.
 */
static void names_are_taken(void **state _unused_)
{
	struct hp_result r;
	struct child *hp;
	struct jvm j;

	jvm_start(&j, jdk_or_skip("jdk17"), NULL, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	for (int i = 0; i < HP_AGENT_NAMES_MAX; i++)
		take_name(&j, i);
	for (int with_agent = 0; with_agent < 2; with_agent++) {
		hp = hp_trace(j.pid, (const char *const[]){"prog.Busy.work", NULL});
		json_decref(hp_attached(hp));
		child_kill_tree(hp);
		child_free(hp);
		hp_about(&r, &j, "clean");
		hp_result_check(&r, 0);
		assert_non_null(strstr(r.out, "removed the slot region"));
		hp_result_free(&r);
		by_agent(&j, 0, "");
	}
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(shrinks_its_memfds),	 jvm_test(clean_tells_what_stays),
		jvm_test(obeys_nobody_unmapped), jvm_test(obeys_its_own_users),
		jvm_test(names_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
