/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/render/decision.h"
#include "broker/render/text.h"

struct gl_reading_at gl_render_at(const struct gl_series *series, struct gl_instant now)
{
    struct gl_reading_at found = {.age_s = GL_UNKNOWN};

    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];

        if (point->from_s > now.unix_s || point->value_u == GL_UNKNOWN)
            continue;
        found.point = point;
        found.is_covering = now.unix_s < point->until_s;
    }
    if (found.point == NULL)
        return found;
    if (found.point->updated_s != GL_UNKNOWN)
        found.age_s = now.unix_s - found.point->updated_s;
    else if (series->issued_s != GL_UNKNOWN)
        found.age_s = now.unix_s - series->issued_s;
    else
        found.age_s = now.unix_s - found.point->from_s;
    return found;
}

bool gl_render_has_body(const struct gl_series *series)
{
    static const uint8_t none[sizeof series->body_sha256];

    return memcmp(series->body_sha256, none, sizeof none) != 0;
}

const char *gl_render_quantity(enum gl_quantity quantity)
{
    static const char *const names[] = {"carbon intensity", "renewable share", "carbon-free share"};

    return names[quantity];
}

void gl_render_value(enum gl_quantity quantity, const struct gl_point *point, struct gl_str *out)
{
    double scale = quantity == GL_INTENSITY ? 1 : 100;
    struct gl_band band = {gl_render_real(point->low_u) * scale,
                           gl_render_real(point->value_u) * scale,
                           gl_render_real(point->high_u) * scale};

    gl_render_band(&band, out);
    gl_str_add(out, quantity == GL_INTENSITY ? " gCO2e/kWh" : " %");
}

/* Words of the enums have underscores, which people do not. */
void gl_render_word(struct gl_str *out, const char *prefix, const char *word)
{
    gl_str_add(out, prefix);
    for (; *word != '\0'; word++)
        gl_str_add_char(out, *word == '_' ? ' ' : *word);
}

static void add_share_of(struct gl_str *out, uint32_t share_of)
{
    static const char *const names[] = {"solar", "wind",   "hydro",   "geothermal", "biomass",
                                        "waste", "marine", "nuclear", "storage"};
    const char *separator = ", counts ";

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (share_of & 1U << i) {
            gl_str_addf(out, "%s%s", separator, names[i]);
            separator = " ";
        }
}

void gl_render_meaning(const struct gl_meaning *meaning, struct gl_str *out)
{
    gl_render_word(out, "", gl_rate_word(meaning->rate));
    if (meaning->boundary != GL_BOUNDARY_NA)
        gl_render_word(out, ", ", gl_boundary_word(meaning->boundary));
    if (meaning->gases != GL_GASES_NA)
        gl_render_word(out, ", ", gl_gases_word(meaning->gases));
    gl_render_word(out, ", ", gl_trace_word(meaning->trace));
    gl_render_word(out, ", ", gl_accounting_word(meaning->accounting));
    gl_str_add(out, "-based");
    if (meaning->matching != GL_MATCH_NONE)
        gl_render_word(out, ", matched ", gl_matching_word(meaning->matching));
    add_share_of(out, meaning->share_of);
    if (meaning->factor_set[0] != '\0')
        gl_render_word(out, ", factors ", meaning->factor_set);
}

char *gl_render_grade(const struct gl_series *series, const struct gl_point *point, char out[8])
{
    if (point == NULL)
        snprintf(out, 8, "?");
    else if (series->is_suspect)
        snprintf(out, 8, "none");
    else
        snprintf(out, 8, "%c", gl_grade_letter(gl_grade_of_evidence(point->evidence)));
    return out;
}

/* ---- JSON ---- */

static json_t *scaled(int64_t millionths, double scale)
{
    return millionths == GL_UNKNOWN ? json_null() : json_real((double)millionths * scale);
}

static json_t *meaning_json(const struct gl_meaning *meaning)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:s}", "quantity",
                     gl_quantity_word(meaning->quantity), "rate", gl_rate_word(meaning->rate),
                     "boundary", gl_boundary_word(meaning->boundary), "gases",
                     gl_gases_word(meaning->gases), "trace", gl_trace_word(meaning->trace),
                     "accounting", gl_accounting_word(meaning->accounting), "matching",
                     gl_matching_word(meaning->matching), "share_of", (json_int_t)meaning->share_of,
                     "factor_set", meaning->factor_set);
}

static json_t *instant_json(int64_t unix_s)
{
    char text[GL_INSTANT_TEXT];

    return unix_s == GL_UNKNOWN ? json_null()
                                : json_string(gl_instant_text((struct gl_instant){unix_s}, text));
}

static json_t *value_json(const struct gl_series *series, const struct gl_reading_at *reading)
{
    const struct gl_point *point = reading->point;
    bool is_intensity = series->meaning.quantity == GL_INTENSITY;
    double scale = is_intensity ? 1e-6 : 1e-4;
    char grade[2] = {gl_grade_letter(gl_grade_of_evidence(point->evidence)), '\0'};
    json_t *value = json_pack(
        "{s:o,s:o,s:o,s:s,s:s,s:s,s:s}", "value", scaled(point->value_u, scale), "low",
        scaled(point->low_u, scale), "high", scaled(point->high_u, scale), "unit",
        is_intensity ? "gCO2e/kWh" : "%", "accounting",
        gl_accounting_word(series->meaning.accounting), "grade", grade, "source", series->provider);

    if (gl_render_year(series) != 0)
        json_object_set_new(value, "year", json_integer(gl_render_year(series)));
    else if (reading->age_s != GL_UNKNOWN)
        json_object_set_new(value, "age_s", json_integer(reading->age_s));
    return value;
}

static json_t *hash_json(const struct gl_series *series)
{
    char sha[GL_HASH_HEX];

    if (!gl_render_has_body(series))
        return json_null();
    return json_string(gl_hex_text(series->body_sha256, sizeof series->body_sha256, sha));
}

json_t *gl_render_series_json(const struct gl_series *series, struct gl_instant now)
{
    const struct gl_reading_at reading = gl_render_at(series, now);
    const struct gl_point *point = reading.point;
    json_t *object = json_pack(
        "{s:o,s:b,s:o,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:b,s:s}", "now",
        point != NULL ? value_json(series, &reading) : json_null(), "covers_now",
        reading.is_covering, "meaning", meaning_json(&series->meaning), "source", series->provider,
        "dataset", series->dataset, "licence", series->licence, "attribution", series->attribution,
        "issued", instant_json(series->issued_s), "retrieved",
        gl_render_has_body(series) ? instant_json(series->retrieved_s) : json_null(), "body_sha256",
        hash_json(series), "suspect", series->is_suspect, "suspicion", series->suspicion);

    if (object != NULL && point != NULL) {
        json_object_set_new(object, "evidence", json_string(gl_evidence_word(point->evidence)));
        json_object_set_new(object, "from", instant_json(point->from_s));
        json_object_set_new(object, "until", instant_json(point->until_s));
    }
    return object;
}

/* ---- disagreements ---- */

static bool is_usable(const struct gl_series *series)
{
    return series->count > 0 && !series->is_suspect;
}

/* "MEANING: boundary differs" ends up in *line and the object. */
static json_t *compare(const struct gl_series *a, const struct gl_series *b, struct gl_instant now,
                       struct gl_str *line)
{
    const struct gl_reading_at at_a = gl_render_at(a, now), at_b = gl_render_at(b, now);
    struct gl_error differs = {0};
    double x, y, percent;

    if (at_a.point == NULL || at_b.point == NULL)
        return NULL;
    gl_str_addf(line, "%s of %s and %s: ", gl_render_quantity(a->meaning.quantity), a->dataset,
                b->dataset);
    if (gl_meaning_join(&a->meaning, &b->meaning, &differs) != 0) {
        gl_str_addf(line, "not comparable, %s", differs.text);
        return json_pack("{s:s,s:s,s:s,s:b,s:s}", "quantity", gl_quantity_word(a->meaning.quantity),
                         "a", a->dataset, "b", b->dataset, "comparable", 0, "why", differs.text);
    }
    x = (double)at_a.point->value_u;
    y = (double)at_b.point->value_u;
    percent = fmax(x, y) > 0 ? fabs(x - y) / fmax(x, y) * 100 : 0;
    gl_str_addf(line, "differ by %.1f %%", percent);
    return json_pack("{s:s,s:s,s:s,s:b,s:f}", "quantity", gl_quantity_word(a->meaning.quantity),
                     "a", a->dataset, "b", b->dataset, "comparable", 1, "differ_percent", percent);
}

json_t *gl_render_disagreements(const struct gl_zone_facts *zone, struct gl_instant now,
                                unsigned columns, struct gl_str *out)
{
    json_t *list = json_array();

    for (size_t i = 0; i < zone->count; i++)
        for (size_t j = i + 1; j < zone->count; j++) {
            const struct gl_series *a = zone->series[i], *b = zone->series[j];
            GL_AUTO(gl_str_done) struct gl_str line = {0};
            GL_AUTO(gl_str_done) struct gl_str safe = {0};
            json_t *pair;

            if (a->meaning.quantity != b->meaning.quantity || !is_usable(a) || !is_usable(b))
                continue;
            pair = compare(a, b, now, &line);
            if (pair == NULL)
                continue;
            json_array_append_new(list, pair);
            gl_str_add_printable(&safe, gl_str_text(&line), line.length);
            gl_render_wrap(gl_str_text(&safe), 2, columns, out);
        }
    return list;
}
