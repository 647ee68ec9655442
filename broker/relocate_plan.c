/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a launch that continues another one in another place. */
#include "broker/relocate.h"

#include <string.h>

#include "providers/data/data.h"

static void set_offer(json_t *plan, const struct gl_relocate_place *place)
{
    const struct gl_region_row *region = gl_data_region(place->cloud, place->region);
    json_t *offer = json_object_get(plan, "offer"), *zones = json_array();
    const char *type = json_string_value(json_object_get(offer, "type"));
    const struct gl_type_row *row = type != NULL ? gl_data_type(place->cloud, type) : NULL;
    int64_t price = row != NULL && region != NULL ? gl_data_price(row, region, NULL) : -1;

    for (size_t i = 0; i < place->zone_count; i++)
        json_array_append_new(zones, json_string(place->zones[i]));
    json_object_set_new(offer, "region", json_string(place->region));
    json_object_set_new(offer, "zones", zones);
    json_object_set_new(offer, "price_u_usd_per_h", price >= 0 ? json_integer(price) : json_null());
    json_object_set_new(offer, "country", json_string(region != NULL ? region->country : ""));
    if (region == NULL)
        return;
    json_object_set_new(offer, "mapping", json_string(gl_mapping_word(region->confidence)));
    json_object_set_new(plan, "pue_milli", json_integer(region->pue_milli));
}

/* What was promised for the old place is no promise here: the rules hold by the data at hand. */
static void set_guarantee(json_t *plan, struct gl_instant now, struct gl_instant until)
{
    json_t *guarantee = json_object_get(plan, "guarantee");

    if (!json_is_object(guarantee))
        return;
    json_object_set_new(guarantee, "from_s", json_integer(now.unix_s));
    json_object_set_new(guarantee, "until_s", json_integer(until.unix_s));
    json_object_set_new(guarantee, "method", json_string("holds by the data at hand"));
    json_object_set_new(guarantee, "probability_ppm", json_null());
    json_object_del(guarantee, "promise");
    json_object_del(guarantee, "series");
}

/* Judged again for this place: the digest and counts of the first decision are not of it. */
static void set_decision(json_t *plan, struct gl_instant now)
{
    static const char *const of_the_first[] = {"digest", "offers_judged", "offers_allowed",
                                               "grade"};
    json_t *decision = json_object_get(plan, "decision");

    for (size_t i = 0; i < sizeof of_the_first / sizeof *of_the_first; i++)
        json_object_del(decision, of_the_first[i]);
    json_object_set_new(decision, "verdict", json_string("allow"));
    json_object_set_new(decision, "at_s", json_integer(now.unix_s));
}

json_t *gl_relocate_plan(const json_t *old, const struct gl_relocate_place *place,
                         struct gl_instant now, struct gl_instant until, struct gl_error *err)
{
    json_t *plan = json_deep_copy(old), *request = json_object_get(plan, "request");

    if (plan == NULL || !json_is_object(request) ||
        !json_is_object(json_object_get(plan, "offer"))) {
        json_decref(plan);
        gl_fail(err, GL_E_NOT_VERIFIED, "the plan of the launch cannot be read");
        return NULL;
    }
    json_object_set_new(request, "start_s", json_integer(now.unix_s));
    json_object_set_new(request, "duration_s", json_integer(until.unix_s - now.unix_s));
    json_object_set_new(plan, "series",
                        place->series != NULL ? json_deep_copy(place->series) : json_array());
    set_offer(plan, place);
    set_guarantee(plan, now, until);
    set_decision(plan, now);
    json_object_del(plan, "timetable");
    return plan;
}

/* ---- what can be launched again ---- */

int gl_relocate_check_rules(const char *launch, const json_t *plan, struct gl_error *err)
{
    static const char *const unasked[] = {"regions",       "not_regions", "countries",
                                          "not_countries", "max_rate",    "max_total"};
    const json_t *rules = json_object_get(json_object_get(plan, "decision"), "rules");
    const json_t *rule, *limit;
    size_t i, k;

    json_array_foreach(rules, i, rule) json_array_foreach(json_object_get(rule, "limits"), k, limit)
    {
        const char *key = json_string_value(json_object_get(limit, "key"));

        for (size_t u = 0; key != NULL && u < sizeof unasked / sizeof *unasked; u++)
            if (strcmp(key, unasked[u]) == 0)
                return gl_fail(err, GL_E_USAGE,
                               "%s was launched with %s, which a move cannot ask again; launch it "
                               "anew there",
                               launch, key);
    }
    if (json_array_size(rules) > 0 && !json_is_object(json_object_get(plan, "guarantee")))
        return gl_fail(err, GL_E_USAGE,
                       "%s was launched with a warning: its rules cannot be asked again; launch it "
                       "anew there",
                       launch);
    return 0;
}

int gl_relocate_command(const json_t *plan, const char *storage[GL_RELOCATE_WORDS_MAX + 1],
                        const char *const **out, struct gl_error *err)
{
    const json_t *words = json_object_get(json_object_get(plan, "request"), "command");
    size_t count = json_array_size(words);

    if (count > GL_RELOCATE_WORDS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "the command has more than %d words",
                       GL_RELOCATE_WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        storage[i] = json_string_value(json_array_get(words, i));
        if (storage[i] == NULL || strcmp(storage[i], "(not UTF-8)") == 0)
            return gl_fail(err, GL_E_USAGE,
                           "the command is not known to the byte: it cannot be launched again");
    }
    storage[count] = NULL;
    *out = count > 0 ? storage : NULL;
    return 0;
}
