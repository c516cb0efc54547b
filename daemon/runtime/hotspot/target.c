// SPDX-License-Identifier: MIT
/*
 * target.c - from a PID to a HotSpot process whose structures we can read. See target.h.
 *
 * Puts the parts together: the process (proc), its libjvm.so (elfsyms), its memory (mem), the
 * tables in it (vmstructs) and what they mean (layout). Everything that can be wrong with a target
 * before anything is done to it is said here, in one line.
 */
#include "base/budget.h"
#include "base/log.h"
#include "base/stop.h"
#include "proc/caps.h"
#include "runtime/hotspot/target.h"

/* How long we wait for a JVM that is still starting. */
#define START_TIMEOUT_NS (2 * NSEC_PER_SEC)
#define START_POLL_NS	 (20 * NSEC_PER_MSEC)

/* To find out what it is: some 5 ms where nobody lies to us. */
#define OPEN_BUDGET_NS (3 * NSEC_PER_SEC)

/* Where distributions install separate debug files: /usr/lib/debug/.build-id/xx/yyyy.debug. */
#define DEBUG_DIR      "/usr/lib/debug/.build-id/"
#define DEBUG_PATH_MAX (sizeof(DEBUG_DIR) + 2 * ELFSYMS_BUILD_ID_MAX + 16)

struct opening {
	struct target *t;
	bool last; /* out of time: say what is wrong instead of -EAGAIN */
	struct fail *f;
};

/* /proc/PID/stat counts from boot, suspended time included (fs/proc/array.c). */
static bool is_young(const struct target *t)
{
	uint64_t ticks = sysconf(_SC_CLK_TCK), born;

	if (mul_overflows(t->id.start_time, NSEC_PER_SEC / ticks, &born))
		return false;
	return clock_read_ns(CLOCK_BOOTTIME) < born + START_TIMEOUT_NS;
}

static int no_permission(const struct opening *o)
{
	return fail_pid(
		o->f, -EPERM, o->t->id.pid,
		"not permitted to look into it: run as root or with CAP_SYS_PTRACE, or go by "
		"hotprobe's agent in it (--via agent)");
}

static int gone(pid_t pid, struct fail *f)
{
	return fail_pid(f, -ESRCH, pid, "no such process");
}

/* Say why an error that a part returned ends the opening. */
static int refuse(const struct opening *o, int err, const char *what)
{
	pid_t pid = o->t->id.pid;

	switch (err) {
	case -ESRCH:
		return gone(pid, o->f);
	case -EPERM:
		return no_permission(o);
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
		return fail_pid(o->f, err, pid, "its JVM cannot be read: %s", fail_strerror(err));
	case -E2BIG:
		return fail_pid(o->f, err, pid,
				"its JVM was given up: reading its structures takes far more work "
				"than any real JVM makes");
	case -ECANCELED:
		return err;
	default:
		return fail_pid(o->f, err, pid, "its JVM cannot be read: %s", what);
	}
}

/*
 * The same for what a JVM's memory said. While the dynamic linker is still relocating libjvm.so
 * its tables hold no addresses yet, or end early and seem to lack what comes later.
 */
static int refuse_structures(const struct opening *o, int err, const char *what)
{
	bool passing = err == -EPROTO || err == -EFAULT || (err == -EOPNOTSUPP && is_young(o->t));

	return passing && !o->last ? -EAGAIN : refuse(o, err, what);
}

static int check_kind(const struct opening *o)
{
	static const char *const others[] = {
		[JVM_HOTSPOT] = "is a 32-bit JVM: only x86-64 is supported",
		[JVM_OPENJ9] = "is an OpenJ9 JVM: only HotSpot is supported",
		[JVM_ZING] = "is a Zing JVM: only HotSpot is supported",
		[JVM_NATIVE_IMAGE] = "is a GraalVM native image, without a HotSpot JVM inside",
		[JVM_NONE] =
			"is not a JVM: no libjvm.so is mapped (`hotprobe list` shows the JVMs)",
	};
	const struct jvm_info *info = &o->t->info;

	if (info->kind == JVM_HOTSPOT && !info->is_32bit)
		return 0;
	if (info->kind == JVM_NONE && info->launcher && !o->last)
		return -EAGAIN;
	return fail_pid(o->f, -EOPNOTSUPP, info->pid, "%s", others[info->kind]);
}

/* --- libjvm.so ------------------------------------------------------------------------------ */

/* Path of the debug file for a build-id; "" for an id too short to have one. */
static void debug_path(const struct elfsyms *e, char path[static DEBUG_PATH_MAX])
{
	uint8_t id[ELFSYMS_BUILD_ID_MAX];
	size_t len = elfsyms_build_id(e, id), n;

	path[0] = '\0';
	if (len < 2)
		return;
	n = snprintf(path, DEBUG_PATH_MAX, DEBUG_DIR "%02x/", id[0]);
	for (size_t i = 1; i < len; i++)
		n += snprintf(path + n, DEBUG_PATH_MAX - n, "%02x", id[i]);
	snprintf(path + n, DEBUG_PATH_MAX - n, ".debug");
}

static bool use_debug_file(struct target *t, int fd, const char *path, const char *whose)
{
	int err = fd;

	if (fd >= 0) {
		err = elfsyms_add_debug(t->libjvm, fd);
		close(fd);
		if (err == -ENOENT) {
			log_pid(LOG_LVL_DEBUG, t->id.pid, "debug file %s (%s) is of another build",
				path, whose);
			return false;
		}
	}
	log_pid(LOG_LVL_DEBUG, t->id.pid, "debug file %s (%s): %s", path, whose,
		err ? strerror(-err) : "used");
	return !err;
}

/* For a stripped libjvm.so: the target's own debug file, else ours. It works without one too. */
static void find_debug_file(struct target *t)
{
	char path[DEBUG_PATH_MAX];
	int fd;

	debug_path(t->libjvm, path);
	if (!*path || elfsyms_has_symtab(t->libjvm))
		return;
	fd = t->view ? view_open_file(t->view, path) : proc_open_file(t->id.pid, path);
	if (!use_debug_file(t, fd, path, "the target's"))
		use_debug_file(t, proc_open_regular(path), path, "ours");
}

static int open_libjvm(const struct opening *o)
{
	struct target *t = o->t;
	_cleanup_close_ int fd = -1;
	int err;

	if (!*t->info.libjvm_open && t->view)
		return fail_pid(
			o->f, -EPERM, t->id.pid,
			"%s cannot be opened: it is not there, or was replaced since it was "
			"loaded; the one that is mapped can only be reached with CAP_SYS_PTRACE",
			t->info.libjvm);
	if (!*t->info.libjvm_open)
		return fail_pid(o->f, -EPERM, t->id.pid,
				"%s cannot be opened: run as root or with %s", t->info.libjvm,
				caps_have(CAP_SYS_PTRACE) ? "CAP_CHECKPOINT_RESTORE"
							  : "CAP_SYS_PTRACE");
	fd = proc_open_regular(t->info.libjvm_open);
	if (fd < 0)
		return refuse(o, proc_alive(&t->id) ? fd : -ESRCH,
			      "its libjvm.so cannot be opened");
	err = elfsyms_open(fd, &t->libjvm);
	if (!err && !t->info.libjvm_base)
		err = -EPROTO;
	if (err)
		return refuse(o, err, "its libjvm.so is not a readable x86-64 library");
	find_debug_file(t);
	return 0;
}

/* --- its structures ------------------------------------------------------------------------- */

static int find_symbol(void *arg, const char *name, uint64_t *ret)
{
	return target_symbol(arg, name, ret);
}

static int read_layout(const struct opening *o)
{
	struct target *t = o->t;
	int err = layout_read(t->mem, t->vs, &t->layout);

	switch (err) {
	case 0:
		return 0;
	case -EAGAIN:
		return !o->last ? err
				: fail_pid(o->f, err, t->id.pid,
					   "its JVM is still starting: try again");
	case -EOPNOTSUPP:
		if (t->layout.other_jdk)
			return fail_pid(o->f, err, t->id.pid, "%s", t->layout.why[CAP_CODE]);
		return refuse_structures(o, err, t->layout.why[CAP_CODE]);
	default:
		return refuse_structures(o, err, "its structures do not read as HotSpot's");
	}
}

static int read_structures(const struct opening *o)
{
	struct target *t = o->t;
	int err = t->view ? view_open_mem(t->view, &t->mem) : mem_open_live(t->id.pid, &t->mem);

	if (!err)
		err = vmstructs_read(t->mem, find_symbol, t, &t->vs);
	if (err == -ENOENT)
		return refuse(o, -EOPNOTSUPP,
			      "its libjvm.so does not export HotSpot's gHotSpotVMStructs");
	if (err)
		return refuse_structures(o, err, "its tables do not read as HotSpot's");
	return read_layout(o);
}

/* --- opening -------------------------------------------------------------------------------- */

static int open_once(const struct opening *o)
{
	struct target *t = o->t;
	int err = jvm_inspect_by(t->id.pid, t->view, &t->info);

	if (err)
		return refuse(o, err, "/proc says nothing that can be understood");
	err = check_kind(o);
	if (!err)
		err = open_libjvm(o);
	if (!err)
		err = read_structures(o);
	/* All of this went by the number; was it the same process to the end? */
	if (!err && !proc_alive(&t->id))
		err = gone(t->id.pid, o->f);
	return err;
}

/* Undo open_once(); the process itself is kept. */
static void forget(struct target *t)
{
	layout_fini(&t->layout);
	vmstructs_free(t->vs);
	mem_close(t->mem);
	elfsyms_close(t->libjvm);
	jvm_info_fini(&t->info);
	*t = (struct target){.id = t->id, .view = t->view};
}

/* A JVM that is still starting gets its time. */
static int open_patiently(struct target *t, struct fail *f)
{
	const struct timespec pause = {.tv_nsec = START_POLL_NS};
	uint64_t deadline = MIN(clock_ns() + START_TIMEOUT_NS, budget_until_ns());

	for (;;) {
		const struct opening o = {t, clock_ns() >= deadline, f};
		int err = open_once(&o);

		if (err != -EAGAIN || o.last)
			return err;
		if (stop_asked())
			return -ECANCELED;
		forget(t);
		nanosleep(&pause, NULL);
	}
}

int target_open_by(pid_t pid, struct view *v, struct target **ret, struct fail *f)
{
	struct target *t = calloc(1, sizeof(*t));
	struct budget b;
	int err;

	if (!t)
		return -ENOMEM;
	budget_begin(&b, OPEN_BUDGET_NS);
	t->id.pidfd = -1;
	t->view = v;
	err = proc_open(pid, &t->id);
	if (err == -ESRCH)
		gone(pid, f);
	else if (err)
		fail_pid(f, err, pid, "cannot be taken hold of: %s", fail_strerror(err));
	else
		err = open_patiently(t, f);
	budget_end(&b);
	if (err) {
		target_close(t);
		return err;
	}
	*ret = t;
	return 0;
}

int target_open(pid_t pid, struct target **ret, struct fail *f)
{
	return target_open_by(pid, NULL, ret, f);
}

/*
 * An agent is not put into what cannot be traced anyway: a JVM that we may look into is refused
 * first, in the words in which it always is.
 */
static int refuse_first(pid_t pid, struct fail *f)
{
	struct target *t = NULL;
	struct fail why = {0};
	int err = target_open(pid, &t, &why);

	target_close(t);
	if (err == -EOPNOTSUPP)
		*f = why;
	return err == -EOPNOTSUPP ? err : 0;
}

static int open_via(const struct target_request *req, enum remote_use use, struct remote **w_ret,
		    struct target **ret, struct fail *f)
{
	bool agent = req->via == VIA_AGENT || req->via == VIA_AUTO;
	int err = agent ? refuse_first(req->pid, f) : 0;

	if (!err)
		err = remote_open(req->pid, req->via, use, w_ret, f);
	return err ? err : target_open_by(req->pid, (*w_ret)->view, ret, f);
}

int target_open_via(const struct target_request *req, struct remote **w_ret, struct target **ret,
		    struct fail *f)
{
	return open_via(req, REMOTE_CHANGE, w_ret, ret, f);
}

/* Looking only, as anybody may who has the right to: that claims nothing, and disturbs nobody. */
int target_look(const struct target_request *req, struct remote **w_ret, struct target **ret,
		struct fail *f)
{
	if (req->via != VIA_PTRACE && req->via != VIA_DEFAULT)
		return open_via(req, REMOTE_LOOK, w_ret, ret, f);
	*w_ret = NULL;
	return target_open(req->pid, ret, f);
}

void target_close(struct target *t)
{
	if (!t)
		return;
	forget(t);
	proc_close(&t->id);
	free(t);
}

bool target_alive(const struct target *t)
{
	return proc_alive(&t->id);
}

int target_symbol(struct target *t, const char *name, uint64_t *ret)
{
	uint64_t value;
	int err = elfsyms_value(t->libjvm, name, &value);

	if (!err)
		*ret = t->info.libjvm_base + value;
	return err;
}
