# SPDX-License-Identifier: Apache-2.0
# greenlaunch: `make help` lists the targets. V=1 shows commands, SAN=1 builds with ASan and UBSan,
# COV=1 with coverage, FUZZ=1 for libFuzzer, WERROR=1 with warnings as errors, CC=clang-14 with
# clang; each flavour has its own folder below build/.

VERSION := 0.1.0
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
ifdef FUZZ
CC      := clang-14
endif
FLAVOUR := $(if $(FUZZ),fuzz,$(if $(WERROR),strict)$(if $(SAN),san)$(if $(COV),cov)$(if $(findstring clang,$(CC)),clang))
B       := build$(if $(FLAVOUR),/$(FLAVOUR))
Q       := $(if $(V),,@)
# Not at the top, where `make lint test` would run both at once.
PARALLEL = --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
say      = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes \
        -Wmissing-prototypes -Wvla -Wundef -Wcast-qual $(if $(WERROR),-Werror)
HARD := -fstack-protector-strong -fPIE $(if $(SAN)$(COV)$(FUZZ),,-D_FORTIFY_SOURCE=2)
comma := ,
OPT  := $(if $(SAN)$(COV)$(FUZZ),-O1 -g,-O2 -g)
OPT  += $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
OPT  += $(if $(COV),--coverage -std=gnu17)
OPT  += $(if $(FUZZ),-fsanitize=fuzzer-no-link$(comma)address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS  ?=
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -DGL_VERSION='"$(VERSION)"' -I. $(WARN) $(HARD) $(OPT) $(CFLAGS)
LINK    := -pie -Wl,-z,relro,-z,now,--as-needed $(if $(SAN),-fsanitize=address$(comma)undefined) \
           $(if $(COV),--coverage)

FLOORS := base policy providers agent broker
sources = $(sort $(wildcard $(1)/*.c $(1)/*/*.c))
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))

PROGRAM_MAINS := broker/main.c agent/main.c agent/gpu_main.c
base_SRC      := $(call sources,base)
policy_SRC    := $(call sources,policy)
providers_SRC := $(call sources,providers)
agent_SRC     := $(filter-out $(PROGRAM_MAINS),$(call sources,agent))
broker_SRC    := $(filter-out $(PROGRAM_MAINS),$(call sources,broker))

# What each floor and everything below it links with.
base_LIBS      := -lsodium -ljansson -lexpat -lyaml -lz -ldl
policy_LIBS    := $(base_LIBS) -lm
providers_LIBS := $(policy_LIBS)
agent_LIBS     := $(base_LIBS) -lm
broker_LIBS    := -lsqlite3 $(providers_LIBS)
# The command carries its libraries where their archives are at hand: the loader then has six
# files less to find, map and relocate at every start. `make CARRIED=` links with shared ones.
CARRIED ?= sqlite3 yaml sodium jansson expat z
carried = $(if $(filter $(1),$(CARRIED)),$(if $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a)),-l:lib$(1).a,-l$(1)),-l$(1))
# Its 18,000 relative relocations are packed where the C library unpacks them (glibc 2.36): 440 KiB
# less to read and to hold at every start.
packed = $(if $(shell grep -qs GLIBC_ABI_DT_RELR "$$($(CC) -print-file-name=libc.so.6)" && echo 1),-Wl$(comma)-z$(comma)pack-relative-relocs)
command_LIBS    = $(foreach name,sqlite3 yaml sodium jansson expat z,$(call carried,$(name))) -ldl -lm
base_ARCHIVES      := $(B)/libbase.a
policy_ARCHIVES    := $(B)/libpolicy.a $(base_ARCHIVES)
providers_ARCHIVES := $(B)/libproviders.a $(policy_ARCHIVES)
agent_ARCHIVES     := $(B)/libagent.a $(base_ARCHIVES)
broker_ARCHIVES    := $(B)/libbroker.a $(B)/libagent.a $(providers_ARCHIVES)

PROGRAMS := $(B)/greenlaunch $(B)/greenlaunch-meter $(B)/greenlaunch-meter-gpu

.PHONY: all
all: $(PROGRAMS) ## build the programs (default)

$(B)/greenlaunch: $(B)/obj/broker/main.o $(broker_ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK) $(packed) -o $@ $(filter %.o,$^) -Wl,--start-group $(broker_ARCHIVES) -Wl,--end-group $(command_LIBS)

# Static: it runs inside instances that may have no libraries at all. Sanitizers and coverage cannot
# be static, so their flavours carry the plain one; its code is instrumented in the unit tests.
ifeq ($(SAN)$(COV),)
$(B)/greenlaunch-meter: $(B)/obj/agent/main.o $(agent_ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -static -o $@ $(filter %.o,$^) $(agent_ARCHIVES) -lsodium -lm
else
.PHONY: plain-meter
plain-meter:
	$(Q)$(MAKE) --no-print-directory SAN= COV= B=build build/greenlaunch-meter
$(B)/greenlaunch-meter: plain-meter
	$(Q)mkdir -p $(@D) && cmp -s build/greenlaunch-meter $@ || cp build/greenlaunch-meter $@
endif

$(B)/greenlaunch-meter-gpu: $(B)/obj/agent/gpu_main.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK) -o $@ $^ -ldl

define archive
$(B)/lib$(1).a: $(call objects,$($(1)_SRC))
	$$(call say,AR,$$@)
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach floor,$(FLOORS),$(eval $(call archive,$(floor))))

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Chart.js for HTML reports, carried by the command; without it their plots are plain SVG. The note
# of where it was found makes the object follow a package that comes or goes.
CHART_JS := $(wildcard /usr/share/javascript/chart.js/chart.min.js)
CHART_NOTE := $(B)/chart_js.path
.PHONY: force
$(CHART_NOTE): force
	$(Q)mkdir -p $(B); echo '$(CHART_JS)' | cmp -s - $@ || echo '$(CHART_JS)' > $@
$(B)/obj/broker/render/html_chart_js.o: $(CHART_NOTE) $(CHART_JS)
$(B)/obj/broker/render/html_chart_js.o: ALL_CFLAGS += $(if $(CHART_JS),-DGL_CHART_JS='"$(CHART_JS)"')

# The mapping of resource types, carried by the command.
$(B)/obj/broker/hook/mapping_carried.o: $(wildcard broker/hook/mapping/*.yaml)

# ---- tests: tests/unit/<floor>/test_*.c link that floor and those below, nothing else ----
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT     := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SRC))
SUITE_SRC := $(sort $(wildcard tests/conformance/test_*.c tests/property/test_*.c tests/fault/test_*.c)) \
             $(wildcard tests/live/*.c)
SUITE    := $(patsubst tests/%.c,$(B)/tests/%,$(SUITE_SRC))
SUPPORT_SRC := $(sort $(wildcard tests/support/*.c tests/conformance/cloud_*.c tests/conformance/venue_*.c \
                            tests/fault/fault_*.c))

define unit_rule
$(B)/tests/unit/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $$($(1)_ARCHIVES)
	$$(call say,LINK,$$@)
	$(Q)mkdir -p $$(@D) && $(CC) $(ALL_CFLAGS) $(LINK) -o $$@ $$< -Wl,--start-group $$($(1)_ARCHIVES) -Wl,--end-group -lcmocka $$($(1)_LIBS)
endef
$(foreach floor,$(FLOORS),$(eval $(call unit_rule,$(floor))))

$(SUITE): $(B)/tests/%: $(B)/obj/tests/%.o $(call objects,$(SUPPORT_SRC)) $(broker_ARCHIVES)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LINK) -o $@ $(filter %.o,$^) -Wl,--start-group $(broker_ARCHIVES) -Wl,--end-group -lcmocka $(broker_LIBS)

.PHONY: tests
tests: $(UNIT) $(SUITE) ## build the test programs

# Every C file there is, for the warnings of a compiler (tools/lint.sh).
OBJECT_SRC := $(foreach floor,$(FLOORS),$(call sources,$(floor))) $(UNIT_SRC) $(SUITE_SRC) \
              $(SUPPORT_SRC) $(sort $(wildcard tests/fuzz/*.c tests/bench/*.c))
.PHONY: objects
objects: $(call objects,$(sort $(OBJECT_SRC)))

# ---- fuzzing: make FUZZ=1 fuzzers, run by tests/fuzz/run.sh ----
FUZZER := $(patsubst tests/fuzz/fuzz_%.c,$(B)/targets/fuzz_%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
.PHONY: fuzzers
fuzzers: $(FUZZER)
$(B)/targets/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(broker_ARCHIVES)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -pie -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(broker_ARCHIVES) -Wl,--end-group $(broker_LIBS)

.PHONY: test
test: setup ## build and run every test; last line: N passed, N failed, N skipped
	$(Q)$(MAKE) $(PARALLEL) all tests && tests/run.sh $(B)

.PHONY: test-openstack
test-openstack: setup ## the OpenStack adapter against real services of Debian 12: root, 2 GB, minutes
	$(Q)$(MAKE) $(PARALLEL) $(B)/tests/conformance/test_openstack_real
	$(Q)OPENSTACK_REAL=yes tests/integration/openstack.sh $(B)

.PHONY: test-kubernetes
test-kubernetes: setup ## the Kubernetes adapter against a real control plane: root, go, 5 GB, half an hour
	$(Q)$(MAKE) $(PARALLEL) all
	$(Q)KUBERNETES_REAL=yes tests/integration/kubernetes.sh $(B)

.PHONY: test-kvm
test-kvm: setup ## local instances on KVM, in an emulated machine that has it: 4 GB, half an hour
	$(Q)$(MAKE) $(PARALLEL) all $(B)/tests/fault/test_local_moves
	$(Q)KVM_NESTED=yes tests/integration/kvm.sh $(B)

# For people with an account: asks first, never costs 0.05 USD, ends what it started. YES=1 answers.
LIVE := test-live-aws test-live-gcp test-live-azure test-live-openstack test-live-hetzner \
        test-live-digitalocean test-live-scaleway test-live-kubernetes
.PHONY: $(LIVE)
test-live-aws: ## one machine of your account for some minutes, below 0.05 USD; also -gcp, -azure ...
$(LIVE): test-live-%: setup
	$(Q)$(MAKE) $(PARALLEL) all
	$(Q)tests/live.sh $* $(B)

# Ten thousand launches take some minutes; STORM_SEED repeats one.
.PHONY: storm
STORM ?= 10000
storm: setup ## many launches on rented clouds with every fault at random: no orphan, no double
	$(Q)$(MAKE) $(PARALLEL) $(B)/tests/fault/test_remote_storm
	$(Q)GREENLAUNCH_STORM=$(STORM) GREENLAUNCH_STORM_SEED=$(STORM_SEED) $(B)/tests/fault/test_remote_storm

.PHONY: setup
setup: ## install missing distribution packages and unpack the guest kernel (says which)
	$(Q)tools/setup.sh

.PHONY: run
run: setup ## the main job, really done: offers, a refusal, a VM, its meter, the receipt
	$(Q)$(MAKE) $(PARALLEL) all && tools/demo.sh $(B)

.PHONY: bench
bench: setup ## measure, as ratios beside a named peer of the same run
	$(Q)$(MAKE) $(PARALLEL) all $(B)/bench && tests/bench/run.sh $(B)
$(B)/bench: $(call objects,$(sort $(wildcard tests/bench/*.c))) $(broker_ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK) -o $@ $(filter %.o,$^) -Wl,--start-group $(broker_ARCHIVES) -Wl,--end-group $(broker_LIBS)

.PHONY: lint
lint: setup ## floors, purity, sizes, formatting, warnings as errors
	$(Q)tools/lint.sh

.PHONY: sanitize
sanitize: ## the whole suite under ASan and UBSan
	$(Q)$(MAKE) $(PARALLEL) all  # guests need the static meter, which cannot be sanitized
	$(Q)$(MAKE) $(PARALLEL) SAN=1 test

.PHONY: valgrind
valgrind: all tests ## unit tests under valgrind
	$(Q)tests/valgrind.sh $(B)

.PHONY: fuzz
FUZZ_SECONDS ?= 60
fuzz: setup ## every fuzz target for FUZZ_SECONDS (60) each
	$(Q)tests/fuzz/run.sh $(FUZZ_SECONDS)

.PHONY: coverage
coverage: setup ## line coverage of base/ and policy/ (fails below 90 %)
	$(Q)tests/coverage.sh

.PHONY: golden-accept
golden-accept: all ## write what the programs print now as the expected output of tests/cases
	$(Q)tests/cases.sh --accept $(B)

.PHONY: format
format: ## reformat every C file
	@# Twice: what the first pass breaks over lines, the second may align.
	$(Q)for pass in first second; do \
	  clang-format-14 -i $$(git ls-files -co --exclude-standard '*.c' '*.h' | grep -v '^providers/data/'); done

.PHONY: install uninstall
PREFIX ?= /usr/local
install: all ## install below PREFIX (/usr/local), DESTDIR honoured
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	$(B)/greenlaunch help --man > $(DESTDIR)$(PREFIX)/share/man/man1/greenlaunch.1
	$(B)/greenlaunch help --man policy-file > $(DESTDIR)$(PREFIX)/share/man/man5/greenlaunch-policy.5
uninstall: ## remove what install wrote
	rm -f $(DESTDIR)$(PREFIX)/bin/greenlaunch $(DESTDIR)$(PREFIX)/bin/greenlaunch-meter \
	  $(DESTDIR)$(PREFIX)/bin/greenlaunch-meter-gpu \
	  $(DESTDIR)$(PREFIX)/share/man/man1/greenlaunch.1 $(DESTDIR)$(PREFIX)/share/man/man5/greenlaunch-policy.5

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\)\( [a-z-]*\)*:.*## \(.*\)/\1|\3/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "  %-15s %s\n", $$1, $$2 }'

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
.SECONDARY:
