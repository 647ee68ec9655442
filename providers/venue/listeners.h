/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VENUE_LISTENERS_H
#define GL_PROVIDERS_VENUE_LISTENERS_H

/* Which provider listens where: every row with its source and the day it was looked at. A provider
 * without a known venue has a row that says so; one that is not in the table is not known at all.
 * An address of a person or a company's mail box is never invented: the user supplies it. */

#include "providers/venue/venue.h"

enum gl_listener_trust {
    GL_LISTENER_DOCUMENTED, /* by the provider's own page or interface description */
    GL_LISTENER_UNVERIFIED, /* told by others only */
    GL_LISTENER_UNKNOWN,    /* looked for and not found */
};

struct gl_listener {
    const char *provider; /* "aws"; as cloud adapters and tables call it */
    const char *of;       /* what is asked about there: "compute", "containers"; NULL = anything */
    const char *area;     /* the same for people: "EC2, regions, sustainability"; "any" */
    const char *venue;    /* name in the registry; NULL = none of ours reaches it */
    const char *target;   /* setting of the venue ("aws/containers-roadmap"); NULL = the user's */
    const char *template_name; /* of its issue form; NULL = none known */
    const char *style;         /* what it asks of a text */
    const char *conditions;    /* contract, consent boxes, stale rules */
    enum gl_listener_trust trust;
    const char *source, *date; /* where it is written; day it was looked at */
};

/* All rows; of one provider they stand together, the one to try first above. */
const struct gl_listener *gl_listeners(size_t *out_count);
/* The rows of a provider from `*at` on: the next one and *at behind it, NULL at the end. */
const struct gl_listener *gl_listener_next(const char *provider, size_t *at);
/* Who listens to requests about `of` ("compute", as gl_demand_area() says it; NULL = whatever), by
 * that venue (NULL = the first one that a venue of ours reaches). With `target` it is the row of
 * that very place, whatever it is there for. NULL = nobody is known to. */
const struct gl_listener *gl_listener_for(const char *provider, const char *of, const char *venue,
                                          const char *target);
const char *gl_listener_trust_word(enum gl_listener_trust trust);

#endif
