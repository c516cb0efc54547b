/* SPDX-License-Identifier: MIT */
#include "code.h"

#include "cmocka_all.h"

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

static bool changed(struct jvm *j, const struct code_bytes *before, size_t i, size_t *where)
{
	const struct code *c = &before->list.v[i];
	_cleanup_free_ uint8_t *now = code_read(j, c);

	for (size_t k = 0; k < c->end - c->begin; k++) {
		if (now[k] != before->bytes[i][k]) {
			*where = k;
			return true;
		}
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

void code_check_restored(struct jvm *j, const struct code_bytes *before)
{
	_cleanup_free_ char *exec = jvm_exec_maps(j);
	size_t where, bytes = 0;

	for (size_t i = 0; i < before->list.n; i++) {
		const struct code *c = &before->list.v[i];

		if (changed(j, before, i, &where))
			jvm_fail(j, "%s (%zu of %zu methods) differs at %#llx: code + %zu",
				 c->method, code_changed(j, before), before->list.n,
				 (unsigned long long)(c->begin + where), where);
		bytes += c->end - c->begin;
	}
	if (strcmp(exec, before->exec)) {
		print_missing("gone", before->exec, exec);
		print_missing("new", exec, before->exec);
		jvm_fail(j, "executable mappings are not what they were");
	}
	if (jvm_maps_has(j, "hotprobe") || jvm_fds_have(j, "hotprobe"))
		jvm_fail(j, "something of ours is left in maps or fd");
	print_message("    %zu methods, %zu bytes as they were\n", before->list.n, bytes);
}
