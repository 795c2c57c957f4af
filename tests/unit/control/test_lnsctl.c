/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of lnsctl: the whole program, as a function, against a server that says what the test wants;
 * and its tables and numbers. Its main file has no header, so it is included.
 */
int lnsctl_main(int argc, char **argv);
#define main lnsctl_main
#include "lns/control/lnsctl.c"
#undef main

#include "lns/control/columns.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64], socket_path[80], request_path[80];
static pid_t server;

static void make_directory(void)
{
	snprintf(directory, sizeof(directory), "/tmp/lnsctl-test-%d", getpid());
	cr_assert_eq(mkdir(directory, 0700), 0);
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", directory);
	snprintf(request_path, sizeof(request_path), "%s/request", directory);
	cr_redirect_stdout();
	cr_redirect_stderr();
}

static void remove_directory(void)
{
	if (server)
		waitpid(server, NULL, 0);
	unlink(socket_path);
	unlink(request_path);
	rmdir(directory);
}

TestSuite(lnsctl, .init = make_directory, .fini = remove_directory);

/* A child that takes one request, keeps it in a file, and answers in two pieces. */
static void serve(const char *answer)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	size_t half = strlen(answer) / 2;
	char request[1000];
	ssize_t len;
	FILE *file;

	memcpy(addr.sun_path, socket_path, strlen(socket_path) + 1);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	server = fork();
	if (server) {
		close(fd);
		return;
	}
	client = accept(fd, NULL, NULL);
	len = read(client, request, sizeof(request));
	file = fopen(request_path, "w");
	if (file) {
		fwrite(request, 1, len > 0 ? (size_t)len : 0, file);
		fclose(file);
	}
	if (write(client, answer, half) > 0 &&
		write(client, answer + half, strlen(answer) - half) > 0)
		close(client);
	_exit(0);
}

/* Runs lnsctl -s SOCKET and the words, NULL-terminated. */
static int run(const char *const *words)
{
	char *argv[16] = { "lnsctl", "-s", socket_path };
	int argc = 3;

	while (*words && argc < 15)
		argv[argc++] = (char *)*words++;
	return lnsctl_main(argc, argv);
}
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static void expect_request(const char *text)
{
	char request[1000] = "";
	FILE *file;

	waitpid(server, NULL, 0);
	server = 0;
	file = fopen(request_path, "r");
	cr_assert(file);
	cr_assert(fgets(request, sizeof(request), file));
	fclose(file);
	cr_assert_str_eq(request, text);
}

#define SESSIONS                                                                                   \
	"{\"item\":{\"id\":1,\"user\":\"al\\u001bice\",\"ip\":\"100.64.0.2\",\"ifname\":\"ppp0\"," \
	"\"state\":\"up\",\"lac\":\"metro\",\"uptime\":3725,\"rx_octets\":1234567,"                \
	"\"tx_octets\":999}}\n"                                                                    \
	"{\"item\":{\"id\":12,\"user\":null,\"ip\":null,\"state\":\"auth\",\"lac\":\"m\\u00fc\","  \
	"\"uptime\":5,\"rx_octets\":0,\"tx_octets\":1000}}\n"                                      \
	"{\"done\":true}\n"

Test(lnsctl, table)
{
	serve(SESSIONS);
	cr_assert_eq(RUN("show", "sessions", "--lac", "metro", "--user=bob"), 0);
	expect_request(
		"{\"command\":\"show sessions\",\"args\":{\"lac\":\"metro\",\"user\":\"bob\"}}\n");
	cr_assert_stdout_eq_str(
		"ID  TUNNEL  SESSION  USER       ADDRESS     IFACE  STATE  LAC    CALLING  CALLED  "
		"UPTIME    IN   OUT  IN-BPS  OUT-BPS\n"
		" 1       -        -  al\\x1bice  100.64.0.2  ppp0   up     metro  -        -        "
		"1h02m  1.2M   999       -        -\n"
		"12       -        -  -          -           -      auth   m\xc3\xbc     -        -      "
		"     5s     0  1.0k       -        -\n");
}

Test(lnsctl, json_list)
{
	serve("{\"item\":{\"id\":1}}\n{\"item\":{\"id\":2}}\n{\"done\":true}\n");
	cr_assert_eq(RUN("--json", "show", "tunnels"), 0);
	expect_request("{\"command\":\"show tunnels\",\"args\":{}}\n");
	cr_assert_stdout_eq_str("[\n{\"id\":1},\n{\"id\":2}\n]\n");
}

Test(lnsctl, json_empty)
{
	serve("{\"done\":true}\n");
	cr_assert_eq(RUN("show", "tunnels", "-j"), 0);
	cr_assert_stdout_eq_str("[\n]\n");
}

Test(lnsctl, json_object)
{
	serve("{\"item\":{\"id\":1,\"call\":{\"x\":[1,2]}}}\n{\"done\":true}\n");
	cr_assert_eq(RUN("show", "session", "1", "--json"), 0);
	expect_request("{\"command\":\"show session\",\"args\":{\"id\":1}}\n");
	cr_assert_stdout_eq_str(
		"{\n  \"id\": 1,\n  \"call\": {\n    \"x\": [\n      1,\n      2\n    ]\n  }\n}\n");
}

Test(lnsctl, object)
{
	serve("{\"item\":{\"id\":1,\"host_name\":\"\",\"rx_octets\":12345678,\"uptime\":90061,"
	      "\"session_timeout\":59,\"call\":{\"tx_speed\":7,\"list\":[\"a\",2,true]},"
	      "\"oldest_seconds\":61,\"latency_us\":1500,\"none\":null}}\n{\"done\":true}\n");
	cr_assert_eq(RUN("show", "session", "0000000100000002"), 0);
	expect_request("{\"command\":\"show session\",\"args\":{\"id\":\"0000000100000002\"}}\n");
	cr_assert_stdout_eq_str("id               1\n"
				"host name        -\n"
				"rx octets        12M\n"
				"uptime           1d01h\n"
				"session timeout  59s\n"
				"call\n"
				"  tx speed  7\n"
				"  list      a, 2, yes\n"
				"oldest           1m01s\n"
				"latency          1.500ms\n"
				"none             -\n");
}

Test(lnsctl, disconnect_user)
{
	serve("{\"item\":{\"disconnected\":2}}\n{\"done\":true}\n");
	cr_assert_eq(RUN("disconnect", "user", "123"), 0);
	expect_request("{\"command\":\"disconnect user\",\"args\":{\"user\":\"123\"}}\n");
	cr_assert_stdout_eq_str("disconnected  2\n");
}

#define TUNNELS                                                                                    \
	"{\"item\":{\"id\":1,\"lac\":\"b\",\"peer\":\"10.0.0.10\",\"sessions\":3}}\n"              \
	"{\"item\":{\"id\":2,\"lac\":\"a\",\"peer\":null,\"sessions\":3}}\n"                       \
	"{\"item\":{\"id\":3,\"lac\":\"c\",\"peer\":\"10.0.0.9\",\"sessions\":20}}\n"              \
	"{\"done\":true}\n"

/* Numbers and addresses by value, what is unknown last, equals as they came. */
Test(lnsctl, sorted)
{
	static const struct {
		const char *column, *order;
	} cases[] = {
		{ "lac", "[\n{\"id\":2},\n{\"id\":1},\n{\"id\":3}\n]\n" },
		{ "-LAC", "[\n{\"id\":3},\n{\"id\":1},\n{\"id\":2}\n]\n" },
		{ "peer", "[\n{\"id\":3},\n{\"id\":1},\n{\"id\":2}\n]\n" },
		{ "-peer", "[\n{\"id\":1},\n{\"id\":3},\n{\"id\":2}\n]\n" },
		{ "-sessions", "[\n{\"id\":3},\n{\"id\":1},\n{\"id\":2}\n]\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *items = json_pack(
			"[{s:i, s:s, s:s, s:i}, {s:i, s:s, s:n, s:i}, {s:i, s:s, s:s, s:i}]", "id",
			1, "lac", "b", "peer", "10.0.0.10", "sessions", 3, "id", 2, "lac", "a",
			"peer", "sessions", 3, "id", 3, "lac", "c", "peer", "10.0.0.9", "sessions",
			20);
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		sort_items(items, tunnel_columns, cases[i].column);
		for (size_t n = 0; n < 3; n++) {
			json_object_del(json_array_get(items, n), "lac");
			json_object_del(json_array_get(items, n), "peer");
			json_object_del(json_array_get(items, n), "sessions");
		}
		show_json(items, true, out);
		fclose(out);
		cr_expect_str_eq(text, cases[i].order, "%s: %s", cases[i].column, text);
		free(text);
		json_decref(items);
	}
}

Test(lnsctl, sorted_and_limited)
{
	serve(TUNNELS);
	cr_assert_eq(RUN("show", "tunnels", "--sort=-sessions", "--limit", "1", "--json"), 0);
	expect_request("{\"command\":\"show tunnels\",\"args\":{}}\n");
	cr_assert_stdout_eq_str(
		"[\n{\"id\":3,\"lac\":\"c\",\"peer\":\"10.0.0.9\",\"sessions\":20}\n]\n");
}

/* Filters are the server's. */
Test(lnsctl, filters_of_history)
{
	serve("{\"done\":true}\n");
	cr_assert_eq(RUN("history", "--failed", "--user", "bob", "--ip", "10.0.0.1"), 0);
	expect_request("{\"command\":\"history\",\"args\":{\"failed\":true,\"user\":\"bob\","
		       "\"ip\":\"10.0.0.1\"}}\n");
}

Test(lnsctl, why)
{
	serve("{\"item\":{\"ended\":\"2001-02-03T04:05:06Z\",\"what\":\"failed\",\"user\":\"bob\","
	      "\"reason\":\"authentication refused\"}}\n{\"done\":true}\n");
	cr_assert_eq(RUN("why", "bob"), 0);
	expect_request("{\"command\":\"why\",\"args\":{\"subscriber\":\"bob\"}}\n");
}

/* Without a terminal it shows once, and ends. */
Test(lnsctl, top)
{
	serve("{\"item\":{\"online\":3,\"rx_bps\":1500000,\"tx_bps\":200,\"sessions\":["
	      "{\"id\":7,\"user\":\"bob\",\"ip\":\"10.0.0.1\",\"ifname\":\"ppp0\",\"lac\":\"m\","
	      "\"uptime\":61,\"rx_octets\":1,\"tx_octets\":2,\"rx_bps\":1500000,\"tx_bps\":200}]}}\n"
	      "{\"done\":true}\n");
	cr_assert_eq(RUN("top", "--limit", "7", "--lac", "m"), 0);
	expect_request("{\"command\":\"top\",\"args\":{\"lac\":\"m\",\"limit\":7}}\n");
	cr_assert_stdout_eq_str(
		"3 online, in 1.5M bit/s, out 200 bit/s\n\n"
		"ID  USER  ADDRESS   IFACE  LAC  UPTIME  IN  OUT  IN-BPS  OUT-BPS\n"
		" 7  bob   10.0.0.1  ppp0   m     1m01s   1    2    1.5M      200\n");
}

/* Nothing half is printed. */
Test(lnsctl, refused)
{
	serve("{\"item\":{\"id\":1}}\n{\"error\":\"no such \\u0007session\"}\n");
	cr_assert_eq(RUN("show", "sessions"), 1);
	fflush(stderr);
	cr_assert_stderr_eq_str("lnsctl: no such \\x07session\n");
}

Test(lnsctl, ends_early)
{
	char expected[200];

	serve("{\"item\":{\"id\":1}}\n");
	cr_assert_eq(RUN("show", "sessions"), 1);
	fflush(stderr);
	snprintf(expected, sizeof(expected), "lnsctl: %s: the answer ends early\n", socket_path);
	cr_assert_stderr_eq_str(expected);
}

Test(lnsctl, garbage)
{
	serve("hello\n");
	cr_assert_eq(RUN("history"), 1);
	fflush(stderr);
	cr_assert_stderr_eq_str("lnsctl: the server says what nobody understands\n");
}

Test(lnsctl, nobody_there)
{
	char expected[200];

	cr_assert_eq(RUN("show", "stats"), 1);
	fflush(stderr);
	snprintf(expected, sizeof(expected),
		"lnsctl: %s: No such file or directory; is lnsd running?\n", socket_path);
	cr_assert_stderr_eq_str(expected);
}

Test(lnsctl, usage)
{
	static const char *const wrong[][5] = {
		{ NULL },
		{ "show" },
		{ "show", "nonsense" },
		{ "sho", "tunnels" },
		{ "show", "session" },
		{ "show", "session",
			""
			"1",
			"2" },
		{ "show", "tunnels", "1" },
		{ "show", "tunnels", "--user", "x" },
		{ "show", "sessions", "--sort", "nonsense" },
		{ "show", "stats", "--sort", "id" },
		{ "show", "sessions", "--watch=0" },
		{ "show", "sessions", "--watch", "0" },
		{ "show", "sessions", "--watch", "86401" },
		{ "show", "sessions", "--watch", "often" },
		{ "show", "session", "--watch", "5" },
		{ "show", "sessions", "--limit", "some" },
		{ "disconnect", "user", "x", "--watch" },
		{ "why" },
		{ "history", "--state", "up" },
		{ "history", "--nonsense" },
		{ "show", "sessions", "--user" },
		{ "disconnect", "user", "\xff" },
		{ "show", "sessions", "--user", "\xff" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		optind = 0;
		cr_assert_eq(run(wrong[i]), EXIT_USAGE, "%zu", i);
	}
	optind = 0;
	cr_assert_eq(RUN("--help"), 0);
}

/* --watch with its number or without, wherever it stands, and what is left for the command. */
Test(lnsctl, watch)
{
	static const struct {
		const char *words[6];
		unsigned int watch;
		json_int_t id;
	} rows[] = {
		{ { "lnsctl", "show", "stats" }, 0, 0 },
		{ { "lnsctl", "show", "stats", "--watch" }, 2, 0 },
		{ { "lnsctl", "--watch", "show", "stats" }, 2, 0 },
		{ { "lnsctl", "show", "stats", "--watch", "7" }, 7, 0 },
		{ { "lnsctl", "show", "--watch", "7", "stats" }, 7, 0 },
		{ { "lnsctl", "show", "stats", "--watch=7" }, 7, 0 },
		{ { "lnsctl", "show", "session", "12", "--watch", "7" }, 7, 12 },
		{ { "lnsctl", "show", "session", "--watch", "7", "12" }, 7, 12 },
		{ { "lnsctl", "show", "session", "--watch=7", "12" }, 7, 12 },
		{ { "lnsctl", "top", "--watch", "7", "--limit", "3" }, 7, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request = { .args = json_object() };
		char *words[7] = { 0 };
		int count = 0;

		while (count < 6 && rows[i].words[count]) {
			words[count] = (char *)rows[i].words[count];
			count++;
		}
		optind = 0;
		cr_assert_eq(command_parse(count, words, &request), -1, "row %zu", i);
		cr_assert_eq(request.watch, rows[i].watch, "row %zu: %u", i, request.watch);
		cr_assert_eq(json_integer_value(json_object_get(request.args, "id")), rows[i].id,
			"row %zu", i);
		json_decref(request.args);
	}
}

Test(lnsctl, numbers)
{
	static const struct {
		json_int_t value;
		const char *seconds, *octets;
	} cases[] = {
		{ 0, "0s", "0" },
		{ 59, "59s", "59" },
		{ 60, "1m00s", "60" },
		{ 999, "16m39s", "999" },
		{ 1000, "16m40s", "1.0k" },
		{ 3599, "59m59s", "3.5k" },
		{ 9999, "2h46m", "9.9k" },
		{ 10000, "2h46m", "10k" },
		{ 86399, "23h59m", "86k" },
		{ 86400, "1d00h", "86k" },
		{ 999999, "11d13h", "999k" },
		{ 1000000, "11d13h", "1.0M" },
		{ 1234567890123, "14288980d05h", "1.2T" },
		{ INT64_MAX, "106751991167300d15h", "9.2E" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *value = json_integer(cases[i].value);
		char *seconds = show_value(value, FORMAT_SECONDS);
		char *octets = show_value(value, FORMAT_OCTETS);

		cr_assert_str_eq(seconds, cases[i].seconds);
		cr_assert_str_eq(octets, cases[i].octets);
		free(seconds);
		free(octets);
		json_decref(value);
	}
}

/* The narrower the terminal, the fewer columns; those of rank 0 always stay. */
Test(lnsctl, narrow_terminal)
{
	json_t *items = json_pack("[{s:i, s:s, s:s, s:s}]", "id", 1, "user", "alice", "ip",
		"10.0.0.1", "state", "up");
	size_t last = SIZE_MAX;

	for (size_t limit = 120; limit > 0; limit -= 4) {
		char *text = NULL, *end;
		size_t size, width;
		FILE *out = open_memstream(&text, &size);

		show_table(session_columns, items, limit, out);
		fclose(out);
		end = strchr(text, '\n');
		cr_assert(end);
		width = (size_t)(end - text);
		cr_assert(width <= last);
		cr_assert(width <= limit || !strncmp(text, "ID  USER   ADDRESS   STATE\n", 27),
			"%s", text);
		cr_assert(strstr(text, "alice") && strstr(text, "10.0.0.1"));
		last = width;
		free(text);
	}
	json_decref(items);
}

/* --- answers that go on --- */

#define MESSAGE                                                                                    \
	"{\"item\":{\"time_us\":1700000000000042,\"direction\":\"in\",\"tunnel\":7,\"session\":0," \
	"\"ns\":2,\"nr\":1,\"type\":\"ICRQ\",\"text\":\"ICRQ, Assigned Session ID: 5\\u001b\"}}\n"

Test(lnsctl, trace)
{
	setenv("TZ", "UTC", 1);
	serve("{\"started\":true}\n" MESSAGE "{\"dropped\":3}\n{\"done\":true}\n");
	cr_assert_eq(RUN("trace", "tunnel", "7"), 0);
	expect_request("{\"command\":\"trace tunnel\",\"args\":{\"id\":7}}\n");
	cr_assert_stdout_eq_str("22:13:20.000042 <- tunnel 7 session 0 Ns 2 Nr 1 "
				"ICRQ, Assigned Session ID: 5\\x1b\n");
	cr_assert_stderr_eq_str("lnsctl: from now on; interrupt it to end\n"
				"lnsctl: 3 left out: they came too fast\n");
}

Test(lnsctl, monitor)
{
	setenv("TZ", "UTC", 1);
	serve("{\"started\":true}\n{\"item\":{\"time_us\":1700000000000042,\"event\":\"call-failed\","
	      "\"user\":\"b\\u001bob\",\"ip\":null,\"lac\":\"metro\",\"reason\":\"too late\"}}\n"
	      "{\"done\":true}\n");
	cr_assert_eq(RUN("monitor", "--lac", "metro"), 0);
	expect_request("{\"command\":\"monitor\",\"args\":{\"lac\":\"metro\"}}\n");
	cr_assert_stdout_eq_str("22:13:20 call-failed b\\x1bob via metro: too late\n");
}

Test(lnsctl, trace_json)
{
	serve("{\"item\":{\"b\":1,\"a\":2}}\n{\"item\":{}}\n{\"done\":true}\n");
	cr_assert_eq(RUN("trace", "lac", "metro", "--json"), 0);
	expect_request("{\"command\":\"trace lac\",\"args\":{\"lac\":\"metro\"}}\n");
	cr_assert_stdout_eq_str("{\"b\":1,\"a\":2}\n{}\n");
}

Test(lnsctl, a_trace_of_a_server_that_dies)
{
	serve(MESSAGE);
	cr_assert_eq(RUN("trace", "session", "7"), EXIT_REFUSED);
	waitpid(server, NULL, 0);
	server = 0;
}

Test(lnsctl, items_that_make_no_sense)
{
	static const char *const rows[] = { "{}", "{\"time_us\":1,\"packet\":\"4\"}",
		"{\"time_us\":1,\"packet\":\"4g\"}", "{\"time_us\":1}", "7" };

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		json_t *item = json_loads(rows[n], JSON_DECODE_ANY, NULL);

		cr_assert_eq(follow_capture(item, stdout), -EPROTO, "%s", rows[n]);
		json_decref(item);
	}
}

Test(lnsctl, capture)
{
	json_t *item = json_pack(
		"{s:I, s:s}", "time_us", (json_int_t)1700000000000042, "packet", "4500ff");
	static const uint8_t octets[] = { 0x45, 0x00, 0xff };
	uint32_t words[6 + 4];
	char *file = NULL;
	size_t size;
	FILE *out = open_memstream(&file, &size);

	cr_assert_eq(follow_capture_begin(out), 0);
	cr_assert_eq(follow_capture(item, out), 0);
	fclose(out);
	cr_assert_eq(size, sizeof(words) + sizeof(octets));
	memcpy(words, file, sizeof(words));
	cr_assert_eq(words[0], 0xa1b2c3d4);
	cr_assert_eq(words[5], 101, "LINKTYPE_RAW");
	cr_assert_eq(words[6], 1700000000);
	cr_assert_eq(words[7], 42);
	cr_assert_eq(words[8], 3);
	cr_assert_eq(words[9], 3);
	cr_assert_arr_eq(file + sizeof(words), octets, 3);
	free(file);
	json_decref(item);
}

Test(lnsctl, call)
{
	serve("{\"started\":true}\n{\"item\":{\"state\":\"placed\",\"tunnel\":7,\"session\":12}}\n"
	      "{\"error\":\"result 8 (busy)\"}\n");
	cr_assert_eq(RUN("call", "--lac", "metro", "--address", "192.0.2.1", "--minimum-bps",
			     "64000", "800"),
		EXIT_REFUSED);
	expect_request("{\"command\":\"call\",\"args\":{\"lac\":\"metro\",\"address\":"
		       "\"192.0.2.1\",\"minimum_bps\":64000,\"number\":\"800\"}}\n");
	cr_assert_stdout_eq_str("placed: tunnel 7, session 12\n");
	cr_assert_stderr_eq_str("lnsctl: result 8 (busy)\n");
}

Test(lnsctl, options_of_other_commands)
{
	cr_assert_eq(RUN("call", "--user", "bob", "800"), EXIT_USAGE);
	cr_assert_eq(RUN("show", "sessions", "--tunnel", "7"), EXIT_USAGE);
	cr_assert_eq(RUN("show", "pools", "--lac", "metro"), EXIT_USAGE);
	cr_assert_eq(RUN("call", "--tunnel", "seven", "800"), EXIT_USAGE);
}

/* Every command and option of the program is in its manual page. */
Test(lnsctl, manual_page)
{
	static const char *const options[] = { "\\-\\-socket", "\\-\\-json", "\\-\\-help",
		"\\-\\-user", "\\-\\-type", "\\-\\-lac", "\\-\\-ip", "\\-\\-state", "\\-\\-tunnel",
		"\\-\\-address", "\\-\\-sub\\-address", "\\-\\-minimum\\-bps",
		"\\-\\-maximum\\-bps", "\\-\\-calling", "\\-\\-failed", "\\-\\-sort", "\\-\\-limit",
		"\\-\\-watch", "\\-\\-rate" };
	FILE *file = fopen("conf/man/lnsctl.8", "r");
	char page[32768] = "";

	cr_assert(file, "run this from the top of the tree");
	cr_assert(fread(page, 1, sizeof(page) - 1, file) > 0);
	fclose(file);
	for (const struct command *c = command_table(); c->name; c++) {
		char entry[80];

		snprintf(entry, sizeof(entry), c->argument ? ".TP\n.BI \"%s \"" : ".TP\n.B %s\n",
			c->name);
		cr_assert(strstr(page, entry), "%s", entry);
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		cr_assert(strstr(page, options[i]), "%s", options[i]);
}
