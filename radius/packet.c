/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet: framing and cryptography of RADIUS packets.
 *
 * RFC 2865 sections 3 and 5.2 (User-Password), 2866 section 3, 2868 section 3.5, 2869 section 5.14,
 * 5997 section 3. Message-Authenticator always stands first in what we send, so that an attacker
 * cannot choose a prefix of the packet (CVE-2024-3596).
 */
#include "radius/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <stdlib.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "radius/digest.h"

#define ATTR_HEADER  2
#define BLOCK        16
#define SIGNED_ATTR  (ATTR_HEADER + RADIUS_AUTH_LEN)
#define INTEGER_ATTR (ATTR_HEADER + 4)

/* The room for the attributes of a body: what the packet layer adds must fit too. */
#define BODY_MAX (RADIUS_PACKET_MAX - RADIUS_HEADER_LEN - SIGNED_ATTR - 2 * INTEGER_ATTR)

/* Attributes that radius_packet_encode makes itself. */
static bool body_leaves_out(enum radius_packet_code code, uint8_t type)
{
	switch (type) {
	case RADIUS_USER_PASSWORD:
	case RADIUS_MESSAGE_AUTHENTICATOR:
		return true;
	case RADIUS_EVENT_TIMESTAMP:
	case RADIUS_ACCT_DELAY_TIME:
		return code == RADIUS_ACCOUNTING_REQUEST;
	default:
		return false;
	}
}

static int body_set_password(struct radius_body *body, const struct radius_attrs *attrs)
{
	const uint8_t *password;
	size_t len;

	if (!radius_get_octets(attrs, RADIUS_USER_PASSWORD, 0, &password, &len))
		return 0;
	if (len > RADIUS_PASSWORD_MAX)
		return -EMSGSIZE;
	memcpy(body->password, password, len);
	body->password_len = len;
	body->has_password = true;
	return 0;
}

static int body_set_octets(
	struct radius_body *body, enum radius_packet_code code, const uint8_t *octets, size_t len)
{
	size_t at;

	body->octets = malloc(len ? len : 1);
	if (!body->octets)
		return -ENOMEM;
	for (at = 0; at < len; at += octets[at + 1]) {
		if (body_leaves_out(code, octets[at]))
			continue;
		body->has_eap |= octets[at] == RADIUS_EAP_MESSAGE;
		memcpy(body->octets + body->len, octets + at, octets[at + 1]);
		body->len += octets[at + 1];
	}
	return body->len > BODY_MAX ? -EMSGSIZE : 0;
}

int radius_body_init(
	struct radius_body *body, enum radius_packet_code code, const struct radius_attrs *attrs)
{
	uint8_t octets[2 * RADIUS_PACKET_MAX];
	int len, err;

	memset(body, 0, sizeof(*body));
	if (!attrs)
		return 0;
	len = radius_attrs_encode(attrs, octets, sizeof(octets));
	err = len < 0 ? -EMSGSIZE : body_set_octets(body, code, octets, (size_t)len);
	if (!err)
		err = body_set_password(body, attrs);
	explicit_bzero(octets, len < 0 ? sizeof(octets) : (size_t)len); /* the password is in it */
	if (err)
		radius_body_wipe(body);
	return err;
}

void radius_body_wipe(struct radius_body *body)
{
	if (body->octets)
		explicit_bzero(body->octets, body->len);
	free(body->octets);
	explicit_bzero(body, sizeof(*body));
}

/* MD5(secret | a | b): the key stream of hidden attributes, block by block. */
static void hide_block(const struct radius_secret *secret, const uint8_t *a, const uint8_t *b,
	size_t b_len, uint8_t stream[BLOCK])
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, secret->len, secret->octets);
	md5_update(&md5, BLOCK, a);
	if (b_len)
		md5_update(&md5, b_len, b);
	md5_digest(&md5, BLOCK, stream);
	explicit_bzero(&md5, sizeof(md5));
}

/* RFC 2865 section 5.2; out has room for the password rounded up to 16, at least 16. Its length. */
static size_t hide_password(const struct radius_body *body, const struct radius_secret *secret,
	const uint8_t *authenticator, uint8_t *out)
{
	size_t len = body->password_len ? (body->password_len + BLOCK - 1) / BLOCK * BLOCK : BLOCK;
	const uint8_t *previous = authenticator;
	uint8_t stream[BLOCK];
	size_t at, i;

	for (at = 0; at < len; at += BLOCK) {
		hide_block(secret, previous, NULL, 0, stream);
		for (i = 0; i < BLOCK; i++) {
			uint8_t clear = at + i < body->password_len ? body->password[at + i] : 0;

			out[at + i] = stream[i] ^ clear;
		}
		previous = out + at;
	}
	explicit_bzero(stream, sizeof(stream));
	return len;
}

static size_t put_integer(uint8_t *out, uint8_t type, uint32_t value)
{
	uint32_t wire = htonl(value);

	out[0] = type;
	out[1] = INTEGER_ATTR;
	memcpy(out + ATTR_HEADER, &wire, sizeof(wire));
	return INTEGER_ATTR;
}

int radius_packet_encode(const struct radius_packet_spec *spec,
	uint8_t authenticator[RADIUS_AUTH_LEN], uint8_t buf[RADIUS_PACKET_MAX])
{
	static const uint8_t zeros[RADIUS_AUTH_LEN];
	bool is_accounting = spec->code == RADIUS_ACCOUNTING_REQUEST;
	const struct radius_body *body = spec->body;
	struct radius_frame frame = { .octets = buf };
	size_t len = RADIUS_HEADER_LEN;
	uint16_t wire_len;

	if (!is_accounting) {
		buf[len] = RADIUS_MESSAGE_AUTHENTICATOR;
		buf[len + 1] = SIGNED_ATTR;
		frame.message_authenticator = len + ATTR_HEADER;
		len += SIGNED_ATTR;
	}
	if (body->len)
		memcpy(buf + len, body->octets, body->len);
	len += body->len;
	if (is_accounting) {
		len += put_integer(buf + len, RADIUS_EVENT_TIMESTAMP, spec->event_time);
		len += put_integer(buf + len, RADIUS_ACCT_DELAY_TIME, spec->delay);
	} else if (body->has_password) {
		if (len + ATTR_HEADER + RADIUS_PASSWORD_MAX > RADIUS_PACKET_MAX)
			return -EMSGSIZE;
		buf[len] = RADIUS_USER_PASSWORD;
		buf[len + 1] =
			(uint8_t)(ATTR_HEADER + hide_password(body, spec->secret, authenticator,
							buf + len + ATTR_HEADER));
		len += buf[len + 1];
	}
	buf[0] = (uint8_t)spec->code;
	buf[1] = spec->id;
	wire_len = htons((uint16_t)len);
	memcpy(buf + 2, &wire_len, sizeof(wire_len));
	frame.len = len;
	if (is_accounting)
		radius_packet_digest(&frame, zeros, spec->secret, authenticator);
	else
		radius_packet_hmac(
			&frame, authenticator, spec->secret, buf + frame.message_authenticator);
	memcpy(buf + 4, authenticator, RADIUS_AUTH_LEN);
	return (int)len;
}

int radius_packet_frame(const uint8_t *buf, size_t received, struct radius_frame *ret_frame)
{
	struct radius_frame frame = { .octets = buf };
	size_t at;

	if (received < RADIUS_HEADER_LEN)
		return -EBADMSG;
	frame.len = (size_t)buf[2] << 8 | buf[3];
	if (frame.len < RADIUS_HEADER_LEN || frame.len > received || frame.len > RADIUS_PACKET_MAX)
		return -EBADMSG;
	for (at = RADIUS_HEADER_LEN; at < frame.len; at += buf[at + 1]) {
		size_t left = frame.len - at;

		if (left < ATTR_HEADER || buf[at + 1] < ATTR_HEADER || buf[at + 1] > left)
			return -EBADMSG;
		if (buf[at] != RADIUS_MESSAGE_AUTHENTICATOR)
			continue;
		if (buf[at + 1] != SIGNED_ATTR || frame.message_authenticator)
			return -EBADMSG;
		frame.message_authenticator = at + ATTR_HEADER;
	}
	*ret_frame = frame;
	return 0;
}

void radius_packet_digest(const struct radius_frame *frame,
	const uint8_t authenticator[RADIUS_AUTH_LEN], const struct radius_secret *secret,
	uint8_t digest[RADIUS_AUTH_LEN])
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, 4, frame->octets);
	md5_update(&md5, RADIUS_AUTH_LEN, authenticator);
	md5_update(&md5, frame->len - RADIUS_HEADER_LEN, frame->octets + RADIUS_HEADER_LEN);
	md5_update(&md5, secret->len, secret->octets);
	md5_digest(&md5, RADIUS_AUTH_LEN, digest);
	explicit_bzero(&md5, sizeof(md5));
}

void radius_packet_hmac(const struct radius_frame *frame,
	const uint8_t authenticator[RADIUS_AUTH_LEN], const struct radius_secret *secret,
	uint8_t digest[RADIUS_AUTH_LEN])
{
	static const uint8_t zeros[RADIUS_AUTH_LEN];
	size_t value = frame->message_authenticator;
	size_t behind = value + RADIUS_AUTH_LEN;
	struct hmac_md5_ctx hmac;

	hmac_md5_set_key(&hmac, secret->len, secret->octets);
	hmac_md5_update(&hmac, 4, frame->octets);
	hmac_md5_update(&hmac, RADIUS_AUTH_LEN, authenticator);
	hmac_md5_update(&hmac, value - RADIUS_HEADER_LEN, frame->octets + RADIUS_HEADER_LEN);
	hmac_md5_update(&hmac, RADIUS_AUTH_LEN, zeros);
	hmac_md5_update(&hmac, frame->len - behind, frame->octets + behind);
	hmac_md5_digest(&hmac, RADIUS_AUTH_LEN, digest);
	explicit_bzero(&hmac, sizeof(hmac));
}

bool radius_packet_verify_reply(const struct radius_frame *frame,
	const uint8_t request_authenticator[RADIUS_AUTH_LEN], const struct radius_secret *secret)
{
	uint8_t digest[RADIUS_AUTH_LEN];

	radius_packet_digest(frame, request_authenticator, secret, digest);
	if (!radius_equal(digest, frame->octets + 4, RADIUS_AUTH_LEN))
		return false;
	if (!frame->message_authenticator)
		return true;
	radius_packet_hmac(frame, request_authenticator, secret, digest);
	return radius_equal(digest, frame->octets + frame->message_authenticator, RADIUS_AUTH_LEN);
}

int radius_salt_decrypt(const struct radius_secret *secret,
	const uint8_t request_authenticator[RADIUS_AUTH_LEN], const uint8_t *data, size_t len,
	uint8_t *out, size_t size)
{
	uint8_t clear[256], stream[BLOCK];
	size_t at, i, clear_len;
	int result;

	if (len < 2 + BLOCK || len > sizeof(clear) || (len - 2) % BLOCK)
		return -EBADMSG;
	for (at = 0; at < len - 2; at += BLOCK) {
		if (at == 0)
			hide_block(secret, request_authenticator, data, 2, stream);
		else
			hide_block(secret, data + 2 + at - BLOCK, NULL, 0, stream);
		for (i = 0; i < BLOCK; i++)
			clear[at + i] = data[2 + at + i] ^ stream[i];
	}
	clear_len = clear[0];
	if (clear_len > len - 3) {
		result = -EBADMSG;
	} else if (clear_len > size) {
		result = -ENOSPC;
	} else {
		memcpy(out, clear + 1, clear_len);
		result = (int)clear_len;
	}
	explicit_bzero(clear, sizeof(clear));
	explicit_bzero(stream, sizeof(stream));
	return result;
}
