/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attribute lists: the dictionary, adding with its limits, tags, decoding of good and bad octets.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "radius/dictionary.h"

#define IS_KNOWN(id, number, name, type)                                                           \
	cr_expect_str_eq(radius_attr_name(id), name);                                              \
	cr_expect_eq(radius_attr_code(name), (radius_code)(id));                                   \
	cr_expect_lt(sizeof(name) - 1, 33, "%s is too long", name);

Test(attrs, every_code_is_in_the_dictionary)
{
	RADIUS_ATTRS_RARE(IS_KNOWN)
	RADIUS_ATTRS_COMMON(IS_KNOWN)
	RADIUS_ATTRS_CISCO(IS_KNOWN)
	RADIUS_ATTRS_MICROSOFT(IS_KNOWN)
	RADIUS_ATTRS_ASCEND(IS_KNOWN)
	RADIUS_ATTRS_ADSL_FORUM(IS_KNOWN)
	RADIUS_ATTRS_WISPR(IS_KNOWN)
	RADIUS_ATTRS_MIKROTIK(IS_KNOWN)
	cr_expect_eq(radius_attr_code("No-Such-Thing"), 0);
	cr_expect_null(radius_attr_name(RADIUS_VENDOR(9, 77)));
	cr_expect_eq(radius_dictionary_find(RADIUS_EVENT_TIMESTAMP)->type, PW_TYPE_INTEGER);
}

static void expect_wire(const struct radius_attrs *attrs, const void *octets, size_t len)
{
	uint8_t wire[4096];
	int wire_len = radius_attrs_encode(attrs, wire, sizeof(wire));

	cr_assert_eq(wire_len, (int)len, "%d octets instead of %zu", wire_len, len);
	cr_expect_arr_eq(wire, octets, len);
}

Test(attrs, values_on_the_wire)
{
	static const uint8_t wire[] = {
		1, 5, 'b', 'o', 'b',                       /* User-Name */
		27, 6, 0, 0, 14, 16,                       /* Session-Timeout 3600 */
		8, 6, 192, 0, 2, 1,                        /* Framed-IP-Address */
		95, 18, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0,    /* NAS-IPv6-Address */
		0, 0, 0, 0, 0, 0, 0, 1,                    /* */
		26, 12, 0, 0, 1, 55, 28, 6, 192, 0, 2, 53, /* MS-Primary-DNS-Server */
		64, 6, 3, 0, 0, 3,                         /* Tunnel-Type:3 L2TP */
		66, 5, 1, 'a', 'b',                        /* Tunnel-Client-Endpoint:1 */
		66, 4, 'a', 'b',                           /* untagged */
		67, 4, 0, 5,                               /* untagged, looks like a tag */
	};
	struct radius_attrs *attrs = radius_attrs_new();
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	inet_pton(AF_INET, "192.0.2.1", &in4.sin_addr);
	inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr);
	cr_expect_eq(radius_add_string(attrs, RADIUS_USER_NAME, 0, "bob"), 0);
	cr_expect_eq(radius_add_u32(attrs, RADIUS_SESSION_TIMEOUT, 0, 3600), 0);
	cr_expect_eq(radius_add_addr(attrs, RADIUS_FRAMED_IP_ADDRESS, (struct sockaddr *)&in4), 0);
	cr_expect_eq(radius_add_addr(attrs, RADIUS_NAS_IPV6_ADDRESS, (struct sockaddr *)&in6), 0);
	cr_expect_eq(radius_add_u32(attrs, RADIUS_MS_PRIMARY_DNS_SERVER, 0, 0xc0000235), 0);
	cr_expect_eq(radius_add_u32(attrs, RADIUS_TUNNEL_TYPE, 3, RADIUS_TUNNEL_L2TP), 0);
	cr_expect_eq(radius_add_string(attrs, RADIUS_TUNNEL_CLIENT_ENDPOINT, 1, "ab"), 0);
	cr_expect_eq(radius_add_string(attrs, RADIUS_TUNNEL_CLIENT_ENDPOINT, 0, "ab"), 0);
	cr_expect_eq(radius_add_string(attrs, RADIUS_TUNNEL_SERVER_ENDPOINT, 0, "\005"), 0);
	expect_wire(attrs, wire, sizeof(wire));
	radius_attrs_free(attrs);
}

Test(attrs, what_cannot_be_added)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char text[300];

	memset(text, 'x', sizeof(text));
	text[254] = '\0';
	cr_expect_eq(radius_add_string(attrs, RADIUS_CLASS, 0, text), -EMSGSIZE);
	cr_expect_eq(radius_add_octets(attrs, RADIUS_CISCO_AVPAIR, text, 248), -EMSGSIZE);
	cr_expect_eq(radius_add_string(attrs, RADIUS_TUNNEL_CLIENT_ENDPOINT, 1, text + 1),
		-EMSGSIZE); /* 253 and the tag */
	cr_expect_eq(radius_add_string(attrs, RADIUS_CLASS, 1, "x"), -EINVAL);
	cr_expect_eq(radius_add_string(attrs, RADIUS_TUNNEL_CLIENT_ENDPOINT, 32, "x"), -EINVAL);
	cr_expect_eq(radius_add_string(attrs, RADIUS_SESSION_TIMEOUT, 0, "x"), -EINVAL);
	cr_expect_eq(radius_add_u32(attrs, RADIUS_USER_NAME, 0, 1), -EINVAL);
	cr_expect_eq(radius_add_u32(attrs, RADIUS_TUNNEL_TYPE, 1, 1 << 24), -EINVAL);
	cr_expect_eq(radius_add_u32(attrs, RADIUS_VENDOR(9, 99), 0, 1), -ENOENT);
	cr_expect_eq(radius_add_octets(attrs, 240, "x", 1), -ENOENT);
	cr_expect_eq(radius_add_octets(attrs, RADIUS_SESSION_TIMEOUT, "xxx", 3), -EINVAL);
	cr_expect_eq(
		radius_add_addr(attrs, RADIUS_FRAMED_IP_ADDRESS, (struct sockaddr *)&in6), -EINVAL);
	cr_expect_eq(
		radius_add_addr(attrs, RADIUS_NAS_IPV6_ADDRESS, (struct sockaddr *)&in4), -EINVAL);
	cr_expect_eq(radius_add_string(attrs, RADIUS_CALLED_STATION_ID, 0, ""), 0);
	expect_wire(attrs, "", 0);

	cr_expect_eq(radius_add_octets(attrs, RADIUS_CISCO_AVPAIR, text, 247), 0);
	cr_expect_eq(radius_add_octets(attrs, RADIUS_CLASS, text, 253), 0);
	cr_expect_eq(radius_attrs_encode(attrs, (uint8_t *)text, 509), -ENOSPC);
	radius_attrs_free(attrs);
}

Test(attrs, looking)
{
	static const uint8_t wire[] = {
		25, 4, 'a', 0,                              /* Class, two of them */
		25, 3, 'b',                                 /* */
		82, 4, 2, 'x',                              /* Tunnel-Assignment-Id:2 */
		64, 6, 2, 0, 0, 3,                          /* Tunnel-Type:2 */
		97, 6, 0, 20, 0x20, 1,                      /* Framed-IPv6-Prefix 2001:.../20 */
		97, 20, 0, 60, 0x20, 1, 0xd, 0xb8, 1, 2, 3, /* .../60, host bits set */
		0xff, 0xff, 1, 2, 3, 4, 5, 6, 7,            /* */
		241, 4, 1, 2,                               /* not in the dictionary */
		26, 9, 0, 0, 0, 9, 77, 3, 'z',              /* known vendor, unknown attribute */
		26, 9, 0, 0, 0xff, 0xff, 1, 3, 'z',         /* unknown vendor */
	};
	struct radius_attrs *attrs;
	struct in6_addr prefix;
	const uint8_t *data;
	unsigned int prefix_len;
	uint32_t value;
	size_t len;
	char text[8];

	cr_assert_eq(radius_attrs_decode(wire, sizeof(wire), &attrs), 0);
	cr_assert(radius_get_octets(attrs, RADIUS_CLASS, 1, &data, &len));
	cr_expect(len == 1 && *data == 'b');
	cr_expect_not(radius_get_octets(attrs, RADIUS_CLASS, 2, &data, &len));
	cr_expect_not(radius_get_string(attrs, RADIUS_CLASS, text, sizeof(text)), "inner NUL");
	cr_expect(radius_get_string(attrs, RADIUS_TUNNEL_ASSIGNMENT_ID, text, sizeof(text)));
	cr_expect_str_eq(text, "x");
	cr_expect_not(radius_get_string(attrs, RADIUS_TUNNEL_ASSIGNMENT_ID, text, 1), "no room");
	cr_expect_eq(radius_get_tag(attrs, RADIUS_TUNNEL_ASSIGNMENT_ID, 0), 2);
	cr_expect_eq(radius_get_tag(attrs, RADIUS_CLASS, 0), 0);
	cr_expect(radius_get_u32(attrs, RADIUS_TUNNEL_TYPE, &value) && value == 3);
	cr_expect_not(radius_get_u32(attrs, RADIUS_CLASS, &value));
	cr_assert(radius_get_prefix6(attrs, RADIUS_FRAMED_IPV6_PREFIX, 0, &prefix, &prefix_len));
	cr_expect_eq(prefix_len, 20);
	cr_expect_arr_eq(&prefix, "\x20\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	cr_assert(radius_get_prefix6(attrs, RADIUS_FRAMED_IPV6_PREFIX, 1, &prefix, &prefix_len));
	cr_expect_arr_eq(&prefix, "\x20\x01\x0d\xb8\1\2\3\xf0\0\0\0\0\0\0\0\0", 16);
	cr_expect(radius_get_octets(attrs, 241, 0, &data, &len) && len == 2);
	cr_expect(radius_get_octets(attrs, RADIUS_VENDOR(9, 77), 0, &data, &len) && *data == 'z');
	cr_expect(radius_get_octets(attrs, RADIUS_VENDOR_SPECIFIC, 0, &data, &len) && len == 7);
	expect_wire(attrs, wire, sizeof(wire));
	radius_attrs_free(attrs);
}

struct walk {
	char names[256];
	unsigned int left;
};

static bool walk_name(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	struct walk *walk = ctx;
	size_t used = strlen(walk->names);

	(void)data;
	snprintf(walk->names + used, sizeof(walk->names) - used, "%s/%x/%zu ", name, code, len);
	return --walk->left > 0;
}

Test(attrs, walking)
{
	static const uint8_t wire[] = { 1, 3, 'u', 241, 4, 1, 2, 26, 9, 0, 0, 0, 9, 77, 3, 'z', 64,
		6, 1, 0, 0, 3 };
	struct walk walk = { .left = 99 };
	struct radius_attrs *attrs, *copy;

	cr_assert_eq(radius_attrs_decode(wire, sizeof(wire), &attrs), 0);
	copy = radius_attrs_copy(attrs);
	radius_attrs_free(attrs);
	radius_attrs_each(copy, walk_name, &walk);
	cr_expect_str_eq(
		walk.names, "User-Name/1/1 Attr-241/f1/2 Attr-9.77/9004d/1 Tunnel-Type/40/3 ");
	walk = (struct walk){ .left = 1 };
	radius_attrs_each(copy, walk_name, &walk);
	cr_expect_str_eq(walk.names, "User-Name/1/1 ");
	radius_attrs_free(copy);
}

static void expect_bad(const char *wire, size_t len, const char *what)
{
	struct radius_attrs *attrs = NULL;

	cr_expect_eq(radius_attrs_decode((const uint8_t *)wire, len, &attrs), -EBADMSG, "%s", what);
	cr_expect_null(attrs);
}

Test(attrs, octets_that_are_refused)
{
	uint8_t many[3 * 513];
	struct radius_attrs *attrs;
	size_t i;

	expect_bad("\1", 1, "half a header");
	expect_bad("\1\0", 2, "length 0");
	expect_bad("\1\1", 2, "length 1");
	expect_bad("\1\3x\1\4x", 6, "beyond the end");
	expect_bad("\33\5\0\0\1", 5, "integer of three octets");
	expect_bad("\10\7\1\2\3\4\5", 7, "address of five octets");
	expect_bad("\137\6\1\2\3\4", 6, "short IPv6 address");
	expect_bad("\141\4\0\201", 4, "prefix length 129");
	expect_bad("\141\3\0", 3, "prefix without a length");
	expect_bad("\141\25\0\200\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21", 21, "long prefix");
	expect_bad("\100\5\1\0\3", 5, "tagged integer of three octets");
	expect_bad("\32\5\0\0\1", 5, "vendor of three octets");
	for (i = 0; i < sizeof(many); i += 3)
		memcpy(many + i, "\31\3x", 3);
	expect_bad((char *)many, sizeof(many), "513 attributes");
	cr_assert_eq(radius_attrs_decode(many, sizeof(many) - 3, &attrs), 0);
	radius_attrs_free(attrs);
}

/* A vendor may write what it likes into its attribute: kept whole, and nothing else is lost. */
Test(attrs, irregular_vendor_attributes)
{
	static const uint8_t wire[] = {
		26, 9, 0, 0, 0, 9, 1, 9, 'x',             /* inner length beyond the end */
		26, 9, 0, 0, 1, 55, 7, 3, 'x',            /* inner integer of one octet */
		26, 6, 0, 0, 0, 9,                        /* no inner attribute */
		26, 12, 0, 0, 0, 9, 1, 3, 'a', 1, 3, 'b', /* two in one */
	};
	const uint8_t *data;
	struct radius_attrs *attrs;
	size_t len;

	cr_assert_eq(radius_attrs_decode(wire, sizeof(wire), &attrs), 0);
	cr_expect(radius_get_octets(attrs, RADIUS_VENDOR_SPECIFIC, 0, &data, &len) && len == 7);
	cr_expect(radius_get_octets(attrs, RADIUS_VENDOR_SPECIFIC, 1, &data, &len) && len == 7);
	cr_expect(radius_get_octets(attrs, RADIUS_VENDOR_SPECIFIC, 2, &data, &len) && len == 4);
	cr_expect(radius_get_octets(attrs, RADIUS_CISCO_AVPAIR, 0, &data, &len) && *data == 'a');
	cr_expect(radius_get_octets(attrs, RADIUS_CISCO_AVPAIR, 1, &data, &len) && *data == 'b');
	radius_attrs_free(attrs);
}
