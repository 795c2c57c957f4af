// SPDX-License-Identifier: BSD-2-Clause
/* fake_monitor: see fake_monitor.h. */
#include "tests/unit/subscriber/fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ppp_template *template_of(void *ctx, const char *ppp)
{
	bool missing = strcmp(ppp, "p") == 0 ? w.ppp.no_template : w.ppp.no_other_template;

	(void)ctx;
	return missing ? NULL : (struct ppp_template *)&w.ppp;
}

static int tunnel_socket(void *ctx, struct l2tp_tunnel *tunnel)
{
	(void)ctx;
	(void)tunnel;
	return w.l2tp.no_kernel_tunnel ? -1 : 2000;
}

static void signal_pppds(void *ctx, enum monitor_signal signal, const uint64_t *keys, size_t count)
{
	(void)ctx;
	(void)keys;
	cr_assert(count >= 1 && count <= MONITOR_BATCH);
	for (size_t i = 0; i < count; i++)
		done(signal == MONITOR_SIGNAL_KILL ? "kill" : "term");
}

static void keep_channel(void *ctx, uint64_t key, int fd)
{
	(void)ctx;
	(void)key;
	w.monitor.kept += fd >= 0 ? 1 : -1;
	done(fd >= 0 ? "keep" : "drop");
}

static void forget_exit(void *ctx, uint64_t key)
{
	(void)ctx;
	(void)key;
	done("forget");
}

static void hold(void *ctx, struct l2tp_tunnel *tunnel)
{
	(void)ctx;
	(void)tunnel;
	w.l2tp.holds++;
}

static void unhold(void *ctx, uint16_t tunnel_id)
{
	(void)ctx;
	cr_assert(tunnel_id >= 12 && tunnel_id <= w.l2tp.tunnel.id); /* tests open some more */
	w.l2tp.holds--;
}

static bool covers_tunnel(void *ctx, const struct addr_prefix *prefix)
{
	(void)ctx;
	(void)prefix;
	return w.monitor.covers;
}

static bool has_room(void *ctx, bool call, char *ret_why, size_t size)
{
	(void)ctx;
	cr_assert(call);
	snprintf(ret_why, size, "no room for %u", w.monitor.room);
	return !w.monitor.room || subscribers_holding(w.all) < w.monitor.room;
}

const struct subscribers_host fake_host = {
	.template = template_of,
	.tunnel_socket = tunnel_socket,
	.signal = signal_pppds,
	.keep_channel = keep_channel,
	.forget_exit = forget_exit,
	.hold = hold,
	.unhold = unhold,
	.has_room = has_room,
	.covers_tunnel = covers_tunnel,
};

/* ---- state.h ---- */

uint64_t state_next_key(struct state *state)
{
	(void)state;
	return ++w.monitor.sequence;
}

struct state_session *state_session_take(struct state *state, uint64_t key)
{
	struct state_session *record;

	(void)state;
	record = w.monitor.no_records ? NULL : calloc(1, sizeof(*record));
	if (record) {
		record->key = key;
		w.monitor.records++;
		cr_assert_lt(key, sizeof(w.monitor.taken) / sizeof(w.monitor.taken[0]));
		w.monitor.taken[key] = record;
	}
	return record;
}

void fake_monitor_free(void)
{
	for (size_t key = 0; key < sizeof(w.monitor.taken) / sizeof(w.monitor.taken[0]); key++)
		free(w.monitor.taken[key]);
}

void state_session_release(struct state *state, struct state_session *session)
{
	(void)state;
	w.monitor.records--;
	w.monitor.taken[session->key] = NULL;
	free(session);
}

void state_publish(uint32_t *used, uint32_t value)
{
	*used = value;
}

/* ---- config.h ---- */

const struct config_lac *config_find_lac_section(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->lac_count; i++)
		if (strcmp(config->lacs[i].lac.name, name) == 0)
			return &config->lacs[i];
	return NULL;
}

const struct config_ppp *config_find_ppp(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->ppp_count; i++)
		if (strcmp(config->ppps[i].name, name) == 0)
			return &config->ppps[i];
	return NULL;
}
