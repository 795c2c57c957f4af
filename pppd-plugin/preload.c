/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preload: two questions that pppd need not put to the kernel. The monitor starts pppd with lns.so
 * preloaded, so that pppd's calls of ioctl() come here first; without that pppd is only slower.
 *
 * PPPIOCGCHAN of the session's socket waits for a grace period of RCU each time, some 20 ms between the
 * call and the first LCP frame. The engine has asked already, and told the number.
 *
 * SIOCGIFCONF comes before IPCP sets the address (GetMask() in pppd's sys-linux.c): pppd goes through up
 * to 100 interfaces, with one more call for each, looking for a netmask that it then does not use. The
 * kernel walks all of them, holding rtnl. The other one who asks is proxy ARP: it gets the true answer.
 */
#include "plugin.h"

#include <linux/ppp-ioctl.h>
#include <net/if.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC visibility push(default)
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == PPPIOCGCHAN && fd >= 0 && fd == lns_session.pppox) {
		*(uint32_t *)arg = lns_session.ppp_number;
		return 0;
	}
	if (request == SIOCGIFCONF && !ipcp_wantoptions[0].proxy_arp) {
		((struct ifconf *)arg)->ifc_len = 0;
		return 0;
	}
	return syscall(SYS_ioctl, fd, request, arg);
}
#pragma GCC visibility pop
