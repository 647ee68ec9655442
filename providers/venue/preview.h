/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VENUE_PREVIEW_H
#define GL_PROVIDERS_VENUE_PREVIEW_H

/* A draft, and what would be sent of it: exactly the bytes, where, and under whose name. All of it
 * is pure. An approval is the digest of a preview; what is not in a preview is never sent, but for
 * the credentials and signatures that it names. */

#include "base/sign.h"
#include "base/unit.h"

#define GL_VENUE_TAG        16 /* "GL-7f3a91c2" */
#define GL_VENUE_ID         400
#define GL_VENUE_PLACE      640
#define GL_VENUE_URL        8193 /* of a prefilled form */
#define GL_VENUE_LINK       512
#define GL_VENUE_TITLE      256
#define GL_VENUE_NOTE       512
#define GL_VENUE_STEPS      3
#define GL_VENUE_CANDIDATES 3
#define GL_VENUE_BODY_MAX   ((size_t)64 << 10) /* of a draft's text */

struct gl_venue; /* venue.h */

/* ---- a draft ---- */

/* A field of the venue's own template or form. */
struct gl_venue_field {
    const char *id;    /* how a form names it; NULL = only a heading */
    const char *label; /* for people: the heading in a text */
    const char *value; /* Markdown */
};

/* What is to be filed, and for GL_VENUE_JOINING the comment. All borrowed; NULL = none. */
struct gl_venue_request {
    const char *fingerprint; /* 64 lower-case hex digits */
    const char *title;       /* without the tag; at most GL_VENUE_TITLE */
    const char *markdown;    /* the text; at most GL_VENUE_BODY_MAX */
    const char *plain;       /* the same as plain text; NULL = the Markdown */
    const char *json;        /* the same for machines: one JSON object */
    /* The same text cut into the venue's own template: it then takes the place of the text. */
    const struct gl_venue_field *fields;
    size_t field_count;
    const char *template_name; /* "proposal.yml" */
    const char *language;      /* "en"; NULL = English */
    const char *const *labels; /* NULL-terminated */
    struct gl_instant drafted; /* dates the text; nothing of ours is older than it */
};

/* ---- the preview ---- */

enum gl_venue_action { GL_VENUE_FILING, GL_VENUE_JOINING, GL_VENUE_WITHDRAWING };
const char *gl_venue_action_word(enum gl_venue_action action); /* "file", "join", "withdraw" */

/* One exchange, in the order of sending. Credentials, signatures and the times inside them are
 * added when it is sent; `added` names them. */
struct gl_venue_step {
    char method[12]; /* "POST"; "write", "open" and "mail" are no HTTP */
    char *where;     /* address, or path of a file */
    char *headers;   /* "Name: value" lines, each ended by '\n' */
    char *body;      /* exact bytes */
    size_t body_length;
    char added[160];
    bool is_create; /* its outcome matters: unanswered is OUTCOME */
};

struct gl_venue_preview {
    enum gl_venue_action action;
    char venue[24];
    char place[GL_VENUE_PLACE]; /* gl_venue_place() */
    char tag[GL_VENUE_TAG];
    char target[GL_VENUE_ID]; /* of joining and withdrawing: the id */
    char sender[200];         /* under whose name, as far as the settings say */
    char note[GL_VENUE_NOTE]; /* what was shortened or will be dropped; "" = nothing */
    struct gl_instant drafted;
    struct gl_venue_step steps[GL_VENUE_STEPS];
    size_t step_count;
    char digest[GL_HASH_HEX]; /* SHA-256 over all of the above */
};

/* Pure: exactly what would be sent, where and under whose name. `target` is the id of what is
 * joined or withdrawn, NULL for filing. BAD_VALUE, TOO_LARGE, CONFIG; USAGE when the venue cannot.
 * Freed with gl_venue_preview_done(). */
int gl_venue_preview(const struct gl_venue *venue, enum gl_venue_action action,
                     const struct gl_venue_request *request, const char *target,
                     struct gl_venue_preview *out, struct gl_error *err);
void gl_venue_preview_done(struct gl_venue_preview *preview);
/* Append it for people; foreign bytes cannot steer a terminal. */
void gl_venue_preview_text(const struct gl_venue_preview *preview, struct gl_str *out);
/* The digest of a preview as it is now, lower-case hex. */
void gl_venue_digest(const struct gl_venue_preview *preview, char out[GL_HASH_HEX]);

/* "GL-7f3a91c2" of a fingerprint; BAD_VALUE when it is none. */
int gl_venue_tag(const char *fingerprint, char out[GL_VENUE_TAG], struct gl_error *err);

#endif
