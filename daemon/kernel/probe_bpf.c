// SPDX-License-Identifier: MIT
/*
 * probe_bpf.c - load and attach the program that runs at every hit, and fetch what it sends.
 *
 * The only includer of its skeleton. Slots' specs and counters are shared memory: installing a
 * probe and reading a counter take no system call.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "kernel/probe_bpf.h"
#include "kernel/bpf_multi.h"
#include "kernel/bpf_util.h"

/* The skeleton calls its structure as we call ours. */
#define probe_bpf probe_skel
#include "probe.skel.h"
#undef probe_bpf

/* Rows of counters; more CPUs share, which costs them cache misses but no count. */
#define STRIPES_MAX 64

/* ring_buffer__consume() was stopped by us, not by the callback. */
#define STOPPED_AT_MAX (-4095)

struct probe_bpf {
	struct probe_skel *skel;
	struct ring_buffer *ring;
	int epoll_fd;
	enum multi_support multi;
	const struct hp_stripe *stripes;
	size_t nstripes;

	record_fn *fn;
	void *arg;
	int taken, max; /* of the probe_bpf_consume() that runs */

	int *link_fds; /* uprobe_multi */
	size_t nlink_fds;
	struct bpf_link **links; /* one by one */
	size_t nlinks;
};

/* --- loading ---------------------------------------------------------------------------------- */

static size_t round_up_pow2(size_t n, size_t least, size_t most)
{
	size_t p = least;

	while (p < n && p < most)
		p *= 2;
	return p;
}

/* End of a field at @off, or 0 where this JVM's is not known. */
static uint64_t field_end(uint32_t off, uint32_t len)
{
	return off == HP_OFF_NONE ? 0 : (uint64_t)off + len;
}

/*
 * How far into an object the probe looks: its klass word and, in a String, value and coder. What is
 * more than the program has room for makes references unreadable, there.
 */
static uint32_t object_head_len(const struct hp_config *c)
{
	uint64_t end = field_end(c->klass_off, c->klass_word == HP_KLASS_NARROW ? 4 : 8);

	end = MAX(end, field_end(c->string_value_off, c->narrow_oops ? 4 : 8));
	end = MAX(end, field_end(c->string_coder_off, 1));
	return (uint32_t)MIN((end + 7) / 8 * 8, UINT32_MAX);
}

/* The program reads the front of a ZForwarding in one piece. */
static bool z_fields_reachable(const struct hp_config *c)
{
	const uint32_t offs[] = {c->z_start_off, c->z_align_shift_off, c->z_length_off};

	for (size_t i = 0; i < ARRAY_SIZE(offs); i++)
		if (offs[i] % 8 || offs[i] >= 32)
			return false;
	return true;
}

/* Each stripe counts its own bytes, so all of them together stay below @wakeup_bytes. */
static uint32_t wakeup_shift(uint32_t wakeup_bytes, size_t nstripes)
{
	uint32_t shift = 0;

	while (shift < 31 && (2ull << shift) * nstripes <= wakeup_bytes)
		shift++;
	return shift;
}

static int configure(struct probe_bpf *p, const struct hp_config *config, size_t ring_bytes)
{
	struct probe_skel *skel = p->skel;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int cpus = libbpf_num_possible_cpus();

	p->nstripes = round_up_pow2((size_t)MAX(cpus, 1), 1, STRIPES_MAX);
	skel->rodata->target = *config;
	if (!z_fields_reachable(config))
		skel->rodata->target.z_forwarding_len = 0;
	skel->rodata->object_head_len = object_head_len(config);
	skel->rodata->stripe_mask = (uint32_t)(p->nstripes - 1);
	skel->rodata->wakeup_shift = wakeup_shift(config->wakeup_bytes, p->nstripes);
	if (p->multi != MULTI_NONE)
		bpf_program__set_expected_attach_type(
			skel->progs.hit, (enum bpf_attach_type)BPF_ATTACH_UPROBE_MULTI);
	if (bpf_map__set_max_entries(skel->maps.stripes, (uint32_t)p->nstripes))
		return -EINVAL;
	/* A ring of 2 GiB is the kernel's own limit, near enough. */
	return bpf_map__set_max_entries(skel->maps.events,
					(uint32_t)round_up_pow2(ring_bytes, page, 1u << 30));
}

/* Sleepable if the kernel can (6.0), so that a page fault at a hit costs time and not a value. */
static int load_as(struct probe_bpf *p, const struct hp_config *config, size_t ring_bytes,
		   bool sleepable, struct load_log *log)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log->text,
		    .kernel_log_size = sizeof(log->text));
	int err;

	log->text[0] = '\0';
	p->skel = probe_bpf__open_opts(&opts);
	if (!p->skel)
		return -errno;
	bpf_program__set_flags(p->skel->progs.hit, sleepable ? BPF_F_SLEEPABLE : 0);
	p->skel->rodata->may_sleep = sleepable;
	err = configure(p, config, ring_bytes);
	if (err == 0)
		err = probe_bpf__load(p->skel);
	if (err) {
		probe_bpf__destroy(p->skel);
		p->skel = NULL;
	}
	return err;
}

/* If it does not load either way, what stood against the first tells more. */
static int load(struct probe_bpf *p, const struct hp_config *config, size_t ring_bytes,
		struct fail *f)
{
	_cleanup_free_ struct load_log *logs = calloc(2, sizeof(*logs));
	int err;

	if (!logs)
		return -ENOMEM;
	err = load_as(p, config, ring_bytes, true, &logs[0]);
	if (err && err != -EPERM && !fail_is_shortage(err) &&
	    !load_as(p, config, ring_bytes, false, &logs[1]))
		return 0;
	return err ? bpf_load_failed("the probe", err, &logs[0], f) : 0;
}

static int map_stats(struct probe_bpf *p)
{
	size_t len = p->nstripes * sizeof(struct hp_stripe);
	void *mem = mmap(NULL, len, PROT_READ, MAP_SHARED, bpf_map__fd(p->skel->maps.stripes), 0);

	if (mem == MAP_FAILED)
		return -errno;
	p->stripes = mem;
	return 0;
}

/* --- fetching --------------------------------------------------------------------------------- */

/* A record is reserved in one piece with room to spare at its end; its own size counts. */
static int on_record(void *arg, void *data, size_t size)
{
	struct probe_bpf *p = arg;
	const struct hp_record *rec = data;
	int err = 0;

	if (size >= sizeof(*rec) && rec->size >= sizeof(*rec) && rec->size <= size)
		err = p->fn(p->arg, rec, rec->size);
	if (err < 0)
		return err;
	return ++p->taken < p->max ? 0 : STOPPED_AT_MAX;
}

/*
 * The kernel calls a ring buffer readable whenever it holds a record. Watched by its edges it is
 * readable once after each wakeup, which the program sends only when wakeup_bytes wait; and once
 * more when it is watched anew with something in it.
 */
static int watch_ring(struct probe_bpf *p, int op)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};

	return epoll_ctl(p->epoll_fd, op, bpf_map__fd(p->skel->maps.events), &ev) ? -errno : 0;
}

static int open_ring(struct probe_bpf *p)
{
	p->ring = ring_buffer__new(bpf_map__fd(p->skel->maps.events), on_record, p, NULL);
	if (!p->ring)
		return -errno;
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll_fd < 0)
		return -errno;
	return watch_ring(p, EPOLL_CTL_ADD);
}

int probe_bpf_fd(const struct probe_bpf *p)
{
	return p->epoll_fd;
}

int probe_bpf_consume(struct probe_bpf *p, int max)
{
	struct epoll_event ev;
	int err;

	/* Before looking: a wakeup that comes later must not be lost. */
	epoll_wait(p->epoll_fd, &ev, 1, 0);
	p->taken = 0;
	p->max = max;
	err = ring_buffer__consume(p->ring);
	if (err < 0) /* something may be left */
		watch_ring(p, EPOLL_CTL_MOD);
	return err < 0 && err != STOPPED_AT_MAX ? err : p->taken;
}

/* --- opening and closing ---------------------------------------------------------------------- */

static int open_all(struct probe_bpf *p, const struct hp_config *config, size_t ring_bytes,
		    struct fail *f)
{
	int err;

	bpf_messages();
	p->multi = bpf_multi_support();
	err = load(p, config, ring_bytes, f);
	if (err)
		return err;
	err = map_stats(p);
	if (err == 0)
		err = open_ring(p);
	if (err)
		fail_set(f, err, "the probe: cannot map what its BPF program shares: %s",
			 fail_strerror(err));
	return err;
}

int probe_bpf_open(const struct hp_config *config, size_t ring_bytes, record_fn *fn, void *arg,
		   struct probe_bpf **ret, struct fail *f)
{
	struct probe_bpf *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->epoll_fd = -1;
	p->fn = fn;
	p->arg = arg;
	err = open_all(p, config, ring_bytes, f);
	if (err) {
		probe_bpf_close(p);
		return err;
	}
	*ret = p;
	return 0;
}

void probe_bpf_close(struct probe_bpf *p)
{
	if (!p)
		return;
	probe_bpf_detach(p);
	ring_buffer__free(p->ring);
	if (p->epoll_fd >= 0)
		close(p->epoll_fd);
	if (p->stripes)
		munmap((void *)(uintptr_t)p->stripes, p->nstripes * sizeof(struct hp_stripe));
	probe_bpf__destroy(p->skel);
	free(p);
}

/* --- attaching -------------------------------------------------------------------------------- */

static int attach_multi(struct probe_bpf *p, pid_t pid, const char *path,
			const struct probe_place *places, size_t n)
{
	_cleanup_free_ __u64 *cookies = calloc(n, sizeof(*cookies));
	_cleanup_free_ unsigned long *offsets = calloc(n, sizeof(*offsets));
	int *fds = realloc(p->link_fds, (p->nlink_fds + 1) * sizeof(*fds));
	int fd;

	if (fds)
		p->link_fds = fds;
	if (!cookies || !offsets || !fds)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		cookies[i] = places[i].slot;
		offsets[i] = places[i].offset;
	}
	/* The program checks the process by itself. */
	fd = bpf_multi_link(bpf_program__fd(p->skel->progs.hit), path,
			    p->multi == MULTI_COMPLETE ? pid : 0, offsets, cookies, (uint32_t)n);
	if (fd < 0)
		return fd;
	p->link_fds[p->nlink_fds++] = fd;
	return 0;
}

static int attach_each(struct probe_bpf *p, pid_t pid, const char *path,
		       const struct probe_place *places, size_t n)
{
	struct bpf_link **links = realloc(p->links, (p->nlinks + n) * sizeof(struct bpf_link *));
	size_t before = p->nlinks;
	pid_t filter = bpf_filter_pid(pid);

	if (!links)
		return -ENOMEM;
	p->links = links;
	for (size_t i = 0; i < n; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = places[i].slot);
		struct bpf_link *link = bpf_program__attach_uprobe_opts(
			p->skel->progs.hit, filter ? filter : -1, path, places[i].offset, &opts);
		int err = -errno;

		if (!link) {
			while (p->nlinks > before)
				bpf_link__destroy(p->links[--p->nlinks]);
			return err;
		}
		p->links[p->nlinks++] = link;
	}
	return 0;
}

int probe_bpf_attach(struct probe_bpf *p, pid_t pid, const char *path,
		     const struct probe_place *places, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (places[i].slot >= HP_SLOTS_MAX)
			return -EINVAL;
	return p->multi != MULTI_NONE ? attach_multi(p, pid, path, places, n)
				      : attach_each(p, pid, path, places, n);
}

void probe_bpf_detach(struct probe_bpf *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nlink_fds; i++)
		close(p->link_fds[i]);
	for (size_t i = 0; i < p->nlinks; i++)
		bpf_link__destroy(p->links[i]);
	free(p->link_fds);
	free(p->links);
	p->link_fds = NULL;
	p->links = NULL;
	p->nlink_fds = p->nlinks = 0;
}

bool probe_bpf_multi(const struct probe_bpf *p)
{
	return p->multi != MULTI_NONE;
}

/* --- slots ------------------------------------------------------------------------------------ */

struct hp_slot_spec *probe_bpf_slot(struct probe_bpf *p, uint32_t slot)
{
	return &p->skel->bss->slots[slot % HP_SLOTS_MAX];
}

struct hp_slot_stat probe_bpf_stat(struct probe_bpf *p, uint32_t slot)
{
	struct hp_slot_stat sum = {0};

	for (size_t i = 0; i < p->nstripes; i++) {
		const struct hp_slot_stat *s = &p->stripes[i].slots[slot % HP_SLOTS_MAX];

		sum.hits += __atomic_load_n(&s->hits, __ATOMIC_RELAXED);
		sum.lost += __atomic_load_n(&s->lost, __ATOMIC_RELAXED);
	}
	return sum;
}
