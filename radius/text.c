// SPDX-License-Identifier: BSD-2-Clause
/*
 * text: values of attributes for people, and for programs that read what FreeRADIUS writes.
 */
#include "radius/dictionary.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The length of a character of UTF-8 that no terminal obeys, 0 when it is none. */
static size_t char_len(const uint8_t *data, size_t len)
{
	size_t need = data[0] < 0x80 ? 1 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;

	if (data[0] < ' ' || data[0] == 0x7f || (data[0] >= 0x80 && data[0] < 0xc2) ||
		data[0] > 0xf4 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	if (need == 2 && data[0] == 0xc2 && data[1] < 0xa0)
		return 0;
	return need;
}

static bool is_text(const uint8_t *data, size_t len)
{
	size_t at = 0, step = 1;

	while (at < len && (step = char_len(data + at, len - at)))
		at += step;
	return len > 0 && step > 0;
}

static void write_hex(const uint8_t *data, size_t len, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "0x");

	for (size_t i = 0; i < len && used + 2 < size; i++, used += 2)
		snprintf(out + used, size - used, "%02x", data[i]);
}

static enum radius_text write_octets(const uint8_t *data, size_t len, char *out, size_t size)
{
	if (!is_text(data, len)) {
		write_hex(data, len, out, size);
		return RADIUS_TEXT_BARE;
	}
	snprintf(out, size, "%.*s", (int)len, (const char *)data);
	return RADIUS_TEXT_STRING;
}

static enum radius_text write_number(const uint8_t *data, size_t len, char *out, size_t size)
{
	uint32_t value = 0;

	for (size_t i = 0; i < len && i < sizeof(value); i++)
		value = value << 8 | data[i];
	snprintf(out, size, "%u", value);
	return RADIUS_TEXT_NUMBER;
}

static bool write_addr(int family, const uint8_t *data, size_t len, char *out, size_t size)
{
	return len == (family == AF_INET ? 4 : 16) &&
	       inet_ntop(family, data, out, (socklen_t)size) != NULL;
}

/* RFC 3162 section 2.3: reserved octet, length, as many octets as are needed. */
static bool write_prefix6(const uint8_t *data, size_t len, char *out, size_t size)
{
	struct in6_addr addr = { 0 };
	char text[INET6_ADDRSTRLEN];

	if (len < 2 || len > 18 || data[1] > 128)
		return false;
	memcpy(&addr, data + 2, len - 2);
	inet_ntop(AF_INET6, &addr, text, sizeof(text));
	snprintf(out, size, "%s/%u", text, data[1]);
	return true;
}

enum radius_text radius_value_text(
	radius_code code, const uint8_t *data, size_t len, char *out, size_t size)
{
	bool is_written = false;

	switch (radius_dictionary_kind(code)) {
	case RADIUS_KIND_U32:
	case RADIUS_KIND_TAG_U24:
		return write_number(data, len, out, size);
	case RADIUS_KIND_ADDR4:
		is_written = write_addr(AF_INET, data, len, out, size);
		break;
	case RADIUS_KIND_ADDR6:
		is_written = write_addr(AF_INET6, data, len, out, size);
		break;
	case RADIUS_KIND_PREFIX6:
		is_written = write_prefix6(data, len, out, size);
		break;
	case RADIUS_KIND_OCTETS:
	case RADIUS_KIND_TAG_OCTETS:
		return write_octets(data, len, out, size);
	case RADIUS_KIND_TAG_SALTED:
		break;
	}
	if (!is_written)
		write_hex(data, len, out, size);
	return RADIUS_TEXT_BARE;
}
