/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reading.h"

#include <string.h>

/* The broker's side of agent/reading.h. Values are read loosely and then written again: only bytes
 * equal to the canonical form pass, which also refuses unknown keys, other orders and white space.
 */

/* Copy a string member into a field of `size` bytes with its NUL. */
static int read_text(const json_t *object, const char *key, char *out, size_t size,
                     struct gl_error *err)
{
    const char *text;

    if (gl_json_string(object, key, &text, err) < 0)
        return -1;
    if (strlen(text) >= size)
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is longer than %zu bytes", key, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

/* The first 16 hex digits of a hash. */
static int read_hash_head(const json_t *object, const char *key, char out[17], struct gl_error *err)
{
    if (read_text(object, key, out, 17, err) < 0)
        return -1;
    if (strspn(out, "0123456789abcdef") != 16)
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is not 16 hex digits", key);
    return 0;
}

static int read_u32(const json_t *object, const char *key, uint32_t most, uint32_t *out,
                    struct gl_error *err)
{
    int64_t value;

    if (gl_json_int(object, key, 0, (int64_t)most, &value, err) < 0)
        return -1;
    *out = (uint32_t)value;
    return 0;
}

static int read_kind(const json_t *object, enum gl_component_kind *out, struct gl_error *err)
{
    const char *text;

    if (gl_json_string(object, "k", &text, err) < 0)
        return -1;
    for (enum gl_component_kind kind = GL_COMP_CPU; kind <= GL_COMP_OTHER; kind++)
        if (strcmp(text, gl_component_kind_text(kind)) == 0) {
            *out = kind;
            return 0;
        }
    return gl_fail(err, GL_E_BAD_REPLY, "unknown component \"k\"");
}

static int read_tier(const json_t *object, enum gl_tier *out, struct gl_error *err)
{
    const char *text;

    if (gl_json_string(object, "t", &text, err) < 0)
        return -1;
    for (enum gl_tier tier = GL_TIER_M1; tier <= GL_TIER_S; tier++)
        if (strcmp(text, gl_tier_text(tier)) == 0) {
            *out = tier;
            return 0;
        }
    return gl_fail(err, GL_E_BAD_REPLY, "unknown tier \"t\"");
}

static int read_component(const json_t *object, struct gl_component *out, struct gl_error *err)
{
    if (gl_json_int(object, "d", 0, INT64_MAX, &out->delta_uj, err) < 0 ||
        gl_json_int(object, "e", 0, INT64_MAX, &out->total_mj, err) < 0 ||
        read_u32(object, "f", GL_FLAGS_ALL, &out->flags, err) < 0 ||
        gl_json_int(object, "h", 0, INT64_MAX, &out->high_uj, err) < 0 ||
        read_kind(object, &out->kind, err) < 0 ||
        gl_json_int(object, "l", 0, INT64_MAX, &out->low_uj, err) < 0 ||
        read_text(object, "s", out->source, sizeof out->source, err) < 0 ||
        read_tier(object, &out->tier, err) < 0)
        return -1;
    if (out->low_uj > out->delta_uj || out->delta_uj > out->high_uj)
        return gl_fail(err, GL_E_BAD_REPLY, "energy is outside its own bounds");
    return 0;
}

static int read_components(const json_t *object, struct gl_reading *out, struct gl_error *err)
{
    json_t *array;

    if (gl_json_array(object, "c", &array, err) < 0)
        return -1;
    if (json_array_size(array) > GL_COMPONENTS_MAX)
        return gl_fail(err, GL_E_BAD_REPLY, "more than %d components", GL_COMPONENTS_MAX);
    out->component_count = json_array_size(array);
    for (size_t i = 0; i < out->component_count; i++)
        if (read_component(json_array_get(array, i), &out->components[i], err) < 0)
            return -1;
    return 0;
}

static int read_names(const json_t *object, struct gl_reading *out, struct gl_error *err)
{
    const char *previous;

    if (read_hash_head(object, "a", out->agent, err) < 0 ||
        read_text(object, "b", out->boot, sizeof out->boot, err) < 0 ||
        read_text(object, "i", out->launch, sizeof out->launch, err) < 0 ||
        read_hash_head(object, "m", out->model, err) < 0 ||
        gl_json_string(object, "p", &previous, err) < 0)
        return -1;
    if (out->boot[0] == '\0')
        return gl_fail(err, GL_E_BAD_REPLY, "no boot id");
    return gl_hex_parse(previous, out->previous.bytes, sizeof out->previous.bytes, err);
}

static int read_numbers(const json_t *object, struct gl_reading *out, struct gl_error *err)
{
    int64_t seq, version;
    json_t *use;

    if (gl_json_int(object, "g", 0, INT64_MAX, &out->gap_ms, err) < 0 ||
        gl_json_int(object, "n", 1, INT64_MAX, &seq, err) < 0 ||
        gl_json_int(object, "tb", 0, INT64_MAX, &out->boottime_ns, err) < 0 ||
        gl_json_int(object, "tw", 0, INT64_MAX, &out->wall_ms, err) < 0 ||
        gl_json_int(object, "v", 1, 1, &version, err) < 0 ||
        gl_json_object(object, "u", &use, err) < 0 ||
        read_u32(use, "busy_ppm", 1000000, &out->busy_ppm, err) < 0 ||
        read_u32(use, "mem_mb", UINT32_MAX, &out->memory_mb, err) < 0 ||
        read_u32(use, "steal_ppm", 1000000, &out->steal_ppm, err) < 0)
        return -1;
    out->seq = (uint64_t)seq;
    out->is_final = json_is_true(json_object_get(object, "final"));
    return 0;
}

static bool is_canonical(const struct gl_reading *reading, const char *bytes, size_t length)
{
    char text[GL_RECORD_MAX];

    return gl_reading_write(reading, text) == length && memcmp(text, bytes, length) == 0;
}

static int parse(const char *bytes, size_t length, struct gl_reading *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *object = NULL;

    if (length >= GL_RECORD_MAX)
        return gl_fail(err, GL_E_BAD_REPLY, "longer than %d bytes", GL_RECORD_MAX - 1);
    object = gl_json_parse(bytes, length, "record", err);
    if (object == NULL || read_names(object, out, err) < 0 ||
        read_components(object, out, err) < 0 || read_numbers(object, out, err) < 0)
        return -1;
    if (!is_canonical(out, bytes, length))
        return gl_fail(err, GL_E_BAD_REPLY, "not in canonical form");
    return 0;
}

/* Whatever is wrong with it, a record from outside is a bad reply. */
int gl_reading_parse(const char *bytes, size_t length, struct gl_reading *out, struct gl_error *err)
{
    struct gl_error inner = {0};
    struct gl_reading reading = {0};

    if (parse(bytes, length, &reading, &inner) < 0)
        return gl_fail(err, GL_E_BAD_REPLY, "meter record: %s", inner.text);
    *out = reading;
    return 0;
}
