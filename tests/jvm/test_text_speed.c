// SPDX-License-Identifier: MIT
/*
 * test_text_speed.c - text costs no more than JSON, with colours too, and both keep up with half a
 * million calls a second. It compares times, so nothing else may run beside it.
 */
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/jvm.h"
#include "output/encoder.h"

/* Text may take so many times the CPU time of JSON. */
#define RATIO_MAX 1.2

/* Whatever else the machine does only ever makes it longer: the best of some rounds counts. */
#define ROUNDS	   5
#define ROUNDS_MAX 60

/* --- the encoders ------------------------------------------------------------------------------
 */

#define EVENTS 20000

enum { FORM_JSON, FORM_TEXT, FORM_COLOR, FORMS };

static double ns_per_event(int form, struct event *ev, struct buf *out)
{
	struct encoder *e =
		encoder_new(form == FORM_JSON ? "json" : "text",
			    &(struct encoder_options){.color = form == FORM_COLOR}, out);
	uint64_t start;

	assert_non_null(e);
	free(ev->call.probe->head); /* which is of another form */
	ev->call.probe->head = NULL;
	start = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < EVENTS; i++) {
		ev->ts_ns += 2000;
		encoder_event(e, ev);
		if (out->len > 1 << 20)
			out->len = 0;
	}
	start = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	out->len = 0;
	encoder_free(e);
	return (double)start / EVENTS;
}

static bool as_fast(const double best[static FORMS])
{
	return best[FORM_TEXT] < RATIO_MAX * best[FORM_JSON] &&
	       best[FORM_COLOR] < RATIO_MAX * best[FORM_JSON];
}

/* A call of `long Cart.add(int, String, double)` with this text. */
static void compare_forms(const char *what, const struct event_text *text)
{
	struct probe p = {.method = {.klass = "com.shop.Cart",
				     .name = "add",
				     .desc = "(ILjava/lang/String;D)J",
				     .symbol = ""}};
	struct value v[] = {
		{.tag = 'L', .ref = {.addr = 0x69c800358, .known = true, .klass = "com.shop.Cart"}},
		{.tag = 'I', .type = "int", .i = 12345},
		{.tag = 'L',
		 .type = "java.lang.String",
		 .ref = {.addr = 0x1000, .known = true, .has_text = true, .text = *text}},
		{.tag = 'D', .type = "double", .d = 0.25}};
	struct event ev = {.kind = EVENT_CALL,
			   .ts_ns = 1789000000123456789,
			   .pid = 4711,
			   .call = {.probe = &p, .tid = 4725, .java_tid = 1, .values = v}};
	double best[FORMS] = {1e9, 1e9, 1e9};
	_cleanup_buf_ struct buf out = {0};

	v[2].ref.array_len = text->len;
	assert_int_equal(capture_list_new(ABI_HOTSPOT, p.method.desc, false, &p.captures), 0);
	for (int i = 0; i < ROUNDS || (!as_fast(best) && i < ROUNDS_MAX); i++)
		for (int form = 0; form < FORMS; form++)
			best[form] = MIN(best[form], ns_per_event(form, &ev, &out));
	print_message("  %s: JSON %.0f ns, text %.0f, with colours %.0f\n", what, best[FORM_JSON],
		      best[FORM_TEXT], best[FORM_COLOR]);
	assert_true(as_fast(best));
	free(p.captures);
	free(p.head);
}

/* Whatever the texts are of. */
static void text_is_encoded_as_fast(void **state _unused_)
{
	static uint8_t ascii[256], latin1[256], utf16[512], control[256];

	for (size_t i = 0; i < sizeof(ascii); i++) {
		ascii[i] = (uint8_t) "pears and apples, "[i % 18];
		latin1[i] = i % 2 ? 0xe4 : 'a';
		utf16[2 * i] = (uint8_t)i;
		utf16[2 * i + 1] = 0x67;
		control[i] = 27;
	}
	compare_forms("short", &(struct event_text){.s = ascii, .len = 8});
	compare_forms("ASCII", &(struct event_text){.s = ascii, .len = sizeof(ascii)});
	compare_forms("Latin-1", &(struct event_text){.s = latin1, .len = sizeof(latin1)});
	compare_forms("UTF-16", &(struct event_text){.s = utf16, .len = sizeof(utf16), .coder = 1});
	compare_forms("controls", &(struct event_text){.s = control, .len = sizeof(control)});
}

/* --- on a JVM ----------------------------------------------------------------------------------
 */

#define RATE	500000
#define PACE_MS 1500

/* CPU time of a process of one thread, in ns. Source: Documentation/scheduler/sched-stats.rst. */
static double cpu_ns(pid_t pid)
{
	char path[64];
	double ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%lf", &ns) != 1)
		fail_msg("%s cannot be read", path);
	fclose(f);
	return ns;
}

/* When both have done what there was: they use no more than their timers do. */
static double cpu_at_rest(const pid_t pids[static 2], size_t i)
{
	double now = cpu_ns(pids[i]), before;

	do {
		before = now;
		pause_ms(50);
		now = cpu_ns(pids[i]);
	} while (now - before > 5e6);
	return now;
}

struct cost {
	double client, engine; /* CPU time in ns a call */
};

/* Trace a JVM that calls at RATE. */
static struct cost traced(struct jvm *j, const char *option)
{
	char pid[16], *line, *file;
	pid_t pids[2];
	struct child *hp;
	double before[2], calls;
	struct cost c;

	snprintf(pid, sizeof(pid), "%d", j->pid);
	assert_true(asprintf(&file, "%s/events", j->dir) > 0);
	hp = hp_start((const char *const[]){"trace", "-p", pid, "-v", "-o", file, "prog.Bench.hit",
					    option, NULL});
	while ((line = child_error_line(hp, HP_TIMEOUT_MS)) && !strstr(line, "attached in "))
		free(line);
	if (!line)
		hp_fail(hp, "it was not attached");
	free(line);
	pids[0] = child_pid(hp);
	assert_int_equal(child_descendants(pids[0], &pids[1], 1), 1);
	for (size_t i = 0; i < 2; i++)
		before[i] = cpu_at_rest(pids, i);
	calls = (double)jvm_do(j, "pace %d %d", RATE, PACE_MS);
	c.client = (cpu_at_rest(pids, 0) - before[0]) / calls;
	c.engine = (cpu_at_rest(pids, 1) - before[1]) / calls;
	child_signal(hp, SIGINT);
	assert_int_equal(child_wait(hp, HP_TIMEOUT_MS), 0);
	child_free(hp);
	unlink(file);
	free(file);
	return c;
}

static struct cost better(struct cost a, struct cost b)
{
	return a.client + a.engine < b.client + b.engine ? a : b;
}

static bool keeps_up(struct cost json, struct cost text)
{
	return text.client + text.engine < RATIO_MAX * (json.client + json.engine) &&
	       MAX(text.client, text.engine) < 1e9 / RATE;
}

/* Neither process takes longer for a call than until the next one comes, nor longer than JSON. */
static void text_keeps_up(void **state _unused_)
{
	const char *const flags[] = {"-XX:CompileCommand=quiet",
				     "-XX:CompileCommand=dontinline,prog.Bench::hit", NULL};
	struct cost json = {1e9, 1e9}, text = json;
	struct jvm j;

	jvm_start(&j, jdk_or_skip("jdk17"), flags, (const char *const[]){"prog.Bench", NULL});
	jvm_ready(&j);
	for (int i = 0; i < 1 || (!keeps_up(json, text) && i < 8); i++) {
		json = better(json, traced(&j, "--json"));
		text = better(text, traced(&j, NULL));
	}
	print_message(
		"  CPU time a call: JSON %.0f ns and %.0f of the client, text %.0f and %.0f\n",
		json.engine, json.client, text.engine, text.client);
	assert_true(keeps_up(json, text));
	jvm_quit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(text_is_encoded_as_fast),
		jvm_test(text_keeps_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
