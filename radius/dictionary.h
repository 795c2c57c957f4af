/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dictionary: the built-in dictionary as libradcli knows it. Only attrs.c and the tests look here.
 */
#ifndef RADIUS_DICTIONARY_H
#define RADIUS_DICTIONARY_H

#include <radcli/radcli.h>
#include <stdbool.h>
#include <stdint.h>

#include "radius/radius.h"

/* How the octets of a value are to be read. */
enum radius_kind {
	RADIUS_KIND_OCTETS,
	RADIUS_KIND_U32,
	RADIUS_KIND_ADDR4,
	RADIUS_KIND_ADDR6,
	RADIUS_KIND_PREFIX6,
	RADIUS_KIND_TAG_OCTETS,
	RADIUS_KIND_TAG_U24,
	RADIUS_KIND_TAG_SALTED,
};

/*
 * The entry of code, loading the dictionary when it is not there yet; NULL: unknown (or no memory).
 */
const DICT_ATTR *radius_dictionary_find(radius_code code);
const DICT_ATTR *radius_dictionary_find_name(const char *name);
bool radius_dictionary_has_vendor(uint32_t vendor);

/* The kind of a known attribute; RADIUS_KIND_OCTETS of any other. */
enum radius_kind radius_dictionary_kind(radius_code code);

/* libradcli's number of an attribute and back: vendors are wider in newer releases. */
#ifndef VATTRID_SET
#define VATTRID_SET(attr, vendor) ((int)((uint32_t)(vendor) << 16 | (attr)))
#endif
#define RADIUS_TO_RADCLI(code)    VATTRID_SET((code)&0xffff, (code) >> 16)
#define RADIUS_FROM_RADCLI(value) RADIUS_VENDOR(VENDOR(value), ATTRID(value))

#endif
