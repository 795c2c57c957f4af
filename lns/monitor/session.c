/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/session: two hash tables over the same entries, by key and by process id. See
 * monitor/session.h. The table owns the entries and their pidfds.
 */
#include "lns/monitor/session.h"

#include "lns/monitor/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define BUCKETS 8192

struct session {
	struct session *next_by_key, *next_by_pid;
	struct monitor_sessions *sessions;
	uint64_t key; /* 0: a stray */
	pid_t pid;
	int pidfd; /* -1: it ended, `exit` is valid, not in by_pid any more */
	struct monitor_watch watch;
	struct monitor_exit exit;
};

struct monitor_sessions {
	struct monitor_loop *loop;
	const struct monitor_sessions_ops *ops;
	void *ctx;
	unsigned int running;
	struct session *by_key[BUCKETS], *by_pid[BUCKETS];
};

struct monitor_sessions *monitor_sessions_new(
	struct monitor_loop *loop, const struct monitor_sessions_ops *ops, void *ctx)
{
	struct monitor_sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions) {
		sessions->loop = loop;
		sessions->ops = ops;
		sessions->ctx = ctx;
	}
	return sessions;
}

static unsigned int session_hash(uint64_t value)
{
	return (unsigned int)(value * UINT64_C(0x9e3779b97f4a7c15) >> 51) & (BUCKETS - 1);
}

static struct session **session_place(struct monitor_sessions *sessions, uint64_t key)
{
	struct session **place = &sessions->by_key[session_hash(key)];

	while (*place && (*place)->key != key)
		place = &(*place)->next_by_key;
	return place;
}

static void session_unlink_pid(struct session *session)
{
	struct session **place = &session->sessions->by_pid[session_hash((uint64_t)session->pid)];

	while (*place != session)
		place = &(*place)->next_by_pid;
	*place = session->next_by_pid;
}

static void session_unlink_key(struct session *session)
{
	struct session **place = &session->sessions->by_key[session_hash(session->key)];

	while (*place != session)
		place = &(*place)->next_by_key;
	*place = session->next_by_key;
}

static const struct session *session_by_pid(const struct monitor_sessions *sessions, pid_t pid)
{
	const struct session *session = sessions->by_pid[session_hash((uint64_t)pid)];

	while (session && session->pid != pid)
		session = session->next_by_pid;
	return session;
}

void monitor_sessions_free(struct monitor_sessions *sessions)
{
	if (!sessions)
		return;
	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct session *next;

		for (struct session *session = sessions->by_key[i]; session; session = next) {
			next = session->next_by_key;
			monitor_watch_remove(sessions->loop, &session->watch);
			if (session->pidfd >= 0)
				close(session->pidfd);
			free(session);
		}
	}
	free(sessions);
}

static uint64_t session_time(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

/* Its pidfd is readable: it ended. */
static void session_ready(void *ctx, uint32_t events)
{
	struct session *session = ctx;
	struct monitor_sessions *sessions = session->sessions;
	struct rusage usage = { 0 };
	int status;

	(void)events;
	if (!monitor_child_reap(session->pid, &status, &usage))
		return;
	monitor_watch_remove(sessions->loop, &session->watch);
	close(session->pidfd);
	session->pidfd = -1;
	session_unlink_pid(session);
	sessions->running--;
	if (session->key == 0) {
		session_unlink_key(session);
		free(session);
		return;
	}
	session->exit = (struct monitor_exit){
		.session = session->key,
		.pid = session->pid,
		.status = status,
		.utime = session_time(usage.ru_utime),
		.stime = session_time(usage.ru_stime),
	};
	sessions->ops->exited(sessions->ctx, &session->exit);
}

/* Makes an entry for a living or dead child that was not reaped. */
static int session_new(
	struct monitor_sessions *sessions, uint64_t key, pid_t pid, struct session **ret_session)
{
	struct session *session, **place;
	int pidfd, err;

	pidfd = monitor_child_open(pid);
	if (pidfd < 0)
		return pidfd;
	session = calloc(1, sizeof(*session));
	err = session ? monitor_watch_add(
				sessions->loop, &session->watch, pidfd, session_ready, session)
		      : -ENOMEM;
	if (err) {
		free(session);
		close(pidfd);
		return err;
	}
	session->sessions = sessions;
	session->key = key;
	session->pid = pid;
	session->pidfd = pidfd;
	place = &sessions->by_key[session_hash(key)];
	session->next_by_key = *place;
	*place = session;
	place = &sessions->by_pid[session_hash((uint64_t)pid)];
	session->next_by_pid = *place;
	*place = session;
	sessions->running++;
	*ret_session = session;
	return 0;
}

int monitor_sessions_add(struct monitor_sessions *sessions, uint64_t key, pid_t pid)
{
	const struct session *known = *session_place(sessions, key);
	struct session *session;

	if (known)
		return known->pid == pid ? 0 : -EEXIST;
	if (session_by_pid(sessions, pid))
		return -EEXIST;
	return session_new(sessions, key, pid, &session);
}

int monitor_sessions_kill_stray(struct monitor_sessions *sessions, pid_t pid)
{
	struct session *session;
	int err = session_new(sessions, 0, pid, &session);

	return err ? err : monitor_child_signal(session->pidfd, SIGKILL);
}

bool monitor_sessions_has_pid(const struct monitor_sessions *sessions, pid_t pid)
{
	return session_by_pid(sessions, pid) != NULL;
}

bool monitor_sessions_signal(struct monitor_sessions *sessions, uint64_t key, int signal)
{
	const struct session *session = *session_place(sessions, key);

	if (session && session->pidfd >= 0)
		monitor_child_signal(session->pidfd, signal);
	return session != NULL;
}

void monitor_sessions_signal_all(struct monitor_sessions *sessions, int signal)
{
	for (unsigned int i = 0; i < BUCKETS; i++)
		for (struct session *session = sessions->by_pid[i]; session;
			session = session->next_by_pid)
			monitor_child_signal(session->pidfd, signal);
}

void monitor_sessions_forget(struct monitor_sessions *sessions, uint64_t key)
{
	struct session *session = *session_place(sessions, key);

	if (!session || session->pidfd >= 0)
		return;
	session_unlink_key(session);
	free(session);
}

unsigned int monitor_sessions_running(const struct monitor_sessions *sessions)
{
	return sessions->running;
}

int monitor_sessions_each(const struct monitor_sessions *sessions,
	int (*running)(void *ctx, uint64_t session, pid_t pid),
	int (*exited)(void *ctx, const struct monitor_exit *exit), void *ctx)
{
	for (unsigned int i = 0; i < BUCKETS; i++) {
		for (struct session *session = sessions->by_key[i]; session;
			session = session->next_by_key) {
			int err = 0;

			if (session->pidfd < 0)
				err = exited(ctx, &session->exit);
			else if (session->key != 0)
				err = running(ctx, session->key, session->pid);
			if (err)
				return err;
		}
	}
	return 0;
}
