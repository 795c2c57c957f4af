// SPDX-License-Identifier: BSD-2-Clause
/* log: what comes from outside cannot break a line, mistakes cannot flood it. */
#include "lns/log.h"

#include <criterion/criterion.h>
#include <string.h>

Test(log, printable)
{
	static const char in[] = "a\\b\n\x1b[31m\xff\0z";
	char out[64];

	cr_assert_str_eq(log_printable(out, sizeof(out), in, sizeof(in) - 1),
		"a\\\\b\\x0a\\x1b[31m\\xff\\x00z");
}

Test(log, printable_cuts_whole_pieces)
{
	char out[6];

	cr_assert_str_eq(log_printable(out, sizeof(out), "abc\n", 4), "abc");
	cr_assert_str_eq(log_printable(out, sizeof(out), "abcdefgh", 8), "abcde");
	cr_assert_str_eq(log_printable(out, 1, "abc", 3), "");
}

Test(log, limit_passes_one_a_second_and_counts_the_rest)
{
	struct log_limit limit = { 0 };
	unsigned int left_out = 99;

	cr_assert(log_limit_pass(&limit, 5000000, &left_out));
	cr_assert_eq(left_out, 0);
	cr_assert_not(log_limit_pass(&limit, 5000001, &left_out));
	cr_assert_not(log_limit_pass(&limit, 5999999, &left_out));
	cr_assert(log_limit_pass(&limit, 6000000, &left_out));
	cr_assert_eq(left_out, 2);
	cr_assert(log_limit_pass(&limit, 7000000, &left_out));
	cr_assert_eq(left_out, 0);
}
