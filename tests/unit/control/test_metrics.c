// SPDX-License-Identifier: BSD-2-Clause
/* metrics: the text format, escaping, and the server over real sockets. */
#include "lns/control/metrics.h"

#include "tests/unit/env_fake.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t told; /* how often the first row was asked */

static void number(void *ctx, struct metrics_out *out)
{
	(void)ctx;
	metrics_number(out, ++told, NULL);
}

static void labelled(void *ctx, struct metrics_out *out)
{
	(void)ctx;
	metrics_number(out, UINT64_MAX, "lac", "a \"b\" \\ c\nd\te\xfc", "x", "", NULL);
	metrics_seconds(out, 0, "lac", "none", NULL);
	metrics_seconds(out, 1500, "lac", "some", NULL);
	metrics_seconds(out, 61000001, "lac", "more", NULL);
}

static void buckets(void *ctx, struct metrics_out *out)
{
	static const uint64_t bounds[] = { 2500, 1000000 }, counts[] = { 3, 0, 2 };
	const struct metrics_histogram histogram = { bounds, counts, 2, 7250000 };

	(void)ctx;
	metrics_histogram(out, &histogram, NULL);
	metrics_histogram(out, &histogram, "phase", "lcp", NULL);
}

static void nothing(void *ctx, struct metrics_out *out)
{
	(void)ctx;
	(void)out;
}

static const struct metrics_row rows[] = {
	{ "a_total", METRICS_COUNTER, "How \"often\" \\ when\nasked.", number },
	{ "b", METRICS_GAUGE, "Labels.", labelled },
	{ "c_seconds", METRICS_HISTOGRAM, "Buckets.", buckets },
	{ "d", METRICS_GAUGE, "Nothing to tell.", nothing },
	{ NULL, METRICS_GAUGE, NULL, NULL },
};

Test(metrics, text)
{
	static const char wanted[] =
		"# HELP a_total How \"often\" \\\\ when\\nasked.\n"
		"# TYPE a_total counter\n"
		"a_total 1\n"
		"# HELP b Labels.\n"
		"# TYPE b gauge\n"
		"b{lac=\"a \\\"b\\\" \\\\ c\\nd\\\\x09e\\\\xfc\",x=\"\"} 18446744073709551615\n"
		"b{lac=\"none\"} 0\n"
		"b{lac=\"some\"} 0.0015\n"
		"b{lac=\"more\"} 61.000001\n"
		"# HELP c_seconds Buckets.\n"
		"# TYPE c_seconds histogram\n"
		"c_seconds_bucket{le=\"0.0025\"} 3\n"
		"c_seconds_bucket{le=\"1\"} 3\n"
		"c_seconds_bucket{le=\"+Inf\"} 5\n"
		"c_seconds_sum 7.25\n"
		"c_seconds_count 5\n"
		"c_seconds_bucket{phase=\"lcp\",le=\"0.0025\"} 3\n"
		"c_seconds_bucket{phase=\"lcp\",le=\"1\"} 3\n"
		"c_seconds_bucket{phase=\"lcp\",le=\"+Inf\"} 5\n"
		"c_seconds_sum{phase=\"lcp\"} 7.25\n"
		"c_seconds_count{phase=\"lcp\"} 5\n"
		"# HELP d Nothing to tell.\n"
		"# TYPE d gauge\n";
	size_t len;
	char *text;

	told = 0;
	text = metrics_text(rows, NULL, &len);
	cr_assert(text);
	cr_assert_str_eq(text, wanted);
	cr_assert_eq(len, strlen(wanted));
	free(text);
}

/* ---- the server ---- */

static struct env *env;
static struct metrics *metrics;
static union addr address;

static void setup(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(address);

	/* A port that is free: the kernel's choice, given back. */
	address.in4 = (struct sockaddr_in){ .sin_family = AF_INET };
	address.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, &address.sa, sizeof(address.in4)), 0);
	cr_assert_eq(getsockname(fd, &address.sa, &len), 0);
	close(fd);
	told = 0;
	env = env_fake_new();
	cr_assert_eq(metrics_new(env, &address, rows, NULL, &metrics), 0);
}

static void teardown(void)
{
	metrics_free(metrics);
	metrics_free(NULL);
	env_fake_free(env);
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, &address.sa, sizeof(address.in4)), 0);
	return fd;
}

/* Lets the server run until it has closed the connection or nothing more comes. */
static size_t answer(int fd, char *buf, size_t size)
{
	size_t len = 0;

	for (int idle = 0; idle < 20 && len < size - 1;) {
		ssize_t n;

		env_fake_poll(env, 5);
		env_fake_advance(env, 0); /* a timer that is due at once */
		n = recv(fd, buf + len, size - 1 - len, MSG_DONTWAIT);
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
	}
	buf[len] = '\0';
	return len;
}

static void expect(const char *request, const char *status, const char *part)
{
	char buf[8192];
	int fd = connected();

	cr_assert_eq(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
	answer(fd, buf, sizeof(buf));
	close(fd);
	cr_assert_eq(strncmp(buf, status, strlen(status)), 0, "%s\ngave: %s", request, buf);
	cr_assert(strstr(buf, part), "%s\nhas no: %s", buf, part);
}

/* What is no request costs its connection; libmicrohttpd 0.9 says 400 before, 1.0 nothing. */
static void expect_closed(const char *nonsense)
{
	char buf[8192];
	int fd = connected();

	cr_assert_eq(send(fd, nonsense, strlen(nonsense), 0), (ssize_t)strlen(nonsense));
	if (answer(fd, buf, sizeof(buf)) > 0)
		cr_assert(strstr(buf, " 400 "), "%s\ngave: %s", nonsense, buf);
	errno = 0;
	cr_assert_leq(recv(fd, buf, 1, MSG_DONTWAIT), 0);
	cr_assert_neq(errno, EAGAIN, "the connection is open");
	close(fd);
}

TestSuite(metrics_server, .init = setup, .fini = teardown);

Test(metrics_server, serves)
{
	expect("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ",
		"\r\n\r\n# HELP a_total ");
	expect("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ",
		"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	cr_assert_eq(told, 1, "one text a second");
	env_fake_advance(env, ENV_SEC(1));
	expect("GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.", "\na_total 2\n");
}

Test(metrics_server, refuses)
{
	expect("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 ",
		"/metrics");
	expect("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
		"HTTP/1.1 405 ", "Allow: GET, HEAD\r\n");
	expect_closed("\r\n\x01\x02 nonsense\r\n\r\n");
	cr_assert_eq(told, 0);
	expect("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ",
		"Content-Length: ");
}

Test(metrics_server, a_request_in_parts)
{
	const char *parts[] = { "GET /met", "rics HTTP/1.1\r\nHo",
		"st: x\r\nConnection: close\r\n\r", "\n" };
	char buf[8192];
	int fd = connected();

	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(answer(fd, buf, sizeof(buf)), 0);
		cr_assert_gt(send(fd, parts[i], strlen(parts[i]), 0), 0);
	}
	answer(fd, buf, sizeof(buf));
	close(fd);
	cr_assert(strstr(buf, "a_total 1\n"), "%s", buf);
}

/* More connections than it takes wait; those that say nothing are closed, by the real clock. */
Test(metrics_server, bounded)
{
	int fds[40];
	char buf[64];

	for (size_t i = 0; i < 40; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		cr_assert(connect(fds[i], &address.sa, sizeof(address.in4)) == 0 ||
			  errno == EINPROGRESS);
	}
	answer(fds[0], buf, sizeof(buf));
	cr_assert_gt(env_fake_running(env), 0, "a silent connection has a deadline");
	for (size_t i = 0; i < 40; i++)
		close(fds[i]);
	answer(connected(), buf, sizeof(buf));
	expect("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ",
		"a_total");
}

Test(metrics_server, an_address_in_use)
{
	struct metrics *second = NULL;

	cr_assert_eq(metrics_new(env, &address, rows, NULL, &second), -EADDRINUSE);
	cr_assert_null(second);
}
