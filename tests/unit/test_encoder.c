// SPDX-License-Identifier: MIT
/* test_encoder.c - every kind of event in every form, from literal structs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "output/decode.h"

struct bench {
	struct buf out;
	struct encoder *json, *text;
	struct probe probe;
};

static int bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	setenv("TZ", "UTC", 1);
	b->json = encoder_new("json", &(struct encoder_options){0}, &b->out);
	b->text = encoder_new("text", &(struct encoder_options){0}, &b->out);
	b->probe = (struct probe){.method = {.klass = "com.shop.Cart",
					     .name = "add",
					     .desc = "(ILjava/lang/String;)V",
					     .symbol = "",
					     .entry = 0x7f10},
				  .level = 4,
				  .compile_id = 196};
	*state = b;
	return b->json && b->text ? 0 : -1;
}

static void forget_head(struct bench *b)
{
	free(b->probe.head);
	b->probe.head = NULL;
}

static void set_captures(struct bench *b, const char *desc, bool is_static)
{
	free(b->probe.captures);
	b->probe.method.desc = desc;
	assert_int_equal(capture_list_new(ABI_HOTSPOT, desc, is_static, &b->probe.captures), 0);
	forget_head(b);
}

static int bench_close(void **state)
{
	struct bench *b = *state;

	forget_head(b);
	free(b->probe.captures);
	encoder_free(b->json);
	encoder_free(b->text);
	buf_fini(&b->out);
	free(b);
	return 0;
}

static const char *taken(struct bench *b)
{
	buf_add(&b->out, "", 1);
	assert_false(b->out.failed);
	b->out.len = 0;
	return b->out.data;
}

/* The event in both forms; a head is of one form. */
static void check(struct bench *b, const struct event *ev, const char *json, const char *text)
{
	encoder_event(b->json, ev);
	assert_string_equal(taken(b), json);
	forget_head(b);
	encoder_event(b->text, ev);
	assert_string_equal(taken(b), text);
	forget_head(b);
}

/* A form that nobody knows is refused. */
static void encoder_new_knows_its_forms(void **state)
{
	struct bench *b = *state;

	assert_null(encoder_new("xml", &(struct encoder_options){0}, &b->out));
	assert_int_equal(errno, EINVAL);
}

/* --- values ----------------------------------------------------------------------------------- */

/* One value as `this` would be if it had a type: the argument of a static method. */
static void check_value(struct bench *b, struct value v, const char *json, const char *text)
{
	struct event ev = {.kind = EVENT_CALL,
			   .ts_ns = 40693608944000,
			   .pid = 7,
			   .call = {.probe = &b->probe, .thread = "x", .values = &v}};
	char want[256];
	const char *got;

	set_captures(b, "(I)V", true);
	encoder_event(b->json, &ev);
	snprintf(want, sizeof(want), ",\"args\":[%s]}\n", json);
	got = strstr(taken(b), ",\"args\"");
	assert_non_null(got);
	assert_string_equal(got, want);
	forget_head(b);
	ev.call.thread = "till-1";
	encoder_event(b->text, &ev);
	snprintf(want, sizeof(want), ">11:18:13.608944 till-1/0 com.shop.Cart.add(%s)\n", text);
	assert_string_equal(taken(b), want);
}

/* Each primitive type has its own form. */
static void encoder_primitives(void **state)
{
	struct bench *b = *state;

	check_value(b, (struct value){.tag = 'I', .type = "int", .i = -3},
		    "{\"type\":\"int\",\"value\":-3}", "-3");
	check_value(b, (struct value){.tag = 'B', .type = "byte", .i = -128},
		    "{\"type\":\"byte\",\"value\":-128}", "-128");
	check_value(b, (struct value){.tag = 'S', .type = "short", .i = 32767},
		    "{\"type\":\"short\",\"value\":32767}", "32767");
	check_value(b, (struct value){.tag = 'Z', .type = "boolean", .z = true},
		    "{\"type\":\"boolean\",\"value\":true}", "true");
	check_value(b, (struct value){.tag = 'Z', .type = "boolean"},
		    "{\"type\":\"boolean\",\"value\":false}", "false");
	check_value(b, (struct value){.tag = 'C', .type = "char", .c = 'q'},
		    "{\"type\":\"char\",\"value\":\"q\"}", "'q'");
	check_value(b, (struct value){.tag = 'C', .type = "char", .c = '\''},
		    "{\"type\":\"char\",\"value\":\"'\"}", "'\\''");
	check_value(b, (struct value){.tag = 'C', .type = "char", .c = 0xd83d},
		    "{\"type\":\"char\",\"value\":\"\xef\xbf\xbd\",\"replaced\":1}", "'\\ud83d'");
	check_value(b, (struct value){.tag = 'J', .type = "long", .j = INT64_MIN},
		    "{\"type\":\"long\",\"value\":-9223372036854775808}", "-9223372036854775808");
	check_value(b, (struct value){.tag = 'F', .type = "float", .f = 0.1f},
		    "{\"type\":\"float\",\"value\":0.1}", "0.1");
	check_value(b, (struct value){.tag = 'D', .type = "double", .d = 1.0},
		    "{\"type\":\"double\",\"value\":1.0}", "1.0");
	check_value(b, (struct value){.tag = 'D', .type = "double", .d = NAN},
		    "{\"type\":\"double\",\"value\":\"NaN\"}", "NaN");
	check_value(b, (struct value){.tag = 'F', .type = "float", .f = -INFINITY},
		    "{\"type\":\"float\",\"value\":\"-Infinity\"}", "-Infinity");
	check_value(b, (struct value){.tag = 'I', .type = "int", .error = "no \"stack\""},
		    "{\"type\":\"int\",\"error\":\"no \\\"stack\\\"\"}", "<no \"stack\">");
}

/* A String shows its text, its length in UTF-16 units, and whether the text was cut. */
static void encoder_strings(void **state)
{
	struct bench *b = *state;
	struct value v = {
		.tag = 'L',
		.type = "java.lang.String",
		.ref = {.addr = 0x1000,
			.known = true,
			.has_text = true,
			.text = {.s = (const uint8_t *)"p\"r\n", .len = 4},
			.array_len = 4},
	};

	check_value(b, v,
		    "{\"type\":\"java.lang.String\",\"value\":\"p\\\"r\\n\",\"length\":4,"
		    "\"truncated\":false}",
		    "\"p\\\"r\\n\"");
	v.type = "java.lang.Object";
	check_value(b, v,
		    "{\"type\":\"java.lang.Object\",\"value\":\"p\\\"r\\n\",\"length\":4,"
		    "\"truncated\":false,\"class\":\"java.lang.String\"}",
		    "\"p\\\"r\\n\"");
	v.type = "java.lang.String";
	v.ref.text = (struct event_text){.s = (const uint8_t *)"\xac\x20", .len = 2, .coder = 1};
	v.ref.array_len = 20;
	check_value(b, v,
		    "{\"type\":\"java.lang.String\",\"value\":\"\xe2\x82\xac\",\"length\":10,"
		    "\"truncated\":true}",
		    "\"\xe2\x82\xac\"...");
}

/* Other objects show their class and address; null is null; what is not known is not guessed. */
static void encoder_objects(void **state)
{
	struct bench *b = *state;
	struct value v = {.tag = 'L',
			  .type = "com.shop.Base",
			  .ref = {.addr = 0x1000, .known = true, .klass = "com.shop.Cart"}};

	check_value(b, v,
		    "{\"type\":\"com.shop.Base\",\"class\":\"com.shop.Cart\","
		    "\"addr\":\"0x1000\"}",
		    "com.shop.Cart@1000");
	v.ref.klass = NULL;
	v.ref.unnamed = "it was unloaded";
	check_value(b, v,
		    "{\"type\":\"com.shop.Base\",\"class\":null,\"addr\":\"0x1000\","
		    "\"error\":\"it was unloaded\"}",
		    "<it was unloaded>@1000");
	v.error = "because";
	check_value(b, v, "{\"type\":\"com.shop.Base\",\"error\":\"because\"}", "<because>");
	check_value(b, (struct value){.tag = '[', .type = "int[]"},
		    "{\"type\":\"int[]\",\"value\":null}", "null");
}

/* --- a trace ---------------------------------------------------------------------------------- */

/* `this` has no declared type: its object begins with the class. */
static void encoder_call(void **state)
{
	struct bench *b = *state;
	struct value values[] = {
		{.tag = 'L', .ref = {.addr = 0x10, .known = true, .klass = "com.shop.Cart"}},
		{.tag = 'I', .type = "int", .i = 3},
		{.tag = 'L', .type = "java.lang.String"},
	};
	struct event ev = {.kind = EVENT_CALL,
			   .ts_ns = 1789000000123456789,
			   .pid = 4711,
			   .call = {.probe = &b->probe,
				    .tid = 4725,
				    .jthread = 0x7fc718017f90,
				    .java_tid = 1,
				    .thread = "\"main\"",
				    .values = values}};

	set_captures(b, "(ILjava/lang/String;)V", false);
	encoder_event(b->json, &ev);
	assert_string_equal(
		taken(b),
		"{\"event\":\"entry\",\"ts\":1789000000123456789,\"pid\":4711,\"tid\":4725,"
		"\"jthread\":\"0x7fc718017f90\",\"java_tid\":1,\"thread\":\"main\","
		"\"method\":\"com.shop.Cart.add(int, java.lang.String)\","
		"\"class\":\"com.shop.Cart\","
		"\"name\":\"add\",\"descriptor\":\"(ILjava/lang/String;)V\",\"level\":4,"
		"\"compile_id\":196,\"this\":{\"class\":\"com.shop.Cart\",\"addr\":\"0x10\"},"
		"\"args\":[{\"type\":\"int\",\"value\":3},{\"type\":\"java.lang.String\","
		"\"value\":null}]}\n");
	forget_head(b);
	ev.call.thread = NULL;
	ev.call.java_tid = 0;
	encoder_event(b->text, &ev);
	assert_string_equal(taken(b), ">00:26:40.123456 ?/0 com.shop.Cart.add("
				      "this=com.shop.Cart@10, 3, null)\n");
	b->text->opt = (struct encoder_options){.color = true, .say_pid = true};
	forget_head(b);
	encoder_event(b->text, &ev);
	assert_string_equal(taken(b),
			    ">4711 \033[2m00:26:40.123456 ?/0\033[0m \033[1mcom.shop.Cart.add"
			    "\033[0m(\033[2mthis=com.shop.Cart@10\033[0m, 3, null)\n");
}

/* A native image's call where nobody says what its parameters are. */
static void encoder_call_raw(void **state)
{
	struct bench *b = *state;
	const struct event ev = {.kind = EVENT_CALL,
				 .ts_ns = 1789000000123456789,
				 .pid = 4711,
				 .call = {.probe = &b->probe,
					  .tid = 4725,
					  .jthread = 0x10,
					  .raw = {1, 2, 3, 4, 5, 0xff}}};

	b->probe.kind = "native-image";
	b->probe.method.desc = "";
	b->probe.method.symbol = "Cart_add_1";
	b->probe.overloads = 2;
	b->probe.level = 0;
	b->probe.compile_id = 0;
	check(b, &ev,
	      "{\"event\":\"entry\",\"ts\":1789000000123456789,\"pid\":4711,\"tid\":4725,"
	      "\"jthread\":\"0x10\",\"java_tid\":null,\"thread\":null,"
	      "\"method\":\"com.shop.Cart.add\",\"class\":\"com.shop.Cart\",\"name\":\"add\","
	      "\"descriptor\":null,\"level\":0,\"compile_id\":0,\"kind\":\"native-image\","
	      "\"symbol\":\"Cart_add_1\",\"overloads\":2,\"signature\":null,"
	      "\"args\":null,\"raw\":[\"0x1\",\"0x2\",\"0x3\",\"0x4\",\"0x5\",\"0xff\"]}\n",
	      ">00:26:40.123456 4711 ?/4725 com.shop.Cart.add(rdi=0x1, rsi=0x2, rdx=0x3, "
	      "rcx=0x4, r8=0x5, r9=0xff)\n");
}

/* The names of threads are kept in the form they will be written in, with what they lack. */
static void encoder_thread_names(void **state)
{
	struct bench *b = *state;
	struct event_text t = {
		.s = (const uint8_t *)"\x3d\xd8\"\0\x1b\0\\\0\x2e\x20", .len = 10, .coder = 1};

	encoder_thread(b->json, &b->out, &t);
	assert_string_equal(taken(b),
			    "\"\xef\xbf\xbd\\\"\\u001b\\\\\\u202e\",\"thread_replaced\":1");
	encoder_thread(b->text, &b->out, &t);
	assert_string_equal(taken(b), "\\ud83d\"\\x1b\\\\\\u202e");
	t = (struct event_text){.s = (const uint8_t *)"main", .len = 4, .cut = true};
	encoder_thread(b->json, &b->out, &t);
	assert_string_equal(taken(b), "\"main\",\"thread_truncated\":true");
	encoder_thread(b->text, &b->out, &t);
	assert_string_equal(taken(b), "main...");
}

/* Names and types may hold anything: an object says how often U+FFFD stands for something else. */
static void encoder_odd_names(void **state)
{
	struct bench *b = *state;
	struct value v = {.tag = 'L',
			  .type = "p.\xed\xa0\x80",
			  .ref = {.addr = 0x10, .known = true, .klass = "p.a\xc0\x80\\"}};
	struct event ev = {.kind = EVENT_CALL,
			   .ts_ns = 1,
			   .pid = 7,
			   .call = {.probe = &b->probe, .thread = "x", .values = &v}};

	set_captures(b, "(Ljava/lang/Object;)V", true);
	b->probe.method.klass = "p.\xed\xa0\x80";
	b->probe.method.name = "x\xed\xb0\x80\xc2\x9b";
	encoder_event(b->json, &ev);
	assert_non_null(strstr(
		taken(b),
		"\"class\":\"p.\xef\xbf\xbd\",\"name\":\"x\xef\xbf\xbd\\u009b\",\"descriptor\":"
		"\"(Ljava/lang/Object;)V\",\"replaced\":2,\"level\":4,\"compile_id\":196,"
		"\"args\":[{\"type\":\"p.\xef\xbf\xbd\",\"class\":\"p.a\\u0000\\\\\",\"addr\":\"0x10\",\"replaced\":1}]}"));
	forget_head(b);
	encoder_event(b->text, &ev);
	assert_string_equal(taken(b),
			    ">00:00:00.000000 x/0 p.\\ud800.x\\udc00\\x9b(p.a\\x00\\\\@10)\n");
	forget_head(b);
	b->probe.method.klass = "com.shop.Cart";
	b->probe.method.name = "add";
}

static json_t *parsed(struct bench *b)
{
	json_t *o = json_loads(taken(b), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

	assert_non_null(o);
	return o;
}

/* @n bytes of "L", @c again and again, ";" at @p. Return: where it ends. */
static char *put_type(char *p, char c, size_t n)
{
	*p++ = 'L';
	memset(p, c, n);
	p += n;
	*p++ = ';';
	return p;
}

/*
 * A line has at most 1 MiB, whatever a class file may hold: 65535 bytes for each name, and texts
 * that take six times their length; then it says that it is cut. It does not take a second look at
 * a method's next call to be so again, and what is short is whole.
 */
static void encoder_longest_line(void **state)
{
	enum { LONG = 65535, TYPES = 250, TYPE = 258 };
	struct bench *b = *state;
	char *name = malloc(LONG + 1), *desc = malloc(LONG + 1), *p = desc;
	struct value *v = calloc(TYPES, sizeof(*v));
	struct event ev = {.kind = EVENT_CALL,
			   .ts_ns = 1,
			   .pid = 7,
			   .call = {.probe = &b->probe, .thread = "1", .values = v}};
	struct encoder *const forms[] = {b->json, b->text};

	assert_true(name && desc && v);
	memset(name, 1, LONG);
	name[LONG] = '\0';
	*p++ = '(';
	for (int i = 0; i < TYPES; i++)
		p = put_type(p, 1, TYPE);
	strcpy(p, ")V");
	set_captures(b, desc, true);
	for (int i = 0; i < TYPES; i++) {
		struct value_ref *ref = &v[i].ref;

		v[i] = (struct value){.tag = 'L', .type = capture_arg(b->probe.captures, i)->type};
		if (i >= HP_REFS_MAX)
			v[i].error = "too many objects in one call";
		*ref = (struct value_ref){.addr = 0x10, .known = true, .klass = name};
		ref->has_text = i < HP_TEXTS_MAX;
		ref->text = (struct event_text){.s = (const uint8_t *)name, .len = HP_TEXT_MAX};
		ref->array_len = HP_TEXT_MAX;
	}
	b->probe.method.klass = b->probe.method.name = name;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		for (int again = 0; again < 2; again++) {
			encoder_event(forms[i], &ev);
			assert_true(b->out.len <= ENCODER_LINE_MAX && b->out.len > 4096);
			assert_null(b->probe.head);
			if (forms[i] == b->json) {
				json_t *o = parsed(b);

				assert_true(json_is_true(json_object_get(o, "cut")));
				assert_int_equal(json_string_length(json_object_get(o, "name")),
						 ENCODER_TEXT_CUT);
				assert_int_equal(json_array_size(json_object_get(o, "args")),
						 TYPES);
				json_decref(o);
			} else {
				assert_non_null(strstr(taken(b), "\\x01...."));
			}
		}
	ev = (struct event){
		.kind = EVENT_METHOD,
		.method = {.method = &b->probe.method, .kind = "c1", .state = "in_use"}};
	encoder_event(b->json, &ev);
	assert_true(b->out.len <= ENCODER_LINE_MAX);
	json_decref(parsed(b));
	b->probe.method.klass = "com.shop.Cart";
	b->probe.method.name = "add";
	encoder_event(b->json, &ev);
	assert_null(strstr(taken(b), "\"cut\""));
	set_captures(b, "()V", true);
	free(name);
	free(desc);
	free(v);
}

static void encoder_attached(void **state)
{
	struct bench *b = *state;
	const char *waiting[] = {"com.shop.Later.*", "a.b"};
	struct event ev = {.kind = EVENT_ATTACHED,
			   .ts_ns = 5,
			   .pid = 4711,
			   .attached = {.methods = 7,
					.sites = 2,
					.unprobed = {{4, "all slots"}, {1, "\"x"}},
					.nunprobed = 2,
					.waiting = waiting,
					.nwaiting = 2,
					.via = "ptrace",
					.source = "symbols"}};

	check(b, &ev,
	      "{\"event\":\"attached\",\"ts\":5,\"pid\":4711,\"methods\":7,\"sites\":2,"
	      "\"waiting\":[\"com.shop.Later.*\",\"a.b\"],\"unprobed\":{\"all slots\":4,"
	      "\"\\\"x\":1},\"via\":\"ptrace\",\"source\":\"symbols\"}\n",
	      "!hotprobe: attached to PID 4711: 2 of 7 compiled bodies probed\n");
	ev.attached.methods = ev.attached.sites = 0;
	ev.attached.nunprobed = 0;
	check(b, &ev,
	      "{\"event\":\"attached\",\"ts\":5,\"pid\":4711,\"methods\":0,\"sites\":0,"
	      "\"waiting\":[\"com.shop.Later.*\",\"a.b\"],\"unprobed\":{},\"via\":\"ptrace\","
	      "\"source\":\"symbols\"}\n",
	      "!hotprobe: attached to PID 4711: 0 compiled bodies probed: waiting for "
	      "'com.shop.Later.*', 'a.b'\n");
	ev.pid = 0;
	ev.attached = (struct attached_event){.binary = "/bin/\x1bx",
					      .methods = 6,
					      .sites = 6,
					      .via = "uprobe",
					      .diverted = 1,
					      .emulated = 2,
					      .stepped = 3};
	check(b, &ev,
	      "{\"event\":\"attached\",\"ts\":5,\"pid\":null,\"kind\":\"native-image\","
	      "\"binary\":\"/bin/\\u001bx\",\"methods\":6,\"sites\":6,\"waiting\":[],"
	      "\"unprobed\":{},\"via\":\"uprobe\",\"diverted\":1,\"emulated\":2,\"stepped\":3}\n",
	      "!hotprobe: attached to /bin/\\x1bx: 6 methods probed\n");
}

/* What is seen of a method, and of a SPEC that means many or none; a person reads it as a note. */
static void encoder_coverage_of(void **state)
{
	struct bench *b = *state;
	struct event ev = {.kind = EVENT_COVERAGE,
			   .ts_ns = 5,
			   .pid = 7,
			   .coverage = {.spec = "a.b",
					.method = "a.b(int)",
					.state = COVERAGE_PARTLY,
					.why = "because",
					.levels = 1u << 3 | 1u << 4,
					.nholders = 5,
					.holders = {"x.y()", "x.z()", "\"q"}}};

	check(b, &ev,
	      "{\"event\":\"coverage\",\"ts\":5,\"pid\":7,\"spec\":\"a.b\",\"method\":\"a.b(int)\","
	      "\"state\":\"seen in part\",\"compiled\":[3,4],\"interpreted\":false,"
	      "\"inlined_into\":[\"x.y()\",\"x.z()\",\"\\\"q\"],\"inlined_count\":5,\"complete\":false,"
	      "\"why\":\"because\",\"did_you_mean\":null}\n",
	      "");
	ev.coverage.nholders = 0;
	ev.coverage.levels = 0;
	ev.coverage.interpreted = true;
	ev.coverage.state = COVERAGE_NOT_YET;
	check(b, &ev,
	      "{\"event\":\"coverage\",\"ts\":5,\"pid\":7,\"spec\":\"a.b\",\"method\":\"a.b(int)\","
	      "\"state\":\"not yet\",\"compiled\":[],\"interpreted\":true,\"inlined_into\":null,"
	      "\"complete\":false,\"why\":\"because\",\"did_you_mean\":null}\n",
	      "");
	ev.coverage.holders_known = true;
	ev.coverage.state = COVERAGE_SEEN;
	check(b, &ev,
	      "{\"event\":\"coverage\",\"ts\":5,\"pid\":7,\"spec\":\"a.b\",\"method\":\"a.b(int)\","
	      "\"state\":\"seen\",\"compiled\":[],\"interpreted\":true,\"inlined_into\":[],"
	      "\"inlined_count\":0,\"complete\":true,\"why\":\"because\",\"did_you_mean\":null}\n",
	      "");
	ev.coverage = (struct coverage_event){.spec = "a.b",
					      .state = COVERAGE_NEVER,
					      .why = "wrong",
					      .mean = "a.c",
					      .methods = 3,
					      .counts = {1, 0, 0, 0, 2}};
	check(b, &ev,
	      "{\"event\":\"coverage\",\"ts\":5,\"pid\":7,\"spec\":\"a.b\",\"method\":null,"
	      "\"state\":\"never\",\"methods\":3,\"counts\":{\"seen\":1,\"seen in part\":0,"
	      "\"not seen this way\":0,\"not yet\":0,\"never\":2},\"complete\":false,\"why\":\"wrong\","
	      "\"did_you_mean\":\"a.c\"}\n",
	      "");
}

static void encoder_changes(void **state)
{
	struct bench *b = *state;
	struct event ev = {.kind = EVENT_PROBED,
			   .ts_ns = 5,
			   .pid = 7,
			   .change = {.probe = &b->probe, .why = "compiled"}};

	set_captures(b, "()V", false);
	check(b, &ev,
	      "{\"event\":\"probed\",\"ts\":5,\"pid\":7,\"method\":\"com.shop.Cart.add()\","
	      "\"class\":\"com.shop.Cart\",\"name\":\"add\",\"descriptor\":\"()V\",\"level\":4,"
	      "\"compile_id\":196,\"entry\":\"0x7f10\",\"why\":\"compiled\"}\n",
	      "!hotprobe: PID 7: probed com.shop.Cart.add() (level 4): compiled\n");
	ev.kind = EVENT_UNPROBED;
	ev.change.why = "retired";
	check(b, &ev,
	      "{\"event\":\"unprobed\",\"ts\":5,\"pid\":7,\"method\":\"com.shop.Cart.add()\","
	      "\"class\":\"com.shop.Cart\",\"name\":\"add\",\"descriptor\":\"()V\",\"level\":4,"
	      "\"compile_id\":196,\"entry\":\"0x7f10\",\"why\":\"retired\"}\n",
	      "!hotprobe: PID 7: unprobed com.shop.Cart.add() (level 4): retired\n");
}

/* A burst of changes is ten lines as text, and one with the number of the others. */
static void encoder_many_changes(void **state)
{
	struct bench *b = *state;
	struct event ev = {.ts_ns = 9 * NSEC_PER_SEC,
			   .pid = 7,
			   .change = {.probe = &b->probe, .why = "compiled"}};
	size_t lines = 0;

	for (int i = 0; i < 1000; i++) {
		ev.kind = i % 4 ? EVENT_PROBED : EVENT_UNPROBED;
		encoder_event(b->text, &ev);
	}
	for (const char *at = taken(b); (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 10);
	ev.ts_ns += NSEC_PER_SEC;
	encoder_event(b->text, &ev);
	assert_non_null(strstr(taken(b), "!hotprobe: PID 7: 743 more methods were probed and 247 "
					 "unprobed (--json names all)\n!hotprobe: PID 7: probed "));
	for (int i = 0; i < 10; i++)
		encoder_event(b->text, &ev);
	assert_null(strstr(taken(b), "more methods"));
	ev = (struct event){.kind = EVENT_DETACHED, .pid = 7, .detached = {.reason = "count"}};
	encoder_event(b->text, &ev);
	assert_non_null(strstr(taken(b), "PID 7: 1 more methods were probed and 0 unprobed"));
}

/* A count is one object; as text a table, in which many methods without a call are one line. */
static void encoder_counts(void **state)
{
	struct bench *b = *state;
	const struct method m = {
		.klass = "a.B\x1b", .name = "c", .desc = "(I[Ljava/lang/Object;)V"};
	struct event ev = {.kind = EVENT_STAT,
			   .ts_ns = 5,
			   .pid = 7,
			   .stat = {.method = &m,
				    .interval_ns = 2 * NSEC_PER_SEC,
				    .count = 5,
				    .total = 9,
				    .n = 3}};

	setenv("TZ", "UTC", 1);
	tzset();
	check(b, &ev,
	      "{\"event\":\"stat\",\"ts\":5,\"pid\":7,\"interval\":2000000000,"
	      "\"method\":\"a.B\\u001b.c(int, java.lang.Object[])\",\"class\":\"a.B\\u001b\","
	      "\"name\":\"c\",\"descriptor\":\"(I[Ljava/lang/Object;)V\",\"count\":5,"
	      "\"total\":9,\"rate\":2.5,\"final\":false}\n",
	      ">00:00:00.000000       CALLS      CALLS/S          TOTAL  METHOD\n"
	      ">                          5          2.5              9  "
	      "a.B\\x1b.c(int, java.lang.Object[])\n");
	ev.stat.final = true;
	ev.stat.index = 1;
	ev.stat.count = ev.stat.total = 0;
	ev.stat.idle = 2;
	encoder_event(b->text, &ev);
	assert_string_equal(taken(b), ">           0          0.0  a.B\\x1b.c(int, "
				      "java.lang.Object[])\n");
	ev.stat.n = 30;
	ev.stat.idle = 29;
	encoder_event(b->text, &ev);
	assert_string_equal(taken(b), "");
	ev.stat.index = 29;
	encoder_event(b->text, &ev);
	assert_string_equal(taken(b), ">           0          0.0  (29 methods without a call)\n");
}

static void encoder_lost_and_detached(void **state)
{
	struct bench *b = *state;
	struct event ev = {.kind = EVENT_LOST,
			   .ts_ns = 5,
			   .pid = 7,
			   .lost = {.count = 17, .where = "ringbuf"}};

	check(b, &ev,
	      "{\"event\":\"lost\",\"ts\":5,\"pid\":7,\"count\":17,\"where\":\"ringbuf\"}\n",
	      "!hotprobe: warning: 17 calls were lost: they came faster than they are printed (a "
	      "larger --ring-size bridges bursts)\n");
	/* The next few seconds' are told together. */
	ev.ts_ns += NSEC_PER_SEC;
	encoder_event(b->text, &ev);
	assert_string_equal(taken(b), "");
	ev.ts_ns += 5 * NSEC_PER_SEC;
	encoder_event(b->text, &ev);
	assert_non_null(strstr(taken(b), "warning: 34 calls were lost"));
	ev = (struct event){
		.kind = EVENT_DETACHED,
		.ts_ns = 5,
		.pid = 7,
		.detached = {
			.events = 12, .hits = 15, .lost = 3, .restored = true, .reason = "count"}};
	check(b, &ev,
	      "{\"event\":\"detached\",\"ts\":5,\"pid\":7,\"events\":12,\"hits\":15,\"lost\":3,"
	      "\"restored\":true,\"reason\":\"count\"}\n",
	      "!hotprobe: detached from PID 7 (count): 12 calls, 3 lost\n");
	ev.pid = 0;
	ev.detached = (struct detached_event){.hits = 15, .reason = "interrupted"};
	check(b, &ev,
	      "{\"event\":\"detached\",\"ts\":5,\"pid\":null,\"events\":0,\"hits\":15,\"lost\":0,"
	      "\"restored\":false,\"reason\":\"interrupted\"}\n",
	      "!hotprobe: detached from all processes (interrupted): 0 calls shown, 15 counted\n");
}

/* --- methods and answers ---------------------------------------------------------------------- */

static void encoder_methods(void **state)
{
	struct bench *b = *state;
	const struct method m = {.klass = "com.shop.Cart",
				 .name = "add",
				 .desc = "()V",
				 .symbol = "",
				 .begin = 0x7f00,
				 .end = 0x7f80,
				 .entry = 0x7f10};
	struct event ev = {.kind = EVENT_METHOD,
			   .method = {.method = &m,
				      .kind = "c2",
				      .state = "in_use",
				      .level = 4,
				      .compile_id = 84}};

	check(b, &ev,
	      "{\"entry\":\"0x7f10\",\"begin\":\"0x7f00\",\"end\":\"0x7f80\",\"size\":128,"
	      "\"level\":4,\"compile_id\":84,\"kind\":\"c2\",\"state\":\"in_use\",\"osr\":false,"
	      "\"class\":\"com.shop.Cart\",\"name\":\"add\",\"descriptor\":\"()V\"}\n",
	      ">7f10             7f80                 128  4 c2         84  in_use          "
	      "com.shop.Cart.add()V\n");
	ev.kind = EVENT_RETIRED;
	ev.ts_ns = 5;
	ev.method.state = "not_entrant";
	ev.method.osr = true;
	check(b, &ev,
	      "{\"event\":\"retired\",\"ts\":5,\"entry\":\"0x7f10\",\"begin\":\"0x7f00\","
	      "\"end\":\"0x7f80\",\"size\":128,\"level\":4,\"compile_id\":84,\"kind\":\"c2\","
	      "\"state\":\"not_entrant\",\"osr\":true,\"class\":\"com.shop.Cart\","
	      "\"name\":\"add\",\"descriptor\":\"()V\"}\n",
	      ">retired   7f10             7f80                 128  4 c2         84  "
	      "not_entrant osr com.shop.Cart.add()V\n");
}

/* Where a person looks, columns have names, once; JSON has none. */
static void encoder_methods_header(void **state)
{
	struct bench *b = *state;
	const struct encoder_options opt = {.header = true};
	struct encoder *e = encoder_new("text", &opt, &b->out);
	struct encoder *json = encoder_new("json", &opt, &b->out);
	const struct image_method_event image = {.overloads = 1};
	struct event ev = {.kind = EVENT_METHOD,
			   .method = {.method = &b->probe.method, .kind = "c1", .state = "in_use"}};

	assert_non_null(e);
	encoder_event(e, &ev);
	encoder_event(e, &ev);
	assert_string_equal(
		taken(b),
		">ENTRY            END                 SIZE  L KIND       ID  STATE       OSR METHOD\n"
		">7f10             0                      0  0 c1          0  in_use          com.shop.Cart.add(ILjava/lang/String;)V\n"
		">7f10             0                      0  0 c1          0  in_use          com.shop.Cart.add(ILjava/lang/String;)V\n");
	encoder_event(json, &ev);
	assert_int_equal(taken(b)[0], '{');
	encoder_free(e);
	e = encoder_new("text", &opt, &b->out);
	ev.method.image = &image;
	encoder_event(e, &ev);
	assert_memory_equal(taken(b), ">ENTRY            END                 SIZE  METHOD\n", 50);
	encoder_free(e);
	encoder_free(json);
}

static void encoder_image_methods(void **state)
{
	static const uint32_t returns[] = {1, 20}, exits[] = {1, 18};
	struct bench *b = *state;
	const struct method m = {.klass = "String",
				 .name = "<init>",
				 .desc = "",
				 .symbol = "",
				 .begin = 0x10,
				 .end = 0x50,
				 .entry = 0x10};
	struct image_method_event im = {.has_offset = true,
					.has_code = true,
					.offset = 0xcf,
					.returns = returns,
					.exits = exits,
					.nreturns = 2,
					.overloads = 8};
	const struct event ev = {
		.kind = EVENT_METHOD,
		.method = {.method = &m, .kind = "native-image", .state = "in_use", .image = &im}};

	check(b, &ev,
	      "{\"entry\":\"0x10\",\"begin\":\"0x10\",\"end\":\"0x50\",\"size\":64,\"level\":0,"
	      "\"compile_id\":0,\"kind\":\"native-image\",\"state\":\"in_use\",\"osr\":false,"
	      "\"class\":\"String\",\"name\":\"<init>\",\"descriptor\":null,\"symbol\":null,"
	      "\"offset\":\"0xcf\",\"returns\":[1,20],\"exits\":[1,18],\"overloads\":8,"
	      "\"c_entry\":false}\n",
	      ">10               50                    64  String.<init>  (1 of 8)\n");
	im = (struct image_method_event){.has_offset = true, .has_code = true, .c_entry = true};
	encoder_event(b->json, &ev);
	assert_non_null(strstr(taken(b), "\"offset\":\"0x0\",\"returns\":null,\"exits\":null,"
					 "\"overloads\":0,\"c_entry\":true}\n"));
	im.returns = im.exits = returns; /* understood: it never returns */
	encoder_event(b->json, &ev);
	assert_non_null(strstr(taken(b), "\"returns\":[],\"exits\":[],"));
}

static void encoder_answers(void **state)
{
	struct bench *b = *state;
	struct event ev = {.kind = EVENT_JVM,
			   .pid = 1412,
			   .jvm = {.uid = 1000,
				   .user = "shop",
				   .java_version = "17.0.21",
				   .vm = "OpenJDK",
				   .gc = "G1",
				   .kind = "hotspot",
				   .main = "com.shop.Shop"}};

	check(b, &ev,
	      "{\"item\":{\"pid\":1412,\"uid\":1000,\"user\":\"shop\",\"java_version\":\"17.0.21\","
	      "\"vm\":\"OpenJDK\",\"gc\":\"G1\",\"kind\":\"hotspot\",\"main\":\"com.shop.Shop\","
	      "\"probeable\":true,\"reason\":null}}\n",
	      ">     PID  USER       JDK                          GC          KIND         MAIN\n"
	      ">    1412  shop       17.0.21                      G1          hotspot      "
	      "com.shop.Shop\n");
	ev.jvm = (struct jvm_event){
		.kind = "openj9", .main = "\xff\x1b", .main_cut = true, .reason = "no \"way\""};
	check(b, &ev,
	      "{\"item\":{\"pid\":1412,\"uid\":0,\"user\":null,\"java_version\":null,\"vm\":null,"
	      "\"gc\":null,\"kind\":\"openj9\",\"main\":\"\xef\xbf\xbd\\u001b\",\"main_truncated\":true,"
	      "\"probeable\":false,\"reason\":\"no \\\"way\\\"\",\"replaced\":1}}\n",
	      ">    1412  ?          -                            -           openj9       "
	      "\xef\xbf\xbd\\x1b...\n>          not probeable: no \"way\"\n");
	ev = (struct event){
		.kind = EVENT_CHECK,
		.check = {.what = "uprobes", .result = CHECK_DEGRADED, .detail = "why"}};
	check(b, &ev,
	      "{\"item\":{\"check\":\"uprobes\",\"result\":\"degraded\",\"detail\":\"why\"}}\n",
	      ">degraded  uprobes            why\n");
	ev = (struct event){
		.kind = EVENT_CLEANED, .pid = 7, .cleaned = {.removed = true, .sites = 3}};
	check(b, &ev, "{\"item\":{\"pid\":7,\"removed\":true,\"sites\":3}}\n",
	      ">PID 7: removed the slot region and restored 3 methods\n");
	ev.cleaned = (struct cleaned_event){0};
	check(b, &ev, "{\"item\":{\"pid\":7,\"removed\":false,\"sites\":0}}\n",
	      ">PID 7: nothing was left\n");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_open, bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(encoder_new_knows_its_forms),
		TEST(encoder_primitives),
		TEST(encoder_strings),
		TEST(encoder_objects),
		TEST(encoder_call),
		TEST(encoder_call_raw),
		TEST(encoder_thread_names),
		TEST(encoder_odd_names),
		TEST(encoder_longest_line),
		TEST(encoder_attached),
		TEST(encoder_coverage_of),
		TEST(encoder_changes),
		TEST(encoder_many_changes),
		TEST(encoder_counts),
		TEST(encoder_lost_and_detached),
		TEST(encoder_methods),
		TEST(encoder_methods_header),
		TEST(encoder_image_methods),
		TEST(encoder_answers),
	};

	return cmocka_run_group_tests_name("encoder", tests, NULL, NULL);
}
