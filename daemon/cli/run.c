// SPDX-License-Identifier: MIT
/*
 * run.c - `hotprobe run`: start a command, and trace every JVM that comes of it from its first
 * compiled method on.
 *
 * Each JVM finds the agent in JAVA_TOOL_OPTIONS. The agent connects to a socket of ours and holds
 * the JVM at its start, where nothing has been compiled yet, until we close that connection: once
 * the JVM is attached to, or at once if it cannot be. Each JVM gets an engine of its own.
 */
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/printable.h"
#include "cli/client.h"
#include "cli/signals.h"
#include "cli/trace.h"
#include "launch/launch_command.h"
#include "launch/launch_door.h"
#include "launch/launch_roll.h"

#define JVMS_MAX 256 /* at a time; more of them run untraced */

/* That say hello at one time: then signals and the other JVMs have their turn. */
#define ARRIVALS_MAX 1024

/* As a shell has it: https://pubs.opengroup.org/onlinepubs/9699919799/, 2.8.2 */
#define EXIT_SIGNALLED 128

struct jvm {
	pid_t pid;
	int hold_fd; /* while open, the JVM waits; -1 */
	struct client *client;
};

struct run {
	struct options o; /* the request of each JVM, but for its PID */
	bool no_children;
	struct launch_command command;

	struct output out;
	int signal_fd;
	struct launch_door door;
	struct launch_roll roll;
	pid_t pid;     /* of the command; 0 when it has ended */
	bool stopping; /* a signal came: later JVMs are not traced */
	int wstatus;
	struct jvm jvms[JVMS_MAX];
	size_t njvms;

	unsigned int traced, untraced, left_out; /* JVMs */
};

/* --- JVMs ------------------------------------------------------------------------------------- */

static void not_traced(pid_t pid, const char *why, void *arg)
{
	struct run *r = arg;

	r->untraced++;
	log_pid(LOG_LVL_WARN, pid, "not traced: %s", why);
}

/* Did a JVM that is being traced start this one, be it through others? */
static bool is_child(const struct run *r, pid_t pid)
{
	for (size_t i = 0; i < r->njvms; i++)
		if (family_below(pid, r->jvms[i].pid))
			return true;
	return false;
}

static bool is_known(const struct run *r, pid_t pid)
{
	for (size_t i = 0; i < r->njvms; i++)
		if (r->jvms[i].pid == pid)
			return true;
	return false;
}

/* Return: is it traced from now on? */
static bool jvm_add(struct run *r, const struct launch_arrival *a)
{
	struct jvm *j = &r->jvms[r->njvms];
	struct request req = r->o.req;
	enum status status;

	if (r->njvms == JVMS_MAX) {
		not_traced(a->pid, "so many JVMs are traced already, and more cannot be at a time",
			   r);
		return false;
	}
	req.target.pid = a->pid;
	if (req.target.via == VIA_DEFAULT)
		req.target.via = VIA_AUTO; /* the agent is there */
	req.output = output_request(&r->out, &r->o);
	req.output.say_pid = true;
	*j = (struct jvm){.pid = a->pid, .hold_fd = a->fd};
	j->client = client_start(&r->o, &req, &r->out, &status);
	if (j->client)
		r->njvms++;
	else
		r->untraced++;
	return j->client;
}

/* Return: is the JVM to wait until it is attached to? */
static bool on_arrival(struct run *r, const struct launch_arrival *a)
{
	if (is_known(r, a->pid))
		return false;
	launch_roll_arrived(&r->roll, a->pid);
	if (*a->why) {
		not_traced(a->pid, a->why, r);
	} else if (!r->pid) {
		not_traced(a->pid, "the command has ended", r);
	} else if (r->stopping) {
		not_traced(a->pid, "a signal has ended the tracing", r);
	} else if (r->no_children && is_child(r, a->pid)) {
		r->left_out++;
		log_pid(LOG_LVL_INFO, a->pid,
			"not traced: a traced JVM started it (--no-children)");
	} else {
		return jvm_add(r, a);
	}
	return false;
}

static void on_door(struct run *r)
{
	struct launch_arrival a;
	uint64_t strangers = r->door.strangers;

	for (int i = 0; i < ARRIVALS_MAX && launch_door_next(&r->door, &r->roll.family, &a); i++)
		if (!on_arrival(r, &a))
			launch_door_let_go(a.fd);
	if (!strangers && r->door.strangers)
		log_warn(
			"PID %d of user %u, which does not come of the command, connected to us, and "
			"was shown out; more of the kind are only counted",
			r->door.stranger, r->door.stranger_uid);
}

static void jvm_release(struct jvm *j)
{
	if (j->hold_fd >= 0)
		launch_door_let_go(j->hold_fd);
	j->hold_fd = -1;
}

static void stop_all(struct run *r)
{
	for (size_t i = 0; i < r->njvms; i++)
		client_stop(r->jvms[i].client);
}

static void look_at_command(struct run *r)
{
	if (!r->pid || waitpid(r->pid, &r->wstatus, WNOHANG) != r->pid)
		return;
	r->pid = 0;
	stop_all(r);
}

/*
 * Orphans of the command come to us (family.h). Engines are waited for where they are ended, and
 * the command is what we live for: its status must not get lost here.
 */
static void reap_orphans(struct run *r)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
			return;
		for (size_t i = 0; i < r->njvms; i++)
			if (client_engine(r->jvms[i].client) == info.si_pid)
				return;
		if (info.si_pid == r->pid)
			look_at_command(r);
		else
			waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static void jvm_remove(struct run *r, struct jvm *j)
{
	jvm_release(j);
	if (client_attached(j->client))
		r->traced++;
	else
		r->untraced++;
	client_end(j->client);
	*j = r->jvms[--r->njvms];
	reap_orphans(r);
}

/* Return: false when it was the last that came from this JVM. */
static bool on_jvm(struct jvm *j)
{
	bool more = client_read(j->client);

	if (!more || client_attached(j->client))
		jvm_release(j);
	return more;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void on_child(struct run *r)
{
	look_at_command(r);
	reap_orphans(r);
}

/*
 * A terminal sends its signals to the command as well; others come to us alone. However long the
 * command then takes, and whether or not it ends: the probes go at once.
 */
static void on_stop_signal(struct run *r, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGHUP && output_hangup(&r->out))
		return;
	if (r->pid && info->ssi_code != SI_KERNEL)
		kill(r->pid, (int)info->ssi_signo);
	r->stopping = true;
	output_hurry(&r->out);
	stop_all(r);
}

static void on_signal(struct run *r)
{
	struct signalfd_siginfo info;

	if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		on_child(r);
	else
		on_stop_signal(r, &info);
}

/* Does a JVM's request wait for our word, which may depend on the time? */
static bool is_ending(const struct run *r)
{
	for (size_t i = 0; i < r->njvms; i++)
		if (client_ending(r->jvms[i].client))
			return true;
	return false;
}

/* Until the next look, or until somebody is to be shown out, or the end has taken too long. */
static int timeout_ms(const struct run *r)
{
	int look_ms = launch_roll_timeout_ms(&r->roll);
	int door_ms = launch_door_timeout_ms(&r->door);
	int end_ms = output_timeout_ms(&r->out, is_ending(r));

	if (door_ms >= 0)
		look_ms = MIN(look_ms, door_ms);
	return end_ms >= 0 ? MIN(look_ms, end_ms) : look_ms;
}

static void serve(struct run *r)
{
	struct pollfd fds[1 + JVMS_MAX + LAUNCH_FDS_MAX + OUTPUT_FDS];

	while (r->pid || r->njvms) {
		size_t n = r->njvms, all;

		fds[0] = (struct pollfd){r->signal_fd, POLLIN, 0};
		for (size_t i = 0; i < n; i++)
			fds[1 + i] = (struct pollfd){client_fd(r->jvms[i].client), POLLIN, 0};
		all = 1 + n + launch_door_poll(&r->door, &fds[1 + n]);
		output_poll(&r->out, &fds[all]);
		if (poll(fds, all + OUTPUT_FDS, timeout_ms(r)) < 0)
			continue;
		/* From the last on: one that is removed is replaced by one that was looked at. */
		for (size_t i = n; i-- > 0;)
			if (fds[1 + i].revents && !on_jvm(&r->jvms[i]))
				jvm_remove(r, &r->jvms[i]);
		on_door(r);
		launch_roll_look(&r->roll, false, not_traced, r);
		if (fds[0].revents)
			on_signal(r);
		if (!output_work(&r->out))
			stop_all(r);
		for (size_t i = r->njvms; i-- > 0;)
			if (!client_work(r->jvms[i].client))
				jvm_remove(r, &r->jvms[i]);
	}
}

/* As a shell and launch_command.c have it. */
static bool cannot_run(int wstatus)
{
	return WIFEXITED(wstatus) && (WEXITSTATUS(wstatus) == EXIT_NOT_EXECUTABLE ||
				      WEXITSTATUS(wstatus) == EXIT_NOT_FOUND);
}

/* What became of the JVMs, in one line. */
static void sum_up(struct run *r)
{
	unsigned int all = r->traced + r->untraced + r->left_out;
	char left_out[64] = "";

	if (r->door.strangers > 1)
		log_warn("%llu connections did not come of the command",
			 (unsigned long long)r->door.strangers);
	if (r->left_out)
		snprintf(left_out, sizeof(left_out), ", %u left out (--no-children)", r->left_out);
	if (!all && cannot_run(r->wstatus))
		return; /* that has been said */
	if (!all)
		log_warn("no JVM of the command was seen: nothing was traced");
	else
		log_msg(r->untraced ? LOG_LVL_WARN : LOG_LVL_INFO,
			"%u JVM%s came of the command: %u traced, %u not traced%s", all,
			all > 1 ? "s" : "", r->traced, r->untraced, left_out);
}

/* -q leaves errors. */
static void say(enum log_level level, const char *text, void *arg)
{
	static const char *const marks[] = {"error: ", "warning: ", "", ""};
	struct run *r = arg;
	_cleanup_buf_ struct buf b = {0};

	if (r->o.quiet && level != LOG_LVL_ERR)
		return;
	buf_printf(&b, "hotprobe: %s", marks[level]);
	printable_message(&b, text);
	output_message(&r->out, b.data, b.len);
}

static int prepare(struct run *r, struct fail *f)
{
	int err = launch_door_open(&r->door);

	r->command.door = r->door.name;
	if (err)
		return fail_set(f, err, "cannot listen for JVMs: %s", strerror(-err));
	err = family_adopt();
	if (err == -ESRCH)
		return fail_set(f, err,
				"/proc does not show this process: mount a /proc of this PID "
				"namespace");
	return err ? fail_set(f, err, "cannot watch the command: %s", strerror(-err)) : 0;
}

static int command_start(struct run *r)
{
	struct fail f = {0};
	int err = prepare(r, &f);

	r->pid = err ? err : launch_command_start(&r->command, &f);
	if (r->pid >= 0)
		err = launch_roll_init(&r->roll, r->pid, r->door.name);
	if (r->pid >= 0 && err)
		fail_pid(&f, err, r->pid, "the command cannot be watched: %s", strerror(-err));
	if (*f.text)
		log_err("%s", f.text);
	return r->pid < 0 ? r->pid : err;
}

static int run_command(struct run *r)
{
	int err;

	r->signal_fd = signals_open(SIGCHLD);
	err = output_open(&r->out, &r->o, r->signal_fd);
	if (err)
		return err == -EINTR ? STATUS_OK : STATUS_FAILED;
	r->out.shared = true;
	log_set_sink(say, r);
	log_set_level(r->o.req.verbose ? LOG_LVL_DEBUG : LOG_LVL_INFO);
	err = command_start(r);
	if (err) {
		output_close(&r->out);
		return STATUS_FAILED;
	}
	serve(r);
	on_door(r);
	launch_roll_look(&r->roll, true, not_traced, r);
	sum_up(r);
	launch_command_end(&r->command, &r->roll.family);
	launch_roll_fini(&r->roll);
	launch_door_close(&r->door);
	err = output_close(&r->out);
	close(r->signal_fd);
	if (WIFSIGNALED(r->wstatus))
		return EXIT_SIGNALLED + WTERMSIG(r->wstatus);
	return err && !WEXITSTATUS(r->wstatus) ? STATUS_FAILED : WEXITSTATUS(r->wstatus);
}

/* --- options ---------------------------------------------------------------------------------- */

enum { OPT_NO_CHILDREN = TRACE_OPT_END };

static int run_option(struct run *r, int opt)
{
	switch (opt) {
	case OPT_NO_CHILDREN:
		r->no_children = true;
		return 0;
	case 'u':
		r->command.user = getpwnam(optarg);
		if (r->command.user)
			return 0;
		options_usage(&cmd_run, "--user: there is no user '%s'", optarg);
		return -EINVAL;
	case 'p':
		options_usage(&cmd_run,
			      "-p cannot be given: use `hotprobe trace -p` for a running JVM");
		return -EINVAL;
	default:
		return trace_take(&cmd_run, &r->o, opt);
	}
}

/* What follows "--" is the command's, options and all; what is before it is ours. */
static int split(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

static enum status run(int argc, char **argv)
{
	static const struct option options[] = {
		{"no-children", no_argument, NULL, OPT_NO_CHILDREN},
		{"user", required_argument, NULL, 'u'},
		TRACE_LONG,
		VIA_LONG,
		OPTIONS_LONG,
		{0},
	};
	static struct run r;
	int opt, err, ours = split(argc, argv);

	options_init(&r.o, REQUEST_TRACE);
	while ((opt = options_next(&cmd_run, ours, argv,
				   ":" OPTIONS_SHORT TRACE_SHORT "u:", options)) != -1) {
		err = run_option(&r, opt);
		if (err)
			return err < 0 ? STATUS_USAGE : STATUS_OK;
	}
	if (ours >= argc - 1)
		return options_usage(&cmd_run, "which command? give it behind --");
	if (optind == ours)
		return options_usage(&cmd_run,
				     "which methods? give a SPEC such as com.shop.Cart.add");
	if (trace_specs(&cmd_run, &r.o, argv + optind, ours - optind))
		return STATUS_USAGE;
	r.command.argv = argv + ours + 1;
	return (enum status)run_command(&r);
}

const struct command cmd_run = {
	.name = "run",
	.args = "[OPTIONS] SPEC... -- COMMAND [ARGUMENT...]",
	.summary = "start a command and trace the JVMs it becomes or starts",
	.options = "  -u, --user NAME      run the command as this user\n"
		   "      --no-children    not the JVMs that a traced JVM starts\n"
		   "      --via WAY        how to get into the JVMs: auto (default: their agent), "
		   "ptrace\n" TRACE_HELP,
	.example = "hotprobe run -o calls.txt 'com.shop.Cart.*' -- java -jar shop.jar",
	.run = run,
};
