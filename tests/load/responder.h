/* SPDX-License-Identifier: BSD-2-Clause */
/* responder: a RADIUS server on loopback that accepts and acknowledges everything, as fast as it can. */
#ifndef TESTS_LOAD_RESPONDER_H
#define TESTS_LOAD_RESPONDER_H

#include <sys/types.h>

/*
 * Starts it as a process, on a port of its own for all kinds of requests; it ends with this one. loss: of
 * requests that it does not answer, per cent. Its process id; exits when there is no port.
 */
pid_t responder_start(const char *secret, unsigned int loss, unsigned int *ret_port);

#endif
