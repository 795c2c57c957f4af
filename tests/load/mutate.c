/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate: the hostile LAC's tunnel. What it sends is made in mutate_packet.c.
 *
 * It has no reliable transport. Ns goes on with every packet that the LNS should have taken, and back to
 * what the LNS last said that it expects when that does not move: so most packets are in the window and
 * reach the LNS's state machines.
 */
#include "tests/load/mutate.h"

#include "lns/env.h"
#include "lns/l2tp/digest.h"
#include "tests/load/mutate_packet.h"
#include "tests/load/rng.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH       8           /* packets per turn */
#define BATCH_ALONE 4           /* the same while no tunnel is open */
#define PAUSE       ENV_MS(1)   /* between turns */
#define RESYNC      ENV_MS(50)  /* without progress of the LNS's Nr */
#define OPEN_AGAIN  ENV_MS(200) /* between SCCRQs */
#define PROOF_TRIES 100

enum stage { OPENING, OPEN, PROVING, DONE };

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
	struct mutate_peer known;
	uint64_t began, opening, next_send;
	uint16_t acknowledged; /* the LNS's last Nr */
	uint64_t progress;     /* when it changed */
	unsigned int proofs;
	struct mutate_result result;
};

static bool transmit(struct mutate *mutate, const uint8_t *packet, size_t len)
{
	return sendto(mutate->fd, packet, len, 0, &mutate->peer.sa, addr_len(&mutate->peer)) >= 0 ||
	       (errno != EAGAIN && errno != ENOBUFS);
}

static void send_message(struct mutate *mutate, const struct l2tp_msg *msg, uint16_t ns)
{
	uint8_t packet[L2TP_SEND_MAX];
	int len = l2tp_msg_encode(
		msg, mutate->known.tunnel_id, 0, NULL, NULL, packet, sizeof(packet));

	if (len < 0)
		return;
	mutate_set_sequence(packet, ns, mutate->known.nr);
	(void)transmit(mutate, packet, (size_t)len);
}

/* Asks for a tunnel; a new one each time, so that the LNS does not take it for a repetition. */
static void send_sccrq(struct mutate *mutate)
{
	struct l2tp_msg msg = { .type = L2TP_SCCRQ,
		.present = 1ull << L2TP_AVP_PROTOCOL_VERSION | 1ull << L2TP_AVP_HOST_NAME |
			   1ull << L2TP_AVP_FRAMING_CAPABILITIES |
			   1ull << L2TP_AVP_ASSIGNED_TUNNEL_ID,
		.protocol_version = 0x0100,
		.framing_capabilities = 3,
		.host_name = { .data = (const uint8_t *)"hostile", .len = 7 } };

	mutate->known = (struct mutate_peer){ .own_id = rng_id(&mutate->rng) };
	mutate->opening = env_now(mutate->env);
	msg.assigned_tunnel_id = mutate->known.own_id;
	send_message(mutate, &msg, 0);
}

static void finish(struct mutate *mutate)
{
	struct l2tp_msg msg = { .type = L2TP_STOPCCN,
		.present = 1ull << L2TP_AVP_RESULT_CODE | 1ull << L2TP_AVP_ASSIGNED_TUNNEL_ID,
		.result = { .code = L2TP_STOPCCN_GENERAL },
		.assigned_tunnel_id = mutate->known.own_id };

	if (mutate->known.tunnel_id)
		send_message(mutate, &msg, mutate->known.ns);
	mutate->result.seconds = (double)(env_now(mutate->env) - mutate->began) / 1e6;
	mutate->stage = DONE;
	env_timer_stop(mutate->timer);
	mutate->done(mutate->ctx);
}

static void receive_sccrp(struct mutate *mutate, const struct l2tp_msg *sccrp)
{
	struct l2tp_msg msg = { .type = L2TP_SCCCN };

	if (mutate->known.tunnel_id || mutate->stage == OPEN)
		return;
	mutate->known.tunnel_id = sccrp->assigned_tunnel_id;
	mutate->known.nr = 1;
	if (l2tp_msg_has(sccrp, L2TP_AVP_CHALLENGE) && mutate->secret.len) {
		msg.present |= 1ull << L2TP_AVP_CHALLENGE_RESPONSE;
		l2tp_digest_response(L2TP_SCCCN, &mutate->secret, sccrp->challenge.data,
			sccrp->challenge.len, msg.challenge_response);
	}
	send_message(mutate, &msg, 1);
	mutate->known.ns = 2;
	if (mutate->stage == PROVING) {
		mutate->result.alive = true;
		finish(mutate);
		return;
	}
	mutate->stage = OPEN;
	mutate->acknowledged = 2;
	mutate->progress = env_now(mutate->env);
	mutate->result.tunnels++;
}

static void receive_message(struct mutate *mutate, const struct l2tp_msg *msg)
{
	struct l2tp_msg zlb = { .type = L2TP_ZLB };

	switch (msg->type) {
	case L2TP_SCCRP:
		receive_sccrp(mutate, msg);
		break;
	case L2TP_ICRP:
		mutate->result.calls++;
		mutate->known.sessions[mutate->known.session_count++ % MUTATE_SESSIONS] =
			msg->assigned_session_id;
		break;
	case L2TP_CDN:
		mutate->result.cdns++;
		break;
	case L2TP_STOPCCN:
		mutate->result.stopccns++;
		send_message(mutate, &zlb, mutate->known.ns);
		if (mutate->stage != OPEN)
			break;
		mutate->stage = OPENING;
		send_sccrq(mutate);
		break;
	default:
		break;
	}
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
	if (header.tunnel_id != mutate->known.own_id || mutate->stage == DONE)
		return;
	if (header.nr != mutate->acknowledged)
		mutate->progress = env_now(mutate->env);
	mutate->acknowledged = header.nr;
	if (msg.type == L2TP_ZLB)
		return;
	if ((int16_t)(header.ns - mutate->known.nr) >= 0)
		mutate->known.nr = (uint16_t)(header.ns + 1);
	receive_message(mutate, &msg);
}

static void readable(void *ctx, int events)
{
	static uint8_t packet[L2TP_SEND_MAX];
	struct mutate *mutate = ctx;

	(void)events;
	for (int i = 0; i < 4 * BATCH; i++) {
		ssize_t len = recv(mutate->fd, packet, sizeof(packet), MSG_DONTWAIT);

		if (len < 0)
			break;
		receive(mutate, packet, (size_t)len);
	}
}

/* Whether the LNS will take the packet for the next one, whatever else is wrong with it. */
static bool is_next(const struct mutate *mutate, const uint8_t *packet, size_t len)
{
	struct l2tp_header header;

	return len > 12 && l2tp_header_decode(packet, len, &header, NULL) == L2TP_OK &&
	       header.tunnel_id == mutate->known.tunnel_id && header.ns == mutate->known.ns;
}

/* Sends up to a batch; the time until the next. */
static uint64_t send_batch(struct mutate *mutate)
{
	const struct options *options = mutate->options;
	uint64_t now = env_now(mutate->env);
	uint8_t packet[MUTATE_PACKET_MAX];
	int batch = mutate->stage == OPEN ? BATCH : BATCH_ALONE;

	for (int i = 0; i < batch && mutate->result.sent < options->mutate; i++) {
		size_t len;

		if (options->rate > 0) {
			if (now < mutate->next_send)
				return mutate->next_send - now;
			mutate->next_send += (uint64_t)(1e6 / options->rate);
		}
		if (now - mutate->progress > RESYNC) {
			mutate->known.ns = mutate->acknowledged;
			mutate->progress = now;
		}
		len = mutate_packet(&mutate->rng, &mutate->known, packet);
		if (!transmit(mutate, packet, len))
			break;
		mutate->result.sent++;
		if (is_next(mutate, packet, len))
			mutate->known.ns++;
	}
	return PAUSE;
}

static void timer_fired(void *ctx)
{
	struct mutate *mutate = ctx;
	uint64_t now = env_now(mutate->env), delay;

	if (mutate->stage == PROVING) {
		if (mutate->proofs++ == PROOF_TRIES) {
			finish(mutate);
			return;
		}
		send_sccrq(mutate);
		env_timer_start(mutate->timer, OPEN_AGAIN);
		return;
	}
	if (mutate->stage == OPENING && now - mutate->opening >= OPEN_AGAIN)
		send_sccrq(mutate);
	delay = send_batch(mutate);
	if (mutate->result.sent >= mutate->options->mutate) {
		mutate->stage = PROVING;
		delay = OPEN_AGAIN;
	}
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
	printf("%" PRIu64 " mutated packets in %.2f s, through %" PRIu64 " tunnels\n"
	       "%" PRIu64 " answers: %" PRIu64 " StopCCN, %" PRIu64 " CDN, %" PRIu64
	       " ICRP, %" PRIu64 " that we refuse\n"
	       "%s, seed %" PRIu64 "\n",
		result->sent, result->seconds, result->tunnels, result->replies, result->stopccns,
		result->cdns, result->calls, result->invalid,
		result->alive ? "ok: the LNS still opens tunnels"
			      : "FAILED: the LNS opens no tunnel any more",
		options->seed);
}

int mutate_report_json(
	const struct mutate_result *result, const struct options *options, const char *path)
{
	json_t *root = json_pack("{s:b, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "ok",
		result->alive && !result->invalid, "seed", (json_int_t)options->seed, "sent",
		(json_int_t)result->sent, "seconds", result->seconds, "tunnels",
		(json_int_t)result->tunnels, "answers", (json_int_t)result->replies, "stopccns",
		(json_int_t)result->stopccns, "cdns", (json_int_t)result->cdns, "calls",
		(json_int_t)result->calls, "invalid", (json_int_t)result->invalid);
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
