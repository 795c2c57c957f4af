/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * avp: what is known of each AVP, as one table that decoder, encoder and printer walk.
 *
 * A row says how the value looks on the wire, where it is kept in struct l2tp_msg and which
 * messages it belongs in. Nothing outside the table and the kinds knows a single AVP.
 */
#ifndef LNS_L2TP_AVP_H
#define LNS_L2TP_AVP_H

#include "lns/l2tp/msg.h"
#include "lns/l2tp/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AVP_HEADER = 6,       /* octets before the value */
	AVP_VALUE_MAX = 1017, /* 10 bits of length, less the header */

	AVP_MANDATORY = 0x8000, /* bits of the first 16, RFC 2661 section 4.1 */
	AVP_HIDDEN = 0x4000,
	AVP_RESERVED = 0x3c00,
	AVP_LENGTH = 0x03ff,

	AVP_TYPE_MESSAGE = 0, /* Message Type and Random Vector have no place in struct l2tp_msg */
	AVP_TYPE_VECTOR = 36,

	AVP_VENDOR_ADSL_FORUM = 3561,
};

/* How a value is laid out, and the type of its field in struct l2tp_msg. */
enum avp_kind {
	AVP_KIND_VECTOR,      /* Random Vector: used while decoding, not kept */
	AVP_KIND_FLAG,        /* its presence is all: the bit in present, no field */
	AVP_KIND_U16,         /* uint16_t */
	AVP_KIND_U32,         /* uint32_t */
	AVP_KIND_HIGH_OCTET,  /* uint32_t, of which the first octet counts and three are reserved */
	AVP_KIND_U64,         /* uint64_t */
	AVP_KIND_BITS,        /* uint32_t, printed in hexadecimal */
	AVP_KIND_RATE,        /* uint64_t, 8 octets; 4 are taken as well */
	AVP_KIND_DELAY,       /* uint64_t, 4 octets */
	AVP_KIND_TEXT,        /* struct l2tp_span, printed as text */
	AVP_KIND_OCTETS,      /* struct l2tp_span, printed in hexadecimal */
	AVP_KIND_SECRET,      /* struct l2tp_span, never printed */
	AVP_KIND_DIGEST,      /* uint8_t[16], never printed */
	AVP_KIND_RESULT,      /* Result Code, in struct l2tp_result */
	AVP_KIND_CAUSE,       /* Q.931 Cause Code, in struct l2tp_result */
	AVP_KIND_CALL_ERRORS, /* 2 reserved octets, uint32_t[6] */
	AVP_KIND_ACCM,        /* 2 reserved octets, send_accm and receive_accm */
	AVP_KIND_DISCONNECT,  /* RFC 3145: code, protocol, direction, text */
	AVP_KIND_SPEED_UPDATE, /* RFC 5515, may come several times: speed_updates[] */
};

enum {
	AVP_SEND_M = 1,   /* M bit when we send it; received ones may have it or not */
	AVP_MAY_HIDE = 2, /* H bit allowed */
	AVP_NONZERO = 4,  /* a value of 0 is out of range ... */
	AVP_ZERO_END = 8, /* ... but in StopCCN and CDN, whose sender may have had none */
	AVP_OCTET = 16,   /* only the lower octet may be used */
	AVP_MANY = 32,    /* may come more than once in a message */
};

/* A set of message types. */
#define AVP_IN(type) (UINT32_C(1) << (type))

struct avp_row {
	uint16_t vendor, type;
	const char *name;
	enum avp_kind kind;
	uint16_t min, max; /* octets of the value in the clear */
	unsigned int flags;
	size_t offset;  /* of the field in struct l2tp_msg */
	uint32_t must;  /* messages that are malformed without it */
	uint32_t may;   /* further messages in which it is read; elsewhere it is skipped */
	uint32_t vital; /* those of must in which even a lenient decoder needs it */
};

extern const struct avp_row avp_table[L2TP_AVP_COUNT]; /* by enum l2tp_avp_id */

/* The row for a vendor and type, or NULL. */
const struct avp_row *avp_find(uint16_t vendor, uint16_t type);

static inline enum l2tp_avp_id avp_id(const struct avp_row *row)
{
	return (enum l2tp_avp_id)(row - avp_table);
}

/*
 * Reads a value in the clear into msg (whose type is set) and sets its present bit. 0; -EMSGSIZE
 * when the length is not one that the row allows, -ERANGE when the value is not; msg is then
 * unchanged.
 */
int avp_load(const struct avp_row *row, const uint8_t *value, size_t len, struct l2tp_msg *msg);

/* How many AVPs of this row msg holds: 0 or 1, or more for AVP_MANY. */
unsigned int avp_count(const struct avp_row *row, const struct l2tp_msg *msg);

/* Writes the value of the nth of them. 0, -EMSGSIZE or -ERANGE as above. */
int avp_store(const struct avp_row *row, const struct l2tp_msg *msg, unsigned int nth,
	struct wire_writer *writer);

#endif
