// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/audit: now and then, whether engine and kernel still agree on L2TP; what is wrong is set right and
 * counted.
 *
 * Left over: a session in a tunnel of ours that belongs to no call, and a tunnel that ended here, and is in
 * the kernel all the same with the same ids and addresses. They are deleted. Lost: a tunnel or session of
 * ours that the kernel has not. The former is closed, the latter's call ended: nothing gets through. Static
 * tunnels are made again. Whatever else is in the kernel is somebody else's.
 *
 * The list is made by the kernel thread and looked through in steps. What comes and goes meanwhile looks
 * like trouble, so only what two looks agree on is touched; the second one follows soon.
 */
#include "lns/engine/commands.h"

#include "lns/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONFIRM  ENV_SEC(10) /* after which suspects are looked at again */
#define STEP     500         /* entries, or sessions, a turn */
#define STEP_IDS 8192        /* tunnel ids a turn */
#define FINDINGS 64          /* of one look; the next one finds the rest */
#define BURIED   4096        /* ended tunnels that are remembered until the next look */

enum phase { PHASE_IDLE, PHASE_ENTRIES, PHASE_TUNNELS, PHASE_SESSIONS };

struct finding {
	enum engine_repair kind;
	uint32_t tunnel_id, session_id;
};

/* A tunnel that ended here. */
struct buried {
	LIST_ENTRY(buried) entry;
	struct kernel_l2tp_entry was;
	uint64_t since; /* env_now */
};

struct engine_audit {
	struct engine *engine;
	struct env_timer *timer; /* of the next look, or of the next step */
	struct kernel_job *job;
	struct kernel_l2tp_list list;
	uint64_t asked; /* env_now */
	enum phase phase;
	size_t next; /* PHASE_ENTRIES: index; PHASE_TUNNELS: id */
	uint64_t key;
	struct finding findings[2][FINDINGS]; /* of this look, of the one before */
	unsigned int count[2];
	bool suspicious; /* something was found for the first time */
	LIST_HEAD(, buried) buried;
	unsigned int buried_count;
	struct engine_audit_counters counters;
};

static const char *const repair_words[ENGINE_REPAIRS] = {
	[ENGINE_REPAIR_LEFT_TUNNEL] = "left_tunnel",
	[ENGINE_REPAIR_LEFT_SESSION] = "left_session",
	[ENGINE_REPAIR_LOST_TUNNEL] = "lost_tunnel",
	[ENGINE_REPAIR_LOST_SESSION] = "lost_session",
	[ENGINE_REPAIR_STATIC] = "static",
};

const char *engine_audit_word(enum engine_repair kind)
{
	return repair_words[kind];
}

/* ---- tunnels that ended here ---- */

static void unbury(struct engine_audit *audit, struct buried *buried)
{
	LIST_REMOVE(buried, entry);
	audit->buried_count--;
	free(buried);
}

void engine_audit_bury(struct engine *engine, uint16_t tunnel_id, uint16_t peer_id,
	const union addr *local, const union addr *peer)
{
	struct engine_audit *audit = engine->audit;
	struct buried *buried;

	if (!audit || !engine->config->kernel_audit || audit->buried_count == BURIED)
		return;
	buried = calloc(1, sizeof(*buried));
	if (!buried)
		return;
	buried->was = (struct kernel_l2tp_entry){ .version = 2,
		.tunnel_id = tunnel_id,
		.peer_tunnel_id = peer_id,
		.local = *local,
		.peer = *peer };
	buried->since = env_now(engine->env);
	LIST_INSERT_HEAD(&audit->buried, buried, entry);
	audit->buried_count++;
}

static bool is_same(const struct kernel_l2tp_entry *was, const struct kernel_l2tp_entry *entry)
{
	return entry->version == was->version && entry->tunnel_id == was->tunnel_id &&
	       entry->peer_tunnel_id == was->peer_tunnel_id && !entry->encap &&
	       addr_equal(&entry->local, &was->local) && addr_equal(&entry->peer, &was->peer);
}

bool engine_audit_is_buried(const struct engine *engine, const struct kernel_l2tp_entry *entry)
{
	const struct buried *buried;

	LIST_FOREACH(buried, &engine->audit->buried, entry)
		if (is_same(&buried->was, entry))
			return true;
	return false;
}

/* ---- repairs ---- */

static void end_lost_session(struct engine *engine, const struct finding *finding)
{
	struct subscriber *sub = subscriber_find_session(
		engine->subscribers, (uint16_t)finding->tunnel_id, (uint16_t)finding->session_id);

	if (!sub || !subscriber_is_in_kernel(sub))
		return;
	subscriber_log(sub, LOG_LEVEL_WARNING, "kernel audit: it is gone from the kernel: ended");
	subscriber_end(sub, END_KERNEL, NULL);
}

static void close_lost_tunnel(struct engine *engine, const struct finding *finding)
{
	static const struct l2tp_result result = { .code = L2TP_STOPCCN_ERROR,
		.error = L2TP_ERROR_RESOURCES,
		.text = "the kernel has lost the tunnel" };
	struct engine_tunnel *tunnel = engine->tunnels[finding->tunnel_id];

	if (!tunnel || tunnel->down)
		return;
	l2tp_tunnel_log(tunnel->l2tp, 0, LOG_LEVEL_WARNING,
		"kernel audit: tunnel %u is gone from the kernel: closed", tunnel->id);
	l2tp_tunnel_close(tunnel->l2tp, &result);
}

static void repair(struct engine *engine, const struct finding *finding)
{
	switch (finding->kind) {
	case ENGINE_REPAIR_LEFT_TUNNEL:
		log_warning("kernel audit: tunnel %u ended, and is still in the kernel: deleted",
			finding->tunnel_id);
		kernel_static_delete(engine->kernel, finding->tunnel_id, 0, NULL, NULL);
		break;
	case ENGINE_REPAIR_LEFT_SESSION:
		log_warning("kernel audit: session %u of tunnel %u belongs to nobody: deleted",
			finding->session_id, finding->tunnel_id);
		kernel_static_delete(
			engine->kernel, finding->tunnel_id, finding->session_id, NULL, NULL);
		break;
	case ENGINE_REPAIR_LOST_TUNNEL:
		close_lost_tunnel(engine, finding);
		break;
	case ENGINE_REPAIR_LOST_SESSION:
		end_lost_session(engine, finding);
		break;
	default: /* ENGINE_REPAIR_STATIC: engine/static.c */
		break;
	}
	engine->audit->counters.repairs[finding->kind]++;
}

static bool was_found_before(const struct engine_audit *audit, const struct finding *finding)
{
	for (unsigned int i = 0; i < audit->count[1]; i++) {
		const struct finding *before = &audit->findings[1][i];

		if (before->kind == finding->kind && before->tunnel_id == finding->tunnel_id &&
			before->session_id == finding->session_id)
			return true;
	}
	return false;
}

static void found(struct engine_audit *audit, enum engine_repair kind, uint32_t tunnel_id,
	uint32_t session_id)
{
	const struct finding finding = { kind, tunnel_id, session_id };

	if (was_found_before(audit, &finding)) {
		repair(audit->engine, &finding);
	} else if (audit->count[0] < FINDINGS) {
		audit->findings[0][audit->count[0]++] = finding;
		audit->suspicious = true;
	}
}

/* ---- one look ---- */

static void look_at_entry(struct engine_audit *audit, const struct kernel_l2tp_entry *entry)
{
	struct engine_match match;

	engine_inspect_match(audit->engine, entry, &match);
	if (match.mark == ENGINE_MARK_LEFT)
		found(audit,
			entry->is_session ? ENGINE_REPAIR_LEFT_SESSION : ENGINE_REPAIR_LEFT_TUNNEL,
			entry->tunnel_id, entry->session_id);
}

static bool entries_step(struct engine_audit *audit)
{
	for (unsigned int i = 0; i < STEP && audit->next < audit->list.count; i++)
		look_at_entry(audit, &audit->list.entries[audit->next++]);
	return audit->next == audit->list.count;
}

static bool tunnels_step(struct engine_audit *audit)
{
	for (unsigned int i = 0; i < STEP_IDS && audit->next <= UINT16_MAX; i++) {
		const struct engine_tunnel *tunnel = audit->engine->tunnels[audit->next++];

		if (tunnel && engine_inspect_tunnel_missing(tunnel, &audit->list, audit->asked))
			found(audit, ENGINE_REPAIR_LOST_TUNNEL, tunnel->id, 0);
	}
	return audit->next > UINT16_MAX;
}

/* That of a lost tunnel ends with it. */
static void look_at_session(
	struct engine_audit *audit, struct subscriber *sub, uint16_t tunnel_id, uint16_t session_id)
{
	const struct engine_tunnel *tunnel = audit->engine->tunnels[tunnel_id];

	if (engine_inspect_session_missing(sub, &audit->list, audit->asked) && tunnel &&
		!engine_inspect_tunnel_missing(tunnel, &audit->list, audit->asked))
		found(audit, ENGINE_REPAIR_LOST_SESSION, tunnel_id, session_id);
}

static bool sessions_step(struct engine_audit *audit)
{
	struct subscriber_info info;
	struct subscriber *sub;

	for (unsigned int i = 0; i < STEP; i++) {
		sub = subscriber_next(audit->engine->subscribers, audit->key);
		if (!sub)
			return true;
		subscriber_get_info(sub, &info);
		audit->key = info.key;
		look_at_session(audit, sub, info.tunnel_id, info.session_id);
	}
	return false;
}

/* Those that ended before the look, and are not in the list, are gone. */
static void forget_buried(struct engine_audit *audit)
{
	struct buried *buried, *next;

	for (buried = LIST_FIRST(&audit->buried); buried; buried = next) {
		const struct kernel_l2tp_entry *entry =
			kernel_l2tp_find(&audit->list, buried->was.tunnel_id, 0);

		next = LIST_NEXT(buried, entry);
		if (buried->since < audit->asked && (!entry || !is_same(&buried->was, entry)))
			unbury(audit, buried);
	}
}

static void wait_for_next(struct engine_audit *audit)
{
	uint64_t interval = audit->engine->config->kernel_audit;

	audit->phase = PHASE_IDLE;
	if (audit->suspicious && interval > CONFIRM)
		interval = CONFIRM;
	if (interval && !audit->engine->stopping)
		env_timer_start(audit->timer, interval);
}

static void finish(struct engine_audit *audit)
{
	forget_buried(audit);
	audit->counters.repairs[ENGINE_REPAIR_STATIC] +=
		engine_statics_check(audit->engine, &audit->list, audit->asked);
	kernel_l2tp_list_free(&audit->list);
	memcpy(audit->findings[1], audit->findings[0], sizeof(audit->findings[0]));
	audit->count[1] = audit->count[0];
	audit->counters.looks++;
	wait_for_next(audit);
}

static void step(struct engine_audit *audit)
{
	static bool (*const of_phase[])(struct engine_audit * audit) = {
		[PHASE_ENTRIES] = entries_step,
		[PHASE_TUNNELS] = tunnels_step,
		[PHASE_SESSIONS] = sessions_step,
	};

	if (!of_phase[audit->phase](audit)) {
		env_timer_start(audit->timer, 0);
		return;
	}
	if (audit->phase == PHASE_SESSIONS) {
		finish(audit);
		return;
	}
	audit->phase++;
	audit->next = 0;
	env_timer_start(audit->timer, 0);
}

static void listed(void *ctx, int err, int fd)
{
	struct engine_audit *audit = ctx;

	(void)fd;
	audit->job = NULL;
	if (err == -EOPNOTSUPP) {
		log_info("no audit of the kernel: it lacks the netlink interface of L2TP");
		return;
	}
	if (err) {
		log_warning("kernel audit: no list of tunnels: %s", strerror(-err));
		wait_for_next(audit);
		return;
	}
	audit->phase = PHASE_ENTRIES;
	audit->next = 0;
	audit->key = 0;
	audit->count[0] = 0;
	audit->suspicious = false;
	env_timer_start(audit->timer, 0);
}

static void timer_fires(void *ctx)
{
	struct engine_audit *audit = ctx;

	if (audit->engine->stopping || audit->job) {
		return;
	} else if (audit->phase != PHASE_IDLE) {
		step(audit);
		return;
	}
	audit->asked = env_now(audit->engine->env);
	audit->job = kernel_l2tp_dump(audit->engine->kernel, -1, &audit->list, listed, audit);
	if (!audit->job)
		wait_for_next(audit);
}

/* ---- for others ---- */

const struct engine_audit_counters *engine_audit_counters(const struct engine *engine)
{
	return &engine->audit->counters;
}

json_t *engine_audit_json(const struct engine *engine)
{
	const struct engine_audit_counters *counters = engine_audit_counters(engine);
	json_t *object = json_pack("{s:I}", "looks", (json_int_t)counters->looks);

	for (int kind = 0; object && kind < ENGINE_REPAIRS; kind++)
		json_object_set_new(object, repair_words[kind],
			json_integer((json_int_t)counters->repairs[kind]));
	return object;
}

void engine_audit_configure(struct engine *engine)
{
	struct engine_audit *audit = engine->audit;

	if (audit->phase == PHASE_IDLE && !audit->job) {
		env_timer_stop(audit->timer);
		wait_for_next(audit);
	}
}

int engine_audit_start(struct engine *engine)
{
	struct engine_audit *audit = calloc(1, sizeof(*audit));

	if (!audit)
		return -ENOMEM;
	audit->engine = engine;
	LIST_INIT(&audit->buried);
	audit->timer = env_timer_new(engine->env, timer_fires, audit);
	if (!audit->timer) {
		free(audit);
		return -ENOMEM;
	}
	engine->audit = audit;
	wait_for_next(audit);
	return 0;
}

void engine_audit_free(struct engine *engine)
{
	struct engine_audit *audit = engine->audit;
	struct buried *buried;

	if (!audit)
		return;
	kernel_cancel(audit->job);
	kernel_l2tp_list_free(&audit->list);
	while ((buried = LIST_FIRST(&audit->buried)))
		unbury(audit, buried);
	env_timer_free(audit->timer);
	free(audit);
	engine->audit = NULL;
}
