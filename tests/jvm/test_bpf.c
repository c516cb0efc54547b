// SPDX-License-Identifier: MIT
/* test_bpf.c - the BPF programs on the real kernel, against a target without a JVM. */
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/env.h"
#include "kernel/kernel_features.h"
#include "kernel/nmethod_bpf.h"
#include "lib/fakevm.h"

#define RING_BYTES (1u << 20)

static struct fakevm vm;
static struct capture_list *method;

/* The last record of each kind, and how many there were. */
static struct {
	union {
		struct hp_entry e;
		uint8_t bytes[1 << 17];
	} entry;
	struct hp_thread thread;
	size_t entries, threads;
	int stop; /* what the callback returns */
} got;

static int on_record(void *arg _unused_, const struct hp_record *rec, size_t size)
{
	if (rec->kind == HP_THREAD) {
		assert_int_equal(size, sizeof(got.thread));
		memcpy(&got.thread, rec, size);
		got.threads++;
	} else {
		assert_int_equal(rec->kind, HP_ENTRY);
		assert_true(size <= sizeof(got.entry));
		memcpy(&got.entry, rec, size);
		got.entries++;
	}
	return got.stop;
}

static int setup(void **state)
{
	test_needs_root();
	memset(&got, 0, sizeof(got));
	return test_setup(state);
}

static int cleanup(void **state)
{
	fakevm_close(&vm);
	return test_cleanup(state);
}

static void open_vm(void)
{
	fakevm_open(&vm, RING_BYTES, on_record, NULL);
}

static void probe(uint32_t slot, const char *desc, bool is_static, uint32_t gen)
{
	free(method);
	assert_int_equal(capture_list_new(ABI_HOTSPOT, desc, is_static, &method), 0);
	fakevm_probe(&vm, slot, method, gen);
}

/* Pass the slot once; the one event there must be, checked. */
static struct decode_view hit(uint32_t slot, const struct fake_regs *r)
{
	struct decode_view v;
	size_t before = got.entries;

	fakevm_call(&vm, slot, r);
	assert_true(probe_bpf_consume(vm.p, INT32_MAX) >= 1);
	assert_int_equal(got.entries, before + 1);
	assert_int_equal(decode_check(&got.entry.e.h, got.entry.e.h.size, &v), 0);
	assert_int_equal(v.e->slot, slot);
	return v;
}

static struct value arg(const struct decode_view *v, int i)
{
	struct value a;

	decode_value(v, capture_arg(method, i), &a);
	return a;
}

static void assert_text(const struct decode_view *v, int i, const char *text, size_t len,
			size_t array_len)
{
	struct value a = arg(v, i);

	assert_null(a.error);
	if (a.error)
		fail_msg("argument %d: %s", i, a.error);
	assert_true(a.ref.has_text);
	assert_int_equal(a.ref.text.len, len);
	assert_int_equal(a.ref.array_len, array_len);
	assert_memory_equal(a.ref.text.s, text, len);
}

static struct fake_regs regs(void)
{
	return (struct fake_regs){.r15 = vm.jthread,
				  .fp = {0.5, -1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5}};
}

/* --- counting -----------------------------------------------------------------------------------
 */

enum { COUNT_THREADS = 4, COUNT_CALLS = 50000 };

static void *count_calls(void *slot)
{
	struct fake_regs r = regs();

	for (int i = 0; i < COUNT_CALLS; i++)
		fakevm_call(&vm, (uint32_t)(uintptr_t)slot, &r);
	return NULL;
}

/* However many threads pass a counting slot, not a hit is missed or counted twice, and none is
 * sent. */
static void count_exact(void **state _unused_)
{
	pthread_t threads[COUNT_THREADS];

	open_vm();
	probe_bpf_slot(vm.p, 5)->flags = HP_SLOT_LIVE | HP_SLOT_COUNT;
	for (size_t i = 0; i < COUNT_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_calls, (void *)5), 0);
	for (size_t i = 0; i < COUNT_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(probe_bpf_stat(vm.p, 5).hits, COUNT_THREADS * COUNT_CALLS);
	assert_int_equal(probe_bpf_stat(vm.p, 5).lost, 0);
	assert_int_equal(probe_bpf_stat(vm.p, 4).hits, 0);
	assert_int_equal(probe_bpf_consume(vm.p, INT32_MAX), 0);
}

/* A slot that is not live says nothing and counts nothing; nor does one that was made dead again.
 */
static void count_not_live(void **state _unused_)
{
	struct fake_regs r;

	open_vm();
	r = regs();
	fakevm_call(&vm, 5, &r);
	probe(5, "()V", true, 1);
	hit(5, &r);
	probe_bpf_slot(vm.p, 5)->flags = 0;
	fakevm_call(&vm, 5, &r);
	assert_int_equal(probe_bpf_stat(vm.p, 5).hits, 1);
	assert_int_equal(probe_bpf_consume(vm.p, INT32_MAX), 0);
}

/*
 * A child that the target forked shares its slots' file, but is not the target. The slot has not
 * been hit before: Linux 6.18 does not give a child the trampoline that a slot, once hit, calls
 * (VM_DONTCOPY, create_uprobe_trampoline(), arch/x86/kernel/uprobes.c). No forked child runs
 * compiled Java: the JVM's other threads are not in it.
 */
static void count_forked_child(void **state _unused_)
{
	struct fake_regs r;
	int status;
	pid_t pid;

	open_vm();
	r = regs();
	probe(5, "()V", true, 1);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		fakevm_call(&vm, 5, &r);
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(probe_bpf_stat(vm.p, 5).hits, 0);
	hit(5, &r);
}

/* Detached, the slots are plain nops again. */
static void count_detached(void **state _unused_)
{
	struct fake_regs r;

	open_vm();
	r = regs();
	probe(5, "()V", true, 1);
	probe_bpf_detach(vm.p);
	fakevm_call(&vm, 5, &r);
	assert_int_equal(probe_bpf_stat(vm.p, 5).hits, 0);
}

/* --- values -------------------------------------------------------------------------------------
 */

/* An event names its use of the slot, its thread, and holds the registers of the call. */
static void entry_registers(void **state _unused_)
{
	struct decode_view v;
	struct fake_regs r;

	open_vm();
	r = regs();
	for (size_t i = 0; i < HP_GPR_ARGS; i++)
		r.gpr[i] = 0x1111111111111111 * (i + 1);
	probe(3, "(JJJJJJ)V", true, 77);
	v = hit(3, &r);
	assert_int_equal(v.e->gen, 77);
	assert_int_equal(v.e->tid, gettid());
	assert_int_equal(v.e->jthread, vm.jthread);
	assert_int_equal(v.e->java_tid, 42);
	for (int i = 0; i < HP_GPR_ARGS; i++)
		assert_int_equal(arg(&v, i).j, 0x1111111111111111 * (i + 1));
}

/* A slot that saves xmm0-7 gives all eight, and the stack words from where the entry had them. */
static void entry_floats_and_stack(void **state _unused_)
{
	struct decode_view v;
	struct fake_regs r;
	double ninth = -0.125;

	open_vm();
	r = regs();
	memcpy(&r.stack[0], &ninth, sizeof(ninth));
	r.stack[1] = fakevm_string(&vm, "on the stack", 12, 0, true);
	r.stack[2] = 0xdeadbeef00000007;
	probe(FAKE_SLOTS, "(DDDDDDDDDJJJJJJLjava/lang/String;I)V", true, 1);
	v = hit(FAKE_SLOTS, &r);
	for (int i = 0; i < HP_FP_ARGS; i++)
		assert_true(arg(&v, i).d == r.fp[i]);
	assert_true(arg(&v, 8).d == ninth);
	assert_text(&v, 15, "on the stack", 12, 12);
	assert_int_equal(arg(&v, 16).i, 7);
	probe(FAKE_SLOTS + 1, "(ILjava/lang/String;F)V", true,
	      1); /* without the stack: a short record */
	r.gpr[1] = r.stack[1];
	v = hit(FAKE_SLOTS + 1, &r);
	assert_text(&v, 1, "on the stack", 12, 12);
}

/* Strings of each coder and length, beside their array and apart from it, come out to the byte. */
static void entry_strings(void **state _unused_)
{
	static const size_t lens[] = {0, 1, 4, 62, 64, 72, 80, 87, 88, 89, 120, 254, 255, 256};
	struct decode_view v;
	struct fake_regs r;
	char text[256];

	open_vm();
	r = regs();
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + 1);
	for (size_t i = 0; i < ARRAY_SIZE(lens) * 4; i++) {
		size_t len = lens[i / 4];
		uint8_t coder = i & 1 && len % 2 == 0;

		/* Alternating slots: none remembers that its texts were long. */
		probe(1 + (uint32_t)i, "(Ljava/lang/String;ILjava/lang/String;)V", false, 1);
		r.gpr[0] = fakevm_object(&vm);
		r.gpr[1] = fakevm_string(&vm, text, len, coder, i & 2);
		r.gpr[3] = fakevm_string(&vm, "second", 6, 0, i & 2);
		v = hit(1 + (uint32_t)i, &r);
		assert_text(&v, 0, text, len, len);
		assert_int_equal(arg(&v, 0).ref.text.coder, coder);
		assert_text(&v, 2, "second", 6, 6);
		assert_int_equal(arg(&v, -1).ref.klass_word, FAKE_OBJECT_KLASS);
	}
}

/* A text longer than string_max is cut there, at a whole UTF-16 unit, and its length is told. */
static void entry_string_max(void **state _unused_)
{
	static char text[5000];
	struct decode_view v;
	struct fake_regs r;

	fakevm_init(&vm);
	vm.config.string_max = 31;
	fakevm_load(&vm, RING_BYTES, on_record, NULL);
	r = regs();
	memset(text, 'b', sizeof(text));
	probe(1, "(Ljava/lang/String;Ljava/lang/String;)V", true, 1);
	r.gpr[0] = fakevm_string(&vm, text, sizeof(text), 0, false);
	r.gpr[1] = fakevm_string(&vm, text, sizeof(text), 1, true);
	v = hit(1, &r);
	assert_text(&v, 0, text, 31, sizeof(text));
	assert_text(&v, 1, text, 30, sizeof(text));
	assert_string_equal((const char *)got.thread.text, "main"); /* not a matter of string_max */
}

/* With string_max 0 a String is known, with its length, and nothing is copied. */
static void entry_string_max_zero(void **state _unused_)
{
	struct decode_view v;
	struct fake_regs r;

	fakevm_init(&vm);
	vm.config.string_max = 0;
	fakevm_load(&vm, RING_BYTES, on_record, NULL);
	r = regs();
	probe(1, "(Ljava/lang/String;)V", true, 1);
	r.gpr[0] = fakevm_string(&vm, "pear", 4, 0, false);
	v = hit(1, &r);
	assert_text(&v, 0, "", 0, 4);
}

/* The longest texts there may be: sixteen of 4096 bytes; further ones are named as too many. */
static void entry_texts_most(void **state _unused_)
{
	static char desc[512] = "(", text[HP_TEXT_MAX];
	struct decode_view v;
	struct fake_regs r;

	fakevm_init(&vm);
	vm.config.string_max = HP_TEXT_MAX;
	fakevm_load(&vm, RING_BYTES, on_record, NULL);
	r = regs();
	for (size_t i = 0; i < HP_GPR_ARGS + FAKE_STACK; i++) {
		uint64_t s;

		memset(text, 'a' + (int)i, sizeof(text));
		s = fakevm_string(&vm, text, sizeof(text), 0, false);
		*(i < HP_GPR_ARGS ? &r.gpr[i] : &r.stack[i - HP_GPR_ARGS]) = s;
		strcat(desc, "Ljava/lang/String;");
	}
	probe(1, strcat(desc, ")V"), true, 1);
	v = hit(1, &r);
	for (int i = 0; i < HP_TEXTS_MAX; i++) {
		memset(text, 'a' + i, sizeof(text));
		assert_text(&v, i, text, sizeof(text), sizeof(text));
	}
	for (int i = HP_TEXTS_MAX; i < HP_GPR_ARGS + FAKE_STACK; i++) {
		assert_int_equal(v.refs[i].status, HP_REF_TOO_MANY);
		assert_int_equal(v.refs[i].klass_word, FAKE_STRING_KLASS);
	}
}

/* What is declared as something else shows its text when it is a String, and else its class. */
static void entry_objects(void **state _unused_)
{
	struct decode_view v;
	struct fake_regs r;

	open_vm();
	r = regs();
	probe(1, "(Ljava/lang/Object;Ljava/lang/Object;Ljava/lang/Object;)V", true, 1);
	r.gpr[0] = fakevm_string(&vm, "pear", 4, 0, true);
	r.gpr[1] = fakevm_object(&vm);
	r.gpr[2] = 0;
	v = hit(1, &r);
	assert_text(&v, 0, "pear", 4, 4);
	assert_int_equal(arg(&v, 1).ref.klass_word, FAKE_OBJECT_KLASS);
	assert_false(arg(&v, 1).ref.has_text);
	assert_int_equal(arg(&v, 2).ref.addr, 0);
	assert_null(arg(&v, 2).error);
}

/* A String whose array is not there yet (in its constructor) is an object without text. */
static void entry_string_unfinished(void **state _unused_)
{
	struct decode_view v;
	struct fake_regs r;

	open_vm();
	r = regs();
	probe(1, "(Ljava/lang/String;)V", true, 1);
	r.gpr[0] = fakevm_string_of(&vm, 0, 0);
	v = hit(1, &r);
	assert_null(arg(&v, 0).error);
	assert_true(arg(&v, 0).ref.known);
	assert_false(arg(&v, 0).ref.has_text);
}

/* Compact object headers: the class is in the mark, whose other bits do not matter. */
static void entry_klass_in_mark(void **state _unused_)
{
	struct decode_view v;
	struct fake_regs r;

	fakevm_init(&vm);
	vm.config.klass_word = HP_KLASS_IN_MARK;
	vm.config.klass_mark_shift = 42;
	fakevm_load(&vm, RING_BYTES, on_record, NULL);
	r = regs();
	probe(1, "(Ljava/lang/Object;Ljava/lang/Object;)V", true, 1);
	r.gpr[0] = fakevm_string(&vm, "pear", 4, 0, true);
	r.gpr[1] = fakevm_object(&vm);
	*(uint64_t *)r.gpr[0] = (uint64_t)FAKE_STRING_KLASS << 42 | 0x123456781;
	*(uint64_t *)r.gpr[1] = (uint64_t)FAKE_OBJECT_KLASS << 42 | 0x1;
	v = hit(1, &r);
	assert_text(&v, 0, "pear", 4, 4);
	assert_int_equal(arg(&v, 1).ref.klass_word, (uint64_t)FAKE_OBJECT_KLASS << 42);
}

/* --- memory that is not there -------------------------------------------------------------------
 */

/* Addresses that cannot be read are errors of that argument; all others stay exact. */
static void entry_unreadable(void **state _unused_)
{
	struct decode_view v;
	struct fake_regs r;

	open_vm();
	r = regs();
	probe(1, "(Ljava/lang/String;Ljava/lang/String;Ljava/lang/Object;Ljava/lang/String;)V",
	      true, 1);
	r.gpr[0] = fakevm_string(&vm, "pear", 4, 0, false);
	r.gpr[1] = fakevm_string_of(&vm, 0xdead0000, 0);
	r.gpr[2] = 0xffffffffdead0000;
	r.gpr[3] = fakevm_string(&vm, "odd coder", 9, 2, false);
	v = hit(1, &r);
	assert_text(&v, 0, "pear", 4, 4);
	for (int i = 1; i < 4; i++)
		assert_int_equal(v.refs[i].status, HP_REF_FAULT);
	assert_int_equal(v.refs[1].klass_word, FAKE_STRING_KLASS);
	assert_int_equal(probe_bpf_stat(vm.p, 1).lost, 0);
}

/* An object at the very end of its mapping is read although what lies behind it cannot be. */
static void entry_end_of_mapping(void **state _unused_)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct decode_view v;
	struct fake_regs r;
	uint8_t *mem;

	open_vm();
	r = regs();
	mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(mem != MAP_FAILED);
	assert_int_equal(mprotect(mem + page, page, PROT_NONE), 0);
	probe(1, "(Ljava/lang/String;Ljava/lang/Object;)V", true, 1);
	r.gpr[0] = fakevm_string_of(&vm, (uint64_t)mem + page - FAKE_ARRAY_BASE - 4, 0);
	fakevm_array((uint64_t)mem + page - FAKE_ARRAY_BASE - 4, "last", 4);
	r.gpr[1] = (uint64_t)mem + page - 16;
	v = hit(1, &r);
	assert_text(&v, 0, "last", 4, 4);
	memset(mem + page - 16, 0, 16);
	*(uint32_t *)(r.gpr[1] + 8) = FAKE_OBJECT_KLASS;
	probe(2, "(Ljava/lang/Object;)V", true, 1);
	r.gpr[0] = r.gpr[1];
	v = hit(2, &r);
	assert_int_equal(arg(&v, 0).ref.klass_word, FAKE_OBJECT_KLASS);
	munmap(mem, 2 * page);
}

/* Pages of a file that nobody touched yet, such as an archived heap, are fetched at the hit. */
static void entry_untouched_pages(void **state _unused_)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = memfd_create("archive", MFD_CLOEXEC);
	struct decode_view v;
	struct fake_regs r;
	char text[300];
	uint8_t *mem;

	open_vm();
	r = regs();
	memset(text, 't', sizeof(text));
	assert_int_equal(ftruncate(fd, 4 * (long)page), 0);
	mem = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fakevm_array((uint64_t)mem + page - 100, text, 256);
	fakevm_array((uint64_t)mem + 2 * page + 8, text, 8);
	munmap(mem, 4 * page);
	mem = mmap(NULL, 4 * page, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_int_equal(madvise(mem, 4 * page, MADV_RANDOM), 0); /* no reading ahead */
	probe(1, "(Ljava/lang/String;Ljava/lang/String;)V", true, 1);
	r.gpr[0] = fakevm_string_of(&vm, (uint64_t)mem + page - 100, 0);
	r.gpr[1] = fakevm_string_of(&vm, (uint64_t)mem + 2 * page + 8, 0);
	v = hit(1, &r);
	assert_text(&v, 0, text, 256, 256);
	assert_text(&v, 1, text, 8, 8);
	munmap(mem, 4 * page);
	close(fd);
}

/* --- threads ------------------------------------------------------------------------------------
 */

#define AT_ONCE_NS (500 * NSEC_PER_MSEC)

/* Return: false if the machine took so long that a name may have come for that reason. */
static bool hit_twice_at_once(uint32_t slot, const struct fake_regs *r)
{
	uint64_t start;
	size_t names;

	usleep(1100000); /* a new second begins with the first of the two */
	hit(slot, r);
	start = clock_ns();
	names = got.threads;
	hit(slot, r);
	if (clock_ns() - start > AT_ONCE_NS)
		return false;
	assert_int_equal(got.threads, names);
	return true;
}

/* A thread's name comes before its first call, again within about a second, and then the new one.
 */
static void thread_names(void **state _unused_)
{
	struct fake_regs r;
	size_t names;

	open_vm();
	r = regs();
	probe(1, "()V", true, 1);
	hit(1, &r);
	assert_int_equal(got.threads, 1);
	assert_int_equal(got.thread.java_tid, 42);
	assert_int_equal(got.thread.tid, gettid());
	assert_int_equal(got.thread.text_len, 4);
	assert_memory_equal(got.thread.text, "main", 4);
	while (!hit_twice_at_once(1, &r))
		;
	*(uint64_t *)(vm.thread + 16) = fakevm_string(&vm, "renamed", 7, 0, true);
	names = got.threads;
	usleep(1100000);
	hit(1, &r);
	assert_int_equal(got.threads, names + 1);
	assert_memory_equal(got.thread.text, "renamed", 7);
}

/* Where virtual threads exist, the id of the call is that of the thread mounted at that moment. */
static void thread_virtual(void **state _unused_)
{
	struct fake_regs r;

	fakevm_init(&vm);
	vm.config.thread_vthread = 64;
	fakevm_load(&vm, RING_BYTES, on_record, NULL);
	r = regs();
	probe(1, "()V", true, 1);
	for (uint64_t i = 0; i < 10; i++) {
		*(uint64_t *)(vm.thread + 24) = 1000 + i % 3;
		assert_int_equal(hit(1, &r).e->java_tid, 1000 + i % 3);
	}
	assert_int_equal(got.threads, 3);
}

/* The same where the JavaThread itself says the id. */
static void thread_lock_id(void **state _unused_)
{
	struct fake_regs r;

	fakevm_init(&vm);
	vm.config.thread_vthread = 64;
	vm.config.thread_lock_id = 72;
	fakevm_load(&vm, RING_BYTES, on_record, NULL);
	r = regs();
	probe(1, "()V", true, 1);
	for (uint64_t i = 0; i < 10; i++) {
		*(uint64_t *)(vm.jthread + 72) = 2000 + i;
		assert_int_equal(hit(1, &r).e->java_tid, 2000 + i);
		assert_int_equal(got.thread.java_tid, 2000 + i);
	}
}

/* A thread that cannot be read has no id and no name, and its calls are still told. */
static void thread_unreadable(void **state _unused_)
{
	struct fake_regs r;

	open_vm();
	r = regs();
	r.r15 = 0xdead0000;
	probe(1, "()V", true, 1);
	assert_int_equal(hit(1, &r).e->java_tid, 0);
	assert_int_equal(got.threads, 0);
}

/* --- the ring -----------------------------------------------------------------------------------
 */

/* Every hit is an event or a loss, never neither; after fetching, events come again. */
static void ring_full(void **state _unused_)
{
	struct hp_slot_stat stat;
	struct fake_regs r;

	fakevm_open(&vm, 64 << 10, on_record, NULL);
	r = regs();
	probe(1, "(I)V", false, 1);
	r.gpr[0] = fakevm_object(&vm);
	for (int i = 0; i < 10000; i++)
		fakevm_call(&vm, 1, &r);
	probe_bpf_consume(vm.p, INT32_MAX);
	stat = probe_bpf_stat(vm.p, 1);
	assert_int_equal(stat.hits, 10000);
	assert_true(stat.lost > 0);
	assert_int_equal(got.entries, stat.hits - stat.lost);
	hit(1, &r);
}

static bool readable(void)
{
	struct pollfd pfd = {.fd = probe_bpf_fd(vm.p), .events = POLLIN};

	return poll(&pfd, 1, 20) == 1;
}

/* User space is woken once per wakeup_bytes, not for every record. */
static void ring_wakeup(void **state _unused_)
{
	struct fake_regs r;
	int hits = 0;

	open_vm();
	r = regs();
	probe(1, "()V", true, 1);
	fakevm_call(&vm, 1, &r);
	probe_bpf_consume(vm.p, INT32_MAX);
	fakevm_call(&vm, 1, &r);
	assert_false(readable());
	while (!readable() && hits < 4096) {
		for (int i = 0; i < 64; i++)
			fakevm_call(&vm, 1, &r);
		hits += 64;
	}
	assert_true(hits * sizeof(struct hp_entry) <= vm.config.wakeup_bytes);
	assert_true(readable());
	probe_bpf_consume(vm.p, INT32_MAX);
	assert_false(readable());
}

/* Fetching stops where it is told to, and what is left makes the descriptor readable at once. */
static void ring_consume_max(void **state _unused_)
{
	struct fake_regs r;

	open_vm();
	r = regs();
	probe(1, "()V", true, 1);
	hit(1, &r);
	for (int i = 0; i < 10; i++)
		fakevm_call(&vm, 1, &r);
	assert_int_equal(probe_bpf_consume(vm.p, 4), 4);
	assert_true(readable());
	got.stop = -ECANCELED;
	assert_int_equal(probe_bpf_consume(vm.p, 4), -ECANCELED);
	got.stop = 0;
	assert_true(readable());
	assert_int_equal(probe_bpf_consume(vm.p, 100), 5);
	assert_false(readable());
}

/* --- opening ------------------------------------------------------------------------------------
 */

/* A file without the place that was named is the kernel's error, and nothing stays attached. */
static void attach_bad_file(void **state _unused_)
{
	const struct probe_place place = {0}, no_slot = {.slot = HP_SLOTS_MAX};

	open_vm();
	assert_true(probe_bpf_attach(vm.p, getpid(), "/nonexistent", &place, 1) < 0);
	assert_true(probe_bpf_attach(vm.p, getpid(), "/proc", &place, 1) < 0);
	assert_int_equal(probe_bpf_attach(vm.p, getpid(), vm.path, &no_slot, 1), -EINVAL);
}

/* What the kernel can do is found out: it runs these tests, so it can. */
static void kernel_features(void **state _unused_)
{
	struct kernel_features k;

	kernel_features_read(&k);
	assert_true(k.bpf && k.btf && k.uprobes && k.ringbuf_dynptr);
	assert_int_equal(k.load_err, 0);
	assert_non_null(k.lockdown);
}

/* --- compile events -----------------------------------------------------------------------------
 */

static struct hp_nmethod events[8];
static size_t nevents;

static int on_nmethod(void *arg _unused_, const struct hp_record *rec, size_t size)
{
	assert_int_equal(size, sizeof(struct hp_nmethod));
	assert_true(nevents < ARRAY_SIZE(events));
	memcpy(&events[nevents++], rec, size);
	return 0;
}

/* Each hook sends its kind, the nmethod of its register, and as much of it as there is. */
static void nmethod_hooks(void **state _unused_)
{
	const struct nmethod_site sites[] = {{HOOK_REGISTER, 1, 16},
					     {HOOK_UNREGISTER, 0, 32},
					     {HOOK_RETIRE, 0, 48},
					     {HOOK_RESCAN, 0, 64}};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct nmethod_bpf *b;
	struct pollfd pfd;
	struct fake_regs r;
	uint8_t *mem;

	fakevm_init(&vm);
	nevents = 0;
	mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(mem != MAP_FAILED);
	memset(mem, 0x5a, page);
	assert_int_equal(mprotect(mem + page, page, PROT_NONE), 0);
	assert_int_equal(nmethod_bpf_open(getpid(), vm.path, sites, ARRAY_SIZE(sites),
					  HP_NMETHOD_HDR_MAX, on_nmethod, NULL, &b, NULL),
			 0);
	pfd = (struct pollfd){.fd = nmethod_bpf_fd(b), .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, 0), 0);
	r = (struct fake_regs){.gpr = {(uint64_t)mem, [5] = (uint64_t)mem + page - 100}};
	for (uint32_t slot = 1; slot <= 4; slot++)
		fakevm_call(&vm, slot, &r);
	assert_int_equal(poll(&pfd, 1, 60000), 1);
	nmethod_bpf_consume(b);
	assert_int_equal(nevents, 4);
	assert_int_equal(events[0].h.kind, HP_REGISTER);
	assert_int_equal(events[0].addr, (uint64_t)mem);
	assert_int_equal(events[0].hdr_len, HP_NMETHOD_HDR_MAX);
	assert_int_equal(events[0].tid, gettid());
	assert_memory_equal(events[0].hdr, mem, HP_NMETHOD_HDR_MAX);
	assert_int_equal(events[1].h.kind, HP_UNREGISTER);
	assert_int_equal(events[1].addr, (uint64_t)mem + page - 100);
	assert_int_equal(events[1].hdr_len, 100); /* up to the end of the mapping */
	assert_int_equal(events[2].h.kind, HP_RETIRE);
	assert_int_equal(events[3].h.kind, HP_RESCAN);
	assert_int_equal(events[3].addr, 0);
	assert_int_equal(nmethod_bpf_lost(b), 0);
	nmethod_bpf_close(b);
	fakevm_call(&vm, 1, &r);
	munmap(mem, 2 * page);
}

/* More compile events than fit are counted, so that the map can be read anew. */
static void nmethod_lost(void **state _unused_)
{
	const struct nmethod_site site = {HOOK_UNREGISTER, 0, 16};
	struct nmethod_bpf *b;
	struct fake_regs r;

	fakevm_init(&vm);
	r = (struct fake_regs){.gpr = {[5] = (uint64_t)vm.heap}};
	assert_int_equal(nmethod_bpf_open(getpid(), vm.path, &site, 1, HP_NMETHOD_HDR_MAX,
					  on_nmethod, NULL, &b, NULL),
			 0);
	for (int i = 0; i < 4000; i++)
		fakevm_call(&vm, 1, &r);
	assert_true(nmethod_bpf_lost(b) > 0);
	assert_true(nmethod_bpf_lost(b) < 4000);
	nmethod_bpf_close(b);
}

#define bpf_test(f) cmocka_unit_test_setup_teardown(f, setup, cleanup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bpf_test(count_exact),
		bpf_test(count_not_live),
		bpf_test(count_forked_child),
		bpf_test(count_detached),
		bpf_test(entry_registers),
		bpf_test(entry_floats_and_stack),
		bpf_test(entry_strings),
		bpf_test(entry_string_max),
		bpf_test(entry_string_max_zero),
		bpf_test(entry_texts_most),
		bpf_test(entry_objects),
		bpf_test(entry_string_unfinished),
		bpf_test(entry_klass_in_mark),
		bpf_test(entry_unreadable),
		bpf_test(entry_end_of_mapping),
		bpf_test(entry_untouched_pages),
		bpf_test(thread_names),
		bpf_test(thread_virtual),
		bpf_test(thread_lock_id),
		bpf_test(thread_unreadable),
		bpf_test(ring_full),
		bpf_test(ring_wakeup),
		bpf_test(ring_consume_max),
		bpf_test(attach_bad_file),
		bpf_test(kernel_features),
		bpf_test(nmethod_hooks),
		bpf_test(nmethod_lost),
	};

	return cmocka_run_group_tests_name("bpf", tests, NULL, NULL);
}
