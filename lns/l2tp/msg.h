/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msg: an L2TP control message as a struct, and its decoding and encoding (RFC 2661 sections 3 to
 * 6).
 *
 * Decoding is pure and all-or-nothing: l2tp_msg_decode either fills the whole struct or reports the
 * reason with the result and error code that the peer must be told. Spans borrow the caller's
 * packet or, for values that were hidden, the caller's scratch buffer. The table in avp_table.c
 * drives both directions; there is no per-AVP code beside it.
 */
#ifndef LNS_L2TP_MSG_H
#define LNS_L2TP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Message types, RFC 2661 section 3.2; CSUN and CSURQ of RFC 5515. */
enum l2tp_msg_type {
	L2TP_ZLB = 0, /* ours: an acknowledgement without a message */
	L2TP_SCCRQ = 1,
	L2TP_SCCRP = 2,
	L2TP_SCCCN = 3,
	L2TP_STOPCCN = 4,
	L2TP_HELLO = 6,
	L2TP_OCRQ = 7,
	L2TP_OCRP = 8,
	L2TP_OCCN = 9,
	L2TP_ICRQ = 10,
	L2TP_ICRP = 11,
	L2TP_ICCN = 12,
	L2TP_CDN = 14,
	L2TP_WEN = 15,
	L2TP_SLI = 16,
	L2TP_CSUN = 28,
	L2TP_CSURQ = 29,
};

/* One id per AVP known to us; the order is that of the table. The bit in l2tp_msg.present. */
enum l2tp_avp_id {
	L2TP_AVP_RESULT_CODE,
	L2TP_AVP_PROTOCOL_VERSION,
	L2TP_AVP_FRAMING_CAPABILITIES,
	L2TP_AVP_BEARER_CAPABILITIES,
	L2TP_AVP_TIE_BREAKER,
	L2TP_AVP_FIRMWARE_REVISION,
	L2TP_AVP_HOST_NAME,
	L2TP_AVP_VENDOR_NAME,
	L2TP_AVP_ASSIGNED_TUNNEL_ID,
	L2TP_AVP_RECEIVE_WINDOW_SIZE,
	L2TP_AVP_CHALLENGE,
	L2TP_AVP_CAUSE_CODE,
	L2TP_AVP_CHALLENGE_RESPONSE,
	L2TP_AVP_ASSIGNED_SESSION_ID,
	L2TP_AVP_CALL_SERIAL_NUMBER,
	L2TP_AVP_MINIMUM_BPS,
	L2TP_AVP_MAXIMUM_BPS,
	L2TP_AVP_BEARER_TYPE,
	L2TP_AVP_FRAMING_TYPE,
	L2TP_AVP_CALLED_NUMBER,
	L2TP_AVP_CALLING_NUMBER,
	L2TP_AVP_SUB_ADDRESS,
	L2TP_AVP_TX_CONNECT_SPEED,
	L2TP_AVP_PHYSICAL_CHANNEL_ID,
	L2TP_AVP_INITIAL_RECEIVED_LCP_CONFREQ,
	L2TP_AVP_LAST_SENT_LCP_CONFREQ,
	L2TP_AVP_LAST_RECEIVED_LCP_CONFREQ,
	L2TP_AVP_PROXY_AUTHEN_TYPE,
	L2TP_AVP_PROXY_AUTHEN_NAME,
	L2TP_AVP_PROXY_AUTHEN_CHALLENGE,
	L2TP_AVP_PROXY_AUTHEN_ID,
	L2TP_AVP_PROXY_AUTHEN_RESPONSE,
	L2TP_AVP_CALL_ERRORS,
	L2TP_AVP_ACCM,
	L2TP_AVP_RANDOM_VECTOR,
	L2TP_AVP_PRIVATE_GROUP_ID,
	L2TP_AVP_RX_CONNECT_SPEED,
	L2TP_AVP_SEQUENCING_REQUIRED,
	L2TP_AVP_PPP_DISCONNECT_CAUSE, /* RFC 3145, type 46 */
	/* RFC 5515, vendor 3561; see avp_table.c for the rest of the types */
	L2TP_AVP_AGENT_CIRCUIT_ID,
	L2TP_AVP_AGENT_REMOTE_ID,
	L2TP_AVP_ACTUAL_RATE_UP,
	L2TP_AVP_ACTUAL_RATE_DOWN,
	L2TP_AVP_MINIMUM_RATE_UP,
	L2TP_AVP_MINIMUM_RATE_DOWN,
	L2TP_AVP_ATTAINABLE_RATE_UP,
	L2TP_AVP_ATTAINABLE_RATE_DOWN,
	L2TP_AVP_MAXIMUM_RATE_UP,
	L2TP_AVP_MAXIMUM_RATE_DOWN,
	L2TP_AVP_MINIMUM_RATE_UP_LOW_POWER,
	L2TP_AVP_MINIMUM_RATE_DOWN_LOW_POWER,
	L2TP_AVP_MAXIMUM_DELAY_UP,
	L2TP_AVP_ACTUAL_DELAY_UP,
	L2TP_AVP_MAXIMUM_DELAY_DOWN,
	L2TP_AVP_ACTUAL_DELAY_DOWN,
	L2TP_AVP_ACCESS_LOOP_ENCAPSULATION,
	L2TP_AVP_ACCESS_LINE_TYPE,
	L2TP_AVP_IWF_SESSION,
	L2TP_AVP_CONNECT_SPEED_UPDATE, /* vendor 0, like the next */
	L2TP_AVP_CONNECT_SPEED_UPDATE_ENABLE,
	L2TP_AVP_COUNT
};
_Static_assert(L2TP_AVP_COUNT <= 64, "one bit per AVP in l2tp_msg.present");

/* Octets that somebody else owns. */
struct l2tp_span {
	const uint8_t *data;
	uint16_t len;
};

/* Result codes, error codes: RFC 2661 section 4.4.2. */
enum {
	L2TP_STOPCCN_GENERAL = 1, /* general request to clear, or see the error code */
	L2TP_STOPCCN_ERROR = 2,
	L2TP_STOPCCN_EXISTS = 3,
	L2TP_STOPCCN_NOT_AUTHORIZED = 4,
	L2TP_STOPCCN_VERSION = 5,
	L2TP_STOPCCN_SHUTTING_DOWN = 6,
	L2TP_STOPCCN_FSM = 7,
	L2TP_STOPCCN_DIFFSERV = 8, /* RFC 3308 */

	L2TP_CDN_CARRIER_LOST = 1,
	L2TP_CDN_ERROR = 2,
	L2TP_CDN_ADMINISTRATIVE = 3,
	L2TP_CDN_NO_FACILITIES_TEMPORARY = 4,
	L2TP_CDN_NO_FACILITIES_PERMANENT = 5,
	L2TP_CDN_INVALID_DESTINATION = 6,
	L2TP_CDN_NO_CARRIER = 7,
	L2TP_CDN_BUSY = 8,
	L2TP_CDN_NO_DIAL_TONE = 9,
	L2TP_CDN_TIMEOUT = 10,
	L2TP_CDN_NO_FRAMING = 11,
	L2TP_CDN_DIFFSERV = 12, /* RFC 3308 */

	L2TP_ERROR_NONE = 0,
	L2TP_ERROR_NO_CONTROL_CONNECTION = 1,
	L2TP_ERROR_LENGTH = 2,
	L2TP_ERROR_VALUE = 3, /* out of range, or reserved field non-zero */
	L2TP_ERROR_RESOURCES = 4,
	L2TP_ERROR_SESSION_ID = 5,
	L2TP_ERROR_VENDOR = 6,
	L2TP_ERROR_TRY_ANOTHER = 7,
	L2TP_ERROR_MANDATORY_AVP = 8, /* unknown AVP with the M bit set */
};

/* Why a tunnel or call ends: the Result Code AVP, by value. code 0 means none was given. */
struct l2tp_result {
	uint16_t code;
	uint16_t error;
	uint16_t q931_cause;  /* Cause Code AVP of a CDN: Q.931 cause, 0 = absent */
	uint8_t q931_message; /* its Q.931 message type */
	char text[128];       /* printable, terminated; "" = none */
};

struct l2tp_header {
	uint16_t tunnel_id;  /* the recipient's Assigned Tunnel ID */
	uint16_t session_id; /* the recipient's Assigned Session ID */
	uint16_t ns, nr;
};

/* One Connect Speed Update AVP (RFC 5515): the recipient's session id and speeds in bit/s. */
struct l2tp_speed_update {
	uint32_t tx, rx;
	uint16_t session_id;
};
#define L2TP_SPEED_UPDATES_MAX 80 /* what fits in an Ethernet frame; any further ones are skipped */

/*
 * A decoded message. present has bit (1 << L2TP_AVP_x) set for every AVP that was there (or, when
 * encoding, is to be sent); fields without their bit are zero.
 */
struct l2tp_msg {
	enum l2tp_msg_type type;
	uint64_t present;

	struct l2tp_result result; /* RESULT_CODE and CAUSE_CODE */
	uint16_t protocol_version; /* 0x0100 = version 1, revision 0 */
	uint32_t framing_capabilities, bearer_capabilities;
	uint64_t tie_breaker;
	uint16_t firmware_revision;
	struct l2tp_span host_name, vendor_name;
	uint16_t assigned_tunnel_id, assigned_session_id;
	uint16_t receive_window_size;
	struct l2tp_span challenge;
	uint8_t challenge_response[16];

	uint32_t call_serial_number;
	uint32_t minimum_bps, maximum_bps;
	uint32_t bearer_type, framing_type;
	struct l2tp_span called_number, calling_number, sub_address;
	uint32_t tx_connect_speed, rx_connect_speed; /* bit/s */
	uint32_t physical_channel_id;
	struct l2tp_span initial_received_lcp_confreq, last_sent_lcp_confreq,
		last_received_lcp_confreq;
	uint16_t proxy_authen_type;
	struct l2tp_span proxy_authen_name, proxy_authen_challenge, proxy_authen_response;
	uint16_t proxy_authen_id;
	uint32_t call_errors
		[6]; /* CRC, framing, hardware overruns, buffer overruns, time-outs, alignment */
	uint32_t send_accm, receive_accm;
	struct l2tp_span private_group_id;
	struct {
		uint16_t code, control_protocol; /* RFC 3145 section 2 */
		uint8_t direction;
		struct l2tp_span message;
	} ppp_disconnect_cause;

	/* RFC 5515: rates in bit/s, delays in ms */
	struct l2tp_span agent_circuit_id, agent_remote_id;
	uint64_t line[14]; /* ACTUAL_RATE_UP .. ACTUAL_DELAY_DOWN, in that order */
	struct l2tp_span access_loop_encapsulation;
	uint32_t access_line_type; /* the transmission system: one octet */
	uint32_t iwf_session;      /* 1: interworking was performed, 0: it was not */
	struct l2tp_speed_update speed_updates[L2TP_SPEED_UPDATES_MAX]; /* of a CSUN or CSURQ */
	unsigned int speed_update_count;
};

static inline bool l2tp_msg_has(const struct l2tp_msg *msg, enum l2tp_avp_id id)
{
	return msg->present >> id & 1;
}

enum l2tp_verdict {
	L2TP_OK,
	L2TP_DISCARD, /* not for us, or too broken to answer: count it, drop it */
	L2TP_IGNORE, /* well-formed message of unknown type without the M bit: acknowledge, do nothing */
	L2TP_CLEAR, /* clear what the message belongs to with ret_result */
};

#define L2TP_SECRET_MAX 255
/* A shared secret by value. len 0 = none. Wipe with explicit_bzero when done. */
struct l2tp_secret {
	uint16_t len;
	uint8_t data[L2TP_SECRET_MAX];
};

#define L2TP_PACKET_MAX 65535
#define L2TP_SEND_MAX   4096 /* no message that we send is longer */

/*
 * Decodes the header of a control packet only, to find the tunnel. L2TP_OK, or L2TP_DISCARD for
 * anything that is not a well-formed L2TPv2 control header (RFC 2661 section 3.1); ret_reason, when
 * not NULL, gets a static text.
 */
enum l2tp_verdict l2tp_header_decode(
	const uint8_t *packet, size_t len, struct l2tp_header *ret_header, const char **ret_reason);

/*
 * Decodes and verifies a whole control packet: AVP rules of RFC 2661 section 4.1, unhiding (4.3)
 * with secret (NULL: hidden mandatory AVPs clear), lengths, values, duplicates, presence of the
 * mandatory AVPs of the type. lenient: missing mandatory AVPs that a call can live without (Call
 * Serial Number, connect speed, Framing Type ...) are accepted.
 *
 * scratch (scratch_size >= len) receives unhidden values; the caller wipes it.
 *
 * L2TP_OK: ret_msg is complete. ret_result->text, when not empty, names the first malformed AVP
 * without the M bit, which was skipped (worth a log line); its code is 0.
 * L2TP_CLEAR: ret_result is what the peer must be told. What the message belongs to is
 * l2tp_msg_of_call(ret_msg->type). ret_msg has nothing but type and, where they could be read,
 * assigned_tunnel_id and assigned_session_id with their bits, so that the answer finds its way.
 * L2TP_IGNORE, L2TP_DISCARD: only ret_result->text is set, and ret_msg->type.
 * ret_msg->type is L2TP_ZLB for a packet without AVPs and where the type could not be read; an
 * unknown type is kept as the number it is. ret_header is set unless the verdict is L2TP_DISCARD.
 */
enum l2tp_verdict l2tp_msg_decode(const uint8_t *packet, size_t len,
	const struct l2tp_secret *secret, bool lenient, uint8_t *scratch, size_t scratch_size,
	struct l2tp_header *ret_header, struct l2tp_msg *ret_msg, struct l2tp_result *ret_result);

/*
 * Encodes msg into buf (size octets): header with the ids and zero Ns/Nr (the transport sets them),
 * Message Type first, then the present AVPs in table order. With hide not NULL (and its len not 0),
 * AVPs that may be hidden are, after one Random Vector AVP made of the 16 octets random_vector.
 * L2TP_ZLB encodes a header alone. Returns the length, -EMSGSIZE, or -EINVAL for what RFC 2661 does
 * not allow: an unknown type, an AVP that does not belong in it, one that is missing, an id of 0.
 */
int l2tp_msg_encode(const struct l2tp_msg *msg, uint16_t tunnel_id, uint16_t session_id,
	const struct l2tp_secret *hide, const uint8_t random_vector[16], uint8_t *buf, size_t size);

/* Whether messages of this type belong to one call; otherwise, and if unknown, to the tunnel. */
bool l2tp_msg_of_call(unsigned int type);

/* Names for logs and traces: "ICRQ", "Assigned Session ID". Never NULL. */
const char *l2tp_msg_name(unsigned int type);
const char *l2tp_avp_name(enum l2tp_avp_id id);

/*
 * Writes the message as one line of text, AVPs by name, values printable, secrets (Challenge
 * Response, proxy responses) by length only. Cuts what does not fit; returns out.
 */
const char *l2tp_msg_text(const struct l2tp_msg *msg, char *out, size_t size);

/* "result 2 (general error), error 8 (unknown mandatory AVP): text" for a StopCCN or CDN. */
const char *l2tp_result_text(
	enum l2tp_msg_type type, const struct l2tp_result *result, char *out, size_t size);

#endif
