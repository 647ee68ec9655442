/* SPDX-License-Identifier: Apache-2.0 */
/* What an act of the guard says of a need is written with the event that says it was done: once,
 * whoever writes that one, and not at all when it came to nothing. */
#include "broker/demand_signal.h"
#include "tests/unit/broker/ledger_bench.h"

#include <stdio.h>

#define LAUNCH "gl-1"

/* "pause+" is an event of the guard that says what it owes, "stop!" a note of its that failed, a
 * number so many seconds that pass. */
static json_t *owes(void)
{
    GL_AUTO(gl_demand_entry_done) struct gl_demand_entry entry = {0};
    struct gl_demand one = gl_demand_begin(world, LAUNCH, false);

    one.kind = GL_DEMAND_PAUSE;
    one.capability = GL_CAPABILITY_GREEN;
    one.grade = GL_GRADE_B;
    gl_demand_at(&one, "aws", "eu-central-1", "m5.large");
    gl_demand_want(&one, (struct gl_span){3600}, 1, 0);
    snprintf(one.rule, sizeof one.rule, "intensity<=100g/kWh;location;average;lifecycle;hourly");
    if (gl_demand_entry_of(&one, 1, &entry, &err) != 0)
        fail_msg("%s", err.text);
    return json_pack("{s:O}", "demand", entry.body);
}

static void put(struct gl_ledger *ledger, const char *kind, json_t *body, int64_t ended_ms)
{
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = LAUNCH};

    change.ended_ms = ended_ms;
    if (gl_ledger_append(ledger, kind, LAUNCH, body, &change, &err) != 0)
        fail_msg("%s: %s", kind, err.text);
    json_decref(body);
}

static int64_t now_ms(void)
{
    return world->now_ms(world->cookie);
}

static void play_one(struct gl_ledger *ledger, const char *word)
{
    char name[24];
    size_t length = strcspn(word, "+!<");
    bool is_note = strncmp(word, "stop", length) == 0 || strncmp(word, "notify", length) == 0;
    json_t *body = json_object();

    snprintf(name, sizeof name, "%.*s", (int)length, word);
    if (strspn(name, "0123456789") == length) {
        json_decref(body);
        world->sleep_ms(world->cookie, (int64_t)strtoll(name, NULL, 10) * 1000);
        return;
    }
    if (word[length] == '+' || word[length] == '!')
        json_object_set_new(body, "evidence", owes());
    if (is_note) {
        json_object_set_new(body, "act", json_string(name));
        json_object_set_new(body, "error", word[length] == '!' ? json_string("no") : json_null());
    }
    /* "ended<": by its receipt before anything was noted. */
    put(ledger, is_note ? "guard" : name, body,
        strcmp(name, "ended") != 0 && strcmp(name, "lost") != 0 ? -1
        : word[length] == '<'                                   ? NOW - 5000
                                                                : now_ms());
}

static int count_demand(void *cookie, const json_t *body, struct gl_error *ignored)
{
    (void)ignored;
    assert_int_equal(json_array_size(json_object_get(body, "signals")), 1);
    ++*(int *)cookie;
    return 0;
}

static int told(struct gl_ledger *ledger)
{
    int count = 0;

    assert_int_equal(gl_ledger_demands(ledger, 0, &count, count_demand, &err), 0);
    return count;
}

static int play(const char *story)
{
    GL_AUTO(gl_auto_free) char *words = gl_strdup(story);
    struct gl_ledger *ledger;
    int count;

    assert_int_equal(gl_dir_remove(folder, &err), 0);
    assert_int_equal(gl_dir_make(folder, &err), 0);
    ledger = must_open();
    for (char *rest = words, *word; (word = strsep(&rest, " ")) != NULL;)
        play_one(ledger, word);
    count = told(ledger);
    must_check(ledger);
    gl_ledger_close(ledger);
    return count;
}

static void each_act_is_told_when_it_is_done(void **state)
{
    static const struct {
        const char *story;
        int told;
    } rows[] = {
        {"pause+", 0},
        {"pause+ paused", 1},
        {"pause+ stayed", 0},
        {"pause+ stayed pause+ paused", 1},
        {"pause+ paused resume resumed pause paused", 1}, /* the second one is a person's */
        {"pause+ paused resume resumed pause+ paused", 2},
        {"pause+ resumed", 0},
        {"pause+ moved", 0},
        {"pause+ stopping ended", 0},
        {"move+ moved", 1},
        {"move+ notify! moved", 1}, /* it was not known whether it had moved */
        {"move paused", 0},
        {"move+ moved moved", 1},
        {"relocate-intended+ relocate-halted", 0},
        {"relocate-intended+ relocate-halted relocate-verified", 1},
        {"relocate-intended+ relocate-verified relocate-ended stopping ended", 1},
        {"relocate-intended+ relocate-failing relocate-failed paused", 0},
        {"notify+", 1},
        {"notify+ ended", 1},
        {"notify!", 0},
        {"notify", 0},
        {"stop+", 0},
        {"stop+ stopping", 0},
        {"stop+ stopping ended", 1},
        {"stop+ stopping lost", 1},
        {"stop+ stopping 90000 stopping ended", 1}, /* killed, and ended by whoever looked next */
        {"stop+ stop+ stopping ended ended", 1},
        {"stop! stopping ended", 0},
        {"stop+ 5 ended", 1}, /* on a full disk */
        {"stop+ ended<", 0},  /* over before it was to be stopped */
        {"stop+ 700 stopping ended", 0},
        {"stop+ pause stayed stopping ended", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int count = play(rows[i].story);

        if (count != rows[i].told)
            fail_msg("\"%s\": told %d times", rows[i].story, count);
    }
}

/* What no guard has written keeps nothing from being recorded. */
static void what_cannot_be_read_is_not_told(void **state)
{
    static const char *const rows[] = {"1", "{}", "{\"signals\":7}", "{\"signals\":[]}",
                                       "{\"signals\":[{\"kind\":\"pause\"}]}"};
    struct gl_ledger *ledger = must_open();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *demand = json_loads(rows[i], JSON_DECODE_ANY, NULL);

        put(ledger, "pause", json_pack("{s:{s:o}}", "evidence", "demand", demand), -1);
        put(ledger, "paused", json_object(), -1);
    }
    assert_int_equal(told(ledger), 0);
    must_check(ledger);
    gl_ledger_close(ledger);
}

static void more_than_fit_are_not_told(void **state)
{
    struct gl_ledger *ledger = must_open();
    GL_AUTO(gl_auto_json) json_t *evidence = owes();
    json_t *signals = json_object_get(json_object_get(evidence, "demand"), "signals");

    (void)state;
    for (int i = 0; i < GL_DEMAND_PLACES; i++)
        json_array_append(signals, json_array_get(signals, 0));
    put(ledger, "pause", json_pack("{s:O}", "evidence", evidence), -1);
    put(ledger, "paused", json_object(), -1);
    assert_int_equal(told(ledger), 0);
    gl_ledger_close(ledger);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_act_is_told_when_it_is_done),
        CASE(what_cannot_be_read_is_not_told),
        CASE(more_than_fit_are_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
