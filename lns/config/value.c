/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config/value: one value of lns.conf, from text and to text, by the type in its row.
 *
 * Parsers put the value into the field, or append it to a growing array, and return NULL; otherwise
 * what is wrong, worded to stand after the value, and the field is as it was.
 */
#include "lns/config/schema.h"

#include "lns/rate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define L2TP_PORT 1701
#define POOL_MAX  (UINT32_C(1) << 24) /* addresses in one range */

static void *field_of(const struct config_option *option, const void *base)
{
	return (char *)base + option->field.offset;
}

/* One more element at the end of a growing array, zeroed; NULL when memory is short. */
static void *list_append(const struct config_option *option, void *base, size_t size)
{
	size_t *count = (size_t *)((char *)base + option->count_offset);
	void *array;

	memcpy(&array, field_of(option, base), sizeof(array));
	array = reallocarray(array, *count + 1, size);
	if (!array)
		return NULL;
	memcpy(field_of(option, base), &array, sizeof(array));
	return memset((char *)array + size * (*count)++, 0, size);
}

static const char *parse_bool(const struct config_option *option, const char *text, void *field)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]))
			continue;
		if (option->field.size == sizeof(uint16_t))
			*(uint16_t *)field = i % 2;
		else
			*(bool *)field = i % 2;
		return NULL;
	}
	return "is neither true nor false";
}

/* Digits only, no sign; *ret_end is behind them. False: none, or more than 64 bits. */
static bool parse_digits(const char *text, uint64_t *ret_value, const char **ret_end)
{
	char *end;

	errno = 0;
	*ret_value = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
	if (!isdigit((unsigned char)*text) || errno)
		return false;
	*ret_end = end;
	return true;
}

static bool in_range(const struct config_option *option, uint64_t value)
{
	return value >= option->range.min && value <= option->range.max;
}

static const char *parse_uint(const struct config_option *option, const char *text, void *field)
{
	uint64_t value;
	const char *end;

	if (!parse_digits(text, &value, &end) || *end)
		return "is not a number";
	if (!in_range(option, value))
		return "is out of range";
	if (option->field.size == sizeof(uint16_t))
		*(uint16_t *)field = value;
	else
		*(uint32_t *)field = value;
	return NULL;
}

static const struct {
	const char *name;
	uint64_t length;
} time_units[] = { { "h", CONFIG_HOUR }, { "m", CONFIG_MINUTE }, { "s", CONFIG_SECOND },
	{ "ms", 1000 }, { "", CONFIG_SECOND } };
#define TIME_UNITS (sizeof(time_units) / sizeof(time_units[0]))

static const char *parse_time(const struct config_option *option, const char *text, void *field)
{
	uint64_t value;
	const char *end;
	size_t unit = 0;

	if (!parse_digits(text, &value, &end))
		return "is not a time (example: 60s)";
	while (unit < TIME_UNITS && strcmp(end, time_units[unit].name))
		unit++;
	if (unit == TIME_UNITS)
		return "is not a time (example: 60s)";
	if (__builtin_mul_overflow(value, time_units[unit].length, &value) ||
		!in_range(option, value))
		return "is out of range";
	if (option->field.size == sizeof(uint64_t)) {
		*(uint64_t *)field = value;
		return NULL;
	}
	if (value % CONFIG_SECOND)
		return "is not a whole number of seconds";
	*(unsigned int *)field = value / CONFIG_SECOND;
	return NULL;
}

static const char *parse_rate(const struct config_option *option, const char *text, void *field)
{
	(void)option;
	return rate_parse(text, strlen(text), field) == 0
		       ? NULL
		       : "is not a rate from 1k to 1000G bit/s, or 0 (example: 50M)";
}

static const char *parse_string(const struct config_option *option, const char *text, void *field)
{
	if (option->type == CONFIG_PATH && *text != '/')
		return "is not an absolute path";
	if (strlen(text) >= option->field.size)
		return "is too long";
	memcpy(field, text, strlen(text) + 1);
	return NULL;
}

static const char *parse_word(const struct config_option *option, const char *text, void *field)
{
	const struct config_word *word = option->words;

	while (word->word && strcmp(word->word, text))
		word++;
	if (!word->word)
		return "is not known";
	if (option->type == CONFIG_SET)
		*(unsigned int *)field |= word->value;
	else
		*(int *)field = word->value;
	return NULL;
}

static const char *parse_address(const struct config_option *option, const char *text, void *field)
{
	union addr *addr = field, parsed;
	size_t max = option->field.size / sizeof(*addr), used = 0;
	int family = option->section == CONFIG_PPP || !strcmp(option->name, "nas-ip-address")
			     ? AF_INET
		     : !strcmp(option->name, "nas-ipv6-address") ? AF_INET6
								 : 0;

	if (addr_parse(text, 0, &parsed))
		return "is not an address";
	if (family && parsed.sa.sa_family != family)
		return family == AF_INET ? "is not an IPv4 address" : "is not an IPv6 address";
	while (used < max && option->list && addr[used].sa.sa_family != AF_UNSPEC)
		used++;
	if (used == max)
		return "is one too many";
	addr[used] = parsed;
	return NULL;
}

static const char *parse_listen(const struct config_option *option, const char *text, void *base)
{
	char host[ADDR_TEXT];
	const char *end, *port_text = NULL;
	bool metrics = !strcmp(option->name, "metrics");
	uint64_t port = metrics ? CONFIG_METRICS_PORT : L2TP_PORT;
	union addr parsed, *slot;
	size_t len = strlen(text);

	if (!len && metrics) /* off */
		return NULL;
	if (*text == '[' && (end = strchr(text, ']'))) {
		len = end - ++text;
		port_text = end[1] == ':' ? end + 2 : end[1] ? "" : NULL;
	} else if ((end = strchr(text, ':')) && !strchr(end + 1, ':')) {
		len = end - text;
		port_text = end + 1;
	}
	if (port_text &&
		(!parse_digits(port_text, &port, &end) || *end || !port || port > UINT16_MAX))
		return "has no valid port (example: 192.0.2.1:1701)";
	if (len >= sizeof(host))
		return "is not an address";
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_parse(host, port, &parsed))
		return "is not an address";
	slot = list_append(option, base, sizeof(*slot));
	if (!slot)
		return "does not fit into memory";
	*slot = parsed;
	return NULL;
}

static const char *parse_prefix(const struct config_option *option, const char *text, void *base)
{
	struct addr_prefix parsed, *slot;

	if (addr_prefix_parse(text, &parsed))
		return "is not a prefix, or has host bits (example: 192.0.2.0/24)";
	slot = list_append(option, base, sizeof(*slot));
	if (!slot)
		return "does not fit into memory";
	*slot = parsed;
	return NULL;
}

static bool parse_ipv4(const char *text, size_t len, uint32_t *ret_addr)
{
	char copy[INET_ADDRSTRLEN];
	struct in_addr in;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, &in) != 1)
		return false;
	*ret_addr = ntohl(in.s_addr);
	return true;
}

static const char *parse_range(const struct config_option *option, const char *text, void *base)
{
	const char *minus = strchr(text, '-');
	struct config_pool_range parsed, *slot;
	struct addr_prefix prefix;

	if (minus) {
		if (!parse_ipv4(text, minus - text, &parsed.first) ||
			!parse_ipv4(minus + 1, strlen(minus + 1), &parsed.last))
			return "is not a range of IPv4 addresses (example: 100.64.0.2-100.64.0.254)";
		if (parsed.first > parsed.last)
			return "ends before it begins";
	} else {
		if (addr_prefix_parse(text, &prefix) || prefix.addr.sa.sa_family != AF_INET)
			return "is not a range of IPv4 addresses (example: 100.64.0.2-100.64.0.254)";
		parsed.first = ntohl(prefix.addr.in4.sin_addr.s_addr);
		parsed.last = parsed.first + (uint32_t)((UINT64_C(1) << (32 - prefix.len)) - 1);
	}
	if (parsed.last - parsed.first >= POOL_MAX)
		return "has more than 16777216 addresses";
	if (parsed.first < 0x01000000 || parsed.last >= 0xe0000000)
		return "has addresses that no host can have";
	slot = list_append(option, base, sizeof(*slot));
	if (!slot)
		return "does not fit into memory";
	*slot = parsed;
	return NULL;
}

static const char *parse_secret(const struct config_option *option, const char *text, void *field)
{
	struct l2tp_secret *secret = field;
	size_t len = strlen(text);

	(void)option;
	if (!len)
		return "is empty";
	if (len > sizeof(secret->data))
		return "is longer than 255 octets";
	memcpy(secret->data, text, len);
	secret->len = len;
	return NULL;
}

static const char *parse_cookie(const struct config_option *option, const char *text, void *field)
{
	struct kernel_cookie *cookie = field;
	size_t len = strlen(text);
	unsigned int octet;

	(void)option;
	if ((len != 8 && len != 16) || strspn(text, "0123456789abcdefABCDEF") != len)
		return "is not 8 or 16 hexadecimal digits";
	for (cookie->len = 0; cookie->len < len / 2; cookie->len++) {
		sscanf(text + 2 * (size_t)cookie->len, "%2x", &octet);
		cookie->octets[cookie->len] = (uint8_t)octet;
	}
	return NULL;
}

/* ---- the types ---- */

static const struct {
	const char *(*parse)(const struct config_option *option, const char *text, void *field);
	bool grows; /* parse gets the base of the struct, to append */
} types[] = {
	[CONFIG_BOOL] = { parse_bool, false },
	[CONFIG_UINT] = { parse_uint, false },
	[CONFIG_TIME] = { parse_time, false },
	[CONFIG_RATE] = { parse_rate, false },
	[CONFIG_STRING] = { parse_string, false },
	[CONFIG_PATH] = { parse_string, false },
	[CONFIG_NAME] = { parse_string, false },
	[CONFIG_ENUM] = { parse_word, false },
	[CONFIG_SET] = { parse_word, false },
	[CONFIG_ADDRESS] = { parse_address, false },
	[CONFIG_LISTEN] = { parse_listen, true },
	[CONFIG_PREFIX] = { parse_prefix, true },
	[CONFIG_RANGE] = { parse_range, true },
	[CONFIG_SECRET] = { parse_secret, false },
	[CONFIG_COOKIE] = { parse_cookie, false },
	[CONFIG_FILE] = { NULL, false },
};

/* The shortest exact text of a time: "90s", "2m". */
static void print_time(uint64_t microseconds, FILE *out)
{
	size_t unit = 0;

	while (unit < TIME_UNITS - 2 && (!microseconds || microseconds % time_units[unit].length))
		unit++;
	if (!microseconds)
		unit = 2;
	fprintf(out, "%" PRIu64 "%s", microseconds / time_units[unit].length,
		time_units[unit].name);
}

void config_range_print(const struct config_option *option, FILE *out)
{
	fputs("from ", out);
	if (option->type == CONFIG_TIME)
		print_time(option->range.min, out);
	else
		fprintf(out, "%" PRIu64, option->range.min);
	fputs(" to ", out);
	if (option->type == CONFIG_TIME)
		print_time(option->range.max, out);
	else
		fprintf(out, "%" PRIu64, option->range.max);
}

static void print_words(const struct config_option *option, const char *last, FILE *out)
{
	for (const struct config_word *word = option->words; word->word; word++)
		fprintf(out, "%s%s",
			word == option->words ? ""
			: word[1].word        ? ", "
					      : last,
			word->word);
}

bool config_value_parse(const struct config_option *option, const char *text, void *base,
	char *reason, size_t reason_size)
{
	const char *wrong = option->check ? option->check(text) : NULL;
	FILE *out;

	if (!wrong)
		wrong = types[option->type].parse(
			option, text, types[option->type].grows ? base : field_of(option, base));
	if (!wrong)
		return true;
	out = fmemopen(reason, reason_size, "w");
	if (!out)
		return false;
	fputs(wrong, out);
	if (option->words) {
		fputs(" (one of ", out);
		print_words(option, ", ", out);
		fputc(')', out);
	} else if (option->range.max && !strcmp(wrong, "is out of range")) {
		fputs(" (", out);
		config_range_print(option, out);
		fputc(')', out);
	} else if (!strcmp(wrong, "is too long")) {
		fprintf(out, " (at most %zu characters)", option->field.size - 1);
	}
	fclose(out);
	reason[reason_size - 1] = '\0';
	return false;
}

/* ---- printing values ---- */

static void print_quoted(const char *text, FILE *out)
{
	bool plain = !strpbrk(text, "\"\\$");

	fputc(plain ? '"' : '\'', out);
	for (; *text; text++) {
		if (!plain && (*text == '\'' || *text == '\\'))
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc(plain ? '"' : '\'', out);
}

/* The value-th value of the field; false when there is none (anymore). */
static bool print_value(
	const struct config_option *option, const void *base, size_t index, FILE *out)
{
	const void *field = field_of(option, base);
	size_t count = option->count_offset ? *(size_t *)((char *)base + option->count_offset) : 1;
	char text[ADDR_TEXT], text2[ADDR_TEXT];
	const void *array;

	if (option->type == CONFIG_ADDRESS)
		count = option->field.size / sizeof(union addr);
	else if (option->type == CONFIG_SET)
		for (count = 0; option->words[count].word;)
			count++;
	if (index >= count)
		return false;
	switch (option->type) {
	case CONFIG_BOOL:
		fputs((option->field.size == sizeof(uint16_t) ? *(uint16_t *)field : *(bool *)field)
				? "true"
				: "false",
			out);
		break;
	case CONFIG_UINT: {
		uint32_t number = option->field.size == sizeof(uint16_t) ? *(uint16_t *)field
									 : *(uint32_t *)field;

		if (number < option->range.min) /* not given */
			return false;
		fprintf(out, "%" PRIu32, number);
		break;
	}
	case CONFIG_TIME:
		print_time(option->field.size == sizeof(uint64_t)
				   ? *(uint64_t *)field
				   : *(unsigned int *)field * CONFIG_SECOND,
			out);
		break;
	case CONFIG_RATE:
		print_quoted(rate_text(*(uint64_t *)field, text), out);
		break;
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_NAME:
		if (!*(const char *)field)
			return false;
		print_quoted(field, out);
		break;
	case CONFIG_ENUM:
		for (const struct config_word *word = option->words; word->word; word++) {
			if (word->value == *(int *)field) {
				print_quoted(word->word, out);
				return true;
			}
		}
		return false;
	case CONFIG_SET:
		if (*(unsigned int *)field & option->words[index].value)
			print_quoted(option->words[index].word, out);
		break;
	case CONFIG_ADDRESS:
		if (((union addr *)field)[index].sa.sa_family == AF_UNSPEC)
			return false;
		print_quoted(addr_text_host((union addr *)field + index, text), out);
		break;
	case CONFIG_LISTEN:
		memcpy(&array, field, sizeof(array));
		print_quoted(addr_text((union addr *)array + index, text), out);
		break;
	case CONFIG_PREFIX: {
		memcpy(&array, field, sizeof(array));
		const struct addr_prefix *prefix = (struct addr_prefix *)array + index;
		fprintf(out, "\"%s/%u\"", addr_text_host(&prefix->addr, text), prefix->len);
		break;
	}
	case CONFIG_RANGE: {
		memcpy(&array, field, sizeof(array));
		const struct config_pool_range *range = (struct config_pool_range *)array + index;
		struct in_addr first = { htonl(range->first) }, last = { htonl(range->last) };
		fprintf(out, "\"%s-%s\"", inet_ntop(AF_INET, &first, text, sizeof(text)),
			inet_ntop(AF_INET, &last, text2, sizeof(text2)));
		break;
	}
	case CONFIG_SECRET:
	case CONFIG_COOKIE:
	case CONFIG_FILE:
		return false;
	}
	return true;
}

void config_value_print(
	const struct config_option *option, const void *base, const char *indent, FILE *out)
{
	char *text = NULL;
	size_t size;
	FILE *value;

	if ((option->type == CONFIG_SECRET &&
		    ((struct l2tp_secret *)field_of(option, base))->len) ||
		(option->type == CONFIG_COOKIE &&
			((struct kernel_cookie *)field_of(option, base))->len))
		fprintf(out, "%s# %s is set\n", indent, option->name);
	for (size_t i = 0, printed = 0;; i++) {
		bool more;

		value = open_memstream(&text, &size);
		if (!value)
			return;
		more = print_value(option, base, i, value);
		if (fclose(value) || !more) {
			fputs(!printed ? "" : option->list ? " }\n" : "\n", out);
			free(text);
			return;
		}
		if (*text) {
			if (printed++)
				fprintf(out, ", %s", text);
			else
				fprintf(out, "%s%s = %s%s", indent, option->name,
					option->list ? "{ " : "", text);
		}
		free(text);
		text = NULL;
	}
}
