// SPDX-License-Identifier: BSD-2-Clause
/*
 * A library that is loaded before libnl: the kernel's netlink interface of L2TP is not found, as in a kernel
 * without CONFIG_L2TP_V3. Programs link to no function of it by themselves.
 */
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <string.h>

int genl_ctrl_resolve(struct nl_sock *sock, const char *name)
{
	(void)sock;
	(void)name;
	return -NLE_OBJ_NOTFOUND;
}
