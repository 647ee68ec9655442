/* SPDX-License-Identifier: Apache-2.0 */
/* Which offers a machine of a plan may be, and what one machine of them emits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hook/judge_part.h"
#include "policy/judge.h"

#define KEY_PARTS 4

static void key_of(struct gl_str *out, const char *const *parts, size_t count)
{
    gl_str_clear(out);
    for (size_t i = 0; i < count; i++) {
        gl_str_add(out, parts[i] != NULL ? parts[i] : "");
        gl_str_add_char(out, '\0');
    }
}

static size_t number_of(struct gl_keyset *set, const char *const *parts, size_t count,
                        bool *out_is_new)
{
    GL_AUTO(gl_str_done) struct gl_str key = {0};

    key_of(&key, parts, count);
    return gl_keyset_add(set, key.text, key.length, out_is_new);
}

static size_t find(const struct gl_keyset *set, const char *const *parts, size_t count)
{
    GL_AUTO(gl_str_done) struct gl_str key = {0};

    key_of(&key, parts, count);
    return gl_keyset_find(set, key.text, key.length);
}

/* The slot of an offer's key; it grows with the set. */
static uint32_t *slot_of(struct gl_hook_judge *judge, size_t number)
{
    if (number >= judge->key_capacity) {
        size_t capacity = judge->key_capacity != 0 ? judge->key_capacity * 2 : 1024;

        judge->key_offers = gl_realloc(judge->key_offers, capacity * sizeof *judge->key_offers);
        judge->key_capacity = capacity;
    }
    return &judge->key_offers[number];
}

static uint32_t add_offer(struct gl_hook_judge *judge, const struct gl_offer *offer)
{
    if (judge->offer_count == judge->offer_capacity) {
        size_t capacity = judge->offer_capacity != 0 ? judge->offer_capacity * 2 : 256;

        judge->offers = gl_realloc(judge->offers, capacity * sizeof *judge->offers);
        judge->rates = gl_realloc(judge->rates, capacity * sizeof *judge->rates);
        judge->offer_capacity = capacity;
    }
    judge->offers[judge->offer_count] = *offer;
    judge->rates[judge->offer_count].is_known_yet = false;
    return (uint32_t)judge->offer_count++;
}

static void take_offers(struct gl_hook_judge *judge)
{
    const struct gl_hook_ask *ask = judge->ask;
    bool is_new;

    judge->type_samples = gl_alloc((ask->offer_count + 1) * sizeof *judge->type_samples);
    for (size_t i = 0; i < ask->offer_count; i++) {
        const struct gl_offer *offer = &ask->offers[i];
        const char *parts[KEY_PARTS] = {offer->place->cloud, offer->type->name,
                                        offer->place->region, ""};
        uint32_t index = add_offer(judge, offer);
        size_t number = number_of(&judge->offer_keys, parts, KEY_PARTS, &is_new);

        if (is_new)
            *slot_of(judge, number) = index;
        number = number_of(&judge->type_keys, parts, 2, &is_new);
        if (is_new)
            judge->type_samples[number] = index;
    }
}

static void take_places(struct gl_hook_judge *judge)
{
    bool is_new;

    for (size_t i = 0; i < judge->ask->place_count; i++) {
        const char *parts[] = {judge->ask->places[i].cloud, judge->ask->places[i].region};

        number_of(&judge->place_keys, parts, 2, &is_new);
    }
}

void gl_hook_judge_open(struct gl_hook_judge *judge, const struct gl_hook_ask *ask,
                        struct gl_arena *arena)
{
    *judge = (struct gl_hook_judge){.ask = ask, .arena = arena};
    take_offers(judge);
    take_places(judge);
    judge->is_rule_used = gl_alloc((ask->policy->rule_count + 1) * sizeof *judge->is_rule_used);
    judge->is_waiver_used =
        gl_alloc((ask->policy->waiver_count + 1) * sizeof *judge->is_waiver_used);
}

void gl_hook_judge_close(struct gl_hook_judge *judge)
{
    free(judge->offers);
    free(judge->rates);
    free(judge->type_samples);
    free(judge->key_offers);
    free(judge->kinds);
    free(judge->is_rule_used);
    free(judge->is_waiver_used);
    gl_keyset_done(&judge->offer_keys);
    gl_keyset_done(&judge->place_keys);
    gl_keyset_done(&judge->type_keys);
    gl_keyset_done(&judge->kind_keys);
    gl_str_done(&judge->key);
}

/* ---- one machine in one place ---- */

bool gl_hook_is_plain(const char *text)
{
    return text != NULL && text[0] != '\0' && strpbrk(text, "*?") == NULL;
}

static const char *plain(const char *text)
{
    return gl_hook_is_plain(text) ? text : "";
}

/* NULL: no table knows it. */
static const struct gl_offer_place *known_place(const struct gl_hook_judge *judge,
                                                const char *cloud, const char *region)
{
    const char *parts[] = {cloud, region};
    size_t number = region[0] != '\0' ? find(&judge->place_keys, parts, 2) : SIZE_MAX;

    return number != SIZE_MAX ? &judge->ask->places[number].is : NULL;
}

static const struct gl_offer_place *unknown_place(const struct gl_hook_judge *judge,
                                                  const char *cloud, const char *region)
{
    struct gl_offer_place *place = gl_arena_take(judge->arena, sizeof *place);

    *place = (struct gl_offer_place){.cloud = cloud, .region = region, .country = "", .pue = 1};
    return place;
}

/* What the type draws does not depend on where it stands; what it costs does. */
static struct gl_offer_type type_like(const struct gl_hook_judge *judge, const char *cloud,
                                      const char *name)
{
    const char *parts[] = {cloud, name};
    size_t number = name[0] != '\0' ? find(&judge->type_keys, parts, 2) : SIZE_MAX;
    struct gl_offer_type type = {.power_source = ""};

    if (number != SIZE_MAX)
        type = *judge->offers[judge->type_samples[number]].type;
    type.name = name;
    return type;
}

/* What the plan itself says of a machine that the catalogue does not know. */
static void add_size(const struct gl_intent_machine *machine, struct gl_offer_type *type)
{
    if (type->vcpus == 0 && machine->vcpus_u != GL_UNKNOWN && machine->vcpus_u > 0 &&
        machine->vcpus_u < INT64_C(1000000000000))
        type->vcpus = (uint32_t)((machine->vcpus_u + 999999) / 1000000);
    if (type->memory_mib == 0 && machine->memory_mib != GL_UNKNOWN && machine->memory_mib > 0 &&
        machine->memory_mib < UINT32_MAX)
        type->memory_mib = (uint32_t)machine->memory_mib;
    if (type->gpu == NULL && machine->accelerator != NULL) {
        type->gpu = machine->accelerator;
        type->gpu_count = machine->accelerator_count > 0 && machine->accelerator_count < 1024
                              ? (uint32_t)machine->accelerator_count
                              : 1;
    }
}

/* An offer that is not in the catalogue: its price is not known. */
static uint32_t add_unlisted(struct gl_hook_judge *judge, const struct gl_intent_machine *machine,
                             const struct gl_offer_place *place, const char *name)
{
    struct gl_offer_type *type = gl_arena_take(judge->arena, sizeof *type);
    const struct gl_offer offer = {
        .place = place, .type = type, .price_u_usd_per_h = GL_UNKNOWN, .price_source = ""};

    *type = type_like(judge, place->cloud, name);
    add_size(machine, type);
    return add_offer(judge, &offer);
}

/* A service on machines has a price of its own, which no table has. */
static bool has_price_of_machine(const struct gl_intent *intent,
                                 const struct gl_intent_machine *machine)
{
    bool is_as_written = machine->type == NULL || machine->catalogue == NULL ||
                         strcmp(machine->type, machine->catalogue) == 0;

    return is_as_written && intent->role != GL_ROLE_MANAGED && intent->role != GL_ROLE_FRACTION;
}

/* What is asked for once: a machine of an intent. */
struct wish {
    const struct gl_intent *intent;
    const struct gl_intent_machine *machine;
    const char *cloud;
};

static uint32_t find_offer(struct gl_hook_judge *judge, const struct wish *wish, const char *type,
                           const char *region, bool *out_is_plain)
{
    const struct gl_intent_machine *machine = wish->machine;
    const char *cloud = wish->cloud;
    bool is_priced = has_price_of_machine(wish->intent, machine);
    char size[96];
    const char *parts[KEY_PARTS] = {cloud, type, region, size};
    const struct gl_offer_place *place = known_place(judge, cloud, region);
    const char *known[KEY_PARTS] = {cloud, type, place != NULL ? place->region : region, ""};
    size_t number = find(&judge->offer_keys, known, KEY_PARTS);
    bool is_new;

    *out_is_plain = number != SIZE_MAX && is_priced;
    if (*out_is_plain)
        return *slot_of(judge, number);
    snprintf(size, sizeof size, "%c%lld/%lld/%.40s/%lld", is_priced ? '+' : '-',
             (long long)machine->vcpus_u, (long long)machine->memory_mib,
             machine->accelerator != NULL ? machine->accelerator : "",
             (long long)machine->accelerator_count);
    number = number_of(&judge->offer_keys, parts, KEY_PARTS, &is_new);
    if (is_new) {
        uint32_t index;

        if (place == NULL)
            place = unknown_place(judge, cloud, region);
        index = add_unlisted(judge, machine, place, type);
        *slot_of(judge, number) = index;
    }
    return *slot_of(judge, number);
}

static struct gl_hook_recent *recent_of(struct gl_hook_judge *judge, const char *type,
                                        const char *region)
{
    uintptr_t mixed = ((uintptr_t)type >> 4) * 31 + ((uintptr_t)region >> 4);

    return &judge->recent[(mixed ^ mixed >> 6) % GL_HOOK_RECENT];
}

/* One that is in the catalogue does not depend on what else the plan says of the machine. */
static uint32_t offer_of(struct gl_hook_judge *judge, const struct wish *wish, const char *type,
                         const char *region)
{
    struct gl_hook_recent *recent = recent_of(judge, type, region);
    bool is_priced = has_price_of_machine(wish->intent, wish->machine), is_plain;
    uint32_t offer;

    if (is_priced && recent->cloud != NULL && recent->cloud == wish->cloud &&
        recent->type == type && recent->region == region)
        return recent->offer;
    offer = find_offer(judge, wish, type, region, &is_plain);
    if (is_plain)
        *recent = (struct gl_hook_recent){wish->cloud, type, region, offer};
    return offer;
}

/* ---- all that an intent may come out as ---- */

/* Names of one list, the first one apart, without repeats; "" alone when none is known. */
struct names {
    const char *items[GL_HOOK_VARIANTS];
    size_t count;
    bool is_over; /* there are more */
};

static void add_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return;
    if (names->count < GL_HOOK_VARIANTS)
        names->items[names->count++] = name;
    else
        names->is_over = true;
}

/* What offers call a type as written: without the prefix that `type` has before `catalogue`. */
static const char *catalogue_name(const struct gl_intent_machine *machine, const char *written)
{
    size_t prefix;

    if (machine->type == NULL || machine->catalogue == NULL)
        return written;
    prefix = strlen(machine->type);
    if (prefix < strlen(machine->catalogue))
        return written;
    prefix -= strlen(machine->catalogue);
    if (strcmp(machine->type + prefix, machine->catalogue) != 0 ||
        strncmp(machine->type, written, prefix) != 0)
        return written;
    return written + prefix;
}

static void types_of(const struct gl_intent_machine *machine, struct names *out)
{
    const char *first = machine->catalogue != NULL ? machine->catalogue : machine->type;

    *out = (struct names){.count = 0};
    if (first != NULL || machine->candidates == NULL)
        add_name(out, plain(first));
    for (const char *const *name = machine->candidates; name != NULL && *name != NULL; name++)
        add_name(out, plain(catalogue_name(machine, *name)));
}

/* "us-west-2-lax-1a", by its id "usw2-lax1-az1", is run by us-west-2 and stands in another grid: a
 * place of its own. Source: AWS documentation, "Local Zones" and "Wavelength Zones". */
static bool is_apart(const char *cloud, const char *region, const char *zone)
{
    size_t length = strlen(region);
    bool is_id = strncmp(zone, region, length) != 0;

    if (is_id)
        length = strcspn(zone, "-");
    return strcmp(cloud, "aws") == 0 && zone[length] == '-' &&
           !(is_id && strncmp(zone + length, "-az", 3) == 0);
}

/* True when the region itself is among the places, false when all its zones stand apart. */
static bool add_zones_apart(const char *cloud, const struct gl_intent_place *place,
                            struct names *out)
{
    bool has_near = place->region == NULL || place->zones == NULL || place->zones[0] == NULL;

    for (const char *const *zone = place->zones; place->region != NULL && zone != NULL; zone++) {
        if (*zone == NULL)
            break;
        if (is_apart(cloud, place->region, *zone))
            add_name(out, plain(*zone));
        else
            has_near = true;
    }
    return has_near;
}

static void regions_of(const char *cloud, const struct gl_intent_place *place, struct names *out)
{
    *out = (struct names){.count = 0};
    if (!add_zones_apart(cloud, place, out))
        return;
    if (place->region != NULL || place->candidates == NULL || place->candidates[0] == NULL)
        add_name(out, plain(place->region));
    for (const char *const *name = place->candidates; name != NULL && *name != NULL; name++)
        add_name(out, plain(*name));
}

/* More alternatives than are judged: what was left out could be the worst, so nothing is known. */
size_t gl_hook_variants(struct gl_hook_judge *judge, const struct gl_intent *intent,
                        const struct gl_intent_machine *machine,
                        const struct gl_intent_place *place, uint32_t out[GL_HOOK_VARIANTS])
{
    struct names types, regions;
    const struct wish wish = {intent, machine, plain(intent->cloud)};
    size_t count = 0;

    types_of(machine, &types);
    regions_of(wish.cloud, place, &regions);
    if (types.is_over || regions.is_over || types.count * regions.count > GL_HOOK_VARIANTS) {
        out[0] = offer_of(judge, &wish, "", "");
        return 1;
    }
    for (size_t t = 0; t < types.count; t++)
        for (size_t r = 0; r < regions.count; r++)
            out[count++] = offer_of(judge, &wish, types.items[t], regions.items[r]);
    return count;
}

/* ---- numbers ---- */

static int64_t in_machines(int64_t number, uint32_t vcpus, bool is_vcpus)
{
    if (number == GL_UNKNOWN || !is_vcpus)
        return number;
    return vcpus != 0 ? number / vcpus + (number % vcpus > 0) : GL_UNKNOWN;
}

/* A number that is not said is never guessed low: what runs now is at most the most. */
void gl_hook_counts(const struct gl_intent_count *count, uint32_t vcpus,
                    int64_t out[GL_COUNT_BASES])
{
    bool is_vcpus = count->unit != NULL && strcmp(count->unit, "vcpu") == 0;
    int64_t now = count->desired != GL_UNKNOWN ? count->desired : count->max;
    int64_t most = count->max; /* the readers put what is wanted where no bound is meant */
    int64_t typical = now;

    if (count->min != GL_UNKNOWN && count->max != GL_UNKNOWN && count->max >= count->min) {
        int64_t middle = count->min + (count->max - count->min + 1) / 2;

        typical = middle > now ? middle : now;
    }
    if (now != GL_UNKNOWN && most != GL_UNKNOWN && most < now)
        most = now;
    out[GL_COUNT_NOW] = in_machines(now, vcpus, is_vcpus);
    out[GL_COUNT_TYPICAL] = in_machines(typical, vcpus, is_vcpus);
    out[GL_COUNT_WORST] = in_machines(most, vcpus, is_vcpus);
}

/* ---- grams of one machine ---- */

static void work_out_rate(struct gl_hook_judge *judge, uint32_t offer)
{
    struct gl_hook_rate *rate = &judge->rates[offer];
    struct gl_request request = {.duration = judge->ask->duration,
                                 .start = judge->ask->now,
                                 .latest_start = judge->ask->now,
                                 .load = judge->ask->load,
                                 .count = 1};
    const struct gl_question question = {.policy = judge->ask->policy,
                                         .request = &request,
                                         .offers = &judge->offers[offer],
                                         .offer_count = 1,
                                         .now = judge->ask->now,
                                         .has_no_digest = true};
    struct gl_judgement judgement;

    gl_judge_one(&question, 0, &judgement);
    for (unsigned i = 0; i < 3; i++)
        rate->grams[i] =
            judgement.grams_per_h[i] >= 0 ? (double)judgement.grams_per_h[i] : (double)NAN;
    rate->is_known_yet = true;
}

void gl_hook_rate_of(struct gl_hook_judge *judge, const uint32_t *variants, size_t count,
                     double out[3])
{
    for (size_t i = 0; i < count; i++) {
        const struct gl_hook_rate *rate = &judge->rates[variants[i]];

        if (!rate->is_known_yet)
            work_out_rate(judge, variants[i]);
        for (unsigned part = 0; part < 3; part++)
            if (i == 0 || isnan(rate->grams[part]) || rate->grams[part] > out[part])
                out[part] = i > 0 && isnan(out[part]) ? out[part] : rate->grams[part];
    }
}
