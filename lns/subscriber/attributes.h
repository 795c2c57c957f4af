/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attributes: the one table of RADIUS attributes: which way each goes, where its value comes from, what
 * it does. It makes Access-Requests and accounting records, reads Access-Accepts
 * (authorization_apply_reply) and is the list in lns-radius(5).
 */
#ifndef LNS_SUBSCRIBER_ATTRIBUTES_H
#define LNS_SUBSCRIBER_ATTRIBUTES_H

#include <stdio.h>

struct config;
struct radius_attrs;
struct subscriber;

enum attribute_direction {
	ATTRIBUTE_REQUEST = 1,    /* Access-Request */
	ATTRIBUTE_ACCEPT = 2,     /* Access-Accept */
	ATTRIBUTE_ACCOUNTING = 4, /* every accounting record of a session */
	ATTRIBUTE_REJECT = 8,     /* Access-Reject */
	ATTRIBUTE_NAS = 16,       /* Accounting-On and -Off */
	ATTRIBUTE_CHALLENGE = 32, /* Access-Challenge */
	ATTRIBUTE_CHANGE = 64,    /* CoA-Request: change.c does what it says */
};

/* What a subscriber's Access-Request or accounting records say of it. 0 or -errno. */
int attributes_add(const struct subscriber *sub, enum attribute_direction direction,
	struct radius_attrs *attrs);
/* What Accounting-On and -Off say of this server. 0 or -errno. */
int attributes_add_nas(const struct config *config, struct radius_attrs *attrs);

/* The list of lns-radius(5), in troff. */
void attributes_dump_man(FILE *out);

#endif
