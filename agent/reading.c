/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reading.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Writing only: the meter links this file, and with it neither a JSON library nor an allocator.
 * Parsing is in agent/reading_parse.c. */

const char *gl_component_kind_text(enum gl_component_kind kind)
{
    switch (kind) {
    case GL_COMP_CPU:
        return "cpu";
    case GL_COMP_DRAM:
        return "dram";
    case GL_COMP_GPU:
        return "gpu";
    case GL_COMP_NODE:
        return "node";
    case GL_COMP_OTHER:
        break;
    }
    return "other";
}

const char *gl_tier_text(enum gl_tier tier)
{
    switch (tier) {
    case GL_TIER_M1:
        return "M1";
    case GL_TIER_M2:
        return "M2";
    case GL_TIER_H:
        return "H";
    case GL_TIER_E1:
        return "E1";
    case GL_TIER_E2:
        return "E2";
    case GL_TIER_E3:
        return "E3";
    case GL_TIER_S:
        break;
    }
    return "S";
}

/* Text of at most GL_RECORD_MAX - 1 bytes; the longest possible record is shorter (test_reading).
 */
struct appender {
    char *text;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct appender *to, const char *format, ...)
{
    size_t room = GL_RECORD_MAX - to->length;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(to->text + to->length, room, format, args);
    va_end(args);
    if (length > 0)
        to->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* A member with a string. Our identifiers need no escapes; a byte that would is written as '_', so
 * that the record stays canonical whatever the system reports as its boot id. */
static void add_string(struct appender *to, const char *key, const char *value)
{
    add(to, "\"%s\":\"", key);
    for (; *value != '\0'; value++) {
        bool is_plain = *value >= ' ' && *value <= '~' && *value != '"' && *value != '\\';

        add(to, "%c", is_plain ? *value : '_');
    }
    add(to, "\"");
}

static void add_component(struct appender *to, const struct gl_component *component)
{
    add(to, "{\"d\":%" PRId64 ",\"e\":%" PRId64 ",\"f\":%" PRIu32 ",\"h\":%" PRId64 ",",
        component->delta_uj, component->total_mj, component->flags, component->high_uj);
    add(to, "\"k\":\"%s\",\"l\":%" PRId64 ",", gl_component_kind_text(component->kind),
        component->low_uj);
    add_string(to, "s", component->source);
    add(to, ",\"t\":\"%s\"}", gl_tier_text(component->tier));
}

static void add_components(struct appender *to, const struct gl_reading *reading)
{
    add(to, ",\"c\":[");
    for (size_t i = 0; i < reading->component_count && i < GL_COMPONENTS_MAX; i++) {
        add(to, "%s", i > 0 ? "," : "");
        add_component(to, &reading->components[i]);
    }
    add(to, "]");
}

size_t gl_reading_write(const struct gl_reading *reading, char out[GL_RECORD_MAX])
{
    struct appender to = {.text = out};
    char previous[GL_HASH_HEX];

    add(&to, "{");
    add_string(&to, "a", reading->agent);
    add(&to, ",");
    add_string(&to, "b", reading->boot);
    add_components(&to, reading);
    add(&to, "%s,\"g\":%" PRId64 ",", reading->is_final ? ",\"final\":true" : "", reading->gap_ms);
    add_string(&to, "i", reading->launch);
    add(&to, ",");
    add_string(&to, "m", reading->model);
    add(&to, ",\"n\":%" PRIu64 ",\"p\":\"%s\",\"tb\":%" PRId64 ",\"tw\":%" PRId64, reading->seq,
        gl_hash_hex(&reading->previous, previous), reading->boottime_ns, reading->wall_ms);
    add(&to,
        ",\"u\":{\"busy_ppm\":%" PRIu32 ",\"mem_mb\":%" PRIu32 ",\"steal_ppm\":%" PRIu32
        "},\"v\":1}",
        reading->busy_ppm, reading->memory_mb, reading->steal_ppm);
    return to.length;
}
