/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POINTS 20000

static json_t *bound(int64_t value)
{
    return value == GL_UNKNOWN ? json_null() : json_integer(value);
}

static json_t *points_json(const struct gl_series *series, int64_t from_s, int64_t until_s)
{
    json_t *points = json_array();

    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];

        if (point->until_s <= from_s || point->from_s >= until_s)
            continue;
        json_array_append_new(points, json_pack("[I,I,o,o,o,s,o]", (json_int_t)point->from_s,
                                                (json_int_t)point->until_s, bound(point->value_u),
                                                bound(point->low_u), bound(point->high_u),
                                                gl_evidence_word(point->evidence),
                                                bound(point->updated_s)));
    }
    return points;
}

json_t *gl_evidence_json(const struct gl_series *series, int64_t from_s, int64_t until_s)
{
    const struct gl_meaning *meaning = &series->meaning;
    char sha[GL_HASH_HEX];

    gl_hex_text(series->body_sha256, sizeof series->body_sha256, sha);
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:I,s:i,s:s}", "quantity",
        gl_quantity_word(meaning->quantity), "rate", gl_rate_word(meaning->rate), "boundary",
        gl_boundary_word(meaning->boundary), "gases", gl_gases_word(meaning->gases), "trace",
        gl_trace_word(meaning->trace), "accounting", gl_accounting_word(meaning->accounting),
        "matching", gl_matching_word(meaning->matching), "share_of", (json_int_t)meaning->share_of,
        "factor_set", meaning->factor_set, "zone", series->zone, "provider", series->provider,
        "dataset", series->dataset, "licence", series->licence, "attribution", series->attribution,
        "points", points_json(series, from_s, until_s), "issued_s", bound(series->issued_s),
        "retrieved_s", (json_int_t)series->retrieved_s, "bound_method", (int)series->bound_method,
        "body_sha256", sha);
}

/* Index of a word in a NULL-terminated list, into *out. */
static int word(const json_t *object, const char *key, const char *const *words, int *out,
                struct gl_error *err)
{
    const char *text;

    if (gl_json_string(object, key, &text, err) != 0)
        return -1;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return 0;
        }
    return gl_fail(err, GL_E_BAD_REPLY, "evidence: \"%s\" is no %s", text, key);
}

static int meaning_parse(const json_t *evidence, struct gl_meaning *out, struct gl_error *err)
{
    int quantity, rate, boundary, gases, trace, accounting, matching;
    int64_t share_of;
    const char *factor_set;

    if (word(evidence, "quantity", gl_quantity_words, &quantity, err) != 0 ||
        word(evidence, "rate", gl_rate_words, &rate, err) != 0 ||
        word(evidence, "boundary", gl_boundary_words, &boundary, err) != 0 ||
        word(evidence, "gases", gl_gases_words, &gases, err) != 0 ||
        word(evidence, "trace", gl_trace_words, &trace, err) != 0 ||
        word(evidence, "accounting", gl_accounting_words, &accounting, err) != 0 ||
        word(evidence, "matching", gl_matching_words, &matching, err) != 0 ||
        gl_json_int(evidence, "share_of", 0, UINT32_MAX, &share_of, err) != 0 ||
        gl_json_string(evidence, "factor_set", &factor_set, err) != 0)
        return -1;
    *out = (struct gl_meaning){
        (enum gl_quantity)quantity, (enum gl_rate)rate,   (enum gl_boundary)boundary,
        (enum gl_gases)gases,       (enum gl_trace)trace, (enum gl_accounting)accounting,
        (enum gl_matching)matching, (uint32_t)share_of,   {0}};
    snprintf(out->factor_set, sizeof out->factor_set, "%s", factor_set);
    return 0;
}

static int64_t number_or_unknown(const json_t *value)
{
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : GL_UNKNOWN;
}

static int point_parse(const json_t *item, struct gl_point *out, struct gl_error *err)
{
    const char *evidence = json_string_value(json_array_get(item, 5));
    struct gl_point point = {.updated_s = GL_UNKNOWN};
    int i = 0;

    while (evidence != NULL && gl_evidence_words[i] != NULL &&
           strcmp(gl_evidence_words[i], evidence) != 0)
        i++;
    if ((json_array_size(item) != 6 && json_array_size(item) != 7) || evidence == NULL ||
        gl_evidence_words[i] == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "evidence: malformed point");
    point.from_s = number_or_unknown(json_array_get(item, 0));
    point.until_s = number_or_unknown(json_array_get(item, 1));
    point.value_u = number_or_unknown(json_array_get(item, 2));
    point.low_u = number_or_unknown(json_array_get(item, 3));
    point.high_u = number_or_unknown(json_array_get(item, 4));
    point.updated_s = number_or_unknown(json_array_get(item, 6));
    point.evidence = (enum gl_evidence)i;
    if (point.from_s < 0 || point.until_s <= point.from_s)
        return gl_fail(err, GL_E_BAD_REPLY, "evidence: a point ends before it begins");
    *out = point;
    return 0;
}

static int points_parse(const json_t *points, struct gl_series *series, struct gl_error *err)
{
    size_t count = json_array_size(points);

    if (count > MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "evidence: more than %d points", MAX_POINTS);
    series->points = gl_alloc(count * sizeof *series->points);
    for (size_t i = 0; i < count; i++)
        if (point_parse(json_array_get(points, i), &series->points[i], err) != 0) {
            free(series->points);
            series->points = NULL;
            return -1;
        }
    series->count = count;
    return 0;
}

int gl_evidence_parse(const json_t *evidence, struct gl_series *out, struct gl_error *err)
{
    struct gl_series series = {.issued_s =
                                   number_or_unknown(json_object_get(evidence, "issued_s"))};
    const char *zone, *provider, *dataset, *licence, *attribution, *sha;
    json_t *points;
    int64_t bound_method;

    if (meaning_parse(evidence, &series.meaning, err) != 0 ||
        gl_json_string(evidence, "zone", &zone, err) != 0 ||
        gl_json_string(evidence, "provider", &provider, err) != 0 ||
        gl_json_string(evidence, "dataset", &dataset, err) != 0 ||
        gl_json_string(evidence, "licence", &licence, err) != 0 ||
        gl_json_string(evidence, "attribution", &attribution, err) != 0 ||
        gl_json_int(evidence, "bound_method", 0, GL_BOUND_USER, &bound_method, err) != 0 ||
        gl_json_int(evidence, "retrieved_s", 0, INT64_MAX, &series.retrieved_s, err) != 0 ||
        gl_json_string(evidence, "body_sha256", &sha, err) != 0 ||
        gl_hex_parse(sha, series.body_sha256, sizeof series.body_sha256, err) != 0 ||
        gl_json_array(evidence, "points", &points, err) != 0 ||
        points_parse(points, &series, err) != 0)
        return -1;
    series.bound_method = (enum gl_bound_method)bound_method;
    snprintf(series.zone, sizeof series.zone, "%s", zone);
    snprintf(series.provider, sizeof series.provider, "%s", provider);
    snprintf(series.dataset, sizeof series.dataset, "%s", dataset);
    snprintf(series.licence, sizeof series.licence, "%s", licence);
    snprintf(series.attribution, sizeof series.attribution, "%s", attribution);
    *out = series;
    return 0;
}

/* ---- all series of a receipt ---- */

static bool makes_carbon(const struct gl_evidence_list *list, const struct gl_series *series)
{
    if (series->meaning.quantity != GL_INTENSITY || series->meaning.rate != GL_AVERAGE ||
        series->meaning.accounting != GL_LOCATION)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (list->is_counted[i] && strcmp(list->series[i].zone, series->zone) == 0)
            return false;
    return true;
}

int gl_evidence_list_parse(const json_t *series, struct gl_evidence_list *out, struct gl_error *err)
{
    struct gl_evidence_list list = {.count = 0};

    if (json_array_size(series) > GL_EVIDENCE_SERIES_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "evidence: more than %d series",
                       GL_EVIDENCE_SERIES_MAX);
    for (size_t i = 0; i < json_array_size(series); i++) {
        if (gl_evidence_parse(json_array_get(series, i), &list.series[i], err) != 0) {
            gl_evidence_list_done(&list);
            return gl_wrap(err, "evidence.series[%zu]", i);
        }
        list.is_counted[i] = makes_carbon(&list, &list.series[i]);
        list.count++;
    }
    *out = list;
    return 0;
}

void gl_evidence_list_done(struct gl_evidence_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->series[i].points);
    list->count = 0;
}

/* ---- of moves ---- */

static struct gl_evidence_list *list_of_move(struct gl_evidence_moves *moves, int64_t move)
{
    for (size_t i = 0; i < moves->count; i++)
        if (moves->items[i].move == move)
            return &moves->items[i].list;
    if (moves->count == GL_EVIDENCE_MOVES_MAX)
        return NULL;
    moves->items = gl_realloc(moves->items, (moves->count + 1) * sizeof *moves->items);
    moves->items[moves->count] = (struct gl_evidence_move){.move = move};
    return &moves->items[moves->count++].list;
}

static int add_move_series(struct gl_evidence_moves *moves, const json_t *json,
                           struct gl_error *err)
{
    struct gl_evidence_list *list;
    struct gl_series series;
    int64_t move;

    if (gl_json_int(json, "move", 1, INT64_MAX, &move, err) != 0 ||
        gl_evidence_parse(json, &series, err) != 0)
        return -1;
    list = list_of_move(moves, move);
    if (list == NULL || list->count == GL_EVIDENCE_SERIES_MAX) {
        free(series.points);
        return gl_fail(err, GL_E_TOO_LARGE, "too many moves, or series of one");
    }
    /* Sources behind the reported figures stand in the same list. */
    list->is_counted[list->count] =
        series.meaning.boundary == GL_LIFECYCLE && makes_carbon(list, &series);
    list->series[list->count++] = series;
    return 0;
}

int gl_evidence_moves_parse(const json_t *series, struct gl_evidence_moves *out,
                            struct gl_error *err)
{
    struct gl_evidence_moves moves = {0};

    for (size_t i = 0; i < json_array_size(series); i++)
        if (add_move_series(&moves, json_array_get(series, i), err) != 0) {
            gl_evidence_moves_done(&moves);
            return gl_wrap(err, "evidence.instance.series[%zu]", i);
        }
    *out = moves;
    return 0;
}

void gl_evidence_moves_done(struct gl_evidence_moves *moves)
{
    for (size_t i = 0; i < moves->count; i++)
        gl_evidence_list_done(&moves->items[i].list);
    free(moves->items);
    *moves = (struct gl_evidence_moves){0};
}

const struct gl_evidence_list *gl_evidence_moves_find(const struct gl_evidence_moves *moves,
                                                      int64_t move)
{
    for (size_t i = 0; i < moves->count; i++)
        if (moves->items[i].move == move)
            return &moves->items[i].list;
    return NULL;
}

char gl_evidence_list_grade(const struct gl_evidence_list *list)
{
    char worst = 'A';

    for (size_t i = 0; i < list->count; i++)
        for (size_t p = 0; list->is_counted[i] && p < list->series[i].count; p++) {
            char grade = gl_grade_letter(gl_grade_of_evidence(list->series[i].points[p].evidence));

            worst = grade > worst ? grade : worst;
        }
    return worst;
}

/* ---- an interval ---- */

__extension__ typedef __int128 wide;

static int64_t permille_of(int64_t value, int64_t permille)
{
    wide part = (wide)value * permille / 1000;

    return part > INT64_MAX ? INT64_MAX : (int64_t)part;
}

/* The bounds that a point of this evidence gets where its source states none, in permille. */
static void widths_of(enum gl_evidence evidence, enum gl_unbounded unbounded, int64_t out[2])
{
    static const int64_t hours[] = {GL_ANNUAL_LOW_PERMILLE, GL_ANNUAL_HIGH_PERMILLE};
    static const int64_t revisions[] = {GL_REVISED_LOW_PERMILLE, GL_REVISED_HIGH_PERMILLE};
    static const int64_t none[] = {1000, 1000};
    bool is_observed =
        evidence == GL_MEASURED || evidence == GL_PRELIMINARY || evidence == GL_ESTIMATED;
    const int64_t *widths = evidence == GL_ANNUAL_AVERAGE     ? hours
                            : unbounded == GL_UNBOUNDED_EXACT ? none
                            : is_observed                     ? revisions
                                                              : hours;

    memcpy(out, widths, sizeof none);
}

/* Value and bounds of one point. False when they contradict each other: such a point says nothing.
 */
static bool point_band(const struct gl_point *point, enum gl_unbounded unbounded, int64_t out[3])
{
    int64_t value = point->value_u, widths[2];

    if (value == GL_UNKNOWN)
        return false;
    widths_of(point->evidence, unbounded, widths);
    out[1] = value;
    out[0] = point->low_u != GL_UNKNOWN ? point->low_u : permille_of(value, widths[0]);
    out[2] = point->high_u != GL_UNKNOWN ? point->high_u : permille_of(value, widths[1]);
    return out[0] >= 0 && out[0] <= out[1] && out[1] <= out[2];
}

int gl_evidence_over(const struct gl_series *series, int64_t from_s, int64_t until_s,
                     enum gl_unbounded unbounded, int64_t out[3])
{
    int64_t at = from_s, low = INT64_MAX, high = INT64_MIN;
    wide weighted = 0; /* any 63-bit value times any 63-bit time */

    for (size_t i = 0; i < series->count && at < until_s; i++) {
        const struct gl_point *point = &series->points[i];
        int64_t end = point->until_s < until_s ? point->until_s : until_s;
        int64_t band[3];

        if (point->until_s <= at)
            continue;
        if (point->from_s > at || !point_band(point, unbounded, band))
            return -1;
        weighted += (wide)band[1] * (end - at);
        low = band[0] < low ? band[0] : low;
        high = band[2] > high ? band[2] : high;
        at = end;
    }
    if (at < until_s || until_s <= from_s)
        return -1;
    out[0] = low;
    out[1] = (int64_t)(weighted / (until_s - from_s));
    out[2] = high;
    return 0;
}
