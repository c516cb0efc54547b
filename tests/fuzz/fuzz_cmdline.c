// SPDX-License-Identifier: MIT
/* Fuzz target (libFuzzer): any text as a /proc/PID/cmdline. */
#include <stdlib.h>

#include "proc/jvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *main_class;

	if (jvm_main_class((const char *)data, len, &main_class))
		return 0;
	if (strlen(main_class) > len)
		abort();
	free(main_class);
	return 0;
}
