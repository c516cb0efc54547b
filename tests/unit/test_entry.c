// SPDX-License-Identifier: MIT
/*
 * A process whose first thread has ended is still a process: its memory, mappings, program and
 * files are found by a thread that lives, and by another one when that ends too.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/env.h"
#include "proc/entry.h"
#include "proc/jvm.h"
#include "proc/lock.h"

#define THREADS 3

/* Shared with the child: its threads' ids; and how many of them have been told to end. */
static struct {
	volatile pid_t tids[THREADS];
	volatile int end;
} * shared;

static const uint64_t secret = 0x1d1ed5ec2e7;

static void *thread(void *arg)
{
	int i = (int)(intptr_t)arg;

	shared->tids[i] = (pid_t)syscall(SYS_gettid);
	while (shared->end <= i)
		usleep(1000);
	return NULL;
}

/* A child without a leader, whose threads end one by one. */
static pid_t leaderless(void)
{
	pid_t pid;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < THREADS; i++) {
			pthread_t t;

			if (pthread_create(&t, NULL, thread, (void *)(intptr_t)i))
				_exit(1);
		}
		syscall(SYS_exit, 0); /* this thread alone */
	}
	for (int i = 0; i < THREADS; i++)
		while (!shared->tids[i])
			usleep(1000);
	while (entry_leader_lives(pid))
		usleep(1000);
	return pid;
}

static void end_thread(pid_t pid, int i)
{
	shared->end = i + 1;
	while (entry_holds(pid, shared->tids[i]))
		usleep(1000);
}

static void bury(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	munmap(shared, 4096);
}

static void see_all(pid_t pid)
{
	char exe[4096], own[4096] = "";
	struct maps maps;
	struct stat st, ours;
	pid_t holder;
	int fd;

	assert_int_equal(maps_read(pid, &maps), 0);
	assert_non_null(maps_find(&maps, (uint64_t)(uintptr_t)&secret));
	maps_fini(&maps);
	assert_true(entry_readlink(pid, "exe", exe, sizeof(exe)) > 0);
	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	assert_string_equal(exe, own);
	assert_int_equal(entry_stat(pid, "ns/mnt", &st), 0);
	assert_int_equal(stat("/proc/self/ns/mnt", &ours), 0);
	assert_int_equal(st.st_ino, ours.st_ino);
	fd = proc_open_file(pid, own);
	assert_true(fd > 0);
	close(fd);
	fd = proc_open_entry(pid, "exe");
	assert_true(fd > 0);
	close(fd);
	assert_int_equal(lock_target(pid, &fd, &holder), 0);
	close(fd);
}

/* Everything that hangs on the thread is found, for each of them in turn, to the last. */
static void entry_without_leader(void **state _unused_)
{
	pid_t pid = leaderless();
	struct jvm_info info;

	for (int i = 0; i < THREADS; i++) {
		pid_t tid = entry_thread(pid);

		assert_true(tid != pid && tid > 0);
		assert_true(entry_holds(pid, tid));
		see_all(pid);
		assert_int_equal(jvm_inspect(pid, &info), 0);
		assert_int_equal(info.kind, JVM_NONE);
		assert_int_equal(info.ns_pid, pid);
		assert_int_equal(info.uid, geteuid());
		jvm_info_fini(&info);
		if (i < THREADS - 1)
			end_thread(pid, i);
	}
	bury(pid);
}

/* A reader that is open reads on, whichever threads have ended since. */
static void mem_read_by_another_thread(void **state _unused_)
{
	struct mem *m;
	uint64_t got;
	pid_t pid = leaderless();

	assert_int_equal(mem_open_live(pid, &m), 0);
	for (int i = 0; i < THREADS; i++) {
		struct mem_vec vec[] = {{(uint64_t)(uintptr_t)&secret, &got, sizeof(got), 0},
					{1, &got, 1, 0}};

		got = 0;
		assert_int_equal(mem_read_u64(m, (uint64_t)(uintptr_t)&secret, &got), 0);
		assert_int_equal(got, secret);
		assert_int_equal(mem_readv(m, vec, ARRAY_SIZE(vec)), 0);
		assert_int_equal(vec[0].err, 0);
		assert_int_equal(vec[1].err, -EFAULT);
		if (i < THREADS - 1)
			end_thread(pid, i);
	}
	end_thread(pid, THREADS - 1);
	assert_int_equal(mem_read_u64(m, (uint64_t)(uintptr_t)&secret, &got), -ESRCH);
	mem_close(m);
	bury(pid);
}

/* It lives as long as one thread does, and then it is gone at once, though nobody waited for it. */
static void proc_lives_as_long_as_a_thread(void **state _unused_)
{
	pid_t pid = leaderless();
	struct jvm_info info;
	struct proc_id id;
	struct maps maps;
	struct pollfd p;

	assert_int_equal(proc_open(pid, &id), 0);
	p = (struct pollfd){.fd = id.pidfd, .events = POLLIN};
	for (int i = 0; i < THREADS - 1; i++) {
		assert_true(proc_alive(&id));
		end_thread(pid, i);
	}
	assert_int_equal(poll(&p, 1, 0), 0);
	end_thread(pid, THREADS - 1);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_false(proc_alive(&id));
	assert_int_equal(entry_thread(pid), -ESRCH);
	assert_int_equal(entry_open(pid, "maps", O_RDONLY), -ESRCH);
	assert_int_equal(maps_read(pid, &maps), -ESRCH);
	assert_int_equal(jvm_inspect(pid, &info), -ESRCH);
	proc_close(&id);
	bury(pid);
}

/* With its leader a process is looked into by that; one that never was is -ESRCH. */
static void entry_with_leader(void **state _unused_)
{
	assert_int_equal(entry_thread(getpid()), getpid());
	assert_true(entry_leader_lives(getpid()));
	assert_int_equal(entry_thread(0x3fffff), -ESRCH);
	assert_false(entry_holds(getpid(), getppid()));
	assert_int_equal(entry_open(getpid(), "nothing", O_RDONLY), -ESRCH);
	see_all(getpid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_without_leader),
		cmocka_unit_test(mem_read_by_another_thread),
		cmocka_unit_test(proc_lives_as_long_as_a_thread),
		cmocka_unit_test(entry_with_leader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
