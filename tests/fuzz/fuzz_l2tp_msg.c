/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_l2tp_msg: any packet through the decoder, with and without a secret, strict and lenient.
 *
 * Properties: a refused message leaves only ids; a clear verdict has a result; what a strict
 * decoder accepts encodes again, and decodes to the same, also when hidden; texts stay in their
 * buffers.
 */
#include "tests/fuzz/fuzz.h"
#include "lns/l2tp/msg.h"
#include "tests/unit/l2tp/msg_equal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct l2tp_secret secret = { .len = 6, .data = "secret" };
static const uint8_t vector[16] = "random, but not.";

static void check_texts(const struct l2tp_msg *msg, const struct l2tp_result *result)
{
	char text[512];

	REQUIRE(memchr(result->text, '\0', sizeof(result->text)));
	REQUIRE(memchr(msg->result.text, '\0', sizeof(msg->result.text)));
	for (size_t size = 32; size <= sizeof(text); size *= 16) {
		REQUIRE(strlen(l2tp_msg_text(msg, text, size)) < size);
		REQUIRE(strlen(l2tp_result_text(msg->type, &msg->result, text, size)) < size);
		for (const char *c = text; *c; c++)
			REQUIRE(*c >= ' ' && *c <= '~');
	}
}

/* A refused message has a reason and nothing in it but type and ids. */
static void check_refused(
	enum l2tp_verdict verdict, const struct l2tp_msg *msg, const struct l2tp_result *result)
{
	const uint64_t ids = UINT64_C(1) << L2TP_AVP_ASSIGNED_TUNNEL_ID |
			     UINT64_C(1) << L2TP_AVP_ASSIGNED_SESSION_ID;

	REQUIRE((msg->present & ~ids) == 0);
	REQUIRE(result->text[0] != '\0');
	if (verdict == L2TP_CLEAR)
		REQUIRE(result->code == 2 && result->error != 0);
	else
		REQUIRE(result->code == 0 && result->error == 0);
}

static void check_round_trip(const struct l2tp_header *header, const struct l2tp_msg *msg,
	const struct l2tp_secret *hide)
{
	static uint8_t packet[L2TP_PACKET_MAX], scratch[L2TP_PACKET_MAX];
	struct l2tp_header again_header;
	struct l2tp_result result;
	struct l2tp_msg again;
	int len;

	len = l2tp_msg_encode(
		msg, header->tunnel_id, header->session_id, hide, vector, packet, sizeof(packet));
	if (hide && len == -EMSGSIZE)
		return; /* a value of 1016 or 1017 octets cannot be hidden */
	REQUIRE(len > 0);
	REQUIRE(l2tp_msg_decode(packet, (size_t)len, hide, false, scratch, sizeof(scratch),
			&again_header, &again, &result) == L2TP_OK);
	REQUIRE(again_header.tunnel_id == header->tunnel_id);
	REQUIRE(again_header.session_id == header->session_id);
	REQUIRE(result.text[0] == '\0');
	REQUIRE(msg_equal(msg, &again));
}

static void check(const uint8_t *data, size_t size, uint8_t *scratch,
	const struct l2tp_secret *with_secret, bool lenient)
{
	struct l2tp_header header, alone;
	struct l2tp_result result;
	enum l2tp_verdict verdict;
	struct l2tp_msg msg;

	verdict = l2tp_msg_decode(
		data, size, with_secret, lenient, scratch, size, &header, &msg, &result);
	check_texts(&msg, &result);
	if (verdict != L2TP_OK)
		check_refused(verdict, &msg, &result);
	if (verdict == L2TP_DISCARD)
		return;
	REQUIRE(l2tp_header_decode(data, size, &alone, NULL) == L2TP_OK);
	REQUIRE(memcmp(&alone, &header, sizeof(header)) == 0);
	if (verdict == L2TP_OK && !lenient) {
		check_round_trip(&header, &msg, NULL);
		check_round_trip(&header, &msg, &secret);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *scratch;

	if (size > L2TP_PACKET_MAX)
		return 0;
	scratch = malloc(size > 0 ? size : 1); /* exactly as large as promised */
	if (!scratch)
		return 0;
	check(data, size, scratch, NULL, false);
	check(data, size, scratch, &secret, false);
	check(data, size, scratch, &secret, true);
	free(scratch);
	return 0;
}
