// SPDX-License-Identifier: MIT
/* Processes and JVM recognition: on ourselves and on children that dress up as JVMs. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/env.h"
#include "lib/fake_elf.h"
#include "proc/jvm.h"

/* How long a child may take to come up; far more than it ever needs. */
#define CHILD_WAIT_MS 10000

static char *dir;

static int setup(void **state)
{
	dir = test_dir();
	return test_setup(state);
}

static int teardown(void **state)
{
	free(dir);
	return test_cleanup(state);
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void kill_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A child that does nothing until it is killed. */
static pid_t idle_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

/* --- proc_id -------------------------------------------------------------------------------- */

/* We are alive, and our start time is the same whoever asks. */
static void open_self(void **state)
{
	struct proc_id p;
	uint64_t start;

	(void)state;
	assert_int_equal(proc_open(getpid(), &p), 0);
	assert_int_equal(p.pid, getpid());
	assert_true(proc_alive(&p));
	assert_int_equal(proc_start_time(getpid(), &start), 0);
	assert_int_equal(p.start_time, start);
	assert_true(start > 0);
	proc_close(&p);
	assert_false(proc_alive(&p));
}

/* A process that ended is not alive, neither as a zombie nor after its PID is free. */
static void alive_until_exit(void **state)
{
	pid_t pid = idle_child();
	struct proc_id p, again;
	struct jvm_info info;
	siginfo_t si;

	(void)state;
	assert_int_equal(proc_open(pid, &p), 0);
	assert_true(proc_alive(&p));
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, pid, &si, WEXITED | WNOWAIT), 0);
	assert_false(proc_alive(&p));
	assert_int_equal(proc_open(pid, &again), -ESRCH);
	assert_int_equal(jvm_inspect(pid, &info), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(proc_alive(&p));
	assert_int_equal(proc_open(pid, &again), -ESRCH);
	assert_int_equal(proc_start_time(pid, &p.start_time), -ESRCH);
	assert_int_equal(jvm_inspect(pid, &info), -ESRCH);
	proc_close(&p);
}

/* Numbers that are no PID are refused. */
static void open_no_pid(void **state)
{
	struct proc_id p;
	struct jvm_info info;

	(void)state;
	assert_int_equal(proc_open(0, &p), -ESRCH);
	assert_int_equal(proc_open(-1, &p), -ESRCH);
	assert_int_equal(proc_open(INT32_MAX, &p), -ESRCH);
	assert_int_equal(jvm_inspect(0, &info), -ESRCH);
	assert_int_equal(jvm_inspect(-1, &info), -ESRCH);
}

static void *refuse_own_tid(void *arg)
{
	pid_t tid = syscall(SYS_gettid);
	struct jvm_info info;
	struct proc_id p;

	*(bool *)arg = tid != getpid() && proc_open(tid, &p) == -ESRCH &&
		       jvm_inspect(tid, &info) == -ESRCH;
	return NULL;
}

/* A thread's id is no process, although /proc has a directory of that name. */
static void open_thread_id(void **state)
{
	pthread_t thread;
	bool refused = false;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, refuse_own_tid, &refused), 0);
	pthread_join(thread, NULL);
	assert_true(refused);
}

/* A name that looks like the rest of the stat line does not move the fields. */
static void start_time_hostile_name(void **state)
{
	uint64_t before, after;
	char name[16];

	(void)state;
	prctl(PR_GET_NAME, name);
	assert_int_equal(proc_start_time(getpid(), &before), 0);
	prctl(PR_SET_NAME, "x) R 1 2 (y) 3\n");
	assert_int_equal(proc_start_time(getpid(), &after), 0);
	prctl(PR_SET_NAME, name);
	assert_int_equal(before, after);
}

/* --- files of a process --------------------------------------------------------------------- */

/* Regular files open, through links too; whatever could block or act is refused unopened. */
static void open_file_kinds(void **state)
{
	char path[256], link[256];
	int fd;

	(void)state;
	strcpy(path, in_dir("regular"));
	strcpy(link, in_dir("link"));
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(symlink(path, link), 0);
	fd = proc_open_file(getpid(), link);
	assert_true(fd >= 0);
	close(fd);
	fd = proc_open_regular(link);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(proc_open_file(getpid(), in_dir("fifo")), -ENOENT);
	assert_int_equal(proc_open_regular(in_dir("fifo")), -ENOENT);
	assert_int_equal(proc_open_file(getpid(), dir), -ENOENT);
	assert_int_equal(proc_open_file(getpid(), "/dev/null"), -ENOENT);
	assert_int_equal(proc_open_file(getpid(), in_dir("none")), -ENOENT);
	assert_int_equal(proc_open_file(getpid(), ""), -ENOENT);
	assert_int_equal(proc_open_file(INT32_MAX, path), -ESRCH);
}

/* --- recognition ---------------------------------------------------------------------------- */

/* This program is no JVM, and nothing is NULL. */
static void inspect_other_program(void **state)
{
	struct jvm_info info;

	(void)state;
	assert_int_equal(jvm_inspect(getpid(), &info), 0);
	assert_int_equal(info.kind, JVM_NONE);
	assert_int_equal(info.uid, geteuid());
	assert_string_equal(info.main, "");
	assert_string_equal(info.libjvm, "");
	jvm_info_fini(&info);
	assert_null(info.user);
}

static void *map_library(const char *name)
{
	return fake_library(in_dir(name));
}

static enum jvm_kind own_kind(void)
{
	struct jvm_info info;
	enum jvm_kind kind;

	assert_int_equal(jvm_inspect(getpid(), &info), 0);
	kind = info.kind;
	jvm_info_fini(&info);
	return kind;
}

/* A mapped libjvm.so makes a HotSpot JVM; its path, an open one and its load bias are told. */
static void inspect_hotspot(void **state)
{
	void *lib = map_library("libjvm.so");
	struct jvm_info info;
	struct stat want, got;

	(void)state;
	assert_int_equal(jvm_inspect(getpid(), &info), 0);
	assert_int_equal(info.kind, JVM_HOTSPOT);
	assert_int_equal(info.pid, getpid());
	assert_false(info.is_32bit);
	assert_false(info.other_mount_ns || info.other_pid_ns);
	assert_int_equal(info.ns_pid, getpid());
	assert_true(strlen(info.user) > 0);
	assert_string_equal(info.main, ""); /* not started by the java launcher */
	assert_string_equal(info.libjvm, in_dir("libjvm.so"));
	assert_int_equal(info.libjvm_base, (uintptr_t)lib - FAKE_LIBRARY_VADDR);
	assert_int_equal(stat(in_dir("libjvm.so"), &want), 0);
	assert_int_equal(stat(info.libjvm_open, &got), 0);
	assert_int_equal(want.st_ino, got.st_ino);
	jvm_info_fini(&info);
	munmap(lib, FAKE_LIBRARY_SIZE);
	assert_int_equal(own_kind(), JVM_NONE);
}

/* When an upgrade replaced the file, the JVM is still one, and never gets the new file's symbols.
 */
static void inspect_replaced_library(void **state)
{
	void *lib = map_library("libjvm.so");
	struct stat mapped, got;
	struct jvm_info info;

	(void)state;
	assert_int_equal(stat(in_dir("libjvm.so"), &mapped), 0);
	assert_int_equal(unlink(in_dir("libjvm.so")), 0);
	close(open(in_dir("libjvm.so"), O_CREAT | O_WRONLY, 0644));
	assert_int_equal(jvm_inspect(getpid(), &info), 0);
	assert_int_equal(info.kind, JVM_HOTSPOT);
	assert_string_equal(info.libjvm, in_dir("libjvm.so"));
	if (*info.libjvm_open) { /* map_files needs a privilege */
		assert_int_equal(stat(info.libjvm_open, &got), 0);
		assert_int_equal(got.st_ino, mapped.st_ino);
		assert_int_equal(info.libjvm_base, (uintptr_t)lib - FAKE_LIBRARY_VADDR);
	}
	jvm_info_fini(&info);
	munmap(lib, FAKE_LIBRARY_SIZE);
}

/* A file that is mapped only to be read (by a debugger, say) makes no JVM; nor do similar names. */
static void inspect_similar(void **state)
{
	void *other = map_library("notlibjvm.so"), *longer = map_library("libjvm.so.bak");
	void *lib = map_library("libjvm.so");

	(void)state;
	assert_int_equal(mprotect(lib, FAKE_LIBRARY_SIZE, PROT_READ), 0);
	assert_int_equal(own_kind(), JVM_NONE);
	munmap(lib, FAKE_LIBRARY_SIZE);
	munmap(other, FAKE_LIBRARY_SIZE);
	munmap(longer, FAKE_LIBRARY_SIZE);
}

/* OpenJ9 and Zing have a libjvm.so too; their own libraries and directories give them away. */
static void inspect_other_jvms(void **state)
{
	void *lib = map_library("libjvm.so"), *mark = map_library("libj9vm29.so");

	(void)state;
	assert_int_equal(own_kind(), JVM_OPENJ9);
	munmap(mark, FAKE_LIBRARY_SIZE);
	mark = map_library("libazsys3.so");
	assert_int_equal(own_kind(), JVM_ZING);
	munmap(mark, FAKE_LIBRARY_SIZE);
	assert_int_equal(own_kind(), JVM_HOTSPOT);
	munmap(lib, FAKE_LIBRARY_SIZE);
	assert_int_equal(mkdir(in_dir("zing"), 0755), 0);
	lib = map_library("zing/libjvm.so");
	assert_int_equal(own_kind(), JVM_HOTSPOT);
	munmap(lib, FAKE_LIBRARY_SIZE);
	assert_int_equal(mkdir(in_dir("zing/zing23.05-jdk17"), 0755), 0);
	lib = map_library("zing/zing23.05-jdk17/libjvm.so");
	assert_int_equal(own_kind(), JVM_ZING);
	munmap(lib, FAKE_LIBRARY_SIZE);
}

static bool has_mapped(pid_t pid, const char *path)
{
	struct maps m;
	bool yes = false;

	if (maps_read(pid, &m))
		return false;
	for (size_t i = 0; i < m.n; i++)
		yes |= !strcmp(m.entries[i].path, path);
	maps_fini(&m);
	return yes;
}

/* Run the program in @fd under the name @path and wait until it has replaced our image. */
static pid_t run_program(int fd, const char *path)
{
	char buf[65536];
	ssize_t n = pread(fd, buf, sizeof(buf), 0);
	int out = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
	pid_t pid;

	assert_true(n > 0 && out >= 0);
	assert_int_equal(write(out, buf, n), n);
	close(out);
	close(fd);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	for (int ms = 0; ms < CHILD_WAIT_MS; ms++) {
		if (has_mapped(pid, path))
			return pid;
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return 0; /* this kernel does not run such programs */
		usleep(1000);
	}
	kill_child(pid);
	return 0;
}

/* What a program is that has a section .svm_heap with @flags. */
static void expect_image_kind(uint64_t flags, enum jvm_kind kind)
{
	static const uint8_t pause_loop[] = {0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7};
	struct jvm_info info;
	struct fake_elf f;
	pid_t pid;
	size_t i;

	fake_elf_init(&f);
	fake_elf_add(&f, ".text", SHT_PROGBITS, pause_loop, sizeof(pause_loop));
	i = fake_elf_add(&f, ".svm_heap", SHT_PROGBITS, "", 1);
	f.sh[i].sh_flags = flags;
	fake_elf_load(&f, FAKE_ELF_DATA, 0x401000, sizeof(pause_loop));
	f.h.e_type = ET_EXEC;
	f.h.e_entry = 0x401000;
	pid = run_program(fake_elf_fd(&f), in_dir("native"));
	fake_elf_fini(&f);
	assert_true(pid > 0);
	assert_int_equal(jvm_inspect(pid, &info), 0);
	assert_int_equal(info.kind, kind);
	assert_false(info.is_32bit);
	assert_string_equal(info.libjvm, "");
	jvm_info_fini(&info);
	kill_child(pid);
}

/* A program with an image heap is a native image; one that merely has a section of that name is
 * not. */
static void inspect_native_image(void **state)
{
	(void)state;
	expect_image_kind(SHF_ALLOC, JVM_NATIVE_IMAGE);
	expect_image_kind(0, JVM_NONE);
}

/* A 32-bit JVM is told as such: here a program that is its own libjvm.so. */
static void inspect_32bit(void **state)
{
	static const struct {
		Elf32_Ehdr h;
		Elf32_Phdr ph;
		uint8_t code[9]; /* pause() for ever */
	} __attribute__((packed)) prog = {
		.h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		      .e_type = ET_EXEC,
		      .e_machine = EM_386,
		      .e_version = EV_CURRENT,
		      .e_entry = 0x8048000 + sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
		      .e_phoff = sizeof(Elf32_Ehdr),
		      .e_ehsize = sizeof(Elf32_Ehdr),
		      .e_phentsize = sizeof(Elf32_Phdr),
		      .e_phnum = 1},
		.ph = {.p_type = PT_LOAD,
		       .p_vaddr = 0x8048000,
		       .p_filesz = sizeof(prog),
		       .p_memsz = sizeof(prog),
		       .p_flags = PF_R | PF_X,
		       .p_align = 4096},
		.code = {0xb8, 0x1d, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7},
	};
	int fd = memfd_create("prog", MFD_CLOEXEC);
	struct jvm_info info;
	pid_t pid;

	(void)state;
	assert_int_equal(write(fd, &prog, sizeof(prog)), sizeof(prog));
	assert_int_equal(mkdir(in_dir("32"), 0755), 0);
	pid = run_program(fd, in_dir("32/libjvm.so"));
	if (!pid) {
		print_message("this kernel runs no 32-bit programs\n");
		skip();
	}
	assert_int_equal(jvm_inspect(pid, &info), 0);
	assert_int_equal(info.kind, JVM_HOTSPOT);
	assert_true(info.is_32bit);
	assert_int_equal(info.libjvm_base, 0);
	jvm_info_fini(&info);
	kill_child(pid);
}

/* Every process comes once, by PID, we among them, and we look like a JVM while we have its
 * library. */
static void pids_find_jvms(void **state)
{
	void *lib = map_library("libjvm.so");
	pid_t *pids;
	bool self = false;
	uid_t uid;
	size_t n;

	(void)state;
	assert_int_equal(jvm_pids(&pids, &n), 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(!i || pids[i] > pids[i - 1]);
		self |= pids[i] == getpid();
	}
	assert_true(self);
	assert_int_equal(own_kind(), JVM_HOTSPOT);
	assert_int_equal(jvm_uid(getpid(), &uid), 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(jvm_uid(0x3fffff, &uid), -ESRCH);
	free(pids);
	munmap(lib, FAKE_LIBRARY_SIZE);
}

/* --- command lines -------------------------------------------------------------------------- */

static void assert_main(const char *cmdline, size_t len, const char *want)
{
	char *got;

	assert_int_equal(jvm_main_class(cmdline, len, &got), 0);
	assert_string_equal(got, want);
	free(got);
}

#define MAIN(cmdline, want) assert_main(cmdline, sizeof(cmdline), want)

/* Class, jar, module and source file are found behind whatever options precede them. */
static void main_class_forms(void **state)
{
	(void)state;
	MAIN("java\0com.shop.Main", "com.shop.Main");
	MAIN("java\0com.shop.Main\0-jar\0no.jar", "com.shop.Main");
	MAIN("/usr/bin/java\0-jar\0/srv/shop app.jar\0arg", "/srv/shop app.jar");
	MAIN("java\0-jar\0-Dx=y\0shop.jar", "shop.jar");
	MAIN("java\0-cp\0a:b\0-Xmx1g\0-XX:+UseZGC\0Main", "Main");
	MAIN("java\0-classpath\0a\0Main", "Main");
	MAIN("java\0--class-path\0a\0Main", "Main");
	MAIN("java\0--class-path=a\0Main", "Main");
	MAIN("java\0-cp\0\0Main", "Main"); /* an empty class path */
	MAIN("java\0-p\0mods\0--add-modules\0x\0-m\0shop/com.Main\0arg", "shop/com.Main");
	MAIN("java\0--module-path\0mods\0--module\0shop\0arg", "shop");
	MAIN("java\0--module=shop/com.Main\0arg", "shop/com.Main");
	MAIN("java\0--add-opens\0java.base/java.lang=ALL-UNNAMED\0Main", "Main");
	MAIN("java\0--source\0"
	     "17\0Main.java",
	     "Main.java");
	MAIN("java\0@opts\0Main", "@opts");
	MAIN("java\0-Xmx1g\0@/srv/args\0-jar\0x.jar", "@/srv/args");
}

/* Where nothing runs, nothing is named. */
static void main_class_absent(void **state)
{
	(void)state;
	assert_main("", 0, "");
	assert_main("java", 4, "");
	MAIN("java", "");
	MAIN("java\0-version", "");
	MAIN("java\0-jar", "");
	MAIN("java\0-cp\0Main", "");
	MAIN("java\0-cp", "");
	MAIN("java\0-m", "");
	MAIN("java\0-m\0-version", "");
	MAIN("java\0--module=", "");
	MAIN("\0\0\0", "");
}

/* A text without its last NUL ends where it ends; an endless name is cut. */
static void main_class_hostile(void **state)
{
	char *text = malloc(100000), *got;

	(void)state;
	assert_non_null(text);
	assert_main("java\0Mainframe", 9, "Main");
	memset(text, 'a', 100000);
	memcpy(text, "java", 5);
	assert_int_equal(jvm_main_class(text, 100000, &got), 0);
	assert_int_equal(strlen(got), 4096);
	free(got);
	free(text);
}

/* Names as `list --json` prints them. */
static void kind_names(void **state)
{
	(void)state;
	assert_string_equal(jvm_kind_name(JVM_HOTSPOT), "hotspot");
	assert_string_equal(jvm_kind_name(JVM_OPENJ9), "openj9");
	assert_string_equal(jvm_kind_name(JVM_ZING), "zing");
	assert_string_equal(jvm_kind_name(JVM_NATIVE_IMAGE), "native-image");
	assert_string_equal(jvm_kind_name(JVM_NONE), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_self),
		cmocka_unit_test(alive_until_exit),
		cmocka_unit_test(open_no_pid),
		cmocka_unit_test(open_thread_id),
		cmocka_unit_test(start_time_hostile_name),
		cmocka_unit_test(open_file_kinds),
		cmocka_unit_test(inspect_other_program),
		cmocka_unit_test(inspect_hotspot),
		cmocka_unit_test(inspect_replaced_library),
		cmocka_unit_test(inspect_similar),
		cmocka_unit_test(inspect_other_jvms),
		cmocka_unit_test(inspect_native_image),
		cmocka_unit_test(inspect_32bit),
		cmocka_unit_test(pids_find_jvms),
		cmocka_unit_test(main_class_forms),
		cmocka_unit_test(main_class_absent),
		cmocka_unit_test(main_class_hostile),
		cmocka_unit_test(kind_names),
	};

	return cmocka_run_group_tests_name("proc", tests, setup, teardown);
}
