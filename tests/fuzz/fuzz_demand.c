/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/demand.h"

#include <stdlib.h>
#include <string.h>

/* A demand signal as a ledger may hold it: what is taken may stand there, is clustered, and comes
 * back as it was; what is refused leaves the output alone. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_taken(const struct gl_demand *one)
{
    struct gl_clustering *clustering = gl_clustering_new();
    GL_AUTO(gl_auto_json) json_t *json = gl_demand_json(one);
    struct gl_error err = {0};
    struct gl_demand back;
    size_t count;

    demand(gl_demand_check(one, &err) == 0);
    demand(gl_demand_of_json(json, &back, &err) == 0);
    demand(gl_clustering_add(clustering, one, &err) == 0);
    demand(gl_clustering_add(clustering, &back, &err) == 0);
    demand(gl_clustering_end(clustering, &count)->signals == 2 && count == 1);
    gl_clustering_free(clustering);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_error err = {0};
    struct gl_demand one = {.wanted_ms = 77};
    GL_AUTO(gl_auto_json)
    json_t *json = gl_json_parse((const char *)bytes, size, "signal", &err);

    if (json == NULL)
        return 0;
    if (gl_demand_of_json(json, &one, &err) == 0)
        check_taken(&one);
    else
        demand(err.code == GL_E_BAD_REPLY && one.wanted_ms == 77);
    return 0;
}
