/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/promise.h"

#include "broker/demand_signal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define METHOD      "residual-path first passage"
#define ID_DRAWS    16
#define LIMIT_MAX_U INT64_C(1000000000000000) /* a thousand million of any unit */

/* ---- as JSON ---- */

static const char *const kind_words[] = {"ceiling", "floor", "budget", NULL};

static json_t *leg_json(const struct gl_book_entry *entry, size_t leg)
{
    const struct gl_history *history = entry->history[leg];
    const struct gl_meaning *meaning = &history->meaning;

    return json_pack(
        "{s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s,s:s}", "kind",
        kind_words[entry->legs.leg[leg].kind], "limit_u", (json_int_t)entry->limit_u[leg],
        "quantity", gl_quantity_word(meaning->quantity), "rate", gl_rate_word(meaning->rate),
        "boundary", gl_boundary_word(meaning->boundary), "trace", gl_trace_word(meaning->trace),
        "accounting", gl_accounting_word(meaning->accounting), "share_of",
        (json_int_t)meaning->share_of, "factor_set", meaning->factor_set, "provider",
        history->provider, "dataset", history->dataset);
}

static json_t *legs_json(const struct gl_book_entry *entry)
{
    json_t *legs = json_array();

    for (size_t i = 0; i < entry->legs.count; i++)
        json_array_append_new(legs, leg_json(entry, i));
    return legs;
}

static json_int_t ppm(double share)
{
    return (json_int_t)llround(share * 1e6);
}

static json_t *record_json(const struct gl_guarantee_score *score, uint32_t hours)
{
    size_t class = gl_guarantee_class(hours);
    const struct gl_guarantee_alike *alike = &score->alike[class];

    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I}}", "issued", (json_int_t)score->issued,
                     "kept", (json_int_t)score->kept, "broken", (json_int_t)score->broken,
                     "unsettled", (json_int_t)score->unsettled, "median_h",
                     (json_int_t)score->median_h, "alike", "from_h",
                     (json_int_t)gl_guarantee_class_from_h[class], "kept", (json_int_t)alike->kept,
                     "broken", (json_int_t)alike->broken);
}

static void draw_id(const struct gl_world *world, char out[GL_PROMISE_ID])
{
    uint8_t bytes[4];

    world->random(world->cookie, bytes, sizeof bytes);
    snprintf(out, GL_PROMISE_ID, "gr-%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
}

json_t *gl_promise_json(const struct gl_book_entry *entry, const struct gl_world *world)
{
    const struct gl_promise *promise = &entry->promise;
    char id[GL_PROMISE_ID];

    if (!entry->is_ready || gl_promise_until(promise) == GL_UNKNOWN)
        return NULL;
    draw_id(world, id);
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:o,s:o}", "id", id,
                     "state", "open", "rule", entry->rule->id, "zone", entry->zone->zone, "at_s",
                     (json_int_t)gl_now(world).unix_s, "start_s", (json_int_t)promise->start_s,
                     "until_s", (json_int_t)gl_promise_until(promise), "hours",
                     (json_int_t)promise->hours, "probability_ppm", ppm(promise->probability),
                     "level_ppm", ppm(promise->level), "own_chance_ppm", ppm(promise->own_chance),
                     "issues", (json_int_t)promise->issues, "method", METHOD, "legs",
                     legs_json(entry), "record", record_json(&promise->score, promise->hours));
}

static int issue(struct gl_ledger *ledger, const struct gl_world *world, const char *launch,
                 json_t *body, struct gl_error *err)
{
    char id[GL_PROMISE_ID];

    for (int draw = 1;; draw++) {
        if (gl_ledger_guarantee(ledger, launch, body, err) == 0)
            return 0;
        if (err->code != GL_E_DUPLICATE_KEY || draw == ID_DRAWS)
            return -1;
        gl_error_clear(err);
        draw_id(world, id);
        json_object_set_new(body, "id", json_string(id));
    }
}

int gl_promise_issue(struct gl_ledger *ledger, const struct gl_world *world, const char *launch,
                     const struct gl_book_entry *entry, char out_id[GL_PROMISE_ID],
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = gl_promise_json(entry, world);

    if (out_id != NULL)
        out_id[0] = '\0';
    if (body == NULL)
        return 0;
    if (issue(ledger, world, launch, body, err) != 0)
        return -1;
    if (out_id != NULL)
        snprintf(out_id, GL_PROMISE_ID, "%s", json_string_value(json_object_get(body, "id")));
    return 0;
}

/* ---- settling ---- */

static bool is_word(const json_t *leg, const char *key, const char *word)
{
    const char *text = json_string_value(json_object_get(leg, key));

    return text != NULL && strcmp(text, word) == 0;
}

static bool is_judged_on(const json_t *leg, const struct gl_history *history)
{
    const struct gl_meaning *meaning = &history->meaning;

    return is_word(leg, "quantity", gl_quantity_word(meaning->quantity)) &&
           is_word(leg, "rate", gl_rate_word(meaning->rate)) &&
           is_word(leg, "boundary", gl_boundary_word(meaning->boundary)) &&
           is_word(leg, "trace", gl_trace_word(meaning->trace)) &&
           is_word(leg, "accounting", gl_accounting_word(meaning->accounting)) &&
           is_word(leg, "factor_set", meaning->factor_set) &&
           is_word(leg, "provider", history->provider) &&
           is_word(leg, "dataset", history->dataset) &&
           json_integer_value(json_object_get(leg, "share_of")) == (json_int_t)meaning->share_of;
}

static const struct gl_history *history_of(const json_t *leg, const struct gl_zone_facts *zone)
{
    for (size_t i = 0; zone != NULL && i < zone->history_count; i++)
        if (is_judged_on(leg, zone->histories[i]))
            return zone->histories[i];
    return NULL;
}

static int read_leg(const json_t *json, struct gl_leg *out, struct gl_error *err)
{
    const char *kind;
    int64_t limit_u;
    enum gl_quantity quantity = GL_INTENSITY;
    int k = 0;

    if (gl_json_string(json, "kind", &kind, err) != 0 ||
        gl_json_int(json, "limit_u", -LIMIT_MAX_U, LIMIT_MAX_U, &limit_u, err) != 0)
        return -1;
    while (kind_words[k] != NULL && strcmp(kind_words[k], kind) != 0)
        k++;
    if (kind_words[k] == NULL)
        return gl_fail(err, GL_E_TAMPERED, "\"%s\" is no kind of limit", kind);
    while (quantity < GL_QUANTITIES && !is_word(json, "quantity", gl_quantity_word(quantity)))
        quantity++;
    if (quantity == GL_QUANTITIES)
        return gl_fail(err, GL_E_TAMPERED, "a limit on nothing");
    *out = (struct gl_leg){(enum gl_leg_kind)k, gl_history_value(quantity, limit_u)};
    return 0;
}

/* A stored promise made ready to be settled; legs without a history have nothing measured. */
struct due {
    struct gl_guarantee_rule rule;
    struct gl_promise promise;
    const struct gl_actuals *actuals[GL_GUARANTEE_MAX_LEGS];
};

static int read_due(const json_t *body, const struct gl_zone_facts *zone, struct due *out,
                    struct gl_error *err)
{
    static const struct gl_actuals nothing;
    const json_t *legs = json_object_get(body, "legs");
    int64_t hours;

    *out = (struct due){.promise.kind = GL_PROMISED};
    if (gl_json_int(body, "start_s", 0, INT64_C(253402300800), &out->promise.start_s, err) != 0 ||
        gl_json_int(body, "hours", 1, GL_TRACK_MAX_HORIZON, &hours, err) != 0)
        return -1;
    out->promise.hours = (uint32_t)hours;
    out->rule.count = json_array_size(legs);
    if (out->rule.count < 1 || out->rule.count > GL_GUARANTEE_MAX_LEGS)
        return gl_fail(err, GL_E_TAMPERED, "a promise of nothing");
    for (size_t i = 0; i < out->rule.count; i++) {
        const struct gl_history *history = history_of(json_array_get(legs, i), zone);

        out->actuals[i] = history != NULL ? &history->actuals : &nothing;
        if (read_leg(json_array_get(legs, i), &out->rule.leg[i], err) != 0)
            return -1;
    }
    return 0;
}

/* The state it has come to; NULL = still open. */
static const char *state_of(const struct due *due, const struct gl_settled *settled, int64_t now_s)
{
    int64_t waited_s = now_s - due->promise.start_s - (int64_t)due->promise.hours * GL_HOUR_S;

    switch (settled->kind) {
    case GL_SETTLED_BREACHED:
        return settled->on_estimates && waited_s < GL_PROMISE_REVISED_S ? NULL : "breached";
    case GL_SETTLED_KEPT:
        return settled->on_estimates && waited_s < GL_PROMISE_REVISED_S ? NULL : "kept";
    case GL_SETTLED_MISSING:
        return waited_s < GL_PROMISE_MISSING_S ? NULL : "unsettled";
    default:
        return NULL;
    }
}

/* ---- was the launch there? ---- */

/* Stretches in which it ran in the zone, as the events tell. */
struct presence {
    const char *zone;
    bool is_home; /* it was launched there */
    bool has_begun;
    int64_t from_ms, until_ms; /* of the hour */
    bool is_there;             /* since the last event */
    bool was_there;            /* some time in the hour */
    int64_t there_ms;          /* of it */
    int64_t since_ms;
};

static void note_stretch(struct presence *presence, int64_t until_ms)
{
    int64_t from_ms =
        presence->since_ms > presence->from_ms ? presence->since_ms : presence->from_ms;

    if (!presence->is_there || presence->since_ms >= presence->until_ms ||
        until_ms <= presence->from_ms)
        return;
    presence->was_there = true;
    presence->there_ms += (until_ms < presence->until_ms ? until_ms : presence->until_ms) - from_ms;
}

static int note_presence(void *cookie, const json_t *event)
{
    static const char *const starts[] = {"launched", "found", "adopted"};
    static const char *const shifts[] = {"paused", "resumed", "moved", "stayed"};
    static const char *const ends[] = {"ended", "lost", "absent", "failed"};
    struct presence *presence = cookie;
    const json_t *body = json_object_get(event, "body");
    int64_t at_ms = json_integer_value(json_object_get(event, "at_ms"));
    bool is_there = presence->is_there;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (is_word(event, "kind", starts[i])) {
            presence->has_begun = true;
            is_there = presence->is_home;
        }
    for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++)
        if (is_word(event, "kind", shifts[i]))
            is_there = is_word(body, "state", "running") && is_word(body, "zone", presence->zone);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        is_there &= !is_word(event, "kind", ends[i]);
    if (is_there == presence->is_there)
        return 0;
    note_stretch(presence, at_ms);
    presence->is_there = is_there;
    presence->since_ms = at_ms;
    return 0;
}

static bool is_launched_in(struct gl_ledger *ledger, const struct gl_guarantee_row *row)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    GL_AUTO(gl_auto_json) json_t *plan = NULL;
    struct gl_error ignored = {0};
    const json_t *zone;
    size_t i;

    if (gl_ledger_launches(ledger, row->launch, &rows, &ignored) != 0)
        return true;
    for (i = 0; i < rows.count && plan == NULL; i++)
        if (strcmp(rows.rows[i].launch, row->launch) == 0)
            plan = gl_json_parse(rows.rows[i].plan, strlen(rows.rows[i].plan), "plan", &ignored);
    json_array_foreach(json_object_get(json_object_get(plan, "offer"), "zones"), i,
                       zone) if (json_is_string(zone) &&
                                 strcmp(json_string_value(zone), row->zone) == 0) return true;
    return plan == NULL;
}

/* False: its events cannot be read. */
static bool presence_in(struct gl_ledger *ledger, const struct gl_guarantee_row *row,
                        int64_t hour_s, struct presence *out)
{
    struct gl_error ignored = {0};

    *out = (struct presence){.zone = row->zone,
                             .is_home = is_launched_in(ledger, row),
                             .from_ms = hour_s * 1000,
                             .until_ms = (hour_s + GL_HOUR_S) * 1000};
    if (gl_ledger_events(ledger, row->launch, out, note_presence, &ignored) != 0)
        return false;
    note_stretch(out, INT64_MAX);
    return true;
}

/* Of a launch that the ledger cannot tell of it is taken to have been there. */
static bool was_there(struct gl_ledger *ledger, const struct gl_guarantee_row *row, int64_t hour_s)
{
    struct presence presence;

    return !presence_in(ledger, row, hour_s, &presence) || presence.was_there ||
           !presence.has_begun;
}

/* ---- grams against the promise ---- */

struct breach {
    const struct gl_guarantee_row *row;
    const json_t *body; /* of the promise */
    const struct due *due;
    int64_t hour_s; /* the first that is broken */
    int64_t now_s;
};

/* A ceiling on what an hour of the grid emits on average; others are no grams. */
static bool is_of_grams(const json_t *leg, const struct gl_leg *limit)
{
    return limit->kind == GL_LEG_CEILING &&
           is_word(leg, "quantity", gl_quantity_word(GL_INTENSITY)) &&
           is_word(leg, "rate", gl_rate_word(GL_AVERAGE)) &&
           is_word(leg, "accounting", gl_accounting_word(GL_LOCATION));
}

/* g/kWh of that hour beyond the tightest of its ceilings; false where no figure says. */
static bool beyond_in(const struct due *due, const json_t *legs, int64_t hour_s, double *out)
{
    bool is_known = false;

    *out = 0;
    for (size_t i = 0; i < due->rule.count; i++) {
        float value;
        double beyond;

        if (!is_of_grams(json_array_get(legs, i), &due->rule.leg[i]) ||
            !gl_actual_at(due->actuals[i], hour_s, &value))
            continue;
        beyond = (double)value - (double)due->rule.leg[i].limit;
        *out = beyond > *out ? beyond : *out;
        is_known = true;
    }
    return is_known;
}

/* What it emitted beyond what was promised, at the watts of its plan: until the breach was found,
 * which is as far as the figures go from the broken hour on. */
static int64_t beyond_ug(struct gl_ledger *ledger, const struct gl_launch_row *launch,
                         const struct breach *breach)
{
    const struct due *due = breach->due;
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_json_parse(launch->plan, strlen(launch->plan), "plan", &ignored);
    double kw, idle_kw, sum = 0;

    if (!gl_demand_power(plan, &kw, &idle_kw))
        return GL_UNKNOWN;
    for (uint32_t i = 0; i < due->promise.hours; i++) {
        int64_t hour_s = due->promise.start_s + (int64_t)i * GL_HOUR_S;
        struct presence presence;
        double beyond;

        if (hour_s + GL_HOUR_S > breach->now_s ||
            !beyond_in(due, json_object_get(breach->body, "legs"), hour_s, &beyond)) {
            if (hour_s <= breach->hour_s)
                return GL_UNKNOWN;
            break;
        }
        if (!presence_in(ledger, breach->row, hour_s, &presence) || !presence.has_begun)
            return GL_UNKNOWN;
        sum += beyond * (double)presence.there_ms / 3600000;
    }
    return gl_demand_ug(sum * kw * 1e6);
}

/* ---- and the ledger ---- */

/* Its region, where it was launched or has been moved to the zone of the promise; else nobody says.
 */
static void note_place(const struct gl_launch_row *launch, const struct gl_guarantee_row *row,
                       struct gl_demand *demand)
{
    if (launch->zone[0] != '\0' && strcmp(launch->zone, row->zone) != 0)
        demand->region[0] = '\0';
}

/* The unmet need of a broken promise. It is left empty where nothing can be said: of a launch that
 * the ledger does not know, of one without rules on figures, or in words that no signal may hold.
 */
static int note_need(const struct gl_promise_settling *ask, const struct breach *breach,
                     struct gl_demand_entry *out, struct gl_error *err)
{
    const struct gl_guarantee_row *row = breach->row;
    const json_t *body = breach->body;
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    const char *rule = json_string_value(json_object_get(body, "rule"));
    const struct gl_span hours = {json_integer_value(json_object_get(body, "hours")) * 3600};
    struct gl_error ignored = {0};
    struct gl_demand need;

    if (gl_ledger_launches(ask->ledger, row->launch, &rows, err) != 0)
        return -1;
    if (rows.count == 0 || !gl_demand_of_launch(ask->world, &rows.rows[0], rule, hours, &need))
        return 0;
    need.kind = GL_DEMAND_BREACH;
    need.capability = GL_CAPABILITY_GREEN;
    need.instead = GL_INSTEAD_RAN;
    need.lost_ms = 0;
    need.extra_ug = beyond_ug(ask->ledger, &rows.rows[0], breach);
    note_place(&rows.rows[0], row, &need);
    gl_demand_entry_of(&need, 1, out, &ignored);
    return 0;
}

/* What is made known and written down of one promise. */
struct settling {
    const struct gl_promise_settling *ask;
    struct gl_promises_settled *counts;
    int64_t now_s;
};

static void tell(const struct settling *settling, const struct gl_promise_news *news)
{
    if (settling->ask->news != NULL)
        settling->ask->news(settling->ask->cookie, news);
}

static int record(const struct settling *settling, const struct gl_promise_news *news,
                  const struct gl_ledger_demand *need, bool *out_settled, struct gl_error *err)
{
    bool is_broken = strcmp(news->state, "breached") == 0;
    GL_AUTO(gl_auto_json)
    json_t *body =
        json_pack("{s:s,s:s,s:I,s:o,s:b,s:o}", "id", news->row->id, "state", news->state, "at_s",
                  (json_int_t)settling->now_s, "hour_s",
                  news->hour_s != GL_UNKNOWN ? json_integer((json_int_t)news->hour_s) : json_null(),
                  "on_estimates", news->on_estimates, "was_there",
                  is_broken ? json_boolean(news->was_there) : json_null());

    return gl_ledger_guarantee_settle(settling->ask->ledger, news->row->launch, body, need,
                                      out_settled, err);
}

static void count(struct gl_promises_settled *counts, const struct gl_promise_news *news)
{
    counts->kept += strcmp(news->state, "kept") == 0;
    counts->breached += strcmp(news->state, "breached") == 0;
    counts->unsettled += strcmp(news->state, "unsettled") == 0;
    counts->met += strcmp(news->state, "breached") == 0 && news->was_there;
}

/* State and need go into the ledger together: who is killed between the two would lose the need,
 * for what is settled is not looked at again. */
static int settle_as(struct settling *settling, const struct gl_promise_news *news,
                     const json_t *body, const struct due *due, struct gl_error *err)
{
    const struct breach breach = {news->row, body, due, news->hour_s, settling->now_s};
    bool is_met = strcmp(news->state, "breached") == 0 && news->was_there;
    GL_AUTO(gl_demand_entry_done) struct gl_demand_entry need = {0};
    bool is_settled;

    if ((is_met && note_need(settling->ask, &breach, &need, err) != 0) ||
        record(settling, news, need.body != NULL ? &need.row : NULL, &is_settled, err) != 0)
        return -1;
    if (!is_settled) /* by another process meanwhile */
        return 0;
    count(settling->counts, news);
    tell(settling, news);
    return 0;
}

static int settle_row(struct settling *settling, const struct gl_guarantee_row *row,
                      const json_t *body, const struct due *due, struct gl_error *err)
{
    struct gl_promise_news news = {.row = row, .hour_s = GL_UNKNOWN};
    struct gl_settled settled;

    gl_guarantee_settle(&due->rule, due->actuals, &due->promise, settling->now_s, &settled);
    news.state = state_of(due, &settled, settling->now_s);
    news.on_estimates = settled.on_estimates;
    if (settled.kind == GL_SETTLED_BREACHED || settled.kind == GL_SETTLED_MISSING)
        news.hour_s = due->promise.start_s + (int64_t)settled.hour * GL_HOUR_S;
    if (settled.kind == GL_SETTLED_BREACHED)
        news.was_there = was_there(settling->ask->ledger, row, news.hour_s);
    if (news.state != NULL)
        return settle_as(settling, &news, body, due, err);
    settling->counts->open++;
    news.state = "open";
    if (settled.kind == GL_SETTLED_BREACHED)
        tell(settling, &news);
    return 0;
}

/* A promise that cannot be read does not keep the others from being settled. */
static int settle_text(struct settling *settling, const struct gl_guarantee_row *row,
                       struct gl_error *err)
{
    const struct gl_zone_facts *zone = settling->ask->facts(settling->ask->cookie, row->zone);
    struct gl_error why = {0};
    GL_AUTO(gl_auto_json) json_t *body = gl_json_parse(row->body, strlen(row->body), row->id, &why);
    struct due due;

    if (body != NULL && read_due(body, zone, &due, &why) == 0)
        return settle_row(settling, row, body, &due, err);
    gl_wrap(&why, "guarantee %s", row->id);
    if (settling->counts->failed++ == 0)
        settling->counts->first = why;
    return 0;
}

int gl_promise_settle(const struct gl_promise_settling *ask, struct gl_promises_settled *out,
                      struct gl_error *err)
{
    struct settling settling = {ask, out, gl_now(ask->world).unix_s};
    struct gl_guarantee_rows rows;
    int result = 0;

    *out = (struct gl_promises_settled){0};
    if (gl_ledger_guarantees(ask->ledger, "open", &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count && result == 0; i++)
        result = settle_text(&settling, &rows.rows[i], err);
    gl_guarantee_rows_free(&rows);
    return result;
}

int gl_promise_settle_all(struct gl_ledger *ledger, const struct gl_world *world,
                          gl_facts_of *facts, void *cookie, struct gl_promises_settled *out,
                          struct gl_error *err)
{
    const struct gl_promise_settling ask = {ledger, world, facts, cookie, NULL};

    if (gl_promise_settle(&ask, out, err) != 0)
        return -1;
    return out->failed == 0 ? 0 : gl_fail(err, out->first.code, "%s", out->first.text);
}
