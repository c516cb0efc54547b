/* SPDX-License-Identifier: MIT */
/*
 * region.h - the memory we put into a target: slots for the kernel's uprobes, the continuations
 * behind them, and a table that tells a later instance what has to be undone.
 *
 * One memfd, three mappings side by side in the target, all of it also mapped by us: whatever we
 * write is there at once, and no page is both writable and executable in the target.
 *
 *   text   private, r-x   a page for slot 0, then SLOT_TEXT bytes per slot; the uprobes sit here
 *   code   shared,  r-x   SLOT_CODE bytes of continuation per slot, then the stubs
 *   table  shared,  rw-   header, slot table, patch list
 */
#ifndef HP_REGION_H
#define HP_REGION_H

#include "remote/remote.h"
#include "base/util.h"

#define REGION_SLOTS 4096 /* slot 0 is the self-test */
#define SLOT_TEXT    16	  /* bytes of text per slot: the nop, then a jump to the slot's code */
#define SLOT_CODE    128  /* bytes of code per slot: prologue, displaced instruction, jump back */

/* Which nop the kernel's uprobe is put on: decided by trying (region_set_nop()). */
enum slot_nop { SLOT_NOP5, SLOT_NOP1 };

struct region {
	struct remote *remote;		    /* into the target; not owned */
	int fd;				    /* the memfd */
	int target_fd;			    /* the target's own descriptor of it; -1: it has none */
	uint64_t base, len;		    /* target range: everything */
	uint64_t text, code, table;	    /* target addresses of the three parts */
	uint64_t stub_patch, stub_run_slot; /* target addresses, see stub.h */
	uint64_t code_low, code_high;	    /* the code cache; nothing else is ever patched */
	bool file_text; /* no code cache but an executable's text, r-x; its owner says so */
	enum slot_nop nop;
	bool unsure;		      /* a thread may still be in the patch stub */
	uint64_t rw_low, rw_high;     /* text of the file that may be writable; 0, 0: none */
	uint8_t *text_map, *code_map; /* the same memory, ours */
	struct region_table *table_map;
};

/* What the table remembers of one diverted site, written before the site is diverted. */
struct region_slot {
	uint64_t addr;	 /* of the 8-byte word that was changed; 0: slot not in use */
	uint64_t orig;	 /* what it was */
	uint64_t divert; /* what we made of it */
};

/**
 * region_create() - map a new region within reach of [@code_low, @code_high).
 *
 * A code cache of nearly 2 GiB is hardly ever wholly within reach of a free place. Then the place
 * is within reach of what can be executed of it now, or at least of where that begins: the other
 * words need a region of their own, see region_reaches().
 * SLOT_NOP5 text is written.
 * @w: stays in use until region_close().
 * @paused_ns: how long a thread stood for that.
 * Return: 0; -EINVAL for an empty code cache; -ENOSPC (no free range within reach of a jump);
 * -EPERM (SELinux, or the like, refused); -EOPNOTSUPP (no membarrier; as remote_begin()); -EPROTO
 * when the target plays tricks with its descriptors; -ESRCH; -ETIMEDOUT; -EAGAIN; -ENOMEM.
 */
int region_create(struct remote *w, uint64_t code_low, uint64_t code_high, struct region **ret,
		  uint64_t *paused_ns);

/** region_create_near() - the same within reach of the word at @addr of that code. */
int region_create_near(struct remote *w, uint64_t code_low, uint64_t code_high, uint64_t addr,
		       struct region **ret, uint64_t *paused_ns);

/** region_reaches() - can a jump lead from the word at @addr into any slot, and back? */
bool region_reaches(const struct region *r, uint64_t addr);

/**
 * region_find() - take hold of a region that an earlier instance left in the target.
 * @index: the how-manyth, from 0; a region that threads were inside may have stayed beside others.
 * @holder: PID of the instance that owns it, with -EBUSY; 0 if it cannot be seen from here.
 *
 * One that was not complete when its maker was killed is found as well, for region_unmap(). The
 * table is hostile and is not looked at here.
 * Return: 0; -ENOENT; -EBUSY when the instance that owns it is alive; -EPROTO when its parts do not
 * lie as ours do; -ESRCH; -EPERM, also when its memfd can only be reached with CAP_SYS_PTRACE.
 */
int region_find(struct remote *w, uint64_t code_low, uint64_t code_high, size_t index,
		struct region **ret, pid_t *holder);

/** region_is_mapped() - has @pid a region, of whoever and in whatever state? */
bool region_is_mapped(pid_t pid);

/**
 * region_restore() - put back every word that the table of a found region says is diverted.
 *
 * The table is hostile: an entry is acted on only if the word it asks to be put in place of is the
 * jump into this very region that a diversion is, and only at an aligned address in the code cache.
 * Text of a file that was left writable is made r-x again.
 * @restored: words put back; @skipped: entries that were not ours any more, or not valid.
 * Return: 0; as patch_apply().
 */
int region_restore(struct region *r, size_t *restored, size_t *skipped);

/**
 * region_word_back() - what the word that is diverted by @e has to become, if it is @seen now.
 *
 * In the text of a file the kernel may have put uprobes of others into that word since, even on our
 * jump: when it removes one it writes back the byte that the file has there. So their bytes stay,
 * and ours go.
 * Return: false when nothing in it is ours, or @e is not what we make.
 */
bool region_word_back(const struct region *r, const struct region_slot *e, uint64_t seen,
		      uint64_t *back);

/**
 * region_close_fds() - close descriptors in the target of regions that are not mapped (any more):
 * an instance was killed in the moment between making and mapping one. Return: how many; -ESRCH;
 * -EPERM; ...
 */
int region_close_fds(struct remote *w);

/**
 * region_leftovers() - what of any region, of whatever version or state, is in the target now.
 * Return: how many mappings have such a name, plus 1 if a descriptor has that of this version;
 * -errno when that cannot be told.
 */
int region_leftovers(struct remote *w);

/** region_set_nop() - rewrite the text of every slot but 0, before a uprobe is put on it. */
void region_set_nop(struct region *r, enum slot_nop nop);

/**
 * region_unmap() - take it out of the target, if no thread is inside.
 * Waits some 0.3 s for that. Return: 0; -EBUSY (a thread is inside, or a word of the table still
 * leads in: it stays, for the next attach); -ESRCH, also when the target has replaced it; -EPERM;
 * -ETIMEDOUT; as remote_begin().
 * @r stays valid for region_close() in any case.
 */
int region_unmap(struct region *r);

/** region_close() - let go of our side; the target's mappings stay as they are. */
void region_close(struct region *r);

/** region_slot_text() / region_slot_code() - target addresses of a slot's two parts. */
uint64_t region_slot_text(const struct region *r, uint32_t slot);
uint64_t region_slot_code(const struct region *r, uint32_t slot);

/** region_slot_of() - the slot whose text or code @addr lies in; UINT32_MAX if none. */
uint32_t region_slot_of(const struct region *r, uint64_t addr);

/** region_text_offset() - file offset of a slot's uprobe in the memfd. */
uint64_t region_text_offset(uint32_t slot);

/** region_slot_entry() - our view of the table's entry for @slot. */
struct region_slot *region_slot_entry(struct region *r, uint32_t slot);

/** region_write_code() - write a slot's code (at most SLOT_CODE bytes). The slot must be at rest.
 */
void region_write_code(struct region *r, uint32_t slot, const uint8_t *code, size_t len);

/**
 * region_text_path() - path under which the kernel finds the text's inode: our own descriptor's,
 * /proc/self/fd/N, for which no right to the target's /proc files is needed.
 */
void region_text_path(const struct region *r, char *buf, size_t size);

/**
 * region_run_slot0() - have a thread of the target pass through slot 0 @n times: the self-test that
 * uprobes fire in this process. @n is at most REGION_RUN_MAX: where the kernel has turned the
 * uprobe into a system call, each pass stops the thread twice.
 * Return: 0; -EINVAL; -ESRCH; -ETIMEDOUT; as remote_begin().
 */
#define REGION_RUN_MAX 100
int region_run_slot0(struct region *r, uint32_t n);

/* --- for the files of this folder ------------------------------------------------------------- */

/** region_new() - an empty one, without a file or a place. */
struct region *region_new(struct remote *w, uint64_t code_low, uint64_t code_high);

/** region_set_place() - it lies at @base in the target, and is @len bytes so far. */
void region_set_place(struct region *r, uint64_t base, uint64_t len);

/**
 * region_map_ours() - map @r->fd.
 * Return: 0; -EPROTO unless it is of the whole size and sealed so: the target may change a memfd's
 * size up to the moment of the seal, and to touch what it has cut off would be a SIGBUS; -errno.
 */
int region_map_ours(struct region *r);

/** region_write_stub() - put the code that runs on our behalf (stub.h) in place. */
void region_write_stub(struct region *r);

/**
 * region_diverts_to() - the slot that the divert of table entry @e jumps to.
 *
 * Return: UINT32_MAX unless @e is what we make: an aligned word of the code cache, in which a jump
 * into this region takes the place of five bytes of the original and the other three are the same.
 */
uint32_t region_diverts_to(const struct region *r, const struct region_slot *e);

/** region_there() - within a remote call: is @r still mapped? Not if it has executed another
 * program.
 */
bool region_there(const struct region *r);

/**
 * region_call() - run code of the region, after making sure that it is still mapped there: the
 * target may have executed another program.
 * @paused_ns: may be NULL.
 * Return: as remote_begin() and remote_call(); -ESRCH when the region is gone.
 */
int region_call(struct region *r, uint64_t addr, const uint64_t args[static 3],
		uint64_t *paused_ns);

#endif
