/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_CONFIG_H
#define GL_AGENT_CONFIG_H

/* What the broker tells an instance at its start: the JSON object of the 'C' frame (base/frame.h).
 * Strict: every value has a range, a key that is unknown, missing or there twice refuses the whole
 * object. Never allocates.
 *
 *  {"command":[..]|null,"disk":"vda"|null,"entropy":128 hex,"enrol":64 hex,"interval_ms":..,
 *   "launch":..,"lease_ms":..,"machine":{"baseline_permille":..,"family":..|null,"gpu_count":..,
 *   "gpu_watts":..,"memory_mb":..,"threads_milli":..},"network":bool,"now_ms":..,"payload":bool,
 *   "root":"/image"|null,"user_data":..|null,"v":1} */

#include "base/error.h"

#define GL_CONFIG_MAX  ((size_t)32 << 10)
#define GL_CONFIG_ARGS 256

/* The slice of hardware that the instance is. */
struct gl_config_machine {
    char family[24];            /* key of base/power.h, "" = not known */
    uint32_t threads_milli;     /* vCPUs times 1000 */
    uint32_t baseline_permille; /* share of them that a burstable type may use for ever */
    uint32_t memory_mb;
    uint32_t gpu_count, gpu_watts;
};

struct gl_config {
    char launch[64];   /* [A-Za-z0-9._-], at least one */
    uint8_t enrol[32]; /* one-time token */
    uint8_t entropy[64];
    int64_t now_ms, lease_ms;
    uint32_t interval_ms;
    struct gl_config_machine machine;
    char disk[16];  /* "" = none */
    char root[256]; /* "" = / */
    bool has_payload, has_network, has_command;
    size_t argc;
    const char *argv[GL_CONFIG_ARGS + 1]; /* into text, NULL at the end */
    const char *user_data;                /* into text, NULL = none */
    size_t user_data_length;
    size_t text_used;
    char text[GL_CONFIG_MAX];
};

/* Read all of `bytes`. *out holds pointers into itself: do not copy it. On failure (BAD_VALUE,
 * TOO_LARGE) it is all zero. */
int gl_config_parse(const char *bytes, size_t length, struct gl_config *out, struct gl_error *err);
/* Letters, digits, dot, underscore and hyphen only, 1..63 of them. */
bool gl_config_is_launch(const char *text);

#endif
