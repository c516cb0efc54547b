// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): records of compile events, and of threads, of any content and size. The
 * map that they keep stays in order, each of its changes is told once, and a thread's name becomes
 * JSON.
 *
 * The input: which JDK, then {kind, nmethod, header bytes copied, how many of them are changed},
 * and {place, value} for each change, again and again.
 */
#include <jansson.h>

#include "fuzz.h"
#include "lib/fake_jvm.h"
#include "runtime/hotspot/codecache.c"
#include "output/decode.h"

#define NMETHODS    6
#define RECORDS_MAX 200

/* No BPF here: what it would have sent is made below. */
int nmethod_bpf_open(pid_t pid, const char *path, const struct nmethod_site *sites, size_t n,
		     uint32_t hdr_len, record_fn *fn, void *arg, struct nmethod_bpf **ret,
		     struct fail *f)
{
	(void)pid, (void)path, (void)sites, (void)n, (void)hdr_len, (void)fn, (void)arg, (void)ret;
	return fail_set(f, -EOPNOTSUPP, "no BPF");
}

void nmethod_bpf_close(struct nmethod_bpf *b)
{
	fuzz_check(!b);
}

int nmethod_bpf_fd(const struct nmethod_bpf *b)
{
	(void)b;
	return -1;
}

int nmethod_bpf_consume(struct nmethod_bpf *b)
{
	(void)b;
	return 0;
}

uint64_t nmethod_bpf_lost(const struct nmethod_bpf *b)
{
	(void)b;
	return 0;
}

struct jvm {
	struct fake_jvm j;
	struct target target;
	uint64_t nmethods[NMETHODS];
};

static int64_t known; /* nmethods in the map, by what was told */

static void on_compiled(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	(void)arg;
	(void)ts_ns;
	fuzz_check(nm->m.begin <= nm->m.entry && nm->m.entry < nm->m.end);
	fuzz_check(nm->m.klass && *nm->m.klass && nm->m.name && nm->m.desc[0] == '(');
	known++;
}

static void on_retired(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	(void)arg;
	(void)ts_ns;
	fuzz_check(nm->state != NMETHOD_IN_USE);
}

static void on_unloaded(void *arg, const struct nmethod *nm, uint64_t ts_ns)
{
	(void)arg;
	(void)nm;
	(void)ts_ns;
	known--;
}

static const struct codecache_ops codecache_ops_told = {
	.compiled = on_compiled,
	.retired = on_retired,
	.unloaded = on_unloaded,
};

static void jvm_make(struct jvm *v, int jdk)
{
	struct fake_jvm *j = &v->j;
	struct fake_nm nm = {.code_len = 100};
	uint64_t k;

	fake_jvm_init(j, jdk);
	k = fake_klass(j, "com/shop/Cart", j->object_klass, NULL, 0);
	for (uint32_t i = 0; i < NMETHODS; i++) {
		nm.method = fake_method(j, k, i & 1 ? "add" : "remove", "(IJ)V", 1);
		nm.level = (int)(i % 5);
		nm.id = i + 1;
		v->nmethods[i] = fake_nmethod(j, &j->heaps[0], &nm);
	}
	fuzz_check(!fake_jvm_read(j, &v->target.vs, &v->target.layout));
	v->target.mem = &j->t.mem;
}

static struct codecache *codecache_make(struct target *t, struct loop *loop)
{
	struct codecache *f = calloc(1, sizeof(*f));

	fuzz_check(f != NULL);
	*f = (struct codecache){.t = t, .loop = loop, .ops = &codecache_ops_told, .live = true};
	f->map = symmap_new();
	f->names = name_cache_new(symmap_strings(f->map));
	f->retiring = calloc(RETIRING_MAX, sizeof(*f->retiring));
	f->retire_timer = loop_timer(loop, 0, on_retire_timer, f);
	f->rescan_timer = loop_timer(loop, 0, on_rescan, f);
	fuzz_check(f->names && f->retiring && f->retire_timer && f->rescan_timer);
	return f;
}

static void check_map(struct codecache *f)
{
	fuzz_check((int64_t)symmap_count(f->map) == known);
	for (size_t i = 1; i < symmap_count(f->map); i++)
		fuzz_check(symmap_at(f->map, i - 1)->addr < symmap_at(f->map, i)->addr);
}

static void compile_event(struct fuzz_input *in, struct jvm *v, struct codecache *f)
{
	uint8_t kind = (uint8_t)fuzz_number(in, 1), which = (uint8_t)fuzz_number(in, 1);
	uint16_t len = (uint16_t)fuzz_number(in, 2);
	uint8_t changes = (uint8_t)fuzz_number(in, 1) % 16;
	struct hp_nmethod r = {.h = {.kind = HP_REGISTER + kind % 5}, .hdr_len = len};
	size_t size = kind & 0x80 ? len % (sizeof(r) + 1) : sizeof(r);
	_cleanup_free_ void *copy = NULL;

	r.h.size = (uint32_t)size;
	r.h.ts_ns = kind & 0x40 ? 0 : clock_ns();
	r.addr = v->nmethods[which % NMETHODS] + (which & 0x80 ? which : 0);
	if (!(kind & 0x20))
		r.hdr_len = FK_NMETHOD_SIZE;
	mem_read(&v->j.t.mem, v->nmethods[which % NMETHODS], r.hdr, FK_NMETHOD_SIZE);
	for (uint8_t i = 0; i < changes; i++) {
		uint8_t place = (uint8_t)fuzz_number(in, 1);

		r.hdr[place % FK_NMETHOD_SIZE] = (uint8_t)fuzz_number(in, 1);
	}
	/* On the heap and of the exact size, so that a sanitizer sees one byte too many. */
	copy = malloc(MAX(size, (size_t)1));
	memcpy(copy, &r, size);
	fuzz_check(size < sizeof(r.h) || !on_record(f, copy, size));
	check_map(f);
}

static void thread_event(struct fuzz_input *in, struct decode *d)
{
	struct hp_thread t = {.h = {.kind = HP_THREAD}};
	size_t len = fuzz_number(in, 1), size = MIN(sizeof(t.h) + len, sizeof(t));
	_cleanup_free_ void *copy = malloc(size);
	const struct name_entry *name;
	_cleanup_free_ char *object = NULL;
	json_t *text;

	fuzz_take(in, (uint8_t *)&t + sizeof(t.h), size - sizeof(t.h));
	t.status %= 2;
	t.coder = t.coder % 3 == 2 ? HP_CODER_NONE : t.coder % 3;
	memcpy(copy, &t, size);
	decode_thread(d, copy, size);
	name = size == sizeof(t) ? names_get(&d->threads, t.java_tid ? t.java_tid : t.tid) : NULL;
	if (!name || !name->text)
		return;
	fuzz_check(asprintf(&object, "{\"thread\":%s}", name->text) > 0);
	text = json_loads(object, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	fuzz_check(json_is_string(json_object_get(text, "thread")));
	json_decref(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const int jdks[] = {17, 21, 25};
	static struct jvm jvms[ARRAY_SIZE(jdks)];
	struct fuzz_input in = {data, len};
	size_t jdk = fuzz_number(&in, 1) % ARRAY_SIZE(jdks);
	struct encoder *e = encoder_new("json", &(struct encoder_options){0}, NULL);
	struct decode d = {.encoder = e};
	struct loop *loop = loop_new();
	struct codecache *f;

	if (!jvms[0].target.vs)
		for (size_t i = 0; i < ARRAY_SIZE(jdks); i++)
			jvm_make(&jvms[i], jdks[i]);
	f = codecache_make(&jvms[jdk].target, loop);
	known = 0;
	for (size_t i = 0; i < RECORDS_MAX && in.len; i++) {
		if (fuzz_number(&in, 1) % 4)
			compile_event(&in, &jvms[jdk], f);
		else
			thread_event(&in, &d);
	}
	on_retire_timer(f, 0);
	on_rescan(f, 0);
	check_map(f);
	codecache_close(f);
	loop_free(loop);
	decode_fini(&d);
	encoder_free(e);
	return 0;
}
