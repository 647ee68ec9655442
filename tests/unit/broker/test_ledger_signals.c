/* SPDX-License-Identifier: Apache-2.0 */
/* The projection of demand signals: what was done to it behind its back is noticed by the check,
 * and believed by no reading. */
#include "broker/demand_signal.h"
#include "tests/unit/broker/ledger_bench.h"

#include <stdio.h>

#define SIGNALS 40

static struct gl_demand a_signal(int number)
{
    static const char *const regions[] = {"eu-central-1", "eu-west-1", "us-east-1"};
    struct gl_demand one = gl_demand_begin(world, NULL, false);

    one.kind = (enum gl_demand_kind)(number % GL_DEMAND_KINDS);
    one.capability = GL_CAPABILITY_GREEN;
    one.key = GL_KEY_MAX_INTENSITY;
    one.limit_u = 100000000;
    one.found_u = number * INT64_C(1000000);
    one.extra_ug = number % 2 == 0 ? -number : GL_UNKNOWN;
    one.lost_ms = number % 5 == 0 ? number * 1000 : GL_UNKNOWN;
    gl_demand_at(&one, "aws", regions[number % 3], "m5.large");
    gl_demand_want(&one, (struct gl_span){3600}, 1, 0);
    snprintf(one.rule, sizeof one.rule, "intensity<=100g/kWh;location;average;lifecycle;hourly");
    snprintf(one.launch_key, sizeof one.launch_key, "%012x", (unsigned)number);
    return one;
}

static void write_some(struct gl_ledger *ledger, int count)
{
    for (int i = 1; i <= count; i++) {
        struct gl_demand one = a_signal(i);
        struct gl_demand_told told;

        if (gl_demand_record(ledger, &one, 1, &told, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(append(ledger, "gl-1", "running", i), 0);
    }
}

/* Everything that clusters say, in their order. */
static char *all_of(struct gl_ledger *ledger)
{
    struct gl_clustering *clustering =
        gl_demand_clusters(ledger, &(struct gl_demand_ask){0, false}, &err);
    const struct gl_cluster *clusters;
    struct gl_str text = {0};
    size_t count;

    if (clustering == NULL)
        fail_msg("%s", err.text);
    clusters = gl_clustering_end(clustering, &count);
    for (size_t i = 0; i < count; i++) {
        const struct gl_cluster *one = &clusters[i];

        gl_str_addf(&text, "%s %s %s %s %lld %lld %lld %lld %lld %lld\n", one->fingerprint,
                    one->first->region, one->first->family, one->first->launch_key,
                    (long long)one->signals, (long long)one->launches, (long long)one->wanted_ms,
                    (long long)one->lost_ms, (long long)one->extra_ug,
                    (long long)one->worst_found_u);
    }
    gl_clustering_free(clustering);
    return gl_str_take(&text);
}

static void assert_holds(const char *expected)
{
    struct gl_ledger *ledger = must_open();
    GL_AUTO(gl_auto_free) char *is = all_of(ledger);

    assert_string_equal(is, expected);
    must_check(ledger);
    gl_ledger_close(ledger);
}

/* Made anew for each: the check tells of it, a reading gives what was written, and mends it. */
static void what_was_changed_behind_its_back_is_not_believed(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM demand_signals WHERE id = (SELECT max(id) FROM demand_signals)",
        "INSERT INTO demand_signals SELECT id + 1, at_ms, open, signal FROM demand_signals LIMIT 1",
        "UPDATE demand_signals SET signal = zeroblob(88) WHERE id % 3 = 0",
        "UPDATE demand_signals SET signal = x'00' WHERE id % 3 = 0",
        "UPDATE demand_signals SET signal = x'' WHERE id % 3 = 0",
        "UPDATE demand_signals SET at_ms = at_ms + 1",
        "UPDATE demand_signals SET open = 1 - open",
        "UPDATE demand_texts SET text = 'eu-north-1' WHERE text = 'eu-west-1'",
        "DELETE FROM demand_texts WHERE text = 'eu-west-1'",
        "DELETE FROM demand_texts",
        "DELETE FROM demand_head; DELETE FROM demand_signals WHERE id % 2 = 0",
        "UPDATE demand_head SET digest = digest + 1",
        "UPDATE demand_head SET hash = 'ff'",
        "UPDATE demand_head SET upto = upto - 2",
        "UPDATE demand_head SET upto = 999999999",
    };
    struct gl_ledger *ledger = must_open();
    GL_AUTO(gl_auto_free) char *expected = NULL;
    struct gl_ledger_check check;

    (void)state;
    write_some(ledger, SIGNALS);
    expected = all_of(ledger);
    gl_ledger_close(ledger);
    assert_holds(expected);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        sql(changes[i]);
        ledger = must_open();
        if (gl_ledger_check(ledger, &check, &err) == 0)
            fail_msg("not noticed: %s", changes[i]);
        assert_int_equal(err.code, GL_E_TAMPERED);
        gl_error_clear(&err);
        gl_ledger_close(ledger);
        assert_holds(expected);
    }
}

/* Who forges the sum as well deceives a reading, and not the check. */
static void who_forges_the_sum_is_caught_by_the_check(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_ledger_check check;

    (void)state;
    write_some(ledger, 4);
    gl_ledger_close(ledger);
    sql("DELETE FROM demand_signals; DELETE FROM demand_texts; UPDATE demand_head SET digest = 0");
    ledger = must_open();
    assert_int_equal(gl_ledger_check(ledger, &check, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    assert_non_null(strstr(err.text, "demand signals"));
    gl_ledger_close(ledger);
}

/* What another process appended by whatever way is taken in by the next reading. */
static void a_ledger_of_version_4_has_the_same_signals(void **state)
{
    struct gl_ledger *ledger = must_open();
    GL_AUTO(gl_auto_free) char *expected = NULL;

    (void)state;
    write_some(ledger, SIGNALS);
    expected = all_of(ledger);
    gl_ledger_close(ledger);
    sql("DROP TABLE demand_signals; DROP TABLE demand_texts; DROP TABLE demand_head;"
        "PRAGMA user_version = 4");
    assert_holds(expected);
}

/* Nothing can be written: it is worked out beside the ledger. */
static void what_can_only_be_looked_at_is_read_all_the_same(void **state)
{
    static const char *const changes[] = {
        "DELETE FROM demand_signals; DELETE FROM demand_texts; DELETE FROM demand_head",
        "DROP TABLE demand_signals; DROP TABLE demand_texts; DROP TABLE demand_head;"
        "PRAGMA user_version = 4"};
    const struct gl_error full = {.code = GL_E_DISK_FULL};
    struct gl_ledger *ledger = must_open();
    GL_AUTO(gl_auto_free) char *expected = NULL;

    (void)state;
    write_some(ledger, SIGNALS);
    expected = all_of(ledger);
    gl_ledger_close(ledger);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        GL_AUTO(gl_auto_free) char *is = NULL;

        sql(changes[i]);
        ledger = gl_ledger_open_to_look(path, world, &full, &err);
        if (ledger == NULL)
            fail_msg("%s", err.text);
        is = all_of(ledger);
        assert_string_equal(is, expected);
        gl_ledger_close(ledger);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_changed_behind_its_back_is_not_believed),
        CASE(who_forges_the_sum_is_caught_by_the_check),
        CASE(a_ledger_of_version_4_has_the_same_signals),
        CASE(what_can_only_be_looked_at_is_read_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
