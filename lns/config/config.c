/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: from what stands in the texts (config_doc) to struct config by the rows of the schema,
 * and the look-ups in it.
 *
 * Every node of the doc gets its struct, every item goes through its row into the struct's field,
 * rows without an item take their default; what no row can say (files, titles, defaults that
 * depend on something) follows, then the checks. Nothing stops at an error: all are reported at
 * the end.
 */
#include "lns/config/config.h"

#include "lns/config/doc.h"
#include "lns/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRMWARE_REVISION 0x0100

/* The bit in config_node.seen: the option's place among those of its section. */
static uint64_t seen_bit(const struct config_option *option)
{
	unsigned int place = 0;

	for (const struct config_option *o = option; o-- > config_options;)
		place += o->section == option->section;
	return UINT64_C(1) << place;
}

static bool seen(const struct config_node *node, const char *name)
{
	return node->seen & seen_bit(config_option_find(node->section, name));
}

/* ---- structs for the nodes ---- */

/* Whether node is one of section s in the struct at parent; the nodes of the sections around are placed. */
static bool is_inside(
	const struct config_doc *doc, const struct config_node *node, int s, const void *parent)
{
	return node->section == (enum config_section)s && doc->nodes[node->parent].data == parent;
}

/* Makes room for the nodes of section s in the struct at parent and points each to its struct. */
static bool place_inside(struct config_doc *doc, int s, char *parent)
{
	const struct config_section_info *info = &config_sections[s];
	size_t count = 0, placed = 0;
	char *array = NULL;

	for (size_t i = 0; i < doc->node_count; i++)
		count += is_inside(doc, &doc->nodes[i], s, parent);
	if (!count)
		return true;
	if (info->title) {
		array = calloc(count, info->size);
		if (!array)
			return false;
		memcpy(parent + info->offset, &array, sizeof(array));
		memcpy(parent + info->count_offset, &count, sizeof(count));
	} else {
		*(bool *)(parent + info->count_offset) = true;
	}
	for (size_t i = 0; i < doc->node_count; i++) {
		struct config_node *node = &doc->nodes[i];

		if (!is_inside(doc, node, s, parent))
			continue;
		node->data = array ? array : parent + info->offset;
		array = array ? array + info->size : NULL;
		if (!info->title && placed++)
			config_doc_blame_node(doc, node, "this section is given twice");
	}
	return true;
}

/* A section given twice fills one struct: its insides are placed with the first. */
static bool is_first(const struct config_doc *doc, size_t node)
{
	for (size_t i = 0; i < node; i++)
		if (doc->nodes[i].section == doc->nodes[node].section &&
			doc->nodes[i].data == doc->nodes[node].data)
			return false;
	return true;
}

/* Makes the arrays of titled sections and points each node to its struct. False: out of memory. */
static bool place_nodes(struct config_doc *doc, struct config *config)
{
	if (doc->node_count)
		doc->nodes[0].data = config;
	for (int s = CONFIG_ROOT + 1; s < CONFIG_SECTIONS; s++)
		for (size_t i = 0; i < doc->node_count; i++)
			if (doc->nodes[i].section == config_sections[s].parent &&
				is_first(doc, i) && !place_inside(doc, s, doc->nodes[i].data))
				return false;
	for (size_t i = 0; i < config->lac_count; i++)
		config->lacs[i].proxy_lcp = -1;
	return true;
}

/* The address that is the title of such a section, in its struct; NULL: it has another title. */
static union addr *title_addr(enum config_section section, const void *data)
{
	if (section == CONFIG_RADIUS_SERVER)
		return &((struct config_radius_server *)data)->addr;
	if (section == CONFIG_DAS_CLIENT)
		return &((struct config_das_client *)data)->addr;
	return NULL;
}

/* The name that is the title of such a section, likewise; 64 octets. */
static char *title_name(enum config_section section, const void *data)
{
	switch (section) {
	case CONFIG_LAC:
		return ((struct config_lac *)data)->lac.name;
	case CONFIG_PPP:
		return ((struct config_ppp *)data)->name;
	case CONFIG_POOL:
		return ((struct config_pool *)data)->name;
	case CONFIG_STATIC_TUNNEL:
		return ((struct config_static_tunnel *)data)->name;
	case CONFIG_STATIC_SESSION:
		return ((struct config_static_session *)data)->name;
	default:
		return NULL;
	}
}

static void take_title(struct config_doc *doc, struct config_node *node)
{
	const size_t len = strlen(node->title);
	union addr *addr = title_addr(node->section, node->data);
	char *name = title_name(node->section, node->data);

	if (name) {
		if (!len || len >= sizeof(((struct config_pool *)0)->name) ||
			node->title[strspn(node->title, "abcdefghijklmnopqrstuvwxyz"
							"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")])
			config_doc_blame_node(
				doc, node, "is not a name (letters, digits, _ . - and at most 63)");
		else
			memcpy(name, node->title, len + 1);
	} else if (addr && addr_parse(node->title, 0, addr)) {
		config_doc_blame_node(doc, node, "is not an address");
	}
}

/* ---- values ---- */

static void take_item(struct config_doc *doc, const struct config_item *item)
{
	const struct config_option *option = item->option;
	struct config_node *node = &doc->nodes[item->node];
	char reason[300], value[120];

	if (option->type == CONFIG_FILE && option->list && item->file != 0)
		return; /* an include in an included file: see take_file */
	if ((node->seen & seen_bit(option)) && (!option->list || item->again)) {
		config_doc_blame_item(doc, item,
			option->list ? "is given twice; += adds to a list" : "is given twice");
		return;
	}
	node->seen |= seen_bit(option);
	if (option->type == CONFIG_FILE)
		return;
	if (config_value_parse(option, item->value, node->data, reason, sizeof(reason)))
		return;
	if (option->type == CONFIG_SECRET)
		config_doc_blame_item(doc, item, "the secret %s", reason);
	else if (option->type == CONFIG_COOKIE)
		config_doc_blame_item(doc, item, "the cookie %s", reason);
	else
		config_doc_blame_item(doc, item, "'%s' %s",
			log_printable(value, sizeof(value), item->value, strlen(item->value)),
			reason);
}

/* The default of a row, one value or several with commas between them. */
static void take_preset(
	struct config_doc *doc, struct config_node *node, const struct config_option *option)
{
	char *values = strdup(option->preset), *rest = values, *value;
	char reason[300];

	if (!values) {
		doc->no_memory = true;
		return;
	}
	while ((value = option->list ? strsep(&rest, ",") : rest)) {
		value += strspn(value, " ");
		if (!config_value_parse(option, value, node->data, reason, sizeof(reason)))
			config_doc_blame_node(doc, node, "%s: default: %s", option->name, reason);
		if (!option->list)
			break;
	}
	free(values);
}

static void take_presets(struct config_doc *doc, struct config_node *node)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];

		if (option->section != node->section || (node->seen & seen_bit(option)))
			continue;
		if (option->required)
			config_doc_blame_node(doc, node, "%s is missing", option->name);
		else if (option->preset)
			take_preset(doc, node, option);
	}
}

/* ---- files ---- */

/* The first line of a secret file. */
static void take_secret_file(struct config_doc *doc, const struct config_item *item)
{
	const struct config_file *file = config_doc_file(doc, item);
	struct config_node *node = &doc->nodes[item->node];
	const struct config_option *option = config_option_find(node->section, "secret");
	char line[L2TP_SECRET_MAX + 2] = "", reason[300];
	size_t len;

	if (seen(node, "secret")) {
		config_doc_blame_item(doc, item, "secret is given, too; one of them is enough");
		return;
	}
	len = strcspn(file->data, "\r\n");
	memcpy(line, file->data, len < sizeof(line) ? len : sizeof(line) - 1);
	if (!config_value_parse(option, line, node->data, reason, sizeof(reason)))
		config_doc_blame_item(doc, item, "the secret in it %s", reason);
	explicit_bzero(line, sizeof(line));
}

static void take_file(struct config_doc *doc, const struct config_item *item, struct config *config)
{
	const struct config_file *file = config_doc_file(doc, item);
	bool include = !strcmp(item->option->name, "include");

	if (include && item->file != 0)
		config_doc_blame_item(doc, item, "an included file includes no others");
	else if (!file)
		config_doc_blame_item(doc, item, "%s: is not there", item->value);
	else if (file->kind == CONFIG_FILE_TROUBLE)
		config_doc_blame_item(doc, item, "%s: %s", file->name, file->data);
	else if ((file->kind == CONFIG_FILE_TEXT) != include)
		config_doc_blame_item(
			doc, item, "%s: is used for something else already", file->name);
	else if (!strcmp(item->option->name, "users"))
		config_users_read(doc, item, config);
	else if (!include)
		take_secret_file(doc, item);
}

static void warn_of_exposed(struct config_doc *doc)
{
	for (size_t f = 0; f < doc->file_count; f++) {
		if (!doc->files[f].exposed)
			continue;
		for (size_t i = 0; i < doc->item_count; i++) {
			if (doc->items[i].file != f || doc->items[i].option->type != CONFIG_SECRET)
				continue;
			config_doc_warn(doc, f,
				"holds a secret and everybody can read it; run: chmod 600 '%s'",
				doc->files[f].name);
			break;
		}
	}
}

/* ---- defaults that depend on something ---- */

static void complete_static(struct config_static_tunnel *tunnel)
{
	if (!tunnel->kernel.ip) {
		addr_set_port(&tunnel->kernel.local, tunnel->local_port);
		addr_set_port(&tunnel->kernel.peer, tunnel->peer_port);
	}
	for (size_t i = 0; i < tunnel->session_count; i++) {
		struct config_static_session *session = &tunnel->sessions[i];
		struct kernel_static_session *kernel = &session->kernel;

		kernel->tunnel_id = tunnel->kernel.id;
		kernel->send_seq = session->sequencing & CONFIG_NUMBER_SEND;
		kernel->recv_seq = session->sequencing & CONFIG_NUMBER_RECEIVE;
		kernel->reorder_timeout = (uint32_t)(session->reorder_timeout / 1000);
		if (!*kernel->ifname) /* a longer one is blamed by the check */
			memcpy(kernel->ifname, session->name,
				strnlen(session->name, sizeof(kernel->ifname) - 1));
	}
}

static void complete(struct config_doc *doc, struct config *config)
{
	if (!*config->name)
		gethostname(config->name, sizeof(config->name) - 1);
	if (!*config->name)
		memcpy(config->name, "lns", sizeof("lns"));
	memcpy(config->l2tp.host_name, config->name, sizeof(config->l2tp.host_name));
	config->l2tp.firmware_revision = FIRMWARE_REVISION;
	for (size_t i = 0; i < config->static_tunnel_count; i++)
		complete_static(&config->static_tunnels[i]);
	for (size_t i = 0; i < doc->node_count; i++) {
		struct config_lac *lac = doc->nodes[i].data;

		if (doc->nodes[i].section == CONFIG_LAC && !seen(&doc->nodes[i], "challenge"))
			lac->lac.challenge = lac->lac.secret.len > 0;
	}
}

static void build(struct config_doc *doc, struct config *config)
{
	config_doc_parse(doc);
	if (doc->no_memory || !place_nodes(doc, config)) {
		doc->no_memory = true;
		return;
	}
	for (size_t i = 0; i < doc->node_count; i++)
		take_title(doc, &doc->nodes[i]);
	for (size_t i = 0; i < doc->item_count; i++)
		take_item(doc, &doc->items[i]);
	for (size_t i = 0; i < doc->node_count; i++)
		take_presets(doc, &doc->nodes[i]);
	for (size_t i = 0; i < doc->item_count; i++)
		if (doc->items[i].option->type == CONFIG_FILE)
			take_file(doc, &doc->items[i], config);
	complete(doc, config);
	warn_of_exposed(doc);
	config_check(doc, config);
}

int config_parse(int bundle_fd, config_report_fn *report, void *ctx, struct config **ret_config)
{
	struct config *config = calloc(1, sizeof(*config));
	struct config_doc doc = { 0 };
	char line[200];
	int error = config ? config_doc_load(&doc, bundle_fd) : -ENOMEM;

	if (!error) {
		build(&doc, config);
		if (config_doc_report(&doc, report, ctx))
			error = -EINVAL;
		if (doc.no_memory)
			error = -ENOMEM;
	}
	if (error && error != -EINVAL) {
		snprintf(line, sizeof(line), "configuration: %s", strerror(-error));
		report(ctx, line);
	}
	config_doc_free(&doc);
	if (error) {
		config_free(config);
		return error == -ENOMEM ? error : -EINVAL;
	}
	*ret_config = config;
	return 0;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->lac_count; i++)
		free(config->lacs[i].peers);
	if (config->lacs)
		explicit_bzero(config->lacs, config->lac_count * sizeof(*config->lacs));
	for (size_t i = 0; i < config->pool_count; i++)
		free(config->pools[i].ranges);
	if (config->radius.servers)
		explicit_bzero(config->radius.servers,
			config->radius.server_count * sizeof(*config->radius.servers));
	if (config->users)
		explicit_bzero(config->users, config->user_count * sizeof(*config->users));
	if (config->radius.das.clients)
		explicit_bzero(config->radius.das.clients,
			config->radius.das.client_count * sizeof(*config->radius.das.clients));
	for (size_t i = 0; i < config->static_tunnel_count; i++) {
		struct config_static_tunnel *tunnel = &config->static_tunnels[i];

		if (tunnel->sessions)
			explicit_bzero(tunnel->sessions,
				tunnel->session_count * sizeof(*tunnel->sessions));
		free(tunnel->sessions);
	}
	free(config->static_tunnels);
	free(config->listen);
	free(config->metrics);
	free(config->lacs);
	free(config->ppps);
	free(config->pools);
	free(config->radius.servers);
	free(config->radius.das.clients);
	free(config->users);
	free(config);
}

bool config_is_warning(const char *line)
{
	return strstr(line, ": warning: ") != NULL;
}

/* ---- looking things up ---- */

const struct config_ppp *config_find_ppp(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->ppp_count; i++)
		if (!strcmp(config->ppps[i].name, name))
			return &config->ppps[i];
	return NULL;
}

const struct config_lac *config_find_lac_section(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->lac_count; i++)
		if (!strcmp(config->lacs[i].lac.name, name))
			return &config->lacs[i];
	return NULL;
}

const struct config_pool *config_find_pool(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->pool_count; i++)
		if (!strcmp(config->pools[i].name, name))
			return &config->pools[i];
	return NULL;
}

/* pattern knows * and ? only; upper and lower case are the same, as in host names. */
static bool host_name_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *resume = NULL;

	if (!*pattern)
		return true;
	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			resume = name;
		} else if (*pattern == '?' || !strncasecmp(pattern, name, 1)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

const struct config_lac *config_find_lac(
	const struct config *config, const union addr *peer, const char *host_name)
{
	for (size_t i = 0; i < config->lac_count; i++) {
		const struct config_lac *lac = &config->lacs[i];

		if (!host_name_matches(lac->host_name, host_name))
			continue;
		for (size_t p = 0; p < lac->peer_count; p++)
			if (addr_prefix_contains(&lac->peers[p], peer))
				return lac;
	}
	return NULL;
}

/* ---- the effective configuration ---- */

const char *config_section_title(enum config_section section, const void *data, char *out)
{
	const char *name = title_name(section, data);
	union addr *addr = title_addr(section, data);
	char text[ADDR_TEXT];

	snprintf(out, CONFIG_TITLE, "%s", name ? name : addr ? addr_text_host(addr, text) : "");
	return out;
}

static void dump_section(
	const struct config *config, enum config_section section, const void *base, FILE *out)
{
	const struct config_section_info *info = &config_sections[section];
	char indent[CONFIG_SECTIONS] = "";
	size_t depth = 0;

	for (enum config_section s = section; s != CONFIG_ROOT; s = config_sections[s].parent)
		indent[depth++] = '\t';
	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].section == section)
			config_value_print(&config_options[i], base, indent, out);
	for (int s = CONFIG_ROOT + 1; s < CONFIG_SECTIONS; s++) {
		const char *parent = base, *array = parent + config_sections[s].offset;
		char title[CONFIG_TITLE];
		size_t count = 1;

		if (config_sections[s].parent != section)
			continue;
		info = &config_sections[s];
		if (info->title) {
			memcpy(&count, parent + info->count_offset, sizeof(count));
			memcpy(&array, parent + info->offset, sizeof(array));
		} else if (!*(const bool *)(parent + info->count_offset)) {
			continue;
		}
		for (size_t i = 0; i < count; i++, array += info->size) {
			fprintf(out, "%s%s", indent, info->name);
			if (info->title)
				fprintf(out, " \"%s\"", config_section_title(s, array, title));
			fputs(" {\n", out);
			dump_section(config, s, array, out);
			fprintf(out, "%s}\n", indent);
		}
	}
}

void config_dump(const struct config *config, FILE *out)
{
	dump_section(config, CONFIG_ROOT, config, out);
	if (config->user_count)
		fprintf(out, "# users: %zu\n", config->user_count);
}
