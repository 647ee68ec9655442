/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SHOW_TOLD_H
#define GL_BROKER_CLI_SHOW_TOLD_H

/* What the machine of a launch and its cloud have told of it besides figures, for `status`: where
 * it is, and that it is going to be ended early. Reads the ledger only. */

#include "broker/cli/command.h"
#include "broker/notice.h"
#include "broker/place.h"

struct gl_told {
    struct gl_notice notice;
    struct gl_place_known place;
    bool was_interrupted; /* ended by its provider, as announced */
};

/* What cannot be read is not told. */
void gl_told_find(struct gl_ledger *ledger, const struct gl_launch_row *row, struct gl_told *out);
/* Its members of the envelope, null where nothing is told: "interruption", "place". */
void gl_told_json(const struct gl_told *told, json_t *json);
/* Warn of a place that is in doubt; a line for people of a notice, while it runs. */
void gl_told_say(struct gl_context *context, const struct gl_launch_row *row,
                 const struct gl_told *told, bool is_running, struct gl_str *out);

#endif
