// SPDX-License-Identifier: MIT
/*
 * request_list.c - `list`: the JVMs on this machine.
 *
 * Everybody's processes are looked at, whatever they have made of themselves to keep us busy: so
 * each gets little of our time (base/budget.h), and all of one user's together not much more. And a
 * process may make a read wait for ever, by memory that a file system of its own has to provide:
 * only a signal that kills ends that. So a child of ours looks, which can be given up, and the next
 * one goes on behind the process where that happened.
 */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/budget.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/stop.h"
#include "engine/answer.h"
#include "proc/threads.h"

/* Of our CPU time for one process; a JVM takes some 5 ms. */
#define PROCESS_NS (300 * NSEC_PER_MSEC)
/* Of any time: a child that has not come any further, and does not run, waits for something. */
#define STUCK_NS (2 * NSEC_PER_SEC)
/* What a user's processes cost in all, counted where one takes more than a tenth of its own. */
#define USER_NS	  (6 * NSEC_PER_SEC)
#define USERS_MAX 64
#define POLL_MS	  20
/* A killed child ends at once, unless the kernel does not let it. */
#define BURY_MS 200

/* One JVM, flat: it crosses a socket. "" is not known. JVM_NONE: it could not be found out. */
struct found {
	pid_t pid;
	uid_t uid;
	enum jvm_kind kind;
	char user[64], gc[32];
	struct runtime_about about; /* but for its gc */
};

/* What the parent sees of the child at any time. */
struct progress {
	volatile size_t at;	     /* index of the process that is looked at */
	volatile uint64_t begun_ns;  /* since when */
	volatile bool is_jvm;	     /* @found is filled but for @about */
	volatile size_t left_out;    /* because of their user */
	volatile uid_t left_out_uid; /* the last of them */
	volatile int err;	     /* a shortage of ours (base/fail.h): others were passed over */
	struct found found;
	struct user {
		uid_t uid;
		uint64_t ns;
	} users[USERS_MAX];
	size_t nusers;
};

struct list {
	struct answer *a;
	struct progress *p; /* shared */
	pid_t *pids;
	size_t n;
};

/* --- in the child ----------------------------------------------------------------------------- */

/* With more users than have room, the last ones share theirs. */
static struct user *user_of(struct progress *p, uid_t uid)
{
	size_t i = 0;

	while (i < p->nusers && p->users[i].uid != uid)
		i++;
	if (i < USERS_MAX && i == p->nusers)
		p->users[p->nusers++] = (struct user){.uid = uid};
	return &p->users[MIN(i, (size_t)USERS_MAX - 1)];
}

static void describe(struct progress *p, const struct jvm_info *info, struct found *ret)
{
	const struct target_request t = {.pid = info->pid};

	*ret = (struct found){.pid = info->pid, .uid = info->uid, .kind = info->kind};
	snprintf(ret->user, sizeof(ret->user), "%s", info->user);
	snprintf(ret->about.program, sizeof(ret->about.program), "%s", info->main);
	p->found = *ret;
	p->is_jvm = true;
	runtime_find(&t)->describe(info, &ret->about);
	snprintf(ret->gc, sizeof(ret->gc), "%s", ret->about.gc ? ret->about.gc : "");
}

/* Processes that have ended, are not ours to see, or no JVMs, are passed over. */
static void look_at(struct progress *p, pid_t pid, int sock)
{
	struct jvm_info info;
	struct found found;
	struct budget b;
	int err;

	budget_begin(&b, PROCESS_NS);
	err = jvm_inspect(pid, &info);
	if (fail_is_shortage(err))
		p->err = err;
	if (!err && info.kind != JVM_NONE) {
		describe(p, &info, &found);
		send(sock, &found, sizeof(found), MSG_NOSIGNAL);
	}
	if (err == -E2BIG) {
		found = (struct found){.pid = pid, .kind = JVM_NONE};
		send(sock, &found, sizeof(found), MSG_NOSIGNAL);
	}
	if (!err)
		jvm_info_fini(&info);
	budget_end(&b);
}

static void look_at_all(const struct list *l, size_t from, int sock)
{
	struct progress *p = l->p;

	for (size_t i = from; i < l->n; i++) {
		struct user *user;
		uint64_t cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID), ns;
		uid_t uid;
		int err;

		p->is_jvm = false;
		p->begun_ns = clock_ns();
		p->at = i;
		err = jvm_uid(l->pids[i], &uid);
		if (fail_is_shortage(err))
			p->err = err;
		if (err)
			continue;
		user = user_of(p, uid);
		if (user->ns >= USER_NS) {
			p->left_out++;
			p->left_out_uid = uid;
			continue;
		}
		look_at(p, l->pids[i], sock);
		ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
		user->ns += ns > PROCESS_NS / 10 ? ns : 0;
	}
	p->at = l->n;
}

/* Return: its PID; -errno. @sock_ret: where it sends struct found, and which ends with it. */
static pid_t start_child(const struct list *l, size_t from, int *sock_ret)
{
	int sv[2];
	pid_t pid;

	l->p->begun_ns = clock_ns();
	l->p->at = from;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return -errno;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stop_set(NULL, NULL);
		log_set_sink(NULL, NULL);
		log_set_level(LOG_LVL_ERR);
		fds_keep(&sv[1], 1);
		look_at_all(l, from, sv[1]);
		_exit(0);
	}
	if (pid < 0) {
		pid = -errno;
		close(sv[0]);
	}
	close(sv[1]);
	*sock_ret = sv[0];
	return pid;
}

/* --- in the engine ---------------------------------------------------------------------------- */

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

static void tell(struct list *l, const struct found *f)
{
	const struct runtime_about *about = &f->about;

	if (f->kind == JVM_NONE) {
		log_pid(LOG_LVL_WARN, f->pid,
			"was not looked at: its mappings take more than %llu ms to read",
			PROCESS_NS / NSEC_PER_MSEC);
		return;
	}
	answer_event(l->a, &(struct event){.kind = EVENT_JVM,
					   .pid = f->pid,
					   .jvm = {.uid = f->uid,
						   .user = f->user,
						   .java_version = or_null(about->version),
						   .vm = or_null(about->vm),
						   .gc = or_null(f->gc),
						   .kind = jvm_kind_name(f->kind),
						   .main = about->program,
						   .main_cut = strlen(about->program) + 1 ==
							       sizeof(about->program),
						   .reason = or_null(about->reason)}});
}

/* Where a child was given up, or has died of what it read. */
static void tell_stuck(struct list *l)
{
	struct progress *p = l->p;
	pid_t pid = l->pids[MIN(p->at, l->n - 1)];

	user_of(p, p->is_jvm ? p->found.uid : (uid_t)-1)->ns += clock_ns() - p->begun_ns;
	if (!p->is_jvm) {
		log_pid(LOG_LVL_WARN, pid,
			"could not be looked at within %llu s: its memory or files do not answer",
			STUCK_NS / NSEC_PER_SEC);
		return;
	}
	snprintf(p->found.about.reason, sizeof(p->found.about.reason),
		 "PID %d: its memory could not be read within %llu s: it does not answer", pid,
		 STUCK_NS / NSEC_PER_SEC);
	tell(l, &p->found);
}

static void bury(pid_t child)
{
	kill(child, SIGKILL);
	for (int ms = 0; ms < BURY_MS && !waitpid(child, NULL, WNOHANG); ms++)
		usleep(1000);
}

/* Where others have the processors it may take long, and wait for nothing but those. */
static bool is_stuck(const struct list *l, pid_t child)
{
	struct thread_status st;

	return clock_ns() - l->p->begun_ns > STUCK_NS &&
	       (thread_read_status(child, child, &st) || st.state != 'R');
}

/* Until the child has ended or is stuck. Return: 0; -ECANCELED. */
static int serve_child(struct list *l, pid_t child, int sock)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};

	for (;;) {
		struct found f;
		ssize_t n;

		if (stop_asked())
			return -ECANCELED;
		if (poll(&p, 1, POLL_MS) > 0) {
			n = recv(sock, &f, sizeof(f), MSG_DONTWAIT);
			if (n == 0)
				return 0;
			if (n == sizeof(f))
				tell(l, &f);
		} else if (is_stuck(l, child)) {
			return 0;
		}
	}
}

static int look_from(struct list *l, size_t *from)
{
	int sock = -1, err;
	pid_t child = start_child(l, *from, &sock);

	if (child < 0)
		return child;
	err = serve_child(l, child, sock);
	bury(child);
	close(sock);
	if (!err && l->p->at < l->n)
		tell_stuck(l);
	*from = l->p->at + 1;
	return err;
}

static int list_all(struct list *l)
{
	size_t from = 0;
	int err = jvm_pids(&l->pids, &l->n);

	while (!err && from < l->n)
		err = look_from(l, &from);
	if (l->p->left_out)
		log_warn(
			"%zu processes were not looked at (the last of user %u), because others of "
			"that user take too long: use `hotprobe check -p PID`",
			l->p->left_out, l->p->left_out_uid);
	free(l->pids);
	return err ? err : l->p->err;
}

static enum status list(struct answer *a, const struct request *req _unused_)
{
	struct list l = {.a = a};
	int err;

	l.p = mmap(NULL, sizeof(*l.p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l.p == MAP_FAILED)
		return answer_failed(a, -ENOMEM, NULL);
	err = list_all(&l);
	munmap(l.p, sizeof(*l.p));
	return answer_failed(a, err, NULL);
}

const struct request_ops request_list = {.run = list};
