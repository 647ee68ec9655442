/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RENDER_SERIES_H
#define GL_BROKER_RENDER_SERIES_H

/* Signals as people and programs read them: what a series means, what it says of an instant, and
 * where the sources of one zone disagree. Never mixes two meanings: they are shown side by side. */

#include "base/json.h"
#include "policy/facts.h"

/* What a series says of an instant: the point that covers it, else the last one before it. */
struct gl_reading_at {
    const struct gl_point *point; /* NULL: it says nothing */
    bool is_covering;
    int64_t age_s; /* since the figure's time or last change; GL_UNKNOWN */
};
struct gl_reading_at gl_render_at(const struct gl_series *series, struct gl_instant now);

/* Did it come from an answer or a file? Built-in tables have no hash of their own. */
bool gl_render_has_body(const struct gl_series *series);

/* "carbon intensity", "renewable share", "carbon-free share". */
const char *gl_render_quantity(enum gl_quantity quantity);
/* "41.0 (33.0..49.0) gCO2e/kWh", "98.0 %". */
void gl_render_value(enum gl_quantity quantity, const struct gl_point *point, struct gl_str *out);
/* `prefix`, then a word of an enum with spaces for its underscores. */
void gl_render_word(struct gl_str *out, const char *prefix, const char *word);
/* "average, lifecycle, CO2e, flow traced, location-based, factors NESO". */
void gl_render_meaning(const struct gl_meaning *meaning, struct gl_str *out);
/* "B", "none" for a series that is not to be trusted, "?" without a point. Returns out. */
char *gl_render_grade(const struct gl_series *series, const struct gl_point *point, char out[8]);
/* One series with all that says what it means; its quantity as in DESIGN section 5. */
json_t *gl_render_series_json(const struct gl_series *series, struct gl_instant now);

/* Every pair of series of one quantity: the percentage by which they differ at `now` when they mean
 * the same, the first part of their meaning that differs when not. One line a pair, indented by
 * two; the JSON array is new. */
json_t *gl_render_disagreements(const struct gl_zone_facts *zone, struct gl_instant now,
                                unsigned columns, struct gl_str *out);

#endif
