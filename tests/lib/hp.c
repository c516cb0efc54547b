/* SPDX-License-Identifier: MIT */
#include "lib/hp.h"

#include <signal.h>
#include <stdarg.h>

#include "lib/cmocka_all.h"

#define HP_ARGV_MAX 64

/* Commands that take --via. */
static bool takes_via(const char *command)
{
	return !strcmp(command, "trace") || !strcmp(command, "methods") ||
	       !strcmp(command, "clean");
}

static void hp_argv(const char **ret, const char *const *a, const char *const *b)
{
	static const char *const bare_prefix[] = {"setpriv", "--inh-caps=-sys_ptrace",
						  "--bounding-set=-sys_ptrace"};
	bool bare;
	const char *via = env_via(&bare);
	size_t n = 0;

	for (size_t i = 0; bare && i < ARRAY_SIZE(bare_prefix); i++)
		ret[n++] = bare_prefix[i];
	ret[n++] = env_bin();
	if (*a && via && takes_via(*a)) {
		ret[n++] = *a++;
		ret[n++] = "--via";
		ret[n++] = via;
	}
	for (; *a; a++)
		ret[n++] = *a;
	for (; b && *b; b++) {
		assert_true(n < HP_ARGV_MAX - 1);
		ret[n++] = *b;
	}
	ret[n] = NULL;
}

void hp_run_as(struct hp_result *ret, uid_t uid, const char *const argv[])
{
	const char *all[HP_ARGV_MAX];
	struct child *c;

	hp_argv(all, argv, NULL);
	c = child_start(all, &(struct child_opts){.uid = uid});
	child_close_stdin(c);
	ret->status = child_wait(c, HP_TIMEOUT_MS);
	if (ret->status == CHILD_TIMEOUT)
		hp_fail(c, "hotprobe %s does not end", argv[0]);
	ret->out = child_text(c);
	ret->err = child_errors(c);
	child_free(c);
}

void hp_run(struct hp_result *ret, const char *const argv[])
{
	hp_run_as(ret, 0, argv);
}

void hp_result_free(struct hp_result *r)
{
	free(r->out);
	free(r->err);
}

void hp_result_check(const struct hp_result *r, int status)
{
	const char *nl = strchr(r->err, '\n');

	if (r->status != status || (status && (!nl || nl[1])))
		fail_msg("exit status %d for %d, stdout '%.1000s', stderr '%s'", r->status, status,
			 r->out, r->err);
}

json_t *hp_json(const char *const argv[], int status)
{
	json_t *ret = json_array();
	struct hp_result r;
	char *save = NULL;

	hp_run(&r, argv);
	if (r.status != status)
		fail_msg("%s: exit status %d for %d, stdout '%.1000s', stderr '%s'", argv[0],
			 r.status, status, r.out, r.err);
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *o = json_line(line);

		if (!o)
			fail_msg("%s: not JSON: %s", argv[0], line);
		json_array_append_new(ret, o);
	}
	hp_result_free(&r);
	return ret;
}

struct child *hp_start(const char *const argv[])
{
	const char *all[HP_ARGV_MAX];

	hp_argv(all, argv, NULL);
	return child_start(all, NULL);
}

struct child *hp_trace(pid_t pid, const char *const args[])
{
	const char *all[HP_ARGV_MAX];
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	hp_argv(all, (const char *const[]){"trace", "-p", text, "--json", NULL}, args);
	return child_start(all, NULL);
}

void hp_fail(struct child *hp, const char *fmt, ...)
{
	_cleanup_free_ char *err = child_errors(hp);
	bool running = child_running(hp);
	char why[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (running)
		fail_msg("%s (hotprobe runs; stderr '%.4000s')", why, err);
	else
		fail_msg("%s (hotprobe ended with %d; stderr '%.4000s')", why, child_wait(hp, 0),
			 err);
}

static int hex4(const char *s)
{
	unsigned int v;
	int used = 0;

	return sscanf(s, "%4x%n", &v, &used) == 1 && used == 4 ? (int)v : -1;
}

/* The \u escape at @s when it is a surrogate of the given kind, else -1. */
static int surrogate(const char *s, int first)
{
	int v = s[0] == '\\' && s[1] == 'u' ? hex4(s + 2) : -1;

	return v >= first && v < first + 0x400 ? v : -1;
}

json_t *json_line(const char *line)
{
	_cleanup_free_ char *text = malloc(2 * strlen(line) + 1);
	char *o = text;
	json_t *ret;

	if (!text)
		abort();
	for (const char *s = line; *s;) {
		int n = 1;

		if (surrogate(s, 0xd800) >= 0 && surrogate(s + 6, 0xdc00) >= 0) {
			n = 12;
		} else if (surrogate(s, 0xd800) >= 0 || surrogate(s, 0xdc00) >= 0) {
			o += sprintf(o, "\\ufffd");
			s += 6;
			continue;
		} else if (*s == '\\' && s[1]) {
			n = 2;
		}
		memcpy(o, s, (size_t)n);
		o += n;
		s += n;
	}
	*o = 0;
	ret = json_loads(text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	return ret;
}

json_t *hp_next(struct child *hp, int timeout_ms)
{
	_cleanup_free_ char *line = child_line(hp, timeout_ms);
	json_t *o;

	if (!line)
		return NULL;
	o = json_line(line);
	if (!json_is_object(o))
		hp_fail(hp, "not a JSON object: '%s'", line);
	return o;
}

json_t *hp_until(struct child *hp, const char *event, json_t *seen)
{
	json_t *o;

	while ((o = hp_next(hp, HP_TIMEOUT_MS))) {
		if (!strcmp(json_text(o, "event"), event))
			return o;
		if (seen)
			json_array_append(seen, o);
		json_decref(o);
	}
	hp_fail(hp, "no \"%s\" came", event);
	return NULL;
}

json_t *hp_attached(struct child *hp)
{
	json_t *o = hp_next(hp, HP_TIMEOUT_MS);

	if (!o || strcmp(json_text(o, "event"), "attached"))
		hp_fail(hp, "the first object is not \"attached\"");
	return o;
}

static bool region_stays(struct child *hp)
{
	_cleanup_free_ char *err = child_errors(hp);

	return strstr(err, "in the slot region, which stays mapped") != NULL;
}

json_t *hp_finish(struct child *hp, int sig, int status, json_t *events)
{
	json_t *o, *last = NULL;
	int got;

	if (sig)
		child_signal(hp, sig);
	while ((o = hp_next(hp, HP_TIMEOUT_MS))) {
		if (last) {
			json_array_append(events, last);
			json_decref(last);
		}
		last = o;
	}
	got = child_wait(hp, HP_TIMEOUT_MS);
	if (status == HP_MAY_STAY)
		status = got == 1 && region_stays(hp) ? 1 : 0;
	if (got != status)
		hp_fail(hp, "exit status %d, not %d", got, status);
	if (strcmp(json_text(last, "event"), "detached"))
		hp_fail(hp, "the last object is not \"detached\"");
	return last;
}

const char *json_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

uint64_t json_addr(const json_t *o, const char *key)
{
	const char *s = json_text(o, key);
	char *end;
	uint64_t v = strtoull(s, &end, 16);

	return !strncmp(s, "0x", 2) && !*end ? v : 0;
}

json_t *json_file(const char *path)
{
	FILE *f = fopen(path, "re");
	json_t *ret = json_array();
	char *line = NULL;
	size_t cap = 0;

	if (!f) /* nothing was recorded */
		return ret;
	while (getline(&line, &cap, f) > 0) {
		json_t *o = json_line(line);

		if (!o)
			fail_msg("%s: not JSON: %s", path, line);
		json_array_append_new(ret, o);
	}
	free(line);
	fclose(f);
	return ret;
}
