/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/spawn: fork, confine, exec. See monitor/spawn.h.
 *
 * The child tells over a pipe that closes on exec which step failed: one octet for the step, then errno.
 */
#include "lns/monitor/spawn.h"

#include "lns/log.h"
#include "lns/monitor/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPAWN_FDS  2  /* descriptors for the child at most, numbered from 3 */
#define SPAWN_HIGH 16 /* nothing of the child's final numbers is from here on */

enum spawn_step { STEP_FORK, STEP_PREPARE, STEP_CONFINE, STEP_EXEC };

static const char *const step_names[] = {
	[STEP_FORK] = "fork",
	[STEP_PREPARE] = "descriptors",
	[STEP_CONFINE] = "dropping privileges",
	[STEP_EXEC] = "exec",
};

struct spawn_failure {
	int step; /* enum spawn_step */
	int err;
};

static void spawn_fail(int status_fd, enum spawn_step step, int err)
{
	const struct spawn_failure failure = { step, err };

	if (write(status_fd, &failure, sizeof(failure)) != sizeof(failure))
		_exit(126); /* the monitor sees the exit status instead */
	_exit(127);
}

/*
 * In the child: stdin, stdout and (unless kept) stderr on /dev/null, fds at 3 and up, the status pipe
 * behind them, everything else closed. Returns the new number of the status pipe, or -errno.
 */
static int spawn_arrange(const int *fds, int count, int status_fd, bool keep_stderr)
{
	int high[SPAWN_FDS + 1], null;

	for (int i = 0; i <= count; i++) {
		high[i] = fcntl(i < count ? fds[i] : status_fd, F_DUPFD, SPAWN_HIGH);
		if (high[i] < 0)
			return -errno;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	if (!keep_stderr && dup2(null, STDERR_FILENO) < 0)
		return -errno;
	for (int i = 0; i <= count; i++)
		if (dup2(high[i], 3 + i) < 0)
			return -errno;
	if (fcntl(3 + count, F_SETFD, FD_CLOEXEC) < 0 ||
		syscall(SYS_close_range, 4 + count, ~0U, 0) < 0)
		return -errno;
	return 3 + count;
}

/* In the child: nothing of the monitor's signal handling, session or environment goes on. */
static void spawn_reset(void)
{
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction action = { .sa_handler = SIG_DFL };

		sigaction(signal, &action, NULL); /* fails for a few that cannot be changed */
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	umask(077);
}

/* Waits until the child's exec closed the pipe, or for its complaint. */
static int spawn_wait(int status_fd, pid_t pid, const char **ret_step)
{
	struct spawn_failure failure;
	ssize_t n;

	do
		n = read(status_fd, &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(failure) || failure.step < STEP_FORK || failure.step > STEP_EXEC)
		failure = (struct spawn_failure){ STEP_FORK, -EPROTO };
	*ret_step = step_names[failure.step];
	return failure.err;
}

struct spawn {
	const int *fds;
	int fd_count;
	bool keep_stderr;
	int (*confine)(const void *ctx);
	const void *ctx;
	const char *path;
	const char *const *argv;
	const char *preload; /* for the dynamic linker, or NULL */
};

static void spawn_child(const struct spawn *spawn, int status_fd)
{
	char preload[sizeof("LD_PRELOAD=") + PATH_MAX] = "";
	char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C",
		spawn->preload ? preload : NULL, NULL };
	int fd, err;

	if (spawn->preload)
		snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", spawn->preload);
	spawn_reset();
	fd = spawn_arrange(spawn->fds, spawn->fd_count, status_fd, spawn->keep_stderr);
	if (fd < 0)
		spawn_fail(status_fd, STEP_PREPARE, fd);
	if (chdir("/") < 0)
		spawn_fail(fd, STEP_PREPARE, -errno);
	err = spawn->confine(spawn->ctx);
	if (err)
		spawn_fail(fd, STEP_CONFINE, err);
	execve(spawn->path, (char *const *)spawn->argv, env);
	spawn_fail(fd, STEP_EXEC, -errno);
}

static int spawn_run(const struct spawn *spawn, pid_t *ret_pid, const char **ret_step)
{
	int status[2], err;
	pid_t pid;

	*ret_step = step_names[STEP_FORK];
	if (pipe2(status, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		spawn_child(spawn, status[1]);
	err = pid < 0 ? -errno : 0;
	close(status[1]);
	if (!err)
		err = spawn_wait(status[0], pid, ret_step);
	close(status[0]);
	if (!err)
		*ret_pid = pid;
	return err;
}

/*
 * Starts a child with one end of each of count new connections; the other ends go to ret_fds. how: all
 * but the descriptors.
 */
static int spawn_connected(
	const struct spawn *how, int count, int *ret_fds, pid_t *ret_pid, const char **ret_step)
{
	int pairs[SPAWN_FDS][2], theirs[SPAWN_FDS], made = 0, err = 0;
	struct spawn spawn = *how;

	*ret_step = "socketpair";
	for (; made < count && !err; made++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[made]) < 0) {
			err = -errno;
			break;
		}
		theirs[made] = pairs[made][1];
	}
	spawn.fds = theirs;
	spawn.fd_count = count;
	if (!err)
		err = spawn_run(&spawn, ret_pid, ret_step);
	for (int i = 0; i < made; i++) {
		close(pairs[i][1]);
		if (err)
			close(pairs[i][0]);
		else
			ret_fds[i] = pairs[i][0];
	}
	return err;
}

static int confine_engine(const void *ctx)
{
	const struct monitor_spawn_engine *how = ctx;

	return monitor_confine_engine(how->uid, how->gid, how->run_dir, how->state_dir);
}

int monitor_spawn_engine(
	const struct monitor_spawn_engine *how, pid_t *ret_pid, int *ret_fd, const char **ret_step)
{
	const char *argv[] = { "lnsd", MONITOR_ENGINE_OPTION, log_target_word(how->log_to), NULL };
	struct spawn spawn = {
		.keep_stderr = true,
		.confine = confine_engine,
		.ctx = how,
		.path = "/proc/self/exe",
		.argv = argv,
	};

	return spawn_connected(&spawn, 1, ret_fd, ret_pid, ret_step);
}

static int confine_template(const void *ctx)
{
	int err = setrlimit(RLIMIT_NOFILE, ctx) < 0 ? -errno : 0;

	return err ? err : monitor_confine_template();
}

int monitor_spawn_template(const char *const *argv, const char *plugin, const struct rlimit *nofile,
	pid_t *ret_pid, int *ret_fork_fd, int *ret_report_fd, const char **ret_step)
{
	struct spawn spawn = {
		.confine = confine_template,
		.ctx = nofile,
		.path = argv[0],
		.argv = argv,
		.preload = plugin,
	};
	int fds[2], err = spawn_connected(&spawn, 2, fds, ret_pid, ret_step);

	if (!err) {
		*ret_fork_fd = fds[0];
		*ret_report_fd = fds[1];
	}
	return err;
}

static int confine_hooks(const void *ctx)
{
	const struct monitor_spawn_hooks *how = ctx;
	int err = setrlimit(RLIMIT_NOFILE, how->nofile) < 0 ? -errno : 0;

	return err ? err : monitor_confine_hooks(how->uid, how->gid);
}

int monitor_spawn_hooks(const struct monitor_spawn_hooks *how, pid_t *ret_pid, int *ret_config_fd,
	int *ret_event_fd, const char **ret_step)
{
	const char *argv[] = { "lnsd", MONITOR_HOOKS_OPTION, log_target_word(how->log_to), NULL };
	struct spawn spawn = {
		.keep_stderr = true,
		.confine = confine_hooks,
		.ctx = how,
		.path = "/proc/self/exe",
		.argv = argv,
	};
	int fds[2], err = spawn_connected(&spawn, 2, fds, ret_pid, ret_step);

	if (!err) {
		*ret_config_fd = fds[0];
		*ret_event_fd = fds[1];
	}
	return err;
}
