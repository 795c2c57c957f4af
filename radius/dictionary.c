/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dictionary: the tables of attr_codes.h as a dictionary text, loaded into libradcli once per
 * process.
 *
 * libradcli knows neither tags nor salted values: such attributes are "string" to it, and
 * radius_dictionary_kind knows better. The loaded dictionary is never changed or freed; the lock
 * makes the first use safe from any thread.
 */
#include "radius/dictionary.h"

#include <pthread.h>
#include <stdatomic.h>

#include "radius/attr_codes.h"

/* Our types in libradcli's words. */
#define TYPE_string     "string"
#define TYPE_integer    "integer"
#define TYPE_ipaddr     "ipaddr"
#define TYPE_ipv6addr   "ipv6addr"
#define TYPE_ipv6prefix "ipv6prefix"
#define TYPE_tagtext    "string"
#define TYPE_taginteger "string"
#define TYPE_tagsalted  "string"

#define TEXT(x)                      TEXT_OF(x)
#define TEXT_OF(x)                   #x
#define LINE(id, number, name, type) "ATTRIBUTE " name " " TEXT(number) " " TYPE_##type "\n"
#define VENDOR_LINES(name, number, table)                                                          \
	"VENDOR " name " " TEXT(number) "\nBEGIN-VENDOR " name "\n" table(LINE) "END-VENDOR " name \
										"\n"

/* clang-format off */
static const char dictionary_text[] =
	RADIUS_ATTRS_RARE(LINE)
	VENDOR_LINES("Cisco", RADIUS_VENDOR_CISCO, RADIUS_ATTRS_CISCO)
	VENDOR_LINES("Ascend", RADIUS_VENDOR_ASCEND, RADIUS_ATTRS_ASCEND)
	VENDOR_LINES("WISPr", RADIUS_VENDOR_WISPR, RADIUS_ATTRS_WISPR)
	VENDOR_LINES("Mikrotik", RADIUS_VENDOR_MIKROTIK, RADIUS_ATTRS_MIKROTIK)
	VENDOR_LINES("ADSL-Forum", RADIUS_VENDOR_ADSL_FORUM, RADIUS_ATTRS_ADSL_FORUM)
	VENDOR_LINES("Microsoft", RADIUS_VENDOR_MICROSOFT, RADIUS_ATTRS_MICROSOFT)
	RADIUS_ATTRS_COMMON(LINE);
/* clang-format on */

static rc_handle *dictionary_new(void)
{
	rc_handle *handle = rc_new();

	if (!handle)
		return NULL;
	if (rc_read_dictionary_from_buffer(handle, dictionary_text, sizeof(dictionary_text) - 1)) {
		rc_destroy(handle);
		return NULL;
	}
	return handle;
}

static rc_handle *dictionary_get(void)
{
	static _Atomic(rc_handle *) loaded;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	rc_handle *handle = atomic_load_explicit(&loaded, memory_order_acquire);

	if (handle)
		return handle;
	pthread_mutex_lock(&lock);
	handle = atomic_load(&loaded);
	if (!handle) {
		handle = dictionary_new();
		atomic_store_explicit(&loaded, handle, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return handle;
}

const DICT_ATTR *radius_dictionary_find(radius_code code)
{
	rc_handle *handle = dictionary_get();

	return handle ? rc_dict_getattr(handle, RADIUS_TO_RADCLI(code)) : NULL;
}

const DICT_ATTR *radius_dictionary_find_name(const char *name)
{
	rc_handle *handle = dictionary_get();

	return handle ? rc_dict_findattr(handle, name) : NULL;
}

bool radius_dictionary_has_vendor(uint32_t vendor)
{
	rc_handle *handle = dictionary_get();

	return handle && vendor <= UINT16_MAX && rc_dict_getvend(handle, (int)vendor);
}

#define KIND_string     RADIUS_KIND_OCTETS
#define KIND_integer    RADIUS_KIND_U32
#define KIND_ipaddr     RADIUS_KIND_ADDR4
#define KIND_ipv6addr   RADIUS_KIND_ADDR6
#define KIND_ipv6prefix RADIUS_KIND_PREFIX6
#define KIND_tagtext    RADIUS_KIND_TAG_OCTETS
#define KIND_taginteger RADIUS_KIND_TAG_U24
#define KIND_tagsalted  RADIUS_KIND_TAG_SALTED
/* clang-format off */
#define KIND_OF(id, number, name, type)                                                            \
	case id:                                                                                   \
		return KIND_##type;

enum radius_kind radius_dictionary_kind(radius_code code)
{
	switch (code) {
		RADIUS_ATTRS_RARE(KIND_OF)
		RADIUS_ATTRS_COMMON(KIND_OF)
		RADIUS_ATTRS_CISCO(KIND_OF)
		RADIUS_ATTRS_ASCEND(KIND_OF)
		RADIUS_ATTRS_WISPR(KIND_OF)
		RADIUS_ATTRS_MIKROTIK(KIND_OF)
		RADIUS_ATTRS_ADSL_FORUM(KIND_OF)
		RADIUS_ATTRS_MICROSOFT(KIND_OF)
	}
	return RADIUS_KIND_OCTETS;
}
/* clang-format on */
