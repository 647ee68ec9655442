/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VENUE_LAYOUT_H
#define GL_PROVIDERS_VENUE_LAYOUT_H

/* How venues write a request (an issue, a ticket, a case) into their JSON, as one table a venue,
 * and what reads by it: what was made, what was found, what became of it. It asks nothing. */

#include "base/json.h"
#include "providers/venue/venue.h"

/* Members are written as in gl_venue_member(); NULL = the venue does not say. */
struct gl_venue_layout {
    const char *noun;              /* "issue": "the answer names no issue" */
    const char *id;                /* a number above 0, or a text that is_id takes */
    unsigned digits;               /* ids are numbers, asked for with at most so many; 0 = is_id */
    bool (*is_id)(const char *id); /* where ids are no numbers */
    const char *id_rule;           /* "an issue has a number"; NULL = any id may be asked for */
    const char *link;              /* its address for people */
    const char *browse;            /* where the answer has none: between endpoint and id */
    const char *title, *reason, *updated, *comments, *votes;
    const char *state;
    const char *open;     /* words of the state, "new|open"; NULL = what is not closed */
    const char *closed;   /* the same; NULL = it is not told by a word */
    const char *answered; /* the same; NULL = what has comments */
};

/* Is it an id that this venue may be asked for? BAD_VALUE saying how ids look. */
int gl_venue_check_id(const struct gl_venue_ops *ops, const char *id, struct gl_error *err);
/* Id and address of a request. BAD_REPLY when it has no id. */
int gl_venue_read_receipt(const struct gl_venue *venue, const json_t *object,
                          struct gl_venue_receipt *out, struct gl_error *err);
/* Is the object a request with its state? BAD_REPLY when it is something else. */
int gl_venue_check_request(const struct gl_venue *venue, const json_t *object,
                           struct gl_error *err);
/* The first of a list whose member holds the tag in brackets; NULL = none does. Borrowed. */
const json_t *gl_venue_tagged(const json_t *list, const char *member, const char *tag);
/* Look for the tag in the titles of a list: 1 and the receipt, 0 = not there, -1 BAD_REPLY. */
int gl_venue_look_in(const struct gl_venue *venue, const json_t *list, const char *tag,
                     struct gl_venue_receipt *out, struct gl_error *err);
/* One more candidate, unless there are GL_VENUE_CANDIDATES. BAD_REPLY when it has no id. */
int gl_venue_add_candidate(const struct gl_venue *venue, const json_t *object,
                           struct gl_venue_candidate *out, size_t *out_count, struct gl_error *err);
bool gl_venue_is_closed(const struct gl_venue *venue, const json_t *object);
void gl_venue_read_status(const struct gl_venue *venue, const json_t *object,
                          struct gl_venue_status *out);

#endif
