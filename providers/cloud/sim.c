/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/sim_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct gl_sim_type types[] = {
    {"sim-2", 2, 4096}, {"sim-4", 4, 16384}, {"sim-16", 16, 16384}};
static const char *const type_names[] = {"sim-2", "sim-4", "sim-16", NULL};
#define TYPES (sizeof types / sizeof *types)

struct handle {
    struct gl_cloud cloud;
    struct gl_sim *sim;
};

static struct gl_sim *sim_of(struct gl_cloud *cloud)
{
    return ((struct handle *)(void *)cloud)->sim;
}

static int find_type(const char *name, uint32_t *out, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    for (uint32_t i = 0; i < TYPES; i++)
        if (strcmp(types[i].name, name) == 0) {
            *out = i;
            return 0;
        }
    return gl_fail(err, GL_E_UNKNOWN_NAME, "the simulated cloud has no type %s",
                   gl_text_show(name, shown));
}

/* ---- operations: what there is ---- */

static int sim_whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    (void)err;
    snprintf(out, 128, "SIMULATED: %" PRIu32 " places, nothing is real",
             sim_of(cloud)->place_count);
    return 0;
}

static int sim_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    (void)err;
    *out = sim_of(cloud)->regions;
    return 0;
}

static int sim_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                     struct gl_error *err)
{
    uint32_t place;

    if (gl_sim_find_place(sim_of(cloud), region, &place, err) != 0)
        return -1;
    *out = type_names;
    return 0;
}

static int sim_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                     struct gl_error *err)
{
    const struct gl_sim *sim = sim_of(cloud);
    uint32_t place, kind;
    int64_t price;

    if (gl_sim_find_place(sim, region, &place, err) != 0 || find_type(type, &kind, err) != 0)
        return -1;
    price = sim->places[place].price_u_usd_per_h;
    *out = price == GL_UNKNOWN ? GL_UNKNOWN : price * types[kind].vcpus;
    return 0;
}

/* ---- operations: lives ---- */

static void show(const struct gl_sim *sim, const struct gl_sim_instance *instance,
                 struct gl_instance *out)
{
    *out = (struct gl_instance){
        .attempt = instance->attempt,
        .state = instance->state,
        .started = {instance->started_ms / 1000},
        .expires = {gl_sim_expires(sim, instance, gl_sim_now_ms(sim)) / 1000},
        .how = "simulated",
        .host_cpu_ms = -1,
        .caps = GL_CLOUD_SUSPENDS | GL_CLOUD_MOVES,
    };
    snprintf(out->id, sizeof out->id, "sim-%zu", (size_t)(instance - sim->instances) + 1);
    memcpy(out->launch_id, instance->launch_id, sizeof out->launch_id);
    memcpy(out->token, instance->token, sizeof out->token);
    memcpy(out->region, sim->places[instance->place].name, sizeof out->region);
    snprintf(out->type, sizeof out->type, "%s", types[instance->type].name);
}

static struct gl_sim_instance *of_token(struct gl_sim *sim, const char *token)
{
    for (size_t i = 0; i < sim->count; i++)
        if (strcmp(sim->instances[i].token, token) == 0) {
            gl_sim_settle(sim, &sim->instances[i], gl_sim_now_ms(sim));
            return &sim->instances[i];
        }
    return NULL;
}

static int fill(struct gl_sim_instance *instance, const struct gl_launch *launch,
                struct gl_error *err)
{
    if (launch->enrol_token != NULL &&
        gl_hex_parse(launch->enrol_token, instance->enrol, sizeof instance->enrol, err) != 0)
        return -1;
    snprintf(instance->launch_id, sizeof instance->launch_id, "%s", launch->launch_id);
    snprintf(instance->token, sizeof instance->token, "%s", launch->token);
    instance->attempt = launch->attempt;
    instance->interval_s = launch->interval_s > 0 ? launch->interval_s : 10;
    instance->expires_ms = launch->expires.unix_s > 0 ? launch->expires.unix_s * 1000 : 0;
    return 0;
}

/* It counts from the moment that it is whole. */
static struct gl_sim_instance *start(struct gl_sim *sim, const struct gl_launch *launch,
                                     uint32_t place, uint32_t type, struct gl_error *err)
{
    struct gl_sim_instance *instance = &sim->instances[sim->count];

    if (gl_sim_admit(sim, place, err) != 0)
        return NULL;
    if (sim->count == sim->capacity) {
        gl_fail(err, GL_E_LAUNCH, "the simulated cloud is full: %zu instances", sim->capacity);
        return NULL;
    }
    memset(instance, 0, sizeof *instance);
    if (fill(instance, launch, err) != 0)
        return NULL;
    instance->type = type;
    instance->state = GL_STATE_RUNNING;
    instance->started_ms = gl_sim_now_ms(sim);
    gl_sim_note(instance, instance->started_ms, place, true);
    sim->count++;
    return instance;
}

static int sim_launch(struct gl_cloud *cloud, const struct gl_launch *launch,
                      struct gl_instance *out, struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    struct gl_sim_instance *instance = of_token(sim, launch->token);
    uint32_t place, type;

    if (gl_sim_find_place(sim, launch->region, &place, err) != 0 ||
        find_type(launch->type, &type, err) != 0)
        return -1;
    if (instance == NULL && (instance = start(sim, launch, place, type, err)) == NULL)
        return -1;
    show(sim, instance, out);
    return 0;
}

static int sim_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                        struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    const struct gl_sim_instance *instance = gl_sim_find(sim, id, err);

    if (instance == NULL || gl_sim_reach(sim, instance->place, err) != 0)
        return -1;
    show(sim, instance, out);
    return 0;
}

/* Proven absent only when every place has been asked. */
static int sim_find_by_request(struct gl_cloud *cloud, const char *region, const char *token,
                               struct gl_instance *out, struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    const struct gl_sim_instance *instance = of_token(sim, token);

    (void)region;
    for (uint32_t i = 0; i < sim->place_count; i++)
        if ((instance == NULL || instance->place == i) && gl_sim_reach(sim, i, err) != 0)
            return -1;
    if (instance == NULL)
        return 0;
    show(sim, instance, out);
    return 1;
}

static int sim_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                    struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    struct gl_instance *items;

    for (uint32_t i = 0; i < sim->place_count; i++)
        if (gl_sim_reach(sim, i, err) != 0)
            return -1;
    items = gl_alloc(sim->count * sizeof *items);
    for (size_t i = 0; i < sim->count; i++) {
        gl_sim_settle(sim, &sim->instances[i], gl_sim_now_ms(sim));
        show(sim, &sim->instances[i], &items[i]);
    }
    *out = items;
    *out_count = sim->count;
    return 0;
}

static int end(struct gl_cloud *cloud, const char *id, bool is_in_order, struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    struct gl_sim_instance *instance = gl_sim_find(sim, id, err);

    if (instance == NULL || gl_sim_reach(sim, instance->place, err) != 0)
        return -1;
    if (gl_sim_is_alive(instance))
        gl_sim_end(instance, GL_STATE_ENDED, gl_sim_now_ms(sim), is_in_order);
    return 0;
}

static int sim_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                    struct gl_error *err)
{
    (void)wait;
    return end(cloud, id, true, err);
}

static int sim_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return end(cloud, id, false, err);
}

/* ---- operations: elsewhere and later ---- */

/* One that can be moved and suspended: alive, within reach, with room for two more stretches. */
static struct gl_sim_instance *find_able(struct gl_sim *sim, const char *id, struct gl_error *err)
{
    struct gl_sim_instance *instance = gl_sim_find(sim, id, err);

    if (instance == NULL || gl_sim_reach(sim, instance->place, err) != 0)
        return NULL;
    if (!gl_sim_is_alive(instance)) {
        gl_fail(err, GL_E_GUEST, "%s does not run any more", id);
        return NULL;
    }
    if (instance->span_count + 2 > GL_SIM_SPANS_MAX) {
        gl_fail(err, GL_E_LAUNCH, "%s was moved and suspended too often", id);
        return NULL;
    }
    return instance;
}

static int sim_suspend(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    struct gl_sim_instance *instance = find_able(sim, id, err);

    if (instance == NULL)
        return -1;
    if (instance->state == GL_STATE_SUSPENDED)
        return 0;
    if (instance->thaw_ms == 0)
        gl_sim_note(instance, gl_sim_now_ms(sim), instance->place, false);
    instance->thaw_ms = 0; /* in the middle of a move: it stands still already */
    instance->state = GL_STATE_SUSPENDED;
    return 0;
}

static int sim_resume(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    struct gl_sim_instance *instance = find_able(sim, id, err);
    int64_t expires_ms;

    if (instance == NULL)
        return -1;
    if (instance->state != GL_STATE_SUSPENDED)
        return 0;
    expires_ms = gl_sim_expires(sim, instance, gl_sim_now_ms(sim));
    if (expires_ms > 0 && expires_ms <= gl_sim_now_ms(sim))
        return gl_fail(err, GL_E_TIMEOUT, "the lease of %s has ended", id);
    gl_sim_note(instance, gl_sim_now_ms(sim), instance->place, true);
    instance->state = GL_STATE_RUNNING;
    return 0;
}

static int64_t move_ms(const struct gl_sim *sim, uint32_t from, uint32_t to)
{
    const struct gl_sim_known_fault *slow[2] = {
        gl_sim_fault_now(sim, GL_SIM_SLOW, from, gl_sim_now_ms(sim)),
        gl_sim_fault_now(sim, GL_SIM_SLOW, to, gl_sim_now_ms(sim))};

    return sim->move_ms + (slow[0] != NULL ? slow[0]->extra_ms : 0) +
           (slow[1] != NULL ? slow[1]->extra_ms : 0);
}

/* It stands still at its new place for as long as the move takes; the caller does not wait, for
 * waiting would move the clock that thousands share. */
static void go(struct gl_sim *sim, struct gl_sim_instance *instance, uint32_t to)
{
    int64_t takes_ms = move_ms(sim, instance->place, to);
    bool goes_on = instance->state == GL_STATE_RUNNING;

    gl_sim_note(instance, gl_sim_now_ms(sim), to, goes_on && takes_ms <= 0);
    instance->thaw_ms = goes_on && takes_ms > 0 ? gl_sim_now_ms(sim) + takes_ms : 0;
}

static int sim_move(struct gl_cloud *cloud, const char *id, const char *region,
                    struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    struct gl_sim_instance *instance = find_able(sim, id, err);
    uint32_t place;

    if (instance == NULL || gl_sim_find_place(sim, region, &place, err) != 0)
        return -1;
    if (place == instance->place)
        return 0;
    if (gl_sim_admit(sim, place, err) != 0)
        return -1;
    go(sim, instance, place);
    return 0;
}

static int sim_spans(struct gl_cloud *cloud, const char *id, struct gl_instance_span **out,
                     size_t *out_count, struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    const struct gl_sim_instance *instance = gl_sim_find(sim, id, err);

    if (instance == NULL || gl_sim_reach(sim, instance->place, err) != 0)
        return -1;
    *out = gl_sim_spans(sim, instance, out_count);
    return 0;
}

/* ---- operations: the console ---- */

static void write_console(const struct gl_sim *sim, const struct gl_sim_instance *instance,
                          struct gl_str *out)
{
    size_t count;
    GL_AUTO(gl_auto_free)
    struct gl_instance_span *spans = gl_sim_spans(sim, instance, &count);
    bool is_over = !gl_sim_is_alive(instance);
    struct gl_sim_guest guest = {
        .launch_id = instance->launch_id,
        .type = types[instance->type].name,
        .vcpus = types[instance->type].vcpus,
        .memory_mib = types[instance->type].memory_mib,
        .interval_s = instance->interval_s,
        .spans = spans,
        .span_count = count,
        .until_ms = is_over ? instance->ended_ms : gl_sim_now_ms(sim),
        .is_final = is_over && instance->was_in_order,
    };

    gl_str_addf(out, "SIMULATED %s\n", instance->launch_id);
    memcpy(guest.enrol, instance->enrol, sizeof guest.enrol);
    if (sim->console != NULL)
        sim->console(sim->cookie, &guest, out);
}

static int sim_console(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                       uint64_t *out_next, struct gl_error *err)
{
    GL_SIM_LOCKED(sim, sim_of(cloud));
    const struct gl_sim_instance *instance = gl_sim_find(sim, id, err);
    size_t ceiling = out->ceiling > 0 ? out->ceiling : GL_STR_CEILING, left = 0;
    size_t room = ceiling > out->length ? ceiling - out->length : 0;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (instance == NULL || gl_sim_reach(sim, instance->place, err) != 0)
        return -1;
    write_console(sim, instance, &text);
    if (offset < text.length) {
        left = text.length - (size_t)offset;
        left = left < room ? left : room;
        gl_str_add_bytes(out, gl_str_text(&text) + offset, left);
    }
    *out_next = offset + left;
    return 0;
}

static enum gl_errc sim_classify(int status, const char *word)
{
    static const struct {
        const char *word;
        enum gl_errc code;
    } words[] = {
        {"no-stock", GL_E_RATE_LIMIT}, {"unreachable", GL_E_NETWORK}, {"gone", GL_E_NOT_FOUND}};

    for (size_t i = 0; word != NULL && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].code;
    return status == 0 ? GL_OK : GL_E_PROVIDER;
}

static void sim_close(struct gl_cloud *cloud)
{
    free(cloud);
}

static const struct gl_cloud_ops sim_ops = {
    .name = GL_SIM_NAME,
    .title = "Simulated places on a virtual clock (SIMULATED)",
    .caps = GL_CLOUD_SUSPENDS | GL_CLOUD_MOVES | GL_CLOUD_DEADLINE,
    .whoami = sim_whoami,
    .regions = sim_regions,
    .types = sim_types,
    .price = sim_price,
    .launch = sim_launch,
    .describe = sim_describe,
    .find_by_request = sim_find_by_request,
    .list = sim_list,
    .stop = sim_stop,
    .terminate = sim_terminate,
    .console = sim_console,
    .suspend = sim_suspend,
    .resume = sim_resume,
    .move = sim_move,
    .spans = sim_spans,
    .classify = sim_classify,
    .close = sim_close,
};

struct gl_cloud *gl_sim_open(struct gl_sim *sim)
{
    struct handle *handle = gl_alloc(sizeof *handle);

    handle->cloud.ops = &sim_ops;
    handle->sim = sim;
    return &handle->cloud;
}
