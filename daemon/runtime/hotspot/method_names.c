// SPDX-License-Identifier: MIT
/*
 * method_names.c - from Method* to class, name and descriptor.
 *
 *   Method -> ConstMethod -> ConstantPool -> slots of name and descriptor -> Symbol
 *                                         -> holder (a Klass) -> name      -> Symbol
 *
 * The whole path is walked anew each time. Keeping names by Method* would be wrong now and then:
 * when classes are unloaded or redefined HotSpot hands their metadata to new ones, and classes of a
 * kind (lambdas, say) then get Method, ConstMethod and ConstantPool at the very addresses of their
 * predecessors. What is kept is the text, once for each distinct name: in the string pool. Where
 * many methods are named at once, the caller passes a reader that keeps pages (mem_open_paged()):
 * they are neighbours in the target's memory, so most of the path costs no system call.
 *
 * Source: OpenJDK share/oops/{method,constMethod,constantPool,klass,symbol}.hpp.
 */
#include "symmap/jtype.h"
#include "runtime/hotspot/klass.h"
#include "runtime/hotspot/method_names.h"
#include "runtime/hotspot/symbol.h"

/* JVMS 4.6. The bits above these are HotSpot's own, where there are any. */
#define ACC_WRITTEN 0x7fff

/* Names of a hundred thousand methods take ten. A target that has more makes them up. */
#define NAMES_BYTES_MAX (256u << 20)

struct name_cache {
	struct strpool *strings;
	char text[SYMBOL_MAX + 1];
	char external[SYMBOL_MAX + 1]; /* of a class: never longer than its Symbol, arrays aside */
};

struct name_cache *name_cache_new(struct strpool *strings)
{
	struct name_cache *c = malloc(sizeof(*c));

	if (c)
		c->strings = strings;
	return c;
}

void name_cache_free(struct name_cache *c)
{
	free(c);
}

static int intern(struct name_cache *c, const char *text, size_t len, const char **ret)
{
	if (strpool_bytes(c->strings) > NAMES_BYTES_MAX)
		return -ENOMEM;
	*ret = strpool_add(c->strings, text, len);
	return *ret ? 0 : -ENOMEM;
}

/* The text in slot @index of the constant pool at @pool. */
static int slot_text(struct mem *m, const struct layout *l, struct name_cache *c, uint64_t pool,
		     uint64_t index, const char **ret)
{
	uint64_t symbol;
	int err = mem_read_u64(m, pool + l->code->pool_size + 8 * index, &symbol);

	if (err)
		return err;
	int len = symbol_read(m, l, symbol, c->text);
	return len < 0 ? len : intern(c, c->text, (size_t)len, ret);
}

/* The name of the class that owns the constant pool. */
static int holder_name(struct mem *m, const struct layout *l, struct name_cache *c, uint64_t klass,
		       const char **ret)
{
	uint64_t symbol;
	int err = field_read(m, klass, l->code->klass_name, &symbol);

	if (err)
		return err;
	int len = symbol_read(m, l, symbol, c->text);
	if (len < 0)
		return len;
	int hidden = klass_is_hidden(m, l, klass, c->text, (size_t)len);
	if (hidden < 0)
		return hidden;
	size_t n =
		klass_external_name(c->text, (size_t)len, hidden, c->external, sizeof(c->external));
	if (n == 0 || n >= sizeof(c->external))
		return -EPROTO;
	return intern(c, c->external, n, ret);
}

/* ConstMethod and ConstantPool are read in one piece each, up to the last field that is wanted. */
static int method_pool(struct mem *m, const struct layout *l, uint64_t method, uint64_t *pool,
		       uint64_t *holder, uint64_t *name, uint64_t *desc)
{
	const struct layout_code *c = l->code;
	uint8_t raw[NAMES_SPAN_MAX];
	uint64_t const_method;
	int err = field_read(m, method, c->method_const, &const_method);

	if (!err)
		err = mem_read(m, const_method, raw, c->const_span);
	if (err)
		return err;
	*pool = field_get(raw, c->const_pool);
	*name = field_get(raw, c->const_name);
	*desc = field_get(raw, c->const_desc);
	err = mem_read(m, *pool, raw, c->pool_span);
	if (err)
		return err;
	*holder = field_get(raw, c->pool_holder);
	uint64_t length = field_get(raw, c->pool_length);
	return *name && *name < length && *desc && *desc < length ? 0 : -EPROTO;
}

int nmethod_names(struct mem *m, const struct layout *l, struct name_cache *c, struct nmethod *nm)
{
	uint64_t pool, holder, name_index, desc_index;
	const char *klass, *name, *desc;
	struct jsignature sig;

	if (l->missing[CAP_NAMES])
		return -EPROTO;
	int err = method_pool(m, l, nm->method_addr, &pool, &holder, &name_index, &desc_index);
	if (!err)
		err = holder_name(m, l, c, holder, &klass);
	if (!err)
		err = slot_text(m, l, c, pool, name_index, &name);
	if (!err)
		err = slot_text(m, l, c, pool, desc_index, &desc);
	if (!err)
		err = jsignature_parse(desc, &sig);
	if (err)
		return err;
	nm->holder = holder;
	nm->m.klass = klass;
	nm->m.name = name;
	nm->m.desc = desc;
	return 0;
}

int method_flags(struct mem *m, const struct layout *l, uint64_t method, uint32_t *ret)
{
	uint64_t flags;

	if (l->missing[CAP_NAMES])
		return -EFAULT;
	int err = field_read(m, method, l->code->method_flags, &flags);
	if (!err)
		*ret = (uint32_t)flags & ACC_WRITTEN;
	return err;
}
