/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: what the command line asks for.
 */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include "lns/addr.h"
#include "tests/load/line.h"

#include <stdbool.h>
#include <stdint.h>

/* How calls, or all of a LAC, end. */
enum load_end {
	END_CDN,     /* the LAC clears each call */
	END_LCP,     /* the subscriber hangs up */
	END_STOPCCN, /* the LAC closes its tunnel */
	END_VANISH,  /* nothing is ever said again */
	END_REBOOT,  /* the LAC forgets everything and starts again: for storms */
};

struct options {
	union addr lns;
	union addr *sources; /* one per LAC, with port */
	unsigned int lacs, sessions;
	unsigned int outstanding; /* calls in setup at a time; 0 = any number */
	double rate;              /* new calls a second; 0 = as fast as possible */
	uint64_t hold, ping, hello, timeout, retry; /* microseconds */
	unsigned int retransmits;
	unsigned int window; /* 0: the AVP is left out, which means 4 */
	/* Texts with %d (number of the session or LAC) and %l (number of the LAC). */
	const char *user, *password, *secret, *host_name, *calling, *called;
	unsigned int first; /* number of the first session and LAC */
	bool hide, sequencing;
	unsigned int auth; /* PPP_AUTH_* */
	bool auth_required;
	bool proxy_lcp, proxy_auth, strict, early_lcp;
	bool no_dns, ipv6;
	unsigned int mru, ping_size;
	union addr ping_to; /* AF_UNSPEC: the LNS's end */
	enum load_end end, storm_by;
	unsigned int storms, reboots, vanish;
	double churn;             /* calls replaced per second while they are held */
	struct line_quality line; /* of each LAC, both directions */
	uint64_t mutate;          /* packets; 0 = no hostile LAC */
	uint64_t seed;
	const char *json;
	bool allow_failures, quiet, progress;
};

/*
 * Fills ret from the command line. 0; 1 when help was printed; -EINVAL when something is wrong, which
 * has been said on stderr. options_free gives back what it holds.
 */
int options_parse(int argc, char **argv, struct options *ret);
void options_free(struct options *options);

/* Writes template with its %d and %l replaced ("%%" is "%"); cuts what does not fit. Returns out. */
const char *options_expand(
	char *out, size_t size, const char *template, unsigned int number, unsigned int lac);

const char *options_end_name(enum load_end end);

#endif
