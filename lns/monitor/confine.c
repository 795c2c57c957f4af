/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/confine: capabilities, user, mounts, Landlock of the monitor's children. See
 * monitor/confine.h.
 *
 * Order matters: dropping the bounding set and locking securebits need CAP_SETPCAP, so that goes last;
 * SECBIT_NO_SETUID_FIXUP keeps it across the change of user.
 */
#include "lns/monitor/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Leaves one capability, or none (-1), in the bounding set. */
static int confine_bound(long keep)
{
	for (long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (cap != keep && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	return 0;
}

static int confine_set_caps(uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = permitted, .permitted = permitted, .inheritable = inheritable },
	};

	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static int confine_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) < 0 ? -errno : 0;
}

static int confine_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int change_user(uid_t uid, gid_t gid, unsigned long securebits)
{
	if (prctl(PR_SET_SECUREBITS, securebits, 0, 0, 0) < 0)
		return -errno;
	if (setgroups(1, &gid) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

/* Changes the user, keeping only CAP_NET_ADMIN, as an ambient capability. */
static int confine_user(uid_t uid, gid_t gid)
{
	const uint32_t net_admin = 1U << CAP_NET_ADMIN, setpcap = 1U << CAP_SETPCAP;
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
				   SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED;
	const unsigned long no_raise =
		SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	int err = confine_bound(CAP_NET_ADMIN);

	err = err ? err : change_user(uid, gid, bits);
	if (err)
		return err;
	err = confine_set_caps(net_admin | setpcap, net_admin);
	if (err)
		return err;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) < 0)
		return -errno;
	if (prctl(PR_SET_SECUREBITS, bits | no_raise, 0, 0, 0) < 0)
		return -errno;
	return confine_set_caps(net_admin, net_admin);
}

/* Changes the user, which takes all capabilities, and leaves no way back to any. */
static int confine_powerless(uid_t uid, gid_t gid)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
				   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	int err = confine_bound(-1);

	err = err ? err : change_user(uid, gid, bits);
	return err ? err : confine_set_caps(0, 0);
}

int monitor_confine_hooks(uid_t uid, gid_t gid)
{
	int err = confine_no_core();

	if (!err)
		err = confine_powerless(uid, gid);
	return err ? err : confine_no_new_privs();
}

/* Landlock: rights to change files, as far as this kernel knows them. */
static uint64_t confine_write_rights(int abi)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
			  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
			  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
			  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
			  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

	if (abi >= 3)
		rights |= UINT64_C(1) << 14; /* LANDLOCK_ACCESS_FS_TRUNCATE, newer than Debian 12 */
	return rights;
}

static int confine_allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };
	int err = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		err = -errno;
	close(rule.parent_fd);
	return err;
}

/* Needs no_new_privs. A kernel without Landlock leaves it to the permissions of the files. */
static int confine_writes(const char *run_dir, const char *state_dir)
{
	int abi =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = { .handled_access_fs = confine_write_rights(abi) };
	uint64_t to_file = LANDLOCK_ACCESS_FS_WRITE_FILE;
	int ruleset, err;

	if (abi < 1)
		return 0;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return -errno;
	err = confine_allow(ruleset, run_dir, attr.handled_access_fs);
	if (!err)
		err = confine_allow(ruleset, state_dir, attr.handled_access_fs);
	if (!err)
		err = confine_allow(ruleset, "/dev/null", to_file);
	if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		err = -errno;
	close(ruleset);
	return err;
}

int monitor_confine_engine(uid_t uid, gid_t gid, const char *run_dir, const char *state_dir)
{
	int err = confine_no_core();

	if (!err)
		err = confine_user(uid, gid);
	if (!err)
		err = confine_no_new_privs();
	if (!err)
		err = confine_writes(run_dir, state_dir);
	return err;
}

static bool confine_is_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool empty = true;

	if (!dir)
		return errno == ENOENT;
	while (empty && (entry = readdir(dir)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	return empty;
}

/* Hides what is in path behind an empty, read-mostly directory. Nothing to hide is fine. */
static int confine_hide(const char *path)
{
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1m") <
			0 &&
		errno != ENOENT)
		return -errno;
	return 0;
}

/*
 * Hides what pppd is not to see or write. Where we may not mount (the unit for systemd does not let us),
 * that must have been done for all of us.
 */
static int confine_mounts(void)
{
	int err;

	if (unshare(CLONE_NEWNS) < 0)
		return errno == EPERM && confine_is_empty("/etc/ppp") ? 0 : -errno;
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -errno;
	err = confine_hide("/etc/ppp");
	return err ? err : confine_hide("/run");
}

int monitor_confine_template(void)
{
	int err = confine_mounts();

	if (!err)
		err = confine_no_core();
	if (!err)
		err = confine_bound(CAP_NET_ADMIN);
	if (!err)
		err = confine_no_new_privs();
	return err;
}
