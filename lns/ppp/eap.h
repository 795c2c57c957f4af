/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eap: what a packet of EAP looks like (RFC 3748 section 4): looked at by the plugin when it comes from a
 * client, and by both ends of a session's channel when it is carried to RADIUS or from there (RFC 3579).
 */
#ifndef LNS_PPP_EAP_H
#define LNS_PPP_EAP_H

#include <stdint.h>

/* Longest packet: what pppd takes off a link and has room to send, whatever MRU and MTU are. */
#define PPP_EAP_MAX 1500

#define PPP_EAP_HEADER_LEN 4 /* code, identifier, length: all that Success and Failure have */

enum ppp_eap_code {
	PPP_EAP_CODE_REQUEST = 1,
	PPP_EAP_CODE_RESPONSE,
	PPP_EAP_CODE_SUCCESS,
	PPP_EAP_CODE_FAILURE,
};

enum ppp_eap_type {
	PPP_EAP_TYPE_IDENTITY = 1,
	PPP_EAP_TYPE_NOTIFICATION,
	PPP_EAP_TYPE_NAK,
	PPP_EAP_TYPE_MD5, /* the first of those that authenticate */
	PPP_EAP_TYPE_EXPANDED = 254,
};

struct ppp_eap_packet {
	uint8_t code; /* enum ppp_eap_code */
	uint8_t id;
	uint8_t type;        /* of a Request or Response, otherwise 0 */
	uint16_t len;        /* of the packet, without padding behind it */
	uint16_t data_len;   /* what follows the type */
	const uint8_t *data; /* borrows octets */
};

/* Looks at len octets. 0, or -EBADMSG: of no known code, longer than PPP_EAP_MAX or len, or too short. */
int ppp_eap_parse(const uint8_t *octets, uint32_t len, struct ppp_eap_packet *ret_packet);

/*
 * Whether a packet is an answer to a request (RFC 3748 section 4.1): a Response of its identifier and its
 * type, or to a method a Nak. All others are to be passed over.
 */
int ppp_eap_answers(const struct ppp_eap_packet *packet, const struct ppp_eap_packet *request);

#endif
