// SPDX-License-Identifier: BSD-2-Clause
/* ask: see ask.h. */
#include "lns/control/ask.h"

#include "lns/control/show.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_TIMEOUT 60 /* seconds of silence */

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
		show_text(error ? error : "the server says what nobody understands", stderr);
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

json_t *ask(const char *path, json_t *request)
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
static int follow_line(const char *line, size_t len, follow_fn *print, bool endless)
{
	json_t *items = json_array(), *message = json_loadb(line, len, 0, NULL);
	json_t *dropped = json_object_get(message, "dropped");
	int result = 0, error = 0;

	if (json_object_get(message, "started")) {
		if (endless)
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

int ask_follow(const char *path, json_t *request, follow_fn *print, bool endless)
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
		taken = follow_line(line, len, print, endless);
	if (!taken)
		fprintf(stderr, "lnsctl: %s: lnsd is gone\n", path);
	free(line);
	fclose(in);
	return taken > 0 ? 0 : EXIT_REFUSED;
}
