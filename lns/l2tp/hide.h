/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hide: hiding of AVP values, RFC 2661 section 4.3.
 *
 * What is hidden is the subformat: two octets of length, the value, and padding of any length. It
 * is XORed in segments of 16 octets with MD5 digests, the first made of type, secret and random
 * vector, each further one of the secret and the hidden segment before it.
 *
 * Both functions need a secret with len > 0.
 */
#ifndef LNS_L2TP_HIDE_H
#define LNS_L2TP_HIDE_H

#include "lns/l2tp/msg.h"

#include <stddef.h>
#include <stdint.h>

/* Hides a subformat of len octets in place. */
void l2tp_hide(const struct l2tp_secret *secret, uint16_t type, const struct l2tp_span *vector,
	uint8_t *subformat, size_t len);

/*
 * Unhides len octets into subformat (len octets; may not overlap) and checks the length inside.
 * Returns the length of the value, which then starts at subformat + 2, or -EBADMSG when there is no
 * length or it is longer than what was hidden: wrong secret or hostile.
 */
int l2tp_unhide(const struct l2tp_secret *secret, uint16_t type, const struct l2tp_span *vector,
	const uint8_t *hidden, size_t len, uint8_t *subformat);

#endif
