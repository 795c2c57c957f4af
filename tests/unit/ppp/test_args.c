/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args: the words that a template pppd is told.
 */
#include "lns/config/config.h"
#include "lns/env.h"
#include "lns/ppp/ppp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct config_ppp base = { .auth = CONFIG_AUTH_CHAP | CONFIG_AUTH_PAP,
	.mtu = 1460,
	.mru = 1492,
	.lcp_echo_interval = 30,
	.lcp_echo_failure = 4,
	.ipv4 = true };

static struct config config = {
	.name = "lns1.example.net", .pppd = "/sbin/pppd", .plugin = "/lib/lns.so"
};
static char buf[1024];
static const char *argv[64];

/* All words in one line, blanks between. */
static const char *line(const struct config_ppp *ppp)
{
	static char text[1024];
	size_t used = 0;

	cr_assert_eq(ppp_template_argv(&config, ppp, 10, 11, buf, sizeof(buf), argv, 64), 0);
	for (int i = 0; argv[i]; i++)
		used += snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "", argv[i]);
	return text;
}

Test(args, the_whole_line)
{
	cr_assert_str_eq(line(&base),
		"/sbin/pppd nodetach nolog plugin /lib/lns.so lns-fork-fd 10 lns-report-fd 11 name "
		"lns1.example.net noccp novj "
		"noipdefault noendpoint lcp-max-terminate 1 refuse-pap refuse-chap refuse-mschap "
		"refuse-mschap-v2 refuse-eap require-chap require-pap mtu 1460 mru 1492 "
		"lcp-echo-interval 30 lcp-echo-failure 4 noipv6");
}

Test(args, what_the_configuration_changes)
{
	struct config_ppp ppp = base;

	ppp.auth = CONFIG_AUTH_EAP;
	cr_assert_not_null(strstr(line(&ppp), " refuse-eap require-eap mtu "));
	ppp.auth = CONFIG_AUTH_MSCHAP_V2;
	ppp.ipv6 = true;
	ppp.ipv4 = false;
	const char *text = line(&ppp);
	cr_assert_not_null(strstr(text, " require-mschap-v2 "));
	cr_assert_null(strstr(text, "require-chap"));
	cr_assert_null(strstr(text, "require-pap"));
	cr_assert_not_null(strstr(text, " noip +ipv6"));
}

/* pppd gives up after 30 s, which a longer setup-timeout must not be told in vain. */
Test(args, as_patient_as_setup_timeout)
{
	config.setup_timeout = ENV_SEC(60);
	cr_assert_null(strstr(line(&base), "max-configure"));
	config.setup_timeout = ENV_SEC(120);
	cr_assert_not_null(strstr(line(&base),
		" lcp-max-configure 20 chap-max-challenge 20 ipcp-max-configure 20 "
		"ipv6cp-max-configure 20 pap-timeout 60 "));
	config.setup_timeout = 0;
}

Test(args, nobody_gets_in_unasked)
{
	struct config_ppp ppp = base;

	ppp.auth = 0;
	cr_assert_eq(ppp_template_argv(&config, &ppp, 1, 2, buf, sizeof(buf), argv, 64), -EINVAL);
}

Test(args, too_little_room)
{
	int words = 0;
	size_t octets = 0;

	line(&base);
	for (; argv[words]; words++)
		octets += strlen(argv[words]) + 1;
	for (int max = 0; max <= words; max++)
		cr_assert_eq(ppp_template_argv(&config, &base, 10, 11, buf, sizeof(buf), argv, max),
			-E2BIG, "%d words", max);
	for (size_t size = 0; size < octets; size++)
		cr_assert_eq(ppp_template_argv(&config, &base, 10, 11, buf, size, argv, 64), -E2BIG,
			"%zu octets", size);
	cr_assert_eq(ppp_template_argv(&config, &base, 10, 11, buf, octets, argv, words + 1), 0);
}
