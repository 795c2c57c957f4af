/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet: RADIUS packets as octets: framing, authenticators, hidden values. Pure: no I/O, no clock,
 * no randomness of its own.
 */
#ifndef RADIUS_PACKET_H
#define RADIUS_PACKET_H

#include "radius/radius.h"

#define RADIUS_PACKET_MAX 4096
#define RADIUS_HEADER_LEN 20
#define RADIUS_AUTH_LEN   16

struct radius_secret {
	uint8_t octets[RADIUS_SECRET_MAX];
	size_t len;
};

/*
 * What a request says, the same to every server: attributes as on the wire without those that
 * depend on the server, the try or the time. Owned by its request.
 */
struct radius_body {
	uint8_t *octets;
	size_t len;
	uint8_t password[RADIUS_PASSWORD_MAX]; /* in the clear */
	size_t password_len;
	bool has_password;
	bool has_eap; /* EAP-Message: its replies must be signed, RFC 3579 section 3.2 */
};

/* attrs NULL: an empty body. 0, -EMSGSIZE (does not fit a packet or a password), -ENOMEM. */
int radius_body_init(
	struct radius_body *body, enum radius_packet_code code, const struct radius_attrs *attrs);
void radius_body_wipe(struct radius_body *body);

struct radius_packet_spec {
	enum radius_packet_code code;
	uint8_t id;
	const struct radius_secret *secret;
	const struct radius_body *body;
	uint32_t event_time; /* Accounting-Request: seconds since 1970 */
	uint32_t delay;      /* Accounting-Request: seconds since the event */
};

/*
 * Makes a request. authenticator: for Access-Request and Status-Server 16 random octets, which are
 * used; for Accounting-Request it is computed and returned there. Length, or -EMSGSIZE.
 */
int radius_packet_encode(const struct radius_packet_spec *spec,
	uint8_t authenticator[RADIUS_AUTH_LEN], uint8_t buf[RADIUS_PACKET_MAX]);

/* Where things are in a packet that is well-formed down to each attribute's length. */
struct radius_frame {
	const uint8_t *octets;
	size_t len;                   /* of the packet, without padding behind it */
	size_t message_authenticator; /* offset of its value, 0 = none */
};

/* RFC 2865 section 3. 0, or -EBADMSG. */
int radius_packet_frame(const uint8_t *buf, size_t received, struct radius_frame *ret_frame);

/*
 * MD5 over code, identifier, length, the given authenticator, attributes and secret: the Response
 * Authenticator (given the request's) and that of Accounting- and CoA-Requests (given zeros).
 */
void radius_packet_digest(const struct radius_frame *frame,
	const uint8_t authenticator[RADIUS_AUTH_LEN], const struct radius_secret *secret,
	uint8_t digest[RADIUS_AUTH_LEN]);

/*
 * The value Message-Authenticator must have (RFC 2869 section 5.14), with the given authenticator.
 */
void radius_packet_hmac(const struct radius_frame *frame,
	const uint8_t authenticator[RADIUS_AUTH_LEN], const struct radius_secret *secret,
	uint8_t digest[RADIUS_AUTH_LEN]);

/*
 * Whether a reply answers the request with that authenticator: Response Authenticator and, when
 * there is one, Message-Authenticator.
 */
bool radius_packet_verify_reply(const struct radius_frame *frame,
	const uint8_t request_authenticator[RADIUS_AUTH_LEN], const struct radius_secret *secret);

/*
 * Salt-encrypted values (RFC 2868 section 3.5, RFC 2548 section 2.4.2), from the salt on. Length of
 * the clear text, -EBADMSG, or -ENOSPC.
 */
int radius_salt_decrypt(const struct radius_secret *secret,
	const uint8_t request_authenticator[RADIUS_AUTH_LEN], const uint8_t *data, size_t len,
	uint8_t *out, size_t size);

#endif
