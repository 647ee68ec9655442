/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_GUARANTEE_BOOK_PART_H
#define GL_POLICY_GUARANTEE_BOOK_PART_H

/* For which watts a limit on grams is promised (book_power.c). Every power costs a year of replay,
 * so of many only those are taken between which the answer changes. */

#include "policy/guarantee/book.h"

struct gl_book_question {
    const struct gl_book_ask *ask;
    const struct gl_rule *rule;
    const struct gl_zone_facts *zone;
    const struct gl_history *intensity; /* that the rule means; NULL = there is none */
};

/* Kilowatts, with PUE and at the upper bound, of the offers in the zone that are asked about:
 * ascending and apart, at most GL_BOOK_POWERS, the highest among them. Returns their number. */
size_t gl_book_powers(struct gl_arena *arena, const struct gl_book_question *about,
                      double **out_kw);
/* Of one load; 0 when its watts are not known. */
double gl_book_kw(const struct gl_book_load *load);

#endif
