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
#include <ev.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "radius/attr_codes.h"
#include "radius/digest.h"
#include "radius/spool.h"
#include "tests/load/responder.h"

#define REFILL_BATCH 64

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

/* ---- a host on libev ---- */

struct bench_timer {
	ev_timer timer;
	void (*fire)(void *arg);
	void *arg;
};

struct bench_io {
	ev_io io;
	void (*ready)(void *arg, int events);
	void *arg;
};

static uint64_t host_now(void *ctx)
{
	return (uint64_t)(ev_now(ctx) * 1e6);
}

static void host_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (getrandom(buf, len, 0) != (ssize_t)len)
		abort();
}

static void timer_fired(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct bench_timer *timer = (struct bench_timer *)watcher;

	(void)loop, (void)events;
	timer->fire(timer->arg);
}

static void *timer_new(void *ctx, void (*fire)(void *arg), void *arg)
{
	struct bench_timer *timer = calloc(1, sizeof(*timer));

	(void)ctx;
	if (!timer)
		return NULL;
	ev_init(&timer->timer, timer_fired);
	timer->fire = fire;
	timer->arg = arg;
	return timer;
}

static void timer_start(void *arg, uint64_t delay)
{
	struct bench_timer *timer = arg;

	ev_timer_stop(EV_DEFAULT, &timer->timer);
	ev_timer_set(&timer->timer, (double)delay / 1e6, 0.);
	ev_timer_start(EV_DEFAULT, &timer->timer);
}

static void timer_stop(void *arg)
{
	ev_timer_stop(EV_DEFAULT, &((struct bench_timer *)arg)->timer);
}

static void timer_free(void *arg)
{
	timer_stop(arg);
	free(arg);
}

static void io_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct bench_io *io = (struct bench_io *)watcher;

	(void)loop, (void)events;
	io->ready(io->arg, 1);
}

static void *io_new(void *ctx, int fd, int events, void (*ready)(void *arg, int events), void *arg)
{
	struct bench_io *io = calloc(1, sizeof(*io));

	(void)events;
	if (!io)
		return NULL;
	ev_io_init(&io->io, io_ready, fd, EV_READ);
	io->ready = ready;
	io->arg = arg;
	ev_io_start(ctx, &io->io);
	return io;
}

static void io_free(void *arg)
{
	ev_io_stop(EV_DEFAULT, &((struct bench_io *)arg)->io);
	free(arg);
}

static void host_log(void *ctx, bool is_error, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s%s\n", is_error ? "error: " : "", line);
}

/* ---- the load ---- */

static struct {
	struct radius_client *client;
	enum radius_packet_code code;
	unsigned int wanted, sent, ended, refill;
	unsigned int outcomes[4], accepts;
	double worst_turn, turn_began;
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
	host_random(NULL, challenge, sizeof(challenge));
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
		ev_break(EV_DEFAULT, EVBREAK_ALL);
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
static void load_begin(struct ev_loop *loop, ev_timer *timer, int events)
{
	unsigned int i;

	(void)events;
	for (i = 0; i < REFILL_BATCH && run.refill && run.sent < run.wanted; i++, run.refill--)
		load_send();
	if (!run.refill || run.sent == run.wanted)
		ev_timer_stop(loop, timer);
}

static void turn_begins(struct ev_loop *loop, ev_check *check, int events)
{
	(void)loop, (void)check, (void)events;
	run.turn_began = clock_of(CLOCK_THREAD_CPUTIME_ID);
}

static void turn_ends(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	double turn = clock_of(CLOCK_THREAD_CPUTIME_ID) - run.turn_began;

	(void)loop, (void)prepare, (void)events;
	if (run.turn_began > 0 && turn > run.worst_turn)
		run.worst_turn = turn;
}

struct measure {
	double began, elapsed, cpu;
	ev_check check;
	ev_prepare prepare;
};

static void measure_begin(struct measure *measure)
{
	run.worst_turn = run.turn_began = 0;
	ev_check_init(&measure->check, turn_begins);
	ev_set_priority(&measure->check, EV_MAXPRI);
	ev_check_start(EV_DEFAULT, &measure->check);
	ev_prepare_init(&measure->prepare, turn_ends);
	ev_prepare_start(EV_DEFAULT, &measure->prepare);
	measure->began = clock_of(CLOCK_MONOTONIC);
	measure->cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void measure_end(struct measure *measure)
{
	measure->elapsed = clock_of(CLOCK_MONOTONIC) - measure->began;
	measure->cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - measure->cpu;
	ev_check_stop(EV_DEFAULT, &measure->check);
	ev_prepare_stop(EV_DEFAULT, &measure->prepare);
}

static void measure_print(const struct measure *measure, const char *what, unsigned int count)
{
	printf("%s: %u in %.2f s, %.0f/s, CPU %.1f us each, worst turn %.2f ms CPU\n", what, count,
		measure->elapsed, count / measure->elapsed, measure->cpu / count * 1e6,
		run.worst_turn * 1e3);
}

static struct radius_host host_make(void)
{
	return (struct radius_host){
		.ctx = EV_DEFAULT,
		.now = host_now,
		.wallclock = host_now,
		.random = host_random,
		.timer_new = timer_new,
		.timer_start = timer_start,
		.timer_stop = timer_stop,
		.timer_free = timer_free,
		.io_new = io_new,
		.io_free = io_free,
		.log = host_log,
	};
}

static struct radius_client *client_make(unsigned int port)
{
	struct radius_host host = host_make();
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
	if (radius_client_new(&host, &config, &client))
		abort();
	return client;
}

static bool run_one(const char *what, enum radius_packet_code code, unsigned int count,
	unsigned int port, unsigned int minimum)
{
	struct radius_server_info info;
	struct measure measure;
	ev_timer begin;

	if (!count)
		return true;
	memset(&run, 0, sizeof(run));
	run.client = client_make(port);
	run.code = code;
	run.wanted = count;
	run.refill = options.users;
	ev_timer_init(&begin, load_begin, 0., 0.001);
	ev_timer_start(EV_DEFAULT, &begin);
	measure_begin(&measure);
	ev_run(EV_DEFAULT, 0);
	measure_end(&measure);
	ev_timer_stop(EV_DEFAULT, &begin);
	radius_client_info(run.client, 0, &info);
	measure_print(&measure, what, count);
	printf("\taccepted %u, answered %u, timeout %u, forged %u, failed %u\n", run.accepts,
		run.outcomes[RADIUS_ANSWERED], run.outcomes[RADIUS_TIMEOUT],
		run.outcomes[RADIUS_FORGED], run.outcomes[RADIUS_FAILED]);
	printf("\tretransmissions %llu, bad authenticators %llu, bad packets %llu, latency %llu us\n",
		(unsigned long long)info.retransmissions,
		(unsigned long long)info.bad_authenticators, (unsigned long long)info.bad_packets,
		(unsigned long long)info.latency);
	radius_client_free(run.client);
	return run.outcomes[RADIUS_ANSWERED] == count && count / measure.elapsed >= minimum;
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
static void spool_feed(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	for (int i = 0; i < REFILL_BATCH / 2 && spooled.put < spooled.wanted &&
			spooled.put - spooled.durable < options.users;
		i++)
		spool_put();
	if (spooled.put == spooled.wanted)
		ev_timer_stop(loop, timer);
}

static void spool_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct radius_spool_info info;

	(void)timer, (void)events;
	radius_spool_info(spooled.spool, &info);
	if (!info.is_loading && spooled.durable == spooled.wanted &&
		(info.waiting == 0 || !run.client))
		ev_break(loop, EVBREAK_ALL);
}

/* Puts count records, and waits until all are durable and, with a client, acknowledged. */
static double spool_pass(const char *what, unsigned int count, unsigned int counted)
{
	struct measure measure;
	ev_timer feed, look;

	spooled.wanted = spooled.put + count;
	ev_timer_init(&feed, spool_feed, 0., 0.0005);
	ev_timer_init(&look, spool_look, 0., 0.001);
	ev_timer_start(EV_DEFAULT, &feed);
	ev_timer_start(EV_DEFAULT, &look);
	measure_begin(&measure);
	ev_run(EV_DEFAULT, 0);
	measure_end(&measure);
	ev_timer_stop(EV_DEFAULT, &feed);
	ev_timer_stop(EV_DEFAULT, &look);
	measure_print(&measure, what, counted);
	return counted / measure.elapsed;
}

static void spool_open(const char *path)
{
	struct radius_host host = host_make();
	int err = radius_spool_new(
		&host, &(struct radius_spool_config){ .path = path }, run.client, &spooled.spool);

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
	memset(&run, 0, sizeof(run));
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
	radius_client_free(run.client);
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
	/* Otherwise one call in a turn merges, or gives back, all that was freed in many: 40 ms. */
	mallopt(M_MXFAST, 0);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
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
