/* SPDX-License-Identifier: Apache-2.0 */
/* One launch in the ledger: what is written of it on its way, and found again. */
#include "broker/finish.h"

#include <string.h>

int gl_launch_record_state(const struct gl_launcher *launcher, const char *launch, const char *kind,
                           const char *state, const char *why, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s,s:s}", "state", state, "why", why);
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = state};

    if (body == NULL) /* a provider's bytes that are no UTF-8 */
        body = json_pack("{s:s,s:s}", "state", state, "why", "(unprintable)");
    if (strcmp(state, "ended") == 0)
        change.ended_ms = launcher->world->now_ms(launcher->world->cookie);
    return gl_ledger_append(launcher->ledger, kind, launch, body, &change, err);
}

int gl_launch_record_running(const struct gl_launcher *launcher, const struct gl_instance *instance,
                             const char *launch, const char *kind, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:s}", "instance", instance->id, "how", instance->how);
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "running",
                                      .instance = instance->id};

    return gl_ledger_append(launcher->ledger, kind, launch, body, &change, err);
}

int gl_launch_find(struct gl_launcher *launcher, const char *id, struct gl_launch_rows *rows,
                   size_t *out_index, struct gl_error *err)
{
    gl_launch_rows_free(rows);
    if (gl_ledger_launches(launcher->ledger, id, rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].launch, id) == 0) {
            *out_index = i;
            return 0;
        }
    return gl_fail(err, GL_E_UNKNOWN_NAME, "no launch \"%s\"", id);
}

bool gl_launch_row_is_over(const struct gl_launch_row *row)
{
    return strcmp(row->state, "ended") == 0 || strcmp(row->state, "lost") == 0;
}
