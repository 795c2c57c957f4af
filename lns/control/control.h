/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control: the server of the control socket: one JSON object a line in both directions.
 *
 *   -> {"command": "show sessions", "args": {"user": "alice"}}
 *   <- {"item": {...}}   any number of them
 *   <- {"done": true}    or  {"error": "no such session"}
 *
 * Answers are streamed: at most CONTROL_ITEMS items a turn of the loop, and none while the reader does
 * not read. A client that sends nonsense is told so and may go on.
 */
#ifndef LNS_CONTROL_CONTROL_H
#define LNS_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct env;

#define CONTROL_ITEMS   200 /* a turn */
#define CONTROL_CLIENTS 64
#define CONTROL_LINE    4096 /* octets of a request */

/*
 * The next item of a command's answer (a new reference), or NULL when there is none left, with error
 * (size octets) set when something was wrong. *cursor is 0 at first and the command's own.
 */
typedef json_t *control_next_fn(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size);

struct control_command {
	const char *name;
	control_next_fn *next;
};

/*
 * Serves on listen_fd (owned from now on, also when it fails) with the commands of a table that ends
 * with a NULL name; ctx is for them. 0 and *ret_control, or -errno.
 */
int control_new(struct env *env, int listen_fd, const struct control_command *commands, void *ctx,
	struct control **ret_control);
void control_free(struct control *control);

#endif
