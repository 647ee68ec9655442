/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of Terraform plans, whole, from arbitrary bytes: compressed, wrapped, cut, several
 * documents. What it makes of them must hold together: numbers are counts or unknown, a place that
 * is not known has no confidence, and what is read twice is read the same. */
#include "broker/hook/reader.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gl_hook_mapping *mapping_once(void)
{
    static struct gl_hook_mapping *mapping;
    struct gl_error err = {0};

    if (mapping == NULL)
        mapping = gl_mapping_open(NULL, &err);
    if (mapping == NULL)
        abort();
    return mapping;
}

static int read_bytes(const uint8_t *data, size_t size, struct gl_hook_plan *out)
{
    const char *const regions[] = {"*.asserted=eu-north-1", NULL};
    const struct gl_hook_options options = {.mapping = mapping_once(), .regions = regions};
    struct gl_feed *feed = gl_feed_of_bytes((const char *)data, size, "fuzz");
    struct gl_error err = {0};
    int status = gl_reader_terraform.read(feed, &options, out, &err);

    if (status != 0 && err.text[0] == '\0')
        abort();
    gl_feed_close(feed);
    return status;
}

static void check_count(const struct gl_intent_count *count)
{
    const int64_t numbers[] = {count->min, count->desired, count->max};

    for (size_t i = 0; i < 3; i++)
        if (numbers[i] != GL_UNKNOWN && (numbers[i] < 0 || numbers[i] > INT64_C(10000000)))
            abort();
}

static void check_intent(const struct gl_intent *intent)
{
    check_count(&intent->count);
    if (intent->count_before != NULL)
        check_count(intent->count_before);
    if (intent->address == NULL || intent->type == NULL || intent->place.how == NULL ||
        intent->place.evidence == NULL)
        abort();
    if (intent->place.region == NULL && intent->place.surety != GL_SURE_NOT)
        abort();
    if (intent->is_launch && (intent->role == GL_ROLE_TEMPLATE || intent->role == GL_ROLE_SCALER))
        abort();
}

static char *told(const struct gl_hook_plan *plan)
{
    json_t *json = gl_hook_plan_json(plan);
    char *text = gl_json_pretty(json);

    json_decref(json);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gl_hook_plan plan = {0}, again = {0};
    const char *why;

    (void)gl_reader_terraform.recognise((const char *)data, size, &why);
    if (read_bytes(data, size, &plan) == 0) {
        char *first, *second;

        for (size_t i = 0; i < plan.count; i++)
            check_intent(&plan.intents[i]);
        if (read_bytes(data, size, &again) != 0)
            abort();
        first = told(&plan);
        second = told(&again);
        if (first != NULL && second != NULL && strcmp(first, second) != 0)
            abort();
        free(first);
        free(second);
    }
    gl_hook_plan_done(&plan);
    gl_hook_plan_done(&again);
    return 0;
}
