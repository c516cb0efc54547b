// SPDX-License-Identifier: MIT
/* image_map.c - the methods of a native image. See image_map.h. */
#include "base/budget.h"
#include "runtime/image/image_map.h"
#include "symmap/elfsyms.h"
#include "runtime/image/image_code.h"
#include "runtime/image/image_names.h"
#include "runtime/image/image_syms.h"

const char *image_names_text(enum image_names names)
{
	static const char *const texts[NAMES_COUNT] = {
		[NAMES_NONE] = "nothing",
		[NAMES_CODE_INFO] = "code info",
		[NAMES_SYMTAB] = "symbol table",
		[NAMES_EXPORTS] = "exports",
	};

	return texts[names];
}

void image_map_fini(struct image_map *m)
{
	if (!m)
		return;
	free(m->methods);
	free(m->text);
	*m = (struct image_map){0};
}

/* --- from the tables -------------------------------------------------------------------------- */

/* Classes and names are used many times: each is read once. */
struct once {
	const struct image_heap *heap;
	struct image_pool *pool;
	uint64_t array;
	uint32_t *offs; /* UINT32_MAX: not read yet */
	uint32_t n;
	bool classes;
};

static int once_init(struct once *o, uint64_t array, uint32_t n)
{
	o->array = array;
	o->n = n;
	o->offs = malloc(MAX(n, 1) * sizeof(*o->offs));
	if (!o->offs)
		return -ENOMEM;
	memset(o->offs, 0xff, n * sizeof(*o->offs));
	return 0;
}

static int once_get(struct once *o, uint32_t i, uint32_t *ret)
{
	char buf[IMAGE_NAME_MAX];
	uint64_t obj;
	int err = 0;

	if (o->offs[i] == UINT32_MAX) {
		obj = image_heap_ref(o->heap, o->array + (uint64_t)i * o->heap->layout->ref_size);
		if ((o->classes ? image_heap_class(o->heap, obj, buf, sizeof(buf))
				: image_heap_string(o->heap, obj, buf, sizeof(buf))) < 0)
			return -EPROTO;
		err = image_pool_add(o->pool, buf, &o->offs[i]);
	}
	*ret = o->offs[i];
	return err;
}

/* The names of @starts into @m->methods. A class or name that is not there is a wrong layout. */
static int name_all(struct once *classes, struct once *names, const struct image_info *info,
		    const struct code_start *starts, size_t n, struct image_map *m)
{
	for (size_t i = 0; i < n; i++) {
		struct image_method *to = &m->methods[m->n];
		int err = budget_spend();

		if (err)
			return err;
		if (starts[i].klass == CODE_NO_NAME)
			continue;
		*to = (struct image_method){
			.entry = info->code_start + starts[i].ip,
			.end = info->code_start + (i + 1 < n ? starts[i + 1].ip : info->code_size),
			.flags = starts[i].c_entry ? METHOD_C_ENTRY : 0,
		};
		err = once_get(classes, starts[i].klass, &to->klass);
		if (!err)
			err = once_get(names, starts[i].name, &to->name);
		if (err)
			return err == -EPROTO ? -EOPNOTSUPP : err;
		m->n++;
	}
	m->starts = (uint32_t)n;
	m->names = NAMES_CODE_INFO;
	return 0;
}

static int read_info(const struct elffile *f, const struct image_heap *h, uint64_t exported,
		     struct image_pool *pool, struct image_map *m)
{
	struct once classes = {.heap = h, .pool = pool, .classes = true};
	struct once names = {.heap = h, .pool = pool};
	_cleanup_free_ struct code_start *starts = NULL;
	struct image_info info;
	size_t n;
	int err = image_info_find(f, h, exported, &info);

	if (!err)
		err = image_code_read(&info, &starts, &n);
	if (err)
		return err;
	m->methods = calloc(n, sizeof(*m->methods));
	if (!m->methods)
		return -ENOMEM;
	err = once_init(&classes, info.classes, info.nclasses);
	if (!err)
		err = once_init(&names, info.names, info.nnames);
	if (!err)
		err = name_all(&classes, &names, &info, starts, n, m);
	free(classes.offs);
	free(names.offs);
	return err;
}

/* -EOPNOTSUPP, -ENOENT: there is nothing we understand, which is no reason not to look elsewhere.
 */
static int read_code_info(int fd, struct elfsyms *syms, struct image_pool *pool,
			  struct image_map *m)
{
	_cleanup_image_heap_ struct image_heap h = {0};
	_cleanup_elffile_ struct elffile f = {0};
	uint64_t exported = 0;
	int err = elffile_open_any(fd, &f);

	if (err)
		return err;
	if (syms && elfsyms_value(syms, "__svm_code_section", &exported))
		exported = 0;
	err = image_heap_open(&f, &h);
	if (!err)
		err = read_info(&f, &h, exported, pool, m);
	if (err) {
		free(m->methods);
		*m = (struct image_map){0};
		pool->len = 0;
	}
	return err;
}

/* --- overloads -------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct image_map *m = arg;
	const struct image_method *x = &m->methods[*(const uint32_t *)a];
	const struct image_method *y = &m->methods[*(const uint32_t *)b];
	int c = x->klass == y->klass ? 0 : strcmp(image_text(m, x->klass), image_text(m, y->klass));

	if (!c && x->name != y->name)
		c = strcmp(image_text(m, x->name), image_text(m, y->name));
	return c;
}

static int count_overloads(struct image_map *m)
{
	_cleanup_free_ uint32_t *order = malloc(MAX(m->n, 1) * sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->n; i++)
		order[i] = i;
	qsort_r(order, m->n, sizeof(*order), compare_names, m);
	for (uint32_t i = 0, j; i < m->n; i = j) {
		for (j = i + 1; j < m->n && !compare_names(&order[i], &order[j], m);)
			j++;
		for (uint32_t k = i; k < j; k++)
			m->methods[order[k]].overloads = j - i;
	}
	return 0;
}

/* --- all -------------------------------------------------------------------------------------- */

/* A file for another machine has no symbols for us, but its tables can be read. */
static int open_syms(int fd, struct elfsyms **ret)
{
	int err = elfsyms_open(fd, ret);

	if (err == -EOPNOTSUPP) {
		*ret = NULL;
		return 0;
	}
	return err;
}

int image_map_read(int fd, struct image_map *ret)
{
	struct image_pool pool = {0};
	_cleanup_elfsyms_ struct elfsyms *syms = NULL;
	_cleanup_image_map_ struct image_map m = {0};
	int err = open_syms(fd, &syms);

	if (!err)
		err = read_code_info(fd, syms, &pool, &m);
	if (!err || err == -ENOENT || err == -EOPNOTSUPP)
		err = syms ? image_syms_add(syms, &pool, &m) : err;
	m.text = pool.text;
	m.text_len = pool.len;
	if (!err && !m.n)
		err = -ENOENT;
	if (!err)
		err = count_overloads(&m);
	if (!err) {
		*ret = m;
		m = (struct image_map){0};
	}
	return err;
}

const struct image_method *image_map_at(const struct image_map *m, uint64_t vaddr)
{
	uint32_t lo = 0, hi = m->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->methods[mid].entry <= vaddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && vaddr < m->methods[lo - 1].end ? &m->methods[lo - 1] : NULL;
}
