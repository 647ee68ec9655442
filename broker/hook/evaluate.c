/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "broker/hook/keyset.h"
#include "providers/data/data.h"

/* ---- what to ask for ---- */

struct wanting {
    struct gl_arena *arena;
    struct gl_keyset seen[2];
    const char **lists[2];
    size_t counts[2];
};
enum { CLOUDS, TYPES };

static void want(struct wanting *wanting, int list, const char *text)
{
    bool is_new = false;

    if (!gl_hook_is_plain(text) && list == CLOUDS)
        return;
    gl_keyset_add(&wanting->seen[list], text, strlen(text), &is_new);
    if (!is_new)
        return;
    wanting->lists[list] = gl_arena_grow(wanting->arena, wanting->lists[list],
                                         wanting->counts[list], sizeof *wanting->lists[list]);
    wanting->lists[list][wanting->counts[list]++] =
        gl_arena_text(wanting->arena, text, strlen(text));
}

/* The types around it are looked at for a smaller one. */
static void want_type(struct wanting *wanting, const char *cloud, const char *type)
{
    char family[GL_HOOK_FAMILY];

    if (!gl_hook_is_plain(type))
        return;
    if (cloud != NULL && gl_hook_family(cloud, type, family))
        want(wanting, TYPES, family);
    else
        want(wanting, TYPES, type);
}

static void want_machine(struct wanting *wanting, const char *cloud,
                         const struct gl_intent_machine *machine)
{
    size_t prefix = 0;

    if (machine == NULL)
        return;
    want_type(wanting, cloud, machine->catalogue != NULL ? machine->catalogue : machine->type);
    if (machine->type != NULL && machine->catalogue != NULL &&
        strlen(machine->type) > strlen(machine->catalogue))
        prefix = strlen(machine->type) - strlen(machine->catalogue);
    for (const char *const *name = machine->candidates; name != NULL && *name != NULL; name++)
        want_type(wanting, cloud, strlen(*name) > prefix ? *name + prefix : *name);
}

void gl_hook_want(const struct gl_hook_plan *const *plans, size_t count, struct gl_arena *arena,
                  struct gl_hook_wanted *out)
{
    struct wanting wanting = {.arena = arena};

    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < plans[p]->count; i++) {
            const struct gl_intent *intent = &plans[p]->intents[i];

            if (intent->like != 0)
                continue;
            if (intent->cloud != NULL)
                want(&wanting, CLOUDS, intent->cloud);
            want_machine(&wanting, intent->cloud, &intent->machine);
            want_machine(&wanting, intent->cloud, intent->machine_before);
        }
    for (int list = CLOUDS; list <= TYPES; list++) {
        wanting.lists[list] = gl_arena_grow(arena, wanting.lists[list], wanting.counts[list],
                                            sizeof *wanting.lists[list]);
        wanting.lists[list][wanting.counts[list]] = NULL;
        gl_keyset_done(&wanting.seen[list]);
    }
    *out = (struct gl_hook_wanted){.clouds = wanting.lists[CLOUDS],
                                   .types = wanting.lists[TYPES],
                                   .cloud_count = wanting.counts[CLOUDS],
                                   .type_count = wanting.counts[TYPES]};
}

/* ---- places ---- */

struct placing {
    const struct gl_request *request;
    struct gl_signal_store *store;
    struct gl_arena *arena;
    struct gl_keyset seen;
    struct gl_hook_place *places;
    size_t count;
};

static void add_place(struct placing *placing, const char *cloud, const char *region)
{
    GL_AUTO(gl_str_done) struct gl_str key = {0};
    struct gl_offer_place is;
    bool is_new;

    if (!gl_hook_is_plain(cloud) || !gl_hook_is_plain(region))
        return;
    gl_str_add(&key, cloud);
    gl_str_add_char(&key, '/');
    gl_str_add(&key, region);
    gl_keyset_add(&placing->seen, key.text, key.length, &is_new);
    if (!is_new || !gl_offers_place(placing->request, placing->store, cloud, region, &is))
        return;
    placing->places =
        gl_arena_grow(placing->arena, placing->places, placing->count, sizeof *placing->places);
    placing->places[placing->count++] =
        (struct gl_hook_place){.cloud = cloud, .region = region, .is = is};
}

static void add_cloud(struct placing *placing, const char *cloud)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].cloud, cloud) == 0)
            add_place(placing, rows[i].cloud, rows[i].region);
}

static void add_named(struct placing *placing, const char *cloud,
                      const struct gl_intent_place *place)
{
    if (place == NULL || cloud == NULL)
        return;
    if (place->region != NULL)
        add_place(placing, cloud, place->region);
    for (const char *const *name = place->candidates; name != NULL && *name != NULL; name++)
        add_place(placing, cloud, *name);
}

const struct gl_hook_place *gl_hook_places(const struct gl_hook_plan *const *plans, size_t count,
                                           const struct gl_request *request,
                                           struct gl_signal_store *store, struct gl_arena *arena,
                                           size_t *out_count)
{
    struct placing placing = {.request = request, .store = store, .arena = arena};

    for (const char *const *cloud = request->clouds; cloud != NULL && *cloud != NULL; cloud++)
        add_cloud(&placing, *cloud);
    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < plans[p]->count; i++) {
            const struct gl_intent *intent = &plans[p]->intents[i];

            if (intent->like != 0)
                continue;
            add_named(&placing, intent->cloud, &intent->place);
            add_named(&placing, intent->cloud, intent->place_before);
        }
    gl_keyset_done(&placing.seen);
    *out_count = placing.count;
    return placing.places;
}
