/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RENDER_DECISION_H
#define GL_BROKER_RENDER_DECISION_H

/* A decision as text and as --json "data": the rules in force, the figures of an offer, the counts
 * of refusals by reason, the nearest alternatives. Decides nothing: every word comes from policy/.
 */

#include "base/json.h"
#include "policy/decide.h"

/* The rules as lines "rule  ID: LIMITS; how they are judged", at most `most` of them. */
void gl_render_rules(const struct gl_policy *policy, unsigned most, unsigned columns,
                     struct gl_str *out);
json_t *gl_render_rules_json(const struct gl_policy *policy);

/* The figure shown for an offer, over the asked run: the grid's average, location-based, whatever
 * its grade; the worse one of disputed zones. Never what a rule rests on. */
struct gl_figure gl_render_figure(const struct gl_question *question, const struct gl_offer *offer,
                                  enum gl_quantity quantity);

/* The distinct data sets behind some figures, to be credited: "Sources: DATASET (CREDIT, yearly
 * average of 2025); ...". Nothing when there are none. */
#define GL_RENDER_SOURCES 8
struct gl_render_sources {
    const struct gl_series *series[GL_RENDER_SOURCES];
    int64_t age_s[GL_RENDER_SOURCES]; /* the oldest */
    size_t count;
    bool is_more;
};
void gl_render_source_note(struct gl_render_sources *sources, const struct gl_figure *figure);
void gl_render_sources(const struct gl_render_sources *sources, struct gl_str *out);
/* The year of a series of yearly averages, 0 for any other: such a figure has a year, no age. */
int gl_render_year(const struct gl_series *series);
/* "yearly average of 2025", or "7 min old". */
void gl_render_dated(const struct gl_series *series, int64_t age_s, struct gl_str *out);

/* Quantities of DESIGN section 5. `unit` "gCO2e/kWh" or "%". New references. */
json_t *gl_render_figure_json(const struct gl_figure *figure, enum gl_quantity quantity);
json_t *gl_render_offer_json(const struct gl_question *question, const struct gl_decision *decision,
                             uint32_t offer);
json_t *gl_render_request_json(const struct gl_request *request);
json_t *gl_render_reason_json(const struct gl_reason *reason);

/* Offers that do not fit, counted by reason, most first. */
#define GL_RENDER_REFUSALS 16
struct gl_render_refusal {
    enum gl_outcome outcome; /* violated, unknown or not asked */
    const char *why;         /* "too dirty" */
    size_t count;
};
size_t gl_render_refusals(const struct gl_decision *decision,
                          struct gl_render_refusal out[GL_RENDER_REFUSALS]);
/* "too dirty": why an offer does not fit, in two words. */
const char *gl_render_why(const struct gl_reason *reason);

/* One line each, without indentation; and as JSON, in the same order. */
void gl_render_alternative(const struct gl_question *question, const struct gl_alternative *one,
                           struct gl_str *out);
json_t *gl_render_alternatives_json(const struct gl_question *question,
                                    const struct gl_decision *decision);

/* When unknown offers have evidence below the asked grade only: the sentence that says so and what
 * would admit it. Before it, or alone, the evidence that would do if it did not mean something else
 * than the rule asks for. False, and nothing written, when neither stands in the way.
 * out_grade: the --min-grade that admits it, "" when there is none or a policy file forbids it. */
bool gl_render_grade_hint(const struct gl_question *question, const struct gl_decision *decision,
                          struct gl_str *out, char out_grade[2]);

/* Why nothing fits, in half a sentence. */
const char *gl_render_gist(const struct gl_decision *decision);

/* "ALLOWED" "LATER" "REFUSED" "UNKNOWN" into `out`, coloured when is_color. */
void gl_render_verdict(enum gl_verdict verdict, bool is_color, struct gl_str *out);

#endif
