/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command: lnsctl's commands and options, a row each, and the command line read by them.
 */
#ifndef LNS_CONTROL_COMMAND_H
#define LNS_CONTROL_COMMAND_H

#include "lns/control/follow.h"
#include "lns/control/show.h"

#include <stdbool.h>
#include <stdint.h>

/* The word behind a command's name. */
enum argument {
	ARGUMENT_NONE,
	ARGUMENT_ID,
	ARGUMENT_USER,
	ARGUMENT_LAC,
	ARGUMENT_NUMBER,
	ARGUMENT_ANY
};

struct request;

struct command {
	const char *name; /* words of the command line, and of the request */
	enum argument argument;
	uint32_t options;             /* OPTION_x: which ones it takes, besides those for all */
	const struct column *columns; /* a list in a table; NULL: one object */
	follow_fn *follow;            /* NULL: the answer is complete at once */
	int (*run)(
		const struct request *request); /* does it all, returns the exit status; or NULL */
	const char *help;
};

/* Options of some commands: those that become arguments of the request, then those of lnsctl. */
enum {
	OPTION_USER = 1 << 0,
	OPTION_LAC = 1 << 1,
	OPTION_IP = 1 << 2,
	OPTION_STATE = 1 << 3,
	OPTION_TUNNEL = 1 << 4,
	OPTION_ADDRESS = 1 << 5,
	OPTION_SUB_ADDRESS = 1 << 6,
	OPTION_MINIMUM_BPS = 1 << 7,
	OPTION_MAXIMUM_BPS = 1 << 8,
	OPTION_CALLING = 1 << 9,
	OPTION_FAILED = 1 << 10,
	OPTION_RATE = 1 << 11,
	OPTION_TYPE = 1 << 12,
	OPTION_SORT = 1 << 20,
	OPTION_LIMIT = 1 << 21,
	OPTION_WATCH = 1 << 22,
};

/* What the command line asks for. */
struct request {
	const char *socket;
	bool json;
	const char *sort;   /* a column, "-" before it for descending order; NULL: as they come */
	size_t limit;       /* of items; SIZE_MAX: none was given */
	unsigned int watch; /* seconds between repetitions; 0: once */
	const struct command *command;
	json_t *args; /* owned by the caller of command_parse, who makes it as an empty object */
};

/* All commands, a table that ends with a NULL name. */
const struct command *command_table(void);
/* -1: request is filled. Otherwise the exit status, after help, or after saying what is wrong. */
int command_parse(int argc, char **argv, struct request *request);

#endif
