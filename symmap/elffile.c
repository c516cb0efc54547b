// SPDX-License-Identifier: MIT
/* elffile.c - bounded access to one 64-bit ELF file. See elffile.h. */
#include <fcntl.h>
#include <sys/stat.h>

#include "symmap/elffile.h"

/* libjvm.so has about 10 program headers and 35 sections. */
#define PHDR_MAX 256
#define SHDR_MAX 8192

/* Section names: 300 bytes in libjvm.so. */
#define SHSTR_MAX (1u << 20)

size_t elffile_pread(const struct elffile *f, void *buf, size_t len, uint64_t off)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(f->fd, (char *)buf + done, len - done, off + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

int elffile_read(const struct elffile *f, uint64_t off, uint64_t len, uint64_t max, void *ret)
{
	char *buf;

	if (len > max || !range_inside(off, len, 0, f->size))
		return -EPROTO;
	buf = malloc(len + 1);
	if (!buf)
		return -ENOMEM;
	if (elffile_pread(f, buf, len, off) != len) {
		free(buf);
		return -EPROTO;
	}
	buf[len] = '\0';
	*(void **)ret = buf;
	return 0;
}

int elffile_section_read(const struct elffile *f, const Elf64_Shdr *sh, uint64_t max, void *ret)
{
	if (sh->sh_type == SHT_NOBITS)
		return -EPROTO;
	return elffile_read(f, sh->sh_offset, sh->sh_size, max, ret);
}

const Elf64_Shdr *elffile_section(const struct elffile *f, const char *name)
{
	for (size_t i = 0; i < f->nsh; i++)
		if (f->sh[i].sh_name < f->shstr_size && !strcmp(f->shstr + f->sh[i].sh_name, name))
			return &f->sh[i];
	return NULL;
}

const Elf64_Shdr *elffile_section_of_type(const struct elffile *f, uint32_t type)
{
	for (size_t i = 0; i < f->nsh; i++)
		if (f->sh[i].sh_type == type)
			return &f->sh[i];
	return NULL;
}

static int check_header(const Elf64_Ehdr *h)
{
	if (memcmp(h->e_ident, ELFMAG, SELFMAG))
		return -EPROTO;
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return -EOPNOTSUPP;
	return h->e_type == ET_DYN || h->e_type == ET_EXEC ? 0 : -EPROTO;
}

static int read_segments(struct elffile *f, const Elf64_Ehdr *h)
{
	int err;

	if (!h->e_phnum)
		return 0;
	if (h->e_phentsize != sizeof(*f->ph) || h->e_phnum > PHDR_MAX)
		return -EPROTO;
	err = elffile_read(f, h->e_phoff, h->e_phnum * sizeof(*f->ph), UINT32_MAX, &f->ph);
	if (!err)
		f->nph = h->e_phnum;
	return err;
}

static int read_sections(struct elffile *f, const Elf64_Ehdr *h)
{
	const Elf64_Shdr *str;
	int err;

	if (!h->e_shoff || !h->e_shnum) /* 0 may mean "see section 0": more than we want */
		return 0;
	if (h->e_shentsize != sizeof(*f->sh) || h->e_shnum > SHDR_MAX)
		return -EPROTO;
	err = elffile_read(f, h->e_shoff, h->e_shnum * sizeof(*f->sh), UINT32_MAX, &f->sh);
	if (err)
		return err;
	f->nsh = h->e_shnum;
	if (h->e_shstrndx >= f->nsh)
		return 0;
	str = &f->sh[h->e_shstrndx];
	err = elffile_section_read(f, str, SHSTR_MAX, &f->shstr);
	if (!err)
		f->shstr_size = str->sh_size;
	return err;
}

static int read_headers(struct elffile *f)
{
	Elf64_Ehdr h;
	struct stat st;
	int err;

	if (f->fd < 0 || fstat(f->fd, &st) || !S_ISREG(st.st_mode) ||
	    elffile_pread(f, &h, sizeof(h), 0) != sizeof(h))
		return -EPROTO;
	f->size = st.st_size;
	f->machine = h.e_machine;
	f->type = h.e_type;
	err = check_header(&h);
	if (!err)
		err = read_segments(f, &h);
	return err ? err : read_sections(f, &h);
}

int elffile_open_any(int fd, struct elffile *ret)
{
	struct elffile f = {.fd = fcntl(fd, F_DUPFD_CLOEXEC, 1)};
	int err = read_headers(&f);

	if (err)
		elffile_close(&f);
	else
		*ret = f;
	return err;
}

int elffile_open(int fd, struct elffile *ret)
{
	struct elffile f;
	int err = elffile_open_any(fd, &f);

	if (!err && f.machine != EM_X86_64) {
		elffile_close(&f);
		err = -EOPNOTSUPP;
	}
	if (!err)
		*ret = f;
	return err;
}

void elffile_close(struct elffile *f)
{
	if (!f)
		return;
	free(f->shstr);
	free(f->sh);
	free(f->ph);
	if (f->fd > 0)
		close(f->fd);
	*f = (struct elffile){0};
}

/* Names and descriptions are padded to 4 bytes. */
bool elfnote_next(const uint8_t **p, const uint8_t *end, struct elfnote *ret)
{
	Elf64_Nhdr h;
	uint64_t name_len, desc_len;

	if ((size_t)(end - *p) < sizeof(h))
		return false;
	memcpy(&h, *p, sizeof(h));
	*p += sizeof(h);
	name_len = ((uint64_t)h.n_namesz + 3) & ~3ull;
	desc_len = ((uint64_t)h.n_descsz + 3) & ~3ull;
	if (name_len + desc_len > (size_t)(end - *p))
		return false;
	*ret = (struct elfnote){h.n_type, (const char *)*p, h.n_namesz, *p + name_len, h.n_descsz};
	*p += name_len + desc_len;
	return true;
}

bool elfnote_is(const struct elfnote *n, const char *name, uint32_t type)
{
	size_t len = strlen(name) + 1;

	return n->type == type && n->name_len == len && !memcmp(n->name, name, len);
}
