/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_ppp: channels that pass on what the test says for pppd, and templates that only note requests. */
#ifndef TESTS_UNIT_SUBSCRIBER_FAKE_PPP_H
#define TESTS_UNIT_SUBSCRIBER_FAKE_PPP_H

#include "lns/ppp/ppp.h"

#include <stdbool.h>

struct fake_ppp {
	unsigned int channels;
	bool no_template, no_other_template; /* of section "p", of "q" */
	int fork_error;
	struct ppp_fork request;     /* the last one */
	struct ppp_auth_reply reply; /* the last one */
	struct ppp_eap challenge;    /* the last one */
};

/* A message that waits in the channel until ppp_channel_receive or fake_ppp_deliver. */
void fake_ppp_say(struct ppp_channel *channel, const union ppp_message *message);
void fake_ppp_close(struct ppp_channel *channel, const char *broken);
/* What was said arrives in the order of the loop's turns. */
void fake_ppp_deliver(struct ppp_channel *channel);

#endif
