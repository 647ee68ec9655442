/* SPDX-License-Identifier: Apache-2.0 */
/* Demand signals in the ledger: written, read back, and nothing of a user among them. */
#include "broker/demand.h"
#include "broker/demand_signal.h"
#include "providers/data/data.h"
#include "tests/unit/broker/ledger_bench.h"

#include <stdio.h>

#define DAY_MS INT64_C(86400000)

static struct gl_demand a_signal(const char *key)
{
    struct gl_demand one = gl_demand_begin(world, NULL, false);

    one.kind = GL_DEMAND_REFUSE;
    one.capability = GL_CAPABILITY_GREEN;
    one.key = GL_KEY_MAX_INTENSITY;
    one.limit_u = 100000000;
    one.found_u = 250000000;
    one.grade = GL_GRADE_B;
    gl_demand_at(&one, "aws", "eu-central-1", "m5.large");
    gl_demand_want(&one, (struct gl_span){3600}, 2, 4);
    snprintf(one.rule, sizeof one.rule, "intensity<=100g/kWh;location;average;lifecycle;hourly");
    if (key != NULL)
        snprintf(one.launch_key, sizeof one.launch_key, "%s", key);
    return one;
}

static struct gl_demand_told must_record(struct gl_ledger *ledger, const struct gl_demand *signals,
                                         size_t count)
{
    struct gl_demand_told told;

    if (gl_demand_record(ledger, signals, count, &told, &err) != 0)
        fail_msg("%s", err.text);
    return told;
}

static const struct gl_cluster *must_cluster(struct gl_ledger *ledger,
                                             const struct gl_demand_ask *ask,
                                             struct gl_clustering **out, size_t *out_count)
{
    *out = gl_demand_clusters(ledger, ask, &err);
    if (*out == NULL)
        fail_msg("%s", err.text);
    return gl_clustering_end(*out, out_count);
}

/* ---- places ---- */

static void every_type_and_region_of_the_tables_may_stand_there(void **state)
{
    const struct gl_type_row *types;
    const struct gl_region_row *regions;
    size_t count = gl_data_types(&types);
    struct gl_demand one = a_signal(NULL);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        gl_demand_at(&one, types[i].cloud, "", types[i].name);
        if (one.family[0] == '\0' || gl_demand_check(&one, &err) != 0)
            fail_msg("%s %s is of the family \"%s\"", types[i].cloud, types[i].name, one.family);
    }
    count = gl_data_regions(&regions);
    for (size_t i = 0; i < count; i++) {
        gl_demand_at(&one, regions[i].cloud, regions[i].region, "");
        if (strcmp(one.region, regions[i].region) != 0 || gl_demand_check(&one, &err) != 0)
            fail_msg("%s %s: \"%s\"", regions[i].cloud, regions[i].region, one.region);
    }
}

static void what_no_table_knows_is_left_out(void **state)
{
    static const char *const rows[][4] = {
        {"aws", "acme-dc-1", "db01.large", "aws"},
        {"aws", "eu-acme-1", "c5.acme", "aws"},
        {"azure", "bob", "Standard_D4bob_v5", "azure"},
        {"openstack", "eu-central-1", "m5.large", "openstack"},
        {"kubernetes", "prod.acme.example", "bob", "kubernetes"},
        {"local", "this-machine", "small", "local"},
        {"acme", "eu-central-1", "m5.large", "private"},
    };
    struct gl_demand one = a_signal(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gl_demand_at(&one, rows[i][0], rows[i][1], rows[i][2]);
        assert_string_equal(one.provider, rows[i][3]);
        assert_string_equal(one.region, "");
        assert_string_equal(one.family, "");
        assert_int_equal(gl_demand_check(&one, &err), 0);
    }
    gl_demand_moved_to(&one, "aws", "eu-north-1");
    assert_string_equal(one.instead_region, "aws/eu-north-1");
    gl_demand_moved_to(&one, "local", "attic-of-bob");
    assert_string_equal(one.instead_region, "local/");
    assert_int_equal(gl_demand_check(&one, &err), 0);
}

static void what_is_wanted_is_time_times_machines(void **state)
{
    struct gl_demand one = a_signal(NULL);

    (void)state;
    assert_int_equal(one.wanted_ms, 2 * 3600 * 1000);
    assert_int_equal(one.gpu_ms, 4 * 2 * 3600 * 1000);
    gl_demand_want(&one, (struct gl_span){60}, 0, 0); /* one machine is meant */
    assert_int_equal(one.wanted_ms, 60000);
    assert_int_equal(one.gpu_ms, 0);
    gl_demand_want(&one, (struct gl_span){-5}, 1, 1);
    assert_int_equal(one.wanted_ms, 0);
    gl_demand_want(&one, (struct gl_span){INT64_MAX / 2}, UINT32_MAX, UINT32_MAX);
    assert_int_equal(gl_demand_check(&one, &err), 0);
}

static void keys_tell_launches_apart(void **state)
{
    struct gl_demand one, two;

    (void)state;
    gl_demand_key_of("gl-4k2p9x", &one);
    gl_demand_key_of("gl-4k2p9x", &two);
    assert_string_equal(one.launch_key, two.launch_key);
    assert_int_equal(strlen(one.launch_key), GL_DEMAND_KEY);
    gl_demand_key_of("gl-4k2p9y", &two);
    assert_string_not_equal(one.launch_key, two.launch_key);
    gl_demand_draw_key(world, &one);
    gl_demand_draw_key(world, &two);
    assert_string_not_equal(one.launch_key, two.launch_key);
}

/* ---- as JSON ---- */

static void a_signal_comes_back_as_it_was(void **state)
{
    struct gl_demand one = a_signal("0123456789ab"), back;
    struct gl_error ignored = {0};

    (void)state;
    for (int kind = 0; kind < GL_DEMAND_KINDS; kind++) {
        GL_AUTO(gl_auto_json) json_t *json = NULL;
        GL_AUTO(gl_auto_free) char *text = NULL;

        one.kind = (enum gl_demand_kind)kind;
        one.capability = (enum gl_capability)kind;
        one.instead = (enum gl_instead)(kind % GL_INSTEADS);
        one.is_demo = kind % 2 == 0;
        one.lost_ms = kind == 1 ? 70000 : GL_UNKNOWN;
        one.extra_ug = kind == 2 ? -9 : GL_UNKNOWN;
        json = gl_demand_json(&one);
        text = gl_json_canonical(json, &ignored);
        assert_non_null(text); /* no reals */
        memset(&back, 0xa5, sizeof back);
        assert_int_equal(gl_demand_of_json(json, &back, &err), 0);
        /* of_json fills a zeroed struct, so that whole structs can be compared */
        GL_AUTO(gl_auto_json) json_t *again = gl_demand_json(&back);
        assert_true(json_equal(json, again));
    }
}

static void what_is_no_signal_is_refused(void **state)
{
    static const char *const members[] = {
        "kind",     "capability", "provider",       "region",     "family",  "rule",  "limit_u",
        "found_u",  "wanted_ms",  "gpu_ms",         "grade",      "instead", "at_ms", "lost_ms",
        "extra_ug", "key",        "instead_region", "launch_key", "is_demo"};
    static const char *const values[] = {"[]", "{}", "1.5", "\"acme bob\"", "true"};
    struct gl_demand one = a_signal("0123456789ab"), back = {.wanted_ms = 77};

    (void)state;
    for (size_t m = 0; m < sizeof members / sizeof members[0]; m++)
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            GL_AUTO(gl_auto_json) json_t *json = gl_demand_json(&one);

            if (strcmp(members[m], "is_demo") == 0 && v == 4)
                continue;
            json_object_set_new(json, members[m], json_loads(values[v], JSON_DECODE_ANY, NULL));
            if (gl_demand_of_json(json, &back, &err) == 0)
                fail_msg("%s: %s", members[m], values[v]);
            assert_int_equal(err.code, GL_E_BAD_REPLY);
            assert_int_equal(back.wanted_ms, 77);
            assert_null(strstr(err.text, "bob"));
            gl_error_clear(&err);
        }
    assert_int_equal(gl_demand_of_json(json_null(), &back, &err), -1);
    gl_error_clear(&err);
}

/* ---- and the ledger ---- */

static void what_was_recorded_is_clustered(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_demand signals[2] = {a_signal("00000000000a"), a_signal("00000000000a")};
    struct gl_clustering *clustering;
    const struct gl_cluster *clusters;
    struct gl_demand_told told;
    char id[GL_DEMAND_ID];
    size_t count;

    (void)state;
    gl_demand_at(&signals[1], "gcp", "europe-west3", "n2-standard-4");
    told = must_record(ledger, signals, 2);
    assert_int_equal(told.seen, 1);
    world->sleep_ms(world->cookie, DAY_MS);
    signals[0] = a_signal("00000000000b");
    told = must_record(ledger, signals, 1);
    assert_int_equal(told.seen, 2);
    clusters = must_cluster(ledger, &(struct gl_demand_ask){0, false}, &clustering, &count);
    assert_int_equal(count, 2);
    assert_int_equal(clusters[0].refused, 2);
    assert_int_equal(clusters[0].days, 2);
    gl_demand_id(clusters[0].fingerprint, id);
    assert_string_equal(told.id, id);
    assert_string_equal(clusters[1].first->provider, "gcp");
    assert_string_equal(clusters[1].first->family, "n2");
    gl_clustering_free(clustering);
    clusters =
        must_cluster(ledger, &(struct gl_demand_ask){NOW + DAY_MS, false}, &clustering, &count);
    assert_int_equal(count, 1);
    assert_int_equal(clusters[0].refused, 1);
    gl_clustering_free(clustering);
    gl_ledger_close(ledger);
}

static void demonstrations_stand_apart(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_demand one = a_signal("00000000000a");
    struct gl_clustering *clustering;
    size_t count;

    (void)state;
    assert_int_equal(must_record(ledger, &one, 1).seen, 1);
    one = a_signal("00000000000b");
    one.is_demo = true;
    assert_int_equal(must_record(ledger, &one, 1).seen, 1);
    assert_int_equal(
        must_cluster(ledger, &(struct gl_demand_ask){0, false}, &clustering, &count)->refused, 1);
    gl_clustering_free(clustering);
    assert_int_equal(
        must_cluster(ledger, &(struct gl_demand_ask){0, true}, &clustering, &count)->refused, 1);
    gl_clustering_free(clustering);
    gl_ledger_close(ledger);
}

static void refuses(struct gl_ledger *ledger, const struct gl_demand *signals, size_t count)
{
    struct gl_demand_told told = {"untouched", 7};

    assert_int_equal(gl_demand_record(ledger, signals, count, &told, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_string_equal(told.id, "untouched");
    gl_error_clear(&err);
}

static void what_may_not_stand_there_is_not_written(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_demand pair[2] = {a_signal("00000000000a"), a_signal("00000000000b")};
    struct gl_demand one = a_signal("00000000000a");
    struct gl_ledger_check check;

    (void)state;
    refuses(ledger, pair, 2); /* two launches */
    pair[1] = pair[0];
    pair[1].is_demo = true;
    refuses(ledger, pair, 2);
    refuses(ledger, pair, 0);
    refuses(ledger, &one, GL_DEMAND_PLACES + 1);
    /* Of the right shape, but in no table. */
    snprintf(one.region, sizeof one.region, "eu-acme-1");
    refuses(ledger, &one, 1);
    one = a_signal("00000000000a");
    snprintf(one.family, sizeof one.family, "bob");
    refuses(ledger, &one, 1);
    one = a_signal("00000000000a");
    one.instead = GL_INSTEAD_MOVED;
    snprintf(one.instead_region, sizeof one.instead_region, "aws/eu-acme-1");
    refuses(ledger, &one, 1);
    assert_int_equal(gl_ledger_check(ledger, &check, &err), 0);
    assert_int_equal(check.events, 0);
    gl_ledger_close(ledger);
}

/* A ledger as version 3 left it: the tables of today are not there, its demand events have another
 * body. */
static void make_version_3(void)
{
    struct gl_ledger *ledger = must_open();
    json_t *old = json_pack("{s:s,s:[s],s:I}", "verdict", "refuse", "clouds", "aws", "duration_s",
                            (json_int_t)3600);

    assert_int_equal(gl_ledger_append(ledger, "demand", "", old, NULL, &err), 0);
    json_decref(old);
    assert_int_equal(append(ledger, "gl-1", "running", 1), 0);
    gl_ledger_close(ledger);
    sql("INSERT INTO demands VALUES('GL-00000000','{}',4,1,2)");
    sql("DROP TABLE demand_seen; DROP INDEX events_demand; PRAGMA user_version = 3");
}

static void a_ledger_of_version_3_loses_nothing(void **state)
{
    struct gl_demand one = a_signal("00000000000a");
    struct gl_clustering *clustering;
    struct gl_ledger *ledger;
    struct gl_ledger_check check;
    struct gl_launch_rows rows;
    size_t count;

    (void)state;
    make_version_3();
    ledger = must_open();
    assert_int_equal(gl_ledger_check(ledger, &check, &err), 0);
    assert_int_equal(check.events, 2);
    assert_int_equal(gl_ledger_launches(ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    gl_launch_rows_free(&rows);
    must_cluster(ledger, &(struct gl_demand_ask){0, true}, &clustering, &count);
    assert_int_equal(count, 0); /* what the old event says is no signal */
    gl_clustering_free(clustering);
    assert_int_equal(must_record(ledger, &one, 1).seen, 1);
    must_cluster(ledger, &(struct gl_demand_ask){0, false}, &clustering, &count);
    assert_int_equal(count, 1);
    gl_clustering_free(clustering);
    gl_ledger_close(ledger);
    sql("UPDATE demands SET seen = seen + 1 WHERE id = 'GL-00000000' AND seen = 4");
}

static void a_broken_signal_is_told(void **state)
{
    struct gl_ledger *ledger = must_open();
    json_t *body = json_pack("{s:[{s:s}]}", "signals", "kind", "acme bob");

    (void)state;
    assert_int_equal(gl_ledger_append(ledger, "demand", "", body, NULL, &err), 0);
    json_decref(body);
    assert_null(gl_demand_clusters(ledger, &(struct gl_demand_ask){0, false}, &err));
    assert_int_equal(err.code, GL_E_TAMPERED);
    assert_null(strstr(err.text, "bob"));
    gl_error_clear(&err);
    gl_ledger_close(ledger);
}

/* The ledger is read by another tree than the one above: it is as strict. */
static void what_is_no_signal_is_refused_in_the_ledger(void **state)
{
    static const char *const values[] = {"[]", "{}", "1.5", "\"acme bob\"", "true", "\"3\"", "-1"};
    struct gl_ledger *ledger = must_open();
    struct gl_demand one = a_signal("0123456789ab");
    GL_AUTO(gl_auto_json) json_t *good = gl_demand_json(&one);
    struct gl_clustering *clustering;
    const char *member;
    json_t *ignored;
    size_t count;

    (void)state;
    json_object_foreach(good, member, ignored)
    {
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            json_t *bad, *body;
            int64_t since_ms;

            if ((v == 4 && strcmp(member, "is_demo") == 0) ||
                (v == 6 && (strcmp(member, "limit_u") == 0 || strcmp(member, "found_u") == 0 ||
                            strcmp(member, "extra_ug") == 0)))
                continue;
            bad = json_deep_copy(good);
            body = json_pack("{s:[o]}", "signals", bad);
            json_object_set_new(bad, member, json_loads(values[v], JSON_DECODE_ANY, NULL));
            world->sleep_ms(world->cookie, 1000);
            since_ms = gl_ledger_now_ms(ledger);
            /* Reals cannot get there. */
            assert_int_equal(gl_ledger_append(ledger, "demand", "", body, NULL, &err),
                             v == 2 ? -1 : 0);
            json_decref(body);
            gl_error_clear(&err);
            if (v == 2)
                continue;
            if (gl_demand_clusters(ledger, &(struct gl_demand_ask){since_ms, false}, &err) != NULL)
                fail_msg("%s: %s", member, values[v]);
            assert_int_equal(err.code, GL_E_TAMPERED);
            assert_null(strstr(err.text, "bob"));
            gl_error_clear(&err);
        }
    }
    world->sleep_ms(world->cookie, 1000);
    must_record(ledger, &one, 1);
    must_cluster(ledger, &(struct gl_demand_ask){gl_ledger_now_ms(ledger), false}, &clustering,
                 &count);
    assert_int_equal(count, 1);
    gl_clustering_free(clustering);
    gl_ledger_close(ledger);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_type_and_region_of_the_tables_may_stand_there),
        CASE(what_no_table_knows_is_left_out),
        CASE(what_is_wanted_is_time_times_machines),
        CASE(keys_tell_launches_apart),
        CASE(a_signal_comes_back_as_it_was),
        CASE(what_is_no_signal_is_refused),
        CASE(what_was_recorded_is_clustered),
        CASE(demonstrations_stand_apart),
        CASE(what_may_not_stand_there_is_not_written),
        CASE(a_ledger_of_version_3_loses_nothing),
        CASE(a_broken_signal_is_told),
        CASE(what_is_no_signal_is_refused_in_the_ledger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
