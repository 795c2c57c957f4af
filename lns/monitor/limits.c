// SPDX-License-Identifier: BSD-2-Clause
/* monitor/limits: see monitor/limits.h. */
#include "lns/monitor/limits.h"

#include "lns/config/config.h"
#include "lns/log.h"
#include "lns/state.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Processes and threads besides those of sessions. */
#define TASKS_DAEMON                                                                               \
	80 /* monitor, two engines with up to 36 threads, while one follows the other; lnsctl */
#define TASKS_TEMPLATE 2 /* of a ppp section: a new one and the one before, on reload */
#define TASKS_HOOK     4 /* a hook program is often a shell with a pipe of others */

/*
 * What needs a limit: so many for each session and tunnel, for the daemon's own processes or not, and for
 * everything else that has this limit.
 */
static const struct row {
	const char *word, *name;
	size_t offset;
	unsigned int per_session, per_tunnel, others;
	bool tasks;
	const char *remedy; /* with room for the number needed */
} rows[] = {
	{ "pid_max", "kernel.pid_max", offsetof(struct monitor_limits, pid_max), 1, 0, 1024, true,
		"sysctl -w kernel.pid_max=%" PRIu64 },
	{ "threads_max", "kernel.threads-max", offsetof(struct monitor_limits, threads_max), 1, 0,
		1024, true, "sysctl -w kernel.threads-max=%" PRIu64 },
	{ "pids_max", "pids.max of the control group", offsetof(struct monitor_limits, pids_max), 1,
		0, 0, true, "TasksMax=infinity in the unit, or %" PRIu64 },
	{ "nofile", "the hard limit of open files", offsetof(struct monitor_limits, nofile), 2, 1,
		512, false, "LimitNOFILE=%" PRIu64 " in the unit, or ulimit -Hn" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* A file with one number. Unlimited when there is none: "max", or no file. */
static uint64_t read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t number;

	if (!file)
		return UINT64_MAX;
	if (fscanf(file, "%" SCNu64, &number) != 1)
		number = UINT64_MAX;
	fclose(file);
	return number;
}

/* The smallest pids.max from our control group up; a group of version 2 only. */
static uint64_t read_pids_max(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	uint64_t least = UINT64_MAX;
	char line[512], path[600], *end;
	bool found = false;

	if (!file)
		return least;
	while (!found && fgets(line, sizeof(line), file))
		found = strncmp(line, "0::/", 4) == 0;
	fclose(file);
	if (!found)
		return least;
	line[strcspn(line, "\n")] = '\0';
	while ((end = strrchr(line + 3, '/'))) {
		uint64_t here;

		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/pids.max", line + 3);
		here = read_number(path);
		least = here < least ? here : least;
		*end = '\0';
	}
	return least;
}

void monitor_limits_read(struct monitor_limits *ret_limits)
{
	struct rlimit nofile, nproc;

	ret_limits->pid_max = read_number("/proc/sys/kernel/pid_max");
	ret_limits->threads_max = read_number("/proc/sys/kernel/threads-max");
	ret_limits->pids_max = read_pids_max();
	ret_limits->nofile = UINT64_MAX;
	if (getrlimit(RLIMIT_NOFILE, &nofile) == 0 && nofile.rlim_max != RLIM_INFINITY)
		ret_limits->nofile = nofile.rlim_max;
	ret_limits->nproc = UINT64_MAX;
	if (getrlimit(RLIMIT_NPROC, &nproc) == 0 && nproc.rlim_cur != RLIM_INFINITY)
		ret_limits->nproc = nproc.rlim_cur;
}

void monitor_limits_needs(const struct config *config, struct monitor_needs *ret_needs)
{
	uint64_t sessions = 0, tunnels = 0, most = config->l2tp.max_sessions;
	bool each_session = true, each_tunnel = true; /* lac section has a limit */

	for (size_t i = 0; i < config->lac_count; i++) {
		sessions += config->lacs[i].lac.max_sessions;
		tunnels += config->lacs[i].lac.max_tunnels;
		each_session = each_session && config->lacs[i].lac.max_sessions;
		each_tunnel = each_tunnel && config->lacs[i].lac.max_tunnels;
	}
	if (!each_session || (most && most < sessions))
		sessions = most;
	ret_needs->chosen = sessions > 0;
	if (!sessions || sessions > STATE_SESSIONS)
		sessions = STATE_SESSIONS;
	most = config->l2tp.max_tunnels;
	if (!each_tunnel || (most && most < tunnels))
		tunnels = most;
	if (!tunnels || tunnels > sessions) /* one for each session, at the most */
		tunnels = sessions;
	ret_needs->sessions = (unsigned int)sessions;
	ret_needs->tunnels = (unsigned int)tunnels;
	ret_needs->hooks = 0;
	if (config->hooks.on_up[0] || config->hooks.on_down[0])
		ret_needs->hooks = 1 + config->hooks.parallel * TASKS_HOOK;
	ret_needs->tasks =
		TASKS_DAEMON + (unsigned int)config->ppp_count * TASKS_TEMPLATE + ret_needs->hooks;
}

/* What is not for sessions and tunnels. */
static uint64_t others_in(const struct row *row, const struct monitor_needs *needs)
{
	return row->others + (row->tasks ? needs->tasks : 0);
}

/* How many sessions there is room for beside so many tunnels. */
static uint64_t room_in(
	const struct row *row, uint64_t value, uint64_t tunnels, const struct monitor_needs *needs)
{
	uint64_t taken = others_in(row, needs) + row->per_tunnel * tunnels;

	return value > taken ? (value - taken) / row->per_session : 0;
}

/* The same when each session has a tunnel of its own, as long as there are tunnels. */
static uint64_t least_room_in(
	const struct row *row, uint64_t value, const struct monitor_needs *needs)
{
	uint64_t others = others_in(row, needs), rest = value > others ? value - others : 0;
	uint64_t each = rest / (row->per_session + row->per_tunnel);

	return each <= needs->tunnels ? each : room_in(row, value, needs->tunnels, needs);
}

static uint64_t needed_of(const struct row *row, const struct monitor_needs *needs)
{
	return (uint64_t)row->per_session * needs->sessions +
	       (uint64_t)row->per_tunnel * needs->tunnels + others_in(row, needs);
}

static void put_remedy(
	const struct row *row, const struct monitor_needs *needs, char *out, size_t size)
{
	/* The format is one of the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(out, size, row->remedy, needed_of(row, needs));
#pragma GCC diagnostic pop
}

static void report_row(const struct row *row, uint64_t value, const struct monitor_needs *needs,
	void (*report)(void *ctx, bool chosen, const char *line), void *ctx)
{
	uint64_t least = least_room_in(row, value, needs), most = room_in(row, value, 1, needs);
	char remedy[128], up_to[32] = "", line[320];

	put_remedy(row, needs, remedy, sizeof(remedy));
	if (most > least) /* it depends on how many tunnels they come in */
		snprintf(up_to, sizeof(up_to), " to %" PRIu64, most);
	snprintf(line, sizeof(line),
		"%s is %" PRIu64 ", enough for %" PRIu64 "%s of %u sessions; needed: %" PRIu64
		" (%s)%s",
		row->name, value, least, up_to, needs->sessions, needed_of(row, needs), remedy,
		needs->chosen ? "" : "; or set max-sessions");
	report(ctx, needs->chosen, line);
}

static uint64_t value_of(const struct row *row, const struct monitor_limits *limits)
{
	uint64_t value;

	memcpy(&value, (const char *)limits + row->offset, sizeof(value));
	return value;
}

void monitor_limits_rooms(const struct monitor_limits *limits, const struct monitor_needs *needs,
	unsigned int tunnels, void (*put)(void *ctx, const char *word, uint64_t sessions),
	void *ctx)
{
	for (size_t i = 0; i < ROWS; i++) {
		uint64_t value = value_of(&rows[i], limits);

		if (value != UINT64_MAX)
			put(ctx, rows[i].word, room_in(&rows[i], value, tunnels, needs));
	}
}

bool monitor_limits_tightest(const struct monitor_limits *limits, const struct monitor_needs *needs,
	unsigned int tunnels, struct monitor_room *ret_room)
{
	const struct row *tightest = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < ROWS; i++) {
		uint64_t value = value_of(&rows[i], limits);
		uint64_t room = room_in(&rows[i], value, tunnels, needs);

		if (value == UINT64_MAX || room >= least)
			continue;
		tightest = &rows[i];
		least = room;
	}
	if (!tightest)
		return false;
	ret_room->sessions = least;
	ret_room->word = tightest->word;
	snprintf(ret_room->limit, sizeof(ret_room->limit), "%s is %" PRIu64, tightest->name,
		value_of(tightest, limits));
	put_remedy(tightest, needs, ret_room->remedy, sizeof(ret_room->remedy));
	return true;
}

/* Sessions are root's; the programs of hook-user are not, and share the limit with whatever else is its. */
static void check_hooks(uint64_t nproc, const struct monitor_needs *needs,
	void (*report)(void *ctx, bool chosen, const char *line), void *ctx)
{
	char line[200];

	if (nproc >= needs->hooks)
		return;
	snprintf(line, sizeof(line),
		"the limit of processes of a user is %" PRIu64
		", hook programs need %u (LimitNPROC=infinity in the unit, or ulimit -u %u; or a "
		"smaller hook-parallel)",
		nproc, needs->hooks, needs->hooks);
	report(ctx, true, line);
}

void monitor_limits_check(const struct monitor_limits *limits, const struct monitor_needs *needs,
	void (*report)(void *ctx, bool chosen, const char *line), void *ctx)
{
	for (size_t i = 0; i < ROWS; i++) {
		uint64_t value = value_of(&rows[i], limits);

		if (value < needed_of(&rows[i], needs))
			report_row(&rows[i], value, needs, report, ctx);
	}
	check_hooks(limits->nproc, needs, report, ctx);
}

static void log_report(void *ctx, bool chosen, const char *line)
{
	(void)ctx;
	log_line(chosen ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "%s", line);
}

void monitor_limits_log(const struct config *config)
{
	struct monitor_limits limits;
	struct monitor_needs needs;

	monitor_limits_read(&limits);
	monitor_limits_needs(config, &needs);
	monitor_limits_check(&limits, &needs, log_report, NULL);
}
