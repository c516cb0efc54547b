# SPDX-License-Identifier: MIT
#
# hotprobe's build. One non-recursive makefile; everything it makes goes to $(O).
#
#   make               the program and the agent
#   make unit          unit tests: no root, no Java, no BPF
#   make check         everything, on real JVMs (root); installs what is missing
#   make check-jdks    fetches more JDKs to build/jdks, then check
#   make chaos         whatever may happen, for SECONDS=300, of which `check` does 180
#   make bench         measurements; BENCH=names ARGS=arguments
#   make demo          see it work (root); installs what is missing
#   make record        what JVMs look like to the readers, for the unit tests: JDKS="DIR..."
#   make fuzz          each parser for FUZZ_SECONDS=20, on a corpus that grows
#   make fuzz-check    each parser for 10 s on the kept corpus, as part of the check
#   make deps          install what building and testing needs (Debian, root)
#   make install       PREFIX=/usr/local DESTDIR=
#   make layers        does any file include what it must not?
#   make format-check  does any file differ from what clang-format makes of it?
#   make clean         all but what was fetched; distclean: all
#   make SAN=1 ...     the same with ASan and UBSan, in build/san
#   V=1                show the commands

VERSION := 0.1.0

SAN ?= 0
FUZZ ?= 0
V ?= 0
O ?= $(if $(filter 1,$(FUZZ)),build/fuzz,$(if $(filter 1,$(SAN)),build/san,build))

CC := gcc
AGENT_CC := $(CC)
CLANG ?= clang
BPFTOOL ?= $(or $(wildcard /usr/sbin/bpftool),bpftool)
JAVAC ?= $(or $(wildcard /usr/lib/jvm/java-17-openjdk-amd64/bin/javac),javac)
# Where jvmti.h is: any JDK's will do.
JDK_INCLUDE ?= $(dir $(or $(wildcard $(dir $(realpath $(shell command -v $(JAVAC))))../include/jvmti.h),\
	$(firstword $(wildcard /usr/lib/jvm/*/include/jvmti.h))))
PREFIX ?= /usr/local

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wundef -Wimplicit-fallthrough -Wpointer-arith -Wwrite-strings
CFLAGS ?= -O2 -g
HP_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARN) -fno-strict-aliasing -I. -Idaemon -isystem $(O)/skel \
	-DHP_VERSION='"$(VERSION)"'
LDLIBS := -lbpf -lelf -lcapstone -ljansson -lz

ifeq ($(FUZZ),1)
# Another compiler's warnings are not what fuzzing is for.
CC := $(CLANG)
CFLAGS := -O1 -g1
HP_CFLAGS += -Wno-error -fsanitize=fuzzer-no-link
endif
ifneq ($(filter 1,$(SAN) $(FUZZ)),)
SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
HP_CFLAGS += $(SAN_FLAGS) -fno-omit-frame-pointer -DHP_SAN=1
HP_LDFLAGS := $(SAN_FLAGS)
export UBSAN_OPTIONS ?= print_stacktrace=1
endif

ifeq ($(V),1)
msg =
Q =
else
msg = @printf '  %-8s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))';
Q = @
MAKEFLAGS += --no-print-directory
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# --- sources -----------------------------------------------------------------------------------

SYMMAP_SRC := $(wildcard symmap/*.c)
AGENT_SRC := $(wildcard jvmagent/*.c)
DAEMON_SRC := $(filter-out daemon/main.c,$(shell find daemon -name '*.c'))
BPF_SRC := $(wildcard bpf/*.bpf.c)
TEST_SRC := $(wildcard tests/unit/test_*.c tests/live/test_*.c)
BENCH_SRC := $(wildcard tests/unit/bench_*.c)
JVM_TEST_SRC := $(wildcard tests/jvm/test_*.c tests/image/test_*.c)
JVM_BENCH_SRC := $(wildcard tests/jvm/bench_*.c tests/image/bench_*.c)
TEST_LIB_SRC := $(wildcard tests/lib/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
JAVA_SRC := $(wildcard tests/data/java/*.java)

obj = $(patsubst %.c,$(O)/obj/%.o,$(1))
SYMMAP_OBJ := $(call obj,$(SYMMAP_SRC))
# No fuzz target loads BPF or is a command: then neither the kernel's types nor a skeleton is needed.
ifeq ($(FUZZ),1)
DAEMON_SRC := $(filter-out daemon/cli/% daemon/kernel/%,$(DAEMON_SRC))
TEST_LIB_SRC := $(wildcard tests/lib/fake_*.c)
endif
DAEMON_OBJ := $(call obj,$(DAEMON_SRC))
SKEL := $(patsubst bpf/%.bpf.c,$(O)/skel/%.skel.h,$(BPF_SRC))
TESTS := $(TEST_SRC:%.c=$(O)/%)
UNIT_BENCHES := $(BENCH_SRC:%.c=$(O)/%)
JVM_BENCHES := $(JVM_BENCH_SRC:%.c=$(O)/%)
BENCHES := $(UNIT_BENCHES) $(JVM_BENCHES)
JVM_TESTS := $(JVM_TEST_SRC:%.c=$(O)/%)
# These compare times: nothing may run beside them.
ALONE_TESTS := $(filter %_speed,$(JVM_TESTS))
# Those that take longest first, so that in the end the CPUs are done at the same time.
LONG_TESTS := $(foreach t,real chaos gc image_count image_leave leave moments threads image_share codecache,\
	$(filter %/test_$(t),$(JVM_TESTS)))
SHARED_TESTS := $(LONG_TESTS) $(filter-out $(LONG_TESTS) $(ALONE_TESTS),$(JVM_TESTS))
# Once more by the agent, without the right to ptrace: tests/lib/env.h.
VIA_TESTS := $(foreach t,gc leave threads codecache args,$(O)/tests/jvm/test_$(t))
VIA_ALONE_TESTS := $(O)/tests/jvm/test_speed
# Parts of the agent that know nothing of Java: the unit tests link them.
AGENT_UNIT_SRC := $(addprefix jvmagent/,fds.c line.c options.c queue.c signals.c sink.c sockets.c text.c trial.c)
FUZZERS := $(FUZZ_SRC:%.c=$(O)/%)
FUZZ_CHECKS := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/check/%)
CLASSES := $(if $(JAVA_SRC),$(O)/classes/.compiled)

all: $(O)/hotprobe $(O)/libhotprobe.so

# --- BPF -----------------------------------------------------------------------------------------

$(O)/skel/vmlinux.h:
	$(call msg,BTF,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c >$@

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(O)/skel/vmlinux.h
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -g -O2 -mcpu=v3 -Wall -Werror -target bpf -D__TARGET_ARCH_x86 -I. -I$(O)/skel \
		-I/usr/include/x86_64-linux-gnu -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm -f $@.tmp

$(O)/skel/%.skel.h: $(O)/bpf/%.bpf.o
	$(call msg,SKEL,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# --- program -------------------------------------------------------------------------------------

# What includes a skeleton is made anew with it: -MMD is silent about system headers.
$(O)/obj/daemon/kernel/probe_bpf.o: $(O)/skel/probe.skel.h
$(O)/obj/daemon/kernel/nmethod_bpf.o: $(O)/skel/nmethod.skel.h

$(O)/obj/tests/%.o: HP_CFLAGS += -Itests
# Whoever starts us may leave us little stack: `ulimit -s 64` must do. Sanitizers need more.
ifeq ($(SAN)$(FUZZ),00)
$(O)/obj/daemon/%.o: HP_CFLAGS += -Wframe-larger-than=20000
endif

$(O)/obj/%.o: %.c Makefile
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(HP_CFLAGS) -MMD -MP -c $< -o $@

$(O)/hotprobe.a: $(SYMMAP_OBJ) $(DAEMON_OBJ)
$(O)/tests.a: $(call obj,$(TEST_LIB_SRC))
$(O)/agent.a: $(call obj,$(AGENT_UNIT_SRC))

# Only what a program needs is taken from them: a fuzz target has no cmocka, which a helper may use.
$(O)/%.a:
	$(call msg,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/hotprobe: $(O)/obj/daemon/main.o $(O)/hotprobe.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(HP_LDFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# --- agent ---------------------------------------------------------------------------------------

# It runs in a JVM that knows nothing of sanitizers, and may need no library but libc.
AGENT_OBJ := $(patsubst %.c,$(O)/agent/%.o,$(AGENT_SRC))
AGENT_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 -g -fPIC -fvisibility=hidden -fno-strict-aliasing \
	-pthread -isystem $(JDK_INCLUDE) -isystem $(JDK_INCLUDE)linux

$(O)/agent/%.o: %.c Makefile
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(if $(JDK_INCLUDE),,$(error no jvmti.h found: install a JDK or set JDK_INCLUDE))
	$(Q)$(AGENT_CC) $(AGENT_CFLAGS) -MMD -MP -c $< -o $@

$(O)/libhotprobe.so: $(AGENT_OBJ)
	$(call msg,LINK,$@)
	$(Q)$(AGENT_CC) -shared -pthread -Wl,-z,defs,-z,now,-z,relro,-z,nodelete $(AGENT_OBJ) -o $@

# --- tests ---------------------------------------------------------------------------------------

# What the tests find things by. Absolute: some change their directory.
export HP_BIN = $(abspath $(O)/hotprobe)
export HP_AGENT = $(abspath $(O)/libhotprobe.so)
export HP_CLASSES = $(abspath $(O)/classes)
export HP_JDKS ?= $(abspath build/jdks)
export HP_APPS ?= $(abspath build/apps)
export HP_IMAGES ?= $(abspath build/images)

link_test = $(Q)mkdir -p $(@D) && $(CC) $(HP_LDFLAGS) $(LDFLAGS) $^ $(1) $(LDLIBS) -lpthread -lm -o $@

# Static pattern rules: of two implicit ones make takes the one whose objects happen to be there.
$(TESTS) $(BENCHES) $(JVM_TESTS): $(O)/tests/%: $(O)/obj/tests/%.o $(O)/tests.a $(O)/agent.a \
		$(O)/hotprobe.a
	$(call msg,LINK,$@)
	$(call link_test,-lcmocka)

# What these have JVMs load; no sanitizer, which a JVM would have to bring along.
$(O)/tests/jvm/test_agent_attach $(O)/tests/jvm/test_agent_attach_refused: | $(O)/tests/lib/tiny_agent.so \
		$(O)/libhotprobe.so
$(O)/tests/jvm/test_agent $(O)/tests/jvm/test_privileges: | $(O)/libhotprobe.so
$(O)/tests/jvm/test_agent_load $(O)/tests/jvm/test_agent_control: | $(O)/tests/lib/second_agent.so \
		$(O)/libhotprobe.so
$(O)/tests/jvm/test_hostile $(O)/tests/jvm/test_seccomp: | $(O)/tests/lib/hostile_agent.so $(O)/libhotprobe.so
$(O)/tests/jvm/test_profiler: | $(O)/tests/lib/profiler_agent.so
$(O)/tests/lib/%_agent.so: tests/lib/agent/%_agent.c Makefile
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(AGENT_CC) $(CFLAGS) $(WARN) -isystem $(JDK_INCLUDE) -isystem $(JDK_INCLUDE)linux -shared -fPIC $< -o $@

$(FUZZERS): $(O)/tests/fuzz/%: $(O)/obj/tests/fuzz/%.o $(O)/tests.a $(O)/agent.a $(O)/hotprobe.a
	$(call msg,LINK,$@)
	$(call link_test,-fsanitize=fuzzer)

# Of the agent as it is: one loads it, by the headers of the JDK; one looks what it needs.
$(O)/tests/live/test_agent_refuse $(O)/tests/unit/test_agent_needs: | $(O)/libhotprobe.so
$(O)/obj/tests/live/test_agent_refuse.o $(O)/obj/tests/fuzz/fuzz_agent_control.o: HP_CFLAGS += -isystem $(JDK_INCLUDE) -isystem $(JDK_INCLUDE)linux

# Made anew from nothing: a class whose source is gone must not stay.
$(O)/classes/.compiled: $(JAVA_SRC) Makefile
	$(call msg,JAVAC,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)$(JAVAC) --release 17 -g -d $(@D) $(JAVA_SRC)
	@touch $@

# Fuzz targets and benchmarks are compiled, so that they keep up with what they call.
unit: layers format-check $(TESTS) $(call obj,$(FUZZ_SRC) $(BENCH_SRC) $(JVM_BENCH_SRC))
	$(Q)HP_TEST_TIMEOUT=$${HP_TEST_TIMEOUT:-120} tests/tools/run-tests $(TESTS)

# The dependencies first, then everything else in a make that finds them, on all CPUs.
parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

check check-jdks:
	$(Q)tests/tools/install-deps test
	$(Q)$(MAKE) $(parallel) check-installed $(if $(filter %-jdks,$@),FETCH=fetched-all)

# The network and the compiler need not wait for each other.
FETCH ?= fetched
fetched:
	$(Q)tests/tools/fetch-apps -d $(HP_APPS)
	$(Q)tests/tools/fetch-images $(HP_IMAGES)

fetched-all:
	$(Q)tests/tools/fetch-jdks $(HP_JDKS)
	$(Q)tests/tools/fetch-apps $(HP_APPS)
	$(Q)tests/tools/fetch-images $(HP_IMAGES)

# What fails within seconds first; then what must be alone.
check-installed: layers format-check all $(TESTS) $(JVM_TESTS) $(CLASSES) fuzz-build $(FETCH)
	$(Q)tests/tools/run-tests $(TESTS) --alone $(ALONE_TESTS) HP_VIA=bare $(VIA_ALONE_TESTS) \
		--shared $(VIA_TESTS) HP_VIA= $(SHARED_TESTS) $(FUZZ_CHECKS)

jdks:
	$(Q)tests/tools/install-deps test
	$(Q)$(MAKE) fetched-all

SECONDS ?= 300

# By itself, for its report.
chaos: all $(O)/tests/jvm/test_chaos $(CLASSES)
	$(Q)HP_CHAOS_SECONDS=$(SECONDS) $(O)/tests/jvm/test_chaos

# BENCH: names without tests/ and bench_, all if empty; ARGS goes to each.
bench: all $(BENCHES) $(CLASSES)
	$(Q)set -e; for bench in $(or $(foreach b,$(BENCH),$(filter %/bench_$(b),$(BENCHES))), \
		$(BENCHES)); do echo "$${bench##*/}"; $$bench $(ARGS); done

demo:
	$(Q)tests/tools/install-deps test
	$(Q)$(MAKE) demo-installed

demo-installed: all
	$(Q)tests/tools/demo/run $(HP_BIN) $(abspath $(O)/demo)

# --- recordings ----------------------------------------------------------------------------------

RECORD_JVM := $(O)/tests/tools/record-jvm

$(RECORD_JVM): $(call obj,$(wildcard tests/tools/record-jvm*.c)) $(O)/tests.a $(O)/hotprobe.a
	$(call msg,LINK,$@)
	$(call link_test,-lcmocka)

# Compiled for the oldest JDK that is recorded.
$(O)/recorded/.compiled: tests/data/java/Recorded.java Makefile
	$(call msg,JAVAC,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)$(JAVAC) --release 8 -Xlint:-options -g -d $(@D) $<
	@touch $@

record: $(RECORD_JVM) $(O)/recorded/.compiled
	$(Q)tests/tools/record-jvm-run $(RECORD_JVM) $(O)/recorded $(JDKS)

# --- fuzzing -------------------------------------------------------------------------------------

fuzz:
	$(Q)tests/tools/install-deps fuzz
	$(Q)$(MAKE) FUZZ=1 fuzz-run

fuzz-check: fuzz-build
	$(Q)tests/tools/run-tests $(FUZZ_CHECKS)

# Built by another compiler, as all of this is: a make of its own. Named by a link, each is a test.
fuzz-build:
	$(Q)tests/tools/install-deps fuzz
	$(Q)$(MAKE) FUZZ=1 $(FUZZ_CHECKS)

$(FUZZ_CHECKS): build/fuzz/check/%: build/fuzz/tests/fuzz/%
	@mkdir -p $(@D)
	$(Q)ln -sf $(abspath tests/tools/fuzz-one) $@

# After a long `make fuzz`: what its corpora reach beyond the kept ones is added to those. Small
# inputs only: they are in the repository.
KEEP_BYTES := 600
fuzz-keep:
	$(Q)$(MAKE) FUZZ=1 fuzz-keep-found

fuzz-keep-found: $(FUZZERS)
	$(Q)set -e; for f in $(FUZZERS); do \
		name=$${f##*/}; kept=tests/fuzz/seeds/$$name; small=$(O)/corpus/$$name.small; \
		[ -d $(O)/corpus/$$name ] || continue; \
		rm -rf $$small; mkdir -p $$small $$kept; \
		find $(O)/corpus/$$name -type f -size -$(KEEP_BYTES)c -exec cp -t $$small {} +; \
		$$f -merge=1 -use_value_profile=0 $$kept $$small >$(O)/$$name.log 2>&1; \
	done; du -sb tests/fuzz/seeds

# A corpus grows in $(O)/corpus; tests/fuzz/seeds/NAME, if there, is where it begins.
fuzz-run: $(FUZZERS)
	$(Q)set -e; for f in $(FUZZERS); do \
		name=$${f##*/}; mkdir -p $(O)/corpus/$$name; \
		printf '  %-8s %s, %s s\n' FUZZ $$name $(or $(FUZZ_SECONDS),20); \
		$$f -max_total_time=$(or $(FUZZ_SECONDS),20) -timeout=10 -rss_limit_mb=2048 \
			-artifact_prefix=$(O)/$$name- $(O)/corpus/$$name \
			$$(ls -d tests/fuzz/seeds/$$name 2>/dev/null) >$(O)/$$name.log 2>&1 || \
			{ tail -n 40 $(O)/$$name.log; exit 1; }; \
		tail -n 1 $(O)/$$name.log; \
	done

# --- the rest ------------------------------------------------------------------------------------

deps:
	$(Q)tests/tools/install-deps test

layers:
	$(call msg,LAYERS,tests/tools/layers)
	$(Q)tests/tools/layers

format-check:
	$(call msg,FORMAT,.clang-format)
	$(Q)find symmap bpf jvmagent daemon tests -name '*.[ch]' | xargs clang-format --dry-run --Werror

MAN1 := $(wildcard docs/*.1)
MAN8 := $(wildcard docs/*.8)

install: all
	install -D -m 755 $(O)/hotprobe $(DESTDIR)$(PREFIX)/bin/hotprobe
	install -D -m 755 $(O)/libhotprobe.so $(DESTDIR)$(PREFIX)/lib/hotprobe/libhotprobe.so
	$(if $(MAN1),install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 $(MAN1))
	$(if $(MAN8),install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 $(MAN8))

# What was fetched stays.
clean:
	$(Q)! test -d build || find build -mindepth 1 -maxdepth 1 ! -name jdks ! -name apps \
		! -name images -exec rm -rf {} +

distclean:
	$(Q)rm -rf build

-include $(shell find $(O)/obj $(O)/bpf $(O)/agent -name '*.d' 2>/dev/null)

.PHONY: all unit record check check-installed check-jdks fetched fetched-all jdks chaos \
	bench demo demo-installed fuzz fuzz-run fuzz-check fuzz-build fuzz-keep fuzz-keep-found \
	deps layers format-check install clean distclean
.SECONDARY:
