// SPDX-License-Identifier: MIT
/* image.c - recognise native images. See image.h. */
#include "arch/machine.h"
#include "proc/jvm_image.h"
#include "symmap/elffile.h"
#include "symmap/elfsyms.h"
#include "runtime/image/image.h"

/* The image's C data: 10 to 80 kB. */
#define DATA_MAX (16u << 20)

const char *image_machine(uint16_t machine)
{
	return machine_name(machine);
}

const char *image_unprobeable(const struct image_about *a)
{
	if (a->packer)
		return "it is packed by UPX: its code is only unpacked into anonymous memory, "
		       "where no uprobe can sit; unpack the file with `upx -d`";
	if (!a->is_image)
		return "it is not a GraalVM native image";
	if (!machine_is_ours(a->machine))
		return "its code is for another machine than x86-64";
	return NULL;
}

/* --- is it one? ------------------------------------------------------------------------------- */

/* Before there were isolates, and with the symbols: the base of the image's C data. */
static bool has_base_symbol(const struct elffile *f)
{
	_cleanup_elfsyms_ struct elfsyms *e = NULL;
	uint64_t value;

	if (!elffile_section_of_type(f, SHT_SYMTAB) || elfsyms_open(f->fd, &e))
		return false;
	return !elfsyms_value(e, "__svm_cglobaldata_base", &value);
}

bool image_recognise(int fd)
{
	return jvm_image_recognise(fd);
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
	a.is_image = jvm_image_has_marks(&f) || has_base_symbol(&f);
	if (a.is_image)
		err = read_strings(&f, &a);
	elffile_close(&f);
	if (!err)
		*ret = a;
	return err;
}
