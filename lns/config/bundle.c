/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config/bundle: the files of a configuration, gathered by one who may read them, in one sealed
 * memfd.
 *
 * The monitor (root) gathers, monitor and engine read: both see the same octets, and the engine
 * needs no right to any file. A secret or users file that cannot be taken, or may not because of
 * its owner or mode, goes into the bundle as the reason why; config_parse reports it where the
 * file is named, together with everything else that is wrong.
 *
 * A bundle is BUNDLE_MAGIC and records {struct record, name, data}, host byte order.
 */
#include "lns/config/doc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_MAGIC "lnsconf1"
#define BUNDLE_MAX   (64u << 20)
#define FILE_MAX     (16u << 20)
#define FILES_MAX    4096

struct record {
	uint32_t kind, exposed, name_len, data_len;
};

/* Takes over data (malloc'd, terminated), also on failure. */
static int add_file(struct config_doc *doc, enum config_file_kind kind, bool exposed,
	const char *name, char *data, size_t len)
{
	struct config_file *files = NULL;
	char *copy = strdup(name);

	if (doc->file_count < FILES_MAX)
		files = reallocarray(doc->files, doc->file_count + 1, sizeof(*files));
	if (files)
		doc->files = files;
	if (!files || !copy || !data) {
		if (data)
			explicit_bzero(data, len);
		free(data);
		free(copy);
		return doc->file_count < FILES_MAX ? -ENOMEM : -E2BIG;
	}
	files[doc->file_count++] = (struct config_file){ kind, exposed, copy, data, len };
	return 0;
}

static int read_all(int fd, char *data, size_t len)
{
	ssize_t got;

	for (size_t at = 0; at < len; at += got) {
		got = pread(fd, data + at, len - at, at);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			return got ? -errno : -EIO;
	}
	return 0;
}

/* Says why a file with these properties may not be used, or returns false. */
static bool refuse(const struct stat *st, const char *path, bool secret, char *reason, size_t size)
{
	if (!S_ISREG(st->st_mode))
		snprintf(reason, size, "is not a regular file");
	else if (st->st_size > (off_t)FILE_MAX)
		snprintf(reason, size, "is too large");
	else if (secret && st->st_uid != 0 && st->st_uid != geteuid())
		snprintf(
			reason, size, "belongs to user %u; run: chown root '%s'", st->st_uid, path);
	else if (secret && (st->st_mode & 077))
		snprintf(reason, size, "is open to others (mode %04o); run: chmod 600 '%s'",
			st->st_mode & 07777, path);
	else if (st->st_mode & S_IWOTH)
		snprintf(reason, size, "can be written by everybody; run: chmod o-w '%s'", path);
	else
		return false;
	return true;
}

/* A copy of len octets with a NUL behind them; NULL when memory is short. */
static char *copy_data(const void *data, size_t len)
{
	char *copy = calloc(1, len + 1);

	if (copy && len)
		memcpy(copy, data, len);
	return copy;
}

/* Where texts come from: count texts in memory, or the file system when texts is NULL. */
struct source {
	const struct config_text *texts;
	size_t count;
};

/* Adds the reason why a file is not there. */
static int add_trouble(struct config_doc *doc, const char *path, const char *reason)
{
	return add_file(doc, CONFIG_FILE_TROUBLE, false, path, strdup(reason), strlen(reason));
}

static int gather_text(const struct source *source, struct config_doc *doc,
	enum config_file_kind kind, const char *path)
{
	for (size_t i = 0; i < source->count; i++) {
		const struct config_text *text = &source->texts[i];

		if (!strcmp(text->name, path))
			return add_file(doc, kind, false, path, copy_data(text->data, text->len),
				text->len);
	}
	return add_trouble(doc, path, strerror(ENOENT));
}

static int gather_file(struct config_doc *doc, enum config_file_kind kind, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error;
	char reason[512] = "";
	char *data = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(reason, sizeof(reason), "%s", strerror(errno));
	} else if (!refuse(&st, path, kind == CONFIG_FILE_DATA, reason, sizeof(reason))) {
		data = calloc(1, st.st_size + 1);
		error = data ? read_all(fd, data, st.st_size) : -ENOMEM;
		if (error)
			snprintf(reason, sizeof(reason), "%s", strerror(-error));
	}
	if (fd >= 0)
		close(fd);
	if (!*reason)
		return add_file(doc, kind, st.st_mode & S_IROTH, path, data, st.st_size);
	free(data);
	return add_trouble(doc, path, reason);
}

/*
 * Adds one file of the configuration to doc; one that cannot be used as trouble. 0 or -errno for
 * what is wrong with this process, not with the file.
 */
static int gather(const struct source *source, struct config_doc *doc, enum config_file_kind kind,
	const char *path)
{
	return source->texts ? gather_text(source, doc, kind, path) : gather_file(doc, kind, path);
}

/* The path that a value means: relative ones start where the file stands that has it. NULL: memory. */
static char *resolve(const struct config_doc *doc, const struct config_item *item)
{
	const char *from = doc->files[item->file].name, *slash = strrchr(from, '/');
	char *path;

	if (*item->value == '/' || !slash)
		return strdup(item->value);
	return asprintf(&path, "%.*s/%s", (int)(slash - from), from, item->value) < 0 ? NULL : path;
}

static const struct config_file *find_file(const struct config_doc *doc, const char *name)
{
	for (size_t i = 0; i < doc->file_count; i++)
		if (!strcmp(doc->files[i].name, name))
			return &doc->files[i];
	return NULL;
}

const struct config_file *config_doc_file(
	const struct config_doc *doc, const struct config_item *item)
{
	char *name = resolve(doc, item);
	const struct config_file *file = name ? find_file(doc, name) : NULL;

	free(name);
	return file;
}

static bool is_include(const struct config_item *item)
{
	return !strcmp(item->option->name, "include");
}

/*
 * Adds to doc the files that its texts name: those included, or the others. Reading blanks comments
 * and mistakes out, so it happens on a copy: the bundle gets the texts as they are.
 */
static int gather_named(const struct source *source, struct config_doc *doc, bool includes)
{
	struct config_doc names = { 0 };
	int error = 0;

	for (size_t i = 0; i < doc->file_count && !error; i++) {
		const struct config_file *file = &doc->files[i];

		error = add_file(&names, file->kind, false, file->name,
			copy_data(file->data, file->len), file->len);
	}
	if (!error) {
		config_doc_parse(&names);
		error = names.no_memory ? -ENOMEM : 0;
	}
	for (size_t i = 0; i < names.item_count && !error; i++) {
		const struct config_item *item = &names.items[i];
		char *path;

		if (item->option->type != CONFIG_FILE || is_include(item) != includes)
			continue;
		path = resolve(&names, item);
		if (!path)
			error = -ENOMEM;
		else if (!find_file(doc, path))
			error = gather(
				source, doc, includes ? CONFIG_FILE_TEXT : CONFIG_FILE_DATA, path);
		free(path);
	}
	config_doc_free(&names);
	return error;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *from = data;
	ssize_t put;

	for (; len; from += put, len -= put) {
		put = write(fd, from, len);
		if (put < 0 && errno == EINTR)
			put = 0;
		else if (put <= 0)
			return put ? -errno : -EIO;
	}
	return 0;
}

static int write_bundle(const struct config_doc *doc, int *ret_fd)
{
	int fd = memfd_create("lns.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING), error;

	if (fd < 0)
		return -errno;
	error = write_all(fd, BUNDLE_MAGIC, strlen(BUNDLE_MAGIC));
	for (size_t i = 0; i < doc->file_count && !error; i++) {
		const struct config_file *file = &doc->files[i];
		struct record record = { file->kind, file->exposed, strlen(file->name), file->len };

		error = write_all(fd, &record, sizeof(record));
		if (!error)
			error = write_all(fd, file->name, record.name_len);
		if (!error)
			error = write_all(fd, file->data, record.data_len);
	}
	if (!error &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		error = -errno;
	if (error) {
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

/* Everything that the main text needs, from source, into a bundle. */
static int bundle(const struct source *source, const char *path, config_report_fn *report,
	void *ctx, int *ret_fd)
{
	struct config_doc doc = { 0 };
	const char *reason = NULL;
	char line[1024];
	int error = gather(source, &doc, CONFIG_FILE_TEXT, path);

	if (!error && doc.files[0].kind == CONFIG_FILE_TROUBLE) {
		reason = doc.files[0].data;
		error = -EACCES;
	}
	if (!error)
		error = gather_named(source, &doc, true);
	if (!error)
		error = gather_named(source, &doc, false);
	if (!error)
		error = write_bundle(&doc, ret_fd);
	if (error && report) {
		snprintf(line, sizeof(line), "%s: %s", path, reason ? reason : strerror(-error));
		report(ctx, line);
	}
	config_doc_free(&doc);
	return error;
}

int config_bundle(const char *path, config_report_fn *report, void *ctx, int *ret_fd)
{
	return bundle(&(struct source){ 0 }, path, report, ctx, ret_fd);
}

int config_bundle_memory(const struct config_text *texts, size_t count, int *ret_fd)
{
	return bundle(&(struct source){ texts, count }, texts[0].name, NULL, NULL, ret_fd);
}

/* One record at *at into doc. */
static int load_record(struct config_doc *doc, const char **at, const char *end)
{
	struct record record;
	char *name;
	int error;

	if ((size_t)(end - *at) < sizeof(record))
		return -EBADMSG;
	memcpy(&record, *at, sizeof(record));
	*at += sizeof(record);
	if (record.kind < CONFIG_FILE_TEXT || record.kind > CONFIG_FILE_TROUBLE ||
		record.name_len > (size_t)(end - *at) ||
		record.data_len > (size_t)(end - *at) - record.name_len)
		return -EBADMSG;
	name = strndup(*at, record.name_len);
	if (!name)
		return -ENOMEM;
	*at += record.name_len;
	error = add_file(doc, record.kind, record.exposed, name, copy_data(*at, record.data_len),
		record.data_len);
	*at += record.data_len;
	free(name);
	return error;
}

int config_doc_load(struct config_doc *doc, int bundle_fd)
{
	const size_t magic_len = strlen(BUNDLE_MAGIC);
	const char *at, *end;
	char *octets = NULL;
	struct stat st;
	int error;

	if (fstat(bundle_fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)magic_len || st.st_size > (off_t)BUNDLE_MAX)
		return -EBADMSG;
	octets = malloc(st.st_size);
	if (!octets)
		return -ENOMEM;
	end = octets + st.st_size;
	error = read_all(bundle_fd, octets, st.st_size);
	if (!error && memcmp(octets, BUNDLE_MAGIC, magic_len))
		error = -EBADMSG;
	for (at = octets + magic_len; !error && at < end;)
		error = load_record(doc, &at, end);
	if (!error && (!doc->file_count || doc->files[0].kind != CONFIG_FILE_TEXT))
		error = -EBADMSG;
	explicit_bzero(octets, st.st_size);
	free(octets);
	return error;
}
