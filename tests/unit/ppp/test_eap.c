/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eap: which packets are EAP's, and which of them answer a request.
 */
#include "lns/ppp/eap.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct {
	const char *text;
	uint32_t len; /* that arrived */
	int want;
	uint8_t octets[16];
} table[] = {
	{ "Identity request", 5, 0, { 1, 7, 0, 5, 1 } },
	{ "Identity response", 8, 0, { 2, 7, 0, 8, 1, 'b', 'o', 'b' } },
	{ "an empty Nak", 5, 0, { 2, 7, 0, 5, 3 } },
	{ "Success", 4, 0, { 3, 7, 0, 4 } },
	{ "Failure with padding behind it", 9, 0, { 4, 7, 0, 4, 1, 2, 3, 4, 5 } },
	{ "an expanded type", 12, 0, { 2, 7, 0, 12, 254, 0, 0, 0, 0, 0, 0, 3 } },
	{ "nothing", 0, -EBADMSG, { 0 } },
	{ "half a header", 3, -EBADMSG, { 2, 7, 0 } },
	{ "a header alone", 4, -EBADMSG, { 2, 7, 0, 4 } },
	{ "longer than what arrived", 5, -EBADMSG, { 2, 7, 0, 6, 1 } },
	{ "much longer", 5, -EBADMSG, { 2, 7, 255, 255, 1 } },
	{ "a length of nothing", 5, -EBADMSG, { 2, 7, 0, 0, 1 } },
	{ "a length within the header", 5, -EBADMSG, { 2, 7, 0, 3, 1 } },
	{ "Success with something in it", 5, -EBADMSG, { 3, 7, 0, 5, 1 } },
	{ "Success without an end", 4, -EBADMSG, { 3, 7, 0, 3 } },
	{ "code 0", 5, -EBADMSG, { 0, 7, 0, 5, 1 } },
	{ "code 5, Initiate of RFC 5296", 5, -EBADMSG, { 5, 7, 0, 5, 1 } },
	{ "code 255", 5, -EBADMSG, { 255, 7, 0, 5, 1 } },
	{ "an expanded type cut off", 11, -EBADMSG, { 2, 7, 0, 11, 254, 0, 0, 0, 0, 0, 0 } },
};

Test(eap, packets)
{
	struct ppp_eap_packet packet;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memset(&packet, 0xa5, sizeof(packet));
		cr_expect_eq(ppp_eap_parse(table[i].octets, table[i].len, &packet), table[i].want,
			"%s", table[i].text);
		if (table[i].want)
			cr_expect_eq(packet.len, 0xa5a5, "%s: touched", table[i].text);
		else
			cr_expect_leq(packet.len, table[i].len, "%s", table[i].text);
	}
}

Test(eap, what_is_in_a_packet)
{
	static const uint8_t octets[] = { 2, 9, 0, 8, 1, 'b', 'o', 'b', 'x' };
	struct ppp_eap_packet packet;

	cr_assert_eq(ppp_eap_parse(octets, sizeof(octets), &packet), 0);
	cr_assert_eq(packet.code, PPP_EAP_CODE_RESPONSE);
	cr_assert_eq(packet.id, 9);
	cr_assert_eq(packet.type, PPP_EAP_TYPE_IDENTITY);
	cr_assert_eq(packet.len, 8);
	cr_assert_eq(packet.data_len, 3);
	cr_assert_eq(packet.data, octets + 5);
}

Test(eap, the_longest_packet)
{
	uint8_t octets[PPP_EAP_MAX + 1] = { 1, 0, PPP_EAP_MAX >> 8, PPP_EAP_MAX & 0xff, 13 };
	struct ppp_eap_packet packet;

	cr_assert_eq(ppp_eap_parse(octets, PPP_EAP_MAX, &packet), 0);
	cr_assert_eq(packet.data_len, PPP_EAP_MAX - 5);
	octets[3]++;
	cr_assert_eq(ppp_eap_parse(octets, sizeof(octets), &packet), -EBADMSG);
}

Test(eap, answers)
{
	static const struct {
		uint8_t code, id, type; /* of what came */
		uint8_t asked;          /* type of the request, whose identifier is 5 */
		int want;
	} cases[] = {
		{ PPP_EAP_CODE_RESPONSE, 5, 1, 1, 1 },
		{ PPP_EAP_CODE_RESPONSE, 4, 1, 1, 0 },
		{ PPP_EAP_CODE_REQUEST, 5, 1, 1, 0 },
		{ PPP_EAP_CODE_SUCCESS, 5, 0, 1, 0 },
		{ PPP_EAP_CODE_FAILURE, 5, 0, 1, 0 },
		{ PPP_EAP_CODE_RESPONSE, 5, 4, 1, 0 },
		{ PPP_EAP_CODE_RESPONSE, 5, 3, 1, 0 }, /* nobody may refuse to say who it is */
		{ PPP_EAP_CODE_RESPONSE, 5, 3, 2, 0 }, /* or to be told something */
		{ PPP_EAP_CODE_RESPONSE, 5, 2, 2, 1 },
		{ PPP_EAP_CODE_RESPONSE, 5, 4, 4, 1 },
		{ PPP_EAP_CODE_RESPONSE, 5, 3, 4, 1 },
		{ PPP_EAP_CODE_RESPONSE, 5, 3, 254, 1 },
		{ PPP_EAP_CODE_RESPONSE, 5, 254, 254, 1 },
		{ PPP_EAP_CODE_RESPONSE, 5, 254, 4, 0 },
		{ PPP_EAP_CODE_RESPONSE, 5, 13, 4, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ppp_eap_packet request = { .code = 1, .id = 5, .type = cases[i].asked };
		struct ppp_eap_packet packet = {
			.code = cases[i].code, .id = cases[i].id, .type = cases[i].type
		};

		cr_expect_eq(ppp_eap_answers(&packet, &request), cases[i].want, "case %zu", i);
	}
}
