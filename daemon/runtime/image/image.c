// SPDX-License-Identifier: MIT
/* image.c - recognise native images. See image.h. */
#include <sys/stat.h>

#include "arch/machine.h"
#include "symmap/elffile.h"
#include "symmap/elfsyms.h"
#include "runtime/image/image.h"

/* The image's C data: 10 to 80 kB. */
#define DATA_MAX (16u << 20)

/* An image exports its C entry points: 40 and up to some hundred symbols. */
#define EXPORTS_MAX 8192

/* Images of this run whose answer is remembered; a further one takes the place of an older. */
#define KNOWN_MAX 256

const char *image_machine(uint16_t machine)
{
	return machine_name(machine);
}

const char *image_unprobeable(const struct image_about *a)
{
	if (a->packer)
		return "it is packed by UPX: its code is only unpacked into anonymous memory, "
		       "where no "
		       "uprobe can sit; unpack the file with `upx -d`";
	if (!a->is_image)
		return "it is no GraalVM native image";
	if (!machine_is_ours(a->machine))
		return "its code is for another machine than x86-64";
	return NULL;
}

/* --- is it one? ------------------------------------------------------------------------------- */

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

/* Before there were isolates, and with the symbols: the base of the image's C data. */
static bool has_base_symbol(const struct elffile *f)
{
	struct elfsyms *e;
	uint64_t value;
	bool found;

	if (!elffile_section_of_type(f, SHT_SYMTAB) || elfsyms_open(f->fd, &e))
		return false;
	found = !elfsyms_value(e, "__svm_cglobaldata_base", &value);
	elfsyms_close(e);
	return found;
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

bool image_recognise(int fd)
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
	yes = has_heap(&f) || has_exports(&f);
	elffile_close(&f);
	*k = (struct known){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim, true, yes};
	return yes;
}

/* --- what kind of one ------------------------------------------------------------------------- */

static bool has_segment(const struct elffile *f, uint32_t type)
{
	for (size_t i = 0; i < f->nph; i++)
		if (f->ph[i].p_type == type)
			return true;
	return false;
}

/*
 * A packed file has no sections, and a header of the packer's behind its program headers.
 * Source: UPX src/stub/src/include/linux.h, struct l_info: checksum, then the magic "UPX!".
 */
static const char *find_packer(const struct elffile *f)
{
	char magic[4];
	uint64_t at = sizeof(Elf64_Ehdr) + f->nph * sizeof(Elf64_Phdr) + 4;

	if (f->nsh || elffile_pread(f, magic, sizeof(magic), at) != sizeof(magic))
		return NULL;
	return memcmp(magic, "UPX!", sizeof(magic)) ? NULL : "UPX";
}

/* Text behind "@key=" in @data; early versions have a tab for the equals sign. */
static void find_value(const char *data, size_t len, const char *key, char *buf, size_t size)
{
	size_t key_len = strlen(key), n;
	const char *p = data, *end = data + len;

	while ((p = memmem(p, (size_t)(end - p), key, key_len))) {
		p += key_len;
		if (p == end || (*p != '=' && *p != '\t'))
			continue;
		p++;
		n = strnlen(p, MIN((size_t)(end - p), size));
		if (!n || n == size || n == (size_t)(end - p))
			continue;
		memcpy(buf, p, n);
		buf[n] = '\0';
		for (char *c = buf; *c; c++)
			if (*c < 0x20 || *c > 0x7e)
				*c = '?';
		return;
	}
}

static void find_libc(const char *data, size_t len, char *buf, size_t size)
{
	char text[128] = "";
	const char *dot;

	find_value(data, len, "com.oracle.svm.core.VM.Target.LibC", text, sizeof(text));
	dot = strrchr(text, '.');
	if (strstr(text, "Musl"))
		snprintf(buf, size, "musl");
	else if (strstr(text, "GLibC"))
		snprintf(buf, size, "glibc");
	else
		snprintf(buf, size, "%.60s", dot ? dot + 1 : text);
}

static int read_strings(const struct elffile *f, struct image_about *a)
{
	const Elf64_Shdr *sh = elffile_section(f, ".data");
	_cleanup_free_ char *data = NULL;
	int err = sh ? elffile_section_read(f, sh, DATA_MAX, &data) : -EPROTO;

	if (err)
		return err == -ENOMEM ? err : 0;
	find_value(data, sh->sh_size, "com.oracle.svm.core.VM", a->version, sizeof(a->version));
	find_value(data, sh->sh_size, "com.oracle.svm.core.VM.Java.Version", a->java,
		   sizeof(a->java));
	find_libc(data, sh->sh_size, a->libc, sizeof(a->libc));
	return 0;
}

int image_look(int fd, struct image_about *ret)
{
	struct image_about a = {0};
	struct elffile f;
	int err = elffile_open_any(fd, &f);

	if (err)
		return err;
	a.machine = f.machine;
	a.pie = f.type == ET_DYN;
	a.is_static = !has_segment(&f, PT_INTERP);
	a.has_symtab = elffile_section_of_type(&f, SHT_SYMTAB);
	a.packer = find_packer(&f);
	a.is_image = has_heap(&f) || has_exports(&f) || has_base_symbol(&f);
	if (a.is_image)
		err = read_strings(&f, &a);
	elffile_close(&f);
	if (!err)
		*ret = a;
	return err;
}
