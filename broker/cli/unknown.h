/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_UNKNOWN_H
#define GL_BROKER_CLI_UNKNOWN_H

/* Instances that carry our labels, run, and stand in no live launch of the ledger: what is left
 * when a ledger is lost. Found through the clouds, so that status can show and stop can end them.
 */

#include "broker/cli/act.h"

struct gl_unknown {
    const char *cloud; /* name of its driver */
    struct gl_instance instance;
};
struct gl_unknowns {
    size_t count;
    struct gl_unknown *items;
    size_t unasked;  /* clouds that could not be asked; warned of */
    size_t answered; /* those that could */
    /* "aws in eu-west-1, ap-east-1": where an answer says that we may not look; "" = nowhere.
     * Warned of. */
    char unseen[320];
};

/* Ask this machine, every cloud of the configuration and every one that the ledger has launches
 * of. Without a ledger (launcher->ledger NULL) every running instance is unknown. */
void gl_unknowns_find(struct gl_context *context, struct gl_launcher *launcher,
                      struct gl_unknowns *out);
void gl_unknowns_done(struct gl_unknowns *unknowns);

/* Their members of the envelope. */
json_t *gl_unknown_json(const struct gl_unknown *unknown);

/* End one in order, wait at most so long for its meter; nothing is written down. */
int gl_unknown_stop(struct gl_launcher *launcher, const struct gl_unknown *unknown,
                    struct gl_span wait, struct gl_error *err);

#endif
