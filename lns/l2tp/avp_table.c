/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * avp_table: the one table of AVPs. RFC 2661 section 4.4, with the messages of section 6; RFC 3145;
 * RFC 5515.
 *
 * Choices, where the RFCs leave one or the field is kinder than they are:
 *
 * - An AVP that is known but has no business in a message is skipped, with or without the M bit. M
 *   asks what to do with an AVP that is not recognised; this one is, and it says nothing that the
 *   message needs. No row is harmful enough to end a call for.
 * - Descriptions of a call (numbers, channel, group, speeds, access line) are read from both ICRQ
 *   and ICCN: LACs put them where they have them.
 * - Reserved fields and bits inside values are ignored on receipt and sent as zero. The upper octet
 *   of the Proxy Authen ID is not reserved but must be zero.
 * - Assigned Tunnel ID and Assigned Session ID may be 0 in a StopCCN and CDN: there it only says
 *   that the sender had none to give. A Receive Window Size of 0 would stop the tunnel and is
 *   refused.
 * - Protocol Version, capabilities and framing are not judged here: version has a result code of
 *   its own (StopCCN 5), the others depend on the tunnel.
 * - Lengths of Agent Circuit ID and Agent Remote ID are not held to RFC 5515's 63 octets. Rates may
 *   come in 4 octets, as in RADIUS (RFC 4679).
 * - A CDN may have a PPP Disconnect Cause Code for each NCP; the last one counts, and we send one.
 * - `vital` says which mandatory AVPs even a lenient peer must send: those without which the answer
 *   would not know where to go, or whom to call.
 */
#include "lns/l2tp/avp.h"

#define SCCRQ   AVP_IN(L2TP_SCCRQ)
#define SCCRP   AVP_IN(L2TP_SCCRP)
#define SCCCN   AVP_IN(L2TP_SCCCN)
#define STOPCCN AVP_IN(L2TP_STOPCCN)
#define OCRQ    AVP_IN(L2TP_OCRQ)
#define OCRP    AVP_IN(L2TP_OCRP)
#define OCCN    AVP_IN(L2TP_OCCN)
#define ICRQ    AVP_IN(L2TP_ICRQ)
#define ICRP    AVP_IN(L2TP_ICRP)
#define ICCN    AVP_IN(L2TP_ICCN)
#define CDN     AVP_IN(L2TP_CDN)
#define WEN     AVP_IN(L2TP_WEN)
#define SLI     AVP_IN(L2TP_SLI)
#define CSUN    AVP_IN(L2TP_CSUN)
#define CSURQ   AVP_IN(L2TP_CSURQ)

#define ADSL AVP_VENDOR_ADSL_FORUM
#define M    AVP_SEND_M
#define HIDE AVP_MAY_HIDE
#define ANY  AVP_VALUE_MAX

#define KIND(name)  AVP_KIND_##name
#define FIELD(name) offsetof(struct l2tp_msg, name)
#define LINE(id)    (FIELD(line) + sizeof(uint64_t) * (L2TP_AVP_##id - L2TP_AVP_ACTUAL_RATE_UP))

_Static_assert(L2TP_AVP_ACTUAL_DELAY_DOWN - L2TP_AVP_ACTUAL_RATE_UP + 1 ==
		       sizeof(((struct l2tp_msg *)0)->line) / sizeof(uint64_t),
	"line[] has a place for each rate and delay");

/* clang-format off */
const struct avp_row avp_table[L2TP_AVP_COUNT] = {
/* vendor, type, name, kind, min, max, flags, field, must, may, vital */
[L2TP_AVP_RESULT_CODE] = {
	0, 1, "Result Code", KIND(RESULT), 2, ANY, M, FIELD(result), STOPCCN | CDN, 0, 0 },
[L2TP_AVP_PROTOCOL_VERSION] = {
	0, 2, "Protocol Version", KIND(U16), 2, 2, M, FIELD(protocol_version), SCCRQ | SCCRP, 0, 0 },
[L2TP_AVP_FRAMING_CAPABILITIES] = {
	0, 3, "Framing Capabilities", KIND(BITS), 4, 4, M | HIDE, FIELD(framing_capabilities),
	SCCRQ | SCCRP, 0, 0 },
[L2TP_AVP_BEARER_CAPABILITIES] = {
	0, 4, "Bearer Capabilities", KIND(BITS), 4, 4, M | HIDE, FIELD(bearer_capabilities),
	0, SCCRQ | SCCRP, 0 },
[L2TP_AVP_TIE_BREAKER] = {
	0, 5, "Tie Breaker", KIND(U64), 8, 8, 0, FIELD(tie_breaker), 0, SCCRQ, 0 },
[L2TP_AVP_FIRMWARE_REVISION] = {
	0, 6, "Firmware Revision", KIND(U16), 2, 2, HIDE, FIELD(firmware_revision),
	0, SCCRQ | SCCRP, 0 },
[L2TP_AVP_HOST_NAME] = {
	0, 7, "Host Name", KIND(TEXT), 1, ANY, M, FIELD(host_name), SCCRQ | SCCRP, 0, 0 },
[L2TP_AVP_VENDOR_NAME] = {
	0, 8, "Vendor Name", KIND(TEXT), 0, ANY, HIDE, FIELD(vendor_name), 0, SCCRQ | SCCRP, 0 },
[L2TP_AVP_ASSIGNED_TUNNEL_ID] = {
	0, 9, "Assigned Tunnel ID", KIND(U16), 2, 2, M | HIDE | AVP_NONZERO | AVP_ZERO_END,
	FIELD(assigned_tunnel_id), SCCRQ | SCCRP | STOPCCN, 0, SCCRQ | SCCRP },
[L2TP_AVP_RECEIVE_WINDOW_SIZE] = {
	0, 10, "Receive Window Size", KIND(U16), 2, 2, M | AVP_NONZERO, FIELD(receive_window_size),
	0, SCCRQ | SCCRP, 0 },
[L2TP_AVP_CHALLENGE] = {
	0, 11, "Challenge", KIND(OCTETS), 1, ANY, M | HIDE, FIELD(challenge), 0, SCCRQ | SCCRP, 0 },
[L2TP_AVP_CAUSE_CODE] = {
	0, 12, "Q.931 Cause Code", KIND(CAUSE), 3, ANY, M, FIELD(result), 0, CDN, 0 },
[L2TP_AVP_CHALLENGE_RESPONSE] = {
	0, 13, "Challenge Response", KIND(DIGEST), 16, 16, M | HIDE, FIELD(challenge_response),
	0, SCCRP | SCCCN, 0 },
[L2TP_AVP_ASSIGNED_SESSION_ID] = {
	0, 14, "Assigned Session ID", KIND(U16), 2, 2, M | HIDE | AVP_NONZERO | AVP_ZERO_END,
	FIELD(assigned_session_id), ICRQ | ICRP | OCRQ | OCRP | CDN, 0, ICRQ | ICRP | OCRQ | OCRP },
[L2TP_AVP_CALL_SERIAL_NUMBER] = {
	0, 15, "Call Serial Number", KIND(U32), 4, 4, M | HIDE, FIELD(call_serial_number),
	ICRQ | OCRQ, 0, 0 },
[L2TP_AVP_MINIMUM_BPS] = {
	0, 16, "Minimum BPS", KIND(U32), 4, 4, M | HIDE, FIELD(minimum_bps), OCRQ, 0, 0 },
[L2TP_AVP_MAXIMUM_BPS] = {
	0, 17, "Maximum BPS", KIND(U32), 4, 4, M | HIDE, FIELD(maximum_bps), OCRQ, 0, 0 },
[L2TP_AVP_BEARER_TYPE] = {
	0, 18, "Bearer Type", KIND(BITS), 4, 4, M | HIDE, FIELD(bearer_type), OCRQ, ICRQ | ICCN, 0 },
[L2TP_AVP_FRAMING_TYPE] = {
	0, 19, "Framing Type", KIND(BITS), 4, 4, M | HIDE, FIELD(framing_type),
	ICCN | OCRQ | OCCN, ICRQ, 0 },
[L2TP_AVP_CALLED_NUMBER] = {
	0, 21, "Called Number", KIND(TEXT), 0, ANY, M | HIDE, FIELD(called_number),
	OCRQ, ICRQ | ICCN, OCRQ },
[L2TP_AVP_CALLING_NUMBER] = {
	0, 22, "Calling Number", KIND(TEXT), 0, ANY, M | HIDE, FIELD(calling_number),
	0, ICRQ | ICCN, 0 },
[L2TP_AVP_SUB_ADDRESS] = {
	0, 23, "Sub-Address", KIND(TEXT), 0, ANY, M | HIDE, FIELD(sub_address),
	0, ICRQ | ICCN | OCRQ, 0 },
[L2TP_AVP_TX_CONNECT_SPEED] = {
	0, 24, "(Tx) Connect Speed", KIND(U32), 4, 4, M | HIDE, FIELD(tx_connect_speed),
	ICCN | OCCN, ICRQ, 0 },
[L2TP_AVP_PHYSICAL_CHANNEL_ID] = {
	0, 25, "Physical Channel ID", KIND(U32), 4, 4, HIDE, FIELD(physical_channel_id),
	0, ICRQ | ICCN | OCRP | OCCN, 0 },
[L2TP_AVP_INITIAL_RECEIVED_LCP_CONFREQ] = {
	0, 26, "Initial Received LCP CONFREQ", KIND(OCTETS), 0, ANY, HIDE,
	FIELD(initial_received_lcp_confreq), 0, ICCN, 0 },
[L2TP_AVP_LAST_SENT_LCP_CONFREQ] = {
	0, 27, "Last Sent LCP CONFREQ", KIND(OCTETS), 0, ANY, HIDE,
	FIELD(last_sent_lcp_confreq), 0, ICCN, 0 },
[L2TP_AVP_LAST_RECEIVED_LCP_CONFREQ] = {
	0, 28, "Last Received LCP CONFREQ", KIND(OCTETS), 0, ANY, HIDE,
	FIELD(last_received_lcp_confreq), 0, ICCN, 0 },
[L2TP_AVP_PROXY_AUTHEN_TYPE] = {
	0, 29, "Proxy Authen Type", KIND(U16), 2, 2, HIDE, FIELD(proxy_authen_type), 0, ICCN, 0 },
[L2TP_AVP_PROXY_AUTHEN_NAME] = {
	0, 30, "Proxy Authen Name", KIND(TEXT), 0, ANY, HIDE, FIELD(proxy_authen_name), 0, ICCN, 0 },
[L2TP_AVP_PROXY_AUTHEN_CHALLENGE] = {
	0, 31, "Proxy Authen Challenge", KIND(OCTETS), 1, ANY, HIDE, FIELD(proxy_authen_challenge),
	0, ICCN, 0 },
[L2TP_AVP_PROXY_AUTHEN_ID] = {
	0, 32, "Proxy Authen ID", KIND(U16), 2, 2, HIDE | AVP_OCTET, FIELD(proxy_authen_id),
	0, ICCN, 0 },
[L2TP_AVP_PROXY_AUTHEN_RESPONSE] = {
	0, 33, "Proxy Authen Response", KIND(SECRET), 0, ANY, HIDE, FIELD(proxy_authen_response),
	0, ICCN, 0 },
[L2TP_AVP_CALL_ERRORS] = {
	0, 34, "Call Errors", KIND(CALL_ERRORS), 26, 26, M | HIDE, FIELD(call_errors), WEN, 0, 0 },
[L2TP_AVP_ACCM] = {
	0, 35, "ACCM", KIND(ACCM), 10, 10, M | HIDE, FIELD(send_accm), SLI, 0, 0 },
[L2TP_AVP_RANDOM_VECTOR] = {
	0, AVP_TYPE_VECTOR, "Random Vector", KIND(VECTOR), 0, ANY, M | AVP_MANY, 0, 0, 0, 0 },
[L2TP_AVP_PRIVATE_GROUP_ID] = {
	0, 37, "Private Group ID", KIND(TEXT), 0, ANY, HIDE, FIELD(private_group_id),
	0, ICRQ | ICCN, 0 },
[L2TP_AVP_RX_CONNECT_SPEED] = {
	0, 38, "Rx Connect Speed", KIND(U32), 4, 4, HIDE, FIELD(rx_connect_speed),
	0, ICRQ | ICCN | OCCN, 0 },
[L2TP_AVP_SEQUENCING_REQUIRED] = {
	0, 39, "Sequencing Required", KIND(FLAG), 0, 0, M, 0, 0, ICCN | OCCN, 0 },
[L2TP_AVP_PPP_DISCONNECT_CAUSE] = {
	0, 46, "PPP Disconnect Cause Code", KIND(DISCONNECT), 5, ANY, HIDE | AVP_MANY,
	FIELD(ppp_disconnect_cause), 0, CDN, 0 },

/* RFC 5515; none is ever mandatory to understand */
[L2TP_AVP_AGENT_CIRCUIT_ID] = {
	ADSL, 1, "Agent Circuit ID", KIND(TEXT), 1, ANY, HIDE, FIELD(agent_circuit_id),
	0, ICRQ | ICCN, 0 },
[L2TP_AVP_AGENT_REMOTE_ID] = {
	ADSL, 2, "Agent Remote ID", KIND(TEXT), 1, ANY, HIDE, FIELD(agent_remote_id),
	0, ICRQ | ICCN, 0 },
#define RATE(type, name, id) \
	[L2TP_AVP_##id] = { ADSL, type, name, KIND(RATE), 4, 8, HIDE, LINE(id), 0, ICRQ | ICCN, 0 }
#define DELAY(type, name, id) \
	[L2TP_AVP_##id] = { ADSL, type, name, KIND(DELAY), 4, 4, HIDE, LINE(id), 0, ICRQ | ICCN, 0 }
RATE(129, "Actual Data Rate Upstream", ACTUAL_RATE_UP),
RATE(130, "Actual Data Rate Downstream", ACTUAL_RATE_DOWN),
RATE(131, "Minimum Data Rate Upstream", MINIMUM_RATE_UP),
RATE(132, "Minimum Data Rate Downstream", MINIMUM_RATE_DOWN),
RATE(133, "Attainable Data Rate Upstream", ATTAINABLE_RATE_UP),
RATE(134, "Attainable Data Rate Downstream", ATTAINABLE_RATE_DOWN),
RATE(135, "Maximum Data Rate Upstream", MAXIMUM_RATE_UP),
RATE(136, "Maximum Data Rate Downstream", MAXIMUM_RATE_DOWN),
RATE(137, "Minimum Data Rate Upstream Low Power", MINIMUM_RATE_UP_LOW_POWER),
RATE(138, "Minimum Data Rate Downstream Low Power", MINIMUM_RATE_DOWN_LOW_POWER),
DELAY(139, "Maximum Interleaving Delay Upstream", MAXIMUM_DELAY_UP),
DELAY(140, "Actual Interleaving Delay Upstream", ACTUAL_DELAY_UP),
DELAY(141, "Maximum Interleaving Delay Downstream", MAXIMUM_DELAY_DOWN),
DELAY(142, "Actual Interleaving Delay Downstream", ACTUAL_DELAY_DOWN),
#undef RATE
#undef DELAY
[L2TP_AVP_ACCESS_LOOP_ENCAPSULATION] = {
	ADSL, 144, "Access Loop Encapsulation", KIND(OCTETS), 3, 3, HIDE,
	FIELD(access_loop_encapsulation), 0, ICRQ | ICCN, 0 },
[L2TP_AVP_ACCESS_LINE_TYPE] = {
	ADSL, 145, "ANCP Access Line Type", KIND(HIGH_OCTET), 4, 4, HIDE,
	FIELD(access_line_type), 0, ICRQ | ICCN, 0 },
[L2TP_AVP_IWF_SESSION] = {
	ADSL, 254, "IWF Session", KIND(U32), 4, 4, HIDE, FIELD(iwf_session), 0, ICRQ | ICCN, 0 },
[L2TP_AVP_CONNECT_SPEED_UPDATE] = {
	0, 97, "Connect Speed Update", KIND(SPEED_UPDATE), 12, 12, HIDE | AVP_MANY,
	FIELD(speed_updates), CSUN | CSURQ, 0, 0 },
[L2TP_AVP_CONNECT_SPEED_UPDATE_ENABLE] = {
	0, 98, "Connect Speed Update Enable", KIND(FLAG), 0, 0, HIDE, 0, 0, ICRQ | ICCN, 0 },
};
/* clang-format on */
