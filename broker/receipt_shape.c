/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/receipt_shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sign.h"

#define PATH_TEXT 256

/* Types that a member may have. */
enum { INTEGER = 1, TEXT = 2, BOOL = 4, EMPTY = 8, OBJECT = 16, ARRAY = 32, HASH = 64 };

/* A member of an object, or an item of an array: there `name` is its index, and "" any other. */
struct member {
    const char *name; /* NULL ends a table */
    unsigned types;
    int64_t low, high;          /* of an integer */
    const struct member *inner; /* members of it, or items */
};

#define LATEST (INT64_MAX / 4) /* as of the clocks that broker/account.c reads */
#define PPM    1000000

#define ANY_OF(name, types)                     \
    {                                           \
        name, types, INT64_MIN, INT64_MAX, NULL \
    }
#define STRING(name) ANY_OF(name, TEXT)
#define DIGEST(name) ANY_OF(name, HASH)
#define FLAG(name)   ANY_OF(name, BOOL)
#define NUMBER(name, low, high)        \
    {                                  \
        name, INTEGER, low, high, NULL \
    }
#define COUNT(name) NUMBER(name, 0, INT64_MAX)
#define TIME(name)  NUMBER(name, 0, LATEST)
#define COUNT_OR_NULL(name)                       \
    {                                             \
        name, INTEGER | EMPTY, 0, INT64_MAX, NULL \
    }
#define INSIDE(name, types, members)               \
    {                                              \
        name, types, INT64_MIN, INT64_MAX, members \
    }
#define END                 \
    {                       \
        NULL, 0, 0, 0, NULL \
    }

static const struct member texts[] = {STRING(""), END};
static const struct member counts[] = {COUNT(""), END};

static const struct member limit[] = {STRING("key"), STRING("limit"), END};
static const struct member limits[] = {INSIDE("", OBJECT, limit), END};
static const struct member rule[] = {STRING("id"), INSIDE("limits", ARRAY, limits),
                                     NUMBER("confidence_ppm", 0, PPM), END};
static const struct member rules[] = {INSIDE("", OBJECT, rule), END};

/* From, until, value, low, high, what kind of figure, when it was last written. */
static const struct member point[] = {TIME("0"), TIME("1"), STRING("5"),
                                      ANY_OF("", INTEGER | EMPTY), END};
static const struct member points[] = {INSIDE("", ARRAY, point), END};
static const struct member figures[] = {STRING("quantity"),
                                        STRING("rate"),
                                        STRING("boundary"),
                                        STRING("gases"),
                                        STRING("trace"),
                                        STRING("accounting"),
                                        STRING("matching"),
                                        NUMBER("share_of", 0, UINT32_MAX),
                                        STRING("factor_set"),
                                        STRING("zone"),
                                        STRING("provider"),
                                        STRING("dataset"),
                                        STRING("licence"),
                                        STRING("attribution"),
                                        INSIDE("points", ARRAY, points),
                                        COUNT_OR_NULL("issued_s"),
                                        COUNT("retrieved_s"),
                                        COUNT("bound_method"),
                                        DIGEST("body_sha256"),
                                        NUMBER("move", 1, INT64_MAX),
                                        END};
static const struct member series[] = {INSIDE("", OBJECT, figures), END};

static const struct member request[] = {TIME("duration_s"),
                                        TIME("start_s"),
                                        NUMBER("load_ppm", 0, PPM),
                                        COUNT("count"),
                                        COUNT("min_vcpus"),
                                        COUNT("min_memory_mib"),
                                        INSIDE("clouds", ARRAY, texts),
                                        INSIDE("regions", ARRAY, texts),
                                        INSIDE("types", ARRAY, texts),
                                        INSIDE("command", ARRAY, texts),
                                        END};
static const struct member decision[] = {STRING("verdict"),
                                         TIME("at_s"),
                                         DIGEST("digest"),
                                         DIGEST("policy_digest"),
                                         STRING("grade"),
                                         FLAG("has_warning"),
                                         INSIDE("rules", ARRAY, rules),
                                         COUNT("offers_judged"),
                                         COUNT("offers_allowed"),
                                         END};
static const struct member offer[] = {STRING("cloud"),
                                      STRING("region"),
                                      STRING("type"),
                                      STRING("country"),
                                      COUNT("vcpus"),
                                      COUNT("memory_mib"),
                                      COUNT_OR_NULL("price_u_usd_per_h"),
                                      STRING("power_source"),
                                      STRING("mapping"),
                                      INSIDE("zones", ARRAY, texts),
                                      END};
static const struct member machine[] = {STRING("family"),   COUNT("threads_milli"),
                                        COUNT("memory_mb"), COUNT("gpu_count"),
                                        COUNT("gpu_watts"), END};
static const struct member promise[] = {TIME("start_s"),
                                        COUNT("hours"),
                                        NUMBER("level_ppm", 0, PPM),
                                        NUMBER("own_chance_ppm", 0, PPM),
                                        COUNT("issues"),
                                        END};
static const struct member guarantee[] = {STRING("rule"),
                                          TIME("from_s"),
                                          NUMBER("until_s", 0, INT64_MAX),
                                          STRING("method"),
                                          STRING("grade"),
                                          {"probability_ppm", INTEGER | EMPTY, 0, PPM, NULL},
                                          STRING("on_lapse"),
                                          INSIDE("rules", ARRAY, rules),
                                          INSIDE("series", ARRAY, series),
                                          INSIDE("promise", OBJECT, promise),
                                          END};
static const struct member embodied[] = {INSIDE("platform_g", ARRAY, counts),
                                         NUMBER("lifetime_s", 1, INT64_MAX),
                                         NUMBER("share_ppm", 0, PPM), STRING("source"), END};

static const struct member cap[] = {STRING("path"),
                                    STRING("zone"),
                                    STRING("period"),
                                    STRING("at_cap"),
                                    FLAG("advisory"),
                                    COUNT_OR_NULL("ug"),
                                    COUNT_OR_NULL("u_usd"),
                                    INSIDE("warn_ppm", ARRAY, counts),
                                    END};
static const struct member caps[] = {INSIDE("", OBJECT, cap), END};
static const struct member futures[] = {STRING("cloud"),
                                        STRING("region"),
                                        TIME("from_s"),
                                        TIME("until_s"),
                                        NUMBER("p_ppm", 0, PPM),
                                        COUNT("paths"),
                                        ANY_OF("path_u", INTEGER),
                                        END};
static const struct member override[] = {STRING("why"), STRING("by"), END};
static const struct member budget[] = {
    INSIDE("accounts", ARRAY, texts), INSIDE("caps", ARRAY, caps),
    INSIDE("futures", OBJECT, futures), INSIDE("override", OBJECT, override), END};

static const struct member run[] = {TIME("from_s"), TIME("until_s"), END};
static const struct member runs[] = {INSIDE("", OBJECT, run), END};
static const struct member timetable[] = {TIME("work_s"), TIME("deadline_s"),
                                          INSIDE("runs", ARRAY, runs), END};

static const struct member span[] = {TIME("from_ms"),
                                     TIME("until_ms"),
                                     FLAG("is_running"),
                                     STRING("region"),
                                     STRING("zone"),
                                     NUMBER("move", 1, INT64_MAX),
                                     END};
static const struct member spans[] = {INSIDE("", OBJECT, span), END};
static const struct member interruption[] = {FLAG("ended_it"), STRING("kind"), TIME("seen_ms"),
                                             END};
static const struct member identity[] = {
    STRING("grade"),    STRING("provider"),    DIGEST("document_sha256"),
    TIME("verified_s"), STRING("region"),      STRING("availability_zone"),
    STRING("instance"), STRING("contradicts"), END};
static const struct member instance[] = {STRING("cloud"),
                                         STRING("region"),
                                         STRING("type"),
                                         STRING("zone"),
                                         STRING("id"),
                                         STRING("token"),
                                         STRING("how"),
                                         COUNT("attempt"),
                                         NUMBER("started_ms", 1, LATEST),
                                         TIME("ended_ms"),
                                         TIME("expires_ms"),
                                         NUMBER("exit_status", INT32_MIN, INT32_MAX),
                                         NUMBER("host_cpu_ms", -1, LATEST),
                                         DIGEST("plan_sha256"),
                                         DIGEST("order_sha256"),
                                         INSIDE("spans", ARRAY, spans),
                                         INSIDE("series", ARRAY, series),
                                         INSIDE("interruption", OBJECT, interruption),
                                         INSIDE("identity", OBJECT, identity),
                                         END};

static const struct member batches[] = {ANY_OF("", OBJECT), END};
static const struct member meter[] = {DIGEST("token"),
                                      NUMBER("interval_ms", 1, 3600000),
                                      ANY_OF("enrolment", OBJECT | EMPTY),
                                      INSIDE("batches", ARRAY, batches),
                                      NUMBER("rejected", 0, UINT32_MAX),
                                      NUMBER("repeated", 0, UINT32_MAX),
                                      NUMBER("forked", 0, UINT32_MAX),
                                      NUMBER("orphaned", 0, UINT32_MAX),
                                      STRING("note"),
                                      END};

static const struct member evidence_members[] = {NUMBER("method_version", 1, INT64_MAX),
                                                 STRING("launch"),
                                                 STRING("name"),
                                                 FLAG("demo"),
                                                 FLAG("simulated"),
                                                 TIME("issued_ms"),
                                                 INSIDE("request", OBJECT, request),
                                                 INSIDE("decision", OBJECT, decision),
                                                 INSIDE("offer", OBJECT, offer),
                                                 INSIDE("machine", OBJECT, machine),
                                                 INSIDE("series", ARRAY, series),
                                                 INSIDE("guarantee", OBJECT | EMPTY, guarantee),
                                                 NUMBER("pue_milli", 1000, 10000),
                                                 STRING("pue_source"),
                                                 INSIDE("embodied", OBJECT, embodied),
                                                 INSIDE("budget", OBJECT, budget),
                                                 INSIDE("timetable", OBJECT, timetable),
                                                 INSIDE("instance", OBJECT, instance),
                                                 INSIDE("meter", OBJECT, meter),
                                                 END};

static const struct {
    unsigned type;
    const char *text;
} words[] = {{INTEGER, "an integer"}, {TEXT, "a text"},  {BOOL, "true or false"},
             {OBJECT, "an object"},   {ARRAY, "a list"}, {HASH, "a SHA-256"},
             {EMPTY, "null"}};

static unsigned types_of(const json_t *value)
{
    static const unsigned types[] = {
        [JSON_OBJECT] = OBJECT,   [JSON_ARRAY] = ARRAY, [JSON_STRING] = TEXT,
        [JSON_INTEGER] = INTEGER, [JSON_REAL] = 0,      [JSON_TRUE] = BOOL,
        [JSON_FALSE] = BOOL,      [JSON_NULL] = EMPTY};
    struct gl_error ignored = {0};
    struct gl_hash hash;
    unsigned found = types[json_typeof(value)];

    if (found == TEXT &&
        gl_hex_parse(json_string_value(value), hash.bytes, sizeof hash.bytes, &ignored) == 0)
        found |= HASH;
    return found;
}

static bool is_in_range(const struct member *member, const json_t *value)
{
    return !json_is_integer(value) ||
           (json_integer_value(value) >= member->low && json_integer_value(value) <= member->high);
}

static int fail(const struct member *member, const char *path, const json_t *value,
                struct gl_error *err)
{
    GL_AUTO(gl_auto_free)
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
    GL_AUTO(gl_str_done) struct gl_str wanted = {0};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((member->types & words[i].type) != 0)
            gl_str_addf(&wanted, "%s%s", wanted.length > 0 ? " or " : "", words[i].text);
    if (json_is_integer(value) && (member->types & INTEGER) != 0)
        gl_str_addf(&wanted, " from %" PRId64 " to %" PRId64, member->low, member->high);
    return gl_fail(err, GL_E_NOT_VERIFIED, "%s is %.60s, not %s", path, text != NULL ? text : "?",
                   gl_str_text(&wanted));
}

static int check(const struct member *member, const char *path, const json_t *value,
                 struct gl_error *err);

static const struct member *member_named(const struct member *table, const char *name)
{
    for (; table->name != NULL; table++)
        if (table->name[0] == '\0' || strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

static int check_members(const struct member *table, const char *path, const json_t *value,
                         struct gl_error *err)
{
    json_t *container = (json_t *)(uintptr_t)value; /* the iterators want it non-const */
    char inner[PATH_TEXT], index[24];
    const struct member *member;
    const char *name;
    json_t *item;
    size_t i;

    json_object_foreach(container, name, item)
    {
        member = member_named(table, name);
        snprintf(inner, sizeof inner, "%s.%s", path, name);
        if (member != NULL && check(member, inner, item, err) != 0)
            return -1;
    }
    json_array_foreach(container, i, item)
    {
        snprintf(index, sizeof index, "%zu", i);
        snprintf(inner, sizeof inner, "%s[%zu]", path, i);
        if (check(member_named(table, index), inner, item, err) != 0)
            return -1;
    }
    return 0;
}

/* No deeper than the tables are. */
static int check(const struct member *member, const char *path, const json_t *value,
                 struct gl_error *err)
{
    if ((member->types & types_of(value)) == 0 || !is_in_range(member, value))
        return fail(member, path, value, err);
    return member->inner != NULL ? check_members(member->inner, path, value, err) : 0;
}

int gl_receipt_shape_check(const json_t *evidence, struct gl_error *err)
{
    static const struct member whole = INSIDE("evidence", OBJECT, evidence_members);

    return check(&whole, whole.name, evidence, err);
}
