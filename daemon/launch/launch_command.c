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

static int set_environment(const struct launch_command *c, struct fail *f)
{
	const char *old = getenv(VARIABLE);
	_cleanup_free_ char *value = NULL, *options = NULL;
	int err;

	if (asprintf(&options, "wait=%s,quiet", c->door) < 0)
		return fail_set(f, -ENOMEM, "out of memory");
	err = launch_options_make(old, c->library.path, options, &value, f);
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

static _Noreturn void command_exec(const struct launch_command *c)
{
	const char *library = c->library.path;
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
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(c->argv[0], c->argv);
	err = errno;
	log_err("cannot run %s: %s", c->argv[0], strerror(err));
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Root's command may become anybody. */
static int prepare(struct launch_command *c, struct fail *f)
{
	char installed[PATH_MAX];
	int err = agent_library(installed, sizeof(installed));

	if (err)
		return fail_set(
			f, err,
			"cannot find the agent %s: %s; build or install hotprobe as a whole",
			installed, strerror(-err));
	err = launch_library_open(&c->library, installed, !geteuid(), f);
	if (!err)
		err = set_environment(c, f);
	return err;
}

pid_t launch_command_start(struct launch_command *c, struct fail *f)
{
	int err = prepare(c, f);
	pid_t pid = err ? -1 : fork();

	if (pid == 0)
		command_exec(c);
	if (pid > 0)
		return pid;
	err = err ? err : -errno;
	launch_library_close(&c->library, NULL);
	return fail_set(f, err, "cannot start %s: %s", c->argv[0], strerror(-err));
}

void launch_command_end(struct launch_command *c, const struct family *f)
{
	launch_library_close(&c->library, f);
}
