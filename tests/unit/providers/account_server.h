/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_ACCOUNT_SERVER_H
#define GL_TESTS_ACCOUNT_SERVER_H

/* A transport that plays Electricity Maps and WattTime, with invented figures in the documented
 * shapes, and notes who it was asked by. */

#include "base/http.h"
#include "base/time.h"
#include "tests/unit/providers/store_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* Secrets that must turn up nowhere but in the request that is sent. */
#define TOKEN    "planted+token/4711"
#define PASSWORD "planted:password 4711"
#define SESSION  "planted.session.4711"
#define PLANTED  "4711"

/* Of the place that is asked for. */
#define MAPS_BODY                                                                     \
    "{\"zone\":\"%s\",\"temporalGranularity\":\"hourly\",\"history\":[{\"datetime\":" \
    "\"2026-01-10T11:00:00Z\",\"carbonIntensity\":300,\"value\":\"60\",\"isEstimated\":false}]}"
#define WATT_BODY                                                                \
    "{\"data\":[{\"point_time\":\"2026-01-10T12:00:00+00:00\",\"value\":1000}]," \
    "\"meta\":{\"region\":\"%s\",\"signal_type\":\"co2_moer\","                  \
    "\"units\":\"lbs_co2_per_mwh\",\"data_point_period_seconds\":300,"           \
    "\"model\":{\"date\":\"2026-01-01\"}}}"

/* ---- a server that wants to know who asks ---- */

struct server {
    struct gl_http http;
    struct gl_world *world;
    unsigned logins, asked, refused;
    unsigned refuses;      /* so many answers of 401 to begin with */
    bool is_empty;         /* it knows of no figure */
    int64_t longest_s;     /* that it was asked for at once */
    bool knows_nobody;     /* the login is refused */
    bool gives_no_token;   /* the login answers something else */
    bool quotes;           /* answers repeat the header they were asked with */
    int status;            /* of refusals, 0 = 401 */
    const char *complains; /* what refusals say */
    char url[512], header[256], name[64];
    bool carried; /* the last question was marked as one with a secret */
};

static inline void note(struct server *server, const struct gl_http_request *request)
{
    static const char *const names[] = {"auth-token: ", "X-BLOBR-KEY: ", "Authorization: "};
    const char *header;

    snprintf(server->url, sizeof server->url, "%s", request->url);
    server->header[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (has_header(request, names[i], &header)) {
            snprintf(server->header, sizeof server->header, "%s", header + strlen(names[i]));
            snprintf(server->name, sizeof server->name, "%s", names[i]);
        }
    server->carried = request->carries_secret;
}

/* "start=2026-01-01T00:00:00%2B00:00&end=..." */
static inline void note_span(struct server *server, const char *url)
{
    const char *at[2] = {strstr(url, "start="), strstr(url, "end=")};
    struct gl_instant times[2];
    struct gl_error err = {0};

    if (at[0] == NULL || at[1] == NULL)
        return;
    for (size_t i = 0; i < 2; i++) {
        char text[40];

        snprintf(text, sizeof text, "%.19sZ", strchr(at[i], '=') + 1);
        assert_int_equal(strncmp(strchr(at[i], '=') + 20, "%2B00:00&", 9), 0);
        assert_int_equal(gl_instant_parse(text, &times[i], &err), 0);
    }
    if (times[1].unix_s - times[0].unix_s > server->longest_s)
        server->longest_s = times[1].unix_s - times[0].unix_s;
}

static inline int reply(struct gl_http_reply *out, int status, const char *body)
{
    *out = (struct gl_http_reply){.status = status, .retry_after_s = -1};
    out->body = gl_strdup(body);
    out->body_length = strlen(body);
    return 0;
}

static inline int answer_place(const struct server *server, const char *url,
                               struct gl_http_reply *out)
{
    bool is_watttime = strstr(url, "region=") != NULL;
    const char *place = is_watttime ? strstr(url, "region=") + 7 : strstr(url, "zone=") + 5;
    char body[512], quoting[1024], name[32];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(place, "&"), place);
    if (is_watttime)
        snprintf(body, sizeof body, WATT_BODY, name);
    else
        snprintf(body, sizeof body, MAPS_BODY, name);
    snprintf(quoting, sizeof quoting, "{\"request\":\"%s\",%s", server->header, body + 1);
    return reply(out, 200, server->quotes ? quoting : body);
}

static inline int serve(struct gl_http *http, const struct gl_http_request *request,
                        struct gl_http_reply *out, struct gl_error *err)
{
    struct server *server = (struct server *)http;

    (void)err;
    note(server, request);
    if (strstr(request->url, "/login") != NULL) {
        server->logins++;
        if (server->knows_nobody)
            return reply(out, 401, "{\"error\":\"" PASSWORD "\"}");
        return reply(out, 200,
                     server->gives_no_token ? "{\"no\":1}" : "{\"token\":\"" SESSION "\"}");
    }
    server->asked++;
    note_span(server, request->url);
    if (server->is_empty)
        return reply(out, 200, "{\"data\":[],\"meta\":{}}");
    if (server->refused < server->refuses) {
        server->refused++;
        return reply(out, server->status != 0 ? server->status : 401, server->complains);
    }
    return answer_place(server, request->url, out);
}

static inline void serve_close(struct gl_http *http)
{
    (void)http;
}

static const struct gl_http_ops serve_ops = {.name = "server", .send = serve, .close = serve_close};

#endif
