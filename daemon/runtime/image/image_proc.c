// SPDX-License-Identifier: MIT
/* image_proc.c - a process that runs a native image. See image_proc.h. */
#include <dirent.h>

#include "proc/entry.h"
#include "runtime/image/image_proc.h"

int image_proc_exe(pid_t pid)
{
	return proc_open_entry(pid, "exe");
}

bool image_file_offset(const struct elffile *f, uint64_t vaddr, uint64_t len, uint64_t *ret)
{
	for (size_t i = 0; i < f->nph; i++) {
		const Elf64_Phdr *ph = &f->ph[i];

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X) ||
		    !range_inside(vaddr, len, ph->p_vaddr, ph->p_vaddr + ph->p_filesz))
			continue;
		*ret = ph->p_offset + (vaddr - ph->p_vaddr);
		return true;
	}
	return false;
}

/* The executable segment that the compiled methods are in: there may be small others beside it. */
static const Elf64_Phdr *code_segment(const struct elffile *f)
{
	const Elf64_Phdr *best = NULL;

	for (size_t i = 0; i < f->nph; i++) {
		const Elf64_Phdr *ph = &f->ph[i];

		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X) &&
		    (!best || ph->p_filesz > best->p_filesz))
			best = ph;
	}
	return best;
}

/* Does the mapping @e begin with the segment @ph? */
static bool begins_with(const struct map_entry *e, const Elf64_Phdr *ph)
{
	return e->offset <= ph->p_offset && ph->p_offset - e->offset < 0x1000 &&
	       ph->p_vaddr >= ph->p_offset - e->offset;
}

/*
 * A program's mappings have its path, as /proc/PID/exe has; their inode would do, if file systems
 * on top of others did not show another one here than there.
 */
static int find_code(struct image_proc *p, const struct elffile *f)
{
	const Elf64_Phdr *ph = code_segment(f);
	char exe[4096];
	struct maps maps;
	int err = (int)MIN(entry_readlink(p->id.pid, "exe", exe, sizeof(exe)), 0);

	if (err)
		return err;
	err = maps_read(p->id.pid, &maps);
	if (err)
		return err;
	err = -ENOENT;
	for (size_t i = 0; i < maps.n && ph && err; i++) {
		const struct map_entry *e = &maps.entries[i];

		if (!e->exec || strcmp(e->path, exe) || !begins_with(e, ph))
			continue;
		p->bias = e->start - (ph->p_vaddr - (ph->p_offset - e->offset));
		p->code_low = p->bias + ph->p_vaddr;
		p->code_high = p->code_low + ph->p_filesz;
		err = p->code_high > p->code_low ? 0 : -ENOENT;
	}
	maps_fini(&maps);
	return err;
}

int image_proc_open(pid_t pid, const struct elffile *f, struct image_proc *ret)
{
	struct image_proc p = {0};
	int err = proc_open(pid, &p.id);

	if (err)
		return err;
	err = mem_open_live(pid, &p.mem);
	if (!err)
		err = find_code(&p, f);
	if (err) {
		image_proc_close(&p);
		return err;
	}
	*ret = p;
	return 0;
}

void image_proc_close(struct image_proc *p)
{
	if (!p || !p->id.pid)
		return;
	mem_close(p->mem);
	proc_close(&p->id);
	*p = (struct image_proc){0};
}

/*
 * Is it one file? The kernel puts uprobes on the file at the bottom, and a file system on top (two
 * containers of one Docker image) shows that as another inode, but with its size and time.
 */
static bool may_be_same(const struct stat *a, const struct stat *b)
{
	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino) ||
	       (a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec);
}

bool image_proc_each(const struct stat *image, bool (*fn)(pid_t pid))
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		struct stat st;

		if (pid <= 0 || *end)
			continue;
		found = !entry_stat((pid_t)pid, "exe", &st) && may_be_same(&st, image) &&
			fn((pid_t)pid);
	}
	closedir(dir);
	return found;
}
