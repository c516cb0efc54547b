// SPDX-License-Identifier: MIT
/*
 * test_image_code.c - what daemon/arch/x86_64/method_code.c says of real methods, held against
 * objdump.
 *
 * A sample of each image's methods, and all methods with a switch's table, are laid into a file,
 * one after the other with nops between them, and disassembled. objdump goes straight on and takes
 * tables for code; where its own text shows a switch, the table is replaced by nops and the method
 * is given to it again. Needs tests/tools/fetch-images; no root.
 */
#include <fcntl.h>

#include "lib/cmocka_all.h"
#include "lib/env.h"
#include "symmap/elffile.h"
#include "arch/method_code.h"
#include "runtime/image/image_map.h"

#define SAMPLE_BYTES (2u << 20) /* of code, per image: half a second of objdump's time */
#define TEXT_MAX     (1u << 30)
#define GAP	     16 /* nops that get a disassembler back into step */
#define ALIGN	     16
#define TABLES_MAX   512 /* in one method; the most seen are some dozen */
#define NOP	     0x90

struct image_case {
	const char *name;
	double complete, emulated, divert; /* at least so many per cent of the methods */
};

/*
 * CE 19 computes its stack limit in a register, often one that others pass arguments in. CE 25
 * begins with two instructions of four bytes and a short jump.
 */
static const struct image_case cases[] = {
	{"ce19-symbols", 99.5, 5, 75},	{"ce22", 99.5, 96, 80},	    {"ce25", 99.5, 95, 50},
	{"ce25-truffle", 99.5, 95, 54}, {"oracle21", 99.5, 96, 92}, {"oracle23-pie", 99.5, 96, 92},
};

struct table {
	uint32_t start, end; /* offsets in the method */
};

struct method {
	uint64_t entry;
	uint8_t *code; /* a copy: tables become nops */
	uint32_t len;
	uint32_t pos; /* in the file for objdump */
	struct method_code is;
	uint32_t *rets, nrets; /* of objdump */
	struct table *tables;
	uint32_t ntables;
	bool probe_found, divert_found, settled;
};

struct sample {
	struct method *m;
	size_t n;
	const uint8_t *text; /* the image's executable segment */
	uint64_t lo, hi;
};

/* --- the image -------------------------------------------------------------------------------- */

static const char *image_or_skip(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", env_images(), name);
	if (access(path, R_OK))
		test_skip("no native image %s: tests/tools/fetch-images could not get it", path);
	return path;
}

static void *must(void *p)
{
	assert_non_null(p);
	return p;
}

/* The segment that the method at @entry lies in. */
static uint8_t *read_text(int fd, uint64_t entry, struct sample *s)
{
	struct elffile f;
	uint8_t *text = NULL;

	assert_int_equal(elffile_open(fd, &f), 0);
	for (size_t i = 0; i < f.nph; i++) {
		const Elf64_Phdr *ph = &f.ph[i];

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X) ||
		    !range_inside(entry, 1, ph->p_vaddr, ph->p_vaddr + ph->p_filesz))
			continue;
		assert_int_equal(elffile_read(&f, ph->p_offset, ph->p_filesz, TEXT_MAX, &text), 0);
		s->lo = ph->p_vaddr;
		s->hi = ph->p_vaddr + ph->p_filesz;
	}
	elffile_close(&f);
	s->text = text;
	return must(text);
}

/* add %reg,%reg; jmp *%reg: the end of a switch. */
static bool may_have_table(const uint8_t *code, uint32_t len)
{
	for (uint32_t i = 0; i + 4 < len; i++) {
		const uint8_t *jmp = code + i + 2;

		if ((code[i] | 2) == 0x03 &&
		    (*jmp == 0x41 ? jmp[1] == 0xff && (jmp[2] & 0xf8) == 0xe0
				  : jmp[0] == 0xff && (jmp[1] & 0xf8) == 0xe0))
			return true;
	}
	return false;
}

static void sample_add(struct sample *s, const struct image_method *im)
{
	struct method *m = &s->m[s->n++];

	*m = (struct method){.entry = im->entry, .len = (uint32_t)(im->end - im->entry)};
	m->code = must(malloc(m->len));
	memcpy(m->code, s->text + (im->entry - s->lo), m->len);
}

/* Every so manieth method, in @s up to the returned number; then all others with tables. */
static size_t sample_take(const struct image_map *map, struct sample *s)
{
	uint64_t bytes = 0;
	size_t n, step;

	for (uint32_t i = 0; i < map->n; i++)
		bytes += map->methods[i].end - map->methods[i].entry;
	step = bytes / SAMPLE_BYTES + 1;
	s->m = must(calloc(map->n, sizeof(*s->m)));
	for (uint32_t i = 0; i < map->n; i += step)
		sample_add(s, &map->methods[i]);
	n = s->n;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct image_method *im = &map->methods[i];

		assert_true(im->entry >= s->lo && im->end <= s->hi);
		if (i % step && may_have_table(s->text + (im->entry - s->lo), im->end - im->entry))
			sample_add(s, im);
	}
	return n;
}

static void sample_free(struct sample *s)
{
	for (size_t i = 0; i < s->n; i++) {
		method_code_fini(&s->m[i].is);
		free(s->m[i].code);
		free(s->m[i].rets);
		free(s->m[i].tables);
	}
	free(s->m);
}

/* --- objdump ---------------------------------------------------------------------------------- */

/* What the lines above one say that may be a switch's jump. */
struct switch_text {
	uint64_t table;
	uint64_t last,
		mask; /* of a cmp right before, of an and somewhere before; NONE: no such line */
	unsigned int entry_size;
};

#define NONE UINT64_MAX

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* Tables that are still taken for code may hide lines: those that are left must be the whole
 * switch. */
static void note_switch(struct switch_text *t, const char *insn)
{
	const char *imm = strstr(insn, "$0x"), *comment = strstr(insn, "# 0x");

	if (starts(insn, "lea ") && strstr(insn, "(%rip)") && comment) {
		t->table = strtoull(comment + 2, NULL, 16);
		t->entry_size = 0;
	} else if (starts(insn, "movslq ") && strstr(insn, ",4)")) {
		t->entry_size = t->last == NONE ? 0 : 4;
	} else if (starts(insn, "mov ") && strstr(insn, ",8)")) {
		t->entry_size = t->mask == NONE ? 0 : 8;
	} else if (starts(insn, "cmp ") && imm) {
		t->last = strtoul(imm + 1, NULL, 16);
	} else if (starts(insn, "and ") && imm) {
		t->mask = strtoul(imm + 1, NULL, 16);
	} else if (!starts(insn, "ja ") && !starts(insn, "nop") && !starts(insn, "add ")) {
		t->last = NONE;
		if (starts(insn, "(bad)"))
			t->mask = NONE;
	}
}

static const struct switch_text no_switch = {.last = NONE, .mask = NONE};

/* Is the table that ends here new? */
static bool add_table(struct method *m, const struct switch_text *t)
{
	uint64_t count = (t->entry_size == 4 ? t->last : t->mask) + 1;
	uint64_t start = t->table - m->pos, end = start + count * t->entry_size;

	if (!t->entry_size || start >= m->len || end > m->len || count > m->len)
		return false;
	for (uint32_t i = 0; i < m->ntables; i++)
		if (m->tables[i].start == start)
			return false;
	if (!m->tables)
		m->tables = must(calloc(TABLES_MAX, sizeof(*m->tables)));
	assert_true(m->ntables < TABLES_MAX);
	m->tables[m->ntables++] = (struct table){(uint32_t)start, (uint32_t)end};
	return true;
}

static bool is_ret(const char *insn)
{
	if (starts(insn, "repz "))
		insn += strlen("repz ");
	return starts(insn, "ret") && !starts(insn, "retf");
}

static void take_line(struct method *m, uint32_t off, const char *insn, struct switch_text *t)
{
	m->probe_found |= off == m->is.probe.off;
	m->divert_found |= off == m->is.divert.off;
	if (is_ret(insn)) {
		assert_true(m->nrets < m->len);
		m->rets[m->nrets++] = off;
	} else if (starts(insn, "jmp ") && strstr(insn, " *%r")) {
		if (add_table(m, t))
			m->settled = false;
		*t = no_switch;
	} else {
		note_switch(t, insn);
	}
}

/* Give each of the @n methods its lines; they are in the order of their places. */
static void read_lines(struct method **m, size_t n, FILE *f)
{
	struct switch_text t = no_switch;
	char line[512], *insn;
	size_t i = 0;

	while (fgets(line, sizeof(line), f)) {
		unsigned long pos = strtoul(line, &insn, 16);

		if (insn == line || strncmp(insn, ":\t", 2))
			continue;
		for (; i < n && pos >= m[i]->pos + m[i]->len; i++)
			t = no_switch;
		if (i < n && pos >= m[i]->pos)
			take_line(m[i], (uint32_t)(pos - m[i]->pos), insn + 2, &t);
	}
}

static void put_nops(FILE *f, uint64_t n)
{
	while (n--)
		assert_true(putc(NOP, f) != EOF);
}

/* Lay the methods into @path, as they are now. */
static void write_methods(const char *path, struct method **m, size_t n)
{
	FILE *f = must(fopen(path, "w"));
	uint64_t pos = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t gap = GAP + (-(pos + GAP)) % ALIGN;

		put_nops(f, gap);
		pos += gap;
		m[i]->pos = (uint32_t)pos;
		assert_int_equal(fwrite(m[i]->code, 1, m[i]->len, f), m[i]->len);
		pos += m[i]->len;
	}
	put_nops(f, GAP);
	assert_int_equal(fclose(f), 0);
}

static void disassemble(const char *path, struct method **m, size_t n)
{
	char cmd[PATH_MAX + 80];
	FILE *f;

	write_methods(path, m, n);
	for (size_t i = 0; i < n; i++) {
		m[i]->nrets = 0;
		m[i]->settled = true;
		m[i]->probe_found = m[i]->divert_found = false;
	}
	snprintf(cmd, sizeof(cmd), "objdump -D -w -b binary -m i386:x86-64 --no-show-raw-insn %s",
		 path);
	f = must(popen(cmd, "r"));
	read_lines(m, n, f);
	assert_int_equal(pclose(f), 0);
}

/* Replace the tables by nops: the next look sees what they hid. */
static void blank_tables(struct method *m)
{
	for (uint32_t i = 0; i < m->ntables; i++)
		memset(m->code + m->tables[i].start, NOP, m->tables[i].end - m->tables[i].start);
}

/* --- the comparison --------------------------------------------------------------------------- */

static bool objdump_has(const struct method *m, uint32_t off)
{
	for (uint32_t i = 0; i < m->nrets; i++)
		if (m->rets[i] == off)
			return true;
	return false;
}

/* Every ret that we see is one; of what we understood to the end, the others are too. */
static void compare(const char *name, const struct method *m)
{
	for (size_t i = 0; i < m->is.nreturns; i++)
		if (!objdump_has(m, m->is.returns[i]))
			fail_msg("%s: method %#llx has no ret at +%#x", name,
				 (unsigned long long)m->entry, m->is.returns[i]);
	if (m->is.complete && m->nrets != m->is.nreturns)
		fail_msg("%s: method %#llx has %u rets, not %zu", name,
			 (unsigned long long)m->entry, m->nrets, m->is.nreturns);
	if ((m->is.probe.len && !m->probe_found) || (m->is.divert.len && !m->divert_found))
		fail_msg("%s: method %#llx has no instruction at +%#x or +%#x", name,
			 (unsigned long long)m->entry, m->is.probe.off, m->is.divert.off);
}

/* Until objdump shows no table that is new. */
static void compare_all(const char *name, struct sample *s)
{
	struct method **m = must(calloc(s->n, sizeof(*m)));
	_cleanup_free_ char *dir = test_dir();
	char path[PATH_MAX];
	size_t n = s->n;

	snprintf(path, sizeof(path), "%s/methods", dir);
	for (size_t i = 0; i < n; i++) {
		m[i] = &s->m[i];
		m[i]->rets = must(calloc(m[i]->len, sizeof(*m[i]->rets)));
	}
	while (n) {
		size_t left = 0;

		disassemble(path, m, n);
		for (size_t i = 0; i < n; i++) {
			if (m[i]->settled) {
				compare(name, m[i]);
				continue;
			}
			blank_tables(m[i]);
			m[left++] = m[i];
		}
		n = left;
	}
	free(m);
}

static double per_cent(size_t part, size_t all)
{
	return 100.0 * (double)part / (double)all;
}

/* The shares, among the first @n of the sample, and whether they are what they were. */
static void check_shares(const struct image_case *c, const struct sample *s, size_t n, double us)
{
	size_t complete = 0, emulated = 0, divert = 0, tables = 0, left = 0, unseen = 0;

	for (size_t i = 0; i < s->n; i++) {
		tables += s->m[i].ntables;
		left += i >= n && !s->m[i].is.complete;
		unseen += s->m[i].is.complete && s->m[i].is.nunseen;
		if (i >= n)
			continue;
		complete += s->m[i].is.complete;
		emulated += s->m[i].is.emulated;
		divert += !!s->m[i].is.divert.len;
	}
	print_message(
		"%s: of %zu methods %.2f %% complete, %.2f %% emulated, %.2f %% stepped, %.2f %% "
		"with divert; %zu more with switches, %zu of them not complete; %zu tables; "
		"%zu may end unseen; %.0f us each\n",
		c->name, n, per_cent(complete, n), per_cent(emulated, n), per_cent(n - emulated, n),
		per_cent(divert, n), s->n - n, left, tables, unseen, us);
	assert_true(n > 1000 && tables > 20);
	assert_true(per_cent(complete, n) >= c->complete);
	assert_true(per_cent(emulated, n) >= c->emulated);
	assert_true(per_cent(divert, n) >= c->divert);
	assert_true(left <= 12); /* stubs of the compiler's own */
	assert_true(per_cent(unseen, s->n) < 2);
}

static void check_image(const struct image_case *c)
{
	_cleanup_close_ int fd = open(image_or_skip(c->name), O_RDONLY | O_CLOEXEC);
	struct insn_decoder *d = must(insn_decoder_new());
	struct sample s = {.n = 0};
	_cleanup_free_ uint8_t *text = NULL;
	struct image_map map;
	uint64_t start;
	size_t n;

	assert_int_equal(image_map_read(fd, &map), 0);
	text = read_text(fd, map.methods[0].entry, &s);
	n = sample_take(&map, &s);
	image_map_fini(&map);
	start = clock_ns();
	for (size_t i = 0; i < s.n; i++) {
		struct method *m = &s.m[i];

		assert_int_equal(method_code_read(d, m->entry, m->code, m->len, &m->is), 0);
	}
	start = clock_ns() - start;
	compare_all(c->name, &s);
	check_shares(c, &s, n, (double)start / (double)NSEC_PER_USEC / (double)s.n);
	sample_free(&s);
	insn_decoder_free(d);
}

/* Returns are where objdump shows them, in methods of every image, and most methods can be probed
 * well. */
static void returns_are_those_of_objdump(void **state _unused_)
{
	if (system("objdump --version >/dev/null 2>&1"))
		test_skip("no objdump: the package binutils has it");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_image(&cases[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {jvm_test(returns_are_those_of_objdump)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
