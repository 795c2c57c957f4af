/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attrs: lists of attributes, over libradcli's VALUE_PAIR.
 *
 * Owner: whoever called radius_attrs_new, _copy or _decode. Every pair holds in strvalue the octets
 * of the value exactly as they stand on the wire, tag included, whatever its type; integers and
 * IPv4 addresses also in lvalue, in host order. Pairs are made, linked and decoded here:
 * libradcli's own functions walk the list for each append, wrap the length of long vendor
 * attributes, recurse over received ones and know no tags.
 *
 * RFC 2865 section 5 (format), 2868 section 3 (tags), 3162 section 2 (prefixes). A vendor attribute
 * that does not follow the recommended format is kept whole as Vendor-Specific.
 */
#include "radius/radius.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "radius/dictionary.h"

#define ATTR_HEADER   2
#define VENDOR_HEADER (ATTR_HEADER + 4)
#define VALUE_MAX     253
#define VSA_VALUE_MAX (VALUE_MAX - 4 - ATTR_HEADER)
#define TAG_MAX       31
#define DECODE_MAX    512 /* attributes of one packet: more is not meant well */

struct radius_attrs {
	VALUE_PAIR *first, *last;
};

struct radius_attrs *radius_attrs_new(void)
{
	return calloc(1, sizeof(struct radius_attrs));
}

void radius_attrs_free(struct radius_attrs *attrs)
{
	VALUE_PAIR *pair, *next;

	if (!attrs)
		return;
	for (pair = attrs->first; pair; pair = next) {
		next = pair->next;
		explicit_bzero(pair, sizeof(*pair));
		free(pair);
	}
	free(attrs);
}

static void attrs_link(struct radius_attrs *attrs, VALUE_PAIR *pair)
{
	pair->next = NULL;
	if (attrs->last)
		attrs->last->next = pair;
	else
		attrs->first = pair;
	attrs->last = pair;
}

struct radius_attrs *radius_attrs_copy(const struct radius_attrs *attrs)
{
	struct radius_attrs *copy = radius_attrs_new();
	const VALUE_PAIR *pair;

	if (!copy)
		return NULL;
	for (pair = attrs->first; pair; pair = pair->next) {
		VALUE_PAIR *twin = malloc(sizeof(*twin));

		if (!twin) {
			radius_attrs_free(copy);
			return NULL;
		}
		memcpy(twin, pair, sizeof(*twin));
		attrs_link(copy, twin);
	}
	return copy;
}

radius_code radius_attr_code(const char *name)
{
	const DICT_ATTR *entry = radius_dictionary_find_name(name);

	return entry ? RADIUS_FROM_RADCLI(entry->value) : 0;
}

const char *radius_attr_name(radius_code code)
{
	const DICT_ATTR *entry = radius_dictionary_find(code);

	return entry ? entry->name : NULL;
}

static radius_code pair_code(const VALUE_PAIR *pair)
{
	return RADIUS_FROM_RADCLI(pair->attribute);
}

static const uint8_t *pair_octets(const VALUE_PAIR *pair)
{
	return (const uint8_t *)pair->strvalue;
}

static size_t pair_len(const VALUE_PAIR *pair)
{
	return pair->type == PW_TYPE_INTEGER || pair->type == PW_TYPE_IPADDR ? 4 : pair->lvalue;
}

static uint32_t get_be32(const uint8_t *octets)
{
	uint32_t value;

	memcpy(&value, octets, sizeof(value));
	return ntohl(value);
}

/* Whether octets as on the wire can be a value of that kind. */
static bool value_fits(enum radius_kind kind, const uint8_t *octets, size_t len)
{
	switch (kind) {
	case RADIUS_KIND_OCTETS:
	case RADIUS_KIND_TAG_OCTETS:
	case RADIUS_KIND_TAG_SALTED:
		return true;
	case RADIUS_KIND_U32:
	case RADIUS_KIND_ADDR4:
	case RADIUS_KIND_TAG_U24:
		return len == 4;
	case RADIUS_KIND_ADDR6:
		return len == 16;
	case RADIUS_KIND_PREFIX6:
		return len >= 2 && len <= 18 && octets[1] <= 128;
	}
	return false;
}

/* The number of tag octets at the start of a value. */
static size_t value_tag_len(enum radius_kind kind, const uint8_t *octets, size_t len)
{
	switch (kind) {
	case RADIUS_KIND_TAG_OCTETS:
		return len && octets[0] <= TAG_MAX ? 1 : 0;
	case RADIUS_KIND_TAG_U24:
	case RADIUS_KIND_TAG_SALTED:
		return len ? 1 : 0;
	default:
		return 0;
	}
}

/* Appends a checked value as on the wire; entry NULL: not in the dictionary. 0 or -ENOMEM. */
static int attrs_append(struct radius_attrs *attrs, radius_code code, const DICT_ATTR *entry,
	const uint8_t *octets, size_t len)
{
	VALUE_PAIR *pair = calloc(1, sizeof(*pair));

	if (!pair)
		return -ENOMEM;
	if (entry)
		memcpy(pair->name, entry->name, sizeof(pair->name));
	else if (code >> 16)
		snprintf(pair->name, sizeof(pair->name), "Attr-%u.%u", code >> 16, code & 0xffff);
	else
		snprintf(pair->name, sizeof(pair->name), "Attr-%u", code);
	pair->attribute = RADIUS_TO_RADCLI(code);
	pair->type = entry ? entry->type : PW_TYPE_STRING;
	memcpy(pair->strvalue, octets, len);
	pair->lvalue = len;
	if (pair->type == PW_TYPE_INTEGER || pair->type == PW_TYPE_IPADDR)
		pair->lvalue = get_be32(octets);
	attrs_link(attrs, pair);
	return 0;
}

/* Appends tag_len octets of tag and the value, when they suit the attribute. */
static int attrs_add(struct radius_attrs *attrs, radius_code code, const uint8_t *tag,
	size_t tag_len, const void *data, size_t len)
{
	const DICT_ATTR *entry = radius_dictionary_find(code);
	uint8_t octets[VALUE_MAX];
	size_t max = code >> 16 ? VSA_VALUE_MAX : VALUE_MAX;
	int err;

	if (!entry)
		return -ENOENT;
	if (len > max - tag_len)
		return -EMSGSIZE;
	if (tag_len)
		memcpy(octets, tag, tag_len);
	if (len)
		memcpy(octets + tag_len, data, len);
	if (!value_fits(radius_dictionary_kind(code), octets, tag_len + len))
		err = -EINVAL;
	else
		err = attrs_append(attrs, code, entry, octets, tag_len + len);
	explicit_bzero(octets, sizeof(octets));
	return err;
}

static int add_text(struct radius_attrs *attrs, radius_code code, unsigned int tag,
	const void *data, size_t len)
{
	enum radius_kind kind = radius_dictionary_kind(code);
	const uint8_t *octets = data;
	uint8_t tag_octet = (uint8_t)tag;
	size_t tag_len = 0;

	if (!len && code != RADIUS_USER_PASSWORD)
		return radius_dictionary_find(code) ? 0 : -ENOENT;
	/*
	 * Untagged text needs a tag octet of zero only when its first octet would be taken for one.
	 */
	if (kind == RADIUS_KIND_TAG_OCTETS)
		tag_len = tag || octets[0] <= TAG_MAX ? 1 : 0;
	else if (kind == RADIUS_KIND_TAG_SALTED)
		tag_len = 1;
	else if (tag)
		return -EINVAL;
	return tag > TAG_MAX ? -EINVAL : attrs_add(attrs, code, &tag_octet, tag_len, data, len);
}

int radius_add_string(
	struct radius_attrs *attrs, radius_code code, unsigned int tag, const char *text)
{
	enum radius_kind kind = radius_dictionary_kind(code);

	if (kind != RADIUS_KIND_OCTETS && kind != RADIUS_KIND_TAG_OCTETS)
		return -EINVAL;
	return add_text(attrs, code, tag, text, strlen(text));
}

int radius_add_octets(struct radius_attrs *attrs, radius_code code, const void *data, size_t len)
{
	return add_text(attrs, code, 0, data, len);
}

int radius_add_u32(struct radius_attrs *attrs, radius_code code, unsigned int tag, uint32_t value)
{
	uint32_t wire = htonl(value);

	switch (radius_dictionary_kind(code)) {
	case RADIUS_KIND_U32:
	case RADIUS_KIND_ADDR4:
		return tag ? -EINVAL : attrs_add(attrs, code, NULL, 0, &wire, sizeof(wire));
	case RADIUS_KIND_TAG_U24:
		if (tag > TAG_MAX || value > 0xffffff)
			return -EINVAL;
		wire = htonl((uint32_t)tag << 24 | value);
		return attrs_add(attrs, code, NULL, 0, &wire, sizeof(wire));
	default:
		return radius_dictionary_find(code) ? -EINVAL : -ENOENT;
	}
}

int radius_add_addr(struct radius_attrs *attrs, radius_code code, const struct sockaddr *addr)
{
	enum radius_kind kind = radius_dictionary_kind(code);
	uint8_t prefix[18] = { 0, 128 };

	if (addr->sa_family == AF_INET && kind == RADIUS_KIND_ADDR4) {
		const struct sockaddr_in *in4 = (const struct sockaddr_in *)addr;

		return attrs_add(attrs, code, NULL, 0, &in4->sin_addr, 4);
	}
	if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

		if (kind == RADIUS_KIND_ADDR6)
			return attrs_add(attrs, code, NULL, 0, &in6->sin6_addr, 16);
		memcpy(prefix + 2, &in6->sin6_addr, 16);
		if (kind == RADIUS_KIND_PREFIX6)
			return attrs_add(attrs, code, NULL, 0, prefix, sizeof(prefix));
	}
	return radius_dictionary_find(code) ? -EINVAL : -ENOENT;
}

static const VALUE_PAIR *attrs_find(
	const struct radius_attrs *attrs, radius_code code, unsigned int index)
{
	const VALUE_PAIR *pair;

	for (pair = attrs->first; pair; pair = pair->next)
		if (pair_code(pair) == code && index-- == 0)
			return pair;
	return NULL;
}

bool radius_get_octets(const struct radius_attrs *attrs, radius_code code, unsigned int index,
	const uint8_t **ret_data, size_t *ret_len)
{
	const VALUE_PAIR *pair = attrs_find(attrs, code, index);
	size_t skip;

	if (!pair)
		return false;
	skip = value_tag_len(radius_dictionary_kind(code), pair_octets(pair), pair_len(pair));
	*ret_data = pair_octets(pair) + skip;
	*ret_len = pair_len(pair) - skip;
	return true;
}

unsigned int radius_get_tag(const struct radius_attrs *attrs, radius_code code, unsigned int index)
{
	const VALUE_PAIR *pair = attrs_find(attrs, code, index);

	if (!pair ||
		!value_tag_len(radius_dictionary_kind(code), pair_octets(pair), pair_len(pair)))
		return 0;
	return pair_octets(pair)[0] <= TAG_MAX ? pair_octets(pair)[0] : 0;
}

bool radius_get_u32(const struct radius_attrs *attrs, radius_code code, uint32_t *ret_value)
{
	const VALUE_PAIR *pair = attrs_find(attrs, code, 0);

	if (!pair)
		return false;
	switch (radius_dictionary_kind(code)) {
	case RADIUS_KIND_U32:
	case RADIUS_KIND_ADDR4:
		*ret_value = pair->lvalue;
		return true;
	case RADIUS_KIND_TAG_U24:
		*ret_value = get_be32(pair_octets(pair)) & 0xffffff;
		return true;
	default:
		return false;
	}
}

bool radius_get_prefix6(const struct radius_attrs *attrs, radius_code code, unsigned int index,
	struct in6_addr *ret_prefix, unsigned int *ret_len)
{
	const VALUE_PAIR *pair = attrs_find(attrs, code, index);
	struct in6_addr prefix = { 0 };
	unsigned int len, i;

	if (!pair || radius_dictionary_kind(code) != RADIUS_KIND_PREFIX6)
		return false;
	len = pair_octets(pair)[1];
	memcpy(&prefix, pair_octets(pair) + 2, pair_len(pair) - 2);
	for (i = len; i < 128; i++)
		prefix.s6_addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	*ret_prefix = prefix;
	*ret_len = len;
	return true;
}

bool radius_get_string(const struct radius_attrs *attrs, radius_code code, char *out, size_t size)
{
	const uint8_t *data;
	size_t len;

	if (!radius_get_octets(attrs, code, 0, &data, &len) || len >= size || memchr(data, 0, len))
		return false;
	memcpy(out, data, len);
	out[len] = '\0';
	return true;
}

void radius_attrs_each(const struct radius_attrs *attrs, radius_attr_fn *fn, void *ctx)
{
	const VALUE_PAIR *pair;

	for (pair = attrs->first; pair; pair = pair->next) {
		radius_code code = pair_code(pair);
		size_t skip = value_tag_len(
			radius_dictionary_kind(code), pair_octets(pair), pair_len(pair));

		if (!fn(ctx, code, pair->name, pair_octets(pair) + skip, pair_len(pair) - skip))
			return;
	}
}

int radius_attrs_encode(const struct radius_attrs *attrs, uint8_t *buf, size_t size)
{
	const VALUE_PAIR *pair;
	size_t used = 0;

	for (pair = attrs->first; pair; pair = pair->next) {
		radius_code code = pair_code(pair);
		size_t len = ATTR_HEADER + pair_len(pair);
		size_t total = code >> 16 ? len + VENDOR_HEADER : len;
		uint32_t vendor = htonl(code >> 16);

		if (total > size - used)
			return -ENOSPC;
		if (vendor) {
			buf[used] = RADIUS_VENDOR_SPECIFIC;
			buf[used + 1] = (uint8_t)total;
			memcpy(buf + used + ATTR_HEADER, &vendor, sizeof(vendor));
			used += VENDOR_HEADER;
		}
		buf[used] = (uint8_t)code;
		buf[used + 1] = (uint8_t)len;
		memcpy(buf + used + ATTR_HEADER, pair_octets(pair), pair_len(pair));
		used += len;
	}
	return (int)used;
}

/* Whether the value of a Vendor-Specific is a row of well-formed attributes of a vendor we know. */
static bool vsa_is_regular(const uint8_t *value, size_t len)
{
	uint32_t vendor = get_be32(value);
	size_t at = 4;

	if (!radius_dictionary_has_vendor(vendor) || at == len)
		return false;
	while (at < len) {
		const uint8_t *attr = value + at;
		radius_code code = RADIUS_VENDOR(vendor, attr[0]);

		if (len - at < ATTR_HEADER || attr[1] < ATTR_HEADER || attr[1] > len - at)
			return false;
		if (attr[1] > ATTR_HEADER && !value_fits(radius_dictionary_kind(code),
						     attr + ATTR_HEADER, attr[1] - ATTR_HEADER))
			return false;
		at += attr[1];
	}
	return true;
}

static int decode_vsa(
	struct radius_attrs *attrs, unsigned int *count, const uint8_t *value, size_t len)
{
	uint32_t vendor;
	size_t at;

	if (len < 4)
		return -EBADMSG;
	if (!vsa_is_regular(value, len))
		return attrs_append(attrs, RADIUS_VENDOR_SPECIFIC,
			radius_dictionary_find(RADIUS_VENDOR_SPECIFIC), value, len);
	vendor = get_be32(value);
	for (at = 4; at < len; at += value[at + 1]) {
		radius_code code = RADIUS_VENDOR(vendor, value[at]);
		int err;

		if (value[at + 1] == ATTR_HEADER)
			continue;
		if (++*count > DECODE_MAX)
			return -EBADMSG;
		err = attrs_append(attrs, code, radius_dictionary_find(code),
			value + at + ATTR_HEADER, value[at + 1] - ATTR_HEADER);
		if (err)
			return err;
	}
	return 0;
}

static int decode_one(struct radius_attrs *attrs, unsigned int *count, radius_code code,
	const uint8_t *value, size_t len)
{
	if (!len || code == RADIUS_MESSAGE_AUTHENTICATOR)
		return 0;
	if (++*count > DECODE_MAX)
		return -EBADMSG;
	if (code == RADIUS_VENDOR_SPECIFIC)
		return decode_vsa(attrs, count, value, len);
	if (!value_fits(radius_dictionary_kind(code), value, len))
		return -EBADMSG;
	return attrs_append(attrs, code, radius_dictionary_find(code), value, len);
}

int radius_attrs_decode(const uint8_t *buf, size_t len, struct radius_attrs **ret_attrs)
{
	struct radius_attrs *attrs = radius_attrs_new();
	unsigned int count = 0;
	size_t at = 0;
	int err = attrs ? 0 : -ENOMEM;

	while (!err && at < len) {
		if (len - at < ATTR_HEADER || buf[at + 1] < ATTR_HEADER || buf[at + 1] > len - at) {
			err = -EBADMSG;
			break;
		}
		err = decode_one(
			attrs, &count, buf[at], buf + at + ATTR_HEADER, buf[at + 1] - ATTR_HEADER);
		at += buf[at + 1];
	}
	if (err)
		radius_attrs_free(attrs);
	else
		*ret_attrs = attrs;
	return err;
}
