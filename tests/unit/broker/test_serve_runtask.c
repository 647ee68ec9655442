/* SPDX-License-Identifier: Apache-2.0 */
/* Run tasks: signature, request, callback, and the work between them, before a host that answers by
 * a script. */
#include "broker/serve/runtask.h"
#include "tests/unit/broker/hook_world.h"

#define TOKEN "tok-PLANTED-9f2d.atlasv1.secret"
#define CLEAN "greenlaunch: 1\nid: p\nrules:\n  - {id: clean, max_intensity: 100 g/kWh}\n"

static const char *const hosts[] = {"app.terraform.io", "tfe.example.com:8443", NULL};

/* ---- signature ---- */

static void signature_is_of_the_raw_body(void **state)
{
    static const char body[] = "{\"a\":1}";
    /* printf '{"a":1}' | openssl dgst -sha512 -hmac a-key-of-enough-length */
    const char *key_text = "a-key-of-enough-length";
    uint8_t mac[GL_SHA512_BYTES];
    char hex[2 * GL_SHA512_BYTES + 1], wrong[2 * GL_SHA512_BYTES + 1];
    struct gl_secret key, none = {0};
    const struct gl_view view = {body, strlen(body)};

    (void)state;
    gl_secret_init(&key, key_text, strlen(key_text));
    gl_hmac_sha512(key_text, strlen(key_text), body, strlen(body), mac);
    gl_hex_text(mac, sizeof mac, hex);
    assert_string_equal(hex, "d26766baa7a38f751a91044a4e367747d234806415e4c6cb52de07e4ed3f7226"
                             "452cedb2820d4539e5ea1ea312bfd1fd8dc2f0f4c5a888e6a7b633507e407584");
    assert_true(gl_runtask_is_signed(&key, view, hex));
    memcpy(wrong, hex, sizeof wrong);
    wrong[127] = wrong[127] == '0' ? '1' : '0';
    assert_false(gl_runtask_is_signed(&key, view, wrong));
    wrong[127] = '\0';
    assert_false(gl_runtask_is_signed(&key, view, wrong));
    assert_false(gl_runtask_is_signed(&key, view, ""));
    assert_false(gl_runtask_is_signed(&key, view, NULL));
    assert_false(gl_runtask_is_signed(&key, (struct gl_view){body, strlen(body) - 1}, hex));
    assert_false(gl_runtask_is_signed(&none, view, hex));
    gl_secret_done(&key);
}

/* ---- addresses ---- */

static void only_hosts_of_the_list_are_asked(void **state)
{
    static const char *const good[] = {
        "https://app.terraform.io/api/v2/plans/plan-1/json-output",
        "https://APP.terraform.io:443/x",
        "https://tfe.example.com:8443/api",
        "https://app.terraform.io",
    };
    static const char *const bad[] = {
        "http://app.terraform.io/x",
        "https://app.terraform.io.evil.example/x",
        "https://app.terraform.io@evil.example/x",
        "https://user@app.terraform.io/x",
        "https://evil.example/?https://app.terraform.io/",
        "https://evil.example#@app.terraform.io/",
        "https://evil.example\\@app.terraform.io/",
        "https://tfe.example.com/api",
        "https://tfe.example.com:8444/api",
        "https://169.254.169.254/latest/meta-data",
        "https:///x",
        "https://app.terraform.io /x",
        "https://app.terraform.io/\r\nX: y",
        "file:///etc/passwd",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(gl_runtask_may_ask(good[i], hosts));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(gl_runtask_may_ask(bad[i], hosts));
}

/* ---- requests ---- */

#define BODY                                                                       \
    "{\"payload_version\":1,\"stage\":\"%s\",\"access_token\":\"" TOKEN "\","      \
    "\"task_result_id\":\"%s\",\"task_result_enforcement_level\":\"mandatory\","   \
    "\"is_speculative\":%s,\"run_id\":\"run-1\",\"workspace_name\":\"w\\u001bx\"," \
    "\"task_result_callback_url\":\"https://%s/api/v2/task-results/1/callback\","  \
    "\"plan_json_api_url\":\"https://%s/api/v2/plans/plan-1/json-output\"}"

static int parse(const char *body, struct gl_runtask *out, struct gl_error *err)
{
    *err = (struct gl_error){0};
    return gl_runtask_parse((struct gl_view){body, strlen(body)}, hosts, out, err);
}

static int parse_of(const char *stage, const char *id, const char *host, struct gl_runtask *out,
                    struct gl_error *err)
{
    char body[1024];

    snprintf(body, sizeof body, BODY, stage, id, "false", host, host);
    return parse(body, out, err);
}

static void a_request_is_taken_apart(void **state)
{
    struct gl_runtask task;
    struct gl_error err;

    (void)state;
    assert_int_equal(parse_of("post_plan", "taskrs-1", "app.terraform.io", &task, &err), 0);
    assert_false(task.is_test);
    assert_false(task.is_speculative);
    assert_true(task.is_mandatory);
    assert_string_equal(task.stage->word, "post_plan");
    assert_int_equal(task.stage->gate, GL_AT_PLAN);
    assert_string_equal(task.id, "taskrs-1");
    assert_string_equal(task.workspace, "w\\x1bx");
    assert_string_equal((const char *)task.token.bytes, TOKEN);
    gl_runtask_done(&task);
    assert_null(task.token.bytes);
    assert_int_equal(parse_of("pre_apply", "taskrs-1", "app.terraform.io", &task, &err), 0);
    assert_int_equal(task.stage->gate, GL_AT_APPLY);
    gl_runtask_done(&task);
    assert_int_equal(parse_of("pre_plan", "taskrs-1", "app.terraform.io", &task, &err), 0);
    assert_false(task.stage->has_plan);
    assert_null(task.plan_url);
    gl_runtask_done(&task);
}

static void the_test_token_asks_for_nothing(void **state)
{
    struct gl_runtask task;
    struct gl_error err;

    (void)state;
    assert_int_equal(parse("{\"payload_version\":1,\"stage\":\"test\","
                           "\"access_token\":\"test-token\",\"task_result_callback_url\":\"\"}",
                           &task, &err),
                     0);
    assert_true(task.is_test);
    gl_runtask_done(&task);
}

static void a_wrong_request_says_why_without_its_token(void **state)
{
    struct gl_runtask task;
    struct gl_error err;
    static const struct {
        const char *stage, *id, *host, *why;
    } rows[] = {
        {"mid_plan", "taskrs-1", "app.terraform.io", "stage"},
        {"post_plan", "../x", "app.terraform.io", "task_result_id"},
        {"post_plan", "", "app.terraform.io", "task_result_id"},
        {"post_plan", "taskrs-1", "evil.example", "evil.example"},
        {"post_plan", "taskrs-1", "user@app.terraform.io", "no https address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse_of(rows[i].stage, rows[i].id, rows[i].host, &task, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        assert_non_null(strstr(err.text, rows[i].why));
        assert_null(strstr(err.text, "PLANTED"));
    }
    assert_int_equal(parse("{\"access_token\":\"" TOKEN "\" oops", &task, &err), -1);
    assert_int_equal(err.code, GL_E_SYNTAX);
    assert_null(strstr(err.text, "PLANTED"));
    assert_int_equal(parse("[]", &task, &err), -1);
    assert_int_equal(parse("{\"payload_version\":2,\"access_token\":\"x\"}", &task, &err), -1);
    assert_int_equal(parse("{\"payload_version\":1,\"stage\":\"post_plan\"}", &task, &err), -1);
    assert_int_equal(parse("{\"access_token\":\"a\\r\\nX-Y: z\"}", &task, &err), -1);
}

/* ---- answers ---- */

static json_t *result_of(const struct gl_hook_report *report, bool is_advisory, bool *out_passed)
{
    char *text = gl_runtask_judged(report, is_advisory, out_passed);
    json_t *document = json_loads(text, 0, NULL);

    free(text);
    assert_non_null(document);
    return document;
}

static const char *at(const json_t *value, const char *const *path)
{
    for (; *path != NULL; path++)
        value = json_is_array(value) ? json_array_get(value, (size_t)(**path - '0'))
                                     : json_object_get(value, *path);
    return json_string_value(value);
}
#define AT(value, ...) at(value, (const char *const[]){__VA_ARGS__, NULL})
#define OUTCOME        "data", "relationships", "outcomes", "data"

static void a_result_has_the_shape_of_the_api(void **state)
{
    struct gl_policy *policy = world_policy(CLEAN);
    struct hook_world world;
    struct gl_hook_report *report;
    json_t *document;
    bool has_passed;

    (void)state;
    world_init(&world, policy);
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    report = gl_hook_judge(&world.ask);
    document = result_of(report, false, &has_passed);
    assert_false(has_passed);
    assert_string_equal(AT(document, "data", "type"), "task-results");
    assert_string_equal(AT(document, "data", "attributes", "status"), "failed");
    assert_string_equal(AT(document, "data", "attributes", "message"), report->headline);
    assert_string_equal(AT(document, OUTCOME, "0", "type"), "task-result-outcomes");
    assert_string_equal(AT(document, OUTCOME, "0", "attributes", "outcome-id"),
                        report->findings[0].fingerprint);
    assert_string_equal(AT(document, OUTCOME, "0", "attributes", "tags", "Status", "0", "level"),
                        "error");
    assert_string_equal(AT(document, OUTCOME, "0", "attributes", "tags", "Severity", "0", "label"),
                        "High");
    assert_non_null(strstr(AT(document, OUTCOME, "0", "attributes", "body"), "us-east-1"));
    assert_string_equal(AT(document, OUTCOME, "1", "attributes", "outcome-id"), "summary");
    json_decref(document);
    document = result_of(report, true, &has_passed);
    assert_true(has_passed);
    assert_string_equal(AT(document, "data", "attributes", "status"), "passed");
    assert_non_null(strstr(AT(document, "data", "attributes", "message"), "advisory"));
    assert_string_equal(AT(document, OUTCOME, "0", "attributes", "tags", "Status", "0", "level"),
                        "warning");
    json_decref(document);
    gl_hook_report_free(report);
    gl_policy_free(policy);
}

static void many_findings_are_cut_and_counted(void **state)
{
    struct gl_policy *policy = world_policy(CLEAN);
    struct hook_world world;
    struct gl_hook_report *report;
    struct gl_hook_finding findings[70];
    json_t *document;
    char *text;

    (void)state;
    world_init(&world, policy);
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    report = gl_hook_judge(&world.ask);
    for (size_t i = 0; i < 70; i++)
        findings[i] = report->findings[0];
    {
        struct gl_hook_report large = *report;

        large.findings = findings;
        large.finding_count = 70;
        large.headline = "a headline that ends within a character: \xc3";
        text = gl_runtask_judged(&large, false, NULL);
    }
    assert_true(strlen(text) < (1 << 20));
    document = json_loads(text, 0, NULL);
    assert_non_null(document);
    assert_int_equal(
        json_array_size(json_object_get(
            json_object_get(json_object_get(json_object_get(document, "data"), "relationships"),
                            "outcomes"),
            "data")),
        61);
    assert_non_null(strstr(text, "10 more findings"));
    json_decref(document);
    free(text);
    gl_hook_report_free(report);
    gl_policy_free(policy);
}

/* ---- the work ---- */

struct step {
    int status; /* 0 ends the list */
    const char *location;
};

struct script {
    struct gl_http http;
    const struct step *plan; /* answers to GET, in order; the last one stays */
    const struct step *callback;
    struct gl_str log; /* "GET path bearer" and bodies */
};

static const struct step accepted[] = {{200, NULL}, {0, NULL}};

static int script_send(struct gl_http *http, const struct gl_http_request *request,
                       struct gl_http_reply *out, struct gl_error *err)
{
    struct script *script = (struct script *)http;
    bool is_callback = strcmp(request->method, "PATCH") == 0;
    const struct step **at = is_callback ? &script->callback : &script->plan;
    const struct step *step = *at;
    bool has_bearer = false, has_type = false;

    for (size_t i = 0; request->headers[i] != NULL; i++) {
        has_bearer |= strcmp(request->headers[i], "Authorization: Bearer " TOKEN) == 0;
        has_type |= strcmp(request->headers[i], "Content-Type: application/vnd.api+json") == 0;
    }
    assert_true(request->carries_secret);
    assert_int_equal(has_type, is_callback);
    gl_str_addf(&script->log, "%s %s%s", request->method, strchr(request->url + 8, '/'),
                has_bearer ? " bearer" : "");
    if (is_callback)
        gl_str_addf(&script->log, " %.*s", (int)request->body_length, (const char *)request->body);
    gl_str_add_char(&script->log, '\n');
    if (step[1].status != 0)
        *at = step + 1;
    (void)err;
    *out = (struct gl_http_reply){.status = step->status, .body = gl_strdup("PLAN")};
    out->body_length = 4;
    if (step->location != NULL) {
        struct gl_str headers = {0};

        gl_str_addf(&headers, "location: %s\n", step->location);
        out->header_text = gl_str_take(&headers);
    }
    return 0;
}

static void script_close(struct gl_http *http)
{
    (void)http;
}

static const struct gl_http_ops script_ops = {
    .name = "script", .send = script_send, .close = script_close};

static bool never(void *cookie)
{
    (void)cookie;
    return false;
}

static char *judge_plan(void *cookie, const struct gl_runtask *task, struct gl_view plan,
                        char out_told[GL_RUNTASK_ID], struct gl_error *err)
{
    (void)cookie;
    (void)task;
    (void)err;
    assert_memory_equal(plan.text, "PLAN", 4);
    snprintf(out_told, GL_RUNTASK_ID, "judged");
    return gl_runtask_ended(true, "fine");
}

/* What the log holds after a task at this stage. */
static char *log_of(const char *stage, const struct step *plan, const struct step *callback,
                    int *out_result)
{
    struct script script = {
        .http = {.ops = &script_ops}, .plan = plan, .callback = callback, .log = {0}};
    struct gl_world *world = gl_world_fixed_new(1700000000000, 1, NULL);
    const struct gl_runtask_work work = {.http = &script.http,
                                         .world = world,
                                         .hosts = hosts,
                                         .is_stopped = never,
                                         .judge = judge_plan};
    char told[GL_RUNTASK_ID];
    struct gl_runtask task;
    struct gl_error err;

    assert_int_equal(parse_of(stage, "taskrs-1", "app.terraform.io", &task, &err), 0);
    *out_result = gl_runtask_do(&work, &task, told, &err);
    assert_null(strstr(told, "PLANTED"));
    assert_null(strstr(err.text, "PLANTED"));
    gl_runtask_done(&task);
    gl_world_fixed_free(world);
    return gl_str_take(&script.log);
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;

    for (; (text = strstr(text, word)) != NULL; text++)
        count++;
    return count;
}

static void a_redirect_is_followed_without_the_bearer(void **state)
{
    static const struct step plan[] = {
        {204, NULL}, {307, "https://tfe.example.com:8443/archive?sig=1"}, {200, NULL}, {0, NULL}};
    int result;
    char *log = log_of("post_plan", plan, accepted, &result);

    (void)state;
    assert_int_equal(result, 0);
    assert_int_equal(count_of(log, "GET /api/v2/plans/plan-1/json-output bearer\n"), 2);
    assert_int_equal(count_of(log, "GET /archive?sig=1\n"), 1);
    assert_int_equal(count_of(log, "\"status\":\"running\""), 1);
    assert_int_equal(count_of(log, "\"status\":\"passed\""), 1);
    free(log);
}

static void what_cannot_be_fetched_has_failed(void **state)
{
    static const struct {
        struct step plan[3];
        const char *why;
    } rows[] = {
        {{{307, "https://evil.example/archive"}, {0, NULL}}, "--allow-host"},
        {{{307, "http://app.terraform.io/archive"}, {0, NULL}}, "--allow-host"},
        {{{422, NULL}, {0, NULL}}, "too old"},
        {{{404, NULL}, {0, NULL}}, "404"},
        {{{401, NULL}, {0, NULL}}, "401"},
        {{{307, "https://app.terraform.io/again"}, {0, NULL}}, "leads nowhere"},
    };
    int result;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *log = log_of("pre_apply", rows[i].plan, accepted, &result);

        assert_int_equal(result, 0);
        assert_int_equal(count_of(log, "\"status\":\"failed\""), 1);
        assert_int_equal(count_of(log, "\"status\":\"passed\""), 0);
        assert_int_equal(count_of(log, "evil.example"), 0);
        assert_non_null(strstr(log, rows[i].why));
        free(log);
    }
}

/* The fixed clock moves by sleeping: the whole wait is seen. */
static void a_plan_that_is_never_ready_ends_with_signs_of_life(void **state)
{
    static const struct step plan[] = {{204, NULL}, {0, NULL}};
    int result;
    char *log = log_of("post_plan", plan, accepted, &result);

    (void)state;
    assert_int_equal(result, 0);
    assert_true(count_of(log, "\"status\":\"running\"") >= 6); /* 25 min, one every 4 */
    assert_int_equal(count_of(log, "\"status\":\"failed\""), 1);
    assert_true(count_of(log, "GET ") < 130);
    free(log);
}

static void a_callback_is_sent_until_it_arrives(void **state)
{
    static const struct step flaky[] = {{500, NULL}, {429, NULL}, {200, NULL}, {0, NULL}};
    static const struct step gone[] = {{404, NULL}, {0, NULL}};
    static const struct step broken[] = {{503, NULL}, {0, NULL}};
    int result;
    char *log = log_of("pre_plan", NULL, flaky, &result);

    (void)state;
    assert_int_equal(result, 0);
    assert_int_equal(count_of(log, "PATCH"), 3);
    assert_int_equal(count_of(log, "GET"), 0);
    assert_non_null(strstr(log, "no plan yet"));
    free(log);
    log = log_of("post_apply", NULL, broken, &result);
    assert_int_equal(result, -1);
    assert_int_equal(count_of(log, "PATCH"), 4);
    free(log);
    log = log_of("post_plan", NULL, gone, &result); /* cancelled: the plan is not asked for */
    assert_int_equal(result, 0);
    assert_int_equal(count_of(log, "GET"), 0);
    assert_int_equal(count_of(log, "PATCH"), 1);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_is_of_the_raw_body),
        cmocka_unit_test(only_hosts_of_the_list_are_asked),
        cmocka_unit_test(a_request_is_taken_apart),
        cmocka_unit_test(the_test_token_asks_for_nothing),
        cmocka_unit_test(a_wrong_request_says_why_without_its_token),
        cmocka_unit_test(a_result_has_the_shape_of_the_api),
        cmocka_unit_test(many_findings_are_cut_and_counted),
        cmocka_unit_test(a_redirect_is_followed_without_the_bearer),
        cmocka_unit_test(what_cannot_be_fetched_has_failed),
        cmocka_unit_test(a_plan_that_is_never_ready_ends_with_signs_of_life),
        cmocka_unit_test(a_callback_is_sent_until_it_arrives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
