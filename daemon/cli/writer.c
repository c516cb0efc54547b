// SPDX-License-Identifier: MIT
/* writer.c - a process that writes lines for us. See writer.h. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fds.h"
#include "cli/writer.h"

/* At once to a file. To anything else PIPE_BUF, which a pipe takes whole or not at all. */
#define FILE_CHUNK (256u << 10)
/* A full disk is tried again so often. */
#define FULL_MS 200
/* A writer whose client is gone has so long for what waits. */
#define ORPHAN_SECONDS 1

/* One that is killed is gone within this, or hangs where nothing can be done. */
#define KILL_MS 100

#define NEVER UINT64_MAX

/* Positions count bytes since ever. tail <= claimed <= head <= tail + WRITER_BYTES. */
struct shared {
	_Atomic uint64_t head; /* the client has put everything before it */
	/* Who moves it on owns what it passes: the writer to write it, the client to give it up. */
	_Atomic uint64_t claimed;
	_Atomic uint64_t tail;	  /* the writer is done with everything before it, */
	_Atomic uint64_t writing; /* and is writing what lies between */
	_Atomic uint64_t expect;  /* bytes; NEVER */
	_Atomic bool asleep;	  /* the writer waits for a byte from its socket */
	_Atomic uint32_t reopen, reopened;
	_Atomic int reopen_err, full, err;
	_Atomic bool opened, tty, regular;
};

struct writer {
	struct writer_options opt;
	struct shared *s;
	char *ring; /* mapped twice, one behind the other: a line never wraps */
	int sock;   /* to the other one */
	pid_t pid;
	bool ended, finished;

	/* Of the process. */
	int fd;
	bool eof;
};

/* --- memory ----------------------------------------------------------------------------------- */

/* Not by a memfd: RLIMIT_FSIZE is for those, too. mremap(2): an old size of 0 maps it once more. */
static char *map_ring(void)
{
	char *p = mmap(NULL, 2 * WRITER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mremap(p, 0, WRITER_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, p + WRITER_BYTES) !=
	    MAP_FAILED)
		return p;
	munmap(p, 2 * WRITER_BYTES);
	return NULL;
}

static int map_shared(struct writer *w)
{
	void *p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	w->s = p;
	w->s->expect = NEVER;
	w->ring = map_ring();
	return w->ring ? 0 : -ENOMEM;
}

static char *at(const struct writer *w, uint64_t pos)
{
	return w->ring + pos % WRITER_BYTES;
}

/* --- the process: talking to its client ------------------------------------------------------- */

static void tell(struct writer *w)
{
	send(w->sock, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void tell_expected(struct writer *w)
{
	uint64_t expect = w->s->expect;

	if (expect == NEVER || w->s->head - w->s->tail > expect)
		return;
	w->s->expect = NEVER;
	tell(w);
}

static void hear(struct writer *w)
{
	char bytes[64];
	ssize_t n;

	do {
		n = recv(w->sock, bytes, sizeof(bytes), MSG_DONTWAIT);
	} while (n > 0);
	w->eof = w->eof || n == 0;
}

static void sleep_until_told(struct writer *w, int timeout_ms)
{
	struct pollfd p = {.fd = w->sock, .events = POLLIN};
	struct shared *s = w->s;

	s->asleep = true;
	/* What came before that byte was asked for sent none. */
	tell_expected(w);
	if (timeout_ms >= 0 || (s->head == s->claimed && s->reopen == s->reopened))
		poll(&p, 1, timeout_ms);
	s->asleep = false;
	hear(w);
}

/* --- the process: its file -------------------------------------------------------------------- */

/* Appending, so that a file that is cut by others (logrotate's copytruncate) has no hole. */
static int open_path(const struct writer *w, int flags)
{
	int fd = open(w->opt.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | flags,
		      0600);

	return fd < 0 ? -errno : fd;
}

static int open_first(struct writer *w)
{
	struct stat st;
	int fd = w->opt.path ? open_path(w, O_TRUNC) : w->fd;

	if (fd < 0)
		return fd;
	w->fd = fd;
	w->s->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	w->s->tty = isatty(fd);
	return 0;
}

static void reopen(struct writer *w, uint32_t wanted)
{
	int fd = open_path(w, 0);
	struct stat st;

	if (fd >= 0) {
		close(w->fd);
		w->fd = fd;
		w->s->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	}
	w->s->reopen_err = fd < 0 ? -fd : 0;
	w->s->reopened = wanted;
	tell(w);
}

/* Cut @n bytes of a line off the end again, unless somebody else has written behind them. */
static void cut_back(struct writer *w, size_t n)
{
	off_t end = lseek(w->fd, 0, SEEK_CUR);
	struct stat st;

	if (end < (off_t)n || fstat(w->fd, &st) || st.st_size != end)
		return;
	if (!ftruncate(w->fd, end - (off_t)n))
		lseek(w->fd, end - (off_t)n, SEEK_SET);
}

static bool is_full(int err)
{
	return err == ENOSPC || err == EDQUOT || err == EFBIG;
}

static void set_full(struct writer *w, int err)
{
	if (w->s->full == err)
		return;
	w->s->full = err;
	tell(w);
}

/* Return: bytes of whole lines that are written; -errno. */
static ssize_t write_file(struct writer *w, const char *p, size_t len)
{
	ssize_t n = write(w->fd, p, len);
	const char *nl;

	if (n < 0 || (size_t)n == len)
		return n < 0 ? -errno : n;
	nl = memrchr(p, '\n', (size_t)n);
	len = nl ? (size_t)(nl - p) + 1 : 0;
	cut_back(w, (size_t)n - len);
	return len ? (ssize_t)len : -ENOSPC;
}

static ssize_t write_stream(struct writer *w, const char *p, size_t len)
{
	struct pollfd ready = {.fd = w->fd, .events = POLLOUT};
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(w->fd, p + done, len - done);

		/* Somebody who shares it has made it non-blocking. */
		if (n < 0 && errno == EAGAIN)
			poll(&ready, 1, -1);
		else if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

/* --- the process: its work -------------------------------------------------------------------- */

/* Whole lines from @from on, as many as fit, but at least one. */
static uint64_t chunk_end(const struct writer *w, uint64_t from, uint64_t head)
{
	size_t max = w->s->regular ? FILE_CHUNK : PIPE_BUF, all = (size_t)(head - from);
	const char *p = at(w, from), *nl;

	if (all <= max)
		return head;
	nl = memrchr(p, '\n', max);
	if (!nl)
		nl = memchr(p, '\n', all);
	return from + (uint64_t)(nl - p) + 1;
}

/* Return: false when nothing waits. */
static bool claim(struct writer *w, uint64_t *from, uint64_t *to)
{
	*from = w->s->claimed;
	do {
		uint64_t head = w->s->head;

		if (*from >= head)
			return false;
		*to = chunk_end(w, *from, head);
		w->s->writing = *to;
	} while (!atomic_compare_exchange_weak(&w->s->claimed, from, *to));
	return true;
}

/* The disk is full: until it is not, or the client has given up what waits behind. */
static void wait_for_room(struct writer *w, int err)
{
	set_full(w, err);
	sleep_until_told(w, FULL_MS);
}

/* Return: 0; -errno: nothing can be written any more. */
static int write_claimed(struct writer *w, uint64_t from, uint64_t to)
{
	while (from < to) {
		const char *p = at(w, from);
		size_t len = (size_t)(to - from);
		ssize_t n = w->s->regular ? write_file(w, p, len) : write_stream(w, p, len);

		if (n < 0 && !(w->opt.waits && w->s->regular && is_full((int)-n)))
			return (int)n;
		if (n < 0)
			wait_for_room(w, (int)-n);
		else if (n > 0)
			set_full(w, 0);
		from += n > 0 ? (uint64_t)n : 0;
		w->s->tail = from;
		tell_expected(w);
		if (n < 0 && w->eof)
			return (int)n;
	}
	return 0;
}

static int serve(struct writer *w)
{
	uint64_t from, to;
	int err = 0;

	while (!err) {
		uint32_t wanted = w->s->reopen;

		if (wanted != w->s->reopened)
			reopen(w, wanted);
		if (claim(w, &from, &to)) {
			w->s->tail = from; /* what lies before was given up */
			err = write_claimed(w, from, to);
			continue;
		}
		w->s->tail = from;
		tell_expected(w);
		if (w->eof)
			break;
		sleep_until_told(w, -1);
	}
	if (!err && close(w->fd) && errno != EINTR)
		err = -errno;
	return err;
}

static void on_orphaned(int sig _unused_)
{
	alarm(ORPHAN_SECONDS);
}

/*
 * The signals of its client's terminal are held (signals.h). It ends with its client, at the latest
 * a second after it, be it in the midst of a write() that never returns.
 */
static void become_writer(struct writer *w, pid_t client)
{
	struct sigaction orphaned = {.sa_handler = on_orphaned, .sa_flags = SA_RESTART};
	int fd = w->opt.path ? -1 : fcntl(w->opt.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int own[] = {w->sock, fd};
	sigset_t set;

	sigaction(SIGUSR1, &orphaned, NULL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* a limit is a full disk: EFBIG */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	prctl(PR_SET_NAME, "hotprobe-writer");
	w->fd = fd;
	fds_keep(own, ARRAY_SIZE(own));
	dup2(STDOUT_FILENO, STDERR_FILENO); /* nobody shall wait for it to be closed */
	if (getppid() != client)
		alarm(ORPHAN_SECONDS);
}

static _Noreturn void writer_main(struct writer *w, pid_t client)
{
	int err;

	become_writer(w, client);
	err = open_first(w);
	w->s->opened = !err;
	tell(w);
	if (!err)
		err = serve(w);
	w->s->err = -err;
	_exit(0);
}

/* --- the client ------------------------------------------------------------------------------- */

static void free_writer(struct writer *w)
{
	if (w->s)
		munmap(w->s, sizeof(*w->s));
	if (w->ring)
		munmap(w->ring, 2 * WRITER_BYTES);
	close_cleanup(&w->sock);
	free(w);
}

static int start(struct writer *w)
{
	pid_t client = getpid();
	int sv[2], err = map_shared(w);

	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return -errno;
	w->pid = fork();
	err = w->pid < 0 ? -errno : 0;
	w->sock = sv[w->pid == 0];
	if (w->pid == 0)
		writer_main(w, client);
	close(sv[1]);
	/* Nobody else that is forked has to do with it. */
	madvise(w->s, sizeof(*w->s), MADV_DONTFORK);
	madvise(w->ring, 2 * WRITER_BYTES, MADV_DONTFORK);
	return err;
}

struct writer *writer_start(const struct writer_options *opt)
{
	struct writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return NULL;
	*w = (struct writer){.opt = *opt, .sock = -1, .fd = -1};
	err = start(w);
	if (!err)
		return w;
	free_writer(w);
	errno = -err;
	return NULL;
}

int writer_fd(const struct writer *w)
{
	return w->sock;
}

static void wake(struct writer *w)
{
	if (w->s->asleep && atomic_exchange(&w->s->asleep, false))
		send(w->sock, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void writer_news(struct writer *w, struct writer_state *ret)
{
	char bytes[64];
	ssize_t n;

	do {
		n = recv(w->sock, bytes, sizeof(bytes), MSG_DONTWAIT);
	} while (n > 0);
	w->ended = w->ended || n == 0 || (errno != EAGAIN && errno != EINTR);
	*ret = (struct writer_state){.opened = w->s->opened,
				     .tty = w->s->tty,
				     .ended = w->ended,
				     .err = w->s->err,
				     .full = w->s->full,
				     .reopened = w->s->reopened,
				     .reopen_err = w->s->reopen_err};
	/* One that was killed has left no word. */
	if (w->ended && !ret->err && (!w->finished || writer_pending(w)))
		ret->err = EIO;
}

size_t writer_room(const struct writer *w)
{
	return WRITER_BYTES - writer_pending(w);
}

bool writer_put(struct writer *w, const char *line, size_t len)
{
	uint64_t head = w->s->head;
	char *p = at(w, head);

	if (w->ended || len >= writer_room(w))
		return false;
	memcpy(p, line, len);
	p[len] = '\n';
	w->s->head = head + len + 1;
	return true;
}

void writer_flush(struct writer *w)
{
	if (w->s->head != w->s->claimed)
		wake(w);
}

size_t writer_pending(const struct writer *w)
{
	return (size_t)(w->s->head - w->s->tail);
}

uint64_t writer_done(const struct writer *w)
{
	return w->s->tail;
}

void writer_expect(struct writer *w, size_t pending)
{
	w->s->expect = pending;
	/* It may just have become so. */
	if (writer_pending(w) <= pending)
		wake(w);
}

void writer_reopen(struct writer *w)
{
	if (!w->opt.path)
		return;
	w->s->reopen++;
	wake(w);
}

static uint64_t count_lines(const struct writer *w, uint64_t from, uint64_t to)
{
	const char *p = at(w, from), *end = p + (to - from), *nl;
	uint64_t n = 0;

	for (; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1)
		n += !w->opt.counts || w->opt.counts(p, (size_t)(nl - p));
	return n;
}

uint64_t writer_discard(struct writer *w)
{
	uint64_t head = w->s->head, from = w->s->claimed;

	while (!atomic_compare_exchange_weak(&w->s->claimed, &from, head))
		;
	wake(w);
	return count_lines(w, from, head);
}

void writer_finish(struct writer *w)
{
	w->finished = true;
	shutdown(w->sock, SHUT_WR);
}

/* What it is writing is then written or not: a pipe takes it whole. */
static void kill_now(struct writer *w)
{
	struct pollfd p = {.fd = w->sock}; /* POLLHUP is always told */

	kill(w->pid, SIGKILL);
	w->ended = poll(&p, 1, KILL_MS) > 0;
}

uint64_t writer_end(struct writer *w)
{
	struct writer_state st;
	uint64_t lost, tail;

	if (!w)
		return 0;
	writer_news(w, &st);
	lost = writer_discard(w);
	if (!w->ended && !w->s->regular)
		kill_now(w);
	tail = w->s->tail;
	if (tail < w->s->writing)
		lost += count_lines(w, tail, w->s->writing);
	if (w->ended)
		waitpid(w->pid, NULL, 0);
	free_writer(w);
	return lost;
}
