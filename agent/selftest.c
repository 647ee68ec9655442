/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/modes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CROSS_S    2
#define CROSS_MOST 0.02

static int say(bool is_good, const char *what, const char *detail)
{
    printf("%s  %-10s %s\n", is_good ? "ok " : "BAD", what, detail);
    return is_good ? 0 : 1;
}

/* SHA-256 of "abc" (FIPS 180-4 example) and test 1 of RFC 8032 section 7.1 (the empty message). */
static int check_crypto(void)
{
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char seed_hex[] =
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    static const char key_hex[] =
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    static const char signature_hex[] =
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    struct gl_error ignored = {0};
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_signature signature;
    struct gl_hash hash;
    uint8_t seed[32];
    char hash_hex[GL_HASH_HEX], key_found[65], signature_found[129];

    gl_hash_of("abc", 3, &hash);
    gl_hash_hex(&hash, hash_hex);
    if (gl_hex_parse(seed_hex, seed, sizeof seed, &ignored) < 0)
        return say(false, "crypto", "hex digits");
    gl_key_of_seed(seed, &secret, &key);
    gl_sign(&secret, "", 0, &signature);
    gl_hex_text(key.bytes, sizeof key.bytes, key_found);
    gl_hex_text(signature.bytes, sizeof signature.bytes, signature_found);
    return say(strcmp(hash_hex, abc) == 0 && strcmp(key_found, key_hex) == 0 &&
                   strcmp(signature_found, signature_hex) == 0 &&
                   gl_signature_holds(&key, "", 0, &signature),
               "crypto", "SHA-256 and Ed25519 against published vectors");
}

static int check_clock(void)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct gl_moment before = gl_moment_now(), after;
    int64_t passed_ns;
    char detail[96];

    nanosleep(&pause, NULL);
    after = gl_moment_now();
    passed_ns = after.boottime_ns - before.boottime_ns;
    snprintf(detail, sizeof detail, "boot clock %.1f ms in 20 ms, wall clock %lld s",
             (double)passed_ns * 1e-6, (long long)(after.wall_ms / 1000));
    /* 2024-01-01: a clock before that was never set */
    return say(passed_ns >= 20000000 && after.wall_ms > INT64_C(1704067200000), "clock", detail);
}

static void report_source(void *cookie, const struct gl_source *source, const void *state,
                          const struct gl_error *error)
{
    char detail[256];

    (void)cookie;
    if (error == NULL)
        source->describe(state, detail, sizeof detail);
    printf("%s  %-10s %s\n",
           error == NULL                   ? "use"
           : error->code == GL_E_NOT_FOUND ? "no "
                                           : "---",
           source->name, error == NULL ? detail : error->text);
}

static void report_model(const struct gl_meter_setup *setup)
{
    struct gl_model model;
    struct gl_band idle, full;

    gl_model_init(&model, &setup->machine, &setup->place);
    idle = gl_power_cpu(&model.machine, 0);
    full = gl_power_cpu(&model.machine, 1);
    printf("use  %-10s tier %s, %s, %.2f threads, %.1f .. %.1f W idle to full, table %s\n", "model",
           gl_tier_text(setup->place.sysroot[0] != '\0' ? GL_TIER_S : model.tier),
           model.machine.family != NULL ? model.machine.family->name : "unknown CPU",
           model.machine.threads, idle.central, full.central, setup->names.model);
}

/* Two ways to the same counters must agree; a difference is a kernel bug worth knowing. */
static int cross_check(const struct gl_source_setup *setup)
{
    static const struct gl_source *const both[] = {&gl_source_perf, &gl_source_powercap};
    const struct timespec pause = {.tv_sec = CROSS_S};
    struct gl_yield yields[2][GL_KINDS] = {{{0}}};
    void *states[2] = {NULL, NULL};
    struct gl_error ignored = {0};
    bool are_open = both[0]->open(setup, &states[0], &ignored) == 0 &&
                    both[1]->open(setup, &states[1], &ignored) == 0;
    double first, second;
    char detail[96];

    if (are_open)
        nanosleep(&pause, NULL);
    for (size_t i = 0; i < 2; i++) {
        if (are_open)
            both[i]->sample(states[i], (int64_t)CROSS_S * 1000000000, yields[i]);
        if (states[i] != NULL)
            both[i]->close(states[i]);
    }
    if (!are_open)
        return 0;
    first = (double)yields[0][GL_COMP_CPU].delta_uj;
    second = (double)yields[1][GL_COMP_CPU].delta_uj;
    snprintf(detail, sizeof detail, "perf %.3f J, powercap %.3f J in %d s", first * 1e-6,
             second * 1e-6, CROSS_S);
    return say(fabs(first - second) <= CROSS_MOST * first, "agreement", detail);
}

int gl_mode_selftest(const struct gl_meter_options *options)
{
    struct gl_meter_setup setup;
    struct gl_model model;
    struct gl_source_setup sources;
    struct gl_ladder ladder;
    int bad;

    gl_modes_setup(options, &setup);
    gl_model_init(&model, &setup.machine, &setup.place);
    sources = (struct gl_source_setup){
        .place = setup.place,
        .machine = &model.machine,
        .gpu_helper = setup.gpu_helper,
    };
    bad = check_crypto() + check_clock();
    gl_ladder_open(&ladder, &sources, setup.sources, setup.source_count, report_source, NULL);
    gl_ladder_close(&ladder);
    report_model(&setup);
    bad += cross_check(&sources);
    return bad > 0 ? 1 : 0;
}
