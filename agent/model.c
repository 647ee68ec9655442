/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/model.h"

#include "agent/load.h"

#include <stdio.h>
#include <string.h>

static const struct gl_power_family *family_of_cpu(const struct gl_place *place)
{
    struct gl_cpu_name cpu;
    const char *key;

    if (!gl_cpu_name(place, &cpu))
        return NULL;
    key = gl_power_family_of_cpu(cpu.vendor, cpu.family, cpu.model, cpu.stepping);
    return key != NULL ? gl_power_family(key) : NULL;
}

void gl_model_init(struct gl_model *model, const struct gl_config_machine *config,
                   const struct gl_place *place)
{
    double baseline = config->baseline_permille > 0 ? config->baseline_permille / 1000.0 : 1;

    *model = (struct gl_model){
        .machine =
            {
                .family = gl_power_family(config->family),
                .threads = config->threads_milli / 1000.0 * baseline,
                .memory_gb = config->memory_mb / 1000.0,
                .gpu_count = config->gpu_count,
                .gpu_watts = config->gpu_watts,
            },
        .tier = GL_TIER_E1,
    };
    if (model->machine.family == NULL) {
        model->machine.family = family_of_cpu(place);
        model->tier = model->machine.family != NULL ? GL_TIER_E2 : GL_TIER_E3;
    }
}

static struct gl_yield yield_of_power(struct gl_band watts, int64_t dt_ns, enum gl_tier tier)
{
    double uj_per_watt = (double)dt_ns / 1000.0;

    return (struct gl_yield){
        .is_known = true,
        .tier = tier,
        .source = "model",
        .delta_uj = (int64_t)(watts.central * uj_per_watt),
        .low_uj = (int64_t)(watts.low * uj_per_watt),
        .high_uj = (int64_t)(watts.high * uj_per_watt),
    };
}

/* Nothing tells how busy a GPU is whose counters are out of reach. */
static struct gl_band gpu_of_unknown_load(const struct gl_machine *machine)
{
    return (struct gl_band){
        .low = gl_power_gpu(machine, 0).low,
        .central = gl_power_gpu(machine, 0.5).central,
        .high = gl_power_gpu(machine, 1).high,
    };
}

void gl_model_sample(const struct gl_model *model, double load, int64_t dt_ns,
                     struct gl_yield out[GL_KINDS])
{
    const struct gl_machine *machine = &model->machine;
    struct gl_band memory = gl_power_memory(machine);

    for (size_t i = 0; i < GL_KINDS; i++)
        out[i] = (struct gl_yield){0};
    out[GL_COMP_CPU] = yield_of_power(gl_power_cpu(machine, load), dt_ns, model->tier);
    if (memory.high > 0)
        out[GL_COMP_DRAM] = yield_of_power(memory, dt_ns, model->tier);
    if (machine->gpu_count > 0 && machine->gpu_watts > 0)
        out[GL_COMP_GPU] = yield_of_power(gpu_of_unknown_load(machine), dt_ns, model->tier);
}

struct gl_yield gl_model_memory(const struct gl_model *model, int64_t dt_ns)
{
    struct gl_machine machine = {.memory_gb = model->machine.memory_gb};

    return yield_of_power(gl_power_memory(&machine), dt_ns, model->tier);
}

struct gl_yield gl_model_board(int64_t cpu_and_memory_uj)
{
    double base = (double)cpu_and_memory_uj;

    return (struct gl_yield){
        .is_known = true,
        .tier = GL_TIER_E3,
        .source = "model",
        .delta_uj = (int64_t)(base * 0.33),
        .low_uj = (int64_t)(base * 0.2),
        .high_uj = (int64_t)(base * 0.6),
    };
}

/* Microwatts of one thread at the eleven loads, low, central and high, appended as text. */
static size_t family_text(const struct gl_power_family *family, char *out, size_t room)
{
    struct gl_machine machine = {.family = family, .threads = 1};
    size_t used = (size_t)snprintf(out, room, "%s", family != NULL ? family->key : "-");

    for (int i = 0; i <= 10 && used < room; i++) {
        struct gl_band band = gl_power_cpu(&machine, i / 10.0);

        used += (size_t)snprintf(out + used, room - used, " %.0f %.0f %.0f", band.low * 1e6,
                                 band.central * 1e6, band.high * 1e6);
    }
    return used < room ? used : room - 1;
}

void gl_model_hash(char out[17])
{
    const struct gl_machine memory = {.memory_gb = 1}, gpu = {.gpu_count = 1, .gpu_watts = 100};
    struct gl_band memory_w = gl_power_memory(&memory), gpu_w = gl_power_gpu(&gpu, 0.5);
    char text[512], hex[GL_HASH_HEX];
    struct gl_hash chained[2], next;
    size_t count;
    const struct gl_power_family *families = gl_power_families(&count);

    snprintf(text, sizeof text, "memory %.0f %.0f %.0f gpu %.0f %.0f %.0f", memory_w.low * 1e6,
             memory_w.central * 1e6, memory_w.high * 1e6, gpu_w.low * 1e6, gpu_w.central * 1e6,
             gpu_w.high * 1e6);
    gl_hash_of(text, strlen(text), &chained[0]);
    for (size_t i = 0; i <= count; i++) {
        size_t length = family_text(i < count ? &families[i] : NULL, text, sizeof text);

        gl_hash_of(text, length, &chained[1]);
        gl_hash_of(chained, sizeof chained, &next);
        chained[0] = next;
    }
    gl_hash_hex(&chained[0], hex);
    memcpy(out, hex, 16);
    out[16] = '\0';
}
