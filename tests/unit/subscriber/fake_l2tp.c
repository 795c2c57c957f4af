// SPDX-License-Identifier: BSD-2-Clause
/* fake_l2tp: see fake_l2tp.h. */
#include "tests/unit/subscriber/fake.h"

#include <criterion/criterion.h>
#include <stdio.h>

void l2tp_session_info(const struct l2tp_session *session, struct l2tp_session_info *ret_info)
{
	cr_assert_not(session->closed);
	*ret_info = session->info;
}

void l2tp_tunnel_info(const struct l2tp_tunnel *tunnel, struct l2tp_tunnel_info *ret_info)
{
	(void)tunnel;
	*ret_info = w.l2tp.tunnel;
}

uint64_t l2tp_tunnel_ask(struct l2tp_tunnel *tunnel)
{
	(void)tunnel;
	if (!w.l2tp.asked || w.l2tp.answers) {
		w.l2tp.asked = env_now(w.env);
		done("hello");
	}
	return w.l2tp.asked;
}

const struct l2tp_lac *l2tp_tunnel_lac(const struct l2tp_tunnel *tunnel)
{
	(void)tunnel;
	return &w.l2tp.lac;
}

const struct l2tp_call *l2tp_session_call(const struct l2tp_session *session)
{
	cr_assert_not(session->closed);
	return &session->call;
}

struct l2tp_tunnel *l2tp_session_tunnel(const struct l2tp_session *session)
{
	cr_assert_not(session->closed);
	return (struct l2tp_tunnel *)&w.l2tp;
}

void l2tp_session_set_user(struct l2tp_session *session, void *user)
{
	cr_assert_not(session->closed);
	session->user = user;
	session->key = ((struct subscriber *)user)->key;
}

void *l2tp_session_user(const struct l2tp_session *session)
{
	cr_assert_not(session->closed);
	return session->user;
}

void l2tp_session_accept(struct l2tp_session *session)
{
	cr_assert_not(session->closed);
	done("icrp");
}

void l2tp_session_close(struct l2tp_session *session, const struct l2tp_result *result)
{
	cr_assert_not(session->closed, "closed twice");
	session->closed = true;
	session->result = *result;
	if (session->down)
		done("closed");
	else if (result->error)
		done("cdn:%u/%u", result->code, result->error);
	else
		done("cdn:%u", result->code);
}

void l2tp_session_set_link_info(
	struct l2tp_session *session, uint32_t send_accm, uint32_t receive_accm)
{
	(void)send_accm;
	(void)receive_accm;
	cr_assert_not(session->closed);
	done("sli");
}

void l2tp_session_set_disconnect_cause(struct l2tp_session *session, uint16_t code,
	uint16_t protocol, uint8_t direction, const char *message)
{
	session->cause = code;
	session->cause_protocol = protocol;
	(void)direction;
	(void)message;
	cr_assert_not(session->closed);
}

const char *l2tp_result_text(
	enum l2tp_msg_type type, const struct l2tp_result *result, char *out, size_t size)
{
	(void)type;
	snprintf(out, size, "result %u", result->code);
	return out;
}
