/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msg_text: control messages and results in words, for logs and traces.
 *
 * Everything that came from a peer is printed as printable ASCII with \xNN for the rest. Secrets
 * and what could be attacked to find them are printed by length only.
 */
#include "lns/l2tp/msg.h"

#include "lns/l2tp/avp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A text that grows up to size, always terminated; what does not fit is cut. */
struct text {
	char *out;
	size_t used, size;
};

static void __attribute__((format(printf, 2, 3)))
text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->out + text->used, text->size - text->used, format, args);
	va_end(args);
	if (len > 0)
		text->used += (size_t)len < text->size - text->used ? (size_t)len
								    : text->size - text->used - 1;
}

static struct text text_init(char *out, size_t size)
{
	if (size > 0)
		out[0] = '\0';
	return (struct text){ .out = out, .size = size };
}

static void add_quoted(struct text *text, const struct l2tp_span *span)
{
	text_add(text, "\"");
	for (size_t i = 0; i < span->len; i++) {
		uint8_t c = span->data[i];

		if (c < ' ' || c > '~')
			text_add(text, "\\x%02x", c);
		else
			text_add(text, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	text_add(text, "\"");
}

static void add_octets(struct text *text, const struct l2tp_span *span)
{
	for (size_t i = 0; i < span->len; i++)
		text_add(text, "%02x", span->data[i]);
	if (span->len == 0)
		text_add(text, "empty");
}

static void add_speed_updates(struct text *text, const struct l2tp_msg *msg)
{
	for (unsigned int i = 0; i < msg->speed_update_count; i++) {
		const struct l2tp_speed_update *update = &msg->speed_updates[i];

		text_add(text, "%ssession %u tx %" PRIu32 " rx %" PRIu32, i > 0 ? "; " : "",
			update->session_id, update->tx, update->rx);
	}
}

static void add_value(struct text *text, const struct avp_row *row, const struct l2tp_msg *msg)
{
	const void *field = (const uint8_t *)msg + row->offset;
	const struct l2tp_span *span = field;
	const struct l2tp_result *result = field;

	switch (row->kind) {
	case AVP_KIND_VECTOR:
	case AVP_KIND_FLAG:
		text_add(text, "yes");
		break;
	case AVP_KIND_U16:
		text_add(text, "%u", *(const uint16_t *)field);
		break;
	case AVP_KIND_U32:
	case AVP_KIND_HIGH_OCTET:
		text_add(text, "%" PRIu32, *(const uint32_t *)field);
		break;
	case AVP_KIND_BITS:
		text_add(text, "0x%" PRIx32, *(const uint32_t *)field);
		break;
	case AVP_KIND_U64:
	case AVP_KIND_RATE:
	case AVP_KIND_DELAY:
		text_add(text, "%" PRIu64, *(const uint64_t *)field);
		break;
	case AVP_KIND_TEXT:
		add_quoted(text, span);
		break;
	case AVP_KIND_OCTETS:
		add_octets(text, span);
		break;
	case AVP_KIND_SECRET:
		text_add(text, "(%u octets)", span->len);
		break;
	case AVP_KIND_DIGEST:
		text_add(text, "(%u octets)", row->max);
		break;
	case AVP_KIND_RESULT:
		text_add(
			text, "%u error %u text \"%s\"", result->code, result->error, result->text);
		break;
	case AVP_KIND_CAUSE:
		text_add(text, "%u message %u", result->q931_cause, result->q931_message);
		break;
	case AVP_KIND_CALL_ERRORS:
		text_add(text,
			"crc %" PRIu32 " framing %" PRIu32 " hardware %" PRIu32 " buffer %" PRIu32
			" time-out %" PRIu32 " alignment %" PRIu32,
			msg->call_errors[0], msg->call_errors[1], msg->call_errors[2],
			msg->call_errors[3], msg->call_errors[4], msg->call_errors[5]);
		break;
	case AVP_KIND_ACCM:
		text_add(text, "send 0x%" PRIx32 " receive 0x%" PRIx32, msg->send_accm,
			msg->receive_accm);
		break;
	case AVP_KIND_DISCONNECT:
		text_add(text, "%u protocol 0x%x direction %u ", msg->ppp_disconnect_cause.code,
			msg->ppp_disconnect_cause.control_protocol,
			msg->ppp_disconnect_cause.direction);
		add_quoted(text, &msg->ppp_disconnect_cause.message);
		break;
	case AVP_KIND_SPEED_UPDATE:
		add_speed_updates(text, msg);
		break;
	}
}

const char *l2tp_avp_name(enum l2tp_avp_id id)
{
	return (unsigned int)id < L2TP_AVP_COUNT ? avp_table[id].name : "unknown AVP";
}

const char *l2tp_msg_text(const struct l2tp_msg *msg, char *out, size_t size)
{
	struct text text = text_init(out, size);

	if (size == 0)
		return out;
	text_add(&text, "%s", l2tp_msg_name(msg->type));
	for (size_t i = 0; i < L2TP_AVP_COUNT; i++) {
		if (!l2tp_msg_has(msg, (enum l2tp_avp_id)i))
			continue;
		text_add(&text, ", %s: ", avp_table[i].name);
		add_value(&text, &avp_table[i], msg);
	}
	return out;
}

/*
 * RFC 2661 section 4.4.2, in words of our own. The two messages number their results differently.
 */
static const char *const stopccn_results[] = {
	[L2TP_STOPCCN_GENERAL] = "general request to clear",
	[L2TP_STOPCCN_ERROR] = "general error",
	[L2TP_STOPCCN_EXISTS] = "control channel already exists",
	[L2TP_STOPCCN_NOT_AUTHORIZED] = "not authorized",
	[L2TP_STOPCCN_VERSION] = "protocol version not supported",
	[L2TP_STOPCCN_SHUTTING_DOWN] = "shutting down",
	[L2TP_STOPCCN_FSM] = "message out of sequence",
	[L2TP_STOPCCN_DIFFSERV] = "differentiated service not agreed",
};
static const char *const cdn_results[] = {
	[L2TP_CDN_CARRIER_LOST] = "carrier lost",
	[L2TP_CDN_ERROR] = "general error",
	[L2TP_CDN_ADMINISTRATIVE] = "administrative",
	[L2TP_CDN_NO_FACILITIES_TEMPORARY] = "no facilities for now",
	[L2TP_CDN_NO_FACILITIES_PERMANENT] = "no facilities",
	[L2TP_CDN_INVALID_DESTINATION] = "invalid destination",
	[L2TP_CDN_NO_CARRIER] = "no carrier",
	[L2TP_CDN_BUSY] = "busy",
	[L2TP_CDN_NO_DIAL_TONE] = "no dial tone",
	[L2TP_CDN_TIMEOUT] = "not established in time",
	[L2TP_CDN_NO_FRAMING] = "no framing detected",
	[L2TP_CDN_DIFFSERV] = "differentiated service not agreed",
};
static const char *const errors[] = {
	[L2TP_ERROR_NONE] = "none",
	[L2TP_ERROR_NO_CONTROL_CONNECTION] = "no control connection",
	[L2TP_ERROR_LENGTH] = "wrong length",
	[L2TP_ERROR_VALUE] = "value out of range",
	[L2TP_ERROR_RESOURCES] = "out of resources",
	[L2TP_ERROR_SESSION_ID] = "invalid session id",
	[L2TP_ERROR_VENDOR] = "vendor-specific error",
	[L2TP_ERROR_TRY_ANOTHER] = "try another",
	[L2TP_ERROR_MANDATORY_AVP] = "unknown mandatory AVP",
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *lookup(const char *const *names, size_t count, uint16_t number)
{
	return number < count && names[number] ? names[number] : "unknown";
}

const char *l2tp_result_text(
	enum l2tp_msg_type type, const struct l2tp_result *result, char *out, size_t size)
{
	struct text text = text_init(out, size);
	const char *name = type == L2TP_CDN
				   ? lookup(cdn_results, LENGTH(cdn_results), result->code)
				   : lookup(stopccn_results, LENGTH(stopccn_results), result->code);

	if (size == 0)
		return out;
	if (result->code == 0)
		text_add(&text, "no result");
	else
		text_add(&text, "result %u (%s)", result->code, name);
	if (type != L2TP_CDN && result->code == L2TP_STOPCCN_VERSION)
		text_add(&text, ", highest version 0x%04x", result->error);
	else if (result->error != 0)
		text_add(&text, ", error %u (%s)", result->error,
			lookup(errors, LENGTH(errors), result->error));
	if (result->q931_cause != 0)
		text_add(&text, ", Q.931 cause %u", result->q931_cause);
	if (result->text[0] != '\0')
		text_add(&text, ": %s", result->text);
	return out;
}
