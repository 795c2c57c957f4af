/* SPDX-License-Identifier: BSD-2-Clause */
/* rate: see rate.h. */
#include "lns/rate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static const struct {
	char letter, other;
	uint64_t size;
} units[] = { { 'G', 'g', 1000000000 }, { 'M', 'm', 1000000 }, { 'k', 'K', 1000 } };
#define UNITS (sizeof(units) / sizeof(units[0]))

/* The size of a unit, 0 when there is none of that name. */
static uint64_t unit_of(char letter)
{
	for (size_t i = 0; i < UNITS; i++)
		if (letter == units[i].letter || letter == units[i].other)
			return units[i].size;
	return 0;
}

int rate_parse(const char *text, size_t len, uint64_t *ret_rate)
{
	uint64_t rate = 0, unit;
	size_t n = 0;

	for (; n < len && text[n] >= '0' && text[n] <= '9'; n++) {
		rate = rate * 10 + (uint64_t)(text[n] - '0');
		if (rate > RATE_MAX)
			return -EINVAL;
	}
	unit = n == len ? 1 : n + 1 == len ? unit_of(text[n]) : 0;
	if (n == 0 || !unit || rate > RATE_MAX / unit || (rate > 0 && rate * unit < RATE_MIN))
		return -EINVAL;
	*ret_rate = rate * unit;
	return 0;
}

const char *rate_text(uint64_t rate, char text[RATE_TEXT])
{
	size_t unit = 0;

	while (unit < UNITS && (rate == 0 || rate % units[unit].size))
		unit++;
	if (unit < UNITS)
		snprintf(text, RATE_TEXT, "%" PRIu64 "%c", rate / units[unit].size,
			units[unit].letter);
	else
		snprintf(text, RATE_TEXT, "%" PRIu64, rate);
	return text;
}
