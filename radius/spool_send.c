// SPDX-License-Identifier: BSD-2-Clause
/*
 * spool_send: records to the servers.
 *
 * A delivery that is in vain means one of two things. When nobody else was answered meanwhile, the
 * servers are away: everything pauses, longer each time, and goes on with a small window. When others
 * were answered, the servers do not like this record: its line rests and does not disturb the others.
 */
#include "radius/spool_internal.h"

#include "radius/attr_codes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND         UINT64_C(1000000)
#define RETRY_MIN      SECOND
#define RETRY_MAX      (60 * SECOND)
#define REST           (30 * SECOND)
#define WINDOW_MIN     4 /* after a pause; each acknowledgement adds one */
#define REFUSALS_MAX   5
#define REFUSED_TRIES  10 /* so many tries in vain with a refusal among them are as good */
#define BARRIER_PAUSE  (10 * SECOND)
#define BARRIER_ROUNDS 2  /* of an On or Off alone, before a newer record goes with it */
#define OLDER_ROUNDS   20 /* likewise of what it waits for */

/* ---- pauses ---- */

static void pause_for(struct radius_spool *spool, uint64_t delay)
{
	if (spool->info.is_paused)
		return;
	spool->info.is_paused = true;
	spool->pauses++;
	spool->window = WINDOW_MIN;
	spool->host.timer_start(spool->retry_timer, delay);
}

/* Nobody answers. */
static void pause_sending(struct radius_spool *spool)
{
	if (spool->info.is_paused)
		return;
	pause_for(spool, spool->retry_delay);
	spool->retry_delay *= 2;
	if (spool->retry_delay > RETRY_MAX)
		spool->retry_delay = RETRY_MAX;
}

static void retry_fires(void *arg)
{
	struct radius_spool *spool = arg;

	spool->info.is_paused = false;
	spool_soon(spool);
}

static void rest_fires(void *arg)
{
	spool_soon(arg);
}

void spool_send_resume(struct radius_spool *spool)
{
	spool->host.timer_stop(spool->retry_timer);
	spool->info.is_paused = false;
	spool->retry_delay = RETRY_MIN;
	spool->wake_before = spool_now(spool) + REST;
	spool_soon(spool);
}

/* ---- what became of a delivery ---- */

static void delivery_end(struct radius_spool *spool, struct spool_delivery *delivery)
{
	TAILQ_REMOVE(&spool->deliveries, delivery, entry);
	spool->info.in_flight--;
	if (delivery->is_again)
		spool->again--;
	delivery->record->delivery = NULL;
	free(delivery);
	spool_soon(spool);
}

void spool_delivery_cancel(struct radius_spool *spool, struct spool_record *record)
{
	struct spool_delivery *delivery = record->delivery;

	if (!delivery)
		return;
	if (delivery->request) {
		radius_cancel(delivery->request);
	} else if (record->job) { /* still being read: nobody wants it any more */
		record->job->owner = NULL;
		record->job = NULL;
	}
	delivery_end(spool, delivery);
}

static void acknowledged(struct radius_spool *spool, struct spool_record *record)
{
	spool->info.sent++;
	spool->retry_delay = RETRY_MIN;
	if (spool->window < SPOOL_IN_FLIGHT)
		spool->window++;
	spool_record_end(spool, record);
	if (spool->is_silent) {
		spool->is_silent = false;
		spool_say(spool, false, "records are acknowledged again, %u wait",
			spool->info.waiting);
	}
}

static void say_silent(struct radius_spool *spool, enum radius_outcome outcome, const char *server)
{
	if (spool->is_silent)
		return;
	spool->is_silent = true;
	spool_say(spool, true,
		"no valid acknowledgement%s%s (%s); %u records are kept and sent again",
		server && *server ? " from " : "", server ? server : "",
		outcome == RADIUS_FORGED ? "does the shared secret agree on both sides?"
					 : "does the server run?",
		spool->info.waiting);
}

/* An On or Off that the servers do not want, while they take newer records, holds up nobody. */
static void barrier_failed(
	struct radius_spool *spool, struct spool_record *barrier, bool others_answered)
{
	if (barrier->refusals >= REFUSALS_MAX) {
		spool_say(spool, true,
			"the servers acknowledge other records but not Accounting-%s; going on "
			"without it",
			barrier->kind == RADIUS_ON ? "On" : "Off");
		spool_record_end(spool, barrier);
		return;
	}
	spool_line_look(spool, barrier->line);
	if (others_answered)
		pause_for(spool, BARRIER_PAUSE);
	else
		pause_sending(spool);
}

/* A record whose newer Interim is safe has nothing to add. */
static bool is_outdated(const struct spool_record *record)
{
	const struct spool_record *newer = record;

	if (record->kind != RADIUS_INTERIM)
		return false;
	while ((newer = TAILQ_NEXT(newer, in_line)))
		if (newer->kind == RADIUS_INTERIM && newer->copy == COPY_SAVED)
			return true;
	return false;
}

static void refused(struct radius_spool *spool, struct spool_record *record)
{
	bool is_enough = record->refusals >= REFUSALS_MAX || record->tries >= REFUSED_TRIES;

	if (is_enough && !record->is_refused) {
		if (spool->info.refused == 0)
			spool_say(spool, true,
				"session %llx: the servers acknowledge other records but not this "
				"one, which is kept and sent again",
				(unsigned long long)record->line->session);
		spool_record_refuse(spool, record);
	}
	spool_line_look(spool, record->line);
	spool_line_rest(spool, record->line, REST);
}

/* Of a server's name that stays when the client is another one; 0 when there are too many. */
static uint8_t server_number(struct radius_spool *spool, const char *name)
{
	uint8_t number = 1;

	if (!name || !*name)
		return 0;
	while (number < SPOOL_SERVERS && spool->servers[number] &&
		strcmp(spool->servers[number], name) != 0)
		number++;
	if (number == SPOOL_SERVERS)
		return 0;
	if (!spool->servers[number])
		spool->servers[number] = strdup(name);
	return spool->servers[number] ? number : 0;
}

static void sent(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *server)
{
	struct spool_delivery *delivery = ctx;
	struct radius_spool *spool = delivery->spool;
	struct spool_record *record = delivery->record;
	bool others_answered = (uint32_t)spool->info.sent != record->answers;
	bool is_this_round = delivery->pauses == spool->pauses;

	(void)reply;
	delivery_end(spool, delivery);
	if (outcome == RADIUS_ANSWERED && code == RADIUS_ACCOUNTING_RESPONSE) {
		acknowledged(spool, record);
		return;
	}
	spool->info.failed++;
	record->answers = (uint32_t)spool->info.sent;
	record->server = server_number(spool, server);
	if (record->tries < UINT8_MAX)
		record->tries++;
	if (others_answered && record->refusals < UINT8_MAX)
		record->refusals++;
	spool_save_uncache(spool, record);
	if (!others_answered && record->refusals == 0)
		say_silent(spool, outcome, server);
	if (record->line->session == 0) {
		barrier_failed(spool, record, others_answered);
	} else if (is_outdated(record)) {
		spool->info.superseded++;
		spool_record_end(spool, record);
	} else if (record->refusals > 0) {
		refused(spool, record);
	} else {
		spool_line_look(spool, record->line);
		if (is_this_round)
			pause_sending(spool);
	}
}

/* ---- sending ---- */

/* It could not even be tried. */
static void give_back(struct radius_spool *spool, struct spool_record *record)
{
	spool_delivery_cancel(spool, record);
	spool_line_look(spool, record->line);
	pause_sending(spool);
}

int spool_decode(
	unsigned int kind, const uint8_t *octets, size_t len, struct radius_attrs **ret_attrs)
{
	struct radius_attrs *attrs;
	uint32_t status;
	int err;

	if (len > SPOOL_ATTRS_MAX)
		return -EMSGSIZE;
	err = radius_attrs_decode(octets, len, &attrs);
	if (err)
		return err;
	if (!radius_get_u32(attrs, RADIUS_ACCT_STATUS_TYPE, &status) || status != kind) {
		radius_attrs_free(attrs);
		return -EBADMSG;
	}
	*ret_attrs = attrs;
	return 0;
}

static void hand_over(struct radius_spool *spool, struct spool_record *record)
{
	struct spool_delivery *delivery = record->delivery;
	struct radius_attrs *attrs;
	int err = spool_decode(record->kind, record->job->attrs, record->job->len, &attrs);

	if (err) {
		delivery_end(spool, delivery);
		if (err == -ENOMEM)
			give_back(spool, record);
		else
			spool_record_set_aside(spool, record);
		return;
	}
	if (record->tries == 0)
		record->answers = (uint32_t)spool->info.sent;
	delivery->pauses = spool->pauses;
	delivery->request = radius_send(spool->client, RADIUS_ACCOUNTING_REQUEST, attrs,
		record->event_time, sent, delivery);
	radius_attrs_free(attrs);
	if (delivery->request)
		return;
	delivery_end(spool, delivery);
	give_back(spool, record);
}

void spool_delivery_read(struct radius_spool *spool, struct spool_record *record, int err)
{
	if (!err) {
		hand_over(spool, record);
		return;
	}
	delivery_end(spool, record->delivery);
	if (err == -ENOENT) { /* lost with a damaged file */
		spool_record_set_aside(spool, record);
		return;
	}
	spool_line_look(spool, record->line);
	spool_line_rest(spool, record->line, REST);
}

static void deliver(struct radius_spool *spool, struct spool_record *record)
{
	struct spool_delivery *delivery = calloc(1, sizeof(*delivery));

	if (!delivery) {
		give_back(spool, record);
		return;
	}
	delivery->spool = spool;
	delivery->record = record;
	delivery->is_again = record->tries > 0;
	spool->again += delivery->is_again;
	spool->info.in_flight++;
	record->delivery = delivery;
	TAILQ_INSERT_TAIL(&spool->deliveries, delivery, entry);
	if (record == spool_lines_oldest(spool))
		spool->was_probed = false;
	if (record->job)
		hand_over(spool, record);
	else if (spool_save_read(spool, record) < 0)
		give_back(spool, record);
}

/*
 * An On or Off is not answered, or something that it waits for: are the servers away, or do they not
 * want this record? One newer record goes with it each time, to see.
 */
static void probe(struct radius_spool *spool)
{
	const struct spool_record *oldest = spool_lines_oldest(spool);
	unsigned int rounds = oldest && oldest->line->session == 0 ? BARRIER_ROUNDS : OLDER_ROUNDS;
	struct spool_record *record;

	if (!oldest || !oldest->delivery || !oldest->delivery->request || oldest->tries < rounds ||
		spool->was_probed)
		return;
	record = spool_lines_probe(spool);
	if (!record)
		return;
	spool->was_probed = true;
	deliver(spool, record);
}

bool spool_send_step(struct radius_spool *spool)
{
	unsigned int steps = SPOOL_BATCH;
	struct spool_record *record;

	if (!spool->client || spool->info.is_loading)
		return false;
	while (!spool->info.is_paused && spool->info.in_flight < spool->window &&
		(record = spool_lines_next(spool, &steps)))
		deliver(spool, record);
	if (spool->info.is_paused)
		return false;
	probe(spool);
	return steps == 0 && spool->info.in_flight < spool->window;
}

void radius_spool_set_client(struct radius_spool *spool, struct radius_client *client)
{
	struct spool_delivery *delivery;

	while ((delivery = TAILQ_FIRST(&spool->deliveries))) {
		struct spool_record *record = delivery->record;

		spool_delivery_cancel(spool, record);
		spool_line_look(spool, record->line);
	}
	spool->client = client;
	spool_send_resume(spool);
}

int spool_send_init(struct radius_spool *spool)
{
	struct radius_host *host = &spool->host;

	TAILQ_INIT(&spool->deliveries);
	spool->window = SPOOL_IN_FLIGHT;
	spool->retry_delay = RETRY_MIN;
	spool->retry_timer = RADIUS_TIMER(host, retry_fires, spool);
	spool->rest_timer = RADIUS_TIMER(host, rest_fires, spool);
	return spool->retry_timer && spool->rest_timer ? 0 : -ENOMEM;
}

void spool_send_free(struct radius_spool *spool)
{
	struct spool_delivery *delivery;

	while ((delivery = TAILQ_FIRST(&spool->deliveries)))
		spool_delivery_cancel(spool, delivery->record);
	if (spool->retry_timer)
		spool->host.timer_free(spool->retry_timer);
	if (spool->rest_timer)
		spool->host.timer_free(spool->rest_timer);
	for (unsigned int i = 0; i < SPOOL_SERVERS; i++)
		free(spool->servers[i]);
}
