/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_GUESTLINE_H
#define GL_BROKER_GUESTLINE_H

/* What a rented machine's own script (providers/cloud/userdata.h) writes on its console beside the
 * readings: how its command ended, the last of what it printed, the document of its identity, its
 * cloud's notice of an early end. The guest may write anything there: nothing of this is believed,
 * it is only what the guest says. What comes by push must be signed: the first two may. Pure but
 * for memory. */

#include "base/json.h"
#include "base/sign.h"
#include "base/str.h"

#define GL_GUEST_DOCUMENT     ((size_t)64 << 10)
#define GL_GUEST_TAIL         ((size_t)16 << 10)
#define GL_GUEST_CONSOLE_TAIL ((size_t)2048) /* bytes of it that the script writes there */

struct gl_guest_said {
    char launch[64];
    bool has_exit;
    int exit_status;        /* 0 to 255 */
    char identity_kind[8];  /* "aws", "gcp", "azure"; "" = no document came */
    char notice[8];         /* whose notice of an early end was seen: as above; "" = none */
    struct gl_str identity; /* the first document */
    struct gl_str tail;     /* lines of the command's output without their mark, or as pushed */
    struct gl_str line;     /* unfinished */
    bool is_tail_whole;     /* an exit came after it */
    bool is_tail_pushed;    /* then is_tail_cut says whether more went before */
    bool is_tail_cut;
};

void gl_guest_said_init(struct gl_guest_said *said, const char *launch);
void gl_guest_said_done(struct gl_guest_said *said);
/* More console text, cut anywhere; what came before may come again. */
void gl_guest_said_feed(struct gl_guest_said *said, const char *bytes, size_t length);

/* What the launch's meter has signed with `key` in a pushed text of lines: how the command ended
 * (agent/batch.h, gl_exit_line()) where that is not known yet, and the last of what it printed
 * (agent/tail.h) where less of it is. Is anything new? */
bool gl_guest_said_pushed(struct gl_guest_said *said, const char *text, size_t length,
                          const struct gl_public_key *key);
/* The tail of `other`, where it is the longer one. */
void gl_guest_tail_take(struct gl_guest_said *said, const struct gl_guest_said *other);
/* The line of a tail as gl_guest_said_feed() takes it, as if it had been pushed, without signature;
 * nothing where there is none. */
void gl_guest_tail_line(const struct gl_guest_said *said, struct gl_str *out);

#endif
