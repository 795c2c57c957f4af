/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_radius_das: octets that claim to be requests to the dynamic authorization server, one after the
 * other: a length octet, so many octets, and so on.
 *
 * The first two bits of the length octet say how: as they are; signed by us, as somebody who knows the
 * secret would; signed, from another port; the packet before once more, when the server must give the
 * same answer and ask nobody. Every answer must be a well-formed one that its client believes, no longer
 * than a packet, and say no when the owner said no.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "radius/attr_codes.h"
#include "radius/das.h"

enum { AS_IT_IS, SIGNED, OTHER_PORT, AGAIN };

static const struct radius_secret secret = { "testing123", 10 };
static unsigned int calls;

static uint64_t fixed_clock(void *ctx)
{
	(void)ctx;
	return UINT64_C(1700000000000000);
}

static void no_log(void *ctx, bool is_error, const char *line)
{
	(void)ctx;
	(void)is_error;
	REQUIRE(!strstr(line, "testing123"));
}

static uint64_t undecided; /* the ticket of a request without an answer yet */

static unsigned int handle(void *ctx, const struct radius_das_request *request)
{
	(void)ctx;
	calls++;
	REQUIRE(request->given & RADIUS_DAS_SESSION);
	REQUIRE(request->code == RADIUS_DISCONNECT_REQUEST || (request->given & RADIUS_DAS_CHANGE));
	REQUIRE(request->code == RADIUS_COA_REQUEST || !(request->given & RADIUS_DAS_CHANGE));
	REQUIRE(strlen(request->user_name) < RADIUS_DAS_TEXT &&
		strlen(request->acct_session_id) < RADIUS_DAS_TEXT &&
		strlen(request->called_station_id) < RADIUS_DAS_TEXT);
	undecided = request->framed_ip % 4 == 2 ? request->ticket : 0;
	if (undecided)
		return RADIUS_DAS_LATER;
	return request->framed_ip % 2 ? RADIUS_ERROR_SESSION_NOT_FOUND : 0;
}

static struct radius_das *make_server(void)
{
	static const struct radius_host host = {
		.now = fixed_clock,
		.wallclock = fixed_clock,
		.log = no_log,
	};
	struct radius_das_client_config client = { .secret_len = secret.len };
	const struct radius_das_config config = { .clients = &client, .client_count = 1 };
	struct radius_das *das = NULL;

	memcpy(client.secret, secret.octets, secret.len);
	((struct sockaddr_in *)&client.addr)->sin_family = AF_INET;
	((struct sockaddr_in *)&client.addr)->sin_addr.s_addr = htonl(0xc000020a);
	REQUIRE(radius_das_new(&host, handle, NULL, &das) == 0);
	REQUIRE(radius_das_configure(das, &config, NULL) == 0);
	return das;
}

/* Sets code, length and authenticators right, as far as the octets can be a packet. */
static void make_genuine(uint8_t *octets, size_t len)
{
	static const uint8_t zeros[RADIUS_AUTH_LEN];
	struct radius_frame frame;

	if (len < RADIUS_HEADER_LEN)
		return;
	octets[0] = octets[0] % 2 ? RADIUS_COA_REQUEST : RADIUS_DISCONNECT_REQUEST;
	octets[2] = (uint8_t)(len >> 8);
	octets[3] = (uint8_t)len;
	if (radius_packet_frame(octets, len, &frame))
		return;
	if (frame.message_authenticator)
		radius_packet_hmac(&frame, zeros, &secret, octets + frame.message_authenticator);
	radius_packet_digest(&frame, zeros, &secret, octets + 4);
}

static void check_reply(const uint8_t *request, const uint8_t *reply, size_t len)
{
	struct radius_frame frame;

	REQUIRE(len <= RADIUS_PACKET_MAX && radius_packet_frame(reply, len, &frame) == 0);
	REQUIRE(frame.len == len && frame.message_authenticator && reply[1] == request[1]);
	REQUIRE(reply[0] == request[0] + 1 || reply[0] == request[0] + 2);
	REQUIRE(radius_packet_verify_reply(&frame, request + 4, &secret));
}

/* One packet in; how as above. The reply's length. */
static size_t give(struct radius_das *das, unsigned int how, uint8_t *octets, size_t len,
	uint8_t reply[RADIUS_PACKET_MAX])
{
	struct sockaddr_storage from = { 0 }, local = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&from;
	unsigned int before = calls;
	size_t reply_len;

	if (how != AS_IT_IS)
		make_genuine(octets, len);
	in4->sin_family = AF_INET;
	in4->sin_addr.s_addr = htonl(0xc000020a);
	in4->sin_port = htons(how == OTHER_PORT ? 2000 : 1000);
	undecided = 0;
	reply_len = radius_das_take(das, &from, &local, octets, len, reply);
	if (undecided) {
		REQUIRE(reply_len == 0);
		REQUIRE(radius_das_take(das, &from, &local, octets, len, reply) == 0);
		radius_das_decide(das, undecided, 0);
		reply_len = radius_das_take(das, &from, &local, octets, len, reply);
	}
	REQUIRE(calls <= before + 1 && (calls == before || reply_len > 0));
	if (reply_len)
		check_reply(octets, reply, reply_len);
	return reply_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t reply[RADIUS_PACKET_MAX], again[RADIUS_PACKET_MAX];
	struct radius_das *das = make_server();

	while (size > 0) {
		unsigned int how = data[0] >> 6;
		size_t len = (data[0] & 0x3fu) * 8;
		size_t reply_len;
		uint8_t *octets;

		data++;
		size--;
		len = len < size && len > 0 ? len : size; /* 0: all that is left */
		octets = malloc(len ? len : 1);
		REQUIRE(octets != NULL);
		if (len)
			memcpy(octets, data, len);
		reply_len = give(das, how == AGAIN ? SIGNED : how, octets, len, reply);
		if (how == AGAIN && reply_len) {
			unsigned int before = calls;

			REQUIRE(give(das, SIGNED, octets, len, again) == reply_len);
			REQUIRE(calls == before && memcmp(reply, again, reply_len) == 0);
		}
		free(octets);
		data += len;
		size -= len;
	}
	radius_das_free(das);
	return 0;
}
