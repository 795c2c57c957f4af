/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin: lns.so's entry: pppd's channel is ours, and pppd stops in its connect() to serve requests.
 *
 * The options name two descriptors and are written by the monitor only. pppd's options about ttys go
 * with its tty channel: they are unknown words from here on.
 */
#include "plugin.h"

#include <errno.h>
#include <syslog.h>
#include <unistd.h>

const char pppd_version[] = LNS_VERSION;

struct lns_session lns_session = { .channel = -1, .pppox = -1, .udp = -1 };
int lns_fork_fd = -1, lns_report_fd = -1;

static option_t channel_options[] = {
	{ "lns-fork-fd", o_int, &lns_fork_fd, "Socket that brings requests for sessions",
		OPT_PRIV | OPT_INITONLY | OPT_LLIMIT, NULL, 0, 3, NULL, 0, 0 },
	{ "lns-report-fd", o_int, &lns_report_fd, "Socket that sessions are reported on",
		OPT_PRIV | OPT_INITONLY | OPT_LLIMIT, NULL, 0, 3, NULL, 0, 0 },
	{ .name = NULL },
};

static void channel_check_options(void)
{
	if (lns_fork_fd < 0 || lns_report_fd < 0)
		fatal("lns.so: lns-fork-fd and lns-report-fd are needed");
}

static int channel_connect(void)
{
	int err = lns_session_prepare();

	if (err) {
		errno = -err;
		fatal("lns.so: cannot prepare a template: %m");
	}
	lns_template_serve();
	return lns_session.pppox;
}

static void begin(void *arg)
{
	(void)arg;
	lns_proxy_begin();
	lns_frames_replay();
}

/* What the client has sent by now waits in the channel: LCP shall know it when pppd brings it up. */
static int channel_establish(int fd)
{
	int ppp;

	lns_proxy_prepare();
	ppp = lns_establish(fd);
	if (ppp >= 0) {
		lns_frames_drain(ppp);
		lns_soon(begin);
	}
	return ppp;
}

static void channel_disconnect(void)
{
	if (lns_session.pppox >= 0)
		close(lns_session.pppox);
	lns_session.pppox = -1;
}

/* L2TP has no framing of its own to set up, and LCP sets the interface's MTU itself. */
static void channel_send_config(int mtu, uint32_t accm, int pcomp, int accomp)
{
	(void)mtu, (void)accm, (void)pcomp, (void)accomp;
}

static void channel_recv_config(int mru, uint32_t accm, int pcomp, int accomp)
{
	(void)mru, (void)accm, (void)pcomp, (void)accomp;
}

static struct channel lns_channel = {
	.options = channel_options,
	.check_options = channel_check_options,
	.connect = channel_connect,
	.disconnect = channel_disconnect,
	.establish_ppp = channel_establish,
	.disestablish_ppp = lns_disestablish,
	.send_config = channel_send_config,
	.recv_config = channel_recv_config,
};

void plugin_init(void);
void plugin_init(void)
{
	lcp_wantoptions[0].neg_asyncmap = 0;
	lcp_wantoptions[0].neg_pcompression = 0;
	lcp_wantoptions[0].neg_accompression = 0;
	the_channel = &lns_channel;
	setlogmask(LOG_UPTO(LOG_ERR)); /* syslog has no off switch; the engine logs sessions */
	lns_auth_init();
	lns_eap_init();
	lns_ncp_init();
}
