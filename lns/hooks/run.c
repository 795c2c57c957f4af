// SPDX-License-Identifier: BSD-2-Clause
/*
 * hooks/run: see hooks/run.h.
 *
 * A process that we have not reaped keeps its number, and with it that of its group: until then signals
 * to the group reach nobody else.
 */
#include "lns/hooks/run.h"

#include "lns/env.h"
#include "lns/hooks/environ.h"
#include "lns/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE    ENV_SEC(1) /* from SIGTERM to SIGKILL */
#define LINES    64         /* of one program that are logged */
#define LINE_MAX 256        /* octets of a line; longer ones are cut into pieces */

struct hooks_run {
	struct env *env;
	struct hooks_run_how how;
	struct hooks_event event;
	pid_t pid; /* and number of the group */
	int pidfd, output;
	struct env_io *exit_io, *output_io;
	struct env_timer *timer;
	bool late; /* its time is over */
	unsigned int lines;
	char line[LINE_MAX];
	size_t len;
};

/* ---- the program's side ---- */

static void complain(const char *path, int err)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "%s: %s\n", path, strerror(err));

	if (write(STDERR_FILENO, text, (size_t)len) < 0)
		_exit(126);
	_exit(127);
}

/* Between fork and exec: signals, group, descriptors. */
static void become(const struct hooks_run_how *how, const struct hooks_event *event, int output)
{
	const char *argv[] = { how->path, hooks_kind_word(event->kind), NULL };
	struct hooks_environ variables;
	sigset_t none;
	int null;

	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction action = { .sa_handler = SIG_DFL };

		sigaction(signal, &action, NULL); /* fails for a few that cannot be changed */
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	umask(022);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(output, STDERR_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
		dup2(null, STDIN_FILENO) < 0 || chdir("/") < 0 ||
		syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) < 0)
		complain(how->path, errno);
	hooks_environ_make(event, &variables);
	execve(how->path, (char *const *)argv, variables.list);
	complain(how->path, errno);
}

/* ---- its output ---- */

static void log_output(struct hooks_run *run)
{
	char text[4 * LINE_MAX], id[20], user[4 * sizeof(run->event.user)];
	const struct log_field fields[] = { { "LNS_SESSION", id }, { "LNS_USER", user },
		{ "LNS_LAC", run->event.lac }, { "LNS_INTERFACE", run->event.interface },
		{ NULL, NULL } };

	snprintf(id, sizeof(id), "%016llx", (unsigned long long)run->event.session);
	log_printable(user, sizeof(user), run->event.user, strlen(run->event.user));
	if (run->lines == LINES)
		snprintf(text, sizeof(text), "(what follows is left out)");
	else
		log_printable(text, sizeof(text), run->line, run->len);
	run->len = 0;
	if (run->lines++ <= LINES)
		log_line_with(LOG_LEVEL_INFO, fields, "session %s: on-%s: %s", id,
			hooks_kind_word(run->event.kind), text);
}

static void take_output(struct hooks_run *run, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n')
			run->line[run->len++] = data[i];
		if (data[i] == '\n' || run->len == sizeof(run->line))
			log_output(run);
	}
}

/* Reads what is there, once. False when nothing more will come, or nothing more now. */
static bool read_output(struct hooks_run *run)
{
	char data[4096];
	ssize_t n = read(run->output, data, sizeof(data));

	if (n > 0)
		take_output(run, data, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		env_io_set(run->output_io, 0);
	return n > 0;
}

static void output_ready(void *ctx, int events)
{
	(void)events;
	read_output(ctx);
}

/* ---- its end ---- */

static void run_free(struct hooks_run *run)
{
	env_io_free(run->exit_io);
	env_io_free(run->output_io);
	env_timer_free(run->timer);
	if (run->pidfd >= 0)
		close(run->pidfd);
	close(run->output);
	free(run);
}

static void signal_group(const struct hooks_run *run, int signal)
{
	/* Its child has not made the group yet when it is very young. */
	if (kill(-run->pid, signal) < 0)
		kill(run->pid, signal);
}

static enum hooks_result log_end(const struct hooks_run *run, int status)
{
	unsigned long long session = run->event.session;
	const char *kind = hooks_kind_word(run->event.kind);

	if (run->late) {
		log_warning("session %016llx: on-%s was killed after %llu s", session, kind,
			(unsigned long long)(run->how.timeout / 1000000));
		return HOOKS_TIMED_OUT;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return HOOKS_OK;
	if (WIFSIGNALED(status))
		log_warning("session %016llx: on-%s was ended by signal %d", session, kind,
			WTERMSIG(status));
	else
		log_warning("session %016llx: on-%s ended with status %d", session, kind,
			WEXITSTATUS(status));
	return HOOKS_FAILED;
}

static void exited(void *ctx, int events)
{
	struct hooks_run *run = ctx;
	enum hooks_result result;
	siginfo_t info = { 0 };
	int status;

	(void)events;
	if (waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || !info.si_pid)
		return;
	kill(-run->pid, SIGKILL); /* what it left behind */
	if (waitpid(run->pid, &status, 0) != run->pid)
		status = 0;
	for (unsigned int i = 0; i < LINES && read_output(run); i++)
		;
	if (run->len > 0)
		log_output(run);
	result = log_end(run, status);
	run->how.ended(run->how.ctx, run, &run->event, result);
	run_free(run);
}

static void time_is_over(void *ctx)
{
	struct hooks_run *run = ctx;

	signal_group(run, run->late ? SIGKILL : SIGTERM);
	run->late = true;
	env_timer_start(run->timer, GRACE);
}

void hooks_run_free(struct hooks_run *run)
{
	signal_group(run, SIGKILL);
	waitpid(run->pid, NULL, 0);
	run_free(run);
}

/* ---- its start ---- */

int hooks_run_start(struct env *env, const struct hooks_run_how *how,
	const struct hooks_event *event, struct hooks_run **ret_run)
{
	struct hooks_run *run = calloc(1, sizeof(*run));
	int output[2], err;

	if (!run)
		return -ENOMEM;
	if (pipe2(output, O_CLOEXEC) < 0) {
		err = -errno;
		free(run);
		return err;
	}
	run->env = env;
	run->how = *how;
	run->event = *event;
	run->output = output[0];
	fcntl(run->output, F_SETFL, O_NONBLOCK);
	fflush(NULL);
	run->pid = fork();
	if (run->pid == 0)
		become(how, event, output[1]);
	err = run->pid < 0 ? -errno : 0;
	close(output[1]);
	run->pidfd = err ? -1 : (int)syscall(SYS_pidfd_open, run->pid, 0);
	if (err) {
		run_free(run);
		return err;
	}
	err = run->pidfd < 0 ? -errno : -ENOMEM;
	run->timer = env_timer_new(env, time_is_over, run);
	run->output_io = env_io_new(env, run->output, ENV_READ, output_ready, run);
	run->exit_io = run->pidfd < 0 ? NULL : env_io_new(env, run->pidfd, ENV_READ, exited, run);
	if (!run->timer || !run->output_io || !run->exit_io) {
		hooks_run_free(run);
		return err;
	}
	env_timer_start(run->timer, how->timeout);
	*ret_run = run;
	return 0;
}
