/* SPDX-License-Identifier: BSD-2-Clause */
/* rate: rates in bit/s, as people write them. */
#ifndef LNS_RATE_H
#define LNS_RATE_H

#include <stddef.h>
#include <stdint.h>

#define RATE_MIN  UINT64_C(1000) /* what is less, and not 0, is a mistake */
#define RATE_MAX  UINT64_C(1000000000000)
#define RATE_TEXT 24

/* "5M": digits and k, M or G (of 1000); 0, or from RATE_MIN to RATE_MAX. 0 or -EINVAL. */
int rate_parse(const char *text, size_t len, uint64_t *ret_rate);

/* The shortest text that rate_parse reads as the same; returns text. */
const char *rate_text(uint64_t rate, char text[RATE_TEXT]);

#endif
