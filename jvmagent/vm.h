/* SPDX-License-Identifier: MIT */
/*
 * vm.h - may the VM be called now? Only between VMInit and VMDeath, and its death waits a moment
 * for a call under way.
 */
#ifndef HP_AGENT_VM_H
#define HP_AGENT_VM_H

#include <jvmti.h>
#include <stdbool.h>

/**
 * vm_begin() / vm_end() - around all that must not go on while the VM dies; bounded work only.
 * Return: 0; -ESRCH after the VM's death, and then no vm_end().
 */
int vm_begin(void);
void vm_end(void);

/**
 * vm_attach() / vm_detach() - vm_begin(), and make the calling thread a Java daemon thread.
 * Return: 0; -EAGAIN before the VM is initialised or if it refuses; -ESRCH after its death.
 */
int vm_attach(const char *name, JNIEnv **ret);
void vm_detach(void);

/** vm_attached() - is this a thread of ours between vm_attach() and vm_detach()? */
bool vm_attached(void);

/** vm_phase() - ONLOAD, START, LIVE or DEAD, as vm_set_phase() had it last. */
jvmtiPhase vm_phase(void);
void vm_set_phase(jvmtiPhase phase);

/** vm_set_dead() - make later vm_begin() fail; wait at most @timeout_ms for calls under way. */
void vm_set_dead(int timeout_ms);

#endif
