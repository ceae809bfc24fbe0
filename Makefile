# minirun: `make help` lists the targets.
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
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
override CFLAGS   += -std=gnu17 $(OPTIMISE) $(WARNINGS) $(HARDEN) $(SANITIZE)
override CPPFLAGS += -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
override LDFLAGS  += -pie -Wl,-z,relro,-z,now $(SANITIZE)

# Linked statically where a static library is there: a launcher starts once a pod, and each shared library
# costs it 0.1 ms. libarchive is loaded when an archive is read, not before (images/libarchive.c).
LIBS ?= -Wl,-Bstatic -lseccomp -lcap -lapparmor -ljson-c -lfyaml -lmd -Wl,-Bdynamic -ldl

FLOORS  := base images namespaces security runner
SOURCES := $(foreach floor,$(FLOORS),$(wildcard $(floor)/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
# Everything but main(): what the unit tests link with.
LIBRARY := $(filter-out $(BUILD)/runner/main.o,$(OBJECTS))
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))
FACTS   := $(patsubst tests/facts/%.c,$(BUILD)/tests/facts/%,$(wildcard tests/facts/*.c))

all: $(BINARY) ## build ./minirun

$(BINARY): $(OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIBRARY) $(LIBS)

$(BUILD)/tests/facts/%: tests/facts/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIBS)

-include $(OBJECTS:.o=.d) $(UNITS:=.d) $(FACTS:=.d)

check-unit: $(UNITS) ## the C unit tests
	@set -e; for unit in $(UNITS); do $$unit; done

clean: ## remove what was built
	rm -rf $(BUILD) build-* $(BINARY)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | column -t -s "$$(printf '\t')"

.PHONY: all check-unit clean help
