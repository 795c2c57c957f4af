/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: lns.conf as structs, owned by struct config and immutable once parsed.
 *
 * The schema (config/schema.c) has one row per option: section, name, type, unit, range, default,
 * check and help. It parses, validates, documents (lns.conf(5)) and dumps. The text comes as a
 * bundle: the monitor reads the file and the secret files it names (checking owner and mode) into
 * one sealed memfd; monitor and engine parse the same bundle.
 *
 * Times are in microseconds, whatever unit the file uses. Absent strings are "", absent addresses
 * AF_UNSPEC. Secrets are wiped by config_free.
 */
#ifndef LNS_CONFIG_CONFIG_H
#define LNS_CONFIG_CONFIG_H

#include "lns/addr.h"
#include "lns/kernel/kernel.h"
#include "lns/l2tp/l2tp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config_lac {
	struct l2tp_lac lac; /* name, secret, timers, limits, ppp */
	struct addr_prefix *peers;
	size_t peer_count;
	char host_name[128];      /* pattern with * and ?, "" = any */
	int proxy_lcp;            /* PPP_PROXY_x, or -1: as the ppp section says */
	int sequencing;           /* CONFIG_SEQUENCING_x */
	uint64_t reorder_timeout; /* whole ms, 0 = packets that come late are dropped */
};

/* When data packets are numbered (RFC 2661 section 5.4). */
enum {
	CONFIG_SEQUENCING_ALLOW,  /* when the LAC asks for it */
	CONFIG_SEQUENCING_DEMAND, /* always: it is for the LNS to say */
};

/* Bits of config_ppp.auth; pppd offers them in its own order, eap, chap, mschap-v2, pap. */
enum {
	CONFIG_AUTH_CHAP = 1,
	CONFIG_AUTH_MSCHAP_V2 = 2,
	CONFIG_AUTH_PAP = 4,
	CONFIG_AUTH_EAP = 8,
	CONFIG_AUTH_ANY = 15
};

/* Who gives way when two sessions cannot be at the same time. */
enum {
	CONFIG_POLICY_REJECT,  /* the new one */
	CONFIG_POLICY_REPLACE, /* the old one */
};

struct config_ppp {
	char name[64];
	unsigned int auth;
	union addr local_address;
	char pool[64]; /* "" = none */
	union addr dns[2], wins[2];
	uint16_t mtu, mru;
	unsigned int lcp_echo_interval, lcp_echo_failure; /* seconds, 0 = off; count */
	int proxy_lcp;                                    /* PPP_PROXY_x */
	bool ipv4, ipv6;
	bool exec; /* exec a pppd per session instead of forking the template */
	uint64_t session_timeout, idle_timeout;
	unsigned int max_sessions_per_user; /* 0 = no limit */
	int over_limit, duplicate_address;  /* CONFIG_POLICY_x */
	uint64_t rate_down, rate_up;        /* bit/s, to and from the client; 0 = no limit */
	int rate_failure_rejects;           /* 1: without its limits there is no session */
};

struct config_pool_range {
	uint32_t first, last; /* host byte order, inclusive */
};

struct config_pool {
	char name[64];
	struct config_pool_range *ranges;
	size_t range_count;
};

struct config_radius_server {
	union addr addr;               /* port 0 */
	uint16_t auth_port, acct_port; /* 0 = not used for that */
	struct l2tp_secret secret;
	int message_authenticator; /* 0 auto, 1 yes, 2 no: demanded of replies */
};

/* Who may end and change sessions by RADIUS (RFC 5176). */
struct config_das_client {
	union addr addr; /* port 0 */
	struct l2tp_secret secret;
};

struct config_das {
	union addr address[2]; /* AF_UNSPEC: any, of the families of the clients */
	uint16_t port;
	struct config_das_client *clients;
	size_t client_count;
};

struct config_radius {
	union addr nas_ip, nas_ipv6, source;
	char nas_identifier[254]; /* "": the server's name */
	int unsupported_rejects;  /* 1: a profile is obeyed whole or not at all */
	uint64_t timeout, interim, checkpoint_interval;
	unsigned int tries, in_flight, request_rate;
	struct config_radius_server *servers;
	size_t server_count;
	bool has_das;
	struct config_das das;
};

/* An Ethernet pseudowire in a static tunnel. */
struct config_static_session {
	char name[64];
	struct kernel_static_session kernel;
	int sequencing;           /* CONFIG_NUMBER_x */
	uint64_t reorder_timeout; /* as kernel.reorder_timeout, in milliseconds, has it */
};
enum { CONFIG_NUMBER_SEND = 1, CONFIG_NUMBER_RECEIVE = 2 };

/* An L2TPv3 tunnel that the kernel serves alone. */
struct config_static_tunnel {
	char name[64];
	struct kernel_static_tunnel kernel;
	uint16_t local_port, peer_port; /* of kernel's addresses; 0 with IP encapsulation */
	bool keep;                      /* after lnsd has stopped */
	struct config_static_session *sessions;
	size_t session_count;
};

struct config_user {
	char name[254];
	struct l2tp_secret secret;
	union addr address;          /* AF_UNSPEC: from the pool */
	uint64_t rate_down, rate_up; /* as in config_ppp, or CONFIG_RATE_DEFAULT */
};
#define CONFIG_RATE_DEFAULT UINT64_MAX /* as the ppp section says */

#define CONFIG_METRICS_PORT 9473

/* Programs that are run when sessions come up and go down. */
struct config_hooks {
	char on_up[256], on_down[256]; /* paths, "" = none */
	char user[33];
	unsigned int rate, parallel, queue; /* starts in a second, at a time, that may wait */
	uint64_t timeout;
};

struct config {
	char name[256];           /* Host Name AVP and NAS-Identifier */
	char user[33], group[33]; /* the engine's; group "": the user's own */
	char run_dir[108 - 16], state_dir[256];
	char pppd[256], plugin[256]; /* paths */
	int log_level;               /* enum log_level */
	int log_to;                  /* enum log_target */
	uint32_t link_group;
	uint64_t kernel_audit; /* interval, 0 = never */
	struct l2tp_settings l2tp;
	union addr *listen; /* with port */
	size_t listen_count;
	struct config_hooks hooks;
	union addr *metrics; /* with port */
	size_t metrics_count;
	unsigned int setup_limit; /* sessions between ICRP and network up at a time */
	uint64_t setup_timeout;   /* in the queue, and from ICCN to network up */
	uint64_t stop_timeout;    /* for a clean end of everything */
	uint64_t sample_interval; /* of interface counters */
	struct config_lac *lacs;
	size_t lac_count;
	struct config_ppp *ppps;
	size_t ppp_count;
	struct config_pool *pools;
	size_t pool_count;
	bool has_radius;
	struct config_radius radius;
	struct config_static_tunnel *static_tunnels;
	size_t static_tunnel_count;
	struct config_user *users; /* from the users file, when there is no radius section */
	size_t user_count;
};

/* Called once per error or warning, with a complete line ("lns.conf:12: ..."). */
typedef void config_report_fn(void *ctx, const char *line);
/* Whether such a line is a warning: the configuration can be used all the same. */
bool config_is_warning(const char *line);

/*
 * Reads path and the files it names as the calling user and puts them into a sealed memfd. Secret
 * and users files must belong to root or the caller and not be readable by others. 0 and *ret_fd,
 * or -errno after reporting why.
 */
int config_bundle(const char *path, config_report_fn *report, void *ctx, int *ret_fd);

/*
 * A bundle of texts in memory instead of files: the first is the main one, others are found by the
 * name under which it mentions them (relative names: next to the file that does). 0 or -errno.
 */
struct config_text {
	const char *name;
	const void *data;
	size_t len;
};
int config_bundle_memory(const struct config_text *texts, size_t count, int *ret_fd);

/* Parses and validates a bundle. 0 and *ret_config, or -EINVAL after reporting every error. */
int config_parse(int bundle_fd, config_report_fn *report, void *ctx, struct config **ret_config);
void config_free(struct config *config);

const struct config_ppp *config_find_ppp(const struct config *config, const char *name);
const struct config_pool *config_find_pool(const struct config *config, const char *name);
const struct config_lac *config_find_lac_section(const struct config *config, const char *name);
/* First match in file order, NULL when no lac section matches. */
const struct config_lac *config_find_lac(
	const struct config *config, const union addr *peer, const char *host_name);

/* The effective configuration as a file that says everything, secrets left out. */
void config_dump(const struct config *config, FILE *out);

/*
 * Reports what differs, a line each ('lac "x": hello = 30s (was 60s)'); of secrets only that they do.
 * The number of lines.
 */
int config_diff(
	const struct config *old, const struct config *new, config_report_fn *report, void *ctx);

/* The options part of lns.conf(5), in troff. */
void config_schema_dump_man(FILE *out);

#endif
