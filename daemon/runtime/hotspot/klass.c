// SPDX-License-Identifier: MIT
/*
 * klass.c - classes, from the word in an object's header to a name for people.
 *
 * A class word is whatever was in memory at a hit: nothing says that it names a class. So a Klass*
 * is believed only when the structure there agrees: every Klass stands in its own list of supers,
 * at the place that it names itself, unless it is an interface or deeper than eight classes.
 */
#include <ctype.h>

#include "runtime/hotspot/klass.h"

#include "runtime/hotspot/symbol.h"

/* Klass::_primary_super_limit: share/oops/klass.hpp, 8 in every version. */
#define PRIMARY_SUPERS 8

/* x86-64 Linux: user space ends here, with five levels of page tables. */
#define USER_MAX (1ULL << 56)

/* markWord::marked_value, the low two bits of a mark that holds a forwarding address. */
#define MARK_BITS      3
#define MARK_FORWARDED 3

/* Of Klass::_access_flags, up to JDK 23. */
#define ACC_HIDDEN 0x04000000

/* JVMS 4.3.2: an array has at most 255 dimensions. */
#define DIMENSIONS_MAX 255

static uint64_t klass_from_narrow(const struct layout *l, uint64_t narrow)
{
	uint64_t klass;

	if (narrow == 0)
		return 0;
	if (add_overflows(l->narrow_klass_base, narrow << l->narrow_klass_shift, &klass))
		return 0;
	return klass;
}

uint64_t klass_from_word(const struct layout *l, uint64_t word)
{
	uint64_t klass = 0;

	switch (l->klass_word) {
	case KLASS_WIDE:
		klass = word;
		break;
	case KLASS_NARROW:
		klass = klass_from_narrow(l, word & UINT32_MAX);
		break;
	case KLASS_IN_MARK:
		/* Shenandoah: the object has moved, and its mark says where to. */
		if ((word & MARK_BITS) != MARK_FORWARDED)
			klass = klass_from_narrow(l, word >> l->klass_mark_shift);
		break;
	}
	/* A Klass is an object of C++ with a virtual table: aligned to 8. */
	return klass % 8 || klass >= USER_MAX ? 0 : klass;
}

/* A text being built into a buffer that may be too small: counts on, writes what fits. */
struct out {
	char *buf;
	size_t size, len;
};

static void out_char(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void out_end(struct out *o)
{
	if (o->size)
		o->buf[MIN(o->len, o->size - 1)] = 0;
}

static const char *primitive_name(char tag)
{
	switch (tag) {
	case 'Z':
		return "boolean";
	case 'B':
		return "byte";
	case 'C':
		return "char";
	case 'S':
		return "short";
	case 'I':
		return "int";
	case 'J':
		return "long";
	case 'F':
		return "float";
	case 'D':
		return "double";
	default:
		return NULL;
	}
}

static void out_class(struct out *o, const char *name, size_t len, bool hidden)
{
	const char *plus = hidden ? memrchr(name, '+', len) : NULL;

	for (const char *c = name; c < name + len; c++)
		out_char(o, c == plus ? '/' : *c == '/' ? '.' : *c);
}

size_t klass_external_name(const char *internal, size_t len, bool hidden, char *buf, size_t size)
{
	struct out o = {.buf = buf, .size = size};
	size_t dims = 0;

	while (dims < len && internal[dims] == '[')
		dims++;
	const char *elem = internal + dims, *word = NULL;
	size_t n = len - dims;
	if (dims == 0) {
		out_class(&o, elem, n, hidden);
	} else if (n >= 3 && elem[0] == 'L' && elem[n - 1] == ';') {
		out_class(&o, elem + 1, n - 2, hidden);
	} else if (n == 1 && (word = primitive_name(elem[0])) != NULL) {
		while (*word)
			out_char(&o, *word++);
	} else {
		out_end(&o);
		return 0;
	}
	for (size_t i = 0; i < dims && dims <= DIMENSIONS_MAX; i++) {
		out_char(&o, '[');
		out_char(&o, ']');
	}
	out_end(&o);
	return dims > DIMENSIONS_MAX ? 0 : o.len;
}

/* --- hidden classes --------------------------------------------------------------------------- */

/*
 * A hidden class is "Shop$$Lambda+0x000078f2a4003000" inside the JVM: the number is the address of
 * its InstanceKlass, in 16 digits; that of the moment of dumping if it comes from a dynamic CDS
 * archive, or a small number in fewer digits from a static one. Return: whether @name ends like
 * that, and the number.
 * Source: ClassFileParser::mangle_hidden_class_name(), share/classfile/classFileParser.cpp.
 */
static bool hidden_number(const char *name, size_t len, uint64_t *ret)
{
	size_t digits = 0;

	while (digits < len && isxdigit((unsigned char)name[len - 1 - digits]))
		digits++;
	if (digits == 0 || digits > 16 || digits + strlen("+0x") >= len ||
	    memcmp(name + len - digits - strlen("+0x"), "+0x", strlen("+0x")) != 0)
		return false;

	char text[17] = "";

	memcpy(text, name + len - digits, digits);
	*ret = strtoull(text, NULL, 16);
	return true;
}

/*
 * Of one whose number is not its address. Up to JDK 23 its access flags tell
 * (JVM_ACC_IS_HIDDEN_CLASS, share/utilities/accessFlags.hpp). From 24 on the tables do not say
 * where that stands (KlassFlags, share/oops/klassFlags.hpp): then it is one of an archive.
 */
static int hidden_elsewhere(struct mem *m, const struct layout *l, uint64_t klass)
{
	const struct layout_code *c = l->code;
	uint64_t flags, base, top;
	int err;

	if (l->jdk < 24 && field_exists(c->klass_flags)) {
		err = field_read(m, klass, c->klass_flags, &flags);
		return err ? err : (flags & ACC_HIDDEN) != 0;
	}
	if (!c->shared_base || !c->shared_top)
		return 0;
	err = mem_read_u64(m, c->shared_base, &base);
	if (!err)
		err = mem_read_u64(m, c->shared_top, &top);
	return err ? err : klass >= base && klass < top;
}

int klass_is_hidden(struct mem *m, const struct layout *l, uint64_t klass, const char *internal,
		    size_t len)
{
	bool array = len && internal[0] == '[';
	uint64_t number;
	int err;

	if (array && internal[len - 1] == ';')
		len--;
	if (!hidden_number(internal, len, &number))
		return 0;
	if (array && !field_exists(l->code->klass_bottom))
		return 0;
	err = array ? field_read(m, klass, l->code->klass_bottom, &klass) : 0;
	if (err)
		return err;
	return number == klass ? 1 : hidden_elsewhere(m, l, klass);
}

/* --- names ------------------------------------------------------------------------------------ */

/* Does the structure at @klass say of itself that it is a class? 0; -EPROTO; -EFAULT; -ESRCH. */
static int klass_check(struct mem *m, const struct layout *l, uint64_t klass)
{
	const struct layout_code *c = l->code;
	uint64_t off, self;

	if (!field_exists(c->klass_check_offset) || !field_exists(c->klass_primary) ||
	    !field_exists(c->klass_secondary))
		return 0;
	int err = field_read(m, klass, c->klass_check_offset, &off);
	if (err)
		return err;
	if (off == c->klass_secondary.off)
		return 0;
	if (off % 8 ||
	    !range_inside(off, 8, c->klass_primary.off, c->klass_primary.off + 8 * PRIMARY_SUPERS))
		return -EPROTO;
	err = mem_read_u64(m, klass + off, &self);
	return err ? err : self == klass ? 0 : -EPROTO;
}

/* Names of classes hold neither: JVMS 4.2.1; but arrays are descriptors. */
static bool klass_text_ok(const char *text, size_t len)
{
	return text[0] == '[' || (!memchr(text, ';', len) && !memchr(text, '[', len));
}

int klass_name(struct mem *m, const struct layout *l, uint64_t klass, struct strpool *strings,
	       const char **ret)
{
	uint64_t symbol;

	if (l->missing[CAP_NAMES] || klass == 0 || klass % 8)
		return -EPROTO;
	int err = klass_check(m, l, klass);
	if (!err)
		err = field_read(m, klass, l->code->klass_name, &symbol);
	if (err)
		return err;
	_cleanup_free_ char *internal = malloc(SYMBOL_MAX + 1);
	if (!internal)
		return -ENOMEM;
	int len = symbol_read(m, l, symbol, internal);
	if (len < 0)
		return len;
	if (!klass_text_ok(internal, (size_t)len))
		return -EPROTO;
	int hidden = klass_is_hidden(m, l, klass, internal, (size_t)len);
	if (hidden < 0)
		return hidden;
	size_t need = klass_external_name(internal, (size_t)len, hidden, NULL, 0);
	if (need == 0)
		return -EPROTO;
	_cleanup_free_ char *name = malloc(need + 1);
	if (!name)
		return -ENOMEM;
	klass_external_name(internal, (size_t)len, hidden, name, need + 1);
	*ret = strpool_add(strings, name, need);
	return *ret ? 0 : -ENOMEM;
}
