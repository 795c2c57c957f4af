// SPDX-License-Identifier: BSD-2-Clause
/* limits: what a configuration needs, and which limit of the system is named when it is too small. */
#include "lns/monitor/limits.h"

#include "lns/config/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char said[2048];

static void report(void *ctx, bool chosen, const char *line)
{
	size_t len = strlen(said);

	(void)ctx;
	snprintf(said + len, sizeof(said) - len, "%s%s\n", chosen ? "" : "(not chosen) ", line);
}

static struct monitor_needs needs_of(
	unsigned int sessions, unsigned int tunnels, const unsigned int lacs[][2], size_t lac_count)
{
	struct config_lac sections[4] = { 0 };
	struct config config = { .lacs = sections, .lac_count = lac_count };
	struct monitor_needs needs;

	config.l2tp.max_sessions = sessions;
	config.l2tp.max_tunnels = tunnels;
	for (size_t i = 0; i < lac_count; i++) {
		sections[i].lac.max_sessions = lacs[i][0];
		sections[i].lac.max_tunnels = lacs[i][1];
	}
	monitor_limits_needs(&config, &needs);
	return needs;
}

Test(limits, needs)
{
	static const struct {
		unsigned int sessions, tunnels, lacs[2][2];
		unsigned int want_sessions, want_tunnels;
		bool want_chosen;
	} rows[] = {
		{ 0, 0, { { 0, 0 }, { 0, 0 } }, 65536, 65536, false },
		{ 0, 0, { { 500, 0 }, { 0, 0 } }, 65536, 65536, false }, /* the other has none */
		{ 0, 0, { { 500, 2 }, { 100, 3 } }, 600, 5, true },
		{ 200, 0, { { 500, 2 }, { 100, 3 } }, 200, 5, true },
		{ 1000, 4, { { 500, 2 }, { 100, 3 } }, 600, 4, true },
		{ 1000, 0, { { 0, 0 }, { 100, 0 } }, 1000, 1000, true },
		{ 1000000, 0, { { 0, 0 }, { 0, 0 } }, 65536, 65536, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct monitor_needs needs =
			needs_of(rows[i].sessions, rows[i].tunnels, rows[i].lacs, 2);

		cr_assert_eq(
			needs.sessions, rows[i].want_sessions, "row %zu: %u", i, needs.sessions);
		cr_assert_eq(needs.tunnels, rows[i].want_tunnels, "row %zu: %u", i, needs.tunnels);
		cr_assert_eq(needs.chosen, rows[i].want_chosen, "row %zu", i);
	}
}

/* Programs that are hooks are reserved for by their number, templates by that of the sections. */
Test(limits, needs_of_hooks)
{
	struct config config = { .ppp_count = 3, .hooks = { .parallel = 256 } };
	struct monitor_needs needs;

	monitor_limits_needs(&config, &needs);
	cr_assert_eq(needs.hooks, 0, "%u", needs.hooks);
	cr_assert_eq(needs.tasks, 80 + 3 * 2, "%u", needs.tasks);
	snprintf(config.hooks.on_down, sizeof(config.hooks.on_down), "/usr/bin/true");
	monitor_limits_needs(&config, &needs);
	cr_assert_eq(needs.hooks, 1 + 256 * 4, "%u", needs.hooks);
	cr_assert_eq(needs.tasks, 80 + 3 * 2 + 1 + 256 * 4, "%u", needs.tasks);
}

static void expect(struct monitor_limits limits, struct monitor_needs needs, const char *lines)
{
	*said = '\0';
	monitor_limits_check(&limits, &needs, report, NULL);
	cr_assert_str_eq(said, lines, "gave: %s\nnot:  %s", said, lines);
}

Test(limits, names_what_is_too_small)
{
	const struct monitor_needs needs = { 20000, 100, true, 32, 0 };
	const struct monitor_needs guessed = { 20000, 100, false, 32, 0 };
	const struct monitor_limits plenty = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
		UINT64_MAX };
	const struct monitor_limits exact = { 21056, 21056, 20032, 40612, 0 };
	const struct monitor_limits small = { 21055, 500, 20031, 1024, 0 };

	expect(plenty, needs, "");
	expect(exact, needs, "");
	expect(small, needs,
		"kernel.pid_max is 21055, enough for 19999 of 20000 sessions; needed: 21056 "
		"(sysctl -w kernel.pid_max=21056)\n"
		"kernel.threads-max is 500, enough for 0 of 20000 sessions; needed: 21056 "
		"(sysctl -w kernel.threads-max=21056)\n"
		"pids.max of the control group is 20031, enough for 19999 of 20000 sessions; "
		"needed: 20032 (TasksMax=infinity in the unit, or 20032)\n"
		"the hard limit of open files is 1024, enough for 206 to 255 of 20000 sessions; "
		"needed: 40612 (LimitNOFILE=40612 in the unit, or ulimit -Hn)\n");
	expect((struct monitor_limits){ 21056, 21056, 20032, 712, 0 }, needs,
		"the hard limit of open files is 712, enough for 66 to 99 of 20000 sessions; "
		"needed: 40612 (LimitNOFILE=40612 in the unit, or ulimit -Hn)\n");
	expect((struct monitor_limits){ 21055, 21056, 20032, 40612, 0 }, guessed,
		"(not chosen) kernel.pid_max is 21055, enough for 19999 of 20000 sessions; needed: "
		"21056 (sysctl -w kernel.pid_max=21056); or set max-sessions\n");
}

Test(limits, names_what_is_too_small_for_hooks)
{
	const struct monitor_needs needs = { 10, 1, false, 32 + 1025, 1025 };

	expect((struct monitor_limits){ 2091, 2091, 1067, 533, 1025 }, needs, "");
	expect((struct monitor_limits){ 2091, 2091, 1066, 533, 1024 }, needs,
		"(not chosen) pids.max of the control group is 1066, enough for 9 of 10 sessions; "
		"needed: 1067 (TasksMax=infinity in the unit, or 1067); or set max-sessions\n"
		"the limit of processes of a user is 1024, hook programs need 1025 "
		"(LimitNPROC=infinity in the unit, or ulimit -u 1025; or a smaller hook-parallel)\n");
}

static void put_room(void *ctx, const char *word, uint64_t sessions)
{
	size_t len = strlen(said);

	(void)ctx;
	snprintf(said + len, sizeof(said) - len, "%s %u\n", word, (unsigned int)sessions);
}

Test(limits, rooms_are_those_of_limits_that_there_are)
{
	const struct monitor_needs needs = { 20000, 100, true, 32, 0 };
	const struct monitor_limits limits = { 21055, UINT64_MAX, 31, 712, 0 };

	monitor_limits_rooms(&limits, &needs, 100, put_room, NULL);
	cr_assert_str_eq(said, "pid_max 19999\npids_max 0\nnofile 50\n");
}

/* A tunnel takes a descriptor, a session two, and a process. */
Test(limits, room_beside_tunnels)
{
	const struct monitor_needs needs = { 20000, 100, true, 32, 0 };
	const struct monitor_limits none = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
		UINT64_MAX };
	static const struct {
		uint64_t nofile;
		unsigned int tunnels;
		uint64_t sessions;
		const char *word;
	} rows[] = {
		{ 4096, 0, 1792, "nofile" },
		{ 4096, 1, 1791, "nofile" },
		{ 4096, 2, 1791, "nofile" },
		{ 4096, 3585, 0, "nofile" },
		{ 4096, UINT32_MAX, 0, "nofile" },
		{ 512, 0, 0, "nofile" },
		{ 100, 0, 0, "nofile" },
		{ UINT64_MAX, 5, 1800, "pids_max" },
		{ 1048576, 5, 1800, "pids_max" },
	};
	struct monitor_room room;

	cr_assert(!monitor_limits_tightest(&none, &needs, 1, &room));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct monitor_limits limits = { 32768, 32768, 1832, rows[i].nofile, 0 };

		cr_assert(monitor_limits_tightest(&limits, &needs, rows[i].tunnels, &room));
		cr_assert_eq(room.sessions, rows[i].sessions, "row %zu: %u", i,
			(unsigned int)room.sessions);
		cr_assert_str_eq(room.word, rows[i].word, "row %zu", i);
	}
	cr_assert_str_eq(room.limit, "pids.max of the control group is 1832");
	cr_assert_str_eq(room.remedy, "TasksMax=infinity in the unit, or 20032");
}

Test(limits, of_this_system)
{
	struct monitor_limits limits = { 0 };

	monitor_limits_read(&limits);
	cr_assert_geq(limits.pid_max, 301);
	cr_assert_lt(limits.pid_max, UINT64_MAX);
	cr_assert_geq(limits.threads_max, 20);
	cr_assert_lt(limits.threads_max, UINT64_MAX);
	cr_assert_gt(limits.pids_max, 0);
	cr_assert_gt(limits.nofile, 0);
	cr_assert_gt(limits.nproc, 0);
}
