/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger says of a relocation. */
#include "broker/relocate_part.h"

#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

static const char *text_of(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));

    return text != NULL ? text : "";
}

static void begin(struct gl_relocate_past *past, const json_t *body)
{
    unsigned number = past->number;

    *past = (struct gl_relocate_past){.number = number + 1, .is_open = true};
    past->is_describe_enough = json_is_true(json_object_get(body, "describe_only"));
    past->verify_wait_s = json_integer_value(json_object_get(body, "verify_wait_s"));
    snprintf(past->region, sizeof past->region, "%s", text_of(body, "region"));
}

static void note_step(struct gl_relocate_past *past, const char *step, const json_t *body,
                      int64_t at_ms)
{
    if (strcmp(step, "halted") == 0)
        past->is_halted = true;
    else if (strcmp(step, "imaging") == 0)
        snprintf(past->image, sizeof past->image, "%s", text_of(body, "image"));
    else if (strcmp(step, "imaged") == 0)
        past->is_imaged = true;
    else if (strcmp(step, "copying") == 0)
        snprintf(past->copy, sizeof past->copy, "%s", text_of(body, "image"));
    else if (strcmp(step, "copied") == 0)
        past->is_copied = true;
    else if (strcmp(step, "launched") == 0) {
        past->launched_ms = at_ms;
        snprintf(past->launch, sizeof past->launch, "%s", text_of(body, "launch"));
    } else if (strcmp(step, "verified") == 0) {
        past->is_verified = true;
        past->verified_ms = at_ms;
    } else if (strcmp(step, "failing") == 0) {
        past->is_failing = true;
        past->failing_ms = at_ms;
        snprintf(past->why, sizeof past->why, "%s", text_of(body, "why"));
    } else if (strcmp(step, "ended") == 0 || strcmp(step, "failed") == 0)
        past->is_open = false;
}

static int note_event(void *cookie, const json_t *event)
{
    const char *kind = text_of(event, "kind");
    const json_t *body = json_object_get(event, "body");
    int64_t at_ms = json_integer_value(json_object_get(event, "at_ms"));

    if (strcmp(kind, "relocate-intended") == 0)
        begin(cookie, body);
    else if (strncmp(kind, "relocate-", 9) == 0)
        note_step(cookie, kind + 9, body, at_ms);
    return 0;
}

int gl_relocate_past_read(struct gl_ledger *ledger, const char *launch,
                          struct gl_relocate_past *out, struct gl_error *err)
{
    struct gl_relocate_past past = {0};

    if (gl_ledger_events(ledger, launch, &past, note_event, err) != 0)
        return -1;
    *out = past;
    return 0;
}

/* ---- writing ---- */

int gl_relocate_note(const struct gl_relocate *move, const char *kind, json_t *body,
                     const char *state, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *own = body;
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = move->row->launch, .state = state};

    if (own == NULL)
        return gl_fail(err, GL_E_INTERNAL, "%s: a text is not UTF-8", kind);
    json_object_set_new(own, "move", json_integer((json_int_t)move->past.number));
    if (gl_ledger_append(move->launcher->ledger, kind, move->row->launch, own,
                         state != NULL ? &change : NULL, err) != 0)
        return -1;
    gl_launch_step(move->launcher, kind);
    return 0;
}

/* ---- names ---- */

void gl_relocate_image_name(const struct gl_relocate *move, char out[GL_CLOUD_ID])
{
    snprintf(out, GL_CLOUD_ID, "%.40s-move%u", move->row->launch, move->past.number);
}

void gl_relocate_copy_name(const struct gl_relocate *move, char out[GL_CLOUD_ID])
{
    snprintf(out, GL_CLOUD_ID, "%.40s-move%u-there", move->row->launch, move->past.number);
}

/* ---- kin ---- */

static json_t *continues_of(const struct gl_launch_row *row)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *plan = NULL;

    if (strstr(row->plan, "\"continues\":") == NULL)
        return NULL;
    plan = gl_json_parse(row->plan, strlen(row->plan), "plan", &ignored);
    return json_incref(json_object_get(plan, "continues"));
}

static bool is_of(const struct gl_launch_row *row, const char *launch, unsigned number)
{
    GL_AUTO(gl_auto_json) json_t *continues = continues_of(row);

    return strcmp(text_of(continues, "launch"), launch) == 0 &&
           json_integer_value(json_object_get(continues, "move")) == (json_int_t)number;
}

/* Newest first: one that lives goes before all others. */
int gl_relocate_find_new(const struct gl_relocate *move, struct gl_launch_rows *out_rows,
                         size_t *out_index, struct gl_error *err)
{
    struct gl_launch_rows rows = {0};
    bool is_found = false;

    if (gl_ledger_launches(move->launcher->ledger, NULL, &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        if (!is_of(&rows.rows[i], move->row->launch, move->past.number) ||
            (is_found && gl_launch_row_is_over(&rows.rows[i])))
            continue;
        is_found = true;
        *out_index = i;
    }
    gl_launch_rows_free(out_rows);
    *out_rows = rows;
    return is_found;
}

int gl_relocate_kin(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_relocate_kin *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *continues = continues_of(row);
    struct gl_relocate_past past;

    if (gl_relocate_past_read(launcher->ledger, row->launch, &past, err) != 0)
        return -1;
    snprintf(out->from, sizeof out->from, "%s", text_of(continues, "launch"));
    snprintf(out->to, sizeof out->to, "%s", past.is_failing ? "" : past.launch);
    return 0;
}
