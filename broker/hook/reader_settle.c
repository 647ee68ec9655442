/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader_part.h"

#include <string.h>

/* Machines that repeat differ in a name and a tag: all else that is said of them is held once. */
struct settling {
    struct gl_arena *arena, *passing;
    struct gl_reader_pieces *pieces;
};

static void settle_text(const struct settling *settling, const char **io_text)
{
    if (*io_text != NULL)
        *io_text = gl_reader_hold(settling->arena, settling->pieces, *io_text, strlen(*io_text));
}

/* A list of texts that are held is bytes as well. */
const char *const *gl_reader_hold_list(struct gl_arena *arena, struct gl_reader_pieces *pieces,
                                       struct gl_arena *passing, const char *const *list)
{
    size_t count = 0;
    const char **held;

    if (list == NULL)
        return NULL;
    while (list[count] != NULL)
        count++;
    held = gl_arena_take(passing, (count + 1) * sizeof *held);
    for (size_t i = 0; i < count; i++)
        held[i] = gl_reader_hold(arena, pieces, list[i], strlen(list[i]));
    return gl_reader_hold(arena, pieces, held, (count + 1) * sizeof *held);
}

static void settle_list(const struct settling *settling, const char *const **io_list)
{
    *io_list = gl_reader_hold_list(settling->arena, settling->pieces, settling->passing, *io_list);
}

static void settle_place(const struct settling *settling, struct gl_intent_place *place)
{
    settle_text(settling, &place->region);
    settle_text(settling, &place->zone);
    settle_list(settling, &place->zones);
    settle_list(settling, &place->candidates);
    settle_text(settling, &place->how);
    settle_text(settling, &place->evidence);
    settle_text(settling, &place->conflict);
}

static void settle_machine(const struct settling *settling, struct gl_intent_machine *machine)
{
    settle_text(settling, &machine->type);
    settle_text(settling, &machine->catalogue);
    settle_list(settling, &machine->candidates);
    settle_text(settling, &machine->accelerator);
    settle_text(settling, &machine->how);
}

static void settle_count(const struct settling *settling, struct gl_intent_count *count)
{
    settle_text(settling, &count->unit);
    settle_text(settling, &count->how);
}

/* What it was before: texts first, then the whole. */
static void settle_past(const struct settling *settling, struct gl_intent *intent)
{
    struct gl_intent_place *place = intent->place_before;
    struct gl_intent_machine *machine = intent->machine_before;
    struct gl_intent_count *count = intent->count_before;

    if (place != NULL) {
        settle_place(settling, place);
        intent->place_before = gl_arena_take(settling->arena, sizeof *place);
        *intent->place_before = *place;
    }
    if (machine != NULL) {
        settle_machine(settling, machine);
        intent->machine_before = gl_arena_take(settling->arena, sizeof *machine);
        *intent->machine_before = *machine;
    }
    if (count != NULL) {
        settle_count(settling, count);
        intent->count_before = gl_arena_take(settling->arena, sizeof *count);
        *intent->count_before = *count;
    }
}

void gl_reader_settle(struct gl_arena *arena, struct gl_reader_pieces *pieces,
                      struct gl_arena *passing, struct gl_intent *intent)
{
    const struct settling settling = {.arena = arena, .passing = passing, .pieces = pieces};

    settle_text(&settling, &intent->cloud);
    settle_text(&settling, &intent->provider);
    settle_place(&settling, &intent->place);
    settle_machine(&settling, &intent->machine);
    settle_count(&settling, &intent->count);
    settle_past(&settling, intent);
    settle_list(&settling, &intent->tags);
    settle_list(&settling, &intent->notes);
    settle_list(&settling, &intent->unknown);
    settle_list(&settling, &intent->sensitive);
}
