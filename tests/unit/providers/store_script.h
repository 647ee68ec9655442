/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_STORE_SCRIPT_H
#define GL_TESTS_STORE_SCRIPT_H

/* A transport that says what a test tells it to, and what it may say. */

#include "base/http.h"

#include <stdio.h>
#include <string.h>

/* Invented answers in the true shapes. */
#define NESO_ITEM(from, to, forecast)                                                 \
    "{\"from\":\"2026-01-10T" from "Z\",\"to\":\"2026-01-10T" to "Z\",\"intensity\":" \
    "{\"forecast\":" forecast ",\"actual\":null,\"index\":\"low\"}}"
#define NESO_BODY \
    "{\"data\":[" NESO_ITEM("12:00", "12:30", "110") "," NESO_ITEM("12:30", "13:00", "120") "]}"
#define NESO_LATER "{\"data\":[" NESO_ITEM("12:00", "12:30", "140") "]}"
#define NESO_CONFLICT \
    "{\"data\":[" NESO_ITEM("12:00", "12:30", "110") "," NESO_ITEM("12:00", "12:30", "120") "]}"
#define MIX_BODY                                                                                \
    "{\"data\":{\"from\":\"2026-01-10T11:30Z\",\"to\":\"2026-01-10T12:00Z\",\"generationmix\":" \
    "[{\"fuel\":\"wind\",\"perc\":60},{\"fuel\":\"gas\",\"perc\":40}]}}"
#define SIGNAL_BODY                                                                    \
    "{\"unix_seconds\":[1768042800,1768046400,1768050000],\"share\":[50.5,60.5,70.5]," \
    "\"signal\":[1,1,2],\"substitute\":false,\"deprecated\":false}"
#define FORECAST_BODY                                                                \
    "{\"unix_seconds\":[1768042800,1768046400,1768050000],\"ren_share\":[51,61,71]," \
    "\"substitute\":false,\"deprecated\":false}"
#define DANISH_BODY(set)                                                                          \
    "{\"total\":1,\"dataset\":\"" set "\",\"records\":[{\"Minutes5UTC\":\"2026-01-10T12:00:00\"," \
    "\"PriceArea\":\"DK1\",\"CO2Emission\":70.0}]}"

/* ---- a transport that says what it is told to ---- */

struct answer {
    const char *match; /* part of the URL */
    int status;        /* 0 = no answer at all */
    const char *body, *etag;
    int64_t delay_ms;
    int64_t retry_after_s; /* 0 = none */
    unsigned times;        /* how often it is given; 0 = for ever */
};

struct script {
    struct gl_http http;
    struct gl_world *world;
    struct answer answers[16];
    size_t count;
    unsigned calls, conditional;
    int64_t waited_ms, longest_timeout_ms;
    char last_match[160];
};

static inline bool has_header(const struct gl_http_request *request, const char *name,
                              const char **out)
{
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        if (strncmp(request->headers[i], name, strlen(name)) == 0) {
            *out = request->headers[i];
            return true;
        }
    return false;
}

static inline struct answer *answer_for(struct script *script, const char *url)
{
    for (size_t i = 0; i < script->count; i++)
        if (strstr(url, script->answers[i].match) != NULL && script->answers[i].times != 1001)
            return &script->answers[i];
    return NULL;
}

static inline int script_send(struct gl_http *http, const struct gl_http_request *request,
                              struct gl_http_reply *out, struct gl_error *err)
{
    struct script *script = (struct script *)http;
    struct answer *answer = answer_for(script, request->url);
    int64_t delay_ms = answer != NULL ? answer->delay_ms : 0;
    const char *header = "";

    script->calls++;
    if (has_header(request, "If-None-Match", &header) ||
        has_header(request, "If-Modified-Since", &header))
        script->conditional++;
    snprintf(script->last_match, sizeof script->last_match, "%s", header);
    if (request->timeout_ms > script->longest_timeout_ms)
        script->longest_timeout_ms = request->timeout_ms;
    if (answer == NULL)
        return gl_fail(err, GL_E_NETWORK, "nothing listens at %s", request->url);
    if (delay_ms > request->timeout_ms)
        delay_ms = request->timeout_ms;
    script->world->sleep_ms(script->world->cookie, delay_ms);
    script->waited_ms += delay_ms;
    if (answer->delay_ms > request->timeout_ms)
        return gl_fail(err, GL_E_TIMEOUT, "no answer in time");
    if (answer->status == 0)
        return gl_fail(err, GL_E_NETWORK, "connection refused");
    *out = (struct gl_http_reply){.status = answer->status, .retry_after_s = -1};
    if (answer->retry_after_s > 0)
        out->retry_after_s = answer->retry_after_s;
    out->body = gl_strdup(answer->body != NULL ? answer->body : "");
    out->body_length = strlen(out->body);
    snprintf(out->etag, sizeof out->etag, "%s", answer->etag != NULL ? answer->etag : "");
    if (answer->times > 0 && --answer->times == 0)
        answer->times = 1001; /* used up */
    return 0;
}

static inline void script_close(struct gl_http *http)
{
    (void)http; /* lives on the stack */
}

static const struct gl_http_ops script_ops = {"script", script_send, script_close};

#endif
