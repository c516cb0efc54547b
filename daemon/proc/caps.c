// SPDX-License-Identifier: MIT
/* caps.c - see caps.h and capabilities(7). */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "proc/caps.h"

#define CAPS_ALL (CAPS_LOOK | CAPS_BPF | CAPS_CHANGE | CAPS_MOMENTS)

struct sets {
	uint64_t effective, permitted, inheritable;
};

static int sets_read(struct sets *ret)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, d))
		return -errno;
	*ret = (struct sets){
		.effective = d[0].effective | (uint64_t)d[1].effective << 32,
		.permitted = d[0].permitted | (uint64_t)d[1].permitted << 32,
		.inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32,
	};
	return 0;
}

static int sets_write(const struct sets *s)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {
		{(uint32_t)s->effective, (uint32_t)s->permitted, (uint32_t)s->inheritable},
		{(uint32_t)(s->effective >> 32), (uint32_t)(s->permitted >> 32),
		 (uint32_t)(s->inheritable >> 32)},
	};

	return syscall(SYS_capset, &head, d) ? -errno : 0;
}

/* The bounding set takes CAP_SETPCAP to be cut, so it comes first. */
void caps_begin(void)
{
	struct sets s;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (sets_read(&s))
		return;
	s.permitted &= CAPS_ALL;
	s.effective &= CAPS_ALL;
	s.inheritable = 0;
	sets_write(&s);
}

void caps_use(uint64_t wanted)
{
	struct sets s;

	if (sets_read(&s))
		return;
	if (wanted & CAPS_BPF && (s.permitted & CAPS_BPF) != CAPS_BPF)
		wanted |= CAPS(CAP_SYS_ADMIN);
	s.effective = s.permitted & wanted;
	sets_write(&s);
}

uint64_t caps_raise(uint64_t more)
{
	struct sets s = {0};
	uint64_t before;

	if (sets_read(&s))
		return 0;
	before = s.effective;
	s.effective |= s.permitted & more;
	if (s.effective != before)
		sets_write(&s);
	return before;
}

void caps_lower(uint64_t before)
{
	struct sets s;

	if (sets_read(&s) || s.effective == before)
		return;
	s.effective = before & s.permitted;
	sets_write(&s);
}

void caps_raise_all(void)
{
	caps_raise(~0ULL);
}

bool caps_have(unsigned int cap)
{
	struct sets s = {0};

	sets_read(&s);
	return s.permitted >> cap & 1;
}
