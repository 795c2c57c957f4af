/* SPDX-License-Identifier: BSD-2-Clause */
/* wire: the bounded cursors. Every access to a packet's octets goes through take() or room(). */
#include "lns/l2tp/wire.h"

#include <string.h>

void wire_reader_init(struct wire_reader *reader, const uint8_t *data, size_t len)
{
	*reader = (struct wire_reader){ .data = data, .left = len };
}

/* Moves past len octets and returns them, or sets the error and returns NULL. */
static const uint8_t *take(struct wire_reader *reader, size_t len)
{
	const uint8_t *data = reader->data;

	if (reader->error || len > reader->left) {
		reader->error = true;
		return NULL;
	}
	if (len != 0)
		reader->data += len;
	reader->left -= len;
	return data;
}

static uint64_t get(struct wire_reader *reader, size_t len)
{
	const uint8_t *data = take(reader, len);
	uint64_t value = 0;

	if (!data)
		return 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | data[i];
	return value;
}

uint8_t wire_get_u8(struct wire_reader *reader)
{
	return (uint8_t)get(reader, 1);
}

uint16_t wire_get_u16(struct wire_reader *reader)
{
	return (uint16_t)get(reader, 2);
}

uint32_t wire_get_u32(struct wire_reader *reader)
{
	return (uint32_t)get(reader, 4);
}

uint64_t wire_get_u64(struct wire_reader *reader)
{
	return get(reader, 8);
}

const uint8_t *wire_get_octets(struct wire_reader *reader, size_t len)
{
	return take(reader, len);
}

void wire_writer_init(struct wire_writer *writer, uint8_t *data, size_t size)
{
	*writer = (struct wire_writer){ .data = data, .size = size };
}

/* Room for len more octets, or sets the error and returns NULL. */
static uint8_t *room(struct wire_writer *writer, size_t len)
{
	uint8_t *data;

	if (writer->error || len > writer->size - writer->used) {
		writer->error = true;
		return NULL;
	}
	data = writer->data + writer->used;
	writer->used += len;
	return data;
}

static void put(struct wire_writer *writer, uint64_t value, size_t len)
{
	uint8_t *data = room(writer, len);

	if (!data)
		return;
	for (size_t i = len; i-- > 0; value >>= 8)
		data[i] = (uint8_t)value;
}

void wire_put_u8(struct wire_writer *writer, uint8_t value)
{
	put(writer, value, 1);
}

void wire_put_u16(struct wire_writer *writer, uint16_t value)
{
	put(writer, value, 2);
}

void wire_put_u32(struct wire_writer *writer, uint32_t value)
{
	put(writer, value, 4);
}

void wire_put_u64(struct wire_writer *writer, uint64_t value)
{
	put(writer, value, 8);
}

void wire_put_octets(struct wire_writer *writer, const void *octets, size_t len)
{
	uint8_t *data = room(writer, len);

	if (data && len != 0)
		memcpy(data, octets, len);
}

void wire_set_u16(struct wire_writer *writer, size_t offset, uint16_t value)
{
	struct wire_writer at = *writer;

	if (writer->error || offset + 2 > writer->used)
		return;
	at.used = offset;
	wire_put_u16(&at, value);
}
