/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control: the server of the control socket: one JSON object a line in both directions.
 *
 *   -> {"command": "show sessions", "args": {"user": "alice"}}
 *   <- {"item": {...}}   any number of them
 *   <- {"done": true}    or  {"error": "no such session"}
 *
 *   -> {"command": "trace tunnel", "args": {"id": 12}}
 *   <- {"started": true}
 *   <- {"item": {...}}   as things happen, until {"done": true} or {"error": ...}
 *   <- {"dropped": 7}    so many items were left out here, because the reader was slow
 *
 * Answers are streamed: in a turn of the loop at most CONTROL_ITEMS items, and no other once they have taken
 * CONTROL_TURN of CPU time; none while the reader does not read. A client that sends nonsense is told so and may go on. A feed, the answer that has no end of
 * its own, ends when its client sends another request or closes its side.
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
#define CONTROL_TURN    500 /* microseconds */
#define CONTROL_CLIENTS 64
#define CONTROL_LINE    4096 /* octets of a request */

/*
 * The next item of a command's answer (a new reference), or NULL when there is none left, with error
 * (size octets) set when something was wrong. *cursor is 0 at first and the command's own. A step that has
 * looked for long and found nothing returns json_null(): the search goes on in the next one.
 */
typedef json_t *control_next_fn(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size);

struct control_command {
	const char *name;
	control_next_fn *next;
};

/*
 * A command whose items come when they come. open gets a feed to keep and to push to; 0, or -errno with
 * error (size octets) set, and then the feed is nothing to keep. It ends by control_feed_end, or the
 * reader ends it, which close tells: then the feed is gone when close returns.
 */
struct control_feed;

struct control_feed_command {
	const char *name;
	int (*open)(
		void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
	void (*close)(void *ctx, struct control_feed *feed);
};

void control_feed_set_user(struct control_feed *feed, void *user);
void *control_feed_user(const struct control_feed *feed);
/*
 * For open to say: this answer only waits for somebody before it can be given, and has an end. There is no
 * {"started": true}; further requests of the client wait for it, and its closing for writing ends nothing.
 */
void control_feed_wait(struct control_feed *feed);
/*
 * All that there is to tell is known now: items are asked of next (ctx is that of the commands) as fast as
 * the reader takes them, none is dropped. When it returns NULL the answer is complete and close is called,
 * unless next took itself back (NULL) because more will be known later, when it is to be given again.
 */
typedef json_t *control_supply_fn(void *ctx, struct control_feed *feed);
void control_feed_supply(struct control_feed *feed, control_supply_fn *next);
/* Sends item, which is consumed, NULL for one that memory was too short for; or counts it as dropped. */
void control_feed_push(struct control_feed *feed, json_t *item);
/* The answer is complete: "done", or an error when that is not NULL. The feed is gone afterwards. */
void control_feed_end(struct control_feed *feed, const char *error);

/*
 * Serves on listen_fd (owned from now on, also when it fails) with the commands of a table that ends
 * with a NULL name; ctx is for them. 0 and *ret_control, or -errno.
 */
int control_new(struct env *env, int listen_fd, const struct control_command *commands, void *ctx,
	struct control **ret_control);
/* Serves these as well; the table ends with a NULL name. */
void control_set_feeds(struct control *control, const struct control_feed_command *commands);
/* Ends everything; feeds are closed. */
void control_free(struct control *control);

#endif
