// SPDX-License-Identifier: MIT
/*
 * fieldinfo.c - where instances of a class keep a field, from the class's own record of its fields.
 *
 * JDK ..20: InstanceKlass::_fields, an Array<u2> with six numbers for each field.
 * JDK 21+ (8292818): InstanceKlass::_fieldinfo_stream, an Array<u1> of numbers in UNSIGNED5, a
 * coding with 1 to 5 bytes for each.
 * Names and descriptors are given by index into the class's constant pool, whose slots hold
 * Symbol*.
 *
 * Sources: OpenJDK share/oops/fieldInfo.hpp (17.0.19); share/oops/fieldInfo.{hpp,inline.hpp},
 * share/utilities/unsigned5.hpp (21.0.12, 25.0.3).
 */
#include "runtime/hotspot/fieldinfo.h"
#include "runtime/hotspot/symbol.h"

/* JVMS 4.1: constant_pool_count and fields_count are u2. */
#define POOL_MAX   65535
#define FIELDS_MAX 65535

/* FieldInfo::FieldOffset, JDK ..20 */
enum { F_ACCESS, F_NAME, F_DESC, F_INITVAL, F_LOW, F_HIGH, F_SLOTS };

/* FIELDINFO_TAG_OFFSET: the offset is set, and stands above FIELDINFO_TAG_SIZE bits. */
#define F_TAG_OFFSET 1
#define F_TAG_SIZE   2

/* Eight numbers of at most five bytes for a field, and two counts. */
#define STREAM_MAX (FIELDS_MAX * 8 * 5 + 10)

/* 65 535 fields of 8 bytes fit: no field lies farther into an object. */
#define INSTANCE_MAX (1u << 20)

/* JVMS 4.5, table 4.5-A. */
#define ACC_STATIC 0x0008

/* Deeper than any hierarchy that people write, and cheap to walk when a target lies. */
#define SUPERS_MAX 512

/* One field as recorded. */
struct finfo {
	uint32_t name, desc; /* indices into the constant pool */
	uint32_t access;
	uint32_t offset;
};

/* A class's constant pool, copied: what is looked for and where. */
struct lookup {
	struct mem *m;
	const struct layout *l;
	const char *name, *desc;
	uint64_t *slots; /* owned */
	uint32_t nslots;
};

/* A stream of UNSIGNED5 numbers. */
struct u5 {
	const uint8_t *data;
	size_t len, pos;
	bool bad; /* ran over the end, or met a byte that no number has */
};

/* A low byte (1..191) ends a number, a high one (192..255) continues it, up to the fifth. */
static uint32_t u5_next(struct u5 *s)
{
	enum { EXCLUDED = 1, LOW = 191, LG_HIGH = 6, LENGTH_MAX = 5 };
	uint32_t sum = 0;

	for (int i = 0; i < LENGTH_MAX; i++) {
		if (s->pos >= s->len || s->data[s->pos] < EXCLUDED) {
			s->bad = true;
			return 0;
		}
		uint32_t b = s->data[s->pos++];
		sum += (b - EXCLUDED) << (LG_HIGH * i);
		if (b < EXCLUDED + LOW)
			break;
	}
	return sum;
}

static int slot_equal(const struct lookup *k, uint32_t index, const char *text)
{
	if (index == 0 || index >= k->nslots)
		return -EPROTO;
	return symbol_equal(k->m, k->l, k->slots[index], text);
}

/* Is @f the wanted one? 1 yes; 0 no; -EPROTO; -EFAULT; -ESRCH. */
static int finfo_match(const struct lookup *k, const struct finfo *f)
{
	if (f->access & ACC_STATIC)
		return 0;
	int eq = slot_equal(k, f->name, k->name);
	return eq == 1 ? slot_equal(k, f->desc, k->desc) : eq;
}

/* Copy the elements of an Array<T> in metaspace; @data places them. */
static int array_read(struct mem *m, uint64_t array, struct field data, uint32_t max, uint8_t **ret,
		      uint32_t *n_ret)
{
	uint32_t n;
	int err = array ? mem_read_u32(m, array, &n) : -EPROTO;

	if (err)
		return err;
	if (n > max)
		return -EPROTO;
	_cleanup_free_ uint8_t *buf = malloc((size_t)n * data.size + 1);
	if (!buf)
		return -ENOMEM;
	err = mem_read(m, array + data.off, buf, (size_t)n * data.size);
	if (err)
		return err;
	*ret = take_ptr(buf);
	*n_ret = n;
	return 0;
}

/* JDK ..20. Return: 0; -ENOENT; -EPROTO; -EFAULT; -ESRCH; -ENOMEM. */
static int fields_search(const struct lookup *k, uint64_t klass, uint32_t *ret)
{
	const struct layout_code *c = k->l->code;
	_cleanup_free_ uint8_t *raw = NULL;
	uint64_t array, count;
	uint32_t n;
	int err = field_read(k->m, klass, c->klass_fields, &array);

	if (!err)
		err = field_read(k->m, klass, c->klass_field_count, &count);
	/* After the Java fields come those the JVM has added, and one u2 for each generic type. */
	if (!err)
		err = array_read(k->m, array, c->u2_data, 2 * FIELDS_MAX * F_SLOTS, &raw, &n);
	if (err)
		return err;
	if (count > n / F_SLOTS)
		return -EPROTO;
	for (uint64_t i = 0; i < count; i++) {
		uint16_t u2[F_SLOTS];
		memcpy(u2, raw + i * sizeof(u2), sizeof(u2));
		struct finfo f = {.name = u2[F_NAME], .desc = u2[F_DESC], .access = u2[F_ACCESS]};
		int eq = finfo_match(k, &f);
		if (eq < 0)
			return eq;
		if (eq && !(u2[F_LOW] & F_TAG_OFFSET))
			return -EPROTO;
		if (eq) {
			*ret = ((uint32_t)u2[F_HIGH] << 16 | u2[F_LOW]) >> F_TAG_SIZE;
			return 0;
		}
	}
	return -ENOENT;
}

static void finfo_next(const struct layout_code *c, struct u5 *s, struct finfo *f)
{
	f->name = u5_next(s);
	f->desc = u5_next(s);
	f->offset = u5_next(s);
	f->access = u5_next(s);
	uint32_t flags = u5_next(s);
	const int64_t optional[] = {c->ff_initialized, c->ff_generic, c->ff_contended};
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
		if (flags & 1u << optional[i])
			u5_next(s);
}

/* JDK 21+. Return: as fields_search(). */
static int stream_search(const struct lookup *k, uint64_t klass, uint32_t *ret)
{
	const struct layout_code *c = k->l->code;
	_cleanup_free_ uint8_t *raw = NULL;
	uint64_t array;
	uint32_t n;
	int err = field_read(k->m, klass, c->klass_fieldinfo, &array);

	if (!err)
		err = array_read(k->m, array, c->u1_data, STREAM_MAX, &raw, &n);
	if (err)
		return err;
	struct u5 s = {.data = raw, .len = n};
	uint32_t count = u5_next(&s);
	u5_next(&s); /* how many fields the JVM has added: they come after the Java fields */
	if (count > FIELDS_MAX)
		return -EPROTO;
	for (uint32_t i = 0; i < count; i++) {
		struct finfo f;
		finfo_next(c, &s, &f);
		int eq = s.bad ? -EPROTO : finfo_match(k, &f);
		if (eq < 0)
			return eq;
		if (eq) {
			*ret = f.offset;
			return 0;
		}
	}
	return s.bad ? -EPROTO : -ENOENT;
}

/* Bring in the slots of the constant pool of @klass. */
static int lookup_open(struct lookup *k, uint64_t klass)
{
	const struct layout_code *c = k->l->code;
	uint64_t pool, n;
	int err = field_read(k->m, klass, c->klass_pool, &pool);

	if (!err)
		err = field_read(k->m, pool, c->pool_length, &n);
	if (err)
		return err;
	if (n == 0 || n > POOL_MAX)
		return -EPROTO;
	k->slots = malloc(n * sizeof(uint64_t));
	if (!k->slots)
		return -ENOMEM;
	k->nslots = (uint32_t)n;
	return mem_read(k->m, pool + c->pool_size, k->slots, n * sizeof(uint64_t));
}

/* Fields that @klass itself declares. */
static int declared_offset(struct mem *m, const struct layout *l, uint64_t klass, const char *name,
			   const char *desc, uint32_t *ret)
{
	struct lookup k = {.m = m, .l = l, .name = name, .desc = desc};
	int err = lookup_open(&k, klass);

	if (!err)
		err = field_exists(l->code->klass_fieldinfo) ? stream_search(&k, klass, ret)
							     : fields_search(&k, klass, ret);
	free(k.slots);
	return err;
}

int fieldinfo_offset(struct mem *m, const struct layout *l, uint64_t klass, const char *name,
		     const char *desc, uint32_t *ret)
{
	uint64_t slow = klass;
	uint32_t offset;

	if (l->missing[CAP_STRINGS])
		return -ENOENT;
	for (int depth = 0; klass && depth < SUPERS_MAX; depth++) {
		/* A class that is above itself: seen when a second one, half as fast, is met. */
		if (depth && klass == slow)
			return -EPROTO;
		int err = declared_offset(m, l, klass, name, desc, &offset);
		if (!err && offset > INSTANCE_MAX)
			return -EPROTO;
		if (!err)
			*ret = offset;
		if (err != -ENOENT)
			return err;
		err = field_read(m, klass, l->code->klass_super, &klass);
		if (!err && depth % 2)
			err = field_read(m, slow, l->code->klass_super, &slow);
		if (err)
			return err;
	}
	return klass ? -EPROTO : -ENOENT;
}
