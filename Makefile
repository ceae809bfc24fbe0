# minirun: `make help` lists the targets.
SHELL := /bin/bash
# One line a file; the whole commands with V=1.
Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-5s %s\n' "$(1)" "$(2)")
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules

PREFIX   ?= /usr/local
BUILD    ?= build
BINARY   ?= minirun
CC       ?= gcc
OPTIMISE ?= -O2 -g
SANITIZE ?=

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations \
	-Wpointer-arith -Wformat=2 -Wundef -Wvla -Wcast-align -Wwrite-strings -Wswitch-enum -Wno-unused-result
HARDEN   ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
override CFLAGS   += -std=gnu17 $(OPTIMISE) $(WARNINGS) $(HARDEN) $(SANITIZE)
override CPPFLAGS += -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
override LDFLAGS  += -pie -Wl,-z,relro,-z,now $(SANITIZE)

# Linked statically where a static library is there: a launcher starts once a pod, and each shared library
# costs it 0.1 ms. libarchive is loaded when an archive is read, not before (images/libarchive.c).
static_or_shared = $(if $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a)),-l:lib$(1).a,-l$(1))
# Found out when something is linked, and once.
LIBS = $(eval LIBS := $(foreach lib,seccomp cap apparmor json-c fyaml md z,$(call static_or_shared,$(lib))) -ldl -lm)$(LIBS)

FLOORS  := base images namespaces security runner runner/check runner/manifest runner/plan runner/pod runner/verbs
SOURCES := $(foreach floor,$(FLOORS),$(wildcard $(floor)/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
# Everything but main(): what the unit tests link with, each as much of it as it uses.
LIBRARY := $(BUILD)/minirun.a
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))
FACTS   := $(patsubst tests/facts/%.c,$(BUILD)/tests/facts/%,$(wildcard tests/facts/*.c))
# Static programs that tests put into containers.
HELPERS := $(patsubst tests/helpers/%.c,$(BUILD)/tests/helpers/%,$(wildcard tests/helpers/*.c))

all: $(BINARY) man ## build ./minirun and its man pages

$(BINARY): $(OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# Included by the assembler, where -MMD does not see it.
$(BUILD)/security/seccomp_default.o: security/runtime-default.json
$(BUILD)/security/apparmor_load.o: security/minirun-default.apparmor

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIBRARY): $(filter-out $(BUILD)/runner/main.o,$(OBJECTS))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# The RuntimeDefault profile is copied into this object.
$(BUILD)/security/seccomp_default.o: security/runtime-default.json

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIBRARY) $(LIBS)

$(BUILD)/bench/%: bench/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -static -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) $(LIBS)

$(BUILD)/tests/facts/%: tests/facts/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIBS)

# Neither sanitizers nor hardening: what such a program calls is only what stands in it.
$(BUILD)/tests/helpers/%: tests/helpers/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu17 -O2 $(WARNINGS) -static -MMD -MP -MF $@.d -o $@ $<

# Without libc it makes no call before its own first one.
$(BUILD)/tests/helpers/bare: tests/helpers/bare.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu17 -O2 $(WARNINGS) -static -nostdlib -ffreestanding -fno-stack-protector \
		-MMD -MP -MF $@.d -o $@ $<

-include $(OBJECTS:.o=.d) $(UNITS:=.d) $(FACTS:=.d) $(HELPERS:=.d)

# ---- packages ----

deps: ## install the Debian packages that building, the demo and all tests need, where missing
	@tests/scripts/deps build demo test lint vm

deps-bench: ## the same for what the bench compares with
	@tests/scripts/deps build demo bench

# What `make demo` and `make check` need themselves: no second compiler, no linters.
deps-check:
	@tests/scripts/deps build demo test

# ---- man pages ----

MAN := $(BUILD)/man/minirun.1 $(BUILD)/man/minirun-pod.5

man: $(MAN)

$(BUILD)/man/minirun.1: man/minirun.1
	@mkdir -p $(@D)
	@cp $< $@

# The table of fields is printed by the program that reads them.
$(BUILD)/man/minirun-pod.5: man/minirun-pod.5.in $(BINARY)
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	@ASAN_OPTIONS=detect_leaks=0 $(RUN_BINARY) help --fields >$@.fields
	@sed -e '/^@FIELDS@$$/{r $@.fields' -e 'd}' $< >$@.new
	@mv $@.new $@
	@rm $@.fields

man-check: man ## the man pages, by mandoc's lint
	mandoc -Tlint -Wwarning $(MAN)

# ---- tests ----

RUN_BINARY = $(abspath $(BINARY))
BATS := $(wildcard tests/*.bats)
VM_BATS := $(wildcard tests/vm/*.bats)
SUITE = tests/scripts/suite -e

# What needs AppArmor or cgroup v2 runs in a virtual machine. Where there can be none (no x86-64, no qemu and nobody
# who may install it, no way to Debian's kernel) that is said; in the continuous integration it is a failure.
check: deps-check ## all tests: units, kernel facts, the bats suite, and what runs in the virtual machine
	@$(MAKE) --no-print-directory -j$(JOBS) all tests-build
	@vm="$(VM_BATS)"; tests/scripts/deps vm && tests/vm/kernel >/dev/null || { [ -n "$$CI" ] || vm=; }; \
	[ -n "$$vm" ] || echo "# check: WITHOUT the tests in the virtual machine, for the reason above"; \
	MINIRUN=$(RUN_BINARY) $(SUITE) -n check $(UNITS) $(FACTS) $(BATS) $$vm

JOBS := $(shell nproc)

tests-build: $(UNITS) $(FACTS) $(HELPERS)

check-unit: ## the C unit tests
	@$(MAKE) --no-print-directory -j$(JOBS) $(UNITS) $(HELPERS)
	@$(SUITE) -n check-unit $(UNITS)

check-facts: ## the programs that prove the kernel behaviour we rely on
	@$(MAKE) --no-print-directory -j$(JOBS) $(FACTS) $(HELPERS)
	@$(SUITE) -n check-facts $(FACTS)

check-bats: ## the bats suite, or some of it: make check-bats BATS=tests/demo.bats
	@$(MAKE) --no-print-directory -j$(JOBS) all $(HELPERS)
	@MINIRUN=$(RUN_BINARY) $(SUITE) -n check-bats $(BATS)

# The same suite, by the other two of tests/modes.table: root lends them a user, anybody else is one (tests/scripts/mode).
# The demo's image, and the virtual machine's kernel, can't be made in there.
IMAGES = $(if $(filter %/demo.bats %/learn.bats,$(BATS)),demo/images/build nginx,:) >/dev/null; \
	$(if $(filter %/vm.bats,$(BATS)),tests/vm/kernel,:) >/dev/null

check-range: ## the bats suite as an ordinary user with a range of ids, or some of it
	@$(MAKE) --no-print-directory -j$(JOBS) all $(HELPERS)
	@$(IMAGES)
	@MINIRUN=$(RUN_BINARY) tests/scripts/mode range $(SUITE) -n "as a user with a range" $(BATS)

check-one-id: ## the bats suite in unshare -r, with one id, or some of it
	@$(MAKE) --no-print-directory -j$(JOBS) all $(HELPERS)
	@$(IMAGES)
	@MINIRUN=$(RUN_BINARY) tests/scripts/mode one-id $(SUITE) -n "in unshare -r" $(BATS)

check-modes: ## what tests/modes.table leaves out still fails there
	@$(MAKE) --no-print-directory -j$(JOBS) all $(HELPERS)
	@MINIRUN=$(RUN_BINARY) tests/scripts/modes-check

check-vm: deps-check ## what needs AppArmor or cgroup v2, in a virtual machine; or some: make check-vm VM_BATS=...
	@tests/scripts/deps vm
	@$(MAKE) --no-print-directory -j$(JOBS) all $(HELPERS) $(FACTS) $(BUILD)/tests/unit/apparmor
	@MINIRUN=$(RUN_BINARY) $(SUITE) -n check-vm $(VM_BATS)

# Leaks are looked for in the unit tests, which are plain processes. The program itself is many processes in namespaces
# of their own, some under a seccomp filter: the leak checker, a tracer thread that ptraces its process, can't work
# there. What the sanitizers find elsewhere ends a process with 99, a status that no test expects.
ASAN_FLAGS := BUILD=build-asan BINARY=build-asan/minirun HARDEN=-fPIE OPTIMISE="-O1 -g -fno-omit-frame-pointer" \
	SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all"
ASAN_ENVIRONMENT := UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99 \
	ASAN_OPTIONS=exitcode=99:detect_stack_use_after_return=1:handle_sigill=0:detect_leaks

# With MODE=range the bats suite runs as such a user, and as root only what tests/modes.table leaves out there: the continuous
# integration has both in one.
MODE ?=

asan:
	@$(MAKE) --no-print-directory -j$(JOBS) $(ASAN_FLAGS) all tests-build

check-asan: deps-check asan ## all tests again, on a build with AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory $(ASAN_FLAGS) run-asan

run-asan:
	@status=0; \
	$(ASAN_ENVIRONMENT)=1 $(SUITE) -n "asan, units" $(UNITS) || status=1; \
	export MINIRUN=$(RUN_BINARY) $(ASAN_ENVIRONMENT)=0; \
	if [ -z "$(MODE)" ]; then \
		$(SUITE) -n "asan, bats" $(BATS) || status=1; \
	else \
		$(IMAGES); tests/scripts/mode $(MODE) $(SUITE) -n "asan, bats, $(MODE)" $(BATS) || status=1; \
		MINIRUN_TESTS=$(MODE) $(SUITE) -n "asan, bats, what $(MODE) leaves out" \
			$$(tests/scripts/modes-check --files $(MODE)) || status=1; \
	fi; \
	exit $$status

# ---- fuzz ----

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 60

# What is found is left in build-fuzz; tests/fuzz/corpus has the inputs to begin with.
fuzz: ## clang's libFuzzer on what reads foreign text, each for FUZZ_SECONDS (60)
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build-fuzz CC=clang HARDEN=-fPIE OPTIMISE="-O1 -g" \
		SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" run-fuzz

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(LIBRARY) $(LIBS)

run-fuzz: $(FUZZERS)
	@set -e; for fuzzer in $(FUZZERS); do \
		name=$${fuzzer##*/}; mkdir -p $(BUILD)/corpus/$$name; \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=5 -max_len=4096 -artifact_prefix=$(BUILD)/$$name- \
			-print_final_stats=1 $(BUILD)/corpus/$$name tests/fuzz/corpus/$$name 2>&1 | \
			{ grep -v '^#\|^INFO\|RECOMMENDED\|^"' || :; }; \
		[ $${PIPESTATUS[0]} -eq 0 ]; \
	done

# ---- lint ----

SCRIPTS := .ci/run tests/scripts/deps tests/scripts/suite tests/scripts/mode tests/scripts/modes-check tests/scripts/machine tests/scripts/console \
	tests/helpers.bash tests/check-lines.bash tests/vm/run tests/vm/kernel tests/vm/bats \
	tests/vm/init tests/vm/stage tests/vm/helpers.bash demo/images/build \
	demo/images/nginx-foreground demo/run bench/run bench/unpack bench/idle bench/logs bench/readme
C_FILES = $(SOURCES) $(wildcard tests/unit/*.[ch] tests/facts/*.[ch] tests/programs/*.c tests/helpers/*.c tests/fuzz/*.c bench/*.c \
	demo/*/*.c)
HEADERS = $(foreach floor,$(FLOORS),$(wildcard $(floor)/*.h))

tidy: $(SOURCES:%=tidy/%) cppcheck ## clang-tidy and cppcheck

tidy/%: %
	clang-tidy --quiet $< -- -std=gnu17 $(CPPFLAGS) 2>&1 | { grep -v 'warnings generated\|^Suppressed\|^Use -header' || :; }; \
	exit $${PIPESTATUS[0]}

cppcheck:
	cppcheck --quiet --std=c11 --language=c --enable=warning,style,performance,portability --inline-suppr \
		--error-exitcode=1 --suppressions-list=.cppcheck -j $(JOBS) $(CPPFLAGS) $(SOURCES)

format: ## clang-format, in place
	clang-format -i $(C_FILES) $(HEADERS)

format-check: ## clang-format, as a question
	clang-format --dry-run --Werror $(C_FILES) $(HEADERS)

shellcheck: ## the scripts and the bats files
	shellcheck $(SCRIPTS)
	shellcheck --shell=bats --severity=warning --exclude=SC2030,SC2031,SC2154 $(BATS) $(VM_BATS)

# ---- demo and bench ----

demo: deps-check ## the demo: builds, makes the images, runs the pods, and says what is to be seen
	@$(MAKE) --no-print-directory -j$(JOBS) $(BINARY)
	@MINIRUN=$(RUN_BINARY) demo/run

bench: deps-bench ## side by side with the peers: start times to bench/RESULTS.md, unpacking to bench/UNPACKING.md, idle pods to bench/IDLE.md, all to the README
	@$(MAKE) --no-print-directory -j$(JOBS) $(BINARY) $(BUILD)/bench/byhand $(BUILD)/bench/filter $(BUILD)/bench/peak
	@MINIRUN=$(RUN_BINARY) TOOLS=$(BUILD)/bench bench/run
	@MINIRUN=$(RUN_BINARY) TOOLS=$(BUILD)/bench bench/unpack
	@MINIRUN=$(RUN_BINARY) bench/idle >bench/IDLE.new && mv bench/IDLE.new bench/IDLE.md
	@bench/readme

# ---- install ----

# The program has no use for a setuid bit, and must not get one (CVE-2020-5291 is what comes of it).
install: all ## install to $(DESTDIR)$(PREFIX)
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/minirun
	install -D -m 0644 $(BUILD)/man/minirun.1 $(DESTDIR)$(PREFIX)/share/man/man1/minirun.1
	install -D -m 0644 $(BUILD)/man/minirun-pod.5 $(DESTDIR)$(PREFIX)/share/man/man5/minirun-pod.5

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/minirun $(DESTDIR)$(PREFIX)/share/man/man1/minirun.1 \
		$(DESTDIR)$(PREFIX)/share/man/man5/minirun-pod.5

clean: ## remove what was built; the images in demo/cache stay (clean-images)
	rm -rf $(BUILD) build-* $(BINARY)

clean-images: $(BINARY) ## remove the demo's images
	MINIRUN=$(RUN_BINARY) demo/run clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | awk -F'\t' '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: all deps deps-bench deps-check man man-check check tests-build check-unit check-facts check-bats check-range check-one-id check-modes check-vm asan check-asan \
	run-asan fuzz run-fuzz tidy cppcheck format format-check shellcheck demo bench install uninstall clean clean-images help
