/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lnsctl: asks lnsd over its control socket and shows the answer to a person, or as JSON to a program.
 *
 * One request a run. Items are collected until the answer is complete, so that a failure prints nothing
 * half, and columns are as wide as what is in them. On a terminal that is too narrow the least
 * important columns are left out. Text may come from strangers (names of users, numbers): whatever
 * could move a terminal's cursor is printed as \xNN.
 *
 * Answers that go on (trace, capture, call) are printed item by item as they come, by follow.c.
 *
 * Exit status: 0 done, 1 the server refuses or does not answer, 2 wrong usage.
 */
#include "lns/control/follow.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_DEFAULT "/run/lnsd/control.sock"
#define ANSWER_TIMEOUT 60 /* seconds of silence */
#define COLUMNS_MAX    16
#define INDENT         2

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2 };

/* How a value is shown to a person. */
enum format { FORMAT_TEXT, FORMAT_NUMBER, FORMAT_SECONDS, FORMAT_MICROSECONDS, FORMAT_OCTETS };

struct column {
	const char *key, *title;
	enum format format;
	unsigned int rank; /* the highest goes first when the terminal is narrow; 0 stays */
};

static const struct column tunnel_columns[] = {
	{ "id", "ID", FORMAT_NUMBER, 0 },
	{ "peer_id", "PEER-ID", FORMAT_NUMBER, 8 },
	{ "lac", "LAC", FORMAT_TEXT, 0 },
	{ "host_name", "HOST", FORMAT_TEXT, 1 },
	{ "peer", "PEER", FORMAT_TEXT, 2 },
	{ "local", "LOCAL", FORMAT_TEXT, 7 },
	{ "state", "STATE", FORMAT_TEXT, 0 },
	{ "sessions", "SESSIONS", FORMAT_NUMBER, 3 },
	{ "uptime", "UPTIME", FORMAT_SECONDS, 4 },
	{ "unacknowledged", "UNACKED", FORMAT_NUMBER, 5 },
	{ "retransmissions", "RETRANS", FORMAT_NUMBER, 6 },
	{ 0 },
};

static const struct column session_columns[] = {
	{ "id", "ID", FORMAT_NUMBER, 0 },
	{ "tunnel", "TUNNEL", FORMAT_NUMBER, 7 },
	{ "session", "SESSION", FORMAT_NUMBER, 8 },
	{ "user", "USER", FORMAT_TEXT, 0 },
	{ "ip", "ADDRESS", FORMAT_TEXT, 0 },
	{ "ifname", "IFACE", FORMAT_TEXT, 2 },
	{ "state", "STATE", FORMAT_TEXT, 0 },
	{ "lac", "LAC", FORMAT_TEXT, 1 },
	{ "calling", "CALLING", FORMAT_TEXT, 6 },
	{ "called", "CALLED", FORMAT_TEXT, 9 },
	{ "uptime", "UPTIME", FORMAT_SECONDS, 3 },
	{ "rx_octets", "IN", FORMAT_OCTETS, 4 },
	{ "tx_octets", "OUT", FORMAT_OCTETS, 5 },
	{ 0 },
};

static const struct column radius_columns[] = {
	{ "server", "SERVER", FORMAT_TEXT, 0 },
	{ "purpose", "PURPOSE", FORMAT_TEXT, 0 },
	{ "alive", "ALIVE", FORMAT_TEXT, 0 },
	{ "requests", "REQUESTS", FORMAT_NUMBER, 1 },
	{ "retransmissions", "RETRANS", FORMAT_NUMBER, 5 },
	{ "accepts", "ACCEPTS", FORMAT_NUMBER, 6 },
	{ "rejects", "REJECTS", FORMAT_NUMBER, 7 },
	{ "responses", "RESPONSES", FORMAT_NUMBER, 8 },
	{ "timeouts", "TIMEOUTS", FORMAT_NUMBER, 2 },
	{ "bad_authenticators", "FORGED", FORMAT_NUMBER, 3 },
	{ "in_flight", "IN-FLIGHT", FORMAT_NUMBER, 9 },
	{ "waiting", "WAITING", FORMAT_NUMBER, 10 },
	{ "latency_us", "LATENCY", FORMAT_MICROSECONDS, 4 },
	{ 0 },
};

static const struct column das_columns[] = {
	{ "client", "CLIENT", FORMAT_TEXT, 0 },
	{ "disconnects", "DISCONNECTS", FORMAT_NUMBER, 0 },
	{ "coas", "COAS", FORMAT_NUMBER, 0 },
	{ "acks", "ACKED", FORMAT_NUMBER, 0 },
	{ "naks", "REFUSED", FORMAT_NUMBER, 0 },
	{ "duplicates", "REPEATED", FORMAT_NUMBER, 2 },
	{ "bad_authenticators", "FORGED", FORMAT_NUMBER, 3 },
	{ "malformed", "MALFORMED", FORMAT_NUMBER, 4 },
	{ "stale", "STALE", FORMAT_NUMBER, 5 },
	{ "dropped", "DROPPED", FORMAT_NUMBER, 1 },
	{ 0 },
};

static const struct column history_columns[] = {
	{ "ended", "ENDED", FORMAT_TEXT, 1 },
	{ "user", "USER", FORMAT_TEXT, 0 },
	{ "lac", "LAC", FORMAT_TEXT, 2 },
	{ "calling", "CALLING", FORMAT_TEXT, 5 },
	{ "ip", "ADDRESS", FORMAT_TEXT, 4 },
	{ "uptime", "LASTED", FORMAT_SECONDS, 3 },
	{ "rx_octets", "IN", FORMAT_OCTETS, 6 },
	{ "tx_octets", "OUT", FORMAT_OCTETS, 7 },
	{ "reason", "REASON", FORMAT_TEXT, 0 },
	{ "detail", "DETAIL", FORMAT_TEXT, 0 },
	{ 0 },
};

static const struct column pool_columns[] = {
	{ "pool", "POOL", FORMAT_TEXT, 0 },
	{ "size", "SIZE", FORMAT_NUMBER, 0 },
	{ "used", "USED", FORMAT_NUMBER, 0 },
	{ "reserved", "RESERVED", FORMAT_NUMBER, 0 },
	{ "free", "FREE", FORMAT_NUMBER, 0 },
	{ 0 },
};

static const struct command {
	const char *name;             /* words of the command line, and of the request */
	const char *argument;         /* key of the argument, NULL: none */
	const struct column *columns; /* a list in a table; NULL: one object */
	const char *help;
	follow_fn *follow; /* NULL: the answer is complete at once */
} commands[] = {
	{ "show tunnels", NULL, tunnel_columns, "tunnels, one a line", NULL },
	{ "show sessions", NULL, session_columns, "sessions, one a line; see the filters", NULL },
	{ "show session", "id", NULL, "everything about one session", NULL },
	{ "show stats", NULL, NULL, "totals since the start", NULL },
	{ "show radius", NULL, radius_columns, "RADIUS servers, one a line", NULL },
	{ "show das", NULL, das_columns, "clients of dynamic authorization, one a line", NULL },
	{ "show spool", NULL, NULL, "accounting records that wait for a server", NULL },
	{ "show pools", NULL, pool_columns, "address pools, one a line", NULL },
	{ "history", NULL, history_columns, "the last ends and failed calls, newest first", NULL },
	{ "spool flush", NULL, NULL, "send what waits for a server now", NULL },
	{ "disconnect session", "id", NULL, "end one session", NULL },
	{ "disconnect user", "user", NULL, "end all sessions of a user", NULL },
	{ "disconnect tunnel", "id", NULL, "close a tunnel and end its sessions", NULL },
	{ "trace tunnel", "id", NULL, "a tunnel's messages as they come and go", follow_trace },
	{ "trace session", "id", NULL, "those of one session, until it ends", follow_trace },
	{ "trace lac", "lac", NULL, "those of all tunnels of a lac section", follow_trace },
	{ "capture tunnel", "id", NULL, "the same as a pcap file on standard output",
		follow_capture },
	{ "call", "number", NULL, "let a LAC place a call; see the options", follow_call },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	fputs("Usage: lnsctl [-s SOCKET] [--json] COMMAND\n"
	      "Asks lnsd what it does, or tells it what to do.\n\nCommands:\n",
		out);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char words[64];

		snprintf(words, sizeof(words), "%s%s", commands[i].name,
			!commands[i].argument                         ? ""
			: strcmp(commands[i].argument, "id") == 0     ? " ID"
			: strcmp(commands[i].argument, "number") == 0 ? " NUMBER"
								      : " NAME");
		fprintf(out, "  %-24s %s\n", words, commands[i].help);
	}
	fputs("\nOptions:\n"
	      "  -s, --socket SOCKET      the control socket, " SOCKET_DEFAULT " by default\n"
	      "  -j, --json               one JSON document: an array, or an object\n"
	      "      --user NAME          show sessions, history: of this user only\n"
	      "      --lac NAME           show sessions, history: of this lac section only\n"
	      "      --ip ADDRESS         show sessions: with this address only\n"
	      "      --state STATE        show sessions: in this state only\n"
	      "      --tunnel ID          call: through this tunnel\n"
	      "      --lac NAME           call: through a tunnel of this lac section\n"
	      "      --address ADDRESS    call: of this LAC, with --lac; opens a tunnel if need be\n"
	      "      --sub-address NUMBER call: behind the number\n"
	      "      --minimum-bps N      call: lowest speed, bit/s\n"
	      "      --maximum-bps N      call: highest speed, bit/s\n"
	      "  -h, --help               this text\n",
		out);
}

/* ---- values for people ---- */

/* Writes text without anything that a terminal obeys: controls of ASCII and their kin of Latin-1. */
static void print_text(const char *text, FILE *out)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			fprintf(out, "\\x%02x", *c);
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			fprintf(out, "\\x%02x", *++c);
		else
			fputc(*c, out);
	}
}

/* "42s", "3m07s", "1h02m", "3d04h" */
static void print_seconds(json_int_t seconds, FILE *out)
{
	static const struct {
		json_int_t length, part;
		char unit, part_unit;
	} rows[] = { { 86400, 3600, 'd', 'h' }, { 3600, 60, 'h', 'm' }, { 60, 1, 'm', 's' } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (seconds < rows[i].length)
			continue;
		fprintf(out, "%" JSON_INTEGER_FORMAT "%c%02" JSON_INTEGER_FORMAT "%c",
			seconds / rows[i].length, rows[i].unit,
			seconds % rows[i].length / rows[i].part, rows[i].part_unit);
		return;
	}
	fprintf(out, "%" JSON_INTEGER_FORMAT "s", seconds);
}

/* "999", "1.2k", "12k", "1.2M": thousands, cut and not rounded up */
static void print_octets(json_int_t octets, FILE *out)
{
	const char *unit = "kMGTPE";
	json_int_t tenths;

	if (octets < 1000) {
		fprintf(out, "%" JSON_INTEGER_FORMAT, octets);
		return;
	}
	for (tenths = octets / 100; tenths >= 10000 && unit[1]; unit++)
		tenths /= 1000;
	if (tenths < 100)
		fprintf(out, "%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT "%c", tenths / 10,
			tenths % 10, *unit);
	else
		fprintf(out, "%" JSON_INTEGER_FORMAT "%c", tenths / 10, *unit);
}

static void print_number(json_int_t number, enum format format, FILE *out)
{
	if (format == FORMAT_SECONDS)
		print_seconds(number, out);
	else if (format == FORMAT_OCTETS)
		print_octets(number, out);
	else if (format == FORMAT_MICROSECONDS)
		fprintf(out, "%" JSON_INTEGER_FORMAT ".%03" JSON_INTEGER_FORMAT "ms", number / 1000,
			number % 1000);
	else
		fprintf(out, "%" JSON_INTEGER_FORMAT, number);
}

/* A value in a cell or behind a key; "-" for what is not there. */
static void print_value(const json_t *value, enum format format, FILE *out)
{
	if (json_is_string(value)) {
		print_text(*json_string_value(value) ? json_string_value(value) : "-", out);
	} else if (json_is_integer(value)) {
		print_number(json_integer_value(value), format, out);
	} else if (json_is_real(value)) {
		fprintf(out, "%g", json_real_value(value));
	} else if (json_is_boolean(value)) {
		fputs(json_is_true(value) ? "yes" : "no", out);
	} else if (json_is_array(value) && json_array_size(value)) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			fputs(i ? ", " : "", out);
			print_value(json_array_get(value, i), format, out);
		}
	} else {
		fputc('-', out);
	}
}

/* ---- tables ---- */

/* What print_value makes of it, allocated; ends the program when memory is short. */
static char *value_text(const json_t *value, enum format format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out) {
		print_value(value, format, out);
		fclose(out);
	}
	if (!text) {
		fputs("lnsctl: out of memory\n", stderr);
		exit(EXIT_REFUSED);
	}
	return text;
}

static char *cell_text(const json_t *items, size_t row, const struct column *column)
{
	return value_text(json_object_get(json_array_get(items, row), column->key), column->format);
}

/* Columns that a terminal needs for UTF-8 text: characters, all taken for narrow ones. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* Columns of the terminal; SIZE_MAX when the output goes elsewhere. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return SIZE_MAX;
	return size.ws_col;
}

/* Leaves columns out (width 0), the least important first, until a line fits. */
static void fit_columns(const struct column *columns, size_t *widths, size_t limit)
{
	for (;;) {
		size_t total = 0, least = 0;

		for (size_t c = 0; columns[c].key; c++) {
			total += widths[c] ? widths[c] + INDENT : 0;
			if (widths[c] &&
				columns[c].rank > (widths[least] ? columns[least].rank : 0))
				least = c;
		}
		if (total <= limit || total - INDENT <= limit || !columns[least].rank)
			return;
		widths[least] = 0;
	}
}

static void print_cell(
	const struct column *column, const char *text, size_t width, bool last, FILE *out)
{
	int blanks = (int)(width - text_width(text));

	if (column->format == FORMAT_TEXT)
		fprintf(out, "%s%*s", text, last ? 0 : blanks, "");
	else
		fprintf(out, "%*s%s", blanks, "", text);
	fprintf(out, last ? "\n" : "%*s", INDENT, "");
}

/* The limit is that of terminal_width. */
static void print_table(const struct column *columns, const json_t *items, size_t limit, FILE *out)
{
	size_t widths[COLUMNS_MAX] = { 0 }, last = 0;

	for (size_t c = 0; columns[c].key; c++) {
		widths[c] = strlen(columns[c].title);
		for (size_t i = 0; i < json_array_size(items); i++) {
			char *text = cell_text(items, i, &columns[c]);

			widths[c] = text_width(text) > widths[c] ? text_width(text) : widths[c];
			free(text);
		}
	}
	fit_columns(columns, widths, limit);
	for (size_t c = 0; columns[c].key; c++)
		last = widths[c] ? c : last;
	for (size_t c = 0; c <= last; c++)
		if (widths[c])
			print_cell(&columns[c], columns[c].title, widths[c], c == last, out);
	for (size_t i = 0; i < json_array_size(items); i++) {
		for (size_t c = 0; c <= last; c++) {
			char *text;

			if (!widths[c])
				continue;
			text = cell_text(items, i, &columns[c]);
			print_cell(&columns[c], text, widths[c], c == last, out);
			free(text);
		}
	}
}

/* ---- one object ---- */

static bool has_end(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* The format that a key's last word asks for; *ret_len is the key's length without a unit. */
static enum format key_format(const char *key, size_t *ret_len)
{
	*ret_len = strlen(key);
	if (has_end(key, "octets"))
		return FORMAT_OCTETS;
	if (has_end(key, "uptime") || has_end(key, "_timeout") || has_end(key, "interim"))
		return FORMAT_SECONDS;
	if (has_end(key, "_seconds")) {
		*ret_len -= strlen("_seconds");
		return FORMAT_SECONDS;
	}
	if (has_end(key, "_us")) {
		*ret_len -= strlen("_us");
		return FORMAT_MICROSECONDS;
	}
	return FORMAT_NUMBER;
}

/* Keys and values, a pair a line, objects inside indented below their key. */
static void print_object(json_t *object, int indent, FILE *out)
{
	size_t width = 0, len;

	for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
		key_format(json_object_iter_key(it), &len);
		if (!json_is_object(json_object_iter_value(it)) && len > width)
			width = len;
	}
	for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
		const char *key = json_object_iter_key(it);
		json_t *value = json_object_iter_value(it);
		enum format format = key_format(key, &len);

		fprintf(out, "%*s", indent, "");
		for (size_t i = 0; i < len; i++)
			fputc(key[i] == '_' ? ' ' : key[i], out);
		if (json_is_object(value)) {
			fputc('\n', out);
			print_object(value, indent + INDENT, out);
			continue;
		}
		fprintf(out, "%*s", (int)(width - len) + INDENT, "");
		print_value(value, format, out);
		fputc('\n', out);
	}
}

/* ---- talking to lnsd ---- */

/* A connection to the control socket; -1 after saying why not. */
static int connect_to(const char *path)
{
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "lnsctl: %s: is too long for a socket\n", path);
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) &&
		!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	fprintf(stderr, "lnsctl: %s: %s%s\n", path, strerror(errno),
		errno == ENOENT || errno == ECONNREFUSED ? "; is lnsd running?"
		: errno == EACCES                        ? "; be root, or in the group lnsd"
							 : "");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Sends the request, which is consumed. 0 or -errno. */
static int send_request(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
	int len = text ? asprintf(&line, "%s\n", text) : -1, error = len < 0 ? -ENOMEM : 0;

	for (int at = 0; at < len && !error;) {
		ssize_t put = send(fd, line + at, len - at, MSG_NOSIGNAL);

		if (put < 0 && errno != EINTR)
			error = -errno;
		at += put > 0 ? (int)put : 0;
	}
	if (len >= 0)
		free(line);
	free(text);
	json_decref(request);
	return error;
}

/* One line of the answer: 0 go on, 1 it is complete, -1 after saying what is wrong. */
static int take_line(const char *line, size_t len, json_t *items)
{
	json_t *message = json_loadb(line, len, 0, NULL), *item;
	const char *error = json_string_value(json_object_get(message, "error"));
	int result = -1;

	if ((item = json_object_get(message, "item"))) {
		result = json_array_append(items, item) ? -1 : 0;
	} else if (json_object_get(message, "done")) {
		result = 1;
	} else {
		fputs("lnsctl: ", stderr);
		print_text(error ? error : "the server says what nobody understands", stderr);
		fputc('\n', stderr);
	}
	json_decref(message);
	return result;
}

/* Sends the request (consumed): a stream to read the answer from, NULL after saying why there is none. */
static FILE *open_request(const char *path, json_t *request)
{
	int fd = connect_to(path), error;
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (!in) {
		if (fd >= 0)
			close(fd);
		json_decref(request);
		return NULL;
	}
	error = send_request(fd, request);
	if (!error)
		return in;
	fprintf(stderr, "lnsctl: %s: %s\n", path, strerror(-error));
	fclose(in);
	return NULL;
}

/* The items of the answer to request (consumed), NULL after saying why there is none. */
static json_t *ask(const char *path, json_t *request)
{
	FILE *in = open_request(path, request);
	json_t *items = in ? json_array() : NULL;
	int taken = items ? 0 : -1;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	errno = 0;
	while (!taken && (len = getline(&line, &size, in)) > 0)
		taken = take_line(line, len, items);
	if (!taken)
		fprintf(stderr, "lnsctl: %s: %s\n", path,
			errno == EAGAIN ? "no answer" : "the answer ends early");
	if (taken <= 0) {
		json_decref(items);
		items = NULL;
	}
	free(line);
	if (in)
		fclose(in);
	return items;
}

/* Prints one line of an answer that goes on: as take_line. */
static int follow_line(const char *line, size_t len, follow_fn *print)
{
	json_t *items = json_array(), *message = json_loadb(line, len, 0, NULL);
	json_t *dropped = json_object_get(message, "dropped");
	int result = 0, error = 0;

	if (json_object_get(message, "started")) {
		if (print != follow_call)
			fputs("lnsctl: from now on; interrupt it to end\n", stderr);
	} else if (json_is_integer(dropped)) {
		fprintf(stderr, "lnsctl: %" JSON_INTEGER_FORMAT " left out: they came too fast\n",
			json_integer_value(dropped));
	} else {
		result = items ? take_line(line, len, items) : -1;
		error = json_array_size(items) ? print(json_array_get(items, 0), stdout) : 0;
	}
	if (error) {
		fprintf(stderr, "lnsctl: output: %s\n", strerror(-error));
		result = -1;
	}
	json_decref(message);
	json_decref(items);
	return result;
}

/* Prints an answer that goes on, until its end. The exit status. */
static int follow(const char *path, json_t *request, follow_fn *print)
{
	static const struct timeval forever = { 0 };
	FILE *in;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int taken = 0;

	if (print == follow_capture && (isatty(STDOUT_FILENO) || follow_capture_begin(stdout))) {
		fputs("lnsctl: a capture goes to a file or a program: > tunnel.pcap\n", stderr);
		json_decref(request);
		return EXIT_USAGE;
	}
	in = open_request(path, request);
	if (!in)
		return EXIT_REFUSED;
	setsockopt(fileno(in), SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	while (!taken && (len = getline(&line, &size, in)) > 0)
		taken = follow_line(line, len, print);
	if (!taken)
		fprintf(stderr, "lnsctl: %s: lnsd is gone\n", path);
	free(line);
	fclose(in);
	return taken > 0 ? 0 : EXIT_REFUSED;
}

/* ---- the command line ---- */

struct request {
	const char *socket;
	bool json;
	const struct command *command;
	json_t *args;
};

/* An id is a number; a session may be named by its Acct-Session-Id, too: 16 hexadecimal digits. */
static json_t *make_argument(const char *key, const char *text)
{
	size_t len = strlen(text);

	if (!strcmp(key, "id") && len > 0 && len < 16 && strspn(text, "0123456789") == len)
		return json_integer(strtoll(text, NULL, 10));
	return json_string(text);
}

/* The command that the words are; NULL after saying what is wrong with them. */
static const struct command *find_command(char **words, int count, json_t *args)
{
	const struct command *found = NULL;
	int used = 0;

	for (size_t i = 0; i < COMMAND_COUNT && !found; i++) {
		char name[64] = "";

		used = strchr(commands[i].name, ' ') ? 2 : 1;
		if (count >= used)
			snprintf(name, sizeof(name), used == 2 ? "%s %s" : "%s", words[0],
				used == 2 ? words[1] : "");
		if (!strcmp(name, commands[i].name))
			found = &commands[i];
	}
	if (!found) {
		fprintf(stderr, count ? "lnsctl: unknown command; --help shows all\n"
				      : "lnsctl: no command; --help shows all\n");
		return NULL;
	}
	if (count != used + (found->argument ? 1 : 0)) {
		fprintf(stderr, "lnsctl: %s: %s\n", found->name,
			count > used      ? "too many words"
			: found->argument ? "which one?"
					  : "");
		return NULL;
	}
	if (found->argument && json_object_set_new(args, found->argument,
				       make_argument(found->argument, words[used]))) {
		fprintf(stderr, "lnsctl: %s: is not text\n", found->name);
		return NULL;
	}
	return found;
}

enum { OF_SESSIONS = 1, OF_CALL = 2, OF_HISTORY = 4 };

/* Options that become arguments of the request, and the commands that they are for. */
static const struct parameter {
	const char *option, *key;
	bool number;
	unsigned int commands;
} parameters[] = {
	{ "user", "user", false, OF_SESSIONS | OF_HISTORY },
	{ "lac", "lac", false, OF_SESSIONS | OF_HISTORY | OF_CALL },
	{ "ip", "ip", false, OF_SESSIONS },
	{ "state", "state", false, OF_SESSIONS },
	{ "tunnel", "tunnel", true, OF_CALL },
	{ "address", "address", false, OF_CALL },
	{ "sub-address", "sub_address", false, OF_CALL },
	{ "minimum-bps", "minimum_bps", true, OF_CALL },
	{ "maximum-bps", "maximum_bps", true, OF_CALL },
};
#define PARAMETER_COUNT (sizeof(parameters) / sizeof(parameters[0]))

/* Adds the argument of an option. False after saying what is wrong. */
static bool take_parameter(const struct parameter *parameter, const char *text, json_t *args)
{
	size_t len = strlen(text);
	bool is_number = len > 0 && len < 16 && strspn(text, "0123456789") == len;

	if ((!parameter->number || is_number) &&
		!json_object_set_new(args, parameter->key,
			parameter->number ? json_integer(strtoll(text, NULL, 10))
					  : json_string(text)))
		return true;
	fprintf(stderr, "lnsctl: --%s: is not %s\n", parameter->option,
		parameter->number ? "a number" : "text");
	return false;
}

/* Whether the options (those that are for `allowed`, all of them together) suit the command. */
static bool options_suit(const struct command *command, unsigned int allowed)
{
	unsigned int kind = !strcmp(command->name, "show sessions") ? OF_SESSIONS
			    : !strcmp(command->name, "call")        ? OF_CALL
			    : !strcmp(command->name, "history")     ? OF_HISTORY
								    : 0;

	if (allowed == ~0u || allowed & kind)
		return true;
	fprintf(stderr, "lnsctl: an option is not for %s; --help tells which is for what\n",
		command->name);
	return false;
}

/* -1: go on; otherwise the exit status. */
static int parse_arguments(int argc, char **argv, struct request *request)
{
	struct option options[PARAMETER_COUNT + 4] = { 0 };
	static const struct option common[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
	};
	unsigned int allowed = ~0u;
	int option, index;

	for (size_t i = 0; i < PARAMETER_COUNT; i++)
		options[i] = (struct option){ parameters[i].option, required_argument, NULL, 1 };
	memcpy(options + PARAMETER_COUNT, common, sizeof(common));
	while ((option = getopt_long(argc, argv, "s:jh", options, &index)) != -1) {
		if (option == 's') {
			request->socket = optarg;
		} else if (option == 'j') {
			request->json = true;
		} else if (option == 1) {
			allowed &= parameters[index].commands;
			if (!take_parameter(&parameters[index], optarg, request->args))
				return EXIT_USAGE;
		} else {
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : EXIT_USAGE;
		}
	}
	request->command = find_command(argv + optind, argc - optind, request->args);
	if (!request->command || !options_suit(request->command, allowed))
		return EXIT_USAGE;
	return -1;
}

static void print_json(const json_t *items, bool list)
{
	const json_t *item = json_array_get(items, 0);

	if (list) {
		putchar('[');
		for (size_t i = 0; i < json_array_size(items); i++) {
			fputs(i ? ",\n" : "\n", stdout);
			json_dumpf(json_array_get(items, i), stdout, JSON_COMPACT);
		}
		puts("\n]");
	} else if (item) {
		json_dumpf(item, stdout, JSON_INDENT(INDENT));
		putchar('\n');
	} else {
		puts("{}");
	}
}

static void print_answer(const struct request *request, const json_t *items)
{
	if (request->json)
		print_json(items, request->command->columns);
	else if (request->command->columns)
		print_table(request->command->columns, items, terminal_width(), stdout);
	else
		for (size_t i = 0; i < json_array_size(items); i++)
			print_object(json_array_get(items, i), 0, stdout);
}

int main(int argc, char **argv)
{
	struct request request = { .socket = SOCKET_DEFAULT, .args = json_object() };
	int status = parse_arguments(argc, argv, &request);
	json_t *items, *message;

	if (status >= 0) {
		json_decref(request.args);
		return status;
	}
	message = json_pack("{s:s, s:o}", "command", request.command->name, "args", request.args);
	if (request.command->follow)
		return follow(request.socket, message,
			request.json ? follow_json : request.command->follow);
	items = ask(request.socket, message);
	if (!items)
		return EXIT_REFUSED;
	print_answer(&request, items);
	json_decref(items);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "lnsctl: output: %s\n", strerror(errno));
		return EXIT_REFUSED;
	}
	return 0;
}
