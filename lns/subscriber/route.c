// SPDX-License-Identifier: BSD-2-Clause
/*
 * route: see route.h. Every token is checked whole; what does not fit is refused rather than guessed.
 */
#include "lns/subscriber/route.h"

#include "lns/log.h"
#include "lns/subscriber/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX   253
#define METRIC_MAX 10 /* digits */

/* ---- text ---- */

/* RFC 2865 section 5.22: without a length, that of class A, B or C. */
static unsigned int class_len(uint32_t addr)
{
	return addr >> 31 == 0 ? 8 : addr >> 30 == 2 ? 16 : 24;
}

static bool is_routable(const struct addr_prefix *prefix)
{
	const struct in6_addr *six = &prefix->addr.in6.sin6_addr;
	uint32_t four;

	if (prefix->addr.sa.sa_family == AF_INET6)
		return !IN6_IS_ADDR_MULTICAST(six) && !IN6_IS_ADDR_LINKLOCAL(six) &&
		       !IN6_IS_ADDR_LOOPBACK(six);
	four = ntohl(prefix->addr.in4.sin_addr.s_addr);
	return four >> 24 != 127 && four >> 28 < 0xe && (four >> 24 != 0 || prefix->len == 0);
}

static int parse_prefix(const char *text, int family, struct addr_prefix *ret_prefix)
{
	char with_len[TEXT_MAX + 8];
	union addr addr;

	if (!strchr(text, '/') && family == AF_INET) {
		if (addr_parse(text, 0, &addr) < 0 || addr.sa.sa_family != AF_INET)
			return -EINVAL;
		snprintf(with_len, sizeof(with_len), "%s/%u", text,
			class_len(ntohl(addr.in4.sin_addr.s_addr)));
		text = with_len;
	}
	if (!strchr(text, '/') || addr_prefix_parse(text, ret_prefix) < 0)
		return -EINVAL;
	return ret_prefix->addr.sa.sa_family == family && is_routable(ret_prefix) ? 0 : -EINVAL;
}

static int parse_gateway(const char *text, int family, uint32_t *ret_gateway)
{
	union addr addr;

	if (addr_parse(text, 0, &addr) < 0 || addr.sa.sa_family != family)
		return -EINVAL;
	*ret_gateway = family == AF_INET ? ntohl(addr.in4.sin_addr.s_addr) : 0;
	return 0;
}

static bool is_metric(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len > 0 && len <= METRIC_MAX && text[len] == '\0';
}

int route_parse(const char *text, size_t len, int family, struct authorization_route *ret_route)
{
	struct authorization_route route = { 0 };
	char copy[TEXT_MAX + 1], *rest = copy, *word;
	unsigned int words = 0;
	int err = 0;

	while (len > 0 && text[len - 1] == '\0') /* some servers count the terminator */
		len--;
	if (len > TEXT_MAX || memchr(text, '\0', len))
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	while (!err && (word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		if (words == 0)
			err = parse_prefix(word, family, &route.prefix);
		else if (words == 1)
			err = parse_gateway(word, family, &route.gateway);
		else
			err = is_metric(word) ? 0 : -EINVAL;
		words++;
	}
	if (err || words == 0)
		return -EINVAL;
	*ret_route = route;
	return 0;
}

int route_mask_len(uint32_t netmask)
{
	uint32_t host = ~netmask;

	return host & (host + 1) ? -EINVAL : __builtin_popcount(netmask);
}

/* ---- the kernel's ---- */

struct subscriber_route {
	struct subscriber *sub;
	struct addr_prefix prefix;
	struct kernel_job *job;
	bool wanted; /* asked for and not refused */
};

static bool is_of(const struct subscriber_route *route, enum ppp_family family)
{
	return route->prefix.addr.sa.sa_family == (family == PPP_IPV4 ? AF_INET : AF_INET6);
}

static const char *prefix_text(const struct addr_prefix *prefix, char text[ADDR_TEXT + 4])
{
	char host[ADDR_TEXT];

	snprintf(text, ADDR_TEXT + 4, "%s/%u", addr_text_host(&prefix->addr, host), prefix->len);
	return text;
}

static void added(void *ctx, int err, int fd)
{
	struct subscriber_route *route = ctx;
	struct subscriber *sub = route->sub;
	char text[ADDR_TEXT + 4], detail[160];

	(void)fd;
	route->job = NULL;
	if (err == 0)
		return;
	route->wanted = false;
	snprintf(detail, sizeof(detail), "route to %s: %s", prefix_text(&route->prefix, text),
		strerror(-err));
	subscriber_log(sub, LOG_LEVEL_WARNING, "user \"%s\": %s", sub->user_text, detail);
	if (sub->all->config.config->radius.unsupported_rejects)
		subscriber_end(sub, END_BAD_PROFILE, detail);
}

static void removed(void *ctx, int err, int fd)
{
	struct subscriber_route *route = ctx;

	(void)err; /* gone is gone */
	(void)fd;
	route->job = NULL;
}

static int make_routes(struct subscriber *sub)
{
	const struct authorization *grant = sub->granted;

	sub->routes = calloc(grant->route_count, sizeof(*sub->routes));
	if (!sub->routes)
		return -ENOMEM;
	sub->route_count = grant->route_count;
	for (size_t i = 0; i < grant->route_count; i++) {
		sub->routes[i].sub = sub;
		sub->routes[i].prefix = grant->routes[i].prefix;
	}
	return 0;
}

void subscriber_routes_up(struct subscriber *sub, enum ppp_family family)
{
	struct kernel *kernel = sub->all->host.kernel;
	bool short_of_memory = false;

	if (!sub->routes && sub->granted->route_count > 0)
		short_of_memory = make_routes(sub) < 0;
	for (size_t i = 0; i < sub->route_count; i++) {
		struct subscriber_route *route = &sub->routes[i];

		if (!is_of(route, family) || route->wanted)
			continue;
		kernel_cancel(route->job);
		route->job = kernel_route_change(
			kernel, true, &route->prefix, sub->ifindex, 0, added, route);
		route->wanted = route->job != NULL;
		short_of_memory |= !route->job;
	}
	if (short_of_memory)
		subscriber_log(sub, LOG_LEVEL_ERROR, "out of memory for its routes");
}

void subscriber_routes_down(struct subscriber *sub, enum ppp_family family)
{
	for (size_t i = 0; i < sub->route_count; i++) {
		struct subscriber_route *route = &sub->routes[i];

		if (!is_of(route, family) || !route->wanted)
			continue;
		kernel_cancel(route->job);
		route->wanted = false;
		route->job = kernel_route_change(sub->all->host.kernel, false, &route->prefix,
			sub->ifindex, 0, removed, route);
	}
}

void subscriber_routes_free(struct subscriber *sub)
{
	for (size_t i = 0; i < sub->route_count; i++)
		kernel_cancel(sub->routes[i].job);
	free(sub->routes);
	sub->routes = NULL;
	sub->route_count = 0;
}
