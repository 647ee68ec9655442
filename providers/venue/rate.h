/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VENUE_RATE_H
#define GL_PROVIDERS_VENUE_RATE_H

/* May something be sent to a venue now? A pure decision over what was sent before; who keeps that
 * is the caller's matter. Filing, joining and withdrawing count alike: each of them notifies
 * people. A clock that was set back never lets more through. */

#include "base/unit.h"
#include "providers/venue/venue.h"

#define GL_VENUE_PLACE_S    ((int64_t)30 * 24 * 3600) /* one a place in that time */
#define GL_VENUE_DAY_S      ((int64_t)24 * 3600)
#define GL_VENUE_DAY_MOST   3                        /* of all places together, in any 24 hours */
#define GL_VENUE_BACK_OFF_S ((int64_t)3600)          /* after the first failure; then doubled */
#define GL_VENUE_BACK_MAX_S ((int64_t)7 * 24 * 3600) /* and never longer */

struct gl_venue_past {
    const char *place; /* gl_venue_place() */
    struct gl_instant at;
};

struct gl_venue_pace {
    struct gl_instant now;
    const char *place;                /* where it is to go */
    const struct gl_venue_past *past; /* all that was sent, or may have been, in any order */
    size_t past_count;
    bool is_stopped; /* the kill switch is there */
    /* Of this place. A hard stop stays until a person lifts it: then `last` is NONE. */
    enum gl_venue_answer last;
    unsigned failures; /* in a row */
    struct gl_instant failed;
    int64_t told_wait_s; /* by its last answer; -1 = none */
};

enum gl_venue_may {
    GL_VENUE_MAY,
    GL_VENUE_WAIT, /* until `from` */
    GL_VENUE_STOP, /* until a person has looked */
};
struct gl_venue_pace_answer {
    enum gl_venue_may may;
    struct gl_instant from; /* of WAIT */
    char why[160];          /* "" = it may */
};
void gl_venue_pace_decide(const struct gl_venue_pace *pace, struct gl_venue_pace_answer *out);

/* Seconds to wait after so many failures in a row: 1 h, 2 h, 4 h ... 7 days; 0 for none. */
int64_t gl_venue_back_off_s(unsigned failures);

#endif
