/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/limits: whether the system lets as many sessions live as the configuration allows. Each one is
 * a process, and some descriptors of ours; the daemon's own processes and its hook programs come on top.
 */
#ifndef LNS_MONITOR_LIMITS_H
#define LNS_MONITOR_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct config;

/* UINT64_MAX: unlimited, or unknown. */
struct monitor_limits {
	uint64_t pid_max, threads_max; /* sysctl */
	uint64_t pids_max;             /* of our control group, or one above it */
	uint64_t nofile;               /* hard limit of open files */
	uint64_t nproc;                /* processes of one user; root's are not counted */
};

/* What the configuration asks for. */
struct monitor_needs {
	unsigned int sessions, tunnels;
	bool chosen;        /* there is a limit of sessions in the configuration */
	unsigned int tasks; /* processes and threads of the daemon itself, with hooks */
	unsigned int hooks; /* of these, those of hook-user; 0: there are no hooks */
};

void monitor_limits_read(struct monitor_limits *ret_limits);
void monitor_limits_needs(const struct config *config, struct monitor_needs *ret_needs);

/*
 * Calls report with a line for each limit that is too small: its name, its value, and what to do; chosen:
 * for something that the configuration says itself.
 */
void monitor_limits_check(const struct monitor_limits *limits, const struct monitor_needs *needs,
	void (*report)(void *ctx, bool chosen, const char *line), void *ctx);

/* What a limit leaves room for. */
struct monitor_room {
	uint64_t sessions; /* beside the tunnels that were asked for */
	const char *word;  /* short, for machines */
	char limit[64];    /* its name and value: "kernel.pid_max is 4096" */
	char remedy[128];  /* what makes room for all that the configuration asks for */
};

/* Calls put for each limit that there is: its word, and how many sessions fit beside so many tunnels. */
void monitor_limits_rooms(const struct monitor_limits *limits, const struct monitor_needs *needs,
	unsigned int tunnels, void (*put)(void *ctx, const char *word, uint64_t sessions),
	void *ctx);

/* The one with the least room beside so many tunnels. False: there is no limit. */
bool monitor_limits_tightest(const struct monitor_limits *limits, const struct monitor_needs *needs,
	unsigned int tunnels, struct monitor_room *ret_room);

/* All of it; logs a warning for what was chosen, otherwise it is for information. */
void monitor_limits_log(const struct config *config);

#endif
