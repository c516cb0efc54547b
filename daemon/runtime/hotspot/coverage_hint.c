// SPDX-License-Identifier: MIT
/*
 * coverage_hint.c - why a SPEC means no method of any class: is it early, or is it wrong? See
 * coverage.h.
 *
 * All classes are looked at once more, for those that are written almost as the SPEC's, or stand in
 * another package. Where the class is there, its own methods tell, and those that it inherits.
 */
#include <stdarg.h>

#include "base/budget.h"
#include "probe/guess.h"
#include "runtime/hotspot/coverage_hint.h"
#include "runtime/hotspot/klass.h"
#include "runtime/hotspot/layout_code.h"

#define SUPERS_MAX     128
#define INTERFACES_MAX 512
#define SHOWN_MAX      4 /* of a list of methods or classes */
#define NAME_SHOWN     200

/* To hold a name against another costs as much as to read so many bytes. */
#define OFFER_BYTES 1024

struct hints {
	struct coverage_look *k;
	bool wanted[SPECS_MAX];
	struct guess guesses[SPECS_MAX];
};

#define say coverage_reason_say

_printf_(2, 3) static void mean(struct coverage_reason *r, const char *fmt, ...)
{
	size_t len = strlen(r->mean);
	va_list ap;

	if (len)
		len += (size_t)snprintf(r->mean + len, sizeof(r->mean) - len, ", ");
	if (len >= sizeof(r->mean))
		return;
	va_start(ap, fmt);
	vsnprintf(r->mean + len, sizeof(r->mean) - len, fmt, ap);
	va_end(ap);
}

/* --- classes ---------------------------------------------------------------------------------- */

/* Has the class @c a method of that name? @near, unless NULL, is offered all names. */
static bool class_has(struct coverage_look *k, const char *method, const struct class_entry *c,
		      struct nearest *near)
{
	_cleanup_free_ uint64_t *methods = NULL;
	int n = class_methods(k->m, &k->t->layout, c->methods, &methods);

	for (int i = 0; i < n && !budget_over(); i++) {
		struct nmethod nm = {.method_addr = methods[i], .m.symbol = ""};

		if (nmethod_names(k->m, &k->t->layout, k->names, &nm))
			continue;
		if (glob_match(method, nm.m.name))
			return true;
		if (near)
			nearest_offer(near, nm.m.name);
	}
	return false;
}

struct offer {
	struct coverage_look *k;
	const struct class_entry *c;
};

static bool offer_has(void *arg, const char *method, struct nearest *near)
{
	const struct offer *o = arg;

	return class_has(o->k, method, o->c, near);
}

static int hint_class(void *arg, const struct class_entry *c)
{
	struct hints *h = arg;
	int err = 0;

	for (size_t i = 0; i < h->k->nspecs && !err; i++) {
		if (!h->wanted[i] || h->k->exact[i])
			continue;
		guess_offer(&h->guesses[i], c->name, offer_has, &(struct offer){h->k, c});
		err = budget_spend_bytes(OFFER_BYTES);
	}
	return err;
}

/* The class is not there. */
static void why_no_class(const struct coverage_look *k, const struct guess *g,
			 struct coverage_reason *r)
{
	const char *mistake = guess_mistake(g);

	guess_mean(g, r->mean, sizeof(r->mean));
	if (mistake)
		say(r, COVERAGE_NEVER, "%s", mistake);
	else if (!k->all_classes)
		say(r, COVERAGE_NOT_YET,
		    "matches no compiled method yet: waiting for it (whether its class is loaded is "
		    "not known: only %zu classes were looked at in time)",
		    k->nclasses);
	else
		say(r, COVERAGE_NOT_YET,
		    "no class %s is loaded in this JVM: waiting for it to be loaded, and the method "
		    "compiled",
		    g->klass);
}

/* --- methods of the class --------------------------------------------------------------------- */

/* What the methods of a class say to a name that no method has, with those parameters. */
struct search {
	struct coverage_look *k;
	const struct guess *p;
	struct nearest near;
	char overloads[COVERAGE_WHY_MAX / 2];
	size_t noverloads;
	bool not_static; /* it is there, but not static */
};

/* Return: 0; as nmethod_names(). */
static int search_method(struct search *s, uint64_t method)
{
	struct nmethod nm = {.method_addr = method, .m.symbol = ""};
	char title[NAME_SHOWN];
	const char *shown;
	size_t len = strlen(s->overloads);
	int err = nmethod_names(s->k->m, &s->k->t->layout, s->k->names, &nm);

	if (err)
		return err;
	nearest_offer(&s->near, nm.m.name);
	if (!glob_match(s->p->method, nm.m.name))
		return 0;
	nm.m.entry = spec_entry(s->p->spec);
	if (spec_match(s->p->spec, &nm.m))
		s->not_static = true;
	if (s->noverloads++ >= SHOWN_MAX)
		return 0;
	coverage_title(&nm.m, title, sizeof(title));
	shown = strlen(nm.m.klass) < strlen(title) ? title + strlen(nm.m.klass) + 1 : title;
	snprintf(s->overloads + len, sizeof(s->overloads) - len, "%s%s", len ? ", " : "", shown);
	return 0;
}

/* Return: 0 all its methods were looked at; else what they lack is not known: -errno. */
static int search_class(struct search *s, const struct class_entry *c)
{
	_cleanup_free_ uint64_t *methods = NULL;
	int err = 0, n = class_methods(s->k->m, &s->k->t->layout, c->methods, &methods);

	for (int i = 0; i < n && !err; i++)
		err = search_method(s, methods[i]);
	return n < 0 ? n : err;
}

/* The class above @c, or the interface, that declares it: its name is in @name. */
static bool find_inherited(struct coverage_look *k, const struct guess *p,
			   const struct class_entry *c, char *name)
{
	const struct layout *l = &k->t->layout;
	_cleanup_free_ uint64_t *interfaces = NULL;
	struct class_entry at = *c;
	uint64_t array;
	int n = 0;

	for (int i = 0; i < SUPERS_MAX && at.super; i++) {
		if (class_read(k->m, l, at.super, name, &at))
			break;
		if (class_has(k, p->method, &at, NULL))
			return true;
	}
	if (field_exists(l->code->klass_interfaces) &&
	    !field_read(k->m, c->klass, l->code->klass_interfaces, &array))
		n = class_methods(k->m, l, array, &interfaces);
	for (int i = 0; i < MIN(n, INTERFACES_MAX); i++)
		if (!class_read(k->m, l, interfaces[i], name, &at) &&
		    class_has(k, p->method, &at, NULL))
			return true;
	return false;
}

static void why_no_method(const struct search *s, const char *inherited, struct coverage_reason *r)
{
	const char *near = nearest_found(&s->near);
	const struct guess *p = s->p;

	if (s->not_static) {
		say(r, COVERAGE_NEVER, "it is not static: leave out 'static'");
	} else if (s->noverloads) {
		say(r, COVERAGE_NEVER, "no %s of class %s has these parameters; there %s %s%s",
		    p->method, p->klass, s->noverloads == 1 ? "is" : "are", s->overloads,
		    s->noverloads > SHOWN_MAX ? ", ..." : "");
	} else if (guess_is_constructor(p->klass, p->method)) {
		say(r, COVERAGE_NEVER, "a constructor is called <init>");
		mean(r, "%s.<init>", p->klass);
	} else if (*inherited) {
		say(r, COVERAGE_NEVER,
		    "class %s inherits it: a SPEC names the class that declares it", p->klass);
		mean(r, "%.*s.%s", NAME_SHOWN, inherited, p->method);
	} else {
		say(r, COVERAGE_NEVER, "class %s has no method %s", p->klass, p->method);
		if (near)
			mean(r, "%s.%s", p->klass, near);
	}
}

/* The class could not be read. Return: 0; @err, if that is not about the class. */
static int why_unknown(int err, struct coverage_reason *r)
{
	if (err == -E2BIG)
		say(r, COVERAGE_NOT_YET,
		    "matches no compiled method yet: waiting for it (there was no time to look at the "
		    "methods of its class)");
	else if (err == -ENOENT || err == -EPROTO || err == -EFAULT)
		say(r, COVERAGE_NOT_YET,
		    "its class has been unloaded: waiting for it to come back");
	else
		return err;
	return 0;
}

static int hint_method(struct coverage_look *k, const struct guess *p, uint64_t klass,
		       struct coverage_reason *r)
{
	_cleanup_free_ char *name = malloc(KLASS_NAME_MAX + 1), *other = malloc(KLASS_NAME_MAX + 1);
	struct search s = {.k = k, .p = p};
	struct class_entry c;
	int err;

	if (!name || !other)
		return -ENOMEM;
	other[0] = '\0';
	nearest_init(&s.near, p->method);
	err = class_read(k->m, &k->t->layout, klass, name, &c);
	if (!err)
		err = search_class(&s, &c);
	if (err)
		return why_unknown(err, r);
	if (!s.noverloads && !find_inherited(k, p, &c, other))
		other[0] = '\0';
	why_no_method(&s, other, r);
	/* A class of the same name that was not looked at may have it. */
	if (!k->all_classes)
		r->state = COVERAGE_NOT_YET;
	return 0;
}

/* --- all -------------------------------------------------------------------------------------- */

static void mean_dots(const struct spec *spec, struct coverage_reason *r)
{
	_cleanup_free_ char *dots = strdup(spec_pattern(spec));

	for (char *p = dots; p && *p; p++)
		*p = *p == '/' ? '.' : *p;
	if (dots)
		mean(r, "%s", dots);
}

static void why_no_match(const struct coverage_look *k, const struct spec *spec,
			 struct coverage_reason *r)
{
	if (k->t->layout.missing[CAP_COVERAGE])
		say(r, COVERAGE_NOT_YET,
		    "matches no compiled method yet: waiting for it (which classes are loaded cannot be "
		    "told: %s)",
		    k->t->layout.why[CAP_COVERAGE]);
	else
		say(r, COVERAGE_NOT_YET,
		    "matches no method of the %s%zu classes that are loaded: waiting for one",
		    k->all_searched ? "" : "first ", k->all_searched ? k->nclasses : k->nsearched);
	if (strchr(spec_pattern(spec), '/'))
		mean_dots(spec, r);
}

int coverage_hint(struct coverage_look *k, const bool *wanted, struct coverage_reason *ret)
{
	_cleanup_free_ struct hints *h = calloc(1, sizeof(*h));
	bool look_again = false;
	int err = 0;

	if (!h)
		return -ENOMEM;
	h->k = k;
	for (size_t i = 0; i < k->nspecs; i++) {
		h->wanted[i] = wanted[i];
		guess_init(&h->guesses[i], k->specs[i]);
		look_again |= wanted[i] && h->guesses[i].exact && !k->exact[i];
	}
	if (look_again && k->all_classes)
		err = classes_walk(k->t->mem, k->m, &k->t->layout, k->deadline_ns, hint_class, h);
	if (err == -ETIMEDOUT || err == -E2BIG || err == -EPROTO || err == -EFAULT) {
		k->all_hints = false;
		err = 0;
	}
	for (size_t i = 0; i < k->nspecs && !err; i++) {
		const struct guess *p = &h->guesses[i];

		ret[i].mean[0] = '\0';
		if (!wanted[i])
			continue;
		if (!p->exact || k->t->layout.missing[CAP_COVERAGE])
			why_no_match(k, k->specs[i], &ret[i]);
		else if (k->exact[i])
			err = hint_method(k, p, k->exact[i], &ret[i]);
		else
			why_no_class(k, p, &ret[i]);
	}
	return err;
}
