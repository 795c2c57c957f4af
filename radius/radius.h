/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * radius: a RADIUS client that could live alone: asynchronous, verified, with failover (RFC 2865,
 * 2866, 2869, 5080, 5997). Knows nothing of L2TP or PPP. Everything it needs of the world comes by
 * struct radius_host.
 *
 * Attributes are libradcli VALUE_PAIR lists behind struct radius_attrs; packets, authenticators and
 * the transport are ours.
 */
#ifndef RADIUS_RADIUS_H
#define RADIUS_RADIUS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What an operator wants to know at once. */
enum radius_event {
	RADIUS_SERVER_DEAD,
	RADIUS_SERVER_ALIVE,
	RADIUS_DISK_FAILS, /* records are in memory only */
	RADIUS_DISK_WORKS,
	RADIUS_SPOOL_FULL, /* records are dropped */
	RADIUS_SPOOL_HAS_ROOM,
};

/*
 * The host: clocks in microseconds, one-shot timers, descriptors, randomness, log lines. what: file and function
 * that a timer or descriptor calls, for a host that measures; lives as long as the program.
 */
struct radius_host {
	void *ctx;
	uint64_t (*now)(void *ctx);
	uint64_t (*wallclock)(void *ctx);
	void (*random)(void *ctx, void *buf, size_t len);
	void *(*timer_new)(void *ctx, const char *what, void (*fire)(void *arg), void *arg);
	void (*timer_start)(void *timer, uint64_t delay);
	void (*timer_stop)(void *timer);
	void (*timer_free)(void *timer);
	void *(*io_new)(void *ctx, const char *what, int fd, int events,
		void (*ready)(void *arg, int events), void *arg);
	void (*io_free)(void *io); /* events: 1 read, 2 write */
	void (*log)(void *ctx, bool is_error, const char *line);
	/* server: "192.0.2.10:1812", NULL of the spool; why: NULL of what is over. May be NULL. */
	void (*happened)(
		void *happened_ctx, enum radius_event event, const char *server, const char *why);
	void *happened_ctx;
};
#define RADIUS_TIMER(host, fire, arg)                                                              \
	((host)->timer_new((host)->ctx, __FILE__ " " #fire, fire, arg))
#define RADIUS_IO(host, fd, events, ready, arg)                                                    \
	((host)->io_new((host)->ctx, __FILE__ " " #ready, fd, events, ready, arg))

/* ---- dictionary and attributes (attrs.c) ---- */

struct radius_attrs; /* an ordered list of attributes, owned by whoever made it */

/*
 * An attribute: vendor << 16 | number. The built-in dictionary (dictionary.c) holds every attribute
 * that lnsd sends or obeys, radius/attr_codes.h their codes. Attributes of replies that are not in
 * the dictionary are kept and seen by radius_attrs_each, named "Attr-241" or "Attr-9.2"; those of
 * unknown vendors as one Vendor-Specific (26) with all its octets.
 *
 * radius_attr_code: by dictionary name, case ignored, 0 = unknown. radius_attr_name: NULL =
 * unknown.
 */
typedef uint32_t radius_code;
#define RADIUS_VENDOR(vendor, number) ((radius_code)(vendor) << 16 | (number))
radius_code radius_attr_code(const char *name);
const char *radius_attr_name(radius_code code);

struct radius_attrs *radius_attrs_new(void);
void radius_attrs_free(struct radius_attrs *attrs); /* wipes what it frees */
struct radius_attrs *radius_attrs_copy(const struct radius_attrs *attrs);

/*
 * Append one attribute. tag 0 = untagged, else RFC 2868 tag 1..31. Empty strings are not added (RFC
 * 2865 section 5: never sent empty), except an empty User-Password. Addresses may be added as u32
 * in host order. 0, -ENOENT (not in the dictionary), -EINVAL (wrong type, tag or length), -EMSGSIZE
 * (over 253 octets, over 247 of a vendor's), -ENOMEM; nothing is added on an error.
 */
int radius_add_string(
	struct radius_attrs *attrs, radius_code code, unsigned int tag, const char *text);
int radius_add_octets(struct radius_attrs *attrs, radius_code code, const void *data, size_t len);
int radius_add_u32(struct radius_attrs *attrs, radius_code code, unsigned int tag, uint32_t value);
int radius_add_addr(struct radius_attrs *attrs, radius_code code, const struct sockaddr *addr);

/*
 * Looking at attributes: the index-th (from 0) with that code; false when there is none. Values
 * come as on the wire but without the tag, which radius_get_tag tells (0 = untagged).
 */
bool radius_get_octets(const struct radius_attrs *attrs, radius_code code, unsigned int index,
	const uint8_t **ret_data, size_t *ret_len);
bool radius_get_u32(const struct radius_attrs *attrs, radius_code code, uint32_t *ret_value);
unsigned int radius_get_tag(const struct radius_attrs *attrs, radius_code code, unsigned int index);
/* An IPv6 prefix (RFC 3162); bits beyond its length are cleared. */
bool radius_get_prefix6(const struct radius_attrs *attrs, radius_code code, unsigned int index,
	struct in6_addr *ret_prefix, unsigned int *ret_len);
/* Copies the text, terminated; false when absent or when it has an inner NUL or does not fit. */
bool radius_get_string(const struct radius_attrs *attrs, radius_code code, char *out, size_t size);

/* Walks all attributes in order; stops when fn returns false. name: from the dictionary. */
typedef bool radius_attr_fn(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len);
void radius_attrs_each(const struct radius_attrs *attrs, radius_attr_fn *fn, void *ctx);

/*
 * A value as people and FreeRADIUS write it: an address, a prefix, a number, text, or 0x and octets in
 * hexadecimal. Cut when size is too small (512 is enough for any). Tells what it is, for quoting.
 */
enum radius_text { RADIUS_TEXT_BARE, RADIUS_TEXT_NUMBER, RADIUS_TEXT_STRING };
enum radius_text radius_value_text(
	radius_code code, const uint8_t *data, size_t len, char *out, size_t size);

/*
 * Attributes as octets on the wire (for a spool), and back, bounded and checked. encode: the length
 * or -ENOSPC. decode: 0 and *ret_attrs, -EBADMSG or -ENOMEM; empty attributes and
 * Message-Authenticator, which belongs to the packet, are left out.
 */
int radius_attrs_encode(const struct radius_attrs *attrs, uint8_t *buf, size_t size);
int radius_attrs_decode(const uint8_t *buf, size_t len, struct radius_attrs **ret_attrs);

/* Attribute numbers used by name in code are in radius/attr_codes.h. */

/* ---- client (client.c, server.c, packet.c) ---- */

enum radius_packet_code {
	RADIUS_ACCESS_REQUEST = 1,
	RADIUS_ACCESS_ACCEPT = 2,
	RADIUS_ACCESS_REJECT = 3,
	RADIUS_ACCOUNTING_REQUEST = 4,
	RADIUS_ACCOUNTING_RESPONSE = 5,
	RADIUS_ACCESS_CHALLENGE = 11,
	RADIUS_STATUS_SERVER = 12,
	RADIUS_DISCONNECT_REQUEST = 40,
	RADIUS_DISCONNECT_ACK = 41,
	RADIUS_DISCONNECT_NAK = 42,
	RADIUS_COA_REQUEST = 43,
	RADIUS_COA_ACK = 44,
	RADIUS_COA_NAK = 45,
};

#define RADIUS_SECRET_MAX   255
#define RADIUS_PASSWORD_MAX 128 /* RFC 2865 section 5.2 */

struct radius_server_config {
	struct sockaddr_storage addr; /* of authentication or accounting: with port */
	uint8_t secret[RADIUS_SECRET_MAX];
	size_t secret_len;
	enum { RADIUS_MA_AUTO, RADIUS_MA_YES, RADIUS_MA_NO } message_authenticator;
};

struct radius_client_config {
	const struct radius_server_config *servers; /* in order of preference */
	size_t server_count;
	struct sockaddr_storage source; /* ss_family AF_UNSPEC: any */
	uint64_t timeout;       /* of the first try, microseconds, doubled up to 16 s; 0 = 2 s */
	unsigned int tries;     /* per server, 1..10; 0 = 3 */
	unsigned int in_flight; /* per server, the rest waits; 0 = 128 */
	unsigned int rate;      /* new requests a second per server; 0 = no limit */
};

#define RADIUS_SERVERS_MAX 16

struct radius_client; /* one purpose (authentication or accounting), several servers */
struct radius_request;

enum radius_outcome {
	RADIUS_ANSWERED, /* a verified reply: code and attributes */
	RADIUS_TIMEOUT,  /* no server answered */
	RADIUS_FORGED,   /* no valid answer, but a bad authenticator: is the secret right? */
	RADIUS_FAILED,   /* could not be sent: memory, too large, no server */
};

/*
 * reply: NULL unless answered; borrowed, valid during the call. server: text of the server that
 * answered or was tried last ("192.0.2.10:1812").
 */
typedef void radius_done_fn(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *server);

/* Copies host and config (secrets are wiped by _free). 0 and *ret_client, or -errno. */
int radius_client_new(const struct radius_host *host, const struct radius_client_config *config,
	struct radius_client **ret_client);
/*
 * What the other one has learned of servers that both have: who has signed a reply goes on having to.
 * Counters begin anew.
 */
void radius_client_inherit(struct radius_client *client, const struct radius_client *other);
/* Ends every request without calling done. Not from inside done. */
void radius_client_free(struct radius_client *client);

/*
 * Sends an Access-Request or Accounting-Request. attrs are copied. A User-Password attribute is
 * given in the clear and encrypted per server; CHAP-Password and the rest go as they are. Message-
 * Authenticator is added (first) to Access-Requests and Status-Server. For accounting, event_time
 * (wall clock, microseconds; 0 = now) makes Event-Timestamp and Acct-Delay-Time; when that changes, a
 * retransmission has a new identifier. NULL when memory is short. done is called exactly once unless
 * cancelled, and never from inside radius_send. A request that has waited 30 s for a free place
 * times out. After done the request is gone.
 */
struct radius_request *radius_send(struct radius_client *client, enum radius_packet_code code,
	const struct radius_attrs *attrs, uint64_t event_time, radius_done_fn *done, void *ctx);
/*
 * The same for an Access-Request with a State, which is the business of the server that gave it (RFC 2865
 * section 5.24): goes there first, as long as that one is alive. server: as done was told; one that is
 * not among the client's counts for nothing.
 */
struct radius_request *radius_send_to(struct radius_client *client, const char *server,
	enum radius_packet_code code, const struct radius_attrs *attrs, radius_done_fn *done,
	void *ctx);
/* Ends a request without calling done; NULL does nothing. */
void radius_cancel(struct radius_request *request);

/*
 * Decrypts a salt-encrypted value (Tunnel-Password, MS-MPPE-*-Key, as radius_get_octets gives it)
 * of a reply while in done. Length of the clear text, -EBADMSG, or -ENOSPC.
 */
int radius_reply_decrypt(
	struct radius_request *request, const uint8_t *data, size_t len, uint8_t *out, size_t size);

struct radius_server_info {
	char name[64];
	bool alive;
	uint64_t requests, retransmissions, accepts, rejects, responses, timeouts;
	uint64_t challenges, probes, refused; /* refused: port unreachable */
	uint64_t bad_authenticators, bad_packets,
		wrong_ids; /* wrong_ids: nobody waits (any more) */
	unsigned int in_flight, waiting;
	uint64_t latency; /* smoothed, microseconds */
};
size_t radius_client_server_count(const struct radius_client *client);
void radius_client_info(
	const struct radius_client *client, size_t index, struct radius_server_info *ret_info);

#endif
