/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/openstack.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a service has after its address, whether the catalogue says it or not. */
static size_t without(const char *url, const char *version)
{
    size_t length = strlen(url), tail = strlen(version);

    return length > tail && strcmp(url + length - tail, version) == 0 ? length - tail : length;
}

void gl_openstack_call(const struct gl_openstack_place *place, struct gl_remote_call *call,
                       enum gl_openstack_service service, const char *method, const char *path, ...)
{
    const char *compute = place->compute, *rest = compute + gl_openstack_root(compute);
    char text[512];
    va_list args;

    va_start(args, path);
    vsnprintf(text, sizeof text, path, args);
    va_end(args);
    call->method = method;
    call->region = place->region;
    if (service == GL_OPENSTACK_IMAGE && place->image[0] != '\0')
        gl_str_addf(&call->url, "%.*s/v2/%s", (int)without(place->image, "/v2"), place->image,
                    text);
    else if (service == GL_OPENSTACK_NETWORK && place->network[0] != '\0')
        gl_str_addf(&call->url, "%.*s/v2.0/%s", (int)without(place->network, "/v2.0"),
                    place->network, text);
    else if (service == GL_OPENSTACK_COMPUTE)
        gl_str_addf(&call->url, "%.*s/v2.1%s/%s", (int)(rest - compute), compute,
                    rest[0] != '\0' ? rest + 1 + strcspn(rest + 1, "/") : "", text);
    if (service == GL_OPENSTACK_COMPUTE && place->minor > 1)
        gl_remote_header(call, "OpenStack-API-Version", "compute 2.%d", place->minor);
}

/* Keystone has given a token and a service refuses it: access rules of an application credential,
 * or a service that does not know its own type. Logging in once more would change nothing. */
void gl_openstack_explain(const struct gl_openstack *os, struct gl_error *err)
{
    if (err->code != GL_E_NO_CREDENTIAL || os->credential.token.length == 0)
        return;
    err->code = GL_E_PERMISSION;
    gl_wrap(err,
            "keystone gave %s a token, which this service refuses (access rules of the "
            "application credential?)",
            os->credential.account);
}

/* Without an address there is nothing to ask. */
static int send(struct gl_openstack *os, struct gl_remote_call *call, struct gl_error *err)
{
    struct gl_error why = {0};

    if (call->url.length == 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "openstack: the catalogue has no public https:// address of that service "
                       "in %s",
                       call->region);
    if (gl_remote_send(&os->remote, call, &why) == 0)
        return 0;
    gl_openstack_explain(os, &why);
    return gl_fail(err, why.code, "%s", why.text);
}

json_t *gl_openstack_ask(struct gl_openstack *os, struct gl_remote_call *call, struct gl_error *err)
{
    json_t *root = NULL;

    if (send(os, call, err) == 0)
        root = gl_remote_reply_json(call, err);
    gl_remote_call_done(call);
    return root;
}

int gl_openstack_tell(struct gl_openstack *os, struct gl_remote_call *call, struct gl_error *err)
{
    int rc = send(os, call, err);

    gl_remote_call_done(call);
    return rc;
}

bool gl_openstack_is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

int gl_openstack_id(struct gl_openstack *os, const char *id, struct gl_openstack_place **out_place,
                    const char **out_uuid, struct gl_error *err)
{
    struct gl_error why = {0};
    char region[40];
    const char *uuid = gl_remote_id_split(id, region);

    if (uuid == NULL || !gl_openstack_is_uuid(uuid))
        return gl_fail(err, GL_E_NOT_FOUND, "%.100s is no id of an OpenStack server or image", id);
    if (gl_openstack_place(os, region, out_place, &why) != 0)
        return gl_fail(err, why.code == GL_E_UNKNOWN_NAME ? GL_E_NOT_FOUND : why.code, "%s",
                       why.text);
    *out_uuid = uuid;
    return 0;
}
