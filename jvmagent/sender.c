/* SPDX-License-Identifier: MIT */
/*
 * sender.c - the event stream: one thread takes lines from the queue and gives them to each sink.
 *
 * While there is no sink, no event is enabled and no memory is held. A new sink gets the line
 * "jvm", then, once the VM lives, everything that is compiled already: GenerateEvents has the
 * callbacks run on this very thread, so a replay goes straight to the one sink it is for, and while
 * that one is slow the others are served from within (sender_replay_line()).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "fds.h"
#include "queue.h"
#include "sender.h"
#include "sink.h"
#include "sockets.h"
#include "vm.h"

#define READERS_MAX 4
#define SINKS_MAX   (READERS_MAX + 1) /* the first is the file */

#define PEER_NAME "hotprobe-events"

/*
 * HotSpot keeps what it replays from being freed. So a replay waits only for a reader that reads,
 * and not for ever: then its lines are dropped and counted.
 */
#define REPLAY_STALL_MS 2000
#define REPLAY_MAX_MS	30000

#define FILE_RETRY_MS	1000 /* a disk is full: it may have room later */
#define ATTACH_RETRY_MS 1000 /* no memory for a thread: the same */

_Static_assert(READERS_MAX + 8 <= FDS_MAX / 2,
	       "room for the readers, the file, what wakes, and one fd on its way");

static struct queue queue = QUEUE_INIT;
static const struct sender_source *source;
static size_t queue_bytes;
static struct sink sinks[SINKS_MAX];
static int listener = -1, wake = -1;
static pthread_t sender; /* itself */
static bool accept_paused;
static bool enabled; /* the events that need a listener */

static atomic_int new_file = -1; /* for the sender to make a sink of */
static atomic_bool listened;	 /* is there any sink? */
static atomic_bool ended;	 /* the last line is on its way */
static atomic_bool flushed;

static _Atomic(struct sink *) replaying; /* set and cleared by the sender */
static uint64_t replay_end_ms;

void sender_wake(void)
{
	if (wake >= 0)
		eventfd_write(wake, 1);
}

void sender_line(const struct text *t)
{
	if (!t->failed && !fds_forked() && queue_put(&queue, t->data, t->len))
		sender_wake();
}

void sender_end(const struct text *t)
{
	atomic_store(&ended, true);
	if (!t->failed)
		queue_end(&queue, t->data, t->len);
	sender_wake();
}

/* --- sinks --- */

static bool sink_add(struct sink *s, int fd, bool is_file)
{
	struct text t = {0};

	if (queue_open(&queue, queue_bytes) || sink_open(s, fd, is_file)) {
		fd_close(fd);
		return false;
	}
	source->hello(&t);
	if (!t.failed)
		sink_put(s, t.data, t.len);
	text_fini(&t);
	atomic_store(&listened, true);
	return true;
}

static struct sink *sink_free_place(void)
{
	for (size_t i = 1; i < SINKS_MAX; i++)
		if (sinks[i].fd < 0 && &sinks[i] != replaying)
			return &sinks[i];
	return NULL;
}

static void accept_reader(void)
{
	struct sink *s = sink_free_place();
	int fd = s ? socket_accept(listener) : -EAGAIN;

	accept_paused = fd < 0 && !socket_accept_again(fd);
	if (fd >= 0)
		sink_add(s, fd, false);
}

static void take_new_file(void)
{
	int fd = sinks[0].fd < 0 && replaying != &sinks[0] ? atomic_exchange(&new_file, -1) : -1;

	if (fd >= 0)
		sink_add(&sinks[0], fd, true);
}

static bool any_sink(void)
{
	for (size_t i = 0; i < SINKS_MAX; i++)
		if (sinks[i].fd >= 0)
			return true;
	return false;
}

static bool all_written(void)
{
	for (size_t i = 0; i < SINKS_MAX; i++)
		if (!sink_is_empty(&sinks[i]))
			return false;
	return true;
}

/* --- one round --- */

static void put_all(const char *line, size_t len)
{
	for (size_t i = 0; i < SINKS_MAX; i++)
		sink_put(&sinks[i], line, len);
}

/* Return: was there anything? */
static bool distribute(void)
{
	uint64_t dropped;
	size_t len;
	const char *line = queue_take(&queue, &len, &dropped), *end = line + len;
	bool any = len || dropped;

	while (line < end) {
		const char *next = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;

		put_all(line, (size_t)(next - line));
		line = next;
	}
	for (size_t i = 0; dropped && i < SINKS_MAX; i++)
		if (sinks[i].fd >= 0)
			sinks[i].dropped += dropped;
	return any;
}

static void flush_sinks(void)
{
	for (size_t i = 0; i < SINKS_MAX; i++)
		if (sink_flush(&sinks[i]))
			sink_close(&sinks[i]);
}

/* A reader has nothing to say: what it sends is read and forgotten. */
static void check_reader(struct sink *s, short events)
{
	char buf[512];

	if (events & (POLLHUP | POLLERR))
		sink_close(s);
	else if (events & POLLIN)
		s->silent |= recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT) == 0;
}

enum { POLL_WAKE = SINKS_MAX, POLL_LISTEN, POLL_COUNT };

static int poll_sinks(struct pollfd p[static POLL_COUNT], int timeout_ms)
{
	for (size_t i = 0; i < SINKS_MAX; i++) {
		const struct sink *s = &sinks[i];
		short want = (s->silent ? 0 : POLLIN) | (sink_is_empty(s) ? 0 : POLLOUT);

		p[i] = (struct pollfd){.fd = s->is_file ? -1 : s->fd, .events = want};
	}
	p[POLL_WAKE] = (struct pollfd){.fd = wake, .events = POLLIN};
	p[POLL_LISTEN] = (struct pollfd){
		.fd = accept_paused || !sink_free_place() ? -1 : listener,
		.events = POLLIN,
	};
	if (accept_paused && (timeout_ms < 0 || timeout_ms > ACCEPT_PAUSE_MS))
		timeout_ms = ACCEPT_PAUSE_MS;
	if (!sink_is_empty(&sinks[0]) && (timeout_ms < 0 || timeout_ms > FILE_RETRY_MS))
		timeout_ms = FILE_RETRY_MS;
	accept_paused = false;
	return poll(p, POLL_COUNT, timeout_ms);
}

/* Wait for something to do, and do it. */
static void pump(int timeout_ms)
{
	struct pollfd p[POLL_COUNT];
	eventfd_t count;

	if (poll_sinks(p, timeout_ms) < 0)
		return;
	for (size_t i = 0; i < SINKS_MAX; i++)
		check_reader(&sinks[i], p[i].revents);
	if (p[POLL_WAKE].revents)
		eventfd_read(wake, &count);
	if (p[POLL_LISTEN].revents)
		accept_reader();
	take_new_file();
	distribute();
	flush_sinks();
}

/* --- replay --- */

bool sender_replaying(void)
{
	return replaying && pthread_equal(pthread_self(), sender);
}

static bool worth_waiting(const struct sink *s)
{
	uint64_t now = clock_ms();

	return s->fd >= 0 && now < replay_end_ms && now - s->moved_ms < REPLAY_STALL_MS &&
	       !atomic_load(&ended);
}

bool sender_replay_line(const struct text *t)
{
	struct sink *s = replaying;

	if (!sender_replaying())
		return false;
	while (!t->failed && s->fd >= 0 && !sink_room(s, t->len) && worth_waiting(s))
		pump(REPLAY_STALL_MS / 4);
	if (atomic_load(&ended))
		return true;
	if (!t->failed)
		sink_put(s, t->data, t->len);
	else if (s->fd >= 0)
		s->dropped++;
	return true;
}

static struct sink *sink_without_replay(void)
{
	for (size_t i = 0; i < SINKS_MAX; i++)
		if (sinks[i].fd >= 0 && !sinks[i].replayed)
			return &sinks[i];
	return NULL;
}

/* Return: false if the VM cannot be entered now. */
static bool replay_to(struct sink *s)
{
	JNIEnv *jni;

	if (vm_attach(PEER_NAME, &jni))
		return false;
	s->replayed = true;
	replaying = s;
	s->moved_ms = clock_ms();
	replay_end_ms = s->moved_ms + REPLAY_MAX_MS;
	if (!enabled)
		source->enable(jni, true);
	enabled = true;
	source->replay();
	replaying = NULL;
	vm_detach();
	return true;
}

/* Others may have come during a replay: until there is none left. */
static void replay_all(void)
{
	struct sink *s;

	while ((s = sink_without_replay()) && replay_to(s))
		;
}

/* Nobody listens any more: the application pays nothing again. */
static void rest(void)
{
	JNIEnv *jni;

	atomic_store(&listened, false);
	if (enabled && !vm_attach(PEER_NAME, &jni)) {
		source->enable(jni, false);
		enabled = false;
		vm_detach();
	}
	queue_close(&queue);
}

/* The end of the VM, and all has been said. */
static void leave(void)
{
	for (size_t i = 0; i < SINKS_MAX; i++)
		sink_close(&sinks[i]);
	fd_close(listener);
	atomic_store(&flushed, true);
}

static void *sender_run(void *arg _unused_)
{
	sender = pthread_self();
	for (;;) {
		pump(sink_without_replay() && vm_phase() == JVMTI_PHASE_LIVE ? ATTACH_RETRY_MS
									     : -1);
		replay_all();
		if (!any_sink() && atomic_load(&listened))
			rest();
		if (vm_phase() != JVMTI_PHASE_DEAD || distribute() || !all_written())
			continue;
		leave();
		return NULL;
	}
}

/* --- start and end --- */

/* A FIFO would hold up the JVM, a device may do anything: only a file will do. */
static int file_open(const char *path)
{
	int fd = fd_own(
		open(path,
		     O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		     0600));
	struct stat st; /* on x86-64 the kernel's, too */

	if (fd < 0 || (!syscall(SYS_fstat, fd, &st) && S_ISREG(st.st_mode)))
		return fd;
	fd_close(fd);
	return -EINVAL;
}

int sender_add_file(const char *path)
{
	int fd = file_open(path);

	if (fd < 0)
		return fd;
	fd = atomic_exchange(&new_file, fd);
	if (fd >= 0)
		fd_close(fd);
	sender_wake();
	return 0;
}

int sender_start(size_t bytes, const struct sender_source *lines)
{
	int err;

	for (size_t i = 0; i < SINKS_MAX; i++)
		sinks[i].fd = -1;
	queue_bytes = bytes;
	source = lines;
	listener = socket_listen(SOCK_STREAM, "", PEER_NAME);
	if (listener < 0)
		return listener;
	wake = fd_own(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	err = wake < 0 ? wake : agent_thread(sender_run, NULL, PEER_NAME);
	if (err)
		fd_close(listener);
	return err;
}

#define FLUSH_STEP_MS 2

void sender_flush(int timeout_ms)
{
	uint64_t until = clock_ms() + (uint64_t)timeout_ms;

	sender_wake();
	while (atomic_load(&listened) && !atomic_load(&flushed) && clock_ms() < until)
		poll(NULL, 0, FLUSH_STEP_MS);
}
