/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_harness: monitor, engine and access concentrator in one small program, so that a test can try
 * pppd with lns.so against a real kernel without the rest of lnsd.
 *
 * Usage: plugin_harness LNS-NETNS LAC-NETNS PPPD PLUGIN CLIENT-PPPD (root). The two namespaces
 * are joined by a link with 10.9.0.1 (LNS) and 10.9.0.2 (LAC). Commands come on stdin, one a line, words
 * separated by blanks; events leave on stdout as JSON objects, one a line. See the table at the end.
 *
 * It starts the template as the monitor does (mount namespace, no new privileges, CAP_NET_ADMIN
 * alone) and uses lnsd's own engine side (lns/ppp) on the real loop.
 */
#include "lns/config/config.h"
#include "lns/env.h"
#include "lns/env_ev.h"
#include "lns/ppp/ppp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>
#include <stdarg.h>
#include <nettle/md5.h>
#include <nettle/md4.h>
#include <nettle/sha1.h>
#include <nettle/des.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>

#define SESSIONS 10000
#define WORDS    64
#define TUNNEL   1

struct session {
	unsigned int id; /* 1..SESSIONS; 0 = free */
	int lns_pppox, lac_pppox;
	uint32_t ppp_number; /* of lns_pppox: the kernel's channel */
	struct ppp_channel *channel;
	int kept; /* the engine's end while there is no engine, or -1 */
	int pidfd;
	struct env_io *exit_io, *frame_io;
	pid_t client;
	uint32_t question; /* the last step of EAP */
};

static struct env *env;
static struct session sessions[SESSIONS + 1];
static const char *netns[2], *pppd_path, *plugin_path, *client_path;
static int udp[2], keep[2];
static struct ppp_template *template;
static struct env_io *report_io, *stdin_io, *template_io, *client_io;
static int fork_fd = -1, report_fd = -1, template_pidfd = -1, client_signals[2];
static bool silent, template_exec;
static uint16_t reply_flags = PPP_AUTH_IPV4, reply_result;
static char user_name[64] = "alice", user_password[64] = "secret";

static void die(const char *what)
{
	fprintf(stderr, "plugin_harness: %s: %s\n", what, strerror(errno));
	exit(1);
}

__attribute__((format(printf, 1, 2))) static void event(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\n');
	fflush(stdout);
}

static void hex_text(char *out, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
	out[2 * len] = '\0';
}

static size_t hex_parse(uint8_t *out, size_t size, const char *text)
{
	size_t len = strlen(text) / 2;

	if (len > size)
		len = size;
	for (size_t i = 0; i < len; i++) {
		char two[3] = { text[2 * i], text[2 * i + 1], 0 };
		out[i] = strtoul(two, NULL, 16);
	}
	return len;
}

/* --- authentication, as a RADIUS server would do it ----------------------------------------- */

static void des_key(const uint8_t in[7], uint8_t out[8])
{
	uint64_t bits = 0;

	for (int i = 0; i < 7; i++)
		bits = bits << 8 | in[i];
	for (int i = 7; i >= 0; i--, bits >>= 7)
		out[i] = (bits & 0x7f) << 1;
	des_fix_parity(8, out, out);
}

static void md4(const void *data, size_t len, uint8_t out[16])
{
	struct md4_ctx ctx;

	md4_init(&ctx);
	md4_update(&ctx, len, data);
	md4_digest(&ctx, 16, out);
}

static void sha1(uint8_t out[20], const void *a, size_t a_len, const void *b, size_t b_len,
	const void *c, size_t c_len)
{
	struct sha1_ctx ctx;

	sha1_init(&ctx);
	sha1_update(&ctx, a_len, a);
	sha1_update(&ctx, b_len, b);
	sha1_update(&ctx, c_len, c);
	sha1_digest(&ctx, 20, out);
}

/* RFC 3079 section 3.4: one of the two session keys from the master key. */
static void mppe_key(const uint8_t master[16], const char *magic, uint8_t out[16])
{
	uint8_t digest[20], pad1[40] = { 0 }, pad2[40];
	struct sha1_ctx ctx;

	memset(pad2, 0xf2, sizeof(pad2));
	sha1_init(&ctx);
	sha1_update(&ctx, 16, master);
	sha1_update(&ctx, sizeof(pad1), pad1);
	sha1_update(&ctx, strlen(magic), (const uint8_t *)magic);
	sha1_update(&ctx, sizeof(pad2), pad2);
	sha1_digest(&ctx, 20, digest);
	memcpy(out, digest, 16);
}

/* RFC 2759: true when the response is right; then text and keys for the reply. */
static bool mschap_check(const struct ppp_auth_request *request, struct ppp_auth_reply *reply)
{
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] = "Pad to make it do more than one iteration";
	static const char magic3[] = "This is the MPPE Master Key";
	static const char to_server[] = "On the client side, this is the send key; "
					"on the server side, it is the receive key.";
	static const char to_client[] = "On the client side, this is the receive key; "
					"on the server side, it is the send key.";
	uint8_t unicode[128], hash[21] = { 0 }, hash_hash[16], challenge[20], expected[24],
			      digest[20];
	char hex[41];
	size_t len = strlen(user_password);

	for (size_t i = 0; i < len; i++) {
		unicode[2 * i] = user_password[i];
		unicode[2 * i + 1] = 0;
	}
	md4(unicode, 2 * len, hash);
	md4(hash, 16, hash_hash);
	sha1(challenge, request->response, 16, request->challenge, 16, request->name,
		request->name_len);
	for (int i = 0; i < 3; i++) {
		struct des_ctx ctx;
		uint8_t key[8];

		des_key(hash + 7 * i, key);
		des_set_key(&ctx, key);
		des_encrypt(&ctx, 8, expected + 8 * i, challenge);
	}
	if (memcmp(expected, request->response + 24, 24) != 0)
		return false;
	sha1(digest, hash_hash, 16, expected, 24, magic1, strlen(magic1));
	sha1(digest, digest, 20, challenge, 8, magic2, strlen(magic2));
	hex_text(hex, digest, 20);
	for (char *p = hex; *p; p++)
		if (*p >= 'a')
			*p -= 32;
	reply->message_len =
		snprintf((char *)reply->message, sizeof(reply->message), "S=%s M=Welcome", hex);
	sha1(digest, hash_hash, 16, expected, 24, magic3, strlen(magic3));
	mppe_key(digest, to_server, reply->mppe_recv_key);
	mppe_key(digest, to_client, reply->mppe_send_key);
	reply->mppe_types = 6;
	return true;
}

static bool request_check(const struct ppp_auth_request *request, struct ppp_auth_reply *reply)
{
	struct md5_ctx ctx;
	uint8_t digest[16];
	size_t len = strlen(user_password);

	if (request->name_len != strlen(user_name) ||
		memcmp(request->name, user_name, request->name_len) != 0)
		return false;
	switch (request->protocol) {
	case PPP_AUTH_PAP:
		return request->response_len == len &&
		       memcmp(request->response, user_password, len) == 0;
	case PPP_AUTH_CHAP_MD5:
		md5_init(&ctx);
		md5_update(&ctx, 1, &request->chap_id);
		md5_update(&ctx, len, (const uint8_t *)user_password);
		md5_update(&ctx, request->challenge_len, request->challenge);
		md5_digest(&ctx, 16, digest);
		return memcmp(digest, request->response, 16) == 0;
	}
	return mschap_check(request, reply);
}

/* --- the engine's callbacks ------------------------------------------------------------------ */

static void reply_send(struct session *session, struct ppp_auth_reply *reply)
{
	int err;

	reply->flags = reply_flags;
	if (!reply->mppe_types)
		reply->flags &= ~(PPP_AUTH_MPPE_ALLOWED | PPP_AUTH_MPPE_REQUIRED);
	reply->local = htonl(0x0a0a0001);
	reply->remote = htonl(0x0a0b0000 + session->id);
	reply->dns[0] = htonl(0xc0000235);
	reply->dns[1] = htonl(0xc0000236);
	reply->wins[0] = htonl(0xc0000237);
	reply->wins[1] = htonl(0xc0000238);
	memcpy(reply->interface_id, "\x02\0\0\0\0\0\0\x42", 8);
	if (!reply->message_len)
		reply->message_len = snprintf((char *)reply->message, sizeof(reply->message), "%s",
			reply->result == PPP_AUTH_ACCEPT ? "Welcome" : "Go away");
	err = ppp_channel_reply(session->channel, reply);
	if (err)
		event("{\"event\":\"reply-failed\",\"session\":%u,\"error\":%d}", session->id, err);
}

static void on_eap_response(void *ctx, const struct ppp_eap *response)
{
	struct session *session = ctx;
	char name[513], state[513], packet[2 * PPP_EAP_MAX + 1];

	session->question = response->request;
	hex_text(name, response->name, response->name_len);
	hex_text(state, response->state, response->state_len);
	hex_text(packet, response->packet, response->packet_len);
	event("{\"event\":\"eap\",\"session\":%u,\"request\":%u,\"name\":\"%s\",\"state\":\"%s\","
	      "\"packet\":\"%s\"}",
		session->id, response->request, name, state, packet);
}

static void on_auth_request(void *ctx, const struct ppp_auth_request *request)
{
	struct session *session = ctx;
	struct ppp_auth_reply reply = { .request = request->request };
	char name[513], challenge[513];
	bool good = request_check(request, &reply);

	hex_text(name, request->name, request->name_len);
	hex_text(challenge, request->challenge, request->challenge_len);
	event("{\"event\":\"auth\",\"session\":%u,\"request\":%u,\"protocol\":%u,\"proxied\":%u,"
	      "\"name\":\"%s\",\"challenge\":\"%s\",\"good\":%s}",
		session->id, request->request, request->protocol, request->proxied, name, challenge,
		good ? "true" : "false");
	if (silent)
		return;
	reply.result = reply_result ? reply_result : good ? PPP_AUTH_ACCEPT : PPP_AUTH_REJECT;
	reply_send(session, &reply);
	explicit_bzero(&reply, sizeof(reply));
}

static void on_link_up(void *ctx, const struct ppp_link_up *up)
{
	struct session *session = ctx;

	event("{\"event\":\"link-up\",\"session\":%u,\"mru\":%u,\"peer_mru\":%u,\"proxied\":%u,"
	      "\"replayed\":%u}",
		session->id, up->mru, up->peer_mru, up->proxied, up->replayed);
}

static void on_ncp_up(void *ctx, const struct ppp_ncp_up *up)
{
	struct session *session = ctx;
	char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN], id[17];

	inet_ntop(AF_INET, &up->local, local, sizeof(local));
	inet_ntop(AF_INET, &up->remote, remote, sizeof(remote));
	hex_text(id, up->remote_id, 8);
	event("{\"event\":\"ncp-up\",\"session\":%u,\"family\":%u,\"ifname\":\"%s\",\"ifindex\":%u,"
	      "\"local\":\"%s\",\"remote\":\"%s\",\"remote_id\":\"%s\",\"mtu\":%u,\"rx\":%llu,"
	      "\"tx\":%llu}",
		session->id, up->family, up->ifname, up->ifindex, local, remote, id, up->mtu,
		(unsigned long long)up->rx_packets, (unsigned long long)up->tx_packets);
}

static void on_ncp_down(void *ctx, const struct ppp_ncp_down *down)
{
	struct session *session = ctx;

	event("{\"event\":\"ncp-down\",\"session\":%u,\"family\":%u}", session->id, down->family);
}

static void on_link_down(void *ctx, const struct ppp_link_down *down)
{
	struct session *session = ctx;

	event("{\"event\":\"link-down\",\"session\":%u,\"end\":%u,\"status\":%u}", session->id,
		down->end, down->status);
}

static void on_closed(void *ctx, const char *reason)
{
	struct session *session = ctx;

	event("{\"event\":\"closed\",\"session\":%u,\"reason\":\"%s\"}", session->id,
		reason ? reason : "");
	ppp_channel_free(session->channel);
	session->channel = NULL;
}

static const struct ppp_channel_ops channel_ops = {
	.auth_request = on_auth_request,
	.eap_response = on_eap_response,
	.link_up = on_link_up,
	.ncp_up = on_ncp_up,
	.ncp_down = on_ncp_down,
	.link_down = on_link_down,
	.closed = on_closed,
};

static void on_forked(void *ctx, uint64_t id, int error, int pid)
{
	(void)ctx;
	event("{\"event\":\"forked\",\"session\":%llu,\"error\":%d,\"pid\":%d}",
		(unsigned long long)id, error, pid);
}

static void on_gone(void *ctx, struct ppp_template *gone)
{
	(void)ctx;
	ppp_template_free(gone);
	template = NULL;
	event("{\"event\":\"template-gone\"}");
}

static const struct ppp_template_ops template_ops = { .forked = on_forked, .gone = on_gone };

/* --- the monitor's part ---------------------------------------------------------------------- */

static int pidfd_reap(int pidfd)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, pidfd, &info, WEXITED | __WALL) < 0)
		die("waitid");
	return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

static void on_exit_ready(void *ctx, int events)
{
	struct session *session = ctx;
	int status = pidfd_reap(session->pidfd);

	(void)events;
	env_io_free(session->exit_io);
	session->exit_io = NULL;
	close(session->pidfd);
	session->pidfd = -1;
	event("{\"event\":\"exit\",\"session\":%u,\"status\":%d}", session->id, status);
}

static void on_template_exit(void *ctx, int events)
{
	int status = pidfd_reap(template_pidfd);

	(void)ctx, (void)events;
	env_io_free(template_io);
	template_io = NULL;
	close(template_pidfd);
	template_pidfd = -1;
	env_io_free(report_io);
	report_io = NULL;
	close(report_fd);
	event("{\"event\":\"template-exit\",\"status\":%d}", status);
}

/* Takes one report. False: none waits. */
static bool report_read(void)
{
	union ppp_message message;
	ssize_t len = recv(report_fd, &message, sizeof(message), MSG_DONTWAIT);
	struct session *session;

	if (len == 0)
		env_io_set(report_io, 0);
	if (len <= 0)
		return false;
	if (ppp_message_check(&message, len) || message.head.type != PPP_FORK_REPORT)
		die("broken report");
	session = &sessions[message.head.session];
	session->pidfd = syscall(SYS_pidfd_open, message.forked.pid, 0);
	if (session->pidfd < 0)
		die("no pidfd");
	event("{\"event\":\"report\",\"session\":%u,\"pid\":%d}", session->id, message.forked.pid);
	if (template_exec) {
		/* The template is this session now, and known already. */
		env_io_free(template_io);
		template_io = NULL;
	}
	session->exit_io = env_io_new(env, session->pidfd, ENV_READ, on_exit_ready, session);
	return true;
}

static void on_report(void *ctx, int events)
{
	(void)ctx, (void)events;
	report_read();
}

/* Between fork and exec of a template: what the monitor does there. */
static void template_confine(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective =
							    1 << CAP_NET_ADMIN | 1 << CAP_SETPCAP,
		.permitted = 1 << CAP_NET_ADMIN | 1 << CAP_SETPCAP } };

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
		mount("tmpfs", "/etc/ppp", "tmpfs", 0, "size=64k") < 0 ||
		mount("tmpfs", "/run", "tmpfs", 0, "size=64k") < 0)
		die("mount namespace");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no_new_privs");
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap != CAP_NET_ADMIN && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
			errno != EINVAL)
			die("bounding set");
	if (syscall(SYS_capset, &head, data) < 0)
		die("capset");
}

static void template_start(struct config_ppp *ppp, bool preload)
{
	static struct config config = { .name = "lns1.example.net" };
	int fork_pair[2], report_pair[2];
	const char *argv[64];
	char buf[1024];
	pid_t pid;
	int err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fork_pair) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report_pair) < 0)
		die("socketpair");
	snprintf(config.pppd, sizeof(config.pppd), "%s", pppd_path);
	snprintf(config.plugin, sizeof(config.plugin), "%s", plugin_path);
	err = ppp_template_argv(&config, ppp, 10, 11, buf, sizeof(buf), argv, 64);
	if (err) {
		errno = -err;
		die("ppp_template_argv");
	}
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		int devnull = open("/dev/null", O_RDWR);

		dup2(devnull, 0);
		dup2(2, 1);
		dup2(fork_pair[1], 10);
		dup2(report_pair[1], 11);
		if (preload)
			setenv("LD_PRELOAD", plugin_path, 1);
		template_confine();
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fork_pair[1]);
	close(report_pair[1]);
	template_pidfd = syscall(SYS_pidfd_open, pid, 0);
	template_io = env_io_new(env, template_pidfd, ENV_READ, on_template_exit, NULL);
	fork_fd = fork_pair[0];
	report_fd = report_pair[0];
	report_io = env_io_new(env, report_fd, ENV_READ, on_report, NULL);
	template_exec = ppp->exec;
	if (ppp_template_new(env, fork_pair[0], &template_ops, NULL, &template))
		die("ppp_template_new");
	event("{\"event\":\"template\",\"pid\":%d}", pid);
}

/* --- tunnel and sessions --------------------------------------------------------------------- */

static void netns_enter(int side)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns[side]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(path);
	close(fd);
}

static int pppox_open(int side, unsigned int session)
{
	struct sockaddr_pppol2tp addr = { .sa_family = AF_PPPOX,
		.sa_protocol = PX_PROTO_OL2TP,
		.pppol2tp = { .fd = udp[side],
			.s_tunnel = TUNNEL + side,
			.d_tunnel = TUNNEL + 1 - side,
			.s_session = session,
			.d_session = session } };
	int fd;

	netns_enter(side);
	fd = socket(AF_PPPOX, SOCK_DGRAM | SOCK_CLOEXEC, PX_PROTO_OL2TP);
	addr.pppol2tp.addr.sin_family = AF_INET;
	addr.pppol2tp.addr.sin_addr.s_addr = htonl(side ? 0x0a090001 : 0x0a090002);
	addr.pppol2tp.addr.sin_port = htons(1701);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("PPPoL2TP socket");
	return fd;
}

static void tunnel_open(int side)
{
	struct sockaddr_in local = { .sin_family = AF_INET,
		.sin_port = htons(1701),
		.sin_addr.s_addr = htonl(side ? 0x0a090002 : 0x0a090001) };
	struct sockaddr_in peer = local;

	peer.sin_addr.s_addr = htonl(side ? 0x0a090001 : 0x0a090002);
	netns_enter(side);
	udp[side] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (udp[side] < 0 || bind(udp[side], (struct sockaddr *)&local, sizeof(local)) < 0 ||
		connect(udp[side], (struct sockaddr *)&peer, sizeof(peer)) < 0)
		die("UDP socket");
	keep[side] = pppox_open(side, 0);
}

static void on_frame(void *ctx, int events)
{
	struct session *session = ctx;
	uint8_t frame[2048];
	char hex[2 * sizeof(frame) + 1];
	ssize_t len = recv(session->lac_pppox, frame, sizeof(frame), MSG_DONTWAIT);

	(void)events;
	if (len < 0)
		return;
	hex_text(hex, frame, len);
	event("{\"event\":\"frame\",\"session\":%u,\"data\":\"%s\"}", session->id, hex);
}

/* --- commands -------------------------------------------------------------------------------- */

static struct session *session_arg(const char *word)
{
	unsigned long id = strtoul(word, NULL, 10);

	if (id == 0 || id > SESSIONS)
		die("session id");
	return &sessions[id];
}

static const char *option(char **words, const char *name)
{
	size_t len = strlen(name);

	for (; *words; words++)
		if (strncmp(*words, name, len) == 0 && (*words)[len] == '=')
			return *words + len + 1;
	return "";
}

/* template auth=cmp [exec=1] [ipv6=1] [echo=SECONDS] [preload=0] */
static void command_template(char **words)
{
	struct config_ppp ppp = { .name = "test", .mtu = 1460, .mru = 1460, .lcp_echo_failure = 3 };
	const char *auth = option(words, "auth");

	ppp.ipv4 = true;
	ppp.ipv6 = *option(words, "ipv6") == '1';
	ppp.exec = *option(words, "exec") == '1';
	ppp.lcp_echo_interval = strtoul(option(words, "echo"), NULL, 10);
	/* Letters: c CHAP-MD5, m MS-CHAPv2, p PAP. */
	ppp.auth = (strchr(auth, 'c') ? CONFIG_AUTH_CHAP : 0) |
		   (strchr(auth, 'e') ? CONFIG_AUTH_EAP : 0) |
		   (strchr(auth, 'm') ? CONFIG_AUTH_MSCHAP_V2 : 0) |
		   (strchr(auth, 'p') ? CONFIG_AUTH_PAP : 0);
	netns_enter(0);
	template_start(&ppp, *option(words, "preload") != '0');
}

/* open N: makes both ends of a session */
static void command_open(char **words)
{
	struct session *session = session_arg(words[0]);

	session->id = session - sessions;
	session->kept = session->pidfd = -1;
	session->lns_pppox = pppox_open(0, session->id);
	if (ioctl(session->lns_pppox, PPPIOCGCHAN, &session->ppp_number) < 0)
		die("PPPIOCGCHAN");
	session->lac_pppox = pppox_open(1, session->id);
}

/* watch N: frames that the LAC's end gets become events (for scripted clients) */
static void command_watch(char **words)
{
	struct session *session = session_arg(words[0]);

	session->frame_io = env_io_new(env, session->lac_pppox, ENV_READ, on_frame, session);
}

/* close N: the access concentrator lets go of a session whose pppd has ended */
static void command_close(char **words)
{
	struct session *session = session_arg(words[0]);

	env_io_free(session->frame_io);
	session->frame_io = NULL;
	close(session->lac_pppox);
	session->lac_pppox = -1;
	ppp_channel_free(session->channel);
	session->channel = NULL;
}

/* send N HEX: sends a frame, beginning with the protocol, from the LAC's end */
static void command_send(char **words)
{
	struct session *session = session_arg(words[0]);
	uint8_t frame[2048];
	size_t len = hex_parse(frame, sizeof(frame), words[1]);

	if (send(session->lac_pppox, frame, len, 0) < 0)
		event("{\"event\":\"send-failed\",\"session\":%u}", session->id);
}

static uint16_t blob(char **words, const char *name, uint8_t out[256])
{
	return hex_parse(out, 256, option(words, name));
}

/*
 * fork N [tunnel=other lcp=accept|renegotiate|never type= id= sent= received= name= challenge= response=];
 * tunnel=other: with a socket that is no tunnel's, since nothing may be asked of that socket
 */
static void command_fork(char **words)
{
	struct session *session = session_arg(words[0]);
	struct ppp_fork fork_request = { .mtu = 1460, .mru = 1460, .exec = template_exec };
	struct ppp_proxy *proxy = &fork_request.proxy;
	const char *lcp = option(words, "lcp");
	int tunnel = *option(words, "tunnel") == 'o' ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
						     : dup(udp[0]);
	int fd, err;

	fork_request.proxy_lcp = *lcp == 'a'   ? PPP_PROXY_ACCEPT
				 : *lcp == 'r' ? PPP_PROXY_RENEGOTIATE
					       : PPP_PROXY_NEVER;
	proxy->authen_type = strtoul(option(words, "type"), NULL, 10);
	proxy->authen_id = strtoul(option(words, "id"), NULL, 10);
	proxy->last_sent_len = blob(words, "sent", proxy->last_sent);
	proxy->last_received_len = blob(words, "received", proxy->last_received);
	proxy->name_len = blob(words, "name", proxy->name);
	proxy->challenge_len = blob(words, "challenge", proxy->challenge);
	proxy->response_len = blob(words, "response", proxy->response);
	fork_request.channel = session->ppp_number;
	fork_request.tunnel_local = htonl(0x0a090001);
	fork_request.tunnel_peer = htonl(0x0a090002);
	snprintf(fork_request.name, sizeof(fork_request.name), "l2tp1-%u", session->id);
	if (ppp_channel_new(env, session->id, &channel_ops, session, &session->channel, &fd))
		die("ppp_channel_new");
	err = template ? ppp_template_fork(template, session->id, &fork_request, session->lns_pppox,
				 fd, tunnel)
		       : -EPIPE;
	if (err)
		event("{\"event\":\"forked\",\"session\":%u,\"error\":%d,\"pid\":0}", session->id,
			err);
	close(fd);
	close(tunnel);
	close(session->lns_pppox);
	session->lns_pppox = -1;
}

/* client N [pppd options...]: a pppd with the stock pppol2tp plugin on the LAC's end */
static void command_client(char **words)
{
	struct session *session = session_arg(words[0]);
	char fd_text[16], tunnel[16], id[16];
	char *argv[WORDS + 32] = { (char *)client_path, "plugin", "pppol2tp.so", "pppol2tp",
		fd_text, "pppol2tp_tunnel_id", tunnel, "pppol2tp_session_id", id, "nodetach",
		"noauth", "noipdefault", "ipcp-accept-local", "ipcp-accept-remote",
		"nodefaultroute", "noccp", "nolog", "linkname", NULL };
	char link[16];
	int argc = 18;
	pid_t pid;

	snprintf(fd_text, sizeof(fd_text), "%d", session->lac_pppox);
	snprintf(tunnel, sizeof(tunnel), "%d", TUNNEL + 1);
	snprintf(id, sizeof(id), "%u", session->id);
	snprintf(link, sizeof(link), "client%u", session->id);
	argv[argc++] = link;
	for (words++; *words; words++)
		if (strcmp(*words, "ccp") == 0)
			argv[15] = "novj";
		else
			argv[argc++] = *words;
	argv[argc] = NULL;
	pid = fork();
	if (pid == 0) {
		int devnull = open("/dev/null", O_RDWR);

		netns_enter(1);
		dup2(devnull, 0);
		dup2(devnull, 1);
		fcntl(session->lac_pppox, F_SETFD, 0);
		execv(client_path, argv);
		_exit(127);
	}
	session->client = pid;
	close(session->lac_pppox);
	session->lac_pppox = -1;
}

/* As in the monitor, a signal may overtake the report of its session. */
static void session_signal(struct session *session, int signal)
{
	while (session->pidfd < 0 && report_io && report_read())
		;
	if (session->pidfd > 0)
		syscall(SYS_pidfd_send_signal, session->pidfd, signal, NULL, 0);
}

/* signal N SIGNAL: to the session's pppd;  hangup N: SIGTERM to the client */
static void command_signal(char **words)
{
	session_signal(session_arg(words[0]), strtoul(words[1], NULL, 10));
}

static void command_hangup(char **words)
{
	struct session *session = session_arg(words[0]);

	if (session->client > 0)
		kill(session->client, SIGTERM);
}

/* engine-down: channels are kept by the monitor alone, nobody reads;  engine-up: a new engine */
static void command_engine_down(char **words)
{
	(void)words;
	for (unsigned int i = 1; i <= SESSIONS; i++)
		if (sessions[i].channel) {
			sessions[i].kept =
				fcntl(ppp_channel_fd(sessions[i].channel), F_DUPFD_CLOEXEC, 0);
			ppp_channel_free(sessions[i].channel);
			sessions[i].channel = NULL;
		}
	event("{\"event\":\"engine-down\"}");
}

static void command_engine_up(char **words)
{
	(void)words;
	for (unsigned int i = 1; i <= SESSIONS; i++)
		if (sessions[i].kept > 0) {
			if (ppp_channel_adopt(env, sessions[i].kept, i, &channel_ops, &sessions[i],
				    &sessions[i].channel))
				die("ppp_channel_adopt");
			sessions[i].kept = -1;
		}
	event("{\"event\":\"engine-up\"}");
}

/* abandon N: the engine gives up a session: the channel is closed for good */
static void command_abandon(char **words)
{
	struct session *session = session_arg(words[0]);

	ppp_channel_free(session->channel);
	session->channel = NULL;
	event("{\"event\":\"abandoned\",\"session\":%u}", session->id);
}

/* answers silent|normal|reject|unavailable;  flags N;  user NAME PASSWORD */
static void command_answers(char **words)
{
	silent = words[0][0] == 's';
	reply_result = words[0][0] == 'r'   ? PPP_AUTH_REJECT
		       : words[0][0] == 'u' ? PPP_AUTH_UNAVAILABLE
					    : 0;
}

/* challenge SESSION PACKET WAIT STATE (hexadecimal, "-" for none): goes on with EAP */
static void command_challenge(char **words)
{
	struct session *session = session_arg(words[0]);
	struct ppp_eap eap = { .request = session->question, .wait = strtoul(words[2], NULL, 10) };

	eap.packet_len = hex_parse(eap.packet, sizeof(eap.packet), words[1]);
	eap.state_len = hex_parse(eap.state, sizeof(eap.state), words[3]);
	if (ppp_channel_ask(session->channel, &eap))
		die("ppp_channel_ask");
}

/* decide SESSION RESULT: ends EAP; 1 accept, 2 reject, 3 unavailable */
static void command_decide(char **words)
{
	struct session *session = session_arg(words[0]);
	struct ppp_auth_reply reply = { .request = session->question };

	reply.result = strtoul(words[1], NULL, 10);
	reply_send(session, &reply);
}

static void command_flags(char **words)
{
	reply_flags = strtoul(words[0], NULL, 10);
}

/* drop-template: closes the fork socket, as when engine and monitor end */
static void command_drop_template(char **words)
{
	(void)words;
	ppp_template_free(template);
	template = NULL;
}

/* malformed: sends the template a request that is none */
static void command_malformed(char **words)
{
	(void)words;
	if (send(fork_fd, "x", 1, 0) != 1)
		die("send");
}

/* quit: kills what still runs */
static void command_quit(char **words)
{
	(void)words;
	for (unsigned int i = 1; i <= SESSIONS; i++) {
		session_signal(&sessions[i], SIGKILL);
		if (sessions[i].client > 0)
			kill(sessions[i].client, SIGKILL);
	}
	env_ev_stop(env);
}

static const struct {
	const char *name;
	int words; /* at least so many after the name */
	void (*run)(char **words);
} commands[] = {
	{ "template", 1, command_template },
	{ "open", 1, command_open },
	{ "watch", 1, command_watch },
	{ "close", 1, command_close },
	{ "send", 2, command_send },
	{ "fork", 1, command_fork },
	{ "client", 1, command_client },
	{ "signal", 2, command_signal },
	{ "hangup", 1, command_hangup },
	{ "engine-down", 0, command_engine_down },
	{ "engine-up", 0, command_engine_up },
	{ "abandon", 1, command_abandon },
	{ "answers", 1, command_answers },
	{ "challenge", 4, command_challenge },
	{ "decide", 2, command_decide },
	{ "flags", 1, command_flags },
	{ "drop-template", 0, command_drop_template },
	{ "malformed", 0, command_malformed },
	{ "quit", 0, command_quit },
};

static void command_run(char *line)
{
	char *words[WORDS + 1] = { NULL };
	int count = 0;

	for (char *save = NULL, *word = strtok_r(line, " \n", &save); word && count < WORDS;
		word = strtok_r(NULL, " \n", &save))
		words[count++] = word;
	if (count == 0)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, words[0]) == 0 && count > commands[i].words) {
			commands[i].run(words + 1);
			return;
		}
	errno = EINVAL;
	die(words[0]);
}

static void on_stdin(void *ctx, int events)
{
	static char buf[65536];
	static size_t used;
	ssize_t len = read(0, buf + used, sizeof(buf) - 1 - used);
	char *line = buf, *end;

	(void)ctx, (void)events;
	if (len <= 0) {
		env_ev_stop(env);
		return;
	}
	used += len;
	buf[used] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		command_run(line);
		line = end + 1;
	}
	used -= line - buf;
	memmove(buf, line, used);
}

static void client_signal(int signal)
{
	int saved = errno;

	(void)signal;
	(void)!write(client_signals[1], "", 1);
	errno = saved;
}

/* Clients are reaped by pid: sessions and templates only by their pidfds. */
static void on_client_exit(void *ctx, int events)
{
	char drain[64];

	(void)ctx, (void)events;
	(void)!read(client_signals[0], drain, sizeof(drain));
	for (unsigned int i = 1; i <= SESSIONS; i++) {
		int status;

		if (sessions[i].client <= 0 || waitpid(sessions[i].client, &status, WNOHANG) <= 0)
			continue;
		sessions[i].client = 0;
		event("{\"event\":\"client-exit\",\"session\":%u,\"status\":%d}", i,
			WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = client_signal, .sa_flags = SA_RESTART };

	if (argc != 6) {
		fprintf(stderr,
			"usage: plugin_harness LNS-NETNS LAC-NETNS PPPD PLUGIN CLIENT-PPPD\n");
		return 2;
	}
	netns[0] = argv[1];
	netns[1] = argv[2];
	pppd_path = argv[3];
	plugin_path = argv[4];
	client_path = argv[5];
	env = env_ev_new();
	if (!env || pipe2(client_signals, O_CLOEXEC | O_NONBLOCK) < 0 ||
		sigaction(SIGCHLD, &action, NULL) < 0)
		die("start");
	tunnel_open(0);
	tunnel_open(1);
	stdin_io = env_io_new(env, 0, ENV_READ, on_stdin, NULL);
	client_io = env_io_new(env, client_signals[0], ENV_READ, on_client_exit, NULL);
	event("{\"event\":\"ready\"}");
	env_ev_run(env);
	return 0;
}
