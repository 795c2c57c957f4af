/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading what waits, with attributes from memory and from disk; values as text. */
#include "tests/unit/radius/spool_bed.h"

#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(spool_read, .init = bed_setup, .fini = bed_teardown, .timeout = 60);

static struct radius_spool_read *reader;
static bool is_ready, got[5000];
static unsigned int parts, records;

static void ready(void *ctx)
{
	cr_assert_eq(ctx, &reader);
	is_ready = true;
	parts++;
}

static bool is_part_ready(void)
{
	return is_ready;
}

static void begin(void)
{
	parts = records = 0;
	memset(got, 0, sizeof(got));
	cr_assert_eq(radius_spool_read_new(spool, ready, &reader, &reader), 0);
}

static void take_part(void)
{
	const struct radius_spool_entry *entry;
	const struct radius_attrs *attrs;

	is_ready = false;
	radius_spool_read_part(reader);
	cr_expect_not(is_ready, "never inside");
	bed_until(is_part_ready, "a part");
	while ((entry = radius_spool_read_next(reader, &attrs))) {
		char text[32], id[32];

		snprintf(id, sizeof(id), "%016llx", (unsigned long long)entry->session);
		cr_assert(radius_get_string(attrs, RADIUS_ACCT_SESSION_ID, text, sizeof(text)));
		cr_assert_str_eq(text, id);
		cr_assert_not(got[entry->session]);
		got[entry->session] = true;
		records++;
	}
}

static void read_all(void)
{
	begin();
	do
		take_part();
	while (!radius_spool_read_is_all(reader));
	radius_spool_read_free(reader);
}

static void put(unsigned int count)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	for (uint64_t session = 1; session <= count; session++)
		bed_put(session, RADIUS_STOP);
}

Test(spool_read, from_memory)
{
	put(300);
	read_all(); /* some are on their way to the disk */
	cr_expect_eq(records, 300);
	bed_until(bed_all_saved, "saved");
	read_all();
	cr_expect_eq(records, 300);
	cr_expect_gt(parts, 3);
}

Test(spool_read, from_disk)
{
	put(300);
	bed_close();
	bed_open();
	radius_spool_set_client(spool, NULL);
	read_all();
	cr_expect_eq(records, 300);
}

Test(spool_read, nothing)
{
	put(0);
	read_all();
	cr_expect_eq(records, 0);
	cr_expect_eq(parts, 1);
}

Test(spool_read, while_they_are_sent)
{
	put(600);
	bed_close();
	bed_open();
	begin();
	take_part();
	cr_expect_gt(records, 0);
	bed_until(bed_all_sent, "sent");
	do
		take_part();
	while (!radius_spool_read_is_all(reader));
	radius_spool_read_free(reader);
	cr_expect_lt(records, 600);
}

/* What is being read comes back to nobody. */
Test(spool_read, given_up_in_the_middle)
{
	put(300);
	bed_close();
	bed_open();
	begin();
	radius_spool_read_part(reader);
	radius_spool_read_free(reader);
	bed_serve();
	begin();
	take_part();
	radius_spool_read_part(reader);
	radius_spool_read_free(reader);
	bed_until(bed_all_sent, "sent");
}

static bool no_answers(const struct bed_packet *packet)
{
	(void)packet;
	return false;
}

static bool has_server(void *ctx, const struct radius_spool_entry *entry)
{
	(void)ctx;
	cr_expect_eq(entry->tries, 1);
	cr_assert_not_null(entry->server);
	cr_expect(strncmp(entry->server, "127.0.0.1", 9) == 0, "%s", entry->server);
	return true;
}

Test(spool_read, the_server_that_did_not_answer_is_named)
{
	bed_answers = no_answers;
	bed_open();
	bed_put(1, RADIUS_STOP);
	bed_until(bed_all_saved, "saved");
	while (bed_info().failed == 0)
		bed_pass(FAKE_MS(250));
	radius_spool_each(spool, NULL, has_server, NULL);
	bed_answers = NULL;
}

/* ---- values ---- */

static const char *text_of(radius_code code, const void *data, size_t len, enum radius_text what)
{
	static char text[512];

	cr_expect_eq(radius_value_text(code, data, len, text, sizeof(text)), what, "%s", text);
	return text;
}

Test(text, values)
{
	const uint8_t prefix[] = { 0, 56, 0x20, 1, 0xd, 0xb8, 0, 1, 2 };
	const uint8_t address6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	uint8_t octets[253];

	memset(octets, 0xff, sizeof(octets));
	cr_expect_str_eq(text_of(RADIUS_USER_NAME, "al\"ice", 6, RADIUS_TEXT_STRING), "al\"ice");
	cr_expect_str_eq(text_of(RADIUS_USER_NAME, "a\nb", 3, RADIUS_TEXT_BARE), "0x610a62");
	cr_expect_str_eq(text_of(RADIUS_USER_NAME, "j\xc3\xb6rg", 5, RADIUS_TEXT_STRING), "jörg");
	cr_expect_str_eq(text_of(RADIUS_USER_NAME, "j\xc3", 2, RADIUS_TEXT_BARE), "0x6ac3");
	cr_expect_str_eq(text_of(RADIUS_USER_NAME, "\xc2\x9b", 2, RADIUS_TEXT_BARE), "0xc29b");
	cr_expect_str_eq(text_of(RADIUS_USER_NAME, "", 0, RADIUS_TEXT_BARE), "0x");
	cr_expect_str_eq(
		text_of(RADIUS_ACCT_INPUT_OCTETS, "\xff\xff\xff\xff", 4, RADIUS_TEXT_NUMBER),
		"4294967295");
	cr_expect_str_eq(text_of(RADIUS_TUNNEL_TYPE, "\0\0\3", 3, RADIUS_TEXT_NUMBER), "3");
	cr_expect_str_eq(
		text_of(RADIUS_FRAMED_IP_ADDRESS, "\xc0\0\2\1", 4, RADIUS_TEXT_BARE), "192.0.2.1");
	cr_expect_str_eq(
		text_of(RADIUS_FRAMED_IP_ADDRESS, "\xc0\0", 2, RADIUS_TEXT_BARE), "0xc000");
	cr_expect_str_eq(
		text_of(RADIUS_NAS_IPV6_ADDRESS, address6, 16, RADIUS_TEXT_BARE), "2001:db8::1");
	cr_expect_str_eq(
		text_of(RADIUS_FRAMED_IPV6_PREFIX, prefix, sizeof(prefix), RADIUS_TEXT_BARE),
		"2001:db8:1:200::/56");
	cr_expect_eq(strlen(text_of(RADIUS_FRAMED_IPV6_PREFIX, octets, 18, RADIUS_TEXT_BARE)), 38);
	cr_expect_eq(strlen(text_of(RADIUS_CLASS, octets, 253, RADIUS_TEXT_BARE)), 508);
}
