/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config/schema: what may stand in lns.conf, one row per option; private to lns/config*.c.
 *
 * A row names the option's section, type, place in the section's struct, range, default and help
 * text. Everything else follows from the row: parsing and checking a value (config_value_parse),
 * printing it (config_value_print) and its paragraph in lns.conf(5) (config_schema_dump_man).
 */
#ifndef LNS_CONFIG_SCHEMA_H
#define LNS_CONFIG_SCHEMA_H

#include "lns/config/config.h"

#include <stdio.h>

#define CONFIG_SECOND UINT64_C(1000000)
#define CONFIG_MINUTE (60 * CONFIG_SECOND)
#define CONFIG_HOUR   (60 * CONFIG_MINUTE)

enum config_section {
	CONFIG_ROOT,
	CONFIG_LAC,
	CONFIG_PPP,
	CONFIG_POOL,
	CONFIG_RADIUS,
	CONFIG_RADIUS_SERVER,
	CONFIG_DAS,
	CONFIG_DAS_CLIENT,
	CONFIG_STATIC_TUNNEL,
	CONFIG_STATIC_SESSION,
	CONFIG_SECTIONS
};

struct config_section_info {
	const char *name; /* as in the file; "" is the file itself */
	const char *
		title; /* what the title is, for people; NULL: no title, at most one such section */
	enum config_section parent;
	size_t size;   /* of its struct */
	size_t offset; /* titled: of the pointer to the array of them; else: of the struct itself */
	size_t count_offset; /* titled: of the number of them; else: of a bool that there is one */
	const char *help;
};

enum config_type {
	CONFIG_BOOL,    /* bool or uint16_t */
	CONFIG_UINT,    /* uint16_t or uint32_t */
	CONFIG_TIME,    /* uint64_t microseconds, or unsigned int seconds */
	CONFIG_RATE,    /* uint64_t, bit/s */
	CONFIG_STRING,  /* char[] */
	CONFIG_PATH,    /* char[], absolute */
	CONFIG_NAME,    /* char[], the title of a section */
	CONFIG_ENUM,    /* int */
	CONFIG_SET,     /* unsigned int, bits of words */
	CONFIG_ADDRESS, /* union addr, or an array of them */
	CONFIG_LISTEN,  /* union addr *, with port */
	CONFIG_PREFIX,  /* struct addr_prefix * */
	CONFIG_RANGE,   /* struct config_pool_range * */
	CONFIG_SECRET,  /* struct l2tp_secret */
	CONFIG_COOKIE,  /* struct kernel_cookie */
	CONFIG_FILE,    /* no field: a file that is part of the configuration */
};

struct config_word {
	const char *word;
	int value;
};

struct config_option {
	enum config_section section;
	const char *name;
	enum config_type type;
	struct {
		size_t offset, size;
	} field;
	struct {
		uint64_t min, max; /* of CONFIG_UINT; of CONFIG_TIME in microseconds */
	} range;
	const char *preset; /* default, as it stands in the file, lists with commas; NULL: none */
	const char *help;
	const char *unit;
	const struct config_word *words; /* CONFIG_ENUM, CONFIG_SET; ends with a NULL word */
	size_t count_offset;             /* arrays that grow: of their size_t count */
	bool list, required;
	bool preset_varies; /* with the build: help says what it is, the manual page cannot */
	/* A further check of the text: NULL, or what is wrong ("is not ..."). */
	const char *(*check)(const char *text);
};

extern const struct config_section_info config_sections[CONFIG_SECTIONS];
extern const struct config_option config_options[];
extern const size_t config_option_count;

const struct config_option *config_option_find(enum config_section section, const char *name);

/*
 * Types text and puts it into the option's field of the struct at base; lists append. False with
 * the reason, which reads after the value ("is not a time (example: 60s)").
 */
bool config_value_parse(const struct config_option *option, const char *text, void *base,
	char *reason, size_t reason_size);

/* The file's own line for the option, without what it does not say; secrets only as a comment. */
void config_value_print(
	const struct config_option *option, const void *base, const char *indent, FILE *out);

#define CONFIG_TITLE 128
/* The title of the section whose struct is at data, "" for one without; out has CONFIG_TITLE octets. */
const char *config_section_title(enum config_section section, const void *data, char *out);

/* "from 0 to 24h" */
void config_range_print(const struct config_option *option, FILE *out);

/* The known name that text was probably meant to be, or NULL. count names, each at least 1 long. */
const char *config_nearest(const char *text, const char *const *names, size_t count);

#endif
