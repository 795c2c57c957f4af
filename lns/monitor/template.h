/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/template: one pppd template for each `ppp` section, as long as there is an engine.
 *
 * A template lives with one engine: monitor_templates_stop kills it, so that the list of session pppds
 * is complete before the next engine is told of it. A template that dies is started again, after a pause
 * that doubles up to 5 s when it dies quickly. When pppd or the plugin was replaced on disk, a new one takes
 * its place.
 */
#ifndef LNS_MONITOR_TEMPLATE_H
#define LNS_MONITOR_TEMPLATE_H

#include "lns/monitor/loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

struct config;
struct monitor_sessions;
struct monitor_templates;

struct monitor_templates_ops {
	/* A template is there; fork_fd is the engine's end, closed by the caller. */
	void (*started)(void *ctx, uint32_t id, const char *name, int fork_fd);
};

/* NULL when memory is short. nofile is the templates' limit of open files. Borrows everything. */
struct monitor_templates *monitor_templates_new(struct monitor_loop *loop,
	struct monitor_sessions *sessions, const struct rlimit *nofile,
	const struct monitor_templates_ops *ops, void *ctx);
/* Kills and forgets; does not wait. */
void monitor_templates_free(struct monitor_templates *templates);

/*
 * Takes the `ppp` sections of config: those that changed or are new get a new template (once started),
 * others stay, replaced ones are retired: they may answer what was asked of them, then end. 0 or
 * -errno: then nothing changed.
 */
int monitor_templates_configure(struct monitor_templates *templates, const struct config *config);

void monitor_templates_start(struct monitor_templates *templates);
void monitor_templates_stop(struct monitor_templates *templates);

/* The engine cannot use the template with this id: it is killed and another one started. */
void monitor_templates_replace(struct monitor_templates *templates, uint32_t id);

/* Reads all reports that are waiting, so that every session the engine may know is known. */
void monitor_templates_read_reports(struct monitor_templates *templates);

/* Template processes that were not reaped yet. */
unsigned int monitor_templates_running(const struct monitor_templates *templates);

/* The time when monitor_templates_tick has something to do; MONITOR_NEVER. */
uint64_t monitor_templates_due(const struct monitor_templates *templates);
void monitor_templates_tick(struct monitor_templates *templates);

#endif
