/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor: the root half of lnsd. Small, no network input: it starts and watches the engine and the pppd
 * templates, is the parent of all session pppds, and keeps what must outlive an engine.
 */
#ifndef LNS_MONITOR_MONITOR_H
#define LNS_MONITOR_MONITOR_H

#include "lns/log.h"

struct config;

struct monitor_options {
	const char *config_path;         /* absolute: read again at SIGHUP */
	const char *run_dir, *state_dir; /* NULL: as the configuration says */
	enum log_target log_to;          /* of all processes */
	int started_fd; /* -1, or a pipe: one octet is written once the engine serves, then closed */
};

/* Reads and parses the configuration: 0, *ret_config and *ret_fd (the bundle), or -errno after report. */
int monitor_load(const char *path, void (*report)(void *ctx, const char *line), void *ctx,
	struct config **ret_config, int *ret_fd);

/*
 * Runs until told to stop. Owns config and bundle_fd from now on. Returns the exit status of the
 * program: 0 after a stop as asked, 1 when it could not start.
 */
int monitor_run(const struct monitor_options *options, struct config *config, int bundle_fd);

#endif
