// SPDX-License-Identifier: MIT
/* fake_elf.c - small ELF files made to order. See fake_elf.h. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "lib/fake_elf.h"

/* What one sendfile() may copy: more than any file made here. */
#define FAKE_ELF_FILE_MAX (1 << 20)

static void *grow(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		abort();
	return p;
}

void fake_elf_init(struct fake_elf *f)
{
	*f = (struct fake_elf){
		.h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		      .e_type = ET_DYN,
		      .e_machine = EM_X86_64,
		      .e_version = EV_CURRENT,
		      .e_ehsize = sizeof(Elf64_Ehdr),
		      .e_phentsize = sizeof(Elf64_Phdr),
		      .e_shentsize = sizeof(Elf64_Shdr),
		      .e_shnum = 1},
		.names_len = 1,
	};
}

void fake_elf_fini(struct fake_elf *f)
{
	free(f->data);
}

static uint32_t add_name(struct fake_elf *f, const char *name)
{
	uint32_t off = f->names_len;

	f->names_len += strlen(name) + 1;
	if (f->names_len > sizeof(f->names))
		abort();
	strcpy(f->names + off, name);
	return off;
}

size_t fake_elf_add(struct fake_elf *f, const char *name, uint32_t type, const void *data,
		    size_t len)
{
	size_t padded = (len + 7) & ~(size_t)7, i = f->h.e_shnum++;

	if (i >= FAKE_ELF_SECTIONS)
		abort();
	f->sh[i] = (Elf64_Shdr){.sh_name = add_name(f, name),
				.sh_type = type,
				.sh_offset = FAKE_ELF_DATA + f->len,
				.sh_size = len};
	f->data = grow(f->data, f->len + padded + 1);
	memset(f->data + f->len, 0, padded);
	if (len)
		memcpy(f->data + f->len, data, len);
	f->len += padded;
	return i;
}

size_t fake_elf_add_syms(struct fake_elf *f, const char *name, uint32_t type,
			 const struct fake_syms *syms)
{
	size_t i = fake_elf_add(f, name, type, syms->syms, syms->n * sizeof(*syms->syms));

	f->sh[i].sh_entsize = sizeof(*syms->syms);
	f->sh[i].sh_link = fake_elf_add(f, ".str", SHT_STRTAB, syms->str, syms->str_len);
	return i;
}

void fake_elf_load(struct fake_elf *f, uint64_t offset, uint64_t vaddr, uint64_t size)
{
	if (f->h.e_phnum >= FAKE_ELF_SEGMENTS)
		abort();
	f->ph[f->h.e_phnum++] = (Elf64_Phdr){.p_type = PT_LOAD,
					     .p_flags = PF_R | PF_X,
					     .p_offset = offset,
					     .p_vaddr = vaddr,
					     .p_filesz = size,
					     .p_memsz = size};
}

void fake_elf_build_id(struct fake_elf *f, const void *id, uint32_t len)
{
	uint8_t note[256];
	size_t n = fake_note(note, "GNU", NT_GNU_BUILD_ID, id, len);

	fake_elf_add(f, ".note.gnu.build-id", SHT_NOTE, note, n);
}

static void write_at(int fd, const void *buf, size_t len, off_t off)
{
	if (pwrite(fd, buf, len, off) != (ssize_t)len)
		abort();
}

int fake_elf_fd(struct fake_elf *f)
{
	int fd = memfd_create("fake-elf", MFD_CLOEXEC);
	Elf64_Ehdr h;
	Elf64_Shdr sh[FAKE_ELF_SECTIONS + 1];
	uint32_t shstr = add_name(f, ".shstrtab");

	if (fd < 0)
		abort();
	h = f->h;
	h.e_phoff = sizeof(h);
	h.e_shoff = FAKE_ELF_DATA + f->len + sizeof(f->names);
	h.e_shstrndx = h.e_shnum;
	memcpy(sh, f->sh, sizeof(f->sh));
	sh[h.e_shnum++] = (Elf64_Shdr){.sh_name = shstr,
				       .sh_type = SHT_STRTAB,
				       .sh_offset = FAKE_ELF_DATA + f->len,
				       .sh_size = f->names_len};
	write_at(fd, &h, sizeof(h), 0);
	write_at(fd, f->ph, sizeof(f->ph), h.e_phoff);
	if (f->len)
		write_at(fd, f->data, f->len, FAKE_ELF_DATA);
	write_at(fd, f->names, sizeof(f->names), FAKE_ELF_DATA + f->len);
	write_at(fd, sh, h.e_shnum * sizeof(*sh), h.e_shoff);
	return fd;
}

void *fake_library(const char *path)
{
	static const uint8_t text[FAKE_LIBRARY_SIZE];
	struct fake_elf f;
	int fd, out = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0755);
	void *p;

	fake_elf_init(&f);
	fake_elf_add(&f, ".text", SHT_PROGBITS, text, sizeof(text));
	fake_elf_load(&f, FAKE_ELF_DATA, FAKE_LIBRARY_VADDR, sizeof(text));
	fd = fake_elf_fd(&f);
	fake_elf_fini(&f);
	if (out < 0 || sendfile(out, fd, &(off_t){0}, FAKE_ELF_FILE_MAX) <= 0)
		abort();
	p = mmap(NULL, sizeof(text), PROT_READ | PROT_EXEC, MAP_PRIVATE, out, FAKE_ELF_DATA);
	if (p == MAP_FAILED)
		abort();
	close(fd);
	close(out);
	return p;
}

void fake_sym(struct fake_syms *s, const char *name, uint8_t type, uint16_t shndx, uint64_t value)
{
	size_t len = strlen(name) + 1;

	if (!s->str_len) {
		s->str = grow(NULL, 1);
		s->str[s->str_len++] = '\0';
	}
	s->str = grow(s->str, s->str_len + len);
	s->syms = grow(s->syms, (s->n + 1) * sizeof(*s->syms));
	s->syms[s->n++] = (Elf64_Sym){.st_name = s->str_len,
				      .st_info = ELF64_ST_INFO(STB_GLOBAL, type),
				      .st_shndx = shndx,
				      .st_value = value,
				      .st_size = 16};
	memcpy(s->str + s->str_len, name, len);
	s->str_len += len;
}

void fake_syms_fini(struct fake_syms *s)
{
	free(s->syms);
	free(s->str);
	*s = (struct fake_syms){0};
}

size_t fake_note(uint8_t *buf, const char *name, uint32_t type, const void *desc, uint32_t len)
{
	uint32_t name_len = strlen(name) + 1, name_pad = (name_len + 3) & ~3u;
	Elf64_Nhdr h = {.n_namesz = name_len, .n_descsz = len, .n_type = type};
	size_t total = sizeof(h) + name_pad + ((len + 3) & ~3u);

	memset(buf, 0, total);
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), name, name_len);
	memcpy(buf + sizeof(h) + name_pad, desc, len);
	return total;
}
