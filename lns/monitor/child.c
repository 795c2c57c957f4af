/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/child: system calls around children. See monitor/child.h.
 *
 * Session pppds are made by clone with CLONE_PARENT and need not send SIGCHLD: every wait says __WALL.
 */
#include "lns/monitor/child.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int monitor_child_open(pid_t pid)
{
	siginfo_t info = { 0 };
	int fd;

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
		return -errno;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

int monitor_child_signal(int pidfd, int signal)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 && errno != ESRCH)
		return -errno;
	return 0;
}

bool monitor_child_reap(pid_t pid, int *ret_status, struct rusage *ret_usage)
{
	return wait4(pid, ret_status, WNOHANG | __WALL, ret_usage) == pid;
}

const char *monitor_child_text(int status, char text[MONITOR_CHILD_TEXT])
{
	if (WIFSIGNALED(status))
		snprintf(text, MONITOR_CHILD_TEXT, "signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(text, MONITOR_CHILD_TEXT, "exit status %d", WEXITSTATUS(status));
	return text;
}

struct pid_list {
	pid_t *pids;
	size_t count, room;
};

static int pid_list_add(struct pid_list *list, pid_t pid)
{
	if (list->count == list->room) {
		pid_t *more = reallocarray(list->pids, list->room + 256, sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->pids = more;
		list->room += 256;
	}
	list->pids[list->count++] = pid;
	return 0;
}

/* The kernel's own list of our children, where it is configured in. */
static int child_list_own(struct pid_list *list)
{
	char path[64];
	FILE *file;
	int pid, err = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (!err && fscanf(file, "%d", &pid) == 1)
		err = pid_list_add(list, pid);
	fclose(file);
	return err;
}

/* The parent of pid, or -1. The name in parentheses may hold anything, so it is skipped from its end. */
static pid_t child_parent(pid_t pid)
{
	char path[64], text[512], *end;
	FILE *file;
	size_t len;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

/* The same from all processes there are. */
static int child_list_all(struct pid_list *list)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && child_parent(pid) == getpid())
			err = pid_list_add(list, pid);
	}
	closedir(dir);
	return err;
}

int monitor_child_list(pid_t **ret_pids, size_t *ret_count)
{
	struct pid_list list = { 0 };
	int err = child_list_own(&list);

	if (err == -ENOENT)
		err = child_list_all(&list);
	if (err) {
		free(list.pids);
		return err;
	}
	*ret_pids = list.pids;
	*ret_count = list.count;
	return 0;
}
