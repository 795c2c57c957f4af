/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the configuration: values, every kind of error with its line, files and their modes, the
 * shipped examples and the manual page.
 *
 * LNS_UPDATE_MAN=1 rewrites the options part of conf/man/lns.conf.5 instead of comparing it.
 */
#include "lns/config/config.h"
#include "lns/config/schema.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A small complete configuration; texts behind it begin in line 5. */
#define BASE                                                                                       \
	"users = users\n"                                                                          \
	"lac l { peers = 10.0.0.0/8 ppp = p }\n"                                                   \
	"ppp p { local-address = 192.0.2.1 pool = o }\n"                                           \
	"pool o { ranges = 100.64.0.0/24 }\n"
#define USERS "test test *\n"

static char said[8192]; /* what was reported, a line each */

static void report(void *ctx, const char *line)
{
	size_t len = strlen(said);

	cr_assert_eq(ctx, said);
	snprintf(said + len, sizeof(said) - len, "%s\n", line);
}

/* Parses text as lns.conf, with a users file and an included one. NULL when refused: see said. */
static struct config *parse(const char *text, size_t len, const char *users, const char *included)
{
	const struct config_text texts[] = {
		{ "lns.conf", text, len },
		{ "users", users, strlen(users) },
		{ "more.conf", included, strlen(included) },
		{ "key", "s3cret\nnot this\n", 16 },
		{ "empty", "\n", 1 },
	};
	struct config *config = NULL;
	int fd, error;

	*said = '\0';
	cr_assert_eq(config_bundle_memory(texts, 5, &fd), 0);
	error = config_parse(fd, report, said, &config);
	close(fd);
	cr_assert(error ? error == -EINVAL && !config : config != NULL);
	cr_assert(!error || *said, "a refused configuration says why");
	return config;
}

static struct config *parse_text(const char *text)
{
	return parse(text, strlen(text), USERS, "");
}

/* BASE and text give exactly these lines; "" is success. */
static void expect(const char *text, const char *lines)
{
	char whole[4096];
	struct config *config;

	snprintf(whole, sizeof(whole), "%s%s", BASE, text);
	config = parse_text(whole);
	cr_assert_str_eq(said, lines, "%s\ngave: %s\nnot:  %s", text, said, lines);
	cr_assert_eq(config != NULL, !*lines);
	config_free(config);
}

Test(config, defaults)
{
	struct config *config = parse_text(BASE);
	const struct config_lac *lac;
	const struct config_ppp *ppp;

	cr_assert(config, "%s", said);
	cr_assert_str_eq(said, "");
	cr_assert_eq(config->listen_count, 2);
	cr_assert_eq(addr_port(&config->listen[1]), 1701);
	cr_assert_str_eq(config->user, "lnsd");
	cr_assert_str_eq(config->group, "");
	cr_assert_str_eq(config->l2tp.host_name, config->name);
	cr_assert(*config->name);
	cr_assert_str_eq(config->run_dir, "/run/lnsd");
	cr_assert_eq(config->link_group, 1701);
	cr_assert_eq(config->setup_timeout, 60000000);
	cr_assert(!config->has_radius);
	cr_assert_eq(config->lac_count, 1);
	lac = &config->lacs[0];
	cr_assert_str_eq(lac->lac.name, "l");
	cr_assert_str_eq(lac->lac.ppp, "p");
	cr_assert_eq(lac->lac.hello, 60000000);
	cr_assert_eq(lac->lac.window, 64);
	cr_assert_eq(lac->lac.retransmit_cap, 8000000);
	cr_assert_eq(lac->proxy_lcp, -1);
	cr_assert_eq(lac->sequencing, CONFIG_SEQUENCING_ALLOW);
	cr_assert_eq(lac->reorder_timeout, 0);
	cr_assert_eq(config_find_lac_section(config, "l"), lac);
	cr_assert_null(config_find_lac_section(config, "p"));
	cr_assert(!lac->lac.challenge);
	ppp = config_find_ppp(config, "p");
	cr_assert_eq(ppp->auth, CONFIG_AUTH_CHAP | CONFIG_AUTH_MSCHAP_V2 | CONFIG_AUTH_PAP);
	cr_assert_eq(ppp->mtu, 1460);
	cr_assert_eq(ppp->lcp_echo_interval, 30);
	cr_assert_eq(ppp->proxy_lcp, 0);
	cr_assert(ppp->ipv4 && !ppp->ipv6);
	cr_assert_eq(config_find_pool(config, "o")->ranges[0].last, 0x644000ff);
	cr_assert(!config_find_pool(config, "p"));
	cr_assert_eq(config->user_count, 1);
	cr_assert_str_eq(config->users[0].name, "test");
	config_free(config);
	config_free(NULL);
}

Test(config, values)
{
	struct config *config = parse_text(
		"name = n1 /* comment\n */ listen = { 192.0.2.1:1702, \"[2001:db8::1]:5\", \"::1\" }\n"
		"log-level = debug // x\n"
		"lac a { peers = { 10.0.0.0/8 } peers += { \"2001:db8::/32\" } host-name = 'Bng*'\n"
		"  secret = 'a\"b\\'c${d}#' hello = 1500ms hide-avps = yes port-per-tunnel = on\n"
		"  ppp = p proxy-lcp = never sequencing = demand reorder-timeout = 50ms challenge = false idle = 2h }\n"
		"ppp p { auth = { pap } local-address = 192.0.2.1 dns = { 192.0.2.2, 192.0.2.3 }\n"
		"  lcp-echo = 1m ipv6 = true mtu = 1500 }\n"
		"sample-interval = 5 radius { interim = 0 checkpoint-interval = 20s request-rate = 7 nas-ip-address = 192.0.2.1\n"
		"  server 192.0.2.9 { secret-file = key acct-port = 0 message-authenticator = no }\n"
		"  server \"2001:db8::9\" { secret = two auth-port = 0 }\n"
		"}\n");
	const struct config_lac *lac;
	char text[ADDR_TEXT];

	cr_assert(config, "%s", said);
	cr_assert_str_eq(addr_text(&config->listen[0], text), "192.0.2.1:1702");
	cr_assert_str_eq(addr_text(&config->listen[1], text), "[2001:db8::1]:5");
	cr_assert_str_eq(addr_text(&config->listen[2], text), "[::1]:1701");
	cr_assert_eq(config->log_level, 3);
	lac = &config->lacs[0];
	cr_assert_eq(lac->peer_count, 2);
	cr_assert_eq(lac->lac.secret.len, 10);
	cr_assert_arr_eq(lac->lac.secret.data, "a\"b'c${d}#", 10);
	cr_assert_eq(lac->lac.hello, 1500000);
	cr_assert_eq(lac->lac.idle, UINT64_C(7200000000));
	cr_assert(lac->lac.hide_avps && lac->lac.host_ports == 1 && !lac->lac.challenge);
	cr_assert_eq(lac->proxy_lcp, 2);
	cr_assert_eq(lac->sequencing, CONFIG_SEQUENCING_DEMAND);
	cr_assert_eq(lac->reorder_timeout, 50000);
	cr_assert_eq(config->ppps[0].auth, CONFIG_AUTH_PAP);
	cr_assert_eq(config->ppps[0].lcp_echo_interval, 60);
	cr_assert_str_eq(addr_text_host(&config->ppps[0].dns[1], text), "192.0.2.3");
	cr_assert(config->has_radius);
	cr_assert_eq(config->radius.server_count, 2);
	cr_assert_eq(config->radius.servers[0].secret.len, 6);
	cr_assert_arr_eq(config->radius.servers[0].secret.data, "s3cret", 6);
	cr_assert_eq(config->radius.servers[0].acct_port, 0);
	cr_assert_eq(config->radius.servers[0].message_authenticator, 2);
	cr_assert_eq(config->radius.servers[1].addr.sa.sa_family, AF_INET6);
	cr_assert_eq(config->radius.interim, 0);
	cr_assert_eq(config->radius.checkpoint_interval, 20000000);
	cr_assert_eq(config->radius.request_rate, 7);
	cr_assert_eq(config->sample_interval, 5000000);
	cr_assert_eq(config->radius.timeout, 3000000);
	config_free(config);
}

/* A secret is never shown, not even its second half when somebody forgot the quotes. */
Test(config, errors_of_secrets)
{
	static const char *const texts[] = { "secret = abc Geheim", "secret = abc 'Geheim'",
		"secret = abc, Geheim", "secret = abc Geheim = 1",
		"secret = Geheim secret = Geheim" };
	char text[200], whole[600];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(text, sizeof(text), "lac x { peers = ::/0 ppp = p\n%s }\n", texts[i]);
		snprintf(whole, sizeof(whole), "%s%s", BASE, text);
		cr_assert(!parse_text(whole));
		cr_assert(!strstr(said, "Geheim"), "%s: %s", texts[i], said);
		cr_assert_eq(strncmp(said, "lns.conf:6: lac \"x\": ", 21), 0, "%s", said);
	}
	snprintf(text, sizeof(text), "lac x { peers = ::/0 ppp = p\nsecret = abc helo = 1 }\n");
	expect(text, "lns.conf:6: lac \"x\": unknown option 'helo'; did you mean 'hello'?\n");
}

/* One mistake each. */
Test(config, errors_of_values)
{
#define LAC(option) "lac x { peers = 10.0.0.1 ppp = p\n" option " }\n"
#define AT_LAC      "lns.conf:6: lac \"x\": "
#define PPP(option) "ppp x { local-address = 192.0.2.1 pool = o\n" option " }\n"
#define AT_PPP      "lns.conf:6: ppp \"x\": "
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{ "", "" },
		{ LAC("hello = abc"), AT_LAC "hello: 'abc' is not a time (example: 60s)\n" },
		{ LAC("hello = -1"), AT_LAC "hello: '-1' is not a time (example: 60s)\n" },
		{ LAC("hello = 1d"), AT_LAC "hello: '1d' is not a time (example: 60s)\n" },
		{ LAC("hello = 25h"), AT_LAC "hello: '25h' is out of range (from 0s to 24h)\n" },
		{ LAC("hello = 18446744073709551615h"), AT_LAC
			"hello: '18446744073709551615h' is out of range (from 0s to 24h)\n" },
		{ LAC("hello = 99999999999999999999"),
			AT_LAC "hello: '99999999999999999999' is not a time (example: 60s)\n" },
		{ LAC("window = 0"), AT_LAC "window: '0' is out of range (from 1 to 1024)\n" },
		{ LAC("window = 1025"),
			AT_LAC "window: '1025' is out of range (from 1 to 1024)\n" },
		{ LAC("window = 0x10"), AT_LAC "window: '0x10' is not a number\n" },
		{ LAC("window = 1024"), "" },
		{ LAC("retransmit-cap = 7999ms"),
			AT_LAC "retransmit-cap: '7999ms' is out of range (from 8s to 1m)\n" },
		{ LAC("lenient = maybe"), AT_LAC "lenient: 'maybe' is neither true nor false\n" },
		{ LAC("secret = ''"), AT_LAC "secret: the secret is empty\n" },
		{ LAC("secret-file = empty"), AT_LAC "secret-file: the secret in it is empty\n" },
		{ LAC("secret-file = nowhere"),
			AT_LAC "secret-file: nowhere: No such file or directory\n" },
		{ LAC("secret-file = lns.conf"),
			AT_LAC "secret-file: lns.conf: is used for something else already\n" },
		{ LAC("secret-file = key"), "" },
		{ LAC("secret-file = key secret = x"),
			AT_LAC "secret-file: secret is given, too; one of them is enough\n" },
		{ LAC("challenge = true"), AT_LAC "challenge: needs a secret\n" },
		{ LAC("challenge = true secret = x"), "" },
		{ LAC("hide-avps = true"), AT_LAC "hide-avps: needs a secret\n" },
		{ LAC("peers += { 10.0.0.1/8 }"),
			AT_LAC "peers: '10.0.0.1/8' is not a prefix, or has "
			       "host bits (example: 192.0.2.0/24)\n" },
		{ LAC("peers = { 10.0.0.2 }"),
			AT_LAC "peers: is given twice; += adds to a list\n" },
		{ LAC("hello = 1\nhello = 2"), "lns.conf:7: lac \"x\": hello: is given twice\n" },
		{ LAC("host-name = 'a b'"), AT_LAC "host-name: 'a b' is not a host name\n" },
		{ LAC("proxy-lcp = yes"), AT_LAC "proxy-lcp: 'yes' is not known (one of accept, "
						 "renegotiate, never)\n" },
		{ PPP("auth = { chap, srp }"),
			AT_PPP "auth: 'srp' is not known (one of chap, mschap-v2, pap, eap)\n" },
		{ PPP("auth = { chap, eap }"), AT_PPP "auth: 'eap' needs a radius section\n" },
		{ PPP("auth = {}"), "lns.conf:5: ppp \"x\": auth: the list is empty\n" },
		{ PPP("mtu = 575"), AT_PPP "mtu: '575' is out of range (from 576 to 1500)\n" },
		{ PPP("dns = ::1"), AT_PPP "dns: '::1' is not an IPv4 address\n" },
		{ PPP("dns = { 1.1.1.1, 1.1.1.2, 1.1.1.3 }"),
			AT_PPP "dns: '1.1.1.3' is one too many\n" },
		{ PPP("lcp-echo = 1500ms"),
			AT_PPP "lcp-echo: '1500ms' is not a whole number of seconds\n" },
		{ PPP("ipv4 = no"), "lns.conf:5: ppp \"x\": neither ipv4 nor ipv6 is on\n" },
		{ "pool x { ranges = 10.0.0.9-10.0.0.1 }\n",
			"lns.conf:5: pool \"x\": ranges: '10.0.0.9-10.0.0.1' ends before it begins\n" },
		{ "pool x { ranges = 10.0.0.0/7 }\n",
			"lns.conf:5: pool \"x\": ranges: '10.0.0.0/7' has "
			"more than 16777216 addresses\n" },
		{ "pool x { ranges = 0.0.0.0/8 }\n",
			"lns.conf:5: pool \"x\": ranges: '0.0.0.0/8' has "
			"addresses that no host can have\n" },
		{ "pool x { ranges = 10.0.0.1-x }\n",
			"lns.conf:5: pool \"x\": ranges: '10.0.0.1-x' is not a range of IPv4 addresses "
			"(example: 100.64.0.2-100.64.0.254)\n" },
		{ "pool x { }\n", "lns.conf:5: pool \"x\": ranges is missing\n" },
		{ "pool 'a b' { ranges = 10.0.0.1 }\n",
			"lns.conf:5: pool \"a b\": is not a name (letters, "
			"digits, _ . - and at most 63)\n" },
		{ "run-dir = run", "lns.conf:5: run-dir: 'run' is not an absolute path\n" },
		{ "listen = 1.2.3.4:x\n",
			"lns.conf:5: listen: '1.2.3.4:x' has no valid port (example: 192.0.2.1:1701)\n" },
		{ "listen = '[::1]x'\n",
			"lns.conf:5: listen: '[::1]x' has no valid port (example: 192.0.2.1:1701)\n" },
		{ "listen = here\n", "lns.conf:5: listen: 'here' is not an address\n" },
		{ "user = 'a/b'\n", "lns.conf:5: user: 'a/b' is not the name of an account\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].text, cases[i].lines);
}

Test(config, run_dir_leaves_room_for_the_socket)
{
	char text[200], lines[300];

	for (size_t len = 91; len <= 92; len++) {
		snprintf(text, sizeof(text), "run-dir = /%0*d\n", (int)len - 1, 0);
		snprintf(lines, sizeof(lines),
			"lns.conf:5: run-dir: '/%0*d' is too long (at most 91 characters)\n",
			(int)len - 1, 0);
		expect(text, len == 91 ? "" : lines);
	}
}

Test(config, errors_between_sections)
{
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{ "lac x { peers = ::/0 ppp = nope }\n",
			"lns.conf:5: lac \"x\": ppp: there is no ppp section \"nope\"\n" },
		{ "ppp x { local-address = 192.0.2.1 pool = nope }\n",
			"lns.conf:5: ppp \"x\": pool: there is no pool section \"nope\"\n" },
		{ "ppp x { pool = o }\n",
			"lns.conf:5: ppp \"x\": local-address is missing (example: "
			"local-address = \"100.64.0.1\")\n" },
		{ "ppp x { pool = o local-address = 100.64.0.5 }\n",
			"lns.conf:5: ppp \"x\": local-address: 100.64.0.5 is in pool \"o\"\n" },
		{ "ppp x { local-address = 192.0.2.1 }\n",
			"lns.conf:5: ppp \"x\": pool is missing, and there are users without an address "
			"of their own\n" },
		{ "pool x { ranges = { 10.0.0.1,\n100.64.0.9-100.64.1.0 } }\n",
			"lns.conf:6: pool \"x\": ranges: '100.64.0.9-100.64.1.0' overlaps with another "
			"range of pool \"o\", from 100.64.0.9 on\n" },
		{ "pool x { ranges = { 100.64.1.0/24, 100.63.255.255 } }\n", "" },
		{ "listen = { 10.0.0.1,\n10.0.0.1:1702, 10.0.0.1:1701 }\n",
			"lns.conf:6: listen: 10.0.0.1:1701 is given twice\n" },
		{ "\nlac l { peers = ::/0 ppp = p }\nmtu = 3\n",
			"lns.conf:6: the name \"l\" is given to two sections\n"
			"lns.conf:7: unknown option 'mtu'; 'mtu' belongs into a section ppp\n" },
		{ "radius { server 10.0.0.1 { secret = x } }\n",
			"lns.conf:1: users: there is a radius section, too; subscribers are looked up in "
			"one place, so remove this option or that section\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].text, cases[i].lines);
}

Test(config, dynamic_authorization)
{
#define HEAD "lac l { peers = ::/0 ppp = p }\nppp p { local-address = 192.0.2.1 }\n"
#define DAS(text)                                                                                  \
	HEAD "radius { server 10.0.0.1 { secret = x }\ndynamic-authorization {\n" text "\n} }\n"
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{ DAS(""), "lns.conf:6: radius: dynamic-authorization: nobody may send requests "
			   "(example: client \"192.0.2.10\" { secret = '...' })\n" },
		{ DAS("client 10.0.0.1 { }"),
			"lns.conf:5: radius: dynamic-authorization: client \"10.0.0.1\": secret or "
			"secret-file is missing\n" },
		{ DAS("client nobody { secret = x }"),
			"lns.conf:5: radius: dynamic-authorization: client \"nobody\": is not an "
			"address\n" },
		{ DAS("client ::1 { secret = x }\nclient 0::1 { secret = x }"),
			"lns.conf:6: radius: dynamic-authorization: client \"0::1\": the same address "
			"is given to two clients\n" },
		{ DAS("client ::1 { secret = x } address = 10.0.0.2"),
			"lns.conf:5: radius: dynamic-authorization: client \"::1\": cannot send to the "
			"address given there\n" },
		{ DAS("client 10.0.0.1 { secret = x } address = { 10.0.0.2,\n10.0.0.2 }"),
			"lns.conf:6: radius: dynamic-authorization: address: 10.0.0.2 is given twice\n" },
		{ DAS("client 10.0.0.1 { secret = x } port = 1023"),
			"lns.conf:5: radius: dynamic-authorization: port: '1023' is out of range (from "
			"1024 to 65535)\n" },
		{ DAS("clint 10.0.0.1 { secret = x } client 10.0.0.1 { secret = x }"),
			"lns.conf:5: radius: dynamic-authorization: unknown option 'clint'; did you mean "
			"'client'?\n" },
		{ "client 10.0.0.1 { secret = x }\n" DAS("client 10.0.0.1 { secret = x }"),
			"lns.conf:1: unknown option 'client'\n" },
	};
	struct config *config = parse_text(DAS(
		"client 10.0.0.1 { secret = 'a b' }\nclient \"2001:db8::1\" { secret-file = key }\n"
		"port = 3800 address = { 10.0.0.2, ::1 }"));

	cr_assert(config, "%s", said);
	cr_assert(config->radius.has_das);
	cr_assert_eq(config->radius.das.port, 3800);
	cr_assert_eq(config->radius.das.address[1].sa.sa_family, AF_INET6);
	cr_assert_eq(config->radius.das.client_count, 2);
	cr_assert_eq(config->radius.das.clients[0].addr.sa.sa_family, AF_INET);
	cr_assert_eq(config->radius.das.clients[0].secret.len, 3);
	cr_assert_arr_eq(config->radius.das.clients[1].secret.data, "s3cret", 6);
	cr_assert_eq(config->radius.server_count, 1);
	config_free(config);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_null(parse_text(cases[i].text));
		cr_expect_str_eq(said, cases[i].lines, "%s\ngave: %s", cases[i].text, said);
	}
	config = parse_text(HEAD "radius { server 10.0.0.1 { secret = x } }\n");
	cr_assert(config && !config->radius.has_das);
	config_free(config);
}

#define STATIC(text) "static-tunnel t { local-id = 1 peer-id = 2\n" text "\n}\n"
#define UDP4         "local = 10.0.0.1 peer = 10.0.0.2 local-port = 5000 peer-port = 5001\n"

Test(config, static_tunnels)
{
	struct config *config = parse_text(BASE
		"static-tunnel a { local = 10.0.0.1 peer = 10.0.0.2 local-id = 4294967295 peer-id = 2\n"
		"local-port = 5000 peer-port = 5001 keep = true checksum = false\n"
		"session one { local-id = 7 peer-id = 8 send-cookie = '01020304' mtu = 1400 }\n"
		"session two { local-id = 9 peer-id = 10 expect-cookie = 00112233445566fF\n"
		"sequencing = receive reorder-timeout = 50ms interface = eth-two } }\n"
		"static-tunnel b { encapsulation = ip local = ::1 peer = ::2 local-id = 3 peer-id = 4\n"
		"session three { local-id = 11 peer-id = 12 sublayer = false } }\n"
		"static-tunnel c { " UDP4 "local-id = 5 peer-id = 4 }\n");
	const struct config_static_session *session;
	const struct config_static_tunnel *tunnel;

	cr_assert(config, "%s", said);
	cr_assert_eq(config->static_tunnel_count, 3);
	tunnel = &config->static_tunnels[0];
	cr_assert_str_eq(tunnel->name, "a");
	cr_assert(tunnel->keep && !tunnel->kernel.checksum && !tunnel->kernel.ip);
	cr_assert_eq(tunnel->kernel.id, UINT32_MAX);
	cr_assert_eq(tunnel->kernel.peer_id, 2);
	cr_assert_eq(addr_port(&tunnel->kernel.local), 5000);
	cr_assert_eq(addr_port(&tunnel->kernel.peer), 5001);
	cr_assert_eq(tunnel->session_count, 2);
	session = &tunnel->sessions[0];
	cr_assert_str_eq(session->kernel.ifname, "one");
	cr_assert_eq(session->kernel.tunnel_id, UINT32_MAX);
	cr_assert_eq(session->kernel.send.len, 4);
	cr_assert_arr_eq(session->kernel.send.octets, "\1\2\3\4", 4);
	cr_assert_eq(session->kernel.expect.len, 0);
	cr_assert_eq(session->kernel.mtu, 1400);
	cr_assert(session->kernel.sublayer && !session->kernel.send_seq);
	session = &tunnel->sessions[1];
	cr_assert_str_eq(session->kernel.ifname, "eth-two");
	cr_assert_eq(session->kernel.expect.len, 8);
	cr_assert_eq(session->kernel.expect.octets[7], 0xff);
	cr_assert(session->kernel.recv_seq && !session->kernel.send_seq);
	cr_assert_eq(session->kernel.reorder_timeout, 50);
	tunnel = &config->static_tunnels[1];
	cr_assert_eq(tunnel->kernel.ip, 1);
	cr_assert_eq(tunnel->session_count, 1);
	cr_assert_str_eq(tunnel->sessions[0].name, "three");
	cr_assert(!tunnel->sessions[0].kernel.sublayer);
	cr_assert_eq(addr_port(&tunnel->kernel.local), 0);
	cr_assert_eq(config->static_tunnels[2].session_count, 0);
	config_free(config);
}

Test(config, errors_of_static_tunnels)
{
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{ STATIC(UDP4), "" },
		{ "static-tunnel t { }\n",
			"lns.conf:5: static-tunnel \"t\": local is missing\n"
			"lns.conf:5: static-tunnel \"t\": local-id is missing\n"
			"lns.conf:5: static-tunnel \"t\": peer is missing\n"
			"lns.conf:5: static-tunnel \"t\": peer-id is missing\n" },
		{ STATIC("local = 10.0.0.1 peer = ::1 encapsulation = ip"),
			"lns.conf:6: static-tunnel \"t\": peer: one end has IPv4 and the other one "
			"IPv6\n" },
		{ STATIC("local = 0.0.0.0 peer = 10.0.0.1 encapsulation = ip"),
			"lns.conf:6: static-tunnel \"t\": local: is not an address that a host can "
			"have\n" },
		{ STATIC("local = ::1 peer = ::2"),
			"lns.conf:5: static-tunnel \"t\": local-port is missing (example: local-port = "
			"5000)\n"
			"lns.conf:5: static-tunnel \"t\": peer-port is missing (example: peer-port = "
			"5000)\n" },
		{ STATIC("local = ::1 peer = ::2 encapsulation = ip peer-port = 1"),
			"lns.conf:6: static-tunnel \"t\": peer-port: there are no ports in IP "
			"encapsulation\n" },
		{ STATIC("local = ::1 peer = ::2 local-port = 1701 peer-port = 1"),
			"lns.conf:6: static-tunnel \"t\": local-port: is in use by listen, with "
			"[::]:1701\n" },
		{ STATIC(UDP4) "static-tunnel u { local-id = 1 peer-id = 2\n" UDP4 "}\n",
			"lns.conf:9: static-tunnel \"u\": local-id: static-tunnel \"t\" has the same "
			"number\n" },
		{ STATIC(UDP4 "session s { local-id = 1 peer-id = 2 send-cookie = 0102 }"),
			"lns.conf:7: static-tunnel \"t\": session \"s\": send-cookie: the cookie is "
			"not 8 or 16 hexadecimal digits\n" },
		{ STATIC(UDP4 "session s { local-id = 1 peer-id = 2 send-cookie = 0102030g }"),
			"lns.conf:7: static-tunnel \"t\": session \"s\": send-cookie: the cookie is "
			"not 8 or 16 hexadecimal digits\n" },
		{ STATIC(UDP4 "session a-name-too-long- { local-id = 1 peer-id = 2 }"),
			"lns.conf:7: static-tunnel \"t\": session \"a-name-too-long-\": the name is "
			"too long for that of an interface (at most 15 characters); set interface\n" },
		{ STATIC(UDP4 "session s { local-id = 1 peer-id = 2 interface = 'a/b' }"),
			"lns.conf:7: static-tunnel \"t\": session \"s\": interface: 'a/b' is not the "
			"name of an interface\n" },
		{ STATIC(UDP4 "session s { local-id = 1 peer-id = 2 sublayer = no\n"
			      "sequencing = send }"),
			"lns.conf:8: static-tunnel \"t\": session \"s\": sequencing: needs the "
			"sublayer\n" },
		{ STATIC(UDP4 "session s { local-id = 1 peer-id = 2 reorder-timeout = 1s }"),
			"lns.conf:7: static-tunnel \"t\": session \"s\": reorder-timeout: needs "
			"sequencing of what is received\n" },
		{ STATIC(UDP4 "session s { local-id = 1 peer-id = 2 }\n"
			      "session r { local-id = 1 peer-id = 2 interface = s }"),
			"lns.conf:8: static-tunnel \"t\": session \"r\": local-id: session \"s\" has "
			"the same number\n"
			"lns.conf:8: static-tunnel \"t\": session \"r\": session \"s\" has an "
			"interface of the same name, s; set interface\n" },
		{ STATIC(UDP4 "session s { local-id = 1 peer-id = 2 }\n"
			      "session s { local-id = 3 peer-id = 2 }"),
			"lns.conf:8: static-tunnel \"t\": the name \"s\" is given to two sections\n" },
		{ STATIC(UDP4 "sesion s { }"),
			"lns.conf:7: static-tunnel \"t\": unknown option 'sesion'; did you mean "
			"'session'?\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].text, cases[i].lines);
}

Test(config, errors_of_radius)
{
	cr_assert(!parse_text(
		HEAD "radius { server 10.0.0.1 { secret = x }\n"
		     "server 010.0.0.1 { secret = x } server \"10.0.0.1\" { }\n"
		     "server 10.0.0.2 { secret = x auth-port = 0 acct-port = 0 } tries = 0 }\n"
		     "radius { timeout = 1 }\n"));
	cr_assert_str_eq(said,
		"lns.conf:4: radius: server \"010.0.0.1\": is not an address\n"
		"lns.conf:4: radius: the name \"10.0.0.1\" is given to two sections\n"
		"lns.conf:5: radius: server \"10.0.0.2\": auth-port and acct-port are both 0: used for "
		"nothing\n"
		"lns.conf:5: radius: tries: '0' is out of range (from 1 to 10)\n"
		"lns.conf:6: radius: this section is given twice\n");
	cr_assert(!parse_text(HEAD "radius { server ::1 { } server 0::1 { secret = y } }\n"));
	cr_assert_str_eq(said,
		"lns.conf:3: radius: server \"0::1\": the same address is given to two "
		"servers\n"
		"lns.conf:3: radius: server \"::1\": secret or secret-file is missing\n");
	cr_assert(!parse_text(HEAD "radius { }\n"));
	cr_assert_str_eq(said, "lns.conf:3: radius: no server authenticates (example: server "
			       "\"192.0.2.10\" { secret = '...' })\n");
}

Test(config, nothing_at_all)
{
	cr_assert(!parse_text(""));
	cr_assert_str_eq(said,
		"lns.conf: no lac section, so nobody may connect (example: lac \"any\" { peers = { "
		"\"0.0.0.0/0\" } ppp = \"default\" })\n"
		"lns.conf: nobody authenticates subscribers; add a radius section, or a users file "
		"(example: users = \"users\")\n");
}

/* Mistakes of names and syntax; after each the next text is read from a clean start. */
Test(config, errors_of_syntax)
{
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{ "helo = 1\n",
			"lns.conf:5: unknown option 'helo'; 'hello' belongs into a section lac\n" },
		{ "xyzzy = { a, b } qwerty { a = 1 b { c = \"}\" } } zap \"t\" { d = e }\nlisten = x\n",
			"lns.conf:5: unknown option 'qwerty'\nlns.conf:5: unknown option 'xyzzy'\n"
			"lns.conf:5: unknown option 'zap'\n"
			"lns.conf:6: listen: 'x' is not an address\n" },
		{ "# a\n/* b\n */ lisen = 1 # c\n",
			"lns.conf:7: unknown option 'lisen'; did you mean 'listen'?\n" },
		{ "name 3\n", "lns.conf:5: missing equal sign after option 'name'\n" },
		{ "lac { }\n", "lns.conf:5: missing title for section 'lac'\n" },
		{ "name = \"abc\n", "lns.conf:5: a string begins here and has no end\n" },
		{ "name = 'abc\\'\n", "lns.conf:5: a string begins here and has no end\n" },
		{ "/* abc\n", "lns.conf:5: a comment begins here and has no end\n" },
		{ "lac x {\n peers = {\n", "lns.conf:6: the brace in this line is never closed\n" },
		{ "name = x }\n", "lns.conf:5: this brace closes nothing\n" },
		{ "a{a{a{a{a{a{a{a{a{a{a{", "lns.conf:5: braces are nested too deeply\n" },
		{ "name = \"${HOME}\"\n",
			"lns.conf:5: variables are not expanded: put text with ${ "
			"between '...'\n" },
		{ "name = ${HOME}\n",
			"lns.conf:5: variables are not expanded: put text with ${ between "
			"'...'\n" },
		{ "'name' = x\n", "lns.conf:5: names of options and sections are not quoted\n" },
		{ "radius|tries = 3\n", "lns.conf:5: a word with | must be quoted\n" },
		{ "name = a\001\n", "lns.conf:5: is not text: octet 0x01\n" },
		{ "include = more.conf\ninclude = more.conf\n",
			"lns.conf:6: include: is given twice; += adds to a list\n" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i].text, cases[i].lines);
	cr_assert(!parse("name = a\0b\n", 11, USERS, ""));
	cr_assert_str_eq(said, "lns.conf:1: is not text: octet 0x00\n");
}

Test(config, includes)
{
	struct config *config;
	const char *text = "include = more.conf\n" BASE;

	config = parse(text, strlen(text), USERS, "name = inner\nlac z { peers = ::/0 ppp = p }\n");
	cr_assert(config, "%s", said);
	cr_assert_str_eq(config->name, "inner");
	cr_assert_eq(config->lac_count, 2);
	cr_assert_str_eq(config->lacs[1].lac.name, "z");
	config_free(config);
	cr_assert(!parse(text, strlen(text), USERS, "\nmoo = 1\ninclude = users\nlac l {}\nhello"));
	cr_assert_str_eq(said,
		"more.conf:2: unknown option 'moo'\n"
		"more.conf:3: include: an included file includes no others\n"
		"more.conf:4: the name \"l\" is given to two sections\n"
		"more.conf:5: unknown option 'hello'; 'hello' belongs into a section lac\n");
	cr_assert(!parse_text("include = nowhere\n" BASE));
	cr_assert_str_eq(said, "lns.conf:1: include: nowhere: No such file or directory\n");
}

Test(config, metrics)
{
	struct config *config = parse_text(BASE "metrics = \"\"\n");
	char text[ADDR_TEXT];

	cr_assert(config, "%s", said);
	cr_assert_eq(config->metrics_count, 0);
	config_free(config);
	config = parse_text(BASE "metrics = { \"::1\", 192.0.2.1:80 }\n");
	cr_assert(config, "%s", said);
	cr_assert_eq(config->metrics_count, 2);
	cr_assert_str_eq(addr_text(&config->metrics[0], text), "[::1]:9473");
	cr_assert_str_eq(addr_text(&config->metrics[1], text), "192.0.2.1:80");
	config_free(config);
	expect("metrics = { 192.0.2.1, 192.0.2.1:9473 }\n",
		"lns.conf:5: metrics: 192.0.2.1:9473 is given twice\n");
}

Test(config, users)
{
	static const char good[] = "# comment\n\n  alice  \"wonder land\"  100.64.0.10 # c\r\n"
				   "bob \"q\\\"\\\\\" *\n\"c d\"\t#x *";
	static const char bad[] = "a b *\nonly\nx \"\" *\nx y\nx y ::1\nx y 1.2.3\nx y * z\na c *\n"
				  "e f 10.0.0.1\ng h 10.0.0.1\n\"x y *\n";
	struct config *config = parse(BASE, strlen(BASE), good, "");

	cr_assert(!config);
	cr_assert_str_eq(said, "users:5: the secret is missing, empty, too long or badly quoted\n");
	config = parse(BASE, strlen(BASE), "a b *", "");
	cr_assert(config);
	config_free(config);
	config = parse(BASE, strlen(BASE),
		"alice \"wonder land\" 100.64.0.10 # c\r\nbob \"q\\\"\\\\\" *\n", "");
	cr_assert(config, "%s", said);
	cr_assert_eq(config->user_count, 2);
	cr_assert_str_eq(config->users[0].name, "alice");
	cr_assert_eq(config->users[0].secret.len, 11);
	cr_assert_arr_eq(config->users[0].secret.data, "wonder land", 11);
	cr_assert_eq(config->users[0].address.in4.sin_addr.s_addr, htonl(0x6440000a));
	cr_assert_arr_eq(config->users[1].secret.data, "q\"\\", 3);
	cr_assert_eq(config->users[1].address.sa.sa_family, AF_UNSPEC);
	config_free(config);

	cr_assert(!parse(BASE, strlen(BASE), bad, ""));
	cr_assert_str_eq(said,
		"users:2: the secret is missing, empty, too long or badly quoted\n"
		"users:3: the secret is missing, empty, too long or badly quoted\n"
		"users:4: the address is missing (an IPv4 address, or * for one of the pool)\n"
		"users:5: the address is not an IPv4 address (or * for one of the pool)\n"
		"users:6: the address is not an IPv4 address (or * for one of the pool)\n"
		"users:7: there is something behind the address that is neither rate-down=RATE nor "
		"rate-up=RATE\n"
		"users:8: user 'a' is also in line 1\n"
		"users:10: address 10.0.0.1 is also in line 9\n"
		"users:11: the name is not one (1 to 253 characters)\n");
	config = parse(BASE, strlen(BASE), "# nobody\n", "");
	cr_assert(config);
	cr_assert_eq(config->user_count, 0);
	config_free(config);
	cr_assert_str_eq(said, "users: warning: there is no user in it, so nobody can connect\n");
}

Test(config, rates_of_users)
{
	static const char bad[] =
		"a b * rate-down=\nc d * rate-up=5Mbit\ne f * rate-up=1M rate-up=2M\n"
		"g h * rate=5M\ni j * rate-down\nk l * \"rate-up=1M\n";
	struct config *config = parse(BASE, strlen(BASE),
		"a b * rate-up=2M rate-down=10M # c\nc d 10.0.0.1 rate-down=0\n", "");

	cr_assert(config, "%s", said);
	cr_assert_eq(config->users[0].rate_down, 10000000);
	cr_assert_eq(config->users[0].rate_up, 2000000);
	cr_assert_eq(config->users[1].rate_down, 0);
	cr_assert_eq(config->users[1].rate_up, CONFIG_RATE_DEFAULT);
	config_free(config);
	cr_assert(!parse(BASE, strlen(BASE), bad, ""));
#define NO_RATE "a rate is not from 1k to 1000G bit/s, or 0 (example: rate-down=50M)\n"
#define BEHIND                                                                                     \
	"there is something behind the address that is neither rate-down=RATE nor rate-up=RATE\n"
	cr_assert_str_eq(said,
		"users:1: " NO_RATE "users:2: " NO_RATE "users:3: a rate is given twice\n"
		"users:4: " BEHIND "users:5: " BEHIND
		"users:6: what is behind the address is badly quoted or too long\n");
}

Test(config, rates)
{
	struct config *config =
		parse_text(BASE "ppp q { local-address = 192.0.2.1 pool = o "
				"rate-down = 50M rate-up = 1500k rate-failure = reject }\n");

	cr_assert(config, "%s", said);
	cr_assert_eq(config->ppps[1].rate_down, 50000000);
	cr_assert_eq(config->ppps[1].rate_up, 1500000);
	cr_assert_eq(config->ppps[1].rate_failure_rejects, 1);
	cr_assert_eq(config->ppps[0].rate_down, 0);
	cr_assert_eq(config->ppps[0].rate_failure_rejects, 0);
	config_free(config);
	expect("ppp q { local-address = 192.0.2.1 pool = o rate-up = 50Mbit }\n",
		"lns.conf:5: ppp \"q\": rate-up: '50Mbit' is not a rate from 1k to 1000G bit/s, or 0 "
		"(example: 50M)\n");
}

Test(config, lac_of_a_peer)
{
	struct config *config =
		parse_text("users = users\nppp p { local-address = 192.0.2.1 pool = o }\n"
			   "pool o { ranges = 100.64.0.0/24 }\n"
			   "lac a { peers = 10.0.0.0/8 host-name = 'bng*-?.net' ppp = p }\n"
			   "lac b { peers = { 10.1.0.0/16, 2001:db8::/32 } ppp = p }\n"
			   "lac c { peers = 0.0.0.0/0 host-name = only ppp = p }\n");
	static const struct {
		const char *peer, *host, *lac;
	} cases[] = {
		{ "10.1.0.1", "bng-1-2.net", "a" },
		{ "10.1.0.1", "BNG-2.NET", "a" },
		{ "10.1.0.1", "bng-22.net", "b" },
		{ "10.2.0.1", "bng-22.net", NULL },
		{ "10.2.0.1", "only", "c" },
		{ "10.2.0.1", "only1", NULL },
		{ "2001:db8::1", "", "b" },
		{ "2001:db9::1", "only", NULL },
	};
	const struct config_lac *lac;
	union addr peer;

	cr_assert(config, "%s", said);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(addr_parse(cases[i].peer, 1701, &peer), 0);
		lac = config_find_lac(config, &peer, cases[i].host);
		cr_assert_eq(lac != NULL, cases[i].lac != NULL, "%zu", i);
		cr_assert(!lac || !strcmp(lac->lac.name, cases[i].lac), "%zu", i);
	}
	config_free(config);
}

/* Programs of hooks run as somebody who can harm nobody. */
Test(config, hook_user)
{
	expect("on-up = '/bin/true' hook-user = daemon\n", "");
	expect("user = nobody\n", ""); /* nothing is run */
	expect("on-up = '/bin/true'\nhook-user = root\n",
		"lns.conf:6: hook-user: programs of hooks do not run as root\n");
	expect("on-down = '/bin/true'\nuser = daemon hook-user = daemon\n",
		"lns.conf:6: hook-user: 'daemon' is the engine's own `user`\n");
	expect("on-down = '/bin/true'\nuser = nobody\n",
		"lns.conf:5: on-down: 'nobody' is the engine's own `user`: set hook-user to another "
		"one\n");
	expect("on-up = 'true'\n", "lns.conf:5: on-up: 'true' is not an absolute path\n");
}

/* The dump says everything but secrets, and is a configuration with the same dump. */
Test(config, dump)
{
	struct config *config = parse_text(
		"name = 'a\"$b'\n" HEAD "radius { server 10.0.0.1 { secret = Geheimnis }\n"
		"dynamic-authorization { client 10.0.0.1 { secret = Geheimnis } } }\n"
		"lac m { peers = ::1 ppp = p secret = Geheimnis }\n"
		"static-tunnel t { local-id = 1 peer-id = 2 " UDP4
		"session s { local-id = 1 peer-id = 2 send-cookie = 01020304 } }\n"
		"static-tunnel u { local-id = 3 peer-id = 4 encapsulation = ip local = ::1 peer = ::2\n"
		"session v { local-id = 3 peer-id = 4 } }\n");
	char *first = NULL, *second = NULL, *at;
	size_t size;
	FILE *out;

	cr_assert(config, "%s", said);
	out = open_memstream(&first, &size);
	config_dump(config, out);
	fclose(out);
	config_free(config);
	cr_assert(!strstr(first, "Geheimnis") && !strstr(first, "01020304"));
	at = strstr(first, "\t\t# send-cookie is set");
	cr_assert(at, "%s", first);
	memcpy(at, "send-cookie='12345678'", 22); /* as long as the comment */
	cr_assert(strstr(first, "name = 'a\"$b'\n"));
	cr_assert(strstr(first, "lac \"m\" {\n\tpeers = { \"::1/128\" }\n"));
	while ((at = strstr(first, "# secret is set")))
		memcpy(at, "secret = \"12\"  ", 15);
	config = parse_text(first);
	cr_assert(config, "%s%s", said, first);
	out = open_memstream(&second, &size);
	config_dump(config, out);
	fclose(out);
	config_free(config);
	while ((at = strstr(first, "secret = \"12\"  ")))
		memcpy(at, "# secret is set", 15);
	memcpy(strstr(first, "send-cookie="), "\t\t# send-cookie is set", 22);
	cr_assert_str_eq(first, second);
	free(first);
	free(second);
}

/* ---- files ---- */

static char directory[64];

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
	cr_assert_eq(chmod(path, mode), 0);
}

static struct config *parse_file(const char *name)
{
	struct config *config = NULL;
	char path[300];
	int fd;

	*said = '\0';
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (config_bundle(path, report, said, &fd))
		return NULL;
	config_parse(fd, report, said, &config);
	close(fd);
	return config;
}

static void make_directory(void)
{
	snprintf(directory, sizeof(directory), "/tmp/lns-config-test-%d", getpid());
	cr_assert_eq(mkdir(directory, 0700), 0);
}

static void remove_directory(void)
{
	static const char *const names[] = { "lns.conf", "users", "more.conf", "key" };
	char path[300];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

TestSuite(files, .init = make_directory, .fini = remove_directory);

Test(files, bundle)
{
	struct config *config;

	write_file("lns.conf", "include = more.conf\n" BASE, 0644);
	write_file("users", USERS, 0600);
	write_file("more.conf", "lac z { peers = ::/0 ppp = p secret-file = key }\n", 0644);
	write_file("key", "s3cret", 0400);
	config = parse_file("lns.conf");
	cr_assert(config, "%s", said);
	cr_assert_str_eq(said, "");
	cr_assert_eq(config->lacs[1].lac.secret.len, 6);
	config_free(config);
}

/* All that is wrong with files comes with the rest. */
Test(files, modes)
{
	char lines[1000];

	write_file("lns.conf", BASE "lac z { peers = ::/0 ppp = p secret-file = key hello = x }\n",
		0600);
	write_file("users", USERS, 0640);
	write_file("key", "s3cret", 0604);
	cr_assert(!parse_file("lns.conf"));
	snprintf(lines, sizeof(lines),
		"%s/lns.conf:1: users: %s/users: is open to others (mode 0640); run: chmod 600 '%s/users'\n"
		"%s/lns.conf:5: lac \"z\": hello: 'x' is not a time (example: 60s)\n"
		"%s/lns.conf:5: lac \"z\": secret-file: %s/key: is open to others (mode 0604); run: chmod "
		"600 '%s/key'\n",
		directory, directory, directory, directory, directory, directory, directory);
	cr_assert_str_eq(said, lines);
}

Test(files, owner)
{
	char path[300];

	if (geteuid() != 0)
		cr_skip("needs root to give a file away");
	write_file("lns.conf", BASE, 0644);
	write_file("users", USERS, 0600);
	snprintf(path, sizeof(path), "%s/users", directory);
	cr_assert_eq(chown(path, 12345, 0), 0);
	cr_assert(!parse_file("lns.conf"));
	cr_assert(strstr(said, "belongs to user 12345; run: chown root"), "%s", said);
}

Test(files, main_file)
{
	cr_assert(!parse_file("lns.conf"));
	cr_assert(strstr(said, "/lns.conf: No such file or directory\n"));
	write_file("lns.conf", BASE, 0646);
	cr_assert(!parse_file("lns.conf"));
	cr_assert(strstr(said, "can be written by everybody; run: chmod o-w"), "%s", said);
	cr_assert(!parse_file("."));
	cr_assert(strstr(said, "is not a regular file"), "%s", said);
	write_file("lns.conf", BASE "lac z { peers = ::/0 ppp = p secret = x }\n", 0644);
	write_file("users", USERS, 0600);
	config_free(parse_file("lns.conf"));
	cr_assert(strstr(said, "warning: holds a secret and everybody can read it"), "%s", said);
}

Test(files, not_a_bundle)
{
	struct config *config = NULL;
	char path[300];
	FILE *file;

	write_file("key", "lnsconf1\1\0\0\0", 0600);
	snprintf(path, sizeof(path), "%s/key", directory);
	file = fopen(path, "r");
	cr_assert(file);
	*said = '\0';
	cr_assert_eq(config_parse(fileno(file), report, said, &config), -EINVAL);
	cr_assert_str_eq(said, "configuration: Bad message\n");
	fclose(file);
}

/* ---- what is shipped ---- */

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 65536);

	cr_assert(file, "%s: run this from the top of the tree", path);
	cr_assert(text);
	cr_assert(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

Test(files, examples)
{
	static const char *const paths[] = { "conf/lns.conf", "conf/examples/wholesale.conf",
		"conf/examples/remote-access.conf", "conf/examples/laboratory.conf" };
	char *text = read_text("conf/users");

	write_file("users", text, 0600);
	free(text);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct config *config;

		text = read_text(paths[i]);
		write_file("lns.conf", text, 0600);
		free(text);
		config = parse_file("lns.conf");
		cr_assert(config, "%s: %s", paths[i], said);
		cr_assert_str_eq(said, "");
		config_free(config);
	}
}

Test(schema, rows)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *row = &config_options[i];
		size_t len = strlen(row->help);

		cr_assert(len > 5 && row->help[len - 1] == '.', "%s", row->name);
		cr_assert_eq(config_option_find(row->section, row->name), row);
		cr_assert(i == 0 || row->section >= row[-1].section, "%s", row->name);
		cr_assert_eq(
			row->words != NULL, row->type == CONFIG_ENUM || row->type == CONFIG_SET);
		cr_assert(row->range.max || (row->type != CONFIG_UINT && row->type != CONFIG_TIME));
	}
}

Test(schema, nearest)
{
	static const char *const names[] = { "hello", "window", "retransmit-cap", "ppp" };
	static const struct {
		const char *text, *nearest;
	} cases[] = {
		{ "helo", "hello" },
		{ "hlelo", "hello" },
		{ "windwo", "window" },
		{ "retransmitcap", "retransmit-cap" },
		{ "pp", "ppp" },
		{ "x", NULL },
		{ "something", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *nearest = config_nearest(cases[i].text, names, 4);

		cr_assert(
			cases[i].nearest ? nearest && !strcmp(nearest, cases[i].nearest) : !nearest,
			"%s: %s", cases[i].text, nearest);
	}
}

Test(schema, manual_page)
{
	static const char path[] = "conf/man/lns.conf.5";
	static const char begin[] = ".\\\" options: made from the schema\n",
			  end[] = ".\\\" end of options\n";
	char *page = read_text(path), *from = strstr(page, begin), *to = strstr(page, end),
	     *made = NULL;
	size_t size;
	FILE *out = open_memstream(&made, &size);

	cr_assert(from && to);
	from += strlen(begin);
	config_schema_dump_man(out);
	fclose(out);
	if (getenv("LNS_UPDATE_MAN")) {
		out = fopen(path, "w");
		cr_assert(out);
		fprintf(out, "%.*s%s%s", (int)(from - page), page, made, to);
		fclose(out);
	} else {
		cr_assert_eq(size, (size_t)(to - from));
		cr_assert_arr_eq(from, made, size,
			"conf/man/lns.conf.5 is not up to date: LNS_UPDATE_MAN=1 make run-unit-config");
	}
	free(made);
	free(page);
}

/* --- what a reload changes --- */

/* The texts behind BASE differ in exactly these lines; the number of lines is returned. */
static void expect_diff(
	const char *old_text, const char *new_text, const char *users, const char *lines)
{
	char whole[4096];
	struct config *old, *new;
	int count = 0;

	snprintf(whole, sizeof(whole), "%s%s", BASE, old_text);
	old = parse_text(whole);
	snprintf(whole, sizeof(whole), "%s%s", BASE, new_text);
	new = parse(whole, strlen(whole), users, "");
	cr_assert(old && new, "%s", said);
	*said = '\0';
	for (const char *c = lines; *c; c++)
		count += *c == '\n';
	cr_assert_eq(config_diff(old, new, report, said), count, "%s", said);
	cr_assert_str_eq(said, lines, "gave: %s", said);
	config_free(old);
	config_free(new);
}

#define LAC2(more) "lac m { peers = 10.0.0.0/8 ppp = p " more " }\n"

Test(config, differences)
{
	expect_diff("", "", USERS, "");
	expect_diff("log-level = info\n", "log-level = debug\n", USERS,
		"log-level = \"debug\" (was \"info\")\n");
	expect_diff(LAC2(""), "", USERS, "lac \"m\": removed\n");
	expect_diff("", LAC2(""), USERS, "lac \"m\": added\n");
	expect_diff(LAC2("hello = 30s"), LAC2("hello = 1m"), USERS,
		"lac \"m\": hello = 1m (was 30s)\n");
	expect_diff("", "pool other { ranges = 10.0.0.0/24 }\n", USERS, "pool \"other\": added\n");
	expect_diff("", "", "test test *\nother x *\n", "users have changed: 2 (were 1)\n");
	expect_diff("", "", "test another *\n", "users have changed: 1 (were 1)\n");
	expect_diff("", "", "test test * rate-down=1M\n", "users have changed: 1 (were 1)\n");
}

/* What a secret was and is stays untold. */
Test(config, differences_of_secrets)
{
	expect_diff(LAC2("secret = 'one'"), LAC2("secret = 'one'"), USERS, "");
	expect_diff(LAC2("secret = 'one'"), LAC2("secret = 'two'"), USERS,
		"lac \"m\": secret has changed\n");
	expect_diff(LAC2("secret = 'one'"), LAC2(""), USERS,
		"lac \"m\": secret has changed\nlac \"m\": challenge = false (was true)\n");
}

Test(config, differences_in_order)
{
	expect_diff(LAC2("") "lac k { peers = 10.0.0.0/8 ppp = p }\n",
		"lac k { peers = 10.0.0.0/8 ppp = p }\n" LAC2(""), USERS,
		"lac sections are in another order\n");
}
