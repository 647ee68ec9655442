/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/record.h"

#include "agent/scan.h"

#include <string.h>

/* The next key must be this one: canonical records have one order. */
static bool expect(struct gl_scan *scan, const char *key)
{
    char found[GL_SCAN_KEY];

    if (!gl_scan_more(scan, '}'))
        return gl_scan_refuse(scan, "a member is missing");
    return gl_scan_key(scan, found) &&
           (strcmp(found, key) == 0 || gl_scan_refuse(scan, "another member was expected"));
}

static bool read_text(struct gl_scan *scan, const char *key, char *out, size_t room)
{
    return expect(scan, key) && gl_scan_string(scan, out, room, NULL);
}

static bool read_int(struct gl_scan *scan, const char *key, int64_t *out)
{
    return expect(scan, key) && gl_scan_int(scan, 0, INT64_MAX, out);
}

static bool read_u32(struct gl_scan *scan, const char *key, int64_t most, uint32_t *out)
{
    int64_t value = 0;

    if (!expect(scan, key) || !gl_scan_int(scan, 0, most, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool find_kind(struct gl_scan *scan, enum gl_component_kind *out)
{
    char text[8];

    if (!read_text(scan, "k", text, sizeof text))
        return false;
    for (enum gl_component_kind kind = GL_COMP_CPU; kind <= GL_COMP_OTHER; kind++)
        if (strcmp(text, gl_component_kind_text(kind)) == 0) {
            *out = kind;
            return true;
        }
    return gl_scan_refuse(scan, "an unknown kind");
}

static bool find_tier(struct gl_scan *scan, enum gl_tier *out)
{
    char text[8];

    if (!read_text(scan, "t", text, sizeof text))
        return false;
    for (enum gl_tier tier = GL_TIER_M1; tier <= GL_TIER_S; tier++)
        if (strcmp(text, gl_tier_text(tier)) == 0) {
            *out = tier;
            return true;
        }
    return gl_scan_refuse(scan, "an unknown tier");
}

static bool read_component(struct gl_scan *scan, struct gl_component *out)
{
    return gl_scan_enter(scan, '{') && read_int(scan, "d", &out->delta_uj) &&
           read_int(scan, "e", &out->total_mj) && read_u32(scan, "f", GL_FLAGS_ALL, &out->flags) &&
           read_int(scan, "h", &out->high_uj) && find_kind(scan, &out->kind) &&
           read_int(scan, "l", &out->low_uj) &&
           read_text(scan, "s", out->source, sizeof out->source) && find_tier(scan, &out->tier) &&
           !gl_scan_more(scan, '}');
}

static bool read_components(struct gl_scan *scan, struct gl_reading *out)
{
    if (!expect(scan, "c") || !gl_scan_enter(scan, '['))
        return false;
    while (gl_scan_more(scan, ']')) {
        if (out->component_count >= GL_COMPONENTS_MAX)
            return gl_scan_refuse(scan, "too many components");
        if (!read_component(scan, &out->components[out->component_count++]))
            return false;
    }
    return scan->problem == NULL;
}

/* "final" stands only in final records, before "g". */
static bool read_final_and_gap(struct gl_scan *scan, struct gl_reading *out)
{
    char key[GL_SCAN_KEY];

    if (!gl_scan_more(scan, '}') || !gl_scan_key(scan, key))
        return false;
    if (strcmp(key, "final") == 0)
        return gl_scan_bool(scan, &out->is_final) && read_int(scan, "g", &out->gap_ms);
    return (strcmp(key, "g") == 0 || gl_scan_refuse(scan, "another member was expected")) &&
           gl_scan_int(scan, 0, INT64_MAX, &out->gap_ms);
}

static bool read_previous(struct gl_scan *scan, struct gl_hash *out)
{
    char hex[GL_HASH_HEX];
    struct gl_error ignored = {0};

    return read_text(scan, "p", hex, sizeof hex) &&
           (gl_hex_parse(hex, out->bytes, sizeof out->bytes, &ignored) == 0 ||
            gl_scan_refuse(scan, "a bad hash"));
}

static bool read_use(struct gl_scan *scan, struct gl_reading *out)
{
    return expect(scan, "u") && gl_scan_enter(scan, '{') &&
           read_u32(scan, "busy_ppm", 1000000, &out->busy_ppm) &&
           read_u32(scan, "mem_mb", UINT32_MAX, &out->memory_mb) &&
           read_u32(scan, "steal_ppm", 1000000, &out->steal_ppm) && !gl_scan_more(scan, '}');
}

/* The members up to the components, and those after them. */
static bool read_first(struct gl_scan *scan, struct gl_reading *out)
{
    return gl_scan_enter(scan, '{') && read_text(scan, "a", out->agent, sizeof out->agent) &&
           read_text(scan, "b", out->boot, sizeof out->boot) && read_components(scan, out) &&
           read_final_and_gap(scan, out) && read_text(scan, "i", out->launch, sizeof out->launch);
}

static bool read_last(struct gl_scan *scan, struct gl_reading *out)
{
    int64_t seq = 0, version;
    bool is_read = read_text(scan, "m", out->model, sizeof out->model) &&
                   read_int(scan, "n", &seq) && read_previous(scan, &out->previous) &&
                   read_int(scan, "tb", &out->boottime_ns) && read_int(scan, "tw", &out->wall_ms) &&
                   read_use(scan, out) && expect(scan, "v") && gl_scan_int(scan, 1, 1, &version) &&
                   !gl_scan_more(scan, '}') && gl_scan_done(scan);

    out->seq = (uint64_t)seq;
    return is_read;
}

int gl_record_parse(const char *bytes, size_t length, struct gl_reading *out, struct gl_error *err)
{
    struct gl_reading reading = {0};
    char again[GL_RECORD_MAX];
    struct gl_scan scan;

    gl_scan_begin(&scan, bytes, length);
    if (!read_first(&scan, &reading) || !read_last(&scan, &reading))
        return gl_fail(err, GL_E_BAD_VALUE, "record: %s",
                       scan.problem != NULL ? scan.problem : "a member too many or too few");
    if (gl_reading_write(&reading, again) != length || memcmp(again, bytes, length) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "record: not canonical");
    *out = reading;
    return 0;
}

/* ---- merging ---- */

static struct gl_component *component_of(struct gl_reading *reading, enum gl_component_kind kind)
{
    for (size_t i = 0; i < reading->component_count; i++)
        if (reading->components[i].kind == kind)
            return &reading->components[i];
    return NULL;
}

/* Sums that would overflow do not occur within one machine's life, and must not wrap if they do. */
static bool add_component(struct gl_component *to, const struct gl_component *from)
{
    to->flags |= from->flags;
    if (from->tier > to->tier) {
        to->tier = from->tier;
        memcpy(to->source, from->source, sizeof to->source);
    }
    return !__builtin_add_overflow(to->delta_uj, from->delta_uj, &to->delta_uj) &&
           !__builtin_add_overflow(to->low_uj, from->low_uj, &to->low_uj) &&
           !__builtin_add_overflow(to->high_uj, from->high_uj, &to->high_uj);
}

static bool add_components(struct gl_reading *to, const struct gl_reading *from)
{
    for (size_t i = 0; i < from->component_count; i++) {
        struct gl_component *same = component_of(to, from->components[i].kind);

        if (same != NULL && !add_component(same, &from->components[i]))
            return false;
        if (same != NULL)
            continue;
        if (to->component_count >= GL_COMPONENTS_MAX)
            return false;
        to->components[to->component_count++] = from->components[i];
    }
    return true;
}

static uint32_t averaged(uint32_t a, int64_t a_ns, uint32_t b, int64_t b_ns)
{
    double sum = (double)a_ns + (double)b_ns;

    if (sum <= 0)
        return b;
    return (uint32_t)(((double)a * (double)a_ns + (double)b * (double)b_ns) / sum);
}

bool gl_record_merge(const struct gl_reading *first, const struct gl_reading *second,
                     int64_t before_ns, struct gl_reading *out)
{
    struct gl_reading merged = *second;
    int64_t second_ns = second->boottime_ns - first->boottime_ns;
    int64_t first_ns = before_ns > 0 && before_ns < first->boottime_ns
                           ? first->boottime_ns - before_ns
                           : second_ns;

    if (first->is_final || strcmp(first->boot, second->boot) != 0 ||
        strcmp(first->launch, second->launch) != 0 || second_ns < 0 ||
        !add_components(&merged, first))
        return false;
    merged.seq = first->seq;
    merged.previous = first->previous;
    merged.gap_ms = first->gap_ms + second->gap_ms;
    merged.busy_ppm = averaged(first->busy_ppm, first_ns, second->busy_ppm, second_ns);
    merged.steal_ppm = averaged(first->steal_ppm, first_ns, second->steal_ppm, second_ns);
    for (size_t i = 0; i < merged.component_count; i++)
        merged.components[i].flags |= GL_FLAG_MERGED;
    *out = merged;
    return true;
}
