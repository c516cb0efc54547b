// SPDX-License-Identifier: MIT
/* jvm_image.c - is a file a GraalVM native image? docs/images.md, "Recognition". */
#include <sys/stat.h>

#include "arch/machine.h"
#include "proc/jvm_image.h"
#include "symmap/elfsyms.h"

/* An image exports its C entry points: 40 and up to some hundred symbols. */
#define EXPORTS_MAX 8192

/* Images of this run whose answer is remembered; a further one takes the place of an older. */
#define KNOWN_MAX 256

/* The section that holds the initial heap, since 19.0. */
static bool has_heap(const struct elffile *f)
{
	const Elf64_Shdr *sh = elffile_section(f, ".svm_heap");

	return sh && sh->sh_type == SHT_PROGBITS && (sh->sh_flags & SHF_ALLOC) && sh->sh_size &&
	       range_inside(sh->sh_offset, sh->sh_size, 0, f->size);
}

/* The C interface of every image that has isolates. */
static bool has_exports(const struct elffile *f)
{
	static const char *const names[] = {"graal_create_isolate", "__svm_version_info",
					    "__svm_code_section"};
	const Elf64_Shdr *sh = elffile_section_of_type(f, SHT_DYNSYM);
	struct elfsyms *e;
	bool found = false;

	if (!sh || sh->sh_size > EXPORTS_MAX * sizeof(Elf64_Sym) || !machine_is_ours(f->machine) ||
	    elfsyms_open(f->fd, &e))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names) && !found; i++)
		found = elfsyms_exports(e, names[i]);
	elfsyms_close(e);
	return found;
}

bool jvm_image_has_marks(const struct elffile *f)
{
	return has_heap(f) || has_exports(f);
}

struct known {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
	bool used, is_image;
};

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct known *k, const struct stat *st)
{
	return k->used && k->dev == st->st_dev && k->ino == st->st_ino && k->size == st->st_size &&
	       same_time(&k->mtime, &st->st_mtim) && same_time(&k->ctime, &st->st_ctim);
}

bool jvm_image_recognise(int fd)
{
	static struct known all[KNOWN_MAX];
	struct elffile f;
	struct known *k;
	struct stat st;
	bool yes;

	if (fstat(fd, &st))
		return false;
	k = &all[(st.st_ino ^ st.st_dev) % KNOWN_MAX];
	if (same_file(k, &st))
		return k->is_image;
	if (elffile_open_any(fd, &f))
		return false;
	yes = jvm_image_has_marks(&f);
	elffile_close(&f);
	*k = (struct known){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim, true, yes};
	return yes;
}
