/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/make_batches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_meter_init(struct fake_meter *meter, const char *launch, uint8_t seed, int64_t start_ms)
{
    uint8_t bytes[32];

    memset(meter, 0, sizeof *meter);
    memset(bytes, seed, sizeof bytes);
    gl_key_of_seed(bytes, &meter->secret, &meter->key);
    memset(meter->token, 255 - seed, sizeof meter->token);
    meter->step_ms = 1000;
    meter->next = (struct gl_reading){
        .agent = "0123456789abcdef",
        .boot = "6f1c9a6e-1d2b-4c3d-8e4f-000000000001",
        .model = "fedcba9876543210",
        .boottime_ns = 1000000000,
        .wall_ms = start_ms,
        .busy_ppm = 100000,
        .memory_mb = 64,
        .component_count = 1,
        .components = {{.kind = GL_COMP_CPU,
                        .tier = GL_TIER_E2,
                        .source = "model",
                        .delta_uj = 1000000,
                        .low_uj = 800000,
                        .high_uj = 1500000}},
    };
    snprintf(meter->next.launch, sizeof meter->next.launch, "%s", launch);
}

void fake_reading_hash(const struct gl_reading *reading, struct gl_hash *out)
{
    char text[GL_RECORD_MAX];

    gl_hash_of(text, gl_reading_write(reading, text), out);
}

void fake_readings_chain(struct gl_reading *readings, size_t count)
{
    for (size_t i = 1; i < count; i++)
        fake_reading_hash(&readings[i - 1], &readings[i].previous);
}

static int64_t total_mj(const struct fake_meter *meter, enum gl_component_kind kind, int64_t uj)
{
    for (size_t i = 0; i < meter->count; i++)
        for (size_t c = 0; c < meter->made[i].component_count; c++)
            if (meter->made[i].components[c].kind == kind)
                uj += meter->made[i].components[c].delta_uj;
    return uj / 1000;
}

const struct gl_reading *fake_meter_read(struct fake_meter *meter)
{
    struct gl_reading *reading = &meter->made[meter->count];

    if (meter->count == FAKE_READINGS_MAX)
        abort();
    meter->next.boottime_ns += (meter->step_ms + meter->next.gap_ms) * 1000000;
    meter->next.wall_ms += meter->step_ms + meter->next.gap_ms;
    *reading = meter->next;
    reading->seq = meter->count + 1;
    if (meter->count > 0)
        reading->previous = meter->hashes[meter->count - 1];
    for (size_t c = 0; c < reading->component_count; c++)
        reading->components[c].total_mj =
            total_mj(meter, reading->components[c].kind, reading->components[c].delta_uj);
    fake_reading_hash(reading, &meter->hashes[meter->count]);
    meter->count++;
    return reading;
}

void fake_meter_read_many(struct fake_meter *meter, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fake_meter_read(meter);
}

void fake_meter_read_final(struct fake_meter *meter)
{
    meter->next.is_final = true;
    fake_meter_read(meter);
}

json_t *fake_enrolment(const struct fake_meter *meter)
{
    char key[2 * GL_KEY_BYTES + 1], proof_hex[GL_HASH_HEX], text[256];
    struct gl_hash proof;
    int length = snprintf(text, sizeof text, "%s|%s", meter->next.launch,
                          gl_hex_text(meter->key.bytes, GL_KEY_BYTES, key));

    gl_hmac_sha256(meter->token, sizeof meter->token, text, (size_t)length, &proof);
    return json_pack("{s:s,s:s,s:s,s:s,s:i}", "boot", meter->next.boot, "key", key, "launch",
                     meter->next.launch, "proof", gl_hash_hex(&proof, proof_hex), "v", 1);
}

void fake_sign(const struct fake_meter *meter, json_t *batch)
{
    static const char *const members[] = {"head", "key", "launch", "n0", "n1"};
    struct gl_error err = {0};
    struct gl_signature signature;
    char base64[4 * ((GL_SIGNATURE_BYTES + 2) / 3) + 1];
    json_t *signed_part = json_object();
    char *text;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        json_object_set(signed_part, members[i], json_object_get(batch, members[i]));
    text = gl_json_canonical(signed_part, &err);
    gl_sign(&meter->secret, text, strlen(text), &signature);
    json_object_set_new(
        batch, "sig", json_string(gl_base64_text(signature.bytes, sizeof signature.bytes, base64)));
    free(text);
    json_decref(signed_part);
}

json_t *fake_batch_of(const struct fake_meter *meter, const struct gl_reading *readings,
                      size_t count)
{
    char key[2 * GL_KEY_BYTES + 1], head_hex[GL_HASH_HEX];
    json_t *records = json_array();
    struct gl_error err = {0};
    struct gl_hash head;
    json_t *batch;

    for (size_t i = 0; i < count; i++) {
        char text[GL_RECORD_MAX];
        size_t length = gl_reading_write(&readings[i], text);

        json_array_append_new(records, gl_json_parse(text, length, "record", &err));
    }
    fake_reading_hash(&readings[count - 1], &head);
    batch = json_pack("{s:s,s:s,s:s,s:o,s:I,s:I,s:i}", "head", gl_hash_hex(&head, head_hex), "key",
                      gl_hex_text(meter->key.bytes, GL_KEY_BYTES, key), "launch",
                      meter->next.launch, "records", records, "n0", (json_int_t)readings[0].seq,
                      "n1", (json_int_t)readings[count - 1].seq, "v", 1);
    fake_sign(meter, batch);
    return batch;
}

json_t *fake_batch(const struct fake_meter *meter, size_t first, size_t count)
{
    return fake_batch_of(meter, &meter->made[first], count);
}

void fake_add_line(const char *prefix, const json_t *object, struct gl_str *console)
{
    struct gl_error err = {0};
    char *text = gl_json_canonical(object, &err);

    gl_str_addf(console, "%s %s\n", prefix, text);
    free(text);
}

void fake_add_enrolment(const struct fake_meter *meter, struct gl_str *console)
{
    json_t *enrolment = fake_enrolment(meter);

    fake_add_line("GLE1", enrolment, console);
    json_decref(enrolment);
}

void fake_add_batch(const struct fake_meter *meter, size_t first, size_t count,
                    struct gl_str *console)
{
    json_t *batch = fake_batch(meter, first, count);

    fake_add_line("GLM1", batch, console);
    json_decref(batch);
}
