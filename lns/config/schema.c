/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config/schema: the rows of lns.conf and what follows from them: see config/schema.h.
 *
 * To add an option, add its field to config.h and its row here; then regenerate the manual page
 * (tests/unit/config says how). Nothing else knows the names of options, except config.c for the
 * checks that concern several options at once.
 */
#include "lns/config/schema.h"

#include "lns/hooks/hooks.h"
#include "lns/log.h"
#include "lns/ppp/channel_proto.h"

#include <ctype.h>
#include <string.h>

/* Where `make install` puts the plugin. */
#ifndef LNSD_PLUGIN
#define LNSD_PLUGIN "/usr/lib/lnsd/lns.so"
#endif

#define SECOND CONFIG_SECOND
#define MINUTE CONFIG_MINUTE
#define HOUR   CONFIG_HOUR
#define DAY    (24 * HOUR)
#define AT(type, member)                                                                           \
	{                                                                                          \
		offsetof(struct type, member), sizeof(((struct type *)0)->member)                  \
	}
#define COUNT(type, member) .count_offset = offsetof(struct type, member), .list = true
#define ANY                                                                                        \
	{                                                                                          \
		0, 0                                                                               \
	}

static const struct config_word log_levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ NULL, 0 },
};
static const struct config_word log_targets[] = {
	{ "auto", LOG_TO_AUTO },
	{ "stderr", LOG_TO_STDERR },
	{ "journal", LOG_TO_JOURNAL },
	{ "syslog", LOG_TO_SYSLOG },
	{ NULL, 0 },
};
static const struct config_word auth_words[] = {
	{ "chap", CONFIG_AUTH_CHAP },
	{ "mschap-v2", CONFIG_AUTH_MSCHAP_V2 },
	{ "pap", CONFIG_AUTH_PAP },
	{ "eap", CONFIG_AUTH_EAP },
	{ NULL, 0 },
};
static const struct config_word proxy_words[] = {
	{ "accept", PPP_PROXY_ACCEPT },
	{ "renegotiate", PPP_PROXY_RENEGOTIATE },
	{ "never", PPP_PROXY_NEVER },
	{ NULL, 0 },
};
static const struct config_word auto_words[] = {
	{ "auto", 0 },
	{ "yes", 1 },
	{ "no", 2 },
	{ NULL, 0 },
};

static const struct config_word sequencing_words[] = {
	{ "allow", CONFIG_SEQUENCING_ALLOW },
	{ "demand", CONFIG_SEQUENCING_DEMAND },
	{ NULL, 0 },
};
static const struct config_word policy_words[] = {
	{ "reject", CONFIG_POLICY_REJECT },
	{ "replace", CONFIG_POLICY_REPLACE },
	{ NULL, 0 },
};
static const struct config_word unsupported_words[] = {
	{ "ignore", false },
	{ "reject", true },
	{ NULL, 0 },
};

static const struct config_word encapsulation_words[] = {
	{ "udp", 0 },
	{ "ip", 1 },
	{ NULL, 0 },
};
static const struct config_word numbering_words[] = {
	{ "none", 0 },
	{ "send", CONFIG_NUMBER_SEND },
	{ "receive", CONFIG_NUMBER_RECEIVE },
	{ "both", CONFIG_NUMBER_SEND | CONFIG_NUMBER_RECEIVE },
	{ NULL, 0 },
};

/* A Host Name AVP, or a pattern for one: printable, no blanks. */
static const char *check_host_name(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isgraph((unsigned char)*c))
			return "is not a host name";
	return *text ? NULL : "is empty";
}

/* The name of a system account. */
static const char *check_account(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-.$", *c))
			return "is not the name of an account";
	return *text && *text != '-' ? NULL : "is not the name of an account";
}

/* The name of an interface, as the kernel sees it. */
static const char *check_interface(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isgraph((unsigned char)*c) || strchr("/:%", *c))
			return "is not the name of an interface";
	return *text && strcmp(text, ".") && strcmp(text, "..") ? NULL
								: "is not the name of an interface";
}

const struct config_section_info config_sections[CONFIG_SECTIONS] = {
	[CONFIG_ROOT] = { "", NULL, CONFIG_ROOT, sizeof(struct config), 0, 0,
		"Options that stand outside of every section." },
	[CONFIG_LAC] = { "lac", "NAME", CONFIG_ROOT, sizeof(struct config_lac),
		offsetof(struct config, lacs), offsetof(struct config, lac_count),
		"Who may open tunnels, and how. The first section, in the order of the file, whose "
		"peers and host-name match is the one that counts; a peer that matches none is "
		"refused." },
	[CONFIG_PPP] = { "ppp", "NAME", CONFIG_ROOT, sizeof(struct config_ppp),
		offsetof(struct config, ppps), offsetof(struct config, ppp_count),
		"What subscribers are offered." },
	[CONFIG_POOL] = { "pool", "NAME", CONFIG_ROOT, sizeof(struct config_pool),
		offsetof(struct config, pools), offsetof(struct config, pool_count),
		"Addresses for subscribers." },
	[CONFIG_RADIUS] = { "radius", NULL, CONFIG_ROOT, sizeof(struct config_radius),
		offsetof(struct config, radius), offsetof(struct config, has_radius),
		"Authentication and accounting by RADIUS servers, instead of a users file." },
	[CONFIG_RADIUS_SERVER] = { "server", "ADDRESS", CONFIG_RADIUS,
		sizeof(struct config_radius_server), offsetof(struct config_radius, servers),
		offsetof(struct config_radius, server_count),
		"One RADIUS server; the first one that answers is used." },
	[CONFIG_DAS] = { "dynamic-authorization", NULL, CONFIG_RADIUS, sizeof(struct config_das),
		offsetof(struct config_radius, das), offsetof(struct config_radius, has_das),
		"Lets clients end sessions and change them (RFC 5176): Disconnect- and "
		"CoA-Requests. Without this section nobody may." },
	[CONFIG_DAS_CLIENT] = { "client", "ADDRESS", CONFIG_DAS, sizeof(struct config_das_client),
		offsetof(struct config_das, clients), offsetof(struct config_das, client_count),
		"One host that may send such requests; those of others are not answered." },
	[CONFIG_STATIC_TUNNEL] = { "static-tunnel", "NAME", CONFIG_ROOT,
		sizeof(struct config_static_tunnel), offsetof(struct config, static_tunnels),
		offsetof(struct config, static_tunnel_count),
		"An L2TPv3 tunnel (RFC 3931) without a control connection: both ends are configured "
		"alike, with ids and ports the other way round, as ip-l2tp(8) does it. It is made at "
		"the start and removed at the stop of lnsd; a reload makes what is new, removes what "
		"is gone, and makes afresh what has changed and nothing else. The kernel needs the "
		"option L2TPv3 and the module l2tp_eth, and for IP encapsulation l2tp_ip or l2tp_ip6; "
		"what it cannot do is logged, and everything else works." },
	[CONFIG_STATIC_SESSION] = { "session", "NAME", CONFIG_STATIC_TUNNEL,
		sizeof(struct config_static_session),
		offsetof(struct config_static_tunnel, sessions),
		offsetof(struct config_static_tunnel, session_count),
		"An Ethernet pseudowire (RFC 4719) in the tunnel: an interface, which is set up." },
};

/* clang-format off */
const struct config_option config_options[] = {
	/* section, name, type, field, range, default, help, further things by name */
	{ CONFIG_ROOT, "include", CONFIG_FILE, ANY, ANY, NULL,
	  .help = "Files that are read after this one, as if they were appended to it. "
		  "Relative names start at the directory of this file. Included files "
		  "include no others.",
	  .list = true },
	{ CONFIG_ROOT, "name", CONFIG_STRING, AT(config, name), ANY, NULL,
	  .help = "Name of this server: Host Name AVP and NAS-Identifier. Default: the "
		  "system's host name.",
	  .check = check_host_name },
	{ CONFIG_ROOT, "listen", CONFIG_LISTEN, AT(config, listen), ANY, "0.0.0.0, ::",
	  .help = "Addresses of L2TP, with or without a port: 192.0.2.1, 192.0.2.1:1701, "
		  "[2001:db8::1]:1701. The default port is 1701.",
	  COUNT(config, listen_count) },
	{ CONFIG_ROOT, "users", CONFIG_FILE, ANY, ANY, NULL,
	  .help = "File of local users: one line for each with name, secret and address, "
		  "where * means one of the pool; rate-down=RATE and rate-up=RATE may follow, for "
		  "those of the ppp section. Words may be quoted with \"; # begins a "
		  "comment. It must belong to root and be readable by its owner only. "
		  "Required without a radius section, refused with one." },
	{ CONFIG_ROOT, "user", CONFIG_STRING, AT(config, user), ANY, "lnsd",
	  .help = "System account of the engine.", .check = check_account },
	{ CONFIG_ROOT, "group", CONFIG_STRING, AT(config, group), ANY, NULL,
	  .help = "System group of the engine. Default: the user's own group.", .check = check_account },
	{ CONFIG_ROOT, "run-dir", CONFIG_PATH, AT(config, run_dir), ANY, "/run/lnsd",
	  .help = "Directory of the control socket." },
	{ CONFIG_ROOT, "state-dir", CONFIG_PATH, AT(config, state_dir), ANY, "/var/lib/lnsd",
	  .help = "Directory of the accounting spool." },
	{ CONFIG_ROOT, "pppd", CONFIG_PATH, AT(config, pppd), ANY, "/usr/sbin/pppd",
	  .help = "The pppd program." },
	{ CONFIG_ROOT, "plugin", CONFIG_PATH, AT(config, plugin), ANY, LNSD_PLUGIN,
	  .help = "The plugin that pppd loads. Default: where it was installed.",
	  .preset_varies = true },
	{ CONFIG_ROOT, "log-level", CONFIG_ENUM, AT(config, log_level), ANY, "info",
	  .help = "The least important lines that are logged.", .words = log_levels },
	{ CONFIG_ROOT, "log-to", CONFIG_ENUM, AT(config, log_to), ANY, "auto",
	  .help = "Where lines go. auto: with -f to stderr, or to the journal when stderr belongs "
		  "to it; otherwise to the journal when there is one, or to syslog. The journal "
		  "gets fields with each line, see lnsd(8).",
	  .words = log_targets },
	{ CONFIG_ROOT, "link-group", CONFIG_UINT, AT(config, link_group), { 0, INT32_MAX }, "1701",
	  .help = "Link group of subscriber interfaces, for firewalls to match; 0: none. With a group, "
		  "an interface gets the user name and the Acct-Session-Id as its alias." },
	{ CONFIG_ROOT, "kernel-audit", CONFIG_TIME, AT(config, kernel_audit), { 0, DAY }, "5m",
	  .help = "How often the L2TP tunnels and sessions of the kernel are compared with those "
		  "of lnsd: leftovers of ours are deleted, what the kernel has lost is ended here, "
		  "and what is not ours is left alone; 0: never." },
	{ CONFIG_ROOT, "max-tunnels", CONFIG_UINT, AT(config, l2tp.max_tunnels), { 0, 65535 }, "0",
	  .help = "Tunnels at a time; 0: as many as there are ids." },
	{ CONFIG_ROOT, "max-sessions", CONFIG_UINT, AT(config, l2tp.max_sessions), { 0, 1000000 }, "0",
	  .help = "Sessions at a time in all tunnels; 0: no limit." },
	{ CONFIG_ROOT, "sccrq-rate", CONFIG_UINT, AT(config, l2tp.sccrq_rate), { 0, 100000 }, "1000",
	  .help = "New tunnels that are answered; 0: no limit.", .unit = "per second" },
	{ CONFIG_ROOT, "sccrq-rate-per-source", CONFIG_UINT, AT(config, l2tp.sccrq_rate_per_source),
	  { 0, 100000 }, "20", .help = "The same for one source address; 0: no limit.", .unit = "per second" },
	{ CONFIG_ROOT, "control-timeout", CONFIG_TIME, AT(config, l2tp.setup_timeout),
	  { SECOND, HOUR }, "30s",
	  .help = "A tunnel that is not established after this is closed, and so is a call whose LAC was answered "
		  "this long ago." },
	{ CONFIG_ROOT, "setup-limit", CONFIG_UINT, AT(config, setup_limit), { 1, 10000 }, "64",
	  .help = "Sessions in setup at a time, from the answer to their LAC until their network is up; "
		  "the next ones wait for that answer. LACs take turns then; one LAC gets up to eight ninths of "
		  "the places." },
	{ CONFIG_ROOT, "setup-timeout", CONFIG_TIME, AT(config, setup_timeout), { SECOND, HOUR }, "60s",
	  .help = "A session that has no network this long after its LAC connected it is ended; pppd repeats what is "
		  "not answered for half of that, but at least 30 s. A call that waits that long for its place in "
		  "setup is refused." },
	{ CONFIG_ROOT, "stop-timeout", CONFIG_TIME, AT(config, stop_timeout), { SECOND, HOUR }, "20s",
	  .help = "Time to end all sessions cleanly when the server is stopped." },
	{ CONFIG_ROOT, "sample-interval", CONFIG_TIME, AT(config, sample_interval), { SECOND, HOUR }, "10s",
	  .help = "How often the counters of all sessions are read: what is shown, interim "
		  "accounting and idle timeouts are as new as that." },
	{ CONFIG_ROOT, "metrics", CONFIG_LISTEN, AT(config, metrics), ANY, NULL,
	  .help = "Addresses at which metrics for Prometheus are served, at the path /metrics, "
		  "with or without a port: [::1]:9473. The default port is 9473. Whoever "
		  "reaches the address may read them. Default: off, as with \"\".",
	  COUNT(config, metrics_count) },
	{ CONFIG_ROOT, "on-up", CONFIG_PATH, AT(config, hooks.on_up), ANY, NULL,
	  .help = "Program that is run when a session has a network, after the fact: nothing waits "
		  "for it. lnsd(8), HOOKS, says how. Default: none." },
	{ CONFIG_ROOT, "on-down", CONFIG_PATH, AT(config, hooks.on_down), ANY, NULL,
	  .help = "The same when such a session has ended. Default: none." },
	{ CONFIG_ROOT, "hook-user", CONFIG_STRING, AT(config, hooks.user), ANY, "nobody",
	  .help = "System account that these programs run as, with its own group: neither root "
		  "nor that of the engine.", .check = check_account },
	{ CONFIG_ROOT, "hook-rate", CONFIG_UINT, AT(config, hooks.rate), { 1, 10000 }, "50",
	  .help = "How many of these programs are started in a second.", .unit = "programs" },
	{ CONFIG_ROOT, "hook-parallel", CONFIG_UINT, AT(config, hooks.parallel),
	  { 1, HOOKS_PARALLEL_MAX }, "8", .help = "How many of them run at a time.",
	  .unit = "programs" },
	{ CONFIG_ROOT, "hook-queue", CONFIG_UINT, AT(config, hooks.queue), { 1, 1000000 }, "10000",
	  .help = "How many of them may wait. What is too many is not run, but counted and logged.",
	  .unit = "programs" },
	{ CONFIG_ROOT, "hook-timeout", CONFIG_TIME, AT(config, hooks.timeout), { SECOND, HOUR },
	  "30s", .help = "A program that runs longer is killed." },
	{ CONFIG_ROOT, "vendor-name", CONFIG_STRING, AT(config, l2tp.vendor_name), ANY, "lnsd",
	  .help = "Vendor Name AVP." },

	{ CONFIG_LAC, "peers", CONFIG_PREFIX, AT(config_lac, peers), ANY, NULL,
	  .help = "Addresses of the peers: 192.0.2.0/24, 2001:db8::/32 or a single address.",
	  COUNT(config_lac, peer_count), .required = true },
	{ CONFIG_LAC, "host-name", CONFIG_STRING, AT(config_lac, host_name), ANY, NULL,
	  .help = "Pattern with * and ? for the peer's Host Name. Default: any.", .check = check_host_name },
	{ CONFIG_LAC, "ppp", CONFIG_NAME, AT(config_lac, lac.ppp), ANY, NULL,
	  .help = "The ppp section of its calls.", .required = true },
	{ CONFIG_LAC, "secret", CONFIG_SECRET, AT(config_lac, lac.secret), ANY, NULL,
	  .help = "Secret shared with the peer, for tunnel authentication and hidden AVPs. "
		  "Default: none." },
	{ CONFIG_LAC, "secret-file", CONFIG_FILE, ANY, ANY, NULL,
	  .help = "File whose first line is the secret; it must belong to root and be "
		  "readable by its owner only." },
	{ CONFIG_LAC, "challenge", CONFIG_BOOL, AT(config_lac, lac.challenge), ANY, NULL,
	  .help = "Demand that the peer proves that it knows the secret. Default: when there "
		  "is a secret." },
	{ CONFIG_LAC, "hide-avps", CONFIG_BOOL, AT(config_lac, lac.hide_avps), ANY, "false",
	  .help = "Hide the AVPs that may be hidden; needs a secret." },
	{ CONFIG_LAC, "lenient", CONFIG_BOOL, AT(config_lac, lac.lenient), ANY, "false",
	  .help = "Accept messages that lack mandatory AVPs which a call can live without." },
	{ CONFIG_LAC, "hello", CONFIG_TIME, AT(config_lac, lac.hello), { 0, DAY }, "60s",
	  .help = "Silence after which the peer is asked whether it lives; 0: never." },
	{ CONFIG_LAC, "idle", CONFIG_TIME, AT(config_lac, lac.idle), { 0, 30 * DAY }, "0s",
	  .help = "A tunnel without sessions is closed after this; 0: never." },
	{ CONFIG_LAC, "window", CONFIG_UINT, AT(config_lac, lac.window), { 1, 1024 }, "64",
	  .help = "Receive Window Size that the peer is offered.", .unit = "messages" },
	{ CONFIG_LAC, "retransmits", CONFIG_UINT, AT(config_lac, lac.retransmits), { 1, 30 }, "5",
	  .help = "Retransmissions of one message before the tunnel is given up." },
	{ CONFIG_LAC, "retransmit-cap", CONFIG_TIME, AT(config_lac, lac.retransmit_cap),
	  { 8 * SECOND, MINUTE }, "8s", .help = "Longest interval between two retransmissions." },
	{ CONFIG_LAC, "max-tunnels", CONFIG_UINT, AT(config_lac, lac.max_tunnels), { 0, 65535 }, "0",
	  .help = "Tunnels of this section; 0: no limit." },
	{ CONFIG_LAC, "max-sessions", CONFIG_UINT, AT(config_lac, lac.max_sessions), { 0, 1000000 }, "0",
	  .help = "Sessions of this section; 0: no limit." },
	{ CONFIG_LAC, "port-per-tunnel", CONFIG_BOOL, AT(config_lac, lac.host_ports), ANY, "false",
	  .help = "Answer from a port of the tunnel's own instead of the listener's." },
	{ CONFIG_LAC, "proxy-lcp", CONFIG_ENUM, AT(config_lac, proxy_lcp), ANY, NULL,
	  .help = "As in the ppp section, which it overrides.", .words = proxy_words },
	{ CONFIG_LAC, "sequencing", CONFIG_ENUM, AT(config_lac, sequencing), ANY, "allow",
	  .help = "When data packets carry sequence numbers: allow: when the LAC requires them "
		  "for a call; demand: always. Where they are used, packets without one are "
		  "dropped. With demand a frame that the client sends before the LAC saw the "
		  "first numbered one is lost, and sent again by PPP seconds later. Numbers take "
		  "four octets of a packet, which mtu should leave.",
	  .words = sequencing_words },
	{ CONFIG_LAC, "reorder-timeout", CONFIG_TIME, AT(config_lac, reorder_timeout),
	  { 0, MINUTE }, "0s",
	  .help = "How long a numbered data packet waits for those before it; 0: it does not "
		  "wait, and what comes late is dropped. The kernel counts in milliseconds." },

	{ CONFIG_PPP, "auth", CONFIG_SET, AT(config_ppp, auth), ANY, "chap, mschap-v2, pap",
	  .help = "Authentication protocols that subscribers may use; a client is offered them in the "
		  "order eap, chap, mschap-v2, pap until it takes one. eap is carried to RADIUS, whose "
		  "servers and clients agree on a method; it needs a radius section.", .words = auth_words, .list = true },
	{ CONFIG_PPP, "local-address", CONFIG_ADDRESS, AT(config_ppp, local_address), ANY, NULL,
	  .help = "IPv4 address of this server's end; required with ipv4." },
	{ CONFIG_PPP, "pool", CONFIG_NAME, AT(config_ppp, pool), ANY, NULL,
	  .help = "The pool section for subscribers who have no address of their own. "
		  "Default: none." },
	{ CONFIG_PPP, "dns", CONFIG_ADDRESS, AT(config_ppp, dns), ANY, NULL,
	  .help = "IPv4 addresses of name servers, at most two.", .list = true },
	{ CONFIG_PPP, "wins", CONFIG_ADDRESS, AT(config_ppp, wins), ANY, NULL,
	  .help = "IPv4 addresses of WINS servers, at most two.", .list = true },
	{ CONFIG_PPP, "mtu", CONFIG_UINT, AT(config_ppp, mtu), { 576, 1500 }, "1460",
	  .help = "Largest packet sent to the subscriber.", .unit = "octets" },
	{ CONFIG_PPP, "mru", CONFIG_UINT, AT(config_ppp, mru), { 576, 1500 }, "1460",
	  .help = "Largest packet taken from the subscriber.", .unit = "octets" },
	{ CONFIG_PPP, "lcp-echo", CONFIG_TIME, AT(config_ppp, lcp_echo_interval), { 0, HOUR }, "30s",
	  .help = "Interval of LCP Echo-Requests; 0: none are sent." },
	{ CONFIG_PPP, "lcp-echo-failure", CONFIG_UINT, AT(config_ppp, lcp_echo_failure), { 1, 100 }, "4",
	  .help = "Unanswered Echo-Requests after which the session is ended." },
	{ CONFIG_PPP, "proxy-lcp", CONFIG_ENUM, AT(config_ppp, proxy_lcp), ANY, "accept",
	  .help = "What becomes of LCP and authentication that the LAC has done already: "
		  "accept uses them, renegotiate starts LCP afresh when they do not suit, "
		  "never ignores them.",
	  .words = proxy_words },
	{ CONFIG_PPP, "ipv4", CONFIG_BOOL, AT(config_ppp, ipv4), ANY, "true", .help = "Offer IPv4." },
	{ CONFIG_PPP, "ipv6", CONFIG_BOOL, AT(config_ppp, ipv6), ANY, "false", .help = "Offer IPv6." },
	{ CONFIG_PPP, "exec", CONFIG_BOOL, AT(config_ppp, exec), ANY, "false",
	  .help = "Start a pppd for each session instead of forking one that waits: slower, "
		  "and independent of the inner life of pppd." },
	{ CONFIG_PPP, "session-timeout", CONFIG_TIME, AT(config_ppp, session_timeout), { 0, 365 * DAY },
	  "0s", .help = "A session is ended after this; 0: never. RADIUS may say otherwise." },
	{ CONFIG_PPP, "idle-timeout", CONFIG_TIME, AT(config_ppp, idle_timeout), { 0, 365 * DAY }, "0s",
	  .help = "A session without traffic is ended after this; 0: never. RADIUS may say "
		  "otherwise." },
	{ CONFIG_PPP, "max-sessions-per-user", CONFIG_UINT, AT(config_ppp, max_sessions_per_user),
	  { 0, 1000000 }, "0",
	  .help = "Sessions that one user name may have at a time; 0: no limit. Port-Limit of "
		  "RADIUS comes before it." },
	{ CONFIG_PPP, "over-limit", CONFIG_ENUM, AT(config_ppp, over_limit), ANY, "reject",
	  .help = "What becomes of a session too many: reject refuses it, replace ends the "
		  "user's oldest one instead. One in another tunnel whose LAC does not answer a "
		  "Hello for two seconds is ended in both cases.", .words = policy_words },
	{ CONFIG_PPP, "duplicate-address", CONFIG_ENUM, AT(config_ppp, duplicate_address), ANY,
	  "reject",
	  .help = "What becomes of a session whose fixed address another one has: reject "
		  "refuses it, replace ends the other one and waits for its address. One that is "
		  "ending anyway is waited for in both cases, and one in another tunnel whose LAC "
		  "does not answer a Hello for two seconds is ended.", .words = policy_words },
	{ CONFIG_PPP, "rate-down", CONFIG_RATE, AT(config_ppp, rate_down), ANY, "0",
	  .help = "What a client may receive, in bit/s; k, M and G stand for thousands, millions "
		  "and so on, 0 for no limit. What comes faster waits, and is dropped when "
		  "it would wait longer than 0.1 s. RADIUS and the users file may say otherwise. "
		  "Sessions that are up keep their rates when this changes: a CoA-Request changes "
		  "them." },
	{ CONFIG_PPP, "rate-up", CONFIG_RATE, AT(config_ppp, rate_up), ANY, "0",
	  .help = "What a client may send, likewise. What comes faster is dropped; what the rate "
		  "carries in 0.5 s may come at once." },
	{ CONFIG_PPP, "rate-failure", CONFIG_ENUM, AT(config_ppp, rate_failure_rejects), ANY, "ignore",
	  .help = "What becomes of a client whose rates the kernel cannot limit (it needs "
		  "sch_tbf, sch_ingress, cls_matchall and act_police): ignore logs an error and "
		  "lets the client go on without any limit, reject refuses it.",
	  .words = unsupported_words },

	{ CONFIG_POOL, "ranges", CONFIG_RANGE, AT(config_pool, ranges), ANY, NULL,
	  .help = "IPv4 addresses: 100.64.0.2-100.64.255.254, 198.51.100.0/24 (all of it) or "
		  "a single one. When none is free, a session waits for one of a session that is "
		  "ending, and a user's own earlier session in another tunnel, whose LAC does not "
		  "answer a Hello for two seconds, is ended.",
	  COUNT(config_pool, range_count), .required = true },

	{ CONFIG_RADIUS, "nas-ip-address", CONFIG_ADDRESS, AT(config_radius, nas_ip), ANY, NULL,
	  .help = "NAS-IP-Address. Default: none is sent." },
	{ CONFIG_RADIUS, "nas-ipv6-address", CONFIG_ADDRESS, AT(config_radius, nas_ipv6), ANY, NULL,
	  .help = "NAS-IPv6-Address. Default: none is sent." },
	{ CONFIG_RADIUS, "nas-identifier", CONFIG_STRING, AT(config_radius, nas_identifier), ANY, NULL,
	  .help = "NAS-Identifier. Default: the name of this server.", .check = check_host_name },
	{ CONFIG_RADIUS, "unsupported-attribute", CONFIG_ENUM, AT(config_radius, unsupported_rejects),
	  ANY, "ignore",
	  .help = "What becomes of a subscriber whose Access-Accept has an attribute that cannot "
		  "be obeyed: ignore logs it and goes on, reject refuses the subscriber. "
		  "lns-radius(5) lists the attributes.",
	  .words = unsupported_words },
	{ CONFIG_RADIUS, "source-address", CONFIG_ADDRESS, AT(config_radius, source), ANY, NULL,
	  .help = "Address that requests come from. Default: as routed." },
	{ CONFIG_RADIUS, "timeout", CONFIG_TIME, AT(config_radius, timeout), { 100000, MINUTE }, "3s",
	  .help = "Time that a server has to answer one try." },
	{ CONFIG_RADIUS, "tries", CONFIG_UINT, AT(config_radius, tries), { 1, 10 }, "3",
	  .help = "Tries for each server." },
	{ CONFIG_RADIUS, "in-flight", CONFIG_UINT, AT(config_radius, in_flight), { 1, 4096 }, "128",
	  .help = "Requests that a server has to answer at a time, of each kind; the others wait here. "
		  "The socket buffer of a server has room for some 170 by default: what it drops is sent "
		  "again after the timeout." },
	{ CONFIG_RADIUS, "request-rate", CONFIG_UINT, AT(config_radius, request_rate), { 0, 100000 },
	  "1500",
	  .help = "New requests a second to a server, of each kind; the others wait here. 0: no limit. "
		  "FreeRADIUS remembers requests for some seconds (cleanup_delay) and turns away what "
		  "is more than max_requests: by default some 3,300 a second of both kinds." },
	{ CONFIG_RADIUS, "interim", CONFIG_TIME, AT(config_radius, interim), { 0, DAY }, "600s",
	  .help = "Interval of interim accounting; 0: none. RADIUS may say otherwise." },

	{ CONFIG_RADIUS, "checkpoint-interval", CONFIG_TIME, AT(config_radius, checkpoint_interval),
	  { 2 * SECOND, HOUR }, "10s",
	  .help = "How old the counters and times of a session in state-dir may be: what is lost of it "
		  "when the machine loses its power. They are written a second or two earlier than "
		  "that, on a slow disk even more, so that they are there by then; a warning says when "
		  "they were not. Samples are made as often at least." },

	{ CONFIG_RADIUS_SERVER, "secret", CONFIG_SECRET, AT(config_radius_server, secret), ANY, NULL,
	  .help = "Secret shared with the server; this or secret-file is required." },
	{ CONFIG_RADIUS_SERVER, "secret-file", CONFIG_FILE, ANY, ANY, NULL,
	  .help = "File whose first line is the secret; it must belong to root and be "
		  "readable by its owner only." },
	{ CONFIG_RADIUS_SERVER, "auth-port", CONFIG_UINT, AT(config_radius_server, auth_port),
	  { 0, 65535 }, "1812", .help = "UDP port of authentication; 0: not used for it." },
	{ CONFIG_RADIUS_SERVER, "acct-port", CONFIG_UINT, AT(config_radius_server, acct_port),
	  { 0, 65535 }, "1813", .help = "UDP port of accounting; 0: not used for it." },
	{ CONFIG_RADIUS_SERVER, "message-authenticator", CONFIG_ENUM,
	  AT(config_radius_server, message_authenticator), ANY, "auto",
	  .help = "Whether replies to Access-Requests must carry a Message-Authenticator; "
		  "auto: from the first reply on that has one.", .words = auto_words },

	{ CONFIG_DAS, "address", CONFIG_ADDRESS, AT(config_das, address), ANY, NULL,
	  .help = "Addresses that requests come to, at most two. Default: all of this host.",
	  .list = true },
	{ CONFIG_DAS, "port", CONFIG_UINT, AT(config_das, port), { 1024, 65535 }, "3799",
	  .help = "UDP port that requests come to." },

	{ CONFIG_DAS_CLIENT, "secret", CONFIG_SECRET, AT(config_das_client, secret), ANY, NULL,
	  .help = "Secret shared with the client; this or secret-file is required." },
	{ CONFIG_DAS_CLIENT, "secret-file", CONFIG_FILE, ANY, ANY, NULL,
	  .help = "File whose first line is the secret; it must belong to root and be "
		  "readable by its owner only." },

	{ CONFIG_STATIC_TUNNEL, "encapsulation", CONFIG_ENUM, AT(config_static_tunnel, kernel.ip), ANY,
	  "udp", .help = "What packets travel in; ip is protocol 115.", .words = encapsulation_words },
	{ CONFIG_STATIC_TUNNEL, "local", CONFIG_ADDRESS, AT(config_static_tunnel, kernel.local), ANY, NULL,
	  .help = "IPv4 or IPv6 address of this end.", .required = true },
	{ CONFIG_STATIC_TUNNEL, "peer", CONFIG_ADDRESS, AT(config_static_tunnel, kernel.peer), ANY, NULL,
	  .help = "Address of the other end.", .required = true },
	{ CONFIG_STATIC_TUNNEL, "local-id", CONFIG_UINT, AT(config_static_tunnel, kernel.id),
	  { 1, UINT32_MAX }, NULL,
	  .help = "Number of the tunnel here. No other tunnel of the host may have it; those of "
		  "LACs avoid it.", .required = true },
	{ CONFIG_STATIC_TUNNEL, "peer-id", CONFIG_UINT, AT(config_static_tunnel, kernel.peer_id),
	  { 1, UINT32_MAX }, NULL, .help = "Number of the tunnel at the other end.", .required = true },
	{ CONFIG_STATIC_TUNNEL, "local-port", CONFIG_UINT, AT(config_static_tunnel, local_port),
	  { 1, 65535 }, NULL,
	  .help = "UDP port of this end, another one than those of listen. Required with udp." },
	{ CONFIG_STATIC_TUNNEL, "peer-port", CONFIG_UINT, AT(config_static_tunnel, peer_port),
	  { 1, 65535 }, NULL, .help = "UDP port of the other end. Required with udp." },
	{ CONFIG_STATIC_TUNNEL, "checksum", CONFIG_BOOL, AT(config_static_tunnel, kernel.checksum), ANY,
	  "true",
	  .help = "UDP checksums: whether they are sent, and with IPv6 demanded." },
	{ CONFIG_STATIC_TUNNEL, "keep", CONFIG_BOOL, AT(config_static_tunnel, keep), ANY, "false",
	  .help = "Leave the tunnel to the kernel when lnsd stops; the next start takes it over." },

	{ CONFIG_STATIC_SESSION, "local-id", CONFIG_UINT, AT(config_static_session, kernel.id),
	  { 1, UINT32_MAX }, NULL,
	  .help = "Number of the session here; no other static session may have it.", .required = true },
	{ CONFIG_STATIC_SESSION, "peer-id", CONFIG_UINT, AT(config_static_session, kernel.peer_id),
	  { 1, UINT32_MAX }, NULL, .help = "Number of the session at the other end.", .required = true },
	{ CONFIG_STATIC_SESSION, "send-cookie", CONFIG_COOKIE, AT(config_static_session, kernel.send), ANY,
	  NULL,
	  .help = "Cookie that is put into each packet: 8 or 16 hexadecimal digits. The other end "
		  "expects the same. Default: none." },
	{ CONFIG_STATIC_SESSION, "expect-cookie", CONFIG_COOKIE, AT(config_static_session, kernel.expect),
	  ANY, NULL,
	  .help = "Cookie without which a packet of the other end is dropped. Default: none." },
	{ CONFIG_STATIC_SESSION, "sublayer", CONFIG_BOOL, AT(config_static_session, kernel.sublayer), ANY,
	  "true",
	  .help = "The default L2-specific sublayer (RFC 3931 section 4.6), 4 octets in each packet; "
		  "both ends must agree. Sequencing needs it." },
	{ CONFIG_STATIC_SESSION, "sequencing", CONFIG_ENUM, AT(config_static_session, sequencing), ANY,
	  "none", .help = "Whether data packets are numbered: those that are sent, and those that are "
		  "received, which are dropped when they come out of order.", .words = numbering_words },
	{ CONFIG_STATIC_SESSION, "reorder-timeout", CONFIG_TIME,
	  AT(config_static_session, reorder_timeout), { 0, MINUTE }, "0s",
	  .help = "How long a packet waits for those before it, with numbered ones; 0: not at all." },
	{ CONFIG_STATIC_SESSION, "mtu", CONFIG_UINT, AT(config_static_session, kernel.mtu), { 0, 65535 },
	  "0", .help = "MTU of the interface; 0: what the kernel chooses.", .unit = "octets" },
	{ CONFIG_STATIC_SESSION, "interface", CONFIG_STRING, AT(config_static_session, kernel.ifname), ANY,
	  NULL,
	  .help = "Name of the interface. Default: the name of the session.", .check = check_interface },
};
/* clang-format on */
const size_t config_option_count = sizeof(config_options) / sizeof(config_options[0]);

const struct config_option *config_option_find(enum config_section section, const char *name)
{
	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].section == section && !strcmp(config_options[i].name, name))
			return &config_options[i];
	return NULL;
}

/* ---- the manual page ---- */

static const char *const type_names[] = {
	[CONFIG_BOOL] = "boolean",
	[CONFIG_UINT] = "number",
	[CONFIG_TIME] = "time",
	[CONFIG_RATE] = "rate",
	[CONFIG_STRING] = "string",
	[CONFIG_PATH] = "path",
	[CONFIG_NAME] = "name",
	[CONFIG_ENUM] = "word",
	[CONFIG_SET] = "word",
	[CONFIG_ADDRESS] = "address",
	[CONFIG_LISTEN] = "address",
	[CONFIG_PREFIX] = "prefix",
	[CONFIG_RANGE] = "range",
	[CONFIG_SECRET] = "secret",
	[CONFIG_COOKIE] = "cookie",
	[CONFIG_FILE] = "file",
};

/* Text for troff: backslash and leading dot or quote must not be seen as commands. */
static void man_text(const char *text, FILE *out)
{
	bool start = true;

	for (; *text; text++) {
		if (start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '"')
			fputs("\\(dq", out);
		else if (*text == '~' || *text == '^')
			fprintf(out, "\\(%s", *text == '~' ? "ti" : "ha");
		else
			fputc(*text, out);
		start = *text == '\n';
	}
}

static void man_option(const struct config_option *option, FILE *out)
{
	bool numeric = option->type == CONFIG_UINT || option->type == CONFIG_TIME;

	fputs(".TP\n\\fB", out);
	man_text(option->name, out);
	fprintf(out, option->list ? "\\fR = { \\fI%s\\fR, ... }\n" : "\\fR = \\fI%s\\fR\n",
		type_names[option->type]);
	man_text(option->help, out);
	if (option->words) {
		fputs("\nOne of: ", out);
		for (const struct config_word *word = option->words; word->word; word++) {
			man_text(word->word, out);
			fputs(word[1].word ? ", " : ".", out);
		}
	}
	if (numeric) {
		fputs("\nRange: ", out);
		config_range_print(option, out);
		fprintf(out, "%s%s.", option->unit ? " " : "", option->unit ? option->unit : "");
	}
	if (option->preset && !option->preset_varies) {
		fputs("\nDefault: ", out);
		fputs(option->list ? "{ " : "", out);
		man_text(option->preset, out);
		fputs(option->list ? " }." : ".", out);
	}
	if (option->required)
		fputs("\nRequired.", out);
	fputc('\n', out);
}

/* The heading of a section with those around it: `radius { server "ADDRESS" { ... } }`. */
static void man_heading(enum config_section section, FILE *out)
{
	enum config_section path[CONFIG_SECTIONS];
	size_t depth = 0;

	for (enum config_section s = section; s != CONFIG_ROOT; s = config_sections[s].parent)
		path[depth++] = s;
	fputs(".SS", out);
	for (size_t i = depth; i-- > 0;) {
		const struct config_section_info *info = &config_sections[path[i]];

		fputc(' ', out);
		man_text(info->name, out);
		if (info->title && i == 0)
			fprintf(out, " \\(dq%s\\(dq", info->title);
		fputs(" {", out);
	}
	fputs(depth ? " ..." : " General", out);
	while (depth-- > 0)
		fputs(" }", out);
	fputc('\n', out);
}

void config_schema_dump_man(FILE *out)
{
	for (int s = 0; s < CONFIG_SECTIONS; s++) {
		man_heading(s, out);
		man_text(config_sections[s].help, out);
		fputc('\n', out);
		for (size_t i = 0; i < config_option_count; i++)
			if (config_options[i].section == (enum config_section)s)
				man_option(&config_options[i], out);
	}
}

/* ---- the nearest name ---- */

/* Edits that make b out of a: insert, delete, replace, swap neighbours. Longer ones differ a lot. */
static unsigned int distance(const char *a, const char *b)
{
	enum { MAX = 40 };
	size_t a_len = strlen(a), b_len = strlen(b);
	unsigned int rows[3][MAX + 1];

	if (a_len > MAX || b_len > MAX)
		return MAX;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned int *now = rows[i % 3], *last = rows[(i + 2) % 3],
			     *before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned int best = last[j - 1] + (a[i - 1] != b[j - 1]);

			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[a_len % 3][b_len];
}

const char *config_nearest(const char *text, const char *const *names, size_t count)
{
	unsigned int best = 2 + strlen(text) / 4;
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		unsigned int edits = distance(text, names[i]);

		if (edits < best && edits < strlen(names[i])) {
			best = edits;
			nearest = names[i];
		}
	}
	return nearest;
}
