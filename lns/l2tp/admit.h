/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admit: control packets for tunnel id 0: who may open a tunnel, and how often.
 */
#ifndef LNS_L2TP_ADMIT_H
#define LNS_L2TP_ADMIT_H

#include "lns/l2tp/l2tp.h"

/* Handles a packet whose header has tunnel id 0. Between server_enter and server_leave. */
void admit_packet(struct l2tp_server *server, const struct l2tp_path *path,
	const struct l2tp_header *header, const uint8_t *packet, size_t len);

/*
 * Sends a StopCCN for which no state is kept: Ns 0, acknowledging the SCCRQ, with an id that belongs to
 * no tunnel. Returns the length of the packet, which is in server->out; 0 when none was sent, because
 * there were too many in this second.
 */
size_t admit_refuse(struct l2tp_server *server, const struct l2tp_path *path,
	uint16_t peer_tunnel_id, const struct l2tp_result *result);

#endif
