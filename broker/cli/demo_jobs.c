/* SPDX-License-Identifier: Apache-2.0 */
/* What runs on a simulated day: jobs that arrive, wait for a promise, run and end. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/act.h"
#include "broker/cli/demo.h"
#include "broker/evidence.h"
#include "broker/promise.h"
#include "broker/receipt.h"
#include "broker/render/promise.h"

#define HOUR_MS    INT64_C(3600000)
#define MINUTE_MS  INT64_C(60000)
#define INTERVAL_S 1800
#define PUE        1.2
#define HOST_VCPUS 64

/* ---- what there is to do ---- */

static uint32_t draw(struct gl_demo *demo, uint32_t below)
{
    uint8_t bytes[4];

    demo->world->random(demo->world->cookie, bytes, sizeof bytes);
    return ((uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2]) % below;
}

/* Half of them may move; the others are bound to their place and paused, or only watched. The first
 * three come to the second zone before anything happens there, one of each. */
static void make_job(struct gl_demo *demo, size_t index)
{
    static const char *const names[] = {"web", "batch", "train", "?"};
    static const enum gl_on_lapse kinds[] = {GL_LAPSE_MOVE, GL_LAPSE_PAUSE, GL_LAPSE_MOVE,
                                             GL_LAPSE_NOTIFY};
    static const enum gl_on_lapse first[] = {GL_LAPSE_MOVE, GL_LAPSE_PAUSE, GL_LAPSE_NOTIFY};
    struct gl_demo_job *job = &demo->jobs[index];
    size_t zones = gl_sim_grid_zones(demo->grid);
    int64_t day_ms = gl_sim_grid_day_s(demo->grid) * 1000;

    job->on_lapse = index < 3 ? first[index] : kinds[draw(demo, 4)];
    job->home = index < 3 && zones > 1 ? 1 : draw(demo, (uint32_t)zones);
    job->run_ms = (int64_t)(3 + draw(demo, 6)) * HOUR_MS;
    job->arrives_ms = day_ms + (int64_t)draw(demo, 17 * 60) * MINUTE_MS + draw(demo, 60000);
    if (index < 3) {
        job->run_ms = 8 * HOUR_MS;
        job->arrives_ms = day_ms + (5 + (int64_t)index) * HOUR_MS + 7 * MINUTE_MS;
    }
    snprintf(job->name, sizeof job->name, "%s-%zu", names[job->on_lapse], index + 1);
}

void gl_demo_make_jobs(struct gl_demo *demo)
{
    demo->job_count = demo->options.instances;
    demo->jobs = gl_alloc(demo->job_count * sizeof *demo->jobs);
    for (size_t i = 0; i < demo->job_count; i++) {
        make_job(demo, i);
        gl_sim_queue_put(&demo->queue, demo->jobs[i].arrives_ms, GL_DEMO_EVENT_ARRIVE, (uint32_t)i);
    }
}

struct gl_demo_job *gl_demo_job_named(struct gl_demo *demo, const char *name)
{
    const char *dash = strrchr(name, '-');
    unsigned long number = dash != NULL ? strtoul(dash + 1, NULL, 10) : 0;

    return number >= 1 && number <= demo->job_count ? &demo->jobs[number - 1] : NULL;
}

/* ---- promises ---- */

/* The same promises for a policy that differs only in what is done when they lapse. */
static const struct gl_book *book_for(struct gl_demo *demo, const struct gl_book *book,
                                      const struct gl_policy *policy)
{
    struct gl_book *own = gl_arena_take(&demo->promises, sizeof *own);
    struct gl_book_entry *entries =
        gl_arena_take(&demo->promises, (book->count + 1) * sizeof *entries);

    for (size_t i = 0; i < book->count; i++) {
        entries[i] = book->entries[i];
        entries[i].rule = &policy->rules[0];
    }
    *own = (struct gl_book){book->count, entries};
    return own;
}

/* Zones that break the limit by the newest hour known are not asked: nothing is promised there. */
void gl_demo_make_books(struct gl_demo *demo)
{
    const struct gl_zone_facts *zones[GL_SIM_ZONES_MAX];
    struct gl_book_ask ask = {.policy = demo->policies[0],
                              .zones = zones,
                              .now = gl_now(demo->world),
                              .probability = GL_BOOK_PROBABILITY,
                              .memory = &demo->memory};

    gl_arena_done(&demo->promises);
    demo->promises = (struct gl_arena){0};
    for (size_t z = 0; z < gl_sim_grid_zones(demo->grid); z++) {
        const struct gl_zone_facts *facts = gl_sim_grid_facts(demo->grid, z);
        const struct gl_history *history = facts->histories[0];
        float newest;

        if (gl_actual_at(&history->actuals, history->newest_actual_s, &newest) &&
            newest <= gl_hour_value(demo->limit_u))
            zones[ask.zone_count++] = facts;
    }
    demo->books[0] = gl_book_make(&demo->promises, &ask);
    for (size_t i = 1; i < 4; i++)
        demo->books[i] = book_for(demo, demo->books[0], demo->policies[i]);
}

/* ---- launching ---- */

/* At home, where its data is; or anywhere. */
static void ask_of(const struct gl_demo *demo, const struct gl_demo_job *job, bool is_bound,
                   struct gl_offer_list *offers, struct gl_ask_result *out)
{
    static const struct gl_ask nothing_said;
    struct gl_instant now = gl_now(demo->world);

    *offers = (struct gl_offer_list){.count = is_bound ? 1 : demo->offer_count,
                                     .offers = demo->offers + (is_bound ? job->home : 0),
                                     .place_count = demo->offer_count,
                                     .places = demo->places};
    *out = (struct gl_ask_result){.ask = &nothing_said,
                                  .policy = demo->policies[job->on_lapse],
                                  .request = {.duration = {job->run_ms / 1000},
                                              .start = now,
                                              .latest_start = now,
                                              .load = GL_DEMO_LOAD,
                                              .count = 1},
                                  .offers = offers,
                                  .book = demo->books[job->on_lapse],
                                  .now = now};
    snprintf(out->threshold, sizeof out->threshold,
             "SIMULATED carbon intensity <= %s, promised with 90 %%", demo->limit);
}

/* Of a machine that does not exist, so that the plan is the same whatever this machine is; and what
 * is known of the zone reaches to the end of the lease. */
static json_t *plan_of(const struct gl_ask_result *asked, uint32_t index, int64_t lease_s,
                       struct gl_error *err)
{
    const struct gl_offer *offer = &asked->offers->offers[index];
    json_t *plan = gl_act_plan(asked, index, NULL, INTERVAL_S * 1000, err);

    if (plan == NULL)
        return NULL;
    json_object_set_new(plan, "simulated", json_true());
    json_object_set_new(
        plan, "machine",
        gl_act_machine(GL_SIM_CPU_FAMILY, offer->type->vcpus, offer->type->memory_mib));
    json_object_set_new(plan, "embodied", gl_act_embodied(offer->type->vcpus, HOST_VCPUS));
    json_object_set_new(plan, "pue_source", json_string("SIMULATED"));
    json_object_set_new(plan, "series",
                        gl_evidence_figures(offer->place->zones, offer->place->zone_count,
                                            asked->now,
                                            (struct gl_instant){asked->now.unix_s + lease_s}));
    return plan;
}

/* The promise is an object in the ledger, like any other. */
static int promise(struct gl_demo *demo, const struct gl_demo_job *job, struct gl_error *err)
{
    const struct gl_book_entry *entry =
        gl_book_find(demo->books[job->on_lapse], &demo->policies[job->on_lapse]->rules[0],
                     gl_sim_grid_facts(demo->grid, job->zone));
    GL_AUTO(gl_str_done) struct gl_str record = {0};
    char until[GL_RENDER_UNTIL], pieces[48] = "";
    const char *median; /* of their hours: too much for one line */

    gl_render_record(entry, &record);
    median = strstr(gl_str_text(&record), ", half");
    if (job->stretches > 1)
        snprintf(pieces, sizeof pieces, " in %zu stretches, the first", job->stretches);
    gl_demo_happened(demo, GL_DEMO_PROMISE, job, "%.0f h in %s%s: green until %s (%.*s)",
                     (double)job->run_ms / (double)HOUR_MS, gl_sim_grid_zone(demo->grid, job->zone),
                     pieces, gl_render_until(entry, gl_now(demo->world), until),
                     (int)(median != NULL ? (size_t)(median - record.text) : record.length),
                     record.text);
    return gl_promise_issue(demo->launcher.ledger, demo->world, job->launch, entry, NULL, err);
}

static int launch(struct gl_demo *demo, struct gl_demo_job *job, const struct gl_ask_result *asked,
                  struct gl_error *err)
{
    uint32_t index = asked->decision->ranked[0];
    const struct gl_offer *offer = &asked->offers->offers[index];
    int64_t lease_s = asked->timetable != NULL ? asked->timetable->deadline_s - asked->now.unix_s
                                               : job->run_ms / 1000 + GL_DEMO_SPARE_S;
    GL_AUTO(gl_auto_json) json_t *plan = plan_of(asked, index, lease_s, err);
    const struct gl_order order = {.name = job->name,
                                   .cloud = GL_SIM_NAME,
                                   .zone = offer->place->zones[0]->zone,
                                   .plan = plan,
                                   .is_demo = true,
                                   .launch = {.region = offer->place->region,
                                              .type = offer->type->name,
                                              .lease = {lease_s},
                                              .vcpus = offer->type->vcpus,
                                              .memory_mib = offer->type->memory_mib,
                                              .interval_s = INTERVAL_S}};
    struct gl_instance instance;

    if (plan == NULL || gl_launch_start(&demo->launcher, &order, &instance, err) != 0)
        return -1;
    memcpy(job->launch, instance.launch_id, sizeof job->launch);
    memcpy(job->instance, instance.id, sizeof job->instance);
    job->zone = gl_sim_grid_find(demo->grid, offer->place->zones[0]->zone);
    job->state = GL_DEMO_LIVE;
    job->stretches = asked->timetable != NULL ? asked->timetable->count : 0;
    demo->counts.launched++;
    demo->counts.live++;
    gl_demo_expect_end(demo, job);
    return promise(demo, job, err);
}

/* Decide, and launch if that is allowed. *out_is_allowed says whether it was. */
static int try_there(struct gl_demo *demo, struct gl_demo_job *job, bool is_bound,
                     bool *out_is_allowed, struct gl_error *err)
{
    struct gl_offer_list offers;
    struct gl_ask_result asked;
    struct gl_question question;
    int result = 0;

    ask_of(demo, job, is_bound, &offers, &asked);
    question = gl_ask_question(&asked);
    asked.decision = gl_decide(&question);
    *out_is_allowed = asked.decision->verdict == GL_ALLOW;
    if (*out_is_allowed)
        result = launch(demo, job, &asked, err);
    gl_decision_free(asked.decision);
    return result;
}

static void decide(struct gl_ask_result *asked)
{
    struct gl_question question = gl_ask_question(asked);

    gl_decision_free(asked->decision);
    asked->decision = gl_decide(&question);
}

/* Bound to its place and to be paused: started when the first stretch of its plan begins and is
 * promised, with the other stretches as its timetable. Without a plan it has to be promised whole.
 */
static int try_pieces(struct gl_demo *demo, struct gl_demo_job *job, struct gl_demo_plan *plan,
                      bool *out_is_allowed, struct gl_error *err)
{
    struct gl_offer_list offers;
    struct gl_ask_result asked;
    int result;

    ask_of(demo, job, true, &offers, &asked);
    decide(&asked);
    result = gl_demo_plan(demo, job, &asked, plan, err);
    if (result == 0 && plan->timetable.count > 0) {
        asked.timetable = &plan->timetable;
        asked.request.duration.s = plan->runs[0].until_s - plan->runs[0].from_s;
        decide(&asked);
    }
    *out_is_allowed =
        (!plan->is_known || plan->timetable.count > 0) && asked.decision->verdict == GL_ALLOW;
    if (result == 0 && *out_is_allowed)
        result = launch(demo, job, &asked, err);
    gl_decision_free(asked.decision);
    return result;
}

static void tell_wait(struct gl_demo *demo, const struct gl_demo_job *job,
                      const struct gl_demo_plan *plan)
{
    const char *home = gl_sim_grid_zone(demo->grid, job->home);
    double hours = (double)job->run_ms / (double)HOUR_MS;

    if (plan->is_known && plan->start_s > gl_demo_now_ms(demo) / 1000)
        gl_demo_happened(demo, GL_DEMO_WAIT, job,
                         "%.0f h in %s: its plan with pauses begins at %02d:%02d", hours, home,
                         (int)(plan->start_s / 3600 % 24), (int)(plan->start_s / 60 % 60));
    else
        gl_demo_happened(demo, GL_DEMO_WAIT, job, "%.0f h cannot be promised now %s%s", hours,
                         job->on_lapse != GL_LAPSE_MOVE ? "in " : "anywhere",
                         job->on_lapse != GL_LAPSE_MOVE ? home : "");
}

int gl_demo_try(struct gl_demo *demo, struct gl_demo_job *job, struct gl_error *err)
{
    bool was_waiting = job->state == GL_DEMO_WAITING, is_allowed = false;
    struct gl_demo_plan plan = {.is_known = false};
    int result;

    if (job->on_lapse == GL_LAPSE_PAUSE && job - demo->jobs < GL_DEMO_PLANNED)
        result = try_pieces(demo, job, &plan, &is_allowed, err);
    else
        result = try_there(demo, job, true, &is_allowed, err);
    if (result == 0 && !is_allowed && job->on_lapse == GL_LAPSE_MOVE)
        result = try_there(demo, job, false, &is_allowed, err);
    if (result != 0)
        return -1;
    if (is_allowed) {
        demo->counts.waiting -= was_waiting;
    } else if (!was_waiting) {
        job->state = GL_DEMO_WAITING;
        demo->counts.waiting++;
        tell_wait(demo, job, &plan);
    }
    return 0;
}

/* ---- ending ---- */

/* Grams of a power over [from, until) in a zone, by what the grid really was. Hours that nobody
 * knows count nothing and are left out on both sides. */
static double grams_over(const struct gl_demo *demo, size_t zone, int64_t from_ms, int64_t until_ms,
                         double watts)
{
    double grams = 0;

    while (from_ms < until_ms) {
        int64_t hour_end = (from_ms / HOUR_MS + 1) * HOUR_MS;
        int64_t end = hour_end < until_ms ? hour_end : until_ms;
        int64_t intensity_u = gl_sim_grid_truth(demo->grid, zone, from_ms / 1000);

        if (intensity_u != GL_UNKNOWN)
            grams += watts / 1000 * PUE * (double)(end - from_ms) / (double)HOUR_MS *
                     (double)intensity_u / 1e6;
        from_ms = end;
    }
    return grams;
}

static void account(struct gl_demo *demo, struct gl_demo_job *job,
                    const struct gl_instance_span *spans, size_t count, int64_t energy_mj)
{
    int64_t now_ms = gl_demo_now_ms(demo);
    double watts = job->ran_ms > 0 ? (double)energy_mj / (double)job->ran_ms : 0;

    for (size_t i = 0; i < count; i++)
        if (spans[i].is_running)
            job->grams +=
                grams_over(demo, gl_sim_grid_find(demo->grid, spans[i].region), spans[i].from_ms,
                           spans[i].until_ms < now_ms ? spans[i].until_ms : now_ms, watts);
    job->baseline_g =
        grams_over(demo, job->home, job->arrives_ms, job->arrives_ms + job->ran_ms, watts);
    demo->counts.grams += job->grams;
    demo->counts.baseline_g += job->baseline_g;
    demo->counts.ran_h += (double)job->ran_ms / (double)HOUR_MS;
    demo->counts.energy_mj += energy_mj;
}

/* Millijoules by the receipt, whose every figure is checked on the way; -1: it does not hold. */
static int64_t check_receipt(struct gl_demo *demo, const char *receipt)
{
    struct gl_receipt_check check = {0};
    struct gl_error ignored = {0};
    const json_t *footprint;
    int64_t energy_mj;

    if (receipt == NULL ||
        gl_receipt_verify(receipt, strlen(receipt), NULL, &check, &ignored) != 0) {
        demo->counts.unverified++;
        return -1;
    }
    demo->counts.receipts++;
    footprint = json_object_get(json_object_get(check.receipt, "derived"), "footprint");
    energy_mj = json_integer_value(json_array_get(json_object_get(footprint, "energy_mj"), 1));
    gl_receipt_check_done(&check);
    return energy_mj;
}

static int64_t ran_ms(const struct gl_instance_span *spans, size_t count, int64_t now_ms)
{
    int64_t ran = 0;

    for (size_t i = 0; i < count; i++)
        if (spans[i].is_running)
            ran += (spans[i].until_ms < now_ms ? spans[i].until_ms : now_ms) - spans[i].from_ms;
    return ran;
}

static int end_job(struct gl_demo *demo, struct gl_demo_job *job,
                   const struct gl_instance_span *spans, size_t count, struct gl_error *err)
{
    struct gl_ending ending = {.exit_status = -1};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    int64_t energy_mj;

    if (gl_launch_finish(&demo->launcher, job->launch, &ending, err) != 0)
        return -1;
    receipt = ending.receipt;
    energy_mj = check_receipt(demo, receipt);
    job->state = GL_DEMO_DONE;
    demo->counts.live--;
    demo->counts.paused -= job->is_paused;
    demo->counts.done++;
    job->is_paused = false;
    account(demo, job, spans, count, energy_mj > 0 ? energy_mj : 0);
    gl_demo_happened(demo, GL_DEMO_END, job,
                     "after %.1f h: %.1f g, at once in %s it had been %.1f g; receipt %s",
                     (double)job->ran_ms / (double)HOUR_MS, job->grams,
                     gl_sim_grid_zone(demo->grid, job->home), job->baseline_g,
                     energy_mj >= 0 ? "verified" : "NOT VERIFIED");
    return 0;
}

int gl_demo_finish(struct gl_demo *demo, struct gl_demo_job *job, bool in_any_case,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_instance_span *spans = NULL;
    size_t count;

    if (job->state != GL_DEMO_LIVE)
        return 0;
    if (demo->cloud->ops->spans(demo->cloud, job->instance, &spans, &count, err) != 0)
        return -1;
    job->ran_ms = ran_ms(spans, count, gl_demo_now_ms(demo));
    if (in_any_case || job->ran_ms >= job->run_ms)
        return end_job(demo, job, spans, count, err);
    if (!job->is_paused)
        gl_demo_expect_end(demo, job);
    return 0;
}

void gl_demo_expect_end(struct gl_demo *demo, const struct gl_demo_job *job)
{
    GL_AUTO(gl_auto_free) struct gl_instance_span *spans = NULL;
    struct gl_error ignored = {0};
    int64_t left_ms = job->run_ms, now_ms = gl_demo_now_ms(demo);
    size_t count;

    if (demo->cloud->ops->spans(demo->cloud, job->instance, &spans, &count, &ignored) == 0)
        left_ms -= ran_ms(spans, count, now_ms);
    gl_sim_queue_put(&demo->queue, now_ms + (left_ms > 1000 ? left_ms : 1000), GL_DEMO_EVENT_END,
                     (uint32_t)(job - demo->jobs));
}
