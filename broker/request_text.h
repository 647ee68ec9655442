/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_REQUEST_TEXT_H
#define GL_BROKER_REQUEST_TEXT_H

/* A provider request written out of one cluster of demand signals, after the template of the place
 * it is for. Pure. Nothing but members of struct gl_cluster and constant tables goes in, counts and
 * hours in steps of 1-2-5, time as months: no account, host, tag, price paid, address or person has
 * a way into it. */

#include "policy/demand.h"
#include "providers/venue/listeners.h"

enum gl_request_form {
    GL_REQUEST_WHOLE,   /* to be filed */
    GL_REQUEST_COMMENT, /* the use case alone, to join what is there already */
};

struct gl_request_text {
    char title[GL_VENUE_TITLE];
    char *markdown, *plain;    /* fresh */
    char *json;                /* canonical, docs/request.schema.json; fresh */
    const char *template_name; /* of the listener; NULL = none */
    const char *language;      /* "en": no provider is known to ask for another one */
};

/* `listener` NULL: of no known place. BAD_VALUE when the fingerprint is none. Freed with
 * gl_request_text_done(). */
int gl_request_text_write(const struct gl_cluster *cluster, const struct gl_listener *listener,
                          enum gl_request_form form, struct gl_request_text *out,
                          struct gl_error *err);
void gl_request_text_done(struct gl_request_text *text);

/* "20 to 50" of a count, in steps of 1-2-5; "none" of 0. Appended. */
void gl_request_add_range(int64_t count, struct gl_str *out);
/* "2026-10", "2026-09 to 2026-11": the months of a cluster. Appended. */
void gl_request_add_months(const struct gl_cluster *cluster, struct gl_str *out);

/* A rule in normal form as people say it: "renewable share at least 95 %, location-based, by the
 * hour". Appended. */
void gl_request_add_rule(const char *rule, struct gl_str *out);

/* ---- tables ---- */

#define GL_WISH_STEPS 4
/* What is asked for, by capability. */
struct gl_wish {
    const char *because;              /* why launches did not run, before the rule */
    const char *noun;                 /* of the title */
    const char *what, *so_that;       /* one sentence; a clause */
    const char *search;               /* words that requests alike would hold */
    const char *steps[GL_WISH_STEPS]; /* that would already help, the first one most */
};
const struct gl_wish *gl_wish_of(enum gl_capability capability);

/* Who does it already. */
struct gl_precedent {
    unsigned capabilities; /* bits 1 << enum gl_capability */
    const char *provider;  /* not shown to itself; "" = of none in our tables */
    const char *text, *url;
    const char *date; /* day it was looked at */
};
/* Rows from *at on that speak of the capability to that provider; NULL at the end. */
const struct gl_precedent *gl_precedent_next(enum gl_capability capability, const char *provider,
                                             size_t *at);
/* What the provider calls such instances: "EC2". */
const char *gl_service_of(const char *provider);

#endif
