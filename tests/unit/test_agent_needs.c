/* SPDX-License-Identifier: MIT */
/*
 * test_agent_needs.c - what libhotprobe.so asks of the system it is loaded on, which may be a
 * container far older than the system it was built on.
 */
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/util.h"

/* As the libjvm.so of Temurin 25 does (objdump -T). */
#define GLIBC_MINOR_MAX 17
#define VERSIONS_MAX	64

static int agent_open(void)
{
	const char *path = getenv("HP_AGENT");
	char beside[PATH_MAX + 32] = "";

	if (!path && readlink("/proc/self/exe", beside, PATH_MAX) > 0) {
		strcpy(strrchr(beside, '/'), "/../libhotprobe.so");
		path = beside;
	}
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The data of the first section of @type. Names in it are in the section @strings. */
static Elf_Data *section_read(Elf *elf, GElf_Word type, size_t *strings)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		assert_non_null(gelf_getshdr(scn, &sh));
		if (sh.sh_type != type)
			continue;
		*strings = sh.sh_link;
		return elf_getdata(scn, NULL);
	}
	fail_msg("libhotprobe.so has no section of type %u", type);
	return NULL;
}

static Elf *elf_of(int fd)
{
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(elf);
	return elf;
}

/* The one library that ld.so must find is libc. */
static void agent_needs_libc_alone(void **state _unused_)
{
	_cleanup_close_ int fd = agent_open();
	Elf *elf = elf_of(fd);
	size_t strings, libraries = 0;
	Elf_Data *data = section_read(elf, SHT_DYNAMIC, &strings);
	GElf_Dyn dyn;

	for (int i = 0; gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++) {
		if (dyn.d_tag != DT_NEEDED)
			continue;
		assert_string_equal(elf_strptr(elf, strings, dyn.d_un.d_val), "libc.so.6");
		libraries++;
	}
	assert_int_equal(libraries, 1);
	elf_end(elf);
}

/* No function is wanted in a version newer than GLIBC_2.17. */
static void agent_needs_no_new_glibc(void **state _unused_)
{
	_cleanup_close_ int fd = agent_open();
	Elf *elf = elf_of(fd);
	size_t strings, versions = 0;
	Elf_Data *data = section_read(elf, SHT_GNU_verneed, &strings);
	GElf_Verneed need;
	GElf_Vernaux aux;
	int at = 0;

	assert_non_null(gelf_getverneed(data, 0, &need));
	assert_int_equal(need.vn_next, 0);
	for (at = (int)need.vn_aux; versions < VERSIONS_MAX; at += (int)aux.vna_next) {
		const char *name;
		int minor;

		assert_non_null(gelf_getvernaux(data, at, &aux));
		name = elf_strptr(elf, strings, aux.vna_name);
		if (sscanf(name, "GLIBC_2.%d", &minor) != 1 || minor > GLIBC_MINOR_MAX)
			fail_msg("libhotprobe.so wants %s: objdump -T tells for what", name);
		versions++;
		if (!aux.vna_next)
			break;
	}
	assert_in_range(versions, 1, VERSIONS_MAX - 1);
	elf_end(elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agent_needs_libc_alone),
		cmocka_unit_test(agent_needs_no_new_glibc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
