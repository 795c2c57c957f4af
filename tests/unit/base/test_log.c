// SPDX-License-Identifier: BSD-2-Clause
/* log: what comes from outside cannot break a line, mistakes cannot flood it, nobody makes it wait. */
#include "lns/log.h"

#include "lns/log_socket.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

Test(log, printable)
{
	static const char in[] = "a\\b\n\x1b[31m\xff\0z";
	char out[64];

	cr_assert_str_eq(log_printable(out, sizeof(out), in, sizeof(in) - 1),
		"a\\\\b\\x0a\\x1b[31m\\xff\\x00z");
}

Test(log, printable_cuts_whole_pieces)
{
	char out[6];

	cr_assert_str_eq(log_printable(out, sizeof(out), "abc\n", 4), "abc");
	cr_assert_str_eq(log_printable(out, sizeof(out), "abcdefgh", 8), "abcde");
	cr_assert_str_eq(log_printable(out, 1, "abc", 3), "");
}

Test(log, limit_passes_one_a_second_and_counts_the_rest)
{
	struct log_limit limit = { 0 };
	unsigned int left_out = 99;

	cr_assert(log_limit_pass(&limit, 5000000, &left_out));
	cr_assert_eq(left_out, 0);
	cr_assert_not(log_limit_pass(&limit, 5000001, &left_out));
	cr_assert_not(log_limit_pass(&limit, 5999999, &left_out));
	cr_assert(log_limit_pass(&limit, 6000000, &left_out));
	cr_assert_eq(left_out, 2);
	cr_assert(log_limit_pass(&limit, 7000000, &left_out));
	cr_assert_eq(left_out, 0);
}

/* ---- where lines go ---- */

static char directory[] = "/tmp/lns-log-XXXXXX";
static struct sockaddr_un addr = { .sun_family = AF_UNIX };
static int reader = -1;

/* A journal, or syslog, of our own. */
static void setup_reader(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", directory);
	reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(reader, (struct sockaddr *)&addr, sizeof(addr)), 0);
}

static void teardown_reader(void)
{
	close(reader);
	unlink(addr.sun_path);
	rmdir(directory);
}

/* The next datagram, terminated; -1 when there is none. */
static ssize_t next(char *out, size_t size)
{
	ssize_t n = recv(reader, out, size - 1, MSG_DONTWAIT);

	out[n < 0 ? 0 : n] = '\0';
	return n;
}

TestSuite(log_socket, .init = setup_reader, .fini = teardown_reader, .timeout = 20);

Test(log, journal_encoding)
{
	static const struct log_field fields[] = {
		{ "LNS_USER", "alice" },
		{ "LNS_LAC", "" },
		{ "LNS_PEER", NULL },
		{ "LNS_TWO_LINES", "a\nMESSAGE=b" },
		{ NULL, NULL },
	};
	static const struct log_text line = { 4, "engine", "hello", fields };
	static const char expected[] =
		"MESSAGE=engine: hello\nPRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=lnsd\n"
		"LNS_PROCESS=engine\nLNS_USER=alice\n"
		"LNS_TWO_LINES\n\x0b\0\0\0\0\0\0\0a\nMESSAGE=b\n";
	char out[LOG_DATAGRAM];
	size_t len = log_encode_journal(&line, out, sizeof(out));

	cr_assert_eq(len, sizeof(expected) - 1);
	cr_assert_arr_eq(out, expected, len);
	/* What does not fit is left out whole. */
	len = log_encode_journal(&line, out, 60);
	cr_assert_eq(len, strlen("MESSAGE=engine: hello\nPRIORITY=4\nSYSLOG_FACILITY=3\n"));
}

Test(log_socket, journal_gets_lines_with_fields)
{
	static const struct log_field fields[] = { { "LNS_USER", "alice" }, { NULL, NULL } };
	char text[LOG_DATAGRAM];

	log_open_at("engine", LOG_TO_JOURNAL, addr.sun_path);
	log_debug("not wanted");
	log_line_with(LOG_LEVEL_ERROR, fields, "number %d", 7);
	cr_assert_gt(next(text, sizeof(text)), 0);
	cr_assert_not_null(strstr(text, "MESSAGE=engine: number 7\nPRIORITY=3\n"));
	cr_assert_not_null(strstr(text, "\nLNS_USER=alice\n"));
	cr_assert_lt(next(text, sizeof(text)), 0);
}

Test(log_socket, syslog_gets_lines)
{
	char text[LOG_DATAGRAM], expected[64];

	log_open_at("monitor", LOG_TO_SYSLOG, addr.sun_path);
	log_warning("well");
	cr_assert_gt(next(text, sizeof(text)), 0);
	cr_assert_eq(strncmp(text, "<28>", 4), 0, "%s", text); /* daemon.warning */
	snprintf(expected, sizeof(expected), " lnsd[%d]: monitor: well", (int)getpid());
	cr_assert_eq(strcmp(text + 4 + strlen("Jan  1 00:00:00"), expected), 0, "%s", text);
}

/* It takes what it has room for; writing never waits, and what was lost is told. */
Test(log_socket, a_journal_that_does_not_read)
{
	char text[LOG_DATAGRAM];
	int taken = 0;

	log_open_at("engine", LOG_TO_JOURNAL, addr.sun_path);
	for (int i = 0; i < 5000; i++)
		log_info("line %d", i);
	while (next(text, sizeof(text)) > 0)
		taken++;
	cr_assert(taken > 0 && taken < 5000, "%d", taken);
	log_info("after");
	cr_assert_gt(next(text, sizeof(text)), 0);
	char expected[64];
	snprintf(expected, sizeof(expected), "engine: %d lines were lost", 5000 - taken);
	cr_assert_not_null(strstr(text, expected), "%s", text);
	cr_assert_gt(next(text, sizeof(text)), 0);
	cr_assert_not_null(strstr(text, "engine: after"));
}

/* stderr as a pipe; its other end. */
static int pipe_stderr(void)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	return fds[0];
}

Test(log_socket, nobody_listens)
{
	int in = pipe_stderr();
	char text[200];
	ssize_t n;

	log_open_at("engine", LOG_TO_JOURNAL, "/nonexistent/socket");
	log_error("here");
	n = read(in, text, sizeof(text) - 1);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	cr_assert_str_eq(text, "lnsd engine: error: here\n");
}

Test(log_socket, a_full_pipe)
{
	int in = pipe_stderr();
	static char text[1 << 20];
	ssize_t n;

	fcntl(in, F_SETPIPE_SZ, 65536);
	log_open("engine", LOG_TO_STDERR);
	for (int i = 0; i < 5000; i++)
		log_info("a line that is longer than the pipe would like to have so many of");
	n = read(in, text, sizeof(text) - 1);
	cr_assert(n > 0 && n <= 65536);
	log_info("after");
	n = read(in, text, sizeof(text) - 1);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	cr_assert_not_null(
		strstr(text, " lines were lost, as nobody read them\nlnsd engine: after\n"));
}

Test(log, target_when_nothing_is_said)
{
	struct stat st;
	char stream[64];

	unsetenv("JOURNAL_STREAM");
	cr_assert_eq(log_choose(LOG_TO_AUTO, 1), LOG_TO_STDERR);
	cr_assert_eq(log_choose(LOG_TO_SYSLOG, 1), LOG_TO_SYSLOG);
	pipe_stderr();
	cr_assert_eq(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	cr_assert_eq(log_choose(LOG_TO_AUTO, 1), LOG_TO_JOURNAL);
	cr_assert_eq(log_choose(LOG_TO_STDERR, 1), LOG_TO_STDERR);
	setenv("JOURNAL_STREAM", "1:2", 1);
	cr_assert_eq(log_choose(LOG_TO_AUTO, 1), LOG_TO_STDERR);
}

Test(log, target_words)
{
	for (int target = 0; target < LOG_TARGETS; target++)
		cr_assert_eq(log_target_find(log_target_word(target)), target);
	cr_assert_eq(log_target_find("-f"), -1);
}
