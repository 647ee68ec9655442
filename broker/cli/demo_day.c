/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated day itself: what it stands on, and what happens in which order. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/demo.h"
#include "broker/interrupt.h"
#include "broker/promise.h"
#include "broker/sim/sim_memory.h"

#define HOUR_MS     INT64_C(3600000)
#define MOVE_MS     INT64_C(90000)
#define VCPUS       16 /* of GL_DEMO_TYPE */
#define MEMORY_MIB  16384
#define PRICE_U_USD 40000 /* of a vCPU and hour, the same everywhere */
#define LIMIT_SHARE 0.60  /* of the past hours of all zones that are within the limit */
#define SETTLE_H    50    /* after the day: promises reach two days ahead */

const char *const gl_demo_news_words[] = {"promise", "wait",    "spike", "move",   "pause",
                                          "resume",  "notify",  "stop",  "breach", "kept",
                                          "end",     "trouble", NULL};

int64_t gl_demo_now_ms(const struct gl_demo *demo)
{
    return demo->world->now_ms(demo->world->cookie);
}

void gl_demo_happened(struct gl_demo *demo, enum gl_demo_news_kind kind,
                      const struct gl_demo_job *job, const char *format, ...)
{
    struct gl_demo_news *news = &demo->news[demo->news_count++ % GL_DEMO_NEWS];
    char at[GL_INSTANT_TEXT];
    va_list args;

    *news = (struct gl_demo_news){.at_ms = gl_demo_now_ms(demo), .kind = kind};
    if (job != NULL)
        memcpy(news->job, job->name, sizeof news->job);
    va_start(args, format);
    vsnprintf(news->text, sizeof news->text, format, args);
    va_end(args);
    demo->counts.of[kind]++;
    if (demo->events != NULL)
        json_array_append_new(
            demo->events, json_pack("{s:s,s:s,s:s,s:s,s:b}", "at",
                                    gl_instant_text((struct gl_instant){news->at_ms / 1000}, at),
                                    "kind", gl_demo_news_words[kind], "job", news->job, "text",
                                    news->text, "simulated", 1));
    gl_demo_show_news(demo, news);
}

/* ---- what it stands on ---- */

static struct gl_cloud *open_sim(void *cookie, const char *name, const char *zone,
                                 struct gl_error *err)
{
    struct gl_demo *demo = cookie;

    (void)zone;
    if (strcmp(name, GL_SIM_NAME) == 0)
        return gl_sim_open(demo->sim);
    gl_fail(err, GL_E_UNKNOWN_NAME, "a simulated day has no cloud \"%.40s\"", name);
    return NULL;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

/* A limit that means something in these grids: the quantile of the past 90 days over all zones,
 * rounded up to tens. */
static int64_t choose_limit(const struct gl_sim_grid *grid)
{
    size_t zones = gl_sim_grid_zones(grid), count = 0, hours = 90 * 24;
    GL_AUTO(gl_auto_free) int64_t *values = gl_alloc(zones * hours * sizeof *values);
    int64_t step = 10000000;

    for (size_t z = 0; z < zones; z++)
        for (size_t h = 1; h <= hours; h++) {
            int64_t at_s = gl_sim_grid_day_s(grid) - (int64_t)h * GL_HOUR_S;
            int64_t value = gl_sim_grid_truth(grid, z, at_s);

            if (value != GL_UNKNOWN)
                values[count++] = value;
        }
    if (count == 0)
        return step;
    qsort(values, count, sizeof *values, compare);
    return (values[(size_t)(LIMIT_SHARE * (double)(count - 1))] / step + 1) * step;
}

static int make_policies(struct gl_demo *demo, struct gl_error *err)
{
    bool is_direct = gl_sim_grid_boundary(demo->grid) == GL_DIRECT;

    demo->limit_u = choose_limit(demo->grid);
    snprintf(demo->limit, sizeof demo->limit, "%" PRId64 " gCO2e/kWh", demo->limit_u / 1000000);
    for (size_t i = 0; i < 4; i++) {
        const char *limits[] = {"max_intensity",
                                demo->limit,
                                "confidence",
                                "90%",
                                "on_lapse",
                                gl_on_lapse_words[i],
                                "boundary",
                                is_direct ? "direct" : "lifecycle",
                                NULL};

        demo->policies[i] = gl_policy_with_flags(NULL, "green", limits, err);
        if (demo->policies[i] == NULL)
            return -1;
    }
    return 0;
}

static struct gl_sim *make_cloud(struct gl_demo *demo, struct gl_error *err)
{
    struct gl_sim_place places[GL_SIM_ZONES_MAX];
    size_t zones = gl_sim_grid_zones(demo->grid);

    for (size_t z = 0; z < zones; z++)
        places[z] = (struct gl_sim_place){.name = gl_sim_grid_zone(demo->grid, z),
                                          .price_u_usd_per_h = PRICE_U_USD};
    return gl_sim_new(&(struct gl_sim_options){.world = demo->world,
                                               .places = places,
                                               .place_count = zones,
                                               .instances = demo->options.instances,
                                               .move_ms = MOVE_MS,
                                               .cookie = &demo->meter,
                                               .console = gl_sim_meter_console},
                      err);
}

static void make_offers(struct gl_demo *demo)
{
    demo->type = (struct gl_offer_type){
        .name = GL_DEMO_TYPE,
        .arch = "x86_64",
        .vcpus = VCPUS,
        .memory_mib = MEMORY_MIB,
        .idle_w = gl_sim_meter_watts(VCPUS, MEMORY_MIB, 0),
        .full_w = gl_sim_meter_watts(VCPUS, MEMORY_MIB, 1),
        .power_source = "SIMULATED",
    };
    demo->offer_count = gl_sim_grid_zones(demo->grid);
    demo->offers = gl_alloc(demo->offer_count * sizeof *demo->offers);
    demo->places = gl_alloc(demo->offer_count * sizeof *demo->places);
    for (size_t z = 0; z < demo->offer_count; z++) {
        demo->places[z] = (struct gl_offer_place){
            .cloud = GL_SIM_NAME,
            .region = gl_sim_grid_zone(demo->grid, z),
            .country = "",
            .pue = 1.2,
            .mapping = GL_MAP_SINGLE,
            .zone_count = 1,
            .zones = {gl_sim_grid_facts(demo->grid, z)},
        };
        demo->offers[z] = (struct gl_offer){.place = &demo->places[z],
                                            .type = &demo->type,
                                            .price_u_usd_per_h = (int64_t)PRICE_U_USD * VCPUS,
                                            .price_source = "SIMULATED"};
    }
}

static int open_ledger(struct gl_demo *demo, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(demo->folder, "ledger.db");

    demo->launcher = (struct gl_launcher){
        .world = demo->world,
        .ledger = gl_ledger_open(path, demo->world, 0, err),
        .state_folder = demo->folder,
        .cookie = demo,
        .open = open_sim,
    };
    return demo->launcher.ledger != NULL ? 0 : -1;
}

static int begin(struct gl_demo *demo, struct gl_error *err)
{
    struct gl_context *context = demo->context;

    demo->grid = demo->options.trace != NULL
                     ? gl_sim_grid_of_file(demo->options.trace, &context->world, err)
                     : gl_sim_grid_invent(demo->options.seed, true);
    if (demo->grid == NULL)
        return -1;
    demo->world =
        gl_world_fixed_new(gl_sim_grid_day_s(demo->grid) * 1000, demo->options.seed, NULL);
    gl_sim_grid_advance(demo->grid, gl_sim_grid_day_s(demo->grid));
    demo->meter.load = GL_DEMO_LOAD;
    demo->learnt = gl_sim_memory_new(&demo->memory);
    demo->sim = make_cloud(demo, err);
    if (demo->sim == NULL || make_policies(demo, err) != 0 || open_ledger(demo, err) != 0)
        return -1;
    demo->cloud = gl_sim_open(demo->sim);
    make_offers(demo);
    gl_demo_watch(demo);
    gl_demo_make_jobs(demo);
    for (int h = 0; h < GL_SIM_DAY_H; h++)
        gl_sim_queue_put(&demo->queue, gl_sim_grid_day_s(demo->grid) * 1000 + h * HOUR_MS,
                         GL_DEMO_EVENT_HOUR, 0);
    demo->began_ms = context->world.monotonic_ms(context->world.cookie);
    return 0;
}

int gl_demo_begin(struct gl_demo *demo, struct gl_error *err)
{
    if (begin(demo, err) == 0)
        return 0;
    gl_demo_done(demo);
    return -1;
}

void gl_demo_done(struct gl_demo *demo)
{
    gl_cloud_close(demo->cloud);
    gl_ledger_close(demo->launcher.ledger);
    gl_sim_free(demo->sim);
    gl_sim_grid_free(demo->grid);
    gl_world_fixed_free(demo->world);
    gl_sim_memory_free(demo->learnt);
    for (size_t i = 0; i < 4; i++)
        gl_policy_free(demo->policies[i]);
    gl_arena_done(&demo->promises);
    gl_sim_queue_done(&demo->queue);
    free(demo->offers);
    free(demo->places);
    free(demo->jobs);
    demo->cloud = NULL;
    demo->launcher.ledger = NULL;
    demo->sim = NULL;
    demo->grid = NULL;
    demo->world = NULL;
    demo->learnt = NULL;
    memset(demo->policies, 0, sizeof demo->policies);
    demo->promises = (struct gl_arena){0};
    demo->offers = NULL;
    demo->places = NULL;
    demo->jobs = NULL;
}

/* ---- hours ---- */

/* What became known this hour and was not to be expected: it broke the limit at one blow. */
static void tell_spikes(struct gl_demo *demo)
{
    for (size_t z = 0; z < gl_sim_grid_zones(demo->grid); z++) {
        const struct gl_zone_facts *facts = gl_sim_grid_facts(demo->grid, z);
        int64_t hour_s = facts->histories[0]->newest_actual_s;
        int64_t now_u, before_u;

        if (hour_s == GL_UNKNOWN)
            continue;
        now_u = gl_sim_grid_truth(demo->grid, z, hour_s);
        before_u = gl_sim_grid_truth(demo->grid, z, hour_s - GL_HOUR_S);
        if (before_u != GL_UNKNOWN && before_u <= demo->limit_u && now_u > demo->limit_u &&
            now_u > 2 * before_u)
            gl_demo_happened(demo, GL_DEMO_SPIKE, NULL,
                             "%s rose from %" PRId64 " to %" PRId64 " g/kWh at %02d:00, known now",
                             facts->zone, before_u / 1000000, now_u / 1000000,
                             (int)(hour_s / GL_HOUR_S % 24));
    }
}

static int try_all(struct gl_demo *demo, struct gl_error *err)
{
    for (size_t i = 0; i < demo->job_count; i++)
        if (demo->jobs[i].state == GL_DEMO_WAITING && gl_demo_try(demo, &demo->jobs[i], err) != 0)
            return -1;
    return 0;
}

/* A look of the guard; the next one when a plan with pauses changes, right after what ends then.
 * With many jobs a look takes long, and the hour has to do. */
static int look(struct gl_demo *demo, struct gl_error *err)
{
    int64_t next_hour_s = (gl_demo_now_ms(demo) / HOUR_MS + 1) * (HOUR_MS / 1000);
    struct gl_guarded guarded;

    if (gl_guard_once(&demo->guard, &guarded, err) != 0)
        return -1;
    if (demo->job_count <= GL_DEMO_SHOWN && guarded.next_s != GL_UNKNOWN &&
        guarded.next_s < next_hour_s)
        gl_sim_queue_put(&demo->queue, guarded.next_s * 1000 + 1000, GL_DEMO_EVENT_LOOK, 0);
    return 0;
}

static int pass_hour(struct gl_demo *demo, struct gl_error *err)
{
    tell_spikes(demo);
    gl_demo_make_books(demo);
    if (look(demo, err) != 0 || try_all(demo, err) != 0)
        return -1;
    gl_demo_show_hour(demo);
    return 0;
}

/* ---- the day ---- */

/* Both clocks go on: the virtual one to `at_ms` at once, or as fast as the real one lets it. */
static int wait_for(struct gl_demo *demo, int64_t at_ms, struct gl_error *err)
{
    const struct gl_world *real = &demo->context->world;
    int64_t day_ms = gl_sim_grid_day_s(demo->grid) * 1000, now_ms = at_ms;

    do {
        if (gl_interrupted())
            return gl_interrupt_fail(err, "the simulated day was broken off; nothing real ran");
        if (demo->options.speed > 0)
            now_ms =
                day_ms + (int64_t)((double)(real->monotonic_ms(real->cookie) - demo->began_ms) *
                                   demo->options.speed);
        now_ms = now_ms < at_ms ? now_ms : at_ms;
        if (now_ms > gl_demo_now_ms(demo))
            demo->world->sleep_ms(demo->world->cookie, now_ms - gl_demo_now_ms(demo));
        gl_demo_draw(demo);
        if (now_ms < at_ms)
            real->sleep_ms(real->cookie, 50);
    } while (now_ms < at_ms);
    gl_sim_grid_advance(demo->grid, at_ms / 1000);
    return 0;
}

static int happen(struct gl_demo *demo, const struct gl_sim_event *event, struct gl_error *err)
{
    switch (event->kind) {
    case GL_DEMO_EVENT_ARRIVE:
        return gl_demo_try(demo, &demo->jobs[event->index], err);
    case GL_DEMO_EVENT_HOUR:
        return pass_hour(demo, err);
    case GL_DEMO_EVENT_LOOK:
        return look(demo, err);
    default:
        return gl_demo_finish(demo, &demo->jobs[event->index], false, err);
    }
}

/* The day is over: what still runs is stopped, what still waits has waited in vain; then the clock
 * goes on until every promise has come due. */
static int end_day(struct gl_demo *demo, struct gl_error *err)
{
    const struct gl_promise_settling settling = {.ledger = demo->launcher.ledger,
                                                 .world = demo->world,
                                                 .facts = demo->guard.facts,
                                                 .cookie = demo,
                                                 .news = demo->guard.news};
    struct gl_promises_settled settled;

    for (size_t i = 0; i < demo->job_count; i++) {
        struct gl_demo_job *job = &demo->jobs[i];

        if (gl_demo_finish(demo, job, true, err) != 0)
            return -1;
        if (job->state == GL_DEMO_WAITING) {
            job->state = GL_DEMO_NEVER;
            demo->counts.waiting--;
            demo->counts.never++;
        }
    }
    demo->world->sleep_ms(demo->world->cookie, SETTLE_H * HOUR_MS);
    gl_sim_grid_advance(demo->grid, gl_demo_now_ms(demo) / 1000);
    if (gl_promise_settle(&settling, &settled, err) != 0)
        return -1;
    demo->counts.open = settled.open + settled.unsettled;
    return 0;
}

int gl_demo_run(struct gl_demo *demo, struct gl_error *err)
{
    int64_t end_ms = (gl_sim_grid_day_s(demo->grid) + GL_SIM_DAY_H * GL_HOUR_S) * 1000;
    struct gl_sim_event event;

    while (gl_sim_queue_take(&demo->queue, &event) && event.at_ms < end_ms) {
        if (wait_for(demo, event.at_ms, err) != 0 || happen(demo, &event, err) != 0)
            return -1;
    }
    if (wait_for(demo, end_ms, err) != 0 || end_day(demo, err) != 0)
        return -1;
    return 0;
}
