/* SPDX-License-Identifier: Apache-2.0 */
/* Demand feeds from arbitrary bytes. A first byte 'd' signs the document that follows, so that its
 * form is read; anything else is read as it is. What is read must be written again as it was, and
 * one organisation's cells must never come out of a merge. */
#include "broker/feed_part.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void merge_alone(const struct gl_demand_feed *feed)
{
    struct gl_demand_merge_options options = {GL_DEMAND_K, {INT64_C(253402300799)}, NULL};
    static const uint8_t secret[32] = {1};
    struct gl_error err = {0};
    struct gl_demand_merge *merge = gl_demand_merge_new(&options, &err);
    bool is_newest;
    size_t count;

    if (gl_demand_merge_add(merge, feed, &is_newest, &err) == 0) {
        json_decref(gl_demand_merge_end(merge, secret, &count, &err));
        must(is_newest && count == 0 && !feed->is_shared && !feed->is_demo);
    }
    gl_demand_merge_free(merge);
}

static void read_feed(const char *bytes, size_t size, const json_t *document)
{
    struct gl_demand_feed feed = {.count = 77};
    struct gl_error err = {0};

    if (gl_demand_feed_read(bytes, size, NULL, &feed, &err) != 0) {
        must(feed.count == 77);
        must(err.code == GL_E_SYNTAX || err.code == GL_E_TOO_LARGE ||
             err.code == GL_E_NOT_VERIFIED || err.code == GL_E_TAMPERED);
        return;
    }
    must(!feed.is_shared || feed.k >= GL_DEMAND_K);
    if (document != NULL) {
        json_t *cells = gl_demand_cells_json(feed.cells, feed.count, feed.is_shared, &err);

        must(json_equal(cells, json_object_get(document, "cells")));
        json_decref(cells);
    }
    merge_alone(&feed);
    gl_demand_feed_done(&feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_error err = {0};
    json_t *document;
    char *text;

    if (size == 0 || bytes[0] != 'd') {
        read_feed((const char *)bytes, size, NULL);
        return 0;
    }
    document = gl_json_parse((const char *)bytes + 1, size - 1, "fuzz", &err);
    if (json_is_object(document)) {
        gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
        text = gl_seal(document, &secret, &key, &err);
        if (text != NULL)
            read_feed(text, strlen(text), document);
        free(text);
    }
    json_decref(document);
    return 0;
}
