/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader.h"

#include <stdlib.h>

/* Documents that are no Terraform plans, through each of the other readers: whatever comes, a
 * reader answers with a plan whose texts are whole, or with an error that says so. The first byte
 * chooses the reader. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct gl_hook_plan *plan)
{
    json_t *json = gl_hook_plan_json(plan);

    demand(json != NULL);
    json_decref(json);
    for (size_t i = 0; i < plan->count; i++) {
        const struct gl_intent *intent = &plan->intents[i];

        demand(intent->address != NULL && intent->type != NULL && intent->place.how != NULL);
        /* Nothing is launched for sure whose place nothing says. */
        demand(intent->place.region != NULL || intent->place.surety == GL_SURE_NOT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct gl_hook_reader *const readers[] = {
        &gl_reader_pulumi, &gl_reader_cloudformation, &gl_reader_kubernetes};
    static const char *const parameters[] = {"Size=t3.micro", NULL};
    static struct gl_hook_mapping *mapping;
    const struct gl_hook_reader *reader;
    struct gl_hook_plan plan = {0};
    struct gl_error err = {0};
    struct gl_hook_options options = {.parameters = parameters};
    struct gl_feed *feed;
    int status;

    if (size == 0)
        return 0;
    if (mapping == NULL)
        mapping = gl_mapping_open(NULL, &err);
    options.mapping = mapping;
    options.deployment_region = (bytes[0] & 8) != 0 ? "eu-north-1" : NULL;
    reader = readers[bytes[0] % 3];
    feed = gl_feed_of_bytes(bytes + 1, size - 1, "fuzz");
    gl_feed_limit(feed, (uint64_t)1 << 20);
    status = reader->read(feed, &options, &plan, &err);
    demand((status == 0) == (err.code == GL_OK));
    demand(err.code != GL_E_INTERNAL);
    if (status == 0)
        check(&plan);
    gl_hook_plan_done(&plan);
    gl_feed_close(feed);
    return 0;
}
