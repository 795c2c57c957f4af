/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * avp: looks AVPs up and moves their values between the wire and struct l2tp_msg, by kind.
 *
 * The length is checked against the row once, before a kind is looked at; the cursors bound the
 * rest.
 */
#include "lns/l2tp/avp.h"

#include <errno.h>
#include <string.h>

const struct avp_row *avp_find(uint16_t vendor, uint16_t type)
{
	for (size_t i = 0; i < L2TP_AVP_COUNT; i++)
		if (avp_table[i].type == type && avp_table[i].vendor == vendor)
			return &avp_table[i];
	return NULL;
}

/*
 * Copies an error or advisory message into a result: printable ASCII stays, everything else becomes
 * "?", trailing NULs go, the end is cut. What comes out goes in unchanged. Nothing left: text
 * stays.
 */
static void load_text(struct wire_reader *reader, char *text, size_t size)
{
	size_t len = reader->left;
	const uint8_t *octets = wire_get_octets(reader, len);

	while (len > 0 && octets[len - 1] == '\0')
		len--;
	if (len == 0)
		return;
	if (len > size - 1)
		len = size - 1;
	memset(text, 0, size);
	for (size_t i = 0; i < len; i++)
		text[i] = octets[i] >= ' ' && octets[i] <= '~' ? (char)octets[i] : '?';
}

/* Result code alone, or with error code, or with error code and text. */
static int load_result(struct wire_reader *reader, struct l2tp_result *result)
{
	if (reader->left == 3)
		return -EMSGSIZE;
	result->code = wire_get_u16(reader);
	if (reader->left == 0)
		return 0;
	result->error = wire_get_u16(reader);
	load_text(reader, result->text, sizeof(result->text));
	return 0;
}

/* The advisory message serves as the result's text when that has none. */
static void load_cause(struct wire_reader *reader, struct l2tp_result *result)
{
	result->q931_cause = wire_get_u16(reader);
	result->q931_message = wire_get_u8(reader);
	if (result->text[0] == '\0')
		load_text(reader, result->text, sizeof(result->text));
}

static void load_disconnect(struct wire_reader *reader, struct l2tp_msg *msg)
{
	msg->ppp_disconnect_cause.code = wire_get_u16(reader);
	msg->ppp_disconnect_cause.control_protocol = wire_get_u16(reader);
	msg->ppp_disconnect_cause.direction = wire_get_u8(reader);
	msg->ppp_disconnect_cause.message.len = (uint16_t)reader->left;
	msg->ppp_disconnect_cause.message.data = wire_get_octets(reader, reader->left);
}

static void load_speed_update(struct wire_reader *reader, struct l2tp_msg *msg)
{
	struct l2tp_speed_update *update = &msg->speed_updates[msg->speed_update_count];

	if (msg->speed_update_count == L2TP_SPEED_UPDATES_MAX)
		return;
	msg->speed_update_count++;
	wire_get_u16(reader);
	update->session_id = wire_get_u16(reader);
	update->tx = wire_get_u32(reader);
	update->rx = wire_get_u32(reader);
}

static bool u16_allowed(const struct avp_row *row, const struct l2tp_msg *msg, uint16_t value)
{
	bool end = msg->type == L2TP_STOPCCN || msg->type == L2TP_CDN;

	if (row->flags & AVP_NONZERO && value == 0 && !(row->flags & AVP_ZERO_END && end))
		return false;
	return !(row->flags & AVP_OCTET) || value <= UINT8_MAX;
}

int avp_load(const struct avp_row *row, const uint8_t *value, size_t len, struct l2tp_msg *msg)
{
	void *field = (uint8_t *)msg + row->offset;
	struct wire_reader reader;
	uint16_t u16;
	int err = 0;

	if (len < row->min || len > row->max)
		return -EMSGSIZE;
	wire_reader_init(&reader, value, len);

	switch (row->kind) {
	case AVP_KIND_VECTOR:
		return 0;
	case AVP_KIND_FLAG:
		break;
	case AVP_KIND_U16:
		u16 = wire_get_u16(&reader);
		if (!u16_allowed(row, msg, u16))
			return -ERANGE;
		*(uint16_t *)field = u16;
		break;
	case AVP_KIND_U32:
	case AVP_KIND_BITS:
		*(uint32_t *)field = wire_get_u32(&reader);
		break;
	case AVP_KIND_HIGH_OCTET:
		*(uint32_t *)field = wire_get_u8(&reader);
		break;
	case AVP_KIND_U64:
		*(uint64_t *)field = wire_get_u64(&reader);
		break;
	case AVP_KIND_RATE:
		if (len != 4 && len != 8)
			return -EMSGSIZE;
		*(uint64_t *)field = len == 4 ? wire_get_u32(&reader) : wire_get_u64(&reader);
		break;
	case AVP_KIND_DELAY:
		*(uint64_t *)field = wire_get_u32(&reader);
		break;
	case AVP_KIND_TEXT:
	case AVP_KIND_OCTETS:
	case AVP_KIND_SECRET:
		*(struct l2tp_span *)field = (struct l2tp_span){ value, (uint16_t)len };
		break;
	case AVP_KIND_DIGEST:
		memcpy(field, value, len);
		break;
	case AVP_KIND_RESULT:
		err = load_result(&reader, field);
		break;
	case AVP_KIND_CAUSE:
		load_cause(&reader, field);
		break;
	case AVP_KIND_CALL_ERRORS:
		wire_get_u16(&reader);
		for (size_t i = 0; i < 6; i++)
			msg->call_errors[i] = wire_get_u32(&reader);
		break;
	case AVP_KIND_ACCM:
		wire_get_u16(&reader);
		msg->send_accm = wire_get_u32(&reader);
		msg->receive_accm = wire_get_u32(&reader);
		break;
	case AVP_KIND_DISCONNECT:
		load_disconnect(&reader, msg);
		break;
	case AVP_KIND_SPEED_UPDATE:
		load_speed_update(&reader, msg);
		break;
	}
	if (err == 0)
		msg->present |= UINT64_C(1) << avp_id(row);
	return err;
}

unsigned int avp_count(const struct avp_row *row, const struct l2tp_msg *msg)
{
	if (!l2tp_msg_has(msg, avp_id(row)))
		return 0;
	return row->kind == AVP_KIND_SPEED_UPDATE ? msg->speed_update_count : 1;
}

static void store_result(const struct l2tp_result *result, struct wire_writer *writer)
{
	wire_put_u16(writer, result->code);
	if (result->error == 0 && result->text[0] == '\0')
		return;
	wire_put_u16(writer, result->error);
	wire_put_octets(writer, result->text, strnlen(result->text, sizeof(result->text)));
}

static void store_disconnect(const struct l2tp_msg *msg, struct wire_writer *writer)
{
	wire_put_u16(writer, msg->ppp_disconnect_cause.code);
	wire_put_u16(writer, msg->ppp_disconnect_cause.control_protocol);
	wire_put_u8(writer, msg->ppp_disconnect_cause.direction);
	wire_put_octets(writer, msg->ppp_disconnect_cause.message.data,
		msg->ppp_disconnect_cause.message.len);
}

static void store_speed_update(const struct l2tp_speed_update *update, struct wire_writer *writer)
{
	wire_put_u16(writer, 0);
	wire_put_u16(writer, update->session_id);
	wire_put_u32(writer, update->tx);
	wire_put_u32(writer, update->rx);
}

int avp_store(const struct avp_row *row, const struct l2tp_msg *msg, unsigned int nth,
	struct wire_writer *writer)
{
	const void *field = (const uint8_t *)msg + row->offset;
	const struct l2tp_span *span = field;
	const struct l2tp_result *result = field;
	size_t start = writer->used;

	switch (row->kind) {
	case AVP_KIND_VECTOR:
	case AVP_KIND_FLAG:
		break;
	case AVP_KIND_U16:
		if (!u16_allowed(row, msg, *(const uint16_t *)field))
			return -ERANGE;
		wire_put_u16(writer, *(const uint16_t *)field);
		break;
	case AVP_KIND_U32:
	case AVP_KIND_BITS:
		wire_put_u32(writer, *(const uint32_t *)field);
		break;
	case AVP_KIND_HIGH_OCTET:
		if (*(const uint32_t *)field > UINT8_MAX)
			return -ERANGE;
		wire_put_u32(writer, *(const uint32_t *)field << 24);
		break;
	case AVP_KIND_U64:
	case AVP_KIND_RATE:
		wire_put_u64(writer, *(const uint64_t *)field);
		break;
	case AVP_KIND_DELAY:
		if (*(const uint64_t *)field > UINT32_MAX)
			return -ERANGE;
		wire_put_u32(writer, (uint32_t) * (const uint64_t *)field);
		break;
	case AVP_KIND_TEXT:
	case AVP_KIND_OCTETS:
	case AVP_KIND_SECRET:
		wire_put_octets(writer, span->data, span->len);
		break;
	case AVP_KIND_DIGEST:
		wire_put_octets(writer, field, row->max);
		break;
	case AVP_KIND_RESULT:
		store_result(result, writer);
		break;
	case AVP_KIND_CAUSE:
		wire_put_u16(writer, result->q931_cause);
		wire_put_u8(writer, result->q931_message);
		break;
	case AVP_KIND_CALL_ERRORS:
		wire_put_u16(writer, 0);
		for (size_t i = 0; i < 6; i++)
			wire_put_u32(writer, msg->call_errors[i]);
		break;
	case AVP_KIND_ACCM:
		wire_put_u16(writer, 0);
		wire_put_u32(writer, msg->send_accm);
		wire_put_u32(writer, msg->receive_accm);
		break;
	case AVP_KIND_DISCONNECT:
		store_disconnect(msg, writer);
		break;
	case AVP_KIND_SPEED_UPDATE:
		if (nth >= L2TP_SPEED_UPDATES_MAX)
			return -EMSGSIZE;
		store_speed_update(&msg->speed_updates[nth], writer);
		break;
	}
	if (writer->error || writer->used - start < row->min || writer->used - start > row->max)
		return -EMSGSIZE;
	return 0;
}
