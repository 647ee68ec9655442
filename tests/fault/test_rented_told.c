/* SPDX-License-Identifier: Apache-2.0 */
/* What a rented machine's console tells while it runs: where it is, proven by its cloud, and that
 * its cloud is going to end it. */
#include "tests/support/rented_bench.h"

#include "base/file.h"
#include "base/http.h"
#include "base/identity_source.h"
#include "base/jwt.h"
#include "broker/notice.h"
#include "broker/place.h"
#include "broker/receipt.h"
#include "broker/shift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/no_sync.h"

#define VECTORS "tests/vectors/identity/"
#define KEYS    "https://www.googleapis.com/oauth2/v3/certs"

/* ---- Google's public keys without Google ---- */

static struct rented_bench bench;
static struct gl_error err;
static struct gl_http *real;
static unsigned keys_asked;
static char line[8192];

static char *vector(const char *name, size_t *out_length)
{
    char path[128], *text = NULL;

    snprintf(path, sizeof path, VECTORS "%s", name);
    assert_int_equal(gl_file_read(path, 1 << 20, &text, out_length, &err), 0);
    return text;
}

static int send_all(struct gl_http *http, const struct gl_http_request *request,
                    struct gl_http_reply *out, struct gl_error *failed)
{
    (void)http;
    if (strcmp(request->url, KEYS) != 0)
        return gl_http_send(real, request, out, failed);
    *out = (struct gl_http_reply){.status = 200, .retry_after_s = -1};
    out->body = vector("jwks.json", &out->body_length);
    keys_asked++;
    return 0;
}

static void close_none(struct gl_http *http)
{
    (void)http;
}

static const struct gl_http_ops ops = {.name = "keys", .send = send_all, .close = close_none};
static struct gl_http with_keys = {.ops = &ops};

static int set_up(void **state)
{
    (void)state;
    rented_bench_open(&bench, "test_rented_told");
    real = bench.world.http;
    bench.world.http = &with_keys;
    gl_error_clear(&err);
    keys_asked = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bench.world.http = real;
    rented_bench_close(&bench);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static struct gl_instance started(bool is_spot)
{
    struct gl_order order = rented_bench_order(&bench, RENTED_TYPE);
    struct gl_instance instance;

    order.launch.is_spot = is_spot;
    if (gl_launch_start(&bench.launcher, &order, &instance, &err) != 0)
        fail_msg("%s", err.text);
    json_decref((json_t *)(uintptr_t)order.plan);
    bench.clock->slept_ms += 20000;
    return instance;
}

/* The console line of a token that Google signed for this machine, which says it is in `zone`. */
static void sign(const struct gl_instance *instance, const char *zone, const char *name)
{
    char path[512], challenge[GL_IDENTITY_CHALLENGE], audience[GL_IDENTITY_AUDIENCE];
    char *enrol = NULL, *pem_text, *coded;
    size_t length;
    int64_t now_s = bench.world.now_ms(bench.world.cookie) / 1000;
    GL_AUTO(gl_auto_json) json_t *header = json_pack("{s:s}", "kid", "r1");
    GL_AUTO(gl_auto_json) json_t *claims = NULL;
    struct gl_secret pem, token;
    const struct gl_jwt_signer signer = {.alg = GL_RS256, .key = {.pem = &pem}};

    snprintf(path, sizeof path, "%s/tokens/%s", bench.folder, instance->launch_id);
    assert_int_equal(gl_file_read(path, 256, &enrol, &length, &err), 0);
    gl_userdata_challenge(enrol, challenge);
    free(enrol);
    assert_int_equal(gl_identity_audience(instance->launch_id, challenge, audience, &err), 0);
    claims =
        json_pack("{s:s,s:s,s:I,s:I,s:{s:{s:s,s:s,s:s,s:s}}}", "iss", "https://accounts.google.com",
                  "aud", audience, "iat", (json_int_t)now_s, "exp", (json_int_t)now_s + 3600,
                  "google", "compute_engine", "project_id", FAKE_GCP_PROJECT, "zone", zone,
                  "instance_id", "152986662232938449", "instance_name", name);
    pem_text = vector("rsa.pem", &length);
    gl_secret_init(&pem, pem_text, length);
    free(pem_text);
    if (gl_jwt_make(&signer, header, claims, &token, &err) != 0)
        fail_msg("%s", err.text);
    coded = malloc(4 * ((token.length + 2) / 3) + 1);
    gl_base64_text(token.bytes, token.length, coded);
    snprintf(line, sizeof line, "GLI1 {\"document\":\"%s\",\"kind\":\"gcp\"}", coded);
    bench.identity = line;
    free(coded);
    gl_secret_done(&token);
    gl_secret_done(&pem);
}

static const char *native(const struct gl_instance *instance)
{
    return strrchr(instance->id, '/') + 1;
}

static void a_zone_of(const struct gl_instance *instance, char out[64])
{
    const char *letter = strchr(instance->id, '/') + 1;

    snprintf(out, 64, RENTED_REGION "-%.1s", letter);
}

static struct gl_reconciled reconciled(void)
{
    struct gl_reconciled counts;

    if (gl_launch_reconcile(&bench.launcher, &counts, &err) != 0)
        fail_msg("%s", err.text);
    if (counts.failed > 0)
        fail_msg("%s", counts.first.text);
    return counts;
}

static struct gl_place_known known(const struct gl_instance *instance)
{
    struct gl_place_known place;

    assert_int_equal(gl_place_find(bench.ledger, instance->launch_id, &place, &err), 0);
    return place;
}

/* The "instance" of its receipt. */
static json_t *finished(const struct gl_instance *instance)
{
    char *text = NULL;
    json_t *receipt, *found;

    if (rented_bench_finish(&bench, instance->launch_id, &text, &err) != 0)
        fail_msg("%s", err.text);
    receipt = json_loads(text, 0, NULL);
    free(text);
    found = json_incref(json_object_get(json_object_get(receipt, "evidence"), "instance"));
    json_decref(receipt);
    return found;
}

static const char *text_of(const json_t *object, const char *outer, const char *member)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, outer), member));

    return text != NULL ? text : "";
}

/* ---- where it is ---- */

static void a_place_is_proven_while_it_runs(void **state)
{
    struct gl_instance instance = started(false);
    char zone[64];
    json_t *said;

    (void)state;
    assert_string_equal(known(&instance).grade, "");
    a_zone_of(&instance, zone);
    sign(&instance, zone, native(&instance));
    reconciled();
    assert_string_equal(known(&instance).contradicts, "");
    assert_string_equal(known(&instance).refused, "");
    assert_string_equal(known(&instance).grade, "A");
    bench.clock->slept_ms += 2000;
    reconciled();
    assert_int_equal(keys_asked, 1); /* it is known now */
    said = finished(&instance);
    assert_string_equal(text_of(said, "identity", "grade"), "A");
    assert_string_equal(text_of(said, "identity", "availability_zone"), zone);
    assert_int_equal(keys_asked, 1);
    json_decref(said);
}

static void a_machine_in_another_place_is_told_while_it_runs(void **state)
{
    struct gl_instance instance = started(false);
    json_t *said;

    (void)state;
    sign(&instance, "us-east9-a", native(&instance));
    reconciled();
    assert_string_equal(known(&instance).contradicts, "region");
    assert_string_equal(known(&instance).grade, "D");
    said = finished(&instance);
    assert_string_equal(text_of(said, "identity", "contradicts"), "region");
    json_decref(said);
}

static void the_token_of_another_machine_is_a_contradiction(void **state)
{
    struct gl_instance instance = started(false);
    char zone[64];

    (void)state;
    a_zone_of(&instance, zone);
    sign(&instance, zone, "gl-another-1");
    reconciled();
    assert_string_equal(known(&instance).contradicts, "instance");
    json_decref(finished(&instance));
}

/* After a while it is no more looked for, but who reads the console sees it. */
static void a_document_that_does_not_hold_is_told_early(void **state)
{
    struct gl_instance instance = started(false);

    (void)state;
    bench.identity = "GLI1 {\"document\":\"Zm9yZ2Vk\",\"kind\":\"aws\"}";
    reconciled();
    assert_non_null(strstr(known(&instance).refused, "one of aws"));
    json_decref(finished(&instance));
}

/* ---- an early end ---- */

static struct gl_notice noticed(const struct gl_instance *instance)
{
    struct gl_notice notice;

    assert_int_equal(gl_notice_find(bench.ledger, instance->launch_id, &notice, &err), 0);
    return notice;
}

static void give_notice(const struct gl_instance *instance)
{
    snprintf(line, sizeof line, "GLN1 {\"kind\":\"gcp\",\"launch\":\"%s\"}", instance->launch_id);
    bench.identity = line;
}

static void look_at(void)
{
    struct gl_cloud *cloud = bench.launcher.open(&bench, "gcp", NULL, &err);
    struct gl_launch_rows rows = {0};
    json_t *derived = NULL;

    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    assert_int_equal(gl_launch_so_far(&bench.launcher, &rows.rows[0], cloud, &derived, &err), 0);
    json_decref(derived);
    gl_launch_rows_free(&rows);
    gl_cloud_close(cloud);
}

static void the_provider_ends(const struct gl_instance *instance)
{
    struct gl_cloud *cloud = bench.launcher.open(&bench, "gcp", NULL, &err);

    assert_int_equal(cloud->ops->halt(cloud, instance->id, &err), 0);
    gl_cloud_close(cloud);
}

static int note_by(void *cookie, const json_t *event)
{
    const char *by = json_string_value(json_object_get(json_object_get(event, "body"), "by"));

    if (strcmp(json_string_value(json_object_get(event, "kind")), "ended") == 0)
        snprintf(cookie, 16, "%s", by != NULL ? by : "nobody");
    return 0;
}

static void an_end_that_was_announced_is_the_providers(void **state)
{
    struct gl_instance instance = started(true);
    struct gl_launch_rows rows = {0};
    char by[16] = "";
    json_t *receipt;

    (void)state;
    look_at();
    assert_string_equal(noticed(&instance).kind, "");
    give_notice(&instance);
    look_at();
    assert_string_equal(noticed(&instance).kind, "gcp");
    assert_true(noticed(&instance).seen_ms > 0);
    the_provider_ends(&instance);
    bench.clock->slept_ms += 30000;
    assert_int_equal(reconciled().finished, 1);
    assert_int_equal(gl_ledger_events(bench.ledger, instance.launch_id, by, note_by, &err), 0);
    assert_string_equal(by, "provider");
    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    receipt = json_loads(rows.rows[0].receipt, 0, NULL);
    assert_true(json_is_true(json_object_get(
        json_object_get(json_object_get(json_object_get(receipt, "evidence"), "instance"),
                        "interruption"),
        "ended_it")));
    json_decref(receipt);
    gl_launch_rows_free(&rows);
}

static void an_end_that_was_asked_for_is_not(void **state)
{
    struct gl_instance instance = started(true);
    char by[16] = "";
    json_t *said;

    (void)state;
    give_notice(&instance);
    look_at();
    said = finished(&instance);
    assert_string_equal(text_of(said, "interruption", "kind"), "gcp");
    assert_true(json_is_false(json_object_get(json_object_get(said, "interruption"), "ended_it")));
    assert_int_equal(gl_ledger_events(bench.ledger, instance.launch_id, by, note_by, &err), 0);
    assert_string_equal(by, "nobody");
    json_decref(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_place_is_proven_while_it_runs),
        CASE(a_machine_in_another_place_is_told_while_it_runs),
        CASE(the_token_of_another_machine_is_a_contradiction),
        CASE(a_document_that_does_not_hold_is_told_early),
        CASE(an_end_that_was_announced_is_the_providers),
        CASE(an_end_that_was_asked_for_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
