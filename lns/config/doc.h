/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config/doc: the texts of a configuration and what libconfuse found in them; private to
 * lns/config*.c.
 *
 * A doc owns its files, nodes (sections, the root first), items (one per value, untyped, in the
 * order of the text) and the errors collected so far. It is the step between the bundle and
 * struct config.
 */
#ifndef LNS_CONFIG_DOC_H
#define LNS_CONFIG_DOC_H

#include "lns/config/schema.h"

enum config_file_kind {
	CONFIG_FILE_TEXT = 1, /* the main text, then those it includes */
	CONFIG_FILE_DATA,     /* a secret or users file */
	CONFIG_FILE_TROUBLE,  /* data is the reason why there is none */
};

struct config_file {
	enum config_file_kind kind;
	bool exposed; /* everybody on the machine can read it */
	char *name;
	char *data; /* terminated; wiped when freed */
	size_t len;
};

struct config_node {
	enum config_section section;
	size_t parent; /* index of the node around this one; of the root: 0 */
	size_t file;
	int line;
	char *title;     /* "" without */
	const void *cfg; /* libconfuse's section, to recognise it while parsing */
	bool closed;
	uint64_t seen; /* config.c: options given, bit by place in the section's rows */
	void *data;    /* config.c: the struct that it fills */
};

struct config_item {
	const struct config_option *option;
	size_t node, file;
	int line;
	bool again;  /* begins a list a second time */
	char *value; /* wiped when freed */
};

struct config_error {
	size_t file;
	int line;
	bool warning;
	char *text;
};

struct config_doc {
	struct config_file *files;
	size_t file_count;
	struct config_node *nodes;
	size_t node_count;
	struct config_item *items;
	size_t item_count;
	struct config_error *errors;
	size_t error_count;
	bool incomplete; /* the reading of a text stopped early */
	bool no_memory;  /* something of the above is missing */
};

void config_doc_free(struct config_doc *doc);

/* Takes the files out of a bundle. 0, or -EBADMSG when it is none, or -errno. */
int config_doc_load(struct config_doc *doc, int bundle_fd);

/* Reads the texts: fills nodes and items, collects what is wrong with syntax and names. */
void config_doc_parse(struct config_doc *doc);

/* The secret or users file that item names, NULL when the bundle has none. */
const struct config_file *config_doc_file(
	const struct config_doc *doc, const struct config_item *item);

/* One more error, or warning, at a line of a file; at a value; at a section. line 0: the file. */
void config_doc_blame(struct config_doc *doc, size_t file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void config_doc_blame_item(struct config_doc *doc, const struct config_item *item,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
void config_doc_blame_node(struct config_doc *doc, const struct config_node *node,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
void config_doc_warn(struct config_doc *doc, size_t file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Hands all of them to report in the order of the text. The number of errors, without warnings. */
size_t config_doc_report(struct config_doc *doc, config_report_fn *report, void *ctx);

/* config/users.c: the users file that item names, into config. */
void config_users_read(
	struct config_doc *doc, const struct config_item *item, struct config *config);

/* config/check.c: what concerns several options, sections or files at once. */
void config_check(struct config_doc *doc, const struct config *config);

#endif
