/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/sim/sim_meter.h"

#include <stdio.h>
#include <string.h>

#include "agent/chain.h"
#include "agent/model.h"

#define PER_BATCH     8
#define FIRST_MS      500 /* from the start to the first record */
#define NS_PER_MS     INT64_C(1000000)
#define MIB_PER_MB(n) ((uint32_t)((uint64_t)(n)*1048576 / 1000000))

/* One meter while it speaks. */
struct speaker {
    struct gl_sim_meter *meter;
    const struct gl_sim_guest *guest;
    struct gl_str *out;
    struct gl_model model;
    struct gl_load load;
    struct gl_chain_head head;
    struct gl_chain_names names;
    struct gl_secret_key secret;
    struct gl_public_key key;
};

static struct gl_machine machine_of(uint32_t vcpus, uint32_t memory_mib)
{
    return (struct gl_machine){.family = gl_power_family(GL_SIM_CPU_FAMILY),
                               .threads = vcpus,
                               .memory_gb = MIB_PER_MB(memory_mib) / 1000.0};
}

struct gl_band gl_sim_meter_watts(uint32_t vcpus, uint32_t memory_mib, double load)
{
    struct gl_machine machine = machine_of(vcpus, memory_mib);

    return gl_power_machine(&machine, load, 0);
}

/* 32 bytes that follow from the token and what they are for. */
static void derive(const struct gl_sim_guest *guest, const char *purpose, struct gl_hash *out)
{
    gl_hmac_sha256(guest->enrol, sizeof guest->enrol, purpose, strlen(purpose), out);
}

double gl_sim_meter_load(const struct gl_sim_guest *guest)
{
    struct gl_hash hash;

    derive(guest, "load", &hash);
    return 0.4 + hash.bytes[0] / 510.0;
}

static void make_names(struct speaker *speaker)
{
    struct gl_sim_meter *meter = speaker->meter;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    if (meter->model[0] == '\0')
        gl_model_hash(meter->model);
    memcpy(speaker->names.model, meter->model, sizeof speaker->names.model);
    memcpy(speaker->names.agent, "0000000000000000", sizeof speaker->names.agent);
    derive(speaker->guest, "boot", &hash);
    gl_hash_hex(&hash, hex);
    snprintf(speaker->names.boot, sizeof speaker->names.boot, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex,
             hex + 8, hex + 13, hex + 17, hex + 20);
    snprintf(speaker->names.launch, sizeof speaker->names.launch, "%.63s",
             speaker->guest->launch_id);
}

static void begin(struct speaker *speaker)
{
    const struct gl_sim_guest *guest = speaker->guest;
    char line[GL_ENROLMENT_MAX];
    struct gl_hash seed;
    size_t length;

    make_names(speaker);
    derive(guest, "key", &seed);
    gl_key_of_seed(seed.bytes, &speaker->secret, &speaker->key);
    speaker->model = (struct gl_model){machine_of(guest->vcpus, guest->memory_mib), GL_TIER_S};
    speaker->load.busy_share =
        speaker->meter->load > 0 ? speaker->meter->load : gl_sim_meter_load(guest);
    gl_batch_clear(&speaker->meter->batch);
    length =
        gl_enrolment_line(speaker->names.boot, guest->launch_id, guest->enrol, &speaker->key, line);
    gl_str_add_bytes(speaker->out, line, length);
}

static void seal(struct speaker *speaker)
{
    struct gl_batch *batch = &speaker->meter->batch;
    const char *line;
    size_t length;

    if (batch->count == 0)
        return;
    line = gl_batch_seal(batch, speaker->names.launch, &speaker->secret, &speaker->key, &length);
    gl_str_add_bytes(speaker->out, line, length);
    gl_batch_clear(batch);
}

/* One record of everything since the last one. */
static void read_once(struct speaker *speaker, int64_t boot_ms, int64_t wall_ms, bool is_final)
{
    struct gl_sim_meter *meter = speaker->meter;
    uint32_t per_batch = meter->per_batch > 0 ? meter->per_batch : PER_BATCH;
    int64_t dt_ns = boot_ms * NS_PER_MS - speaker->head.boottime_ns;
    struct gl_gather gather = {.gap_ms = 0};
    struct gl_yield yields[GL_KINDS];
    struct gl_reading reading;
    char text[GL_RECORD_MAX];
    struct gl_hash hash;
    size_t length;

    gl_model_sample(&speaker->model, speaker->load.busy_share, dt_ns, yields);
    gl_gather_add(&gather, yields, &speaker->load, dt_ns);
    gl_chain_next(&speaker->head, &gather, &speaker->names,
                  (struct gl_moment){boot_ms * NS_PER_MS, wall_ms}, &reading);
    reading.memory_mb = MIB_PER_MB(speaker->guest->memory_mib) / 2;
    reading.is_final = is_final;
    length = gl_reading_write(&reading, text);
    gl_hash_of(text, length, &hash);
    gl_chain_advance(&speaker->head, &reading, &hash);
    gl_batch_add(&meter->batch, text, length, reading.seq, &hash);
    if (is_final || meter->batch.count >= per_batch || !gl_batch_has_room(&meter->batch))
        seal(speaker);
}

/* Records of a stretch that it ran, in which its own clock went on from *boot_ms; *next_ms is when
 * the next one is due by that clock. */
static void run_through(struct speaker *speaker, int64_t from_ms, int64_t until_ms,
                        int64_t *boot_ms, int64_t *next_ms)
{
    int64_t interval_ms = (int64_t)speaker->guest->interval_s * 1000;
    int64_t ends_ms = *boot_ms + (until_ms - from_ms);

    for (; *next_ms <= ends_ms; *next_ms += interval_ms)
        read_once(speaker, *next_ms, from_ms + (*next_ms - *boot_ms), false);
    *boot_ms = ends_ms;
}

void gl_sim_meter_console(void *cookie, const struct gl_sim_guest *guest, struct gl_str *out)
{
    struct speaker speaker = {.meter = cookie, .guest = guest, .out = out};
    int64_t boot_ms = 0, next_ms = FIRST_MS, until_ms = guest->until_ms;

    begin(&speaker);
    for (size_t i = 0; i < guest->span_count && guest->spans[i].from_ms < until_ms; i++) {
        const struct gl_instance_span *span = &guest->spans[i];

        if (span->is_running)
            run_through(&speaker, span->from_ms,
                        span->until_ms < until_ms ? span->until_ms : until_ms, &boot_ms, &next_ms);
    }
    if (guest->is_final && boot_ms > 0)
        read_once(&speaker, boot_ms, until_ms, true);
    gl_batch_clear(&speaker.meter->batch);
    gl_secret_key_wipe(&speaker.secret);
}
