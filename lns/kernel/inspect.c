/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect: every L2TP tunnel and session of the kernel in this network namespace, version 2 and 3,
 * whoever made it. The thread dumps the tunnels, then the sessions, adds what debugfs knows besides, and
 * sorts them; the loop hands out the list. A session's message lacks version, encapsulation and addresses:
 * they are taken from its tunnel.
 */
#include "lns/kernel/details.h"
#include "lns/kernel/job.h"

#include <errno.h>
#include <linux/l2tp.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dump_job {
	struct kernel_job job;
	int details; /* debugfs, or -1 */
	struct kernel_l2tp_list *ret_list;
	struct kernel_l2tp_entry *entries;
	size_t count, room;
	size_t tunnels; /* entries that are tunnels: the first ones */
	size_t tunnel;  /* of the session read last: sessions come tunnel by tunnel */
};

static struct kernel_l2tp_entry *dump_add(struct dump_job *job)
{
	struct kernel_l2tp_entry *entries;
	size_t room;

	if (job->count == job->room) {
		room = job->room ? job->room * 2 : 64;
		entries = reallocarray(job->entries, room, sizeof(*entries));
		if (!entries)
			return NULL;
		job->entries = entries;
		job->room = room;
	}
	entries = &job->entries[job->count++];
	memset(entries, 0, sizeof(*entries));
	return entries;
}

static uint32_t attr_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	if (attr)
		nla_memcpy(&value, attr, sizeof(value));
	return value;
}

static uint8_t attr_u8(const struct nlattr *attr)
{
	return attr ? nla_get_u8(attr) : 0;
}

static uint16_t attr_u16(const struct nlattr *attr)
{
	uint16_t value = 0;

	if (attr)
		nla_memcpy(&value, attr, sizeof(value));
	return value;
}

static uint64_t attr_u64(const struct nlattr *attr)
{
	uint64_t value = 0;

	if (attr)
		nla_memcpy(&value, attr, sizeof(value));
	return value;
}

static void cookie_read(struct kernel_cookie *ret, const struct nlattr *attr)
{
	if (attr)
		ret->len = (uint8_t)nla_memcpy(ret->octets, attr, sizeof(ret->octets));
}

static void address_read(union addr *ret, const struct nlattr *v4, const struct nlattr *v6,
	const struct nlattr *port)
{
	memset(ret, 0, sizeof(*ret));
	if (v4) {
		ret->sa.sa_family = AF_INET;
		nla_memcpy(&ret->in4.sin_addr, v4, sizeof(ret->in4.sin_addr));
		ret->in4.sin_port = htons(attr_u16(port));
	} else if (v6) {
		ret->sa.sa_family = AF_INET6;
		nla_memcpy(&ret->in6.sin6_addr, v6, sizeof(ret->in6.sin6_addr));
		ret->in6.sin6_port = htons(attr_u16(port));
	}
}

static void stats_read(struct kernel_l2tp_entry *entry, struct nlattr *nest)
{
	struct nlattr *stats[L2TP_ATTR_STATS_MAX + 1];

	if (!nest || nla_parse_nested(stats, L2TP_ATTR_STATS_MAX, nest, NULL) < 0)
		return;
	entry->rx_octets = attr_u64(stats[L2TP_ATTR_RX_BYTES]);
	entry->tx_octets = attr_u64(stats[L2TP_ATTR_TX_BYTES]);
	entry->rx_packets = attr_u64(stats[L2TP_ATTR_RX_PACKETS]);
	entry->tx_packets = attr_u64(stats[L2TP_ATTR_TX_PACKETS]);
	entry->rx_errors = attr_u64(stats[L2TP_ATTR_RX_ERRORS]);
	entry->tx_errors = attr_u64(stats[L2TP_ATTR_TX_ERRORS]);
	entry->rx_out_of_sequence = attr_u64(stats[L2TP_ATTR_RX_OOS_PACKETS]);
	entry->rx_seq_discards = attr_u64(stats[L2TP_ATTR_RX_SEQ_DISCARDS]);
}

/* Reads what tunnels and sessions have in common into a new entry. */
static int entry_read(struct dump_job *job, struct nlmsghdr *header, struct nlattr **attrs,
	struct kernel_l2tp_entry **ret)
{
	struct kernel_l2tp_entry *entry;

	*ret = NULL;
	if (!genlmsg_valid_hdr(header, 0) ||
		genlmsg_parse(header, 0, attrs, L2TP_ATTR_MAX, NULL) < 0 ||
		!attrs[L2TP_ATTR_CONN_ID])
		return 0; /* not what we know: passed over */
	entry = dump_add(job);
	if (!entry)
		return -ENOMEM;
	entry->tunnel_id = attr_u32(attrs[L2TP_ATTR_CONN_ID]);
	entry->peer_tunnel_id = attr_u32(attrs[L2TP_ATTR_PEER_CONN_ID]);
	stats_read(entry, attrs[L2TP_ATTR_STATS]);
	*ret = entry;
	return 0;
}

static int tunnel_entry(void *ctx, struct nlmsghdr *header)
{
	struct nlattr *attrs[L2TP_ATTR_MAX + 1];
	struct kernel_l2tp_entry *entry;
	int err = entry_read(ctx, header, attrs, &entry);

	if (err || !entry)
		return err;
	entry->version = attr_u8(attrs[L2TP_ATTR_PROTO_VERSION]);
	entry->encap = (uint8_t)attr_u16(attrs[L2TP_ATTR_ENCAP_TYPE]);
	address_read(&entry->local, attrs[L2TP_ATTR_IP_SADDR], attrs[L2TP_ATTR_IP6_SADDR],
		attrs[L2TP_ATTR_UDP_SPORT]);
	address_read(&entry->peer, attrs[L2TP_ATTR_IP_DADDR], attrs[L2TP_ATTR_IP6_DADDR],
		attrs[L2TP_ATTR_UDP_DPORT]);
	return 0;
}

/* The tunnel of a session, searched from the last one found on; NULL when it is gone already. */
static const struct kernel_l2tp_entry *tunnel_find(struct dump_job *job, uint32_t tunnel_id)
{
	size_t i;

	for (i = 0; i < job->tunnels; i++, job->tunnel = (job->tunnel + 1) % job->tunnels)
		if (job->entries[job->tunnel].tunnel_id == tunnel_id)
			return &job->entries[job->tunnel];
	return NULL;
}

static int session_entry(void *ctx, struct nlmsghdr *header)
{
	struct nlattr *attrs[L2TP_ATTR_MAX + 1];
	const struct kernel_l2tp_entry *tunnel;
	struct kernel_l2tp_entry *entry;
	int err = entry_read(ctx, header, attrs, &entry);

	if (err || !entry)
		return err;
	entry->is_session = 1;
	entry->session_id = attr_u32(attrs[L2TP_ATTR_SESSION_ID]);
	entry->peer_session_id = attr_u32(attrs[L2TP_ATTR_PEER_SESSION_ID]);
	if (attrs[L2TP_ATTR_IFNAME])
		nla_strlcpy(entry->ifname, attrs[L2TP_ATTR_IFNAME], sizeof(entry->ifname));
	entry->pseudowire = attr_u16(attrs[L2TP_ATTR_PW_TYPE]);
	entry->send_seq = attr_u8(attrs[L2TP_ATTR_SEND_SEQ]);
	entry->recv_seq = attr_u8(attrs[L2TP_ATTR_RECV_SEQ]);
	entry->lns_mode = attr_u8(attrs[L2TP_ATTR_LNS_MODE]);
	entry->reorder_timeout = (uint32_t)attr_u64(attrs[L2TP_ATTR_RECV_TIMEOUT]);
	cookie_read(&entry->send_cookie, attrs[L2TP_ATTR_COOKIE]);
	cookie_read(&entry->expect_cookie, attrs[L2TP_ATTR_PEER_COOKIE]);
	tunnel = tunnel_find(ctx, entry->tunnel_id);
	if (tunnel) {
		entry->version = tunnel->version;
		entry->encap = tunnel->encap;
		entry->local = tunnel->local;
		entry->peer = tunnel->peer;
	}
	return 0;
}

static int dump_one(
	struct dump_job *job, struct netlink *netlink, uint8_t command, netlink_entry_fn *entry)
{
	struct nl_msg *message = nlmsg_alloc();

	if (message && !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, netlink->l2tp_family, 0, 0,
			       command, L2TP_GENL_VERSION)) {
		nlmsg_free(message);
		message = NULL;
	}
	return netlink_dump(netlink->generic, message, entry, job);
}

static int compare_ids(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_entries(const void *a, const void *b)
{
	const struct kernel_l2tp_entry *x = a, *y = b;
	int order = compare_ids(x->tunnel_id, y->tunnel_id);

	return order ? order : compare_ids(x->session_id, y->session_id);
}

static int dump_run(struct kernel_job *job, struct netlink *netlink)
{
	struct dump_job *dump = (struct dump_job *)job;
	struct kernel_l2tp_list list;
	int err = netlink_find_l2tp(netlink);

	if (!err)
		err = dump_one(dump, netlink, L2TP_CMD_TUNNEL_GET, tunnel_entry);
	dump->tunnels = dump->count;
	if (!err)
		err = dump_one(dump, netlink, L2TP_CMD_SESSION_GET, session_entry);
	if (err || !dump->count)
		return err;
	qsort(dump->entries, dump->count, sizeof(*dump->entries), compare_entries);
	list = (struct kernel_l2tp_list){ dump->entries, dump->count };
	if (dump->details >= 0)
		kernel_details_read(dump->details, &list);
	return 0;
}

static void dump_release(struct kernel_job *job)
{
	struct dump_job *dump = (struct dump_job *)job;

	if (dump->details >= 0)
		close(dump->details);
}

static bool dump_deliver(struct kernel_job *job)
{
	struct dump_job *dump = (struct dump_job *)job;

	*dump->ret_list = (struct kernel_l2tp_list){ dump->entries, dump->count };
	dump->entries = NULL;
	return false;
}

static void dump_clear(struct kernel_job *job)
{
	free(((struct dump_job *)job)->entries);
}

static const struct kernel_job_type dump_type = {
	.size = sizeof(struct dump_job),
	.run = dump_run,
	.release = dump_release,
	.deliver = dump_deliver,
	.clear = dump_clear,
};

struct kernel_job *kernel_l2tp_dump(struct kernel *kernel, int details,
	struct kernel_l2tp_list *ret_list, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &dump_type, done, ctx);

	if (!job) {
		if (details >= 0)
			close(details);
		return NULL;
	}
	((struct dump_job *)job)->details = details;
	((struct dump_job *)job)->ret_list = ret_list;
	kernel_job_submit(job);
	return job;
}

const struct kernel_l2tp_entry *kernel_l2tp_find(
	const struct kernel_l2tp_list *list, uint32_t tunnel_id, uint32_t session_id)
{
	const struct kernel_l2tp_entry wanted = { .tunnel_id = tunnel_id,
		.session_id = session_id };

	if (!list->count)
		return NULL;
	return bsearch(&wanted, list->entries, list->count, sizeof(wanted), compare_entries);
}

void kernel_l2tp_list_free(struct kernel_l2tp_list *list)
{
	free(list->entries);
	*list = (struct kernel_l2tp_list){ 0 };
}
