/* SPDX-License-Identifier: MIT */
/*
 * vm.c - the VM's phase, and our threads in it.
 *
 * Threads of ours are attached for one piece of work at a time: while nobody asks for anything no
 * Java thread of ours exists. HotSpot unblocks the signals it needs when a thread is attached and
 * puts the mask back when it is detached (src/hotspot/os/linux/os_linux.cpp of 17 to 25:
 * create_attached_thread(), free_thread()).
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "agent.h"
#include "clock.h"
#include "vm.h"

#define LEAVE_STEP_MS 1

static struct {
	pthread_mutex_t lock;
	jvmtiPhase phase; /* as our events tell it: GetPhase wants an attached thread */
	int inside;	  /* vm_begin() without its vm_end() */
} vm = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.phase = JVMTI_PHASE_ONLOAD,
};

/*
 * Those of our two threads that are Java threads now. No thread-local variable: it would take
 * static TLS of the process, or need ld.so's help.
 */
static atomic_ulong attached[2];

static void attached_change(unsigned long from, unsigned long to)
{
	for (size_t i = 0; i < ARRAY_SIZE(attached); i++)
		if (atomic_compare_exchange_strong(&attached[i], &(unsigned long){from}, to))
			return;
}

static jvmtiPhase vm_enter(void)
{
	jvmtiPhase phase;

	pthread_mutex_lock(&vm.lock);
	phase = vm.phase;
	vm.inside += phase != JVMTI_PHASE_DEAD;
	pthread_mutex_unlock(&vm.lock);
	return phase;
}

int vm_begin(void)
{
	return vm_enter() == JVMTI_PHASE_DEAD ? -ESRCH : 0;
}

void vm_end(void)
{
	pthread_mutex_lock(&vm.lock);
	vm.inside--;
	pthread_mutex_unlock(&vm.lock);
}

int vm_attach(const char *name, JNIEnv **ret)
{
	JavaVMAttachArgs args = {.version = JNI_VERSION_1_8, .name = (char *)name};
	jvmtiPhase phase = vm_enter();

	if (phase == JVMTI_PHASE_DEAD)
		return -ESRCH;
	attached_change(0, pthread_self());
	if (phase == JVMTI_PHASE_LIVE &&
	    !(*agent.vm)->AttachCurrentThreadAsDaemon(agent.vm, (void **)ret, &args))
		return 0;
	attached_change(pthread_self(), 0);
	vm_end();
	return -EAGAIN;
}

void vm_detach(void)
{
	(*agent.vm)->DetachCurrentThread(agent.vm);
	attached_change(pthread_self(), 0);
	vm_end();
}

bool vm_attached(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(attached); i++)
		if (atomic_load(&attached[i]) == pthread_self())
			return true;
	return false;
}

jvmtiPhase vm_phase(void)
{
	jvmtiPhase phase;

	pthread_mutex_lock(&vm.lock);
	phase = vm.phase;
	pthread_mutex_unlock(&vm.lock);
	return phase;
}

void vm_set_phase(jvmtiPhase phase)
{
	pthread_mutex_lock(&vm.lock);
	if (vm.phase != JVMTI_PHASE_DEAD)
		vm.phase = phase;
	pthread_mutex_unlock(&vm.lock);
}

static bool vm_in_use(void)
{
	bool in_use;

	pthread_mutex_lock(&vm.lock);
	in_use = vm.inside;
	pthread_mutex_unlock(&vm.lock);
	return in_use;
}

/* A condition variable that waits by the monotonic clock would take glibc 2.30. */
void vm_set_dead(int timeout_ms)
{
	uint64_t until = clock_ms() + (uint64_t)timeout_ms;

	vm_set_phase(JVMTI_PHASE_DEAD);
	while (vm_in_use() && clock_ms() < until)
		poll(NULL, 0, LEAVE_STEP_MS);
}
