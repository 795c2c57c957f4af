/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * das_parse: what may stand in a Disconnect- or CoA-Request, one row per attribute (RFC 5176 sections 3
 * and 3.6).
 *
 * An attribute that would be passed over could make a request mean more sessions or less change than
 * its sender wants. So nothing is: what has no row is refused (401), as is what stands twice, is empty,
 * has a wrong length or a NUL in its text (404). Services other than the session's own are not known
 * (405, of CoA only), and a request that names no session, or a CoA-Request that changes nothing, lacks
 * an attribute (402).
 */
#include "radius/das_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "radius/dictionary.h"

#define ATTR_HEADER 2

enum kind { KIND_TEXT, KIND_U32, KIND_ADDR6, KIND_CLASS };

struct rule {
	uint8_t type;
	enum kind kind;
	enum radius_das_field field;
	size_t offset; /* of its place in the request */
};

#define AT(member) offsetof(struct radius_das_request, member)
static const struct rule rules[] = {
	{ RADIUS_NAS_IP_ADDRESS, KIND_U32, RADIUS_DAS_NAS_IP, AT(nas_ip) },
	{ RADIUS_NAS_IPV6_ADDRESS, KIND_ADDR6, RADIUS_DAS_NAS_IPV6, AT(nas_ipv6) },
	{ RADIUS_NAS_IDENTIFIER, KIND_TEXT, RADIUS_DAS_NAS_IDENTIFIER, AT(nas_identifier) },

	{ RADIUS_ACCT_SESSION_ID, KIND_TEXT, RADIUS_DAS_ACCT_SESSION_ID, AT(acct_session_id) },
	{ RADIUS_ACCT_MULTI_SESSION_ID, KIND_TEXT, RADIUS_DAS_ACCT_MULTI_SESSION_ID,
		AT(acct_multi_session_id) },
	{ RADIUS_USER_NAME, KIND_TEXT, RADIUS_DAS_USER_NAME, AT(user_name) },
	{ RADIUS_FRAMED_IP_ADDRESS, KIND_U32, RADIUS_DAS_FRAMED_IP, AT(framed_ip) },
	{ RADIUS_NAS_PORT, KIND_U32, RADIUS_DAS_NAS_PORT, AT(nas_port) },
	{ RADIUS_NAS_PORT_ID, KIND_TEXT, RADIUS_DAS_NAS_PORT_ID, AT(nas_port_id) },
	{ RADIUS_CALLING_STATION_ID, KIND_TEXT, RADIUS_DAS_CALLING_STATION_ID,
		AT(calling_station_id) },
	{ RADIUS_CALLED_STATION_ID, KIND_TEXT, RADIUS_DAS_CALLED_STATION_ID,
		AT(called_station_id) },

	{ RADIUS_SESSION_TIMEOUT, KIND_U32, RADIUS_DAS_SESSION_TIMEOUT, AT(session_timeout) },
	{ RADIUS_IDLE_TIMEOUT, KIND_U32, RADIUS_DAS_IDLE_TIMEOUT, AT(idle_timeout) },
	{ RADIUS_ACCT_INTERIM_INTERVAL, KIND_U32, RADIUS_DAS_INTERIM, AT(interim) },
	{ RADIUS_CLASS, KIND_CLASS, RADIUS_DAS_CLASS, 0 },

	{ RADIUS_EVENT_TIMESTAMP, KIND_U32, RADIUS_DAS_EVENT_TIME, AT(event_time) },
};

/* Those of vendors: taken unread, for the owner knows what they mean. */
static const radius_code rates[] = {
	RADIUS_CISCO_AVPAIR,
	RADIUS_ASCEND_DATA_RATE,
	RADIUS_ASCEND_XMIT_RATE,
	RADIUS_WISPR_BANDWIDTH_MAX_UP,
	RADIUS_WISPR_BANDWIDTH_MAX_DOWN,
	RADIUS_MIKROTIK_RATE_LIMIT,
};

static bool is_rate(radius_code code)
{
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		if (rates[i] == code)
			return true;
	return false;
}

static const struct rule *find_rule(uint8_t type, enum radius_packet_code code)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].type == type)
			return code == RADIUS_DISCONNECT_REQUEST &&
					       (rules[i].field & RADIUS_DAS_CHANGE)
				       ? NULL
				       : &rules[i];
	return NULL;
}

/* Stores a value; false when it is not of its kind. */
static bool store_value(struct radius_das_request *request, const struct rule *rule,
	const uint8_t *value, size_t len)
{
	void *field = (char *)request + rule->offset;
	uint32_t number;

	switch (rule->kind) {
	case KIND_TEXT:
		if (memchr(value, '\0', len))
			return false;
		memcpy(field, value, len);
		((char *)field)[len] = '\0';
		return true;
	case KIND_U32:
		if (len != sizeof(number))
			return false;
		memcpy(&number, value, sizeof(number));
		*(uint32_t *)field = ntohl(number);
		return true;
	case KIND_ADDR6:
		if (len != sizeof(struct in6_addr))
			return false;
		memcpy(field, value, len);
		return true;
	case KIND_CLASS:
		return true;
	}
	return false;
}

/* What is wrong with a request. */
struct faults {
	bool invalid, service, unsupported, memory;
};

static int add_unread(struct radius_attrs *list, radius_code code, const uint8_t *value, size_t len)
{
	uint32_t number;

	if (radius_dictionary_kind(code) != RADIUS_KIND_U32)
		return radius_add_octets(list, code, value, len);
	if (len != sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	return radius_add_u32(list, code, 0, ntohl(number));
}

/*
 * The attributes of one vendor (RFC 2865 section 5.26), as all of the known ones are packed: type, length,
 * value. They come out one by one.
 */
static void take_vendor(struct radius_das_request *request, struct radius_attrs *list,
	const uint8_t *value, size_t len, struct faults *faults)
{
	uint32_t vendor = 0;
	size_t at = sizeof(vendor);
	int err;

	if (len <= at) {
		faults->invalid = true;
		return;
	}
	memcpy(&vendor, value, sizeof(vendor));
	vendor = ntohl(vendor);
	for (size_t part; at < len; at += part) {
		part = len - at > ATTR_HEADER ? value[at + 1] : 0;
		if (part <= ATTR_HEADER || part > len - at) {
			faults->invalid = true;
			return;
		}
		if (request->code != RADIUS_COA_REQUEST || vendor > UINT16_MAX ||
			!is_rate(RADIUS_VENDOR(vendor, value[at]))) {
			faults->unsupported = true;
			continue;
		}
		request->given |= RADIUS_DAS_RATES;
		err = add_unread(list, RADIUS_VENDOR(vendor, value[at]), value + at + ATTR_HEADER,
			part - ATTR_HEADER);
		faults->invalid |= err == -EINVAL;
		faults->memory |= err < 0 && err != -EINVAL;
	}
}

unsigned int radius_das_parse(const struct radius_frame *frame, struct radius_attrs *classes,
	struct radius_attrs *rate_list, struct radius_das_request *request)
{
	bool is_coa = request->code == RADIUS_COA_REQUEST;
	struct faults faults = { 0 };

	for (size_t at = RADIUS_HEADER_LEN; at < frame->len; at += frame->octets[at + 1]) {
		const uint8_t type = frame->octets[at], *value = frame->octets + at + ATTR_HEADER;
		const struct rule *rule = find_rule(type, request->code);
		size_t len = frame->octets[at + 1] - ATTR_HEADER;

		if (type == RADIUS_MESSAGE_AUTHENTICATOR || type == RADIUS_PROXY_STATE) {
			continue;
		} else if (len == 0) {
			faults.invalid = true;
		} else if (is_coa && type == RADIUS_SERVICE_TYPE) {
			faults.service = true;
		} else if (type == RADIUS_VENDOR_SPECIFIC) {
			take_vendor(request, rate_list, value, len, &faults);
		} else if (!rule) {
			faults.unsupported = true;
		} else if (((request->given & rule->field) && rule->kind != KIND_CLASS) ||
			   !store_value(request, rule, value, len)) {
			faults.invalid = true;
		} else {
			request->given |= rule->field;
			if (rule->kind == KIND_CLASS)
				faults.memory |=
					radius_add_octets(classes, RADIUS_CLASS, value, len) < 0;
		}
	}
	request->classes = classes;
	request->rates = rate_list;
	if (faults.invalid)
		return RADIUS_ERROR_INVALID_REQUEST;
	if (faults.service)
		return RADIUS_ERROR_UNSUPPORTED_SERVICE;
	if (faults.unsupported)
		return RADIUS_ERROR_UNSUPPORTED_ATTRIBUTE;
	if (!(request->given & RADIUS_DAS_SESSION) ||
		(is_coa && !(request->given & RADIUS_DAS_CHANGE)))
		return RADIUS_ERROR_MISSING_ATTRIBUTE;
	return faults.memory ? RADIUS_ERROR_RESOURCES_UNAVAILABLE : 0;
}

size_t radius_das_proxy_states(const struct radius_frame *frame, uint8_t *out)
{
	size_t total = 0;

	for (size_t at = RADIUS_HEADER_LEN; at < frame->len; at += frame->octets[at + 1]) {
		size_t len = frame->octets[at + 1];

		if (frame->octets[at] != RADIUS_PROXY_STATE)
			continue;
		if (out)
			memcpy(out + total, frame->octets + at, len);
		total += len;
	}
	return total;
}

const char *radius_error_name(unsigned int cause)
{
	static const struct {
		enum radius_error_cause cause;
		const char *name;
	} names[] = {
		{ RADIUS_ERROR_RESIDUAL_CONTEXT_REMOVED, "Residual-Context-Removed" },
		{ RADIUS_ERROR_UNSUPPORTED_ATTRIBUTE, "Unsupported-Attribute" },
		{ RADIUS_ERROR_MISSING_ATTRIBUTE, "Missing-Attribute" },
		{ RADIUS_ERROR_NAS_MISMATCH, "NAS-Identification-Mismatch" },
		{ RADIUS_ERROR_INVALID_REQUEST, "Invalid-Request" },
		{ RADIUS_ERROR_UNSUPPORTED_SERVICE, "Unsupported-Service" },
		{ RADIUS_ERROR_UNSUPPORTED_EXTENSION, "Unsupported-Extension" },
		{ RADIUS_ERROR_INVALID_ATTRIBUTE_VALUE, "Invalid-Attribute-Value" },
		{ RADIUS_ERROR_ADMINISTRATIVELY_PROHIBITED, "Administratively-Prohibited" },
		{ RADIUS_ERROR_SESSION_NOT_FOUND, "Session-Context-Not-Found" },
		{ RADIUS_ERROR_SESSION_NOT_REMOVABLE, "Session-Context-Not-Removable" },
		{ RADIUS_ERROR_RESOURCES_UNAVAILABLE, "Resources-Unavailable" },
		{ RADIUS_ERROR_MULTIPLE_SESSIONS, "Multiple-Session-Selection-Unsupported" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].cause == cause)
			return names[i].name;
	return "?";
}
