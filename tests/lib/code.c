/* SPDX-License-Identifier: MIT */
#include "lib/code.h"

#include "lib/cmocka_all.h"

char *jvm_exec_maps(struct jvm *j)
{
	char path[64], line[8192], perms[8], *text = NULL;
	size_t size = 0;
	FILE *f, *out = open_memstream(&text, &size);

	snprintf(path, sizeof(path), "/proc/%d/maps", j->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		/* The kernel keeps its pages for uprobes until the process ends. */
		if (sscanf(line, "%*s %7s", perms) == 1 && strchr(perms, 'x') &&
		    !strstr(line, "[uprobes"))
			fputs(line, out);
	}
	fclose(f);
	fclose(out);
	return text;
}

static uint8_t *code_read(struct jvm *j, const struct code *c)
{
	uint8_t *bytes = malloc(c->end - c->begin);

	assert_non_null(bytes);
	if (jvm_read(j, c->begin, bytes, c->end - c->begin))
		jvm_fail(j, "cannot read the code of %s", c->method);
	return bytes;
}

void code_take(struct jvm *j, struct code_bytes *ret)
{
	*ret = (struct code_bytes){0};
	jvm_settle(j, &ret->list);
	ret->bytes = calloc(ret->list.n, sizeof(*ret->bytes));
	assert_non_null(ret->bytes);
	for (size_t i = 0; i < ret->list.n; i++)
		ret->bytes[i] = code_read(j, &ret->list.v[i]);
	ret->exec = jvm_exec_maps(j);
}

void code_free(struct code_bytes *c)
{
	for (size_t i = 0; i < c->list.n; i++)
		free(c->bytes[i]);
	free(c->bytes);
	free(c->exec);
	codelist_free(&c->list);
}

/*
 * Is the change at @k HotSpot's own: a call that it has resolved, or made unresolved, meanwhile?
 * That is the operand of a call rel32, or of the mov imm64 to rax right before one, which holds the
 * inline cache's class (NativeCall::set_destination_mt_safe(), NativeMovConstReg::set_data());
 * never the beginning of a method.
 */
static bool is_call_site(const uint8_t *then, const uint8_t *now, size_t len, size_t k)
{
	for (size_t back = 1; back <= 4 && back <= k; back++)
		if (then[k - back] == 0xe8 && now[k - back] == 0xe8)
			return true;
	for (size_t back = 2; back <= 9 && back <= k && k - back + 10 < len; back++) {
		const uint8_t *mov = then + k - back;

		if (mov[0] == 0x48 && mov[1] == 0xb8 && mov[10] == 0xe8)
			return true;
	}
	return false;
}

/*
 * Or an object that code names, in the operand of a mov imm64, and that a collection has moved? An
 * idle JVM has none; but the agent's thread uses up some memory each time it asks for a safepoint.
 * A diversion would change the beginning of an instruction.
 */
static bool is_moved_object(const uint8_t *then, const uint8_t *now, size_t k)
{
	bool bare;

	for (size_t back = 2; env_via(&bare) && back <= 9 && back <= k; back++)
		if ((then[k - back] & 0xfe) == 0x48 && (then[k - back + 1] & 0xf8) == 0xb8 &&
		    now[k - back] == then[k - back] && now[k - back + 1] == then[k - back + 1])
			return true;
	return false;
}

/* A diversion takes the first eight bytes of the verified entry, which is no further in than this.
 */
#define ENTRY_MAX 72

static bool changed(struct jvm *j, const struct code_bytes *before, size_t i, size_t *where)
{
	const struct code *c = &before->list.v[i];
	_cleanup_free_ uint8_t *now = code_read(j, c);
	const uint8_t *then = before->bytes[i];
	size_t len = c->end - c->begin;

	for (size_t k = 0; k < len; k++) {
		if (now[k] == then[k] || (k >= ENTRY_MAX && is_call_site(then, now, len, k)) ||
		    is_moved_object(then, now, k))
			continue;
		*where = k;
		return true;
	}
	return false;
}

size_t code_changed(struct jvm *j, const struct code_bytes *before)
{
	size_t n = 0, where;

	for (size_t i = 0; i < before->list.n; i++)
		n += changed(j, before, i, &where);
	return n;
}

/* The lines of @text that @other does not have. */
static void print_missing(const char *what, const char *text, const char *other)
{
	for (const char *p = text, *nl; *p; p = nl + 1) {
		_cleanup_free_ char *line = NULL;

		nl = strchr(p, '\n');
		line = strndup(p, (size_t)(nl - p));
		if (!strstr(other, line))
			print_error("%s: %s\n", what, line);
	}
}

/* The bytes before and behind @at, for a person. */
static const char *around(const uint8_t *bytes, size_t len, size_t at)
{
	static char text[64];
	size_t n = 0;

	for (size_t k = at > 8 ? at - 8 : 0; k < len && k < at + 8; k++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %02x", bytes[k]);
	return text;
}

void code_check_restored(struct jvm *j, const struct code_bytes *before)
{
	_cleanup_free_ char *exec = jvm_exec_maps(j);
	size_t where, bytes = 0;

	for (size_t i = 0; i < before->list.n; i++) {
		const struct code *c = &before->list.v[i];

		if (changed(j, before, i, &where))
			jvm_fail(j,
				 "%s (%zu of %zu methods) differs at %#llx: code + %zu; it was %s",
				 c->method, code_changed(j, before), before->list.n,
				 (unsigned long long)(c->begin + where), where,
				 around(before->bytes[i], c->end - c->begin, where));
		bytes += c->end - c->begin;
	}
	if (strcmp(exec, before->exec)) {
		print_missing("gone", before->exec, exec);
		print_missing("new", exec, before->exec);
		jvm_fail(j, "executable mappings are not what they were");
	}
	if (jvm_maps_has(j, "memfd:hotprobe") || jvm_fds_have(j, "memfd:hotprobe"))
		jvm_fail(j, "something of ours is left in maps or fd");
	print_message("    %zu methods, %zu bytes as they were\n", before->list.n, bytes);
}
