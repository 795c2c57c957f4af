/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire: reads and writes octets in network order within bounds that cannot be left.
 *
 * Both cursors have a sticky error: once something did not fit, every further call does nothing (a
 * read gives zeros), so that a whole structure is read or written first and the error tested once.
 */
#ifndef LNS_L2TP_WIRE_H
#define LNS_L2TP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_reader {
	const uint8_t *data; /* the next octet */
	size_t left;
	bool error;
};

void wire_reader_init(struct wire_reader *reader, const uint8_t *data, size_t len);
uint8_t wire_get_u8(struct wire_reader *reader);
uint16_t wire_get_u16(struct wire_reader *reader);
uint32_t wire_get_u32(struct wire_reader *reader);
uint64_t wire_get_u64(struct wire_reader *reader);
/* The next len octets, which stay where they are; NULL when there are fewer. */
const uint8_t *wire_get_octets(struct wire_reader *reader, size_t len);

struct wire_writer {
	uint8_t *data; /* the first octet */
	size_t used, size;
	bool error;
};

void wire_writer_init(struct wire_writer *writer, uint8_t *data, size_t size);
void wire_put_u8(struct wire_writer *writer, uint8_t value);
void wire_put_u16(struct wire_writer *writer, uint16_t value);
void wire_put_u32(struct wire_writer *writer, uint32_t value);
void wire_put_u64(struct wire_writer *writer, uint64_t value);
void wire_put_octets(struct wire_writer *writer, const void *octets, size_t len);
/* Overwrites two octets at offset, which must have been written before. */
void wire_set_u16(struct wire_writer *writer, size_t offset, uint16_t value);

#endif
