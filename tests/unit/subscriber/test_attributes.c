// SPDX-License-Identifier: BSD-2-Clause
/*
 * attributes: the manual page is made of the table. LNS_UPDATE_MAN=1 rewrites that part of
 * conf/man/lns-radius.5 instead of comparing it.
 */
#include "lns/subscriber/attributes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE  "conf/man/lns-radius.5"
#define BEGIN ".\\\" begin of attributes\n"
#define END   ".\\\" end of attributes\n"

Test(attributes, the_manual_page_lists_them)
{
	char *page = calloc(1, 200000), *made = NULL, *from, *to;
	size_t len, size;
	FILE *file = fopen(PAGE, "r"), *out = open_memstream(&made, &size);

	cr_assert(page && file && out, "%s is missing; run from the top of the tree", PAGE);
	len = fread(page, 1, 199999, file);
	cr_assert_lt(len, 199999);
	fclose(file);
	attributes_dump_man(out);
	fclose(out);
	cr_assert_gt(size, 1000);
	from = strstr(page, BEGIN);
	to = strstr(page, END);
	cr_assert(from && to && from < to);
	from += strlen(BEGIN);
	if (getenv("LNS_UPDATE_MAN")) {
		out = fopen(PAGE, "w");
		cr_assert(out);
		fprintf(out, "%.*s%s%s", (int)(from - page), page, made, to);
		fclose(out);
	} else {
		cr_assert(size == (size_t)(to - from) && memcmp(from, made, size) == 0,
			"%s is not up to date: LNS_UPDATE_MAN=1 make run-unit-subscriber", PAGE);
	}
	free(made);
	free(page);
}
