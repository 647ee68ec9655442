/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_memory_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct gl_memory_store *gl_memory_store_new(void)
{
    struct gl_memory_store *store =
        mmap(NULL, sizeof *store, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (store == MAP_FAILED)
        gl_die_of_memory();
    return store;
}

void gl_memory_store_free(struct gl_memory_store *store)
{
    munmap(store, sizeof *store);
}

unsigned gl_memory_running(const struct gl_memory_store *store)
{
    unsigned running = 0;

    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++)
        running += store->instances[i].is_there && store->instances[i].seen.state != GL_STATE_ENDED;
    return running;
}

unsigned gl_memory_on(const struct gl_memory_store *store)
{
    unsigned on = 0;

    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++)
        on += store->instances[i].is_there && store->instances[i].seen.state != GL_STATE_ENDED &&
              store->instances[i].seen.state != GL_STATE_HALTED;
    return on;
}

struct gl_memory_store *gl_memory_store_of(struct gl_cloud *cloud)
{
    return ((struct memory_cloud *)cloud)->store;
}

struct gl_memory_instance *gl_memory_find(struct gl_memory_store *store, const char *id,
                                          struct gl_error *err)
{
    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++)
        if (store->instances[i].is_there && strcmp(store->instances[i].seen.id, id) == 0)
            return &store->instances[i];
    gl_fail(err, GL_E_NOT_FOUND, "the memory cloud has no instance %.40s", id);
    return NULL;
}

static struct gl_memory_instance *find_token(struct gl_memory_store *store, const char *token)
{
    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++)
        if (store->instances[i].is_there && strcmp(store->instances[i].seen.token, token) == 0)
            return &store->instances[i];
    return NULL;
}

void gl_memory_write_console(struct gl_memory_store *store, const char *id, const char *text)
{
    struct gl_error ignored = {0};
    struct gl_memory_instance *instance = gl_memory_find(store, id, &ignored);
    size_t length = strlen(text);

    if (instance == NULL || instance->console_length + length > sizeof instance->console)
        return;
    memcpy(instance->console + instance->console_length, text, length);
    instance->console_length += length;
}

/* ---- faults ---- */

/* The fault that this call meets, if any; counts the call. */
struct gl_memory_fault gl_memory_meet(struct gl_memory_store *store, enum gl_memory_op op)
{
    struct gl_memory_fault *fault = &store->faults[op], met = {0};

    store->calls[op]++;
    if (fault->times > 0) {
        met = *fault;
        fault->times--;
    }
    return met;
}

static int strike(const struct gl_memory_fault *fault, struct gl_error *err)
{
    if (fault->kills_caller)
        _exit(99);
    return gl_fail(err, fault->code, "the memory cloud was told to fail");
}

/* -1 before anything was done. */
int gl_memory_before(const struct gl_memory_fault *fault, struct gl_error *err)
{
    return fault->times > 0 && !fault->acts_first ? strike(fault, err) : 0;
}

/* `got` and the answer, or the fault that eats it. */
int gl_memory_after(const struct gl_memory_fault *fault, int got, struct gl_error *err)
{
    return got >= 0 && fault->times > 0 && fault->acts_first ? strike(fault, err) : got;
}

/* ---- where and when it ran ---- */

void gl_memory_note_span(struct gl_memory_instance *instance, const struct gl_world *world,
                         bool is_running)
{
    int64_t now_ms = world->now_ms(world->cookie);
    struct gl_instance_span *span = &instance->spans[instance->span_count];

    if (instance->span_count == GL_MEMORY_SPANS_MAX)
        return;
    if (instance->span_count > 0)
        span[-1].until_ms = now_ms;
    *span = (struct gl_instance_span){now_ms, INT64_MAX, is_running, ""};
    memcpy(span->region, instance->seen.region, sizeof span->region);
    instance->span_count++;
}

/* ---- operations ---- */

static int memory_whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_memory_fault fault = gl_memory_meet(gl_memory_store_of(cloud), GL_MEMORY_WHOAMI);

    if (gl_memory_before(&fault, err) < 0)
        return -1;
    snprintf(out, 128, "memory");
    return gl_memory_after(&fault, 0, err);
}

static int memory_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    static const char *const names[] = {GL_MEMORY_REGION, GL_MEMORY_REGION_2, NULL};

    (void)cloud;
    (void)err;
    *out = names;
    return 0;
}

int gl_memory_check(const char *region, const char *type, struct gl_error *err)
{
    if (strcmp(region, GL_MEMORY_REGION) != 0 && strcmp(region, GL_MEMORY_REGION_2) != 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "the memory cloud has no region %.40s", region);
    if (type != NULL && strcmp(type, GL_MEMORY_TYPE) != 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "the memory cloud has no type %.40s", type);
    return 0;
}

static int memory_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                        struct gl_error *err)
{
    static const char *const names[] = {GL_MEMORY_TYPE, NULL};

    (void)cloud;
    if (gl_memory_check(region, NULL, err) < 0)
        return -1;
    *out = names;
    return 0;
}

static int memory_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                        struct gl_error *err)
{
    struct gl_memory_fault fault = gl_memory_meet(gl_memory_store_of(cloud), GL_MEMORY_PRICE);

    if (gl_memory_before(&fault, err) < 0 || gl_memory_check(region, type, err) < 0)
        return -1;
    *out = gl_memory_store_of(cloud)->price_u_usd_per_h;
    return gl_memory_after(&fault, 0, err);
}

static struct gl_memory_instance *start(struct gl_memory_store *store,
                                        const struct gl_launch *launch, struct gl_instant now,
                                        struct gl_error *err)
{
    struct gl_memory_instance *instance = store->instances;

    while (instance < store->instances + GL_MEMORY_INSTANCES && instance->is_there)
        instance++;
    if (instance == store->instances + GL_MEMORY_INSTANCES) {
        gl_fail(err, GL_E_LAUNCH, "the memory cloud is full");
        return NULL;
    }
    memset(instance, 0, sizeof *instance);
    store->launched++;
    instance->still_launching = store->launch_steps;
    instance->seen = (struct gl_instance){.attempt = launch->attempt,
                                          .started = now,
                                          .expires = launch->expires,
                                          .host_cpu_ms = -1,
                                          .state = store->launch_steps > 0 ? GL_STATE_LAUNCHING
                                                                           : GL_STATE_RUNNING};
    snprintf(instance->seen.id, sizeof instance->seen.id, "mem-%u", store->launched);
    snprintf(instance->seen.launch_id, sizeof instance->seen.launch_id, "%s", launch->launch_id);
    snprintf(instance->seen.token, sizeof instance->seen.token, "%s", launch->token);
    snprintf(instance->seen.region, sizeof instance->seen.region, "%s", launch->region);
    snprintf(instance->seen.type, sizeof instance->seen.type, "%s", launch->type);
    snprintf(instance->seen.how, sizeof instance->seen.how, "memory");
    instance->seen.caps = GL_CLOUD_SUSPENDS | GL_CLOUD_MOVES;
    instance->is_there = true;
    return instance;
}

static int memory_launch(struct gl_cloud *cloud, const struct gl_launch *launch,
                         struct gl_instance *out, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_LAUNCH);
    struct gl_memory_instance *instance;
    struct gl_instant now = gl_now(((struct memory_cloud *)cloud)->world);

    if (gl_memory_before(&fault, err) < 0 || gl_memory_check(launch->region, launch->type, err) < 0)
        return -1;
    if (launch->image != NULL && !gl_memory_image_fits(store, launch->image, launch->region))
        return gl_fail(err, GL_E_BAD_VALUE, "there is no image %.40s to launch from",
                       launch->image);
    instance = find_token(store, launch->token);
    if (instance == NULL)
        instance = start(store, launch, now, err);
    if (instance != NULL && instance->span_count == 0)
        gl_memory_note_span(instance, ((struct memory_cloud *)cloud)->world, true);
    if (instance == NULL || gl_memory_after(&fault, 0, err) < 0)
        return -1;
    *out = instance->seen;
    return 0;
}

static int memory_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                           struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_DESCRIBE);
    struct gl_memory_instance *instance;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL)
        return -1;
    if (instance->seen.state == GL_STATE_LAUNCHING && instance->still_launching-- == 0)
        instance->seen.state = GL_STATE_RUNNING;
    if (gl_memory_after(&fault, 0, err) < 0)
        return -1;
    *out = instance->seen;
    return 0;
}

static int memory_find(struct gl_cloud *cloud, const char *region, const char *token,
                       struct gl_instance *out, struct gl_error *err)
{
    struct gl_memory_fault fault = gl_memory_meet(gl_memory_store_of(cloud), GL_MEMORY_FIND);
    const struct gl_memory_instance *instance;

    (void)region;
    if (gl_memory_before(&fault, err) < 0)
        return -1;
    instance = find_token(gl_memory_store_of(cloud), token);
    if (instance == NULL || gl_memory_after(&fault, 1, err) < 0)
        return instance == NULL ? 0 : -1;
    *out = instance->seen;
    return 1;
}

static int memory_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                       struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_LIST);
    struct gl_instance *items;
    size_t count = 0;

    if (gl_memory_before(&fault, err) < 0)
        return -1;
    items = gl_alloc(GL_MEMORY_INSTANCES * sizeof *items);
    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++)
        if (store->instances[i].is_there)
            items[count++] = store->instances[i].seen;
    *out = items;
    *out_count = count;
    return 0;
}

/* stop and terminate: the end of an instance without a guest is the same. */
static int end(struct gl_cloud *cloud, const char *id, enum gl_memory_op op, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, op);
    struct gl_memory_instance *instance;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL)
        return -1;
    instance->seen.state = GL_STATE_ENDED;
    return gl_memory_after(&fault, 0, err);
}

static int memory_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                       struct gl_error *err)
{
    (void)wait;
    return end(cloud, id, GL_MEMORY_STOP, err);
}

static int memory_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return end(cloud, id, GL_MEMORY_TERMINATE, err);
}

static int memory_console(struct gl_cloud *cloud, const char *id, uint64_t offset,
                          struct gl_str *out, uint64_t *out_next, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_CONSOLE);
    const struct gl_memory_instance *instance;
    size_t ceiling = out->ceiling > 0 ? out->ceiling : GL_STR_CEILING;
    size_t room = ceiling > out->length ? ceiling - out->length : 0, left = 0;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL)
        return -1;
    if (offset < instance->console_length)
        left = instance->console_length - (size_t)offset;
    left = left < room ? left : room;
    gl_str_add_bytes(out, instance->console + offset, left);
    *out_next = offset + left;
    return gl_memory_after(&fault, 0, err);
}

static int memory_attach(struct gl_cloud *cloud, const char *id, const struct gl_attach *attach,
                         int *out_status, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_ATTACH);
    struct gl_memory_instance *instance;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL)
        return -1;
    if (attach->on_tick != NULL && !attach->on_tick(attach->cookie))
        return gl_fail(err, GL_E_INTERRUPTED, "cancelled");
    if (attach->on_stdout != NULL && store->command_output != NULL)
        attach->on_stdout(attach->cookie, store->command_output, strlen(store->command_output));
    instance->seen.has_exit = true;
    instance->seen.exit_status = store->command_status;
    if (gl_memory_after(&fault, 0, err) < 0)
        return -1;
    *out_status = store->command_status;
    return 0;
}

/* Suspend and resume: from one state to the other; fine when it is there already. */
static int change_state(struct gl_cloud *cloud, const char *id, enum gl_memory_op op,
                        enum gl_instance_state to, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, op);
    struct gl_memory_instance *instance;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL)
        return -1;
    if (instance->seen.state != GL_STATE_RUNNING && instance->seen.state != GL_STATE_SUSPENDED)
        return gl_fail(err, GL_E_GUEST, "%.40s does not run", id);
    if (instance->seen.state != to) {
        instance->seen.state = to;
        gl_memory_note_span(instance, ((struct memory_cloud *)cloud)->world,
                            to == GL_STATE_RUNNING);
    }
    return gl_memory_after(&fault, 0, err);
}

static int memory_suspend(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return change_state(cloud, id, GL_MEMORY_SUSPEND, GL_STATE_SUSPENDED, err);
}

static int memory_resume(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_error ignored = {0};
    const struct gl_memory_instance *instance =
        gl_memory_find(gl_memory_store_of(cloud), id, &ignored);
    struct gl_instant now = gl_now(((struct memory_cloud *)cloud)->world);

    if (instance != NULL && instance->seen.state == GL_STATE_SUSPENDED &&
        instance->seen.expires.unix_s > 0 && instance->seen.expires.unix_s <= now.unix_s)
        return gl_fail(err, GL_E_TIMEOUT, "the lease of %.40s has ended", id);
    return change_state(cloud, id, GL_MEMORY_RESUME, GL_STATE_RUNNING, err);
}

static int memory_move(struct gl_cloud *cloud, const char *id, const char *region,
                       struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_MOVE);
    const struct gl_world *world = ((struct memory_cloud *)cloud)->world;
    struct gl_memory_instance *instance;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL ||
        gl_memory_check(region, NULL, err) < 0)
        return -1;
    if (instance->seen.state != GL_STATE_RUNNING && instance->seen.state != GL_STATE_SUSPENDED)
        return gl_fail(err, GL_E_GUEST, "%.40s does not run", id);
    if (strcmp(instance->seen.region, region) != 0) {
        snprintf(instance->seen.region, sizeof instance->seen.region, "%s", region);
        gl_memory_note_span(instance, world, instance->seen.state == GL_STATE_RUNNING);
    }
    return gl_memory_after(&fault, 0, err);
}

static int memory_spans(struct gl_cloud *cloud, const char *id, struct gl_instance_span **out,
                        size_t *out_count, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_SPANS);
    const struct gl_memory_instance *instance;
    struct gl_instance_span *spans;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL)
        return -1;
    spans = gl_alloc(instance->span_count * sizeof *spans);
    memcpy(spans, instance->spans, instance->span_count * sizeof *spans);
    *out = spans;
    *out_count = instance->span_count;
    return 0;
}

static enum gl_errc memory_classify(int status, const char *word)
{
    static const struct {
        const char *word;
        enum gl_errc code;
    } words[] = {
        {"throttled", GL_E_RATE_LIMIT}, {"denied", GL_E_NO_CREDENTIAL}, {"gone", GL_E_NOT_FOUND}};

    for (size_t i = 0; word != NULL && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].code;
    return status == 0 ? GL_OK : GL_E_PROVIDER;
}

static void memory_close(struct gl_cloud *cloud)
{
    free(cloud);
}

static const struct gl_cloud_ops memory_ops = {
    .name = "memory",
    .title = "reference cloud in memory, for tests",
    .caps = GL_CLOUD_RUNS_COMMANDS | GL_CLOUD_SUSPENDS | GL_CLOUD_MOVES | GL_CLOUD_HALTS |
            GL_CLOUD_IMAGES,
    .whoami = memory_whoami,
    .regions = memory_regions,
    .types = memory_types,
    .price = memory_price,
    .launch = memory_launch,
    .describe = memory_describe,
    .find_by_request = memory_find,
    .list = memory_list,
    .stop = memory_stop,
    .terminate = memory_terminate,
    .console = memory_console,
    .attach = memory_attach,
    .suspend = memory_suspend,
    .resume = memory_resume,
    .move = memory_move,
    .spans = memory_spans,
    .halt = gl_memory_halt,
    .start = gl_memory_start,
    .image_create = gl_memory_image_create,
    .image_copy = gl_memory_image_copy,
    .image_look = gl_memory_image_look,
    .image_delete = gl_memory_image_delete,
    .image_find = gl_memory_image_find,
    .classify = memory_classify,
    .close = memory_close,
};

struct gl_cloud *gl_memory_cloud_open(struct gl_memory_store *store, const struct gl_world *world)
{
    struct memory_cloud *memory = gl_alloc(sizeof *memory);

    memory->cloud.ops = &memory_ops;
    memory->store = store;
    memory->world = world;
    return &memory->cloud;
}
