/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/files: what the monitor makes in the file system for the engine, and what it opens for it.
 */
#ifndef LNS_MONITOR_FILES_H
#define LNS_MONITOR_FILES_H

#include "lns/monitor/proto.h"

#include <sys/types.h>

/*
 * Looks up the user that an option names, who must not be root, and a group ("" = the user's own). 0, or
 * -errno after logging why.
 */
int monitor_files_identity(
	const char *option, const char *user, const char *group, uid_t *ret_uid, gid_t *ret_gid);

/*
 * Makes the directory path (mode 0750) and gives it to uid and gid. An existing one must be theirs
 * already, or root's and empty, or root's with their group and mode 0770 (then it stays so). 0 and *ret_fd, the open directory, or -errno after logging why.
 */
int monitor_files_directory(const char *path, uid_t uid, gid_t gid, int *ret_fd);

/* Locks an open directory for this process. 0, -EWOULDBLOCK when another one has it, or -errno. */
int monitor_files_lock(int dir_fd);

/*
 * The listening control socket run_dir/control.sock, root:gid 0660. 0 and *ret_fd, or -errno after
 * logging why. monitor_files_control_remove takes it away again.
 */
int monitor_files_control(const char *run_dir, int run_dir_fd, gid_t gid, int *ret_fd);
void monitor_files_control_remove(int run_dir_fd);

/* The state memory: an empty memfd that may be sealed. The descriptor, or -errno. */
int monitor_files_state(void);

/* Opens what the engine may not. The descriptor, or -errno. */
int monitor_files_open(enum monitor_open what);

#endif
