// SPDX-License-Identifier: BSD-2-Clause
/*
 * command: see command.h. A command is a row here, its table, if it has one, in columns.c.
 */
#include "lns/control/command.h"

#include "lns/control/ask.h"
#include "lns/control/columns.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define SOCKET_DEFAULT "/run/lnsd/control.sock"
#define WORDS_MAX      3 /* of a command's name */

#define OF_SESSION (OPTION_USER | OPTION_LAC | OPTION_IP | OPTION_STATE)
#define OF_CALL                                                                                    \
	(OPTION_TUNNEL | OPTION_LAC | OPTION_ADDRESS | OPTION_SUB_ADDRESS | OPTION_MINIMUM_BPS |   \
		OPTION_MAXIMUM_BPS)

/* clang-format off */
static const struct command commands[] = {
	{ "show tunnels", ARGUMENT_NONE, 0, tunnel_columns, NULL, "tunnels, one a line" },
	{ "show sessions", ARGUMENT_NONE, OF_SESSION, session_columns, NULL,
		"sessions, one a line; see the filters" },
	{ "show session", ARGUMENT_ID, 0, NULL, NULL, "everything about one session" },
	{ "show stats", ARGUMENT_NONE, 0, NULL, NULL, "totals since the start" },
	{ "show radius", ARGUMENT_NONE, 0, radius_columns, NULL, "RADIUS servers, one a line" },
	{ "show das", ARGUMENT_NONE, 0, das_columns, NULL,
		"clients of dynamic authorization, one a line" },
	{ "show spool", ARGUMENT_NONE, 0, NULL, NULL,
		"accounting records that wait for a server" },
	{ "show pools", ARGUMENT_NONE, 0, pool_columns, NULL, "address pools, one a line" },
	{ "show kernel", ARGUMENT_NONE, 0, kernel_columns, NULL,
		"the kernel's L2TP tunnels and sessions" },
	{ "history", ARGUMENT_NONE, OPTION_USER | OPTION_LAC, history_columns, NULL,
		"the last ends and failed calls, newest first" },
	{ "spool flush", ARGUMENT_NONE, 0, NULL, NULL, "send what waits for a server now" },
	{ "disconnect session", ARGUMENT_ID, 0, NULL, NULL, "end one session" },
	{ "disconnect user", ARGUMENT_USER, 0, NULL, NULL, "end all sessions of a user" },
	{ "disconnect tunnel", ARGUMENT_ID, 0, NULL, NULL, "close a tunnel and end its sessions" },
	{ "trace tunnel", ARGUMENT_ID, 0, NULL, follow_trace,
		"a tunnel's messages as they come and go" },
	{ "trace session", ARGUMENT_ID, 0, NULL, follow_trace,
		"those of one session, until it ends" },
	{ "trace lac", ARGUMENT_LAC, 0, NULL, follow_trace,
		"those of all tunnels of a lac section" },
	{ "capture tunnel", ARGUMENT_ID, 0, NULL, follow_capture,
		"the same as a pcap file on standard output" },
	{ "call", ARGUMENT_NUMBER, OF_CALL, NULL, follow_call,
		"let a LAC place a call; see the options" },
	{ 0 },
};

static const struct {
	const char *key, *word; /* of the request, of the help */
} arguments[] = {
	[ARGUMENT_NONE] = { NULL, "" },
	[ARGUMENT_ID] = { "id", " ID" },
	[ARGUMENT_USER] = { "user", " NAME" },
	[ARGUMENT_LAC] = { "lac", " NAME" },
	[ARGUMENT_NUMBER] = { "number", " NUMBER" },
};

static const struct parameter {
	uint32_t option; /* its bit */
	const char *name, *word, *key;
	bool is_number;
	const char *help;
} parameters[] = {
	{ OPTION_USER, "user", "NAME", "user", false, "sessions of this user only" },
	{ OPTION_LAC, "lac", "NAME", "lac", false,
		"of this lac section only; call: through its tunnel" },
	{ OPTION_IP, "ip", "ADDRESS", "ip", false, "sessions with this address only" },
	{ OPTION_STATE, "state", "STATE", "state", false, "those in this state only" },
	{ OPTION_TUNNEL, "tunnel", "ID", "tunnel", true, "call: through this tunnel" },
	{ OPTION_ADDRESS, "address", "ADDRESS", "address", false,
		"call: of this LAC, with --lac; opens a tunnel if need be" },
	{ OPTION_SUB_ADDRESS, "sub-address", "NUMBER", "sub_address", false,
		"call: behind the number" },
	{ OPTION_MINIMUM_BPS, "minimum-bps", "N", "minimum_bps", true,
		"call: lowest speed, bit/s" },
	{ OPTION_MAXIMUM_BPS, "maximum-bps", "N", "maximum_bps", true,
		"call: highest speed, bit/s" },
};
/* clang-format on */
#define PARAMETER_COUNT (sizeof(parameters) / sizeof(parameters[0]))

const struct command *command_table(void)
{
	return commands;
}

static void usage(FILE *out)
{
	char words[64];

	fputs("Usage: lnsctl [-s SOCKET] [--json] COMMAND\n"
	      "Asks lnsd what it does, or tells it what to do.\n\nCommands:\n",
		out);
	for (const struct command *c = commands; c->name; c++) {
		snprintf(words, sizeof(words), "%s%s", c->name, arguments[c->argument].word);
		fprintf(out, "  %-24s %s\n", words, c->help);
	}
	fputs("\nOptions:\n"
	      "  -s, --socket SOCKET      the control socket, " SOCKET_DEFAULT " by default\n"
	      "  -j, --json               one JSON document: an array, or an object\n",
		out);
	for (size_t i = 0; i < PARAMETER_COUNT; i++) {
		snprintf(words, sizeof(words), "--%s %s", parameters[i].name, parameters[i].word);
		fprintf(out, "      %-20s %s\n", words, parameters[i].help);
	}
	fputs("  -h, --help               this text\n", out);
}

static bool is_digits(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len < 16 && strspn(text, "0123456789") == len;
}

/* An id is a number; a session may be named by its Acct-Session-Id, too: 16 hexadecimal digits. */
static json_t *make_argument(enum argument argument, const char *text)
{
	if (argument == ARGUMENT_ID && is_digits(text))
		return json_integer(strtoll(text, NULL, 10));
	return json_string(text);
}

/* How many of the words a command's name is made of, if it is made of them; otherwise 0. */
static int match_name(const char *name, char **words, int count)
{
	for (int used = 0; used < count && used < WORDS_MAX; used++) {
		size_t len = strcspn(name, " ");

		if (strlen(words[used]) != len || strncmp(name, words[used], len) != 0)
			return 0;
		name += len;
		if (!*name)
			return used + 1;
		name++;
	}
	return 0;
}

/* The command that the words are; NULL after saying what is wrong with them. */
static const struct command *find_command(char **words, int count, json_t *args)
{
	const struct command *found = commands;
	int used = 0;

	while (found->name && !(used = match_name(found->name, words, count)))
		found++;
	if (!found->name) {
		fprintf(stderr, count ? "lnsctl: unknown command; --help shows all\n"
				      : "lnsctl: no command; --help shows all\n");
		return NULL;
	}
	if (count != used + (found->argument ? 1 : 0)) {
		fprintf(stderr, "lnsctl: %s: %s\n", found->name,
			count > used ? "too many words" : "which one?");
		return NULL;
	}
	if (found->argument && json_object_set_new(args, arguments[found->argument].key,
				       make_argument(found->argument, words[used]))) {
		fprintf(stderr, "lnsctl: %s: is not text\n", found->name);
		return NULL;
	}
	return found;
}

/* Adds the argument of an option. False after saying what is wrong. */
static bool take_parameter(const struct parameter *parameter, const char *text, json_t *args)
{
	if ((!parameter->is_number || is_digits(text)) &&
		!json_object_set_new(args, parameter->key,
			parameter->is_number ? json_integer(strtoll(text, NULL, 10))
					     : json_string(text)))
		return true;
	fprintf(stderr, "lnsctl: --%s: is not %s\n", parameter->name,
		parameter->is_number ? "a number" : "text");
	return false;
}

/* Whether all options that were given (bits) are for the command; otherwise says which is not. */
static bool options_suit(const struct command *command, uint32_t given)
{
	uint32_t wrong = given & ~command->options;

	for (size_t i = 0; i < PARAMETER_COUNT; i++) {
		if (!(wrong & parameters[i].option))
			continue;
		fprintf(stderr, "lnsctl: --%s is not for %s\n", parameters[i].name, command->name);
		return false;
	}
	return true;
}

int command_parse(int argc, char **argv, struct request *request)
{
	struct option options[PARAMETER_COUNT + 4] = { 0 };
	static const struct option common[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
	};
	uint32_t given = 0;
	int option, index;

	request->socket = SOCKET_DEFAULT;
	for (size_t i = 0; i < PARAMETER_COUNT; i++)
		options[i] = (struct option){ parameters[i].name, required_argument, NULL, 1 };
	memcpy(options + PARAMETER_COUNT, common, sizeof(common));
	while ((option = getopt_long(argc, argv, "s:jh", options, &index)) != -1) {
		if (option == 's') {
			request->socket = optarg;
		} else if (option == 'j') {
			request->json = true;
		} else if (option == 1) {
			given |= parameters[index].option;
			if (!take_parameter(&parameters[index], optarg, request->args))
				return EXIT_USAGE;
		} else {
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : EXIT_USAGE;
		}
	}
	request->command = find_command(argv + optind, argc - optind, request->args);
	if (!request->command || !options_suit(request->command, given))
		return EXIT_USAGE;
	return -1;
}
