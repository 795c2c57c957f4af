/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xport: sequence numbers, windows, retransmission and acknowledgement (RFC 2661 5.8, Appendix A).
 *
 * Sending. One list holds every message from the oldest unacknowledged one to the newest; `next`
 * divides it into what is on its way and what waits for the window. A message gets its Ns when it is
 * first transmitted, and the current Nr each time. When the oldest is not acknowledged in time, `next`
 * goes back to it and the congestion window to 1: what the peer kept of the rest it acknowledges at one
 * stroke, what it threw away goes out again as acknowledgements open the window, without waiting for a
 * timeout of its own. Three repeated acknowledgements prove that the oldest was lost, and resend it at
 * once.
 *
 * Receiving. A message inside our window that comes before its turn waits in a ring. Acknowledgements
 * wait a moment for a message to ride on, unless half of our window is used.
 *
 * Deviation: the retransmission timer starts at a fixed second, as recommended, and is not adapted to
 * the measured round trip.
 */
#include "lns/l2tp/xport.h"

#include "lns/env.h"
#include "lns/l2tp/l2tp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_INTERVAL     ENV_SEC(1)
#define ACKNOWLEDGE_DELAY  ENV_MS(10)
#define DEFAULT_WINDOW     4      /* RFC 2661 section 4.4.3: no Receive Window Size AVP */
#define MOST_WINDOW        0x7fff /* of what is ahead of it a peer knows that it is not behind */
#define REPEATS_PROVE_LOSS 3

enum { NS_OFFSET = 8, NR_OFFSET = 10, ZLB_LEN = 12 };

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint64_t interval_after(const struct xport_limits *limits, unsigned int timeouts)
{
	uint64_t interval = FIRST_INTERVAL << (timeouts < 20 ? timeouts : 20);

	return interval < limits->retransmit_cap ? interval : limits->retransmit_cap;
}

uint64_t xport_cycle(const struct xport_limits *limits)
{
	uint64_t sum = 0;

	for (unsigned int n = 0; n <= limits->retransmits; n++)
		sum += interval_after(limits, n);
	return sum;
}

static void xport_moved(struct xport *xport)
{
	if (xport->ops->moved)
		xport->ops->moved(xport->ctx, xport->ns, xport->nr);
}

/* Every packet carries our Nr, so whatever leaves acknowledges everything received. */
static void put_on_wire(struct xport *xport, uint8_t *packet, size_t len, uint16_t ns)
{
	put16(packet + NS_OFFSET, ns);
	put16(packet + NR_OFFSET, xport->nr);
	xport->unacknowledged = 0;
	env_timer_stop(xport->acknowledge);
	xport->ops->transmit(xport->ctx, packet, len);
}

static void transmit(struct xport *xport, struct xport_packet *packet)
{
	if (packet->sent) {
		xport->retransmissions++;
		xport->counters->retransmissions++;
	} else {
		packet->sent = true;
		packet->ns = xport->ns++;
		xport_moved(xport);
	}
	put_on_wire(xport, packet->data, packet->len, packet->ns);
	if (!env_timer_running(xport->retransmit))
		env_timer_start(xport->retransmit, interval_after(&xport->limits, xport->timeouts));
}

/* Transmits what the peer's and the congestion window allow. */
static void pump(struct xport *xport)
{
	unsigned int window = xport->cwnd < xport->peer_window ? xport->cwnd : xport->peer_window;

	while (xport->next && xport->outstanding < window) {
		struct xport_packet *packet = xport->next;

		xport->next = packet->next;
		xport->outstanding++;
		transmit(xport, packet);
	}
}

/* A message was lost: half the window is the new threshold, and all over again from the oldest. */
static void go_back(struct xport *xport)
{
	if (xport->timeouts <= 1)
		xport->ssthresh = xport->cwnd > 3 ? xport->cwnd / 2 : 2;
	xport->cwnd = 1;
	xport->credit = 0;
	xport->next = xport->head;
	xport->outstanding = 0;
	env_timer_stop(xport->retransmit);
	pump(xport);
}

static void retransmit_fired(void *ctx)
{
	struct xport *xport = ctx;

	if (xport->timeouts >= xport->limits.retransmits) {
		xport->counters->given_up++;
		xport->ops->lost(xport->ctx);
		return;
	}
	xport->timeouts++;
	go_back(xport);
}

static void acknowledge_fired(void *ctx)
{
	xport_acknowledge_now(ctx);
}

static void hello_fired(void *ctx)
{
	struct xport *xport = ctx;
	uint64_t silence = env_now(xport->env) - xport->last_heard;

	if (silence < xport->hello_interval) {
		env_timer_start(xport->hello, xport->hello_interval - silence);
		return;
	}
	env_timer_start(xport->hello, xport->hello_interval);
	if (!xport->head)
		xport->ops->hello(xport->ctx);
}

int xport_init(struct xport *xport, struct env *env, const struct xport_limits *limits,
	const struct xport_ops *ops, void *ctx, struct l2tp_counters *counters)
{
	*xport = (struct xport){
		.env = env,
		.ops = ops,
		.ctx = ctx,
		.counters = counters,
		.limits = *limits,
		.tail = &xport->head,
		.peer_window = DEFAULT_WINDOW,
		.ssthresh = DEFAULT_WINDOW,
		.cwnd = 1,
		.ring = 1,
		.last_heard = env_now(env),
	};
	while (xport->ring < limits->window)
		xport->ring *= 2;
	xport->early = calloc(xport->ring, sizeof(struct xport_packet *));
	xport->retransmit = env_timer_new(env, retransmit_fired, xport);
	xport->acknowledge = env_timer_new(env, acknowledge_fired, xport);
	xport->hello = env_timer_new(env, hello_fired, xport);
	if (xport->early && xport->retransmit && xport->acknowledge && xport->hello)
		return 0;
	xport_fini(xport);
	return -ENOMEM;
}

static void free_from(struct xport *xport, struct xport_packet **link)
{
	while (*link) {
		struct xport_packet *packet = *link;

		*link = packet->next;
		explicit_bzero(packet->data, packet->len);
		free(packet);
		xport->queued--;
	}
	xport->tail = link;
	xport->next = NULL;
}

static void free_early(struct xport *xport)
{
	for (unsigned int slot = 0; xport->early && slot < xport->ring; slot++) {
		free(xport->early[slot]);
		xport->early[slot] = NULL;
	}
	xport->early_count = 0;
}

void xport_abandon(struct xport *xport)
{
	env_timer_stop(xport->retransmit);
	env_timer_stop(xport->acknowledge);
	env_timer_stop(xport->hello);
	free_from(xport, &xport->head);
	xport->outstanding = 0;
	xport->una = xport->ns;
	free_early(xport);
}

void xport_fini(struct xport *xport)
{
	xport_abandon(xport);
	env_timer_free(xport->retransmit);
	env_timer_free(xport->acknowledge);
	env_timer_free(xport->hello);
	free(xport->early);
	*xport = (struct xport){ 0 };
}

void xport_set_peer(struct xport *xport, uint16_t peer_id, unsigned int window)
{
	xport->peer_id = peer_id;
	xport->peer_window = window ? window : DEFAULT_WINDOW;
	if (xport->peer_window > MOST_WINDOW)
		xport->peer_window = MOST_WINDOW;
	xport->ssthresh = xport->peer_window;
}

void xport_set_hello(struct xport *xport, uint64_t interval)
{
	xport->hello_interval = interval;
	if (interval)
		env_timer_start(xport->hello, interval);
	else
		env_timer_stop(xport->hello);
}

int xport_send(struct xport *xport, const uint8_t *data, size_t len)
{
	struct xport_packet *packet = malloc(sizeof(*packet) + len);

	if (!packet)
		return -ENOMEM;
	*packet = (struct xport_packet){ .len = (uint16_t)len };
	memcpy(packet->data, data, len);
	*xport->tail = packet;
	xport->tail = &packet->next;
	xport->queued++;
	if (!xport->next)
		xport->next = packet;
	pump(xport);
	return 0;
}

void xport_drop_unsent(struct xport *xport)
{
	struct xport_packet **link = &xport->head, *resend = xport->next;

	while (*link && (*link)->sent)
		link = &(*link)->next;
	free_from(xport, link);
	if (resend != NULL && xport->head) {
		for (struct xport_packet *packet = xport->head; packet; packet = packet->next) {
			if (packet == resend)
				xport->next = packet;
		}
	}
}

void xport_acknowledge_now(struct xport *xport)
{
	uint8_t zlb[ZLB_LEN] = { 0xc8, 0x02, 0, ZLB_LEN };

	if (!xport->unacknowledged)
		return;
	put16(zlb + 4, xport->peer_id);
	put_on_wire(xport, zlb, sizeof(zlb), xport->ns);
}

/* One message was acknowledged: slow start, then a slot more per window (Appendix A). */
static void grow_window(struct xport *xport)
{
	if (xport->cwnd >= xport->peer_window)
		return;
	if (xport->cwnd < xport->ssthresh) {
		xport->cwnd++;
	} else if (++xport->credit >= xport->cwnd) {
		xport->credit = 0;
		xport->cwnd++;
	}
}

static void drop_head(struct xport *xport)
{
	struct xport_packet *packet = xport->head;

	xport->head = packet->next;
	if (!xport->head)
		xport->tail = &xport->head;
	if (xport->next == packet)
		xport->next = packet->next;
	else
		xport->outstanding--;
	xport->queued--;
	xport->una++;
	explicit_bzero(packet->data, packet->len);
	free(packet);
}

/* The peer repeats itself without new messages: the oldest one is missing there. */
static void count_repeat(struct xport *xport)
{
	if (!xport->head || xport->outstanding < 2 || ++xport->repeats != REPEATS_PROVE_LOSS)
		return;
	go_back(xport);
}

/* Takes what nr acknowledges off the list; returns how many messages that were. */
static unsigned int acknowledged(struct xport *xport, uint16_t nr)
{
	unsigned int count = (uint16_t)(nr - xport->una);

	if (count > (uint16_t)(xport->ns - xport->una))
		return 0; /* an old one */
	for (unsigned int n = 0; n < count; n++) {
		drop_head(xport);
		grow_window(xport);
	}
	if (!count)
		return 0;
	xport->timeouts = 0;
	xport->repeats = 0;
	env_timer_stop(xport->retransmit);
	if (xport->outstanding)
		env_timer_start(xport->retransmit, interval_after(&xport->limits, 0));
	return count;
}

static bool acknowledges_the_future(const struct xport *xport, uint16_t nr)
{
	uint16_t distance = (uint16_t)(nr - xport->una);

	return distance > (uint16_t)(xport->ns - xport->una) && distance < 0x8000;
}

static void owe_acknowledgement(struct xport *xport)
{
	xport->unacknowledged++;
	if (!env_timer_running(xport->acknowledge))
		env_timer_start(xport->acknowledge, ACKNOWLEDGE_DELAY);
}

static enum xport_verdict keep_early(
	struct xport *xport, uint16_t ns, const uint8_t *data, size_t len)
{
	struct xport_packet **slot = &xport->early[ns & (xport->ring - 1)];

	if (len > XPORT_EARLY_MAX)
		return XPORT_DISCARD;
	owe_acknowledgement(xport);
	if (*slot) {
		xport->counters->duplicates++;
		return XPORT_DUPLICATE;
	}
	xport->counters->out_of_order++;
	*slot = malloc(sizeof(**slot) + len);
	if (!*slot)
		return XPORT_DISCARD;
	**slot = (struct xport_packet){ .ns = ns, .len = (uint16_t)len };
	memcpy((*slot)->data, data, len);
	xport->early_count++;
	return XPORT_EARLY;
}

/*
 * Up to 32768 behind is a duplicate, the window ahead is early, the rest is nonsense (section 5.8).
 * A message ahead of the window is not acknowledged.
 */
static enum xport_verdict receive_message(
	struct xport *xport, uint16_t ns, const uint8_t *data, size_t len)
{
	uint16_t ahead = (uint16_t)(ns - xport->nr);

	if (ahead >= 0x8000) {
		xport->counters->duplicates++;
		owe_acknowledgement(xport);
		return XPORT_DUPLICATE;
	}
	if (ahead >= xport->limits.window)
		return XPORT_DISCARD;
	if (ahead)
		return keep_early(xport, ns, data, len);
	xport->nr++;
	xport_moved(xport);
	owe_acknowledgement(xport);
	return XPORT_DELIVER;
}

enum xport_verdict xport_receive(struct xport *xport, const struct l2tp_header *header, bool zlb,
	const uint8_t *data, size_t len)
{
	enum xport_verdict verdict = XPORT_NOTHING;
	unsigned int count;

	if (acknowledges_the_future(xport, header->nr))
		return XPORT_DISCARD;
	xport->last_heard = env_now(xport->env);
	count = acknowledged(xport, header->nr);
	if (!zlb)
		verdict = receive_message(xport, header->ns, data, len);
	else if (!count && header->nr == xport->una)
		count_repeat(xport);
	pump(xport);
	if (count && !xport->head && xport->ops->drained)
		xport->ops->drained(xport->ctx);
	return verdict;
}

struct xport_packet *xport_take(struct xport *xport)
{
	struct xport_packet **slot, *packet;

	if (!xport->early_count)
		return NULL;
	slot = &xport->early[xport->nr & (xport->ring - 1)];
	packet = *slot;
	if (!packet)
		return NULL;
	*slot = NULL;
	xport->early_count--;
	xport->nr++;
	xport_moved(xport);
	return packet;
}

void xport_settle(struct xport *xport)
{
	if (xport->unacknowledged * 2 >= xport->limits.window)
		xport_acknowledge_now(xport);
}
