// SPDX-License-Identifier: MIT
/*
 * elfsyms.c - symbols, USDT notes and the build-id of one ELF file. See elfsyms.h; how the file is
 * read is in elffile.h.
 */
#include "symmap/elffile.h"
#include "symmap/elfsyms.h"

/* libjvm.so of JDK 25: 66 000 symbols, 3 MB of names, the longest of them 350 bytes. */
#define SYM_MAX	     (1u << 20)
#define STR_MAX	     (64u << 20)
#define SYM_NAME_MAX 2048

/* libjvm.so: 53 kB of .note.stapsdt. */
#define NOTE_MAX (4u << 20)

/* Different names of one hash that a look-up compares: a crafted file must not make it slow. */
#define COLLISION_MAX 64

#define PAGE 4096u /* x86-64 */

struct symtab {
	Elf64_Sym *syms;
	size_t n;
	char *str; /* NUL-terminated */
	size_t str_size;
};

/* In the order of look-ups. */
enum { TAB_SYMTAB, TAB_DEBUG, TAB_DYNSYM, TAB_COUNT };

/* One name of the index. */
struct entry {
	uint32_t hash, next, sym;
	uint8_t tab;
};

struct elfsyms {
	struct elffile file;
	struct elfsyms *debug;
	struct symtab tabs[TAB_COUNT];
	uint32_t *buckets; /* 0: empty; else an entry's number plus one, as is an entry's next */
	size_t nbuckets;   /* a power of two */
	struct entry *entries;
	size_t nentries;
	int load_result; /* 1: not loaded yet */
};

int elfsyms_open(int fd, struct elfsyms **ret)
{
	struct elfsyms *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	e->load_result = 1;
	err = elffile_open(fd, &e->file);
	if (err) {
		free(e);
		return err;
	}
	*ret = e;
	return 0;
}

void elfsyms_close(struct elfsyms *e)
{
	if (!e)
		return;
	elfsyms_close(e->debug);
	for (int i = 0; i < TAB_COUNT; i++) {
		free(e->tabs[i].syms);
		free(e->tabs[i].str);
	}
	free(e->buckets);
	free(e->entries);
	elffile_close(&e->file);
	free(e);
}

int elfsyms_add_debug(struct elfsyms *e, int fd)
{
	uint8_t ours[ELFSYMS_BUILD_ID_MAX], theirs[ELFSYMS_BUILD_ID_MAX];
	struct elfsyms *debug;
	size_t len;
	int err = elfsyms_open(fd, &debug);

	if (err)
		return err;
	len = elfsyms_build_id(e, ours);
	if (!len || elfsyms_build_id(debug, theirs) != len || memcmp(ours, theirs, len)) {
		elfsyms_close(debug);
		return -ENOENT;
	}
	elfsyms_close(e->debug);
	e->debug = debug;
	return 0;
}

/* --- symbols -------------------------------------------------------------------------------- */

/* Fill @ret from the section of @type; stays empty when there is none or it does not parse. */
static int symtab_read(const struct elffile *f, uint32_t type, struct symtab *ret)
{
	const Elf64_Shdr *sh = elffile_section_of_type(f, type), *str;
	struct symtab t = {0};
	int err;

	if (!sh || sh->sh_link >= f->nsh || sh->sh_entsize != sizeof(*t.syms))
		return 0;
	str = &f->sh[sh->sh_link];
	err = elffile_section_read(f, sh, (uint64_t)SYM_MAX * sizeof(*t.syms), &t.syms);
	if (!err)
		err = elffile_section_read(f, str, STR_MAX, &t.str);
	if (err) {
		free(t.syms);
		return err == -ENOMEM ? err : 0;
	}
	t.n = sh->sh_size / sizeof(*t.syms);
	t.str_size = str->sh_size;
	*ret = t;
	return 0;
}

/* Name of a symbol that stands for code or data of this file, or NULL. */
static const char *symbol_name(const struct symtab *t, const Elf64_Sym *s)
{
	const char *name;

	switch (ELF64_ST_TYPE(s->st_info)) {
	case STT_NOTYPE:
	case STT_OBJECT:
	case STT_FUNC:
	case STT_GNU_IFUNC:
		break;
	default:
		return NULL;
	}
	if (s->st_shndx == SHN_UNDEF || s->st_name >= t->str_size)
		return NULL;
	name = t->str + s->st_name;
	return *name && strnlen(name, SYM_NAME_MAX) < SYM_NAME_MAX ? name : NULL;
}

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t name_hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static uint32_t *bucket(const struct elfsyms *e, uint32_t hash)
{
	return &e->buckets[hash & (e->nbuckets - 1)];
}

/* Entries go in last table, last symbol first, so that a chain begins with what comes first. */
static void index_table(struct elfsyms *e, uint8_t tab)
{
	const struct symtab *t = &e->tabs[tab];

	for (size_t i = t->n; i-- > 0;) {
		const char *name = symbol_name(t, &t->syms[i]);
		struct entry *n = &e->entries[e->nentries];
		uint32_t *head;

		if (!name)
			continue;
		*n = (struct entry){.hash = name_hash(name), .sym = i, .tab = tab};
		head = bucket(e, n->hash);
		n->next = *head;
		*head = ++e->nentries;
	}
}

static int build_index(struct elfsyms *e)
{
	size_t total = 0;

	for (int i = 0; i < TAB_COUNT; i++)
		total += e->tabs[i].n;
	for (e->nbuckets = 16; e->nbuckets < total;)
		e->nbuckets *= 2;
	e->buckets = calloc(e->nbuckets, sizeof(*e->buckets));
	e->entries = malloc(MAX(total, 1) * sizeof(*e->entries));
	if (!e->buckets || !e->entries)
		return -ENOMEM;
	for (int i = TAB_COUNT; i-- > 0;)
		index_table(e, i);
	return 0;
}

/* Also remembers a failure: half of a file's symbols must not pass for all of them. */
static int load_symbols(struct elfsyms *e)
{
	int err;

	if (e->load_result <= 0)
		return e->load_result;
	err = symtab_read(&e->file, SHT_SYMTAB, &e->tabs[TAB_SYMTAB]);
	if (!err && e->debug)
		err = symtab_read(&e->debug->file, SHT_SYMTAB, &e->tabs[TAB_DEBUG]);
	if (!err)
		err = symtab_read(&e->file, SHT_DYNSYM, &e->tabs[TAB_DYNSYM]);
	e->load_result = err ? err : build_index(e);
	return e->load_result;
}

int elfsyms_value(struct elfsyms *e, const char *name, uint64_t *ret)
{
	uint32_t hash = name_hash(name);
	int tries = COLLISION_MAX, err = load_symbols(e);

	if (err)
		return err;
	for (uint32_t i = *bucket(e, hash); i && tries; i = e->entries[i - 1].next) {
		const struct entry *n = &e->entries[i - 1];
		const struct symtab *t = &e->tabs[n->tab];

		if (n->hash != hash)
			continue;
		if (!strcmp(t->str + t->syms[n->sym].st_name, name)) {
			*ret = t->syms[n->sym].st_value;
			return 0;
		}
		tries--;
	}
	return -ENOENT;
}

static int each_in(const struct symtab *t, const char *part,
		   int (*fn)(const char *name, uint64_t value, uint64_t size, void *arg), void *arg)
{
	for (size_t i = 0; i < t->n; i++) {
		const Elf64_Sym *s = &t->syms[i];
		const char *name;
		int err;

		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC)
			continue;
		name = symbol_name(t, s);
		if (!name || !strstr(name, part))
			continue;
		err = fn(name, s->st_value, s->st_size, arg);
		if (err)
			return err;
	}
	return 0;
}

int elfsyms_each(struct elfsyms *e, const char *part,
		 int (*fn)(const char *name, uint64_t value, uint64_t size, void *arg), void *arg)
{
	int err = load_symbols(e);

	if (err)
		return err;
	for (int i = 0; i < TAB_COUNT; i++)
		if (e->tabs[i].n)
			return each_in(&e->tabs[i], part, fn, arg);
	return 0;
}

int elfsyms_each_export(struct elfsyms *e,
			int (*fn)(const char *name, uint64_t value, uint64_t size, void *arg),
			void *arg)
{
	int err = load_symbols(e);

	return err ? err : each_in(&e->tabs[TAB_DYNSYM], "", fn, arg);
}

bool elfsyms_has_symtab(const struct elfsyms *e)
{
	return elffile_section_of_type(&e->file, SHT_SYMTAB) ||
	       (e->debug && elfsyms_has_symtab(e->debug));
}

bool elfsyms_has_section(const struct elfsyms *e, const char *name)
{
	return elffile_section(&e->file, name);
}

bool elfsyms_exports(const struct elfsyms *e, const char *name)
{
	struct symtab t = {0};
	bool found = false;

	if (symtab_read(&e->file, SHT_DYNSYM, &t))
		return false;
	for (size_t i = 0; i < t.n && !found; i++) {
		const char *s = symbol_name(&t, &t.syms[i]);

		found = s && !strcmp(s, name);
	}
	free(t.syms);
	free(t.str);
	return found;
}

/* --- addresses ------------------------------------------------------------------------------ */

static const Elf64_Phdr *code_segment(const struct elfsyms *e, uint64_t vaddr)
{
	for (size_t i = 0; i < e->file.nph; i++) {
		const Elf64_Phdr *p = &e->file.ph[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && vaddr >= p->p_vaddr &&
		    vaddr - p->p_vaddr < p->p_filesz)
			return p;
	}
	return NULL;
}

int elfsyms_offset(const struct elfsyms *e, uint64_t vaddr, uint64_t *ret)
{
	const Elf64_Phdr *p = code_segment(e, vaddr);
	uint64_t off;

	if (!p || add_overflows(vaddr - p->p_vaddr, p->p_offset, &off))
		return -ENOENT;
	*ret = off;
	return 0;
}

int elfsyms_vaddr(const struct elfsyms *e, uint64_t offset, uint64_t *ret)
{
	for (size_t i = 0; i < e->file.nph; i++) {
		const Elf64_Phdr *p = &e->file.ph[i];
		uint64_t first = p->p_offset & ~(uint64_t)(PAGE - 1), end;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) ||
		    add_overflows(p->p_offset, p->p_filesz, &end))
			continue;
		if (offset < first || offset >= end)
			continue;
		*ret = p->p_vaddr - p->p_offset + offset;
		return 0;
	}
	return -ENOENT;
}

int elfsyms_code(const struct elfsyms *e, uint64_t vaddr, uint8_t *buf, size_t len)
{
	const Elf64_Phdr *p = code_segment(e, vaddr);
	uint64_t off;

	if (!p || elfsyms_offset(e, vaddr, &off) || off > INT64_MAX)
		return -ENOENT;
	len = MIN(len, MIN(p->p_filesz - (vaddr - p->p_vaddr), INT32_MAX));
	return elffile_pread(&e->file, buf, len, off);
}

/* --- notes ---------------------------------------------------------------------------------- */

/* Does a stapsdt description name @provider:@name? */
static bool usdt_matches(const struct elfnote *n, const char *provider, const char *name)
{
	const char *s = (const char *)n->desc + 24, *end = (const char *)n->desc + n->desc_len;
	size_t provider_len = strlen(provider) + 1, name_len = strlen(name) + 1;

	return (size_t)(end - s) >= provider_len + name_len && !memcmp(s, provider, provider_len) &&
	       !memcmp(s + provider_len, name, name_len);
}

/*
 * A note holds the probe's address, the address .stapsdt.base had at link time and a semaphore;
 * a tool that moved the sections later (prelink) moved .stapsdt.base with them.
 * Source: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
 */
size_t elfsyms_usdt(struct elfsyms *e, const char *provider, const char *name, uint64_t *ret,
		    size_t max)
{
	const Elf64_Shdr *sh = elffile_section(&e->file, ".note.stapsdt");
	const Elf64_Shdr *base = elffile_section(&e->file, ".stapsdt.base");
	const uint8_t *p;
	uint8_t *buf;
	struct elfnote n;
	size_t found = 0;

	if (!sh || elffile_section_read(&e->file, sh, NOTE_MAX, &buf))
		return 0;
	for (p = buf; elfnote_next(&p, buf + sh->sh_size, &n);) {
		uint64_t addr[3]; /* pc, base, semaphore */

		if (!elfnote_is(&n, "stapsdt", 3) || n.desc_len < sizeof(addr) ||
		    !usdt_matches(&n, provider, name))
			continue;
		memcpy(addr, n.desc, sizeof(addr));
		if (base && addr[1])
			addr[0] += base->sh_addr - addr[1];
		if (found < max)
			ret[found] = addr[0];
		found++;
	}
	free(buf);
	return found;
}

static size_t build_id_in(const struct elfsyms *e, uint64_t off, uint64_t len, uint8_t *ret)
{
	const uint8_t *p;
	uint8_t *buf;
	struct elfnote n;
	size_t found = 0;

	if (elffile_read(&e->file, off, len, NOTE_MAX, &buf))
		return 0;
	for (p = buf; !found && elfnote_next(&p, buf + len, &n);) {
		if (!elfnote_is(&n, ELF_NOTE_GNU, NT_GNU_BUILD_ID) ||
		    n.desc_len > ELFSYMS_BUILD_ID_MAX)
			continue;
		memcpy(ret, n.desc, n.desc_len);
		found = n.desc_len;
	}
	free(buf);
	return found;
}

/* By section where there is one: a debug file's program headers describe another file. */
size_t elfsyms_build_id(const struct elfsyms *e, uint8_t ret[static ELFSYMS_BUILD_ID_MAX])
{
	const Elf64_Shdr *sh = elffile_section(&e->file, ".note.gnu.build-id");
	size_t len = 0;

	if (sh && sh->sh_type == SHT_NOTE)
		return build_id_in(e, sh->sh_offset, sh->sh_size, ret);
	for (size_t i = 0; i < e->file.nph && !len; i++)
		if (e->file.ph[i].p_type == PT_NOTE)
			len = build_id_in(e, e->file.ph[i].p_offset, e->file.ph[i].p_filesz, ret);
	return len;
}
