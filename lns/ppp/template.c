/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template: the engine's connection to a template pppd, which forks a session's pppd on request.
 *
 * The engine owns the template. A request is pending until it is answered or the template is gone; it
 * holds duplicates of its descriptors only while it waits to be sent. Answers to requests that are not
 * ours (those of an engine before this one) are passed over.
 *
 * The kernel limits descriptors in flight (ETOOMANYREFS) and the socket's buffer (EAGAIN): requests
 * then wait in order, for the socket or for a short timer.
 */
#include "lns/ppp/ppp.h"

#include "lns/env.h"
#include "lns/seqpacket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWERS_A_TURN 32
#define RETRY          ENV_MS(5)

enum { FD_PPPOX, FD_CHANNEL, FD_UDP, FD_COUNT };

struct pending {
	struct pending *next;
	uint32_t request;
	uint64_t session;
	struct ppp_fork *fork; /* NULL once sent */
	int fds[FD_COUNT];     /* ours, only while fork is set */
};

struct ppp_template {
	struct env *env;
	struct env_io *io; /* NULL when gone */
	struct env_timer *retry;
	int fd;
	const struct ppp_template_ops *ops;
	void *ctx;
	uint32_t last_request;
	unsigned int count;
	struct pending *head, **tail; /* in the order of asking; the unsent ones come last */
	unsigned int busy; /* callbacks under way: the struct itself is freed after them */
	bool dead;
};

static void pending_drop_fork(struct pending *pending)
{
	if (!pending->fork)
		return;
	explicit_bzero(pending->fork, sizeof(*pending->fork));
	free(pending->fork);
	pending->fork = NULL;
	for (int i = 0; i < FD_COUNT; i++)
		if (pending->fds[i] >= 0)
			close(pending->fds[i]);
}

static void pending_free(struct pending *pending)
{
	pending_drop_fork(pending);
	free(pending);
}

/* Takes a pending request off the list. */
static void template_unlink(struct ppp_template *template, struct pending **link)
{
	struct pending *pending = *link;

	*link = pending->next;
	if (template->tail == &pending->next)
		template->tail = link;
	template->count--;
}

static void template_enter(struct ppp_template *template)
{
	template->busy++;
}

/* False when the owner freed the template meanwhile: it must not be touched any more. */
static bool template_leave(struct ppp_template *template)
{
	if (--template->busy || !template->dead)
		return true;
	free(template);
	return false;
}

/* Fails everything that is pending and reports the end. The template may be freed on return. */
static void template_gone(struct ppp_template *template)
{
	env_io_free(template->io);
	template->io = NULL;
	env_timer_stop(template->retry);
	template_enter(template);
	while (template->head) {
		struct pending *pending = template->head;
		uint64_t session = pending->session;

		template_unlink(template, &template->head);
		pending_free(pending);
		template->ops->forked(template->ctx, session, -EPIPE, 0);
	}
	if (!template->dead)
		template->ops->gone(template->ctx, template);
	template_leave(template);
}

/* Sends a request with its descriptors. 0 or -errno. */
static int template_send(int fd, const struct ppp_fork *fork, const int fds[FD_COUNT])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * FD_COUNT)];
	} control = { .header = { 0 } };
	struct iovec iov = { .iov_base = (void *)fork, .iov_len = sizeof(*fork) };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
	ssize_t sent;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * FD_COUNT);
	memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * FD_COUNT);
	do
		sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Arranges for the queue to be tried again. False: err is not one that waiting cures. */
static bool template_wait(struct ppp_template *template, int err)
{
	if (err == -EAGAIN || err == -EWOULDBLOCK)
		env_io_set(template->io, ENV_READ | ENV_WRITE);
	else if (err == -ETOOMANYREFS || err == -ENOBUFS || err == -ENOMEM)
		env_timer_start(template->retry, RETRY);
	else
		return false;
	return true;
}

/* Sends what waits. The template may be freed on return. */
static void template_flush(struct ppp_template *template)
{
	for (struct pending *pending = template->head; pending; pending = pending->next) {
		int err;

		if (!pending->fork)
			continue;
		err = template_send(template->fd, pending->fork, pending->fds);
		if (err) {
			if (!template_wait(template, err))
				template_gone(template);
			return;
		}
		pending_drop_fork(pending);
	}
	env_io_set(template->io, ENV_READ);
}

static void template_retry(void *ctx)
{
	template_flush(ctx);
}

/* Gives an answer to the one who asked. False when the template was freed meanwhile. */
static bool template_answered(struct ppp_template *template, const struct ppp_forked *answer)
{
	struct pending **link = &template->head;

	while (*link && ((*link)->request != answer->request ||
				(*link)->session != answer->head.session || (*link)->fork))
		link = &(*link)->next;
	if (!*link)
		return true;

	struct pending *pending = *link;
	template_unlink(template, link);
	pending_free(pending);
	template_enter(template);
	template->ops->forked(template->ctx, answer->head.session, -answer->error, answer->pid);
	return template_leave(template);
}

/* Reads one answer. False: nothing more, or the template may be freed. */
static bool template_read(struct ppp_template *template)
{
	union ppp_message message;
	ssize_t len;

	do
		len = recv(template->fd, &message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);
	while (seqpacket_again(len));
	if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (len <= 0 || (size_t)len > sizeof(message) || ppp_message_check(&message, len) ||
		message.head.type != PPP_FORKED) {
		template_gone(template);
		return false;
	}
	return template_answered(template, &message.forked);
}

static void template_ready(void *ctx, int events)
{
	struct ppp_template *template = ctx;

	if (events & ENV_READ)
		for (int i = 0; i == 0 || (i < ANSWERS_A_TURN && template->head); i++)
			if (!template_read(template))
				return;
	if (events & ENV_WRITE)
		template_flush(template);
}

int ppp_template_new(struct env *env, int fork_fd, const struct ppp_template_ops *ops, void *ctx,
	struct ppp_template **ret_template)
{
	struct ppp_template *template = calloc(1, sizeof(*template));

	if (!template) {
		close(fork_fd);
		return -ENOMEM;
	}
	template->retry = env_timer_new(env, template_retry, template);
	template->io = env_io_new(env, fork_fd, ENV_READ, template_ready, template);
	if (!template->retry || !template->io) {
		env_timer_free(template->retry);
		env_io_free(template->io);
		free(template);
		close(fork_fd);
		return -ENOMEM;
	}
	template->env = env;
	template->fd = fork_fd;
	template->ops = ops;
	template->ctx = ctx;
	template->tail = &template->head;
	*ret_template = template;
	return 0;
}

void ppp_template_free(struct ppp_template *template)
{
	if (!template)
		return;
	while (template->head) {
		struct pending *pending = template->head;

		template_unlink(template, &template->head);
		pending_free(pending);
	}
	env_io_free(template->io);
	template->io = NULL;
	env_timer_free(template->retry);
	close(template->fd);
	template->dead = true;
	if (!template->busy)
		free(template);
}

/* Keeps a request that cannot be sent now: copies it and duplicates its descriptors. */
static int pending_keep(
	struct pending *pending, const struct ppp_fork *fork, const int fds[FD_COUNT])
{
	int err = 0;

	pending->fork = malloc(sizeof(*fork));
	if (!pending->fork)
		return -ENOMEM;
	memcpy(pending->fork, fork, sizeof(*fork));
	for (int i = 0; i < FD_COUNT; i++) {
		pending->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (pending->fds[i] < 0 && !err)
			err = -errno;
	}
	return err;
}

int ppp_template_fork(struct ppp_template *template, uint64_t session, struct ppp_fork *request,
	int pppox, int channel, int udp)
{
	const int fds[FD_COUNT] = { [FD_PPPOX] = pppox, [FD_CHANNEL] = channel, [FD_UDP] = udp };
	struct pending *pending;
	int err;

	if (!template->io)
		return -EPIPE;
	request->head = (struct ppp_head){ .type = PPP_FORK,
		.version = PPP_PROTO_VERSION,
		.size = sizeof(*request),
		.session = session };
	request->request = template->last_request + 1;
	if (ppp_message_check(request, sizeof(*request)))
		return -EINVAL;
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	pending->request = request->request;
	pending->session = session;

	/* The queue keeps its order: only when nothing waits may this one be sent at once. */
	bool queued = false;
	for (struct pending *p = template->head; p && !queued; p = p->next)
		queued = p->fork;
	err = queued ? -EAGAIN : template_send(template->fd, request, fds);
	if (err) {
		int kept = pending_keep(pending, request, fds);

		if (kept || (!queued && !template_wait(template, err))) {
			pending_free(pending);
			return kept ? kept : err;
		}
	}
	template->last_request++;
	*template->tail = pending;
	template->tail = &pending->next;
	template->count++;
	return 0;
}

unsigned int ppp_template_pending(const struct ppp_template *template)
{
	return template->count;
}
