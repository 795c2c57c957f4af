// SPDX-License-Identifier: BSD-2-Clause
/*
 * follow: see follow.h. The file format of captures is that of libpcap with microseconds, in this machine's
 * order of octets, as tcpdump and Wireshark read it; packets begin with their IP header.
 */
#include "lns/control/follow.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PCAP_MAGIC   0xa1b2c3d4
#define LINKTYPE_RAW 101
#define PACKET_MAX   65535

struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, packet_max, link_type;
};

struct pcap_record {
	uint32_t seconds, microseconds, len, original_len;
};

static int finish(FILE *out)
{
	return fflush(out) || ferror(out) ? -EIO : 0;
}

static const char *text_of(const json_t *item, const char *key)
{
	const char *text = json_string_value(json_object_get(item, key));

	return text ? text : "";
}

static int number_of(const json_t *item, const char *key)
{
	return (int)json_integer_value(json_object_get(item, key));
}

/* As in tables: nothing that a terminal obeys. */
static void print_safe(const char *text, FILE *out)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < ' ' || *c > '~')
			fprintf(out, "\\x%02x", *c);
		else
			fputc(*c, out);
}

/* The time of day; *ret_us: microseconds behind its second. False: there is none. */
static bool clock_of(const json_t *item, char *clock, size_t size, int *ret_us)
{
	json_int_t time_us = json_integer_value(json_object_get(item, "time_us"));
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;

	if (time_us <= 0 || !localtime_r(&seconds, &tm))
		return false;
	strftime(clock, size, "%H:%M:%S", &tm);
	*ret_us = (int)(time_us % 1000000);
	return true;
}

int follow_trace(const json_t *item, FILE *out)
{
	char clock[16];
	int us;

	if (!clock_of(item, clock, sizeof(clock), &us))
		return -EPROTO;
	fprintf(out, "%s.%06d %s tunnel %d session %d Ns %d Nr %d ", clock, us,
		strcmp(text_of(item, "direction"), "out") == 0 ? "->" : "<-",
		number_of(item, "tunnel"), number_of(item, "session"), number_of(item, "ns"),
		number_of(item, "nr"));
	print_safe(text_of(item, "text"), out);
	fputc('\n', out);
	return finish(out);
}

int follow_call(const json_t *item, FILE *out)
{
	print_safe(text_of(item, "state"), out);
	fprintf(out, ": tunnel %d, session %d\n", number_of(item, "tunnel"),
		number_of(item, "session"));
	return finish(out);
}

int follow_event(const json_t *item, FILE *out)
{
	static const struct {
		const char *key, *before;
	} parts[] = { { "user", " " }, { "ip", " " }, { "ifname", " on " }, { "calling", " from " },
		{ "called", " to " }, { "lac", " via " }, { "host_name", " of " },
		{ "peer", " at " }, { "reason", ": " }, { "detail", ": " } };
	char clock[16];
	int us;

	if (!clock_of(item, clock, sizeof(clock), &us))
		return -EPROTO;
	fprintf(out, "%s ", clock);
	print_safe(text_of(item, "event"), out);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!*text_of(item, parts[i].key))
			continue;
		fputs(parts[i].before, out);
		print_safe(text_of(item, parts[i].key), out);
	}
	fputc('\n', out);
	return finish(out);
}

int follow_reload(const json_t *item, FILE *out)
{
	print_safe(text_of(item, "text"), out);
	fputc('\n', out);
	return finish(out);
}

/* Text in quotation marks, of which nothing is taken for anything else. */
static void print_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_attribute(const json_t *attribute, FILE *out)
{
	const json_t *value = json_object_get(attribute, "value");

	fprintf(out, "\t%s = ", json_string_value(json_object_get(attribute, "name")));
	if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_true(json_object_get(attribute, "quoted")))
		print_quoted(json_string_value(value), out);
	else
		fputs(json_string_value(value), out);
	fputc('\n', out);
}

static bool is_attribute(const json_t *attribute)
{
	const json_t *value = json_object_get(attribute, "value");

	return json_is_string(json_object_get(attribute, "name")) &&
	       (json_is_string(value) || json_is_integer(value));
}

int follow_record(const json_t *item, FILE *out)
{
	const json_t *attributes = json_object_get(item, "attributes");
	const json_t *timestamp = json_object_get(item, "timestamp");
	time_t seconds = (time_t)json_integer_value(timestamp);
	char text[64];
	struct tm tm;

	if (!json_is_array(attributes) || !json_is_integer(timestamp) ||
		!localtime_r(&seconds, &tm) ||
		!strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm))
		return -EPROTO;
	for (size_t i = 0; i < json_array_size(attributes); i++)
		if (!is_attribute(json_array_get(attributes, i)))
			return -EPROTO;
	fprintf(out, "%s\n", text);
	for (size_t i = 0; i < json_array_size(attributes); i++)
		print_attribute(json_array_get(attributes, i), out);
	fprintf(out, "\tEvent-Timestamp = %" JSON_INTEGER_FORMAT "\n", (json_int_t)seconds);
	fprintf(out, "\tTimestamp = %" JSON_INTEGER_FORMAT "\n\n", (json_int_t)seconds);
	return finish(out);
}

int follow_json(const json_t *item, FILE *out)
{
	if (json_dumpf(item, out, JSON_COMPACT | JSON_ENCODE_ANY))
		return -EPROTO;
	fputc('\n', out);
	return finish(out);
}

/* ---- captures ---- */

int follow_capture_begin(FILE *out)
{
	const struct pcap_file head = { .magic = PCAP_MAGIC,
		.major = 2,
		.minor = 4,
		.packet_max = PACKET_MAX,
		.link_type = LINKTYPE_RAW };

	fwrite(&head, sizeof(head), 1, out);
	return finish(out);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Octets from hexadecimal, in place. The count, or -EPROTO. */
static int octets_of(char *text)
{
	size_t len = strlen(text) / 2;

	if (strlen(text) % 2 || len > PACKET_MAX)
		return -EPROTO;
	for (size_t n = 0; n < len; n++) {
		int high = digit(text[2 * n]), low = digit(text[2 * n + 1]);

		if (high < 0 || low < 0)
			return -EPROTO;
		text[n] = (char)(high << 4 | low);
	}
	return (int)len;
}

int follow_capture(const json_t *item, FILE *out)
{
	json_int_t time_us = json_integer_value(json_object_get(item, "time_us"));
	char *packet = strdup(text_of(item, "packet"));
	int len = packet ? octets_of(packet) : -ENOMEM;
	struct pcap_record record = { .seconds = (uint32_t)(time_us / 1000000),
		.microseconds = (uint32_t)(time_us % 1000000) };

	if (len > 0) {
		record.len = record.original_len = (uint32_t)len;
		fwrite(&record, sizeof(record), 1, out);
		fwrite(packet, 1, (size_t)len, out);
	}
	free(packet);
	return len > 0 ? finish(out) : len < 0 ? len : -EPROTO;
}
