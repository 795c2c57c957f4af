/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mschap: the server's side of MS-CHAPv2 (RFC 2759) for one who knows the password, and the MPPE keys
 * that follow from it (RFC 3079).
 */
#ifndef RADIUS_MSCHAP_H
#define RADIUS_MSCHAP_H

#include <stddef.h>
#include <stdint.h>

#define MSCHAP_CHALLENGE_LEN 16
#define MSCHAP_RESPONSE_LEN  49 /* peer challenge, 8 reserved, NT-Response of 24, flags */
#define MSCHAP_SUCCESS_LEN   42 /* "S=" and 40 hexadecimal digits */

struct mschap_proof {
	char success[MSCHAP_SUCCESS_LEN + 1]; /* what convinces the client, section 8.7 */
	uint8_t send_key[16], recv_key[16]; /* MPPE start keys of 128 bits, seen from the server */
};

/*
 * Whether response, the value of section 4, answers challenge with that password (UTF-8). name is as
 * the client sent it: a domain before a backslash is not part of what is hashed. 0 and *ret_proof,
 * which the caller wipes; -EACCES; -EINVAL for a password that is not UTF-8 or longer than 256
 * characters. The time of a comparison says nothing about where it failed.
 */
int mschap_v2_check(const void *name, size_t name_len, const void *password, size_t password_len,
	const uint8_t challenge[MSCHAP_CHALLENGE_LEN], const uint8_t response[MSCHAP_RESPONSE_LEN],
	struct mschap_proof *ret_proof);

#endif
