/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session table, with real children: exits with their status, signals by key, what is told to a new
 * engine, what cannot be taken for a session.
 */
#include "lns/monitor/child.h"
#include "lns/monitor/session.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct monitor_loop loop = { -1 };
static struct monitor_sessions *sessions;
static struct monitor_exit last_exit;
static unsigned int exit_count;

static void on_exited(void *ctx, const struct monitor_exit *exited)
{
	cr_assert_eq(ctx, &loop);
	last_exit = *exited;
	exit_count++;
}

static const struct monitor_sessions_ops ops = { on_exited };

static void setup(void)
{
	cr_assert_eq(monitor_loop_open(&loop), 0);
	sessions = monitor_sessions_new(&loop, &ops, &loop);
	cr_assert_not_null(sessions);
	exit_count = 0;
}

static void teardown(void)
{
	monitor_sessions_free(sessions);
	monitor_loop_close(&loop);
}

TestSuite(monitor_session, .init = setup, .fini = teardown, .timeout = 20);

/* A child that ends with status, or waits for a signal when status < 0. */
static pid_t child(int status)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		while (status < 0)
			pause();
		_exit(status);
	}
	return pid;
}

static void turn_until(const unsigned int *value, unsigned int wanted)
{
	while (*value != wanted)
		monitor_loop_turn(&loop, monitor_now() + 100000);
}

static void turn_until_none_runs(void)
{
	while (monitor_sessions_running(sessions))
		monitor_loop_turn(&loop, monitor_now() + 100000);
}

Test(monitor_session, tells_how_a_child_ended)
{
	pid_t pid = child(16);

	cr_assert_eq(monitor_sessions_add(sessions, 1, pid), 0);
	cr_assert(monitor_sessions_has_pid(sessions, pid));
	turn_until(&exit_count, 1);
	cr_assert_eq(last_exit.session, 1);
	cr_assert_eq(last_exit.pid, pid);
	cr_assert(WIFEXITED(last_exit.status) && WEXITSTATUS(last_exit.status) == 16);
	cr_assert_not(monitor_sessions_has_pid(sessions, pid));
	cr_assert_eq(monitor_sessions_running(sessions), 0);
	cr_assert_eq(waitpid(pid, NULL, WNOHANG), -1, "it is reaped");
}

Test(monitor_session, signals_only_the_session_asked_for)
{
	pid_t one = child(-1), two = child(-1);

	monitor_sessions_add(sessions, 1, one);
	monitor_sessions_add(sessions, 2, two);
	cr_assert_not(monitor_sessions_signal(sessions, 3, SIGTERM));
	cr_assert(monitor_sessions_signal(sessions, 2, SIGTERM));
	turn_until(&exit_count, 1);
	cr_assert_eq(last_exit.session, 2);
	cr_assert(WIFSIGNALED(last_exit.status) && WTERMSIG(last_exit.status) == SIGTERM);
	cr_assert(monitor_sessions_signal(sessions, 2, SIGKILL), "ended, but still known");
	cr_assert_eq(monitor_sessions_running(sessions), 1);
	monitor_sessions_signal_all(sessions, SIGKILL);
	turn_until(&exit_count, 2);
	cr_assert_eq(WTERMSIG(last_exit.status), SIGKILL);
}

Test(monitor_session, a_key_or_process_is_taken_once)
{
	pid_t one = child(-1), two = child(-1);

	cr_assert_eq(monitor_sessions_add(sessions, 1, one), 0);
	cr_assert_eq(monitor_sessions_add(sessions, 1, one), 0, "telling it again is fine");
	cr_assert_eq(monitor_sessions_running(sessions), 1);
	cr_assert_eq(monitor_sessions_add(sessions, 1, two), -EEXIST);
	cr_assert_eq(monitor_sessions_add(sessions, 2, one), -EEXIST);
	cr_assert_eq(monitor_sessions_add(sessions, 2, two), 0);
	monitor_sessions_signal_all(sessions, SIGKILL);
	turn_until(&exit_count, 2);
	cr_assert_eq(monitor_sessions_add(sessions, 1, child(0)), -EEXIST, "until it is forgotten");
}

Test(monitor_session, only_children_of_ours)
{
	cr_assert_eq(monitor_sessions_add(sessions, 1, getppid()), -ECHILD);
	cr_assert_eq(monitor_sessions_add(sessions, 1, 1), -ECHILD);
	cr_assert_eq(monitor_sessions_add(sessions, 1, getpid()), -ECHILD);
	cr_assert_eq(monitor_sessions_running(sessions), 0);
}

struct told {
	unsigned int running, exited;
	uint64_t running_keys, exited_keys; /* sums */
};

static int on_running(void *ctx, uint64_t session, pid_t pid)
{
	struct told *told = ctx;

	cr_assert_gt(pid, 0);
	told->running++;
	told->running_keys += session;
	return 0;
}

static int on_told_exit(void *ctx, const struct monitor_exit *exited)
{
	struct told *told = ctx;

	told->exited++;
	told->exited_keys += exited->session;
	return 0;
}

Test(monitor_session, a_new_engine_is_told_all_until_forgotten)
{
	struct told told = { 0 };

	for (uint64_t key = 1; key <= 4; key++)
		monitor_sessions_add(sessions, key, child(key <= 2 ? 0 : -1));
	turn_until(&exit_count, 2);
	monitor_sessions_forget(sessions, 2);
	monitor_sessions_forget(sessions, 3); /* runs: not forgotten */
	monitor_sessions_forget(sessions, 9); /* unknown */
	cr_assert_eq(monitor_sessions_each(sessions, on_running, on_told_exit, &told), 0);
	cr_assert_eq(told.running, 2);
	cr_assert_eq(told.running_keys, 3 + 4);
	cr_assert_eq(told.exited, 1);
	cr_assert_eq(told.exited_keys, 1);
	monitor_sessions_signal_all(sessions, SIGKILL);
	turn_until_none_runs();
}

Test(monitor_session, strays_are_killed_and_told_nobody)
{
	pid_t pid = child(-1);
	struct told told = { 0 };

	cr_assert_eq(monitor_sessions_kill_stray(sessions, pid), 0);
	cr_assert(monitor_sessions_has_pid(sessions, pid));
	monitor_sessions_each(sessions, on_running, on_told_exit, &told);
	cr_assert_eq(told.running, 0);
	turn_until_none_runs();
	cr_assert_eq(exit_count, 0);
	cr_assert_eq(waitpid(pid, NULL, WNOHANG), -1, "it is reaped");
}

Test(monitor_session, finds_children)
{
	pid_t living = child(-1), dead = child(0), *pids = NULL;
	size_t count = 0;
	unsigned int found = 0;
	siginfo_t info;

	cr_assert_eq(waitid(P_PID, (id_t)dead, &info, WEXITED | WNOWAIT), 0);
	cr_assert_eq(monitor_child_list(&pids, &count), 0);
	for (size_t i = 0; i < count; i++)
		found += pids[i] == living || pids[i] == dead;
	cr_assert_eq(found, 2);
	free(pids);
	monitor_sessions_kill_stray(sessions, living);
	monitor_sessions_kill_stray(sessions, dead);
	turn_until_none_runs();
}
