// SPDX-License-Identifier: BSD-2-Clause
/* reviewed: see reviewed.h. */
#include "tests/unit/reviewed.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 100000

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, TEXT_MAX);

	cr_assert_not_null(file, "%s is missing; run from the top of the tree", path);
	cr_assert_not_null(text);
	cr_assert_lt(fread(text, 1, TEXT_MAX - 1, file), TEXT_MAX - 1);
	fclose(file);
	return text;
}

void expect_reviewed(const char *path, const char *write, void (*print)(FILE *out))
{
	char *printed = NULL, *reviewed, *rest, *expected_rest;
	size_t size;
	FILE *out = open_memstream(&printed, &size), *file;

	print(out);
	fclose(out);
	if (getenv(write)) {
		file = fopen(path, "w");
		cr_assert(file && fputs(printed, file) >= 0);
		fclose(file);
	}
	reviewed = read_text(path);
	rest = printed;
	expected_rest = reviewed;
	while (rest && expected_rest) {
		const char *line = strsep(&rest, "\n"), *expected = strsep(&expected_rest, "\n");

		cr_assert_str_eq(line, expected);
	}
	cr_assert(!rest && !expected_rest, "one of them is longer than the other");
	free(printed);
	free(reviewed);
}
