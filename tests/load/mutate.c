/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate: the hostile LAC. What it sends is made in mutate_packet.c, what it knows is in
 * mutate_tunnel.c.
 *
 * Several tunnels are open at a time, so that there is always one to send to. What ends a tunnel is sent
 * only while all are open, and the next one is asked for at once, but no faster than an LNS that limits
 * SCCRQs per source answers: so most packets come to a live tunnel.
 *
 * When all was sent the tunnels are closed in order, and one more must open and close.
 */
#include "tests/load/mutate.h"

#include "lns/env.h"
#include "lns/l2tp/digest.h"
#include "tests/load/mutate_packet.h"
#include "tests/load/mutate_tunnel.h"
#include "tests/load/rng.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUNNELS     8
#define BATCH       2           /* packets per tunnel and turn */
#define PAUSE       ENV_MS(1)   /* between turns */
#define RESYNC      ENV_SEC(1)  /* without progress of the LNS's Nr */
#define GONE        ENV_SEC(4)  /* the same: the tunnel is no more */
#define SCCRQ_PAUSE ENV_MS(70)  /* between SCCRQs */
#define OPEN_AGAIN  ENV_SEC(3)  /* between SCCRQs for one tunnel: slow machines answer late */
#define END_AGAIN   ENV_SEC(1)  /* until a tunnel that should have ended is used again */
#define CLOSE_AGAIN ENV_MS(200) /* between StopCCNs at the end */
#define WINDOW      64          /* that we offer */
#define TRIES       100         /* to find or close a tunnel at the end */

enum stage { SENDING, CLOSING, PROVING, CLOSING_PROOF, DONE };
enum state { SHUT, ASKED, OPEN, ENDING };

struct line {
	struct mutate_tunnel tunnel;
	enum state state;
	uint64_t asked;    /* when the SCCRQ, or what ends the tunnel, was sent */
	uint64_t progress; /* when the LNS's Nr last moved, or there was nothing to acknowledge */
	uint64_t resynced;
};

struct mutate {
	struct env *env;
	const struct options *options;
	void (*done)(void *ctx);
	void *ctx;
	struct rng rng;
	struct l2tp_secret secret;
	union addr peer;
	int fd;
	struct env_io *io;
	struct env_timer *timer;
	enum stage stage;
	struct line lines[TUNNELS];
	uint64_t began, next_send, next_sccrq;
	unsigned int tries;
	struct mutate_result result;
};

static bool transmit(struct mutate *mutate, const uint8_t *packet, size_t len)
{
	return sendto(mutate->fd, packet, len, 0, &mutate->peer.sa, addr_len(&mutate->peer)) >= 0 ||
	       (errno != EAGAIN && errno != ENOBUFS);
}

static void send_message(struct mutate *mutate, const struct l2tp_msg *msg, uint16_t tunnel_id,
	uint16_t ns, uint16_t nr)
{
	uint8_t packet[L2TP_SEND_MAX];
	int len = l2tp_msg_encode(msg, tunnel_id, 0, NULL, NULL, packet, sizeof(packet));

	if (len < 0)
		return;
	mutate_set_sequence(packet, ns, nr);
	(void)transmit(mutate, packet, (size_t)len);
}

/* Asks for a tunnel; with a new id each time, so that the LNS does not take it for a repetition. */
static void open_line(struct mutate *mutate, struct line *line)
{
	struct l2tp_msg msg = { .type = L2TP_SCCRQ,
		.present = 1ull << L2TP_AVP_PROTOCOL_VERSION | 1ull << L2TP_AVP_HOST_NAME |
			   1ull << L2TP_AVP_FRAMING_CAPABILITIES |
			   1ull << L2TP_AVP_BEARER_CAPABILITIES |
			   1ull << L2TP_AVP_ASSIGNED_TUNNEL_ID |
			   1ull << L2TP_AVP_RECEIVE_WINDOW_SIZE,
		.protocol_version = 0x0100,
		.framing_capabilities = 3,
		.bearer_capabilities = 3,
		.receive_window_size = WINDOW,
		.host_name = { .data = (const uint8_t *)"hostile", .len = 7 } };

	*line = (struct line){ .state = ASKED, .asked = env_now(mutate->env) };
	line->tunnel.own_id = msg.assigned_tunnel_id = rng_id(&mutate->rng);
	mutate->next_sccrq = line->asked + SCCRQ_PAUSE;
	send_message(mutate, &msg, 0, 0, 0);
}

static void close_line(struct mutate *mutate, struct line *line)
{
	struct mutate_tunnel *tunnel = &line->tunnel;
	struct l2tp_msg msg = { .type = L2TP_STOPCCN,
		.present = 1ull << L2TP_AVP_RESULT_CODE | 1ull << L2TP_AVP_ASSIGNED_TUNNEL_ID,
		.result = { .code = L2TP_STOPCCN_GENERAL },
		.assigned_tunnel_id = tunnel->own_id };

	mutate_tunnel_resync(tunnel);
	send_message(mutate, &msg, tunnel->id, tunnel->ns++, tunnel->nr);
}

/* The LNS ended it, or must have. */
static void lose(struct mutate *mutate, struct line *line)
{
	mutate->result.lost += mutate->stage == SENDING && line->state != ENDING;
	line->state = SHUT;
}

static void finish(struct mutate *mutate)
{
	for (struct line *line = mutate->lines; line < mutate->lines + TUNNELS; line++) {
		if (line->state == OPEN)
			close_line(mutate, line);
	}
	mutate->result.seconds = (double)(env_now(mutate->env) - mutate->began) / 1e6;
	mutate->stage = DONE;
	env_timer_stop(mutate->timer);
	mutate->done(mutate->ctx);
}

/* ---- what the LNS says ---- */

static void send_scccn(struct mutate *mutate, const struct l2tp_msg *sccrp)
{
	struct l2tp_msg msg = { .type = L2TP_SCCCN };

	if (l2tp_msg_has(sccrp, L2TP_AVP_CHALLENGE) && mutate->secret.len) {
		msg.present |= 1ull << L2TP_AVP_CHALLENGE_RESPONSE;
		l2tp_digest_response(L2TP_SCCCN, &mutate->secret, sccrp->challenge.data,
			sccrp->challenge.len, msg.challenge_response);
	}
	send_message(mutate, &msg, sccrp->assigned_tunnel_id, 1, 1);
}

/* It is that of another tunnel when a mutated SCCRQ gave the same id. */
static void receive_sccrp(struct mutate *mutate, struct line *line, const struct l2tp_msg *sccrp)
{
	struct mutate_tunnel *tunnel = &line->tunnel;

	if (line->state == ASKED) {
		tunnel->id = sccrp->assigned_tunnel_id;
		tunnel->nr = 1;
		tunnel->ns = tunnel->acknowledged = 2;
		line->state = OPEN;
		line->progress = env_now(mutate->env);
		mutate->result.tunnels += mutate->stage == SENDING;
		mutate->result.alive |= mutate->stage == PROVING;
	}
	if (tunnel->id == sccrp->assigned_tunnel_id)
		send_scccn(mutate, sccrp);
}

/* StopCCNs have been sent. */
static bool is_closing(const struct mutate *mutate)
{
	return (mutate->stage == CLOSING || mutate->stage == CLOSING_PROOF) && mutate->tries;
}

static void receive_on(struct mutate *mutate, struct line *line, const struct l2tp_header *header,
	const struct l2tp_msg *msg)
{
	if (msg->type == L2TP_SCCRP) {
		receive_sccrp(mutate, line, msg);
		return;
	}
	if (line->state < OPEN || (header->nr < 2 && line->tunnel.acknowledged == 2))
		return; /* it has not seen the SCCCN */
	if (header->nr != line->tunnel.acknowledged)
		line->progress = env_now(mutate->env);
	if (line->state == ENDING && (int16_t)(header->nr - line->tunnel.ns) > 0)
		line->state = OPEN; /* it had another message of that number */
	mutate_tunnel_heard(&line->tunnel, header, msg);
	if (msg->type == L2TP_STOPCCN)
		lose(mutate, line);
	else if ((line->state == ENDING || is_closing(mutate)) &&
		 !mutate_tunnel_ahead(&line->tunnel))
		line->state = SHUT; /* the LNS has got what ends it */
}

/* Counts it, and acknowledges a StopCCN, whichever tunnel that is about. */
static void take_note(
	struct mutate *mutate, const struct l2tp_header *header, const struct l2tp_msg *msg)
{
	struct l2tp_msg zlb = { .type = L2TP_ZLB };

	mutate->result.calls += msg->type == L2TP_ICRP;
	mutate->result.cdns += msg->type == L2TP_CDN;
	if (msg->type != L2TP_STOPCCN)
		return;
	mutate->result.stopccns++;
	if (msg->assigned_tunnel_id)
		send_message(mutate, &zlb, msg->assigned_tunnel_id, header->nr,
			(uint16_t)(header->ns + 1));
}

static void receive(struct mutate *mutate, const uint8_t *packet, size_t len)
{
	static uint8_t scratch[L2TP_PACKET_MAX];
	static struct l2tp_msg msg;
	struct l2tp_header header;
	struct l2tp_result result;
	enum l2tp_verdict verdict;

	if (len < 2 || !(packet[0] & 0x80))
		return;
	mutate->result.replies++;
	verdict = l2tp_msg_decode(packet, len, mutate->secret.len ? &mutate->secret : NULL, false,
		scratch, sizeof(scratch), &header, &msg, &result);
	if (verdict != L2TP_OK) {
		mutate->result.invalid++;
		return;
	}
	take_note(mutate, &header, &msg);
	for (struct line *line = mutate->lines; line < mutate->lines + TUNNELS; line++) {
		if (line->state != SHUT && line->tunnel.own_id == header.tunnel_id) {
			receive_on(mutate, line, &header, &msg);
			break;
		}
	}
}

static void readable(void *ctx, int events)
{
	static uint8_t packet[L2TP_SEND_MAX];
	struct mutate *mutate = ctx;

	(void)events;
	for (int i = 0; i < 64 && mutate->stage != DONE; i++) {
		ssize_t len = recv(mutate->fd, packet, sizeof(packet), MSG_DONTWAIT);

		if (len < 0)
			break;
		receive(mutate, packet, (size_t)len);
	}
}

/* ---- what it is sent ---- */

static bool all_open(const struct mutate *mutate)
{
	for (const struct line *line = mutate->lines; line < mutate->lines + TUNNELS; line++) {
		if (line->state != OPEN)
			return false;
	}
	return true;
}

/* A packet that may go out now: what costs a tunnel waits until one can be had. */
static size_t make_packet(struct mutate *mutate, struct line *line,
	uint8_t packet[MUTATE_PACKET_MAX], struct mutate_view *ret)
{
	const struct mutate_tunnel *tunnel = &line->tunnel;
	bool costly = all_open(mutate) && env_now(mutate->env) >= mutate->next_sccrq;
	size_t len;

	do {
		len = mutate_packet(&mutate->rng, tunnel, &mutate->secret, packet);
		mutate_tunnel_judge(tunnel, &mutate->secret, packet, len, ret);
	} while (ret->effect >= MUTATE_OPENING && !costly);
	if (ret->effect == MUTATE_FATAL) {
		mutate_set_sequence(packet, tunnel->ns, tunnel->nr);
		ret->ns = tunnel->ns;
	}
	return len;
}

static bool send_one(struct mutate *mutate, struct line *line)
{
	uint8_t packet[MUTATE_PACKET_MAX];
	struct mutate_view view;
	size_t len = make_packet(mutate, line, packet, &view);

	if (!transmit(mutate, packet, len))
		return false;
	mutate->result.sent++;
	if (view.effect == MUTATE_OPENING)
		mutate->next_sccrq = env_now(mutate->env) + SCCRQ_PAUSE;
	mutate->result.reached += view.effect == MUTATE_REACHED || view.effect == MUTATE_FATAL;
	mutate->result.connected += view.effect == MUTATE_REACHED && view.type == L2TP_ICCN &&
				    view.verdict == L2TP_OK &&
				    mutate_tunnel_awaits(&line->tunnel, view.session_id);
	mutate_tunnel_sent(&line->tunnel, &view);
	if (view.effect == MUTATE_FATAL) {
		line->state = ENDING;
		line->asked = env_now(mutate->env);
	}
	return true;
}

/* Opens, gives up, or sends on: whatever the tunnel needs. */
static void tend(struct mutate *mutate, struct line *line, uint64_t now)
{
	unsigned int ahead = mutate_tunnel_ahead(&line->tunnel);

	switch (line->state) {
	case SHUT:
	case ASKED:
		if (now >= mutate->next_sccrq &&
			(line->state == SHUT || now - line->asked >= OPEN_AGAIN))
			open_line(mutate, line);
		return;
	case ENDING: /* until the LNS has it */
		if (now - line->asked >= END_AGAIN) {
			mutate_tunnel_resync(&line->tunnel);
			line->state = OPEN;
		}
		return;
	case OPEN:
		break;
	}
	if (!ahead)
		line->progress = now;
	if (now - line->progress > GONE) {
		close_line(mutate, line);
		lose(mutate, line);
	} else if (now - line->progress > RESYNC && now - line->resynced > RESYNC) {
		mutate_tunnel_resync(&line->tunnel);
		line->resynced = now;
	}
}

/* Sends to all that are open; the time until the next turn. */
static uint64_t send_batch(struct mutate *mutate, uint64_t now)
{
	const struct options *options = mutate->options;

	for (struct line *line = mutate->lines; line < mutate->lines + TUNNELS; line++) {
		tend(mutate, line, now);
		for (int i = 0; i < BATCH && line->state == OPEN; i++) {
			if (mutate->result.sent >= options->mutate ||
				mutate_tunnel_ahead(&line->tunnel) >= MUTATE_AHEAD)
				break;
			if (options->rate > 0) {
				if (now < mutate->next_send)
					return mutate->next_send - now;
				mutate->next_send += (uint64_t)(1e6 / options->rate);
			}
			if (!send_one(mutate, line))
				return PAUSE;
		}
	}
	return PAUSE;
}

/* ---- the end ---- */

static bool all_shut(struct mutate *mutate)
{
	bool shut = true;

	for (struct line *line = mutate->lines; line < mutate->lines + TUNNELS; line++) {
		if (line->state == OPEN) {
			close_line(mutate, line);
			shut = false;
		}
	}
	return shut;
}

static void enter(struct mutate *mutate, enum stage stage)
{
	mutate->stage = stage;
	mutate->tries = 0;
}

/* One step of closing and proving; the time until the next. */
static uint64_t wind_up(struct mutate *mutate)
{
	struct line *proof = mutate->lines;

	if (mutate->tries++ == TRIES || mutate->stage == DONE) {
		finish(mutate);
		return 0;
	}
	if (mutate->stage == PROVING) {
		if (proof->state == OPEN)
			enter(mutate, CLOSING_PROOF);
		else
			open_line(mutate, proof);
	} else if (all_shut(mutate)) {
		if (mutate->stage == CLOSING_PROOF) {
			finish(mutate);
			return 0;
		}
		for (struct line *line = mutate->lines; line < mutate->lines + TUNNELS; line++)
			line->state = SHUT;
		enter(mutate, PROVING);
	}
	return mutate->stage == PROVING ? OPEN_AGAIN : CLOSE_AGAIN;
}

static void timer_fired(void *ctx)
{
	struct mutate *mutate = ctx;
	uint64_t delay;

	if (mutate->stage == SENDING) {
		delay = send_batch(mutate, env_now(mutate->env));
		if (mutate->result.sent >= mutate->options->mutate) {
			enter(mutate, CLOSING);
			delay = CLOSE_AGAIN;
		}
	} else {
		delay = wind_up(mutate);
	}
	if (mutate->stage != DONE)
		env_timer_start(mutate->timer, delay);
}

void mutate_interrupt(struct mutate *mutate)
{
	if (mutate->stage != DONE)
		finish(mutate);
}

int mutate_new(struct env *env, const struct options *options, void (*done)(void *ctx), void *ctx,
	struct mutate **ret)
{
	struct mutate *mutate = calloc(1, sizeof(*mutate));
	char secret[L2TP_SECRET_MAX + 1] = "";
	int err = -ENOMEM;

	if (!mutate)
		return -ENOMEM;
	*mutate = (struct mutate){ .env = env,
		.options = options,
		.done = done,
		.ctx = ctx,
		.peer = options->lns,
		.fd = -1,
		.began = env_now(env),
		.next_send = env_now(env) };
	rng_seed(&mutate->rng, options->seed);
	if (options->secret)
		options_expand(
			secret, sizeof(secret), options->secret, options->first, options->first);
	mutate->secret.len = (uint16_t)strlen(secret);
	memcpy(mutate->secret.data, secret, mutate->secret.len);
	explicit_bzero(secret, sizeof(secret));
	mutate->fd =
		socket(options->lns.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (mutate->fd < 0 ||
		bind(mutate->fd, &options->sources[0].sa, addr_len(&options->sources[0])) < 0) {
		err = -errno;
		goto fail;
	}
	mutate->timer = env_timer_new(env, timer_fired, mutate);
	mutate->io = env_io_new(env, mutate->fd, ENV_READ, readable, mutate);
	if (!mutate->timer || !mutate->io)
		goto fail;
	env_timer_start(mutate->timer, 0);
	*ret = mutate;
	return 0;
fail:
	fprintf(stderr, "lns-load: %s\n", strerror(-err));
	mutate_free(mutate);
	return err;
}

void mutate_free(struct mutate *mutate)
{
	if (!mutate)
		return;
	env_timer_free(mutate->timer);
	env_io_free(mutate->io);
	if (mutate->fd >= 0)
		close(mutate->fd);
	explicit_bzero(mutate, sizeof(*mutate));
	free(mutate);
}

const struct mutate_result *mutate_result(const struct mutate *mutate)
{
	return &mutate->result;
}

void mutate_report(const struct mutate_result *result, const struct options *options)
{
	printf("%" PRIu64 " mutated packets in %.2f s, %" PRIu64 " of them to live tunnels\n"
	       "%" PRIu64 " tunnels (%" PRIu64 " lost unexpectedly), %" PRIu64 " calls, %" PRIu64
	       " of them connected\n"
	       "%" PRIu64 " answers: %" PRIu64 " StopCCN, %" PRIu64 " CDN, %" PRIu64
	       " that we refuse\n"
	       "%s, seed %" PRIu64 "\n",
		result->sent, result->seconds, result->reached, result->tunnels, result->lost,
		result->calls, result->connected, result->replies, result->stopccns, result->cdns,
		result->invalid,
		result->alive ? "ok: the LNS still opens tunnels"
			      : "FAILED: the LNS opens no tunnel any more",
		options->seed);
}

int mutate_report_json(
	const struct mutate_result *result, const struct options *options, const char *path)
{
	json_t *root =
		json_pack("{s:b, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "ok",
			result->alive && !result->invalid, "seed", (json_int_t)options->seed,
			"sent", (json_int_t)result->sent, "reached", (json_int_t)result->reached,
			"seconds", result->seconds, "tunnels", (json_int_t)result->tunnels, "lost",
			(json_int_t)result->lost, "calls", (json_int_t)result->calls, "connected",
			(json_int_t)result->connected, "answers", (json_int_t)result->replies,
			"stopccns", (json_int_t)result->stopccns, "cdns", (json_int_t)result->cdns,
			"invalid", (json_int_t)result->invalid);
	int err = 0;

	if (!root)
		return -ENOMEM;
	errno = EIO;
	if (strcmp(path, "-") == 0) {
		if (json_dumpf(root, stdout, JSON_INDENT(2)) || putchar('\n') == EOF ||
			fflush(stdout))
			err = -errno;
	} else if (json_dump_file(root, path, JSON_INDENT(2))) {
		err = -errno;
	}
	json_decref(root);
	return err;
}
