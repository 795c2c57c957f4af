/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msg: decodes and encodes control messages by walking the table of AVPs (RFC 2661 sections 3, 4
 * and 6).
 *
 * Decoding looks at all AVPs even when one of them is fatal, because the answer needs the peer's
 * ids; it stops only where an AVP's length leaves the packet. What is wrong with an AVP is judged
 * by the M bit that came with it, not by the one that it should have (section 7.1): set, and the
 * message is answered with result 2; clear, and the AVP counts as absent.
 *
 * Deviations and choices: octets after the header's Length are not ours and ignored; a P bit and
 * reserved header bits are ignored; an unknown Message Type with M is answered with error 8, the
 * code for something mandatory that is not known. Choices about single AVPs are in avp_table.c.
 */
#include "lns/l2tp/msg.h"

#include "lns/l2tp/avp.h"
#include "lns/l2tp/hide.h"
#include "lns/l2tp/wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	HEADER = 12,
	BIT_T = 0x8000, /* first 16 bits of the header, section 3.1 */
	BIT_L = 0x4000,
	BIT_S = 0x0800,
	BIT_O = 0x0200,
	VERSION_MASK = 0x000f,
	VERSION = 2,

	VECTOR = 16, /* octets of the random vector that we send */
};

_Static_assert((int)L2TP_STOPCCN_ERROR == (int)L2TP_CDN_ERROR,
	"a general error has the same result code in StopCCN and CDN");
#define RESULT_ERROR L2TP_CDN_ERROR

/* What is known of a message type besides its AVPs. */
static const struct type_row {
	const char *name; /* NULL: unknown type */
	bool of_call;
	bool optional; /* sent without M; ignored rather than fatal when something is missing */
} types[] = {
	[L2TP_SCCRQ] = { .name = "SCCRQ" },
	[L2TP_SCCRP] = { .name = "SCCRP" },
	[L2TP_SCCCN] = { .name = "SCCCN" },
	[L2TP_STOPCCN] = { .name = "StopCCN" },
	[L2TP_HELLO] = { .name = "HELLO" },
	[L2TP_OCRQ] = { .name = "OCRQ", .of_call = true },
	[L2TP_OCRP] = { .name = "OCRP", .of_call = true },
	[L2TP_OCCN] = { .name = "OCCN", .of_call = true },
	[L2TP_ICRQ] = { .name = "ICRQ", .of_call = true },
	[L2TP_ICRP] = { .name = "ICRP", .of_call = true },
	[L2TP_ICCN] = { .name = "ICCN", .of_call = true },
	[L2TP_CDN] = { .name = "CDN", .of_call = true },
	[L2TP_WEN] = { .name = "WEN", .of_call = true },
	[L2TP_SLI] = { .name = "SLI", .of_call = true },
	[L2TP_CSUN] = { .name = "CSUN", .optional = true },
	[L2TP_CSURQ] = { .name = "CSURQ", .optional = true },
};

static const struct type_row *type_find(unsigned int type)
{
	if (type >= sizeof(types) / sizeof(types[0]) || !types[type].name)
		return NULL;
	return &types[type];
}

bool l2tp_msg_of_call(unsigned int type)
{
	const struct type_row *row = type_find(type);

	return row && row->of_call;
}

const char *l2tp_msg_name(unsigned int type)
{
	const struct type_row *row = type_find(type);

	if (type == L2TP_ZLB)
		return "ZLB";
	return row ? row->name : "unknown message";
}

/* --- Decoding -------------------------------------------------------------------------------- */

/* One AVP as it stands in the packet. */
struct avp {
	uint16_t bits, vendor, type;
	struct l2tp_span value;
};

/* The work on one packet. */
struct decoder {
	const struct l2tp_secret *secret;
	uint8_t *scratch; /* free part of the caller's buffer */
	size_t scratch_left;
	struct l2tp_span vector; /* the last Random Vector; data NULL before the first */
	struct l2tp_msg *msg;
	struct l2tp_result *result;
	bool clear; /* result has the answer */
};

/*
 * Reads the header and leaves reader, which is given the datagram, at the message's AVPs alone.
 * Returns NULL, or why the packet is none of ours.
 */
static const char *header_read(struct wire_reader *reader, struct l2tp_header *ret_header)
{
	struct l2tp_header header;
	size_t datagram = reader->left;
	uint16_t bits, len;

	bits = wire_get_u16(reader);
	if (reader->error)
		return "shorter than a header";
	if (!(bits & BIT_T))
		return "data, not control";
	if ((bits & VERSION_MASK) != VERSION)
		return "version is not 2";
	if (!(bits & BIT_L) || !(bits & BIT_S) || bits & BIT_O)
		return "L, S or O bit is wrong";

	len = wire_get_u16(reader);
	header.tunnel_id = wire_get_u16(reader);
	header.session_id = wire_get_u16(reader);
	header.ns = wire_get_u16(reader);
	header.nr = wire_get_u16(reader);
	if (reader->error || len < HEADER)
		return "shorter than a header";
	if (len > datagram)
		return "longer than its datagram";

	reader->left = len - HEADER;
	*ret_header = header;
	return NULL;
}

enum l2tp_verdict l2tp_header_decode(
	const uint8_t *packet, size_t len, struct l2tp_header *ret_header, const char **ret_reason)
{
	struct wire_reader reader;
	const char *reason;

	wire_reader_init(&reader, packet, len);
	reason = header_read(&reader, ret_header);
	if (reason && ret_reason)
		*ret_reason = reason;
	return reason ? L2TP_DISCARD : L2TP_OK;
}

/*
 * Notes what is wrong: as the answer when it was mandatory, otherwise as a remark, the first of
 * each.
 */
static void __attribute__((format(printf, 4, 5)))
fault(struct decoder *dec, bool mandatory, uint16_t error, const char *format, ...)
{
	va_list args;

	if (dec->clear || (!mandatory && dec->result->text[0] != '\0'))
		return;
	if (mandatory) {
		dec->clear = true;
		dec->result->code = RESULT_ERROR;
		dec->result->error = error;
	}
	va_start(args, format);
	vsnprintf(dec->result->text, sizeof(dec->result->text), format, args);
	va_end(args);
}

/* Reads the next AVP. False when its length is less than its header or more than what is left. */
static bool avp_read(struct wire_reader *reader, struct avp *avp)
{
	uint16_t len;

	avp->bits = wire_get_u16(reader);
	avp->vendor = wire_get_u16(reader);
	avp->type = wire_get_u16(reader);
	len = avp->bits & AVP_LENGTH;
	if (reader->error || len < AVP_HEADER)
		return false;
	avp->value.len = (uint16_t)(len - AVP_HEADER);
	avp->value.data = wire_get_octets(reader, avp->value.len);
	return !reader->error;
}

/*
 * The Message Type AVP, which must be the first. Its M bit asks what to do with the whole message
 * when the type is not understood (section 4.4.1).
 */
static enum l2tp_verdict decode_type(struct decoder *dec, struct wire_reader *reader)
{
	struct wire_reader value;
	struct avp avp;
	bool mandatory;

	if (!avp_read(reader, &avp)) {
		fault(dec, true, L2TP_ERROR_LENGTH, "first AVP does not fit into the message");
		return L2TP_CLEAR;
	}
	if (avp.vendor != 0 || avp.type != AVP_TYPE_MESSAGE) {
		fault(dec, true, L2TP_ERROR_VALUE,
			"first AVP is vendor %u type %u, not Message Type", avp.vendor, avp.type);
		return L2TP_CLEAR;
	}

	mandatory = avp.bits & AVP_MANDATORY;
	wire_reader_init(&value, avp.value.data, avp.value.len);
	if (avp.bits & AVP_RESERVED) {
		fault(dec, mandatory, L2TP_ERROR_MANDATORY_AVP, "Message Type with reserved bits");
	} else if (avp.bits & AVP_HIDDEN) {
		fault(dec, mandatory, L2TP_ERROR_VALUE, "Message Type must not be hidden");
	} else if (avp.value.len != 2) {
		fault(dec, mandatory, L2TP_ERROR_LENGTH, "Message Type of %u octets",
			avp.value.len);
	} else {
		dec->msg->type = (enum l2tp_msg_type)wire_get_u16(&value);
		if (type_find(dec->msg->type))
			return L2TP_OK;
		fault(dec, mandatory, L2TP_ERROR_MANDATORY_AVP, "unknown Message Type %u",
			(unsigned int)dec->msg->type);
	}
	return mandatory ? L2TP_CLEAR : L2TP_IGNORE;
}

/*
 * Replaces the value of a hidden AVP by that in the clear (section 4.3). False: noted as a fault.
 */
static bool unhide(struct decoder *dec, const struct avp_row *row, struct avp *avp)
{
	bool mandatory = avp->bits & AVP_MANDATORY;
	int len;

	if (!(row->flags & AVP_MAY_HIDE)) {
		fault(dec, mandatory, L2TP_ERROR_VALUE, "%s must not be hidden", row->name);
		return false;
	}
	if (!dec->secret || dec->secret->len == 0) {
		fault(dec, mandatory, L2TP_ERROR_VALUE, "%s is hidden, but there is no secret",
			row->name);
		return false;
	}
	if (!dec->vector.data) {
		fault(dec, mandatory, L2TP_ERROR_VALUE, "%s is hidden before any Random Vector",
			row->name);
		return false;
	}
	if (avp->value.len > dec->scratch_left) {
		fault(dec, true, L2TP_ERROR_RESOURCES, "%s: no room to unhide", row->name);
		return false;
	}
	len = l2tp_unhide(dec->secret, avp->type, &dec->vector, avp->value.data, avp->value.len,
		dec->scratch);
	if (len < 0) {
		fault(dec, mandatory, L2TP_ERROR_LENGTH, "%s: hidden length is wrong", row->name);
		return false;
	}
	dec->scratch_left -= avp->value.len;
	dec->scratch += avp->value.len;
	avp->value.data = dec->scratch - avp->value.len + 2;
	avp->value.len = (uint16_t)len;
	return true;
}

/* An AVP that is in no row, or that a reserved bit makes unrecognised (section 4.1). */
static void decode_unknown(struct decoder *dec, const struct avp *avp)
{
	bool reserved = avp->bits & AVP_RESERVED;

	if (avp->vendor == 0 && avp->type == AVP_TYPE_MESSAGE && !reserved)
		fault(dec, avp->bits & AVP_MANDATORY, L2TP_ERROR_VALUE, "second Message Type");
	else if (avp->bits & AVP_MANDATORY)
		fault(dec, true, L2TP_ERROR_MANDATORY_AVP,
			"unknown mandatory AVP vendor %u type %u%s", avp->vendor, avp->type,
			reserved ? " (reserved bits set)" : "");
}

static void decode_avp(struct decoder *dec, struct avp *avp)
{
	const struct avp_row *row = avp_find(avp->vendor, avp->type);
	bool mandatory = avp->bits & AVP_MANDATORY;
	int err;

	if (!row || avp->bits & AVP_RESERVED) {
		decode_unknown(dec, avp);
		return;
	}
	if (row->kind != AVP_KIND_VECTOR && !((row->must | row->may) & AVP_IN(dec->msg->type)))
		return;
	if (avp->bits & AVP_HIDDEN && !unhide(dec, row, avp))
		return;
	if (row->kind == AVP_KIND_VECTOR) {
		dec->vector = avp->value;
		return;
	}
	if (l2tp_msg_has(dec->msg, avp_id(row)) && !(row->flags & AVP_MANY)) {
		fault(dec, mandatory, L2TP_ERROR_VALUE, "second %s", row->name);
		return;
	}
	err = avp_load(row, avp->value.data, avp->value.len, dec->msg);
	if (err == -EMSGSIZE)
		fault(dec, mandatory, L2TP_ERROR_LENGTH, "%s of %u octets", row->name,
			avp->value.len);
	else if (err != 0)
		fault(dec, mandatory, L2TP_ERROR_VALUE, "%s is out of range", row->name);
}

/* The first AVP that msg must have and has not, or NULL. */
static const struct avp_row *missing(const struct l2tp_msg *msg, bool lenient)
{
	for (size_t i = 0; i < L2TP_AVP_COUNT; i++) {
		const struct avp_row *row = &avp_table[i];

		if ((lenient ? row->vital : row->must) & AVP_IN(msg->type) &&
			avp_count(row, msg) == 0)
			return row;
	}
	return NULL;
}

/* Leaves of a refused message what the answer needs. */
static void keep_ids(struct l2tp_msg *msg)
{
	const uint64_t ids = UINT64_C(1) << L2TP_AVP_ASSIGNED_TUNNEL_ID |
			     UINT64_C(1) << L2TP_AVP_ASSIGNED_SESSION_ID;
	enum l2tp_msg_type type = msg->type;
	uint16_t tunnel_id = msg->assigned_tunnel_id, session_id = msg->assigned_session_id;
	uint64_t present = msg->present & ids;

	memset(msg, 0, sizeof(*msg));
	msg->type = type;
	msg->present = present;
	msg->assigned_tunnel_id = tunnel_id;
	msg->assigned_session_id = session_id;
}

static enum l2tp_verdict decode_avps(struct decoder *dec, struct wire_reader *reader, bool lenient)
{
	const struct avp_row *row;
	struct avp avp;

	while (reader->left > 0) {
		if (!avp_read(reader, &avp)) {
			fault(dec, true, L2TP_ERROR_LENGTH, "an AVP does not fit into the message");
			break;
		}
		decode_avp(dec, &avp);
	}
	row = missing(dec->msg, lenient);
	if (row && !dec->clear) {
		bool optional = type_find(dec->msg->type)->optional;

		fault(dec, !optional, L2TP_ERROR_VALUE, "%s is missing", row->name);
		if (optional)
			return L2TP_IGNORE;
	}
	return dec->clear ? L2TP_CLEAR : L2TP_OK;
}

enum l2tp_verdict l2tp_msg_decode(const uint8_t *packet, size_t len,
	const struct l2tp_secret *secret, bool lenient, uint8_t *scratch, size_t scratch_size,
	struct l2tp_header *ret_header, struct l2tp_msg *ret_msg, struct l2tp_result *ret_result)
{
	struct decoder dec = { .secret = secret,
		.scratch = scratch,
		.scratch_left = scratch_size,
		.msg = ret_msg,
		.result = ret_result };
	struct wire_reader reader;
	enum l2tp_verdict verdict;
	const char *reason;

	memset(ret_msg, 0, sizeof(*ret_msg));
	memset(ret_result, 0, sizeof(*ret_result));
	wire_reader_init(&reader, packet, len);
	reason = header_read(&reader, ret_header);
	if (reason) {
		fault(&dec, false, 0, "%s", reason);
		return L2TP_DISCARD;
	}
	if (reader.left == 0)
		return L2TP_OK; /* a ZLB */

	verdict = decode_type(&dec, &reader);
	if (verdict == L2TP_OK) {
		/* Only the first message of each side can go to a tunnel without a number. */
		if (ret_header->tunnel_id == 0 && ret_msg->type != L2TP_SCCRQ &&
			ret_msg->type != L2TP_STOPCCN) {
			fault(&dec, false, 0, "tunnel id 0 in %s", l2tp_msg_name(ret_msg->type));
			return L2TP_DISCARD;
		}
		verdict = decode_avps(&dec, &reader, lenient);
	}
	if (verdict != L2TP_OK)
		keep_ids(ret_msg);
	return verdict;
}

/* --- Encoding -------------------------------------------------------------------------------- */

/* Starts an AVP and returns where its first octet is, for avp_end. */
static size_t avp_begin(struct wire_writer *writer, uint16_t bits, uint16_t vendor, uint16_t type)
{
	size_t start = writer->used;

	wire_put_u16(writer, bits);
	wire_put_u16(writer, vendor);
	wire_put_u16(writer, type);
	return start;
}

/* Sets the length of the AVP begun at start. */
static void avp_end(struct wire_writer *writer, size_t start, uint16_t bits)
{
	size_t len = writer->used - start;

	if (len > AVP_LENGTH)
		writer->error = true;
	wire_set_u16(writer, start, (uint16_t)(bits | len));
}

/* Writes the nth AVP of a row, hidden with secret and vector unless secret is NULL. */
static int encode_avp(struct wire_writer *writer, const struct avp_row *row,
	const struct l2tp_msg *msg, unsigned int nth, const struct l2tp_secret *secret,
	const struct l2tp_span *vector)
{
	uint16_t bits = (row->flags & AVP_SEND_M ? AVP_MANDATORY : 0) | (secret ? AVP_HIDDEN : 0);
	size_t start = avp_begin(writer, bits, row->vendor, row->type);
	size_t subformat = writer->used;
	int err;

	if (secret)
		wire_put_u16(writer, 0);
	err = avp_store(row, msg, nth, writer);
	if (err < 0)
		return err;
	if (secret)
		wire_set_u16(writer, subformat, (uint16_t)(writer->used - subformat - 2));
	avp_end(writer, start, bits);
	if (writer->error)
		return -EMSGSIZE;
	if (secret)
		l2tp_hide(secret, row->type, vector, writer->data + subformat,
			writer->used - subformat);
	return 0;
}

/* Whether msg has an AVP that may be hidden. */
static bool has_hideable(const struct l2tp_msg *msg)
{
	for (size_t i = 0; i < L2TP_AVP_COUNT; i++)
		if (avp_table[i].flags & AVP_MAY_HIDE && avp_count(&avp_table[i], msg) > 0)
			return true;
	return false;
}

/* Message Type, Random Vector, then all rows that are present. 0, -EMSGSIZE, -EINVAL. */
static int encode_avps(struct wire_writer *writer, const struct l2tp_msg *msg,
	const struct l2tp_secret *hide, const struct l2tp_span *vector)
{
	uint16_t bits = type_find(msg->type)->optional ? 0 : AVP_MANDATORY;
	size_t start = avp_begin(writer, bits, 0, AVP_TYPE_MESSAGE);

	wire_put_u16(writer, (uint16_t)msg->type);
	avp_end(writer, start, bits);
	if (hide) {
		start = avp_begin(writer, AVP_MANDATORY, 0, AVP_TYPE_VECTOR);
		wire_put_octets(writer, vector->data, vector->len);
		avp_end(writer, start, AVP_MANDATORY);
	}

	for (size_t i = 0; i < L2TP_AVP_COUNT; i++) {
		const struct avp_row *row = &avp_table[i];
		unsigned int count = avp_count(row, msg);

		if (count > 0 && !((row->must | row->may) & AVP_IN(msg->type)))
			return -EINVAL;
		for (unsigned int nth = 0; nth < count; nth++) {
			const struct l2tp_secret *secret = row->flags & AVP_MAY_HIDE ? hide : NULL;
			int err = encode_avp(writer, row, msg, nth, secret, vector);

			if (err < 0)
				return err == -ERANGE ? -EINVAL : err;
		}
	}
	return 0;
}

int l2tp_msg_encode(const struct l2tp_msg *msg, uint16_t tunnel_id, uint16_t session_id,
	const struct l2tp_secret *hide, const uint8_t random_vector[16], uint8_t *buf, size_t size)
{
	const struct l2tp_span vector = { random_vector, VECTOR };
	struct wire_writer writer;
	int err;

	wire_writer_init(&writer, buf, size < L2TP_PACKET_MAX ? size : L2TP_PACKET_MAX);
	wire_put_u16(&writer, BIT_T | BIT_L | BIT_S | VERSION);
	wire_put_u16(&writer, 0);
	wire_put_u16(&writer, tunnel_id);
	wire_put_u16(&writer, session_id);
	wire_put_u32(&writer, 0);

	if (msg->type != L2TP_ZLB) {
		if (!type_find(msg->type) || missing(msg, false))
			return -EINVAL;
		if (hide && (hide->len == 0 || !has_hideable(msg)))
			hide = NULL;
		err = encode_avps(&writer, msg, hide, &vector);
		if (err < 0)
			return err;
	}
	if (writer.error)
		return -EMSGSIZE;
	wire_set_u16(&writer, 2, (uint16_t)writer.used);
	return (int)writer.used;
}
