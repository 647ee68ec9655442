/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/openstack.h"

#include <stdlib.h>
#include <string.h>

/* Answers of keystone and nova: a catalogue, versions, servers, refusals; and addresses. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_places(const json_t *root)
{
    static struct gl_openstack_place places[GL_OPENSTACK_PLACES];
    size_t count;

    memset(places, 0, sizeof places);
    count = gl_openstack_read_places(root, NULL, "south", places);
    demand(count <= GL_OPENSTACK_PLACES);
    for (size_t i = 0; i < count; i++) {
        demand(places[i].region[0] != '\0' && strchr(places[i].region, '/') == NULL);
        demand(gl_openstack_is_trusted(places[i].compute));
        demand(gl_openstack_root(places[i].compute) <= strlen(places[i].compute));
        demand(places[i].image[0] == '\0' || gl_openstack_is_trusted(places[i].image));
    }
}

static void check_server(const json_t *root)
{
    struct gl_openstack_server server;
    int minor = gl_openstack_minor(root);

    demand(minor >= 1 && minor <= 90);
    if (!gl_openstack_read_server(root, "north", NULL, &server))
        return;
    demand(strlen(server.instance.id) == strlen("north/") + 36);
    demand(strlen(server.instance.token) == 64);
    demand(server.instance.state != GL_STATE_LOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = gl_alloc(size + 1);
    const struct gl_http_reply reply = {
        .body = text, .body_length = size, .content_type = "application/json"};
    struct gl_remote_word word = {0};
    struct gl_error err = {0};
    json_t *root;

    memcpy(text, bytes, size);
    text[size] = '\0';
    gl_openstack_read_error(&reply, &word);
    gl_openstack_is_trusted(text);
    root = gl_json_parse(text, size, "fuzz", &err);
    check_places(root);
    check_server(root);
    json_decref(root);
    free(text);
    return 0;
}
