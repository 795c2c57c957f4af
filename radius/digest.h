/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest: what checking a password takes without a server: the CHAP response of RFC 1994 and a
 * comparison whose time says nothing about where two values differ.
 */
#ifndef RADIUS_DIGEST_H
#define RADIUS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RADIUS_CHAP_LEN 16

/* The response to a CHAP-MD5 challenge: MD5(id | secret | challenge), RFC 1994 section 4.1. */
void radius_chap_response(uint8_t id, const void *secret, size_t secret_len, const void *challenge,
	size_t challenge_len, uint8_t response[RADIUS_CHAP_LEN]);

/* Whether len octets are the same, in a time that depends on len alone. */
bool radius_equal(const void *a, const void *b, size_t len);

#endif
