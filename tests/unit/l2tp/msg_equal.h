/* SPDX-License-Identifier: BSD-2-Clause */
/* msg_equal: whether two decoded messages say the same, wherever their spans point. */
#ifndef TESTS_L2TP_MSG_EQUAL_H
#define TESTS_L2TP_MSG_EQUAL_H

#include "lns/l2tp/avp.h"

#include <string.h>

static inline bool span_equal(const struct l2tp_span *a, const struct l2tp_span *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* The span of a row in msg, or NULL for rows without. */
static inline struct l2tp_span *msg_span(const struct avp_row *row, struct l2tp_msg *msg)
{
	switch (row->kind) {
	case AVP_KIND_TEXT:
	case AVP_KIND_OCTETS:
	case AVP_KIND_SECRET:
		return (struct l2tp_span *)((uint8_t *)msg + row->offset);
	case AVP_KIND_DISCONNECT:
		return &msg->ppp_disconnect_cause.message;
	default:
		return NULL;
	}
}

/* Both were zeroed as a whole before they were filled, so all but the spans compares as octets. */
static inline bool msg_equal(const struct l2tp_msg *a, const struct l2tp_msg *b)
{
	struct l2tp_msg x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	for (size_t i = 0; i < L2TP_AVP_COUNT; i++) {
		struct l2tp_span *span_x = msg_span(&avp_table[i], &x);
		struct l2tp_span *span_y = msg_span(&avp_table[i], &y);

		if (!span_x)
			continue;
		if (!span_equal(span_x, span_y))
			return false;
		memset(span_x, 0, sizeof(*span_x));
		memset(span_y, 0, sizeof(*span_y));
	}
	return memcmp(&x, &y, sizeof(x)) == 0;
}

#endif
