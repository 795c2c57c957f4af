// SPDX-License-Identifier: BSD-2-Clause
/*
 * hooks/environ: one row per variable. See hooks/environ.h.
 */
#include "lns/hooks/environ.h"

#include "lns/log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define VALUE (4 * 256) /* the longest text, every octet as \xNN */

enum type {
	TEXT,
	PORT,    /* uint16_t */
	NUMBER,  /* uint32_t */
	COUNT,   /* uint64_t */
	KEY,     /* uint64_t, as Acct-Session-Id shows it */
	SECONDS, /* uint64_t microseconds */
	IPV4,
	IDENTIFIER, /* of an interface, RFC 5072 */
	KIND,
};

#define AT(member) offsetof(struct hooks_event, member)
#define ALWAYS     (1u << HOOKS_UP | 1u << HOOKS_DOWN)
#define DOWN       (1u << HOOKS_DOWN)

static const struct row {
	const char *name;
	enum type type;
	size_t offset;
	unsigned int kinds;
} rows[] = {
	/* clang-format off */
	{ "LNS_EVENT",           KIND,       AT(kind),         ALWAYS },
	{ "LNS_SESSION",         KEY,        AT(session),      ALWAYS },
	{ "LNS_USER",            TEXT,       AT(user),         ALWAYS },
	{ "LNS_LAC",             TEXT,       AT(lac),          ALWAYS },
	{ "LNS_PPP",             TEXT,       AT(ppp),          ALWAYS },
	{ "LNS_AUTH",            TEXT,       AT(auth),         ALWAYS },
	{ "LNS_PEER",            TEXT,       AT(peer_host),    ALWAYS },
	{ "LNS_PEER_ADDRESS",    TEXT,       AT(peer_address), ALWAYS },
	{ "LNS_TUNNEL",          PORT,       AT(tunnel),       ALWAYS },
	{ "LNS_CALL",            PORT,       AT(call),         ALWAYS },
	{ "LNS_CALLING_NUMBER",  TEXT,       AT(calling),      ALWAYS },
	{ "LNS_CALLED_NUMBER",   TEXT,       AT(called),       ALWAYS },
	{ "LNS_INTERFACE",       TEXT,       AT(interface),    ALWAYS },
	{ "LNS_IFINDEX",         NUMBER,     AT(ifindex),      ALWAYS },
	{ "LNS_LOCAL_ADDRESS",   IPV4,       AT(local),        ALWAYS },
	{ "LNS_REMOTE_ADDRESS",  IPV4,       AT(remote),       ALWAYS },
	{ "LNS_INTERFACE_ID",    IDENTIFIER, AT(interface_id), ALWAYS },
	{ "LNS_IPV6_PREFIX",     TEXT,       AT(prefixes),     ALWAYS },
	{ "LNS_DELEGATED_IPV6_PREFIX", TEXT, AT(delegated),    ALWAYS },
	{ "LNS_IPV6_POOL",       TEXT,       AT(pool6),        ALWAYS },
	{ "LNS_IPV6_DNS",        TEXT,       AT(dns6),         ALWAYS },
	{ "LNS_TIME",            SECONDS,    AT(when),         ALWAYS },
	{ "LNS_UP_TIME",         SECONDS,    AT(up),           ALWAYS },
	{ "LNS_REASON",          TEXT,       AT(reason),       DOWN },
	{ "LNS_DETAIL",          TEXT,       AT(detail),       DOWN },
	{ "LNS_TERMINATE_CAUSE", PORT,       AT(cause),        DOWN },
	{ "LNS_DURATION",        SECONDS,    AT(lasted),       DOWN },
	{ "LNS_RX_OCTETS",       COUNT,      AT(rx_octets),    DOWN },
	{ "LNS_TX_OCTETS",       COUNT,      AT(tx_octets),    DOWN },
	{ "LNS_RX_PACKETS",      COUNT,      AT(rx_packets),   DOWN },
	{ "LNS_TX_PACKETS",      COUNT,      AT(tx_packets),   DOWN },
	/* clang-format on */
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) + 3 <= HOOKS_VARIABLES, "and PATH, LANG, NULL");

/* Of the texts, one has 1,024 octets at most, and no row a longer one. */
_Static_assert(sizeof(((struct hooks_event *)0)->user) * 4 <= VALUE, "fits");
_Static_assert(sizeof(((struct hooks_event *)0)->peer_host) * 4 <= VALUE, "fits");

static void print_address(const uint8_t *field, char out[VALUE])
{
	static const uint8_t none[4];

	out[0] = '\0';
	if (memcmp(field, none, sizeof(none)) != 0)
		inet_ntop(AF_INET, field, out, VALUE);
}

static void print_identifier(const uint8_t *field, char out[VALUE])
{
	static const uint8_t none[8];

	out[0] = '\0';
	if (memcmp(field, none, sizeof(none)) != 0)
		snprintf(out, VALUE, "%02x%02x:%02x%02x:%02x%02x:%02x%02x", field[0], field[1],
			field[2], field[3], field[4], field[5], field[6], field[7]);
}

static void print_value(const struct row *row, const struct hooks_event *event, char out[VALUE])
{
	const void *field = (const char *)event + row->offset;

	switch (row->type) {
	case TEXT:
		log_printable(out, VALUE, field, strlen(field));
		break;
	case PORT:
		snprintf(out, VALUE, "%u", *(const uint16_t *)field);
		break;
	case NUMBER:
		snprintf(out, VALUE, "%" PRIu32, *(const uint32_t *)field);
		break;
	case COUNT:
		snprintf(out, VALUE, "%" PRIu64, *(const uint64_t *)field);
		break;
	case KEY:
		snprintf(out, VALUE, "%016" PRIx64, *(const uint64_t *)field);
		break;
	case SECONDS:
		snprintf(out, VALUE, "%" PRIu64, *(const uint64_t *)field / 1000000);
		break;
	case IPV4:
		print_address(field, out);
		break;
	case IDENTIFIER:
		print_identifier(field, out);
		break;
	case KIND:
		snprintf(out, VALUE, "%s", hooks_kind_word(*(const uint16_t *)field));
		break;
	}
}

void hooks_environ_make(const struct hooks_event *event, struct hooks_environ *ret_environ)
{
	size_t used = 0, count = 0;
	char value[VALUE];

	ret_environ->list[count++] =
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	ret_environ->list[count++] = (char *)"LANG=C";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *at = ret_environ->text + used;
		size_t room = sizeof(ret_environ->text) - used;
		int len;

		if (!(rows[i].kinds & 1u << event->kind))
			continue;
		print_value(&rows[i], event, value);
		if (!value[0])
			continue;
		len = snprintf(at, room, "%s=%s", rows[i].name, value);
		if ((size_t)len >= room)
			continue;
		ret_environ->list[count++] = at;
		used += (size_t)len + 1;
	}
	ret_environ->list[count] = NULL;
}
