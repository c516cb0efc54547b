/* SPDX-License-Identifier: MIT */
/*
 * vm.c - may the VM be called now? Only between VMInit and VMDeath, and its death waits a moment
 * for a call under way.
 *
 * Threads of ours are attached for one piece of work at a time: while nobody asks for anything no
 * Java thread of ours exists. HotSpot unblocks the signals it needs when a thread is attached and
 * puts the mask back when it is detached (src/hotspot/os/linux/os_linux.cpp of 17 to 25:
 * create_attached_thread(), free_thread()).
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "agent.h"

enum vm_state { VM_EARLY, VM_LIVE, VM_DEAD };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t left;
	enum vm_state state;
	int inside; /* vm_begin() without its vm_end() */
} vm = {.lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};

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

static enum vm_state vm_enter(void)
{
	enum vm_state state;

	pthread_mutex_lock(&vm.lock);
	state = vm.state;
	vm.inside += state != VM_DEAD;
	pthread_mutex_unlock(&vm.lock);
	return state;
}

int vm_begin(void)
{
	return vm_enter() == VM_DEAD ? -ESRCH : 0;
}

void vm_end(void)
{
	pthread_mutex_lock(&vm.lock);
	vm.inside--;
	pthread_cond_broadcast(&vm.left);
	pthread_mutex_unlock(&vm.lock);
}

int vm_attach(const char *name, JNIEnv **ret)
{
	JavaVMAttachArgs args = {.version = JNI_VERSION_1_8, .name = (char *)name};
	enum vm_state state = vm_enter();

	if (state == VM_DEAD)
		return -ESRCH;
	attached_change(0, pthread_self());
	if (state == VM_LIVE &&
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

static enum vm_state vm_state(void)
{
	enum vm_state state;

	pthread_mutex_lock(&vm.lock);
	state = vm.state;
	pthread_mutex_unlock(&vm.lock);
	return state;
}

bool vm_is_live(void)
{
	return vm_state() == VM_LIVE;
}

bool vm_is_dead(void)
{
	return vm_state() == VM_DEAD;
}

void vm_set_live(void)
{
	pthread_mutex_lock(&vm.lock);
	if (vm.state == VM_EARLY)
		vm.state = VM_LIVE;
	pthread_mutex_unlock(&vm.lock);
}

void vm_set_dead(int timeout_ms)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&vm.lock);
	vm.state = VM_DEAD;
	while (vm.inside && !err)
		err = pthread_cond_clockwait(&vm.left, &vm.lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&vm.lock);
}
