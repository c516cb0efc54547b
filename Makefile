# SPDX-License-Identifier: MIT
#
# hotprobe's build. One non-recursive makefile; everything it makes goes to $(O).
#
#   make            the program
#   make unit       unit tests: no root, no Java, no BPF
#   make check      everything, on real JVMs (root); installs what is missing
#   make SAN=1 ...  the same with ASan and UBSan
#   V=1             show the commands

VERSION := 0.1.0

SAN ?= 0
V ?= 0
O ?= $(if $(filter 1,$(SAN)),build/san,build)

CC := gcc
CLANG ?= clang
BPFTOOL ?= $(or $(wildcard /usr/sbin/bpftool),bpftool)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wundef -Wimplicit-fallthrough -Wpointer-arith -Wwrite-strings
CFLAGS ?= -O2 -g
HP_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARN) -fno-strict-aliasing -I. -Idaemon -isystem $(O)/skel \
	-DHP_VERSION='"$(VERSION)"'
LDLIBS := -lbpf -lelf -lcapstone -ljansson -lz

ifeq ($(SAN),1)
HP_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DHP_SAN=1
LDFLAGS += -fsanitize=address,undefined
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
DAEMON_SRC := $(filter-out daemon/main.c,$(wildcard daemon/*.c daemon/*/*.c))
BPF_SRC := $(wildcard bpf/*.bpf.c)
TEST_SRC := $(wildcard tests/test_*.c)
TEST_LIB_SRC := $(filter-out $(TEST_SRC) $(wildcard tests/bench_*.c),$(wildcard tests/*.c))
BENCH_SRC := $(wildcard tests/bench_*.c)
JVM_TEST_SRC := $(wildcard tests/jvm/test_*.c)
JVM_LIB_SRC := $(filter-out $(JVM_TEST_SRC),$(wildcard tests/jvm/*.c))

obj = $(patsubst %.c,$(O)/obj/%.o,$(1))
SYMMAP_OBJ := $(call obj,$(SYMMAP_SRC))
DAEMON_OBJ := $(call obj,$(DAEMON_SRC))
SKEL := $(patsubst bpf/%.bpf.c,$(O)/skel/%.skel.h,$(BPF_SRC))
TESTS := $(patsubst tests/%.c,$(O)/tests/%,$(TEST_SRC))
BENCHES := $(patsubst tests/%.c,$(O)/tests/%,$(BENCH_SRC))
JVM_TESTS := $(patsubst tests/jvm/%.c,$(O)/tests/jvm/%,$(JVM_TEST_SRC))

all: $(O)/hotprobe

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

# Only the files that include a skeleton need one; the order-only rule makes them all exist first.
$(O)/obj/%.o: %.c | $(SKEL)
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(HP_CFLAGS) -MMD -MP -c $< -o $@

$(O)/hotprobe.a: $(SYMMAP_OBJ) $(DAEMON_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/hotprobe: $(O)/obj/daemon/main.o $(O)/hotprobe.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# --- tests ---------------------------------------------------------------------------------------

$(O)/tests/jvm/%: $(O)/obj/tests/jvm/%.o $(call obj,$(JVM_LIB_SRC)) $(O)/hotprobe.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $^ -lcmocka $(LDLIBS) -o $@

$(O)/tests/%: $(O)/obj/tests/%.o $(call obj,$(TEST_LIB_SRC)) $(O)/hotprobe.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $^ -lcmocka $(LDLIBS) -lpthread -o $@

unit: $(TESTS)
	$(Q)tests/run-tests $(TESTS)

clean:
	rm -rf build

-include $(shell find $(O) -name '*.d' 2>/dev/null)

.PHONY: all unit clean
.SECONDARY:
