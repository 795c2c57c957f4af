/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates: how fast a subscriber may be, from the attributes in which vendors say it.
 *
 * Directions are always the subscriber's: down is to it, up is from it. A later attribute comes before an
 * earlier one; a rate of 0 takes a limit away.
 */
#ifndef LNS_SUBSCRIBER_RATES_H
#define LNS_SUBSCRIBER_RATES_H

#include "lns/kernel/kernel.h"
#include "radius/radius.h"

/*
 * Lays one attribute over limits. 0; -EINVAL: its value is no rate, limits are as they were; -EOPNOTSUPP: it
 * says nothing of rates, or does so in a way that has no meaning here (the name of a policy).
 */
int rates_read(struct kernel_limits *limits, radius_code code, const uint8_t *data, size_t len);

#endif
