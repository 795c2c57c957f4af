/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config/doc: from texts to sections and values with libconfuse, without giving up at the first
 * error.
 *
 * libconfuse knows the grammar; values are strings to it, typed later by the schema. Around it:
 *
 *   - Its lexer miscounts lines in comments, expands ${VAR} (and the engine's environment is not
 *     the monitor's), takes an unterminated string for the end of the file and recurses without
 *     limit. So each text is looked over first; comments become blanks.
 *   - It stops at an unknown option and at a repeated title. Both are reported and the statement
 *     is blanked out, then everything is read again, so that the rest is checked too. Other
 *     mistakes of syntax end the reading of that text.
 *   - A value is taken out of its tree the moment it is there, with file and line; secrets do not
 *     stay in it.
 *
 * libconfuse's lexer and callbacks have no context but global variables; so there is one here.
 */
#include "lns/config/doc.h"

#include "lns/log.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8
#define BLANK_MAX 200 /* unknown options and repeated titles that are looked past */

/* The reading in progress. */
static struct {
	struct config_doc *doc;
	size_t file;
	cfg_t *root;
	bool again;  /* something was blanked out: read once more */
	bool failed; /* an error was reported: this text ends here */
	unsigned int blanks;
} reading;

/* ---- errors ---- */

static void add_error(struct config_doc *doc, size_t file, int line, bool warning,
	const char *where, const char *what)
{
	struct config_error *errors =
		reallocarray(doc->errors, doc->error_count + 1, sizeof(*doc->errors));
	char *text = NULL;

	if (errors)
		doc->errors = errors;
	if (!errors ||
		(line ? asprintf(&text, "%s:%d: %s%s", doc->files[file].name, line, where, what)
		      : asprintf(&text, "%s: %s%s", doc->files[file].name, where, what)) < 0) {
		doc->no_memory = true;
		return;
	}
	errors[doc->error_count++] = (struct config_error){ file, line, warning, text };
}

void config_doc_blame(struct config_doc *doc, size_t file, int line, const char *format, ...)
{
	char what[600];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	add_error(doc, file, line, false, "", what);
}

void config_doc_warn(struct config_doc *doc, size_t file, const char *format, ...)
{
	char what[600];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	add_error(doc, file, 0, true, "warning: ", what);
}

/* `radius: server "192.0.2.1": ` into out. */
static void node_path(
	const struct config_doc *doc, const struct config_node *node, char *out, size_t size)
{
	char title[160];
	size_t len;

	*out = '\0';
	if (node->section == CONFIG_ROOT)
		return;
	node_path(doc, &doc->nodes[node->parent], out, size);
	len = strlen(out);
	log_printable(title, sizeof(title), node->title, strlen(node->title));
	snprintf(out + len, size - len,
		*title ? "%s \"%s\": " : "%s: ", config_sections[node->section].name, title);
}

void config_doc_blame_node(
	struct config_doc *doc, const struct config_node *node, const char *format, ...)
{
	char where[400], what[600];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	node_path(doc, node, where, sizeof(where));
	add_error(
		doc, node->file, node->section == CONFIG_ROOT ? 0 : node->line, false, where, what);
}

void config_doc_blame_item(
	struct config_doc *doc, const struct config_item *item, const char *format, ...)
{
	char where[400], what[600];
	va_list ap;
	size_t len;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	node_path(doc, &doc->nodes[item->node], where, sizeof(where));
	len = strlen(where);
	snprintf(where + len, sizeof(where) - len, "%s: ", item->option->name);
	add_error(doc, item->file, item->line, false, where, what);
}

static int compare_errors(const void *a, const void *b)
{
	const struct config_error *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->line != y->line ? (x->line < y->line ? -1 : 1) : strcmp(x->text, y->text);
}

size_t config_doc_report(struct config_doc *doc, config_report_fn *report, void *ctx)
{
	size_t count = 0;

	if (doc->error_count)
		qsort(doc->errors, doc->error_count, sizeof(*doc->errors), compare_errors);
	for (size_t i = 0; i < doc->error_count; i++) {
		count += !doc->errors[i].warning;
		report(ctx, doc->errors[i].text);
	}
	return count;
}

/* ---- the look over a text before libconfuse gets it ---- */

enum token_type {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_PUNCTUATION, /* also += */
	TOKEN_COMMENT,
	TOKEN_OPEN_STRING, /* to the end of the text */
	TOKEN_OPEN_COMMENT,
};

struct token {
	enum token_type type;
	const char *start, *end;
	int line; /* of its first character */
};

/* Where the quoted string at text ends; NULL: nowhere. */
static const char *string_end(const char *text)
{
	for (const char *c = text + 1; *c; c++) {
		if (*c == *text)
			return c + 1;
		if (*c == '\\' && !*++c)
			break;
	}
	return NULL;
}

/* The token at or after *pos, moving *pos behind it and *line along. */
static struct token next_token(const char **pos, int *line)
{
	struct token token = { .type = TOKEN_END };
	const char *c = *pos, *end;

	for (; *c && strchr(" \t\r\n*", *c); c++)
		*line += *c == '\n';
	token.start = c;
	token.line = *line;
	if (*c == '#' || (c[0] == '/' && c[1] == '/')) {
		token.type = TOKEN_COMMENT;
		end = c + strcspn(c, "\n");
	} else if (c[0] == '/' && c[1] == '*') {
		end = strstr(c + 2, "*/");
		token.type = end ? TOKEN_COMMENT : TOKEN_OPEN_COMMENT;
		end = end ? end + 2 : c + strlen(c);
	} else if (*c == '"' || *c == '\'') {
		end = string_end(c);
		token.type = end ? TOKEN_STRING : TOKEN_OPEN_STRING;
		end = end ? end : c + strlen(c);
	} else if (*c && strchr("{}()=,+", *c)) {
		token.type = TOKEN_PUNCTUATION;
		end = c + (c[0] == '+' && c[1] == '=' ? 2 : 1);
	} else {
		end = c + strcspn(c, " #\"'\t\n\r={}()+,*");
		token.type = end > c ? TOKEN_WORD : TOKEN_END;
	}
	for (; c < end; c++)
		*line += *c == '\n';
	token.end = *pos = end;
	return token;
}

static bool token_is(const struct token *token, char punctuation)
{
	return token->type == TOKEN_PUNCTUATION && *token->start == punctuation;
}

/* Overwrites start .. end with blanks, so that lines keep their numbers. */
static void blank_out(const char *start, const char *end)
{
	for (char *c = (char *)start; c < end; c++)
		if (*c != '\n')
			*c = ' ';
}

/* What libconfuse would misunderstand in one token; NULL: nothing. */
static const char *token_fault(
	const struct token *token, const struct token *last, const struct token *before)
{
	size_t len = token->end - token->start;

	if (token->type == TOKEN_OPEN_STRING)
		return "a string begins here and has no end";
	if (token->type == TOKEN_OPEN_COMMENT)
		return "a comment begins here and has no end";
	if (token->type == TOKEN_WORD && memchr(token->start, '|', len))
		return "a word with | must be quoted";
	if ((*token->start == '"' && memmem(token->start, len, "${", 2)) ||
		(token_is(token, '{') && last->end == token->start && token->start[-1] == '$'))
		return "variables are not expanded: put text with ${ between '...'";
	if (last->type == TOKEN_STRING &&
		(token_is(token, '=') || token_is(token, '+') ||
			(token_is(token, '{') && before->type != TOKEN_WORD)))
		return "names of options and sections are not quoted";
	return NULL;
}

/* True when the text is fit for libconfuse. Blanks comments out; blames what is wrong. */
static bool prepare(struct config_doc *doc, size_t file)
{
	struct config_file *text = &doc->files[file];
	struct token token = { 0 }, last = { 0 }, before = { 0 };
	int line = 1, open[DEPTH_MAX];
	unsigned int depth = 0;
	const char *fault, *pos = text->data;

	for (size_t i = 0; i < text->len; i++) {
		unsigned char c = text->data[i];

		line += c == '\n';
		if ((c < ' ' && !strchr("\t\r\n", c)) || !c || c == 0x7f) {
			config_doc_blame(doc, file, line, "is not text: octet 0x%02x", c);
			return false;
		}
	}
	for (line = 1;; before = last, last = token) {
		do {
			token = next_token(&pos, &line);
			if (token.type == TOKEN_COMMENT)
				blank_out(token.start, token.end);
		} while (token.type == TOKEN_COMMENT);
		if (token.type == TOKEN_END)
			break;
		fault = token_fault(&token, &last, &before);
		if (token_is(&token, '{')) {
			if (depth == DEPTH_MAX)
				fault = "braces are nested too deeply";
			else
				open[depth++] = token.line;
		} else if (token_is(&token, '}')) {
			if (!depth--)
				fault = "this brace closes nothing";
		}
		if (fault) {
			config_doc_blame(doc, file, token.line, "%s", fault);
			return false;
		}
	}
	if (depth)
		config_doc_blame(
			doc, file, open[depth - 1], "the brace in this line is never closed");
	return !depth;
}

/* ---- looking past a statement ---- */

/* The end of the statement whose tokens up to and with `=`, `+=` or `{` are read. */
static const char *statement_end(struct token token, const char *pos, int line)
{
	unsigned int depth = 0;

	if (!token_is(&token, '{'))
		token = next_token(&pos, &line);
	for (;; token = next_token(&pos, &line)) {
		depth += token_is(&token, '{');
		depth -= depth && token_is(&token, '}');
		if (!depth || token.type == TOKEN_END)
			return token.end;
	}
}

/* True for a word or string without escapes that says text. */
static bool token_says(const struct token *token, const char *text)
{
	unsigned int quotes = token->type == TOKEN_STRING;

	return token->end - token->start == (ptrdiff_t)(strlen(text) + 2 * quotes) &&
	       !memcmp(token->start + quotes, text, strlen(text));
}

/*
 * Blanks out the statement in that line which begins with the option name, or, with a title, the
 * section of that title whose brace stands there. False when there is none.
 */
static bool blank_statement(char *text, int at_line, const char *name, const char *title)
{
	struct token token, last = { 0 }, before = { 0 };
	const char *pos = text;
	int line = 1;

	for (;; before = last, last = token) {
		const struct token *first = NULL;

		token = next_token(&pos, &line);
		if (token.type == TOKEN_END || last.line > at_line)
			return false;
		if (token_is(&token, '=') || token_is(&token, '+'))
			first = &last;
		else if (token_is(&token, '{') && last.type != TOKEN_PUNCTUATION)
			first = before.type == TOKEN_WORD ? &before : &last;
		if (!first || first->type != TOKEN_WORD)
			continue;
		if (title ? token.line != at_line || first != &before || !token_says(&last, title)
			  : first->line != at_line || !token_says(first, name))
			continue;
		blank_out(first->start, statement_end(token, pos, line));
		return true;
	}
}

/* ---- libconfuse's callbacks ---- */

static enum config_section section_of(const cfg_t *cfg)
{
	for (int s = CONFIG_ROOT + 1; s < CONFIG_SECTIONS; s++)
		if (!strcmp(config_sections[s].name, cfg->name))
			return s;
	return CONFIG_ROOT;
}

/* libconfuse's section of one that has others inside, the one being read: the last. */
static cfg_t *section_cfg(enum config_section section)
{
	const char *name = config_sections[section].name;
	cfg_t *around;

	if (section == CONFIG_ROOT)
		return reading.root;
	around = section_cfg(config_sections[section].parent);
	return cfg_getnsec(around, name, cfg_size(around, name) - 1);
}

/* The open node of a section of libconfuse's, made when it is new. NULL when memory is short. */
static struct config_node *node_of(cfg_t *cfg)
{
	struct config_doc *doc = reading.doc;
	enum config_section section = section_of(cfg), around = config_sections[section].parent;
	struct config_node *nodes, node = { .section = section, .file = reading.file, .cfg = cfg };
	cfg_t *parent;

	for (size_t i = doc->node_count; i-- > 0;)
		if (doc->nodes[i].cfg == cfg && !doc->nodes[i].closed)
			return &doc->nodes[i];
	if (section != CONFIG_ROOT) {
		/* A section's own line moves along; until it ends its parent's stands at its brace. */
		parent = section_cfg(around);
		node_of(parent);
		for (size_t i = 0; i < doc->node_count; i++)
			if (doc->nodes[i].cfg == parent)
				node.parent = i;
		node.line = parent->line;
	}
	nodes = reallocarray(doc->nodes, doc->node_count + 1, sizeof(*nodes));
	if (nodes)
		doc->nodes = nodes;
	node.title = strdup(cfg->title ? cfg->title : "");
	if (!nodes || !node.title) {
		free(node.title);
		doc->no_memory = true;
		return NULL;
	}
	nodes[doc->node_count] = node;
	return &nodes[doc->node_count++];
}

/* A value, or the closing brace of a list, whose last value is then gone already. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct config_doc *doc = reading.doc;
	struct config_item *items, item = { .file = reading.file, .line = cfg->line };
	cfg_value_t *value = opt->values[opt->nvalues - 1];
	struct config_node *node;

	if (!value->string)
		return 0;
	item.value = value->string;
	value->string = NULL;
	node = node_of(cfg);
	items = reallocarray(doc->items, doc->item_count + 1, sizeof(*items));
	if (items)
		doc->items = items;
	item.option = node ? config_option_find(node->section, opt->name) : NULL;
	if (!items || !item.option) {
		explicit_bzero(item.value, strlen(item.value));
		free(item.value);
		doc->no_memory = true;
		return -1;
	}
	item.node = node - doc->nodes;
	item.again = opt->nvalues == 1;
	items[doc->item_count++] = item;
	return 0;
}

/* The end of a section. */
static int on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	struct config_node *node = node_of(opt->values[opt->nvalues - 1]->section);

	(void)cfg;
	if (!node)
		return -1;
	node->closed = true;
	return 0;
}

/* The name between quotes in a message, into name. */
static void quoted_name(const char *message, char *name, size_t size)
{
	const char *start = strchr(message, '\''), *end = strrchr(message, '\'');
	size_t len = start && end > start ? (size_t)(end - start - 1) : 0;

	len = len < size ? len : size - 1;
	if (len)
		memcpy(name, start + 1, len);
	name[len] = '\0';
}

/* What to say of an unknown name; whether it is nearly a name that is known. */
static bool unknown_text(enum config_section section, const char *name, char *text, size_t size)
{
	const char *names[128], *nearest;
	size_t count = 0;

	for (size_t i = 0; i < config_option_count && count < 100; i++)
		if (config_options[i].section == section)
			names[count++] = config_options[i].name;
	for (int s = CONFIG_ROOT + 1; s < CONFIG_SECTIONS; s++)
		if (config_sections[s].parent == section)
			names[count++] = config_sections[s].name;
	nearest = config_nearest(name, names, count);
	if (nearest) {
		snprintf(text, size, "unknown option '%s'; did you mean '%s'?", name, nearest);
		return true;
	}
	snprintf(text, size, "unknown option '%s'", name);
	for (size_t i = 0; !nearest && i < config_option_count; i++) {
		nearest = config_nearest(name, &config_options[i].name, 1);
		if (nearest)
			snprintf(text, size, "unknown option '%s'; '%s' belongs into %s%s", name,
				nearest, config_options[i].section ? "a section " : "no section",
				config_sections[config_options[i].section].name);
	}
	return nearest;
}

/* The last value before this line's end is a secret: what follows may be the rest of it. */
static bool behind_secret(const struct config_doc *doc, int line)
{
	const struct config_item *last = doc->item_count ? &doc->items[doc->item_count - 1] : NULL;

	return last && last->option->type == CONFIG_SECRET && last->file == reading.file &&
	       last->line == line;
}

static __attribute__((format(printf, 2, 0))) void on_error(
	cfg_t *cfg, const char *format, va_list ap)
{
	static const char unknown[] = "no such option", repeated[] = "found duplicate title";
	struct config_doc *doc = reading.doc;
	char message[300], name[128], where[400] = "", text[400];
	struct config_node *node = cfg ? node_of(cfg) : NULL;
	bool is_unknown, is_repeated, known = true, blanked = false;
	int line = cfg ? cfg->line : 0;

	vsnprintf(message, sizeof(message), format, ap);
	is_unknown = !strncmp(message, unknown, strlen(unknown));
	is_repeated = !strncmp(message, repeated, strlen(repeated));
	quoted_name(message, name, sizeof(name));
	if (node)
		node_path(doc, node, where, sizeof(where));
	if ((is_unknown || is_repeated) && reading.blanks++ < BLANK_MAX)
		blanked = blank_statement(
			doc->files[reading.file].data, line, name, is_repeated ? name : NULL);
	if (is_unknown)
		known = unknown_text(node ? node->section : CONFIG_ROOT, name, text, sizeof(text));
	else if (is_repeated)
		snprintf(text, sizeof(text), "the name \"%s\" is given to two sections", name);
	else
		snprintf(text, sizeof(text), "%s", message);
	if (behind_secret(doc, line) && !is_repeated && (!known || !blanked))
		snprintf(text, sizeof(text),
			"what follows the secret is not understood; put secrets between '...'");
	add_error(doc, reading.file, line, false, where, text);
	reading.failed = true;
	reading.again = blanked;
}

/* ---- reading ---- */

/* The options of one section for libconfuse, its sections with theirs; NULL when memory is short. */
static cfg_opt_t *make_options(enum config_section section)
{
	cfg_opt_t *opts = calloc(config_option_count + CONFIG_SECTIONS + 1, sizeof(*opts));
	size_t count = 0;

	for (size_t i = 0; opts && i < config_option_count; i++) {
		if (config_options[i].section != section)
			continue;
		opts[count].name = config_options[i].name;
		opts[count].type = CFGT_STR;
		opts[count].flags = CFGF_NODEFAULT | (config_options[i].list ? CFGF_LIST : 0);
		opts[count++].validcb = on_value;
	}
	for (int s = CONFIG_ROOT + 1; opts && s < CONFIG_SECTIONS; s++) {
		if (config_sections[s].parent != section)
			continue;
		opts[count].name = config_sections[s].name;
		opts[count].type = CFGT_SEC;
		opts[count].flags = CFGF_NODEFAULT;
		if (config_sections[s].title)
			opts[count].flags |= CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
		opts[count].validcb = on_section;
		opts[count].subopts = make_options(s);
		if (!opts[count++].subopts)
			reading.doc->no_memory = true;
	}
	return opts;
}

static void free_options(cfg_opt_t *opts)
{
	for (cfg_opt_t *opt = opts; opt && opt->name; opt++)
		free_options(opt->subopts);
	free(opts);
}

static void forget_values(struct config_doc *doc)
{
	for (size_t i = 0; i < doc->item_count; i++) {
		explicit_bzero(doc->items[i].value, strlen(doc->items[i].value));
		free(doc->items[i].value);
	}
	for (size_t i = 0; i < doc->node_count; i++)
		free(doc->nodes[i].title);
	doc->item_count = doc->node_count = 0;
}

/* Lists that were emptied on purpose, which no callback tells; required ones are missed later. */
static void blame_empty(struct config_doc *doc)
{
	for (size_t n = 0; n < doc->node_count; n++) {
		const cfg_t *cfg = doc->nodes[n].cfg;

		for (const cfg_opt_t *opt = cfg->opts; opt->name; opt++)
			if ((opt->flags & CFGF_LIST) && (opt->flags & CFGF_MODIFIED) &&
				!opt->nvalues &&
				!config_option_find(doc->nodes[n].section, opt->name)->required)
				config_doc_blame_node(
					doc, &doc->nodes[n], "%s: the list is empty", opt->name);
	}
}

/* Reads all texts that are fit once; true when it has to be done again. */
static bool read_once(struct config_doc *doc, const cfg_opt_t *opts, const bool *fit)
{
	forget_values(doc);
	reading.again = false;
	reading.root = cfg_init((cfg_opt_t *)opts, CFGF_NONE);
	if (!reading.root) {
		doc->no_memory = true;
		return false;
	}
	cfg_set_error_function(reading.root, on_error);
	node_of(reading.root);
	for (size_t i = 0; i < doc->file_count && !reading.again && !doc->no_memory; i++) {
		FILE *text;

		if (doc->files[i].kind != CONFIG_FILE_TEXT || !fit[i] || !doc->files[i].len)
			continue;
		text = fmemopen(doc->files[i].data, doc->files[i].len, "r");
		if (!text) {
			doc->no_memory = true;
			break;
		}
		reading.file = i;
		reading.failed = false;
		if (cfg_parse_fp(reading.root, text) != CFG_SUCCESS) {
			doc->incomplete |= !reading.again;
			if (!reading.failed)
				config_doc_blame(
					doc, i, reading.root->line, "cannot be understood");
		}
		fclose(text);
	}
	if (!reading.again && !doc->no_memory)
		blame_empty(doc);
	cfg_free(reading.root); /* also resets libconfuse's lexer */
	reading.root = NULL;
	return reading.again && !doc->no_memory;
}

void config_doc_parse(struct config_doc *doc)
{
	bool *fit = calloc(doc->file_count + 1, sizeof(*fit));
	cfg_opt_t *opts;

	memset(&reading, 0, sizeof(reading));
	reading.doc = doc;
	opts = make_options(CONFIG_ROOT);
	if (!fit || !opts) {
		doc->no_memory = true;
		goto out;
	}
	for (size_t i = 0; i < doc->file_count; i++)
		if (doc->files[i].kind == CONFIG_FILE_TEXT && !(fit[i] = prepare(doc, i)))
			doc->incomplete = true;
	while (read_once(doc, opts, fit))
		;
out:
	free_options(opts);
	free(fit);
	reading.doc = NULL;
}

void config_doc_free(struct config_doc *doc)
{
	forget_values(doc);
	for (size_t i = 0; i < doc->file_count; i++) {
		explicit_bzero(doc->files[i].data, doc->files[i].len);
		free(doc->files[i].data);
		free(doc->files[i].name);
	}
	for (size_t i = 0; i < doc->error_count; i++)
		free(doc->errors[i].text);
	free(doc->files);
	free(doc->nodes);
	free(doc->items);
	free(doc->errors);
	memset(doc, 0, sizeof(*doc));
}
