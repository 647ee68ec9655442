/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_OUTLOOK_H
#define GL_POLICY_OUTLOOK_H

/* What can be said now of one zone under a set of rules, for the guard: until when they are
 * promised, or until when they hold by the data at hand, and what each coming hour is expected to
 * emit. Missing, stale or below-grade evidence is never a promise. Pure. */

#include "policy/guarantee/book.h"

#define GL_OUTLOOK_H 48

struct gl_outlook_ask {
    const struct gl_policy *policy; /* every rule must hold */
    bool is_promised;               /* false: judged hour by hour on the data at hand instead */
    double probability;             /* of rules without `confidence` */
    struct gl_instant now;
    const struct gl_book_memory *memory;
};

struct gl_outlook {
    enum gl_promise_kind kind;  /* STALE for every gap but too few issues */
    enum gl_gap gap;            /* why nothing can be said; NONE when something can */
    int64_t until_s;            /* promised, or holds by the data, until; GL_UNKNOWN = not at all */
    const struct gl_rule *rule; /* whose until is the earliest; NULL without rules */
    const struct gl_book_entry *entry; /* its promise; NULL when judged by data or not ready */
    uint32_t known_h;                  /* g_per_kwh[] is known for so many hours */
    double g_per_kwh[GL_OUTLOOK_H];    /* average, by location, of hour i after that of now */
};

/* `zone` NULL: nothing is known of it. In the arena; borrows policy, zone and histories. */
void gl_outlook_of(struct gl_arena *arena, const struct gl_outlook_ask *ask,
                   const struct gl_zone_facts *zone, struct gl_outlook *out);

/* Of two zones that are one place the worse. */
const struct gl_outlook *gl_outlook_worse(const struct gl_outlook *a, const struct gl_outlook *b);

/* Mean of the first `hours` hours, g/kWh; false when one of them is not known, or for 0. */
bool gl_outlook_mean(const struct gl_outlook *outlook, uint32_t hours, double *out);

#endif
