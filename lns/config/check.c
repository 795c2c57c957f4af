/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config/check: what no single row of the schema can see: references between sections, things that
 * exclude or need each other, and ranges that overlap.
 *
 * A check blames the value that can be changed; only where something is missing, the section.
 */
#include "lns/config/doc.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define CONTROL_SOCKET "/control.sock"
_Static_assert(sizeof(((struct config *)0)->run_dir) - 1 + sizeof(CONTROL_SOCKET) <=
		       sizeof(((struct sockaddr_un *)0)->sun_path),
	"every run-dir that fits has room for the control socket");

/* The index-th value of an option in a node, NULL when there is none. */
static const struct config_item *find_item(const struct config_doc *doc,
	const struct config_node *node, const char *name, size_t index)
{
	for (size_t i = 0; i < doc->item_count; i++) {
		const struct config_item *item = &doc->items[i];

		if (&doc->nodes[item->node] == node && !strcmp(item->option->name, name) &&
			!index--)
			return item;
	}
	return NULL;
}

static bool ipv4_in(const struct config_pool *pool, uint32_t addr)
{
	for (size_t i = 0; i < pool->range_count; i++)
		if (addr >= pool->ranges[i].first && addr <= pool->ranges[i].last)
			return true;
	return false;
}

static void check_lac(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	const struct config_lac *lac = node->data;
	const struct config_item *item = find_item(doc, node, "ppp", 0);

	if (item && !config_find_ppp(config, item->value))
		config_doc_blame_item(doc, item, "there is no ppp section \"%s\"", item->value);
	if (find_item(doc, node, "secret", 0) || find_item(doc, node, "secret-file", 0))
		return;
	if (lac->lac.challenge && (item = find_item(doc, node, "challenge", 0)))
		config_doc_blame_item(doc, item, "needs a secret");
	if (lac->lac.hide_avps && (item = find_item(doc, node, "hide-avps", 0)))
		config_doc_blame_item(doc, item, "needs a secret");
}

/* The users file has passwords, and EAP is for a server that knows methods. */
static void check_eap(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	const struct config_ppp *ppp = node->data;
	const struct config_item *item;

	if (!(ppp->auth & CONFIG_AUTH_EAP) || config->has_radius)
		return;
	for (size_t i = 0; (item = find_item(doc, node, "auth", i)); i++)
		if (!strcmp(item->value, "eap"))
			config_doc_blame_item(doc, item, "'eap' needs a radius section");
}

static void check_ppp(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	const struct config_ppp *ppp = node->data;
	const struct config_item *item = find_item(doc, node, "pool", 0);
	char text[ADDR_TEXT];

	check_eap(doc, node, config);
	if (item && !config_find_pool(config, item->value))
		config_doc_blame_item(doc, item, "there is no pool section \"%s\"", item->value);
	if (!ppp->ipv4 && !ppp->ipv6)
		config_doc_blame_node(doc, node, "neither ipv4 nor ipv6 is on");
	item = find_item(doc, node, "local-address", 0);
	if (!item && ppp->ipv4)
		config_doc_blame_node(doc, node,
			"local-address is missing (example: local-address = \"100.64.0.1\")");
	for (size_t i = 0; item && i < config->pool_count; i++)
		if (ppp->local_address.sa.sa_family == AF_INET &&
			ipv4_in(&config->pools[i], ntohl(ppp->local_address.in4.sin_addr.s_addr)))
			config_doc_blame_item(doc, item, "%s is in pool \"%s\"",
				addr_text_host(&ppp->local_address, text), config->pools[i].name);
	if (!config->user_count || !ppp->ipv4 || find_item(doc, node, "pool", 0))
		return;
	for (size_t i = 0; i < config->user_count; i++) {
		if (config->users[i].address.sa.sa_family != AF_UNSPEC)
			continue;
		config_doc_blame_node(doc, node,
			"pool is missing, and there are users without an address of their own");
		return;
	}
}

/* One range of a pool and where it stands. */
struct placed_range {
	struct config_pool_range range;
	const struct config_pool *pool;
	const struct config_node *node;
	size_t index;
};

static int compare_ranges(const void *a, const void *b)
{
	const struct placed_range *x = a, *y = b;

	if (x->range.first != y->range.first)
		return x->range.first < y->range.first ? -1 : 1;
	return x->node != y->node ? (x->node < y->node ? -1 : 1) : (x->index < y->index ? -1 : 1);
}

static void check_overlap(struct config_doc *doc, struct placed_range *ranges, size_t count)
{
	const struct placed_range *widest = ranges; /* reaches farthest of those before */
	char text[INET_ADDRSTRLEN];

	qsort(ranges, count, sizeof(*ranges), compare_ranges);
	for (size_t i = 1; i < count; i++) {
		struct in_addr addr = { htonl(ranges[i].range.first) };
		const struct config_item *item;

		if (ranges[i].range.first <= widest->range.last) {
			item = find_item(doc, ranges[i].node, "ranges", ranges[i].index);
			if (item)
				config_doc_blame_item(doc, item,
					"'%s' overlaps with another range of pool \"%s\", from %s on",
					item->value, widest->pool->name,
					inet_ntop(AF_INET, &addr, text, sizeof(text)));
		}
		if (ranges[i].range.last > widest->range.last)
			widest = &ranges[i];
	}
}

static void check_pools(struct config_doc *doc, const struct config *config)
{
	struct placed_range *ranges;
	size_t count = 0, total = 0;

	for (size_t i = 0; i < config->pool_count; i++)
		total += config->pools[i].range_count;
	ranges = calloc(total + 1, sizeof(*ranges));
	if (!ranges) {
		doc->no_memory = true;
		return;
	}
	for (size_t n = 0; n < doc->node_count; n++) {
		const struct config_pool *pool = doc->nodes[n].data;

		if (doc->nodes[n].section != CONFIG_POOL)
			continue;
		for (size_t i = 0; i < pool->range_count; i++)
			ranges[count++] =
				(struct placed_range){ pool->ranges[i], pool, &doc->nodes[n], i };
	}
	if (count)
		check_overlap(doc, ranges, count);
	free(ranges);
}

/* Addresses that the option of this name has twice. */
static void check_addresses(
	struct config_doc *doc, const char *name, const union addr *addrs, size_t count)
{
	const struct config_item *item;
	char text[ADDR_TEXT];

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			item = find_item(doc, &doc->nodes[0], name, i);
			if (!item || !addr_equal(&addrs[i], &addrs[j]))
				continue;
			config_doc_blame_item(
				doc, item, "%s is given twice", addr_text(&addrs[i], text));
			break;
		}
	}
}

static void check_server(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	const struct config_radius_server *server = node->data;

	if (!find_item(doc, node, "secret", 0) && !find_item(doc, node, "secret-file", 0))
		config_doc_blame_node(doc, node, "secret or secret-file is missing");
	if (!server->auth_port && !server->acct_port)
		config_doc_blame_node(
			doc, node, "auth-port and acct-port are both 0: used for nothing");
	for (const struct config_radius_server *other = config->radius.servers; other < server;
		other++)
		if (other->addr.sa.sa_family != AF_UNSPEC &&
			addr_equal_host(&other->addr, &server->addr))
			config_doc_blame_node(
				doc, node, "the same address is given to two servers");
}

/* Whether requests of that family can arrive: without an address given, all of them do. */
static bool das_hears(const struct config_das *das, sa_family_t family)
{
	return das->address[0].sa.sa_family == AF_UNSPEC ||
	       das->address[0].sa.sa_family == family || das->address[1].sa.sa_family == family;
}

static void check_das(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	const struct config_das *das = &config->radius.das;
	const struct config_item *second = find_item(doc, node, "address", 1);

	if (!das->client_count)
		config_doc_blame_node(doc, node,
			"nobody may send requests (example: client \"192.0.2.10\" { secret = '...' })");
	if (second && addr_equal(&das->address[0], &das->address[1]))
		config_doc_blame_item(doc, second, "%s is given twice", second->value);
}

static void check_das_client(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	const struct config_das *das = &config->radius.das;
	const struct config_das_client *client = node->data;

	if (!find_item(doc, node, "secret", 0) && !find_item(doc, node, "secret-file", 0))
		config_doc_blame_node(doc, node, "secret or secret-file is missing");
	if (client->addr.sa.sa_family == AF_UNSPEC)
		return; /* blamed already */
	if (!das_hears(das, client->addr.sa.sa_family))
		config_doc_blame_node(doc, node, "cannot send to the address given there");
	for (const struct config_das_client *other = das->clients; other < client; other++)
		if (addr_equal_host(&other->addr, &client->addr))
			config_doc_blame_node(
				doc, node, "the same address is given to two clients");
}

/* Who authenticates: RADIUS or the users file, not both, not none. */
static void check_authentication(struct config_doc *doc, const struct config *config)
{
	const struct config_item *users = find_item(doc, &doc->nodes[0], "users", 0);
	const struct config_node *radius = NULL;
	bool auth = false;

	for (size_t i = 0; i < doc->node_count && !radius; i++)
		if (doc->nodes[i].section == CONFIG_RADIUS)
			radius = &doc->nodes[i];
	if (users && radius)
		config_doc_blame_item(doc, users,
			"there is a radius section, too; subscribers are looked up in one place, so "
			"remove this option or that section");
	if (!users && !radius)
		config_doc_blame_node(doc, &doc->nodes[0],
			"nobody authenticates subscribers; add a radius section, or a users file "
			"(example: users = \"users\")");
	for (size_t i = 0; i < config->radius.server_count; i++)
		auth |= config->radius.servers[i].auth_port;
	if (radius && !auth)
		config_doc_blame_node(doc, radius,
			"no server authenticates (example: server \"192.0.2.10\" { secret = '...' })");
}

/* Programs of hooks must not be able to harm lnsd itself. */
static void check_hooks(struct config_doc *doc, const struct config *config)
{
	const struct config_item *up = find_item(doc, &doc->nodes[0], "on-up", 0);
	const struct config_item *down = find_item(doc, &doc->nodes[0], "on-down", 0);
	const struct config_item *user = find_item(doc, &doc->nodes[0], "hook-user", 0);
	const struct config_item *blamed = user ? user : up ? up : down;

	if (!up && !down)
		return;
	if (strcmp(config->hooks.user, "root") == 0)
		config_doc_blame_item(doc, blamed, "programs of hooks do not run as root");
	else if (strcmp(config->hooks.user, config->user) == 0)
		config_doc_blame_item(doc, blamed, "'%s' is the engine's own `user`%s",
			config->hooks.user, user ? "" : ": set hook-user to another one");
}

static bool is_unspecified(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? addr->in4.sin_addr.s_addr == INADDR_ANY
					     : IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

/* Whether a socket of the one address is in the way of one of the other. */
static bool overlaps(const union addr *a, const union addr *b)
{
	return a->sa.sa_family == b->sa.sa_family && addr_port(a) == addr_port(b) &&
	       (addr_equal(a, b) || is_unspecified(a) || is_unspecified(b));
}

static void check_static_ports(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	static const char *const names[] = { "local-port", "peer-port" };
	const struct config_static_tunnel *tunnel = node->data;
	const struct config_item *item;
	char text[ADDR_TEXT];

	for (size_t i = 0; i < 2; i++) {
		item = find_item(doc, node, names[i], 0);
		if (item && tunnel->kernel.ip)
			config_doc_blame_item(doc, item, "there are no ports in IP encapsulation");
		else if (!item && !tunnel->kernel.ip)
			config_doc_blame_node(doc, node, "%s is missing (example: %s = 5000)",
				names[i], names[i]);
	}
	item = find_item(doc, node, "local-port", 0);
	for (size_t i = 0; item && !tunnel->kernel.ip && i < config->listen_count; i++)
		if (overlaps(&tunnel->kernel.local, &config->listen[i]))
			config_doc_blame_item(doc, item, "is in use by listen, with %s",
				addr_text(&config->listen[i], text));
}

static void check_static_tunnel(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	const struct config_static_tunnel *tunnel = node->data;
	const struct kernel_static_tunnel *kernel = &tunnel->kernel;
	const struct config_item *local = find_item(doc, node, "local", 0);
	const struct config_item *peer = find_item(doc, node, "peer", 0);
	const struct config_item *id = find_item(doc, node, "local-id", 0);

	if (kernel->local.sa.sa_family == AF_UNSPEC || kernel->peer.sa.sa_family == AF_UNSPEC)
		return; /* blamed already */
	if (kernel->local.sa.sa_family != kernel->peer.sa.sa_family)
		config_doc_blame_item(doc, peer, "one end has IPv4 and the other one IPv6");
	if (is_unspecified(&kernel->local))
		config_doc_blame_item(doc, local, "is not an address that a host can have");
	if (is_unspecified(&kernel->peer))
		config_doc_blame_item(doc, peer, "is not an address that a host can have");
	check_static_ports(doc, node, config);
	for (const struct config_static_tunnel *other = config->static_tunnels; other < tunnel;
		other++)
		if (id && kernel->id && other->kernel.id == kernel->id)
			config_doc_blame_item(
				doc, id, "static-tunnel \"%s\" has the same number", other->name);
}

/* Numbers and interfaces that a session before it has, in any tunnel. */
static void check_static_unique(struct config_doc *doc, const struct config_node *node,
	const struct config_static_session *session, const struct config_static_session *other)
{
	const struct config_item *id = find_item(doc, node, "local-id", 0);

	if (id && session->kernel.id && other->kernel.id == session->kernel.id)
		config_doc_blame_item(doc, id, "session \"%s\" has the same number", other->name);
	if (strcmp(other->kernel.ifname, session->kernel.ifname) == 0)
		config_doc_blame_node(doc, node,
			"session \"%s\" has an interface of the same name, %s; set interface",
			other->name, session->kernel.ifname);
}

static void check_static_session(
	struct config_doc *doc, const struct config_node *node, const struct config *config)
{
	const struct config_static_session *session = node->data;
	const struct config_item *item = find_item(doc, node, "sequencing", 0);

	if (!find_item(doc, node, "interface", 0) &&
		strlen(session->name) >= sizeof(session->kernel.ifname))
		config_doc_blame_node(doc, node,
			"the name is too long for that of an interface (at most 15 characters); set "
			"interface");
	if (item && session->sequencing && !session->kernel.sublayer)
		config_doc_blame_item(doc, item, "needs the sublayer");
	item = find_item(doc, node, "reorder-timeout", 0);
	if (item && session->reorder_timeout && !session->kernel.recv_seq)
		config_doc_blame_item(doc, item, "needs sequencing of what is received");
	for (size_t t = 0; t < config->static_tunnel_count; t++) {
		const struct config_static_tunnel *tunnel = &config->static_tunnels[t];

		for (size_t i = 0; i < tunnel->session_count; i++) {
			if (&tunnel->sessions[i] == session)
				return;
			check_static_unique(doc, node, session, &tunnel->sessions[i]);
		}
	}
}

void config_check(struct config_doc *doc, const struct config *config)
{
	if (doc->incomplete)
		return;
	check_authentication(doc, config);
	check_hooks(doc, config);
	check_addresses(doc, "listen", config->listen, config->listen_count);
	check_addresses(doc, "metrics", config->metrics, config->metrics_count);
	check_pools(doc, config);
	if (!config->lac_count)
		config_doc_blame_node(doc, &doc->nodes[0],
			"no lac section, so nobody may connect (example: lac \"any\" { peers = { "
			"\"0.0.0.0/0\" } ppp = \"default\" })");
	for (size_t i = 0; i < doc->node_count; i++) {
		if (doc->nodes[i].section == CONFIG_LAC)
			check_lac(doc, &doc->nodes[i], config);
		else if (doc->nodes[i].section == CONFIG_PPP)
			check_ppp(doc, &doc->nodes[i], config);
		else if (doc->nodes[i].section == CONFIG_RADIUS_SERVER)
			check_server(doc, &doc->nodes[i], config);
		else if (doc->nodes[i].section == CONFIG_DAS)
			check_das(doc, &doc->nodes[i], config);
		else if (doc->nodes[i].section == CONFIG_DAS_CLIENT)
			check_das_client(doc, &doc->nodes[i], config);
		else if (doc->nodes[i].section == CONFIG_STATIC_TUNNEL)
			check_static_tunnel(doc, &doc->nodes[i], config);
		else if (doc->nodes[i].section == CONFIG_STATIC_SESSION)
			check_static_session(doc, &doc->nodes[i], config);
	}
}
