// SPDX-License-Identifier: MIT
/*
 * nmethod_bpf.c - load the program that reports compile events and hook HotSpot's functions.
 *
 * The only includer of its skeleton.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/nmethod_bpf.h"
#include "kernel/bpf_multi.h"
#include "kernel/bpf_util.h"

/* The skeleton calls its structure as we call ours. */
#define nmethod_bpf nmethod_skel
#include "nmethod.skel.h"
#undef nmethod_bpf

/* HotSpot has some ten functions that we hook; more is a caller's mistake. */
#define SITES_MAX 64

/* Handed over in one go: a target that calls those functions in a loop must not hold us for ever.
 */
#define CONSUME_MAX 1024
#define STOPPED	    (-4095) /* by us, not by the callback */

struct nmethod_bpf {
	struct nmethod_skel *skel;
	struct ring_buffer *ring;
	record_fn *fn;
	void *arg;
	int taken; /* of the nmethod_bpf_consume() that runs */
	int link_fd;
	struct bpf_link *links[SITES_MAX]; /* where the kernel has no usable link for many */
	size_t nlinks;
};

static int on_record(void *arg, void *data, size_t size)
{
	struct nmethod_bpf *b = arg;
	const struct hp_record *rec = data;
	int err = 0;

	if (size >= sizeof(struct hp_nmethod) && rec->size == sizeof(struct hp_nmethod))
		err = b->fn(b->arg, rec, rec->size);
	if (err < 0)
		return err;
	return ++b->taken < CONSUME_MAX ? 0 : STOPPED;
}

static int load(struct nmethod_bpf *b, pid_t pid, uint32_t hdr_len, bool multi, struct fail *f)
{
	_cleanup_free_ struct load_log *log = malloc(sizeof(*log));
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log ? log->text : NULL,
		    .kernel_log_size = log ? sizeof(log->text) : 0);
	int err;

	if (!log)
		return -ENOMEM;
	log->text[0] = '\0';
	b->skel = nmethod_bpf__open_opts(&opts);
	if (!b->skel)
		return bpf_load_failed("compile events", -errno, log, f);
	b->skel->rodata->tgid = bpf_tgid(pid);
	b->skel->rodata->hdr_len = MIN(hdr_len, (uint32_t)HP_NMETHOD_HDR_MAX);
	if (multi)
		bpf_program__set_expected_attach_type(
			b->skel->progs.compile_event,
			(enum bpf_attach_type)BPF_ATTACH_UPROBE_MULTI);
	err = nmethod_bpf__load(b->skel);
	return err ? bpf_load_failed("compile events", err, log, f) : 0;
}

static __u64 site_cookie(const struct nmethod_site *site)
{
	static const enum hp_kind kinds[] = {[HOOK_REGISTER] = HP_REGISTER,
					     [HOOK_UNREGISTER] = HP_UNREGISTER,
					     [HOOK_RETIRE] = HP_RETIRE,
					     [HOOK_RESCAN] = HP_RESCAN};

	return kinds[site->hook] | (site->arg ? HP_COOKIE_RSI : 0);
}

static int attach_multi(struct nmethod_bpf *b, pid_t pid, const char *path,
			const struct nmethod_site *sites, size_t n)
{
	unsigned long offsets[SITES_MAX];
	__u64 cookies[SITES_MAX];
	int fd;

	for (size_t i = 0; i < n; i++) {
		offsets[i] = sites[i].offset;
		cookies[i] = site_cookie(&sites[i]);
	}
	fd = bpf_multi_link(bpf_program__fd(b->skel->progs.compile_event), path, pid, offsets,
			    cookies, n);
	if (fd < 0)
		return fd;
	b->link_fd = fd;
	return 0;
}

static int attach_each(struct nmethod_bpf *b, pid_t pid, const char *path,
		       const struct nmethod_site *sites, size_t n)
{
	pid_t filter = bpf_filter_pid(pid);

	for (size_t i = 0; i < n; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = site_cookie(&sites[i]));
		struct bpf_link *link = bpf_program__attach_uprobe_opts(
			b->skel->progs.compile_event, filter ? filter : -1, path, sites[i].offset,
			&opts);

		if (!link)
			return -errno;
		b->links[b->nlinks++] = link;
	}
	return 0;
}

static int open_all(struct nmethod_bpf *b, pid_t pid, const char *path,
		    const struct nmethod_site *sites, size_t n, uint32_t hdr_len, struct fail *f)
{
	/* libjvm.so is mapped by every JVM: without a filter that works all of them would stop. */
	bool multi = bpf_multi_support() == MULTI_COMPLETE;
	int err = bpf_can_tell(pid, f);

	if (err)
		return err;
	bpf_messages();
	err = load(b, pid, hdr_len, multi, f);
	if (err)
		return err;
	b->ring = ring_buffer__new(bpf_map__fd(b->skel->maps.events), on_record, b, NULL);
	if (!b->ring)
		return -errno;
	err = multi ? attach_multi(b, pid, path, sites, n) : attach_each(b, pid, path, sites, n);
	if (err)
		fail_pid(f, err, pid, "cannot put uprobes on %s: %s", path, fail_strerror(err));
	return err;
}

int nmethod_bpf_open(pid_t pid, const char *path, const struct nmethod_site *sites, size_t n,
		     uint32_t hdr_len, record_fn *fn, void *arg, struct nmethod_bpf **ret,
		     struct fail *f)
{
	struct nmethod_bpf *b;
	int err;

	if (!n || n > SITES_MAX)
		return -EINVAL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->link_fd = -1;
	b->fn = fn;
	b->arg = arg;
	err = open_all(b, pid, path, sites, n, hdr_len, f);
	if (err) {
		nmethod_bpf_close(b);
		return err;
	}
	*ret = b;
	return 0;
}

void nmethod_bpf_close(struct nmethod_bpf *b)
{
	if (!b)
		return;
	if (b->link_fd >= 0)
		close(b->link_fd);
	for (size_t i = 0; i < b->nlinks; i++)
		bpf_link__destroy(b->links[i]);
	ring_buffer__free(b->ring);
	nmethod_bpf__destroy(b->skel);
	free(b);
}

int nmethod_bpf_fd(const struct nmethod_bpf *b)
{
	return ring_buffer__epoll_fd(b->ring);
}

int nmethod_bpf_consume(struct nmethod_bpf *b)
{
	int err;

	b->taken = 0;
	err = ring_buffer__consume(b->ring);
	return err < 0 && err != STOPPED ? err : b->taken;
}

uint64_t nmethod_bpf_lost(const struct nmethod_bpf *b)
{
	return __atomic_load_n(&b->skel->bss->lost, __ATOMIC_RELAXED);
}
