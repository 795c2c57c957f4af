/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main: the command line of lnsd, and the entry of its other processes, which are this program again.
 *
 * Without -f the program goes into the background and returns once the engine serves, so that its exit
 * status says whether the start succeeded.
 */
#include "lns/config/config.h"
#include "lns/engine/engine.h"
#include "lns/hooks/hooks.h"
#include "lns/log.h"
#include "lns/monitor/monitor.h"
#include "lns/monitor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef LNSD_VERSION
#define LNSD_VERSION "0.1"
#endif
#define DEFAULT_CONFIG "/etc/lns/lns.conf"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: lnsd [-c FILE] [-f] [--check] [--run-dir DIR] [--state-dir DIR]\n"
	"An L2TP network server.\n"
	"\n"
	"  -c, --config FILE  read the configuration from FILE (" DEFAULT_CONFIG ")\n"
	"  -f, --foreground   stay in the foreground and log to stderr, or where log-to says\n"
	"      --check        check the configuration, print what is wrong with it, and exit\n"
	"      --run-dir DIR  directory of the control socket, instead of the option run-dir\n"
	"      --state-dir DIR\n"
	"                     directory of lasting state, instead of the option state-dir\n"
	"  -h, --help         print this help and exit\n"
	"  -V, --version      print the version and exit\n"
	"\n"
	"Signals: SIGHUP reloads the configuration, SIGTERM and SIGINT end all subscribers and stop;\n"
	"a second one hurries. See lnsd(8) and lns.conf(5).\n";

struct command {
	const char *config, *run_dir, *state_dir;
	int foreground, check;
};

/* -1: go on; otherwise the exit status. */
static int command_parse(int argc, char **argv, struct command *command)
{
	enum { OPT_CHECK = 256, OPT_RUN_DIR, OPT_STATE_DIR };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
		{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:fhV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			command->config = optarg;
			break;
		case 'f':
			command->foreground = 1;
			break;
		case OPT_CHECK:
			command->check = 1;
			break;
		case OPT_RUN_DIR:
			command->run_dir = optarg;
			break;
		case OPT_STATE_DIR:
			command->state_dir = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("lnsd " LNSD_VERSION);
			return EXIT_SUCCESS;
		default: /* getopt has said what is wrong */
			fputs("Try 'lnsd --help'.\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "lnsd: '%s' is no option\nTry 'lnsd --help'.\n", argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

/* Directories are used after a chdir("/"), so they must not be relative. */
static int command_check_directory(const char *name, const char *value)
{
	if (!value || value[0] == '/')
		return 0;
	fprintf(stderr, "lnsd: --%s needs an absolute path, not '%s'\n", name, value);
	return -1;
}

/* Shows title instead of the command line in process lists, as far as there is room for it. */
static void process_set_title(int argc, char **argv, const char *title)
{
	char *end = argv[argc - 1] + strlen(argv[argc - 1]);
	size_t room = (size_t)(end - argv[0]), len = strlen(title);

	prctl(PR_SET_NAME, title);
	memset(argv[0], 0, room);
	memcpy(argv[0], title, len < room ? len : room);
}

/* Secrets are in memory: no core dumps, no ptrace by the same user. */
static void process_protect(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

/* Makes sure that no socket of ours gets one of the standard descriptors. */
static int process_open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int engine_run(void)
{
	return engine_main(MONITOR_ENGINE_FD);
}

static int hooks_run(void)
{
	return hooks_main(MONITOR_CONFIG_FD, MONITOR_EVENT_FD);
}

/* `lnsd --engine TARGET`: what only the monitor starts so, with connections from descriptor 3 on. */
static const struct part {
	const char *option, *name, *title;
	int fds[2]; /* 0: none */
	int (*run)(void);
} parts[] = {
	{ MONITOR_ENGINE_OPTION, "engine", "lnsd: engine", { MONITOR_ENGINE_FD, 0 }, engine_run },
	{ MONITOR_HOOKS_OPTION, "hooks", "lnsd: hooks", { MONITOR_CONFIG_FD, MONITOR_EVENT_FD },
		hooks_run },
};

static const struct part *find_part(const char *option)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(parts[i].option, option) == 0)
			return &parts[i];
	return NULL;
}

static int main_part(int argc, char **argv, const struct part *part)
{
	int target = argc > 2 ? log_target_find(argv[2]) : -1;
	struct stat st;

	for (int i = 0; i < 2; i++) {
		int fd = part->fds[i];

		if (fd == 0)
			continue;
		if (target < 0 || fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode)) {
			fprintf(stderr, "lnsd: %s is for lnsd itself\n", part->option);
			return EXIT_USAGE;
		}
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	process_protect();
	process_set_title(argc, argv, part->title);
	log_open(part->name, (enum log_target)target);
	return part->run();
}

static void report_to_stderr(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

static int main_check(const struct command *command)
{
	struct config *config;
	int fd;

	if (monitor_load(command->config, report_to_stderr, NULL, &config, &fd) != 0)
		return EXIT_FAILURE;
	config_free(config);
	close(fd);
	puts("OK");
	return EXIT_SUCCESS;
}

/*
 * Goes into the background. The parent waits for the octet that says that the engine serves and exits;
 * the child gets the pipe to write it to, or -errno.
 */
static int main_detach(void)
{
	int pipe_fds[2], null;
	char started;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(pipe_fds[1]);
		if (read(pipe_fds[0], &started, 1) == 1)
			_exit(EXIT_SUCCESS);
		fputs("lnsd: could not start; the system log says why\n", stderr);
		_exit(EXIT_FAILURE);
	}
	close(pipe_fds[0]);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (setsid() < 0 || null < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	close(null);
	return pipe_fds[1];
}

static int main_monitor(int argc, char **argv, const struct command *command)
{
	struct monitor_options options = { .started_fd = -1 };
	char *path = realpath(command->config, NULL);
	struct config *config;
	int fd, status = EXIT_FAILURE;

	if (!path) {
		fprintf(stderr, "lnsd: %s: %s\n", command->config, strerror(errno));
		return EXIT_FAILURE;
	}
	process_protect();
	if (monitor_load(path, report_to_stderr, NULL, &config, &fd) != 0)
		goto out;
	if (!command->foreground) {
		options.started_fd = main_detach();
		if (options.started_fd < 0) {
			fprintf(stderr, "lnsd: cannot go into the background: %s\n",
				strerror(-options.started_fd));
			close(fd);
			config_free(config);
			goto out;
		}
	}
	options.config_path = path;
	/* The title takes the room of the arguments. */
	options.run_dir = command->run_dir ? strdup(command->run_dir) : NULL;
	options.state_dir = command->state_dir ? strdup(command->state_dir) : NULL;
	process_set_title(argc, argv, "lnsd: monitor");
	options.log_to = log_choose((enum log_target)config->log_to, command->foreground);
	log_open("monitor", options.log_to);
	status = chdir("/") < 0 ? EXIT_FAILURE : monitor_run(&options, config, fd);
	free((char *)options.run_dir);
	free((char *)options.state_dir);
out:
	free(path);
	return status;
}

int main(int argc, char **argv)
{
	struct command command = { .config = DEFAULT_CONFIG };
	const struct part *part;
	int status;

	if (process_open_standard() != 0)
		return EXIT_FAILURE;
	part = argc > 1 ? find_part(argv[1]) : NULL;
	if (part)
		return main_part(argc, argv, part);
	umask(077);
	status = command_parse(argc, argv, &command);
	if (status >= 0)
		return status;
	if (command_check_directory("run-dir", command.run_dir) != 0 ||
		command_check_directory("state-dir", command.state_dir) != 0)
		return EXIT_USAGE;
	if (command.check)
		return main_check(&command);
	if (geteuid() != 0) {
		fputs("lnsd: must be started by root (its engine drops all privileges but one)\n",
			stderr);
		return EXIT_FAILURE;
	}
	return main_monitor(argc, argv, &command);
}
