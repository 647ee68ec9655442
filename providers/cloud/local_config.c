/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_config.h"

#include "base/json.h"
#include "base/power.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *command_of(const char *const *argv)
{
    json_t *list;

    if (argv == NULL || argv[0] == NULL)
        return json_null();
    list = json_array();
    for (size_t i = 0; argv[i] != NULL; i++)
        if (json_array_append_new(list, json_string(argv[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *machine_of(const struct gl_guest_place *place)
{
    return json_pack("{s:i s:o s:i s:i s:I s:I}", "baseline_permille", 1000, "family",
                     text_or_null(place->family), "gpu_count", 0, "gpu_watts", 0, "memory_mb",
                     (json_int_t)((int64_t)place->memory_mib * 1048576 / 1000000), "threads_milli",
                     (json_int_t)place->vcpus * 1000);
}

/* The lease counts from now: booting has used some of it up. */
static int64_t lease_ms(const struct gl_launch *launch, int64_t now_ms)
{
    int64_t left = launch->lease.s * 1000;

    if (launch->expires.unix_s > 0)
        left = launch->expires.unix_s * 1000 - now_ms;
    return left > 0 ? left : 1;
}

static json_t *config_of(const struct gl_launch *launch, const struct gl_guest_place *place,
                         const struct gl_world *world)
{
    int64_t now_ms = world->now_ms(world->cookie);
    uint32_t interval = launch->interval_s > 0 ? launch->interval_s : GL_GUEST_INTERVAL_S;
    uint8_t random[64];
    char entropy[2 * sizeof random + 1];
    json_t *config;

    world->random(world->cookie, random, sizeof random);
    gl_hex_text(random, sizeof random, entropy);
    config =
        json_pack("{s:o s:o s:s s:s s:I s:s s:I s:o s:b s:I s:b s:o s:o s:i}", "command",
                  command_of(launch->command), "disk", text_or_null(place->disk), "entropy",
                  entropy, "enrol", launch->enrol_token, "interval_ms", (json_int_t)interval * 1000,
                  "launch", launch->launch_id, "lease_ms", (json_int_t)lease_ms(launch, now_ms),
                  "machine", machine_of(place), "network", launch->has_network, "now_ms",
                  (json_int_t)now_ms, "payload", place->has_payload, "root",
                  text_or_null(place->root), "user_data", text_or_null(launch->user_data), "v", 1);
    gl_wipe(random, sizeof random);
    gl_wipe(entropy, sizeof entropy);
    return config;
}

char *gl_guest_config_text(const struct gl_launch *launch, const struct gl_guest_place *place,
                           const struct gl_world *world, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *config = NULL;
    char *text;

    if (launch->enrol_token == NULL || strlen(launch->enrol_token) != 64 ||
        strspn(launch->enrol_token, "0123456789abcdef") != 64) {
        gl_fail(err, GL_E_BAD_VALUE, "the enrolment token is not 64 hex digits");
        return NULL;
    }
    config = config_of(launch, place, world);
    if (config == NULL) {
        gl_fail(err, GL_E_BAD_VALUE, "the command or the user data is not UTF-8 text");
        return NULL;
    }
    text = gl_json_canonical(config, err);
    if (text == NULL || strlen(text) <= GL_GUEST_CONFIG_MAX)
        return text;
    gl_wipe(text, strlen(text));
    free(text);
    gl_fail(err, GL_E_TOO_LARGE, "command and user data together pass 32 KiB");
    return NULL;
}

int gl_guest_hello_parse(const char *bytes, size_t length, struct gl_guest_hello *out,
                         struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *object = gl_json_parse(bytes, length, "hello", err);
    struct gl_guest_hello hello = {.status = -1};
    const char *state;
    int64_t status;

    if (object == NULL || gl_json_string(object, "state", &state, err) < 0 ||
        gl_json_int(object, "status", -1, 255, &status, err) < 0)
        return -1;
    if (strcmp(state, "waiting") != 0 && strcmp(state, "ready") != 0 &&
        strcmp(state, "running") != 0 && strcmp(state, "exited") != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "the guest is in no known state");
    snprintf(hello.state, sizeof hello.state, "%s", state);
    hello.is_held = json_is_true(json_object_get(object, "held"));
    hello.has_command = json_is_true(json_object_get(object, "command"));
    hello.status = (int)status;
    *out = hello;
    return 0;
}

int gl_guest_exit_parse(const char *bytes, size_t length, int *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *object = gl_json_parse(bytes, length, "exit", err);
    int64_t status;

    if (object == NULL || gl_json_int(object, "status", 0, 255, &status, err) < 0)
        return -1;
    *out = (int)status;
    return 0;
}

/* ---- this machine's CPU ---- */

/* The value of "key\t: value" into out; false when the key is not there. */
static bool cpuinfo_value(const char *text, const char *key, char *out, size_t capacity)
{
    size_t key_length = strlen(key);

    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n'), *colon = strchr(line, ':');
        size_t length = end != NULL ? (size_t)(end - line) : strlen(line);

        if (strncmp(line, key, key_length) == 0 && colon != NULL && colon < line + length &&
            strspn(line + key_length, " \t") == (size_t)(colon - line) - key_length) {
            colon += 1 + strspn(colon + 1, " ");
            snprintf(out, capacity, "%.*s", (int)(line + length - colon), colon);
            return true;
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return false;
}

static unsigned cpuinfo_number(const char *text, const char *key)
{
    char value[32];

    return cpuinfo_value(text, key, value, sizeof value) ? (unsigned)strtoul(value, NULL, 0) : 0;
}

const char *gl_local_cpu_family(const char *cpuinfo)
{
    char vendor[32];

    if (cpuinfo_value(cpuinfo, "vendor_id", vendor, sizeof vendor))
        return gl_power_family_of_cpu(vendor, cpuinfo_number(cpuinfo, "cpu family"),
                                      cpuinfo_number(cpuinfo, "model"),
                                      cpuinfo_number(cpuinfo, "stepping"));
    if (cpuinfo_value(cpuinfo, "CPU implementer", vendor, sizeof vendor))
        return gl_power_family_of_cpu("ARM", (unsigned)strtoul(vendor, NULL, 0),
                                      cpuinfo_number(cpuinfo, "CPU part"), 0);
    return NULL;
}
