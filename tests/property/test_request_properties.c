/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever happens in whatever order (previews, approvals right and wrong, processes that die at
 * any look at clock or environment, venues that fail, clocks that jump, kill switches, lifts, a
 * person's word): nothing is filed without approval, nothing twice, nothing beyond the rates. */
#include "tests/support/request_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define SEQUENCES 40
#define ACTIONS   30
#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    (24 * HOUR_MS)
#define REGIONS   5
#define DIED      9 /* how a process ends that dies at a look */

static const char *const regions[REGIONS] = {"eu-central-1", "eu-west-1", "us-east-1", "eu-north-1",
                                             "us-west-2"};

static struct request_bench bench;
static uint64_t seed;
static char digests[REGIONS][GL_HASH_HEX]; /* of the last preview; "" = none */
static bool is_approved[REGIONS];          /* a person ever said yes to a right digest */
static unsigned counted;                   /* what was ever filed, over all sequences */

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static unsigned below(unsigned limit)
{
    return (unsigned)(next() % limit);
}

/* ---- what must hold ---- */

static void check_rates(size_t index)
{
    const struct request_issue *issue = &bench.issues[index];
    unsigned in_a_day = 0;

    for (size_t i = 0; i < index; i++) {
        const struct request_issue *before = &bench.issues[i];
        int64_t apart_ms = issue->at_ms - before->at_ms;

        in_a_day += apart_ms < DAY_MS;
        if (before->repo == issue->repo && apart_ms < 30 * DAY_MS)
            fail_msg("twice at o/r%d within %" PRId64 " h", issue->repo, apart_ms / HOUR_MS);
    }
    if (in_a_day > 2)
        fail_msg("%u in a day", in_a_day + 1);
}

static void check(void)
{
    char fingerprint[GL_HASH_HEX];

    for (size_t i = 0; i < REGIONS; i++) {
        request_bench_fingerprint(regions[i], fingerprint);
        if (request_bench_filed(&bench, fingerprint) > 1)
            fail_msg("%s was filed twice", regions[i]);
        if (request_bench_filed(&bench, fingerprint) > 0 && !is_approved[i])
            fail_msg("%s was filed without approval", regions[i]);
    }
    for (size_t i = 0; i < bench.issue_count; i++)
        check_rates(i);
}

/* ---- what happens ---- */

/* In a process of its own, which may die at its n-th look. Returns how it ended. */
static int send_apart(const struct gl_request_approval *approval, unsigned die_at)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        struct gl_request_sent sent;
        struct gl_error err = {0};

        bench.looks = 0;
        bench.ledger = NULL; /* the parent's */
        request_bench_reopen(&bench);
        bench.die_at = die_at;
        bench.world.http = gl_http_curl_new();
        status = gl_request_send(&bench.desk, approval, &sent, &err) == 0 ? (int)sent.may : 5;
        _exit(status);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void preview(unsigned region)
{
    struct gl_error err = {0};

    request_bench_preview(&bench, regions[region], (int)(region % REQUEST_REPOS), digests[region],
                          &err);
}

static void act_preview(void)
{
    preview(below(REGIONS));
}

/* Of the latest digest, of a wrong one, of too few digits, of nobody; to live or to die. */
static void act_approve(void)
{
    static const char wrong[] = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    unsigned region = below(REGIONS), kind = below(9);
    char fingerprint[GL_HASH_HEX], part[8];
    struct gl_request_approval approval = {
        .id = fingerprint, .digest = digests[region], .by = "someone"};
    size_t before = bench.issue_count;
    int end;

    request_bench_fingerprint(regions[region], fingerprint);
    snprintf(part, sizeof part, "%.6s", digests[region]);
    if (kind == 0)
        approval.digest = wrong;
    else if (kind == 1)
        approval.digest = part;
    else if (kind == 2)
        approval.by = " ";
    else
        is_approved[region] |= digests[region][0] != '\0';
    end = send_apart(&approval, below(2) == 0 ? 1 + below(7) : 0);
    if (end == DIED) /* the next process comes at once */
        end = send_apart(&approval, 0);
    if (kind < 3 && bench.issue_count != before)
        fail_msg("approval of kind %u filed something", kind);
    if (kind < 3 && end == GL_VENUE_MAY)
        fail_msg("approval of kind %u was taken", kind);
}

/* Twice at the same instant. */
static void act_approve_twice(void)
{
    unsigned region = below(REGIONS);
    char fingerprint[GL_HASH_HEX];
    const struct gl_request_approval approval = {fingerprint, digests[region], "someone"};
    pid_t child;
    int status;

    request_bench_fingerprint(regions[region], fingerprint);
    is_approved[region] |= digests[region][0] != '\0';
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(send_apart(&approval, 0) & 0xff);
    send_apart(&approval, 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void act_time(void)
{
    static const int64_t steps[] = {2000,       HOUR_MS,     9 * HOUR_MS,
                                    2 * DAY_MS, 12 * DAY_MS, 31 * DAY_MS};
    int64_t step = steps[below(6)];

    bench.now_ms += step;
    bench.true_ms += step;
}

/* Only backwards: what a clock that is ahead allows, it allows rightly as far as it knows. */
static void act_clock_back(void)
{
    static const int64_t steps[] = {HOUR_MS, 3 * DAY_MS, 40 * DAY_MS};

    bench.now_ms -= steps[below(3)];
}

static void act_fault(void)
{
    bench.fault = (enum request_fault)below(REQUEST_BROKEN + 1);
    bench.faults_left = 1 + below(2);
}

static void act_switch(void)
{
    char *path = gl_path_join(bench.folder, GL_VENUE_KILL_SWITCH);
    char fingerprint[GL_HASH_HEX];
    size_t before = bench.issue_count;
    struct gl_error err = {0};
    struct gl_request_approval approval = {fingerprint, NULL, "someone"};

    assert_int_equal(gl_file_write(path, "", 0, 0600, &err), 0);
    for (unsigned i = 0; i < 2; i++) {
        unsigned region = below(REGIONS);

        request_bench_fingerprint(regions[region], fingerprint);
        approval.digest = digests[region];
        assert_int_not_equal(send_apart(&approval, 0), GL_VENUE_MAY);
    }
    assert_int_equal(bench.issue_count, before);
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void act_lift(void)
{
    struct gl_error err = {0};
    char place[256];

    for (int repo = 0; repo < REQUEST_REPOS; repo++) {
        snprintf(place, sizeof place, "github o/r%d at %s", repo, bench.endpoint);
        gl_request_lift(&bench.desk, place, "someone", "looked", &err);
    }
}

/* A person tells the truth. */
static void act_settle(void)
{
    struct gl_error err = {0};
    char fingerprint[GL_HASH_HEX];

    request_bench_fingerprint(regions[below(REGIONS)], fingerprint);
    gl_request_settle(&bench.desk, fingerprint,
                      request_bench_filed(&bench, fingerprint) > 0 ? "https://example.com/1" : NULL,
                      "someone", &err);
}

static void act_withdraw(void)
{
    struct gl_request_plan plan = {.action = GL_VENUE_WITHDRAWING};
    struct gl_venue_preview preview;
    struct gl_error err = {0};
    unsigned region = below(REGIONS);
    char fingerprint[GL_HASH_HEX];

    request_bench_fingerprint(regions[region], fingerprint);
    plan.fingerprint = fingerprint;
    if (gl_request_preview(&bench.desk, &plan, &preview, &err) != 0)
        return;
    memcpy(digests[region], preview.digest, GL_HASH_HEX);
    gl_venue_preview_done(&preview);
}

static void run_sequence(uint64_t number)
{
    static void (*const acts[])(void) = {
        act_preview, act_preview, act_preview, act_approve, act_approve,       act_approve,
        act_approve, act_time,    act_time,    act_fault,   act_approve_twice, act_clock_back,
        act_switch,  act_lift,    act_settle,  act_withdraw};
    struct gl_ledger_check checked;
    struct gl_error err = {0};

    seed = number * UINT64_C(0x9E3779B97F4A7C15) + 1;
    memset(digests, 0, sizeof digests);
    memset(is_approved, 0, sizeof is_approved);
    request_bench_up(&bench, "requests");
    for (unsigned region = 0; region < REGIONS; region++)
        preview(region);
    for (int i = 0; i < ACTIONS; i++) {
        acts[below(sizeof acts / sizeof acts[0])]();
        check();
    }
    assert_int_equal(gl_ledger_check(bench.ledger, &checked, &err), 0);
    counted += (unsigned)bench.issue_count;
    request_bench_down(&bench);
}

static void nothing_unapproved_twice_or_too_often(void **state)
{
    const char *only = getenv("GREENLAUNCH_SEED");

    (void)state;
    counted = 0;
    for (uint64_t i = only != NULL ? strtoull(only, NULL, 10) : 1;
         i <= (only != NULL ? strtoull(only, NULL, 10) : SEQUENCES); i++) {
        print_message("seed %" PRIu64 "\n", i);
        run_sequence(i);
    }
    /* Else nothing was tried. */
    assert_true(only != NULL || counted > SEQUENCES);
    print_message("%u filed in %d sequences\n", counted, SEQUENCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_unapproved_twice_or_too_often)};

    return cmocka_run_group_tests_name("request properties", tests, NULL, NULL);
}
