// SPDX-License-Identifier: MIT
/* Real JVMs opened as targets: from their first moment, in other namespaces, without symbols. */
#include <signal.h>
#include <unistd.h>

#include "lib/cmocka_all.h"

#include "lib/jvm.h"
#include "runtime/hotspot/target.h"

static const char *const program[] = {"prog.Follow", NULL};

/* Everything that is promised of an open target, of one that is known to be sound. */
static void assert_sound(struct target *t, const struct jdk *jdk)
{
	assert_int_equal(t->info.kind, JVM_HOTSPOT);
	assert_int_equal(t->layout.jdk, jdk->version);
	assert_true(t->layout.code_low > 0 && t->layout.code_low < t->layout.code_high);
	for (int cap = 0; cap < CAP_COUNT; cap++)
		if (t->layout.missing[cap])
			fail_msg("%s: no %s: %s", jdk->name, capability_name(cap),
				 t->layout.why[cap]);
	assert_string_equal(t->info.main, program[0]);
	assert_true(target_alive(t));
}

/* The symbol's address in memory holds the code that the file has there. */
static void assert_symbol_in_memory(struct target *t, const char *name)
{
	uint8_t memory[16], file[16];
	uint64_t addr;

	assert_int_equal(target_symbol(t, name, &addr), 0);
	assert_int_equal(mem_read(t->mem, addr, memory, sizeof(memory)), 0);
	assert_int_equal(elfsyms_code(t->libjvm, addr - t->info.libjvm_base, file, sizeof(file)),
			 sizeof(file));
	assert_memory_equal(memory, file, sizeof(memory));
}

/* Our own child is no JVM before it has called execve(). */
static void wait_for_launcher(struct jvm *j)
{
	while (child_running(j->c) && !jvm_maps_has(j, "/bin/java"))
		pause_ms(1);
}

#define OPENS_TRIED 10

/*
 * Opening waits for two seconds of a JVM's start, which is many times what it needs. Only where the
 * machine has no time for it at all it takes another call.
 */
static int open_starting(struct jvm *j, struct target **ret)
{
	int err = -EAGAIN;

	for (int i = 0; err && i < OPENS_TRIED && child_running(j->c); i++)
		err = target_open(j->pid, ret, NULL);
	return err;
}

/* A JVM opens while it is still starting, and nothing of it is missing then. */
static void open_just_started(void **state)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct target *t;
		struct jvm j;

		jvm_start(&j, &jdks[i], NULL, program);
		wait_for_launcher(&j);
		if (open_starting(&j, &t))
			jvm_fail(&j, "%s: not opened", jdks[i].name);
		assert_sound(t, &jdks[i]);
		assert_symbol_in_memory(t, "JNI_CreateJavaVM");
		if (!jdks[i].altered)
			assert_symbol_in_memory(t,
						"_ZN15G1CollectedHeap16register_nmethodEP7nmethod");
		else
			assert_false(elfsyms_has_symtab(t->libjvm));
		jvm_ready(&j);
		jvm_quit(&j);
		assert_false(target_alive(t));
		target_close(t);
		jvm_free(&j);
	}
}

static void open_behind(const char *const *prefix, bool mount_ns, bool pid_ns)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	struct target *t;
	struct jvm j;
	pid_t pid;

	jvm_start_with(&j, jdk, prefix, NULL, program);
	jvm_ready(&j);
	if (!child_descendants(j.pid, &pid, 1))
		pid = j.pid;
	assert_int_equal(target_open(pid, &t, NULL), 0);
	assert_sound(t, jdk);
	assert_symbol_in_memory(t, "JNI_CreateJavaVM");
	assert_int_equal(t->info.other_mount_ns, mount_ns);
	assert_int_equal(t->info.other_pid_ns, pid_ns);
	if (pid_ns)
		assert_int_equal(t->info.ns_pid, 1);
	target_close(t);
	jvm_quit(&j);
	jvm_free(&j);
}

/* A JVM in another mount and PID namespace is the same to us, but for its own PID. */
static void open_other_namespaces(void **state)
{
	static const char *const both[] = {"unshare", "-mpf", "--mount-proc", NULL};
	static const char *const mounts[] = {"unshare", "-m", NULL};

	(void)state;
	test_needs_root();
	open_behind(both, true, true);
	open_behind(mounts, true, false);
}

/* Another user's JVM opens for root, and says whose it is. */
static void open_other_user(void **state)
{
	static const char *const nobody[] = {"setpriv", "--reuid=65534", "--regid=65534",
					     "--clear-groups", NULL};
	const struct jdk *jdk = jdk_or_skip("jdk17");
	struct target *t;
	struct jvm j;

	(void)state;
	test_needs_root();
	jvm_start_with(&j, jdk, nobody, NULL, program);
	wait_for_launcher(&j);
	assert_int_equal(open_starting(&j, &t), 0);
	assert_sound(t, jdk);
	assert_int_equal(t->info.uid, 65534);
	assert_string_equal(t->info.user, "nobody");
	target_close(t);
	jvm_free(&j);
}

#define STOPPED_MS  20000 /* a tenth of it is what opening waits for */
#define STOPS_TRIED 50

/* Return: false if the JVM was quicker than we: then it is gone. */
static bool stop_while_starting(struct jvm *j)
{
	struct fail f = {0};
	uint64_t begin, took;
	struct target *t;
	int err;

	jvm_start(j, jdk_or_skip("jdk17"), NULL, program);
	while (!jvm_maps_has(j, "libjvm.so"))
		pause_ms(1);
	jvm_stop(j);
	begin = mono_ms();
	err = target_open(j->pid, &t, &f);
	took = mono_ms() - begin;
	assert_int_equal(kill(j->pid, SIGCONT), 0);
	if (!err) {
		target_close(t);
		jvm_free(j);
		return false;
	}
	assert_true(*f.text);
	assert_true(took < STOPPED_MS);
	return true;
}

/* A JVM stopped in the middle of its start is refused in time, and opens when it goes on. */
static void open_stopped_while_starting(void **state)
{
	struct target *t;
	struct jvm j;
	int tries = 0;

	(void)state;
	while (!stop_while_starting(&j))
		assert_true(++tries < STOPS_TRIED);
	assert_int_equal(open_starting(&j, &t), 0);
	assert_sound(t, j.jdk);
	target_close(t);
	jvm_ready(&j);
	jvm_quit(&j);
	jvm_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(open_just_started),
		jvm_test(open_other_namespaces),
		jvm_test(open_other_user),
		jvm_test(open_stopped_while_starting),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
