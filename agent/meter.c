/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/meter.h"

#include "agent/blend.h"
#include "agent/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define MS 1000000

/* ---- handing over ---- */

/* The chain is as far as it was handed over: what follows may still be told in another way. */
static void commit(struct gl_meter *meter)
{
    struct gl_meter_progress *progress = meter->setup.progress;
    uint32_t next;

    if (progress == NULL)
        return;
    next = progress->turn + 1;
    progress->slots[next % 2] = meter->head;
    __atomic_store_n(&progress->turn, next, __ATOMIC_RELEASE);
}

/* Seal the batch if it is not, and write it or the rest of it; false while some is left. */
static bool send_batch(struct gl_meter *meter, int64_t wait_ms)
{
    struct gl_batch *batch = meter->batch;
    size_t length = batch->line_length;
    const char *line = batch->text + batch->line_start;

    if (!gl_batch_is_sealed(batch))
        line = gl_batch_seal(batch, meter->setup.names.launch, &meter->key, &meter->public_key,
                             &length);
    return gl_sink_send_for(&meter->sink, line, length, wait_ms);
}

static bool take_record(void *cookie, const struct gl_reading *reading, const char *text,
                        size_t length, const struct gl_hash *hash)
{
    struct gl_batch *batch = cookie;

    gl_batch_add(batch, text, length, reading->seq, hash);
    return gl_batch_has_room(batch);
}

/* Hand over what the spool holds, batch by batch. */
static void flush_spool(struct gl_meter *meter, int64_t wait_ms)
{
    struct gl_spool *spool = meter->setup.spool;
    struct gl_batch *batch = meter->batch;

    while (spool->sent_seq < meter->head.seq) {
        if (!gl_batch_is_sealed(batch)) {
            gl_batch_clear(batch);
            gl_spool_each(spool, spool->sent_seq, take_record, batch);
            if (batch->count == 0)
                return;
            gl_spool_sending(spool, batch->last_seq);
        }
        if (!send_batch(meter, wait_ms))
            return;
        gl_spool_sent(spool, batch->last_seq);
        gl_batch_clear(batch);
    }
}

static void flush(struct gl_meter *meter, int64_t wait_ms)
{
    if (meter->setup.spool != NULL && meter->sink.fd >= 0)
        flush_spool(meter, wait_ms);
    else if (meter->setup.spool != NULL)
        gl_spool_sync(meter->setup.spool);
    else if (meter->batch->count > 0 && send_batch(meter, wait_ms)) {
        gl_batch_clear(meter->batch);
        commit(meter);
    }
}

/* ---- records ---- */

/* Store the bytes in the spool or the batch; false when they must be told again later. */
static bool store(struct gl_meter *meter, const struct gl_reading *reading, const char *text,
                  size_t length, const struct gl_hash *hash)
{
    if (meter->setup.spool != NULL)
        return gl_spool_append(meter->setup.spool, reading, text, length, hash);
    if (!gl_batch_has_room(meter->batch))
        return false;
    gl_batch_add(meter->batch, text, length, reading->seq, hash);
    return true;
}

/* Make the next record of what was gathered. When it cannot be stored, the energy stays gathered
 * for the one after it. */
static void emit(struct gl_meter *meter, struct gl_moment now, bool is_final)
{
    char text[GL_RECORD_MAX];
    struct gl_reading reading;
    struct gl_hash hash;
    size_t length;

    if (meter->setup.spool != NULL)
        gl_spool_make_room(meter->setup.spool, &meter->head);
    gl_chain_next(&meter->head, &meter->gather, &meter->setup.names, now, &reading);
    reading.memory_mb = meter->load.memory_mb;
    reading.is_final = is_final;
    for (size_t i = 0; meter->has_stalled && i < reading.component_count; i++)
        reading.components[i].flags |= GL_FLAG_MERGED;
    length = gl_reading_write(&reading, text);
    gl_hash_of(text, length, &hash);
    if (!store(meter, &reading, text, length, &hash)) {
        meter->has_stalled = true;
        return;
    }
    gl_chain_advance(&meter->head, &reading, &hash);
    gl_gather_clear(&meter->gather);
    meter->has_stalled = false;
}

/* ---- looks ---- */

static void look(struct gl_meter *meter, struct gl_moment now)
{
    struct gl_yield measured[GL_KINDS], blended[GL_KINDS];
    int64_t dt_ns = now.boottime_ns - meter->looked_at.boottime_ns;

    if (dt_ns <= 0)
        return;
    gl_load_update(&meter->load, now.boottime_ns);
    gl_ladder_sample(&meter->ladder, dt_ns, measured);
    gl_blend(&meter->model, measured, meter->load.busy_share, dt_ns, blended);
    for (size_t i = 0; meter->setup.place.sysroot[0] != '\0' && i < GL_KINDS; i++)
        blended[i].tier = GL_TIER_S; /* nothing from a fixture tree passes for more */
    gl_gather_add(&meter->gather, blended, &meter->load, dt_ns);
    meter->looked_at = now;
}

static int64_t interval_ns(const struct gl_meter *meter)
{
    return (int64_t)meter->setup.interval_ms * MS;
}

/* Records that are safe in a spool can wait for their batch, which costs a sync of the disk. */
static int64_t batch_span_ns(const struct gl_meter *meter)
{
    int64_t most = (int64_t)GL_BATCH_MS * MS;
    int64_t span = interval_ns(meter) * GL_BATCH_INTERVALS;

    return meter->setup.spool == NULL && span < most ? span : most;
}

int64_t gl_meter_next_ns(const struct gl_meter *meter)
{
    int64_t longest_ms = gl_ladder_longest_ms(&meter->ladder, meter->setup.interval_ms);
    int64_t next_ns = meter->looked_at.boottime_ns + longest_ms * MS;

    return next_ns < meter->next_record_ns ? next_ns : meter->next_record_ns;
}

void gl_meter_step(struct gl_meter *meter, struct gl_moment now)
{
    bool is_due = now.boottime_ns >= meter->next_record_ns;

    look(meter, now);
    if (is_due) {
        emit(meter, now, false);
        meter->next_record_ns += interval_ns(meter);
        if (meter->next_record_ns <= now.boottime_ns)
            meter->next_record_ns = now.boottime_ns + interval_ns(meter);
    }
    if ((is_due && meter->is_first_record) || now.boottime_ns >= meter->batch_due_ns ||
        (meter->setup.spool == NULL && !gl_batch_has_room(meter->batch)))
        flush(meter, 0);
    if (is_due)
        meter->is_first_record = false;
    if (now.boottime_ns >= meter->batch_due_ns)
        meter->batch_due_ns = now.boottime_ns + batch_span_ns(meter);
}

void gl_meter_peek(struct gl_meter *meter, struct gl_moment now, struct gl_reading *out)
{
    look(meter, now);
    gl_chain_next(&meter->head, &meter->gather, &meter->setup.names, now, out);
    out->memory_mb = meter->load.memory_mb;
}

/* ---- begin and end ---- */

static void continue_chain(struct gl_meter *meter, struct gl_moment now)
{
    struct gl_chain_head *head = &meter->head;
    const struct gl_meter_progress *progress = meter->setup.progress;
    bool is_other_boot;

    if (meter->setup.spool != NULL)
        gl_spool_head(meter->setup.spool, head);
    else if (progress != NULL)
        *head = progress->slots[progress->turn % 2];
    meter->gather.gap_ms = gl_chain_gap_ms(head, meter->setup.names.boot, now);
    is_other_boot = head->seq > 0 && strcmp(head->boot, meter->setup.names.boot) != 0;
    for (size_t i = 0; is_other_boot && i < GL_KINDS; i++)
        if (head->has_kind[i])
            meter->gather.sum[i].flags = GL_FLAG_REBOOT;
}

/* A new line first: what a killed process left half written must not spoil this one. */
static void enrol(struct gl_meter *meter)
{
    char line[1 + GL_ENROLMENT_MAX] = "\n";
    size_t length = 1;

    if (meter->setup.has_token)
        length += gl_enrolment_line(meter->setup.names.boot, meter->setup.names.launch,
                                    meter->setup.token, &meter->public_key, line + 1);
    gl_sink_send_for(&meter->sink, line, length, 1000);
    meter->sink.sent = 0;
}

void gl_meter_begin(struct gl_meter *meter, const struct gl_meter_setup *setup,
                    const struct gl_sink *sink, struct gl_moment now)
{
    struct gl_source_setup sources = {
        .place = setup->place,
        .machine = &meter->model.machine,
        .load = &meter->load.busy_share,
        .gpu_helper = setup->gpu_helper,
    };

    *meter = (struct gl_meter){.setup = *setup, .sink = *sink, .is_first_record = true};
    gl_key_of_seed(setup->seed, &meter->key, &meter->public_key);
    gl_wipe(meter->setup.seed, sizeof meter->setup.seed);
    meter->batch = gl_alloc(sizeof *meter->batch);
    gl_model_init(&meter->model, &setup->machine, &setup->place);
    gl_ladder_open(&meter->ladder, &sources, setup->sources, setup->source_count, NULL, NULL);
    meter->load = (struct gl_load){
        .scope = setup->load_scope,
        .threads = meter->model.machine.threads,
        .root = setup->load_root,
    };
    gl_load_open(&meter->load, &setup->place, now.boottime_ns);
    continue_chain(meter, now);
    meter->looked_at = now;
    meter->next_record_ns = now.boottime_ns + (setup->interval_ms < GL_FIRST_RECORD_MS
                                                   ? interval_ns(meter)
                                                   : (int64_t)GL_FIRST_RECORD_MS * MS);
    meter->batch_due_ns = now.boottime_ns + batch_span_ns(meter);
    enrol(meter);
    gl_wipe(meter->setup.token, sizeof meter->setup.token);
}

void gl_meter_abandon(struct gl_meter *meter)
{
    gl_ladder_close(&meter->ladder);
    gl_load_close(&meter->load);
    gl_secret_key_wipe(&meter->key);
    free(meter->batch);
    meter->batch = NULL;
}

bool gl_meter_end(struct gl_meter *meter, struct gl_moment now, int64_t wait_ms)
{
    bool is_out;

    look(meter, now);
    if (gl_batch_is_sealed(meter->batch) || !gl_batch_has_room(meter->batch))
        flush(meter, wait_ms);
    emit(meter, now, true);
    flush(meter, wait_ms);
    is_out = !meter->has_stalled && meter->batch->count == 0;
    gl_meter_abandon(meter);
    return is_out;
}

/* ---- the loop ---- */

static struct timespec until(int64_t at_ns, int64_t now_ns)
{
    int64_t left = at_ns > now_ns ? at_ns - now_ns : 0;

    return (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
}

/* The guest may get stuck in a read from a dead disk: then the meter enforces the lease. */
static bool is_overdue(const struct gl_meter *meter, struct gl_moment now)
{
    const struct gl_meter_progress *progress = meter->setup.progress;
    int64_t off_ns =
        progress != NULL ? __atomic_load_n(&progress->power_off_ns, __ATOMIC_RELAXED) : 0;

    return off_ns > 0 && now.boottime_ns > off_ns;
}

int gl_meter_loop(struct gl_meter *meter, pid_t child)
{
    siginfo_t info;
    sigset_t signals;
    int status = 0;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    for (;;) {
        struct gl_moment now = gl_moment_now();
        struct timespec wait = until(gl_meter_next_ns(meter), now.boottime_ns);
        int number = sigtimedwait(&signals, &info, &wait);

        now = gl_moment_now();
        if (number == SIGCHLD && child > 0 && waitpid(child, &status, WNOHANG) == child)
            break;
        if ((number == SIGTERM || number == SIGINT) && child == 0)
            break;
        /* A terminal tells the command of Ctrl-C itself. */
        if (number == SIGTERM || (number == SIGINT && info.si_code != SI_KERNEL))
            kill(child, number);
        if (is_overdue(meter, now))
            gl_vm_power_off();
        if (now.boottime_ns >= gl_meter_next_ns(meter))
            gl_meter_step(meter, now);
    }
    return status;
}

void gl_chain_names_init(struct gl_chain_names *names, const char *launch)
{
    const struct gl_place real = {""};
    struct gl_error ignored = {0};
    struct gl_hash hash = {{0}};
    char hex[GL_HASH_HEX];

    *names = (struct gl_chain_names){0};
    gl_hash_of_file("/proc/self/exe", &hash, &ignored);
    snprintf(names->agent, sizeof names->agent, "%.16s", gl_hash_hex(&hash, hex));
    if (!gl_place_line(&real, "/proc/sys/kernel/random", "boot_id", names->boot,
                       sizeof names->boot))
        snprintf(names->boot, sizeof names->boot, "unknown");
    snprintf(names->launch, sizeof names->launch, "%s", launch);
    gl_model_hash(names->model);
}
