/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp_fsm: the option negotiation automaton of RFC 1661 section 4, for LCP and the NCPs of a client.
 *
 * Deviations: there is no waiting for a lower layer (states Initial, Starting, Stopped, Stopping are one,
 * Closed); a repeated Configure-Ack in Opened is ignored; a peer that ends a network protocol ends the
 * connection, because then the subscriber did not get what it asked for.
 */
#include "tests/load/ppp.h"

#include <errno.h>
#include <string.h>

#define ROUNDS_MAX      10 /* Configure-Naks and -Rejects before giving up */
#define TERMINATE_TRIES 2

static bool is_negotiating(const struct fsm *fsm)
{
	return fsm->state == FSM_REQ_SENT || fsm->state == FSM_ACK_RECEIVED ||
	       fsm->state == FSM_ACK_SENT;
}

static void transmit_request(struct fsm *fsm)
{
	ppp_send(fsm->ppp, fsm->ops->protocol, FSM_CONFREQ, fsm->id, fsm->sent, fsm->sent_len);
	env_timer_start(fsm->retry, fsm->ppp->settings->retry);
}

/* A request with the options as they are now, under a new identifier. */
static void send_request(struct fsm *fsm)
{
	struct wire_writer out;

	wire_writer_init(&out, fsm->sent, sizeof(fsm->sent));
	fsm->ops->request(fsm->ppp, &out);
	fsm->sent_len = (uint16_t)out.used;
	fsm->id++;
	fsm->tries = 1;
	transmit_request(fsm);
}

static void closed(struct fsm *fsm)
{
	fsm_reset(fsm);
	fsm->ppp->ops->closed(fsm->ppp->ctx);
}

static void retry_fired(void *ctx)
{
	struct fsm *fsm = ctx;
	struct ppp *ppp = fsm->ppp;

	if (fsm->state == FSM_CLOSED) {
		fsm_open(fsm);
		return;
	}
	if (fsm->state == FSM_CLOSING) {
		if (fsm->tries++ >= TERMINATE_TRIES) {
			closed(fsm);
			return;
		}
		ppp->settings->stats->retransmitted[fsm->ops->kind]++;
		ppp_send(ppp, fsm->ops->protocol, FSM_TERMREQ, fsm->id, NULL, 0);
		env_timer_start(fsm->retry, ppp->settings->retry);
		return;
	}
	if (fsm->tries++ >= ppp->settings->tries) {
		ppp_fail(ppp, "%s: no answer to Configure-Request", fsm->ops->name);
		return;
	}
	if (fsm->state == FSM_ACK_RECEIVED)
		fsm->state = FSM_REQ_SENT;
	ppp->settings->stats->retransmitted[fsm->ops->kind]++;
	transmit_request(fsm);
}

int fsm_init(struct fsm *fsm, struct ppp *ppp, const struct fsm_ops *ops)
{
	*fsm = (struct fsm){ .ops = ops, .ppp = ppp, .peer_id = -1 };
	fsm->retry = env_timer_new(ppp->env, retry_fired, fsm);
	return fsm->retry ? 0 : -ENOMEM;
}

void fsm_fini(struct fsm *fsm)
{
	env_timer_free(fsm->retry);
	fsm->retry = NULL;
}

void fsm_reset(struct fsm *fsm)
{
	env_timer_stop(fsm->retry);
	fsm->state = FSM_CLOSED;
	fsm->peer_id = -1;
	fsm->rounds = 0;
}

void fsm_listen(struct fsm *fsm)
{
	env_timer_start(fsm->retry, fsm->ppp->settings->retry);
}

void fsm_open(struct fsm *fsm)
{
	fsm->state = FSM_REQ_SENT;
	send_request(fsm);
}

void fsm_close(struct fsm *fsm)
{
	fsm->state = FSM_CLOSING;
	fsm->tries = 1;
	fsm->id++;
	ppp_send(fsm->ppp, fsm->ops->protocol, FSM_TERMREQ, fsm->id, NULL, 0);
	env_timer_start(fsm->retry, fsm->ppp->settings->retry);
}

static void opened(struct fsm *fsm)
{
	env_timer_stop(fsm->retry);
	fsm->state = FSM_OPENED;
	fsm->rounds = 0;
	fsm->ops->up(fsm->ppp);
}

/* The next option, or NULL at the end or when its length is wrong (then the reader has an error). */
static const uint8_t *next_option(struct wire_reader *in)
{
	if (!in->left)
		return NULL;
	if (in->left < 2 || in->data[1] < 2) {
		in->error = true;
		return NULL;
	}
	return wire_get_octets(in, in->data[1]);
}

/* Judges a request; writes the options of the answer and returns its code, 0 for a broken request. */
static uint8_t judge_request(
	struct fsm *fsm, const uint8_t *data, size_t len, struct wire_writer *ret)
{
	uint8_t nak_data[PPP_PACKET_MAX], reject_data[PPP_PACKET_MAX];
	struct wire_writer nak, reject;
	struct wire_reader in;
	const uint8_t *option;

	wire_writer_init(&nak, nak_data, sizeof(nak_data));
	wire_writer_init(&reject, reject_data, sizeof(reject_data));
	wire_reader_init(&in, data, len);
	while ((option = next_option(&in))) {
		if (fsm->ops->judge(fsm->ppp, option, &nak) == FSM_REJECT)
			wire_put_octets(&reject, option, option[1]);
	}
	if (in.error)
		return 0;
	if (reject.used) {
		wire_put_octets(ret, reject_data, reject.used);
		return FSM_CONFREJ;
	}
	if (nak.used) {
		wire_put_octets(ret, nak_data, nak.used);
		return FSM_CONFNAK;
	}
	wire_put_octets(ret, data, len);
	return FSM_CONFACK;
}

static void receive_request(struct fsm *fsm, uint8_t id, const uint8_t *data, size_t len)
{
	uint8_t answer_data[PPP_PACKET_MAX], answer;
	struct wire_writer out;

	if (fsm->state == FSM_CLOSED) {
		ppp_send(fsm->ppp, fsm->ops->protocol, FSM_TERMACK, id, NULL, 0);
		return;
	}
	if (fsm->state == FSM_CLOSING)
		return;
	if (fsm->peer_id == id)
		fsm->ppp->settings->stats->repeated[fsm->ops->kind]++;
	wire_writer_init(&out, answer_data, sizeof(answer_data));
	answer = judge_request(fsm, data, len, &out);
	if (!answer)
		return;
	if (fsm->state == FSM_OPENED) {
		if (fsm->ops->down)
			fsm->ops->down(fsm->ppp);
		fsm->state = FSM_REQ_SENT;
		send_request(fsm);
		/* Going down forgot what had been agreed on, and this request with it. */
		wire_writer_init(&out, answer_data, sizeof(answer_data));
		answer = judge_request(fsm, data, len, &out);
	}
	fsm->peer_id = id;
	ppp_send(fsm->ppp, fsm->ops->protocol, answer, id, answer_data, out.used);
	if (answer == FSM_CONFACK && fsm->state == FSM_ACK_RECEIVED)
		opened(fsm);
	else if (answer == FSM_CONFACK)
		fsm->state = FSM_ACK_SENT;
	else if (fsm->state == FSM_ACK_SENT)
		fsm->state = FSM_REQ_SENT;
	if (answer != FSM_CONFACK && ++fsm->rounds > ROUNDS_MAX)
		ppp_fail(fsm->ppp, "%s: no agreement on the LNS's options", fsm->ops->name);
}

static void receive_ack(struct fsm *fsm, uint8_t id, const uint8_t *data, size_t len)
{
	if (!is_negotiating(fsm) || id != fsm->id || len != fsm->sent_len ||
		memcmp(data, fsm->sent, len) != 0)
		return;
	if (fsm->state == FSM_ACK_SENT) {
		opened(fsm);
	} else if (fsm->state == FSM_REQ_SENT) {
		fsm->state = FSM_ACK_RECEIVED;
		fsm->tries = 1;
		env_timer_start(fsm->retry, fsm->ppp->settings->retry);
	}
}

static void receive_refusal(
	struct fsm *fsm, uint8_t code, uint8_t id, const uint8_t *data, size_t len)
{
	struct wire_reader in;
	const uint8_t *option;

	if (!is_negotiating(fsm) || id != fsm->id)
		return;
	wire_reader_init(&in, data, len);
	while ((option = next_option(&in))) {
		bool possible = code == FSM_CONFNAK ? fsm->ops->naked(fsm->ppp, option)
						    : fsm->ops->rejected(fsm->ppp, option);

		if (!possible) {
			ppp_fail(fsm->ppp, "%s: the LNS refused option %u", fsm->ops->name,
				option[0]);
			return;
		}
	}
	if (in.error)
		return;
	if (++fsm->rounds > ROUNDS_MAX) {
		ppp_fail(fsm->ppp, "%s: no agreement on our options", fsm->ops->name);
		return;
	}
	if (fsm->state == FSM_ACK_RECEIVED)
		fsm->state = FSM_REQ_SENT;
	send_request(fsm);
}

static void receive_terminate(struct fsm *fsm, uint8_t id)
{
	ppp_send(fsm->ppp, fsm->ops->protocol, FSM_TERMACK, id, NULL, 0);
	if (fsm->state == FSM_CLOSED || fsm->state == FSM_CLOSING)
		return;
	fsm_reset(fsm);
	ppp_fail(fsm->ppp, "%s: ended by the LNS", fsm->ops->name);
}

void fsm_input(struct fsm *fsm, uint8_t code, uint8_t id, const uint8_t *data, size_t len)
{
	switch (code) {
	case FSM_CONFREQ:
		receive_request(fsm, id, data, len);
		break;
	case FSM_CONFACK:
		receive_ack(fsm, id, data, len);
		break;
	case FSM_CONFNAK:
	case FSM_CONFREJ:
		receive_refusal(fsm, code, id, data, len);
		break;
	case FSM_TERMREQ:
		receive_terminate(fsm, id);
		break;
	case FSM_TERMACK:
		if (fsm->state == FSM_CLOSING && id == fsm->id)
			closed(fsm);
		break;
	case FSM_CODEREJ:
		break;
	default:
		ppp_send(fsm->ppp, fsm->ops->protocol, FSM_CODEREJ, ++fsm->id, data, len);
		break;
	}
}
