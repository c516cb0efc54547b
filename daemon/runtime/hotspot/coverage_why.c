// SPDX-License-Identifier: MIT
/*
 * coverage_why.c - from a method's state to what is seen of its calls, and why. See coverage.h.
 *
 * A reason is only given for what the JVM has said. Where it says nothing, that is said.
 */
#include <stdarg.h>

#include "runtime/hotspot/coverage_why.h"
#include "symmap/jtype.h"

/* HugeMethodLimit, which product builds cannot change: share/runtime/globals.hpp. */
#define HUGE_METHOD 8000

/* Texts of names may be 64 KiB: what is shown of one. */
#define NAME_SHOWN 160

void coverage_title(const struct method *m, char *buf, size_t size)
{
	struct jsignature sig;
	size_t need;

	if (jsignature_parse(m->desc, &sig))
		need = (size_t)snprintf(buf, size, "%s.%s", m->klass, m->name);
	else
		need = jsignature_name(&sig, m->klass, m->name, buf, size);
	if (need >= size)
		memcpy(buf + size - sizeof("..."), "...", sizeof("..."));
}

void coverage_reason_say(struct coverage_reason *r, enum coverage_state state, const char *fmt, ...)
{
	va_list ap;

	r->state = state;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

#define say coverage_reason_say

_printf_(2, 3) static void add(struct coverage_reason *r, const char *fmt, ...)
{
	size_t len = strlen(r->why), left = sizeof(r->why) - len;
	va_list ap;
	int need;

	va_start(ap, fmt);
	need = vsnprintf(r->why + len, left, fmt, ap);
	va_end(ap);
	if (need >= (int)left)
		strcpy(r->why + sizeof(r->why) - sizeof("..."), "...");
}

/* "com.shop.Till.run (level 4) and 3 more" */
static void add_holders(const struct coverage_look *k, const struct coverage_found *f,
			struct coverage_reason *r)
{
	size_t n;
	const struct inlined_copy *copies = inlined_of(&k->inlined, f->st.method, &n);

	for (size_t i = 0; i < MIN(n, (size_t)COVERAGE_HOLDERS_MAX); i++) {
		const struct nmethod *h = copies[i].holder;

		add(r, "%s%.*s.%.*s (level %d)", i ? ", " : "", NAME_SHOWN, h->m.klass, NAME_SHOWN,
		    h->m.name, h->level);
	}
	if (n > COVERAGE_HOLDERS_MAX)
		add(r, " and %zu more", n - COVERAGE_HOLDERS_MAX);
}

static size_t holders(const struct coverage_look *k, const struct coverage_found *f)
{
	size_t n;

	inlined_of(&k->inlined, f->st.method, &n);
	return n;
}

/* Has every body in use told what it holds? Then a method without copies is inlined nowhere. */
static bool all_told(const struct coverage_look *k)
{
	return k->inlined.all && !k->inlined.silent;
}

/* May compiled code hold copies that nothing tells of? By what C2 inlines. */
static bool maybe_inlined(const struct coverage_look *k, const struct coverage_found *f)
{
	int64_t max = k->t->layout.compiler.inline_hot;

	return !all_told(k) && !(f->st.access & (METHOD_ABSTRACT | METHOD_NATIVE)) &&
	       (max < 0 || f->st.code_size <= max);
}

static void add_maybe_inlined(const struct coverage_look *k, const struct coverage_found *f,
			      struct coverage_reason *r)
{
	const struct layout_compiler *c = &k->t->layout.compiler;
	bool small = f->st.code_size <= c->inline_size;

	add(r, "with %u bytes of bytecode it %s inlined into compiled callers%s", f->st.code_size,
	    small ? "is usually" : "may be", small ? "" : " where it is hot");
	if (k->inlined.all)
		add(r,
		    ", and %zu of %zu compiled bodies do not say what they hold (JDK %d notes it "
		    "only while hotprobe's agent is loaded: --via agent)",
		    k->inlined.silent, k->inlined.bodies, k->t->layout.jdk);
	else if (k->inlined.bodies)
		add(r, ", and there was only time to look into %zu compiled bodies for that",
		    k->inlined.bodies);
	else
		add(r, ", and this JVM does not tell where, or there was no time to look");
}

static void add_dontinline(const struct coverage_found *f, struct coverage_reason *r)
{
	add(r,
	    "; to see these, probe the callers, or start the JVM with "
	    "-XX:CompileCommand=dontinline,%.*s::%.*s",
	    NAME_SHOWN, f->m.klass, NAME_SHOWN, f->m.name);
}

/* --- it is compiled --------------------------------------------------------------------------- */

static void add_levels(const struct coverage_found *f, struct coverage_reason *r)
{
	const char *sep = "";

	add(r, "compiled (level ");
	for (int i = 0; i < 8; i++) {
		if (!(f->levels & 1u << i))
			continue;
		add(r, "%s%d", sep, i);
		sep = ", ";
	}
	add(r, ")");
}

static void why_compiled(const struct coverage_look *k, const struct coverage_found *f,
			 struct coverage_reason *r)
{
	say(r, COVERAGE_PARTLY, "%s", "");
	add_levels(f, r);
	if (f->st.intrinsic) {
		add(r,
		    ": calls of that are seen, but it is an intrinsic: compiled callers may run the "
		    "compiler's own code in its place, which is not");
	} else if (holders(k, f)) {
		add(r, ": calls of that are seen, but not those inlined into ");
		add_holders(k, f, r);
		add_dontinline(f, r);
	} else if (maybe_inlined(k, f)) {
		add(r, ": calls of that are seen, but ");
		add_maybe_inlined(k, f, r);
	} else {
		r->state = COVERAGE_SEEN;
		add(r, all_told(k) ? ", and inlined nowhere" : ", and too large to be inlined");
	}
}

static void why_native(const struct coverage_found *f, struct coverage_reason *r)
{
	if (f->st.intrinsic && f->levels)
		say(r, COVERAGE_PARTLY,
		    "native, and its wrapper is seen, but it is an intrinsic: compiled callers may run "
		    "the compiler's own code in its place, which is not");
	else if (f->st.intrinsic)
		say(r, COVERAGE_NOT_THIS_WAY,
		    "native and an intrinsic: compiled callers may run the compiler's own code in its "
		    "place; for other calls there is no compiled wrapper yet");
	else if (f->levels)
		say(r, COVERAGE_SEEN, "native: every call passes its wrapper");
	else
		say(r, COVERAGE_NOT_YET,
		    "native, without a compiled wrapper yet: waiting for the JVM to make one");
}

/* --- it is not -------------------------------------------------------------------------------- */

/* Is there no compiler that may have it? */
static bool is_excluded(const struct layout_compiler *c, const struct method_state *s)
{
	bool no_c1 = s->not_c1 || !c->tiered, no_c2 = s->not_c2 || c->stop_at_level < 4;

	return no_c1 && no_c2;
}

/* What keeps it from ever being compiled. */
static bool why_never(const struct coverage_look *k, const struct coverage_found *f,
		      struct coverage_reason *r)
{
	const struct layout_compiler *c = &k->t->layout.compiler;
	const struct method_state *s = &f->st;

	if (s->access & METHOD_ABSTRACT)
		say(r, COVERAGE_NEVER,
		    "abstract: it has no code; name it in the classes that implement it, or use "
		    "'**.%.*s'",
		    NAME_SHOWN, f->m.name);
	else if (f->class_state == CLASS_FAILED &&
		 (s->access & METHOD_STATIC || !strcmp(f->m.name, "<init>")))
		say(r, COVERAGE_NEVER,
		    "the initializer of its class has failed: nothing can call it");
	else if (!strcmp(f->m.name, "<clinit>") && c->interprets)
		say(r, COVERAGE_NEVER, "a class initializer runs once, in the interpreter%s",
		    f->class_state == CLASS_INITIALIZED ? ", and has run" : "");
	else if (!c->on || !c->stop_at_level)
		say(r, COVERAGE_NEVER,
		    "this JVM compiles nothing (-Xint, or its code cache is full), and calls in the "
		    "interpreter are not seen");
	else if (!(s->access & METHOD_NATIVE) && c->not_huge && s->code_size > HUGE_METHOD)
		say(r, COVERAGE_NEVER,
		    "its %u bytes of bytecode are more than HotSpot compiles (%d): start the JVM with "
		    "-XX:-DontCompileHugeMethods",
		    s->code_size, HUGE_METHOD);
	else if (is_excluded(c, s))
		say(r, COVERAGE_NEVER,
		    "excluded from compilation (by a CompileCommand, say), so its calls stay in the "
		    "interpreter");
	else
		return false;
	return true;
}

static void why_interpreted(const struct coverage_look *k, const struct coverage_found *f,
			    struct coverage_reason *r)
{
	const struct layout_compiler *c = &k->t->layout.compiler;
	const struct method_state *s = &f->st;

	if (f->class_state < CLASS_LINKED)
		say(r, COVERAGE_NOT_YET, "its class is loaded, but nothing of it has run yet");
	else if (f->class_state == CLASS_FAILED)
		say(r, COVERAGE_NOT_YET,
		    "the initializer of its class has failed, so only objects that were made before "
		    "have it");
	else if (f->osr)
		say(r, COVERAGE_NOT_YET,
		    "only a loop of it is compiled (on-stack replacement), which no call enters: its "
		    "calls are interpreted");
	else if (s->calls_known && !s->calls)
		say(r, COVERAGE_NOT_YET, "no call of it has been counted yet");
	else if (!s->calls_known)
		say(r, COVERAGE_NOT_YET, "interpreted so far");
	else
		say(r, COVERAGE_NOT_YET, "interpreted so far (at least %llu %s)",
		    (unsigned long long)s->calls, s->calls == 1 ? "call" : "calls");
	if (c->tiered && c->calls > 0)
		add(r, ": waiting for it to be compiled, which takes about %lld calls",
		    (long long)c->calls);
	else
		add(r, ": waiting for it to be compiled");
}

static void why_not_compiled(const struct coverage_look *k, const struct coverage_found *f,
			     struct coverage_reason *r)
{
	if (holders(k, f)) {
		say(r, COVERAGE_NOT_THIS_WAY, "inlined into ");
		add_holders(k, f, r);
		add(r, ", with no compiled body of its own");
		add_dontinline(f, r);
	} else if (f->st.intrinsic) {
		say(r, COVERAGE_NOT_THIS_WAY,
		    "an intrinsic: compiled callers may run the compiler's own code in its place; "
		    "other calls are interpreted so far");
	} else {
		why_interpreted(k, f, r);
		if ((f->st.calls_known && !f->st.calls) || !maybe_inlined(k, f))
			return;
		add(r, "; ");
		add_maybe_inlined(k, f, r);
	}
}

void coverage_why(const struct coverage_look *k, const struct coverage_found *f,
		  struct coverage_reason *ret)
{
	ret->mean[0] = '\0';
	if (f->st.access & METHOD_NATIVE && (f->levels || !why_never(k, f, ret)))
		why_native(f, ret);
	else if (f->st.access & METHOD_NATIVE)
		return;
	else if (f->levels)
		why_compiled(k, f, ret);
	else if (!why_never(k, f, ret))
		why_not_compiled(k, f, ret);
}
