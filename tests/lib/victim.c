// SPDX-License-Identifier: MIT
/* victim.c - processes that check themselves. See victim.h. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "lib/victim.h"

#define NAP_NS	   300000
#define PATIENCE_S 60 /* for a loaded machine; only a failure takes that long */

struct victim_shared *victim_shared;

/* --- a computation that notices every changed register ---------------------------------------- */

#define ZMM_BYTES 64

/* What spin_regs loads into the registers, and what it finds in them after its loop. */
struct regs_image {
	uint8_t vector_in[32][ZMM_BYTES];
	uint8_t vector_out[32][ZMM_BYTES];
	uint64_t gpr_in[16], gpr_out[16];
	uint64_t mask_in[8], mask_out[8];
	uint64_t red_in[16], red_out[16];
	double x87_in[4], x87_out[4];
	uint32_t mxcsr_in, mxcsr_out;
	uint64_t flags_out;
};

void spin_regs_sse(struct regs_image *img, uint64_t rounds);
void spin_regs_avx512(struct regs_image *img, uint64_t rounds);

/* Offsets in struct regs_image, for the assembler. */
#define OFF_VIN	  "0"
#define OFF_VOUT  "2048"
#define OFF_GIN	  "4096"
#define OFF_GOUT  "4224"
#define OFF_KIN	  "4352"
#define OFF_KOUT  "4416"
#define OFF_RIN	  "4480"
#define OFF_ROUT  "4608"
#define OFF_XIN	  "4736"
#define OFF_XOUT  "4768"
#define OFF_CIN	  "4800"
#define OFF_COUT  "4804"
#define OFF_FLAGS "4808"
_Static_assert(offsetof(struct regs_image, gpr_in) == 4096, "OFF_GIN");
_Static_assert(offsetof(struct regs_image, mask_out) == 4416, "OFF_KOUT");
_Static_assert(offsetof(struct regs_image, red_out) == 4608, "OFF_ROUT");
_Static_assert(offsetof(struct regs_image, x87_out) == 4768, "OFF_XOUT");
_Static_assert(offsetof(struct regs_image, flags_out) == 4808, "OFF_FLAGS");

/*
 * rdi: the image, rsi: rounds; both live in memory-free registers during the loop, like all others.
 * The loop changes neither the carry flag, which is set, nor the direction flag, which is set too.
 */
#define SPIN_BODY(name, load_vectors, store_vectors)                                               \
	asm(".text\n.p2align 4\n.globl " name "\n.type " name ",@function\n" name ":\n"            \
	    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"                   \
	    "stmxcsr -4(%rsp); mov -4(%rsp), %eax; push %rax\n" load_vectors "ldmxcsr " OFF_CIN    \
	    "(%rdi)\n"                                                                             \
	    ".set i, 0\n.rept 4\nfldl " OFF_XIN "+8*i(%rdi)\n.set i, i+1\n.endr\n"                 \
	    ".set i, 0\n.rept 16\nmov " OFF_RIN "+8*i(%rdi), %rax; mov %rax, -128+8*i(%rsp)\n"     \
	    ".set i, i+1\n.endr\n"                                                                 \
	    "mov " OFF_GIN "+0(%rdi), %rax;  mov " OFF_GIN "+8(%rdi), %rbx\n"                      \
	    "mov " OFF_GIN "+16(%rdi), %rcx; mov " OFF_GIN "+24(%rdi), %rdx\n"                     \
	    "mov " OFF_GIN "+32(%rdi), %rbp; mov " OFF_GIN "+40(%rdi), %r8\n"                      \
	    "mov " OFF_GIN "+48(%rdi), %r9;  mov " OFF_GIN "+56(%rdi), %r10\n"                     \
	    "mov " OFF_GIN "+64(%rdi), %r11; mov " OFF_GIN "+72(%rdi), %r12\n"                     \
	    "mov " OFF_GIN "+80(%rdi), %r13; mov " OFF_GIN "+88(%rdi), %r14\n"                     \
	    "mov " OFF_GIN "+96(%rdi), %r15\n"                                                     \
	    "std; stc\n"                                                                           \
	    "1: dec %rsi; jnz 1b\n"                                                                \
	    "mov %rax, " OFF_GOUT "+0(%rdi);  mov %rbx, " OFF_GOUT "+8(%rdi)\n"                    \
	    "mov %rcx, " OFF_GOUT "+16(%rdi); mov %rdx, " OFF_GOUT "+24(%rdi)\n"                   \
	    "mov %rbp, " OFF_GOUT "+32(%rdi); mov %r8, " OFF_GOUT "+40(%rdi)\n"                    \
	    "mov %r9, " OFF_GOUT "+48(%rdi);  mov %r10, " OFF_GOUT "+56(%rdi)\n"                   \
	    "mov %r11, " OFF_GOUT "+64(%rdi); mov %r12, " OFF_GOUT "+72(%rdi)\n"                   \
	    "mov %r13, " OFF_GOUT "+80(%rdi); mov %r14, " OFF_GOUT "+88(%rdi)\n"                   \
	    "mov %r15, " OFF_GOUT "+96(%rdi)\n"                                                    \
	    ".set i, 0\n.rept 16\nmov -128+8*i(%rsp), %rax; mov %rax, " OFF_ROUT "+8*i(%rdi)\n"    \
	    ".set i, i+1\n.endr\n"                                                                 \
	    "pushf; cld; pop %rax; mov %rax, " OFF_FLAGS "(%rdi)\n"                                \
	    ".set i, 3\n.rept 4\nfstpl " OFF_XOUT "+8*i(%rdi)\n.set i, i-1\n.endr\n"               \
	    "stmxcsr " OFF_COUT "(%rdi)\n" store_vectors                                           \
	    "pop %rax; mov %eax, -4(%rsp); ldmxcsr -4(%rsp)\n"                                     \
	    "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"                    \
	    ".size " name ", .-" name "\n")

#define EACH_SSE(x)                                                                                \
	x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define EACH_ZMM(x)                                                                                \
	EACH_SSE(x)                                                                                \
	x(16) x(17) x(18) x(19) x(20) x(21) x(22) x(23) x(24) x(25) x(26) x(27) x(28) x(29) x(30)  \
		x(31)
#define EACH_MASK(x)  x(1) x(2) x(3) x(4) x(5) x(6) x(7)
#define LOAD_SSE(i)   "movups " OFF_VIN "+64*" #i "(%rdi), %xmm" #i "\n"
#define STORE_SSE(i)  "movups %xmm" #i ", " OFF_VOUT "+64*" #i "(%rdi)\n"
#define LOAD_ZMM(i)   "vmovdqu64 " OFF_VIN "+64*" #i "(%rdi), %zmm" #i "\n"
#define STORE_ZMM(i)  "vmovdqu64 %zmm" #i ", " OFF_VOUT "+64*" #i "(%rdi)\n"
#define LOAD_MASK(i)  "kmovw " OFF_KIN "+8*" #i "(%rdi), %k" #i "\n"
#define STORE_MASK(i) "kmovw %k" #i ", " OFF_KOUT "+8*" #i "(%rdi)\n"

SPIN_BODY("spin_regs_sse", EACH_SSE(LOAD_SSE), EACH_SSE(STORE_SSE));
SPIN_BODY("spin_regs_avx512", EACH_ZMM(LOAD_ZMM) EACH_MASK(LOAD_MASK),
	  EACH_ZMM(STORE_ZMM) EACH_MASK(STORE_MASK) "vzeroupper\n");

#define FLAG_CARRY     0x1
#define FLAG_ZERO      0x40
#define FLAG_DIRECTION 0x400
#define MXCSR_ODD      0x7f80 /* all masked, round to zero */
#define GPRS_USED      13

static void fill(void *p, size_t len, uint64_t *seed)
{
	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
		((uint8_t *)p)[i] = (uint8_t)(*seed >> 56);
	}
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f");
}

static void spin_once(uint64_t *seed, uint64_t rounds)
{
	static __thread struct regs_image img;
	bool wide = has_avx512();

	memset(&img, 0, sizeof(img));
	fill(img.vector_in, sizeof(img.vector_in), seed);
	fill(img.gpr_in, sizeof(img.gpr_in), seed);
	fill(img.red_in, sizeof(img.red_in), seed);
	for (int i = 1; i < 8; i++)
		img.mask_in[i] = (*seed >> i) & 0xffff;
	for (int i = 0; i < 4; i++)
		img.x87_in[i] = (double)(*seed >> (20 + i)) / 7;
	img.mxcsr_in = MXCSR_ODD;
	if (wide)
		spin_regs_avx512(&img, rounds);
	else
		spin_regs_sse(&img, rounds);
	for (int i = 0; i < (wide ? 32 : 16); i++)
		if (memcmp(img.vector_in[i], img.vector_out[i], wide ? ZMM_BYTES : 16))
			victim_error(__LINE__);
	if (memcmp(img.gpr_in, img.gpr_out, GPRS_USED * 8))
		victim_error(__LINE__);
	if (memcmp(img.red_in, img.red_out, sizeof(img.red_in)))
		victim_error(__LINE__);
	if (wide && memcmp(img.mask_in, img.mask_out, sizeof(img.mask_in)))
		victim_error(__LINE__);
	if (memcmp(img.x87_in, img.x87_out, sizeof(img.x87_in)))
		victim_error(__LINE__);
	if ((img.mxcsr_out & ~0x3fu) != MXCSR_ODD)
		victim_error(__LINE__);
	if ((img.flags_out & (FLAG_CARRY | FLAG_ZERO | FLAG_DIRECTION)) !=
	    (FLAG_CARRY | FLAG_ZERO | FLAG_DIRECTION))
		victim_error(__LINE__);
}

/* --- what victims do -------------------------------------------------------------------------- */

void victim_error(int line)
{
	if (!__atomic_fetch_add(&victim_shared->errors, 1, __ATOMIC_SEQ_CST))
		victim_shared->where = (uint64_t)line;
}

/* What a thread has besides registers: it stays, too. */
static void own_thread_state(sigset_t *mask, stack_t *stack)
{
	static __thread char alt[16384];

	sigemptyset(mask);
	sigaddset(mask, SIGWINCH);
	sigprocmask(SIG_SETMASK, mask, NULL);
	*stack = (stack_t){.ss_sp = alt, .ss_size = sizeof(alt)};
	sigaltstack(stack, NULL);
}

static void check_thread_state(const sigset_t *mask, const stack_t *stack)
{
	sigset_t m;
	stack_t s;

	sigprocmask(SIG_SETMASK, NULL, &m);
	if (memcmp(&m, mask, NSIG / 8))
		victim_error(__LINE__);
	sigaltstack(NULL, &s);
	if (s.ss_sp != stack->ss_sp || s.ss_size != stack->ss_size || s.ss_flags)
		victim_error(__LINE__);
}

static void beat(void)
{
	__atomic_fetch_add(&victim_shared->beats, 1, __ATOMIC_SEQ_CST);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static void wait_futex(uint64_t nap_ns)
{
	uint64_t until = now_ns() + nap_ns;
	struct timespec t = {(time_t)(until / NSEC_PER_SEC), (long)(until % NSEC_PER_SEC)};
	uint32_t seen = victim_shared->futex;
	long res;

	if (!nap_ns) {
		res = syscall(SYS_futex, &victim_shared->futex, FUTEX_WAIT, seen, NULL, NULL, 0);
		if (res && errno != EAGAIN)
			victim_error(__LINE__);
		return;
	}
	res = sem_clockwait(&victim_shared->never, CLOCK_MONOTONIC, &t);
	if (res != -1 || errno != ETIMEDOUT || now_ns() < until)
		victim_error(__LINE__);
}

static void wait_nanosleep(void)
{
	struct timespec t = {0, NAP_NS};
	uint64_t began = now_ns();

	if (nanosleep(&t, NULL) || now_ns() - began < NAP_NS)
		victim_error(__LINE__);
}

static void wait_poll(struct victim *v, enum victim_kind kind)
{
	struct pollfd p = {.fd = v->pipe[0], .events = POLLIN};
	sigset_t all;
	uint64_t began = now_ns();
	char c;

	sigfillset(&all);
	if (kind == VICTIM_POLL_TIMED) {
		p.events = 0;
		if (poll(&p, 1, 1) || now_ns() - began < NSEC_PER_MSEC)
			victim_error(__LINE__);
		return;
	}
	if ((kind == VICTIM_PPOLL ? ppoll(&p, 1, NULL, &all) : poll(&p, 1, -1)) != 1)
		victim_error(__LINE__);
	if (read(v->pipe[0], &c, 1) != 1)
		victim_error(__LINE__);
}

static void wait_read(struct victim *v)
{
	char c;

	if (read(v->pipe[0], &c, 1) != 1)
		victim_error(__LINE__);
}

static void on_tick(int sig)
{
	(void)sig;
	victim_shared->signals++;
}

static void start_ticks(void)
{
	struct sigaction sa = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
	struct itimerval it = {{0, 200}, {0, 200}};

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

void victim_sleeper(struct victim *v, enum victim_kind kind)
{
	uint64_t seed = (uint64_t)getpid() * 2654435761u;
	sigset_t mask;
	stack_t stack;

	own_thread_state(&mask, &stack);
	if (kind == VICTIM_TICKS)
		start_ticks();
	for (;;) {
		if (kind == VICTIM_SPIN || kind == VICTIM_TICKS)
			spin_once(&seed, 20000);
		else if (kind == VICTIM_FUTEX)
			wait_futex(0);
		else if (kind == VICTIM_FUTEX_TIMED)
			wait_futex(NAP_NS);
		else if (kind == VICTIM_NANOSLEEP)
			wait_nanosleep();
		else if (kind == VICTIM_READ)
			wait_read(v);
		else
			wait_poll(v, kind);
		check_thread_state(&mask, &stack);
		beat();
	}
}

struct thread_arg {
	struct victim *v;
	enum victim_kind kind;
};

static void *sleeper_thread(void *arg)
{
	struct thread_arg *a = arg;

	prctl(PR_SET_NAME, "sleeper");
	__atomic_fetch_add(&victim_shared->calls, 1, __ATOMIC_SEQ_CST);
	victim_sleeper(a->v, a->kind);
	return NULL;
}

/* One thread computes, so that a machine with two processors has time for the test. */
static void many_threads(struct victim *v)
{
	static const enum victim_kind kinds[] = {VICTIM_FUTEX_TIMED, VICTIM_NANOSLEEP,
						 VICTIM_POLL_TIMED, VICTIM_FUTEX};
	static struct thread_arg args[VICTIM_THREADS];
	pthread_t t;

	for (size_t i = 0; i < VICTIM_THREADS; i++) {
		args[i].v = v;
		args[i].kind = i ? kinds[i % ARRAY_SIZE(kinds)] : VICTIM_SPIN;
		if (pthread_create(&t, NULL, sleeper_thread, &args[i]))
			victim_error(__LINE__);
	}
	while (victim_shared->calls < VICTIM_THREADS)
		sched_yield();
	victim_shared->calls = 0;
	victim_ready(v);
	pthread_join(t, NULL);
}

void victim_ready(struct victim *v)
{
	(void)v;
	victim_shared->ready = 1;
}

static void victim_main(struct victim *v)
{
	if (v->kind == VICTIM_THREADS_ALL)
		many_threads(v);
	victim_ready(v);
	victim_sleeper(v, v->kind);
}

/* --- called from outside ---------------------------------------------------------------------- */

void victim_count(void)
{
	victim_shared->calls++;
}

void victim_count_syscall(void)
{
	long pid = syscall(SYS_getpid);

	if (syscall(SYS_gettid) && pid == getpid())
		victim_shared->calls++;
}

void victim_fault(void)
{
	asm volatile("movq 8, %%rax" ::: "rax", "memory");
}

/* --- the test's side -------------------------------------------------------------------------- */

pid_t victim_fork(void)
{
	pid_t parent = getpid(), child = fork();

	assert_true(child >= 0);
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	return 0;
}

static void start(struct victim *v, void (*fn)(struct victim *v))
{
	assert_int_equal(pipe2(v->pipe, O_CLOEXEC), 0);
	v->shared = mmap(NULL, sizeof(*v->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(v->shared, MAP_FAILED);
	victim_shared = v->shared;
	v->pid = victim_fork();
	if (!v->pid) {
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* where Yama wants it */
		fn(v);
		_exit(0);
	}
	victim_wait_for(&v->shared->ready, 1);
	/* Asleep, if that is what it does: a futex that is poked too early is no harm, only slow.
	 */
	if (v->kind != VICTIM_SPIN && v->kind != VICTIM_TICKS && fn == victim_main)
		victim_wait_state(v->pid, v->pid, 'S');
}

void victim_start(struct victim *v, enum victim_kind kind)
{
	v->kind = kind;
	start(v, victim_main);
}

void victim_start_fn(struct victim *v, void (*fn)(struct victim *v))
{
	v->kind = VICTIM_KINDS;
	start(v, fn);
}

int victim_stop(struct victim *v)
{
	int status = 0;

	kill(v->pid, SIGKILL);
	/* Whoever traced it when it ended may have taken note of that already. */
	assert_true(waitpid(v->pid, &status, 0) == v->pid || errno == ECHILD);
	munmap(v->shared, sizeof(*v->shared));
	close(v->pipe[0]);
	close(v->pipe[1]);
	return status;
}

void victim_poke(struct victim *v)
{
	if (v->kind == VICTIM_FUTEX) {
		__atomic_fetch_add(&v->shared->futex, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &v->shared->futex, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	} else if (v->kind == VICTIM_POLL || v->kind == VICTIM_PPOLL || v->kind == VICTIM_READ) {
		assert_int_equal(write(v->pipe[1], "x", 1), 1);
	}
}

void victim_wait_for(volatile uint64_t *word, uint64_t value)
{
	uint64_t until = now_ns() + PATIENCE_S * NSEC_PER_SEC;

	while (*word < value) {
		assert_true(now_ns() < until);
		usleep(20);
	}
}

void victim_check(struct victim *v)
{
	uint64_t before = v->shared->beats;
	uint64_t until = now_ns() + PATIENCE_S * NSEC_PER_SEC;

	victim_poke(v);
	/* A round that is under way may have begun before; the second was touched by nobody. */
	while (v->shared->beats < before + 1) {
		int status, got = waitpid(v->pid, &status, WNOHANG);

		if (got)
			fail_msg("the target ended, wait status 0x%x", status);
		if (now_ns() > until)
			fail_msg("the target does nothing any more");
		usleep(20);
	}
	if (v->shared->errors)
		fail_msg("the target found %llu faults, first at victim.c:%llu",
			 (unsigned long long)v->shared->errors,
			 (unsigned long long)v->shared->where);
}

void victim_wait_asleep(pid_t pid)
{
	struct dirent *d;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			victim_wait_state(pid, (pid_t)atoi(d->d_name), 'S');
	closedir(dir);
}

void victim_wait_state(pid_t pid, pid_t tid, char state)
{
	uint64_t until = now_ns() + PATIENCE_S * NSEC_PER_SEC;
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	for (;;) {
		_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		const char *p;

		text[n > 0 ? n : 0] = '\0';
		p = strrchr(text, ')');
		if (p && p[1] && p[2] == state)
			return;
		assert_true(now_ns() < until);
		usleep(20);
	}
}
