// SPDX-License-Identifier: BSD-2-Clause
/*
 * attributes: see attributes.h. A row's source appends the attribute to a request or record, or nothing
 * when there is nothing to say; its effect (effects.c) lays a value of an Access-Accept over an
 * authorization. Rows without functions belong to those who make or read them: auth.c (credentials),
 * accounting.c (counters) and radius/ (the packet).
 *
 * RFC 2865, 2866, 2868, 2869, 3162, 4372, 4679 (from the AVPs of RFC 5515), 4818, 2548.
 */
#include "lns/subscriber/attributes.h"

#include "lns/log.h"
#include "lns/subscriber/effects.h"
#include "lns/subscriber/internal.h"
#include "lns/subscriber/route.h"
#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 252 /* of any attribute, with room for a tag */

/* ---- sources ---- */

struct source {
	enum attribute_direction direction;
	const struct config *config;
	const struct subscriber *sub;          /* NULL for Accounting-On and -Off */
	const struct l2tp_call *call;          /* of the subscriber */
	const struct l2tp_tunnel_info *tunnel; /* its */
};

/* Names can be longer than an attribute. */
static int add_text(struct radius_attrs *attrs, radius_code code, const char *text)
{
	char cut[TEXT_MAX + 1];

	snprintf(cut, sizeof(cut), "%.*s", TEXT_MAX, text);
	return radius_add_string(attrs, code, 0, cut);
}

static int add_user(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return radius_add_octets(attrs, code, from->sub->user, strlen(from->sub->user));
}

static int add_nas_identifier(
	struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	const char *name = from->config->radius.nas_identifier;

	return add_text(attrs, code, name[0] ? name : from->config->name);
}

static int add_nas_ip(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	const union addr *addr = &from->config->radius.nas_ip;

	return addr->sa.sa_family == AF_INET ? radius_add_addr(attrs, code, &addr->sa) : 0;
}

static int add_nas_ipv6(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	const union addr *addr = &from->config->radius.nas_ipv6;

	return addr->sa.sa_family == AF_INET6 ? radius_add_addr(attrs, code, &addr->sa) : 0;
}

static int add_nas_port(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return radius_add_u32(
		attrs, code, 0, (uint32_t)from->sub->tunnel_id << 16 | from->sub->session_id);
}

static int add_nas_port_type(
	struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	(void)from;
	return radius_add_u32(attrs, code, 0, RADIUS_PORT_VIRTUAL);
}

static int add_nas_port_id(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->sub->name);
}

static int add_service(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	(void)from;
	return radius_add_u32(attrs, code, 0, RADIUS_SERVICE_FRAMED);
}

static int add_protocol(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	(void)from;
	return radius_add_u32(attrs, code, 0, RADIUS_FRAMED_PPP);
}

/* With EAP this bounds the server's packets (RFC 3579 section 2.4), and so it is what the link takes. */
static int add_mtu(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	const struct subscriber *sub = from->sub;
	const struct config_ppp *ppp = subscriber_ppp(sub);
	uint32_t mtu;

	if (!ppp)
		return 0;
	mtu = ppp->mtu;
	if (sub->protocol == PPP_AUTH_EAP && sub->peer_mru && mtu > sub->peer_mru)
		mtu = sub->peer_mru;
	return radius_add_u32(attrs, code, 0, mtu);
}

static int add_session_id(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->sub->acct_session_id);
}

/*
 * RFC 2866 section 5.11 links the sessions of a multilink bundle. No multilink is offered (RFC 1990), so each
 * session is the only link of a bundle of its own, known by that link's id.
 */
static int add_multi_session_id(
	struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, subscriber_multi_session_id(from->sub));
}

static int add_called(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->call->called_number);
}

static int add_calling(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->call->calling_number);
}

static int add_speeds(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	uint32_t tx = from->call->tx_connect_speed, rx = from->call->rx_connect_speed;
	char text[32];

	if (!tx)
		return 0;
	snprintf(text, sizeof(text), "%u/%u", tx, rx ? rx : tx);
	return add_text(attrs, code, text);
}

/* A request for one, RFC 4372 section 2.1; accounting repeats what came. */
static int add_cui(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return from->direction == ATTRIBUTE_REQUEST ? radius_add_octets(attrs, code, "", 1) : 0;
}

/* RFC 2868 section 3; there is one tunnel only, so no tag groups its attributes. */
static int add_tunnel_type(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	(void)from;
	return radius_add_u32(attrs, code, 0, RADIUS_TUNNEL_L2TP);
}

static int add_medium(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	bool six = from->tunnel->path.peer.sa.sa_family == AF_INET6;

	return radius_add_u32(attrs, code, 0, six ? RADIUS_MEDIUM_IPV6 : RADIUS_MEDIUM_IPV4);
}

static int add_client_end(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	char text[ADDR_TEXT];

	return add_text(attrs, code, addr_text_host(&from->tunnel->path.peer, text));
}

static int add_server_end(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	char text[ADDR_TEXT];

	return add_text(attrs, code, addr_text_host(&from->tunnel->path.local, text));
}

static int add_client_name(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->tunnel->host_name);
}

static int add_server_name(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->config->name);
}

static int add_assignment(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->sub->lac);
}

static int add_serial(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", from->call->serial_number);
	return add_text(attrs, code, text);
}

static int add_circuit(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->call->agent_circuit_id);
}

static int add_remote_id(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	return add_text(attrs, code, from->call->agent_remote_id);
}

/* Rates and delays of the line: both RFCs number them in the same order. */
static int add_line(struct radius_attrs *attrs, radius_code code, const struct source *from)
{
	unsigned int n = code - RADIUS_ACTUAL_DATA_RATE_UP;
	uint64_t value = from->call->line[n];

	if (!(from->call->line_present >> (L2TP_AVP_ACTUAL_RATE_UP + n) & 1))
		return 0;
	return radius_add_u32(attrs, code, 0, value > UINT32_MAX ? UINT32_MAX : (uint32_t)value);
}
_Static_assert(RADIUS_ACTUAL_DELAY_DOWN - RADIUS_ACTUAL_DATA_RATE_UP + 1 ==
		       sizeof(((struct l2tp_call *)0)->line) / sizeof(uint64_t),
	"one attribute for each AVP");

/* ---- the table ---- */

enum value_kind { NUMBER, ADDRESS, TEXT, OCTETS }; /* how people read it */

struct attribute {
	radius_code code;
	unsigned int directions; /* ATTRIBUTE_x */
	enum value_kind kind;
	int (*add)(struct radius_attrs *attrs, radius_code code, const struct source *from);
	int (*obey)(struct authorization *auth, const struct attribute_value *value);
	bool vital; /* a value that cannot be obeyed refuses the subscriber */
	const char *help;
};

#define REQ  ATTRIBUTE_REQUEST
#define ACC  ATTRIBUTE_ACCEPT
#define REJ  ATTRIBUTE_REJECT
#define CHA  ATTRIBUTE_CHALLENGE
#define ACCT ATTRIBUTE_ACCOUNTING
#define NAS  ATTRIBUTE_NAS
#define COA  ATTRIBUTE_CHANGE
#define WHO  (ATTRIBUTE_REQUEST | ATTRIBUTE_ACCOUNTING)
#define LINE(code, help)                                                                           \
	{                                                                                          \
		code, WHO, NUMBER, add_line, NULL, false, help                                     \
	}

/* clang-format off */
static const struct attribute table[] = {
	/* who it is */
	{ RADIUS_USER_NAME, WHO | ACC, TEXT, add_user, effect_user, false,
	  "The name as the client gave it; that of an Access-Accept from then on." },
	{ RADIUS_USER_PASSWORD, REQ, OCTETS, NULL, NULL, false,
	  "PAP." },
	{ RADIUS_CHAP_PASSWORD, REQ, OCTETS, NULL, NULL, false,
	  "CHAP." },
	{ RADIUS_CHAP_CHALLENGE, REQ, OCTETS, NULL, NULL, false,
	  "CHAP." },
	{ RADIUS_MS_CHAP_CHALLENGE, REQ, OCTETS, NULL, NULL, false,
	  "MS-CHAPv2." },
	{ RADIUS_MS_CHAP2_RESPONSE, REQ, OCTETS, NULL, NULL, false,
	  "MS-CHAPv2." },
	{ RADIUS_MESSAGE_AUTHENTICATOR, REQ | ACC | REJ, OCTETS, NULL, effect_elsewhere, false,
	  "Made and checked with the shared secret." },
	{ RADIUS_NAS_IDENTIFIER, WHO | NAS, TEXT, add_nas_identifier, NULL, false,
	  "nas-identifier, or the name of this server." },
	{ RADIUS_NAS_IP_ADDRESS, WHO | NAS, ADDRESS, add_nas_ip, NULL, false,
	  "nas-ip-address." },
	{ RADIUS_NAS_IPV6_ADDRESS, WHO | NAS, OCTETS, add_nas_ipv6, NULL, false,
	  "nas-ipv6-address." },
	{ RADIUS_NAS_PORT, WHO, NUMBER, add_nas_port, NULL, false,
	  "Tunnel id times 65536 plus session id." },
	{ RADIUS_NAS_PORT_TYPE, WHO, NUMBER, add_nas_port_type, NULL, false,
	  "Virtual." },
	{ RADIUS_NAS_PORT_ID, WHO, TEXT, add_nas_port_id, NULL, false,
	  "l2tpTUNNEL-SESSION." },
	{ RADIUS_SERVICE_TYPE, WHO | ACC, NUMBER, add_service, effect_service, true,
	  "Framed; another one refuses the subscriber." },
	{ RADIUS_FRAMED_PROTOCOL, WHO | ACC, NUMBER, add_protocol, effect_protocol, true,
	  "PPP; another one refuses the subscriber." },
	{ RADIUS_ACCT_SESSION_ID, WHO, TEXT, add_session_id, NULL, false,
	  "Never repeated, not even after a restart." },
	{ RADIUS_ACCT_MULTI_SESSION_ID, WHO, TEXT, add_multi_session_id, NULL, false,
	  "Of the multilink bundle. None is offered, so each session is one by itself, and this is its "
	  "Acct-Session-Id." },
	{ RADIUS_CHARGEABLE_USER_IDENTITY, REQ | ACC | ACCT, OCTETS, add_cui, effect_cui, false,
	  "Asked for with a nul; accounting repeats the answer." },
	{ RADIUS_CALLED_STATION_ID, WHO, TEXT, add_called, NULL, false,
	  "Called Number AVP." },
	{ RADIUS_CALLING_STATION_ID, WHO, TEXT, add_calling, NULL, false,
	  "Calling Number AVP." },
	{ RADIUS_CONNECT_INFO, WHO, TEXT, add_speeds, NULL, false,
	  "Connect speeds to and from the client, bit/s." },

	/* its tunnel, RFC 2868 and 2867 */
	{ RADIUS_TUNNEL_TYPE, WHO, NUMBER, add_tunnel_type, NULL, false,
	  "L2TP." },
	{ RADIUS_TUNNEL_MEDIUM_TYPE, WHO, NUMBER, add_medium, NULL, false,
	  "IPv4 or IPv6." },
	{ RADIUS_TUNNEL_CLIENT_ENDPOINT, WHO, TEXT, add_client_end, NULL, false,
	  "Address of the LAC." },
	{ RADIUS_TUNNEL_SERVER_ENDPOINT, WHO, TEXT, add_server_end, NULL, false,
	  "Address of this server." },
	{ RADIUS_TUNNEL_CLIENT_AUTH_ID, WHO, TEXT, add_client_name, NULL, false,
	  "Host Name AVP of the LAC." },
	{ RADIUS_TUNNEL_SERVER_AUTH_ID, WHO, TEXT, add_server_name, NULL, false,
	  "Name of this server." },
	{ RADIUS_TUNNEL_ASSIGNMENT_ID, WHO, TEXT, add_assignment, NULL, false,
	  "The lac section." },
	{ RADIUS_ACCT_TUNNEL_CONNECTION, WHO, TEXT, add_serial, NULL, false,
	  "Call Serial Number AVP." },

	/* its line, RFC 4679 */
	{ RADIUS_AGENT_CIRCUIT_ID, WHO, TEXT, add_circuit, NULL, false,
	  "Agent Circuit ID AVP of RFC 5515." },
	{ RADIUS_AGENT_REMOTE_ID, WHO, TEXT, add_remote_id, NULL, false,
	  "Agent Remote ID AVP of RFC 5515." },
	LINE(RADIUS_ACTUAL_DATA_RATE_UP, "Of the AVP of that name, bit/s, like the following."),
	LINE(RADIUS_ACTUAL_DATA_RATE_DOWN, ""),
	LINE(RADIUS_MINIMUM_DATA_RATE_UP, ""),
	LINE(RADIUS_MINIMUM_DATA_RATE_DOWN, ""),
	LINE(RADIUS_ATTAINABLE_DATA_RATE_UP, ""),
	LINE(RADIUS_ATTAINABLE_DATA_RATE_DOWN, ""),
	LINE(RADIUS_MAXIMUM_DATA_RATE_UP, ""),
	LINE(RADIUS_MAXIMUM_DATA_RATE_DOWN, ""),
	LINE(RADIUS_MINIMUM_DATA_RATE_UP_LOW_POWER, ""),
	LINE(RADIUS_MINIMUM_DATA_RATE_DOWN_LOW_POWER, ""),
	LINE(RADIUS_MAXIMUM_DELAY_UP, "Milliseconds, like the following."),
	LINE(RADIUS_ACTUAL_DELAY_UP, ""),
	LINE(RADIUS_MAXIMUM_DELAY_DOWN, ""),
	LINE(RADIUS_ACTUAL_DELAY_DOWN, ""),

	/* what it gets */
	{ RADIUS_FRAMED_IP_ADDRESS, ACC | ACCT, ADDRESS, NULL, effect_address, true,
	  "The client's address; 255.255.255.254: one of the pool, 255.255.255.255: the client "
	  "chooses." },
	{ RADIUS_FRAMED_IP_NETMASK, ACC, ADDRESS, NULL, effect_netmask, false,
	  "With an address of the client's own: the network of both is routed to it." },
	{ RADIUS_FRAMED_POOL, ACC, TEXT, NULL, effect_pool, true,
	  "The pool section; an address of its own comes first." },
	{ RADIUS_FRAMED_ROUTE, ACC, TEXT, NULL, effect_route, false,
	  "A network behind the client: prefix, gateway (0.0.0.0 or the client's own address), "
	  "metrics, which have no meaning here. One that covers an end of a tunnel refuses the "
	  "subscriber." },
	{ RADIUS_FRAMED_MTU, REQ | ACC, NUMBER, add_mtu, effect_mtu, false,
	  "mtu, with EAP no more than the client's MRU; the answer may lower it." },
	{ RADIUS_SESSION_TIMEOUT, ACC | CHA | COA, NUMBER, NULL, effect_session_timeout, false,
	  "Seconds from network-up, or from a later authentication, to the end; of an Access-Challenge: "
	  "seconds until a client that does not answer is asked once more, 30 at most." },
	{ RADIUS_IDLE_TIMEOUT, ACC | COA, NUMBER, NULL, effect_idle_timeout, false,
	  "Seconds without traffic." },
	{ RADIUS_TERMINATION_ACTION, ACC, NUMBER, NULL, effect_zero, false,
	  "Default; RADIUS-Request is not obeyed." },
	{ RADIUS_STATE, REQ | CHA | ACC, OCTETS, NULL, effect_elsewhere, false,
	  "Of an Access-Challenge: sent back with the client's answer. That of an Access-Accept belongs to "
	  "Termination-Action." },
	{ RADIUS_ACCT_INTERIM_INTERVAL, ACC | COA, NUMBER, NULL, effect_interim, false,
	  "Seconds, 60 at least, or 0 for none." },
	{ RADIUS_PORT_LIMIT, ACC, NUMBER, NULL, effect_port_limit, false,
	  "Sessions of the user at a time, instead of max-sessions-per-user." },
	{ RADIUS_FRAMED_ROUTING, ACC, NUMBER, NULL, effect_zero, false,
	  "None." },
	{ RADIUS_FRAMED_COMPRESSION, ACC, NUMBER, NULL, effect_zero, false,
	  "None." },
	{ RADIUS_FILTER_ID, ACC, TEXT, NULL, effect_refused, true,
	  "Refuses the subscriber: without the filter would pass what must not." },
	{ RADIUS_NAS_FILTER_RULE, ACC, TEXT, NULL, effect_refused, true,
	  "Like Filter-Id." },
	{ RADIUS_MS_PRIMARY_DNS_SERVER, ACC, ADDRESS, NULL, effect_dns, false,
	  "Name server, like the next." },
	{ RADIUS_MS_SECONDARY_DNS_SERVER, ACC, ADDRESS, NULL, effect_dns, false,
	  "" },
	{ RADIUS_MS_PRIMARY_NBNS_SERVER, ACC, ADDRESS, NULL, effect_wins, false,
	  "WINS server, like the next." },
	{ RADIUS_MS_SECONDARY_NBNS_SERVER, ACC, ADDRESS, NULL, effect_wins, false,
	  "" },
	{ RADIUS_FRAMED_INTERFACE_ID, ACC | ACCT, OCTETS, NULL, effect_interface_id, false,
	  "The client's IPv6 interface identifier." },
	{ RADIUS_FRAMED_IPV6_PREFIX, ACC | ACCT, OCTETS, NULL, effect_prefix6, false,
	  "Routed to the client and accounted, but not advertised: on-up gets it, like those of the next "
	  "three." },
	{ RADIUS_DELEGATED_IPV6_PREFIX, ACC | ACCT, OCTETS, NULL, effect_prefix6, false,
	  "Routed to the client and accounted, but not delegated by DHCPv6." },
	{ RADIUS_FRAMED_IPV6_POOL, ACC | ACCT, TEXT, NULL, effect_pool6, false,
	  "The name of a pool of prefixes, of whoever on-up starts: accounted, but no prefix is taken from it." },
	{ RADIUS_DNS_SERVER_IPV6_ADDRESS, ACC | ACCT, OCTETS, NULL, effect_dns6, false,
	  "Name server, four at most: accounted, but neither advertised nor told by DHCPv6." },
	{ RADIUS_FRAMED_IPV6_ROUTE, ACC, TEXT, NULL, effect_route, false,
	  "As Framed-Route; the gateway has no meaning." },
	{ RADIUS_MIKROTIK_RATE_LIMIT, ACC | COA, TEXT, NULL, effect_rate, false,
	  "What the client may send and receive: rx/tx, then optionally their burst rates, "
	  "burst thresholds and burst times, as MikroTik says it; a priority and guaranteed rates "
	  "have no meaning here. Of all these attributes the last one counts for its direction; "
	  "a rate of 0 is no limit." },
	{ RADIUS_WISPR_BANDWIDTH_MAX_UP, ACC | COA, NUMBER, NULL, effect_rate, false,
	  "What the client may send, bit/s." },
	{ RADIUS_WISPR_BANDWIDTH_MAX_DOWN, ACC | COA, NUMBER, NULL, effect_rate, false,
	  "What the client may receive, bit/s." },
	{ RADIUS_ASCEND_DATA_RATE, ACC | COA, NUMBER, NULL, effect_rate, false,
	  "What the client may send, bit/s." },
	{ RADIUS_ASCEND_XMIT_RATE, ACC | COA, NUMBER, NULL, effect_rate, false,
	  "What the client may receive, bit/s." },
	{ RADIUS_CISCO_AVPAIR, ACC | COA, TEXT, NULL, effect_rate, false,
	  "lcp:interface-config=rate-limit input|output RATE BURST EXCESS conform-action transmit "
	  "exceed-action drop, of bit/s and octets, input being what the client sends; "
	  "ip:sub-qos-policy-in= and ip:sub-qos-policy-out= with a rate (10M) for the policy. "
	  "Others are not obeyed." },
	{ RADIUS_REPLY_MESSAGE, ACC | REJ, TEXT, NULL, effect_message, false,
	  "For the client, and for the log." },
	{ RADIUS_CLASS, ACC | ACCT | COA, OCTETS, NULL, effect_class, false,
	  "Accounting repeats every one, in order." },
	{ RADIUS_PROXY_STATE, ACC, OCTETS, NULL, effect_elsewhere, false,
	  "Means nothing here." },
	{ RADIUS_MS_CHAP2_SUCCESS, ACC, OCTETS, NULL, effect_elsewhere, false,
	  "For the client; without it MS-CHAPv2 cannot succeed." },
	{ RADIUS_EAP_MESSAGE, REQ | CHA | ACC | REJ, OCTETS, NULL, effect_elsewhere, false,
	  "EAP, in as many as it takes. Answers must be signed (Message-Authenticator). What an accept or a "
	  "reject carries is not looked at: their own code decides." },
	{ RADIUS_MS_CHAP_ERROR, REJ, OCTETS, NULL, NULL, false,
	  "For the client." },
	{ RADIUS_MS_MPPE_ENCRYPTION_POLICY, ACC, NUMBER, NULL, effect_elsewhere, false,
	  "Encryption allowed or required, like the next." },
	{ RADIUS_MS_MPPE_ENCRYPTION_TYPES, ACC, NUMBER, NULL, effect_elsewhere, false,
	  "" },
	{ RADIUS_MS_MPPE_SEND_KEY, ACC, OCTETS, NULL, effect_elsewhere, false,
	  "With MS-CHAPv2." },
	{ RADIUS_MS_MPPE_RECV_KEY, ACC, OCTETS, NULL, effect_elsewhere, false,
	  "With MS-CHAPv2." },

	/* what became of it */
	{ RADIUS_ACCT_STATUS_TYPE, ACCT | NAS, NUMBER, NULL, NULL, false,
	  "Start, Interim-Update, Stop, Accounting-On, Accounting-Off." },
	{ RADIUS_ACCT_AUTHENTIC, ACCT, NUMBER, NULL, NULL, false,
	  "RADIUS or Local." },
	{ RADIUS_ACCT_SESSION_TIME, ACCT, NUMBER, NULL, NULL, false,
	  "Seconds since network-up; not in Start, like the following six." },
	{ RADIUS_ACCT_INPUT_OCTETS, ACCT, NUMBER, NULL, NULL, false,
	  "From the client, since network-up." },
	{ RADIUS_ACCT_OUTPUT_OCTETS, ACCT, NUMBER, NULL, NULL, false,
	  "To the client." },
	{ RADIUS_ACCT_INPUT_GIGAWORDS, ACCT, NUMBER, NULL, NULL, false,
	  "" },
	{ RADIUS_ACCT_OUTPUT_GIGAWORDS, ACCT, NUMBER, NULL, NULL, false,
	  "" },
	{ RADIUS_ACCT_INPUT_PACKETS, ACCT, NUMBER, NULL, NULL, false,
	  "" },
	{ RADIUS_ACCT_OUTPUT_PACKETS, ACCT, NUMBER, NULL, NULL, false,
	  "" },
	{ RADIUS_ACCT_TERMINATE_CAUSE, ACCT, NUMBER, NULL, NULL, false,
	  "Of Stop." },
	{ RADIUS_EVENT_TIMESTAMP, ACCT | NAS, NUMBER, NULL, NULL, false,
	  "When it happened." },
	{ RADIUS_ACCT_DELAY_TIME, ACCT | NAS, NUMBER, NULL, NULL, false,
	  "Seconds since then." },
};
/* clang-format on */

#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

static const struct attribute *find(radius_code code, enum attribute_direction direction)
{
	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (table[i].code == code && (table[i].directions & direction))
			return &table[i];
	return NULL;
}

/* ---- out ---- */

static int add_all(struct radius_attrs *attrs, const struct source *from)
{
	int err = 0;

	for (size_t i = 0; i < TABLE_SIZE && !err; i++)
		if ((table[i].directions & from->direction) && table[i].add)
			err = table[i].add(attrs, table[i].code, from);
	return err;
}

int attributes_add(const struct subscriber *sub, enum attribute_direction direction,
	struct radius_attrs *attrs)
{
	struct l2tp_tunnel_info tunnel;
	const struct source from = { direction, sub->all->config.config, sub,
		l2tp_session_call(sub->l2tp), &tunnel };

	l2tp_tunnel_info(l2tp_session_tunnel(sub->l2tp), &tunnel);
	return add_all(attrs, &from);
}

int attributes_add_nas(const struct config *config, struct radius_attrs *attrs)
{
	const struct source from = { .direction = ATTRIBUTE_NAS, .config = config };

	return add_all(attrs, &from);
}

/* ---- in ---- */

struct reading {
	struct authorization *auth;
	char *why, *ignored;
	size_t why_size, ignored_size;
	int err;
};

static const char *value_text(
	const struct attribute *row, const struct attribute_value *value, char *text, size_t size)
{
	switch (row ? row->kind : OCTETS) {
	case NUMBER:
		snprintf(text, size, " = %u", attribute_number(value));
		break;
	case ADDRESS:
		snprintf(text, size, " = %u.%u.%u.%u", attribute_number(value) >> 24,
			attribute_number(value) >> 16 & 255, attribute_number(value) >> 8 & 255,
			attribute_number(value) & 255);
		break;
	case TEXT:
		snprintf(text, size, " = ");
		log_printable(text + 3, size - 3, value->data, value->len);
		break;
	case OCTETS:
		*text = '\0';
	}
	return text;
}

static void note_ignored(struct reading *reading, const char *name, const char *text)
{
	static const char more[] = " ...";
	size_t used = strlen(reading->ignored), room = reading->ignored_size - used;
	int len = snprintf(reading->ignored + used, room, "%s%s%s", used ? ", " : "", name, text);

	if ((size_t)len >= room) /* there are more, whatever their names */
		memcpy(reading->ignored + reading->ignored_size - sizeof(more), more, sizeof(more));
}

static bool read_one(void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	struct reading *reading = ctx;
	const struct attribute *row = find(code, ATTRIBUTE_ACCEPT);
	const struct attribute_value value = { code, data, len };
	int err = row ? row->obey(reading->auth, &value) : -EINVAL;
	char text[128];

	if (err == 0)
		return true;
	if (err == -ENOMEM || (err < 0 && row && row->vital)) {
		snprintf(reading->why, reading->why_size, "%s%s cannot be obeyed", name,
			value_text(row, &value, text, sizeof(text)));
		reading->err = err;
		return false;
	}
	note_ignored(reading, name,
		err == ATTRIBUTE_IN_PART ? " (not delivered)"
					 : value_text(row, &value, text, sizeof(text)));
	return true;
}

/* What depends on several attributes, whatever their order was. */
static void read_together(struct reading *reading)
{
	struct authorization *auth = reading->auth;
	bool fixed = auth->address == AUTHORIZATION_FIXED;
	struct authorization_route net = { .prefix.addr.in4.sin_family = AF_INET };
	size_t kept = 0;

	if (auth->pool_given && !fixed)
		auth->address = AUTHORIZATION_POOL;
	for (size_t i = 0; i < auth->route_count; i++) {
		const struct authorization_route *route = &auth->routes[i];

		if (route->gateway && !(fixed && route->gateway == auth->remote))
			note_ignored(reading, "Framed-Route", " by way of a gateway");
		else
			auth->routes[kept++] = *route;
	}
	auth->route_count = kept;
	if (auth->netmask == 0 || auth->netmask == UINT32_MAX)
		return;
	net.prefix.len = (unsigned int)route_mask_len(auth->netmask);
	net.prefix.addr.in4.sin_addr.s_addr = htonl(auth->remote & auth->netmask);
	if (!fixed || authorization_add_route(auth, &net) < 0)
		note_ignored(reading, "Framed-IP-Netmask", "");
}

int authorization_apply_reply(struct authorization *auth, const struct radius_attrs *reply,
	char *ret_why, size_t why_size, char *ret_ignored, size_t ignored_size)
{
	struct reading reading = { auth, ret_why, ret_ignored, why_size, ignored_size, 0 };

	ret_why[0] = ret_ignored[0] = '\0';
	radius_attrs_each(reply, read_one, &reading);
	if (reading.err == 0)
		read_together(&reading);
	return reading.err;
}

/* ---- the manual page ---- */

static void man_text(const char *text, FILE *out)
{
	for (; *text; text++)
		if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
}

void attributes_dump_man(FILE *out)
{
	static const struct {
		enum attribute_direction direction;
		const char *name;
	} names[] = {
		{ ATTRIBUTE_REQUEST, "Access-Request" },
		{ ATTRIBUTE_CHALLENGE, "Access-Challenge" },
		{ ATTRIBUTE_ACCEPT, "Access-Accept" },
		{ ATTRIBUTE_REJECT, "Access-Reject" },
		{ ATTRIBUTE_CHANGE, "CoA-Request" },
		{ ATTRIBUTE_ACCOUNTING, "accounting" },
		{ ATTRIBUTE_NAS, "Accounting-On and -Off" },
	};

	for (size_t i = 0; i < TABLE_SIZE; i++) {
		const char *comma = "";

		fputs(".TP\n.B ", out);
		man_text(radius_attr_name(table[i].code), out);
		fputc('\n', out);
		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
			if (!(table[i].directions & names[n].direction))
				continue;
			fputs(comma, out);
			man_text(names[n].name, out);
			comma = ", ";
		}
		fputs(".\n", out);
		man_text(table[i].help, out);
		fputs(table[i].help[0] ? "\n" : "", out);
	}
}
