/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mschap: the client's side of MS-CHAPv2 (RFC 2759): its response to a challenge, and what a server
 * that knows the password must answer.
 */
#ifndef LOAD_MSCHAP_H
#define LOAD_MSCHAP_H

#include <stddef.h>
#include <stdint.h>

enum { MSCHAP_CHALLENGE = 16, MSCHAP_NT_RESPONSE = 24, MSCHAP_VALUE = 49, MSCHAP_PROOF = 42 };

/*
 * NT-Response of section 8.1. user is the name without a domain ("DOMAIN\" is taken off here);
 * password is UTF-8 (its code points up to U+FFFF count), at most 256 octets.
 */
void mschap_nt_response(const uint8_t auth_challenge[MSCHAP_CHALLENGE],
	const uint8_t peer_challenge[MSCHAP_CHALLENGE], const char *user, const char *password,
	uint8_t ret[MSCHAP_NT_RESPONSE]);

/* The text "S=" and 40 hexadecimal digits of section 8.7, terminated. */
void mschap_proof(const char *password, const uint8_t nt_response[MSCHAP_NT_RESPONSE],
	const uint8_t peer_challenge[MSCHAP_CHALLENGE],
	const uint8_t auth_challenge[MSCHAP_CHALLENGE], const char *user,
	char ret[MSCHAP_PROOF + 1]);

/* The value field of the Response packet of section 4: challenge, reserved, NT-Response, flags. */
void mschap_value(const uint8_t peer_challenge[MSCHAP_CHALLENGE],
	const uint8_t nt_response[MSCHAP_NT_RESPONSE], uint8_t ret[MSCHAP_VALUE]);

#endif
