// SPDX-License-Identifier: BSD-2-Clause
/*
 * metrics_server: HTTP for the metrics: libmicrohttpd on our loop, without a thread of its own. It
 * keeps its connections in an epoll set, whose descriptor the loop watches; MHD_run never waits.
 *
 * Who may connect is nobody's business here (listen on loopback, or let a firewall decide), so what a
 * client can cost is bounded: connections, their memory, their time, and texts made a second.
 */
#include "lns/control/metrics.h"

#include "lns/env.h"
#include "lns/log.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 16
#define PATIENCE    10    /* seconds without a word */
#define MEMORY      16384 /* octets of a connection: request, answer's header */
#define KEEP        ENV_SEC(1)
#define BACKLOG     16

struct metrics {
	struct env *env;
	const struct metrics_row *rows;
	void *ctx;
	struct MHD_Daemon *daemon;
	struct env_io *io;
	struct env_timer *timer;   /* when connections time out */
	struct MHD_Response *text; /* the newest, or NULL; made at text_time (env_now) */
	uint64_t text_time;
};

static struct MHD_Response *current_text(struct metrics *metrics)
{
	uint64_t now = env_now(metrics->env);
	size_t len = 0;
	char *text;

	if (metrics->text && now - metrics->text_time < KEEP)
		return metrics->text;
	text = metrics_text(metrics->rows, metrics->ctx, &len);
	if (!text)
		return NULL;
	if (metrics->text)
		MHD_destroy_response(metrics->text); /* freed by its last reader */
	metrics->text = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (!metrics->text) {
		free(text);
		return NULL;
	}
	metrics->text_time = now;
	if (MHD_add_response_header(metrics->text, MHD_HTTP_HEADER_CONTENT_TYPE,
		    "text/plain; version=0.0.4; charset=utf-8") != MHD_YES) {
		MHD_destroy_response(metrics->text);
		metrics->text = NULL;
	}
	return metrics->text;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status, char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* Called when the header of a request is there, again for each part of a body, and at its end. */
static enum MHD_Result serve(void *ctx, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **request)
{
	struct metrics *metrics = ctx;
	struct MHD_Response *response;

	(void)version;
	(void)upload;
	if (!*request) { /* an answer before the end of the request would cost the connection */
		*request = metrics;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (strcmp(url, "/metrics") != 0)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "there is only /metrics\n");
	response = current_text(metrics);
	if (!response)
		return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
	return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static unsigned int count_connections(const struct metrics *metrics)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(metrics->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info ? info->num_connections : 0;
}

/*
 * While there is no room for connections the listener is not in the epoll set; only the next run puts it
 * back. So a run that ended connections is followed by another.
 */
static void run(struct metrics *metrics)
{
	unsigned int before, runs = 0;
	MHD_UNSIGNED_LONG_LONG wait;

	do {
		before = count_connections(metrics);
		MHD_run(metrics->daemon);
	} while (count_connections(metrics) < before && ++runs < CONNECTIONS);
	if (MHD_get_timeout(metrics->daemon, &wait) == MHD_YES)
		env_timer_start(metrics->timer, ENV_MS(wait));
	else
		env_timer_stop(metrics->timer);
}

static void on_ready(void *ctx, int events)
{
	(void)events;
	run(ctx);
}

static void on_timer(void *ctx)
{
	run(ctx);
}

static int make_listener(const union addr *addr)
{
	int one = 1, err;
	int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
		bind(fd, &addr->sa, addr_len(addr)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int start_daemon(struct metrics *metrics, int fd)
{
	const union MHD_DaemonInfo *info;

	metrics->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, serve, metrics,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, PATIENCE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY, MHD_OPTION_END);
	if (!metrics->daemon) {
		close(fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(metrics->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || info->epoll_fd < 0)
		return -EOPNOTSUPP; /* a libmicrohttpd without epoll */
	metrics->io = env_io_new(metrics->env, info->epoll_fd, ENV_READ, on_ready, metrics);
	return metrics->io ? 0 : -ENOMEM;
}

int metrics_new(struct env *env, const union addr *addr, const struct metrics_row *rows, void *ctx,
	struct metrics **ret_metrics)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	int fd, err;

	if (!metrics)
		return -ENOMEM;
	metrics->env = env;
	metrics->rows = rows;
	metrics->ctx = ctx;
	metrics->timer = env_timer_new(env, on_timer, metrics);
	fd = metrics->timer ? make_listener(addr) : -ENOMEM;
	err = fd < 0 ? fd : start_daemon(metrics, fd);
	if (err < 0) {
		metrics_free(metrics);
		return err;
	}
	*ret_metrics = metrics;
	return 0;
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	env_io_free(metrics->io);
	env_timer_free(metrics->timer);
	if (metrics->daemon)
		MHD_stop_daemon(metrics->daemon);
	if (metrics->text)
		MHD_destroy_response(metrics->text);
	free(metrics);
}
