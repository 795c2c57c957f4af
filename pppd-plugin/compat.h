/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat: pppd 2.4.9 and 2.5.x as one interface. The only file that knows which one it is.
 *
 * To be included first in every file of the plugin: 2.4.9 has a `bool` of its own, so nothing here may
 * include stdbool.h before it.
 */
#ifndef PPPD_PLUGIN_COMPAT_H
#define PPPD_PLUGIN_COMPAT_H

#if __has_include(<pppd/pppdconf.h>)
#define LNS_PPPD_25 1
#else
#define LNS_PPPD_25 0
#ifndef INET6
#define INET6
#endif
#ifndef MPPE
#define MPPE
#endif
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"

#include <pppd/pppd.h>

#include <net/if.h>
#include <linux/ppp_defs.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#if LNS_PPPD_25
#include <pppd/chap.h>
#include <pppd/eui64.h>
#include <pppd/options.h>
#else
#include <pppd/chap-new.h>
#endif
#include <pppd/chap_ms.h>
#include <pppd/eap.h>
#include <pppd/fsm.h>
#include <pppd/ccp.h>
#include <pppd/ipcp.h>
#include <pppd/ipv6cp.h>
#include <pppd/lcp.h>
#include <pppd/mppe.h>
#include <pppd/upap.h>

#pragma GCC diagnostic pop

/* The protocol's number, 0x57, which nobody needs here; channel_proto.h has a family of that name. */
#undef PPP_IPV6

#ifndef PPP_HDRLEN
#define PPP_HDRLEN 4
#endif
#ifndef PPP_EAP
#define PPP_EAP 0xc227
#endif
#ifndef PPP_MRU
#define PPP_MRU 1500
#endif

/* Exported by pppd, declared in its headers or not, according to the version. */
struct tdb_context;
extern int got_sighup, got_sigterm, hungup;
extern int tdb_close(struct tdb_context *db);
#if LNS_PPPD_25
extern unsigned char outpacket_buf[];
extern char peer_authname[MAXNAMELEN];
extern int auth_done[];
extern bool auth_required;
extern ppp_phase_t phase;
extern void output(int unit, unsigned char *packet, int len);
extern void auth_peer_fail(int unit, int protocol);
extern void auth_peer_success(int unit, int protocol, int flavour, char *name, int len);
#define PAP_PEER      0x2
#define CHAP_PEER     0x8
#define CHAP_MD5_PEER 0x80
#define CHAP_MS2_PEER 0x800
#endif

enum lns_event {
	LNS_EVENT_PHASE,
	LNS_EVENT_EXIT,
	LNS_EVENT_AUTH_UP,
	LNS_EVENT_IP_UP,
	LNS_EVENT_IP_DOWN,
	LNS_EVENT_IPV6_UP,
	LNS_EVENT_IPV6_DOWN,
};

#if LNS_PPPD_25

#define LNS_VERSION PPPD_VERSION

static inline void lns_notify(enum lns_event event, ppp_notify_fn *notify)
{
	static const ppp_notify_t map[] = {
		[LNS_EVENT_PHASE] = NF_PHASE_CHANGE,
		[LNS_EVENT_EXIT] = NF_EXIT,
		[LNS_EVENT_AUTH_UP] = NF_AUTH_UP,
		[LNS_EVENT_IP_UP] = NF_IP_UP,
		[LNS_EVENT_IP_DOWN] = NF_IP_DOWN,
		[LNS_EVENT_IPV6_UP] = NF_IPV6_UP,
		[LNS_EVENT_IPV6_DOWN] = NF_IPV6_DOWN,
	};

	ppp_add_notify(map[event], notify, NULL);
}

static inline void lns_soon(void (*call)(void *))
{
	ppp_timeout(call, NULL, 0, 0);
}

static inline void lns_timeout(void (*call)(void *), int seconds)
{
	ppp_timeout(call, NULL, seconds, 0);
}

static inline void lns_untimeout(void (*call)(void *))
{
	ppp_untimeout(call, NULL);
}

static inline void lns_set_status(int status)
{
	ppp_set_status(status);
}

static inline int lns_status(void)
{
	return ppp_status();
}

static inline void lns_set_mtu(int mtu)
{
	ppp_set_mtu(0, mtu);
}

static inline int lns_mtu(void)
{
	return ppp_get_mtu(0);
}

static inline const char *lns_ifname(void)
{
	return ppp_ifname();
}

static inline void lns_set_devnam(const char *name)
{
	ppp_set_devnam(name);
	ppp_set_pppdevnam(name);
}

static inline void lns_add_options(option_t *options)
{
	ppp_add_options(options);
}

static inline void lns_setenv(char *name, char *value)
{
	ppp_script_setenv(name, value, 0);
}

static inline int lns_establish(int fd)
{
	return ppp_generic_establish(fd);
}

static inline void lns_disestablish(int fd)
{
	ppp_generic_disestablish(fd);
}

static inline void lns_mppe_set_keys(unsigned char *send_key, unsigned char *recv_key)
{
	mppe_set_keys(send_key, recv_key, MPPE_MAX_KEY_LEN);
}

static inline void lns_mppe_clear_keys(void)
{
	mppe_clear_keys();
}

#else

#define LNS_VERSION VERSION

static inline void lns_notify(enum lns_event event, notify_func notifier)
{
	static struct notifier **const map[] = {
		[LNS_EVENT_PHASE] = &phasechange,
		[LNS_EVENT_EXIT] = &exitnotify,
		[LNS_EVENT_AUTH_UP] = &auth_up_notifier,
		[LNS_EVENT_IP_UP] = &ip_up_notifier,
		[LNS_EVENT_IP_DOWN] = &ip_down_notifier,
		[LNS_EVENT_IPV6_UP] = &ipv6_up_notifier,
		[LNS_EVENT_IPV6_DOWN] = &ipv6_down_notifier,
	};

	add_notifier(map[event], notifier, NULL);
}

static inline void lns_soon(void (*call)(void *))
{
	timeout(call, NULL, 0, 0);
}

static inline void lns_timeout(void (*call)(void *), int seconds)
{
	timeout(call, NULL, seconds, 0);
}

static inline void lns_untimeout(void (*call)(void *))
{
	untimeout(call, NULL);
}

static inline void lns_set_status(int value)
{
	status = value;
}

static inline int lns_status(void)
{
	return status;
}

static inline void lns_set_mtu(int mtu)
{
	netif_set_mtu(0, mtu);
}

static inline int lns_mtu(void)
{
	return netif_get_mtu(0);
}

static inline const char *lns_ifname(void)
{
	return ifname;
}

static inline void lns_set_devnam(const char *name)
{
	strlcpy(devnam, name, sizeof(devnam));
	strlcpy(ppp_devnam, name, sizeof(ppp_devnam));
}

static inline void lns_add_options(option_t *options)
{
	add_options(options);
}

static inline void lns_setenv(char *name, char *value)
{
	script_setenv(name, value, 0);
}

static inline int lns_establish(int fd)
{
	return generic_establish_ppp(fd);
}

static inline void lns_disestablish(int fd)
{
	generic_disestablish_ppp(fd);
}

static inline void lns_mppe_set_keys(unsigned char *send_key, unsigned char *recv_key)
{
	memcpy(mppe_send_key, send_key, MPPE_MAX_KEY_LEN);
	memcpy(mppe_recv_key, recv_key, MPPE_MAX_KEY_LEN);
	mppe_keys_set = 1;
}

static inline void lns_mppe_clear_keys(void)
{
	explicit_bzero(mppe_send_key, MPPE_MAX_KEY_LEN);
	explicit_bzero(mppe_recv_key, MPPE_MAX_KEY_LEN);
	mppe_keys_set = 0;
}

#endif

#endif
