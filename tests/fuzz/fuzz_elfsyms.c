// SPDX-License-Identifier: MIT
/* Fuzz target (libFuzzer): any bytes as an ELF file, through every question elfsyms answers. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symmap/elfsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int look(const char *name, uint64_t value, uint64_t size, void *arg)
{
	uint8_t code[16];
	uint64_t off, vaddr;

	(void)name;
	(void)size;
	if (elfsyms_code(arg, value, code, sizeof(code)) > (int)sizeof(code))
		abort();
	if (!elfsyms_offset(arg, value, &off))
		elfsyms_vaddr(arg, off, &vaddr);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	uint8_t id[ELFSYMS_BUILD_ID_MAX];
	struct elfsyms *e;
	uint64_t v[2];

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	if (!elfsyms_open(fd, &e)) {
		elfsyms_has_section(e, ".text");
		elfsyms_exports(e, "main");
		elfsyms_build_id(e, id);
		elfsyms_usdt(e, "hotspot", "gc", v, 2);
		elfsyms_add_debug(e, fd);
		elfsyms_value(e, "main", v);
		elfsyms_each(e, "", look, e);
		elfsyms_close(e);
	}
	close(fd);
	return 0;
}
