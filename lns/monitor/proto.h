/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/proto: what the monitor (root) and the engine (unprivileged) say to each other.
 *
 * One SOCK_SEQPACKET connection per engine, one message a packet, host byte order, descriptors by
 * SCM_RIGHTS. The requests are a closed list of fixed structs of integers: never a path, never a string
 * to run. Both ends check each message (monitor_message_check) for type, direction, exact size, every
 * range and the exact number of descriptors. A message that fails ends the engine: the monitor kills
 * it and starts another; an engine closes down.
 *
 * Order at the start of an engine: MONITOR_HELLO, then any number of MONITOR_KEPT, MONITOR_SESSION,
 * MONITOR_EXIT and MONITOR_TEMPLATE, then MONITOR_START; the engine answers MONITOR_READY once it
 * serves. SESSION and EXIT in that part are what earlier engines left behind; there are no other pppds,
 * as templates die with their engine.
 */
#ifndef LNS_MONITOR_PROTO_H
#define LNS_MONITOR_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONITOR_PROTO_VERSION 1
#define MONITOR_BATCH         64 /* keys in a message */
#define MONITOR_FDS           3  /* descriptors in a message at most */

enum monitor_message_type {
	/* engine -> monitor: the closed list of requests */
	MONITOR_READY = 1,        /* head only: the engine serves */
	MONITOR_ALIVE,            /* head only: answer to MONITOR_ASK */
	MONITOR_STOPPED,          /* head only: everything is ended, the engine is about to exit */
	MONITOR_SIGNAL,           /* keys: signal these session pppds; unknown keys are ignored */
	MONITOR_FORGET,           /* keys: these exits were dealt with */
	MONITOR_KEEP,             /* keep, 1 descriptor: keep a duplicate, replacing an older one */
	MONITOR_DROP,             /* keep: close the duplicate */
	MONITOR_REPLACE_TEMPLATE, /* number = id of a template that no longer works */
	MONITOR_OPEN,             /* number = enum monitor_open */
	MONITOR_RELOADED,         /* answer to MONITOR_RELOAD */
	MONITOR_WANT_RELOAD,      /* head only: read the configuration again, as on SIGHUP */
	MONITOR_REQUEST_MAX,

	/* monitor -> engine */
	MONITOR_HELLO = 65, /* hello, 3 descriptors: configuration bundle, state memory, listener */
	MONITOR_KEPT,       /* keep, 1 descriptor */
	MONITOR_SESSION,    /* session: a session pppd that lives */
	MONITOR_EXIT,       /* exit: repeated to every new engine until MONITOR_FORGET */
	MONITOR_TEMPLATE, /* template, 1 descriptor: takes the place of an older one of that name */
	MONITOR_START,    /* head only: that was all */
	MONITOR_RELOAD,   /* reload, 1 descriptor: a new configuration bundle */
	MONITOR_ASK,      /* head only, at any time after START: does the loop turn? */
	MONITOR_STOP,     /* number = 1: hurry (sent again when the operator does) */
	MONITOR_OPENED,   /* answer, 1 descriptor when error is 0 and monitor_open_has_fd */
	MONITOR_HOOKS,    /* head only, 1 descriptor: connection to the (new) hook process */
	MONITOR_RELOAD_LINE, /* text: an error or warning of a reload that the engine wants */
	MONITOR_RELOAD_END,  /* answer: that reload is over; number is not used */
	MONITOR_NOTICE_MAX
};

struct monitor_head {
	uint16_t type;    /* enum monitor_message_type */
	uint16_t version; /* MONITOR_PROTO_VERSION */
	uint32_t size;    /* of the whole message, octets */
};

enum monitor_signal { MONITOR_SIGNAL_TERM = 1, MONITOR_SIGNAL_KILL };

struct monitor_keys {
	struct monitor_head head;
	uint32_t signal;                  /* enum monitor_signal; 0 in MONITOR_FORGET */
	uint32_t count;                   /* 1 .. MONITOR_BATCH */
	uint64_t sessions[MONITOR_BATCH]; /* keys, none 0; unused ones 0 */
};

/* Kinds of descriptors that outlive an engine. */
enum monitor_kind {
	MONITOR_KEEP_LISTENER = 1, /* UDP listener */
	MONITOR_KEEP_TUNNEL,       /* connected UDP socket of a tunnel */
	MONITOR_KEEP_CHANNEL,      /* engine's end of a session's channel */
	MONITOR_KEEP_MAX
};

struct monitor_keep {
	struct monitor_head head;
	uint32_t kind; /* enum monitor_kind */
	uint32_t pad;
	uint64_t id; /* chosen by the engine, unique within the kind */
};

/* What the monitor opens, or switches, for the engine. */
enum monitor_open {
	MONITOR_OPEN_L2TP_DEBUGFS = 1, /* /sys/kernel/debug/l2tp/tunnels, for reading */
	MONITOR_OPEN_TRACE_ON,         /* records the kernel's tracepoints of L2TP; no descriptor */
	MONITOR_OPEN_TRACE_OFF,        /* no longer, and forgets what was recorded; no descriptor */
	MONITOR_OPEN_TRACE_READ,       /* what was recorded, for reading; -ENODATA: it is off */
	MONITOR_OPEN_MAX
};
/* Whether the answer comes with a descriptor when there was no error. */
bool monitor_open_has_fd(uint32_t what);

struct monitor_number {
	struct monitor_head head;
	uint32_t number;
	uint32_t pad;
};

struct monitor_answer {
	struct monitor_head head;
	uint32_t number; /* what was asked: enum monitor_open, or the number of the RELOAD */
	int32_t error;   /* 0, or -errno */
};

struct monitor_hello {
	struct monitor_head head;
	uint32_t generation; /* 1 for the first engine of this monitor, then counting up */
	uint32_t pad;
	char run_dir[96], state_dir[256]; /* command line over configuration; terminated */
};

struct monitor_session {
	struct monitor_head head;
	uint64_t session; /* key, never 0 */
	int32_t pid;
	uint32_t pad;
};

struct monitor_exit {
	struct monitor_head head;
	uint64_t session; /* key, never 0 */
	int32_t pid;
	int32_t status;        /* as of wait(2): WIFEXITED and so on */
	uint64_t utime, stime; /* CPU time it used, microseconds */
};

struct monitor_template {
	struct monitor_head head;
	uint32_t id; /* never repeated, never 0 */
	uint32_t pad;
	char name[64]; /* of the `ppp` section; terminated */
};

struct monitor_text {
	struct monitor_head head;
	char text[512]; /* for people; terminated */
};

union monitor_message {
	struct monitor_head head;
	struct monitor_keys keys;
	struct monitor_keep keep;
	struct monitor_number number;
	struct monitor_answer answer;
	struct monitor_hello hello;
	struct monitor_session session;
	struct monitor_exit exit;
	struct monitor_template template;
	struct monitor_text text;
};

enum monitor_side { MONITOR_FROM_ENGINE, MONITOR_FROM_MONITOR };

/*
 * Checks a received packet of len octets with fd_count descriptors, sent by `from`. 0, or -EBADMSG.
 */
int monitor_message_check(
	const void *packet, size_t len, unsigned int fd_count, enum monitor_side from);

/* The octets of a message of this type, 0 for an unknown one. */
size_t monitor_message_size(unsigned int type);

#endif
