// SPDX-License-Identifier: BSD-2-Clause
/* run: programs that end well, badly, too late, or not at all. */
#include "lns/hooks/run.h"

#include "tests/unit/env_fake.h"
#include "tests/unit/hooks/event.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct env *env;
static char program[] = "/tmp/lns-hook-XXXXXX";
static char written[sizeof(program) + 4];
static int ended; /* result + 1 */

static void setup(void)
{
	int fd = mkstemp(program);

	cr_assert_geq(fd, 0);
	close(fd);
	snprintf(written, sizeof(written), "%s.out", program);
	env = env_fake_new();
	ended = 0;
}

static void teardown(void)
{
	env_fake_free(env); /* fails when something is left */
	unlink(program);
	unlink(written);
}

TestSuite(hooks_run, .init = setup, .fini = teardown, .timeout = 60);

static void script(const char *text)
{
	FILE *file = fopen(program, "we");

	fprintf(file, "#!/bin/sh\n%s\n", text);
	fclose(file);
	chmod(program, 0755);
}

static void on_end(
	void *ctx, struct hooks_run *run, const struct hooks_event *event, enum hooks_result result)
{
	(void)ctx;
	(void)run;
	cr_assert_eq(event->session, 5);
	ended = (int)result + 1;
}

static struct hooks_run *start(void)
{
	const struct hooks_run_how how = { program, ENV_SEC(10), on_end, NULL };
	struct hooks_event event = event_of(5, HOOKS_DOWN);
	struct hooks_run *run;

	cr_assert_eq(hooks_run_start(env, &how, &event, &run), 0);
	return run;
}

static enum hooks_result wait_end(void)
{
	while (!ended)
		env_fake_poll(env, 100);
	return (enum hooks_result)(ended - 1);
}

/* What the program wrote to its file, which is in the place of %s. */
static const char *read_written(void)
{
	static char text[4096];
	FILE *file = fopen(written, "re");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[len] = '\0';
	if (file)
		fclose(file);
	return text;
}

Test(hooks_run, argument_environment_descriptors)
{
	char text[512];

	fcntl(STDIN_FILENO, F_DUPFD, 50); /* must not be seen */
	snprintf(text, sizeof(text),
		"exec >%s; echo \"$# $1 $LNS_USER $LNS_EVENT $HOME$SHELL\"; pwd; ls -l /proc/self/fd | wc -l; "
		"umask; readlink /proc/self/fd/0",
		written);
	script(text);
	setenv("HOME", "/should/not/be/seen", 1);
	start();
	cr_assert_eq(wait_end(), HOOKS_OK);
	/* "total", three, and the directory that ls has open */
	cr_assert_str_eq(read_written(), "1 down alice down \n/\n5\n0022\n/dev/null\n");
}

Test(hooks_run, status_and_signal)
{
	script("echo something; exit 3");
	start();
	cr_assert_eq(wait_end(), HOOKS_FAILED);
	ended = 0;
	script("kill -9 $$");
	start();
	cr_assert_eq(wait_end(), HOOKS_FAILED);
}

Test(hooks_run, not_a_program)
{
	start(); /* an empty file that is not executable */
	cr_assert_eq(wait_end(), HOOKS_FAILED);
}

/* One that hears SIGTERM, and one that does not; what they started goes with them. */
Test(hooks_run, too_late)
{
	char text[256];

	snprintf(text, sizeof(text), "sleep 1000 & echo $! >%s; wait", written);
	script(text);
	start();
	while (!strchr(read_written(), '\n'))
		env_fake_poll(env, 10);
	cr_assert_eq(ended, 0);
	env_fake_advance(env, ENV_SEC(10) + 1);
	cr_assert_eq(wait_end(), HOOKS_TIMED_OUT);
	while (kill((pid_t)strtol(read_written(), NULL, 10), 0) == 0)
		usleep(1000); /* killed, its new parent may take a moment */

	ended = 0;
	unlink(written);
	snprintf(text, sizeof(text), "trap '' TERM; echo >%s; while :; do sleep 1000; done",
		written);
	script(text);
	start();
	while (!strchr(read_written(), '\n'))
		env_fake_poll(env, 10);
	env_fake_advance(env, ENV_SEC(10) + 1);
	for (int i = 0; i < 20; i++)
		env_fake_poll(env, 10);
	cr_assert_eq(ended, 0);
	env_fake_advance(env, ENV_SEC(1) + 1);
	cr_assert_eq(wait_end(), HOOKS_TIMED_OUT);
}

/* A flood of lines, and a line without an end, are read and left out. */
Test(hooks_run, output)
{
	script("i=0; while [ $i -lt 3000 ]; do echo a line of some length, number $i; i=$((i+1)); done; "
	       "head -c 100000 /dev/zero");
	start();
	cr_assert_eq(wait_end(), HOOKS_OK);
}

Test(hooks_run, given_up)
{
	script("sleep 1000");
	hooks_run_free(start());
}
