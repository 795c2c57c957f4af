/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the decoder says about bad packets: the words in the result, the ids that are kept for the
 * answer, what is only remarked, and what leniency forgives. The corpus (test_codec_corpus.c) has
 * the verdicts for many more packets.
 */
#include "lns/l2tp/hide.h"
#include "lns/l2tp/msg.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct l2tp_secret secret = { .len = 6, .data = "secret" };
static uint8_t scratch[4096];

static struct l2tp_header header;
static struct l2tp_msg msg;
static struct l2tp_result result;

/* AVPs in hexadecimal: M H length, vendor, type, value. */
#define ICRQ    "8008 0000 0000 000a "
#define ICCN    "8008 0000 0000 000c "
#define SCCRQ   "8008 0000 0000 0001 "
#define CDN     "8008 0000 0000 000e "
#define STOPCCN "8008 0000 0000 0004 "
#define SESSION "8008 0000 000e 032f "
#define SERIAL  "800a 0000 000f 0000002a "
#define VERSION "8008 0000 0002 0100 "
#define FRAMING "800a 0000 0003 00000003 "
#define HOST    "8009 0000 0007 6c6163 "
#define TUNNEL  "8008 0000 0009 1267 "
#define SPEED   "800a 0000 0018 05f5e100 "
#define FRAME   "800a 0000 0013 00000002 "
#define RESULT  "8008 0000 0001 0003 "
#define VECTOR  "800a 0000 0024 01020304 "

static size_t unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t len = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		cr_assert(len < size && sscanf(hex, "%2hhx", &out[len]) == 1, "%s", hex);
		hex++;
		len++;
	}
	return len;
}

/* Decodes the AVPs behind a header for tunnel 1, session 2. */
static enum l2tp_verdict decode(const char *avps, const struct l2tp_secret *with, bool lenient)
{
	uint8_t packet[1024] = { 0xc8, 0x02, 0, 0, 0, 1, 0, 2 };
	size_t len = 12 + unhex(avps, packet + 12, sizeof(packet) - 12);

	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	return l2tp_msg_decode(
		packet, len, with, lenient, scratch, sizeof(scratch), &header, &msg, &result);
}

static const struct {
	const char *avps;
	enum l2tp_verdict verdict;
	unsigned int error;
	const char *text;
} rules[] = {
	{ ICRQ SESSION SERIAL, L2TP_OK, 0, "" },
	{ ICRQ SESSION SERIAL "8008 0009 007b 0000", L2TP_CLEAR, 8,
		"unknown mandatory AVP vendor 9 type 123" },
	{ ICRQ SESSION SERIAL "0008 0009 007b 0000", L2TP_OK, 0, "" },
	{ ICRQ SESSION SERIAL "a007 0000 0016 35", L2TP_CLEAR, 8,
		"unknown mandatory AVP vendor 0 type 22 (reserved bits set)" },
	{ "8008 0000 0000 0063", L2TP_CLEAR, 8, "unknown Message Type 99" },
	{ "0008 0000 0000 0063", L2TP_IGNORE, 0, "unknown Message Type 99" },
	{ SESSION ICRQ, L2TP_CLEAR, 3, "first AVP is vendor 0 type 14, not Message Type" },
	{ "8005 0000 0000 0000", L2TP_CLEAR, 2, "first AVP does not fit into the message" },
	{ "c008 0000 0000 000a", L2TP_CLEAR, 3, "Message Type must not be hidden" },
	{ "8007 0000 0000 0a", L2TP_CLEAR, 2, "Message Type of 1 octets" },
	{ ICRQ SESSION SERIAL "8009 0000 0016 35", L2TP_CLEAR, 2,
		"an AVP does not fit into the message" },
	{ ICRQ SESSION SERIAL "800b 0000 0012 0000000000", L2TP_CLEAR, 2,
		"Bearer Type of 5 octets" },
	{ ICRQ SESSION SERIAL "000b 0000 0012 0000000000", L2TP_OK, 0, "Bearer Type of 5 octets" },
	{ ICRQ "8008 0000 000e 0000" SERIAL, L2TP_CLEAR, 3, "Assigned Session ID is out of range" },
	{ ICRQ SESSION SERIAL SERIAL, L2TP_CLEAR, 3, "second Call Serial Number" },
	{ ICRQ SESSION SERIAL ICRQ, L2TP_CLEAR, 3, "second Message Type" },
	{ ICRQ SESSION, L2TP_CLEAR, 3, "Call Serial Number is missing" },
	{ ICRQ SESSION "0007 0000 000f 00", L2TP_CLEAR, 3, "Call Serial Number is missing" },
	{ "0008 0000 0000 001c", L2TP_IGNORE, 0, "Connect Speed Update is missing" },
	{ "0008 0000 0000 001c 0007 0000 0061 00", L2TP_IGNORE, 0,
		"Connect Speed Update of 1 octets" },
	{ ICRQ "c00a 0000 000e 00000000" SERIAL, L2TP_CLEAR, 3,
		"Assigned Session ID is hidden before any Random Vector" },
	{ ICRQ VECTOR "c007 0000 000e 00" SERIAL, L2TP_CLEAR, 2,
		"Assigned Session ID: hidden length is wrong" },
	{ SCCRQ VECTOR VERSION FRAMING "c00a 0000 0007 00000000" TUNNEL, L2TP_CLEAR, 3,
		"Host Name must not be hidden" },
	/* the first fatal fault is told, and before any remark */
	{ ICRQ SESSION SERIAL "0007 0000 0012 00"
			      "8006 0009 0001"
			      "8007 0000 0012 00",
		L2TP_CLEAR, 8, "unknown mandatory AVP vendor 9 type 1" },
	{ ICRQ SESSION SERIAL "0007 0000 0012 00"
			      "0007 0000 0019 00",
		L2TP_OK, 0, "Bearer Type of 1 octets" },
};

Test(codec_rules, faults_have_their_code_and_words)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		enum l2tp_verdict verdict = decode(rules[i].avps, &secret, false);

		cr_expect(verdict == rules[i].verdict && result.error == rules[i].error &&
				  strcmp(result.text, rules[i].text) == 0,
			"%s: verdict %d error %u \"%s\"", rules[i].avps, (int)verdict, result.error,
			result.text);
		cr_expect(result.code == (verdict == L2TP_CLEAR ? 2 : 0));
	}
}

Test(codec_rules, hidden_without_a_secret)
{
	const struct l2tp_secret none = { .len = 0 };
	const char *avps = ICRQ VECTOR "c00a 0000 000e 00000000" SERIAL;

	cr_expect(decode(avps, NULL, false) == L2TP_CLEAR);
	cr_expect_str_eq(result.text, "Assigned Session ID is hidden, but there is no secret");
	cr_expect(decode(avps, &none, false) == L2TP_CLEAR && result.error == L2TP_ERROR_VALUE);
	cr_expect(decode(ICRQ VECTOR SESSION SERIAL "400a 0000 0016 00000000", NULL, false) ==
		  L2TP_OK);
	cr_expect(!l2tp_msg_has(&msg, L2TP_AVP_CALLING_NUMBER));
}

Test(codec_rules, scratch_too_small_for_two_hidden_values)
{
	const struct l2tp_span vector = { (const uint8_t *)"\1\2\3\4", 4 };
	uint8_t id[4] = { 0, 2, 0x03, 0x2f }, number[4] = { 0, 2, '1', '2' };
	uint8_t packet[128] = { 0xc8, 0x02, 0, 12 + 8 + 10 + 10 + 10 + 10, 0, 1, 0, 2 };
	size_t len = packet[3];

	l2tp_hide(&secret, 14, &vector, id, sizeof(id));
	l2tp_hide(&secret, 22, &vector, number, sizeof(number));
	unhex(ICRQ SERIAL VECTOR "c00a 0000 000e", packet + 12, sizeof(packet) - 12);
	memcpy(packet + 46, id, sizeof(id));
	unhex("c00a 0000 0016", packet + 50, sizeof(packet) - 50);
	memcpy(packet + 56, number, sizeof(number));
	cr_expect(l2tp_msg_decode(packet, len, &secret, false, scratch, 8, &header, &msg,
			  &result) == L2TP_OK,
		"%s", result.text);
	cr_expect(msg.assigned_session_id == 815 && msg.calling_number.len == 2);
	cr_expect(l2tp_msg_decode(packet, len, &secret, false, scratch, 7, &header, &msg,
			  &result) == L2TP_CLEAR);
	cr_expect(result.error == L2TP_ERROR_RESOURCES);
	cr_expect_str_eq(result.text, "Calling Number: no room to unhide");
}

Test(codec_rules, refused_messages_keep_only_the_ids)
{
	cr_expect(decode(ICRQ "8006 0009 0001" SERIAL SESSION, NULL, false) == L2TP_CLEAR);
	cr_expect(msg.type == L2TP_ICRQ && l2tp_msg_of_call(msg.type));
	cr_expect(msg.present == UINT64_C(1) << L2TP_AVP_ASSIGNED_SESSION_ID);
	cr_expect(msg.assigned_session_id == 815 && msg.call_serial_number == 0);
	cr_expect(header.tunnel_id == 1 && header.session_id == 2);

	cr_expect(decode(SCCRQ "8006 0009 0001" VERSION FRAMING HOST TUNNEL, NULL, false) ==
		  L2TP_CLEAR);
	cr_expect(msg.type == L2TP_SCCRQ && !l2tp_msg_of_call(msg.type));
	cr_expect(msg.assigned_tunnel_id == 0x1267 && msg.host_name.data == NULL);
	cr_expect(msg.present == UINT64_C(1) << L2TP_AVP_ASSIGNED_TUNNEL_ID);

	cr_expect(decode("8008 0000 0000 0063" SESSION, NULL, false) == L2TP_CLEAR);
	cr_expect((int)msg.type == 99 && !l2tp_msg_of_call(msg.type), "clears the tunnel");
}

Test(codec_rules, vendor_is_part_of_the_key)
{
	cr_expect(decode(CDN SESSION RESULT "000a 0de9 0001 00090009", NULL, false) == L2TP_OK);
	cr_expect(msg.result.code == 3 && msg.result.error == 0);
	cr_expect(decode(CDN SESSION "8008 0de9 0001 0009", NULL, false) == L2TP_CLEAR);
	cr_expect_str_eq(result.text, "Result Code is missing");
}

Test(codec_rules, known_avps_elsewhere_are_skipped_unread)
{
	cr_expect(decode(ICRQ SESSION SERIAL TUNNEL "8007 0000 000a ff"
						    "c006 0000 000d",
			  NULL, false) == L2TP_OK);
	cr_expect(result.text[0] == '\0');
	cr_expect(!l2tp_msg_has(&msg, L2TP_AVP_ASSIGNED_TUNNEL_ID) && msg.assigned_tunnel_id == 0);
}

static const struct {
	const char *avps;
	bool forgiven;
} sloppy[] = {
	{ SCCRQ TUNNEL, true }, { SCCRQ VERSION FRAMING HOST, false }, { ICRQ SESSION, true },
	{ ICRQ SERIAL, false }, { ICCN, true }, { ICCN SPEED, true }, { ICCN FRAME, true },
	{ CDN SESSION, true }, { CDN RESULT, true }, { STOPCCN, true },
	{ "8008 0000 0000 000b", false },         /* ICRP */
	{ "8008 0000 0000 000f", true },          /* WEN */
	{ "8008 0000 0000 0007" SESSION, false }, /* OCRQ without the number to call */
};

Test(codec_rules, leniency_forgives_what_a_call_can_live_without)
{
	for (size_t i = 0; i < sizeof(sloppy) / sizeof(sloppy[0]); i++) {
		cr_expect(decode(sloppy[i].avps, NULL, false) == L2TP_CLEAR, "%s", sloppy[i].avps);
		cr_expect((decode(sloppy[i].avps, NULL, true) == L2TP_OK) == sloppy[i].forgiven,
			"%s: %s", sloppy[i].avps, result.text);
	}
	cr_expect(decode(ICRQ SESSION "8006 0009 0001", NULL, true) == L2TP_CLEAR,
		"unknown mandatory AVPs are never forgiven");
}

Test(codec_rules, several_vectors_each_for_what_follows_it)
{
	const struct l2tp_span one = { (const uint8_t *)"\1\2\3\4", 4 };
	const struct l2tp_span two = { (const uint8_t *)"\5\6", 2 };
	uint8_t id[4] = { 0, 2, 0x03, 0x2f }, serial[6] = { 0, 4, 0, 0, 0, 42 };
	char avps[512];

	l2tp_hide(&secret, 14, &one, id, sizeof(id));
	l2tp_hide(&secret, 15, &two, serial, sizeof(serial));
	snprintf(avps, sizeof(avps),
		ICRQ VECTOR "c00a 0000 000e %02x%02x%02x%02x 8008 0000 0024 0506 "
			    "c00c 0000 000f %02x%02x%02x%02x%02x%02x",
		id[0], id[1], id[2], id[3], serial[0], serial[1], serial[2], serial[3], serial[4],
		serial[5]);
	cr_expect(decode(avps, &secret, false) == L2TP_OK, "%s", result.text);
	cr_expect(msg.assigned_session_id == 815 && msg.call_serial_number == 42);
}

/* RFC 5515 sections 5.18 and 5.19: one octet and three reserved ones; a number. */
Test(codec_rules, the_line_and_its_interworking)
{
	cr_assert_eq(decode(ICRQ SESSION SERIAL "000a 0de9 0091 05abcdef 000a 0de9 00fe 00000000",
			     NULL, false),
		L2TP_OK);
	cr_expect_eq(msg.access_line_type, 5);
	cr_expect(l2tp_msg_has(&msg, L2TP_AVP_IWF_SESSION) && msg.iwf_session == 0);
	cr_assert_eq(decode(ICRQ SESSION SERIAL "000a 0de9 00fe 00000001", NULL, false), L2TP_OK);
	cr_expect_eq(msg.iwf_session, 1);
	cr_assert_eq(decode(ICRQ SESSION SERIAL "0006 0de9 00fe", NULL, false), L2TP_OK);
	cr_expect(!l2tp_msg_has(&msg, L2TP_AVP_IWF_SESSION));
	cr_expect_str_eq(result.text, "IWF Session of 0 octets");
}

/* RFC 3145 section 3.4: a copy for each network protocol that failed, the last one last. */
Test(codec_rules, the_last_of_several_disconnect_causes_counts)
{
	cr_assert_eq(decode(CDN RESULT SESSION "000b 0000 002e 0012 8021 00 "
					       "000b 0000 002e 0011 8057 00",
			     NULL, false),
		L2TP_OK);
	cr_expect_str_eq(result.text, "");
	cr_expect_eq(msg.ppp_disconnect_cause.code, 17);
	cr_expect_eq(msg.ppp_disconnect_cause.control_protocol, 0x8057);
}

Test(codec_rules, result_text_is_made_printable)
{
	cr_expect(decode(CDN SESSION "8013 0000 0001 0002 0006 1b5b 41ff 0a25 7300 00", NULL,
			  false) == L2TP_OK);
	cr_expect_str_eq(msg.result.text, "?[A??%s");
	cr_expect(msg.result.code == 2 && msg.result.error == 6);
	/* the advisory message of the cause stands in for a text that is not there, in any order */
	cr_expect(decode(CDN SESSION RESULT "800d 0000 000c 0011 45 62757379", NULL, false) ==
		  L2TP_OK);
	cr_expect_str_eq(msg.result.text, "busy");
	cr_expect(msg.result.q931_cause == 17 && msg.result.q931_message == 0x45);
	cr_expect(decode(CDN SESSION "800d 0000 000c 0011 45 62757379" RESULT, NULL, false) ==
		  L2TP_OK);
	cr_expect_str_eq(msg.result.text, "busy");
	cr_expect(decode(CDN SESSION "800d 0000 000c 0011 45 62757379"
				     "800c 0000 0001 0002 0006 6e6f",
			  NULL, false) == L2TP_OK);
	cr_expect_str_eq(msg.result.text, "no");
}

static const struct {
	const char *packet;
	const char *reason;
} headers[] = {
	{ "c802 000c 0001 0002 0003 0004", NULL },
	{ "fdf2 000c 0001 0002 0003 0004", NULL }, /* all reserved bits and P */
	{ "c802 000c 0001 0002 0003 0004 ff", NULL },
	{ "", "shorter than a header" },
	{ "c8", "shorter than a header" },
	{ "c802 000c 0001 0002 0003 00", "shorter than a header" },
	{ "c802 000b 0001 0002 0003 0004", "shorter than a header" },
	{ "c802 000d 0001 0002 0003 0004", "longer than its datagram" },
	{ "4802 000c 0001 0002 0003 0004", "data, not control" },
	{ "8802 000c 0001 0002 0003 0004", "L, S or O bit is wrong" },
	{ "c002 000c 0001 0002 0003 0004", "L, S or O bit is wrong" },
	{ "ca02 000c 0001 0002 0003 0004", "L, S or O bit is wrong" },
	{ "c801 000c 0001 0002 0003 0004", "version is not 2" },
	{ "c803 000c 0001 0002 0003 0004", "version is not 2" },
};

Test(codec_rules, headers)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		uint8_t packet[16];
		size_t len = unhex(headers[i].packet, packet, sizeof(packet));
		struct l2tp_header untouched = { 9, 9, 9, 9 }, h = untouched;
		const char *reason = NULL;
		enum l2tp_verdict verdict = l2tp_header_decode(packet, len, &h, &reason);

		if (headers[i].reason) {
			cr_expect(verdict == L2TP_DISCARD, "%s", headers[i].packet);
			cr_expect_str_eq(reason, headers[i].reason);
			cr_expect(memcmp(&h, &untouched, sizeof(h)) == 0);
			continue;
		}
		cr_expect(verdict == L2TP_OK && reason == NULL, "%s", headers[i].packet);
		cr_expect(h.tunnel_id == 1 && h.session_id == 2 && h.ns == 3 && h.nr == 4);
	}
}
