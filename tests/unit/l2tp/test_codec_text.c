/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and texts of messages and results, and what must hold for every row of the AVP table. */
#include "lns/l2tp/avp.h"
#include "lns/l2tp/msg.h"

#include <criterion/criterion.h>
#include <string.h>

#define BIT(id) (UINT64_C(1) << L2TP_AVP_##id)

static struct l2tp_span span(const char *text)
{
	return (struct l2tp_span){ (const uint8_t *)text, (uint16_t)strlen(text) };
}

Test(codec_text, table_rows_are_sound)
{
	for (size_t i = 0; i < L2TP_AVP_COUNT; i++) {
		const struct avp_row *row = &avp_table[i];

		cr_expect(row->name && row->name[0], "row %zu", i);
		cr_expect(avp_find(row->vendor, row->type) == row, "%s is unique", row->name);
		cr_expect(row->min <= row->max && row->max <= AVP_VALUE_MAX, "%s", row->name);
		cr_expect((row->must & row->may) == 0, "%s", row->name);
		cr_expect((row->vital & ~row->must) == 0, "%s", row->name);
		cr_expect(row->kind == AVP_KIND_VECTOR || (row->must | row->may) != 0, "%s",
			row->name);
		cr_expect(row->offset < sizeof(struct l2tp_msg), "%s", row->name);
		cr_expect(row->vendor == 0 || !(row->flags & AVP_SEND_M), "%s", row->name);
	}
	cr_expect(avp_find(0, AVP_TYPE_MESSAGE) == NULL && avp_find(9, 1) == NULL);
	cr_expect(avp_find(0, 20) == NULL && avp_find(0, 65535) == NULL);
}

Test(codec_text, names)
{
	cr_expect_str_eq(l2tp_msg_name(L2TP_ICRQ), "ICRQ");
	cr_expect_str_eq(l2tp_msg_name(L2TP_ZLB), "ZLB");
	cr_expect_str_eq(l2tp_msg_name(5), "unknown message");
	cr_expect_str_eq(l2tp_msg_name(65535), "unknown message");
	cr_expect_str_eq(l2tp_avp_name(L2TP_AVP_ASSIGNED_SESSION_ID), "Assigned Session ID");
	cr_expect_str_eq(l2tp_avp_name(L2TP_AVP_COUNT), "unknown AVP");
}

Test(codec_text, values_are_printable_and_secrets_stay_secret)
{
	struct l2tp_msg msg = { .type = L2TP_ICCN,
		.present = BIT(TX_CONNECT_SPEED) | BIT(FRAMING_TYPE) | BIT(PROXY_AUTHEN_NAME) |
			   BIT(PROXY_AUTHEN_RESPONSE) | BIT(LAST_SENT_LCP_CONFREQ) |
			   BIT(SEQUENCING_REQUIRED),
		.tx_connect_speed = 4294967295,
		.framing_type = 2,
		.last_sent_lcp_confreq = span("\x01\x04\xff"),
		.proxy_authen_name = span("a\"b\\c\n\x1b%s"),
		.proxy_authen_response = span("hunter2") };
	char text[512];

	cr_expect_str_eq(l2tp_msg_text(&msg, text, sizeof(text)),
		"ICCN, Framing Type: 0x2, (Tx) Connect Speed: 4294967295, "
		"Last Sent LCP CONFREQ: 0104ff, "
		"Proxy Authen Name: \"a\\\"b\\\\c\\x0a\\x1b%s\", Proxy Authen Response: (7 octets), "
		"Sequencing Required: yes");

	msg = (struct l2tp_msg){ .type = L2TP_SCCCN,
		.present = BIT(CHALLENGE_RESPONSE),
		.challenge_response = "0123456789abcde" };
	cr_expect_str_eq(
		l2tp_msg_text(&msg, text, sizeof(text)), "SCCCN, Challenge Response: (16 octets)");
}

Test(codec_text, structured_values)
{
	struct l2tp_msg msg = { .type = L2TP_CDN,
		.present = BIT(RESULT_CODE) | BIT(CAUSE_CODE) | BIT(ASSIGNED_SESSION_ID) |
			   BIT(PPP_DISCONNECT_CAUSE),
		.result = { .code = 2,
			.error = 6,
			.q931_cause = 16,
			.q931_message = 69,
			.text = "out of modems" },
		.assigned_session_id = 815,
		.ppp_disconnect_cause = { 3, 0xc223, 1, span("no such user") } };
	char text[512];

	cr_expect_str_eq(l2tp_msg_text(&msg, text, sizeof(text)),
		"CDN, Result Code: 2 error 6 text \"out of modems\", Q.931 Cause Code: 16 message 69, "
		"Assigned Session ID: 815, "
		"PPP Disconnect Cause Code: 3 protocol 0xc223 direction 1 \"no such user\"");

	msg = (struct l2tp_msg){ .type = L2TP_CSUN,
		.present = BIT(CONNECT_SPEED_UPDATE),
		.speed_update_count = 2,
		.speed_updates = { { .session_id = 1, .tx = 2, .rx = 3 }, { .session_id = 4 } } };
	cr_expect_str_eq(l2tp_msg_text(&msg, text, sizeof(text)),
		"CSUN, Connect Speed Update: session 1 tx 2 rx 3; session 4 tx 0 rx 0");

	msg = (struct l2tp_msg){ .type = L2TP_SLI,
		.present = BIT(ACCM),
		.send_accm = 0xa0000,
		.receive_accm = 0xffffffff };
	cr_expect_str_eq(l2tp_msg_text(&msg, text, sizeof(text)),
		"SLI, ACCM: send 0xa0000 receive 0xffffffff");

	msg = (struct l2tp_msg){
		.type = L2TP_WEN, .present = BIT(CALL_ERRORS), .call_errors = { 1, 2, 3, 4, 5, 6 }
	};
	cr_expect_str_eq(l2tp_msg_text(&msg, text, sizeof(text)),
		"WEN, Call Errors: crc 1 framing 2 hardware 3 buffer 4 time-out 5 alignment 6");
}

Test(codec_text, texts_are_cut_and_terminated)
{
	struct l2tp_msg msg = {
		.type = L2TP_SCCRQ, .present = BIT(HOST_NAME), .host_name = span("lac1.example.net")
	};
	const char *whole = "SCCRQ, Host Name: \"lac1.example.net\"";
	char text[64];

	for (size_t size = 1; size <= sizeof(text); size++) {
		size_t want = strlen(whole) < size ? strlen(whole) : size - 1;

		memset(text, '#', sizeof(text));
		l2tp_msg_text(&msg, text, size);
		cr_expect(strlen(text) == want && strncmp(text, whole, want) == 0, "%zu", size);
		cr_expect(size == sizeof(text) || text[size] == '#');
	}
	memset(text, '#', sizeof(text));
	l2tp_msg_text(&msg, text, 0);
	cr_expect(text[0] == '#');
}

static const struct {
	enum l2tp_msg_type type;
	struct l2tp_result result;
	const char *text;
} results[] = {
	{ L2TP_CDN, { .code = 2, .error = 8, .text = "vendor 9 type 1" },
		"result 2 (general error), error 8 (unknown mandatory AVP): vendor 9 type 1" },
	{ L2TP_STOPCCN, { .code = 2, .error = 4 },
		"result 2 (general error), error 4 (out of resources)" },
	{ L2TP_CDN, { .code = 3 }, "result 3 (administrative)" },
	{ L2TP_STOPCCN, { .code = 3 }, "result 3 (control channel already exists)" },
	{ L2TP_CDN, { .code = 1, .q931_cause = 16 }, "result 1 (carrier lost), Q.931 cause 16" },
	{ L2TP_STOPCCN, { .code = 5, .error = 0x0100 },
		"result 5 (protocol version not supported), highest version 0x0100" },
	{ L2TP_CDN, { .code = 5, .error = 4 },
		"result 5 (no facilities), error 4 (out of resources)" },
	{ L2TP_STOPCCN, { .code = 8 }, "result 8 (differentiated service not agreed)" },
	{ L2TP_CDN, { .code = 12 }, "result 12 (differentiated service not agreed)" },
	{ L2TP_STOPCCN, { .code = 9 }, "result 9 (unknown)" },
	{ L2TP_CDN, { .code = 65535, .error = 65535 },
		"result 65535 (unknown), error 65535 (unknown)" },
	{ L2TP_CDN, { .text = "nothing given" }, "no result: nothing given" },
};

Test(codec_text, results_in_words)
{
	char text[256];

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		cr_expect_str_eq(
			l2tp_result_text(results[i].type, &results[i].result, text, sizeof(text)),
			results[i].text);
}
