/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * das_parse: the attributes of a Disconnect- or CoA-Request into a struct, by a table. Pure.
 */
#ifndef RADIUS_DAS_PARSE_H
#define RADIUS_DAS_PARSE_H

#include "radius/das.h"

/*
 * Fills request from a frame. classes and rates (the caller's, empty) take every Class and every vendor's
 * attribute for a rate. 0, or the Error-Cause of
 * what is wrong with the attributes; given and event_time are good also then.
 */
unsigned int radius_das_parse(const struct radius_frame *frame, struct radius_attrs *classes,
	struct radius_attrs *rates, struct radius_das_request *request);

/* Octets of all Proxy-State attributes; copied, in order, to out when it is not NULL. */
size_t radius_das_proxy_states(const struct radius_frame *frame, uint8_t *out);

/* "Session-Context-Not-Found"; "?" for what is not in enum radius_error_cause. */
const char *radius_error_name(unsigned int cause);

#endif
