/* SPDX-License-Identifier: MIT */
#include "lib/child.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/lines.h"

struct child {
	struct child *next;
	pid_t pid;
	int pidfd, in;
	struct lines *out, *err;
	bool reaped;
	int status;
};

/* Everything that was started and not freed; tests run one after the other in one thread. */
static struct child *children;

struct pipes {
	int in[2], out[2], err[2];
};

/* Between fork and exec: other threads may have held libc's locks, so system calls only. */
static void child_become(const char *const argv[], char *const envp[], const struct child_opts *o,
			 const struct pipes *p, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	setpgid(0, 0);
	dup2(p->in[0], 0);
	dup2(p->out[1], 1);
	dup2(p->err[1], 2);
	if (o && o->cwd && chdir(o->cwd))
		_exit(126);
	if (o && o->uid) {
		if (setgroups(0, NULL) || setgid(o->uid) || setuid(o->uid))
			_exit(126);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user clears it */
	}
	execvpe(argv[0], (char *const *)argv, envp);
	_exit(127);
}

static char **env_with(const char *const *extra)
{
	size_t n = 0, m = 0;
	char **env;

	while (environ[n])
		n++;
	while (extra && extra[m])
		m++;
	env = calloc(n + m + 1, sizeof(*env));
	if (!env)
		abort();
	for (size_t i = 0; i < m; i++)
		env[i] = (char *)extra[i]; /* first wins in getenv() */
	memcpy(env + m, environ, n * sizeof(*env));
	return env;
}

struct child *child_start(const char *const argv[], const struct child_opts *o)
{
	struct child *c = calloc(1, sizeof(*c));
	_cleanup_free_ char **env = env_with(o ? o->env : NULL);
	pid_t parent = getpid();
	struct pipes p;

	if (!c || pipe2(p.in, O_CLOEXEC) || pipe2(p.out, O_CLOEXEC) || pipe2(p.err, O_CLOEXEC))
		abort();
	signal(SIGPIPE, SIG_IGN);
	c->pid = fork();
	if (c->pid < 0)
		abort();
	if (!c->pid) {
		signal(SIGPIPE, SIG_DFL);
		/* A shell that starts something in the background has it ignore this. */
		signal(SIGINT, SIG_DFL);
		child_become(argv, env, o, &p, parent);
	}
	setpgid(c->pid, c->pid);
	close(p.in[0]);
	close(p.out[1]);
	close(p.err[1]);
	c->in = p.in[1];
	c->out = lines_open(p.out[0]);
	c->err = lines_open(p.err[0]);
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	c->next = children;
	children = c;
	return c;
}

pid_t child_pid(const struct child *c)
{
	return c->pid;
}

char *child_line(struct child *c, int timeout_ms)
{
	return lines_next(c->out, timeout_ms);
}

char *child_error_line(struct child *c, int timeout_ms)
{
	return lines_next(c->err, timeout_ms);
}

char *child_text(struct child *c)
{
	return lines_text(c->out);
}

char *child_errors(struct child *c)
{
	return lines_text(c->err);
}

int child_send(struct child *c, const char *line)
{
	_cleanup_free_ char *text = NULL;
	int len = asprintf(&text, "%s\n", line);

	if (len < 0)
		abort();
	/* Lines are shorter than PIPE_BUF: written whole or not at all. */
	return write(c->in, text, (size_t)len) == len ? 0 : -errno;
}

void child_close_stdin(struct child *c)
{
	if (c->in >= 0)
		close(c->in);
	c->in = -1;
}

/* Has it ended? Waits up to @timeout_ms. */
static bool child_reap(struct child *c, int timeout_ms)
{
	struct pollfd pfd = {.fd = c->pidfd, .events = POLLIN};
	int status;

	if (c->reaped)
		return true;
	if (poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	if (waitpid(c->pid, &status, 0) != c->pid)
		return false;
	c->reaped = true;
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}

bool child_running(struct child *c)
{
	return !child_reap(c, 0);
}

int child_wait(struct child *c, int timeout_ms)
{
	if (!child_reap(c, timeout_ms))
		return CHILD_TIMEOUT;
	/* A grandchild may still hold the pipes: the status counts, the text is what came. */
	lines_wait_eof(c->out, 5000);
	lines_wait_eof(c->err, 5000);
	return c->status;
}

void child_signal(struct child *c, int sig)
{
	if (!c->reaped)
		kill(c->pid, sig);
}

void child_signal_group(struct child *c, int sig)
{
	if (!c->reaped)
		kill(-c->pid, sig);
}

/* One level: the children of all threads of @pid. */
static size_t children_of(pid_t pid, pid_t *ret, size_t max)
{
	char path[64], text[4096], *p = text, *end;
	size_t n = 0, len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = 0;
	for (;;) {
		long v = strtol(p, &end, 10);

		if (end == p || n == max)
			return n;
		ret[n++] = (pid_t)v;
		p = end;
	}
}

size_t child_descendants(pid_t pid, pid_t *ret, size_t max)
{
	size_t n = children_of(pid, ret, max);

	for (size_t i = 0; i < n; i++)
		n += children_of(ret[i], ret + n, max - n);
	return n;
}

static bool is_named(pid_t pid, const char *name)
{
	char path[64], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(comm, sizeof(comm), f))
		*comm = '\0';
	fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	return !strcmp(comm, name);
}

pid_t child_named(pid_t pid, const char *name)
{
	pid_t pids[64];
	size_t n = child_descendants(pid, pids, ARRAY_SIZE(pids));

	for (size_t i = 0; i < n; i++)
		if (is_named(pids[i], name))
			return pids[i];
	return 0;
}

void child_kill_tree(struct child *c)
{
	pid_t pids[64];
	size_t n;

	if (c->reaped)
		return;
	n = child_descendants(c->pid, pids, ARRAY_SIZE(pids));
	/* Who sees the others die would begin to tidy up: nobody gets the time to. */
	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGSTOP);
	kill(c->pid, SIGKILL);
	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
}

static void child_unlink(struct child *c)
{
	struct child **p = &children;

	while (*p && *p != c)
		p = &(*p)->next;
	if (*p)
		*p = c->next;
}

void child_free(struct child *c)
{
	if (!c)
		return;
	child_unlink(c);
	child_close_stdin(c);
	child_kill_tree(c);
	child_reap(c, 10000);
	lines_close(c->out);
	lines_close(c->err);
	close(c->pidfd);
	free(c);
}

void children_reap(void)
{
	while (children)
		child_free(children);
}
