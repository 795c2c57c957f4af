// SPDX-License-Identifier: BSD-2-Clause
/* columns: see columns.h. */
#include "lns/control/columns.h"

const struct column tunnel_columns[] = {
	{ "id", "ID", FORMAT_NUMBER, 0 },
	{ "peer_id", "PEER-ID", FORMAT_NUMBER, 8 },
	{ "lac", "LAC", FORMAT_TEXT, 0 },
	{ "host_name", "HOST", FORMAT_TEXT, 1 },
	{ "peer", "PEER", FORMAT_TEXT, 2 },
	{ "local", "LOCAL", FORMAT_TEXT, 7 },
	{ "state", "STATE", FORMAT_TEXT, 0 },
	{ "sessions", "SESSIONS", FORMAT_NUMBER, 3 },
	{ "uptime", "UPTIME", FORMAT_SECONDS, 4 },
	{ "unacknowledged", "UNACKED", FORMAT_NUMBER, 5 },
	{ "retransmissions", "RETRANS", FORMAT_NUMBER, 6 },
	{ 0 },
};

const struct column session_columns[] = {
	{ "id", "ID", FORMAT_NUMBER, 0 },
	{ "tunnel", "TUNNEL", FORMAT_NUMBER, 7 },
	{ "session", "SESSION", FORMAT_NUMBER, 8 },
	{ "user", "USER", FORMAT_TEXT, 0 },
	{ "ip", "ADDRESS", FORMAT_TEXT, 0 },
	{ "ifname", "IFACE", FORMAT_TEXT, 2 },
	{ "state", "STATE", FORMAT_TEXT, 0 },
	{ "lac", "LAC", FORMAT_TEXT, 1 },
	{ "calling", "CALLING", FORMAT_TEXT, 6 },
	{ "called", "CALLED", FORMAT_TEXT, 9 },
	{ "uptime", "UPTIME", FORMAT_SECONDS, 3 },
	{ "rx_octets", "IN", FORMAT_OCTETS, 4 },
	{ "tx_octets", "OUT", FORMAT_OCTETS, 5 },
	{ "rx_bps", "IN-BPS", FORMAT_OCTETS, 10 },
	{ "tx_bps", "OUT-BPS", FORMAT_OCTETS, 11 },
	{ 0 },
};

const struct column top_columns[] = {
	{ "id", "ID", FORMAT_NUMBER, 1 },
	{ "user", "USER", FORMAT_TEXT, 0 },
	{ "ip", "ADDRESS", FORMAT_TEXT, 0 },
	{ "ifname", "IFACE", FORMAT_TEXT, 5 },
	{ "lac", "LAC", FORMAT_TEXT, 4 },
	{ "uptime", "UPTIME", FORMAT_SECONDS, 6 },
	{ "rx_octets", "IN", FORMAT_OCTETS, 2 },
	{ "tx_octets", "OUT", FORMAT_OCTETS, 3 },
	{ "rx_bps", "IN-BPS", FORMAT_OCTETS, 0 },
	{ "tx_bps", "OUT-BPS", FORMAT_OCTETS, 0 },
	{ 0 },
};

const struct column lac_columns[] = {
	{ "lac", "LAC", FORMAT_TEXT, 0 },
	{ "drained", "DRAINED", FORMAT_TEXT, 6 },
	{ "tunnels", "TUNNELS", FORMAT_NUMBER, 0 },
	{ "online", "ONLINE", FORMAT_NUMBER, 0 },
	{ "in_setup", "SETUP", FORMAT_NUMBER, 7 },
	{ "calls", "CALLS", FORMAT_NUMBER, 3 },
	{ "calls_failed", "FAILED", FORMAT_NUMBER, 0 },
	{ "setup_rate", "RATE", FORMAT_NUMBER, 4 },
	{ "retransmissions", "RETRANS", FORMAT_NUMBER, 5 },
	{ "last_error_at", "LAST-ERROR", FORMAT_TEXT, 2 },
	{ "last_error", "", FORMAT_TEXT, 1 },
	{ 0 },
};

const struct column why_columns[] = {
	{ "ended", "ENDED", FORMAT_TEXT, 0 },
	{ "what", "WHAT", FORMAT_TEXT, 0 },
	{ "state", "STATE", FORMAT_TEXT, 0 },
	{ "id", "ID", FORMAT_NUMBER, 7 },
	{ "user", "USER", FORMAT_TEXT, 3 },
	{ "lac", "LAC", FORMAT_TEXT, 2 },
	{ "calling", "CALLING", FORMAT_TEXT, 5 },
	{ "ip", "ADDRESS", FORMAT_TEXT, 4 },
	{ "uptime", "LASTED", FORMAT_SECONDS, 6 },
	{ "reason", "REASON", FORMAT_TEXT, 0 },
	{ "detail", "DETAIL", FORMAT_TEXT, 0 },
	{ 0 },
};

const struct column radius_columns[] = {
	{ "server", "SERVER", FORMAT_TEXT, 0 },
	{ "purpose", "PURPOSE", FORMAT_TEXT, 0 },
	{ "alive", "ALIVE", FORMAT_TEXT, 0 },
	{ "requests", "REQUESTS", FORMAT_NUMBER, 1 },
	{ "retransmissions", "RETRANS", FORMAT_NUMBER, 5 },
	{ "accepts", "ACCEPTS", FORMAT_NUMBER, 6 },
	{ "rejects", "REJECTS", FORMAT_NUMBER, 7 },
	{ "responses", "RESPONSES", FORMAT_NUMBER, 8 },
	{ "timeouts", "TIMEOUTS", FORMAT_NUMBER, 2 },
	{ "bad_authenticators", "FORGED", FORMAT_NUMBER, 3 },
	{ "in_flight", "IN-FLIGHT", FORMAT_NUMBER, 9 },
	{ "waiting", "WAITING", FORMAT_NUMBER, 10 },
	{ "latency_us", "LATENCY", FORMAT_MICROSECONDS, 4 },
	{ 0 },
};

const struct column das_columns[] = {
	{ "client", "CLIENT", FORMAT_TEXT, 0 },
	{ "disconnects", "DISCONNECTS", FORMAT_NUMBER, 0 },
	{ "coas", "COAS", FORMAT_NUMBER, 0 },
	{ "acks", "ACKED", FORMAT_NUMBER, 0 },
	{ "naks", "REFUSED", FORMAT_NUMBER, 0 },
	{ "duplicates", "REPEATED", FORMAT_NUMBER, 2 },
	{ "bad_authenticators", "FORGED", FORMAT_NUMBER, 3 },
	{ "malformed", "MALFORMED", FORMAT_NUMBER, 4 },
	{ "stale", "STALE", FORMAT_NUMBER, 5 },
	{ "dropped", "DROPPED", FORMAT_NUMBER, 1 },
	{ 0 },
};

const struct column history_columns[] = {
	{ "ended", "ENDED", FORMAT_TEXT, 1 },
	{ "user", "USER", FORMAT_TEXT, 0 },
	{ "lac", "LAC", FORMAT_TEXT, 2 },
	{ "calling", "CALLING", FORMAT_TEXT, 5 },
	{ "ip", "ADDRESS", FORMAT_TEXT, 4 },
	{ "state", "STATE", FORMAT_TEXT, 8 },
	{ "uptime", "LASTED", FORMAT_SECONDS, 3 },
	{ "rx_octets", "IN", FORMAT_OCTETS, 6 },
	{ "tx_octets", "OUT", FORMAT_OCTETS, 7 },
	{ "reason", "REASON", FORMAT_TEXT, 0 },
	{ "detail", "DETAIL", FORMAT_TEXT, 0 },
	{ 0 },
};

const struct column pool_columns[] = {
	{ "pool", "POOL", FORMAT_TEXT, 0 },
	{ "size", "SIZE", FORMAT_NUMBER, 0 },
	{ "used", "USED", FORMAT_NUMBER, 0 },
	{ "reserved", "RESERVED", FORMAT_NUMBER, 0 },
	{ "free", "FREE", FORMAT_NUMBER, 0 },
	{ 0 },
};

const struct column spool_columns[] = {
	{ "age_seconds", "AGE", FORMAT_SECONDS, 0 },
	{ "session", "SESSION", FORMAT_TEXT, 3 },
	{ "user", "USER", FORMAT_TEXT, 0 },
	{ "type", "TYPE", FORMAT_TEXT, 0 },
	{ "server", "SERVER", FORMAT_TEXT, 1 },
	{ "tries", "TRIES", FORMAT_NUMBER, 2 },
	{ "saved", "SAVED", FORMAT_TEXT, 5 },
	{ "sending", "SENDING", FORMAT_TEXT, 6 },
	{ "refused", "REFUSED", FORMAT_TEXT, 4 },
	{ 0 },
};

const struct column kernel_columns[] = {
	{ "tunnel", "TUNNEL", FORMAT_NUMBER, 0 },
	{ "session", "SESSION", FORMAT_NUMBER, 0 },
	{ "peer_tunnel", "PEER-T", FORMAT_NUMBER, 10 },
	{ "peer_session", "PEER-S", FORMAT_NUMBER, 9 },
	{ "version", "V", FORMAT_NUMBER, 6 },
	{ "encapsulation", "ENCAP", FORMAT_TEXT, 5 },
	{ "peer", "PEER", FORMAT_TEXT, 4 },
	{ "local", "LOCAL", FORMAT_TEXT, 8 },
	{ "ifname", "IFACE", FORMAT_TEXT, 2 },
	{ "name", "NAME", FORMAT_TEXT, 1 },
	{ "rx_octets", "IN", FORMAT_OCTETS, 3 },
	{ "tx_octets", "OUT", FORMAT_OCTETS, 3 },
	{ "sockets", "SOCKETS", FORMAT_NUMBER, 11 },
	{ "owner", "OWNER", FORMAT_TEXT, 0 },
	{ "mark", "MARK", FORMAT_TEXT, 0 },
	{ 0 },
};

const struct column event_columns[] = {
	{ "time", "TIME", FORMAT_TEXT, 1 },
	{ "task", "TASK", FORMAT_TEXT, 2 },
	{ "cpu", "CPU", FORMAT_NUMBER, 3 },
	{ "event", "EVENT", FORMAT_TEXT, 0 },
	{ "text", "DETAILS", FORMAT_TEXT, 0 },
	{ 0 },
};
