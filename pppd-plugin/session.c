/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: makes a copy of the template an ordinary pppd of its own.
 *
 * At connect() there is no /dev/ppp, unit or script yet, but a copy shares what the template prepared:
 * the generator of random numbers (every copy would send the same challenges and magic numbers), the
 * pipe that signal handlers write to, the name, pending signals. All of it is renewed here. pppd's
 * database is closed in the template: nobody asks it, and it grows with the sessions.
 */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

extern struct tdb_context *pppdb;

#define CHALLENGE_LEN 16 /* as MS-CHAPv2 wants it; enough for MD5 */

static int signal_pipe[2] = { -1, -1 };

static void random_fill(void *buf, size_t len)
{
	while (getrandom(buf, len, 0) != (ssize_t)len)
		;
}

/* In place of pppd's own generators, which draw from a 48-bit linear congruential one. */
static void challenge_generate(unsigned char *challenge)
{
	challenge[0] = CHALLENGE_LEN;
	random_fill(challenge + 1, CHALLENGE_LEN);
}

static void challenge_replace(int code)
{
	struct chap_digest_type *digest = chap_find_digest(code);

	if (digest)
		digest->generate_challenge = challenge_generate;
}

/* pppd's pipe is static: its ends are two descriptors of one FIFO, both closed on exec. */
static int signal_pipe_find(void)
{
	struct stat st[2];

	for (int r = 3; r < 256; r++) {
		if (fstat(r, &st[0]) < 0 || !S_ISFIFO(st[0].st_mode) ||
			fcntl(r, F_GETFD) != FD_CLOEXEC ||
			(fcntl(r, F_GETFL) & O_ACCMODE) != O_RDONLY)
			continue;
		for (int w = 3; w < 256; w++) {
			if (w == r || fstat(w, &st[1]) < 0 || st[1].st_ino != st[0].st_ino ||
				st[1].st_dev != st[0].st_dev || fcntl(w, F_GETFD) != FD_CLOEXEC ||
				(fcntl(w, F_GETFL) & O_ACCMODE) != O_WRONLY)
				continue;
			signal_pipe[0] = r;
			signal_pipe[1] = w;
			return 0;
		}
	}
	return -ENOENT;
}

static int signal_pipe_renew(void)
{
	int ends[2];
	int err = 0;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		if (dup3(ends[i], signal_pipe[i], O_CLOEXEC) < 0)
			err = -errno;
		close(ends[i]);
	}
	return err;
}

static void random_renew(void)
{
	unsigned short seed48_words[3];
	unsigned int seed;

	random_fill(seed48_words, sizeof(seed48_words));
	seed48(seed48_words);
	random_fill(&seed, sizeof(seed));
	srandom(seed);
}

int lns_session_prepare(void)
{
	challenge_replace(CHAP_MD5);
	challenge_replace(CHAP_MICROSOFT_V2);
	if (pppdb) {
		tdb_close(pppdb);
		pppdb = NULL;
	}
	return signal_pipe_find();
}

int lns_session_begin(const struct ppp_fork *fork, const int fds[3])
{
	char text[16], name[sizeof(fork->name)];
	int err;

	memcpy(name, fork->name, sizeof(name));
	lns_session.id = fork->head.session;
	lns_session.pppox = fds[0];
	lns_session.channel = fds[1];
	lns_session.udp = fds[2];
	lns_session.ppp_number = fork->channel;
	lns_session.tunnel_local = fork->tunnel_local;
	lns_session.tunnel_peer = fork->tunnel_peer;
	lns_session.mtu = fork->mtu;
	lns_session.mru = fork->mru;
	lns_session.proxy_lcp = fork->proxy_lcp;
	memcpy(&lns_session.proxy, &fork->proxy, sizeof(fork->proxy));

	err = signal_pipe_renew();
	if (err)
		return err;
	random_renew();
	got_sighup = got_sigterm = 0;

	prctl(PR_SET_NAME, name);
	lns_set_devnam(name);
	lns_setenv("DEVICE", name);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	lns_setenv("PPPD_PID", text);

	lcp_wantoptions[0].mru = lns_session.mru;
	lcp_wantoptions[0].neg_mru = 1;
	lcp_allowoptions[0].mru = lns_session.mtu;
	return 0;
}
