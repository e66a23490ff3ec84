# godwit: build, test, lab, demo, bench, lint, install.
#
#   make                    build (VARIANT=debug)          make VARIANT=release
#   make test               everything a change must pass  make unit / make scenario for a part
#   make soak               random migrations under random faults for an hour, then the sweep
#   make sweep              every statement of a migration fails, is cut, is killed at: an hour more
#   make lint               format, include direction, size, complexity, cppcheck, shellcheck
#   make lab / lab-clean    the real servers that tests, demo and benchmarks use
#   make demo / bench       the tour / the benchmarks
#
# VARIANT is debug, release, asan (address + undefined), tsan or cov. All output is in build/VARIANT.

VARIANT ?= debug
VERSION := 0.1.0
LAB_DIR ?= .lab
PREFIX  ?= /usr/local
DESTDIR ?=
PYTHON  := /usr/bin/python3
export LAB_DIR

ifeq ($(filter $(VARIANT),debug release asan tsan cov fuzz),)
$(error VARIANT is "$(VARIANT)", it must be debug, release, asan, tsan or cov)
endif
ifeq ($(VARIANT),fuzz)
CC := clang
endif

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDEXPANSION:
MAKEFLAGS += --no-builtin-rules --no-print-directory

OUT := build/$(VARIANT)
GEN := $(OUT)/gen

# ---- flags -------------------------------------------------------------------------------------

PKGS := libpq libcyaml yaml-0.1 libpcre2-8 jansson libcrypto libzstd
pkg_cflags = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(1) 2>/dev/null))
pkg_libs   = $(shell pkg-config --libs $(1) 2>/dev/null)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-qual -Wformat=2 -Wwrite-strings \
        -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wswitch-enum
IS_CLANG := $(shell $(CC) --version 2>/dev/null | grep -c clang)
ifeq ($(IS_CLANG),0)
WARN += -Wduplicated-cond -Wduplicated-branches -Wlogical-op
else
# Formats that come in through a function's own format attribute; gcc takes them as checked.
WARN += -Wno-format-nonliteral
endif
# A sanitizer's extra code makes gcc guess wrong about these two; the debug build reports them.
ifneq ($(filter asan tsan,$(VARIANT)),)
WARN += -Wno-maybe-uninitialized -Wno-format-truncation
endif
ifeq ($(CI),true)
WARN += -Werror
endif

# A sanitizer's report needs functions and lines alone (-g1), which compile a quarter faster.
CFLAGS_debug   := -Og -g3 -DGODWIT_FAULTS=1
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS_asan    := -O1 -g1 -DGODWIT_FAULTS=1 -fsanitize=address,undefined \
                  -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g1 -DGODWIT_FAULTS=1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined \
                  -fsanitize=thread,bool,enum,nonnull-attribute,returns-nonnull-attribute
CFLAGS_cov     := -O0 -g -DGODWIT_FAULTS=1 --coverage -fprofile-update=atomic
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
                  -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS_debug   :=
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan    := -fsanitize=address,undefined --coverage
LDFLAGS_tsan    := -fsanitize=thread,undefined
LDFLAGS_cov     := --coverage
LDFLAGS_fuzz    := -fsanitize=fuzzer,address,undefined

# In these rooms a row can get lost: the build that the tests run counts what they reach there, and tools/coverage
# judges it. The four sanitizers write a branch that is never taken for each bool that is read and each pointer that is
# passed; the tsan build has them instead.
COUNTED_ROOMS    := cdc copy journal graph
COUNT_FLAGS_asan := --coverage -fprofile-update=atomic \
                    -fno-sanitize=bool,enum,nonnull-attribute,returns-nonnull-attribute
count_flags = $(if $(filter $(COUNTED_ROOMS),$(notdir $(@D))),$(COUNT_FLAGS_$(VARIANT)))

BASE_FLAGS = -std=gnu17 -D_GNU_SOURCE -DGODWIT_VERSION='"$(VERSION)"' -pthread \
             $(CFLAGS_$(VARIANT)) -Iengine -I$(GEN) $(call pkg_cflags,$(PKGS)) $(CFLAGS)
BANNED := $(if $(wildcard engine/base/banned.h),-include base/banned.h)
ENGINE_FLAGS := $(BASE_FLAGS) $(WARN) $(BANNED)
UNIT_FLAGS := $(BASE_FLAGS) $(filter-out -Wconversion -Wcast-qual -Wmissing-prototypes,$(WARN)) \
              -Itests/unit $(call pkg_cflags,cmocka)
LINK_FLAGS := $(LDFLAGS_$(VARIANT)) -pthread $(LDFLAGS)
LIBS := $(call pkg_libs,$(PKGS)) -lm

# ---- files -------------------------------------------------------------------------------------

SOURCES   := $(filter-out engine/main.c,$(wildcard engine/*.c engine/*/*.c))
ifeq ($(VARIANT),fuzz) # only the rooms that fuzz targets call
SOURCES   := $(wildcard engine/base/*.c engine/match/*.c engine/pg/*.c engine/plan/*.c engine/cdc/pgoutput*.c engine/cdc/spool*.c \
             engine/cdc/track.c engine/cdc/batch.c engine/cdc/test_decoding.c)
endif
OBJECTS   := $(SOURCES:%.c=$(OUT)/%.o)
MAIN      := $(wildcard engine/main.c)
SQL       := $(sort $(wildcard engine/sql/*.sql schemas/*.sql))
LIB       := $(OUT)/libgodwit.a
BIN       := $(if $(MAIN),$(OUT)/godwit)
TRIAL     := $(if $(filter release,$(VARIANT)),,$(OUT)/stream_trial)
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c tests/unit/*/test_*.c))
UNIT_BIN  := $(UNIT_SRC:tests/%.c=$(OUT)/%)
UNIT_HELP := $(wildcard tests/unit/lib/*.c)
UNIT_LIB  := $(OUT)/unit/libunit.a

.PHONY: build lib units unit scenario soak sweep test check lint format deps lab lab-clean demo bench \
        coverage install clean version fuzz fuzz-bins

build: lib $(BIN) $(TRIAL)
	@$(if $(BIN),ln -sfn $(VARIANT)/godwit build/godwit)

lib: $(LIB)

version:
	@echo $(VERSION)

# ---- engine ------------------------------------------------------------------------------------

# A stamp changes only when its text does, so that other flags or a removed file cause a rebuild.
write_if_changed = mkdir -p $(@D) && printf '%s\n' $(1) | cmp -s - $@ || printf '%s\n' $(1) > $@

# V=1 shows the commands.
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2); )

.PHONY: always
$(OUT)/flags.stamp: always
	@$(call write_if_changed,'$(subst ','\'',$(CC) $(ENGINE_FLAGS) $(COUNT_FLAGS_$(VARIANT)) $(UNIT_FLAGS) $(LINK_FLAGS))')

$(OUT)/sql.stamp: always
	@$(call write_if_changed,'$(SQL) $(PAGES)')

$(OUT)/lib.stamp: always
	@$(call write_if_changed,'$(OBJECTS)')

$(GEN)/sql_text.c $(GEN)/sql_text.h &: $(SQL) $(OUT)/sql.stamp tools/embed_sql.awk tools/embed_sql
	@mkdir -p $(GEN)
	$(call say,SQL,$@)tools/embed_sql $(GEN) $(SQL)

PAGES := $(sort $(wildcard docs/codes/*.md))
$(GEN)/pages_text.c $(GEN)/pages_text.h &: $(PAGES) $(OUT)/sql.stamp tools/embed_pages.awk
	@mkdir -p $(GEN)
	$(call say,PAGES,$@)awk -v header=$(GEN)/pages_text.h -v source=$(GEN)/pages_text.c -f tools/embed_pages.awk $(PAGES) </dev/null

$(GEN)/pages_text.o: $(GEN)/pages_text.c $(OUT)/flags.stamp
	$(call say,CC,$@)$(CC) $(ENGINE_FLAGS) -Wno-overlength-strings -MMD -MP -c $< -o $@

$(GEN)/sql_text.o: $(GEN)/sql_text.c $(OUT)/flags.stamp
	$(call say,CC,$@)$(CC) $(ENGINE_FLAGS) -Wno-overlength-strings -MMD -MP -c $< -o $@

$(OUT)/engine/%.o: engine/%.c $(OUT)/flags.stamp | $(GEN)/sql_text.h $(GEN)/pages_text.h
	@mkdir -p $(@D)
	@rm -f $(@:.o=.gcda)
	$(call say,CC,$@)$(CC) $(ENGINE_FLAGS) $(count_flags) -MMD -MP -c $< -o $@

$(LIB): $(OBJECTS) $(GEN)/sql_text.o $(GEN)/pages_text.o $(OUT)/lib.stamp
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(filter %.o,$^)

$(OUT)/godwit: $(OUT)/engine/main.o $(LIB)
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) $< $(LIB) $(LIBS) -o $@

# ---- unit tests --------------------------------------------------------------------------------

$(OUT)/unit/%.o: tests/unit/%.c $(OUT)/flags.stamp | $(GEN)/sql_text.h $(GEN)/pages_text.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(UNIT_FLAGS) -MMD -MP -c $< -o $@

$(UNIT_LIB): $(UNIT_HELP:tests/%.c=$(OUT)/%.o)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^

$(UNIT_BIN): $(OUT)/unit/%: $(OUT)/unit/%.o $(UNIT_LIB) $(LIB)
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) $< $(UNIT_LIB) $(LIB) $(LIBS) $(call pkg_libs,cmocka) -o $@

# Drives the stream alone, for tests/scenario/test_stream.py.
$(OUT)/stream_trial: tests/stream/trial.c $(LIB) $(OUT)/flags.stamp
	$(call say,LINK,$@)$(CC) $(UNIT_FLAGS) $(LINK_FLAGS) $< $(LIB) $(LIBS) -o $@

units: $(UNIT_BIN)

unit: units $(BIN)
	@$(PYTHON) tools/unit_run --totals $(OUT)/unit.json $(UNIT_BIN)

# ---- fuzzing: make fuzz [FUZZ_SECONDS=60], needs clang ------------------------------------------

FUZZ_SECONDS ?= 20
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ_SRC:tests/%.c=$(OUT)/%)

$(OUT)/fuzz/%.o: tests/fuzz/%.c $(OUT)/flags.stamp | $(GEN)/sql_text.h $(GEN)/pages_text.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(UNIT_FLAGS) -MMD -MP -c $< -o $@

$(FUZZ_BIN): $(OUT)/fuzz/%: $(OUT)/fuzz/%.o $(LIB)
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) $< $(LIB) $(LIBS) -o $@

fuzz-bins: $(FUZZ_BIN)

fuzz:
	@command -v clang >/dev/null || { echo 'fuzz: clang is missing: apt-get install clang' >&2; exit 1; }
	@$(MAKE) VARIANT=fuzz fuzz-bins
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' tools/fuzz_run $(FUZZ_SRC:tests/fuzz/%.c=%)

# ---- tests -------------------------------------------------------------------------------------

# Random migrations under random faults: make soak SOAK_MINUTES=60 SOAK_SEED=1, see tests/soak;
# then the whole sweep.
soak: lab
	@$(MAKE) VARIANT=$(SCENARIO_VARIANT) build
	@GODWIT_BIN='$(CURDIR)/build/$(SCENARIO_VARIANT)/godwit' tests/soak
	@$(MAKE) sweep

# Every statement on either side fails, is cut and is killed at, in one migration: about an hour.
sweep: lab
	@$(MAKE) VARIANT=debug build
	@GODWIT_BIN='$(CURDIR)/build/debug/godwit' GODWIT_SWEEP_SHARE=1 \
	    $(PYTHON) -m pytest -c tests/pytest.ini -o timeout=0 tests/scenario/test_fault_sweep.py

# The binary that scenario tests run; TESTS picks some of them: make scenario TESTS='-k cutover'.
SCENARIO_VARIANT ?= asan
TESTS ?=

scenario: lab
	@$(MAKE) VARIANT=$(SCENARIO_VARIANT) build
	@GODWIT_BIN='$(CURDIR)/build/$(SCENARIO_VARIANT)/godwit' \
	    $(PYTHON) -m pytest -c tests/pytest.ini tests/scenario $(TESTS)

test: deps lab
	@$(MAKE) VARIANT=debug build
	@$(MAKE) VARIANT=tsan build
	@$(MAKE) VARIANT=$(SCENARIO_VARIANT) build units
	@SCENARIO_VARIANT=$(SCENARIO_VARIANT) $(PYTHON) tests/run

check: lint test

lint:
	@tools/lint

format:
	clang-format -i $(wildcard engine/*.[ch] engine/*/*.[ch] tests/unit/*.[ch] tests/unit/*/*.[ch] \
	    tests/fuzz/*.[ch] bench/*.[ch])

# What the tests reach, a line a file; TESTS picks scenario tests. `make test` judges it by itself.
coverage: lab
	@tools/coverage --reset build/cov
	@$(MAKE) VARIANT=cov build units unit
	@GODWIT_BIN='$(CURDIR)/build/cov/godwit' $(PYTHON) -m pytest -c tests/pytest.ini tests/scenario $(TESTS)
	@tools/coverage --files build/cov

# ---- what it needs, and the lab ----------------------------------------------------------------

deps:
	@tools/deps

lab: deps
	@tests/lab/make

lab-clean:
	@tests/lab/make --clean

# The demo makes the lab and a release build itself, and does what it can without them.
demo:
	@examples/app/demo.sh

bench: lab
	@$(MAKE) VARIANT=release build
	@if [ -x bench/run ]; then GODWIT_BIN='$(CURDIR)/build/release/godwit' bench/run; \
	 else echo 'bench/run is not there, nothing to measure'; fi

# ---- install, clean ----------------------------------------------------------------------------

install:
	@$(MAKE) VARIANT=release build
	install -D -m 755 build/release/godwit $(DESTDIR)$(PREFIX)/bin/godwit
	for page in $(wildcard docs/man/*.[1-8]); do \
	    install -D -m 644 "$$page" \
	        "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}" || exit 1; done

clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(OUT)/engine/main.d $(GEN)/sql_text.d $(UNIT_BIN:=.d) \
         $(UNIT_HELP:tests/%.c=$(OUT)/%.d) $(FUZZ_BIN:=.d)
