/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * l2tp: tunnels and sessions of the kernel.
 *
 * Tunnels are made and deleted by generic netlink. A kernel without L2TPv3 lacks that API: there a
 * PPPoL2TP socket with session id 0 makes the tunnel, which then ends with the last descriptor of its
 * UDP socket, and deleting and listing answer -EOPNOTSUPP.
 *
 * A session is a PPPoL2TP socket, because pppd needs one: the kernel session lives as long as that
 * socket, or until it is deleted by netlink. In both cases a tunnel deletion takes its sessions along.
 */
#include "lns/kernel/l2tp.h"

#include "lns/kernel/job.h"

#include <errno.h>
#include <linux/l2tp.h>
#include <netinet/in.h>

#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>
#include <netlink/genl/genl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_PPPOL2TP
#define SOL_PPPOL2TP 273
#endif

/* How often an id that is taken is tried again, and the time between, ns: 100 ms in all. */
#define CREATE_TRIES 50
#define CREATE_PAUSE 2000000

/* The tunnel's UDP socket, held for the time of a job: a descriptor or -errno. */
struct tunnel_job {
	struct kernel_job job;
	int udp;
	uint16_t tunnel_id, peer_tunnel_id;
};

struct session_job {
	struct kernel_job job;
	int udp;
	struct kernel_session session;
	kernel_opened_fn *opened;
	void *ctx;
	uint32_t channel;
};

static void held_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

struct nl_msg *kernel_l2tp_message(struct netlink *netlink, uint8_t command)
{
	struct nl_msg *message = nlmsg_alloc();

	if (message && !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, netlink->l2tp_family, 0, 0,
			       command, L2TP_GENL_VERSION)) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

int kernel_l2tp_delete(struct netlink *netlink, uint32_t tunnel_id, uint32_t session_id)
{
	struct nl_msg *message;
	int err = netlink_find_l2tp(netlink);

	if (err)
		return err;
	message = kernel_l2tp_message(
		netlink, session_id ? L2TP_CMD_SESSION_DELETE : L2TP_CMD_TUNNEL_DELETE);
	if (!message)
		return -ENOMEM;
	if (nla_put_u32(message, L2TP_ATTR_CONN_ID, tunnel_id) ||
		(session_id && nla_put_u32(message, L2TP_ATTR_SESSION_ID, session_id))) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	err = netlink_request(netlink->generic, message);
	return err == -ENODEV ? -ENOENT : err; /* what the kernel says of an unknown id */
}

/* Opens a PPPoL2TP socket and attaches it. The descriptor or -errno. */
static int pppol2tp_connect(int udp, const struct kernel_session *session)
{
	struct sockaddr_pppol2tp sa = {
		.sa_family = AF_PPPOX,
		.sa_protocol = PX_PROTO_OL2TP,
		.pppol2tp = { .fd = udp,
			.s_tunnel = session->tunnel_id,
			.d_tunnel = session->peer_tunnel_id,
			.s_session = session->session_id,
			.d_session = session->peer_session_id },
	};
	int fd, err;

	fd = socket(AF_PPPOX, SOCK_DGRAM | SOCK_CLOEXEC, PX_PROTO_OL2TP);
	if (fd < 0)
		return errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT ? -EOPNOTSUPP : -errno;
	/* The address family of the tunnel does not matter: the kernel finds it by id and descriptor. */
	do
		err = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
	while (err == -EINTR || err == -ERESTART);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int tunnel_create_netlink(struct netlink *netlink, const struct tunnel_job *tunnel)
{
	struct nl_msg *message = kernel_l2tp_message(netlink, L2TP_CMD_TUNNEL_CREATE);

	if (!message)
		return -ENOMEM;
	if (nla_put_u32(message, L2TP_ATTR_CONN_ID, tunnel->tunnel_id) ||
		nla_put_u32(message, L2TP_ATTR_PEER_CONN_ID, tunnel->peer_tunnel_id) ||
		nla_put_u8(message, L2TP_ATTR_PROTO_VERSION, 2) ||
		nla_put_u16(message, L2TP_ATTR_ENCAP_TYPE, L2TP_ENCAPTYPE_UDP) ||
		nla_put_u32(message, L2TP_ATTR_FD, (uint32_t)tunnel->udp)) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	return netlink_request(netlink->generic, message);
}

static int tunnel_create_once(void *ctx, struct netlink *netlink)
{
	const struct tunnel_job *tunnel = ctx;
	struct kernel_session none = { .tunnel_id = tunnel->tunnel_id,
		.peer_tunnel_id = tunnel->peer_tunnel_id };
	int fd;

	if (!netlink_find_l2tp(netlink))
		return tunnel_create_netlink(netlink, tunnel);
	fd = pppol2tp_connect(tunnel->udp, &none);
	if (fd < 0)
		return fd;
	close(fd); /* the tunnel lives with the UDP socket */
	return 0;
}

int kernel_l2tp_create(kernel_l2tp_create_fn *create, void *ctx, struct netlink *netlink)
{
	struct timespec pause = { .tv_nsec = CREATE_PAUSE };
	int err = create(ctx, netlink), tries;

	for (tries = 0; err == -EEXIST && tries < CREATE_TRIES; tries++) {
		nanosleep(&pause, NULL);
		err = create(ctx, netlink);
	}
	return err;
}

static int tunnel_create_run(struct kernel_job *job, struct netlink *netlink)
{
	struct tunnel_job *tunnel = (struct tunnel_job *)job;

	return tunnel->udp < 0 ? tunnel->udp
			       : kernel_l2tp_create(tunnel_create_once, tunnel, netlink);
}

/* Without netlink it lives on until the UDP socket is closed, which who cancels does anyway. */
static void tunnel_create_undo(struct kernel_job *job, struct netlink *netlink)
{
	kernel_l2tp_delete(netlink, ((struct tunnel_job *)job)->tunnel_id, 0);
}

static void tunnel_release(struct kernel_job *job)
{
	held_close(&((struct tunnel_job *)job)->udp);
}

static const struct kernel_job_type tunnel_create_type = {
	.size = sizeof(struct tunnel_job),
	.run = tunnel_create_run,
	.undo = tunnel_create_undo,
	.release = tunnel_release,
};

struct kernel_job *kernel_tunnel_create(struct kernel *kernel, int fd, uint16_t tunnel_id,
	uint16_t peer_tunnel_id, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &tunnel_create_type, done, ctx);
	struct tunnel_job *tunnel = (struct tunnel_job *)job;

	if (!job)
		return NULL;
	kernel_job_hold(fd, &tunnel->udp);
	tunnel->tunnel_id = tunnel_id;
	tunnel->peer_tunnel_id = peer_tunnel_id;
	kernel_job_submit(job);
	return job;
}

static int tunnel_delete_run(struct kernel_job *job, struct netlink *netlink)
{
	return kernel_l2tp_delete(netlink, ((struct tunnel_job *)job)->tunnel_id, 0);
}

static const struct kernel_job_type tunnel_delete_type = {
	.size = sizeof(struct tunnel_job),
	.run = tunnel_delete_run,
};

struct kernel_job *kernel_tunnel_delete(
	struct kernel *kernel, uint16_t tunnel_id, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &tunnel_delete_type, done, ctx);

	if (!job)
		return NULL;
	((struct tunnel_job *)job)->tunnel_id = tunnel_id;
	kernel_job_submit(job);
	return job;
}

static int option_set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PPPOL2TP, option, &value, sizeof(value)) ? -errno : 0;
}

static int session_options(int fd, const struct kernel_session *session)
{
	int err = option_set(fd, PPPOL2TP_SO_LNSMODE, 1);

	if (!err && session->reorder_timeout)
		err = option_set(fd, PPPOL2TP_SO_REORDERTO, (int)session->reorder_timeout);
	return err;
}

int kernel_session_sequence(int fd)
{
	int err = option_set(fd, PPPOL2TP_SO_SENDSEQ, 1);

	return err ? err : option_set(fd, PPPOL2TP_SO_RECVSEQ, 1);
}

static int session_open_run(struct kernel_job *job, struct netlink *netlink)
{
	struct session_job *open = (struct session_job *)job;
	int fd, err;

	(void)netlink;
	if (open->udp < 0)
		return open->udp;
	fd = pppol2tp_connect(open->udp, &open->session);
	if (fd < 0)
		return fd;
	err = session_options(fd, &open->session);
	if (err) {
		close(fd);
		return err;
	}
	job->fd = fd;
	return 0;
}

static int session_open_grace(struct kernel_job *job)
{
	struct session_job *open = (struct session_job *)job;
	int err = ioctl(job->fd, PPPIOCGCHAN, &open->channel) ? -errno : 0;

	if (err)
		held_close(&job->fd);
	return err;
}

static void session_opened(void *ctx, int err, int fd)
{
	struct session_job *open = ctx;

	open->opened(open->ctx, err, fd, open->channel);
}

static void session_open_undo(struct kernel_job *job, struct netlink *netlink)
{
	(void)netlink;
	kernel_close(job->kernel, job->fd);
}

static void session_release(struct kernel_job *job)
{
	held_close(&((struct session_job *)job)->udp);
}

static const struct kernel_job_type session_open_type = {
	.size = sizeof(struct session_job),
	.run = session_open_run,
	.grace = session_open_grace,
	.undo = session_open_undo,
	.release = session_release,
};

struct kernel_job *kernel_session_open(struct kernel *kernel, int fd,
	const struct kernel_session *session, kernel_opened_fn *opened, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &session_open_type, session_opened, NULL);
	struct session_job *open = (struct session_job *)job;

	if (!job)
		return NULL;
	job->ctx = job;
	kernel_job_hold(fd, &open->udp);
	open->session = *session;
	open->opened = opened;
	open->ctx = ctx;
	kernel_job_submit(job);
	return job;
}

static int session_delete_run(struct kernel_job *job, struct netlink *netlink)
{
	const struct kernel_session *session = &((struct session_job *)job)->session;

	return session->session_id
		       ? kernel_l2tp_delete(netlink, session->tunnel_id, session->session_id)
		       : -EINVAL;
}

static const struct kernel_job_type session_delete_type = {
	.size = sizeof(struct session_job),
	.run = session_delete_run,
};

struct kernel_job *kernel_session_delete(struct kernel *kernel, uint16_t tunnel_id,
	uint16_t session_id, kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = kernel_job_new(kernel, &session_delete_type, done, ctx);

	if (!job)
		return NULL;
	((struct session_job *)job)->session.tunnel_id = tunnel_id;
	((struct session_job *)job)->session.session_id = session_id;
	kernel_job_submit(job);
	return job;
}
