/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay_main: runs a fuzz target over every file of the directories (or single files) named on the
 * command line, in a fixed order, without libFuzzer.
 *
 * Linked with one tests/fuzz/fuzz_*.c and built with sanitizers, it is what `make check` replays
 * the committed corpus with. Fails when there was nothing to run; a finding aborts it and the name
 * of the file that was running is printed.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *volatile running = "";

/* Only there with sanitizers, whose reports do not end in SIGABRT. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void say_running(void)
{
	(void)!write(STDERR_FILENO, "replay: failed on ", 18);
	(void)!write(STDERR_FILENO, running, strlen(running));
	(void)!write(STDERR_FILENO, "\n", 1);
}

static void on_abort(int number)
{
	say_running();
	signal(number, SIG_DFL);
	raise(number);
}

/* Runs one file from a buffer of exactly its size. 0 or -errno. */
static int replay_file(const char *path)
{
	uint8_t *data = NULL;
	struct stat st;
	FILE *file;
	int err = 0;

	file = fopen(path, "rbe");
	if (!file)
		return -errno;
	if (fstat(fileno(file), &st) < 0) {
		err = -errno;
		goto out;
	}
	data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (!data) {
		err = -ENOMEM;
		goto out;
	}
	if (fread(data, 1, (size_t)st.st_size, file) != (size_t)st.st_size) {
		err = -EIO;
		goto out;
	}
	running = path;
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	running = "";
out:
	free(data);
	fclose(file);
	return err;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Runs the files of a directory by name. Their number, or -errno. */
static int replay_directory(const char *path)
{
	struct dirent **entries;
	char file[4096];
	int count, err = 0;

	count = scandir(path, &entries, not_hidden, alphasort);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		int len = snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);

		if (err == 0)
			err = (size_t)len < sizeof(file) ? replay_file(file) : -ENAMETOOLONG;
		free(entries[i]);
	}
	free(entries);
	return err < 0 ? err : count;
}

int main(int argc, char **argv)
{
	int total = 0;

	signal(SIGABRT, on_abort);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(say_running);
	for (int i = 1; i < argc; i++) {
		int count = replay_directory(argv[i]);

		if (count == -ENOTDIR) {
			count = replay_file(argv[i]);
			if (count == 0)
				count = 1;
		}
		if (count < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-count));
			return 1;
		}
		total += count;
	}
	printf("replayed %d files\n", total);
	return total > 0 ? 0 : 1;
}
