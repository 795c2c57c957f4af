/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state: the memory that outlives the engine. A memfd, kept by the monitor and mapped by each engine:
 * what a new engine must know to go on, or to end cleanly, what a dead one left.
 *
 * Fixed records, found by index; a record counts only while its `used` says so, and `used` is written
 * last (state_publish). Everything in it is numbers, addresses and octets, no pointers; nothing secret.
 * A new engine distrusts it: state_open checks the layout, the readers below check every length.
 */
#ifndef LNS_STATE_H
#define LNS_STATE_H

#include "lns/addr.h"
#include "lns/kernel/kernel.h"

#include <stdbool.h>
#include <stdint.h>

#define STATE_TUNNELS   65536 /* indexed by our tunnel id */
#define STATE_SESSIONS  65536
#define STATE_ATTRS_MAX 2048

struct state_tunnel {
	uint32_t used;
	uint16_t id, peer_id;
	uint16_t ns, nr; /* next to send, next expected */
	union addr local, peer;
	char host_name[64];
};

enum { STATE_FREE, STATE_SETUP, STATE_UP, STATE_STOPPED };

struct state_session {
	uint32_t used; /* STATE_x */
	uint32_t ifindex;
	uint64_t key;
	uint16_t tunnel_id, session_id;
	uint16_t attrs_len;
	uint8_t attrs
		[STATE_ATTRS_MAX]; /* the attributes common to Start, Interim and Stop, encoded */
	uint64_t up_wallclock,
		up_clock;            /* network up, microseconds, CLOCK_REALTIME and _BOOTTIME */
	struct kernel_counters base; /* at that moment */
	struct kernel_counters last; /* newest sample */
	uint64_t last_wallclock;
	/* Of the Stop; last are its counters. Once STATE_STOPPED, it was put, but may not be durable. */
	uint64_t stop_wallclock, stop_clock;
	uint32_t stop_cause;
};

/*
 * A lac section that takes nothing new, or one that goes on while all others take nothing new; the first
 * record is for all of them.
 */
enum { DRAIN_UNSET, DRAIN_ON, DRAIN_OFF };
struct state_drained {
	uint32_t used; /* DRAIN_x */
	uint32_t rate; /* sessions that are ended a second, 0 = none */
	char lac[64];
};
#define STATE_DRAINED 65

struct state;

/*
 * Maps the memory behind fd, laying it out when it is empty. *ret_fresh: there was nothing in it. 0,
 * -EPROTO when the layout is another version's, or -errno. Borrows fd.
 */
int state_open(int fd, struct state **ret_state, bool *ret_fresh);
void state_close(struct state *state);

/*
 * Session keys never repeat: boot << 32 | sequence. state_count_boot counts this start in the file
 * `boot` of the state directory (0, or -errno: then nobody may start); state_set_boot is for a fresh
 * state.
 */
int state_count_boot(const char *dir, uint32_t *ret_boot);
void state_set_boot(struct state *state, uint32_t boot);
uint64_t state_next_key(struct state *state);

struct state_tunnel *state_tunnel(struct state *state, uint16_t id);

/* A free session record, now STATE_SETUP and zeroed but for its key, or NULL. state_session_at goes over all of them. */
struct state_session *state_session_take(struct state *state, uint64_t key);
struct state_session *state_session_at(struct state *state, unsigned int index);
void state_session_release(struct state *state, struct state_session *session);

/* The index-th record, NULL behind the last. */
struct state_drained *state_drained_at(struct state *state, unsigned int index);

/* Makes a record count: everything written before is visible to whoever sees used. */
void state_publish(uint32_t *used, uint32_t value);

#endif
