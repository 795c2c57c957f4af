// SPDX-License-Identifier: BSD-2-Clause
/*
 * top: see top.h. On a terminal it draws on the alternate screen, and leaves the terminal as it was,
 * however it ends. Rates are as new as the server's last sample.
 */
#include "lns/control/top.h"

#include "lns/control/ask.h"
#include "lns/control/columns.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define REFRESH_DEFAULT 2  /* seconds */
#define LINES_DEFAULT   20 /* sessions, when they go elsewhere than to a terminal */
#define LINES_MAX       200
#define LINES_ABOVE     3 /* on a terminal: head, blank line, titles */

#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_CLEAR "\033[H\033[2J"

static struct termios saved;

static void leave_screen(void)
{
	fputs(SCREEN_LEAVE, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
}

static void on_signal(int signal)
{
	/* Both are safe here, and nothing else is done. */
	if (write(STDOUT_FILENO, SCREEN_LEAVE, strlen(SCREEN_LEAVE)) > 0)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	_exit(128 + signal);
}

/* Keys come one by one and unseen from now on. False: there is no terminal for that. */
static bool enter_screen(void)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct termios raw;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &saved) < 0)
		return false;
	raw = saved;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
		return false;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	fputs(SCREEN_ENTER, stdout);
	return true;
}

/* Waits so long for a key. False: it was q, or there is nobody any more. */
static bool wait_for_key(unsigned int seconds)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int ready = poll(&input, 1, (int)seconds * 1000);
	char key = 0;

	if (ready < 0)
		return errno == EINTR; /* the window has another size */
	if (ready == 0)
		return true;
	return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q';
}

/* The answer with at most so many sessions; NULL after saying why there is none. */
static json_t *ask_top(const struct request *request, size_t lines)
{
	json_t *args = json_deep_copy(request->args), *items;

	json_object_set_new(args, "limit", json_integer((json_int_t)lines));
	items = ask(request->socket,
		json_pack("{s:s, s:o}", "command", request->command->name, "args", args));
	return items;
}

static void print_head(const json_t *answer, FILE *out)
{
	char *in = show_value(json_object_get(answer, "rx_bps"), FORMAT_OCTETS);
	char *sent = show_value(json_object_get(answer, "tx_bps"), FORMAT_OCTETS);

	fprintf(out, "%" JSON_INTEGER_FORMAT " online, in %s bit/s, out %s bit/s\n\n",
		json_integer_value(json_object_get(answer, "online")), in, sent);
	free(in);
	free(sent);
}

static void print_top(const json_t *items, size_t width, FILE *out)
{
	const json_t *answer = json_array_get(items, 0);

	print_head(answer, out);
	show_table(top_columns, json_object_get(answer, "sessions"), width, out);
}

static int run_once(const struct request *request)
{
	size_t lines = request->limit == SIZE_MAX ? LINES_DEFAULT : request->limit;
	json_t *items = ask_top(request, lines);

	if (!items)
		return EXIT_REFUSED;
	if (request->json)
		show_json(items, false, stdout);
	else
		print_top(items, show_width(), stdout);
	json_decref(items);
	return fflush(stdout) || ferror(stdout) ? EXIT_REFUSED : 0;
}

int top_run(const struct request *request)
{
	unsigned int seconds = request->watch ? request->watch : REFRESH_DEFAULT;
	size_t lines, height;
	json_t *items;

	if (request->json || !enter_screen())
		return run_once(request);
	do {
		height = show_height();
		lines = height > LINES_ABOVE + 1 ? height - LINES_ABOVE - 1 : 1;
		lines = lines > LINES_MAX ? LINES_MAX : lines;
		lines = lines > request->limit ? request->limit : lines;
		fputs(SCREEN_CLEAR, stdout);
		items = ask_top(request, lines);
		if (items)
			print_top(items, show_width(), stdout);
		json_decref(items);
		fflush(stdout);
	} while (wait_for_key(seconds));
	leave_screen();
	return 0;
}
