/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/template: slots (what the configuration wants) and templates (processes). See
 * monitor/template.h.
 *
 * Ownership: templates > slots, processes. A slot points to its current process; a process without slot
 * is retired and killed at its deadline. What a template reports is checked like anything from outside:
 * it must name a child of ours, once. A report that cannot be taken for want of memory or descriptors is held,
 * and no other is read before it: its session goes on meanwhile, and the template waits when it has more.
 *
 * When pppd or the plugin was replaced on disk, a candidate is started beside the template; the engine is
 * told of it once it has lived for a moment, and then the old one is retired. A new pppd that does not
 * work with the plugin, as between two steps of an upgrade, so never takes the place of one that does.
 */
#include "lns/monitor/template.h"

#include "lns/config/config.h"
#include "lns/log.h"
#include "lns/monitor/child.h"
#include "lns/monitor/link.h"
#include "lns/monitor/session.h"
#include "lns/monitor/spawn.h"
#include "lns/monitor/version.h"
#include "lns/ppp/channel_proto.h"
#include "lns/ppp/ppp.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MIN    UINT64_C(100000)
#define PAUSE_MAX    UINT64_C(5000000)
#define LIVED_LONG   UINT64_C(10000000)
#define RETIRE_AFTER UINT64_C(10000000)

#define HOLD_TIME UINT64_C(100000) /* until a held report is tried again */

#define CHECK_INTERVAL UINT64_C(2000000) /* between two looks at the files */
#define PROVE_TIME     UINT64_C(2000000) /* that a candidate lives before it is used */

#define ARGS_SIZE 2048
#define ARGS_MAX  96

/* What a template is made of. */
enum { FILE_PPPD, FILE_PLUGIN, FILES };

/* A command line, comparable by its octets. */
struct args {
	char text[ARGS_SIZE]; /* words with their NULs, the rest zero */
	const char *argv[ARGS_MAX];
};

struct template
{
	struct template *next;
	struct monitor_templates *owner;
	struct slot *slot; /* NULL: retired */
	uint32_t id;
	char name[sizeof(((struct config_ppp *)0)->name)];
	char plugin[sizeof(((struct config *)0)->plugin)];
	pid_t pid;
	int pidfd, report_fd;
	bool expected; /* its end is wanted: nothing to log */
	uint64_t started, kill_at;
	int fork_fd; /* of a candidate, whom the engine does not know; otherwise -1 */
	struct monitor_watch exit_watch, report_watch;
	struct ppp_forked held; /* a report, while hold_until is not 0 */
	uint64_t hold_until;
};

struct slot {
	char name[sizeof(((struct config_ppp *)0)->name)];
	char plugin[sizeof(((struct config *)0)->plugin)];
	struct args *args;
	bool exec;                  /* its template becomes the one session that it is asked for */
	struct template *template;  /* NULL: none now */
	struct template *candidate; /* made of newer files; NULL: none */
	struct monitor_version files[FILES]; /* that the newest of them was made of */
	struct monitor_version seen[FILES];  /* at the last look */
	uint64_t start_at, pause;
};

struct monitor_templates {
	struct monitor_loop *loop;
	struct monitor_sessions *sessions;
	const struct rlimit *nofile;
	const struct monitor_templates_ops *ops;
	void *ctx;
	bool wanted; /* there is an engine */
	uint64_t check_at;
	uint32_t last_id;
	struct slot *slots;
	size_t slot_count;
	struct template *processes;
};

struct monitor_templates *monitor_templates_new(struct monitor_loop *loop,
	struct monitor_sessions *sessions, const struct rlimit *nofile,
	const struct monitor_templates_ops *ops, void *ctx)
{
	struct monitor_templates *templates = calloc(1, sizeof(*templates));

	if (templates) {
		templates->loop = loop;
		templates->sessions = sessions;
		templates->nofile = nofile;
		templates->ops = ops;
		templates->ctx = ctx;
		templates->check_at = monitor_now() + CHECK_INTERVAL;
	}
	return templates;
}

/* Forgets a process, killed or reaped or become a session. */
static void template_free(struct template *template)
{
	struct monitor_templates *templates = template->owner;
	struct template **place = &templates->processes;

	while (*place != template)
		place = &(*place)->next;
	*place = template->next;
	if (template->slot && template->slot->template == template)
		template->slot->template = NULL;
	if (template->slot && template->slot->candidate == template)
		template->slot->candidate = NULL;
	if (template->fork_fd >= 0)
		close(template->fork_fd);
	monitor_watch_remove(templates->loop, &template->exit_watch);
	monitor_watch_remove(templates->loop, &template->report_watch);
	close(template->pidfd);
	close(template->report_fd);
	free(template);
}

static void template_kill(struct template *template)
{
	template->kill_at = MONITOR_NEVER;
	monitor_child_signal(template->pidfd, SIGKILL);
}

static void slot_pause(struct slot *slot, bool quick)
{
	slot->pause = quick && slot->pause ? slot->pause * 2 : PAUSE_MIN;
	if (slot->pause > PAUSE_MAX)
		slot->pause = PAUSE_MAX;
	slot->start_at = monitor_now() + slot->pause;
}

/* What an operator can do about a template that ended by itself; exit statuses of pppd(8). */
static const char *template_hint(int status)
{
	if (!WIFEXITED(status))
		return "no new sessions until it is back";
	switch (WEXITSTATUS(status)) {
	case 2:
		return "pppd refused its options or the plugin: is `plugin` built for this pppd?";
	case 3:
		return "pppd may not do what it must: is `pppd` readable and executable by root?";
	case 4:
		return "the kernel has no PPP: load the modules ppp_generic and l2tp_ppp";
	default:
		return "see pppd(8), EXIT STATUS";
	}
}

/* Kills children that the template made but could not report any more. */
static void template_kill_strays(struct monitor_templates *templates, pid_t dead)
{
	pid_t *pids = NULL;
	size_t count = 0;
	int err = monitor_child_list(&pids, &count);

	if (err) {
		log_warning("cannot look for pppds that template %d left: %s", (int)dead,
			strerror(-err));
		return;
	}
	monitor_templates_read_reports(templates);
	for (size_t i = 0; i < count; i++) {
		/* A template is the leader of its session, in which its pppds begin. */
		if (getsid(pids[i]) != dead ||
			monitor_sessions_has_pid(templates->sessions, pids[i]))
			continue;
		log_warning("killing pppd %d, which its template did not report", (int)pids[i]);
		monitor_sessions_kill_stray(templates->sessions, pids[i]);
	}
	free(pids);
}

static bool template_read_reports(struct template *template);

static void template_log_end(const struct template *template, int status)
{
	char text[MONITOR_CHILD_TEXT];

	monitor_child_text(status, text);
	if (template->expected)
		return;
	if (template->slot && template->slot->candidate == template)
		log_error("pppd template '%s': pppd or the plugin was replaced, but the new one "
			  "ended: %s (%s); the old one goes on",
			template->name, text, template_hint(status));
	/* Exit status 0: the engine closed its socket, as it does at its own end. */
	else if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		log_warning("pppd template '%s' ended: %s (%s)", template->name, text,
			template_hint(status));
}

static void template_exited(void *ctx, uint32_t events)
{
	struct template *template = ctx;
	struct monitor_templates *templates = template->owner;
	struct slot *slot = template->slot;
	struct rusage usage;
	pid_t pid = template->pid;
	int status;

	(void)events;
	if (!template_read_reports(template) || !monitor_child_reap(pid, &status, &usage))
		return;
	template_log_end(template, status);
	if (slot && slot->candidate == template)
		slot = NULL;
	if (slot)
		slot_pause(slot,
			!template->expected && monitor_now() - template->started < LIVED_LONG);
	template_free(template);
	template_kill_strays(templates, pid);
}

/* In exec mode the template itself becomes the session: it is no template any more. */
static void template_becomes_session(struct template *template)
{
	struct slot *slot = template->slot;

	if (slot) {
		slot->pause = 0;
		slot->start_at = monitor_now();
	}
	template_free(template);
}

/* Whether it may be taken later. */
static bool is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOSPC;
}

/* 0, or -errno: that is a report which can be taken later, or a wrong one. */
static int template_take_report(struct template *template, const struct ppp_forked *report)
{
	int err;

	if (report->error != 0)
		return 0; /* the engine is told by the template */
	/* A session pppd begins in the session (setsid) that its template leads. */
	err = getsid(report->pid) != template->pid
		      ? -ECHILD
		      : monitor_sessions_add(template->owner->sessions, report->head.session,
				(pid_t)report->pid);
	if (err && !is_shortage(err))
		log_error("pppd template '%s' reported process %d wrongly: %s", template->name,
			(int)report->pid, strerror(-err));
	return err;
}

enum report { REPORT_TAKEN, REPORT_NONE, REPORT_TEMPLATE_GONE };

static enum report template_took(struct template *template, const struct ppp_forked *report)
{
	if (report->error != 0 || report->pid != template->pid)
		return REPORT_TAKEN;
	template_becomes_session(template);
	return REPORT_TEMPLATE_GONE;
}

static enum report template_break(struct template *template, const char *why)
{
	log_error("pppd template '%s' is killed for a bad report (%s)", template->name, why);
	monitor_watch_remove(template->owner->loop, &template->report_watch);
	template_kill(template);
	return REPORT_NONE;
}

/* Holds a report that cannot be taken now, and reads no more of them. */
static enum report template_hold(
	struct template *template, const struct ppp_forked *report, int err)
{
	if (!template->hold_until)
		log_error("pppd template '%s': its new session %d cannot be watched yet: %s",
			template->name, (int)report->pid, strerror(-err));
	template->held = *report;
	template->hold_until = monitor_now() + HOLD_TIME;
	monitor_watch_remove(template->owner->loop, &template->report_watch);
	return REPORT_NONE;
}

static void template_reported(void *ctx, uint32_t events);

/* Tries the held report again. */
static enum report template_retry(struct template *template)
{
	const struct ppp_forked report = template->held;
	int err = monitor_watch_add(template->owner->loop, &template->report_watch,
		template->report_fd, template_reported, template);

	if (!err)
		err = template_take_report(template, &report);
	if (is_shortage(err))
		return template_hold(template, &report, err);
	template->hold_until = 0;
	if (err)
		return template_break(template, "broken message");
	return template_took(template, &report);
}

/* Reads one report. After REPORT_TEMPLATE_GONE the template is freed. */
static enum report template_read_report(struct template *template)
{
	struct ppp_forked report;
	int fds[MONITOR_FDS], n, err;
	unsigned int count = 0;

	if (template->hold_until)
		return template_retry(template);

	n = monitor_link_receive(
		template->report_fd, &report, sizeof(report), fds, MONITOR_FDS, &count);
	if (n == -EAGAIN)
		return REPORT_NONE;
	if (n == 0) { /* its end is seen by its pidfd */
		monitor_watch_remove(template->owner->loop, &template->report_watch);
		return REPORT_NONE;
	}
	for (unsigned int i = 0; i < count; i++)
		close(fds[i]); /* nobody asked for any */
	if (n != sizeof(report) || ppp_message_check(&report, (uint32_t)n) != 0 ||
		report.head.type != PPP_FORK_REPORT)
		return template_break(template, n < 0 ? strerror(-n) : "broken message");
	err = template_take_report(template, &report);
	if (is_shortage(err))
		return template_hold(template, &report, err);
	return err ? template_break(template, "broken message") : template_took(template, &report);
}

/* Reads all that wait. False when the template is freed. */
static bool template_read_reports(struct template *template)
{
	enum report report = REPORT_TAKEN;

	while (report == REPORT_TAKEN && (template->report_watch.fd >= 0 || template->hold_until))
		report = template_read_report(template);
	return report != REPORT_TEMPLATE_GONE;
}

static void template_reported(void *ctx, uint32_t events)
{
	(void)events;
	template_read_reports(ctx);
}

void monitor_templates_read_reports(struct monitor_templates *templates)
{
	struct template *next;

	for (struct template *template = templates->processes; template; template = next) {
		next = template->next;
		template_read_reports(template);
	}
}

/* Watches a process that was just started. Owns pid and report_fd, also when it fails. */
static int template_adopt(struct monitor_templates *templates, struct slot *slot, pid_t pid,
	int report_fd, struct template **ret_template)
{
	struct template *template = calloc(1, sizeof(*template));
	int err = -ENOMEM, pidfd = monitor_child_open(pid);

	if (!template || pidfd < 0)
		goto fail;
	template->owner = templates;
	template->pid = pid;
	template->pidfd = pidfd;
	template->report_fd = report_fd;
	template->kill_at = MONITOR_NEVER;
	template->fork_fd = -1;
	template->started = monitor_now();
	template->id = ++templates->last_id;
	memcpy(template->name, slot->name, sizeof(template->name));
	err = monitor_watch_add(
		templates->loop, &template->exit_watch, pidfd, template_exited, template);
	if (err)
		goto fail;
	err = monitor_watch_add(
		templates->loop, &template->report_watch, report_fd, template_reported, template);
	if (err) {
		monitor_watch_remove(templates->loop, &template->exit_watch);
		goto fail;
	}
	template->slot = slot;
	template->next = templates->processes;
	templates->processes = template;
	*ret_template = template;
	return 0;
fail:
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	if (pidfd >= 0)
		close(pidfd);
	close(report_fd);
	free(template);
	return err;
}

static void slot_look(const struct slot *slot, struct monitor_version files[FILES])
{
	files[FILE_PPPD] = monitor_version_of(slot->args->argv[0]);
	files[FILE_PLUGIN] = monitor_version_of(slot->plugin);
}

/* Starts a process of this slot: *ret_template and *ret_fork_fd, the engine's end. False: logged. */
static bool slot_spawn(struct monitor_templates *templates, struct slot *slot,
	struct template **ret_template, int *ret_fork_fd)
{
	const char *step = "", *pppd = slot->args->argv[0];
	int report_fd = -1, err;
	pid_t pid;

	if (access(slot->plugin, R_OK) < 0) {
		log_error("pppd template '%s': plugin %s: %s", slot->name, slot->plugin,
			strerror(errno));
		return false;
	}
	slot_look(slot, slot->files);
	err = monitor_spawn_template(slot->args->argv, slot->plugin, templates->nofile, &pid,
		ret_fork_fd, &report_fd, &step);
	if (!err) {
		err = template_adopt(templates, slot, pid, report_fd, ret_template);
		if (err)
			close(*ret_fork_fd);
	}
	if (err)
		log_error("cannot start pppd template '%s': %s of %s: %s%s", slot->name, step, pppd,
			strerror(-err), err == -ENOENT ? " (is the package ppp installed?)" : "");
	return !err;
}

/* The engine learns of a template, which takes the place of an older one. Owns fork_fd. */
static void slot_use(struct monitor_templates *templates, struct slot *slot,
	struct template *template, int fork_fd)
{
	slot->template = template;
	templates->ops->started(templates->ctx, template->id, template->name, fork_fd);
	close(fork_fd);
}

static void template_retire(struct template *template);

static void slot_promote(struct monitor_templates *templates, struct slot *slot)
{
	struct template *candidate = slot->candidate;
	int fork_fd = candidate->fork_fd;

	if (slot->template)
		template_retire(slot->template);
	slot->candidate = NULL;
	candidate->fork_fd = -1;
	slot_use(templates, slot, candidate, fork_fd);
}

static void slot_start(struct monitor_templates *templates, struct slot *slot)
{
	struct template *template;
	int fork_fd;

	slot->start_at = MONITOR_NEVER;
	if (slot->candidate)
		slot_promote(templates, slot);
	else if (slot_spawn(templates, slot, &template, &fork_fd))
		slot_use(templates, slot, template, fork_fd);
	else
		slot_pause(slot, true);
}

/* Files that were replaced and are at rest: no writer is at work, no second one is about to follow. */
static bool slot_is_outdated(struct slot *slot)
{
	struct monitor_version now[FILES];
	bool at_rest = true, newer = false, there = true;

	slot_look(slot, now);
	for (int file = 0; file < FILES; file++) {
		at_rest = at_rest && monitor_version_equal(&now[file], &slot->seen[file]);
		newer = newer || !monitor_version_equal(&now[file], &slot->files[file]);
		there = there && monitor_version_exists(&now[file]);
		slot->seen[file] = now[file];
	}
	return newer && at_rest && there;
}

static void slot_check(struct monitor_templates *templates, struct slot *slot)
{
	struct template *candidate;
	int fork_fd;

	if (!slot->template || slot->candidate || !slot_is_outdated(slot))
		return;
	log_info("pppd template '%s': pppd or the plugin was replaced: starting another one",
		slot->name);
	if (!slot_spawn(templates, slot, &candidate, &fork_fd))
		return;
	slot->candidate = candidate;
	candidate->fork_fd = fork_fd;
}

/* Its slot is gone or has new options: no new requests, some time for those that are under way. */
static void template_retire(struct template *template)
{
	if (template->slot && template->slot->template == template)
		template->slot->template = NULL;
	if (template->slot && template->slot->candidate == template)
		template->slot->candidate = NULL;
	template->slot = NULL;
	template->expected = true;
	template->kill_at = monitor_now() + RETIRE_AFTER;
}

static void slots_free(struct slot *slots, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(slots[i].args);
	free(slots);
}

/* Makes the slots of config; none of them started. */
static int slots_make(const struct config *config, struct slot **ret_slots)
{
	struct slot *slots = calloc(config->ppp_count ? config->ppp_count : 1, sizeof(*slots));
	int err = slots ? 0 : -ENOMEM;

	for (size_t i = 0; i < config->ppp_count && !err; i++) {
		const struct config_ppp *ppp = &config->ppps[i];
		struct slot *slot = &slots[i];

		memcpy(slot->name, ppp->name, sizeof(slot->name));
		memcpy(slot->plugin, config->plugin, sizeof(slot->plugin));
		slot->exec = ppp->exec;
		slot->args = calloc(1, sizeof(*slot->args));
		err = slot->args
			      ? ppp_template_argv(config, ppp, MONITOR_FORK_FD, MONITOR_REPORT_FD,
					slot->args->text, ARGS_SIZE, slot->args->argv, ARGS_MAX)
			      : -ENOMEM;
	}
	if (err) {
		if (slots)
			slots_free(slots, config->ppp_count);
		return err;
	}
	*ret_slots = slots;
	return 0;
}

int monitor_templates_configure(struct monitor_templates *templates, const struct config *config)
{
	struct slot *slots;
	int err = slots_make(config, &slots);

	if (err)
		return err;
	for (size_t i = 0; i < config->ppp_count; i++) {
		for (size_t j = 0; j < templates->slot_count; j++) {
			struct slot *old = &templates->slots[j];

			/* One that has made copies does not become a session any more. */
			if (strcmp(old->name, slots[i].name) != 0 || old->exec != slots[i].exec ||
				memcmp(old->args->text, slots[i].args->text, ARGS_SIZE) != 0)
				continue;
			slots[i].template = old->template;
			slots[i].candidate = old->candidate;
			memcpy(slots[i].files, old->files, sizeof(old->files));
			memcpy(slots[i].seen, old->seen, sizeof(old->seen));
			slots[i].start_at = old->start_at;
			slots[i].pause = old->pause;
			old->template = old->candidate = NULL;
			if (slots[i].template)
				slots[i].template->slot = &slots[i];
			if (slots[i].candidate)
				slots[i].candidate->slot = &slots[i];
		}
	}
	for (size_t j = 0; j < templates->slot_count; j++) {
		if (templates->slots[j].template)
			template_retire(templates->slots[j].template);
		if (templates->slots[j].candidate)
			template_retire(templates->slots[j].candidate);
	}
	slots_free(templates->slots, templates->slot_count);
	templates->slots = slots;
	templates->slot_count = config->ppp_count;
	return 0;
}

void monitor_templates_start(struct monitor_templates *templates)
{
	templates->wanted = true;
	for (size_t i = 0; i < templates->slot_count; i++)
		if (!templates->slots[i].template)
			slot_start(templates, &templates->slots[i]);
}

void monitor_templates_stop(struct monitor_templates *templates)
{
	templates->wanted = false;
	monitor_templates_read_reports(templates); /* who became a session is not killed */
	for (struct template *template = templates->processes; template;
		template = template->next) {
		template->expected = true;
		template_kill(template);
	}
}

void monitor_templates_replace(struct monitor_templates *templates, uint32_t id)
{
	monitor_templates_read_reports(templates);
	for (struct template *template = templates->processes; template;
		template = template->next) {
		if (template->id != id || template->expected)
			continue;
		log_warning("pppd template '%s' is replaced, as the engine asks", template->name);
		template_kill(template); /* its end is logged: it may have come by itself */
	}
}

unsigned int monitor_templates_running(const struct monitor_templates *templates)
{
	unsigned int count = 0;

	for (const struct template *template = templates->processes; template;
		template = template->next)
		count++;
	return count;
}

uint64_t monitor_templates_due(const struct monitor_templates *templates)
{
	uint64_t due = MONITOR_NEVER;

	for (const struct template *template = templates->processes; template;
		template = template->next)
		if (template->kill_at < due)
			due = template->kill_at;
		else if (template->hold_until && template->hold_until < due)
			due = template->hold_until;
	for (size_t i = 0; templates->wanted && i < templates->slot_count; i++)
		if (!templates->slots[i].template && templates->slots[i].start_at < due)
			due = templates->slots[i].start_at;
	if (templates->wanted && templates->check_at < due)
		due = templates->check_at;
	return due;
}

/* Looks whether pppd or the plugin was replaced, and at those that were started for it. */
static void templates_check(struct monitor_templates *templates, uint64_t now)
{
	for (size_t i = 0; i < templates->slot_count; i++) {
		struct slot *slot = &templates->slots[i];

		if (slot->candidate && now - slot->candidate->started >= PROVE_TIME)
			slot_promote(templates, slot);
		slot_check(templates, slot);
	}
}

void monitor_templates_tick(struct monitor_templates *templates)
{
	uint64_t now = monitor_now();

	monitor_templates_read_reports(templates);
	for (struct template *template = templates->processes; template; template = template->next)
		if (template->kill_at <= now)
			template_kill(template);
	for (size_t i = 0; templates->wanted && i < templates->slot_count; i++)
		if (!templates->slots[i].template && templates->slots[i].start_at <= now)
			slot_start(templates, &templates->slots[i]);
	if (templates->wanted && templates->check_at <= now) {
		templates->check_at = now + CHECK_INTERVAL;
		templates_check(templates, now);
	}
}

void monitor_templates_free(struct monitor_templates *templates)
{
	if (!templates)
		return;
	while (templates->processes) {
		template_kill(templates->processes);
		template_free(templates->processes);
	}
	slots_free(templates->slots, templates->slot_count);
	free(templates);
}
