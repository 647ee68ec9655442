/* SPDX-License-Identifier: Apache-2.0 */
/* SIGKILL between intent and outcome, before and after the venue did it; answers of every kind; and
 * what a venue says shown harmless. */
#include "tests/support/request_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"

#define REGION "eu-central-1"

static struct request_bench bench;
static struct gl_error err;
static char fingerprint[GL_HASH_HEX], digest[GL_HASH_HEX];

static int set_up(void **state)
{
    (void)state;
    gl_error_clear(&err);
    request_bench_up(&bench, "request-killed");
    request_bench_fingerprint(REGION, fingerprint);
    if (request_bench_preview(&bench, REGION, 0, digest, &err) != 0)
        fail_msg("%s", err.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    request_bench_down(&bench);
    return 0;
}

#define DIED 9 /* how a process ends that dies at a look */

/* A process that approves; its exit status, or -1 when it was killed. */
static int approve_until(unsigned die_at)
{
    const struct gl_request_approval approval = {fingerprint, digest, "someone"};
    int gate[2], status;
    pid_t child;
    char go;

    assert_int_equal(pipe(gate), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct gl_request_sent sent;

        /* Not before the venue knows whom to kill. */
        if (read(gate[0], &go, 1) != 1)
            _exit(8);
        bench.ledger = NULL;
        request_bench_reopen(&bench);
        bench.world.http = gl_http_curl_new();
        bench.die_at = die_at;
        _exit(gl_request_send(&bench.desk, &approval, &sent, &err) == 0 ? (int)sent.may : 5);
    }
    bench.victim = child;
    assert_int_equal(write(gate[1], "g", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(gate[0]);
    close(gate[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int approve_apart(void)
{
    return approve_until(0);
}

/* Its state as the ledger has it now; borrowed until the next call. */
static const struct gl_request_record *record(void)
{
    static struct gl_requests requests;

    gl_requests_done(&requests);
    if (gl_requests_read(bench.ledger, &requests, &err) != 0)
        fail_msg("%s", err.text);
    return gl_requests_of(&requests, fingerprint);
}

static void pass(int64_t ms)
{
    bench.now_ms += ms;
    bench.true_ms += ms;
}

static void killed_after_it_was_done(void **state)
{
    (void)state;
    bench.fault = REQUEST_KILL_AFTER;
    bench.faults_left = 1;
    assert_int_equal(approve_apart(), -1);
    assert_int_equal(bench.issue_count, 1);
    assert_int_equal(record()->attempt, GL_ATTEMPT_UNKNOWN);
    assert_int_equal(record()->state, GL_REQUEST_APPROVED);
    pass(10000);
    assert_int_equal(approve_apart(), GL_VENUE_MAY);
    assert_int_equal(bench.issue_count, 1);
    assert_int_equal(bench.posts, 1);
    assert_int_equal(record()->state, GL_REQUEST_FILED);
    assert_string_equal(record()->venue_id, "1");
}

static void killed_before_it_was_done(void **state)
{
    (void)state;
    bench.fault = REQUEST_KILL_BEFORE;
    bench.faults_left = 1;
    assert_int_equal(approve_apart(), -1);
    assert_int_equal(bench.issue_count, 0);
    assert_int_equal(record()->attempt, GL_ATTEMPT_UNKNOWN);
    /* Lists lag: not at once. */
    assert_int_equal(approve_apart(), 5);
    assert_int_equal(bench.posts, 1);
    assert_int_equal(record()->attempt, GL_ATTEMPT_UNKNOWN);
    pass(10000);
    assert_int_equal(approve_apart(), GL_VENUE_MAY);
    assert_int_equal(bench.issue_count, 1);
    assert_int_equal(record()->state, GL_REQUEST_FILED);
}

/* A process that dies at its n-th look at clock or environment, for every n. */
static void dies_at_every_look(void **state)
{
    bool has_intent_alone = false, has_sent_alone = false;
    unsigned n = 0;
    int end;

    do {
        tear_down(state);
        set_up(state);
        end = approve_until(++n);
        if (end == DIED && record()->attempt == GL_ATTEMPT_UNKNOWN) {
            has_intent_alone |= bench.posts == 0;
            has_sent_alone |= bench.posts == 1;
        }
        pass(10000);
        if (end == DIED)
            assert_int_equal(approve_apart(), GL_VENUE_MAY);
        assert_int_equal(bench.issue_count, 1);
        assert_int_equal(bench.posts, 1);
        assert_int_equal(record()->state, GL_REQUEST_FILED);
    } while (end == DIED);
    assert_true(has_intent_alone && has_sent_alone);
    print_message("%u looks\n", n - 1);
}

/* No other preview takes the place of what may have arrived. */
static void pinned_while_unknown(void **state)
{
    char other[GL_HASH_HEX];

    (void)state;
    bench.fault = REQUEST_CUT_AFTER;
    bench.faults_left = 1;
    assert_int_equal(approve_apart(), 5);
    assert_int_equal(record()->attempt, GL_ATTEMPT_UNKNOWN);
    assert_int_equal(request_bench_preview(&bench, REGION, 1, other, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
}

/* A hard stop outlives waiting, and ends by a person's act alone. */
static void hard_stop(void **state)
{
    static const enum request_fault faults[] = {REQUEST_FORBIDDEN, REQUEST_LIMITED};
    char place[300];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bench.fault = faults[i];
        bench.faults_left = 1;
        pass(INT64_C(40) * 86400000);
        assert_int_equal(approve_apart(), 5);
        pass(INT64_C(400) * 86400000);
        assert_int_equal(approve_apart(), GL_VENUE_STOP);
        snprintf(place, sizeof place, "%s", "github o/r1");
        assert_int_equal(gl_request_lift(&bench.desk, place, "someone", "looked", &err), -1);
        snprintf(place, sizeof place, "%s",
                 json_string_value(json_object_get(record()->preview, "place")));
        assert_int_equal(gl_request_lift(&bench.desk, place, " ", "looked", &err), -1);
        assert_int_equal(gl_request_lift(&bench.desk, place, "someone", "", &err), -1);
        assert_int_equal(approve_apart(), GL_VENUE_STOP);
        assert_int_equal(gl_request_lift(&bench.desk, place, "someone", "looked", &err), 0);
    }
    assert_int_equal(bench.issue_count, 0);
    assert_int_equal(approve_apart(), GL_VENUE_MAY);
    assert_int_equal(bench.issue_count, 1);
}

static int search(size_t *out_count)
{
    const json_t *preview = record()->preview;
    struct gl_venue_candidate found[GL_VENUE_CANDIDATES];
    struct gl_request_venue opened = {0};
    int result;

    gl_error_clear(&err);
    assert_int_equal(gl_request_venue_open(&bench.desk, "github",
                                           json_object_get(preview, "settings"), &opened, &err),
                     0);
    result = gl_request_search(&bench.desk, opened.venue, "hourly carbon", found, out_count, &err);
    gl_request_venue_done(&opened);
    return result;
}

/* What a search is told counts as what a sending is told: the place is not asked again, and nothing
 * is sent to it, before somebody has looked. What is merely broken hinders nothing. */
static void a_search_meets_a_hard_stop(void **state)
{
    static const enum request_fault faults[] = {REQUEST_FORBIDDEN, REQUEST_LIMITED};
    char place[GL_VENUE_PLACE];
    size_t count = 7;

    (void)state;
    bench.world.http = gl_http_curl_new();
    snprintf(place, sizeof place, "%s",
             json_string_value(json_object_get(record()->preview, "place")));
    bench.fault = REQUEST_BROKEN;
    bench.faults_left = 1;
    assert_int_equal(search(&count), -1);
    assert_int_equal(search(&count), 0);
    assert_int_equal(count, 0);
    for (size_t i = 0; i < 2; i++) {
        bench.searches = 0;
        bench.fault = faults[i];
        bench.faults_left = 1;
        assert_int_equal(search(&count), -1);
        pass(INT64_C(400) * 86400000);
        assert_int_equal(search(&count), -1);
        assert_non_null(strstr(err.text, "stopped"));
        assert_int_equal(bench.searches, 1);
        assert_int_equal(approve_apart(), GL_VENUE_STOP);
        gl_error_clear(&err);
        assert_int_equal(gl_request_lift(&bench.desk, place, "someone", "looked", &err), 0);
        assert_int_equal(search(&count), 0);
    }
    assert_int_equal(bench.posts, 0);
    bench.world.http->ops->close(bench.world.http);
    bench.world.http = NULL;
    assert_int_equal(approve_apart(), GL_VENUE_MAY);
    assert_int_equal(bench.issue_count, 1);
}

static int is_clean(void *cookie, const json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT);

    (void)cookie;
    assert_null(strchr(text, '\x1b'));
    assert_null(strstr(text, "\\u001b"));
    assert_null(strstr(text, REQUEST_SECRET));
    free(text);
    return 0;
}

static void hostile_answers_are_harmless(void **state)
{
    (void)state;
    bench.fault = REQUEST_BROKEN;
    bench.faults_left = 1;
    assert_int_equal(approve_apart(), 5);
    assert_int_equal(gl_ledger_events(bench.ledger, NULL, NULL, is_clean, &err), 0);
}

/* Weekly, conditional, and shown as news. */
static void polled(void **state)
{
    enum gl_request_polled found;

    (void)state;
    assert_int_equal(approve_apart(), GL_VENUE_MAY);
    bench.world.http = gl_http_curl_new();
    assert_int_equal(gl_request_poll(&bench.desk, fingerprint, false, &found, &err), 0);
    assert_int_equal(found, GL_POLL_CHANGED); /* votes are known now */
    assert_int_equal(gl_request_poll(&bench.desk, fingerprint, false, &found, &err), 0);
    assert_int_equal(found, GL_POLL_NOT_DUE);
    assert_int_equal(gl_request_poll(&bench.desk, fingerprint, true, &found, &err), 0);
    assert_int_equal(found, GL_POLL_SAME);
    bench.issues[0].comments = 2;
    pass(INT64_C(8) * 86400000);
    assert_int_equal(gl_request_poll(&bench.desk, fingerprint, false, &found, &err), 0);
    assert_int_equal(found, GL_POLL_CHANGED);
    assert_int_equal(record()->state, GL_REQUEST_REPLIED);
    bench.issues[0].is_closed = true;
    pass(INT64_C(8) * 86400000);
    assert_int_equal(gl_request_poll(&bench.desk, fingerprint, false, &found, &err), 0);
    assert_int_equal(record()->state, GL_REQUEST_ENDED);
    assert_int_equal(gl_request_poll(&bench.desk, fingerprint, true, &found, &err), 0);
    assert_int_equal(found, GL_POLL_NO_WAY);
    assert_int_equal(bench.posts, 1); /* never an answer */
    bench.world.http->ops->close(bench.world.http);
    bench.world.http = NULL;
}

static void withdrawn(void **state)
{
    struct gl_request_plan plan = {.action = GL_VENUE_WITHDRAWING, .fingerprint = fingerprint};
    struct gl_venue_preview preview;

    (void)state;
    assert_int_equal(gl_request_preview(&bench.desk, &plan, &preview, &err), -1);
    assert_int_equal(approve_apart(), GL_VENUE_MAY);
    if (gl_request_preview(&bench.desk, &plan, &preview, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(approve_apart(), 5); /* by the digest of the filing */
    memcpy(digest, preview.digest, GL_HASH_HEX);
    gl_venue_preview_done(&preview);
    assert_int_equal(approve_apart(), GL_VENUE_WAIT); /* it notifies people too */
    pass(INT64_C(31) * 86400000);
    assert_int_equal(approve_apart(), GL_VENUE_MAY);
    assert_true(bench.issues[0].is_closed);
    assert_int_equal(record()->state, GL_REQUEST_WITHDRAWN);
}

static void exported(void **state)
{
    json_t *entries;

    (void)state;
    assert_int_equal(approve_apart(), GL_VENUE_MAY);
    entries = gl_requests_export(bench.ledger, &err);
    assert_int_equal(json_array_size(entries), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(entries, 0), "by")),
                        "someone");
    assert_int_equal(json_array_size(json_object_get(json_array_get(entries, 0), "steps")), 1);
    json_decref(entries);
}

/* A clock that is days ahead would look for what was filed from days ahead on: nothing is sent by
 * it, and nothing is lost. */
static void a_clock_far_ahead_sends_nothing(void **state)
{
    const struct gl_request_approval approval = {fingerprint, digest, "someone"};
    struct gl_request_sent sent;

    (void)state;
    bench.tells_date = true;
    bench.world.http = gl_http_curl_new();
    bench.now_ms += 3 * INT64_C(86400000);
    assert_int_equal(gl_request_send(&bench.desk, &approval, &sent, &err), -1);
    if (strstr(err.text, "clock is 72 h ahead") == NULL)
        fail_msg("%s", err.text);
    gl_error_clear(&err);
    assert_int_equal(bench.posts, 0);
    assert_int_equal(record()->attempt, GL_ATTEMPT_FAILED);
    bench.now_ms = bench.true_ms += 2 * INT64_C(3600000);
    assert_int_equal(gl_request_send(&bench.desk, &approval, &sent, &err), 0);
    assert_int_equal(sent.may, GL_VENUE_MAY);
    assert_int_equal(bench.issue_count, 1);
    bench.world.http->ops->close(bench.world.http);
    bench.world.http = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_after_it_was_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_before_it_was_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dies_at_every_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pinned_while_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_far_ahead_sends_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hard_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_search_meets_a_hard_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_answers_are_harmless, set_up, tear_down),
        cmocka_unit_test_setup_teardown(polled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(withdrawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exported, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("requests killed", tests, NULL, NULL);
}
