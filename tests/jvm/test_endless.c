// SPDX-License-Identifier: MIT
/*
 * test_endless.c - programs that dress up as JVMs to keep us busy for ever: one whose classes are
 * more work to look through than any JVM's, and one whose memory never answers. `list` goes on to
 * the others soon, what was given up is said, and a signal ends every command at once.
 */
#include <dlfcn.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/jvm.h"
#include "jvmagent/wire.h"
#include "proc/proc.h"

#define FAKE	    "be-a-fake-jvm"
#define PAGE	    4096UL
#define KLASS_BYTES (64u << 10)
#define CLASSES	    500	  /* fewer than are followed */
#define FIELDS	    65535 /* of each */

/* --- the fake, a process of its own ----------------------------------------------------------- */

static void *vm;

static uint64_t variable(const char *name)
{
	const uint64_t *p = dlsym(vm, name);

	if (!p)
		_exit(10);
	return *p;
}

/* The entry of HotSpot's table for a field. */
static char *entry_of(const char *type, const char *field)
{
	uint64_t stride = variable("gHotSpotVMStructEntryArrayStride");
	uint64_t type_name = variable("gHotSpotVMStructEntryTypeNameOffset");
	uint64_t field_name = variable("gHotSpotVMStructEntryFieldNameOffset");
	char *e = (char *)(uintptr_t)variable("gHotSpotVMStructs");

	for (; *(char **)(e + type_name); e += stride)
		if (!strcmp(*(char **)(e + type_name), type) && *(char **)(e + field_name) &&
		    !strcmp(*(char **)(e + field_name), field))
			return e;
	_exit(11);
}

static uint64_t offset_of(const char *type, const char *field)
{
	return *(uint64_t *)(entry_of(type, field) + variable("gHotSpotVMStructEntryOffsetOffset"));
}

/* The static field is found at @where from now on. */
static void set_static(const char *type, const char *field, void *where)
{
	char *e = entry_of(type, field);

	mprotect((void *)((uintptr_t)e & ~(PAGE - 1)), 2 * PAGE, PROT_READ | PROT_WRITE);
	*(void **)(e + variable("gHotSpotVMStructEntryAddressOffset")) = where;
}

static void set_value(const char *type, const char *field, uint64_t v)
{
	uint64_t *p = malloc(sizeof(*p));

	*p = v;
	set_static(type, field, p);
}

static char *memory(size_t n)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(12);
	return p;
}

static char *symbol(const char *text)
{
	char *p = memory(PAGE);

	*(uint16_t *)(p + offset_of("Symbol", "_length")) = (uint16_t)strlen(text);
	memcpy(p + offset_of("Symbol", "_body[0]"), text, strlen(text));
	return p;
}

/* A constant pool whose slots 1 and 2 are a field's name and descriptor. */
static char *pool(const char *name, const char *descriptor, uint64_t header)
{
	char *p = memory(PAGE);

	*(uint32_t *)(p + offset_of("ConstantPool", "_length")) = 3;
	*(char **)(p + header + 8) = symbol(name);
	*(char **)(p + header + 16) = symbol(descriptor);
	return p;
}

static uint64_t size_of(const char *type)
{
	uint64_t stride = variable("gHotSpotVMTypeEntryArrayStride");
	uint64_t name = variable("gHotSpotVMTypeEntryTypeNameOffset");
	char *e = (char *)(uintptr_t)variable("gHotSpotVMTypes");

	for (; *(char **)(e + name); e += stride)
		if (!strcmp(*(char **)(e + name), type))
			return *(uint64_t *)(e + variable("gHotSpotVMTypeEntrySizeOffset"));
	_exit(13);
}

/* JDK 17: FIELDS fields, six numbers each, called as String's array is but of another type. */
static char *fields(void)
{
	char *a = memory(16 + 12 * FIELDS + PAGE);
	uint16_t *u = (uint16_t *)(a + offset_of("Array<u2>", "_data"));

	*(uint32_t *)a = 6 * FIELDS;
	for (size_t i = 0; i < FIELDS; i++) {
		u[6 * i + 1] = 1;
		u[6 * i + 2] = 2;
		u[6 * i + 4] = 1;
	}
	return a;
}

/* Each class above the other, and all of them with those fields. */
static char *classes(void)
{
	char *of_pool = pool("value", "[C", size_of("ConstantPool")), *of_fields = fields();
	char *above = NULL;

	for (int i = 0; i < CLASSES; i++) {
		char *k = memory(KLASS_BYTES);

		*(char **)(k + offset_of("InstanceKlass", "_constants")) = of_pool;
		*(char **)(k + offset_of("InstanceKlass", "_fields")) = of_fields;
		*(uint16_t *)(k + offset_of("InstanceKlass", "_java_fields_count")) = FIELDS;
		*(char **)(k + offset_of("Klass", "_super")) = above;
		above = k;
	}
	return above;
}

static void set_class(const char *which, char *klass)
{
	char field[128];

	snprintf(field, sizeof(field), "_klasses[static_cast<int>(vmClassID::%s_klass_knum)]",
		 which);
	set_value("vmClasses", field, (uint64_t)(uintptr_t)klass);
}

/* A page that never comes. */
static char *silence(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register r = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	int fd = (int)syscall(SYS_userfaultfd, 0);
	char *p = memory(PAGE);

	r.range.start = (uintptr_t)p;
	r.range.len = PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &r))
		_exit(14);
	return p;
}

/* To `hotprobe run`, as its agent would, if that has started us. */
static void say_hello(void)
{
	const char *options = getenv("JAVA_TOOL_OPTIONS");
	const char *name = options ? strstr(options, "wait=") : NULL;
	struct hp_agent_msg m = {
		.size = sizeof(m), .kind = HP_AGENT_HELLO, .arg = {HP_AGENT_VERSION}};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	size_t len;

	if (!name)
		return;
	name += strlen("wait=");
	len = strcspn(name, ", ");
	memcpy(sa.sun_path + 1, name, MIN(len, sizeof(sa.sun_path) - 1));
	len += offsetof(struct sockaddr_un, sun_path) + 1;
	if (connect(fd, (struct sockaddr *)&sa, (socklen_t)len) ||
	    send(fd, &m, sizeof(m), 0) != sizeof(m))
		_exit(16);
}

static int fake(const char *how, const char *lib)
{
	vm = dlopen(lib, RTLD_NOW | RTLD_GLOBAL);
	if (!vm)
		return 15;
	set_value("CodeCache", "_low_bound", 0x7f0000000000);
	set_value("CodeCache", "_high_bound", 0x7f0010000000);
	set_value("Abstract_VM_Version", "_vm_major_version", 17);
	set_class("String", classes());
	set_class("Thread", memory(KLASS_BYTES));
	if (!strcmp(how, "silent"))
		set_static("CodeCache", "_low_bound", silence());
	puts("READY");
	fflush(stdout);
	say_hello();
	for (;;)
		pause();
}

/* --- tests ------------------------------------------------------------------------------------ */

/* From .../bin/java, which may be a link. */
static char *libjvm_of(const struct jdk *jdk)
{
	char java[PATH_MAX], *bin, *path;

	assert_non_null(realpath(jdk->java, java));
	bin = strstr(java, "/bin/java");
	assert_non_null(bin);
	*bin = '\0';
	assert_true(asprintf(&path, "%s/lib/server/libjvm.so", java) > 0);
	return path;
}

static struct child *start_fake(const char *how)
{
	char self[PATH_MAX] = "";
	_cleanup_free_ char *lib = NULL;
	struct child *c;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	lib = libjvm_of(jdk_or_skip("jdk17"));
	c = child_start((const char *const[]){self, FAKE, how, lib, NULL}, NULL);
	free(child_line(c, HP_TIMEOUT_MS));
	if (!child_running(c))
		fail_msg("the fake JVM ended with %d", child_wait(c, HP_TIMEOUT_MS));
	return c;
}

static json_t *listed(json_t *all, pid_t pid)
{
	json_t *o;
	size_t i;

	json_array_foreach (all, i, o)
		if (json_integer_value(json_object_get(o, "pid")) == pid)
			return o;
	fail_msg("%d is not listed", pid);
	return NULL;
}

static void list_goes_on(void **state _unused_)
{
	struct child *endless = start_fake("endless"), *silent = start_fake("silent");
	uint64_t begun = mono_ms();
	struct jvm j;
	json_t *all;

	jvm_start(&j, jdk_or_skip("jdk17"), NULL, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	begun = mono_ms();
	all = hp_json((const char *const[]){"list", "--json", NULL}, 0);
	/* 0.3 s of CPU and 2 s for the two, on a machine that has other things to do. */
	assert_true(mono_ms() - begun < 20000);
	assert_non_null(strstr(json_text(listed(all, child_pid(endless)), "reason"),
			       "far more work than any real JVM"));
	assert_non_null(
		strstr(json_text(listed(all, child_pid(silent)), "reason"), "does not answer"));
	assert_true(json_is_true(json_object_get(listed(all, j.pid), "probeable")));
	json_decref(all);
	jvm_quit(&j);
	child_free(endless);
	child_free(silent);
}

/* A signal in the middle of it ends the command, and leaves no engine behind. */
static void interrupted(const char *how, int status)
{
	struct child *fake_jvm = start_fake(how), *hp;
	char pid[16];
	pid_t engine;
	uint64_t sent;

	snprintf(pid, sizeof(pid), "%d", child_pid(fake_jvm));
	hp = hp_start((const char *const[]){"methods", "-p", pid, NULL});
	while (child_descendants(child_pid(hp), &engine, 1) < 1)
		pause_ms(1);
	pause_ms(300); /* into the walk; before it is as good */
	child_signal(hp, SIGINT);
	sent = mono_ms();
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), status);
	assert_true(mono_ms() - sent < 10000);
	while (!kill(engine, 0))
		pause_ms(1);
	child_free(hp);
	child_free(fake_jvm);
}

static void signal_ends_it(void **state _unused_)
{
	interrupted("endless", 0);
	interrupted("silent", 1);
}

/* Does one of these wait in the kernel, as an engine does for memory that never answers? */
static bool any_waits(const pid_t *pids, size_t n)
{
	struct proc_stat st;
	bool waits = false;

	for (size_t i = 0; i < n && !waits; i++)
		waits = !proc_stat(pids[i], &st) && st.forked && st.state == 'D';
	return waits;
}

/* The same of `run`, whose command has ended while its JVM goes on. */
static void signal_ends_run(void **state _unused_)
{
	_cleanup_free_ char *lib = libjvm_of(jdk_or_skip("jdk17"));
	char self[PATH_MAX] = "";
	pid_t pids[8];
	struct child *hp;
	uint64_t begun;
	bool ended;
	size_t n;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	hp = hp_start((const char *const[]){"run", "--via", "ptrace", "prog.Busy.work", "--", "sh",
					    "-c", "\"$0\" \"$@\" & wait", self, FAKE, "silent", lib,
					    NULL});
	begun = mono_ms();
	do {
		pause_ms(5);
		n = MIN(child_descendants(child_pid(hp), pids, ARRAY_SIZE(pids)), ARRAY_SIZE(pids));
		assert_true(mono_ms() - begun < HP_TIMEOUT_MS);
	} while (!any_waits(pids, n));
	child_signal(hp, SIGINT);
	ended = proc_ends_within(child_pid(hp), 10000);
	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGKILL); /* the JVM, which the signal was not for, holds our pipes */
	child_free(hp);
	assert_true(ended);
}

/* Without one it is given up, and said why. */
static void work_is_bounded(void **state _unused_)
{
	struct child *endless = start_fake("endless");
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", child_pid(endless));
	hp_run(&r, (const char *const[]){"methods", "-p", pid, NULL});
	hp_result_check(&r, 1);
	if (!strstr(r.err, "far more work than any real JVM"))
		fail_msg("said: %s", r.err);
	hp_result_free(&r);
	child_free(endless);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		jvm_test(list_goes_on),
		jvm_test(signal_ends_it),
		jvm_test(signal_ends_run),
		jvm_test(work_is_bounded),
	};

	if (argc == 4 && !strcmp(argv[1], FAKE))
		return fake(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
