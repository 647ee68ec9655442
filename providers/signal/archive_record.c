/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/signal/adapter.h"
#include "providers/signal/archive_part.h"

/* Records, little-endian. Every byte counts: what is not used is zero, and is checked.
 *
 * issue:  0 checksum, 8 issued, 16 received, 24 known, 32 start, 40 count (4), 44 zero (4),
 *         48 figures (4 each; all ones = unknown)
 * actual: 0 checksum, 8 hour, 16 received, 24 known, 32 updated, 40 figure (4), 44 evidence (1),
 *         45 flags (1), 46 zero
 */

#define TIME_MAX_S  INT64_C(253402300799) /* the end of the year 9999 */
#define HOUR_S      3600
#define CLOCK_S     120 /* a source's clock and ours may differ by this much */
#define NO_FIGURE   UINT32_MAX
#define ISSUE_SEED  UINT64_C(0x676c2d6973737565)
#define ACTUAL_SEED UINT64_C(0x676c2d6163747561)
#define BACKFILLED  1

static void put64(uint8_t *out, int64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)value >> (8 * i));
}

static uint64_t get64(const uint8_t *bytes)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void put32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* Each step is one to one, so that a change of any one word is always seen; it finds accidents, not
 * forgers. `length` is a multiple of 8. The first word is the checksum's own place. */
static uint64_t checksum(const uint8_t *bytes, size_t length, uint64_t seed)
{
    uint64_t sum = seed;

    for (size_t i = 8; i < length; i += 8) {
        sum = (sum ^ get64(bytes + i)) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 32;
    }
    return sum;
}

static bool is_time(int64_t unix_s)
{
    return unix_s >= 0 && unix_s <= TIME_MAX_S;
}

static bool is_hour(int64_t unix_s)
{
    return is_time(unix_s) && unix_s % HOUR_S == 0;
}

static uint32_t figure_of(int64_t value_u)
{
    return value_u >= 0 && value_u < (int64_t)NO_FIGURE ? (uint32_t)value_u : NO_FIGURE;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

void gl_archive_issue_encode(const struct gl_archive_issue *issue,
                             uint8_t out[GL_ARCHIVE_ISSUE_BYTES])
{
    memset(out, 0, GL_ARCHIVE_ISSUE_BYTES);
    put64(out + 8, issue->issued_s);
    put64(out + 16, issue->received_s);
    put64(out + 24, issue->known_s);
    put64(out + 32, issue->start_s);
    put32(out + 40, issue->count);
    for (uint32_t i = 0; i < GL_ARCHIVE_MAX_HOURS; i++)
        put32(out + 48 + 4 * (size_t)i,
              i < issue->count ? figure_of(issue->value_u[i]) : NO_FIGURE);
    put64(out, (int64_t)checksum(out, GL_ARCHIVE_ISSUE_BYTES, ISSUE_SEED));
}

static bool are_times_possible(const struct gl_archive_issue *issue)
{
    return (issue->issued_s == GL_UNKNOWN || is_time(issue->issued_s)) &&
           is_time(issue->received_s) && is_time(issue->known_s) &&
           issue->known_s >= issue->received_s && is_hour(issue->start_s);
}

bool gl_archive_issue_decode(const uint8_t bytes[GL_ARCHIVE_ISSUE_BYTES],
                             int64_t values_u[GL_ARCHIVE_MAX_HOURS], struct gl_archive_issue *out)
{
    struct gl_archive_issue issue = {
        .issued_s = (int64_t)get64(bytes + 8),
        .received_s = (int64_t)get64(bytes + 16),
        .known_s = (int64_t)get64(bytes + 24),
        .start_s = (int64_t)get64(bytes + 32),
        .count = get32(bytes + 40),
        .value_u = values_u,
    };

    if (get64(bytes) != checksum(bytes, GL_ARCHIVE_ISSUE_BYTES, ISSUE_SEED) ||
        !is_zero(bytes + 44, 4) || !are_times_possible(&issue) || issue.count == 0 ||
        issue.count > GL_ARCHIVE_MAX_HOURS)
        return false;
    for (uint32_t i = 0; i < GL_ARCHIVE_MAX_HOURS; i++) {
        uint32_t figure = get32(bytes + 48 + 4 * (size_t)i);

        if (i >= issue.count && figure != NO_FIGURE)
            return false;
        if (i < issue.count)
            values_u[i] = figure == NO_FIGURE ? GL_UNKNOWN : (int64_t)figure;
    }
    *out = issue;
    return true;
}

void gl_archive_actual_encode(const struct gl_archive_actual *actual,
                              uint8_t out[GL_ARCHIVE_ACTUAL_BYTES])
{
    memset(out, 0, GL_ARCHIVE_ACTUAL_BYTES);
    put64(out + 8, actual->hour_s);
    put64(out + 16, actual->received_s);
    put64(out + 24, actual->known_s);
    put64(out + 32, actual->updated_s);
    put32(out + 40, figure_of(actual->value_u));
    out[44] = (uint8_t)actual->evidence;
    out[45] = actual->is_backfilled ? BACKFILLED : 0;
    put64(out, (int64_t)checksum(out, GL_ARCHIVE_ACTUAL_BYTES, ACTUAL_SEED));
}

bool gl_archive_is_observed(enum gl_evidence evidence)
{
    return evidence == GL_MEASURED || evidence == GL_PRELIMINARY || evidence == GL_ESTIMATED ||
           evidence == GL_SUBSTITUTE;
}

bool gl_archive_actual_decode(const uint8_t bytes[GL_ARCHIVE_ACTUAL_BYTES],
                              struct gl_archive_actual *out)
{
    const uint32_t figure = get32(bytes + 40);
    const struct gl_archive_actual actual = {
        .hour_s = (int64_t)get64(bytes + 8),
        .received_s = (int64_t)get64(bytes + 16),
        .known_s = (int64_t)get64(bytes + 24),
        .updated_s = (int64_t)get64(bytes + 32),
        .value_u = (int64_t)figure,
        .evidence = (enum gl_evidence)bytes[44],
        .is_backfilled = bytes[45] == BACKFILLED,
    };

    if (get64(bytes) != checksum(bytes, GL_ARCHIVE_ACTUAL_BYTES, ACTUAL_SEED) ||
        figure == NO_FIGURE || bytes[45] > BACKFILLED || !gl_archive_is_observed(actual.evidence) ||
        !is_zero(bytes + 46, GL_ARCHIVE_ACTUAL_BYTES - 46))
        return false;
    if (!is_hour(actual.hour_s) || !is_time(actual.received_s) || !is_time(actual.known_s) ||
        actual.known_s < actual.received_s ||
        (actual.updated_s != GL_UNKNOWN && !is_time(actual.updated_s)) ||
        actual.hour_s + HOUR_S > actual.known_s + CLOCK_S)
        return false;
    *out = actual;
    return true;
}

/* ---- header ---- */

int gl_archive_header_write(const struct gl_archive_key *key, char out[GL_ARCHIVE_HEADER],
                            struct gl_error *err)
{
    const struct gl_meaning *meaning = key->meaning;
    json_t *header = json_pack(
        "{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "greenlaunch_archive", 1,
        "provider", key->provider, "dataset", key->dataset, "zone", key->zone, "licence",
        key->licence, "attribution", key->attribution, "quantity",
        gl_quantity_word(meaning->quantity), "rate", gl_rate_word(meaning->rate), "boundary",
        gl_boundary_word(meaning->boundary), "gases", gl_gases_word(meaning->gases), "trace",
        gl_trace_word(meaning->trace), "accounting", gl_accounting_word(meaning->accounting),
        "matching", gl_matching_word(meaning->matching), "share_of", (int)meaning->share_of,
        "factor_set", meaning->factor_set);
    char *text = json_dumps(header, JSON_COMPACT | JSON_ENSURE_ASCII);
    size_t length = text != NULL ? strlen(text) : 0;

    json_decref(header);
    if (length == 0 || length >= GL_ARCHIVE_HEADER) {
        free(text);
        return gl_fail(err, GL_E_BAD_VALUE, "the names of a series are too long to be archived");
    }
    memset(out, ' ', GL_ARCHIVE_HEADER - 1);
    memcpy(out, text, length);
    out[GL_ARCHIVE_HEADER - 1] = '\n';
    free(text);
    return 0;
}

static int word_index(const json_t *header, const char *key, const char *const *words)
{
    const char *text = json_string_value(json_object_get(header, key));

    for (int i = 0; text != NULL && words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return -1;
}

static bool read_meaning(const json_t *header, struct gl_meaning *out)
{
    static const struct {
        const char *key;
        const char *const *words;
    } rows[] = {
        {"quantity", gl_quantity_words}, {"rate", gl_rate_words},
        {"boundary", gl_boundary_words}, {"gases", gl_gases_words},
        {"trace", gl_trace_words},       {"accounting", gl_accounting_words},
        {"matching", gl_matching_words},
    };
    int index[sizeof rows / sizeof rows[0]];
    struct gl_error ignored = {0};
    const char *factor_set;
    int64_t share_of;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((index[i] = word_index(header, rows[i].key, rows[i].words)) < 0)
            return false;
    if (gl_json_int(header, "share_of", 0, 2 * GL_OF_STORAGE - 1, &share_of, &ignored) ||
        gl_json_string(header, "factor_set", &factor_set, &ignored) ||
        strlen(factor_set) >= sizeof out->factor_set)
        return false;
    *out = (struct gl_meaning){
        .quantity = (enum gl_quantity)index[0],
        .rate = (enum gl_rate)index[1],
        .boundary = (enum gl_boundary)index[2],
        .gases = (enum gl_gases)index[3],
        .trace = (enum gl_trace)index[4],
        .accounting = (enum gl_accounting)index[5],
        .matching = (enum gl_matching)index[6],
        .share_of = (uint32_t)share_of,
    };
    snprintf(out->factor_set, sizeof out->factor_set, "%s", factor_set);
    return true;
}

static bool read_name(const json_t *header, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(header, key));

    if (text == NULL || strlen(text) >= size)
        return false;
    snprintf(out, size, "%s", text);
    return true;
}

bool gl_archive_header_read(const char bytes[GL_ARCHIVE_HEADER], struct gl_archive_entry *out)
{
    GL_AUTO(gl_auto_json) json_t *header = NULL;
    struct gl_archive_entry entry = {0};
    struct gl_error ignored = {0};
    int64_t version;

    if (bytes[GL_ARCHIVE_HEADER - 1] != '\n')
        return false;
    header = gl_json_parse(bytes, GL_ARCHIVE_HEADER, "archive", &ignored);
    if (header == NULL || !json_is_object(header) ||
        gl_json_int(header, "greenlaunch_archive", 1, 1, &version, &ignored) ||
        !read_name(header, "provider", entry.provider, sizeof entry.provider) ||
        !read_name(header, "dataset", entry.dataset, sizeof entry.dataset) ||
        !read_name(header, "zone", entry.zone, sizeof entry.zone) ||
        !read_name(header, "licence", entry.licence, sizeof entry.licence) ||
        !read_name(header, "attribution", entry.attribution, sizeof entry.attribution) ||
        !read_meaning(header, &entry.meaning))
        return false;
    *out = entry;
    return true;
}
