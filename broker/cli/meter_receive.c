/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/meter_receive.h"

#include <stdio.h>
#include <string.h>

#include "broker/cli/act.h"
#include "broker/cli/hook_serve.h"
#include "broker/readings.h"

#define LISTEN     "127.0.0.1:8444"
#define BODY_MAX   (2 * GL_METERLOG_BYTES_MAX) /* a whole chain in small batches */
#define LAUNCH_MAX 63

struct receiver {
    const struct gl_hook_serving *serving; /* first: the loop's */
    struct gl_launcher launcher;
};

/* "gl-4k2p9x"; anything else is not even looked for. */
static bool is_launch(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return length > 0 && length <= LAUNCH_MAX && text[length] == '\0';
}

/* What a machine may try again is 503; what it need not, 4xx. */
static int status_of(enum gl_errc code)
{
    return code == GL_E_NOT_FOUND ? 404 : code == GL_E_NOT_VERIFIED ? 422 : 503;
}

static void take_readings(void *cookie, const struct gl_server_request *request,
                          struct gl_server_answer *out)
{
    struct receiver *receiver = cookie;
    const char *launch = request->header(request, "X-Greenlaunch-Launch");
    struct gl_error err = {0};
    size_t fresh = 0;

    if (launch == NULL || !is_launch(launch)) {
        gl_hook_serve_refuse(out, 400, "X-Greenlaunch-Launch names no launch");
        return;
    }
    if (gl_collect_pushed(&receiver->launcher, launch, request->body.text, request->body.length,
                          &fresh, &err) != 0) {
        /* A stranger hears what it may try again, and nothing of this machine. */
        gl_hook_serve_refuse(out, status_of(err.code),
                             status_of(err.code) == 503 ? "not now" : err.text);
        snprintf(out->note, sizeof out->note, "%s: %.90s", launch, err.text);
        return;
    }
    gl_str_addf(&out->body, "%zu new\n", fresh);
    snprintf(out->note, sizeof out->note, "%s: %zu new readings", launch, fresh);
}

static const struct gl_server_route routes[] = {
    {"POST", "/readings", BODY_MAX, take_readings},
    {"PUT", "/readings", BODY_MAX, take_readings},
    {"GET", "/healthz", 0, gl_hook_serve_health},
};

int gl_meter_receive(struct gl_context *context, const struct gl_receive_values *values,
                     struct gl_error *err)
{
    const struct gl_hook_values serve = {
        .serve = {.listen = values->listen != NULL ? values->listen : LISTEN,
                  .tls_cert = values->tls_cert,
                  .tls_key = values->tls_key}};
    struct gl_hook_serving serving = {.context = context, .values = &serve};
    struct receiver receiver = {.serving = &serving};
    int result = -1;

    if (gl_hook_serving_tls(&serving, err) == 0 &&
        gl_act_launcher(context, &receiver.launcher, err) == 0)
        result = gl_hook_serve_loop(
            &serving,
            &(struct gl_hook_serve_loop){.routes = routes,
                                         .route_count = sizeof routes / sizeof routes[0],
                                         .cookie = &receiver,
                                         .what = "readings at /readings"},
            err);
    gl_hook_serving_done(&serving);
    return result;
}
