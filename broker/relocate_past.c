/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger says of a relocation. */
#include "broker/relocate_part.h"

#include <stdio.h>
#include <string.h>

#include "base/unit.h"

/* ---- reading ---- */

static const char *text_of(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));

    return text != NULL ? text : "";
}

static struct gl_amount amount_of(const json_t *json)
{
    const json_t *ug = json_object_get(json, "ug"), *u_usd = json_object_get(json, "u_usd");

    return (struct gl_amount){json_is_integer(ug) ? json_integer_value(ug) : GL_UNKNOWN,
                              json_is_integer(u_usd) ? json_integer_value(u_usd) : GL_UNKNOWN};
}

static void begin(struct gl_relocate_past *past, const json_t *body)
{
    const json_t *held = json_object_get(body, "held");
    unsigned number = past->number;

    *past = (struct gl_relocate_past){.number = number + 1, .is_open = true};
    past->is_describe_enough = json_is_true(json_object_get(body, "describe_only"));
    past->verify_wait_s = json_integer_value(json_object_get(body, "verify_wait_s"));
    snprintf(past->region, sizeof past->region, "%s", text_of(body, "region"));
    past->held =
        (struct gl_relocation_held){json_is_object(held), amount_of(json_object_get(held, "used")),
                                    amount_of(json_object_get(held, "alone"))};
}

/* Asked for, and the answer to it. */
static void note_image(struct gl_relocate_image *image, bool is_asked, const json_t *body,
                       int64_t at_ms)
{
    if (is_asked)
        image->sent_ms = at_ms;
    image->is_sent = true;
    snprintf(image->id, sizeof image->id, "%s", text_of(body, "image"));
}

static void note_step(struct gl_relocate_past *past, const char *step, const json_t *body,
                      int64_t at_ms)
{
    if (strcmp(step, "halted") == 0) {
        past->is_halted = true;
        past->halted_ms = at_ms;
    } else if (strcmp(step, "imaging") == 0 || strcmp(step, "image") == 0)
        note_image(&past->image, step[5] == 'n', body, at_ms);
    else if (strcmp(step, "imaged") == 0)
        past->is_imaged = true;
    else if (strcmp(step, "copying") == 0 || strcmp(step, "copy") == 0)
        note_image(&past->copy, step[4] == 'i', body, at_ms);
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
    }
}

/* The move with images left behind that an event speaks of; NULL = none. */
static struct gl_relocate_past *left_of(struct gl_relocate_trail *trail, const json_t *body)
{
    json_int_t number = json_integer_value(json_object_get(body, "move"));

    for (size_t i = 0; i < trail->left_count; i++)
        if ((json_int_t)trail->left[i].number == number)
            return &trail->left[i];
    return NULL;
}

static void note_end(struct gl_relocate_trail *trail, const char *step, const json_t *body)
{
    struct gl_relocate_past *last = &trail->last;

    last->is_open = false;
    last->is_moved = strcmp(step, "ended") == 0;
    if (json_array_size(json_object_get(body, "left")) > 0 &&
        trail->left_count < GL_RELOCATE_LEFT_MAX)
        trail->left[trail->left_count++] = *last;
}

static int note_event(void *cookie, const json_t *event)
{
    struct gl_relocate_trail *trail = cookie;
    const char *kind = text_of(event, "kind"), *step = kind + sizeof "relocate-" - 1;
    const json_t *body = json_object_get(event, "body");
    int64_t at_ms = json_integer_value(json_object_get(event, "at_ms"));
    struct gl_relocate_past *left;

    if (strncmp(kind, "relocate-", sizeof "relocate-" - 1) != 0)
        return 0;
    left = left_of(trail, body);
    if (strcmp(step, "intended") == 0)
        begin(&trail->last, body);
    else if (strcmp(step, "ended") == 0 || strcmp(step, "failed") == 0)
        note_end(trail, step, body);
    else if (left == NULL)
        note_step(&trail->last, step, body, at_ms);
    else if (strcmp(step, "swept") == 0)
        *left = trail->left[--trail->left_count];
    else
        note_step(left, step, body, at_ms);
    return 0;
}

int gl_relocate_trail_read(struct gl_ledger *ledger, const char *launch,
                           struct gl_relocate_trail *out, struct gl_error *err)
{
    *out = (struct gl_relocate_trail){.left_count = 0};
    return gl_ledger_events(ledger, launch, out, note_event, err);
}

int gl_relocate_past_read(struct gl_ledger *ledger, const char *launch,
                          struct gl_relocate_past *out, struct gl_error *err)
{
    struct gl_relocate_trail trail;

    if (gl_relocate_trail_read(ledger, launch, &trail, err) != 0)
        return -1;
    *out = trail.last;
    return 0;
}

int gl_relocate_off_since(struct gl_ledger *ledger, const char *launch, int64_t *out_ms,
                          struct gl_error *err)
{
    struct gl_relocate_past past;

    if (gl_relocate_past_read(ledger, launch, &past, err) != 0)
        return -1;
    *out_ms = past.is_halted && (past.is_moved || (past.is_open && past.is_verified))
                  ? past.halted_ms
                  : GL_UNKNOWN;
    return 0;
}

/* ---- what it was launched with ---- */

static int note_terms(void *cookie, const json_t *event)
{
    struct gl_relocate_terms *terms = cookie;
    const json_t *body = json_object_get(event, "body");

    if (strcmp(text_of(event, "kind"), "intent") != 0)
        return 0;
    terms->is_spot = json_is_true(json_object_get(body, "spot"));
    terms->has_user_data = json_is_true(json_object_get(body, "user_data"));
    terms->max_price_u_usd = json_integer_value(json_object_get(body, "max_price_u_usd"));
    snprintf(terms->arch, sizeof terms->arch, "%s", text_of(body, "arch"));
    snprintf(terms->image, sizeof terms->image, "%s", text_of(body, "image"));
    return 0;
}

static int cap_by(const json_t *limit, struct gl_relocate_terms *terms, struct gl_error *err)
{
    int64_t cap;

    if (strcmp(text_of(limit, "key"), "max_price") != 0)
        return 0;
    if (gl_quantity_parse(GL_DIM_PRICE, text_of(limit, "limit"), &cap, err) != 0)
        return gl_wrap(err, "the price cap of its plan");
    if (terms->max_price_u_usd <= 0 || cap < terms->max_price_u_usd)
        terms->max_price_u_usd = cap;
    return 0;
}

int gl_relocate_terms_read(struct gl_ledger *ledger, const struct gl_launch_row *row,
                           struct gl_relocate_terms *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", err);
    struct gl_relocate_terms terms = {.is_spot = false};
    const json_t *rule, *limit;
    size_t i, k;

    if (plan == NULL || gl_ledger_events(ledger, row->launch, &terms, note_terms, err) != 0)
        return -1;
    json_array_foreach(json_object_get(json_object_get(plan, "decision"), "rules"), i, rule)
        json_array_foreach(json_object_get(rule, "limits"), k,
                           limit) if (cap_by(limit, &terms, err) != 0) return -1;
    *out = terms;
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
