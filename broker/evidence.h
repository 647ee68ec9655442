/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_EVIDENCE_H
#define GL_BROKER_EVIDENCE_H

/* Series as canonical JSON inside plans and receipts, and back. A point is an array
 * [from_s, until_s, value, low, high, evidence, updated_s]; what is unknown is null, and receipts
 * of method 1 have no updated_s. Refuses unknown words. */

#include "base/json.h"
#include "policy/facts.h"

/* The series' points that overlap [from_s, until_s), with everything that says what they mean. */
json_t *gl_evidence_json(const struct gl_series *series, int64_t from_s, int64_t until_s);
/* Back to a series; points are owned by the caller (free(out->points)). Errors: BAD_REPLY. */
int gl_evidence_parse(const json_t *evidence, struct gl_series *out, struct gl_error *err);

/* Of zones, from now on: the first source of each figure that covers [from, until) with bounds; an
 * intensity that has them for a year only is taken from hours without. New reference. */
json_t *gl_evidence_figures(const struct gl_zone_facts *const *zones, size_t count,
                            struct gl_instant from, struct gl_instant until);
/* The same of a span that is over, as it is known `now`: how old an hour is says nothing of what it
 * was. New reference. */
json_t *gl_evidence_past(const struct gl_zone_facts *const *zones, size_t count,
                         struct gl_instant from, struct gl_instant until, struct gl_instant now);
/* What else is known of them, in the order of sources: rules may rest on another source than the
 * reported figures, and a receipt asks them again. Makes no carbon. New reference. */
json_t *gl_evidence_others(const struct gl_zone_facts *const *zones, size_t count,
                           struct gl_instant from, struct gl_instant until, const json_t *figures);
/* Both of one zone, for struct gl_shift_place. New reference. */
json_t *gl_evidence_place(const struct gl_zone_facts *zone, struct gl_instant from,
                          struct gl_instant until);

/* All series of a receipt, and which of them make its carbon: of each zone the first that is a
 * location-based average intensity, never mixed with marginal or market figures. */
#define GL_EVIDENCE_SERIES_MAX 64
struct gl_evidence_list {
    size_t count;
    struct gl_series series[GL_EVIDENCE_SERIES_MAX];
    bool is_counted[GL_EVIDENCE_SERIES_MAX];
};
/* From the array "series". Errors: TOO_LARGE, BAD_REPLY. */
int gl_evidence_list_parse(const json_t *series, struct gl_evidence_list *out,
                           struct gl_error *err);
void gl_evidence_list_done(struct gl_evidence_list *list);
/* "instance.series": what was known of the place of each move when it was asked for; every series
 * says by "move" which. */
struct gl_evidence_move {
    int64_t move;
    struct gl_evidence_list list;
};
struct gl_evidence_moves {
    size_t count;
    struct gl_evidence_move *items;
};
#define GL_EVIDENCE_MOVES_MAX 512
/* NULL = none. Free with gl_evidence_moves_done(). Errors: TOO_LARGE, BAD_REPLY. */
int gl_evidence_moves_parse(const json_t *series, struct gl_evidence_moves *out,
                            struct gl_error *err);
void gl_evidence_moves_done(struct gl_evidence_moves *moves);
/* NULL when nothing was known. */
const struct gl_evidence_list *gl_evidence_moves_find(const struct gl_evidence_moves *moves,
                                                      int64_t move);
/* The worst grade of the points of the counted series, from 'A' on. */
char gl_evidence_list_grade(const struct gl_evidence_list *list);

/* Bounds of a point whose source states none (docs/method.md). A yearly average always gets the
 * spread of hours around yearly means, x0.53 .. x1.45: 90 % of zone-hours. The rest, since method
 * 4, of an observed hour x0.886 .. x1.114: 95 % of revisions; of any other, the spread of hours. */
enum gl_unbounded {
    GL_UNBOUNDED_EXACT, /* the value itself, as receipts before method 4 have it */
    GL_UNBOUNDED_WIDENED
};

/* Time-weighted mean and extreme bounds of [from_s, until_s) in out[3] = low, central, high; -1
 * when a part is not covered (out untouched). */
int gl_evidence_over(const struct gl_series *series, int64_t from_s, int64_t until_s,
                     enum gl_unbounded unbounded, int64_t out[3]);

#define GL_ANNUAL_LOW_PERMILLE   530
#define GL_ANNUAL_HIGH_PERMILLE  1450
#define GL_REVISED_LOW_PERMILLE  886
#define GL_REVISED_HIGH_PERMILLE 1114

#endif
