/* SPDX-License-Identifier: Apache-2.0 */
/* A rented machine through the journal: its console read before it goes, its own end noticed, its
 * place that has nothing to give left for another, and what a cloud does not show yet not believed
 * gone. */
#include "tests/support/rented_bench.h"

#include "base/file.h"
#include "broker/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/no_sync.h"

static struct rented_bench bench;
static struct gl_error err;
static bool has_interrupt;

static int set_up(void **state)
{
    (void)state;
    rented_bench_open(&bench, "test_rented");
    gl_error_clear(&err);
    has_interrupt = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rented_bench_close(&bench);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static struct gl_instance started(int64_t ms)
{
    struct gl_instance instance;

    if (rented_bench_start(&bench, RENTED_TYPE, &instance, &err) != 0)
        fail_msg("%s", err.text);
    bench.clock->slept_ms += ms;
    return instance;
}

static json_t *verified(const char *text)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(bench.folder, "broker.pub");
    struct gl_receipt_check check;
    struct gl_public_key key;

    if (gl_public_key_read(path, &key, &err) != 0 ||
        gl_receipt_verify(text, strlen(text), &key, &check, &err) != 0)
        fail_msg("%s", err.text);
    return check.receipt;
}

static int64_t number(const json_t *receipt, const char *part, const char *object,
                      const char *member)
{
    const json_t *found =
        json_object_get(json_object_get(json_object_get(receipt, part), object), member);

    if (json_is_array(found))
        found = json_array_get(found, 1);
    assert_true(json_is_integer(found));
    return json_integer_value(found);
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

static struct gl_launch_rows rows_now(void)
{
    struct gl_launch_rows rows = {0};

    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    return rows;
}

static void a_life_has_its_readings_and_leaves_nothing(void **state)
{
    struct gl_instance instance = started(60000);
    char *text = NULL;
    json_t *receipt;

    (void)state;
    assert_int_equal(reconciled().finished, 0);
    if (rented_bench_finish(&bench, instance.launch_id, &text, &err) != 0)
        fail_msg("%s", err.text);
    receipt = verified(text);
    assert_in_range(number(receipt, "derived", "meter", "readings"), 50, 62);
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
    assert_int_equal(bench.fake.made, 1);
    json_decref(receipt);
    free(text);
}

static void a_machine_that_ended_by_itself_is_closed_and_freed(void **state)
{
    struct gl_instance instance = started(30000);
    struct gl_cloud *cloud = bench.launcher.open(&bench, "gcp", NULL, &err);
    struct gl_launch_rows rows;
    json_t *receipt;

    (void)state;
    bench.is_done = true;
    bench.exit_status = 3;
    assert_int_equal(cloud->ops->halt(cloud, instance.id, &err), 0);
    gl_cloud_close(cloud);
    bench.clock->slept_ms += 120000; /* nobody looked */
    assert_int_equal(reconciled().finished, 1);
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
    rows = rows_now();
    assert_string_equal(rows.rows[0].state, "ended");
    assert_int_equal(rows.rows[0].exit_status, 3);
    receipt = verified(rows.rows[0].receipt);
    /* Its provider says when it was powered off: nothing is charged after that. */
    assert_in_range(number(receipt, "evidence", "instance", "ended_ms") -
                        number(receipt, "evidence", "instance", "started_ms"),
                    28000, 40000);
    json_decref(receipt);
    gl_launch_rows_free(&rows);
}

static void without_a_meter_all_is_charged_and_said(void **state)
{
    struct gl_instance instance;
    char *text = NULL;
    json_t *receipt;

    (void)state;
    bench.is_mute = true;
    instance = started(60000);
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, &text, &err), 0);
    receipt = verified(text);
    assert_non_null(
        strstr(json_string_value(json_object_get(
                   json_object_get(json_object_get(receipt, "evidence"), "meter"), "note")),
               "no readings"));
    assert_true(number(receipt, "derived", "footprint", "energy_mj") > 60 * 5000);
    json_decref(receipt);
    free(text);
}

static void readings_that_were_seen_outlive_the_console(void **state)
{
    struct gl_instance instance = started(60000);
    struct gl_cloud *cloud = bench.launcher.open(&bench, "gcp", NULL, &err);
    struct gl_launch_rows rows = rows_now();
    json_t *derived = NULL, *receipt;

    (void)state;
    assert_int_equal(gl_launch_so_far(&bench.launcher, &rows.rows[0], cloud, &derived, &err), 0);
    json_decref(derived);
    assert_int_equal(cloud->ops->terminate(cloud, instance.id, &err), 0); /* somebody else */
    gl_cloud_close(cloud);
    gl_launch_rows_free(&rows);
    bench.clock->slept_ms += 60000;
    assert_int_equal(reconciled().lost, 1);
    rows = rows_now();
    assert_string_equal(rows.rows[0].state, "lost");
    receipt = verified(rows.rows[0].receipt);
    assert_in_range(number(receipt, "derived", "meter", "readings"), 50, 62);
    json_decref(receipt);
    gl_launch_rows_free(&rows);
}

/* Not to be able to read what was kept is not that nothing was. */
static void what_was_kept_and_cannot_be_read_keeps_it_open(void **state)
{
    struct gl_instance instance = started(60000);
    struct gl_cloud *cloud = bench.launcher.open(&bench, "gcp", NULL, &err);
    struct gl_launch_rows rows = rows_now();
    struct gl_reconciled counts;
    json_t *derived = NULL, *receipt;
    char kept[512], aside[520];

    (void)state;
    assert_int_equal(gl_launch_so_far(&bench.launcher, &rows.rows[0], cloud, &derived, &err), 0);
    json_decref(derived);
    gl_launch_rows_free(&rows);
    assert_int_equal(cloud->ops->terminate(cloud, instance.id, &err), 0);
    gl_cloud_close(cloud);
    bench.clock->slept_ms += 60000;
    snprintf(kept, sizeof kept, "%s/readings/%s", bench.folder, instance.launch_id);
    snprintf(aside, sizeof aside, "%s.aside", kept);
    assert_int_equal(rename(kept, aside), 0);
    assert_int_equal(mkdir(kept, 0700), 0);
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.lost, 0);
    assert_int_equal(counts.failed, 1);
    assert_non_null(strstr(counts.first.text, kept));
    assert_int_equal(rmdir(kept), 0);
    assert_int_equal(rename(aside, kept), 0);
    assert_int_equal(reconciled().lost, 1);
    rows = rows_now();
    receipt = verified(rows.rows[0].receipt);
    assert_in_range(number(receipt, "derived", "meter", "readings"), 50, 62);
    json_decref(receipt);
    gl_launch_rows_free(&rows);
}

static void what_does_not_show_yet_is_not_gone(void **state)
{
    struct gl_instance instance = started(0);

    (void)state;
    bench.fake.unseen = 3;
    assert_int_equal(reconciled().unknown, 1);
    assert_int_equal(reconciled().lost, 0); /* 404 after create, once more */
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
}

static void a_lost_answer_is_found_not_sent_again(void **state)
{
    struct gl_instance instance;

    (void)state;
    assert_int_equal(rented_bench_start(&bench, "m-lost", &instance, &err), 0);
    assert_int_equal(bench.fake.made, 1);
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
}

static void silence_is_waited_out_before_it_is_absence(void **state)
{
    struct gl_instance instance;
    int64_t before = bench.clock->slept_ms;

    (void)state;
    assert_int_equal(rented_bench_start(&bench, "m-silent", &instance, &err), -1);
    assert_int_equal(err.code, GL_E_OUTCOME);
    assert_true(bench.clock->slept_ms - before >= 2 * 14000);
    assert_int_equal(bench.fake.made, 0);
}

/* ---- another place ---- */

struct choice {
    const char *types[4];
    const char *from; /* a region for the first order; NULL = that of all */
    unsigned next;
    enum gl_errc answers[4];
    json_t *plan;
};

static int choose(void *cookie, const struct gl_cloud *cloud, const struct gl_error *why,
                  struct gl_order *order, struct gl_error *failed)
{
    struct choice *choice = cookie;

    (void)failed;
    assert_string_equal(cloud->ops->name, "gcp");
    choice->answers[choice->next] = why->code;
    if (choice->types[choice->next] == NULL)
        return 0;
    order->launch.type = choice->types[choice->next++];
    order->launch.region = RENTED_REGION;
    return 1;
}

struct zones {
    unsigned intents;
    char last[40];
};

static int note_zone(void *cookie, const json_t *event)
{
    const json_t *body = json_object_get(event, "body");
    const char *zone = json_string_value(json_object_get(body, "availability_zone"));
    struct zones *zones = cookie;

    if (strcmp(json_string_value(json_object_get(event, "kind")), "intent") != 0)
        return 0;
    zones->intents++;
    snprintf(zones->last, sizeof zones->last, "%s", zone != NULL ? zone : "");
    return 0;
}

static int start_by_choice(struct choice *choice, const char *type, struct gl_instance *out)
{
    struct gl_order order = rented_bench_order(&bench, type);
    int result;

    order.elsewhere = choose;
    order.elsewhere_cookie = choice;
    if (choice->from != NULL)
        order.launch.region = choice->from;
    gl_error_clear(&err);
    result = gl_launch_start(&bench.launcher, &order, out, &err);
    json_decref((json_t *)(uintptr_t)order.plan);
    return result;
}

static void a_place_without_stock_is_left_for_the_next(void **state)
{
    struct choice choice = {.types = {"m-quota", RENTED_TYPE, NULL}};
    struct gl_instance instance;
    struct gl_launch_rows rows;

    (void)state;
    if (start_by_choice(&choice, "m-stockout", &instance) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(choice.answers[0], GL_E_CAPACITY);
    assert_int_equal(choice.answers[1], GL_E_QUOTA);
    assert_int_equal(instance.attempt, 4); /* the zone that was named had none either */
    assert_string_equal(instance.type, RENTED_TYPE);
    assert_int_equal(bench.fake.made, 1);
    rows = rows_now();
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.rows[0].type, RENTED_TYPE);
    gl_launch_rows_free(&rows);
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
}

/* Its provider says which zones do have stock: they are of the same grid, and asked first. */
static void a_zone_with_stock_of_the_region_is_used(void **state)
{
    struct choice choice = {.types = {NULL}};
    struct gl_instance instance;
    struct zones zones = {0};

    (void)state;
    if (start_by_choice(&choice, "m-zonal", &instance) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(instance.attempt, 2);
    assert_int_equal(choice.answers[0], 0); /* nobody was asked for another place */
    assert_int_equal(bench.fake.made, 1);
    assert_int_equal(gl_ledger_events(bench.ledger, instance.launch_id, &zones, note_zone, &err),
                     0);
    assert_int_equal(zones.intents, 2);
    assert_true(strncmp(zones.last, RENTED_REGION "-", sizeof RENTED_REGION) == 0);
    assert_null(strstr(bench.fake.dry_zone, zones.last));
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
}

/* One of all zones is a place like any other: left for the next. */
static void a_region_whose_zones_are_all_dry_is_left(void **state)
{
    struct choice choice = {.types = {RENTED_TYPE, NULL}};
    struct gl_instance instance;

    (void)state;
    bench.fake.is_all_dry = true;
    if (start_by_choice(&choice, "m-zonal", &instance) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(instance.attempt, 3);
    assert_int_equal(choice.answers[0], GL_E_CAPACITY);
    assert_int_equal(choice.answers[1], 0);
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
}

static void where_no_place_is_left_nothing_runs(void **state)
{
    struct choice choice = {.types = {"m-quota", NULL}};
    struct gl_instance instance;
    struct gl_launch_rows rows;

    (void)state;
    assert_int_equal(start_by_choice(&choice, "m-stockout", &instance), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    assert_int_equal(bench.fake.made, 0);
    rows = rows_now();
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.rows[0].state, "ended");
    gl_launch_rows_free(&rows);
}

/* The tables know of regions that not every account has. */
static void a_region_that_the_account_lacks_is_left_for_the_next(void **state)
{
    struct choice choice = {.types = {RENTED_TYPE, NULL}, .from = "europe-north9"};
    struct gl_instance instance;

    (void)state;
    if (start_by_choice(&choice, RENTED_TYPE, &instance) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(choice.answers[0], GL_E_NO_PLACE);
    assert_string_equal(instance.region, RENTED_REGION);
    assert_int_equal(bench.fake.made, 1);
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
    choice = (struct choice){.types = {NULL}, .from = "europe-north9"};
    assert_int_equal(start_by_choice(&choice, RENTED_TYPE, &instance), -1);
    assert_int_equal(err.code, GL_E_NO_PLACE);
    assert_non_null(strstr(err.text, "no region europe-north9"));
}

static void a_right_that_lacks_everywhere_ends_it_at_once(void **state)
{
    struct choice choice = {.types = {RENTED_TYPE, NULL}};
    struct gl_instance instance;

    (void)state;
    assert_int_equal(start_by_choice(&choice, "m-forbidden", &instance), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    assert_int_equal(choice.next, 0); /* nobody was asked for another place */
    assert_int_equal(bench.fake.made, 0);
}

static void a_check_that_says_no_leaves_no_trace(void **state)
{
    struct gl_instance instance;
    struct gl_launch_rows rows;

    (void)state;
    bench.fake.cpus_left = 1;
    assert_int_equal(rented_bench_start(&bench, RENTED_TYPE, &instance, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    rows = rows_now();
    assert_int_equal(rows.count, 0);
    gl_launch_rows_free(&rows);
}

/* ---- given up ---- */

static bool is_interrupted(void *cookie)
{
    (void)cookie;
    return has_interrupt;
}

static bool interrupt_at_insert(void *cookie, const struct gl_test_request *request,
                                struct gl_test_answer *out)
{
    (void)cookie;
    (void)out;
    has_interrupt |=
        strcmp(request->method, "POST") == 0 && strstr(request->path, "/instances") != NULL;
    return false;
}

static void what_is_given_up_while_it_starts_is_ended(void **state)
{
    struct gl_instance instance = {.launch_id = ""};
    struct gl_launch_rows rows;

    (void)state;
    bench.launcher.is_interrupted = is_interrupted;
    bench.fake.before = interrupt_at_insert;
    if (rented_bench_start(&bench, RENTED_TYPE, &instance, &err) == 0)
        assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
    rows = rows_now();
    assert_string_equal(rows.rows[0].state, "ended");
    gl_launch_rows_free(&rows);
}

static int note_refused(void *cookie, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "kind"));

    *(unsigned *)cookie += kind != NULL && strcmp(kind, "identity-refused") == 0;
    return 0;
}

static void an_identity_that_does_not_hold_is_written_down(void **state)
{
    struct gl_instance instance;
    unsigned refused = 0;

    (void)state;
    bench.identity = "GLI1 {\"document\":\"Zm9yZ2Vk\",\"kind\":\"aws\"}";
    instance = started(5000);
    assert_int_equal(rented_bench_finish(&bench, instance.launch_id, NULL, &err), 0);
    assert_int_equal(
        gl_ledger_events(bench.ledger, instance.launch_id, &refused, note_refused, &err), 0);
    assert_int_equal(refused, 1);
}

static void a_dead_cloud_is_asked_once(void **state)
{
    struct gl_instance first = started(0), second = started(0);

    (void)state;
    (void)first;
    (void)second;
    bench.clock->slept_ms += 100000;
    gl_test_server_stop(bench.fake.server);
    assert_int_equal(reconciled().unknown, 2);
    assert_int_equal(bench.launcher.silent.count, 1);
    assert_string_equal(bench.launcher.silent.items[0].cloud, "gcp");
    bench.fake.server = NULL;
}

/* Every question is answered by a request for half a minute. */
static bool throttle(void *cookie, const struct gl_test_request *request,
                     struct gl_test_answer *out)
{
    unsigned *asked = cookie;

    if (strstr(request->path, "/instances") == NULL)
        return false;
    ++*asked;
    gl_str_addf(&out->headers, "Retry-After: 20\r\n");
    gl_test_answer_text(
        out, 429, "application/json",
        "{\"error\":{\"code\":429,\"errors\":[{\"reason\":\"rateLimitExceeded\"}]}}");
    return true;
}

/* The other clouds do not wait for it once for each of its machines. */
static void a_throttled_cloud_is_waited_for_once(void **state)
{
    int64_t began;
    unsigned asked = 0;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        started(25000);
    bench.fake.before = throttle;
    bench.fake.fault_cookie = &asked;
    began = bench.clock->slept_ms;
    assert_int_equal(reconciled().unknown, 4);
    assert_in_range(bench.clock->slept_ms - began, 1, 60000);
    assert_in_range(asked, 1, 3);
    assert_int_equal(bench.launcher.silent.count, 1);
    assert_string_equal(bench.launcher.silent.items[0].cloud, "gcp");
    bench.fake.before = NULL;
    assert_int_equal(reconciled().unknown, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_life_has_its_readings_and_leaves_nothing),
        CASE(a_machine_that_ended_by_itself_is_closed_and_freed),
        CASE(without_a_meter_all_is_charged_and_said),
        CASE(readings_that_were_seen_outlive_the_console),
        CASE(what_was_kept_and_cannot_be_read_keeps_it_open),
        CASE(what_does_not_show_yet_is_not_gone),
        CASE(a_throttled_cloud_is_waited_for_once),
        CASE(a_lost_answer_is_found_not_sent_again),
        CASE(silence_is_waited_out_before_it_is_absence),
        CASE(a_place_without_stock_is_left_for_the_next),
        CASE(a_zone_with_stock_of_the_region_is_used),
        CASE(a_region_whose_zones_are_all_dry_is_left),
        CASE(where_no_place_is_left_nothing_runs),
        CASE(a_region_that_the_account_lacks_is_left_for_the_next),
        CASE(a_right_that_lacks_everywhere_ends_it_at_once),
        CASE(a_check_that_says_no_leaves_no_trace),
        CASE(what_is_given_up_while_it_starts_is_ended),
        CASE(an_identity_that_does_not_hold_is_written_down),
        CASE(a_dead_cloud_is_asked_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
