/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/files: directories, sockets and files that the monitor, as root, makes or opens.
 *
 * The run and state directories belong to the engine's user, so nothing in them is trusted: no path
 * that ends in them is followed, changed in owner or changed in mode. The control socket gets its
 * owner and mode at the moment it is made.
 */
#include "lns/monitor/files.h"

#include "lns/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTROL_NAME    "control.sock"
#define CONTROL_BACKLOG 64

int monitor_files_identity(
	const char *option, const char *user, const char *group, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *pw = getpwnam(user);
	const struct group *gr;

	if (!pw) {
		log_error(
			"user '%s' does not exist: make it (useradd --system --user-group %s) or set "
			"the option `%s`",
			user, user, option);
		return -ENOENT;
	}
	if (pw->pw_uid == 0) {
		log_error("user '%s' is root: the option `%s` needs an unprivileged one", user,
			option);
		return -EPERM;
	}
	*ret_uid = pw->pw_uid;
	*ret_gid = pw->pw_gid;
	if (group[0] == '\0')
		return 0;
	gr = getgrnam(group);
	if (!gr) {
		log_error(
			"group '%s' does not exist: make it (groupadd --system %s) or set the option "
			"`group`",
			group, group);
		return -ENOENT;
	}
	*ret_gid = gr->gr_gid;
	return 0;
}

static bool files_directory_is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	unsigned int count = 0;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			count++;
	closedir(dir);
	return count == 0;
}

int monitor_files_directory(const char *path, uid_t uid, gid_t gid, int *ret_fd)
{
	struct stat st;
	int fd, err;

	if (mkdir(path, 0750) < 0 && errno != EEXIST) {
		err = -errno;
		log_error("cannot make directory %s: %s", path, strerror(-err));
		return err;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err = -errno;
		log_error("cannot open directory %s: %s", path, strerror(-err));
		goto fail;
	}
	/* A service manager's: root's own, and open to the engine's group. Nothing to change, or to need. */
	if (st.st_uid == 0 && st.st_gid == gid && (st.st_mode & 0777) == 0770) {
		*ret_fd = fd;
		return 0;
	}
	if (st.st_uid != uid && (st.st_uid != 0 || !files_directory_is_empty(fd))) {
		log_error(
			"directory %s is neither empty nor of the engine's user: choose another, or "
			"chown it",
			path);
		err = -EEXIST;
		goto fail;
	}
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, 0750) < 0) {
		err = -errno;
		log_error("cannot change owner and mode of %s: %s", path, strerror(-err));
		goto fail;
	}
	*ret_fd = fd;
	return 0;
fail:
	if (fd >= 0)
		close(fd);
	return err;
}

int monitor_files_lock(int dir_fd)
{
	return flock(dir_fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

/* Binds with group gid and mode 0660 from the first moment: the mode of the socket is that of its name. */
static int files_bind(int fd, const struct sockaddr_un *addr, gid_t gid)
{
	gid_t own = getegid();
	mode_t mask;
	int err = 0;

	if (fchmod(fd, 0660) < 0 || setegid(gid) < 0)
		return -errno;
	mask = umask(0117);
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		err = -errno;
	umask(mask);
	if (setegid(own) < 0 && !err)
		err = -errno;
	return err;
}

int monitor_files_control(const char *run_dir, int run_dir_fd, gid_t gid, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int len = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/" CONTROL_NAME, run_dir);
	int fd, err;

	if (len < 0 || (size_t)len >= sizeof(addr.sun_path)) {
		log_error("run directory %s: the path is too long for a socket", run_dir);
		return -ENAMETOOLONG;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		err = -errno;
	} else {
		monitor_files_control_remove(run_dir_fd);
		err = files_bind(fd, &addr, gid);
	}
	if (!err && listen(fd, CONTROL_BACKLOG) < 0)
		err = -errno;
	if (err) {
		log_error("cannot make %s: %s", addr.sun_path, strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

void monitor_files_control_remove(int run_dir_fd)
{
	unlinkat(run_dir_fd, CONTROL_NAME, 0);
}

int monitor_files_state(void)
{
	int fd = memfd_create("lnsd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}

int monitor_files_open(enum monitor_open what)
{
	static const char *const paths[MONITOR_OPEN_MAX] = {
		[MONITOR_OPEN_L2TP_DEBUGFS] = "/sys/kernel/debug/l2tp/tunnels",
	};
	int fd = open(paths[what], O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
