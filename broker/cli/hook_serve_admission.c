/* SPDX-License-Identifier: Apache-2.0 */
/* hook serve-admission: answers of what is known already; a child asks the network between them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "broker/child.h"
#include "broker/cli/hook_serve.h"
#include "broker/serve/admission.h"
#include "broker/serve/cloudformation.h"
#include "broker/serve/runtask.h"

#define SEEN_MAX       128
#define REFRESH_S      300
#define SOONEST_MS     15000  /* between two refreshes, when something new was asked */
#define REFRESH_MAX_MS 120000 /* of one */

/* A place or machine that was asked about: what the refresh keeps fresh. */
struct seen {
    char cloud[24], region[48], type[64];
};

struct admission_server {
    struct gl_hook_serving *serving; /* first: the log wants it */
    const char *const *namespaces, *const *not_namespaces;
    bool is_open;    /* what cannot be judged is allowed */
    bool is_offline; /* as the user says: no refresh */
    struct seen seen[SEEN_MAX];
    size_t seen_count; /* ever; the oldest are forgotten first */
    bool has_new;
    pid_t child; /* 0 = none */
    int64_t began_ms;
};

/* ---- what is kept fresh ---- */

static int64_t now_ms(const struct admission_server *server)
{
    const struct gl_world *world = &server->serving->context->world;

    return world->monotonic_ms(world->cookie);
}

static size_t seen_now(const struct admission_server *server)
{
    return server->seen_count < SEEN_MAX ? server->seen_count : SEEN_MAX;
}

static void note(struct admission_server *server, const char *cloud, const char *region,
                 const char *type)
{
    struct seen fresh = {0};

    if (cloud == NULL || strlen(cloud) >= sizeof fresh.cloud ||
        (region != NULL && strlen(region) >= sizeof fresh.region) ||
        (type != NULL && strlen(type) >= sizeof fresh.type))
        return;
    snprintf(fresh.cloud, sizeof fresh.cloud, "%s", cloud);
    snprintf(fresh.region, sizeof fresh.region, "%s", region != NULL ? region : "");
    snprintf(fresh.type, sizeof fresh.type, "%s", type != NULL ? type : "");
    for (size_t i = 0; i < seen_now(server); i++)
        if (memcmp(&server->seen[i], &fresh, sizeof fresh) == 0)
            return;
    server->seen[server->seen_count++ % SEEN_MAX] = fresh;
    server->has_new = true;
}

static void note_all(struct admission_server *server, const struct gl_hook_report *report)
{
    for (size_t p = 0; p < report->plan_count; p++)
        for (size_t i = 0; i < report->plans[p]->count; i++) {
            const struct gl_intent *intent = &report->plans[p]->intents[i];

            note(server, intent->cloud, intent->place.region, intent->machine.catalogue);
        }
}

static int note_warm(struct admission_server *server, struct gl_error *err)
{
    const struct gl_option_list *warm = &server->serving->values->serve.warm;

    for (size_t i = 0; i < warm->count; i++) {
        const char *slash = strchr(warm->items[i], '/');
        char cloud[24];

        if (slash == NULL || slash == warm->items[i] || slash[1] == '\0' ||
            (size_t)(slash - warm->items[i]) >= sizeof cloud)
            return gl_fail(err, GL_E_USAGE, "--warm %s: CLOUD/REGION, as in aws/eu-west-1",
                           warm->items[i]);
        snprintf(cloud, sizeof cloud, "%.*s", (int)(slash - warm->items[i]), warm->items[i]);
        note(server, cloud, slash + 1, NULL);
    }
    return 0;
}

/* In the child: the same questions as of an answer, with the network; the cache keeps the answers.
 * An open ledger stays the parent's: nothing here asks it. */
static int refresh(void *cookie)
{
    struct admission_server *server = cookie;
    struct gl_context *context = server->serving->context;
    struct gl_intent intents[SEEN_MAX] = {0};
    struct gl_hook_plan plan = {.intents = intents, .count = seen_now(server)};
    const struct gl_hook_plan *const plans[] = {&plan};
    struct gl_hook_wanted wanted;
    struct gl_ask_result asked;
    struct gl_error err = {0};
    size_t count;

    context->globals.is_offline = false;
    context->globals.is_quiet = true;
    for (size_t i = 0; i < plan.count; i++) {
        const struct seen *seen = &server->seen[i];

        intents[i].cloud = seen->cloud;
        intents[i].place.region = seen->region[0] != '\0' ? seen->region : NULL;
        intents[i].machine.type = intents[i].machine.catalogue =
            seen->type[0] != '\0' ? seen->type : NULL;
    }
    gl_hook_want(plans, 1, &plan.arena, &wanted);
    if (gl_ask_gather(context, &server->serving->values->ask, wanted.clouds, wanted.types, &asked,
                      &err) != 0)
        return 1;
    gl_hook_places(plans, 1, &asked.request, asked.signals, &plan.arena, &count);
    return 0;
}

static void follow(struct admission_server *server)
{
    bool is_fine;

    if (gl_child_has_ended(server->child, &is_fine)) {
        server->child = 0;
        if (!is_fine)
            gl_hook_serve_log(server->serving->context,
                              "refresh: failed; answers stand on what was known");
    } else if (now_ms(server) - server->began_ms > REFRESH_MAX_MS) {
        kill(server->child, SIGKILL);
    }
}

static void tend(void *cookie)
{
    struct admission_server *server = cookie;
    int64_t every_s = server->serving->values->serve.refresh_s;
    int64_t waited_ms = now_ms(server) - server->began_ms;
    int64_t pause_ms = 1000 * (every_s == INT64_MIN ? REFRESH_S : every_s);

    if (server->child > 0) {
        follow(server);
        return;
    }
    if (server->has_new && pause_ms > SOONEST_MS)
        pause_ms = SOONEST_MS;
    if (server->is_offline || server->seen_count == 0 ||
        (server->began_ms != 0 && waited_ms < pause_ms))
        return;
    server->has_new = false;
    server->began_ms = now_ms(server);
    server->child = gl_child_start(refresh, server, -1);
    if (server->child < 0)
        server->child = 0;
}

static void end_refresh(const struct admission_server *server)
{
    int status;

    if (server->child <= 0)
        return;
    kill(server->child, SIGKILL);
    waitpid(server->child, &status, 0);
}

/* ---- Kubernetes ---- */

struct telling {
    struct admission_server *server;
    const struct gl_admission *review; /* of one of the two */
    const struct gl_cfn_hook *hook;
    char *json;
    const char *note;
};

static void tell_kubernetes(void *cookie, const struct gl_hook_report *report)
{
    struct telling *telling = cookie;
    bool is_allowed;

    telling->json = gl_admission_judged(telling->review, report, report->is_advisory, &is_allowed);
    telling->note = is_allowed ? "allowed" : "denied";
    note_all(telling->server, report);
}

static void judge_review(struct admission_server *server, const struct gl_admission *review,
                         struct gl_view body, struct gl_server_answer *out)
{
    struct telling telling = {.server = server, .review = review};
    struct gl_error err = {0};
    const struct gl_hook_given given = {
        .reader = "kubernetes", .bytes = body, .name = "admission", .gate = GL_AT_ADMISSION};

    if (gl_hook_serve_judge(server->serving, &given, tell_kubernetes, &telling, &err) != 0) {
        telling.json = gl_admission_failed(review, err.text, server->is_open);
        telling.note = server->is_open ? "not judged, allowed" : "not judged, denied";
    }
    gl_hook_serve_reply(out, telling.json, review->uid, telling.note);
}

static bool is_json(const struct gl_server_request *request)
{
    const char *type = request->header(request, "Content-Type");

    return type != NULL && strncasecmp(type, "application/json", 16) == 0 &&
           (type[16] == '\0' || type[16] == ';' || type[16] == ' ');
}

static void on_review(void *cookie, const struct gl_server_request *request,
                      struct gl_server_answer *out)
{
    struct admission_server *server = cookie;
    struct gl_admission review;
    struct gl_error err = {0};

    if (!is_json(request)) {
        gl_hook_serve_refuse(out, 415, "Content-Type: application/json is wanted");
        return;
    }
    if (gl_admission_parse(request->body, &review, &err) != 0) {
        gl_hook_serve_refuse(out, 400, err.text);
        return;
    }
    if (gl_admission_is_judged(&review, server->namespaces, server->not_namespaces))
        judge_review(server, &review, request->body, out);
    else
        gl_hook_serve_reply(out, gl_admission_allowed(&review), review.uid,
                            "allowed, nothing to judge");
    gl_admission_done(&review);
}

/* ---- CloudFormation ---- */

static void tell_cloudformation(void *cookie, const struct gl_hook_report *report)
{
    struct telling *telling = cookie;
    bool has_passed;

    telling->json = gl_cfn_judged(telling->hook, report, report->is_advisory, &has_passed);
    telling->note = has_passed ? "passed" : "failed";
    note_all(telling->server, report);
}

static void judge_event(struct admission_server *server, const struct gl_cfn_hook *hook,
                        struct gl_server_answer *out)
{
    struct telling telling = {.server = server, .hook = hook};
    struct gl_error err = {0};
    const struct gl_hook_given given = {
        .reader = "cloudformation",
        .bytes = {hook->after.text, hook->after.length},
        .before = {hook->before.text, hook->before.length},
        .name = "hook",
        .region = hook->region,
        .gate = GL_AT_APPLY,
    };

    if (gl_hook_serve_judge(server->serving, &given, tell_cloudformation, &telling, &err) != 0) {
        telling.json = server->is_open ? gl_cfn_succeeded(hook, "not judged, allowed as "
                                                                "--failure-policy says")
                                       : gl_cfn_failed(hook, err.text);
        telling.note = "not judged";
    }
    gl_hook_serve_reply(out, telling.json, "", telling.note);
}

static void on_event(void *cookie, const struct gl_server_request *request,
                     struct gl_server_answer *out)
{
    struct admission_server *server = cookie;
    const struct gl_secret *key = &server->serving->hmac_key;
    struct gl_cfn_hook hook;
    struct gl_error err = {0};

    if (key->length == 0 ||
        !gl_runtask_is_signed(key, request->body,
                              request->header(request, "X-Greenlaunch-Signature"))) {
        gl_hook_serve_refuse(out, 401, "the signature is missing or wrong");
        return;
    }
    if (gl_cfn_parse(request->body, &hook, &err) != 0)
        gl_hook_serve_reply(out, gl_cfn_failed(&hook, err.text), "", "not judged");
    else if (hook.is_delete)
        gl_hook_serve_reply(out, gl_cfn_succeeded(&hook, "nothing is launched"), "",
                            "passed, a deletion");
    else
        judge_event(server, &hook, out);
    gl_cfn_done(&hook);
}

/* ---- the server ---- */

static const char *const *list_of(struct gl_arena *arena, const struct gl_option_list *list)
{
    const char **items = gl_arena_take(arena, (list->count + 1) * sizeof *items);

    memcpy(items, list->items, list->count * sizeof *items);
    return items;
}

static int prepare(struct admission_server *server, struct gl_arena *arena, struct gl_error *err)
{
    const struct gl_hook_serve_values *values = &server->serving->values->serve;

    if (values->tls_cert == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "hook serve-admission needs --tls-cert and --tls-key: Kubernetes speaks "
                       "TLS only");
    server->namespaces = list_of(arena, &values->namespaces);
    server->not_namespaces = list_of(arena, &values->not_namespaces);
    server->is_open =
        values->failure_policy != NULL && strcmp(values->failure_policy, "ignore") == 0;
    server->is_offline = server->serving->context->globals.is_offline;
    server->serving->context->globals.is_offline = true;
    return note_warm(server, err);
}

int gl_hook_serve_admission(struct gl_context *context, const struct gl_hook_values *values,
                            struct gl_error *err)
{
    static const struct gl_server_route routes[] = {
        {"POST", "/admission", GL_ADMISSION_MAX_BYTES, on_review},
        {"POST", "/cloudformation", GL_CFN_MAX_BYTES, on_event},
        {"GET", "/healthz", 0, gl_hook_serve_health}};
    struct gl_arena arena = {0};
    struct gl_hook_serving serving;
    struct admission_server *server = gl_alloc(sizeof *server);
    int result = -1;

    server->serving = &serving;
    if (gl_hook_serving_init(context, values, &serving, err) == 0 &&
        prepare(server, &arena, err) == 0)
        result = gl_hook_serve_loop(
            &serving,
            &(struct gl_hook_serve_loop){.routes = routes,
                                         .route_count = sizeof routes / sizeof routes[0],
                                         .cookie = server,
                                         .tend = tend,
                                         .what = "AdmissionReview at /admission"},
            err);
    end_refresh(server);
    free(server);
    gl_hook_serving_done(&serving);
    gl_arena_done(&arena);
    return result;
}
