/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encoding and decoding: every message with everything it may carry goes round, in the clear and
 * hidden; bounds of buffers; what the encoder refuses; nothing is allocated.
 */
#include "lns/l2tp/avp.h"
#include "lns/l2tp/msg.h"
#include "tests/unit/l2tp/msg_equal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t vector[16] = "0123456789abcdef";
static const struct l2tp_secret secret = { .len = 6, .data = "secret" };
static uint8_t packet[L2TP_SEND_MAX], scratch[L2TP_SEND_MAX];

static const enum l2tp_msg_type types[] = { L2TP_SCCRQ, L2TP_SCCRP, L2TP_SCCCN, L2TP_STOPCCN,
	L2TP_HELLO, L2TP_OCRQ, L2TP_OCRP, L2TP_OCCN, L2TP_ICRQ, L2TP_ICRP, L2TP_ICCN, L2TP_CDN,
	L2TP_WEN, L2TP_SLI, L2TP_CSUN, L2TP_CSURQ };
#define TYPES (sizeof(types) / sizeof(types[0]))

/* Fills the field of a row with something that differs from row to row. */
static void fill(struct l2tp_msg *msg, const struct avp_row *row)
{
	static const uint8_t text[] = "0123456789 \x00\xff any octets";
	uint8_t *field = (uint8_t *)msg + row->offset;
	const uint8_t seed = (uint8_t)(row->type + 1);
	struct l2tp_span span = { text + row->type % 8, row->max < 11 ? row->max : 11 };

	msg->present |= UINT64_C(1) << avp_id(row);
	switch (row->kind) {
	case AVP_KIND_VECTOR:
	case AVP_KIND_FLAG:
		break;
	case AVP_KIND_U16:
		*(uint16_t *)field = seed;
		break;
	case AVP_KIND_U32:
	case AVP_KIND_BITS:
		*(uint32_t *)field = 0x80000000 + seed;
		break;
	case AVP_KIND_HIGH_OCTET:
		*(uint32_t *)field = 0x80 + seed % 0x80;
		break;
	case AVP_KIND_U64:
	case AVP_KIND_RATE:
		*(uint64_t *)field = UINT64_C(0x8000000000000000) + seed;
		break;
	case AVP_KIND_DELAY:
		*(uint64_t *)field = 0xffffff00 + seed;
		break;
	case AVP_KIND_TEXT:
	case AVP_KIND_OCTETS:
	case AVP_KIND_SECRET:
		*(struct l2tp_span *)field = span;
		break;
	case AVP_KIND_DIGEST:
		memset(field, seed, 16);
		break;
	case AVP_KIND_RESULT:
		msg->result.code = 2;
		msg->result.error = 6;
		snprintf(msg->result.text, sizeof(msg->result.text), "out of modems");
		break;
	case AVP_KIND_CAUSE:
		msg->result.q931_cause = 0x1234;
		msg->result.q931_message = 0x45;
		break;
	case AVP_KIND_CALL_ERRORS:
		for (uint32_t i = 0; i < 6; i++)
			msg->call_errors[i] = 0xfffffff0 + i;
		break;
	case AVP_KIND_ACCM:
		msg->send_accm = 0x000a0000;
		msg->receive_accm = 0xffffffff;
		break;
	case AVP_KIND_DISCONNECT:
		msg->ppp_disconnect_cause.code = 3;
		msg->ppp_disconnect_cause.control_protocol = 0xc223;
		msg->ppp_disconnect_cause.direction = 1;
		msg->ppp_disconnect_cause.message = span;
		break;
	case AVP_KIND_SPEED_UPDATE:
		msg->speed_update_count = L2TP_SPEED_UPDATES_MAX;
		for (uint16_t i = 0; i < L2TP_SPEED_UPDATES_MAX; i++)
			msg->speed_updates[i] = (struct l2tp_speed_update){
				.session_id = i, .tx = 0x10000 + i, .rx = 0x20000 + i
			};
		break;
	}
}

/* A message with what it must and, if full, may carry. */
static struct l2tp_msg make(enum l2tp_msg_type type, bool full)
{
	struct l2tp_msg msg;

	memset(&msg, 0, sizeof(msg));
	msg.type = type;
	for (size_t i = 0; i < L2TP_AVP_COUNT; i++)
		if ((avp_table[i].must | (full ? avp_table[i].may : 0)) & AVP_IN(type))
			fill(&msg, &avp_table[i]);
	return msg;
}

static void expect_round_trip(const struct l2tp_msg *msg, const struct l2tp_secret *hide)
{
	struct l2tp_header header;
	struct l2tp_result result;
	struct l2tp_msg again;
	int len;

	len = l2tp_msg_encode(msg, 0x1234, 0x5678, hide, vector, packet, sizeof(packet));
	cr_assert(len > 0, "%s: %d", l2tp_msg_name(msg->type), len);
	cr_assert(l2tp_msg_decode(packet, (size_t)len, hide, false, scratch, (size_t)len, &header,
			  &again, &result) == L2TP_OK,
		"%s: %s", l2tp_msg_name(msg->type), result.text);
	cr_expect(header.tunnel_id == 0x1234 && header.session_id == 0x5678);
	cr_expect(header.ns == 0 && header.nr == 0);
	cr_expect(result.text[0] == '\0', "%s", result.text);
	cr_expect(msg_equal(msg, &again), "%s", l2tp_msg_name(msg->type));
}

Test(codec, every_message_goes_round)
{
	for (size_t i = 0; i < TYPES; i++) {
		struct l2tp_msg bare = make(types[i], false), full = make(types[i], true);

		expect_round_trip(&bare, NULL);
		expect_round_trip(&full, NULL);
		expect_round_trip(&bare, &secret);
		expect_round_trip(&full, &secret);
	}
}

Test(codec, zlb_is_a_header_alone)
{
	const struct l2tp_msg zlb = { .type = L2TP_ZLB };

	expect_round_trip(&zlb, &secret);
	cr_expect(l2tp_msg_encode(&zlb, 1, 2, NULL, vector, packet, sizeof(packet)) == 12);
	cr_expect(memcmp(packet, "\xc8\x02\x00\x0c\x00\x01\x00\x02\0\0\0\0", 12) == 0);
}

/* The octets of one message, written down by hand from the RFC. */
Test(codec, icrp_is_encoded_as_the_rfc_draws_it)
{
	static const uint8_t want[] = { 0xc8, 0x02, 0x00, 0x1c, 0x00, 0x07, 0x00, 0x08, 0, 0, 0, 0,
		0x80, 0x08, 0, 0, 0, 0, 0, 0x0b, 0x80, 0x08, 0, 0, 0, 0x0e, 0x03, 0x2f };
	const struct l2tp_msg msg = { .type = L2TP_ICRP,
		.present = UINT64_C(1) << L2TP_AVP_ASSIGNED_SESSION_ID,
		.assigned_session_id = 815 };

	cr_expect(l2tp_msg_encode(&msg, 7, 8, NULL, vector, packet, sizeof(packet)) ==
		  (int)sizeof(want));
	cr_expect(memcmp(packet, want, sizeof(want)) == 0);
}

/* Finds the bits of an AVP in packet, or 0. */
static uint16_t bits_of(int len, uint16_t vendor, uint16_t type)
{
	struct wire_reader reader;

	wire_reader_init(&reader, packet + 12, (size_t)len - 12);
	while (reader.left > 0) {
		uint16_t bits = wire_get_u16(&reader), v = wire_get_u16(&reader);
		uint16_t t = wire_get_u16(&reader);

		if (v == vendor && t == type)
			return bits;
		wire_get_octets(&reader, (bits & AVP_LENGTH) - AVP_HEADER);
		cr_assert(!reader.error);
	}
	return 0;
}

Test(codec, m_and_h_bits_are_sent_as_the_table_says)
{
	for (size_t i = 0; i < TYPES; i++) {
		struct l2tp_msg msg = make(types[i], true);
		int len = l2tp_msg_encode(&msg, 1, 1, &secret, vector, packet, sizeof(packet));
		bool optional = types[i] == L2TP_CSUN || types[i] == L2TP_CSURQ;

		cr_expect(bits_of(len, 0, 0) == (optional ? 8 : AVP_MANDATORY + 8));
		for (size_t n = 0; n < L2TP_AVP_COUNT; n++) {
			const struct avp_row *row = &avp_table[n];
			uint16_t bits = bits_of(len, row->vendor, row->type);

			if (!l2tp_msg_has(&msg, (enum l2tp_avp_id)n))
				continue;
			cr_expect(!(bits & AVP_MANDATORY) == !(row->flags & AVP_SEND_M), "%s",
				row->name);
			cr_expect(!(bits & AVP_HIDDEN) == !(row->flags & AVP_MAY_HIDE), "%s",
				row->name);
		}
	}
}

Test(codec, random_vector_only_when_something_is_hidden)
{
	const struct l2tp_secret none = { .len = 0 };
	struct l2tp_msg hello = make(L2TP_HELLO, false), icrp = make(L2TP_ICRP, false);
	int len;

	len = l2tp_msg_encode(&hello, 1, 0, &secret, vector, packet, sizeof(packet));
	cr_expect(len == 20 && bits_of(len, 0, AVP_TYPE_VECTOR) == 0);
	len = l2tp_msg_encode(&icrp, 1, 0, &none, vector, packet, sizeof(packet));
	cr_expect(len == 28 && bits_of(len, 0, AVP_TYPE_VECTOR) == 0);
	len = l2tp_msg_encode(&icrp, 1, 0, &secret, vector, packet, sizeof(packet));
	cr_expect(len == 28 + 22 + 2);
	cr_expect(bits_of(len, 0, AVP_TYPE_VECTOR) == AVP_MANDATORY + 22);
	cr_expect(memcmp(packet + 26, vector, 16) == 0, "directly after the Message Type");
}

Test(codec, too_small_a_buffer_is_never_overrun)
{
	for (size_t i = 0; i < TYPES; i++) {
		struct l2tp_msg msg = make(types[i], true);
		int len = l2tp_msg_encode(&msg, 1, 1, &secret, vector, packet, sizeof(packet));

		for (size_t size = 0; size < (size_t)len; size++) {
			uint8_t *buf = malloc(size > 0 ? size : 1);

			cr_assert(l2tp_msg_encode(&msg, 1, 1, &secret, vector, buf, size) ==
				  -EMSGSIZE);
			free(buf);
		}
	}
}

Test(codec, no_prefix_of_a_message_is_accepted)
{
	for (size_t i = 0; i < TYPES; i++) {
		struct l2tp_msg msg = make(types[i], true);
		int len = l2tp_msg_encode(&msg, 1, 1, &secret, vector, packet, sizeof(packet));

		for (size_t cut = 0; cut < (size_t)len; cut++) {
			struct l2tp_header header;
			struct l2tp_result result;

			cr_assert(l2tp_msg_decode(packet, cut, &secret, true, scratch, cut, &header,
					  &msg, &result) == L2TP_DISCARD);
			cr_assert(msg.present == 0 && result.text[0] != '\0');
		}
	}
}

Test(codec, values_too_long_for_an_avp_are_refused)
{
	static const uint8_t long_value[1018];
	struct l2tp_msg msg = make(L2TP_ICRQ, false);

	msg.present |= UINT64_C(1) << L2TP_AVP_CALLED_NUMBER;
	msg.called_number = (struct l2tp_span){ long_value, 1017 };
	expect_round_trip(&msg, NULL);
	cr_expect(
		l2tp_msg_encode(&msg, 1, 1, &secret, vector, packet, sizeof(packet)) == -EMSGSIZE);
	msg.called_number.len = 1018;
	cr_expect(l2tp_msg_encode(&msg, 1, 1, NULL, vector, packet, sizeof(packet)) == -EMSGSIZE);
	msg.called_number.len = 1015;
	expect_round_trip(&msg, &secret);
}

Test(codec, encoder_refuses_what_the_rfc_does_not_allow)
{
	struct l2tp_msg msg;

	for (size_t i = 0; i < TYPES; i++) {
		for (size_t n = 0; n < L2TP_AVP_COUNT; n++) {
			const struct avp_row *row = &avp_table[n];
			bool must = row->must & AVP_IN(types[i]);
			bool may = row->may & AVP_IN(types[i]);

			msg = make(types[i], false);
			if (must)
				msg.present &= ~(UINT64_C(1) << n);
			else
				fill(&msg, row);
			cr_expect((l2tp_msg_encode(&msg, 1, 1, NULL, vector, packet,
					   sizeof(packet)) > 0) == may,
				"%s %s", l2tp_msg_name(types[i]), row->name);
		}
	}
	msg = make(L2TP_ICRQ, false);
	msg.assigned_session_id = 0;
	cr_expect(l2tp_msg_encode(&msg, 1, 1, NULL, vector, packet, sizeof(packet)) == -EINVAL);
	msg = make(L2TP_CDN, false);
	msg.assigned_session_id = 0;
	cr_expect(l2tp_msg_encode(&msg, 1, 1, NULL, vector, packet, sizeof(packet)) > 0);
	msg.type = (enum l2tp_msg_type)99;
	cr_expect(l2tp_msg_encode(&msg, 1, 1, NULL, vector, packet, sizeof(packet)) == -EINVAL);
}

#ifdef __SANITIZE_ADDRESS__
int __sanitizer_install_malloc_and_free_hooks(
	void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));

static unsigned int allocations;

static void on_malloc(const volatile void *block, size_t size)
{
	(void)block;
	(void)size;
	allocations++;
}

static void on_free(const volatile void *block)
{
	(void)block;
}

/* With SAN=1 only: the sanitizer counts for us. */
Test(codec, nothing_is_allocated)
{
	void *volatile block;

	cr_assert(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
	block = malloc(1);
	cr_assert(block && allocations == 1, "the hook counts");
	free(block);
	for (size_t i = 0; i < TYPES; i++) {
		struct l2tp_msg msg = make(types[i], true), again;
		unsigned int before = allocations;
		struct l2tp_header header;
		struct l2tp_result result;
		int len;

		len = l2tp_msg_encode(&msg, 1, 1, &secret, vector, packet, sizeof(packet));
		l2tp_msg_decode(packet, (size_t)len, &secret, false, scratch, sizeof(scratch),
			&header, &again, &result);
		cr_expect(allocations == before, "%s", l2tp_msg_name(types[i]));
	}
}
#endif
