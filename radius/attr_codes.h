/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attr_codes: the attributes known by name, once: the tables below make both the RADIUS_x codes and
 * the text of the built-in dictionary (dictionary.c).
 *
 * Columns: constant, number, dictionary name (at most 32 characters), type. The dictionary is
 * searched linearly from its end, so what is in every packet stands last. Types:
 *
 *   string      text or octets, up to 253 (247 in a vendor attribute)
 *   integer     32 bits; dates too, because libradcli decodes "date" to 0
 *   ipaddr      IPv4 address
 *   ipv6addr    IPv6 address
 *   ipv6prefix  RFC 3162: reserved octet, prefix length, up to 16 octets
 *   tagtext     text after an optional tag octet (RFC 2868)
 *   taginteger  a tag octet and 24 bits (RFC 2868)
 *   tagsalted   a tag octet and a salt-encrypted string (RFC 2868 section 3.5)
 */
#ifndef RADIUS_ATTR_CODES_H
#define RADIUS_ATTR_CODES_H

#include "radius/radius.h"

/* clang-format off */

/* Rarely met ones of RFC 2865..2869, 3162, 4849, 5176 and 6911. */
#define RADIUS_ATTRS_RARE(X)                                                                       \
	X(RADIUS_FRAMED_ROUTING,              10, "Framed-Routing",              integer)          \
	X(RADIUS_FRAMED_COMPRESSION,          13, "Framed-Compression",          integer)          \
	X(RADIUS_LOGIN_IP_HOST,               14, "Login-IP-Host",               ipaddr)           \
	X(RADIUS_LOGIN_SERVICE,               15, "Login-Service",               integer)          \
	X(RADIUS_CALLBACK_NUMBER,             19, "Callback-Number",             string)           \
	X(RADIUS_CALLBACK_ID,                 20, "Callback-Id",                 string)           \
	X(RADIUS_VENDOR_SPECIFIC,             26, "Vendor-Specific",             string)           \
	X(RADIUS_PROXY_STATE,                 33, "Proxy-State",                 string)           \
	X(RADIUS_ACCT_LINK_COUNT,             51, "Acct-Link-Count",             integer)          \
	X(RADIUS_EGRESS_VLANID,               56, "Egress-VLANID",               integer)          \
	X(RADIUS_TUNNEL_PASSWORD,             69, "Tunnel-Password",             tagsalted)        \
	X(RADIUS_PASSWORD_RETRY,              75, "Password-Retry",              integer)          \
	X(RADIUS_PROMPT,                      76, "Prompt",                      integer)          \
	X(RADIUS_CONFIGURATION_TOKEN,         78, "Configuration-Token",         string)           \
	X(RADIUS_EAP_MESSAGE,                 79, "EAP-Message",                 string)           \
	X(RADIUS_TUNNEL_PRIVATE_GROUP_ID,     81, "Tunnel-Private-Group-Id",     tagtext)          \
	X(RADIUS_TUNNEL_PREFERENCE,           83, "Tunnel-Preference",           taginteger)       \
	X(RADIUS_ACCT_TUNNEL_PACKETS_LOST,    86, "Acct-Tunnel-Packets-Lost",    integer)          \
	X(RADIUS_NAS_FILTER_RULE,             92, "NAS-Filter-Rule",             string)           \
	X(RADIUS_LOGIN_IPV6_HOST,             98, "Login-IPv6-Host",             ipv6addr)         \
	X(RADIUS_ERROR_CAUSE,                101, "Error-Cause",                 integer)          \
	X(RADIUS_ROUTE_IPV6_INFORMATION,     170, "Route-IPv6-Information",      ipv6prefix)       \
	X(RADIUS_DELEGATED_IPV6_PREFIX_POOL, 171, "Delegated-IPv6-Prefix-Pool",  string)           \
	X(RADIUS_STATEFUL_IPV6_ADDRESS_POOL, 172, "Stateful-IPv6-Address-Pool",  string)           \
	X(RADIUS_DNS_SERVER_IPV6_ADDRESS,    169, "DNS-Server-IPv6-Address",     ipv6addr)

/* Of requests, replies and accounting records. */
#define RADIUS_ATTRS_COMMON(X)                                                                     \
	X(RADIUS_USER_PASSWORD,                2, "User-Password",               string)           \
	X(RADIUS_CHAP_PASSWORD,                3, "CHAP-Password",               string)           \
	X(RADIUS_FILTER_ID,                   11, "Filter-Id",                   string)           \
	X(RADIUS_REPLY_MESSAGE,               18, "Reply-Message",               string)           \
	X(RADIUS_FRAMED_ROUTE,                22, "Framed-Route",                string)           \
	X(RADIUS_STATE,                       24, "State",                       string)           \
	X(RADIUS_SESSION_TIMEOUT,             27, "Session-Timeout",             integer)          \
	X(RADIUS_IDLE_TIMEOUT,                28, "Idle-Timeout",                integer)          \
	X(RADIUS_TERMINATION_ACTION,          29, "Termination-Action",          integer)          \
	X(RADIUS_FRAMED_POOL,                 88, "Framed-Pool",                 string)           \
	X(RADIUS_FRAMED_IPV6_ROUTE,           99, "Framed-IPv6-Route",           string)           \
	X(RADIUS_FRAMED_IPV6_POOL,           100, "Framed-IPv6-Pool",            string)           \
	X(RADIUS_FRAMED_IPV6_ADDRESS,        168, "Framed-IPv6-Address",         ipv6addr)         \
	X(RADIUS_FRAMED_IPV6_PREFIX,          97, "Framed-IPv6-Prefix",          ipv6prefix)       \
	X(RADIUS_DELEGATED_IPV6_PREFIX,      123, "Delegated-IPv6-Prefix",       ipv6prefix)       \
	X(RADIUS_FRAMED_INTERFACE_ID,         96, "Framed-Interface-Id",         string)           \
	X(RADIUS_ACCT_INTERIM_INTERVAL,       85, "Acct-Interim-Interval",       integer)          \
	X(RADIUS_PORT_LIMIT,                  62, "Port-Limit",                  integer)          \
	X(RADIUS_ACCT_TERMINATE_CAUSE,        49, "Acct-Terminate-Cause",        integer)          \
	X(RADIUS_CHAP_CHALLENGE,              60, "CHAP-Challenge",              string)           \
	X(RADIUS_CHARGEABLE_USER_IDENTITY,    89, "Chargeable-User-Identity",    string)           \
	X(RADIUS_FRAMED_MTU,                  12, "Framed-MTU",                  integer)          \
	X(RADIUS_FRAMED_IP_NETMASK,            9, "Framed-IP-Netmask",           ipaddr)           \
	X(RADIUS_NAS_IPV6_ADDRESS,            95, "NAS-IPv6-Address",            ipv6addr)         \
	X(RADIUS_CLASS,                       25, "Class",                       string)           \
	X(RADIUS_ACCT_TUNNEL_CONNECTION,      68, "Acct-Tunnel-Connection",      string)           \
	X(RADIUS_TUNNEL_ASSIGNMENT_ID,        82, "Tunnel-Assignment-Id",        tagtext)          \
	X(RADIUS_TUNNEL_SERVER_AUTH_ID,       91, "Tunnel-Server-Auth-Id",       tagtext)          \
	X(RADIUS_TUNNEL_CLIENT_AUTH_ID,       90, "Tunnel-Client-Auth-Id",       tagtext)          \
	X(RADIUS_TUNNEL_SERVER_ENDPOINT,      67, "Tunnel-Server-Endpoint",      tagtext)          \
	X(RADIUS_TUNNEL_CLIENT_ENDPOINT,      66, "Tunnel-Client-Endpoint",      tagtext)          \
	X(RADIUS_TUNNEL_MEDIUM_TYPE,          65, "Tunnel-Medium-Type",          taginteger)       \
	X(RADIUS_TUNNEL_TYPE,                 64, "Tunnel-Type",                 taginteger)       \
	X(RADIUS_CONNECT_INFO,                77, "Connect-Info",                string)           \
	X(RADIUS_ACCT_MULTI_SESSION_ID,       50, "Acct-Multi-Session-Id",       string)           \
	X(RADIUS_ACCT_AUTHENTIC,              45, "Acct-Authentic",              integer)          \
	X(RADIUS_ACCT_DELAY_TIME,             41, "Acct-Delay-Time",             integer)          \
	X(RADIUS_EVENT_TIMESTAMP,             55, "Event-Timestamp",             integer)          \
	X(RADIUS_ACCT_OUTPUT_GIGAWORDS,       53, "Acct-Output-Gigawords",       integer)          \
	X(RADIUS_ACCT_INPUT_GIGAWORDS,        52, "Acct-Input-Gigawords",        integer)          \
	X(RADIUS_ACCT_OUTPUT_PACKETS,         48, "Acct-Output-Packets",         integer)          \
	X(RADIUS_ACCT_INPUT_PACKETS,          47, "Acct-Input-Packets",          integer)          \
	X(RADIUS_ACCT_OUTPUT_OCTETS,          43, "Acct-Output-Octets",          integer)          \
	X(RADIUS_ACCT_INPUT_OCTETS,           42, "Acct-Input-Octets",           integer)          \
	X(RADIUS_ACCT_SESSION_TIME,           46, "Acct-Session-Time",           integer)          \
	X(RADIUS_ACCT_STATUS_TYPE,            40, "Acct-Status-Type",            integer)          \
	X(RADIUS_MESSAGE_AUTHENTICATOR,       80, "Message-Authenticator",       string)           \
	X(RADIUS_CALLED_STATION_ID,           30, "Called-Station-Id",           string)           \
	X(RADIUS_CALLING_STATION_ID,          31, "Calling-Station-Id",          string)           \
	X(RADIUS_NAS_PORT_ID,                 87, "NAS-Port-Id",                 string)           \
	X(RADIUS_NAS_PORT_TYPE,               61, "NAS-Port-Type",               integer)          \
	X(RADIUS_NAS_PORT,                     5, "NAS-Port",                    integer)          \
	X(RADIUS_NAS_IDENTIFIER,              32, "NAS-Identifier",              string)           \
	X(RADIUS_NAS_IP_ADDRESS,               4, "NAS-IP-Address",              ipaddr)           \
	X(RADIUS_SERVICE_TYPE,                 6, "Service-Type",                integer)          \
	X(RADIUS_FRAMED_PROTOCOL,              7, "Framed-Protocol",             integer)          \
	X(RADIUS_FRAMED_IP_ADDRESS,            8, "Framed-IP-Address",           ipaddr)           \
	X(RADIUS_ACCT_SESSION_ID,             44, "Acct-Session-Id",             string)           \
	X(RADIUS_USER_NAME,                    1, "User-Name",                   string)

#define RADIUS_VENDOR_CISCO      9
#define RADIUS_VENDOR_MICROSOFT  311
#define RADIUS_VENDOR_ASCEND     529
#define RADIUS_VENDOR_ADSL_FORUM 3561
#define RADIUS_VENDOR_WISPR      14122
#define RADIUS_VENDOR_MIKROTIK   14988

#define RADIUS_ATTRS_CISCO(X)                                                                      \
	X(RADIUS_CISCO_AVPAIR,                 1, "Cisco-AVPair",                string)

/* RFC 2548. */
#define RADIUS_ATTRS_MICROSOFT(X)                                                                  \
	X(RADIUS_MS_CHAP_RESPONSE,             1, "MS-CHAP-Response",            string)           \
	X(RADIUS_MS_CHAP_ERROR,                2, "MS-CHAP-Error",               string)           \
	X(RADIUS_MS_MPPE_ENCRYPTION_POLICY,    7, "MS-MPPE-Encryption-Policy",   integer)          \
	X(RADIUS_MS_MPPE_ENCRYPTION_TYPES,     8, "MS-MPPE-Encryption-Types",    integer)          \
	X(RADIUS_MS_CHAP_DOMAIN,              10, "MS-CHAP-Domain",              string)           \
	X(RADIUS_MS_CHAP_CHALLENGE,           11, "MS-CHAP-Challenge",           string)           \
	X(RADIUS_MS_CHAP_MPPE_KEYS,           12, "MS-CHAP-MPPE-Keys",           string)           \
	X(RADIUS_MS_MPPE_SEND_KEY,            16, "MS-MPPE-Send-Key",            string)           \
	X(RADIUS_MS_MPPE_RECV_KEY,            17, "MS-MPPE-Recv-Key",            string)           \
	X(RADIUS_MS_CHAP2_RESPONSE,           25, "MS-CHAP2-Response",           string)           \
	X(RADIUS_MS_CHAP2_SUCCESS,            26, "MS-CHAP2-Success",            string)           \
	X(RADIUS_MS_PRIMARY_DNS_SERVER,       28, "MS-Primary-DNS-Server",       ipaddr)           \
	X(RADIUS_MS_SECONDARY_DNS_SERVER,     29, "MS-Secondary-DNS-Server",     ipaddr)           \
	X(RADIUS_MS_PRIMARY_NBNS_SERVER,      30, "MS-Primary-NBNS-Server",      ipaddr)           \
	X(RADIUS_MS_SECONDARY_NBNS_SERVER,    31, "MS-Secondary-NBNS-Server",    ipaddr)

#define RADIUS_ATTRS_ASCEND(X)                                                                     \
	X(RADIUS_ASCEND_CLIENT_PRIMARY_DNS,  135, "Ascend-Client-Primary-DNS",   ipaddr)           \
	X(RADIUS_ASCEND_CLIENT_SECONDARY_DNS, 136, "Ascend-Client-Secondary-DNS", ipaddr)          \
	X(RADIUS_ASCEND_DATA_RATE,           197, "Ascend-Data-Rate",            integer)          \
	X(RADIUS_ASCEND_XMIT_RATE,           255, "Ascend-Xmit-Rate",            integer)

/* RFC 4679; two names are shortened to fit. */
#define RADIUS_ATTRS_ADSL_FORUM(X)                                                                 \
	X(RADIUS_AGENT_CIRCUIT_ID,             1, "ADSL-Agent-Circuit-Id",       string)           \
	X(RADIUS_AGENT_REMOTE_ID,              2, "ADSL-Agent-Remote-Id",        string)           \
	X(RADIUS_ACTUAL_DATA_RATE_UP,        129, "Actual-Data-Rate-Upstream",   integer)          \
	X(RADIUS_ACTUAL_DATA_RATE_DOWN,      130, "Actual-Data-Rate-Downstream", integer)          \
	X(RADIUS_MINIMUM_DATA_RATE_UP,       131, "Minimum-Data-Rate-Upstream",  integer)          \
	X(RADIUS_MINIMUM_DATA_RATE_DOWN,     132, "Minimum-Data-Rate-Downstream", integer)         \
	X(RADIUS_ATTAINABLE_DATA_RATE_UP,    133, "Attainable-Data-Rate-Upstream", integer)        \
	X(RADIUS_ATTAINABLE_DATA_RATE_DOWN,  134, "Attainable-Data-Rate-Downstream", integer)      \
	X(RADIUS_MAXIMUM_DATA_RATE_UP,       135, "Maximum-Data-Rate-Upstream",  integer)          \
	X(RADIUS_MAXIMUM_DATA_RATE_DOWN,     136, "Maximum-Data-Rate-Downstream", integer)         \
	X(RADIUS_MINIMUM_DATA_RATE_UP_LOW_POWER, 137, "Minimum-Data-Rate-Up-Low-Power", integer)   \
	X(RADIUS_MINIMUM_DATA_RATE_DOWN_LOW_POWER, 138, "Minimum-Data-Rate-Down-Low-Power", integer) \
	X(RADIUS_MAXIMUM_DELAY_UP,           139, "Max-Interleaving-Delay-Upstream", integer)      \
	X(RADIUS_ACTUAL_DELAY_UP,            140, "Act-Interleaving-Delay-Upstream", integer)      \
	X(RADIUS_MAXIMUM_DELAY_DOWN,         141, "Max-Interleaving-Delay-Downstr", integer)       \
	X(RADIUS_ACTUAL_DELAY_DOWN,          142, "Act-Interleaving-Delay-Downstr", integer)       \
	X(RADIUS_ACCESS_LOOP_ENCAPSULATION,  144, "Access-Loop-Encapsulation",   string)           \
	X(RADIUS_IWF_SESSION,                254, "IWF-Session",                 string)

#define RADIUS_ATTRS_WISPR(X)                                                                      \
	X(RADIUS_WISPR_BANDWIDTH_MIN_UP,       5, "WISPr-Bandwidth-Min-Up",      integer)          \
	X(RADIUS_WISPR_BANDWIDTH_MIN_DOWN,     6, "WISPr-Bandwidth-Min-Down",    integer)          \
	X(RADIUS_WISPR_BANDWIDTH_MAX_UP,       7, "WISPr-Bandwidth-Max-Up",      integer)          \
	X(RADIUS_WISPR_BANDWIDTH_MAX_DOWN,     8, "WISPr-Bandwidth-Max-Down",    integer)          \
	X(RADIUS_WISPR_SESSION_TERMINATE_TIME, 9, "WISPr-Session-Terminate-Time", string)

#define RADIUS_ATTRS_MIKROTIK(X)                                                                   \
	X(RADIUS_MIKROTIK_RECV_LIMIT,          1, "Mikrotik-Recv-Limit",         integer)          \
	X(RADIUS_MIKROTIK_XMIT_LIMIT,          2, "Mikrotik-Xmit-Limit",         integer)          \
	X(RADIUS_MIKROTIK_RATE_LIMIT,          8, "Mikrotik-Rate-Limit",         string)           \
	X(RADIUS_MIKROTIK_ADDRESS_LIST,       19, "Mikrotik-Address-List",       string)

#define RADIUS_CODE_RFC(id, n, name, type)       id = (n),
#define RADIUS_CODE_CISCO(id, n, name, type)     id = RADIUS_VENDOR(RADIUS_VENDOR_CISCO, n),
#define RADIUS_CODE_MICROSOFT(id, n, name, type) id = RADIUS_VENDOR(RADIUS_VENDOR_MICROSOFT, n),
#define RADIUS_CODE_ASCEND(id, n, name, type)    id = RADIUS_VENDOR(RADIUS_VENDOR_ASCEND, n),
#define RADIUS_CODE_ADSL(id, n, name, type)      id = RADIUS_VENDOR(RADIUS_VENDOR_ADSL_FORUM, n),
#define RADIUS_CODE_WISPR(id, n, name, type)     id = RADIUS_VENDOR(RADIUS_VENDOR_WISPR, n),
#define RADIUS_CODE_MIKROTIK(id, n, name, type)  id = RADIUS_VENDOR(RADIUS_VENDOR_MIKROTIK, n),

/* The codes: RADIUS_USER_NAME, ... */
enum radius_attr_codes {
	RADIUS_ATTRS_RARE(RADIUS_CODE_RFC)
	RADIUS_ATTRS_COMMON(RADIUS_CODE_RFC)
	RADIUS_ATTRS_CISCO(RADIUS_CODE_CISCO)
	RADIUS_ATTRS_MICROSOFT(RADIUS_CODE_MICROSOFT)
	RADIUS_ATTRS_ASCEND(RADIUS_CODE_ASCEND)
	RADIUS_ATTRS_ADSL_FORUM(RADIUS_CODE_ADSL)
	RADIUS_ATTRS_WISPR(RADIUS_CODE_WISPR)
	RADIUS_ATTRS_MIKROTIK(RADIUS_CODE_MIKROTIK)
};

/* clang-format on */

/* Values of some of them, from the same RFCs. */
enum radius_service_type {
	RADIUS_SERVICE_FRAMED = 2,
	RADIUS_SERVICE_AUTHORIZE_ONLY = 17,
};
enum radius_framed_protocol { RADIUS_FRAMED_PPP = 1 };
enum radius_nas_port_type { RADIUS_PORT_VIRTUAL = 5 };
enum radius_tunnel_type { RADIUS_TUNNEL_L2TP = 3 };
enum radius_tunnel_medium { RADIUS_MEDIUM_IPV4 = 1, RADIUS_MEDIUM_IPV6 = 2 };
enum radius_termination_action { RADIUS_TERMINATION_DEFAULT = 0, RADIUS_TERMINATION_REQUEST = 1 };
enum radius_acct_authentic {
	RADIUS_AUTHENTIC_RADIUS = 1,
	RADIUS_AUTHENTIC_LOCAL = 2,
	RADIUS_AUTHENTIC_REMOTE = 3,
};
#define RADIUS_ADDRESS_USER_CHOOSES 0xffffffffu /* Framed-IP-Address, RFC 2865 section 5.8 */
#define RADIUS_ADDRESS_NAS_CHOOSES  0xfffffffeu

/* Acct-Terminate-Cause, RFC 2866 section 5.10. */
enum radius_terminate_cause {
	RADIUS_CAUSE_USER_REQUEST = 1,
	RADIUS_CAUSE_LOST_CARRIER = 2,
	RADIUS_CAUSE_LOST_SERVICE = 3,
	RADIUS_CAUSE_IDLE_TIMEOUT = 4,
	RADIUS_CAUSE_SESSION_TIMEOUT = 5,
	RADIUS_CAUSE_ADMIN_RESET = 6,
	RADIUS_CAUSE_ADMIN_REBOOT = 7,
	RADIUS_CAUSE_PORT_ERROR = 8,
	RADIUS_CAUSE_NAS_ERROR = 9,
	RADIUS_CAUSE_NAS_REQUEST = 10,
	RADIUS_CAUSE_NAS_REBOOT = 11,
	RADIUS_CAUSE_PORT_UNNEEDED = 12,
	RADIUS_CAUSE_PORT_PREEMPTED = 13,
	RADIUS_CAUSE_PORT_SUSPENDED = 14,
	RADIUS_CAUSE_SERVICE_UNAVAILABLE = 15,
	RADIUS_CAUSE_CALLBACK = 16,
	RADIUS_CAUSE_USER_ERROR = 17,
	RADIUS_CAUSE_HOST_REQUEST = 18,
};

/* Error-Cause, RFC 5176 section 3.5. */
enum radius_error_cause {
	RADIUS_ERROR_RESIDUAL_CONTEXT_REMOVED = 201,
	RADIUS_ERROR_UNSUPPORTED_ATTRIBUTE = 401,
	RADIUS_ERROR_MISSING_ATTRIBUTE = 402,
	RADIUS_ERROR_NAS_MISMATCH = 403,
	RADIUS_ERROR_INVALID_REQUEST = 404,
	RADIUS_ERROR_UNSUPPORTED_SERVICE = 405,
	RADIUS_ERROR_UNSUPPORTED_EXTENSION = 406,
	RADIUS_ERROR_INVALID_ATTRIBUTE_VALUE = 407,
	RADIUS_ERROR_ADMINISTRATIVELY_PROHIBITED = 501,
	RADIUS_ERROR_SESSION_NOT_FOUND = 503,
	RADIUS_ERROR_SESSION_NOT_REMOVABLE = 504,
	RADIUS_ERROR_RESOURCES_UNAVAILABLE = 506,
	RADIUS_ERROR_MULTIPLE_SESSIONS = 508,
};

#endif
