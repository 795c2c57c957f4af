/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest: tunnel authentication, RFC 2661 sections 4.4.3 and 5.1.1.
 *
 * A peer proves that it knows the shared secret by answering a Challenge with MD5(message type
 * octet, secret, challenge); the type is that of the message that carries the answer.
 */
#ifndef LNS_L2TP_DIGEST_H
#define LNS_L2TP_DIGEST_H

#include "lns/l2tp/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The Challenge Response that a message of msg_type (SCCRP or SCCCN) carries for challenge. */
void l2tp_digest_response(uint8_t msg_type, const struct l2tp_secret *secret,
	const uint8_t *challenge, size_t len, uint8_t ret[16]);

/* Compares in a time that does not depend on the values. */
bool l2tp_digest_equal(const uint8_t a[16], const uint8_t b[16]);

#endif
