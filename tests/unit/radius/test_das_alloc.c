/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out anywhere in the dynamic authorization server: for every n, the n-th allocation fails. A request
 * is then lost as a datagram may be, or refused for want of resources; the owner is asked once at most, what it
 * did is acknowledged, and nothing is left behind.
 */
#include "tests/unit/radius/host_fake.h"
#include "tests/unit/short_memory.h"

#include "radius/attr_codes.h"
#include "radius/das.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define SECRET "testing123"

static struct fake_host fake;
static struct sockaddr_storage client, local;
static unsigned int refused; /* runs in which a request had no resources */

/* What the owner is asked: the request's kind comes from its identifier. */
static struct {
	unsigned int calls[2];
	uint64_t ticket;
} owner;
enum { DISCONNECT, COA }; /* identifiers; the answer to a CoA-Request comes later */

static unsigned int handle(void *ctx, const struct radius_das_request *request)
{
	bool is_coa = request->code == RADIUS_COA_REQUEST;

	(void)ctx;
	owner.calls[is_coa]++;
	if (!is_coa)
		return 0;
	owner.ticket = request->ticket;
	return RADIUS_DAS_LATER;
}

static void set_address(struct sockaddr_storage *addr, const char *text, uint16_t port)
{
	struct sockaddr_in *in4 = (void *)addr;

	memset(addr, 0, sizeof(*addr));
	in4->sin_family = AF_INET;
	in4->sin_port = htons(port);
	inet_pton(AF_INET, text, &in4->sin_addr);
}

static struct fake_packet request(uint8_t id)
{
	static const uint8_t user[] = { RADIUS_USER_NAME, 7, 'a', 'l', 'i', 'c', 'e' };
	static const uint8_t change[] = { RADIUS_IDLE_TIMEOUT, 6, 0, 0, 0, 60, RADIUS_CLASS, 6, 'g',
		'o', 'l', 'd', RADIUS_VENDOR_SPECIFIC, 10, 0, 0, 0x3a, 0x8c, 8, 4, '2', 'M' };
	struct fake_packet packet = {
		.octets = { id == COA ? RADIUS_COA_REQUEST : RADIUS_DISCONNECT_REQUEST, id },
		.len = 20
	};

	memcpy(packet.octets + packet.len, user, sizeof(user));
	packet.len += sizeof(user);
	if (id == COA) {
		memcpy(packet.octets + packet.len, change, sizeof(change));
		packet.len += sizeof(change);
	}
	packet.octets[3] = (uint8_t)packet.len;
	fake_md5(packet.octets + 4, packet.octets, packet.len, SECRET, strlen(SECRET), "", 0);
	return packet;
}

/* The code of the answer, 0 = none; its Error-Cause must be Resources-Unavailable when it has one. */
static unsigned int take(struct radius_das *das, const struct fake_packet *packet, unsigned int n)
{
	static struct fake_packet reply;

	memset(&reply, 0, sizeof(reply));
	reply.len =
		radius_das_take(das, &client, &local, packet->octets, packet->len, reply.octets);
	if (reply.len == 0)
		return 0;
	if (reply.octets[0] == RADIUS_DISCONNECT_NAK || reply.octets[0] == RADIUS_COA_NAK) {
		cr_assert_eq(fake_packet_u32(&reply, RADIUS_ERROR_CAUSE),
			RADIUS_ERROR_RESOURCES_UNAVAILABLE, "allocation %u", n);
		refused++;
	}
	return reply.octets[0];
}

static void ask(struct radius_das *das, unsigned int n)
{
	const struct fake_packet disconnect = request(DISCONNECT), coa = request(COA);
	unsigned int first = take(das, &disconnect, n), second = take(das, &coa, n), again;
	bool was_asked = owner.calls[COA];

	cr_assert(first == RADIUS_DISCONNECT_ACK ||
			  (!owner.calls[DISCONNECT] && (!first || first == RADIUS_DISCONNECT_NAK)),
		"allocation %u: %u", n, first);
	cr_assert(!second || (!owner.calls[COA] && second == RADIUS_COA_NAK), "allocation %u: %u",
		n, second);
	if (was_asked)
		radius_das_decide(das, owner.ticket, 0);
	short_memory_arm(false);
	/* What was done is known: the client that asks again is told so. */
	again = take(das, &disconnect, n);
	cr_assert(again == RADIUS_DISCONNECT_ACK || again == first, "allocation %u: %u", n, again);
	again = take(das, &coa, n);
	if (was_asked)
		cr_assert_eq(again, RADIUS_COA_ACK, "allocation %u: %u", n, again);
	else if (!again)
		radius_das_decide(das, owner.ticket, 0); /* it is asked now */
	cr_assert(owner.calls[DISCONNECT] <= 1 && owner.calls[COA] <= 1, "allocation %u", n);
}

static void live(unsigned int n)
{
	struct radius_das_client_config clients[2] = { { .secret_len = strlen(SECRET) },
		{ .secret_len = strlen(SECRET) } };
	struct sockaddr_storage listen[2];
	struct radius_das_config config = {
		.listen = listen, .listen_count = 1, .clients = clients, .client_count = 1
	};
	struct radius_das *das = NULL;
	int err;

	fake_host_init(&fake);
	memset(&owner, 0, sizeof(owner));
	set_address(&client, "192.0.2.10", 40000);
	set_address(&local, "192.0.2.1", 3799);
	set_address(&listen[0], "127.0.0.1", 0);
	set_address(&listen[1], "127.0.0.2", 0);
	clients[0].addr = client;
	memcpy(clients[0].secret, SECRET, strlen(SECRET));
	clients[1] = clients[0];
	set_address(&clients[1].addr, "192.0.2.11", 0);
	short_memory_arm(true);
	err = radius_das_new(&fake.host, handle, NULL, &das);
	if (!err)
		err = radius_das_configure(das, &config, NULL);
	if (!err) {
		ask(das, n);
		short_memory_arm(true);
		config.listen_count = config.client_count = 2;
		err = radius_das_configure(das, &config, NULL);
		cr_assert_eq(radius_das_client_count(das), err ? 1 : 2, "allocation %u", n);
	}
	radius_das_free(das);
	short_memory_arm(false);
	cr_assert(err == 0 || err == -ENOMEM, "allocation %u: %d", n, err);
	cr_assert_eq(fake.io_count, 0, "allocation %u", n);
}

Test(das_alloc, nothing_is_lost_or_done_twice, .timeout = 60)
{
	unsigned int count = short_memory_everywhere(live);

	cr_assert_gt(count, 15, "%u allocations: --wrap is not in use", count);
	cr_assert_gt(refused, 1, "%u", refused);
}
