/* SPDX-License-Identifier: MIT */
/*
 * callbacks.c - JVMTI's events become lines (docs/protocol.md, "The agent").
 *
 * Nothing but VMStart, VMInit and VMDeath is enabled before the VM lives and somebody listens: what
 * came before is replayed. So no callback that names a method runs without JNI. The traps are
 * listed in docs/hotspot.md, "JVMTI".
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/types.h>

#include "agent.h"
#include "callbacks.h"
#include "fds.h"
#include "inlined.h"
#include "launch.h"
#include "line.h"
#include "names.h"
#include "vm.h"
#include "wire.h"

#define DEATH_WAIT_MS  500 /* for a call into the VM under way */
#define DEATH_FLUSH_MS 500 /* for readers that lag behind */

static jfieldID thread_tid; /* java.lang.Thread.tid */

/* --- the parts of a line --- */

static void line_code(struct text *t, const void *addr, jint size)
{
	text_str(t, ",\"address\":");
	text_hex(t, (uintptr_t)addr);
	text_str(t, ",\"size\":");
	text_i64(t, size);
}

static void line_end(struct text *t)
{
	if (t->replaced) {
		text_str(t, ",\"replaced\":");
		text_u64(t, t->replaced);
	}
	if (t->cut)
		text_str(t, ",\"cut\":true");
	if (sender_replaying())
		text_str(t, ",\"replay\":true");
	text_str(t, "}\n");
}

static void line_send(struct text *t)
{
	line_end(t);
	if (!sender_replay_line(t))
		sender_line(t);
	text_fini(t);
}

static void hello(struct text *t)
{
	line_begin(t, "jvm");
	text_str(t, ",\"format\":1,\"agent\":");
	text_u64(t, HP_AGENT_VERSION);
	text_str(t, ",\"pid\":");
	text_u64(t, (uint64_t)getpid());
	text_str(t, ",\"jdk\":");
	text_name(t, agent.release);
	text_str(t, ",\"vm\":");
	text_name(t, agent.vm_name);
	text_str(t, "}\n");
}

/* --- code --- */

static JNIEnv *jni_here(void)
{
	JNIEnv *jni = NULL;

	return (*agent.vm)->GetEnv(agent.vm, (void **)&jni, JNI_VERSION_1_8) ? NULL : jni;
}

/* The level is not known here: neither JVMTI nor the inlining records tell it. */
static void JNICALL on_compiled(jvmtiEnv *ti _unused_, jmethodID method, jint size,
				const void *code, jint map_len _unused_,
				const jvmtiAddrLocationMap *map _unused_, const void *info)
{
	JNIEnv *jni = jni_here();
	struct text t = {0};
	struct names n;

	if (!jni || fds_forked())
		return;
	names_get(&n, jni, method);
	line_begin(&t, "compiled");
	line_code(&t, code, size);
	text_str(&t, ",\"class\":");
	text_class(&t, n.class_signature);
	text_str(&t, ",\"name\":");
	text_name(&t, n.name);
	text_str(&t, ",\"descriptor\":");
	text_name(&t, n.descriptor);
	text_str(&t, ",\"level\":null");
	inlined_write(&t, jni, method, code, size, info);
	names_free(&n);
	line_send(&t);
}

/* The method may be gone with its class: its id must not be used. */
static void JNICALL on_unloaded(jvmtiEnv *ti _unused_, jmethodID method _unused_, const void *code)
{
	struct text t = {0};

	line_begin(&t, "unloaded");
	text_str(&t, ",\"address\":");
	text_hex(&t, (uintptr_t)code);
	line_send(&t);
}

static void JNICALL on_dynamic(jvmtiEnv *ti _unused_, const char *name, const void *code, jint size)
{
	struct text t = {0};

	line_begin(&t, "dynamic");
	line_code(&t, code, size);
	text_str(&t, ",\"name\":");
	text_name(&t, name);
	line_send(&t);
}

/* --- threads --- */

static void write_thread_name(struct text *t, JNIEnv *jni, jthread thread)
{
	jvmtiThreadInfo info;

	if ((*agent.ti)->GetThreadInfo(agent.ti, thread, &info))
		info = (jvmtiThreadInfo){0};
	text_str(t, ",\"name\":");
	text_name(t, info.name);
	(*agent.ti)->Deallocate(agent.ti, (unsigned char *)info.name);
	(*jni)->DeleteLocalRef(jni, info.thread_group);
	(*jni)->DeleteLocalRef(jni, info.context_class_loader);
}

/* Both come on the thread itself, so its number is at hand. */
static void thread_line(const char *event, JNIEnv *jni, jthread thread)
{
	struct text t = {0};

	if (vm_attached())
		return;
	line_begin(&t, event);
	text_str(&t, ",\"tid\":");
	text_u64(&t, (uint64_t)syscall(SYS_gettid));
	text_str(&t, ",\"java_tid\":");
	if (thread_tid)
		text_i64(&t, (*jni)->GetLongField(jni, thread, thread_tid));
	else
		text_str(&t, "null");
	write_thread_name(&t, jni, thread);
	line_send(&t);
}

static void JNICALL on_thread_start(jvmtiEnv *ti _unused_, JNIEnv *jni, jthread thread)
{
	thread_line("thread_start", jni, thread);
}

static void JNICALL on_thread_end(jvmtiEnv *ti _unused_, JNIEnv *jni, jthread thread)
{
	thread_line("thread_end", jni, thread);
}

/* A field of java.lang.Thread in all of 17 to 25; getId() may be overridden. */
static void thread_tid_find(JNIEnv *jni)
{
	jclass class = (*jni)->FindClass(jni, "java/lang/Thread");

	if (class)
		thread_tid = (*jni)->GetFieldID(jni, class, "tid", "J");
	(*jni)->ExceptionClear(jni);
	(*jni)->DeleteLocalRef(jni, class);
}

/* --- the VM --- */

static void JNICALL on_vm_start(jvmtiEnv *ti _unused_, JNIEnv *jni _unused_)
{
	vm_set_phase(JVMTI_PHASE_START);
	launch_hold();
}

static void JNICALL on_vm_init(jvmtiEnv *ti _unused_, JNIEnv *jni _unused_, jthread thread _unused_)
{
	vm_set_phase(JVMTI_PHASE_LIVE);
	sender_wake();
}

static void JNICALL on_vm_death(jvmtiEnv *ti _unused_, JNIEnv *jni _unused_)
{
	struct text t = {0};

	if (fds_forked())
		return;
	line_begin(&t, "vm_death");
	line_end(&t);
	sender_end(&t);
	text_fini(&t);
	vm_set_dead(DEATH_WAIT_MS);
	sender_flush(DEATH_FLUSH_MS);
}

/* --- on and off --- */

static int mode_set(jvmtiEventMode mode, jvmtiEvent event)
{
	return (*agent.ti)->SetEventNotificationMode(agent.ti, mode, event, NULL);
}

static void enable(JNIEnv *jni, bool on)
{
	static const jvmtiEvent events[] = {JVMTI_EVENT_COMPILED_METHOD_LOAD,
					    JVMTI_EVENT_COMPILED_METHOD_UNLOAD,
					    JVMTI_EVENT_DYNAMIC_CODE_GENERATED,
					    JVMTI_EVENT_THREAD_START, JVMTI_EVENT_THREAD_END};

	if (!thread_tid)
		thread_tid_find(jni);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		mode_set(on ? JVMTI_ENABLE : JVMTI_DISABLE, events[i]);
}

static void replay(void)
{
	struct text t = {0};

	(*agent.ti)->GenerateEvents(agent.ti, JVMTI_EVENT_DYNAMIC_CODE_GENERATED);
	(*agent.ti)->GenerateEvents(agent.ti, JVMTI_EVENT_COMPILED_METHOD_LOAD);
	line_begin(&t, "replayed");
	text_str(&t, "}\n");
	sender_replay_line(&t);
	text_fini(&t);
}

int callbacks_prepare(void)
{
	const jvmtiCapabilities caps = {.can_generate_compiled_method_load_events = 1};
	const jvmtiEventCallbacks calls = {
		.VMStart = on_vm_start,
		.VMInit = on_vm_init,
		.VMDeath = on_vm_death,
		.CompiledMethodLoad = on_compiled,
		.CompiledMethodUnload = on_unloaded,
		.DynamicCodeGenerated = on_dynamic,
		.ThreadStart = on_thread_start,
		.ThreadEnd = on_thread_end,
	};

	if ((*agent.ti)->AddCapabilities(agent.ti, &caps) ||
	    (*agent.ti)->SetEventCallbacks(agent.ti, &calls, sizeof(calls)) ||
	    mode_set(JVMTI_ENABLE, JVMTI_EVENT_VM_START) ||
	    mode_set(JVMTI_ENABLE, JVMTI_EVENT_VM_INIT) ||
	    mode_set(JVMTI_ENABLE, JVMTI_EVENT_VM_DEATH))
		return -EOPNOTSUPP;
	return 0;
}

const struct sender_source callbacks_source = {
	.hello = hello,
	.enable = enable,
	.replay = replay,
};
