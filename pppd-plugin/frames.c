/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames: the frames that reached the session's channel before pppd did.
 *
 * A client's first Configure-Request comes with, or before, the call itself. It is read before pppd goes
 * on: what the LAC negotiated is worth nothing when LCP is to begin anew. It is handed to pppd's protocols
 * as soon as LCP is up.
 */
#include "plugin.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME_MAX      32
#define FRAME_PROTOCOL 2 /* octets */
#define FRAME_SIZE     (FRAME_PROTOCOL + PPP_MRU)

struct frame {
	struct frame *next;
	uint16_t protocol;
	uint16_t len;         /* of the information field */
	unsigned char data[]; /* that field */
};

static struct frame *first, **last = &first;

/*
 * Keeps one frame. A channel's begin with the protocol, always two octets of it: the kernel has taken the address
 * and control field away, and put in the half that may be left out.
 */
static void frame_keep(const unsigned char *data, size_t len)
{
	struct frame *frame;

	if (len < FRAME_PROTOCOL || len > FRAME_SIZE)
		return;
	frame = malloc(sizeof(*frame) + len - FRAME_PROTOCOL);
	if (!frame)
		return;
	*frame = (struct frame){ .protocol = data[0] << 8 | data[1], .len = len - FRAME_PROTOCOL };
	memcpy(frame->data, data + FRAME_PROTOCOL, frame->len);
	*last = frame;
	last = &frame->next;
}

void lns_frames_drain(int ppp)
{
	unsigned char data[FRAME_SIZE];

	for (int i = 0; i < FRAME_MAX; i++) {
		ssize_t len = read(ppp, data, sizeof(data));

		if (len >= 0)
			frame_keep(data, len);
		else if (errno != EOVERFLOW) /* longer than any frame of a client may be */
			break;
	}
	explicit_bzero(data, sizeof(data));
}

int lns_frames_have_lcp_request(void)
{
	for (const struct frame *frame = first; frame; frame = frame->next)
		if (frame->protocol == PPP_LCP && frame->len > 0 && frame->data[0] == CONFREQ)
			return 1;
	return 0;
}

/* What pppd would let through in its present phase (its own dispatcher cannot be called). */
static int frame_wanted(const struct protent *protocol)
{
	if (protocol->protocol == PPP_LCP)
		return 1;
	if (lcp_fsm[0].state != OPENED || !protocol->enabled_flag)
		return 0;
	return phase > PHASE_AUTHENTICATE || protocol->protocol == PPP_PAP ||
	       protocol->protocol == PPP_CHAP || protocol->protocol == PPP_EAP;
}

static void frame_input(const struct frame *frame)
{
	/* Protocols answer in place, up to a whole MRU. */
	static unsigned char packet[PPP_HDRLEN + 2 * PPP_MRU];

	packet[0] = PPP_ALLSTATIONS;
	packet[1] = PPP_UI;
	packet[2] = frame->protocol >> 8;
	packet[3] = frame->protocol & 0xff;
	memcpy(packet + PPP_HDRLEN, frame->data, frame->len);
	if (snoop_recv_hook)
		snoop_recv_hook(packet, PPP_HDRLEN + frame->len);
	for (int i = 0; protocols[i]; i++)
		if (protocols[i]->protocol == frame->protocol && frame_wanted(protocols[i])) {
			lns_session.replayed++;
			protocols[i]->input(0, packet + PPP_HDRLEN, frame->len);
			break;
		}
	explicit_bzero(packet, PPP_HDRLEN + frame->len);
}

void lns_frames_replay(void)
{
	while (first) {
		struct frame *frame = first;

		first = frame->next;
		frame_input(frame);
		explicit_bzero(frame->data, frame->len);
		free(frame);
	}
	last = &first;
}
