/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * radius_bench: authentications and accounting records through the RADIUS client, as fast as it
 * goes.
 *
 * Against a responder of its own on loopback (a child process, the default) or a given server.
 * With -S DIR the accounting records go through a spool in that directory, and first many records that
 * wait there, as after hours without a server.
 *
 * Prints for each kind: rate, CPU time of the client per request, what became of the requests, and
 * the most CPU time one turn of the loop took. Exit status 1 when a request was not answered, or
 * when -m sets a rate that was not reached.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lns/env_ev.h"
#include "lns/env_radius.h"
#include "lns/log.h"
#include "radius/attr_codes.h"
#include "radius/digest.h"
#include "radius/spool.h"
#include "tests/load/responder.h"

#define REFILL_BATCH  64 /* of a turn */
#define FEED_INTERVAL ENV_MS(1)

static struct {
	unsigned int auths, records, in_flight, users;
	const char *server, *secret, *user, *password;
	unsigned int auth_port, acct_port;
	unsigned int loss; /* of the responder, per cent */
	unsigned int minimum;
	bool is_chap, is_verbose;
	const char *spool; /* directory, NULL: none */
	unsigned int waiting;
} options = {
	.auths = 50000,
	.records = 100000,
	.in_flight = 256,
	.users = 1024,
	.secret = "testing123",
	.user = "bob",
	.password = "hello",
	.auth_port = 1812,
	.acct_port = 1813,
	.waiting = 100000,
};

static double clock_of(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the load ---- */

static struct {
	struct env *env;
	struct radius_host host;
	struct radius_client *client;
	struct env_timer *feed; /* begins requests or records */
	enum radius_packet_code code;
	unsigned int wanted, sent, ended, refill;
	unsigned int outcomes[4], accepts;
} run;

static void add_session(struct radius_attrs *attrs, const char *session)
{
	radius_add_string(attrs, RADIUS_USER_NAME, 0, options.user);
	radius_add_string(attrs, RADIUS_NAS_IDENTIFIER, 0, "lns1.example.net");
	radius_add_u32(attrs, RADIUS_NAS_IP_ADDRESS, 0, 0xc0000201);
	radius_add_u32(attrs, RADIUS_NAS_PORT, 0, 4711);
	radius_add_u32(attrs, RADIUS_NAS_PORT_TYPE, 0, RADIUS_PORT_VIRTUAL);
	radius_add_u32(attrs, RADIUS_SERVICE_TYPE, 0, RADIUS_SERVICE_FRAMED);
	radius_add_u32(attrs, RADIUS_FRAMED_PROTOCOL, 0, RADIUS_FRAMED_PPP);
	radius_add_string(attrs, RADIUS_CALLING_STATION_ID, 0, "0049301234567");
	radius_add_string(attrs, RADIUS_ACCT_SESSION_ID, 0, session);
	radius_add_u32(attrs, RADIUS_TUNNEL_TYPE, 1, RADIUS_TUNNEL_L2TP);
	radius_add_u32(attrs, RADIUS_TUNNEL_MEDIUM_TYPE, 1, RADIUS_MEDIUM_IPV4);
	radius_add_string(attrs, RADIUS_TUNNEL_CLIENT_ENDPOINT, 1, "192.0.2.7");
	radius_add_string(attrs, RADIUS_TUNNEL_SERVER_ENDPOINT, 1, "192.0.2.1");
}

static void add_credentials(struct radius_attrs *attrs)
{
	uint8_t challenge[16], response[1 + RADIUS_CHAP_LEN] = { 42 };

	if (!options.is_chap) {
		radius_add_string(attrs, RADIUS_USER_PASSWORD, 0, options.password);
		return;
	}
	env_random(run.env, challenge, sizeof(challenge));
	radius_chap_response(response[0], options.password, strlen(options.password), challenge,
		sizeof(challenge), response + 1);
	radius_add_octets(attrs, RADIUS_CHAP_PASSWORD, response, sizeof(response));
	radius_add_octets(attrs, RADIUS_CHAP_CHALLENGE, challenge, sizeof(challenge));
}

static void add_counters(struct radius_attrs *attrs, unsigned int number)
{
	radius_add_u32(attrs, RADIUS_ACCT_SESSION_TIME, 0, number);
	radius_add_u32(attrs, RADIUS_ACCT_INPUT_OCTETS, 0, number * 3);
	radius_add_u32(attrs, RADIUS_ACCT_OUTPUT_OCTETS, 0, number * 5);
	radius_add_u32(attrs, RADIUS_ACCT_INPUT_GIGAWORDS, 0, 0);
	radius_add_u32(attrs, RADIUS_ACCT_OUTPUT_GIGAWORDS, 0, 1);
	radius_add_u32(attrs, RADIUS_ACCT_INPUT_PACKETS, 0, number);
	radius_add_u32(attrs, RADIUS_ACCT_OUTPUT_PACKETS, 0, number);
	radius_add_u32(attrs, RADIUS_ACCT_AUTHENTIC, 0, RADIUS_AUTHENTIC_RADIUS);
	radius_add_u32(attrs, RADIUS_FRAMED_IP_ADDRESS, 0, 0x64400002);
}

static void load_send(void);

static bool print_attr(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	size_t i;

	(void)ctx, (void)code;
	printf("\t%s = ", name);
	for (i = 0; i < len; i++)
		printf("%02x", data[i]);
	printf("\n");
	return true;
}

static void load_done(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *server)
{
	(void)ctx;
	run.outcomes[outcome]++;
	run.accepts += code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCOUNTING_RESPONSE;
	if (options.is_verbose) {
		printf("%s: outcome %d, code %u\n", server, outcome, code);
		if (reply)
			radius_attrs_each(reply, print_attr, NULL);
	}
	if (++run.ended == run.wanted)
		env_ev_stop(run.env);
	else if (run.sent < run.wanted)
		load_send();
}

static void load_send(void)
{
	struct radius_attrs *attrs = radius_attrs_new();
	char session[32];

	snprintf(session, sizeof(session), "%08x-%08x", getpid(), run.sent);
	add_session(attrs, session);
	if (run.code == RADIUS_ACCESS_REQUEST) {
		add_credentials(attrs);
	} else {
		radius_add_u32(attrs, RADIUS_ACCT_STATUS_TYPE, 0, RADIUS_INTERIM);
		add_counters(attrs, run.sent);
	}
	if (!radius_send(run.client, run.code, attrs, 0, load_done, NULL))
		abort();
	radius_attrs_free(attrs);
	run.sent++;
}

/* As many as there are users begin, a batch per turn; each one that ends is followed by another. */
static void load_begin(void *ctx)
{
	unsigned int i;

	(void)ctx;
	for (i = 0; i < REFILL_BATCH && run.refill && run.sent < run.wanted; i++, run.refill--)
		load_send();
	if (run.refill && run.sent < run.wanted)
		env_timer_start(run.feed, FEED_INTERVAL);
}

/* A loop of its own for every kind: its longest turn is that kind's. */
static void run_begin(void (*feed)(void *ctx))
{
	memset(&run, 0, sizeof(run));
	run.env = env_ev_new();
	run.feed = run.env ? env_timer_new(run.env, feed, NULL) : NULL;
	if (!run.feed)
		abort();
	env_radius_host(run.env, &run.host);
}

static void run_end(void)
{
	radius_client_free(run.client);
	env_timer_free(run.feed);
	env_ev_free(run.env);
}

/* Runs the loop until it is stopped, and says how long count of what took; count a second. */
static double run_measured(const char *what, unsigned int count)
{
	double began = clock_of(CLOCK_MONOTONIC), cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID), elapsed;
	struct env_ev_load load;

	env_timer_start(run.feed, 0);
	env_ev_run(run.env);
	elapsed = clock_of(CLOCK_MONOTONIC) - began;
	cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	env_ev_get_load(run.env, &load);
	printf("%s: %u in %.2f s, %.0f/s, CPU %.1f us each, longest turn so far %.2f ms CPU\n",
		what, count, elapsed, count / elapsed, cpu / count * 1e6,
		(double)load.longest / 1e3);
	return count / elapsed;
}

static struct radius_client *client_make(unsigned int port)
{
	struct radius_server_config server = { .secret_len = strlen(options.secret) };
	struct radius_client_config config = {
		.servers = &server,
		.server_count = 1,
		.in_flight = options.in_flight,
	};
	struct sockaddr_in *addr = (struct sockaddr_in *)&server.addr;
	struct radius_client *client;

	addr->sin_family = AF_INET;
	addr->sin_port = htons((uint16_t)port);
	if (server.secret_len > RADIUS_SECRET_MAX ||
		inet_pton(AF_INET, options.server ? options.server : "127.0.0.1",
			&addr->sin_addr) != 1) {
		fprintf(stderr, "radius_bench: bad server or secret\n");
		exit(2);
	}
	memcpy(server.secret, options.secret, server.secret_len);
	if (radius_client_new(&run.host, &config, &client))
		abort();
	return client;
}

static bool run_one(const char *what, enum radius_packet_code code, unsigned int count,
	unsigned int port, unsigned int minimum)
{
	struct radius_server_info info;
	double rate;

	if (!count)
		return true;
	run_begin(load_begin);
	run.client = client_make(port);
	run.code = code;
	run.wanted = count;
	run.refill = options.users;
	rate = run_measured(what, count);
	radius_client_info(run.client, 0, &info);
	printf("\taccepted %u, answered %u, timeout %u, forged %u, failed %u\n", run.accepts,
		run.outcomes[RADIUS_ANSWERED], run.outcomes[RADIUS_TIMEOUT],
		run.outcomes[RADIUS_FORGED], run.outcomes[RADIUS_FAILED]);
	printf("\tretransmissions %llu, bad authenticators %llu, bad packets %llu, latency %llu us\n",
		(unsigned long long)info.retransmissions,
		(unsigned long long)info.bad_authenticators, (unsigned long long)info.bad_packets,
		(unsigned long long)info.latency);
	run_end();
	return run.outcomes[RADIUS_ANSWERED] == count && rate >= minimum;
}

/* ---- the spool ---- */

static struct {
	struct radius_spool *spool;
	unsigned int wanted, put, durable;
} spooled;

static void spool_durable(void *ctx, int err)
{
	(void)ctx;
	if (err)
		abort();
	spooled.durable++;
}

static void spool_put(void)
{
	struct radius_attrs *attrs = radius_attrs_new();
	char session[32];

	snprintf(session, sizeof(session), "%08x-%08x", getpid(), spooled.put);
	add_session(attrs, session);
	add_counters(attrs, spooled.put);
	if (radius_spool_put(
		    spooled.spool, ++spooled.put, RADIUS_STOP, attrs, 0, spool_durable, NULL))
		abort();
	radius_attrs_free(attrs);
}

/* A few at a time, and not more than the disk takes. */
static void spool_feed(void *ctx)
{
	struct radius_spool_info info;

	(void)ctx;
	for (int i = 0; i < REFILL_BATCH && spooled.put < spooled.wanted &&
			spooled.put - spooled.durable < options.users;
		i++)
		spool_put();
	radius_spool_info(spooled.spool, &info);
	if (!info.is_loading && spooled.durable == spooled.wanted &&
		(info.waiting == 0 || !run.client))
		env_ev_stop(run.env);
	else
		env_timer_start(run.feed, FEED_INTERVAL);
}

/* Puts count records, and waits until all are durable and, with a client, acknowledged. */
static double spool_pass(const char *what, unsigned int count, unsigned int counted)
{
	spooled.wanted = spooled.put + count;
	return run_measured(what, counted);
}

static void spool_open(const char *path)
{
	int err = radius_spool_new(&run.host, &(struct radius_spool_config){ .path = path },
		run.client, &spooled.spool);

	if (err) {
		fprintf(stderr, "radius_bench: %s: %s\n", path, strerror(-err));
		exit(2);
	}
}

static bool run_spool(unsigned int count, unsigned int port, unsigned int minimum)
{
	char path[4096];
	bool is_good;

	if (!count)
		return true;
	run_begin(spool_feed);
	snprintf(path, sizeof(path), "%s/bench-%d.db", options.spool, getpid());
	spool_open(path);
	if (options.waiting)
		spool_pass("spool, nobody answers", options.waiting, options.waiting);
	radius_spool_free(spooled.spool);
	run.client = client_make(port);
	spool_open(path);
	if (options.waiting)
		spool_pass("spool, loaded and sent", 0, options.waiting);
	is_good = spool_pass("spool, put to acknowledged", count, count) >= minimum;
	radius_spool_free(spooled.spool);
	run_end();
	(void)unlink(path);
	return is_good;
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > 100000000) {
		fprintf(stderr, "radius_bench: %s is not a number\n", text);
		exit(2);
	}
	return (unsigned int)value;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: radius_bench [-n AUTHS] [-a RECORDS] [-i IN-FLIGHT] [-U USERS] [-l LOSS%%]\n"
		"       [-m MINIMUM-RATE] [-s SERVER [-p AUTH-PORT] [-P ACCT-PORT]] [-k SECRET]\n"
		"       [-u USER] [-w PASSWORD] [-c] [-v] [-S DIR [-W WAITING]]\n"
		"Without -s a responder of its own answers. -c: CHAP. -m: authentications a second that\n"
		"must be reached, and twice as many accounting records. -S: through a spool in DIR.\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:a:i:U:l:m:s:p:P:k:u:w:cvS:W:")) != -1) {
		switch (option) {
		case 'n':
			options.auths = number(optarg);
			break;
		case 'a':
			options.records = number(optarg);
			break;
		case 'i':
			options.in_flight = number(optarg);
			break;
		case 'U':
			options.users = number(optarg);
			break;
		case 'l':
			options.loss = number(optarg);
			break;
		case 'm':
			options.minimum = number(optarg);
			break;
		case 's':
			options.server = optarg;
			break;
		case 'p':
			options.auth_port = number(optarg);
			break;
		case 'P':
			options.acct_port = number(optarg);
			break;
		case 'k':
			options.secret = optarg;
			break;
		case 'u':
			options.user = optarg;
			break;
		case 'w':
			options.password = optarg;
			break;
		case 'c':
			options.is_chap = true;
			break;
		case 'v':
			options.is_verbose = true;
			break;
		case 'S':
			options.spool = optarg;
			break;
		case 'W':
			options.waiting = number(optarg);
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
}

int main(int argc, char **argv)
{
	pid_t responder = 0;
	bool is_good;

	parse(argc, argv);
	log_open("radius_bench", LOG_TO_STDERR);
	if (!options.server) {
		responder = responder_start(options.secret, options.loss, &options.auth_port);
		options.acct_port = options.auth_port;
	}
	is_good = run_one("authentication", RADIUS_ACCESS_REQUEST, options.auths, options.auth_port,
		options.minimum);
	is_good &= run_one("accounting", RADIUS_ACCOUNTING_REQUEST, options.records,
		options.acct_port, 2 * options.minimum);
	if (options.spool)
		is_good &= run_spool(options.records, options.acct_port, 2 * options.minimum);
	if (responder) {
		kill(responder, SIGKILL);
		waitpid(responder, NULL, 0);
	}
	return is_good ? 0 : 1;
}
