/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/feed_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"

/* ---- months, ranges ---- */

int gl_demand_month(struct gl_instant at)
{
    int year, month, day, hour, minute, second;

    gl_instant_civil(at, &year, &month, &day, &hour, &minute, &second);
    return 12 * year + month - 1;
}

struct gl_instant gl_demand_month_start(int month)
{
    return gl_instant_of_civil(month / 12, month % 12 + 1, 1, 0, 0, 0);
}

static int read_month(const char *text, int *out)
{
    struct gl_error ignored = {0};
    struct gl_instant start;
    char date[16];

    if (strlen(text) != strlen("2026-10"))
        return -1;
    snprintf(date, sizeof date, "%s-01", text);
    if (gl_date_parse(date, &start, &ignored) != 0)
        return -1;
    *out = gl_demand_month(start);
    return 0;
}

struct gl_demand_range gl_demand_range_of(int64_t count)
{
    struct gl_demand_range range;

    gl_demand_round(count, &range.low, &range.high);
    return range;
}

/* ---- writing ---- */

static json_t *range_json(struct gl_demand_range range)
{
    return json_pack("[I,I]", (json_int_t)range.low, (json_int_t)range.high);
}

json_t *gl_demand_cell_json(const struct gl_demand_cell *cell, bool is_shared)
{
    char month[24], grade[2] = {(char)('A' + (int)(cell->grade - GL_GRADE_A)), '\0'};
    json_t *json;

    snprintf(month, sizeof month, "%04d-%02d", cell->month / 12, cell->month % 12 + 1);
    json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "fingerprint", cell->fingerprint,
                     "month", month, "capability", gl_capability_words[cell->capability],
                     "provider", cell->provider, "region", cell->region, "rule", cell->rule,
                     "launches", range_json(cell->launches), "hours", range_json(cell->hours),
                     "gpu_hours", range_json(cell->gpu_hours));
    if (is_shared)
        json_object_set_new(json, "organisations", range_json(cell->organisations));
    else
        json_object_set_new(json, "grade", json_string(grade));
    return json;
}

int gl_demand_cell_order(const void *left, const void *right)
{
    const struct gl_demand_cell *a = left, *b = right;
    int order = strcmp(a->fingerprint, b->fingerprint);

    return order != 0 ? order : (a->month > b->month) - (a->month < b->month);
}

json_t *gl_demand_cells_json(struct gl_demand_cell *cells, size_t count, bool is_shared,
                             struct gl_error *err)
{
    json_t *json;

    if (count > GL_DEMAND_CELLS_MAX) {
        gl_fail(err, GL_E_TOO_LARGE, "a demand feed has at most %d cells", GL_DEMAND_CELLS_MAX);
        return NULL;
    }
    if (count > 0)
        qsort(cells, count, sizeof *cells, gl_demand_cell_order);
    json = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json, gl_demand_cell_json(&cells[i], is_shared));
    return json;
}

json_t *gl_demand_noise_json(void)
{
    return json_pack("{s:s,s:i,s:s,s:{s:i,s:i,s:i,s:i}}", "distribution", "discrete-laplace",
                     "epsilon", GL_DEMAND_EPSILON, "per", "figure", "bounds", "organisations", 1,
                     "launches", GL_DEMAND_LAUNCHES_BOUND, "hours", GL_DEMAND_HOURS_BOUND,
                     "gpu_hours", GL_DEMAND_HOURS_BOUND);
}

/* ---- reading: cells ---- */

static int not_here(const char *member, struct gl_error *err)
{
    return gl_fail(err, GL_E_NOT_VERIFIED, "its \"%s\" may not stand there", member);
}

/* As gl_demand_round() makes them. `least`: what the low end was raised to. */
static int read_range(const json_t *cell, const char *key, int64_t least,
                      struct gl_demand_range *out, struct gl_error *err)
{
    const json_t *json = json_object_get(cell, key);
    const json_t *low = json_array_get(json, 0), *high = json_array_get(json, 1);
    struct gl_demand_range range = {json_integer_value(low), json_integer_value(high)}, step;

    if (json_array_size(json) != 2 || !json_is_integer(low) || !json_is_integer(high))
        return not_here(key, err);
    step = gl_demand_range_of(range.low);
    if (range.low < least || range.high != step.high ||
        (range.low != step.low && range.low != least))
        return not_here(key, err);
    *out = range;
    return 0;
}

static int read_text(const json_t *cell, const char *key, char *out, size_t size,
                     struct gl_error *err)
{
    const char *text = json_string_value(json_object_get(cell, key));

    if (text == NULL || strlen(text) >= size)
        return not_here(key, err);
    snprintf(out, size, "%s", text);
    return 0;
}

static int read_capability(const json_t *json, struct gl_demand_cell *cell, struct gl_error *err)
{
    const char *word = json_string_value(json_object_get(json, "capability"));

    for (int i = 0; word != NULL && i < GL_CAPABILITIES; i++)
        if (strcmp(word, gl_capability_words[i]) == 0) {
            cell->capability = (enum gl_capability)i;
            return 0;
        }
    return not_here("capability", err);
}

static int read_grade(const json_t *json, struct gl_demand_cell *cell, struct gl_error *err)
{
    const char *word = json_string_value(json_object_get(json, "grade"));

    if (word == NULL || word[0] < 'A' || word[0] > 'E' || word[1] != '\0')
        return not_here("grade", err);
    cell->grade = (enum gl_grade)((int)GL_GRADE_A + word[0] - 'A');
    return 0;
}

/* The texts are those a signal may have, and the fingerprint is theirs. */
static int check_need(const struct gl_demand_cell *cell, struct gl_error *err)
{
    struct gl_demand need = {.capability = cell->capability,
                             .grade = cell->grade,
                             .key = GL_KEYS,
                             .limit_u = GL_UNKNOWN,
                             .found_u = GL_UNKNOWN,
                             .lost_ms = GL_UNKNOWN,
                             .extra_ug = GL_UNKNOWN,
                             .launch_key = "000000000000"};
    char fingerprint[GL_HASH_HEX];

    memcpy(need.provider, cell->provider, sizeof need.provider);
    memcpy(need.region, cell->region, sizeof need.region);
    memcpy(need.rule, cell->rule, sizeof need.rule);
    if (gl_demand_check(&need, err) != 0) {
        err->code = GL_E_NOT_VERIFIED;
        return -1;
    }
    gl_demand_fingerprint(&need, fingerprint);
    return strcmp(fingerprint, cell->fingerprint) == 0 ? 0 : not_here("fingerprint", err);
}

#define CELL_MEMBERS 10

static int read_cell(const json_t *json, const struct gl_demand_feed *feed,
                     struct gl_demand_cell *out, struct gl_error *err)
{
    struct gl_demand_cell cell = {.grade = GL_GRADE_A};
    char month[8];

    if (json_object_size(json) != CELL_MEMBERS)
        return gl_fail(err, GL_E_NOT_VERIFIED, "it has not the members of a cell");
    if (read_text(json, "fingerprint", cell.fingerprint, sizeof cell.fingerprint, err) != 0 ||
        read_text(json, "month", month, sizeof month, err) != 0 ||
        read_text(json, "provider", cell.provider, sizeof cell.provider, err) != 0 ||
        read_text(json, "region", cell.region, sizeof cell.region, err) != 0 ||
        read_text(json, "rule", cell.rule, sizeof cell.rule, err) != 0 ||
        read_capability(json, &cell, err) != 0 ||
        read_range(json, "launches", 0, &cell.launches, err) != 0 ||
        read_range(json, "hours", 0, &cell.hours, err) != 0 ||
        read_range(json, "gpu_hours", 0, &cell.gpu_hours, err) != 0)
        return -1;
    if (read_month(month, &cell.month) != 0)
        return not_here("month", err);
    if (feed->is_shared ? read_range(json, "organisations", feed->k, &cell.organisations, err) != 0
                        : read_grade(json, &cell, err) != 0)
        return -1;
    if (check_need(&cell, err) != 0)
        return -1;
    *out = cell;
    return 0;
}

static int read_cells(const json_t *document, struct gl_demand_feed *feed, struct gl_error *err)
{
    const json_t *cells = json_object_get(document, "cells");
    size_t count = json_array_size(cells);

    if (!json_is_array(cells))
        return not_here("cells", err);
    if (count > GL_DEMAND_CELLS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "it has more than %d cells", GL_DEMAND_CELLS_MAX);
    feed->cells = gl_alloc((count + 1) * sizeof *feed->cells);
    for (; feed->count < count; feed->count++) {
        struct gl_demand_cell *cell = &feed->cells[feed->count];

        if (read_cell(json_array_get(cells, feed->count), feed, cell, err) != 0)
            return gl_wrap(err, "cells[%zu]", feed->count);
        if (feed->count > 0 && gl_demand_cell_order(cell - 1, cell) >= 0)
            return gl_fail(err, GL_E_NOT_VERIFIED, "cells[%zu] is out of order", feed->count);
    }
    return 0;
}

/* ---- reading: the document ---- */

static int read_bool(const json_t *document, const char *key, bool *out, struct gl_error *err)
{
    const json_t *member = json_object_get(document, key);

    if (!json_is_boolean(member))
        return not_here(key, err);
    *out = json_is_true(member);
    return 0;
}

static int read_shared(const json_t *document, struct gl_demand_feed *feed, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *noise = gl_demand_noise_json();

    if (gl_json_int(document, "k", GL_DEMAND_K, GL_DEMAND_K_MAX, &feed->k, err) != 0)
        return -1;
    return json_equal(json_object_get(document, "noise"), noise) ? 0 : not_here("noise", err);
}

static int read_own(const json_t *document, struct gl_error *err)
{
    const json_t *threshold = json_object_get(document, "threshold");
    int64_t number;

    if (json_object_size(threshold) != 2 ||
        gl_json_int(threshold, "refused", 2, INT64_MAX, &number, err) != 0 ||
        gl_json_int(threshold, "days", 1, INT64_MAX, &number, err) != 0)
        return not_here("threshold", err);
    return 0;
}

#define OWN_MEMBERS    7 /* with the signature */
#define SHARED_MEMBERS 8

static int read_document(const json_t *document, struct gl_demand_feed *feed, struct gl_error *err)
{
    const char *kind;

    if (gl_json_string(document, "kind", &kind, err) != 0)
        return -1;
    feed->is_shared = strcmp(kind, "shared") == 0;
    if (!feed->is_shared && strcmp(kind, "own") != 0)
        return not_here("kind", err);
    if (json_object_size(document) != (feed->is_shared ? SHARED_MEMBERS : OWN_MEMBERS))
        return gl_fail(err, GL_E_NOT_VERIFIED, "it has not the members of a demand feed");
    if (read_bool(document, "demo", &feed->is_demo, err) != 0 ||
        gl_json_int(document, "issued_s", 0, INT64_C(253402300799), &feed->issued_s, err) != 0 ||
        (feed->is_shared ? read_shared(document, feed, err) : read_own(document, err)) != 0)
        return -1;
    return read_cells(document, feed, err);
}

int gl_demand_feed_read(const char *bytes, size_t length, const struct gl_public_key *key,
                        struct gl_demand_feed *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *document =
        gl_json_parse_upto(bytes, length, GL_DEMAND_FEED_MAX_BYTES, "demand feed", err);
    struct gl_demand_feed feed = {0};
    int64_t version;

    if (document == NULL)
        return -1;
    if (gl_json_int(document, "greenlaunch_demand", 1, 1, &version, err) != 0) {
        gl_error_clear(err);
        return gl_fail(err, GL_E_SYNTAX, "this is no demand feed of version 1");
    }
    if (gl_seal_check(document, key, feed.key, err) != 0 ||
        read_document(document, &feed, err) != 0) {
        gl_demand_feed_done(&feed);
        /* It is a feed, whatever is wrong inside it. */
        if (err->code != GL_E_TAMPERED && err->code != GL_E_TOO_LARGE)
            err->code = GL_E_NOT_VERIFIED;
        return -1;
    }
    gl_hash_of(bytes, length, &feed.hash);
    *out = feed;
    return 0;
}

void gl_demand_feed_done(struct gl_demand_feed *feed)
{
    free(feed->cells);
    *feed = (struct gl_demand_feed){0};
}

/* ---- members ---- */

static int read_member(char *line, struct gl_public_key *out, bool *out_is_key,
                       struct gl_error *err)
{
    size_t length;

    line[strcspn(line, "#")] = '\0';
    line += strspn(line, " \t");
    length = strcspn(line, " \t\r");
    *out_is_key = length > 0;
    if (!*out_is_key)
        return 0;
    if (line[length + strspn(line + length, " \t\r")] != '\0')
        return gl_fail(err, GL_E_SYNTAX, "one key a line, 64 hex digits");
    line[length] = '\0';
    return gl_hex_parse(line, out->bytes, sizeof out->bytes, err);
}

int gl_demand_members_read(const char *path, struct gl_demand_members *out, struct gl_error *err)
{
    struct gl_demand_members members = {0, NULL};
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    size_t length;
    int number = 0;

    if (gl_file_read_given(path, (size_t)1 << 20, &bytes, &length, err) != 0)
        return -1;
    members.keys = gl_alloc(GL_DEMAND_CONTRIBUTIONS_MAX * sizeof *members.keys);
    for (char *line = bytes, *next; line != NULL; line = next) {
        struct gl_public_key key;
        bool is_key;

        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        number++;
        if (read_member(line, &key, &is_key, err) != 0)
            gl_wrap(err, "%s, line %d", path, number);
        else if (is_key && members.count == GL_DEMAND_CONTRIBUTIONS_MAX)
            gl_fail(err, GL_E_TOO_LARGE, "%s names more than %d keys", path,
                    GL_DEMAND_CONTRIBUTIONS_MAX);
        else {
            members.keys[members.count] = key;
            members.count += is_key;
            continue;
        }
        gl_demand_members_done(&members);
        return -1;
    }
    *out = members;
    return 0;
}

void gl_demand_members_done(struct gl_demand_members *members)
{
    free(members->keys);
    *members = (struct gl_demand_members){0, NULL};
}
