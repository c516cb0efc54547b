// SPDX-License-Identifier: MIT
/*
 * run.c - `hotprobe run`: start a command, and trace every JVM that comes of it from its first
 * compiled method on.
 *
 * Each JVM finds the agent in JAVA_TOOL_OPTIONS. The agent connects to a socket of ours and holds
 * the JVM at its start, where nothing has been compiled yet, until we close that connection: once
 * the JVM is attached to, or at once if it cannot be. Each JVM gets an engine of its own.
 */
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "agent/agent_library.h"
#include "base/log.h"
#include "base/printable.h"
#include "cli/client.h"
#include "cli/signals.h"
#include "cli/trace.h"
#include "launch/launch_options.h"

#define VARIABLE "JAVA_TOOL_OPTIONS"

#define JVMS_MAX 256 /* at a time; more of them run untraced */

/* Parents of a process that are looked at: more are a sign of a loop in what /proc said. */
#define ANCESTORS_MAX 256

/* As a shell has them: https://pubs.opengroup.org/onlinepubs/9699919799/, 2.8.2 */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127
#define EXIT_SIGNALLED	    128

struct jvm {
	pid_t pid;
	int hold_fd; /* while open, the JVM waits; -1 */
	struct client *client;
};

struct run {
	struct options o; /* the request of each JVM, but for its PID */
	bool no_children;
	const struct passwd *user; /* NULL: as we are */
	char **command;

	struct output out;
	int listen_fd, signal_fd;
	char name[64]; /* of the socket */
	pid_t pid;     /* of the command; 0 when it has ended */
	int wstatus;
	struct jvm jvms[JVMS_MAX];
	size_t njvms;
};

/* --- the command ------------------------------------------------------------------------------ */

static int listen_for_agents(struct run *r)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	uint64_t random;
	socklen_t len;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	snprintf(r->name, sizeof(r->name), "hotprobe.run.%d.%016llx", getpid(),
		 (unsigned long long)random);
	/* An abstract name: its first byte is 0, and it needs no end. */
	memcpy(addr.sun_path + 1, r->name, strlen(r->name));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(r->name));
	r->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->listen_fd < 0 || bind(r->listen_fd, (const struct sockaddr *)&addr, len) ||
	    listen(r->listen_fd, JVMS_MAX))
		return -errno;
	return 0;
}

static int set_environment(const struct run *r, const char *library, struct fail *f)
{
	const char *old = getenv(VARIABLE);
	_cleanup_free_ char *value = NULL, *options = NULL;
	int err;

	if (asprintf(&options, "wait=%s,quiet", r->name) < 0)
		return fail_set(f, -ENOMEM, "out of memory");
	err = launch_options_make(old, library, options, &value, f);
	if (err)
		return err;
	if (strlen(value) > LAUNCH_OPTIONS_JAVA8_MAX && old && *old &&
	    strlen(old) <= LAUNCH_OPTIONS_JAVA8_MAX)
		log_warn("with the agent, " VARIABLE
			 " has more than %d bytes: a JVM of Java 8 takes "
			 "no notice of it, nor of what it held",
			 LAUNCH_OPTIONS_JAVA8_MAX);
	return setenv(VARIABLE, value, 1) ? fail_set(f, -ENOMEM, "out of memory") : 0;
}

/* The command is ours to watch, but the JVMs that it starts as others must start all the same. */
static void check_readable(const struct run *r, const char *library)
{
	char path[PATH_MAX];

	if (r->user || geteuid() || launch_options_readable(library, path))
		return;
	log_warn("not every user can read %s, where the agent is: a JVM that the command starts as "
		 "another user will not start; install hotprobe where all can read it",
		 path);
}

static int become(const struct passwd *user)
{
	if (!user)
		return 0;
	if (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) || setuid(user->pw_uid))
		return -errno;
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	return 0;
}

static _Noreturn void command_exec(const struct run *r, const char *library)
{
	sigset_t none;
	int err;

	err = become(r->user);
	if (err) {
		log_err("cannot become user %s: %s", r->user->pw_name, strerror(-err));
		_exit(EXIT_NOT_EXECUTABLE);
	}
	/* A JVM that cannot load its agent ends at once. */
	if (access(library, R_OK)) {
		log_err("the command's user cannot read %s: %s; install hotprobe where that user "
			"can read it",
			library, strerror(errno));
		_exit(EXIT_NOT_EXECUTABLE);
	}
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(r->command[0], r->command);
	err = errno;
	log_err("cannot run %s: %s", r->command[0], strerror(err));
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int prepare(struct run *r, char library[static PATH_MAX], struct fail *f)
{
	int err = agent_library(library, PATH_MAX);

	if (err)
		return fail_set(
			f, err,
			"cannot find the agent %s: %s; build or install hotprobe as a whole",
			library, strerror(-err));
	err = listen_for_agents(r);
	if (err)
		return fail_set(f, err, "cannot listen for JVMs: %s", strerror(-err));
	check_readable(r, library);
	return set_environment(r, library, f);
}

static int command_start(struct run *r)
{
	char library[PATH_MAX];
	struct fail f = {0};
	int err = prepare(r, library, &f);

	if (!err) {
		r->pid = fork();
		if (r->pid < 0)
			err = fail_set(&f, -errno, "cannot start %s: %s", r->command[0],
				       strerror(errno));
	}
	if (err) {
		log_err("%s", f.text);
		return err;
	}
	if (r->pid == 0)
		command_exec(r, library);
	return 0;
}

/* --- JVMs ------------------------------------------------------------------------------------- */

static pid_t parent_of(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[512], *p;
	long parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	p = strrchr(line, ')'); /* the name may hold anything */
	return p && sscanf(p + 1, " %*c %ld", &parent) == 1 ? (pid_t)parent : 0;
}

/* Did a JVM that is being traced start this one, be it through others? */
static bool is_child(const struct run *r, pid_t pid)
{
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		pid = parent_of(pid);
		for (size_t k = 0; k < r->njvms; k++)
			if (r->jvms[k].pid == pid)
				return true;
	}
	return false;
}

static void jvm_add(struct run *r, int fd, pid_t pid)
{
	struct jvm *j = &r->jvms[r->njvms];
	struct request req = r->o.req;
	enum status status;

	if (r->njvms == JVMS_MAX) {
		log_pid(LOG_LVL_WARN, pid, "not traced: the limit is %d JVMs at a time", JVMS_MAX);
		return;
	}
	req.target.pid = pid;
	if (req.target.via == VIA_DEFAULT)
		req.target.via = VIA_AUTO; /* the agent is there */
	req.output = output_request(&r->out, &r->o);
	req.output.say_pid = true;
	*j = (struct jvm){.pid = pid, .hold_fd = fd};
	j->client = client_start(&r->o, &req, &r->out, &status);
	if (j->client)
		r->njvms++;
}

/* Someone connected: an agent, or anybody of this machine, whose connection is closed again. */
static void on_agent(struct run *r)
{
	int fd = accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	size_t before = r->njvms;

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0 && r->pid &&
	    !(r->no_children && is_child(r, peer.pid)))
		jvm_add(r, fd, peer.pid);
	if (r->njvms == before) {
		shutdown(fd, SHUT_RDWR);
		close(fd);
	}
}

/* Engines that were forked meanwhile hold the descriptor too: closing ours would not be enough. */
static void jvm_release(struct jvm *j)
{
	if (j->hold_fd < 0)
		return;
	shutdown(j->hold_fd, SHUT_RDWR);
	close(j->hold_fd);
	j->hold_fd = -1;
}

static void jvm_remove(struct run *r, struct jvm *j)
{
	jvm_release(j);
	client_end(j->client);
	*j = r->jvms[--r->njvms];
}

/* Return: false when it was the last that came from this JVM. */
static bool on_jvm(struct jvm *j)
{
	bool more = client_read(j->client);

	if (!more || client_attached(j->client))
		jvm_release(j);
	return more;
}

static void stop_all(struct run *r)
{
	for (size_t i = 0; i < r->njvms; i++)
		client_stop(r->jvms[i].client);
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* A terminal sends its signals to the command as well; others come to us alone. */
static void on_signal(struct run *r)
{
	struct signalfd_siginfo info;

	if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGCHLD) {
		if (r->pid && info.ssi_code != SI_KERNEL)
			kill(r->pid, (int)info.ssi_signo);
		return;
	}
	if (r->pid && waitpid(r->pid, &r->wstatus, WNOHANG) == r->pid) {
		r->pid = 0;
		stop_all(r);
	}
}

static void serve(struct run *r)
{
	struct pollfd fds[2 + JVMS_MAX] = {{.fd = r->listen_fd, .events = POLLIN},
					   {.fd = r->signal_fd, .events = POLLIN}};

	while (r->pid || r->njvms) {
		size_t n = r->njvms;

		for (size_t i = 0; i < n; i++)
			fds[2 + i] = (struct pollfd){client_fd(r->jvms[i].client), POLLIN, 0};
		if (poll(fds, 2 + n, -1) < 0)
			continue;
		/* From the last on: one that is removed is replaced by one that was looked at. */
		for (size_t i = n; i-- > 0;)
			if (fds[2 + i].revents && !on_jvm(&r->jvms[i]))
				jvm_remove(r, &r->jvms[i]);
		if (fds[0].revents)
			on_agent(r);
		if (fds[1].revents)
			on_signal(r);
		if (!output_flush(&r->out))
			stop_all(r);
	}
}

/* -q leaves errors. */
static void say(enum log_level level, const char *text, void *arg)
{
	static const char *const marks[] = {"error: ", "warning: ", "", ""};
	struct run *r = arg;
	_cleanup_buf_ struct buf b = {0};

	if (r->o.quiet && level != LOG_LVL_ERR)
		return;
	printable_message(&b, text);
	fprintf(stderr, "hotprobe: %s%.*s\n", marks[level], (int)b.len, b.data);
}

static int run_command(struct run *r)
{
	int err;

	log_set_sink(say, r);
	log_set_level(r->o.req.verbose ? LOG_LVL_DEBUG : LOG_LVL_INFO);

	if (output_open(&r->out, &r->o))
		return STATUS_FAILED;
	r->signal_fd = signals_open(SIGCHLD);
	err = command_start(r);
	if (err)
		return STATUS_FAILED;
	serve(r);
	close(r->listen_fd);
	close(r->signal_fd);
	err = output_close(&r->out);
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
		r->user = getpwnam(optarg);
		if (r->user)
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
	while ((opt = getopt_long(ours, argv, OPTIONS_SHORT TRACE_SHORT "u:", options, NULL)) !=
	       -1) {
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
	r.command = argv + ours + 1;
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
