// SPDX-License-Identifier: MIT
/* A target that cuts its memfds short while a region is made of one: refused, never a SIGBUS. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "lib/code_cache.h"
#include "lib/victim.h"
#include "proc/maps.h"
#include "region/region_table.h"

#define TRIES	  300
#define FD_LOOK	  64
#define MEMFD_SET (MFD_CLOEXEC | MFD_ALLOW_SEALING)

/* Any descriptor that can be shrunk, as often as possible until that is forbidden. */
static void *shrink(void *arg)
{
	for (;;)
		for (int fd = 3; fd < FD_LOOK; fd++)
			for (int s; (s = fcntl(fd, F_GET_SEALS)) >= 0 && !(s & F_SEAL_SHRINK);)
				(void)!ftruncate(fd, 0);
	return arg;
}

static void shrinks(struct victim *v)
{
	pthread_t t;

	pthread_create(&t, NULL, shrink, NULL);
	cache_victim(v);
}

static int mappings(pid_t pid)
{
	struct maps maps;
	int n = 0;

	assert_int_equal(maps_read(pid, &maps), 0);
	for (size_t i = 0; i < maps.n; i++)
		n += strstr(maps.entries[i].path, "hotprobe") != NULL;
	maps_fini(&maps);
	return n;
}

/* Every attempt either works, with all of the memory there, or says so and leaves nothing. */
static void create_while_shrinking(void **state)
{
	struct remote *w;
	struct victim v;
	int refused = 0;

	(void)state;
	cache_map();
	victim_start_fn(&v, shrinks);
	assert_int_equal(remote_ptrace_open(v.pid, &w), 0);
	for (int i = 0; i < TRIES; i++) {
		struct region *r;
		uint64_t ns;
		int err = region_create(w, cache_low(), cache_high(), &r, &ns);

		if (err) {
			assert_int_equal(err, -EPROTO);
			assert_int_equal(mappings(v.pid), 0);
			refused++;
			continue;
		}
		assert_int_equal(r->table_map->magic, REGION_MAGIC);
		assert_int_equal(region_unmap(r), 0);
		region_close(r);
	}
	print_message("%d of %d were refused\n", refused, TRIES);
	assert_int_equal(region_leftovers(w), 0);
	remote_close(w);
	victim_stop(&v);
	cache_unmap();
}

/* Not of the whole size, or not sealed: not mapped. */
static void map_only_what_is_sealed(void **state)
{
	const struct {
		off_t size;
		unsigned int seals;
		int err;
	} cases[] = {
		{TOTAL_LEN, REGION_SEALS, 0},		{0, REGION_SEALS, -EPROTO},
		{TOTAL_LEN - 1, REGION_SEALS, -EPROTO}, {TOTAL_LEN + 1, REGION_SEALS, -EPROTO},
		{TOTAL_LEN, F_SEAL_GROW, -EPROTO},	{TOTAL_LEN, 0, -EPROTO},
	};
	struct remote w = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct region *r = region_new(&w, 0x10000, 0x20000);

		assert_non_null(r);
		r->fd = memfd_create("test", MEMFD_SET);
		assert_int_equal(ftruncate(r->fd, cases[i].size), 0);
		assert_int_equal(fcntl(r->fd, F_ADD_SEALS, cases[i].seals), 0);
		assert_int_equal(region_map_ours(r), cases[i].err);
		region_close(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_while_shrinking),
		cmocka_unit_test(map_only_what_is_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
