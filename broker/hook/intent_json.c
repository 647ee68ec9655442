/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/intent.h"

#include <stdio.h>

/* docs/hook-facts.schema.json describes what is written here. */

static json_t *text_of(const char *text)
{
    json_t *value = text != NULL ? json_string(text) : json_null();

    /* Names come from plans; a reader hands on UTF-8 only. */
    return value != NULL ? value : json_string("?");
}

static json_t *number_of(int64_t number)
{
    return number == GL_UNKNOWN ? json_null() : json_integer((json_int_t)number);
}

static json_t *list_of(const char *const *texts)
{
    json_t *list = json_array();

    for (; texts != NULL && *texts != NULL; texts++)
        json_array_append_new(list, text_of(*texts));
    return list;
}

static json_t *place_of(const struct gl_intent_place *place)
{
    json_t *object = json_object();

    json_object_set_new(object, "region", text_of(place->region));
    json_object_set_new(object, "zones", list_of(place->zones));
    json_object_set_new(object, "candidates", list_of(place->candidates));
    json_object_set_new(object, "how", text_of(place->how));
    json_object_set_new(object, "evidence", text_of(place->evidence));
    json_object_set_new(object, "confidence", text_of(gl_surety_word(place->surety)));
    json_object_set_new(object, "conflict", text_of(place->conflict));
    return object;
}

/* Millionths as a number; vCPUs have few digits. */
static json_t *millionths_of(int64_t number)
{
    if (number == GL_UNKNOWN)
        return json_null();
    if (number % 1000000 == 0)
        return json_integer((json_int_t)(number / 1000000));
    return json_real((double)number / 1e6);
}

static json_t *machine_of(const struct gl_intent_machine *machine)
{
    json_t *object = json_object();

    json_object_set_new(object, "type", text_of(machine->type));
    json_object_set_new(object, "catalogue", text_of(machine->catalogue));
    json_object_set_new(object, "candidates", list_of(machine->candidates));
    json_object_set_new(object, "vcpus", millionths_of(machine->vcpus_u));
    json_object_set_new(object, "memory_mib", number_of(machine->memory_mib));
    json_object_set_new(object, "accelerator", text_of(machine->accelerator));
    json_object_set_new(object, "accelerators", number_of(machine->accelerator_count));
    json_object_set_new(object, "how", text_of(machine->how));
    json_object_set_new(object, "confidence", text_of(gl_surety_word(machine->surety)));
    return object;
}

static json_t *count_of(const struct gl_intent_count *count)
{
    json_t *object = json_object();

    json_object_set_new(object, "min", number_of(count->min));
    json_object_set_new(object, "desired", number_of(count->desired));
    json_object_set_new(object, "max", number_of(count->max));
    json_object_set_new(object, "unit", text_of(count->unit));
    json_object_set_new(object, "how", text_of(count->how));
    json_object_set_new(object, "confidence", text_of(gl_surety_word(count->surety)));
    return object;
}

static json_t *before_of(const struct gl_intent *intent)
{
    json_t *object;

    if (intent->place_before == NULL && intent->machine_before == NULL &&
        intent->count_before == NULL)
        return json_null();
    object = json_object();
    json_object_set_new(object, "place",
                        intent->place_before != NULL ? place_of(intent->place_before)
                                                     : json_null());
    json_object_set_new(object, "machine",
                        intent->machine_before != NULL ? machine_of(intent->machine_before)
                                                       : json_null());
    json_object_set_new(object, "count",
                        intent->count_before != NULL ? count_of(intent->count_before)
                                                     : json_null());
    return object;
}

static json_t *intent_of(const struct gl_intent *intent)
{
    json_t *object = json_object();

    json_object_set_new(object, "address", text_of(intent->address));
    json_object_set_new(object, "file", text_of(intent->file));
    json_object_set_new(object, "cloud", text_of(intent->cloud));
    json_object_set_new(object, "provider", text_of(intent->provider));
    json_object_set_new(object, "type", text_of(intent->type));
    json_object_set_new(object, "role", text_of(gl_role_word(intent->role)));
    json_object_set_new(object, "action", text_of(gl_change_word(intent->change)));
    json_object_set_new(object, "launches", json_boolean(intent->is_launch));
    json_object_set_new(object, "mapped", json_boolean(intent->is_mapped));
    json_object_set_new(object, "place", place_of(&intent->place));
    json_object_set_new(object, "machine", machine_of(&intent->machine));
    json_object_set_new(object, "count", count_of(&intent->count));
    json_object_set_new(object, "before", before_of(intent));
    json_object_set_new(object, "interruptible",
                        intent->interruptible < 0 ? json_null()
                                                  : json_boolean(intent->interruptible));
    json_object_set_new(object, "duration_s", number_of(intent->duration_s));
    json_object_set_new(object, "tags", list_of(intent->tags));
    json_object_set_new(object, "notes", list_of(intent->notes));
    json_object_set_new(object, "unknown", list_of(intent->unknown));
    if (intent->sensitive != NULL)
        json_object_set_new(object, "sensitive", list_of(intent->sensitive));
    return object;
}

static json_t *plan_of(const struct gl_hook_plan *plan)
{
    char hex[GL_HASH_HEX];
    json_t *object = json_object();

    json_object_set_new(object, "file", text_of(plan->file));
    json_object_set_new(object, "reader", text_of(plan->reader));
    json_object_set_new(object, "version", text_of(plan->version));
    json_object_set_new(object, "sha256", json_string(gl_hash_hex(&plan->digest, hex)));
    json_object_set_new(object, "partial", json_boolean(plan->is_partial));
    json_object_set_new(object, "notes", list_of(plan->notes));
    return object;
}

static json_t *coverage_of(const struct gl_hook_plan *plan)
{
    json_t *object = json_object();

    json_object_set_new(object, "resources", json_integer((json_int_t)plan->resources));
    json_object_set_new(object, "launches", json_integer((json_int_t)plan->launches));
    json_object_set_new(object, "skipped", json_integer((json_int_t)plan->skipped));
    json_object_set_new(object, "unmapped", list_of(plan->unmapped));
    return object;
}

json_t *gl_hook_plan_json(const struct gl_hook_plan *plan)
{
    json_t *object = json_object();
    json_t *intents = json_array();

    for (size_t i = 0; i < plan->count; i++)
        json_array_append_new(intents, intent_of(&plan->intents[i]));
    json_object_set_new(object, "greenlaunch_intents", json_integer(GL_INTENT_VERSION));
    json_object_set_new(object, "plan", plan_of(plan));
    json_object_set_new(object, "intents", intents);
    json_object_set_new(object, "coverage", coverage_of(plan));
    return object;
}
