// SPDX-License-Identifier: BSD-2-Clause
/*
 * lnsctl: asks lnsd over its control socket and shows the answer to a person, or as JSON to a program.
 * One command a run: command.c reads it, ask.c gets the answer, show.c and follow.c print it.
 *
 * Exit status: 0 done, 1 the server refuses or does not answer, 2 wrong usage.
 */
#include "lns/control/ask.h"
#include "lns/control/command.h"
#include "lns/control/sort.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define WATCH_LINES 3 /* of the terminal's height: titles, what is left out, the cursor's */

static void print_answer(const struct request *request, json_t *items, size_t limit)
{
	size_t count = json_array_size(items);

	if (request->command->columns && request->sort)
		sort_items(items, request->command->columns, request->sort);
	while (request->command->columns && json_array_size(items) > limit)
		json_array_remove(items, json_array_size(items) - 1);
	if (request->json)
		show_json(items, request->command->columns, stdout);
	else if (request->command->columns)
		show_table(request->command->columns, items, show_width(), stdout);
	else
		for (size_t i = 0; i < json_array_size(items); i++)
			show_object(json_array_get(items, i), stdout);
	if (limit < request->limit && count > json_array_size(items))
		printf("and %zu more\n", count - json_array_size(items));
}

/* Asks and prints; limit is of items. The exit status. */
static int run_once(const struct request *request, size_t limit)
{
	json_t *items = ask(request->socket,
		json_pack("{s:s, s:O}", "command", request->command->name, "args", request->args));

	if (!items)
		return EXIT_REFUSED;
	print_answer(request, items, limit);
	json_decref(items);
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "lnsctl: output: %s\n", strerror(errno));
	return EXIT_REFUSED;
}

/*
 * Again and again; on a terminal in place, and no more than fits. It goes on when the engine is not there
 * for a while, but not when there was no answer at all yet, or when nobody takes the output.
 */
static int run_watch(const struct request *request)
{
	bool answered = false;

	for (;;) {
		size_t height = show_height();
		size_t room = height > WATCH_LINES ? height - WATCH_LINES : SIZE_MAX;

		fputs(height ? "\033[H\033[2J" : "", stdout);
		answered |= run_once(request, room < request->limit ? room : request->limit) == 0;
		if (!answered || ferror(stdout))
			return EXIT_REFUSED;
		sleep(request->watch);
		fputs(height || request->json ? "" : "\n", stdout);
	}
}

static int run_request(const struct request *request)
{
	const struct command *command = request->command;

	if (command->run)
		return command->run(request);
	if (command->follow)
		return ask_follow(request->socket,
			json_pack("{s:s, s:O}", "command", command->name, "args", request->args),
			request->json ? follow_json : command->follow,
			command->follow != follow_call && command->follow != follow_reload);
	return request->watch ? run_watch(request) : run_once(request, request->limit);
}

int main(int argc, char **argv)
{
	struct request request = { .args = json_object() };
	int status = command_parse(argc, argv, &request);

	if (status < 0)
		status = run_request(&request);
	json_decref(request.args);
	return status;
}
