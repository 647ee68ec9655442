/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/metered_cloud.h"

#include "tests/support/make_batches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PER_BATCH 8

struct decorated {
    struct gl_cloud cloud;
    struct gl_cloud *inner;
    struct metered_cloud *metered;
};

/* ---- the world ---- */

static int64_t now_ms(void *cookie)
{
    const struct metered_cloud *metered = cookie;

    return METERED_EPOCH_MS + metered->true_ms + metered->jump_ms;
}

static int64_t monotonic_ms(void *cookie)
{
    return ((const struct metered_cloud *)cookie)->true_ms;
}

static void sleep_ms(void *cookie, int64_t ms)
{
    ((struct metered_cloud *)cookie)->true_ms += ms;
}

static void random_bytes(void *cookie, void *out, size_t length)
{
    struct metered_cloud *metered = cookie;
    uint8_t *bytes = out;

    for (size_t i = 0; i < length; i++) {
        metered->random = metered->random * UINT64_C(6364136223846793005) + 1442695040888963407;
        bytes[i] = (uint8_t)(metered->random >> 56);
    }
}

static const char *no_environment(void *cookie, const char *name)
{
    (void)cookie;
    (void)name;
    return NULL;
}

struct metered_cloud *metered_cloud_new(void)
{
    struct metered_cloud *metered =
        mmap(NULL, sizeof *metered, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (metered == MAP_FAILED)
        gl_die_of_memory();
    metered->store = gl_memory_store_new();
    metered->world = (struct gl_world){metered,      now_ms,         monotonic_ms, sleep_ms,
                                       random_bytes, no_environment, NULL};
    return metered;
}

void metered_cloud_free(struct metered_cloud *cloud)
{
    gl_memory_store_free(cloud->store);
    munmap(cloud, sizeof *cloud);
}

/* ---- instances and their guests ---- */

static struct metered_guest *guest_of(struct metered_cloud *metered, const char *token)
{
    for (size_t i = 0; i < METERED_GUESTS; i++)
        if (strcmp(metered->guests[i].token, token) == 0)
            return &metered->guests[i];
    return NULL;
}

static const struct gl_instance *instance_of(const struct metered_cloud *metered, const char *id)
{
    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++)
        if (metered->store->instances[i].is_there &&
            strcmp(metered->store->instances[i].seen.id, id) == 0)
            return &metered->store->instances[i].seen;
    return NULL;
}

static bool has_ended(const struct gl_instance *instance)
{
    return instance->state == GL_STATE_ENDED || instance->state == GL_STATE_LOST;
}

static int64_t end_of(const struct metered_cloud *metered, const struct metered_guest *guest,
                      const struct gl_instance *instance)
{
    return has_ended(instance) && guest->asked_ms >= 0 ? guest->asked_ms : metered->true_ms;
}

/* How long it has really run. */
static int64_t ran_ms_of(const struct metered_cloud *metered, const struct metered_guest *guest,
                         const struct gl_instance *instance)
{
    int64_t end_ms = guest->is_still ? guest->still_since_ms : end_of(metered, guest, instance);

    for (size_t i = 0; i < guest->pause_count; i++)
        end_ms -= guest->pauses[i].length_ms;
    return end_ms - guest->began_ms;
}

unsigned metered_cloud_count(const struct metered_cloud *cloud, const char *launch, bool is_running)
{
    unsigned count = 0;

    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++) {
        const struct gl_memory_instance *instance = &cloud->store->instances[i];

        count += instance->is_there && strcmp(instance->seen.launch_id, launch) == 0 &&
                 !(is_running && has_ended(&instance->seen));
    }
    return count;
}

int64_t metered_cloud_energy_uj(const struct metered_cloud *cloud, const char *launch)
{
    int64_t sum = 0;

    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++) {
        const struct gl_memory_instance *instance = &cloud->store->instances[i];
        struct metered_guest *guest =
            guest_of((struct metered_cloud *)(uintptr_t)cloud, instance->seen.token);

        if (instance->is_there && strcmp(instance->seen.launch_id, launch) == 0 && guest != NULL)
            sum += ran_ms_of(cloud, guest, &instance->seen) * (METERED_UJ_PER_S / 1000);
    }
    return sum;
}

/* ---- what a meter has said until now ---- */

/* One reading of the next step_ms of running; what it stood still meanwhile its wall clock has been
 * told. */
static void read_step(const struct metered_guest *guest, struct fake_meter *meter, int64_t *at_ms)
{
    for (size_t i = 0; i < guest->pause_count; i++)
        if (guest->pauses[i].ran_ms >= *at_ms && guest->pauses[i].ran_ms < *at_ms + meter->step_ms)
            meter->next.wall_ms += guest->pauses[i].length_ms;
    *at_ms += meter->step_ms;
    fake_meter_read(meter);
}

static void speak(const struct metered_cloud *metered, const struct metered_guest *guest,
                  const struct gl_instance *instance, struct fake_meter *meter)
{
    int64_t ran_ms = ran_ms_of(metered, guest, instance), at_ms = 0;
    struct gl_component *cpu = &meter->next.components[0];
    bool is_over = has_ended(instance) && guest->is_orderly;

    cpu->delta_uj = cpu->low_uj = cpu->high_uj = METERED_UJ_PER_S;
    if (metered->goodbye_ms > 0 && is_over)
        ran_ms = metered->goodbye_ms;
    while (ran_ms > 1000 && meter->count < FAKE_READINGS_MAX - 1) {
        read_step(guest, meter, &at_ms);
        ran_ms -= 1000;
    }
    if (!is_over || ran_ms > 1000)
        return;
    meter->step_ms = ran_ms;
    cpu->delta_uj = cpu->low_uj = cpu->high_uj = ran_ms * (METERED_UJ_PER_S / 1000);
    meter->next.is_final = true;
    read_step(guest, meter, &at_ms);
}

static void console_text(struct metered_cloud *metered, const struct gl_instance *instance,
                         struct gl_str *out)
{
    static struct fake_meter meter;
    const struct metered_guest *guest = guest_of(metered, instance->token);

    if (guest == NULL || metered->is_mute)
        return;
    fake_meter_init(&meter, guest->launch_id, (uint8_t)(guest - metered->guests + 1),
                    guest->wall_ms);
    memcpy(meter.token, guest->enrol, sizeof meter.token);
    speak(metered, guest, instance, &meter);
    gl_str_add(out, "[    0.000000] a kernel\r\n");
    fake_add_enrolment(&meter, out);
    for (size_t i = 0; i < meter.count; i += PER_BATCH)
        fake_add_batch(&meter, i, meter.count - i < PER_BATCH ? meter.count - i : PER_BATCH, out);
}

/* ---- operations ---- */

static struct decorated *of(struct gl_cloud *cloud)
{
    return (struct decorated *)(void *)cloud;
}

#define INNER(cloud) (of(cloud)->inner)

/* The guest is written down first: a fault may end this process after the instance is there. */
static int metered_launch(struct gl_cloud *cloud, const struct gl_launch *launch,
                          struct gl_instance *out, struct gl_error *err)
{
    struct metered_cloud *metered = of(cloud)->metered;
    struct metered_guest *guest = guest_of(metered, launch->token);

    if (guest == NULL && (guest = guest_of(metered, "")) != NULL) {
        *guest = (struct metered_guest){
            .began_ms = metered->true_ms, .asked_ms = -1, .wall_ms = now_ms(metered)};
        snprintf(guest->token, sizeof guest->token, "%s", launch->token);
        snprintf(guest->launch_id, sizeof guest->launch_id, "%s", launch->launch_id);
        gl_hex_parse(launch->enrol_token, guest->enrol, sizeof guest->enrol, err);
    }
    return INNER(cloud)->ops->launch(INNER(cloud), launch, out, err);
}

static int end_guest(struct gl_cloud *cloud, const char *id, bool is_orderly, struct gl_error *err)
{
    struct metered_cloud *metered = of(cloud)->metered;
    const struct gl_instance *instance = instance_of(metered, id);
    struct metered_guest *guest = instance != NULL ? guest_of(metered, instance->token) : NULL;

    if (guest != NULL && !has_ended(instance)) {
        guest->asked_ms = metered->true_ms;
        guest->is_orderly =
            !guest->is_still && (is_orderly || (metered->lingers && guest->is_orderly));
    }
    if (is_orderly && metered->lingers)
        return 0;
    return is_orderly ? INNER(cloud)->ops->stop(INNER(cloud), id, (struct gl_span){0}, err)
                      : INNER(cloud)->ops->terminate(INNER(cloud), id, err);
}

static int metered_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                        struct gl_error *err)
{
    (void)wait;
    return end_guest(cloud, id, true, err);
}

static int metered_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return end_guest(cloud, id, false, err);
}

static int metered_console(struct gl_cloud *cloud, const char *id, uint64_t offset,
                           struct gl_str *out, uint64_t *out_next, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str own = {0};
    const struct gl_instance *instance = instance_of(of(cloud)->metered, id);
    size_t room = out->ceiling - out->length;

    if (INNER(cloud)->ops->console(INNER(cloud), id, offset, out, out_next, err) != 0)
        return -1;
    console_text(of(cloud)->metered, instance, &own);
    if (offset < own.length)
        room = own.length - offset < room ? own.length - offset : room;
    else
        room = 0;
    gl_str_add_bytes(out, gl_str_text(&own) + (room > 0 ? offset : 0), room);
    *out_next = offset + room;
    return 0;
}

/* ---- standing still: the guest first, a fault may end this process after it was done ---- */

static bool will_act(const struct metered_cloud *metered, enum gl_memory_op op)
{
    const struct gl_memory_fault *fault = &metered->store->faults[op];

    return fault->times == 0 || fault->acts_first;
}

static void still_guest(struct metered_cloud *metered, const char *id, bool is_still)
{
    const struct gl_instance *instance = instance_of(metered, id);
    struct metered_guest *guest = instance != NULL ? guest_of(metered, instance->token) : NULL;

    if (guest == NULL || has_ended(instance) || guest->is_still == is_still)
        return;
    if (is_still) {
        guest->still_since_ms = metered->true_ms;
        guest->is_still = true;
    } else if (guest->pause_count < METERED_PAUSES &&
               instance->expires.unix_s * 1000 > now_ms(metered)) {
        guest->pauses[guest->pause_count] = (struct metered_pause){
            ran_ms_of(metered, guest, instance), metered->true_ms - guest->still_since_ms};
        guest->pause_count++;
        guest->is_still = false;
    }
}

static int metered_suspend(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    of(cloud)->metered->is_hidden |= of(cloud)->metered->hides;
    if (will_act(of(cloud)->metered, GL_MEMORY_SUSPEND))
        still_guest(of(cloud)->metered, id, true);
    return INNER(cloud)->ops->suspend(INNER(cloud), id, err);
}

static int metered_resume(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    of(cloud)->metered->is_hidden |= of(cloud)->metered->hides;
    if (will_act(of(cloud)->metered, GL_MEMORY_RESUME))
        still_guest(of(cloud)->metered, id, false);
    return INNER(cloud)->ops->resume(INNER(cloud), id, err);
}

static int metered_move(struct gl_cloud *cloud, const char *id, const char *region,
                        struct gl_error *err)
{
    of(cloud)->metered->is_hidden |= of(cloud)->metered->hides;
    return INNER(cloud)->ops->move(INNER(cloud), id, region, err);
}

static int metered_spans(struct gl_cloud *cloud, const char *id, struct gl_instance_span **out,
                         size_t *out_count, struct gl_error *err)
{
    return INNER(cloud)->ops->spans(INNER(cloud), id, out, out_count, err);
}

static int metered_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    if (will_act(of(cloud)->metered, GL_MEMORY_HALT))
        still_guest(of(cloud)->metered, id, true);
    return INNER(cloud)->ops->halt(INNER(cloud), id, err);
}

static int metered_start(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    if (will_act(of(cloud)->metered, GL_MEMORY_START))
        still_guest(of(cloud)->metered, id, false);
    return INNER(cloud)->ops->start(INNER(cloud), id, err);
}

static int metered_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                                struct gl_cloud_image *out, struct gl_error *err)
{
    return INNER(cloud)->ops->image_create(INNER(cloud), id, name, out, err);
}

static int metered_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                              const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    return INNER(cloud)->ops->image_copy(INNER(cloud), image, region, name, out, err);
}

static int metered_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                              struct gl_error *err)
{
    return INNER(cloud)->ops->image_look(INNER(cloud), image, out, err);
}

static int metered_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    return INNER(cloud)->ops->image_delete(INNER(cloud), image, err);
}

static int metered_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                         struct gl_error *err)
{
    return INNER(cloud)->ops->price(INNER(cloud), region, type, out, err);
}

static int metered_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                              const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    return INNER(cloud)->ops->image_find(INNER(cloud), id, region, name, out, err);
}

static int metered_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                            struct gl_error *err)
{
    if (of(cloud)->metered->is_hidden)
        return gl_fail(err, GL_E_NETWORK, "nobody answers");
    return INNER(cloud)->ops->describe(INNER(cloud), id, out, err);
}

static int metered_find(struct gl_cloud *cloud, const char *region, const char *token,
                        struct gl_instance *out, struct gl_error *err)
{
    return INNER(cloud)->ops->find_by_request(INNER(cloud), region, token, out, err);
}

static int metered_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                        struct gl_error *err)
{
    return INNER(cloud)->ops->list(INNER(cloud), out, out_count, err);
}

static void metered_close(struct gl_cloud *cloud)
{
    gl_cloud_close(INNER(cloud));
    free(of(cloud));
}

/* What the journal calls; the rest is the reference cloud's and not asked for here. */
static const struct gl_cloud_ops metered_ops = {
    .name = "memory",
    .title = "reference cloud with meters, for tests",
    .caps = GL_CLOUD_SUSPENDS | GL_CLOUD_MOVES | GL_CLOUD_HALTS | GL_CLOUD_IMAGES,
    .launch = metered_launch,
    .describe = metered_describe,
    .find_by_request = metered_find,
    .list = metered_list,
    .stop = metered_stop,
    .terminate = metered_terminate,
    .console = metered_console,
    .suspend = metered_suspend,
    .resume = metered_resume,
    .move = metered_move,
    .spans = metered_spans,
    .halt = metered_halt,
    .start = metered_start,
    .image_create = metered_image_create,
    .image_copy = metered_image_copy,
    .image_look = metered_image_look,
    .image_delete = metered_image_delete,
    .image_find = metered_image_find,
    .price = metered_price,
    .close = metered_close,
};

struct gl_cloud *metered_cloud_open(void *cookie, const char *name, const char *zone,
                                    struct gl_error *err)
{
    struct metered_cloud *metered = cookie;
    struct decorated *decorated = gl_alloc(sizeof *decorated);

    (void)name;
    (void)zone;
    (void)err;
    decorated->cloud.ops = &metered_ops;
    decorated->metered = metered;
    decorated->inner = gl_memory_cloud_open(metered->store, &metered->world);
    return &decorated->cloud;
}
