/* SPDX-License-Identifier: Apache-2.0 */
/* A frozen world from JSON: series as receipts hold them, or in the short form people write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/evidence.h"
#include "broker/policytest/policytest.h"
#include "providers/signal/signal.h"

#define VALUES_MAX 20000
/* Later than any clock: what lies ahead of a case's clock is for the evaluator to refuse. */
#define FAR_S INT64_C(253402300799)

/* ---- the short form: values at equal steps ---- */

static enum gl_quantity quantity_of(const json_t *item)
{
    const char *word = json_string_value(json_object_get(item, "quantity"));
    unsigned i = 0;

    while (word != NULL && i + 1 < GL_QUANTITIES && strcmp(gl_quantity_words[i], word) != 0)
        i++;
    return (enum gl_quantity)i;
}

/* "97%" or "40 g/kWh" in millionths; null is unknown. */
static int read_value(const json_t *value, enum gl_quantity quantity, int64_t *out,
                      struct gl_error *err)
{
    enum gl_dimension dim = quantity == GL_INTENSITY ? GL_DIM_INTENSITY : GL_DIM_SHARE;

    *out = GL_UNKNOWN;
    if (json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return gl_fail(err, GL_E_UNIT_MISSING, "a value is text with its unit, as in \"97%%\"");
    return gl_quantity_parse(dim, json_string_value(value), out, err);
}

static json_t *bound(int64_t value)
{
    return value == GL_UNKNOWN ? json_null() : json_integer(value);
}

struct steps {
    int64_t from_s, step_s, margin_u;
    const char *evidence;
};

static int read_steps(const json_t *item, enum gl_quantity quantity, struct steps *out,
                      struct gl_error *err)
{
    const char *from = json_string_value(json_object_get(item, "from"));
    const char *step = json_string_value(json_object_get(item, "step"));
    const char *evidence = json_string_value(json_object_get(item, "evidence"));
    const json_t *margin = json_object_get(item, "margin");
    struct gl_instant at = {0};
    struct gl_span span = {3600};

    out->margin_u = GL_UNKNOWN;
    if (from == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "needs \"from\", as in \"2026-09-01T12:00:00Z\"");
    if (gl_instant_parse(from, &at, err) != 0 ||
        (step != NULL && gl_span_parse(step, &span, err) != 0) ||
        (margin != NULL && read_value(margin, quantity, &out->margin_u, err) != 0))
        return -1;
    out->from_s = at.unix_s;
    out->step_s = span.s;
    out->evidence = evidence != NULL ? evidence : "measured";
    return 0;
}

static json_t *point_json(const struct steps *steps, size_t index, int64_t value)
{
    int64_t from = steps->from_s + (int64_t)index * steps->step_s;
    int64_t low = GL_UNKNOWN, high = GL_UNKNOWN;

    if (value != GL_UNKNOWN && steps->margin_u != GL_UNKNOWN) {
        low = value > steps->margin_u ? value - steps->margin_u : 0;
        high = value + steps->margin_u;
    }
    return json_pack("[I,I,o,o,o,s]", (json_int_t)from, (json_int_t)(from + steps->step_s),
                     bound(value), bound(low), bound(high), steps->evidence);
}

/* "values" to "points" in the item itself. */
static int expand(json_t *item, struct gl_error *err)
{
    const json_t *values = json_object_get(item, "values");
    enum gl_quantity quantity = quantity_of(item);
    json_t *points = json_array();
    struct steps steps;
    size_t count = json_array_size(values);

    json_object_set_new(item, "points", points);
    if (!json_is_array(values) || count == 0 || count > VALUES_MAX)
        return gl_fail(err, GL_E_BAD_VALUE, "needs \"points\", or \"values\": 1 to %d of them",
                       VALUES_MAX);
    if (read_steps(item, quantity, &steps, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        int64_t value;

        if (read_value(json_array_get(values, i), quantity, &value, err) != 0)
            return -1;
        json_array_append_new(points, point_json(&steps, i, value));
    }
    return 0;
}

/* ---- one series ---- */

static const char *const item_keys[] = {
    "quantity",    "rate",        "boundary",   "gases",    "trace",       "accounting",
    "matching",    "share_of",    "factor_set", "zone",     "provider",    "dataset",
    "licence",     "attribution", "points",     "issued_s", "retrieved_s", "bound_method",
    "body_sha256", "from",        "step",       "values",   "margin",      "evidence",
    "issued",      "comment",     NULL,
};

int gl_test_check_keys(const json_t *object, const char *const *known, struct gl_error *err)
{
    const char *key;
    json_t *ignored;
    size_t count = 0;

    while (known[count] != NULL)
        count++;
    json_object_foreach((json_t *)(uintptr_t)object, key, ignored)
    {
        const char *nearest = gl_text_nearest(key, known, count);
        size_t i = 0;
        char shown[GL_TEXT_SHOWN];

        while (i < count && strcmp(known[i], key) != 0)
            i++;
        if (i == count)
            return gl_fail(err, GL_E_UNKNOWN_KEY, "unknown key \"%s\"%s%s",
                           gl_text_show(key, shown), nearest != NULL ? "; did you mean " : "",
                           nearest != NULL ? nearest : "");
    }
    return 0;
}

/* What people need not write: the meaning of the rules' own defaults. */
static json_t *defaults_of(enum gl_quantity quantity, const char *zone)
{
    static const uint8_t no_bytes[GL_HASH_BYTES];
    char no_hash[GL_HASH_HEX];
    bool is_intensity = quantity == GL_INTENSITY;
    int share = GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO | GL_OF_GEOTHERMAL | GL_OF_BIOMASS;

    if (quantity == GL_CARBON_FREE_SHARE)
        share |= GL_OF_NUCLEAR;
    gl_hex_text(no_bytes, sizeof no_bytes, no_hash);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:n,s:i}", "rate",
                     "average", "boundary", is_intensity ? "lifecycle" : "na", "gases",
                     is_intensity ? "co2e" : "na", "trace", "consumption_flow_traced", "accounting",
                     "location", "matching", "none", "share_of", is_intensity ? 0 : share,
                     "factor_set", "", "zone", zone, "provider", "world", "dataset", "world",
                     "licence", "", "attribution", "", "body_sha256", no_hash, "issued_s",
                     "bound_method", 0);
}

/* Without a word about it, what is known was known when it began. */
static int set_times(json_t *item, int64_t now_s, struct gl_error *err)
{
    const char *issued = json_string_value(json_object_get(item, "issued"));
    const json_t *first = json_array_get(json_object_get(item, "points"), 0);
    int64_t from_s = json_integer_value(json_array_get(first, 0));
    struct gl_instant at;

    if (issued != NULL) {
        if (gl_instant_parse(issued, &at, err) != 0)
            return -1;
        json_object_set_new(item, "issued_s", json_integer(at.unix_s));
    }
    if (json_object_get(item, "retrieved_s") == NULL)
        json_object_set_new(item, "retrieved_s",
                            json_integer(now_s != GL_UNKNOWN && now_s < from_s ? now_s : from_s));
    return 0;
}

static int read_series(json_t *item, const char *zone, int64_t now_s, struct gl_series *out,
                       struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *defaults = defaults_of(quantity_of(item), zone);

    if (!json_is_object(item))
        return gl_fail(err, GL_E_BAD_VALUE, "a series is an object");
    if (gl_test_check_keys(item, item_keys, err) != 0 ||
        (json_object_get(item, "points") == NULL && expand(item, err) != 0))
        return -1;
    json_object_update_missing(item, defaults);
    if (set_times(item, now_s, err) != 0 || gl_evidence_parse(item, out, err) != 0)
        return -1;
    if (strcmp(out->zone, zone) != 0) {
        free(out->points);
        return gl_fail(err, GL_E_BAD_VALUE, "says it is of zone %s", out->zone);
    }
    gl_series_tidy(out, (struct gl_instant){FAR_S});
    return 0;
}

/* ---- zones ---- */

static struct gl_zone_facts *add_zone(struct gl_test_world *world, const char *zone)
{
    struct gl_zone_facts *facts;

    if (world->count == world->capacity)
        return NULL;
    facts = &world->zones[world->count++];
    snprintf(facts->zone, sizeof facts->zone, "%s", zone);
    return facts;
}

/* Points are freed one by one by gl_test_world_done(). */
static int read_zone(struct gl_test_world *world, const char *zone, const json_t *items,
                     struct gl_error *err)
{
    struct gl_zone_facts *facts = add_zone(world, zone);
    size_t count = json_array_size(items);
    const struct gl_series **list = gl_arena_take(&world->arena, (count + 1) * sizeof *list);

    facts->series = list;
    if (!json_is_array(items))
        return gl_fail(err, GL_E_BAD_VALUE, "zones.%s is a list of series", zone);
    for (size_t i = 0; i < count; i++) {
        struct gl_series *series = gl_arena_take(&world->arena, sizeof *series);
        struct gl_error trouble = {0};

        if (read_series(json_array_get(items, i), zone, world->now_s, series, &trouble) != 0)
            return gl_fail(err, GL_E_BAD_VALUE, "zones.%s[%zu]: %s", zone, i, trouble.text);
        list[facts->count++] = series;
    }
    return 0;
}

static int read_zones(struct gl_test_world *world, struct gl_error *err)
{
    json_t *zones = json_object_get(world->root, "zones"), *items;
    const char *zone;

    if (zones != NULL && !json_is_object(zones))
        return gl_fail(err, GL_E_BAD_VALUE, "zones is an object: {\"SE-SE3\": [...]}");
    json_object_foreach(zones, zone, items)
    {
        if (strlen(zone) >= sizeof world->zones->zone)
            return gl_fail(err, GL_E_BAD_VALUE, "zones: \"%.40s...\" is no zone name", zone);
        if (read_zone(world, zone, items, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the file ---- */

static const char *const root_keys[] = {"now", "zones", "offers", "catalogue", "comment", NULL};

/* Room for the zones written and for those of the catalogue that are not. */
#define OTHER_ZONES_MAX 2048

static int read_root(struct gl_test_world *world, int64_t clock_s, struct gl_error *err)
{
    const char *now = json_string_value(json_object_get(world->root, "now"));
    struct gl_instant at;

    if (!json_is_object(world->root))
        return gl_fail(err, GL_E_BAD_VALUE, "a world is an object: {\"zones\": {...}}");
    if (gl_test_check_keys(world->root, root_keys, err) != 0)
        return -1;
    world->now_s = clock_s;
    if (now != NULL && gl_instant_parse(now, &at, err) != 0)
        return gl_wrap(err, "now");
    if (now != NULL && clock_s == GL_UNKNOWN)
        world->now_s = at.unix_s;
    world->capacity = json_object_size(json_object_get(world->root, "zones")) + OTHER_ZONES_MAX;
    world->zones = gl_alloc(world->capacity * sizeof *world->zones);
    return read_zones(world, err);
}

int gl_test_world_read(const char *path, int64_t clock_s, struct gl_test_world *out,
                       struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_test_world world = {.now_s = GL_UNKNOWN};
    size_t length;

    if (!gl_file_exists(path))
        return gl_fail(err, GL_E_USAGE, "there is no world %s", path);
    if (gl_file_read(path, GL_JSON_MAX_BYTES, &text, &length, err) != 0)
        return -1;
    world.root = gl_json_parse(text, length, path, err);
    if (world.root == NULL)
        return -1;
    if (read_root(&world, clock_s, err) != 0) {
        gl_test_world_done(&world);
        return gl_wrap(err, "%s", path);
    }
    *out = world;
    return 0;
}

void gl_test_world_done(struct gl_test_world *world)
{
    for (size_t z = 0; z < world->count; z++)
        for (size_t i = 0; i < world->zones[z].count; i++)
            free(world->zones[z].series[i]->points);
    free(world->zones);
    gl_arena_done(&world->arena);
    json_decref(world->root);
    *world = (struct gl_test_world){0};
}
