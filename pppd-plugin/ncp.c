/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ncp: what was granted goes into IPCP, IPV6CP and CCP; what came of it is told to the engine.
 *
 * One family's end is not the other's: pppd counts the protocols that finished, and counts one twice
 * when a client ends and restarts it, so its decision to close the link is made here. The engine
 * keeps times and volumes; all it gets are the counters at the moment a family came up, which hold the
 * control protocols' own octets.
 */
#include "plugin.h"

#include <errno.h>
#include <linux/if_ppp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CI_MPPE_OPTION 18
#define MPPE_TYPE_40   2
#define MPPE_TYPE_128  4

static fsm_callbacks ipcp_callbacks, ipv6cp_callbacks, ccp_callbacks;
static void (*ccp_stock_up)(fsm *machine);
static void (*ipcp_stock_protrej)(int unit);
static void (*ipv6cp_stock_protrej)(int unit);
static void (*ccp_stock_input)(int unit, unsigned char *packet, int len);

static struct {
	uint32_t local, remote;
	int peer_chooses;
	int mppe; /* MPPE_OPT_x that a client may ask for */
} granted;

/* Whether addr is an end of the tunnel: routed into the session it would carry itself. */
static int address_is_tunnel(uint32_t addr)
{
	return addr && (addr == lns_session.tunnel_local || addr == lns_session.tunnel_peer);
}

static int address_allowed(uint32_t addr)
{
	if (address_is_tunnel(addr) || addr == granted.local)
		return 0;
	return granted.peer_chooses || addr == granted.remote;
}

static void grant_ipv4(const struct ppp_auth_reply *reply)
{
	ipcp_options *want = &ipcp_wantoptions[0], *allow = &ipcp_allowoptions[0];

	if (!(reply->flags & PPP_AUTH_IPV4)) {
		ipcp_protent.enabled_flag = 0;
		return;
	}
	granted.local = reply->local;
	granted.remote = reply->remote;
	granted.peer_chooses = !!(reply->flags & PPP_AUTH_PEER_CHOOSES);
	want->ouraddr = reply->local;
	want->hisaddr = reply->remote;
	want->accept_local = 0;
	want->accept_remote = granted.peer_chooses;
	for (int i = 0; i < 2; i++) {
		allow->dnsaddr[i] = reply->dns[i];
		allow->winsaddr[i] = reply->wins[i];
	}
	ipcp_protent.check_options(); /* looks at ouraddr whether to offer it */
}

static void grant_ipv6(const struct ppp_auth_reply *reply)
{
	ipv6cp_options *want = &ipv6cp_wantoptions[0];

	if (!(reply->flags & PPP_AUTH_IPV6)) {
		ipv6cp_protent.enabled_flag = 0;
		return;
	}
	if (reply->flags & PPP_AUTH_INTERFACE_ID) {
		memcpy(&want->hisid, reply->interface_id, sizeof(reply->interface_id));
		want->opt_remote = 1;
		want->accept_remote = 0;
	}
}

/*
 * CCP is off in the template and comes alive with keys only. Encryption that is merely allowed waits for
 * the client: as soon as pppd itself wants MPPE, it takes a refusal for the end.
 */
static void grant_mppe(const struct ppp_auth_reply *reply)
{
	ccp_options *want = &ccp_wantoptions[0], *allow = &ccp_allowoptions[0];
	unsigned char keys[2][16];

	if (!(reply->flags & PPP_AUTH_MPPE_ALLOWED)) {
		lns_mppe_clear_keys();
		return;
	}
	memcpy(keys[0], reply->mppe_send_key, sizeof(keys[0]));
	memcpy(keys[1], reply->mppe_recv_key, sizeof(keys[1]));
	lns_mppe_set_keys(keys[0], keys[1]);
	explicit_bzero(keys, sizeof(keys));

	granted.mppe = (reply->mppe_types & MPPE_TYPE_40 ? MPPE_OPT_40 : 0) |
		       (reply->mppe_types & MPPE_TYPE_128 ? MPPE_OPT_128 : 0);
	memset(want, 0, sizeof(*want));
	memset(allow, 0, sizeof(*allow));
	allow->mppe = granted.mppe;
	if (reply->flags & PPP_AUTH_MPPE_REQUIRED)
		want->mppe = granted.mppe;
	if (!ccp_protent.enabled_flag) {
		ccp_protent.enabled_flag = 1;
		if (lcp_fsm[0].state == OPENED)
			ccp_protent.lowerup(0);
	}
}

void lns_ncp_grant(const struct ppp_auth_reply *reply)
{
	grant_ipv4(reply);
	grant_ipv6(reply);
	grant_mppe(reply);
	if (reply->mtu && reply->mtu < lcp_allowoptions[0].mru) {
		lcp_allowoptions[0].mru = reply->mtu;
		if (lns_mtu() > reply->mtu)
			lns_set_mtu(reply->mtu);
	}
}

/* A client that asks for MPPE gets it, in both directions. */
static void ccp_input(int unit, unsigned char *packet, int len)
{
	if (len > HEADERLEN && packet[0] == CONFREQ && packet[HEADERLEN] == CI_MPPE_OPTION &&
		ccp_fsm[0].state == STOPPED && !ccp_wantoptions[0].mppe)
		ccp_wantoptions[0].mppe = granted.mppe;
	ccp_stock_input(unit, packet, len);
}

static void restart_unless_open(fsm *machine)
{
	if (machine->state < REQSENT || machine->state == OPENED)
		return;
	fsm_lowerdown(machine);
	fsm_lowerup(machine);
}

/* A client that insists on MPPE passed over the requests that came before it: say them again. */
static void ccp_up(fsm *machine)
{
	ccp_stock_up(machine);
	restart_unless_open(&ipcp_fsm[0]);
	restart_unless_open(&ipv6cp_fsm[0]);
}

/* Interface counters; zeros when the kernel does not tell. */
static void counters_read(struct ppp_ncp_up *up)
{
	struct ppp_stats stats = { 0 };
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	memcpy(request.ifr_name, up->ifname, sizeof(up->ifname));
	request.ifr_data = (char *)&stats;
	if (ioctl(fd, SIOCGPPPSTATS, &request) == 0) {
		up->rx_octets = stats.p.ppp_ibytes;
		up->rx_packets = stats.p.ppp_ipackets;
		up->tx_octets = stats.p.ppp_obytes;
		up->tx_packets = stats.p.ppp_opackets;
	}
	close(fd);
}

static void up_send(struct ppp_ncp_up *up)
{
	strlcpy(up->ifname, lns_ifname(), sizeof(up->ifname));
	up->ifindex = lns_session.ifindex;
	up->mtu = lns_mtu();
	counters_read(up);
	lns_session.network_up = 1;
	lns_channel_send(up, PPP_NCP_UP, sizeof(*up));
}

static void down_send(uint16_t family)
{
	struct ppp_ncp_down down = { .family = family };

	lns_channel_send(&down, PPP_NCP_DOWN, sizeof(down));
}

static void ip_up(void *ctx, int arg)
{
	struct ppp_ncp_up up = { .family = PPP_IPV4,
		.local = ipcp_gotoptions[0].ouraddr,
		.remote = ipcp_hisoptions[0].hisaddr };

	(void)ctx, (void)arg;
	up_send(&up);
}

static void link_down_send(enum ppp_end end, int exit_status)
{
	static int sent;
	struct ppp_link_down down = { .end = end, .status = exit_status & 0xff };

	if (sent || lns_session.id == 0)
		return;
	sent = 1;
	lns_channel_send(&down, PPP_LINK_DOWN, sizeof(down));
}

/*
 * The interface is gone, and with it all that an orderly end would take back: asking the kernel for that
 * costs more than the session's whole setup, a thousand times where a LAC is lost.
 */
static void exit_when_hung_up(void)
{
	if (!hungup || lns_session.id == 0)
		return;
	link_down_send(PPP_END_HANGUP, EXIT_HANGUP);
	_exit(EXIT_HANGUP);
}

static void ip_down(void *ctx, int arg)
{
	(void)ctx, (void)arg;
	exit_when_hung_up();
	down_send(PPP_IPV4);
}

static void ipv6_up(void *ctx, int arg)
{
	struct ppp_ncp_up up = { .family = PPP_IPV6 };

	(void)ctx, (void)arg;
	memcpy(up.local_id, &ipv6cp_gotoptions[0].ourid, sizeof(up.local_id));
	memcpy(up.remote_id, &ipv6cp_hisoptions[0].hisid, sizeof(up.remote_id));
	up_send(&up);
}

static void ipv6_down(void *ctx, int arg)
{
	(void)ctx, (void)arg;
	exit_when_hung_up();
	down_send(PPP_IPV6);
}

static int is_alive(const struct protent *protocol, const fsm *machine)
{
	return protocol->enabled_flag && machine->state >= REQSENT;
}

static void close_unless_alive(void)
{
	if (!is_alive(&ipcp_protent, &ipcp_fsm[0]) && !is_alive(&ipv6cp_protent, &ipv6cp_fsm[0]))
		lcp_close(0, "No network protocols running");
}

static void family_finished(fsm *machine)
{
	(void)machine;
	close_unless_alive();
}

static void ipcp_protrej(int unit)
{
	ipcp_stock_protrej(unit);
	close_unless_alive();
}

static void ipv6cp_protrej(int unit)
{
	ipv6cp_stock_protrej(unit);
	close_unless_alive();
}

static void link_up_send(void)
{
	const lcp_options *ours = &lcp_gotoptions[0], *peers = &lcp_hisoptions[0];
	struct ppp_link_up up = {
		.mru = ours->neg_mru ? ours->mru : PPP_MRU,
		.peer_mru = peers->neg_mru ? peers->mru : PPP_MRU,
		.proxied = lns_session.proxied,
		.replayed = lns_session.replayed,
		.send_accm = peers->neg_asyncmap ? peers->asyncmap : 0xffffffff,
		.receive_accm = ours->neg_asyncmap ? ours->asyncmap : 0xffffffff,
		.ifindex = if_nametoindex(lns_ifname()),
	};

	lns_session.ifindex = up.ifindex;
	lns_session.lcp_opened = 1;
	lns_channel_send(&up, PPP_LINK_UP, sizeof(up));
}

/* pppd's exit status and what we saw, as the engine wants it. */
static enum ppp_end end_reason(int exit_status)
{
	switch (exit_status) {
	case EXIT_USER_REQUEST:
		return PPP_END_SIGNAL;
	case EXIT_PEER_AUTH_FAILED:
		return !lns_session.auth_asked || lns_session.auth_undecided ? PPP_END_AUTH_TIMEOUT
									     : PPP_END_AUTH_FAILED;
	case EXIT_PEER_DEAD:
		return PPP_END_ECHO_TIMEOUT;
	case EXIT_HANGUP:
		return PPP_END_HANGUP;
	case EXIT_LOOPBACK:
		return PPP_END_LOOP;
	case EXIT_OK:
	case EXIT_NEGOTIATION_FAILED:
		if (lns_session.peer_terminated)
			return PPP_END_PEER;
		if (lns_session.authenticated)
			return PPP_END_NCP_FAILED;
		return lns_session.lcp_opened ? PPP_END_AUTH_TIMEOUT : PPP_END_LCP_FAILED;
	}
	return PPP_END_OTHER;
}

/*
 * A Terminate-Request ends an open link for certain. It is told before pppd answers the client: the LAC
 * hangs up once it sees the answer, and whoever ended the session must not depend on that race.
 */
static void packet_seen(unsigned char *packet, int len)
{
	/* Address, control, protocol, code. */
	if (len <= PPP_HDRLEN || packet[2] != PPP_LCP >> 8 || packet[3] != (PPP_LCP & 0xff) ||
		packet[PPP_HDRLEN] != TERMREQ)
		return;
	lns_session.peer_terminated = 1;
	if (lcp_fsm[0].state == OPENED)
		link_down_send(PPP_END_PEER, 0);
}

/*
 * The reason is told before pppd gives its unit back, which takes the kernel tens of milliseconds; at
 * the exit it is told if pppd came there by another way.
 */
static void phase_changed(void *ctx, int new_phase)
{
	(void)ctx;
	exit_when_hung_up();
	if (new_phase == PHASE_AUTHENTICATE)
		link_up_send();
	else if (new_phase == PHASE_DISCONNECT)
		link_down_send(end_reason(lns_status()), lns_status());
}

static void exiting(void *ctx, int exit_status)
{
	(void)ctx;
	link_down_send(end_reason(exit_status), exit_status);
}

/* Gives a protocol callbacks of its own, to be changed. */
static void callbacks_copy(fsm *machine, fsm_callbacks *copy)
{
	*copy = *machine->callbacks;
	machine->callbacks = copy;
}

void lns_ncp_init(void)
{
	allowed_address_hook = address_allowed;
	snoop_recv_hook = packet_seen;
	lns_notify(LNS_EVENT_IP_UP, ip_up);
	lns_notify(LNS_EVENT_IP_DOWN, ip_down);
	lns_notify(LNS_EVENT_IPV6_UP, ipv6_up);
	lns_notify(LNS_EVENT_IPV6_DOWN, ipv6_down);
	lns_notify(LNS_EVENT_PHASE, phase_changed);
	lns_notify(LNS_EVENT_EXIT, exiting);
	callbacks_copy(&ipcp_fsm[0], &ipcp_callbacks);
	ipcp_callbacks.finished = family_finished;
	callbacks_copy(&ipv6cp_fsm[0], &ipv6cp_callbacks);
	ipv6cp_callbacks.finished = family_finished;
	callbacks_copy(&ccp_fsm[0], &ccp_callbacks);
	ccp_stock_up = ccp_callbacks.up;
	ccp_callbacks.up = ccp_up;
	ipcp_stock_protrej = ipcp_protent.protrej;
	ipcp_protent.protrej = ipcp_protrej;
	ipv6cp_stock_protrej = ipv6cp_protent.protrej;
	ipv6cp_protent.protrej = ipv6cp_protrej;
	ccp_stock_input = ccp_protent.input;
	ccp_protent.input = ccp_input;
}
