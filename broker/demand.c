/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/demand.h"

#include <stdio.h>
#include <string.h>

#include "providers/data/data.h"

/* ---- what the tables know ---- */

static bool is_region(const char *provider, const char *region)
{
    return gl_demand_is_public(provider) && gl_data_region(provider, region) != NULL;
}

/* Is there a type of that family? */
static bool is_family(const char *provider, const char *family)
{
    const struct gl_type_row *rows;
    size_t count = gl_data_types(&rows);
    char one[GL_DEMAND_NAME];

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].cloud, provider) != 0)
            continue;
        gl_demand_family(provider, rows[i].name, one);
        if (strcmp(one, family) == 0)
            return true;
    }
    return false;
}

static bool is_place(const char *place)
{
    const char *slash = strchr(place, '/');
    char provider[GL_DEMAND_NAME];

    if (slash == NULL || slash[1] == '\0')
        return true;
    snprintf(provider, sizeof provider, "%.*s", (int)(slash - place), place);
    return is_region(provider, slash + 1);
}

/* The shapes of names are the policy floor's affair, whether there is such a one is of the tables.
 */
static int check_known(const struct gl_demand *demand, struct gl_error *err)
{
    if (gl_demand_check(demand, err) != 0)
        return -1;
    if (demand->region[0] != '\0' && !is_region(demand->provider, demand->region))
        return gl_fail(err, GL_E_BAD_VALUE, "demand signal: its region is in no table");
    if (demand->family[0] != '\0' && !is_family(demand->provider, demand->family))
        return gl_fail(err, GL_E_BAD_VALUE, "demand signal: its family is in no table");
    if (!is_place(demand->instead_region))
        return gl_fail(err, GL_E_BAD_VALUE, "demand signal: its instead_region is in no table");
    return 0;
}

/* ---- filling a signal ---- */

void gl_demand_at(struct gl_demand *demand, const char *provider, const char *region,
                  const char *type)
{
    const char *word = gl_demand_provider_word(provider);

    snprintf(demand->provider, sizeof demand->provider, "%s", word);
    snprintf(demand->region, sizeof demand->region, "%s", is_region(word, region) ? region : "");
    demand->family[0] = '\0';
    if (gl_data_type(word, type) != NULL)
        gl_demand_family(word, type, demand->family);
}

void gl_demand_moved_to(struct gl_demand *demand, const char *provider, const char *region)
{
    const char *word = gl_demand_provider_word(provider);

    demand->instead = GL_INSTEAD_MOVED;
    snprintf(demand->instead_region, sizeof demand->instead_region, "%s/%s", word,
             is_region(word, region) ? region : "");
}

void gl_demand_draw_key(const struct gl_world *world, struct gl_demand *demand)
{
    uint8_t bytes[GL_DEMAND_KEY / 2];

    world->random(world->cookie, bytes, sizeof bytes);
    gl_hex_text(bytes, sizeof bytes, demand->launch_key);
}

void gl_demand_key_of(const char *launch, struct gl_demand *demand)
{
    struct gl_hash hash;

    gl_hash_of(launch, strlen(launch), &hash);
    gl_hex_text(hash.bytes, GL_DEMAND_KEY / 2, demand->launch_key);
}

/* ---- as JSON ---- */

static json_t *number_json(int64_t number)
{
    return number != GL_UNKNOWN ? json_integer((json_int_t)number) : json_null();
}

static json_t *key_json(int key)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);

    return key >= 0 && (size_t)key < count ? json_string(keys[key].name) : json_null();
}

json_t *gl_demand_json(const struct gl_demand *demand)
{
    const char grade[] = {gl_grade_letter(demand->grade), '\0'};
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:I,s:I}", "kind", gl_demand_kind_words[demand->kind],
        "capability", gl_capability_words[demand->capability], "provider", demand->provider,
        "region", demand->region, "family", demand->family, "rule", demand->rule, "key",
        key_json(demand->key), "limit_u", number_json(demand->limit_u), "found_u",
        number_json(demand->found_u), "wanted_ms", (json_int_t)demand->wanted_ms, "gpu_ms",
        (json_int_t)demand->gpu_ms);
    json_t *rest = json_pack(
        "{s:s,s:s,s:s,s:o,s:o,s:I,s:s,s:b}", "grade", grade, "instead",
        gl_instead_words[demand->instead], "instead_region", demand->instead_region, "lost_ms",
        number_json(demand->lost_ms), "extra_ug", number_json(demand->extra_ug), "at_ms",
        (json_int_t)demand->at_ms, "launch_key", demand->launch_key, "is_demo", demand->is_demo);

    json_object_update(json, rest);
    json_decref(rest);
    return json;
}

/* ---- and the ledger ---- */

static int check_alike(const struct gl_demand *signals, size_t count, struct gl_error *err)
{
    if (count < 1 || count > GL_DEMAND_PLACES)
        return gl_fail(err, GL_E_BAD_VALUE, "demand signals of 1 to %d places", GL_DEMAND_PLACES);
    for (size_t i = 0; i < count; i++) {
        if (check_known(&signals[i], err) != 0)
            return -1;
        if (strcmp(signals[i].launch_key, signals[0].launch_key) != 0 ||
            signals[i].is_demo != signals[0].is_demo)
            return gl_fail(err, GL_E_BAD_VALUE, "demand signals of several launches");
    }
    return 0;
}

int gl_demand_entry_of(const struct gl_demand *signals, size_t count, struct gl_demand_entry *out,
                       struct gl_error *err)
{
    json_t *list;

    if (check_alike(signals, count, err) != 0)
        return -1;
    list = json_array();
    for (size_t i = 0; i < count; i++) {
        gl_demand_fingerprint(&signals[i], out->fingerprints[i]);
        json_array_append_new(list, gl_demand_json(&signals[i]));
    }
    out->body = json_pack("{s:o}", "signals", list);
    memcpy(out->launch_key, signals[0].launch_key, sizeof out->launch_key);
    out->row = (struct gl_ledger_demand){out->body, out->launch_key, signals[0].is_demo, count,
                                         (const char(*)[GL_HASH_HEX])out->fingerprints};
    return 0;
}

void gl_demand_entry_done(struct gl_demand_entry *entry)
{
    json_decref(entry->body);
    *entry = (struct gl_demand_entry){0};
}

int gl_demand_record(struct gl_ledger *ledger, const struct gl_demand *signals, size_t count,
                     struct gl_demand_told *out, struct gl_error *err)
{
    GL_AUTO(gl_demand_entry_done) struct gl_demand_entry entry = {0};
    int64_t seen;

    if (gl_demand_entry_of(signals, count, &entry, err) != 0 ||
        gl_ledger_demand(ledger, &entry.row, &seen, err) != 0)
        return -1;
    gl_demand_id(entry.fingerprints[0], out->id);
    out->seen = seen;
    return 0;
}
