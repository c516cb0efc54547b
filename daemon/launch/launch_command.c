// SPDX-License-Identifier: MIT
/* launch_command.c - start a command whose JVMs load the agent. See launch_command.h. */
#include <grp.h>
#include <limits.h>
#include <signal.h>

#include "agent/agent_library.h"
#include "base/log.h"
#include "launch/launch_command.h"
#include "launch/launch_options.h"

#define VARIABLE "JAVA_TOOL_OPTIONS"

static int set_environment(const struct launch_command *c, const char *library, struct fail *f)
{
	const char *old = getenv(VARIABLE);
	_cleanup_free_ char *value = NULL, *options = NULL;
	int err;

	if (asprintf(&options, "wait=%s,quiet", c->door) < 0)
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
static void check_readable(const struct launch_command *c, const char *library)
{
	char path[PATH_MAX];

	if (c->user || geteuid() || launch_options_readable(library, path))
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

static _Noreturn void command_exec(const struct launch_command *c, const char *library)
{
	sigset_t none;
	int err;

	log_set_sink(NULL, NULL); /* it is the parent's */
	err = become(c->user);
	if (err) {
		log_err("cannot become user %s: %s", c->user->pw_name, strerror(-err));
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
	execvp(c->argv[0], c->argv);
	err = errno;
	log_err("cannot run %s: %s", c->argv[0], strerror(err));
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int prepare(const struct launch_command *c, char library[static PATH_MAX], struct fail *f)
{
	int err = agent_library(library, PATH_MAX);

	if (err)
		return fail_set(
			f, err,
			"cannot find the agent %s: %s; build or install hotprobe as a whole",
			library, strerror(-err));
	check_readable(c, library);
	return set_environment(c, library, f);
}

pid_t launch_command_start(const struct launch_command *c, struct fail *f)
{
	char library[PATH_MAX];
	int err = prepare(c, library, f);
	pid_t pid;

	if (err)
		return err;
	pid = fork();
	if (pid < 0)
		return fail_set(f, -errno, "cannot start %s: %s", c->argv[0], strerror(errno));
	if (pid == 0)
		command_exec(c, library);
	return pid;
}
