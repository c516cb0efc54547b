/* SPDX-License-Identifier: MIT */
#include "lib/attach.h"

#include <dirent.h>
#include <sys/stat.h>

#include "lib/cmocka_all.h"
#include "agent/agent_load.h"

static const char *const busy[] = {"prog.Busy", NULL};
char attach_said[FAIL_TEXT_MAX];

int attach_agent(pid_t pid, const char *lib, const char *options)
{
	struct fail f = {0};
	int err = agent_load(pid, lib, options, &f);

	if (*f.text)
		snprintf(attach_said, sizeof(attach_said), "%s", f.text);
	return err;
}

/* What was built in @relative, seen from the folder of this program. */
char *built_path(const char *relative)
{
	char exe[PATH_MAX], *path;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	assert_true(n > 0);
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	assert_true(asprintf(&path, "%s/%s", exe, relative) > 0);
	return path;
}

/* A public copy of the agent; mode 0700 of its folder hides it from other users. */
char *agent_in(const char *dir, mode_t mode)
{
	_cleanup_free_ char *command = NULL, *from = built_path("../lib/tiny_agent.so");
	struct child *c;
	char *path;

	assert_true(asprintf(&command, "cp %s %s", from, dir) > 0);
	c = child_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	assert_int_equal(child_wait(c, JVM_TIMEOUT_MS), 0);
	child_free(c);
	assert_int_equal(chmod(dir, mode), 0);
	assert_true(asprintf(&path, "%s/tiny_agent.so", dir) > 0);
	return path;
}

/* A JVM behind @prefix, whose child it may be; its folder is open to all. */
void attach_start(struct jvm *j, const struct jdk *jdk, const char *const *prefix,
		  const char *const *flags)
{
	pid_t pids[4];

	setenv("HP_CLASSES", env_classes(), 1);
	setenv("HP_JDKS", env_jdks(), 1);
	jvm_start_with(j, jdk, prefix, flags, busy);
	assert_int_equal(chmod(j->dir, 0777), 0);
	jvm_ready(j);
	if (child_descendants(j->pid, pids, ARRAY_SIZE(pids)))
		j->pid = pids[0];
	attach_said[0] = '\0';
}

/* Programs that run beside this one have such files for a moment; what is left behind stays. */
#define LEFT_BEHIND_MS 30000

/* The name of a file of an attach in @path; "" when there is none. */
static void find_left(const char *path, char name[static NAME_MAX + 1])
{
	DIR *dir = opendir(path);
	struct dirent *d;

	*name = '\0';
	while (dir && !*name && (d = readdir(dir)))
		if (!strncmp(d->d_name, ".hotprobe-", 10) || !strncmp(d->d_name, ".attach_pid", 11))
			strcpy(name, d->d_name);
	if (dir)
		closedir(dir);
}

void attach_check_folder(struct jvm *j, const char *folder)
{
	uint64_t until = mono_ms() + LEFT_BEHIND_MS;
	char path[64], name[NAME_MAX + 1];

	snprintf(path, sizeof(path), "/proc/%d/root%s", j->pid, folder);
	for (find_left(path, name); *name; find_left(path, name)) {
		if (mono_ms() > until)
			jvm_fail(j, "left behind: %s/%s", folder, name);
		pause_ms(10);
	}
}

/* The JVM works, prints no stacks, and nothing lies about. */
void attach_finish(struct jvm *j)
{
	_cleanup_free_ char *answer = NULL, *out = NULL;

	attach_check_folder(j, "/tmp");
	attach_check_folder(j, "/var/tmp");
	attach_check_folder(j, "/dev/shm");
	answer = jvm_ask(j, "stop");
	if (strncmp(answer, "0 errors", 8))
		jvm_fail(j, "not unharmed: %s", answer);
	out = child_text(j->c);
	if (strstr(out, "Full thread dump"))
		jvm_fail(j, "it was made to print its stacks");
	jvm_check_unhurt(j);
	jvm_quit(j);
}

/* Loading works, and the agent gets its options. */
void attach_loads(struct jvm *j, const char *lib, const char *options)
{
	_cleanup_free_ char *path = NULL;
	char text[64] = "";
	FILE *f;

	if (attach_agent(j->pid, lib, options))
		jvm_fail(j, "'%s'", attach_said);
	assert_true(asprintf(&path, "%s/loaded", j->dir) > 0);
	f = fopen(path, "re");
	if (!f || (!fgets(text, sizeof(text), f) && *options) || strcmp(text, options))
		jvm_fail(j, "the agent got '%s', not '%s'", text, options);
	fclose(f);
	assert_int_equal(unlink(path), 0);
	assert_string_equal(attach_said, "");
}

/* Loading fails with this code and one line that names the PID and says this. */
void attach_refuses(struct jvm *j, const char *lib, const char *options, int err, const char *what)
{
	char pid[16];
	int got;

	attach_said[0] = '\0';
	snprintf(pid, sizeof(pid), " %d: ", j->pid);
	got = attach_agent(j->pid, lib, options);
	if (got != err || !strstr(attach_said, pid) || !strstr(attach_said, what) ||
	    strchr(attach_said, '\n'))
		jvm_fail(j, "%d, '%s'; expected %d, '%s'", got, attach_said, err, what);
	attach_said[0] = '\0';
}

/* On each JDK but the copies that lack symbols. */
void attach_each_jdk(attach_jdk_fn *fn, mode_t mode)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, mode);
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	test_needs_root();
	for (size_t i = 0; i < n; i++) {
		if (jdks[i].altered)
			continue;
		print_message("  %s\n", jdks[i].name);
		fn(&jdks[i], lib);
	}
}

static char *public_classes(void)
{
	_cleanup_free_ char *dir = test_dir(), *command = NULL;
	struct child *c;
	char *path;

	assert_true(asprintf(&path, "%s/classes", dir) > 0);
	assert_true(asprintf(&command, "cp -r %s %s", env_classes(), path) > 0);
	c = child_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	assert_int_equal(child_wait(c, JVM_TIMEOUT_MS), 0);
	child_free(c);
	return path;
}

/* A JVM of "nobody", behind more of a prefix than its own; only jdk17 is where it can read it. */
void attach_start_nobodys(struct jvm *j, const char *const *prefix)
{
	_cleanup_free_ char *classes = public_classes();

	attach_start(j, jdk_or_skip("jdk17"), prefix, (const char *const[]){"-cp", classes, NULL});
}

struct sockaddr_un attach_socket_of(struct jvm *j)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/.java_pid%d", j->pid);
	return sa;
}
