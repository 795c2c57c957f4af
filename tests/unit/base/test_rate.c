// SPDX-License-Identifier: BSD-2-Clause
/* rate: what is one, what is none, and that what is written is read as the same. */
#include "lns/rate.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(rate, texts)
{
	static const struct {
		const char *text;
		uint64_t rate;
		const char *again;
	} rows[] = {
		{ "0", 0, "0" },
		{ "0M", 0, "0" },
		{ "1000", 1000, "1k" },
		{ "1k", 1000, "1k" },
		{ "64K", 64000, "64k" },
		{ "1234567", 1234567, "1234567" },
		{ "1500k", 1500000, "1500k" },
		{ "50M", 50000000, "50M" },
		{ "2g", 2000000000, "2G" },
		{ "0001G", 1000000000, "1G" },
		{ "1000G", 1000000000000, "1000G" },
	};
	char text[RATE_TEXT];
	uint64_t rate;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(rate_parse(rows[i].text, strlen(rows[i].text), &rate), 0, "%s",
			rows[i].text);
		cr_assert_eq(rate, rows[i].rate, "%s", rows[i].text);
		cr_assert_str_eq(rate_text(rate, text), rows[i].again);
		cr_assert_eq(rate_parse(text, strlen(text), &rate), 0);
		cr_assert_eq(rate, rows[i].rate);
	}
}

Test(rate, what_is_none)
{
	static const char *const rows[] = { "", "k", "M5", "-1", "+5M", " 5M", "5M ", "5MM",
		"5Mbit", "1.5M", "5T", "999", "1001G", "1000000000001", "1000001M",
		"18446744073709551616", "18446744073709552G",
		"99999999999999999999999999999999999999", "0x1000", "1e6" };
	uint64_t rate = 42;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(rate_parse(rows[i], strlen(rows[i]), &rate), -EINVAL, "%s", rows[i]);
	cr_expect_eq(rate_parse("5000\0M", 6, &rate), -EINVAL);
	cr_expect_eq(rate, 42);
}
