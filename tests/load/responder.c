// SPDX-License-Identifier: BSD-2-Clause
/* responder: see responder.h. Its cryptography is its own. */
#include "tests/load/responder.h"

#include "radius/packet.h"

#include <arpa/inet.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct {
	const char *secret;
	unsigned int loss;
} options;

static void respond(int fd, uint8_t *buf, ssize_t len, const struct sockaddr_in *from)
{
	size_t secret_len = strlen(options.secret);
	struct hmac_md5_ctx hmac;
	struct md5_ctx md5;
	size_t reply_len = 20;

	if (len < 20 || (unsigned int)rand() % 100 < options.loss)
		return;
	if (buf[0] == RADIUS_ACCOUNTING_REQUEST) {
		buf[0] = RADIUS_ACCOUNTING_RESPONSE;
	} else {
		buf[0] = RADIUS_ACCESS_ACCEPT;
		reply_len += 18;
		memcpy(buf + 20, "\120\22\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
	}
	buf[2] = 0;
	buf[3] = (uint8_t)reply_len;
	if (reply_len > 20) {
		hmac_md5_set_key(&hmac, secret_len, (const uint8_t *)options.secret);
		hmac_md5_update(&hmac, reply_len, buf);
		hmac_md5_digest(&hmac, 16, buf + 22);
	}
	md5_init(&md5);
	md5_update(&md5, reply_len, buf);
	md5_update(&md5, secret_len, (const uint8_t *)options.secret);
	md5_digest(&md5, 16, buf + 4);
	(void)!sendto(fd, buf, reply_len, 0, (const struct sockaddr *)from, sizeof(*from));
}

pid_t responder_start(const char *secret, unsigned int loss, unsigned int *ret_port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), space = 8 << 20;
	pid_t parent = getpid(), pid;

	options.secret = secret;
	options.loss = loss;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) ||
		getsockname(fd, (struct sockaddr *)&addr, &len)) {
		perror("responder");
		exit(2);
	}
	/* Room for everything in flight; beyond the system's limit for root only. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof(space));
	*ret_port = ntohs(addr.sin_port);
	pid = fork();
	if (pid) {
		close(fd);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	for (;;) {
		struct sockaddr_in from;
		uint8_t buf[4096];

		len = sizeof(from);
		respond(fd, buf, recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len),
			&from);
	}
}
