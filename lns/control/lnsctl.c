// SPDX-License-Identifier: BSD-2-Clause
/*
 * lnsctl: asks lnsd over its control socket and shows the answer to a person, or as JSON to a program.
 * One command a run: command.c reads it, ask.c gets the answer, show.c and follow.c print it.
 *
 * Exit status: 0 done, 1 the server refuses or does not answer, 2 wrong usage.
 */
#include "lns/control/ask.h"
#include "lns/control/command.h"

#include <errno.h>
#include <string.h>

static void print_answer(const struct request *request, const json_t *items)
{
	if (request->json)
		show_json(items, request->command->columns, stdout);
	else if (request->command->columns)
		show_table(request->command->columns, items, show_width(), stdout);
	else
		for (size_t i = 0; i < json_array_size(items); i++)
			show_object(json_array_get(items, i), stdout);
}

int main(int argc, char **argv)
{
	struct request request = { .args = json_object() };
	int status = command_parse(argc, argv, &request);
	json_t *items, *message;

	if (status >= 0) {
		json_decref(request.args);
		return status;
	}
	message = json_pack("{s:s, s:o}", "command", request.command->name, "args", request.args);
	if (request.command->follow)
		return ask_follow(request.socket, message,
			request.json ? follow_json : request.command->follow);
	items = ask(request.socket, message);
	if (!items)
		return EXIT_REFUSED;
	print_answer(&request, items);
	json_decref(items);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "lnsctl: output: %s\n", strerror(errno));
		return EXIT_REFUSED;
	}
	return 0;
}
