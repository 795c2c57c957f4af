// SPDX-License-Identifier: BSD-2-Clause
/*
 * command: see command.h. A command is a row here, its table, if it has one, in columns.c.
 */
#include "lns/control/command.h"

#include "lns/control/ask.h"
#include "lns/control/columns.h"
#include "lns/control/sort.h"
#include "lns/control/top.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define SOCKET_DEFAULT "/run/lnsd/control.sock"
#define WORDS_MAX      3 /* of a command's name */
#define WATCH_DEFAULT  2 /* seconds */
#define WATCH_MAX      86400

#define OF_LIST    (OPTION_SORT | OPTION_LIMIT | OPTION_WATCH)
#define OF_TUNNEL  (OPTION_LAC | OPTION_IP | OPTION_STATE)
#define OF_SESSION (OF_TUNNEL | OPTION_USER | OPTION_CALLING)
#define OF_END     (OPTION_USER | OPTION_LAC | OPTION_IP | OPTION_CALLING | OPTION_FAILED)
#define OF_CALL                                                                                    \
	(OPTION_TUNNEL | OPTION_LAC | OPTION_ADDRESS | OPTION_SUB_ADDRESS | OPTION_MINIMUM_BPS |   \
		OPTION_MAXIMUM_BPS)

/* clang-format off */
static const struct command commands[] = {
	{ "show tunnels", ARGUMENT_NONE, OF_LIST | OF_TUNNEL, tunnel_columns, NULL, NULL,
		"tunnels, one a line" },
	{ "show sessions", ARGUMENT_NONE, OF_LIST | OF_SESSION, session_columns, NULL, NULL,
		"sessions, one a line; see the filters" },
	{ "show session", ARGUMENT_ID, OPTION_WATCH, NULL, NULL, NULL,
		"everything about one session" },
	{ "show lacs", ARGUMENT_NONE, OF_LIST, lac_columns, NULL, NULL,
		"lac sections: calls, failures, last error" },
	{ "show lac", ARGUMENT_LAC, OPTION_WATCH, NULL, NULL, NULL,
		"one of them, with reasons of failures" },
	{ "show stats", ARGUMENT_NONE, OPTION_WATCH, NULL, NULL, NULL, "totals since the start" },
	{ "show radius", ARGUMENT_NONE, OF_LIST, radius_columns, NULL, NULL,
		"RADIUS servers, one a line" },
	{ "show das", ARGUMENT_NONE, OF_LIST, das_columns, NULL, NULL,
		"clients of dynamic authorization, one a line" },
	{ "show spool", ARGUMENT_NONE, OPTION_WATCH, NULL, NULL, NULL,
		"accounting records that wait for a server" },
	{ "show pools", ARGUMENT_NONE, OF_LIST, pool_columns, NULL, NULL,
		"address pools, one a line" },
	{ "show kernel", ARGUMENT_NONE, OF_LIST, kernel_columns, NULL, NULL,
		"the kernel's L2TP tunnels and sessions" },
	{ "top", ARGUMENT_NONE, OPTION_USER | OPTION_LAC | OPTION_LIMIT | OPTION_WATCH, NULL, NULL,
		top_run, "sessions with the most traffic, live; q ends it" },
	{ "why", ARGUMENT_ANY, OF_LIST, why_columns, NULL, NULL,
		"what is known of a user, number or address: why not online" },
	{ "history", ARGUMENT_NONE, OF_LIST | OF_END, history_columns, NULL, NULL,
		"the last ends and failed calls, newest first" },
	{ "spool show", ARGUMENT_NONE, OF_LIST | OPTION_USER | OPTION_TYPE, spool_columns, NULL, NULL,
		"the records that wait, one a line" },
	{ "spool export", ARGUMENT_NONE, OPTION_USER | OPTION_TYPE, NULL, follow_record, NULL,
		"the same whole, as FreeRADIUS writes them" },
	{ "spool flush", ARGUMENT_NONE, 0, NULL, NULL, NULL, "send what waits for a server now" },
	{ "reload", ARGUMENT_NONE, 0, NULL, follow_reload, NULL,
		"read the configuration again, tell what has changed" },
	{ "drain", ARGUMENT_NONE, OPTION_LAC | OPTION_RATE, NULL, NULL, NULL,
		"no new tunnels and calls, LACs are sent elsewhere" },
	{ "undrain", ARGUMENT_NONE, OPTION_LAC, NULL, NULL, NULL, "take them again" },
	{ "disconnect session", ARGUMENT_ID, 0, NULL, NULL, NULL, "end one session" },
	{ "disconnect user", ARGUMENT_USER, 0, NULL, NULL, NULL, "end all sessions of a user" },
	{ "disconnect tunnel", ARGUMENT_ID, 0, NULL, NULL, NULL,
		"close a tunnel and end its sessions" },
	{ "disconnect lac", ARGUMENT_LAC, 0, NULL, NULL, NULL,
		"close all tunnels of a lac section" },
	{ "refresh tunnel", ARGUMENT_ID, 0, NULL, NULL, NULL,
		"ask its LAC for the speeds of its calls" },
	{ "monitor", ARGUMENT_NONE, OPTION_USER | OPTION_LAC, NULL, follow_event, NULL,
		"calls, sessions, tunnels: what happens, live" },
	{ "trace tunnel", ARGUMENT_ID, 0, NULL, follow_trace, NULL,
		"a tunnel's messages as they come and go" },
	{ "trace session", ARGUMENT_ID, 0, NULL, follow_trace, NULL,
		"those of one session, until it ends" },
	{ "trace lac", ARGUMENT_LAC, 0, NULL, follow_trace, NULL,
		"those of all tunnels of a lac section" },
	{ "capture tunnel", ARGUMENT_ID, 0, NULL, follow_capture, NULL,
		"the same as a pcap file on standard output" },
	{ "kernel trace on", ARGUMENT_NONE, 0, NULL, NULL, NULL,
		"record the kernel's own events of L2TP" },
	{ "kernel trace off", ARGUMENT_NONE, 0, NULL, NULL, NULL, "no longer, and forget them" },
	{ "kernel trace show", ARGUMENT_NONE, OF_LIST, event_columns, NULL, NULL,
		"what was recorded, one event a line" },
	{ "call", ARGUMENT_NUMBER, OF_CALL, NULL, follow_call, NULL,
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
	[ARGUMENT_ANY] = { "subscriber", " NAME" },
};

enum kind { KIND_TEXT, KIND_NUMBER, KIND_FLAG, KIND_MAYBE };

static const struct parameter {
	uint32_t option;        /* its bit */
	const char *name, *key; /* key: of the request, NULL for what is lnsctl's own */
	enum kind kind;
	const char *word, *help;
} parameters[] = {
	{ OPTION_USER, "user", "user", KIND_TEXT, " NAME", "of this user only" },
	{ OPTION_LAC, "lac", "lac", KIND_TEXT, " NAME",
		"of this lac section only; call: through its tunnel" },
	{ OPTION_IP, "ip", "ip", KIND_TEXT, " ADDRESS",
		"with this address only; tunnels: of the peer" },
	{ OPTION_STATE, "state", "state", KIND_TEXT, " STATE", "in this state only" },
	{ OPTION_CALLING, "calling", "calling", KIND_TEXT, " NUMBER", "from this number only" },
	{ OPTION_FAILED, "failed", "failed", KIND_FLAG, "",
		"history: calls that never were online only" },
	{ OPTION_TYPE, "type", "type", KIND_TEXT, " TYPE", "records of this Acct-Status-Type only" },
	{ OPTION_RATE, "rate", "rate", KIND_NUMBER, " N",
		"drain: end so many sessions a second" },
	{ OPTION_SORT, "sort", NULL, KIND_TEXT, " COLUMN",
		"in the order of this column; -COLUMN: backwards" },
	{ OPTION_LIMIT, "limit", NULL, KIND_NUMBER, " N", "not more than so many lines" },
	{ OPTION_WATCH, "watch", NULL, KIND_MAYBE, " [SECONDS]",
		"again and again, every 2 s by default" },
	{ OPTION_TUNNEL, "tunnel", "tunnel", KIND_NUMBER, " ID", "call: through this tunnel" },
	{ OPTION_ADDRESS, "address", "address", KIND_TEXT, " ADDRESS",
		"call: of this LAC, with --lac; opens a tunnel if need be" },
	{ OPTION_SUB_ADDRESS, "sub-address", "sub_address", KIND_TEXT, " NUMBER",
		"call: behind the number" },
	{ OPTION_MINIMUM_BPS, "minimum-bps", "minimum_bps", KIND_NUMBER, " N",
		"call: lowest speed, bit/s" },
	{ OPTION_MAXIMUM_BPS, "maximum-bps", "maximum_bps", KIND_NUMBER, " N",
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
		snprintf(words, sizeof(words), "--%s%s", parameters[i].name, parameters[i].word);
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

/* What is lnsctl's own business. False when the number makes no sense. */
static bool take_own(uint32_t option, const char *text, struct request *request)
{
	long long number = text && is_digits(text) ? strtoll(text, NULL, 10) : 0;

	switch (option) {
	case OPTION_SORT:
		request->sort = text;
		return true;
	case OPTION_LIMIT:
		request->limit = (size_t)number;
		return number > 0;
	default: /* OPTION_WATCH */
		request->watch = text ? (unsigned int)number : WATCH_DEFAULT;
		return !text || (number > 0 && number <= WATCH_MAX);
	}
}

/*
 * The number of an option that does without: what stands behind its '=', or the next word when that is one.
 * getopt takes only the first; a word that we take as well goes with the option when it sorts the words.
 */
static const char *optional_number(int argc, char **argv)
{
	if (!optarg && optind < argc && is_digits(argv[optind]))
		return argv[optind++];
	return optarg;
}

/* Adds the argument of an option. False after saying what is wrong. */
static bool take_parameter(
	const struct parameter *parameter, const char *text, struct request *request)
{
	bool is_number = parameter->kind == KIND_NUMBER || parameter->kind == KIND_MAYBE;
	bool good = !text || !is_number || is_digits(text);

	if (good && !parameter->key)
		good = take_own(parameter->option, text, request);
	else if (good)
		good = !json_object_set_new(request->args, parameter->key,
			parameter->kind == KIND_FLAG     ? json_true()
			: parameter->kind == KIND_NUMBER ? json_integer(strtoll(text, NULL, 10))
							 : json_string(text));
	if (!good)
		fprintf(stderr, "lnsctl: --%s: is not %s\n", parameter->name,
			is_number ? "a number that makes sense" : "text");
	return good;
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
	static const int has_argument[] = {
		[KIND_TEXT] = required_argument,
		[KIND_NUMBER] = required_argument,
		[KIND_FLAG] = no_argument,
		[KIND_MAYBE] = optional_argument,
	};
	uint32_t given = 0;
	int option, index;

	request->socket = SOCKET_DEFAULT;
	request->limit = SIZE_MAX;
	for (size_t i = 0; i < PARAMETER_COUNT; i++)
		options[i] = (struct option){ parameters[i].name, has_argument[parameters[i].kind],
			NULL, 1 };
	memcpy(options + PARAMETER_COUNT, common, sizeof(common));
	while ((option = getopt_long(argc, argv, "s:jh", options, &index)) != -1) {
		if (option == 's') {
			request->socket = optarg;
		} else if (option == 'j') {
			request->json = true;
		} else if (option == 1) {
			const struct parameter *parameter = &parameters[index];

			given |= parameter->option;
			if (!take_parameter(parameter,
				    parameter->kind == KIND_MAYBE ? optional_number(argc, argv)
								  : optarg,
				    request))
				return EXIT_USAGE;
		} else {
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : EXIT_USAGE;
		}
	}
	request->command = find_command(argv + optind, argc - optind, request->args);
	if (!request->command || !options_suit(request->command, given))
		return EXIT_USAGE;
	if (request->sort && !sort_column(request->command->columns, request->sort)) {
		fprintf(stderr, "lnsctl: --sort: no column %s\n", request->sort);
		return EXIT_USAGE;
	}
	return -1;
}
