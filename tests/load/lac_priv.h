/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lac_priv: what lac.c and lac_receive.c have of each other.
 */
#ifndef LOAD_LAC_PRIV_H
#define LOAD_LAC_PRIV_H

#include "tests/load/lac.h"

/* lac.c: sends a message of the tunnel (session NULL) or of a call. 0 or -errno. */
int lac_send(struct lac *lac, struct session *session, const struct l2tp_msg *msg);
/* The SCCRP was good: answers it. */
void lac_established(struct lac *lac, const struct l2tp_msg *sccrp);
/* The tunnel is gone for a reason; every session is lost with it. */
void lac_lost(struct lac *lac, const char *reason);
/* Ends the tunnel over a mistake of the LNS, in words. */
void lac_refuse(struct lac *lac, const struct l2tp_result *result);
/* The StopCCN has been acknowledged. */
void lac_closed(struct lac *lac);

/* lac_receive.c: a datagram has come; the socket is readable. */
void lac_receive(void *ctx, const union addr *from, const uint8_t *packet, size_t len);
void lac_readable(void *ctx, int events);

#endif
