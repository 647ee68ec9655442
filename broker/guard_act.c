/* SPDX-License-Identifier: Apache-2.0 */
/* What the guard does to a launch, and what it writes down of it. */
#include <stdlib.h>
#include <string.h>

#include "broker/demand_signal.h"
#include "broker/evidence.h"
#include "broker/guard_part.h"
#include "broker/shift.h"

#define STOP_WAIT ((struct gl_span){10})

void gl_guard_checkpoint(const struct gl_guard *guard, const char *step)
{
    if (guard->launcher->checkpoint != NULL)
        guard->launcher->checkpoint(guard->launcher->cookie, step);
}

/* ---- what it says of a need ---- */

/* The intensity of this hour, where that is what the rule limits. */
static void note_found(const struct gl_outlook *here, struct gl_demand *demand)
{
    const struct gl_constraint *limit = gl_rule_constraint(here->rule, GL_KEY_MAX_INTENSITY);

    if (limit == NULL || here->known_h == 0 || here->g_per_kwh[0] > 1e6 ||
        gl_rule_number(here->rule, GL_KEY_ACCOUNTING) != GL_LOCATION ||
        gl_rule_number(here->rule, GL_KEY_RATE) != GL_AVERAGE)
        return;
    demand->key = GL_KEY_MAX_INTENSITY;
    demand->limit_u = limit->number;
    demand->found_u = (int64_t)(here->g_per_kwh[0] * 1e6);
}

/* The rest of its run, which it does not get, and what that would have emitted. */
static void note_stopped(const struct gl_watch *watch, struct gl_demand *demand)
{
    const int64_t left_s = gl_watch_needed_s(watch);
    double kw, idle_kw, mean;

    demand->lost_ms = left_s * 1000;
    if (left_s > 0 && gl_demand_power(watch->plan, &kw, &idle_kw) &&
        gl_outlook_mean(watch->here, (uint32_t)((left_s + 3599) / 3600), &mean))
        demand->extra_ug = gl_demand_ug(-mean * 1e6 * kw * (double)left_s / 3600);
}

/* What the guard's act says of a need. */
static void note_act(const struct gl_watch *watch, const struct gl_guard_choice *choice,
                     struct gl_demand *demand)
{
    static const struct {
        enum gl_demand_kind kind;
        enum gl_instead instead;
    } rows[] = {
        [GL_GUARD_MOVE] = {GL_DEMAND_MOVE, GL_INSTEAD_MOVED},
        [GL_GUARD_PAUSE] = {GL_DEMAND_PAUSE, GL_INSTEAD_PAUSED},
        [GL_GUARD_STOP] = {GL_DEMAND_BREACH, GL_INSTEAD_STOPPED},
        [GL_GUARD_NOTIFY] = {GL_DEMAND_BREACH, GL_INSTEAD_RAN},
    };

    demand->kind = rows[choice->act].kind;
    demand->instead = rows[choice->act].instead;
    if (choice->act == GL_GUARD_STOP)
        note_stopped(watch, demand);
    if (choice->act == GL_GUARD_NOTIFY)
        demand->lost_ms = 0; /* it runs on; for how long beyond its rules nobody knows yet */
    if (choice->act != GL_GUARD_MOVE || choice->place == SIZE_MAX)
        return;
    gl_demand_moved_to(demand, watch->row->cloud, watch->places[choice->place].name);
    if (choice->gain_g > 0 && choice->gain_g < 1e9)
        demand->extra_ug = -(int64_t)(choice->gain_g * 1e6);
}

/* Without rules nothing of anybody was missing, and what goes as planned is no unmet need. One that
 * is paused does not run on: its pause was told. */
static bool is_of_a_need(const struct gl_watch *watch, const struct gl_guard_choice *choice)
{
    const bool is_act = choice->act == GL_GUARD_MOVE || choice->act == GL_GUARD_PAUSE ||
                        choice->act == GL_GUARD_STOP || choice->act == GL_GUARD_NOTIFY;
    const bool runs_on = strcmp(watch->row->state, "paused") != 0;

    return is_act && (runs_on || choice->act != GL_GUARD_NOTIFY) &&
           choice->why != GL_WHY_PLAN_PAUSES && choice->why != GL_WHY_DONE && watch->here != NULL &&
           watch->here->rule != NULL;
}

/* Stands in the event that begins the act, and is written with the one that says it was done
 * (ledger_owed.c): *out NULL = nothing is to be said. */
static int demand_of(const struct gl_watch *watch, const struct gl_guard_choice *choice,
                     json_t **out, struct gl_error *err)
{
    const struct gl_outlook *here = watch->here;
    const struct gl_span left = {gl_watch_needed_s(watch)};
    GL_AUTO(gl_demand_entry_done) struct gl_demand_entry entry = {0};
    struct gl_demand demand;

    *out = NULL;
    if (!is_of_a_need(watch, choice) ||
        !gl_demand_of_launch(watch->look->guard->launcher->world, watch->row, here->rule->id, left,
                             &demand) ||
        !gl_demand_capability(here->gap, &demand.capability))
        return 0;
    note_found(here, &demand);
    note_act(watch, choice, &demand);
    if (gl_demand_entry_of(&demand, 1, &entry, err) != 0)
        return -1;
    *out = json_incref(entry.body);
    return 0;
}

/* ---- what it rests on ---- */

static const char *state_of(const struct gl_outlook *outlook)
{
    static const char *const words[] = {
        [GL_PROMISED] = "promised",      [GL_NONE_POSSIBLE] = "none possible",
        [GL_TOO_FEW_ISSUES] = "unknown", [GL_STALE] = "unknown",
        [GL_BREAKS_NOW] = "broken now",  [GL_BEYOND_HORIZON] = "promised",
    };

    return words[outlook->kind];
}

static json_t *place_json(const char *region, const char *zone, const struct gl_outlook *outlook)
{
    const struct gl_book_entry *entry = outlook->entry;
    json_t *json = json_pack(
        "{s:s,s:s?,s:s,s:s,s:o}", "region", region, "zone", zone, "state", state_of(outlook),
        "rule", outlook->rule != NULL ? outlook->rule->id : "", "until_s",
        outlook->until_s != GL_UNKNOWN ? json_integer((json_int_t)outlook->until_s) : json_null());

    if (outlook->gap != GL_GAP_NONE)
        json_object_set_new(json, "gap", json_string(gl_gap_sentence(outlook->gap)));
    if (entry != NULL) {
        json_object_set_new(json, "probability_ppm",
                            json_integer((json_int_t)(entry->promise.probability * 1e6 + 0.5)));
        json_object_set_new(json, "issues", json_integer((json_int_t)entry->promise.issues));
    }
    return json;
}

static json_t *evidence_of(const struct gl_watch *watch, const struct gl_guard_choice *choice)
{
    json_t *json = json_pack(
        "{s:o?,s:I,s:I}", "here",
        watch->here != NULL ? place_json(watch->row->region, watch->row->zone, watch->here) : NULL,
        "needed_s", (json_int_t)gl_watch_needed_s(watch), "at_s",
        (json_int_t)watch->look->now.unix_s);

    if (watch->wish.wish != GL_TIMETABLE_NONE && watch->wish.until_s != GL_UNKNOWN)
        json_object_set_new(json, "next_s", json_integer((json_int_t)watch->wish.until_s));

    if (watch->unmoved[0] != '\0')
        json_object_set_new(json, "unmoved", json_string(watch->unmoved));
    if (choice->place == SIZE_MAX)
        return json;
    json_object_set_new(json, "to",
                        place_json(watch->places[choice->place].name,
                                   watch->places[choice->place].zone, watch->there[choice->place]));
    json_object_set_new(json, "gain_ug", json_integer((json_int_t)(choice->gain_g * 1e6)));
    return json;
}

/* And what the act will say of a need when it is done. */
static json_t *evidence_of_act(const struct gl_watch *watch, const struct gl_guard_choice *choice)
{
    struct gl_error told_later = {0}; /* by gl_guard_after() */
    json_t *json = evidence_of(watch, choice), *demand;

    if (demand_of(watch, choice, &demand, &told_later) == 0 && demand != NULL)
        json_object_set_new(json, "demand", demand);
    return json;
}

int gl_guard_note(const struct gl_watch *watch, enum gl_guard_act act,
                  const struct gl_guard_choice *choice, const struct gl_error *failed,
                  struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str error = {0};
    GL_AUTO(gl_auto_json) json_t *body = NULL;

    if (failed != NULL)
        gl_str_add_printable(&error, failed->text, strlen(failed->text));
    body = json_pack("{s:s,s:s,s:o,s:o}", "act", gl_guard_act_word(act), "why",
                     gl_guard_why_sentence(choice->why), "evidence",
                     (failed != NULL ? evidence_of : evidence_of_act)(watch, choice), "error",
                     failed != NULL ? json_string(gl_str_text(&error)) : json_null());
    return gl_ledger_append(watch->look->guard->launcher->ledger, "guard", watch->row->launch, body,
                            NULL, err);
}

/* ---- doing it ---- */

static int shift(const struct gl_watch *watch, size_t place, const struct gl_shift_reason *reason,
                 struct gl_error *err)
{
    const struct gl_guard *guard = watch->look->guard;
    const struct gl_cloud_place *to = &watch->places[place];
    const char *zone = to->zone != NULL ? to->zone : "";
    const struct gl_zone_facts *facts = zone[0] != '\0' ? guard->facts(guard->cookie, zone) : NULL;
    const struct gl_instant until = {watch->row->expires_ms / 1000};
    GL_AUTO(gl_auto_json)
    json_t *series = facts != NULL ? gl_evidence_place(facts, watch->look->now, until) : NULL;

    return gl_launch_move(guard->launcher, watch->row->launch,
                          &(struct gl_shift_place){to->name, zone, series}, reason, err);
}

static int move(struct gl_watch *watch, size_t place, const struct gl_shift_reason *reason,
                struct gl_error *err)
{
    if (watch->is_by_image)
        return gl_guard_relocate(watch, place, reason, err);
    return shift(watch, place, reason, err);
}

/* The end of a launch has no reason of its own: it is written down before. */
static int stop(const struct gl_watch *watch, const struct gl_guard_choice *choice,
                struct gl_error *err)
{
    struct gl_ending ending = {.wait = STOP_WAIT, .exit_status = -1};
    int result;

    if (gl_guard_note(watch, GL_GUARD_STOP, choice, NULL, err) != 0)
        return -1;
    gl_guard_checkpoint(watch->look->guard, "guard-stopping");
    result = gl_launch_finish(watch->look->guard->launcher, watch->row->launch, &ending, err);
    free(ending.receipt);
    return result;
}

int gl_guard_act(struct gl_watch *watch, const struct gl_guard_choice *choice,
                 enum gl_guard_act *out_step, struct gl_error *err)
{
    struct gl_launcher *launcher = watch->look->guard->launcher;
    const char *launch = watch->row->launch;
    GL_AUTO(gl_auto_json) json_t *evidence = evidence_of_act(watch, choice);
    const struct gl_shift_reason reason = {"guard", gl_guard_why_sentence(choice->why), evidence};

    *out_step = choice->act;
    switch (choice->act) {
    case GL_GUARD_MOVE:
        return move(watch, choice->place, &reason, err);
    case GL_GUARD_PAUSE:
        return gl_launch_pause(launcher, launch, &reason, err);
    case GL_GUARD_RESUME:
        *out_step = GL_GUARD_MOVE;
        if (choice->place != SIZE_MAX && move(watch, choice->place, &reason, err) != 0)
            return -1;
        gl_guard_checkpoint(watch->look->guard, "guard-resuming");
        *out_step = GL_GUARD_RESUME;
        return gl_launch_resume(launcher, launch, &reason, err);
    case GL_GUARD_STOP:
        return stop(watch, choice, err);
    default:
        return 0;
    }
}

/* ---- afterwards ---- */

static int promise_in(const struct gl_watch *watch, const struct gl_outlook *outlook,
                      struct gl_error *err)
{
    const struct gl_launcher *launcher = watch->look->guard->launcher;
    const char *launch = watch->continued[0] != '\0' ? watch->continued : watch->row->launch;

    if (outlook == NULL || outlook->entry == NULL || outlook->until_s == GL_UNKNOWN)
        return 0;
    return gl_promise_issue(launcher->ledger, launcher->world, launch, outlook->entry, NULL, err);
}

/* The need was said with the act, unless it cannot be said. A pause or a move that is over now has
 * a cost. */
int gl_guard_after(const struct gl_watch *watch, const struct gl_guard_choice *choice,
                   struct gl_error *err)
{
    const struct gl_outlook *at =
        choice->place != SIZE_MAX ? watch->there[choice->place] : watch->here;
    const bool goes_on = choice->act == GL_GUARD_MOVE || choice->act == GL_GUARD_RESUME;
    const bool is_planned = choice->why == GL_WHY_PLAN_PAUSES || choice->why == GL_WHY_DONE;
    GL_AUTO(gl_auto_json) json_t *demand = NULL;

    if ((goes_on && !is_planned && promise_in(watch, at, err) != 0) ||
        demand_of(watch, choice, &demand, err) != 0)
        return -1;
    return gl_demand_settle(watch->look->guard->launcher->ledger, err);
}

/* ---- a promise that stands ---- */

static int by_launch(const void *key, const void *row)
{
    return strcmp(key, ((const struct gl_guarantee_row *)row)->launch);
}

static bool has_promise(const struct gl_watch *watch)
{
    const struct gl_guarantee_rows *open = &watch->look->open;
    const struct gl_guarantee_row *found = NULL, *end = open->rows + open->count;

    if (open->count > 0)
        found = bsearch(watch->row->launch, open->rows, open->count, sizeof *open->rows, by_launch);
    while (found != NULL && found > open->rows && by_launch(watch->row->launch, found - 1) == 0)
        found--;
    for (; found != NULL && found < end && by_launch(watch->row->launch, found) == 0; found++)
        if (strcmp(found->zone, watch->row->zone) == 0 && found->until_s > watch->look->now.unix_s)
            return true;
    return false;
}

int gl_guard_renew_promise(const struct gl_watch *watch, struct gl_error *err)
{
    if (watch->here == NULL || watch->here->entry == NULL ||
        strcmp(watch->row->state, "running") != 0 || has_promise(watch))
        return 0;
    return promise_in(watch, watch->here, err);
}
