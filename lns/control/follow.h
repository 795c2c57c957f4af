/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow: how lnsctl prints the items of answers that go on, each at once when it comes.
 */
#ifndef LNS_CONTROL_FOLLOW_H
#define LNS_CONTROL_FOLLOW_H

#include <jansson.h>
#include <stdio.h>

/* Prints one item. 0, or -errno: -EPROTO for one that makes no sense. */
typedef int follow_fn(const json_t *item, FILE *out);

/* "12:34:56.123456 <- tunnel 7 session 0 Ns 0 Nr 0 ICRQ, ..." */
int follow_trace(const json_t *item, FILE *out);
/* A record of a pcap file; follow_capture_begin writes what comes before the first one. */
int follow_capture(const json_t *item, FILE *out);
int follow_capture_begin(FILE *out);
/* "placed: tunnel 7, session 12" */
int follow_call(const json_t *item, FILE *out);
/* "12:34:56 session-up alice 100.64.0.2 via metro" */
int follow_event(const json_t *item, FILE *out);
/* "warning: ...", or what has changed */
int follow_reload(const json_t *item, FILE *out);
/* An accounting record, as the detail module of FreeRADIUS writes it. */
int follow_record(const json_t *item, FILE *out);
/* Any item, as one line of JSON. */
int follow_json(const json_t *item, FILE *out);

#endif
