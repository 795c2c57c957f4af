/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template: the fork server. A template pppd waits here, in its channel's connect(), and turns each
 * request into a process of its own, or into itself when the request says so.
 *
 * clone(CLONE_PARENT) makes the starter of the template (the monitor) the parent of every session: it
 * reaps them and knows them by pidfd, and the template may die without hurting one. The monitor is told
 * before the engine. The template ends when both have closed the fork socket, and on SIGTERM.
 *
 * Requests come from a process that is trusted less than this one: they are fixed structs, checked, and
 * must bring exactly the three descriptors.
 */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FD_COUNT 3
#define FD_LIMIT 1024 /* pppd's select() reaches no further */

static void fds_close(int *fds, int count)
{
	for (int i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Takes the descriptors out of a control message; those that are too many are closed. */
static int fds_take(struct msghdr *message, int fds[FD_COUNT])
{
	int count = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg;
		cmsg = CMSG_NXTHDR(message, cmsg)) {
		int got[FD_COUNT + 1];
		int len = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS || len < 0)
			continue;
		if (len > FD_COUNT + 1)
			len = FD_COUNT + 1;
		memcpy(got, CMSG_DATA(cmsg), len * sizeof(int));
		for (int i = 0; i < len; i++) {
			if (count < FD_COUNT)
				fds[count] = got[i];
			else
				close(got[i]);
			count++;
		}
	}
	return count;
}

/* Receives one request. 0, -EAGAIN, -EPIPE at the end, -EINTR, or -EBADMSG. */
static int request_receive(struct ppp_fork *fork, int fds[FD_COUNT])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * (FD_COUNT + 1))];
	} control;
	union ppp_message message;
	struct iovec iov = { .iov_base = &message, .iov_len = sizeof(message) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	int err = lns_channel_wait(lns_fork_fd, -1);
	ssize_t len;
	int count;

	if (err)
		return err;
	len = recvmsg(lns_fork_fd, &msg, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (len <= 0)
		return -EPIPE;
	count = fds_take(&msg, fds);
	if (count == FD_COUNT && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
		!ppp_message_check(&message, len) && message.head.type == PPP_FORK) {
		memcpy(fork, &message.fork, sizeof(*fork));
		explicit_bzero(&message, sizeof(message));
		return 0;
	}
	fds_close(fds, count < FD_COUNT ? count : FD_COUNT);
	explicit_bzero(&message, sizeof(message));
	error("lns.so: malformed request for a session");
	return -EBADMSG;
}

/* Sends an answer. Waits for room: an answer is never left out. */
static void answer_send(int to, struct ppp_forked *answer, uint16_t type)
{
	ssize_t sent;

	answer->head.type = type;
	answer->head.version = PPP_PROTO_VERSION;
	answer->head.size = sizeof(*answer);
	for (;;) {
		sent = send(to, answer, sizeof(*answer), MSG_NOSIGNAL);
		if (sent >= 0 || got_sigterm)
			return;
		if (errno == EAGAIN || errno == ENOBUFS)
			usleep(1000);
		else if (errno != EINTR)
			return;
	}
}

/*
 * 0 in the child, the child's pid in the template, or -errno. Not by clone3, which seccomp filters against new
 * namespaces refuse whatever its flags are (they cannot read them).
 */
static int session_clone(void)
{
#ifdef __s390__
	long pid = syscall(SYS_clone, 0UL, CLONE_PARENT, NULL, NULL, 0UL);
#else
	long pid = syscall(SYS_clone, CLONE_PARENT, 0UL, NULL, NULL, 0UL);
#endif

	return pid < 0 ? -errno : pid;
}

/* In the session: the template's sockets are none of its business. */
static void session_enter(const struct ppp_fork *fork, int fds[FD_COUNT])
{
	int err;

	close(lns_fork_fd);
	close(lns_report_fd);
	lns_fork_fd = lns_report_fd = -1;
	err = lns_session_begin(fork, fds);
	if (err)
		_exit(EXIT_INIT_FAILED);
}

/* Serves one request. 1 in a session, 0 in the template. */
static int request_serve(const struct ppp_fork *fork, int fds[FD_COUNT])
{
	struct ppp_forked answer = { .head = { .session = fork->head.session },
		.request = fork->request };
	int pid = -EMFILE;

	for (int i = 0; i < FD_COUNT; i++)
		if (fds[i] >= FD_LIMIT - 16)
			goto answer;
	if (fork->exec) {
		pid = getpid();
	} else {
		fflush(NULL);
		pid = session_clone();
		if (pid == 0) {
			session_enter(fork, fds);
			return 1;
		}
	}

answer:
	answer.error = pid < 0 ? -pid : 0;
	answer.pid = pid < 0 ? 0 : pid;
	if (pid > 0)
		answer_send(lns_report_fd, &answer, PPP_FORK_REPORT);
	answer_send(lns_fork_fd, &answer, PPP_FORKED);
	if (fork->exec && pid > 0) {
		session_enter(fork, fds);
		return 1;
	}
	fds_close(fds, FD_COUNT);
	return 0;
}

void lns_template_serve(void)
{
	struct ppp_fork fork;
	int fds[FD_COUNT];

	for (;;) {
		int err = request_receive(&fork, fds);
		int session;

		if (err == -EAGAIN)
			continue;
		if (err)
			_exit(err == -EBADMSG ? EXIT_FATAL_ERROR : EXIT_OK);
		session = request_serve(&fork, fds);
		explicit_bzero(&fork, sizeof(fork));
		if (session)
			return;
	}
}
