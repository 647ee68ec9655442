/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/storm_cloud.h"

#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const struct storm_cloud *current;

/* ---- a transport that trusts one authority ---- */

struct trusting {
    struct gl_http base;
    struct gl_http *inner;
    const char *ca; /* borrowed */
};

static int trusting_send(struct gl_http *http, const struct gl_http_request *request,
                         struct gl_http_reply *out, struct gl_error *err)
{
    struct trusting *self = (struct trusting *)http;
    struct gl_http_request copy = *request;

    self->inner->is_cancelled = http->is_cancelled;
    self->inner->cancel_cookie = http->cancel_cookie;
    if (copy.ca_pem == NULL && strncmp(copy.url, "https:", 6) == 0)
        copy.ca_pem = self->ca;
    return gl_http_send(self->inner, &copy, out, err);
}

static void trusting_close(struct gl_http *http)
{
    gl_http_close(((struct trusting *)http)->inner);
    free(http);
}

static struct gl_http *trusting_new(struct gl_http *inner, const char *ca)
{
    static const struct gl_http_ops ops = {"trusting", trusting_send, trusting_close};
    struct trusting *self = gl_alloc(sizeof *self);

    self->base.ops = &ops;
    self->inner = inner;
    self->ca = ca;
    return &self->base;
}

static const char *getenv_of_storm(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; i < GL_COUNTERPART_LINES && current->environment[i] != NULL; i++)
        if (strncmp(current->environment[i], name, length) == 0 &&
            current->environment[i][length] == '=')
            return current->environment[i] + length + 1;
    return NULL;
}

/* ---- the cloud ---- */

void storm_cloud_join(struct storm_cloud *cloud, const struct gl_counterpart *kind,
                      const struct gl_counterpart_way *way, const char *ca)
{
    cloud->kind = kind;
    cloud->ca = ca;
    for (size_t i = 0; i < GL_COUNTERPART_LINES && kind->environment[i] != NULL; i++)
        cloud->environment[i] = gl_counterpart_fill(kind->environment[i], way);
    for (size_t i = 0; i < GL_COUNTERPART_SETTINGS && kind->settings[i].name != NULL; i++)
        cloud->settings[cloud->setting_count++] = (struct gl_setting){
            kind->settings[i].name, gl_counterpart_fill(kind->settings[i].value, way)};
    current = cloud;
}

void storm_cloud_open(struct storm_cloud *cloud, const struct gl_counterpart *kind,
                      const char *folder, const struct fault_proxy_hooks *hooks)
{
    struct fault_proxy_hooks plain = *hooks;
    struct gl_counterpart_way way;

    *cloud = (struct storm_cloud){.kind = kind, .fake = kind->start(folder)};
    cloud->proxy = fault_proxy_start(kind->url(cloud->fake), hooks);
    plain.handshake = NULL; /* where there is no TLS to be had */
    if (cloud->proxy == NULL)
        cloud->proxy = fault_proxy_start(kind->url(cloud->fake), &plain);
    assert_non_null(cloud->proxy);
    way = storm_cloud_way(cloud, folder);
    storm_cloud_join(cloud, kind, &way, fault_proxy_ca(cloud->proxy));
}

struct gl_counterpart_way storm_cloud_way(const struct storm_cloud *cloud, const char *folder)
{
    return (struct gl_counterpart_way){.url = fault_proxy_url(cloud->proxy),
                                       .own_url = cloud->kind->url(cloud->fake),
                                       .folder = folder};
}

void storm_cloud_close(struct storm_cloud *cloud)
{
    const char *complaints = cloud->kind->complaints(cloud->fake);

    if (complaints[0] != '\0')
        fail_msg("%s complains: %s", cloud->kind->cloud, complaints);
    fault_proxy_stop(cloud->proxy);
    cloud->kind->stop(cloud->fake);
    for (size_t i = 0; i < GL_COUNTERPART_LINES; i++)
        free(cloud->environment[i]);
    for (size_t i = 0; i < cloud->setting_count; i++)
        free((void *)(uintptr_t)cloud->settings[i].value);
    current = NULL;
}

void storm_cloud_enter(const struct storm_cloud *cloud, struct gl_world *world)
{
    world->getenv = getenv_of_storm;
    world->http = trusting_new(world->http, cloud->ca);
}

struct gl_cloud *storm_cloud_connect(const struct storm_cloud *cloud, const struct gl_world *world,
                                     struct gl_error *err)
{
    return gl_cloud_open(cloud->kind->cloud,
                         &(struct gl_cloud_options){.world = world,
                                                    .settings = cloud->settings,
                                                    .setting_count = cloud->setting_count},
                         err);
}
