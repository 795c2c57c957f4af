/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/confine: what a child gives up between fork and exec. Called in the child only; each function
 * returns 0 or -errno, upon which the child must not go on.
 */
#ifndef LNS_MONITOR_CONFINE_H
#define LNS_MONITOR_CONFINE_H

#include <sys/types.h>

/*
 * The engine: user and group, no other groups; CAP_NET_ADMIN alone in every capability set, ambient
 * too; no way to more (no_new_privs, securebits locked); no core dumps. Writing to files is limited to
 * the two directories where the kernel has Landlock.
 */
int monitor_confine_engine(uid_t uid, gid_t gid, const char *run_dir, const char *state_dir);

/*
 * A pppd template: root by number (it owns /dev/ppp), but bounded to CAP_NET_ADMIN with no_new_privs; a
 * mount namespace of its own with nothing in /etc/ppp and /run; no core dumps.
 */
int monitor_confine_template(void);

/*
 * The hook process: user and group, no other groups; no capability at all and no way to any
 * (no_new_privs, securebits locked, empty bounding set); no core dumps. Its programs inherit that.
 */
int monitor_confine_hooks(uid_t uid, gid_t gid);

#endif
