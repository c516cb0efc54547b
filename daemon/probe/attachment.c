// SPDX-License-Identifier: MIT
/*
 * attachment.c - what stands in a target before its first method is touched. See attachment.h.
 *
 * A uprobe can be refused in silence, so a thread of the target first runs through slot 0 some
 * times, and the BPF program must have counted exactly that. It tells at the same time which nop is
 * fast here: if the kernel made a call of the long one, that; else a one-byte nop, which older
 * kernels emulate in the trap instead of single-stepping it.
 */
#include "arch/insn.h"
#include "kernel/bpf_util.h"
#include "probe/attachment.h"
#include "proc/caps.h"
#include "proc/lock.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/stop.h"

#define SELFTEST_HITS 8

/* To look for a place reads all of the target's mappings. */
#define RETRY_NS NSEC_PER_SEC

/* An instance whose command was killed is gone within this, having put everything back. */
#define CLAIM_NS      (2 * NSEC_PER_SEC)
#define CLAIM_STEP_US 10000

/* Each killed instance leaves one region; a target that makes up more gets no further attention. */
#define REMAINS_MAX 64

static void finish_config(struct hp_config *c, pid_t pid, size_t ring_bytes)
{
	c->tgid = bpf_tgid(pid);
	c->wakeup_bytes = (uint32_t)MIN(ring_bytes / 8, 1u << 20);
}

static int fail_busy(const struct attachment_target *t, pid_t holder, struct fail *f)
{
	if (holder > 0)
		return fail_pid(
			f, -EBUSY, t->id->pid,
			"is being traced already by the hotprobe with PID %d: wait for it or "
			"end it",
			holder);
	return fail_pid(
		f, -EBUSY, t->id->pid,
		"is being traced already by a hotprobe in another container: wait for it or "
		"end it");
}

/* What was found of killed instances; there may be several regions when threads were inside one. */
struct remains {
	size_t sites;	/* entries put back */
	size_t removed; /* regions, and descriptors of them */
	size_t stuck;	/* regions that a thread is inside of */
	size_t foreign; /* mappings that have our name and are not ours */
	int others;   /* mappings and descriptors that have our name and stay; -errno: not known */
	pid_t holder; /* with -EBUSY: the living instance, 0 if it cannot be seen from here */
};

/* Return: 1 a region was dealt with; 0 there is no further one; -EBUSY it has a living owner; ...
 */
static int remove_next(const struct attachment_target *t, struct remains *found, size_t *index)
{
	size_t restored = 0, skipped;
	struct region *old;
	int err;

	err = region_find(t->remote, t->code_low, t->code_high, *index, &old, &found->holder);
	if (err == -ENOENT)
		return 0;
	if (err == -EPROTO) {
		found->foreign++;
		++*index;
		return 1;
	}
	if (err)
		return err;
	old->file_text = t->file_text;
	err = region_restore(old, &restored, &skipped);
	found->sites += restored;
	if (!err)
		err = region_unmap(old);
	region_close(old);
	if (err && err != -EBUSY)
		return err;
	found->removed += !err;
	found->stuck += err == -EBUSY;
	*index += err == -EBUSY;
	return 1;
}

/* Put back what killed instances left. Return: 0; -EBUSY an instance is alive there; -ESRCH; ... */
static int remove_remains(const struct attachment_target *t, struct remains *found)
{
	int err = 1, closed;
	size_t index = 0;

	*found = (struct remains){0};
	for (int i = 0; i < REMAINS_MAX && err == 1; i++)
		err = remove_next(t, found, &index);
	if (err < 0)
		return err;
	closed = region_close_fds(t->remote);
	found->removed += closed > 0;
	found->others = closed < 0 ? closed : found->stuck ? 0 : region_leftovers(t->remote);
	return 0;
}

/*
 * One instance per target. Where we may not open the target's memory there is no lock to be had;
 * then its agent serves nobody else, and an instance that goes by ptrace asks the agent too.
 */
static int claim(const struct attachment_target *t, int *fd_ret, pid_t *holder)
{
	uint64_t until_ns = clock_ns() + CLAIM_NS;
	int err;

	while ((err = lock_target(t->id->pid, fd_ret, holder)) == -EBUSY && !stop_asked() &&
	       clock_ns() < until_ns)
		usleep(CLAIM_STEP_US);
	return err == -EPERM && t->remote->view ? 0 : err;
}

static void note_remains(pid_t pid, const struct remains *found)
{
	if (found->removed)
		log_pid(LOG_LVL_WARN, pid, "removed what an earlier hotprobe left (%zu probes)",
			found->sites);
	if (found->foreign)
		log_pid(LOG_LVL_WARN, pid,
			"%zu of its mappings have our name and are not ours: left alone",
			found->foreign);
	if (found->stuck)
		log_pid(LOG_LVL_INFO, pid,
			"a thread is still executing in the region an earlier hotprobe left: its "
			"probes are off, and the next attach removes it");
}

/* The lock is on the target's memory, a file of its user's. */
static int fail_claim(const struct attachment_target *t, int err, struct fail *f)
{
	if (err == -EPERM && !caps_have(CAP_DAC_OVERRIDE))
		return fail_pid(f, err, t->id->pid,
				"is another user's: that takes CAP_DAC_OVERRIDE, too, which is "
				"missing: run as root, or with that");
	return fail_pid(f, err, t->id->pid, "cannot be locked: %s",
			remote_strerror(t->remote, err));
}

static int take_target(struct attachment *r, struct fail *f)
{
	const struct attachment_target *t = &r->t;
	struct remains found;
	pid_t holder = 0, pid = t->id->pid;
	int err;

	err = claim(t, &r->lock_fd, &holder);
	if (err == -EBUSY)
		return fail_busy(t, holder, f);
	if (err)
		return fail_claim(t, err, f);
	if (!proc_alive(t->id))
		return -ESRCH;
	if (t->trial && region_leftovers(t->remote) > 0)
		return fail_pid(f, -EEXIST, pid,
				"an earlier hotprobe left something in it: the next trace, or "
				"`hotprobe clean -p %d`, removes it",
				pid);
	err = remove_remains(t, &found);
	if (err == -EBUSY)
		return fail_busy(t, found.holder, f);
	note_remains(pid, &found);
	if (err == -EPERM)
		return fail_pid(f, err, pid, "what an earlier hotprobe left cannot be removed: %s",
				remote_strerror(t->remote, err));
	if (err)
		log_pid(LOG_LVL_WARN, pid, "what an earlier hotprobe left cannot be removed: %s",
			remote_strerror(t->remote, err));
	return err == -ESRCH ? err : 0;
}

static int attach_slots(struct attachment *r, const struct region *region, uint32_t first,
			uint32_t n, struct fail *f)
{
	_cleanup_free_ struct probe_place *places = calloc(n, sizeof(*places));
	char path[64];
	int err;

	if (!places)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		places[i] = (struct probe_place){.offset = region_text_offset(first + i),
						 .slot = first + i};
	region_text_path(region, path, sizeof(path));
	err = probe_bpf_attach(r->bpf, r->t.id->pid, path, places, n);
	if (err)
		fail_pid(f, err, r->t.id->pid, "the kernel refuses uprobes on its slots: %s",
			 fail_strerror(err));
	return err;
}

/* See above: proves that hits arrive, and picks the nop. */
static int self_test(struct attachment *r, struct fail *f)
{
	struct hp_slot_spec *spec = probe_bpf_slot(r->bpf, 0);
	uint64_t hits;
	uint8_t first;
	int err;

	spec->flags = HP_SLOT_LIVE | HP_SLOT_COUNT;
	err = attach_slots(r, r->regions[0], 0, 1, f);
	if (err)
		return err;
	err = region_run_slot0(r->regions[0], SELFTEST_HITS);
	if (err == 0)
		err = mem_read_u8(r->t.mem, region_slot_text(r->regions[0], 0), &first);
	spec->flags = 0;
	if (err)
		return fail_pid(f, remote_error(r->t.remote, err), r->t.id->pid,
				"the self-test of uprobes could not run: %s",
				remote_strerror(r->t.remote, err));
	hits = probe_bpf_stat(r->bpf, 0).hits;
	if (hits != SELFTEST_HITS)
		return fail_pid(
			f, -EOPNOTSUPP, r->t.id->pid,
			"uprobes do not fire in it: %llu of %d test hits arrived, first byte "
			"0x%02x; nothing was changed in it (`hotprobe check` looks at the kernel)",
			(unsigned long long)hits, SELFTEST_HITS, first);
	r->fig.nop = insn_is_call(&first) ? SLOT_NOP5 : SLOT_NOP1;
	region_set_nop(r->regions[0], r->fig.nop);
	return 0;
}

static int bring_up(struct attachment *r, const struct hp_config *wanted, size_t ring_bytes,
		    record_fn *fn, void *arg, struct fail *f)
{
	struct hp_config config = *wanted;
	uint64_t start_ns;
	int err = r->t.id ? bpf_can_tell(r->t.id->pid, f) : 0;

	if (err)
		return err;
	finish_config(&config, r->t.id ? r->t.id->pid : 0, ring_bytes);
	err = probe_bpf_open(&config, ring_bytes, fn, arg, &r->bpf, f);
	if (err)
		return err;
	r->fig.multi = probe_bpf_multi(r->bpf);
	if (!r->t.remote)
		return 0;
	err = fds_reserve();
	if (err)
		return fail_pid(f, err, r->t.id->pid, "is not touched: %s", fail_strerror(err));
	err = take_target(r, f);
	if (err)
		return err;
	err = region_create(r->t.remote, r->t.code_low, r->t.code_high, &r->regions[0],
			    &r->fig.region_paused_ns);
	if (err)
		return fail_pid(f, remote_error(r->t.remote, err), r->t.id->pid,
				"the slot region cannot be mapped: %s",
				remote_strerror(r->t.remote, err));
	r->nregions = 1;
	r->regions[0]->file_text = r->t.file_text;
	err = self_test(r, f);
	if (err)
		return err;
	start_ns = clock_ns();
	err = r->fig.multi ? attach_slots(r, r->regions[0], 1, REGION_SLOTS - 1, f) : 0;
	r->fig.attach_ns = clock_ns() - start_ns;
	return err;
}

int attachment_open(const struct attachment_target *target, const struct hp_config *config,
		    size_t ring_bytes, record_fn *fn, void *arg, struct attachment **ret,
		    struct fail *f)
{
	struct attachment *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	*r = (struct attachment){.t = *target, .lock_fd = -1};
	err = bring_up(r, config, ring_bytes, fn, arg, f);
	if (err) {
		/* Without a remote there is no region, and nothing that could stay. */
		if (attachment_detach(r, false) && proc_alive(target->id))
			log_pid(LOG_LVL_WARN, target->id->pid,
				"the slot region stays mapped, unused: the next attach or "
				"`hotprobe clean -p %d` removes it",
				target->id->pid);
		attachment_close(r);
		return err;
	}
	*ret = r;
	return 0;
}

int attachment_detach(struct attachment *r, bool keep)
{
	int err = 0;

	fds_release();
	probe_bpf_detach(r->bpf);
	while (r->nregions) {
		struct region *region = r->regions[--r->nregions];
		int res = keep ? -EBUSY : proc_alive(r->t.id) ? region_unmap(region) : -ESRCH;

		region_close(region);
		err = err ? err : res;
	}
	close_cleanup(&r->lock_fd);
	r->lock_fd = -1;
	return err;
}

void attachment_close(struct attachment *r)
{
	if (!r)
		return;
	probe_bpf_close(r->bpf);
	free(r);
}

/* One more, for the word at @addr. Return: 0; as region_create() and probe_bpf_attach(). */
static int add_region(struct attachment *r, uint64_t addr, struct region **ret)
{
	struct region *region;
	uint64_t paused_ns = 0;
	int err = region_create_near(r->t.remote, r->t.code_low, r->t.code_high, addr, &region,
				     &paused_ns);

	r->fig.region_paused_ns += paused_ns;
	if (err)
		return err;
	region->file_text = r->t.file_text;
	region_set_nop(region, r->fig.nop);
	/* From here on it is removed with the others. */
	r->regions[r->nregions++] = region;
	err = r->fig.multi ? attach_slots(r, region, 1, REGION_SLOTS - 1, NULL) : 0;
	if (!err)
		*ret = region;
	else if (!region_unmap(region)) /* nothing leads there, and nothing would be seen */
		region_close(r->regions[--r->nregions]);
	return err;
}

struct region *attachment_region(struct attachment *r, uint64_t addr)
{
	struct region *region;
	int err;

	for (size_t i = 0; i < r->nregions; i++)
		if (region_reaches(r->regions[i], addr))
			return r->regions[i];
	if (!r->nregions || r->nregions == ATTACHMENT_REGIONS_MAX || clock_ns() < r->retry_ns)
		return NULL;
	err = add_region(r, addr, &region);
	if (!err) {
		log_pid(LOG_LVL_DEBUG, r->t.id->pid,
			"mapped slot region %zu at 0x%llx, for code at 0x%llx", r->nregions,
			(unsigned long long)region->base, (unsigned long long)addr);
		return region;
	}
	r->retry_ns = clock_ns() + RETRY_NS;
	log_pid(LOG_LVL_DEBUG, r->t.id->pid, "no slot region for code at 0x%llx: %s",
		(unsigned long long)addr, remote_strerror(r->t.remote, err));
	return NULL;
}

bool attachment_slot_ready(struct attachment *r, const struct region *region, uint32_t slot)
{
	size_t i = 0;

	while (r->regions[i] != region)
		i++;
	if (r->fig.multi || r->single[i][slot])
		return true;
	if (slot > ATTACHMENT_SINGLE_MAX)
		return false;
	r->single[i][slot] = attach_slots(r, region, slot, 1, NULL) == 0;
	return r->single[i][slot];
}

int attachment_clean(const struct attachment_target *t, size_t *sites, struct fail *f)
{
	_cleanup_close_ int lock_fd = -1;
	struct remains found = {0};
	int err;

	err = claim(t, &lock_fd, &found.holder);
	if (err && err != -EBUSY && err != -ESRCH)
		return fail_claim(t, err, f);
	if (err == 0 && !proc_alive(t->id))
		err = -ESRCH;
	if (err == 0)
		err = remove_remains(t, &found);
	if (err == -EBUSY)
		return fail_busy(t, found.holder, f);
	*sites = found.sites;
	err = err ? err : MIN(found.others, 0);
	if (err)
		return fail_pid(f, remote_error(t->remote, err), t->id->pid,
				"cannot be cleaned: %s", remote_strerror(t->remote, err));
	if (found.stuck)
		return fail_pid(
			f, -EBUSY, t->id->pid,
			"a thread is still executing in the leftover region: its probes are "
			"off; try again later");
	if (found.others)
		return fail_pid(
			f, -EPROTO, t->id->pid,
			"%d mappings or descriptors named memfd:hotprobe stay: this version did not "
			"make them so, and leaves them alone; try the version that did, or restart "
			"the process",
			found.others);
	return found.removed > 0;
}
