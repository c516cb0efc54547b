// SPDX-License-Identifier: MIT
/* test_classes.c - all classes of a JVM and the state of a method, of one that may lie. */
#include "lib/cmocka_all.h"
#include "lib/fake_jvm.h"
#include "runtime/hotspot/classes.h"
#include "runtime/hotspot/method_state.h"

struct fixture {
	struct fake_jvm j;
	struct vmstructs *vs;
	struct layout l;
	struct mem *paged;
	char names[512];
	size_t n;
};

static uint64_t add_loader(struct fixture *f, uint64_t next)
{
	uint64_t cld = fake_alloc(&f->j.t, 64);

	fake_put64(&f->j.t, cld + FK_CLD_NEXT, next);
	fake_put64(&f->j.t, f->j.cld_head, cld);
	return cld;
}

static uint64_t add_class(struct fixture *f, uint64_t cld, const char *name, enum class_state state)
{
	uint64_t klass = fake_klass(&f->j, name, f->j.object_klass, NULL, 0), first;

	memcpy(&first, fake_at(&f->j.t, cld + FK_CLD_KLASSES, 8), 8);
	fake_put64(&f->j.t, klass + FK_KLASS_LINK, first);
	fake_put8(&f->j.t, klass + FK_KLASS_STATE, state);
	fake_put64(&f->j.t, cld + FK_CLD_KLASSES, klass);
	return klass;
}

static void make(struct fixture *f, int jdk)
{
	*f = (struct fixture){.n = 0};
	fake_jvm_init(&f->j, jdk);
}

static void read_all(struct fixture *f)
{
	assert_int_equal(fake_jvm_read(&f->j, &f->vs, &f->l), 0);
	assert_int_equal(f->l.missing[CAP_COVERAGE], 0);
	assert_int_equal(mem_open_paged(&f->j.t.mem, &f->paged), 0);
}

static void drop(struct fixture *f)
{
	mem_close(f->paged);
	vmstructs_free(f->vs);
	layout_fini(&f->l);
	fake_jvm_fini(&f->j);
}

static int on_class(void *arg, const struct class_entry *c)
{
	struct fixture *f = arg;
	size_t len = strlen(f->names);

	f->n++;
	snprintf(f->names + len, sizeof(f->names) - len, "%s ", c->name);
	return 0;
}

/* With a new reader by pages: it does not see what has changed meanwhile. */
static int walk(struct fixture *f, uint64_t budget_ns)
{
	mem_close(f->paged);
	assert_int_equal(mem_open_paged(&f->j.t.mem, &f->paged), 0);
	return classes_walk(&f->j.t.mem, f->paged, &f->l, clock_ns() + budget_ns, on_class, f);
}

/* Every loader's classes, but neither arrays nor what is not loaded yet; any length of name. */
static void walk_finds_all(void **state _unused_)
{
	char longer[300], want[400];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	snprintf(want, sizeof(want), "com.shop.Cart %s a.B ", longer);
	for (int jdk = 17; jdk <= 25; jdk += 4) {
		struct fixture f;
		uint64_t first, second;

		make(&f, jdk);
		first = add_loader(&f, 0);
		add_class(&f, first, "a/B", CLASS_LOADED);
		add_class(&f, first, "[La/B;", CLASS_INITIALIZED);
		second = add_loader(&f, first);
		add_class(&f, second, longer, CLASS_FAILED);
		add_class(&f, second, "not/Yet", CLASS_ALLOCATED);
		add_class(&f, second, "com/shop/Cart", CLASS_INITIALIZED);
		read_all(&f);
		assert_int_equal(walk(&f, NSEC_PER_SEC), 0);
		assert_string_equal(f.names, want);
		drop(&f);
	}
}

/* Lists that are circles, or lead nowhere, end: by the count, or before by the clock. */
static void walk_of_lies_ends(void **state _unused_)
{
	struct fixture f;
	uint64_t cld, klass;

	make(&f, 25);
	cld = add_loader(&f, 0);
	klass = add_class(&f, cld, "a/B", CLASS_LOADED);
	fake_put64(&f.j.t, klass + FK_KLASS_LINK, klass);
	read_all(&f);
	assert_int_equal(walk(&f, 20 * NSEC_PER_MSEC), -ETIMEDOUT);
	fake_put64(&f.j.t, klass + FK_KLASS_LINK, 0x10);
	f.n = 0;
	assert_int_equal(walk(&f, NSEC_PER_SEC), 0);
	assert_int_equal(f.n, 1);
	fake_put64(&f.j.t, cld + FK_CLD_KLASSES, 0x1234567);
	fake_put64(&f.j.t, cld + FK_CLD_NEXT, cld);
	assert_true(walk(&f, 20 * NSEC_PER_MSEC) < 0);
	fake_put64(&f.j.t, f.j.cld_head, 7);
	assert_true(walk(&f, NSEC_PER_SEC) < 0);
	drop(&f);
}

/* A list of methods says its length, which is believed up to what a class file can hold. */
static void methods_are_bounded(void **state _unused_)
{
	struct fixture f;
	uint64_t array, *methods = NULL;

	make(&f, 17);
	array = fake_alloc(&f.j.t, 8 + 8 * 3);
	fake_put32(&f.j.t, array, 3);
	fake_put64(&f.j.t, array + 8 + 16, 0x7008);
	read_all(&f);
	assert_int_equal(class_methods(&f.j.t.mem, &f.l, array, &methods), 3);
	assert_int_equal(methods[2], 0x7008);
	free(methods);
	fake_put32(&f.j.t, array, CLASS_METHODS_MAX + 1);
	assert_int_equal(class_methods(&f.j.t.mem, &f.l, array, &methods), -EPROTO);
	assert_int_equal(class_methods(&f.j.t.mem, &f.l, 0x10, &methods), -EFAULT);
	drop(&f);
}

/* What a method says of itself, in the old form and the new one. */
static void state_of_method(void **state _unused_)
{
	for (int jdk = 17; jdk <= 25; jdk += 4) {
		struct fixture f;
		struct method_state s;
		uint64_t method, counters, cm;

		make(&f, jdk);
		method = fake_method(&f.j, f.j.string_klass, "m", "()V", METHOD_STATIC);
		counters = fake_alloc(&f.j.t, 16);
		memcpy(&cm, fake_at(&f.j.t, method + FK_METHOD_CONST, 8), 8);
		fake_put16(&f.j.t, cm + FK_CONST_CODE_SIZE, 9000);
		read_all(&f);
		assert_int_equal(method_state_read(&f.j.t.mem, &f.l, method, &s), 0);
		assert_int_equal(s.access, METHOD_STATIC);
		assert_int_equal(s.code_size, 9000);
		assert_true(s.calls_known && !s.calls && !s.not_c1 && !s.not_c2 && !s.old);
		fake_put64(&f.j.t, method + FK_METHOD_COUNTERS, counters);
		fake_put32(&f.j.t, counters + FK_COUNTERS_CALLS, 7 << 1 | 1);
		fake_put16(&f.j.t, method + FK_METHOD_INTRINSIC, 300);
		if (jdk <= 20)
			fake_put32(&f.j.t, method + FK_METHOD_FLAGS, METHOD_STATIC | 0x06000000);
		else
			fake_put32(&f.j.t, method + FK_METHOD_STATUS, 1u << 8 | 1u << 9);
		assert_int_equal(method_state_read(&f.j.t.mem, &f.l, method, &s), 0);
		assert_int_equal(s.access, METHOD_STATIC);
		assert_int_equal(s.calls, 7);
		assert_int_equal(s.intrinsic, 300);
		assert_true(s.not_c1 && s.not_c2);
		/* Bits that no flags have: then nothing is said. */
		if (jdk > 20) {
			fake_put32(&f.j.t, method + FK_METHOD_STATUS, 0xffffffff);
			assert_int_equal(method_state_read(&f.j.t.mem, &f.l, method, &s), 0);
			assert_true(!s.not_c1 && !s.not_c2 && !s.old);
		}
		assert_true(method_state_read(&f.j.t.mem, &f.l, 0, &s) < 0);
		assert_true(method_state_read(&f.j.t.mem, &f.l, 0x7008, &s) < 0);
		drop(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_finds_all),
		cmocka_unit_test(walk_of_lies_ends),
		cmocka_unit_test(methods_are_bounded),
		cmocka_unit_test(state_of_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
