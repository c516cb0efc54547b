/* SPDX-License-Identifier: MIT */
/*
 * attach.h - for the tests of the attach mechanism: JVMs to load an agent into, what it said when
 * that failed, and whether anything was left behind.
 */
#ifndef HP_TEST_ATTACH_H
#define HP_TEST_ATTACH_H

#include <sys/socket.h>
#include <sys/un.h>

#include "lib/jvm.h"
#include "base/fail.h"

#define NOBODY	65534
#define NOBODYS "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"
/* The command behind it runs in namespaces of its own, with a /tmp of its own. */
#define CONTAINER "unshare", "-mpnif", "--mount-proc", "--kill-child", "sh", "-c"

/*
 * Shell: hide /tmp behind an empty one, mounted with @options. What the JVM is started from stays
 * where it is, even if that is in there; attach_start() names it.
 */
#define OWN_TMP(options)                                                                           \
	"mkdir -p \"$HP_JDKS\" && mount -t tmpfs none /mnt && mkdir /mnt/classes /mnt/jdks && "    \
	"mount --bind \"$HP_CLASSES\" /mnt/classes && mount --bind \"$HP_JDKS\" /mnt/jdks && "     \
	"mount -t tmpfs " options " none /tmp && mkdir -p \"$HP_CLASSES\" \"$HP_JDKS\" && "        \
	"mount --bind /mnt/classes \"$HP_CLASSES\" && mount --bind /mnt/jdks \"$HP_JDKS\" && "

/** attach_agent() - agent_load(), which leaves the reason of a failure in attach_said. */
int attach_agent(pid_t pid, const char *lib, const char *options);
extern char attach_said[FAIL_TEXT_MAX];

/** built_path() - what was built in @relative, seen from the folder of this program. To be freed.
 */
char *built_path(const char *relative);

/** agent_in() - a copy of tiny_agent.so in @dir, which gets @mode: 0700 hides it. To be freed. */
char *agent_in(const char *dir, mode_t mode);

/** attach_start() - prog.Busy in a JVM behind @prefix, whose child it may be. Keeps errors. */
void attach_start(struct jvm *j, const struct jdk *jdk, const char *const *prefix,
		  const char *const *flags);

/** attach_start_nobodys() - the same where the prefix makes it another user's. */
void attach_start_nobodys(struct jvm *j, const char *const *prefix);

/** attach_finish() - it must work, have printed no stacks, and nothing lies about; ends it. */
void attach_finish(struct jvm *j);

/** attach_check_folder() - neither a trigger file nor a copied library in a folder of its root. */
void attach_check_folder(struct jvm *j, const char *folder);

/** attach_loads() - loading tiny_agent.so must work, and the agent get @options. */
void attach_loads(struct jvm *j, const char *lib, const char *options);

/** attach_refuses() - it must fail with @err and one line that names the PID and says @what. */
void attach_refuses(struct jvm *j, const char *lib, const char *options, int err, const char *what);

typedef void attach_jdk_fn(const struct jdk *jdk, const char *lib);

/** attach_each_jdk() - on each JDK but the copies that lack symbols, with agent_in() of @mode. */
void attach_each_jdk(attach_jdk_fn *fn, mode_t mode);

/** attach_socket_of() - the JVM's place for its attach socket. */
struct sockaddr_un attach_socket_of(struct jvm *j);

#endif
