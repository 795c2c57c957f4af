/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config/users: the users file, one user per line: name, secret, address or `*`, and options.
 *
 *	alice  "wonder land"  100.64.0.10
 *	bob    s3cret         *  rate-down=50M rate-up=10M    # an address of the pool
 *
 * Words are separated by blanks; between double quotes \" and \\ stand for " and \.
 */
#include "lns/config/doc.h"

#include "lns/log.h"
#include "lns/rate.h"

#include <stdlib.h>
#include <string.h>

#define COMPLAINTS_MAX 50 /* of one file */
#define WORD_MAX       256

/* Takes the next word of a line out of *at. 1, 0 at the end of the line, -1 when it is no word. */
static int next_word(const char **at, const char *end, char word[WORD_MAX])
{
	const char *c = *at;
	size_t len = 0;
	bool quoted;

	while (c < end && strchr(" \t\r", *c))
		c++;
	if (c == end || *c == '#')
		return 0;
	quoted = *c == '"';
	for (c += quoted; c < end && (quoted ? *c != '"' : !strchr(" \t\r", *c)); c++) {
		if (quoted && *c == '\\' && c + 1 < end)
			c++;
		if (len == WORD_MAX - 1 || (unsigned char)*c < ' ')
			return -1;
		word[len++] = *c;
	}
	word[len] = '\0';
	if (quoted && (c == end || (++c < end && !strchr(" \t\r#", *c))))
		return -1;
	*at = c;
	return 1;
}

/* An option behind the address: NULL, or what is wrong with it. */
static const char *parse_option(const char *word, struct config_user *user)
{
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value++ - word) : 0;
	uint64_t *rate = NULL;

	if (len == strlen("rate-down") && !memcmp(word, "rate-down", len))
		rate = &user->rate_down;
	else if (len == strlen("rate-up") && !memcmp(word, "rate-up", len))
		rate = &user->rate_up;
	if (!rate)
		return "there is something behind the address that is neither rate-down=RATE nor "
		       "rate-up=RATE";
	if (*rate != CONFIG_RATE_DEFAULT)
		return "a rate is given twice";
	return rate_parse(value, strlen(value), rate) == 0
		       ? NULL
		       : "a rate is not from 1k to 1000G bit/s, or 0 (example: rate-down=50M)";
}

/* One line of a user; NULL, or what is wrong with it. */
static const char *parse_user(const char *at, const char *end, struct config_user *user)
{
	char word[WORD_MAX];
	const char *wrong = NULL;
	size_t len;
	int more;

	user->rate_down = user->rate_up = CONFIG_RATE_DEFAULT;
	if (next_word(&at, end, word) != 1 || !*word || strlen(word) >= sizeof(user->name))
		return "the name is not one (1 to 253 characters)";
	memcpy(user->name, word, strlen(word) + 1);
	if (next_word(&at, end, word) != 1 || !*word) {
		wrong = "the secret is missing, empty, too long or badly quoted";
		goto out;
	}
	len = strlen(word);
	memcpy(user->secret.data, word, len);
	user->secret.len = len;
	if (next_word(&at, end, word) != 1)
		wrong = "the address is missing (an IPv4 address, or * for one of the pool)";
	else if (strcmp(word, "*") &&
		 (addr_parse(word, 0, &user->address) || user->address.sa.sa_family != AF_INET))
		wrong = "the address is not an IPv4 address (or * for one of the pool)";
	while (!wrong && (more = next_word(&at, end, word)))
		wrong = more < 0 ? "what is behind the address is badly quoted or too long"
				 : parse_option(word, user);
out:
	explicit_bzero(word, sizeof(word));
	return wrong;
}

struct entry {
	const struct config_user *user;
	int line;
};

static int compare_names(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->user->name, y->user->name);

	return order ? order : x->line - y->line;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	uint32_t m = ntohl(x->user->address.in4.sin_addr.s_addr);
	uint32_t n = ntohl(y->user->address.in4.sin_addr.s_addr);

	return m != n ? (m < n ? -1 : 1) : x->line - y->line;
}

/* Names and addresses that are there twice. */
static void check_twice(struct config_doc *doc, size_t file, struct entry *entries, size_t count,
	unsigned int complaints)
{
	char name[80], text[ADDR_TEXT];

	qsort(entries, count, sizeof(*entries), compare_names);
	for (size_t i = 1; i < count && complaints < COMPLAINTS_MAX; i++) {
		const char *user = entries[i].user->name;

		if (strcmp(entries[i - 1].user->name, user))
			continue;
		config_doc_blame(doc, file, entries[i].line, "user '%s' is also in line %d",
			log_printable(name, sizeof(name), user, strlen(user)), entries[i - 1].line);
		complaints++;
	}
	qsort(entries, count, sizeof(*entries), compare_addresses);
	for (size_t i = 1; i < count && complaints < COMPLAINTS_MAX; i++) {
		const union addr *addr = &entries[i].user->address;

		if (addr->sa.sa_family == AF_UNSPEC ||
			!addr_equal_host(&entries[i - 1].user->address, addr))
			continue;
		config_doc_blame(doc, file, entries[i].line, "address %s is also in line %d",
			addr_text_host(addr, text), entries[i - 1].line);
		complaints++;
	}
}

void config_users_read(
	struct config_doc *doc, const struct config_item *item, struct config *config)
{
	const struct config_file *file = config_doc_file(doc, item);
	size_t index = file - doc->files, lines = 1, count = 0;
	const char *end = file->data + file->len, *next;
	struct entry *entries = NULL;
	unsigned int complaints = 0;
	int line = 1;

	if (config->users)
		return; /* given twice, which is blamed already */
	for (const char *c = file->data; c < end; c++)
		lines += *c == '\n';
	config->users = calloc(lines, sizeof(*config->users));
	entries = calloc(lines, sizeof(*entries));
	if (!config->users || !entries) {
		doc->no_memory = true;
		goto out;
	}
	for (const char *at = file->data; at < end && complaints < COMPLAINTS_MAX;
		at = next + 1, line++) {
		struct config_user *user = &config->users[count];
		const char *start = at, *wrong;

		next = memchr(at, '\n', end - at);
		next = next ? next : end;
		while (start < next && strchr(" \t\r", *start))
			start++;
		if (start == next || *start == '#')
			continue;
		config->user_count = count + 1; /* so that what is wrong is wiped, too */
		wrong = parse_user(at, next, user);
		if (wrong) {
			config_doc_blame(doc, index, line, "%s", wrong);
			explicit_bzero(user, sizeof(*user));
			complaints++;
			continue;
		}
		entries[count++] = (struct entry){ user, line };
	}
	config->user_count = count;
	if (!count && !complaints)
		config_doc_warn(doc, index, "there is no user in it, so nobody can connect");
	check_twice(doc, index, entries, count, complaints);
out:
	free(entries);
}
