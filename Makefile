# SPDX-License-Identifier: BSD-2-Clause
#
# make            builds lnsd, lnsctl and lns.so into $(O)
# make unit       unit tests; SAN=1 builds and runs them under ASan and UBSan
# make help       everything else

O      ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
SAN    ?=
V      ?=
WERROR ?=
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= /usr/bin/python3

ifneq ($(SAN),)
override O := $(O)-san
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
Q := $(if $(V),,@)

WARN  := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
HARD  := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
override CFLAGS   := -O2 -g -std=gnu17 $(WARN) $(if $(WERROR),-Werror) $(HARD) $(SANFLAGS) $(CFLAGS)
override CPPFLAGS := -I. -D_GNU_SOURCE -MMD -MP $(CPPFLAGS)
override LDFLAGS  := -pie -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)

pkg = $(shell pkg-config --cflags $(1) 2>/dev/null)
override CPPFLAGS += $(call pkg,libnl-route-3.0 libnl-genl-3.0)

# One static library per folder; what a program or test is linked with shows what it may use.
FOLDERS := l2tp net kernel ppp subscriber control config monitor engine hooks
BASE    := lns/log.c lns/log_socket.c lns/addr.c lns/rate.c
src      = $(filter-out lns/control/lnsctl.c,$(wildcard lns/$(1)/*.c))
objs     = $(patsubst %.c,$(O)/%.o,$(1))
libs     = $(patsubst %,$(O)/lib%.a,$(1))

DAEMON := $(filter-out $(BASE),$(wildcard lns/*.c))
LIBS_lnsd := -lev -lnl-route-3 -lnl-genl-3 -lnl-3 -lradcli -lnettle -lconfuse -ljansson -lsqlite3 \
	-lmicrohttpd -lpthread

all: $(O)/lnsd $(O)/lnsctl $(O)/lns.so

$(O)/lnsd: $(call objs,$(DAEMON)) $(call libs,$(FOLDERS) radius base)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS_lnsd)

$(O)/lnsctl: $(O)/lns/control/lnsctl.o $(O)/libcontrol.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ljansson

define folder
$(O)/lib$(1).a: $$(call objs,$$(call src,$(1)))
	$$(Q)rm -f $$@; ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder,$(f))))
$(O)/libradius.a: $(call objs,$(wildcard radius/*.c))
	$(Q)rm -f $@; ar rcs $@ $^
$(O)/libbase.a: $(call objs,$(BASE))
	$(Q)rm -f $@; ar rcs $@ $^

$(O)/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The place of the plugin is the default of an option.
PLUGIN_DIR := $(PREFIX)/lib/lnsd
$(O)/lns/config/schema.o: override CPPFLAGS += -DLNSD_PLUGIN='"$(PLUGIN_DIR)/lns.so"'
$(O)/lns/config/schema.o: $(O)/plugin-dir
$(O)/plugin-dir: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(PLUGIN_DIR)' | cmp -s - $@ || echo '$(PLUGIN_DIR)' >$@

# The plugin: loaded into pppd, built against pppd's headers only.
PLUGIN_SRC := $(wildcard pppd-plugin/*.c lns/ppp/channel_proto.c lns/ppp/eap.c)
PPPD_INCLUDE ?=
$(O)/lns.so: $(patsubst %.c,$(O)/pic/%.o,$(PLUGIN_SRC))
	$(Q)$(CC) -shared $(filter-out -pie,$(LDFLAGS)) -o $@ $^
$(O)/pic/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(if $(PPPD_INCLUDE),-I$(PPPD_INCLUDE)) $(CPPFLAGS) $(filter-out -fPIE,$(CFLAGS)) -fPIC -c -o $@ $<

# The load generator: what is not a program of its own in tests/load.
LOAD_PROGRAMS := $(wildcard tests/load/radius_bench.c tests/load/kernel_floor.c \
	tests/load/show_bench.c tests/load/responder.c tests/load/turn_*.c)
LOAD          := $(filter-out $(LOAD_PROGRAMS),$(wildcard tests/load/*.c))
$(O)/lns-load: $(call objs,$(LOAD) lns/env_ev.c) $(call libs,l2tp base)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		-lev -lnettle -ljansson

$(O)/tests/kernel_floor: $(O)/tests/load/kernel_floor.o
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lnl-route-3 -lnl-3 -lpthread

# The RADIUS client and the spool as fast as they go.
$(O)/radius_bench: $(call objs,$(addprefix tests/load/,radius_bench.c responder.c) lns/env_ev.c lns/env_radius.c) \
		$(call libs,radius base)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lev $(SYS_radius)

# Long listings of the control socket.
$(O)/show_bench: $(call objs,tests/load/show_bench.c $(filter-out lns/main.c,$(DAEMON))) \
		$(call libs,$(FOLDERS) radius base)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS_lnsd)

# What the engine's loop does for thousands of sessions, on a kernel that need not have L2TP.
TURN_BENCH := $(addprefix tests/load/,turn_bench.c turn_world.c responder.c) \
	$(addprefix lns/,env_ev.c env_radius.c state.c ppp/channel.c ppp/channel_proto.c ppp/eap.c)
$(O)/turn_bench: $(call objs,$(TURN_BENCH)) $(call libs,subscriber config radius base)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		-lev -lconfuse $(SYS_radius)

# Unit tests: tests/unit/<folder>/*.c make one program, linked with the least around it.
UNITS := $(notdir $(patsubst %/,%,$(wildcard tests/unit/*/)))
LINK_base       := base
LINK_env        := base
LINK_l2tp       := l2tp base
LINK_net        := net base
LINK_kernel     := kernel base
LINK_ppp        := ppp config base
LINK_radius     := radius
LINK_subscriber := subscriber radius base
LINK_config     := config base
LINK_monitor    := monitor config base
LINK_control    := control base
LINK_load       := l2tp base
LINK_hooks      := hooks base
LINK_engine     := engine subscriber radius monitor net l2tp base
EXTRA_base      := lns/state.c
EXTRA_env       := lns/env_ev.c
EXTRA_subscriber := lns/ppp/channel_proto.c lns/ppp/eap.c
EXTRA_engine    := lns/state.c lns/env_radius.c tests/unit/l2tp/fake.c
EXTRA_load      := $(wildcard tests/load/ppp*.c) \
	$(patsubst %,tests/load/%.c,icmp line mschap mutate_packet mutate_tunnel options rng stats trace)
SYS_env         := -lev
SYS_radius      := -lradcli -lnettle -lsqlite3 -lpthread
SYS_l2tp        := -lnettle
SYS_load        := -lnettle
SYS_monitor     := -lconfuse
SYS_subscriber  := $(SYS_radius)
SYS_kernel      := -lnl-route-3 -lnl-genl-3 -lnl-3 -lpthread
SYS_config      := -lconfuse
SYS_ppp         := -lconfuse
SYS_engine      := -lnettle -lradcli
SYS_control     := -ljansson -lmicrohttpd

# Criterion's own runner leaks when it has many tests and runs several at a time.
UNIT_JOBS := $(if $(SAN),1,2)

# Memory that runs out is every unit's; the rest of tests/unit/*.c brings an env, which these two do not use.
SHARED_ALONE := tests/unit/short_memory.c
WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=strdup
WRAP_kernel := -Wl,--wrap=nlmsg_alloc,--wrap=nlmsg_alloc_simple,--wrap=nl_cb_alloc,--wrap=nl_socket_alloc

define unit
$(O)/unit-$(1): $$(call objs,$$(wildcard tests/unit/$(1)/*.c) $$(wildcard $$(EXTRA_$(1))) \
		$$(if $$(filter radius env,$(1)),$$(SHARED_ALONE),$$(wildcard tests/unit/*.c))) $$(call libs,$$(LINK_$(1)))
	$$(Q)$$(CC) $$(LDFLAGS) $$(WRAP) $$(WRAP_$(1)) -o $$@ $$(filter %.o,$$^) -Wl,--start-group \
		$$(filter %.a,$$^) -Wl,--end-group $$(SYS_$(1)) -lcriterion
run-unit-$(1): $(O)/unit-$(1)
	$$(Q)$(O)/unit-$(1) -j$(UNIT_JOBS)
endef
$(foreach u,$(UNITS),$(eval $(call unit,$(u))))

unit: $(patsubst %,run-unit-%,$(UNITS))

# Fuzz targets: tests/fuzz/fuzz_<target>.c, each with a corpus in tests/replay/<target>/. `make replay` runs
# the corpora through them under ASan and UBSan; `make fuzz` looks for more with libFuzzer.
TARGETS   := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TARGET    ?= $(TARGETS)
RUNS      ?= 100000
fuzzed     = $(foreach t,$(TARGET),$(O)/$(1)-$(t))

# The first word of a target's name is the folder whose unit tests are linked with the same.
define fuzz
FUZZ_OBJS_$(1) := $$(call objs,tests/fuzz/fuzz_$(1).c $$(wildcard $$(EXTRA_$(2)))) $$(call libs,$$(LINK_$(2)))
$(O)/replay-$(1): $(O)/tests/replay/replay_main.o $$(FUZZ_OBJS_$(1))
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
		$$(SYS_$(2))
$(O)/fuzz-$(1): $$(FUZZ_OBJS_$(1))
	$$(Q)$$(CC) $$(LDFLAGS) -fsanitize=fuzzer -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
		-Wl,--end-group $$(SYS_$(2))
endef
$(foreach t,$(TARGETS),$(eval $(call fuzz,$(t),$(firstword $(subst _, ,$(t))))))

ifneq ($(SAN),)
replay: $(call fuzzed,replay)
	$(Q)for target in $(TARGET); do \
		echo "replay: $$target"; $(O)/replay-$$target tests/replay/$$target || exit; \
	done
else
replay:
	$(Q)$(MAKE) --no-print-directory SAN=1 replay
endif

ifneq ($(FUZZ),)
fuzz: $(call fuzzed,fuzz)
	$(Q)for target in $(TARGET); do \
		mkdir -p $(O)/corpus/$$target && echo "fuzz: $$target" && \
		$(O)/fuzz-$$target -runs=$(RUNS) -artifact_prefix=$(O)/$$target- \
			$(O)/corpus/$$target tests/replay/$$target || exit; \
	done
else
fuzz:
	$(Q)$(MAKE) --no-print-directory FUZZ=1 SAN=1 CC=clang O=$(O)-fuzz \
		CFLAGS='$(FUZZ_CFLAGS)' fuzz
FUZZ_CFLAGS := -fsanitize=fuzzer-no-link -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
endif

# System tests and the demonstration run on a kernel with L2TP: see tests/vm/run. What is in
# tests/system/*.c are programs that the tests start; they find lns.so beside them.
TEST_PROGRAMS := $(patsubst tests/system/%.c,$(O)/tests/%,$(wildcard tests/system/*.c))
TESTS         ?= tests/system
PYTEST        ?=

$(TEST_PROGRAMS): $(O)/tests/%: $(O)/tests/system/%.o $(call objs,$(filter-out lns/main.c,$(DAEMON))) \
		$(call libs,$(FOLDERS) radius base)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS_lnsd)
$(O)/tests/lns.so: $(O)/lns.so
	$(Q)mkdir -p $(@D) && ln -sf ../lns.so $@

$(O)/tests/no_l2tp_netlink.so: tests/system/lab/no_l2tp_netlink.c
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $<

# Those of the benches, too: nothing else would tell that they no longer build.
test-programs: $(TEST_PROGRAMS) $(O)/tests/lns.so $(O)/tests/no_l2tp_netlink.so $(O)/lns-load \
	$(O)/radius_bench $(O)/turn_bench $(O)/show_bench $(O)/tests/kernel_floor

system-tests: all test-programs deb
	$(Q)LNS_VM_TIMEOUT=$(or $(LNS_VM_TIMEOUT),3000) tests/vm/run 'COLUMNS=200 LNS_HEAVY=$(LNS_HEAVY) LNS_BUILD=$(abspath $(O)) PLUGIN_BUILD=$(abspath $(O))/tests $(PYTHON) -B -u -m pytest \
		-p no:cacheprovider -v -ra --durations=5 $(TESTS) $(PYTEST)'

# Accounting under blows: hundreds of sessions that are online, everything killed at random, FreeRADIUS as the
# witness.
CHAOS ?= 500
SEED  ?= 20
chaos: all test-programs
	$(Q)LNS_VM_TIMEOUT=$(or $(LNS_VM_TIMEOUT),7200) tests/vm/run 'LNS_HEAVY=1 LNS_CHAOS=$(CHAOS) LNS_CHAOS_SEED=$(SEED) \
		LNS_BUILD=$(abspath $(O)) $(PYTHON) -B -u -m pytest -p no:cacheprovider -v -s \
		tests/system/test_chaos.py::test_chaos'

# lnsd, xl2tpd and the bare kernel under the same load: see tests/load/README.md.
SESSIONS    ?= 1000
LACS        ?= 10
OUTSTANDING ?= 500
BENCH       ?=
bench: all $(O)/lns-load $(O)/tests/kernel_floor
	$(Q)tests/vm/run 'LNS_BUILD=$(abspath $(O)) $(PYTHON) -B -u tests/load/bench.py \
		--sessions $(SESSIONS) --lacs $(LACS) --outstanding $(OUTSTANDING) $(BENCH)' \
		>$(O)/bench.out; status=$$?; grep -v '^{"bench"' $(O)/bench.out; \
		grep '^{"bench"' $(O)/bench.out >$(O)/bench.json; exit $$status

# The engine's own work on any kernel: RADIUS as fast as it goes, and the longest turn of the loop.
bench-engine: $(O)/radius_bench $(O)/turn_bench
	$(Q)$(O)/radius_bench -m 5000
	$(Q)$(O)/turn_bench $(SESSIONS)

demo:
	$(Q)tests/deps.sh
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)LNS_BUILD=$(abspath $(O)) KEEP=$(KEEP) tests/demo.sh

deps:
	$(Q)tests/deps.sh

lint:
	$(Q)tests/lint-selftest.sh
	$(Q)tests/lint.sh

check:
	$(Q)tests/check.sh

# lnsd itself, in the foreground, with the example configuration. Files with secrets may not be readable
# by others, which those of a clone are.
run: all
	$(Q)[ "$$(id -u)" = 0 ] || { echo 'make run: lnsd starts as root: sudo make run'; exit 1; }
	$(Q)install -d -m 700 $(O)/run
	$(Q)install -m 600 $(wildcard conf/lns.conf conf/users) $(O)/run
	$(Q)sed -i -e '1i plugin = "$(abspath $(O))/lns.so"' \
		$(if $(shell getent passwd lnsd),,-e '1i user = "nobody"') $(O)/run/lns.conf
	$(O)/lnsd -f -c $(O)/run/lns.conf

MAN = $(wildcard conf/man/*.$(1))
install: all $(O)/lns-load
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PLUGIN_DIR) $(DESTDIR)/etc/lns
	install -m 755 $(O)/lnsd $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(O)/lnsctl $(O)/lns-load $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(O)/lns.so $(DESTDIR)$(PLUGIN_DIR)
	for section in 1 5 8; do \
		install -d $(DESTDIR)$(PREFIX)/share/man/man$$section; \
		for page in conf/man/*.$$section; do \
			[ ! -e $$page ] || install -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$$section; \
		done; \
	done
	[ -e $(DESTDIR)/etc/lns/lns.conf ] || install -m 600 conf/lns.conf $(DESTDIR)/etc/lns
	[ -e $(DESTDIR)/etc/lns/users ] || { install -m 600 conf/users $(DESTDIR)/etc/lns && \
		sed -i 's/^[^#]/# &/' $(DESTDIR)/etc/lns/users; }
	install -d $(addprefix $(DESTDIR)$(PREFIX)/lib/,systemd/system systemd/network udev/rules.d sysusers.d)
	sed 's|/usr/sbin/lnsd|$(PREFIX)/sbin/lnsd|' conf/systemd/lnsd.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/lnsd.service
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/lnsd.service
	install -m 644 conf/systemd/lnsd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/lnsd.conf
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 644 conf/completion/lnsctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lnsctl
	install -m 644 conf/networkd/10-lnsd.network $(DESTDIR)$(PREFIX)/lib/systemd/network
	install -m 644 conf/udev/99-zz-lnsd.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d
	[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || getent passwd lnsd >/dev/null || \
		useradd --system --user-group --no-create-home --home-dir /nonexistent \
			--shell /usr/sbin/nologin lnsd

# Leaves the configuration, the state and the user.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/lnsd $(addprefix $(DESTDIR)$(PREFIX)/bin/,lnsctl lns-load) $(DESTDIR)$(PLUGIN_DIR)/lns.so
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/lib/,systemd/system/lnsd.service sysusers.d/lnsd.conf \
		systemd/network/10-lnsd.network udev/rules.d/99-zz-lnsd.rules)
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lnsctl
	rm -f $(foreach s,1 5 8,$(patsubst conf/man/%,$(DESTDIR)$(PREFIX)/share/man/man$(s)/%,$(call MAN,$(s))))
	-rmdir $(DESTDIR)$(PLUGIN_DIR)

# A Debian package of this tree, for the Debian and the pppd of this machine.
VERSION := $(shell sed -n 's/^\#define LNSD_VERSION "\(.*\)"/\1/p' lns/main.c)-1
deb:
	$(Q)rm -rf $(O)/deb/stage $(O)/lnsd_*.deb && mkdir -p $(O)/deb
	@echo 'deb: building once more, for PREFIX=/usr'
	$(Q)$(MAKE) --no-print-directory O=$(O)/deb/build PREFIX=/usr DESTDIR=$(abspath $(O))/deb/stage \
		install >$(O)/deb/log
	$(Q)conf/debian/build.sh $(O)/deb/stage $(O) $(VERSION)

help:
	@echo 'make [all]         build lnsd, lnsctl and the plugin into $$(O), build/ by default'
	@echo 'make demo          a subscriber online, from nothing; KEEP=1 leaves everything running'
	@echo 'make check         everything that must hold: builds, tests, lint'
	@echo 'sudo make run      lnsd in the foreground with conf/lns.conf'
	@echo 'sudo make install  PREFIX=/usr/local DESTDIR=; make uninstall takes it away'
	@echo 'make deb           a Debian package, into $$(O)'
	@echo 'sudo make deps     install the Debian packages that this needs'
	@echo 'make unit          unit tests; SAN=1 under ASan and UBSan; run-unit-FOLDER for one'
	@echo 'make replay        the corpora of tests/replay under ASan and UBSan'
	@echo 'make fuzz          libFuzzer; RUNS=100000 TARGET="$(TARGETS)"'
	@echo 'make system-tests  pytest on a kernel with L2TP; TESTS=FILE PYTEST="-k WORD"'
	@echo 'make chaos         accounting of $(CHAOS) sessions online while everything is killed at random; CHAOS= SEED='
	@echo 'make bench         lnsd, xl2tpd and the bare kernel compared; SESSIONS= LACS= OUTSTANDING= BENCH='
	@echo 'make bench-engine  RADIUS rates and the longest turn of the loop, on any kernel; SESSIONS='
	@echo 'make lint          cppcheck, clang-format and the house rules'
	@echo 'make format        let clang-format do it'
	@echo 'make clean         remove what was built'
	@echo 'V=1 shows the commands, CC=clang, WERROR=1 and O=DIR are for every target'

format:
	$(Q)clang-format --version | grep -q 'version 14\.' || { echo 'make format: the tree is as clang-format 14 has it'; exit 1; }
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build build-*

FORCE:
.PHONY: all unit replay fuzz test-programs system-tests demo deps lint check run install uninstall help
.PHONY: deb bench bench-engine chaos format clean FORCE
.SECONDARY:

# Not for the targets that only start others.
ifneq ($(filter-out check demo deps lint help format clean uninstall,$(or $(MAKECMDGOALS),all)),)
-include $(shell [ ! -d $(O) ] || find $(O) -type f -name '*.d')
endif
