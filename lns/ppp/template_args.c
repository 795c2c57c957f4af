/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template_args: the command line of a template pppd.
 *
 * The only place where pppd is told anything in words. The monitor calls it with what it read from the
 * configuration itself; nothing the engine or a peer said gets in here.
 */
#include "lns/ppp/ppp.h"

#include "lns/config/config.h"
#include "lns/env.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RESTART_INTERVAL ENV_SEC(3) /* pppd's */
#define LEAST_TIMES      10

struct args {
	char *buf;
	size_t size, used;
	const char **argv;
	size_t max, count;
	int err;
};

/* Adds one word; the first error sticks. */
__attribute__((format(printf, 2, 3))) static void args_add(
	struct args *args, const char *format, ...)
{
	va_list list;
	int len;

	if (args->err)
		return;
	va_start(list, format);
	len = vsnprintf(args->buf + args->used, args->size - args->used, format, list);
	va_end(list);
	if (len < 0 || (size_t)len >= args->size - args->used || args->count + 1 >= args->max) {
		args->err = -E2BIG;
		return;
	}
	args->argv[args->count++] = args->buf + args->used;
	args->used += len + 1;
}

static void args_add_words(struct args *args, const char *const *words)
{
	for (; *words; words++)
		args_add(args, "%s", *words);
}

/*
 * What every session needs. nolog comes before the plugin, whose loading pppd would announce; noipdefault
 * keeps pppd from looking up the name of this host. The refusals are for a client that wants us to
 * authenticate.
 */
static const char *const first[] = { "nodetach", "nolog", NULL };
static const char *const common[] = { "noccp", "novj", "noipdefault", "noendpoint",
	"lcp-max-terminate", "1", "refuse-pap", "refuse-chap", "refuse-mschap", "refuse-mschap-v2",
	"refuse-eap", NULL };

/*
 * How often pppd repeats what is not answered: for half of the setup-timeout, since a link needs LCP,
 * authentication and the NCPs, but never less than it would by itself (10 times, every 3 s).
 */
static void args_add_patience(struct args *args, uint64_t setup_timeout)
{
	static const char *const counts[] = { "lcp-max-configure", "chap-max-challenge",
		"ipcp-max-configure", "ipv6cp-max-configure" };
	unsigned int times = (unsigned int)(setup_timeout / 2 / RESTART_INTERVAL);

	if (times <= LEAST_TIMES)
		return;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		args_add(args, "%s", counts[i]);
		args_add(args, "%u", times);
	}
	args_add(args, "pap-timeout");
	args_add(args, "%u", (unsigned int)(times * RESTART_INTERVAL / ENV_SEC(1)));
}

int ppp_template_argv(const struct config *config, const struct config_ppp *ppp, int fork_fd,
	int report_fd, char *buf, size_t size, const char **argv, size_t max)
{
	struct args args = { .buf = buf, .size = size, .argv = argv, .max = max };

	args_add(&args, "%s", config->pppd);
	args_add_words(&args, first);
	args_add(&args, "plugin");
	args_add(&args, "%s", config->plugin);
	args_add(&args, "lns-fork-fd");
	args_add(&args, "%d", fork_fd);
	args_add(&args, "lns-report-fd");
	args_add(&args, "%d", report_fd);
	args_add(&args, "name"); /* in CHAP challenges */
	args_add(&args, "%s", config->name);
	args_add_words(&args, common);
	if (ppp->auth & CONFIG_AUTH_EAP)
		args_add(&args, "require-eap");
	if (ppp->auth & CONFIG_AUTH_CHAP)
		args_add(&args, "require-chap");
	if (ppp->auth & CONFIG_AUTH_MSCHAP_V2)
		args_add(&args, "require-mschap-v2");
	if (ppp->auth & CONFIG_AUTH_PAP)
		args_add(&args, "require-pap");
	args_add(&args, "mtu");
	args_add(&args, "%u", ppp->mtu);
	args_add(&args, "mru");
	args_add(&args, "%u", ppp->mru);
	args_add(&args, "lcp-echo-interval");
	args_add(&args, "%u", ppp->lcp_echo_interval);
	args_add(&args, "lcp-echo-failure");
	args_add(&args, "%u", ppp->lcp_echo_failure);
	args_add_patience(&args, config->setup_timeout);
	if (!ppp->ipv4)
		args_add(&args, "noip");
	args_add(&args, ppp->ipv6 ? "+ipv6" : "noipv6");
	if (args.err)
		return args.err;
	if (!(ppp->auth & CONFIG_AUTH_ANY))
		return -EINVAL;
	argv[args.count] = NULL;
	return 0;
}
