// SPDX-License-Identifier: MIT
/* Symbols, notes and addresses of ELF files, well made and hostile. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "lib/fake_elf.h"
#include "symmap/elfsyms.h"
#include "proc/maps.h"

static int open_fake(struct fake_elf *f, struct elfsyms **ret)
{
	int fd = fake_elf_fd(f), err = elfsyms_open(fd, ret);

	close(fd);
	return err;
}

static void assert_value(struct elfsyms *e, const char *name, uint64_t want)
{
	uint64_t got = 0;

	assert_int_equal(elfsyms_value(e, name, &got), 0);
	assert_int_equal(got, want);
}

static void assert_no_value(struct elfsyms *e, const char *name)
{
	uint64_t got;

	assert_int_equal(elfsyms_value(e, name, &got), -ENOENT);
}

/* .symtab first, then .dynsym; a function, an object and an untyped symbol all count. */
static void value_symtab_then_dynsym(void **state)
{
	struct fake_syms st = {0}, dy = {0};
	struct fake_elf f;
	struct elfsyms *e;

	(void)state;
	fake_elf_init(&f);
	fake_sym(&st, "both", STT_FUNC, 1, 0x1000);
	fake_sym(&st, "local", STT_OBJECT, 1, 0x2000);
	fake_sym(&st, "bare", STT_NOTYPE, 1, 0x2800);
	fake_sym(&dy, "both", STT_FUNC, 1, 0x9999);
	fake_sym(&dy, "gHotSpotVMStructs", STT_OBJECT, 1, 0x3000);
	fake_elf_add_syms(&f, ".symtab", SHT_SYMTAB, &st);
	fake_elf_add_syms(&f, ".dynsym", SHT_DYNSYM, &dy);
	assert_int_equal(open_fake(&f, &e), 0);
	assert_true(elfsyms_has_symtab(e));
	assert_value(e, "both", 0x1000);
	assert_value(e, "local", 0x2000);
	assert_value(e, "bare", 0x2800);
	assert_value(e, "gHotSpotVMStructs", 0x3000);
	assert_no_value(e, "bot");
	assert_no_value(e, "bothh");
	assert_no_value(e, "");
	elfsyms_close(e);
	fake_syms_fini(&st);
	fake_syms_fini(&dy);
	fake_elf_fini(&f);
}

/* Undefined symbols, file names, sections and thread locals have no address to give. */
static void value_undefined(void **state)
{
	struct fake_syms st = {0};
	struct fake_elf f;
	struct elfsyms *e;

	(void)state;
	fake_elf_init(&f);
	fake_sym(&st, "wanted", STT_FUNC, SHN_UNDEF, 0);
	fake_sym(&st, "file.c", STT_FILE, SHN_ABS, 0);
	fake_sym(&st, "section", STT_SECTION, 1, 0x10);
	fake_sym(&st, "tls", STT_TLS, 1, 0x10);
	fake_elf_add_syms(&f, ".dynsym", SHT_DYNSYM, &st);
	assert_int_equal(open_fake(&f, &e), 0);
	assert_false(elfsyms_has_symtab(e));
	assert_no_value(e, "wanted");
	assert_no_value(e, "file.c");
	assert_no_value(e, "section");
	assert_no_value(e, "tls");
	assert_false(elfsyms_exports(e, "wanted"));
	elfsyms_close(e);
	fake_syms_fini(&st);
	fake_elf_fini(&f);
}

/* A file of many symbols gives each its own value. */
static void value_many(void **state)
{
	const int n = 5000;
	struct fake_syms st = {0};
	struct fake_elf f;
	struct elfsyms *e;
	char name[32];

	(void)state;
	fake_elf_init(&f);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "_ZN6symbol%dE", i * 7919);
		fake_sym(&st, name, STT_FUNC, 1, 0x1000 + i);
	}
	fake_elf_add_syms(&f, ".symtab", SHT_SYMTAB, &st);
	assert_int_equal(open_fake(&f, &e), 0);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "_ZN6symbol%dE", i * 7919);
		assert_value(e, name, 0x1000 + i);
	}
	elfsyms_close(e);
	fake_syms_fini(&st);
	fake_elf_fini(&f);
}

struct seen {
	int n, stop_at;
	char last[64];
};

static int count_symbol(const char *name, uint64_t value, uint64_t size, void *arg)
{
	struct seen *s = arg;

	assert_int_equal(size, 16);
	assert_true(value >= 0x1000);
	snprintf(s->last, sizeof(s->last), "%s", name);
	return ++s->n == s->stop_at ? -ENOSPC : 0;
}

/* Functions are found by a part of their name; a callback's non-zero return ends it. */
static void each_by_part(void **state)
{
	struct fake_syms st = {0}, dy = {0};
	struct fake_elf f;
	struct elfsyms *e;
	struct seen all = {0}, first = {.stop_at = 1}, none = {0};

	(void)state;
	fake_elf_init(&f);
	fake_sym(&st, "_ZN13G1CollectedHeap16register_nmethodEP7nmethod", STT_FUNC, 1, 0x1000);
	fake_sym(&st, "_ZN10SerialHeap16register_nmethodEP7nmethod", STT_FUNC, 1, 0x2000);
	fake_sym(&st, "register_nmethod_table", STT_OBJECT, 1, 0x3000);
	fake_sym(&st, "register_nmethod_elsewhere", STT_FUNC, SHN_UNDEF, 0);
	fake_sym(&dy, "register_nmethod_again", STT_FUNC, 1, 0x1000);
	fake_elf_add_syms(&f, ".symtab", SHT_SYMTAB, &st);
	fake_elf_add_syms(&f, ".dynsym", SHT_DYNSYM, &dy);
	assert_int_equal(open_fake(&f, &e), 0);
	assert_int_equal(elfsyms_each(e, "register_nmethod", count_symbol, &all), 0);
	assert_int_equal(all.n, 2);
	assert_string_equal(all.last, "_ZN10SerialHeap16register_nmethodEP7nmethod");
	assert_int_equal(elfsyms_each(e, "register_nmethod", count_symbol, &first), -ENOSPC);
	assert_int_equal(first.n, 1);
	assert_int_equal(elfsyms_each(e, "nothing", count_symbol, &none), 0);
	assert_int_equal(none.n, 0);
	elfsyms_close(e);
	fake_syms_fini(&st);
	fake_syms_fini(&dy);
	fake_elf_fini(&f);
}

/* Sections and exports are asked for by name. */
static void has_section_and_export(void **state)
{
	struct fake_syms dy = {0};
	struct fake_elf f;
	struct elfsyms *e;

	(void)state;
	fake_elf_init(&f);
	fake_sym(&dy, "graal_create_isolate", STT_FUNC, 1, 0x1000);
	fake_elf_add_syms(&f, ".dynsym", SHT_DYNSYM, &dy);
	fake_elf_add(&f, ".svm_heap", SHT_PROGBITS, "heap", 4);
	assert_int_equal(open_fake(&f, &e), 0);
	assert_true(elfsyms_has_section(e, ".svm_heap"));
	assert_false(elfsyms_has_section(e, ".svm"));
	assert_true(elfsyms_exports(e, "graal_create_isolate"));
	assert_false(elfsyms_exports(e, "graal_create"));
	elfsyms_close(e);
	fake_syms_fini(&dy);
	fake_elf_fini(&f);
}

/* Addresses and file offsets differ by what the segment says, within the segment only. */
static void offset_and_vaddr(void **state)
{
	struct fake_elf f;
	struct elfsyms *e;
	uint64_t v;

	(void)state;
	fake_elf_init(&f);
	fake_elf_load(&f, 0x1680, 0x402680, 0x1000);
	assert_int_equal(open_fake(&f, &e), 0);
	assert_int_equal(elfsyms_offset(e, 0x402680, &v), 0);
	assert_int_equal(v, 0x1680);
	assert_int_equal(elfsyms_offset(e, 0x40367f, &v), 0);
	assert_int_equal(v, 0x267f);
	assert_int_equal(elfsyms_offset(e, 0x403680, &v), -ENOENT);
	assert_int_equal(elfsyms_offset(e, 0x40267f, &v), -ENOENT);
	assert_int_equal(elfsyms_vaddr(e, 0x1680, &v), 0);
	assert_int_equal(v, 0x402680);
	/* a mapping begins with its page */
	assert_int_equal(elfsyms_vaddr(e, 0x1000, &v), 0);
	assert_int_equal(v, 0x402000);
	assert_int_equal(elfsyms_vaddr(e, 0xfff, &v), -ENOENT);
	assert_int_equal(elfsyms_vaddr(e, 0x2680, &v), -ENOENT);
	elfsyms_close(e);
	fake_elf_fini(&f);
}

/* Code is copied from where the file keeps it, and not beyond its segment. */
static void code_within_segment(void **state)
{
	static const uint8_t text[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3};
	struct fake_elf f;
	struct elfsyms *e;
	uint8_t buf[16];

	(void)state;
	fake_elf_init(&f);
	fake_elf_add(&f, ".text", SHT_PROGBITS, text, sizeof(text));
	fake_elf_load(&f, FAKE_ELF_DATA, 0x7000, sizeof(text));
	assert_int_equal(open_fake(&f, &e), 0);
	assert_int_equal(elfsyms_code(e, 0x7000, buf, sizeof(buf)), sizeof(text));
	assert_memory_equal(buf, text, sizeof(text));
	assert_int_equal(elfsyms_code(e, 0x7004, buf, 1), 1);
	assert_int_equal(buf[0], 0x55);
	assert_int_equal(elfsyms_code(e, 0x7006, buf, sizeof(buf)), -ENOENT);
	elfsyms_close(e);
	fake_elf_fini(&f);
}

static size_t usdt_note(uint8_t *buf, uint64_t pc, uint64_t base, const char *text, size_t len)
{
	struct {
		uint64_t addr[3];
		char text[64];
	} desc = {.addr = {pc, base, 0}};

	memcpy(desc.text, text, len);
	return fake_note(buf, "stapsdt", 3, &desc, sizeof(desc.addr) + len);
}

/* All locations of one probe are found, moved by what .stapsdt.base moved since link time. */
static void usdt_locations(void **state)
{
	static const char load[] = "hotspot\0compiled__method__load\0"
				   "8@%rdi";
	static const char unload[] = "hotspot\0compiled__method__unload\0"
				     "8@%rdi";
	struct fake_elf f;
	struct elfsyms *e;
	uint8_t notes[1024];
	uint64_t at[4] = {0};
	size_t n = 0;

	(void)state;
	n += usdt_note(notes + n, 0x5000, 0x9000, load, sizeof(load));
	n += usdt_note(notes + n, 0x6000, 0x9000, unload, sizeof(unload));
	n += fake_note(notes + n, "GNU", 3, load, sizeof(load));
	n += usdt_note(notes + n, 0x7000, 0x9000, unload, sizeof(unload));
	fake_elf_init(&f);
	fake_elf_add(&f, ".note.stapsdt", SHT_NOTE, notes, n);
	f.sh[fake_elf_add(&f, ".stapsdt.base", SHT_PROGBITS, "", 1)].sh_addr = 0x9100;
	assert_int_equal(open_fake(&f, &e), 0);
	assert_int_equal(elfsyms_usdt(e, "hotspot", "compiled__method__load", at, 4), 1);
	assert_int_equal(at[0], 0x5100);
	assert_int_equal(elfsyms_usdt(e, "hotspot", "compiled__method__unload", at, 4), 2);
	assert_int_equal(at[0], 0x6100);
	assert_int_equal(at[1], 0x7100);
	at[1] = 0;
	assert_int_equal(elfsyms_usdt(e, "hotspot", "compiled__method__unload", at, 1), 2);
	assert_int_equal(at[1], 0);
	assert_int_equal(elfsyms_usdt(e, "hotspot", "compiled__method", at, 4), 0);
	assert_int_equal(elfsyms_usdt(e, "hotspo", "tcompiled__method__load", at, 4), 0);
	elfsyms_close(e);
	fake_elf_fini(&f);
}

/* Notes that end early or claim to be longer than their section are not followed. */
static void usdt_hostile_notes(void **state)
{
	static const char text[] = "hotspot\0load\0";
	struct fake_elf f;
	struct elfsyms *e;
	uint8_t notes[256];
	uint64_t at[1];
	size_t n = usdt_note(notes, 0x5000, 0, text, sizeof(text));

	(void)state;
	for (size_t len = 0; len < n; len++) {
		fake_elf_init(&f);
		fake_elf_add(&f, ".note.stapsdt", SHT_NOTE, notes, len);
		assert_int_equal(open_fake(&f, &e), 0);
		assert_int_equal(elfsyms_usdt(e, "hotspot", "load", at, 1), 0);
		elfsyms_close(e);
		fake_elf_fini(&f);
	}
	for (int field = 0; field < 2; field++) { /* n_namesz, n_descsz */
		uint32_t huge = UINT32_MAX;

		n = usdt_note(notes, 0x5000, 0, text, sizeof(text));
		memcpy(notes + 4 * field, &huge, sizeof(huge));
		fake_elf_init(&f);
		fake_elf_add(&f, ".note.stapsdt", SHT_NOTE, notes, n);
		assert_int_equal(open_fake(&f, &e), 0);
		assert_int_equal(elfsyms_usdt(e, "hotspot", "load", at, 1), 0);
		elfsyms_close(e);
		fake_elf_fini(&f);
	}
}

/* The build-id comes whole; one that is longer than ours can be counts as none. */
static void build_id_lengths(void **state)
{
	uint8_t id[ELFSYMS_BUILD_ID_MAX + 1], got[ELFSYMS_BUILD_ID_MAX];
	static const size_t lens[] = {0, 8, 20, ELFSYMS_BUILD_ID_MAX, ELFSYMS_BUILD_ID_MAX + 1};

	(void)state;
	memset(id, 0x5a, sizeof(id));
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		size_t want = lens[i] > ELFSYMS_BUILD_ID_MAX ? 0 : lens[i];
		struct fake_elf f;
		struct elfsyms *e;

		fake_elf_init(&f);
		fake_elf_build_id(&f, id, lens[i]);
		assert_int_equal(open_fake(&f, &e), 0);
		assert_int_equal(elfsyms_build_id(e, got), want);
		assert_memory_equal(got, id, want);
		elfsyms_close(e);
		fake_elf_fini(&f);
	}
}

static int make_debug(const char *id, uint64_t value)
{
	struct fake_syms st = {0};
	struct fake_elf f;
	int fd;

	fake_elf_init(&f);
	fake_sym(&st, "hidden", STT_FUNC, 1, value);
	fake_elf_add_syms(&f, ".symtab", SHT_SYMTAB, &st);
	if (id)
		fake_elf_build_id(&f, id, strlen(id));
	fd = fake_elf_fd(&f);
	fake_syms_fini(&st);
	fake_elf_fini(&f);
	return fd;
}

/* A debug file's symbols are used when it was made of the same build, and only then. */
static void add_debug_same_build(void **state)
{
	int same = make_debug("0123456789", 0x1230), other = make_debug("012345678X", 0x4560);
	int without = make_debug(NULL, 0x7890);
	struct seen seen = {0};
	struct fake_elf f;
	struct elfsyms *e;

	(void)state;
	fake_elf_init(&f);
	fake_elf_build_id(&f, "0123456789", 10);
	assert_int_equal(open_fake(&f, &e), 0);
	assert_int_equal(elfsyms_add_debug(e, other), -ENOENT);
	assert_int_equal(elfsyms_add_debug(e, without), -ENOENT);
	assert_false(elfsyms_has_symtab(e));
	assert_int_equal(elfsyms_add_debug(e, same), 0);
	assert_true(elfsyms_has_symtab(e));
	assert_value(e, "hidden", 0x1230);
	assert_int_equal(elfsyms_each(e, "hid", count_symbol, &seen), 0);
	assert_int_equal(seen.n, 1);
	elfsyms_close(e);
	fake_elf_fini(&f);
	close(same);
	close(other);
	close(without);
}

/* What is no 64-bit x86-64 ELF file says which of the two it is. */
static void open_other_files(void **state)
{
	static const char text[] =
		"#!/bin/sh\nexec java -jar x.jar # and some more text for size\n";
	struct fake_elf f;
	struct elfsyms *e;
	int fd = memfd_create("text", MFD_CLOEXEC), pipes[2];

	(void)state;
	assert_int_equal(elfsyms_open(fd, &e), -EPROTO);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_int_equal(elfsyms_open(fd, &e), -EPROTO);
	close(fd);
	assert_int_equal(elfsyms_open(-1, &e), -EPROTO);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(elfsyms_open(pipes[0], &e), -EPROTO);
	close(pipes[0]);
	close(pipes[1]);
	fake_elf_init(&f);
	f.h.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(open_fake(&f, &e), -EOPNOTSUPP);
	fake_elf_init(&f);
	f.h.e_machine = EM_AARCH64;
	assert_int_equal(open_fake(&f, &e), -EOPNOTSUPP);
	fake_elf_init(&f);
	f.h.e_type = ET_CORE;
	assert_int_equal(open_fake(&f, &e), -EPROTO);
	fake_elf_init(&f);
	f.h.e_shentsize = 1;
	assert_int_equal(open_fake(&f, &e), -EPROTO);
}

/* Headers that point out of the file or at each other wrongly cost symbols, never safety. */
static void value_hostile_headers(void **state)
{
	enum { LINK, OFFSET, SIZE, STR_SIZE, NAME, ENTSIZE, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct fake_syms st = {0};
		struct fake_elf f;
		struct elfsyms *e;
		Elf64_Shdr *sh;

		fake_elf_init(&f);
		fake_sym(&st, "f", STT_FUNC, 1, 0x1000);
		if (i == NAME)
			st.syms[0].st_name = st.str_len;
		sh = &f.sh[fake_elf_add_syms(&f, ".symtab", SHT_SYMTAB, &st)];
		if (i == LINK)
			sh->sh_link = 99;
		if (i == OFFSET)
			sh->sh_offset = UINT64_MAX - 8;
		if (i == SIZE)
			sh->sh_size = UINT64_MAX;
		if (i == STR_SIZE)
			f.sh[sh->sh_link].sh_size = 1ull << 40;
		if (i == ENTSIZE)
			sh->sh_entsize = 0;
		assert_int_equal(open_fake(&f, &e), 0);
		assert_no_value(e, "f");
		elfsyms_close(e);
		fake_syms_fini(&st);
		fake_elf_fini(&f);
	}
}

/* A number of sections that section 0 gives, which may be billions, is not followed. */
static void open_extended_numbering(void **state)
{
	const uint16_t zero = 0;
	struct fake_syms st = {0};
	struct fake_elf f;
	struct elfsyms *e;
	int fd;

	(void)state;
	fake_elf_init(&f);
	fake_sym(&st, "f", STT_FUNC, 1, 0x1000);
	fake_elf_add_syms(&f, ".symtab", SHT_SYMTAB, &st);
	f.sh[0].sh_size = f.h.e_shnum + 1; /* true: of all, .shstrtab included */
	fd = fake_elf_fd(&f);
	assert_int_equal(elfsyms_open(fd, &e), 0);
	assert_value(e, "f", 0x1000);
	elfsyms_close(e);
	assert_int_equal(pwrite(fd, &zero, sizeof(zero), offsetof(Elf64_Ehdr, e_shnum)),
			 sizeof(zero));
	assert_int_equal(elfsyms_open(fd, &e), 0);
	assert_false(elfsyms_has_section(e, ".symtab"));
	assert_no_value(e, "f");
	elfsyms_close(e);
	close(fd);
	fake_syms_fini(&st);
	fake_elf_fini(&f);
}

/* A string table without a NUL at its end and an endless name do not run over. */
static void value_unterminated_strings(void **state)
{
	struct fake_syms st = {0};
	struct fake_elf f;
	struct elfsyms *e;
	char *endless = malloc(100000);

	(void)state;
	assert_non_null(endless);
	memset(endless, 'a', 99999);
	endless[99999] = '\0';
	fake_elf_init(&f);
	fake_sym(&st, endless, STT_FUNC, 1, 0x1000);
	fake_sym(&st, "last", STT_FUNC, 1, 0x2000);
	st.str_len--; /* cuts the final NUL */
	fake_elf_add_syms(&f, ".symtab", SHT_SYMTAB, &st);
	assert_int_equal(open_fake(&f, &e), 0);
	assert_value(e, "last", 0x2000);
	assert_no_value(e, endless);
	elfsyms_close(e);
	fake_syms_fini(&st);
	fake_elf_fini(&f);
	free(endless);
}

/* Cut anywhere, a file is refused or has fewer symbols; a cut after opening likewise. */
static void open_truncated(void **state)
{
	struct fake_syms st = {0};
	struct fake_elf f;
	struct elfsyms *e;
	uint64_t v;
	off_t size;
	int fd;

	(void)state;
	fake_elf_init(&f);
	fake_sym(&st, "f", STT_FUNC, 1, 0x1000);
	fake_elf_add_syms(&f, ".symtab", SHT_SYMTAB, &st);
	fake_elf_load(&f, 0, 0, 64);
	fd = fake_elf_fd(&f);
	size = lseek(fd, 0, SEEK_END);
	assert_int_equal(elfsyms_open(fd, &e), 0);
	for (off_t len = size - 1; len >= 0; len -= 23) {
		struct elfsyms *cut;

		assert_int_equal(ftruncate(fd, len), 0);
		assert_int_equal(elfsyms_open(fd, &cut), -EPROTO);
	}
	assert_int_equal(elfsyms_value(e, "f", &v), -ENOENT);
	elfsyms_close(e);
	close(fd);
	fake_syms_fini(&st);
	fake_elf_fini(&f);
}

/* On a real file with a real mapping, bias plus value is the address the program itself sees. */
static void value_matches_running_program(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const struct map_entry *map;
	struct elfsyms *e;
	struct maps m;
	uint64_t value, vaddr, off;
	uint8_t code[16];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(elfsyms_open(fd, &e), 0);
	close(fd);
	assert_int_equal(maps_read(getpid(), &m), 0);
	map = maps_find(&m, (uintptr_t)value_matches_running_program);
	assert_non_null(map);
	assert_int_equal(elfsyms_vaddr(e, map->offset, &vaddr), 0);
	assert_int_equal(elfsyms_value(e, "value_matches_running_program", &value), 0);
	assert_int_equal(map->start - vaddr + value, (uintptr_t)value_matches_running_program);
	assert_int_equal(elfsyms_offset(e, value, &off), 0);
	assert_int_equal(off - map->offset + map->start, (uintptr_t)value_matches_running_program);
	assert_int_equal(elfsyms_code(e, value, code, sizeof(code)), sizeof(code));
	assert_memory_equal(code, (const void *)value_matches_running_program, sizeof(code));
	maps_fini(&m);
	elfsyms_close(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_symtab_then_dynsym),
		cmocka_unit_test(value_undefined),
		cmocka_unit_test(value_many),
		cmocka_unit_test(each_by_part),
		cmocka_unit_test(has_section_and_export),
		cmocka_unit_test(offset_and_vaddr),
		cmocka_unit_test(code_within_segment),
		cmocka_unit_test(usdt_locations),
		cmocka_unit_test(usdt_hostile_notes),
		cmocka_unit_test(build_id_lengths),
		cmocka_unit_test(add_debug_same_build),
		cmocka_unit_test(open_other_files),
		cmocka_unit_test(value_hostile_headers),
		cmocka_unit_test(open_extended_numbering),
		cmocka_unit_test(value_unterminated_strings),
		cmocka_unit_test(open_truncated),
		cmocka_unit_test(value_matches_running_program),
	};

	return cmocka_run_group_tests_name("elfsyms", tests, NULL, NULL);
}
