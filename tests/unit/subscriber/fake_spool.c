// SPDX-License-Identifier: BSD-2-Clause
/* fake_spool: see fake_spool.h. */
#include "tests/unit/subscriber/fake.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct radius_request {
	struct radius_request *next;
	radius_done_fn *done;
	void *ctx;
	uint64_t key;
	bool answering;
};

void fake_spool_commit(int err)
{
	for (unsigned int i = 0; i < w.spool.count; i++) {
		void (*durable)(void *, int) = w.spool.records[i].durable;

		w.spool.records[i].durable = NULL;
		if (durable)
			durable(w.spool.records[i].ctx, err);
	}
}

void fake_spool_commit_round(int err)
{
	void (*durable)(void *ctx, int err) = w.spool.round_durable;

	w.spool.round_durable = NULL;
	if (durable)
		durable(w.spool.round_ctx, err);
}

const struct fake_record *fake_spool_newest(enum radius_record_kind kind)
{
	for (unsigned int i = w.spool.count; i > 0; i--)
		if (w.spool.records[i - 1].kind == kind)
			return &w.spool.records[i - 1];
	cr_assert_fail("there is no record of kind %d", kind);
	return NULL;
}

void fake_spool_free(void)
{
	cr_assert_null(w.spool.requests, "a RADIUS request is left");
	for (unsigned int i = 0; i < w.spool.count; i++) {
		cr_assert_null(w.spool.records[i].durable, "somebody waits for the spool");
		radius_attrs_free(w.spool.records[i].attrs);
	}
	radius_attrs_free(w.spool.asked);
}

static void unlink_request(struct radius_request *request)
{
	struct radius_request **link = &w.spool.requests;

	while (*link && *link != request)
		link = &(*link)->next;
	cr_assert_not_null(*link, "a request is used that is over");
	*link = request->next;
}

void fake_radius_answer(uint64_t key, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *attrs)
{
	struct radius_request *request = w.spool.requests;

	while (request && request->key != key)
		request = request->next;
	cr_assert_not_null(request, "RADIUS was not asked");
	request->answering = true;
	request->done(request->ctx, outcome, code, attrs, "192.0.2.10:1812");
	unlink_request(request);
	free(request);
}

/* ---- spool.h ---- */

int radius_spool_put(struct radius_spool *spool, uint64_t session, enum radius_record_kind kind,
	const struct radius_attrs *attrs, uint64_t event_time, void (*durable)(void *ctx, int err),
	void *ctx)
{
	struct fake_record *record = &w.spool.records[w.spool.count];
	struct radius_attrs *copy;
	uint32_t cause = 0;

	(void)spool;
	if (w.spool.put_error)
		return w.spool.put_error;
	cr_assert_lt(w.spool.count, FAKE_RECORDS);
	copy = radius_attrs_copy(attrs);
	if (!copy)
		return -ENOMEM;
	w.spool.count++;
	*record = (struct fake_record){ session, kind, copy, event_time, durable, ctx };
	if (radius_get_u32(attrs, RADIUS_ACCT_TERMINATE_CAUSE, &cause))
		done("stop:%u", cause);
	else
		done(kind == RADIUS_START ? "start" : kind == RADIUS_INTERIM ? "interim" : "stop");
	return 0;
}

void radius_spool_forget(struct radius_spool *spool, void *ctx)
{
	(void)spool;
	for (unsigned int i = 0; i < w.spool.count; i++)
		if (w.spool.records[i].ctx == ctx)
			w.spool.records[i].durable = NULL;
	if (w.spool.round_ctx == ctx)
		w.spool.round_durable = NULL;
}

int radius_spool_checkpoint(struct radius_spool *spool, const struct radius_checkpoint *checkpoint)
{
	struct fake_checkpoint *seen = &w.spool.checkpoint;

	(void)spool;
	if (w.spool.put_error)
		return w.spool.put_error;
	*seen = (struct fake_checkpoint){ .session = checkpoint->session,
		.event_time = checkpoint->event_time,
		.fixed_len = checkpoint->fixed_len,
		.is_changed = checkpoint->is_changed };
	cr_assert(radius_get_u32(checkpoint->attrs, RADIUS_ACCT_INPUT_OCTETS, &seen->input));
	cr_assert(radius_get_u32(checkpoint->attrs, RADIUS_ACCT_OUTPUT_OCTETS, &seen->output));
	cr_assert(radius_get_u32(checkpoint->attrs, RADIUS_ACCT_SESSION_TIME, &seen->time));
	w.spool.checkpoints++;
	return 0;
}

int radius_spool_commit(struct radius_spool *spool, void (*durable)(void *ctx, int err), void *ctx)
{
	(void)spool;
	w.spool.commits++;
	if (w.spool.put_error)
		return w.spool.put_error;
	cr_assert_null(w.spool.round_durable, "two rounds at a time");
	w.spool.round_durable = durable;
	w.spool.round_ctx = ctx;
	if (!w.spool.slow_rounds)
		fake_spool_commit_round(0);
	return 0;
}

/* ---- radius.h: the client ---- */

struct radius_request *radius_send_to(struct radius_client *client, const char *server,
	enum radius_packet_code code, const struct radius_attrs *attrs, radius_done_fn *fn,
	void *ctx)
{
	struct radius_request *request;

	(void)client;
	cr_assert_eq(code, RADIUS_ACCESS_REQUEST);
	request = w.spool.refuse_requests ? NULL : calloc(1, sizeof(*request));
	if (!request)
		return NULL;
	request->done = fn;
	request->ctx = ctx;
	request->key = ((struct subscriber *)ctx)->key;
	request->next = w.spool.requests;
	w.spool.requests = request;
	radius_attrs_free(w.spool.asked);
	w.spool.asked = radius_attrs_copy(attrs);
	snprintf(w.spool.server, sizeof(w.spool.server), "%s", server);
	done("ask");
	return request;
}

void radius_cancel(struct radius_request *request)
{
	if (!request)
		return;
	cr_assert_not(request->answering, "cancelled from its own done");
	unlink_request(request);
	free(request);
	done("cancel");
}

int radius_reply_decrypt(
	struct radius_request *request, const uint8_t *data, size_t len, uint8_t *out, size_t size)
{
	cr_assert(request && request->answering);
	if (len > size)
		return -ENOSPC;
	memcpy(out, data, len);
	return (int)len;
}
