/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: the command line, one row per option.
 */
#include "tests/load/options.h"

#include "tests/load/ppp.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum kind { NUMBER, REAL, TIME, TEXT, FLAG, SEED, PACKETS, END, AUTH, ADDRESS, PROXY, SPECIAL };

struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	uint64_t min, max;
	const char *value, *help;
};

#define AT(field) offsetof(struct options, field)
#define HOUR      (3600 * (uint64_t)1000000)

static const struct row rows[] = {
	{ "lns", SPECIAL, 0, 0, 0, "ADDRESS",
		"the LNS; ADDRESS:PORT or [ADDRESS]:PORT if not 1701" },
	{ "lacs", NUMBER, AT(lacs), 1, 60000, "N", "LACs, each with a tunnel (1)" },
	{ "source", SPECIAL, 0, 0, 0, "LIST",
		"their addresses: A (counts up), A-B, or a list (any)" },
	{ "port", SPECIAL, 0, 0, 0, "PORT", "their port, 0 for any (1701)" },
	{ "sessions", NUMBER, AT(sessions), 0, 1000000, "N", "calls, over all LACs (1)" },
	{ "outstanding", NUMBER, AT(outstanding), 0, 1000000, "N",
		"calls in setup at a time, 0 = all (100)" },
	{ "rate", REAL, AT(rate), 0, 1000000, "R", "new calls a second, 0 = as they come (0)" },
	{ "timeout", TIME, AT(timeout), 1, HOUR, "TIME", "for a call to come up (30s)" },
	{ "hold", TIME, AT(hold), 0, 1000 * HOUR, "TIME", "hold them all for this long (0)" },
	{ "ping", TIME, AT(ping), 1000, HOUR, "TIME",
		"an ICMP echo per session this often (never)" },
	{ "ping-to", ADDRESS, AT(ping_to), 0, 0, "ADDRESS", "where to (the LNS's end)" },
	{ "ping-size", NUMBER, AT(ping_size), 0, 1400, "N", "octets of data in it (56)" },
	{ "churn", REAL, AT(churn), 0, 1000000, "R", "calls replaced a second during --hold (0)" },
	{ "storm", NUMBER, AT(storms), 0, 100, "N", "all drop and come again, N times (0)" },
	{ "storm-by", END, AT(storm_by), 0, 0, "HOW", "cdn, lcp, stopccn, reboot (as --end)" },
	{ "reboot", NUMBER, AT(reboots), 0, 60000, "N", "LACs that reboot once (0)" },
	{ "vanish", NUMBER, AT(vanish), 0, 60000, "N", "LACs that fall silent after setup (0)" },
	{ "end", END, AT(end), 0, 0, "HOW", "cdn, lcp, stopccn, vanish (cdn)" },
	{ "auth", AUTH, AT(auth), 0, 0, "SET",
		"pap, chap, mschapv2, eap, none, any; comma between (any)" },
	{ "user", TEXT, AT(user), 0, 0, "TEXT", "name; %d session, %l LAC (user%d)" },
	{ "password", TEXT, AT(password), 0, 0, "TEXT", "likewise (password)" },
	{ "first", NUMBER, AT(first), 0, 1000000000, "N",
		"number of the first session and LAC (1)" },
	{ "mru", NUMBER, AT(mru), 128, 1500, "N", "MRU that is asked for (1460)" },
	{ "ipv6", FLAG, AT(ipv6), 0, 0, NULL, "IPV6CP as well" },
	{ "no-dns", FLAG, AT(no_dns), 0, 0, NULL, "do not ask for DNS servers" },
	{ "early-lcp", FLAG, AT(early_lcp), 0, 0, NULL, "first Configure-Request with the ICCN" },
	{ "proxy", PROXY, 0, 0, 0, "WHAT", "lcp, auth, both: the LAC did that already" },
	{ "proxy-lcp", PROXY, 0, 0, 0, NULL, "the same as --proxy both" },
	{ "strict", FLAG, AT(strict), 0, 0, NULL,
		"an LCP Configure-Request after proxy LCP fails" },
	{ "secret", TEXT, AT(secret), 0, 0, "TEXT", "tunnel secret; %l LAC" },
	{ "hide", FLAG, AT(hide), 0, 0, NULL, "hide AVPs (needs --secret)" },
	{ "host-name", TEXT, AT(host_name), 0, 0, "TEXT", "Host Name AVP; %l LAC (lac%l)" },
	{ "calling", TEXT, AT(calling), 0, 0, "TEXT", "Calling Number (%d)" },
	{ "called", TEXT, AT(called), 0, 0, "TEXT", "Called Number (none)" },
	{ "window", NUMBER, AT(window), 0, 1024, "N", "Receive Window Size, 0 = not sent (64)" },
	{ "retransmits", NUMBER, AT(retransmits), 1, 100, "N", "of a control message (5)" },
	{ "retry", TIME, AT(retry), 100000, HOUR, "TIME", "interval of PPP requests (3s)" },
	{ "hello", TIME, AT(hello), 0, HOUR, "TIME", "silence before a Hello, 0 = none (60s)" },
	{ "sequencing", FLAG, AT(sequencing), 0, 0, NULL, "number the data packets" },
	{ "loss", REAL, AT(line.loss), 0, 100, "PERCENT",
		"of the packets, each way, are lost (0)" },
	{ "duplicate", REAL, AT(line.duplicate), 0, 100, "PERCENT", "likewise come twice (0)" },
	{ "delay", TIME, AT(line.delay), 0, 60 * (uint64_t)1000000, "TIME", "each way (0)" },
	{ "reorder", REAL, AT(line.reorder), 0, 100, "PERCENT",
		"likewise are not delayed, and so overtake others (0)" },
	{ "mutate", PACKETS, AT(mutate), 1, UINT64_MAX, "N",
		"send N mutated control packets instead" },
	{ "seed", SEED, AT(seed), 0, UINT64_MAX, "N", "of everything random" },
	{ "json", TEXT, AT(json), 0, 0, "FILE", "result as JSON, - for standard output" },
	{ "allow-failures", FLAG, AT(allow_failures), 0, 0, NULL, "exit status 0 all the same" },
	{ "quiet", FLAG, AT(quiet), 0, 0, NULL, "no table" },
	{ "progress", FLAG, AT(progress), 0, 0, NULL, "progress also where there is no terminal" },
	{ "help", SPECIAL, 0, 0, 0, NULL, "this" },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

/* What must be known of several options together. */
struct parsed {
	const char *lns, *source, *port;
	bool storm_by;
};

static const char *const end_names[] = { "cdn", "lcp", "stopccn", "vanish", "reboot" };

const char *options_end_name(enum load_end end)
{
	return end_names[end];
}

static void usage(void)
{
	printf("Usage: lns-load --lns ADDRESS [OPTION]...\n"
	       "Many LACs with many PPP clients behind them, against an L2TP network server.\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s%s%s", rows[i].name, rows[i].value ? " " : "",
			rows[i].value ? rows[i].value : "");
		printf("  --%-20s %s\n", left, rows[i].help);
	}
	printf("\nTimes have a unit: 500ms, 10s, 5m, 2h. See lns-load(1).\n");
}

static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || value < min || value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

static int parse_real(const char *text, double max, double *ret)
{
	char *end;
	double value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	value = strtod(text, &end);
	if (*end || !(value <= max))
		return -EINVAL;
	*ret = value;
	return 0;
}

static int parse_time(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	static const struct {
		const char *name;
		double scale;
	} units[] = { { "", 1e6 }, { "ms", 1e3 }, { "s", 1e6 }, { "m", 60e6 }, { "h", 3600e6 } };
	char *end;
	double value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	value = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		value *= units[i].scale;
		if (!(value >= (double)min && value <= (double)max))
			return -EINVAL;
		*ret = (uint64_t)value;
		return 0;
	}
	return -EINVAL;
}

static int parse_end(const char *text, enum load_end *ret)
{
	for (size_t i = 0; i < sizeof(end_names) / sizeof(*end_names); i++) {
		if (strcmp(text, end_names[i]) == 0) {
			*ret = (enum load_end)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_auth(const char *text, struct options *ret)
{
	static const struct {
		const char *name;
		unsigned int auth;
	} names[] = { { "pap", PPP_AUTH_PAP }, { "chap", PPP_AUTH_CHAP },
		{ "mschapv2", PPP_AUTH_MSCHAPV2 }, { "eap", PPP_AUTH_EAP } };
	const size_t count = sizeof(names) / sizeof(names[0]);

	ret->auth_required = false;
	ret->auth = strcmp(text, "any") == 0 ? PPP_AUTH_ANY : 0;
	if (ret->auth || strcmp(text, "none") == 0)
		return 0;
	ret->auth_required = true;
	while (*text) {
		size_t len = strcspn(text, ","), i = 0;

		while (i < count &&
			(strlen(names[i].name) != len || strncmp(text, names[i].name, len) != 0))
			i++;
		if (i == count)
			return -EINVAL;
		ret->auth |= names[i].auth;
		text += len + (text[len] == ',');
	}
	return ret->auth ? 0 : -EINVAL;
}

static int parse_proxy(const char *text, struct options *ret)
{
	bool both = !text || strcmp(text, "both") == 0;

	ret->proxy_lcp = both || strcmp(text, "lcp") == 0;
	ret->proxy_auth = both || strcmp(text, "auth") == 0;
	return ret->proxy_lcp || ret->proxy_auth ? 0 : -EINVAL;
}

/* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT. */
static int parse_lns(const char *text, union addr *ret)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	uint64_t port = 1701;
	size_t len = strlen(text);

	if (colon && (text[0] == '[' || strchr(text, ':') == colon)) {
		if (parse_number(colon + 1, 1, 65535, &port))
			return -EINVAL;
		len = (size_t)(colon - text);
	}
	if (text[0] == '[') {
		if (len < 2 || text[len - 1] != ']')
			return -EINVAL;
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	return addr_parse(host, (uint16_t)port, ret);
}

static int parse_special(const char *name, const char *value, struct parsed *parsed)
{
	if (strcmp(name, "lns") == 0)
		parsed->lns = value;
	else if (strcmp(name, "source") == 0)
		parsed->source = value;
	else
		parsed->port = value;
	return 0;
}

static int parse_row(
	const struct row *row, const char *value, struct options *ret, struct parsed *parsed)
{
	void *field = (char *)ret + row->offset;
	uint64_t number = 0;
	int err;

	switch (row->kind) {
	case NUMBER:
		err = parse_number(value, row->min, row->max, &number);
		if (!err)
			*(unsigned int *)field = (unsigned int)number;
		return err;
	case SEED:
	case PACKETS:
		return parse_number(value, row->min, row->max, field);
	case REAL:
		return parse_real(value, (double)row->max, field);
	case TIME:
		return parse_time(value, row->min, row->max, field);
	case TEXT:
		*(const char **)field = value;
		return 0;
	case FLAG:
		*(bool *)field = true;
		return 0;
	case END:
		parsed->storm_by |= strcmp(row->name, "storm-by") == 0;
		return parse_end(value, field);
	case AUTH:
		return parse_auth(value, ret);
	case ADDRESS:
		return addr_parse(value, 0, field);
	case PROXY:
		return parse_proxy(row->value ? value : NULL, ret);
	case SPECIAL:
		return parse_special(row->name, value, parsed);
	}
	return -EINVAL;
}

/* The n-th address after base, in its last 32 bits. */
static union addr addr_after(const union addr *base, uint32_t n)
{
	union addr addr = *base;
	uint32_t low;

	if (addr.sa.sa_family == AF_INET) {
		addr.in4.sin_addr.s_addr = htonl(ntohl(addr.in4.sin_addr.s_addr) + n);
		return addr;
	}
	memcpy(&low, addr.in6.sin6_addr.s6_addr + 12, 4);
	low = htonl(ntohl(low) + n);
	memcpy(addr.in6.sin6_addr.s6_addr + 12, &low, 4);
	return addr;
}

/* "A" or "A-B", len octets of text. *ret_count is 0 for one address. */
static int parse_range(
	const char *text, size_t len, uint16_t port, union addr *ret_base, uint32_t *ret_count)
{
	char buf[128];
	char *dash;
	union addr last;

	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	dash = strchr(buf, '-');
	if (dash)
		*dash++ = '\0';
	*ret_count = 0;
	if (addr_parse(buf, port, ret_base))
		return -EINVAL;
	if (!dash)
		return 0;
	if (addr_parse(dash, port, &last))
		return -EINVAL;
	for (uint32_t n = 0; n < 65536; n++) {
		union addr addr = addr_after(ret_base, n);

		if (addr_equal(&addr, &last)) {
			*ret_count = n + 1;
			return 0;
		}
	}
	return -EINVAL;
}

/*
 * One address per LAC: a single one counts up; of a range or list each is used in turn, and then again
 * with the next port (port 0: with any).
 */
static int make_sources(struct options *ret, const char *list, uint16_t port)
{
	unsigned int filled = 0;
	uint32_t count;
	bool single = !strchr(list, ',');

	for (const char *at = list; *at && filled < ret->lacs;) {
		size_t len = strcspn(at, ",");
		union addr base;

		if (parse_range(at, len, port, &base, &count))
			return -EINVAL;
		if (single && !count)
			count = ret->lacs;
		for (uint32_t n = 0; n < (count ? count : 1) && filled < ret->lacs; n++)
			ret->sources[filled++] = addr_after(&base, n);
		at += len + (at[len] == ',');
	}
	if (!filled)
		return -EINVAL;
	for (unsigned int i = filled; i < ret->lacs; i++) {
		ret->sources[i] = ret->sources[i - filled];
		if (port)
			addr_set_port(
				&ret->sources[i], (uint16_t)(addr_port(&ret->sources[i]) + 1));
	}
	return 0;
}

static const char *complain(const struct options *options, const struct parsed *parsed)
{
	if (!parsed->lns)
		return "--lns is missing";
	if (options->hide && !options->secret)
		return "--hide needs --secret";
	if (options->strict && !options->proxy_lcp)
		return "--strict needs --proxy-lcp";
	if (options->early_lcp && options->proxy_lcp)
		return "--early-lcp and proxy LCP exclude each other";
	if (options->proxy_auth && !(options->auth & ~PPP_AUTH_EAP))
		return "proxy authentication needs --auth other than none and eap";
	if (options->proxy_lcp && options->auth == PPP_AUTH_EAP)
		return "proxy LCP needs --auth other than eap";
	if (options->line.reorder > 0 && !options->line.delay)
		return "--reorder needs --delay";
	if (options->end == END_REBOOT)
		return "--end reboot: only a storm can be by reboot";
	if (options->storms && options->storm_by == END_VANISH)
		return "--storm-by: a LAC that vanishes does not come again; see --storm-by reboot";
	if (options->reboots + options->vanish > options->lacs)
		return "--reboot and --vanish are more than --lacs";
	return NULL;
}

static int finish(struct options *ret, struct parsed *parsed)
{
	const char *complaint, *source = parsed->source;
	uint64_t port = 1701;

	if (!parsed->storm_by)
		ret->storm_by = ret->end;
	complaint = complain(ret, parsed);
	if (complaint) {
		fprintf(stderr, "lns-load: %s\n", complaint);
		return -EINVAL;
	}
	if (parse_lns(parsed->lns, &ret->lns) ||
		(parsed->port && parse_number(parsed->port, 0, 65535, &port))) {
		fprintf(stderr, "lns-load: --lns or --port: not an address or port\n");
		return -EINVAL;
	}
	ret->sources = calloc(ret->lacs, sizeof(*ret->sources));
	if (!ret->sources)
		return -EINVAL;
	if (!source) {
		/* Any address, so that more than one needs ports of their own. */
		source = ret->lns.sa.sa_family == AF_INET ? "0.0.0.0-0.0.0.0" : "::-::";
	}
	if (make_sources(ret, source, (uint16_t)port) ||
		ret->sources[0].sa.sa_family != ret->lns.sa.sa_family) {
		fprintf(stderr,
			"lns-load: --source: not a list of addresses of the LNS's family\n");
		return -EINVAL;
	}
	return 0;
}

static void make_long_options(struct option *ret)
{
	for (size_t i = 0; i < ROWS; i++) {
		ret[i] = (struct option){ rows[i].name,
			rows[i].value ? required_argument : no_argument, NULL, 'A' };
	}
	ret[ROWS] = (struct option){ 0 };
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct option long_options[ROWS + 1];
	struct parsed parsed = { 0 };
	int c, index;

	*ret = (struct options){ .lacs = 1,
		.sessions = 1,
		.outstanding = 100,
		.timeout = 30 * (uint64_t)1000000,
		.hello = 60 * (uint64_t)1000000,
		.retry = 3 * (uint64_t)1000000,
		.retransmits = 5,
		.window = 64,
		.user = "user%d",
		.password = "password",
		.host_name = "lac%l",
		.calling = "%d",
		.first = 1,
		.auth = PPP_AUTH_ANY,
		.mru = 1460,
		.ping_size = 56 };
	if (getrandom(&ret->seed, sizeof(ret->seed), 0) != sizeof(ret->seed))
		return -EINVAL;
	ret->seed >>= 32; /* short enough to be typed again */
	make_long_options(long_options);
	while ((c = getopt_long(argc, argv, "h", long_options, &index)) != -1) {
		if (c == 'h' || (c == 'A' && strcmp(rows[index].name, "help") == 0)) {
			usage();
			return 1;
		}
		if (c != 'A')
			return -EINVAL;
		if (parse_row(&rows[index], optarg, ret, &parsed)) {
			fprintf(stderr, "lns-load: --%s: not \"%s\"\n", rows[index].name, optarg);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "lns-load: %s: there are no arguments but options\n", argv[optind]);
		return -EINVAL;
	}
	return finish(ret, &parsed);
}

void options_free(struct options *options)
{
	free(options->sources);
	options->sources = NULL;
}

const char *options_expand(
	char *out, size_t size, const char *template, unsigned int number, unsigned int lac)
{
	size_t used = 0;

	for (const char *p = template; *p && used + 1 < size; p++) {
		int len = 1;

		if (p[0] == '%' && (p[1] == 'd' || p[1] == 'l')) {
			len = snprintf(out + used, size - used, "%u", p[1] == 'd' ? number : lac);
			p++;
		} else {
			out[used] = *p;
			p += p[0] == '%' && p[1] == '%';
		}
		used += (size_t)len;
	}
	out[used < size ? used : size - 1] = '\0';
	return out;
}
