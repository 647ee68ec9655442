/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_NOTICE_H
#define GL_BROKER_NOTICE_H

/* A cloud's notice that it will end a machine early, as the machine's console shows it
 * (providers/cloud/userdata.h), in ledger, receipt and `status`. The guest says it, nobody signs
 * it: it explains an end, and changes no figure. */

#include "broker/launch.h"

struct gl_notice {
    char kind[8];    /* whose: "aws", "gcp", "azure"; "" = there was none */
    int64_t seen_ms; /* when we saw it, Unix ms */
    bool is_our_end; /* we began to end the machine ourselves */
};

/* Once a launch: event "interruption-notice" {kind, seen_ms}. */
void gl_notice_record(struct gl_launcher *launcher, const struct gl_launch_row *row,
                      const char *kind);
/* What the ledger says of it. Errors: of the ledger. */
int gl_notice_find(struct gl_ledger *ledger, const char *launch, struct gl_notice *out,
                   struct gl_error *err);

/* Was it the provider who ended it? Announced, not by us, and before the end of its lease. */
bool gl_notice_is_end(const struct gl_notice *notice, int64_t ended_ms, int64_t expires_ms);

/* "instance.interruption" of a receipt: {ended_it, kind, seen_ms}; NULL without a notice. */
json_t *gl_notice_json(const struct gl_notice *notice, bool has_ended_it);

#endif
