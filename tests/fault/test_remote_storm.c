/* SPDX-License-Identifier: Apache-2.0 */
/* Launches on a rented cloud while everything goes wrong at once: answers are cut, late, torn,
 * huge, of another kind or not there, what was made does not show yet, throttles, no stock, no
 * quota, machines left over, and the broker is killed at any step and in the middle of any
 * exchange. Whatever came, there is never more than one machine of a launch, and none is left in
 * the end.
 *   GREENLAUNCH_STORM=10000       how many launches (200); `make storm`
 *   GREENLAUNCH_STORM_SEED=123    of the dice (drawn and printed) */
#include "tests/support/rented_bench.h"

#include "base/file.h"
#include "broker/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/no_sync.h"

#define LAUNCHES   200
#define PER_ROUND  150 /* then a fresh ledger and a fresh cloud */
#define PER_BROKER 8   /* launches, if nothing kills it before */
#define HUGE_BYTES ((size_t)17 << 20)

/* ---- dice ---- */

static uint64_t roll(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool one_in(uint64_t *state, unsigned n)
{
    return roll(state) % n == 0;
}

/* ---- the storm: what happens to an exchange ---- */

enum fault {
    HUNG_UP_BEFORE, /* also a TLS handshake that fails: nothing was heard */
    SERVER_ERROR,
    THROTTLED,
    THROTTLED_LONG,
    REDIRECTED,
    CUT_AFTER,
    LOST_AFTER,
    TORN,
    HTML_INSTEAD,
    ERROR_AFTER,
    LATE,
    HUGE,
    KILLED_BEFORE,
    KILLED_AFTER,
    FAULTS
};
static const char *const fault_words[FAULTS] = {
    "not heard",     "503",         "throttled", "throttled for long", "redirected", "cut after",
    "lost after",    "torn",        "html",      "500 after",          "late",       "huge",
    "killed before", "killed after"};

struct storm {
    struct rented_bench bench;
    uint64_t dice;  /* of the parent and its server: under the server's lock while a broker lives */
    bool is_raging; /* only brokers that may be killed meet faults */
    pid_t broker;
    unsigned met[FAULTS], doubled, killed, rounds;
    struct shared {
        unsigned launches; /* begun, ever */
        unsigned limit;    /* of this round */
        unsigned steps;
    } * shared;
};
static struct storm storm;

static bool is_api(const struct gl_test_request *request)
{
    return strncmp(request->path, "/compute/", 9) == 0;
}

static bool is_insert(const struct gl_test_request *request)
{
    size_t length = strlen(request->path);

    return strcmp(request->method, "POST") == 0 && length > 10 &&
           strcmp(request->path + length - 10, "/instances") == 0;
}

static void kill_broker(enum fault how)
{
    storm.met[how]++;
    kill(storm.broker, SIGKILL);
}

static void refuse(struct gl_test_answer *out, int status, const char *reason)
{
    char text[160];

    snprintf(text, sizeof text,
             "{\"error\":{\"code\":%d,\"message\":\"storm\",\"errors\":[{\"reason\":\"%s\"}]}}",
             status, reason);
    gl_test_answer_text(out, status, "application/json", text);
}

/* True: it was not heard. */
static bool before(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out)
{
    uint64_t *dice = &storm.dice;
    enum fault fault;

    (void)cookie;
    if (!storm.is_raging || !is_api(request))
        return false;
    if (is_insert(request) && one_in(dice, 24)) {
        kill_broker(KILLED_BEFORE);
        out->is_hung_up = true;
        return one_in(dice, 2); /* or it was on its way already */
    }
    if (!one_in(dice, is_insert(request) ? 6 : 16))
        return false;
    fault = (enum fault)(roll(dice) % 5);
    storm.met[fault]++;
    switch (fault) {
    case HUNG_UP_BEFORE:
        out->is_hung_up = true;
        break;
    case SERVER_ERROR:
        refuse(out, 503, "backendError");
        break;
    case THROTTLED:
        refuse(out, 403, "rateLimitExceeded");
        break;
    case THROTTLED_LONG:
        refuse(out, 429, "rateLimitExceeded");
        gl_str_add(&out->headers, "Retry-After: 40\r\n");
        break;
    default:
        gl_test_answer_text(out, 302, "text/html", "moved");
        gl_str_add(&out->headers, "Location: https://elsewhere.example/\r\n");
        break;
    }
    return true;
}

static void spoil(enum fault fault, struct gl_test_answer *out)
{
    switch (fault) {
    case CUT_AFTER:
        out->cut_after = 20 + roll(&storm.dice) % 100;
        break;
    case LOST_AFTER:
        out->is_hung_up = true;
        break;
    case TORN:
        if (out->body.length > 4)
            out->body.text[out->body.length /= 2] = '\0';
        break;
    case HTML_INSTEAD:
        gl_str_clear(&out->body);
        gl_str_clear(&out->headers);
        gl_test_answer_text(out, 200, "text/html", "<html>a proxy speaks</html>");
        break;
    case ERROR_AFTER:
        gl_str_clear(&out->body);
        gl_str_clear(&out->headers);
        refuse(out, 500, "backendError");
        break;
    case LATE:
        out->delay_ms = 20;
        break;
    default:
        out->flood_bytes = HUGE_BYTES;
        break;
    }
}

/* Machines of one launch that are there: what never started and what is switched off do not count.
 */
static void count_doubles(void)
{
    const struct fake_gcp *fake = &storm.bench.fake;
    const json_t *newest = fake->count > 0 ? fake->instances[fake->count - 1] : NULL;
    const char *launch = json_string_value(
        json_object_get(json_object_get(newest, "labels"), "greenlaunch-request"));
    unsigned count = 0;

    for (size_t i = 0; launch != NULL && i < fake->count; i++) {
        const json_t *labels = json_object_get(fake->instances[i], "labels");
        const char *other = json_string_value(json_object_get(labels, "greenlaunch-request"));
        const char *status = json_string_value(json_object_get(fake->instances[i], "status"));

        count += other != NULL && strcmp(other, launch) == 0 && strcmp(status, "RUNNING") == 0;
    }
    storm.doubled += count > 1;
}

static void after(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out)
{
    uint64_t *dice = &storm.dice;
    enum fault fault;

    (void)cookie;
    if (is_insert(request))
        count_doubles();
    if (!storm.is_raging || !is_api(request))
        return;
    if (one_in(dice, is_insert(request) ? 24 : 150)) {
        kill_broker(KILLED_AFTER);
        return;
    }
    if (!one_in(dice, is_insert(request) ? 5 : 20))
        return;
    fault = (enum fault)(CUT_AFTER + roll(dice) % (HUGE - CUT_AFTER + 1));
    if (fault == HUGE && !one_in(dice, 20))
        fault = CUT_AFTER; /* they cost time */
    storm.met[fault]++;
    spoil(fault, out);
}

/* ---- a broker ---- */

static uint64_t own_dice; /* of a broker's process */

static void checkpoint(void *cookie, const char *step)
{
    (void)cookie;
    (void)step;
    storm.shared->steps++;
    if (one_in(&own_dice, 30))
        kill(getpid(), SIGKILL);
}

static const char *any_type(void)
{
    static const char *const types[] = {RENTED_TYPE,  RENTED_TYPE, RENTED_TYPE,
                                        "m-stockout", "m-quota",   "m-leftover",
                                        "m-lost",     RENTED_TYPE, RENTED_TYPE};

    return types[roll(&own_dice) % (sizeof types / sizeof *types)];
}

static int elsewhere(void *cookie, const struct gl_cloud *cloud, const struct gl_error *why,
                     struct gl_order *order, struct gl_error *err)
{
    (void)cookie;
    (void)cloud;
    (void)why;
    (void)err;
    order->launch.type = any_type();
    return !one_in(&own_dice, 4);
}

static void one_life(struct rented_bench *bench)
{
    struct gl_order order = rented_bench_order(bench, any_type());
    struct gl_instance instance;
    struct gl_reconciled counts;
    struct gl_error err = {0}, second = {0}, third = {0};
    int result;

    storm.shared->launches++;
    order.elsewhere = elsewhere;
    result = gl_launch_start(&bench->launcher, &order, &instance, &err);
    json_decref((json_t *)(uintptr_t)order.plan);
    bench->clock->slept_ms += (int64_t)(roll(&own_dice) % 40) * 1000;
    if (one_in(&own_dice, 3))
        gl_launch_reconcile(&bench->launcher, &counts, &second);
    if (result == 0 && !one_in(&own_dice, 3))
        rented_bench_finish(bench, instance.launch_id, NULL, &third);
}

static void broker(uint64_t seed)
{
    struct rented_bench *bench = &storm.bench;

    own_dice = seed | 1;
    rented_bench_attach(bench);
    bench->launcher.checkpoint = checkpoint;
    for (unsigned i = 0; i < PER_BROKER && storm.shared->launches < storm.shared->limit; i++)
        one_life(bench);
    _exit(0);
}

/* Let one live, and die. */
static void run_broker(void)
{
    uint64_t seed = roll(&storm.dice);
    int status = -1;

    rented_bench_detach(&storm.bench); /* neither ledger nor connections cross fork() */
    storm.bench.fake.lag_ms = (int64_t)(roll(&storm.dice) % 12000);
    storm.broker = fork();
    if (storm.broker == 0)
        broker(seed);
    storm.is_raging = true;
    while (waitpid(storm.broker, &status, 0) < 0 && errno == EINTR) {
    }
    storm.is_raging = false;
    storm.killed += WIFSIGNALED(status);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        assert_int_equal(status, 0);
    rented_bench_attach(&storm.bench);
}

/* ---- what must hold ---- */

static struct gl_reconciled reconciled(void)
{
    struct gl_reconciled counts;
    struct gl_error err = {0};

    if (gl_launch_reconcile(&storm.bench.launcher, &counts, &err) != 0)
        fail_msg("%s", err.text);
    if (counts.failed > 0)
        fail_msg("%s", counts.first.text);
    return counts;
}

/* A launch that ran has a receipt that holds; one that did not has none, and no machine. */
static void check_row(const struct gl_launch_row *row)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(storm.bench.folder, "broker.pub");
    struct gl_receipt_check check = {0};
    struct gl_public_key key;
    struct gl_error err = {0};

    if (strcmp(row->state, "ended") != 0 && strcmp(row->state, "lost") != 0)
        fail_msg("launch %s is %s", row->launch, row->state);
    if (row->instance[0] == '\0')
        return;
    if (gl_public_key_read(path, &key, &err) != 0 ||
        gl_receipt_verify(row->receipt, strlen(row->receipt), &key, &check, &err) != 0)
        fail_msg("launch %s: %s", row->launch, err.text);
    gl_receipt_check_done(&check);
}

static int show_event(void *cookie, const json_t *event)
{
    GL_AUTO(gl_auto_free) char *text = json_dumps(event, JSON_COMPACT);

    (void)cookie;
    print_message("    %.300s\n", text);
    return 0;
}

/* What is left over, with all that is known of it. */
static void show_orphans(void)
{
    const struct fake_gcp *fake = &storm.bench.fake;
    struct gl_error ignored = {0};

    for (size_t i = 0; i < fake->count; i++) {
        const json_t *labels = json_object_get(fake->instances[i], "labels");
        const char *launch = json_string_value(json_object_get(labels, "greenlaunch-request"));

        if (launch == NULL)
            continue;
        print_message("  left: %s of %s, %s, type %s\n",
                      json_string_value(json_object_get(fake->instances[i], "name")), launch,
                      json_string_value(json_object_get(fake->instances[i], "status")),
                      json_string_value(json_object_get(fake->instances[i], "machineType")));
        gl_ledger_events(storm.bench.ledger, launch, NULL, show_event, &ignored);
    }
}

/* After the storm, and after all leases. */
static void check_round(void)
{
    struct gl_launch_rows rows;
    struct gl_ledger_check check;
    struct gl_reconciled again;
    struct gl_error err = {0};

    storm.bench.clock->slept_ms += 100000;
    reconciled();
    storm.bench.clock->slept_ms += (RENTED_LEASE_S + 100) * 1000;
    reconciled();
    again = reconciled();
    assert_int_equal(again.adopted + again.absent + again.reaped + again.finished + again.lost, 0);
    assert_int_equal(again.unknown, 0);
    assert_int_equal(storm.doubled, 0);
    show_orphans();
    assert_int_equal(fake_gcp_running(&storm.bench.fake), 0);
    if (gl_ledger_check(storm.bench.ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(gl_ledger_launches(storm.bench.ledger, NULL, &rows, &err), 0);
    for (size_t i = 0; i < rows.count; i++)
        check_row(&rows.rows[i]);
    gl_launch_rows_free(&rows);
}

static void one_round(unsigned launches)
{
    unsigned met = 0;

    rented_bench_open(&storm.bench, "test_remote_storm");
    storm.bench.clock->random = roll(&storm.dice);
    storm.bench.is_mute = storm.rounds++ % 4 != 0;
    storm.bench.fake.before = before;
    storm.bench.fake.after = after;
    storm.shared->limit = storm.shared->launches + launches;
    while (storm.shared->launches < storm.shared->limit)
        run_broker();
    check_round();
    rented_bench_close(&storm.bench);
    for (unsigned f = 0; f < FAULTS; f++)
        met += storm.met[f];
    assert_true(met > 0);
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static void no_orphan_and_no_double_launch(void **state)
{
    unsigned wanted = (unsigned)number_of("GREENLAUNCH_STORM", LAUNCHES);
    uint64_t seed = number_of("GREENLAUNCH_STORM_SEED", (uint64_t)time(NULL) << 8 | 1);

    (void)state;
    storm.dice = seed | 1;
    print_message("storm: seed %" PRIu64 ", %u launches\n", seed, wanted);
    storm.shared =
        mmap(NULL, sizeof *storm.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(storm.shared != MAP_FAILED);
    while (storm.shared->launches < wanted) {
        unsigned left = wanted - storm.shared->launches;

        one_round(left < PER_ROUND ? left : PER_ROUND);
        if (wanted > PER_ROUND)
            print_message("%u launches, %u brokers killed\n", storm.shared->launches, storm.killed);
    }
    for (unsigned f = 0; f < FAULTS; f++)
        print_message("%8u %s\n", storm.met[f], fault_words[f]);
    print_message("%u launches, %u brokers killed, %u steps\n", storm.shared->launches,
                  storm.killed, storm.shared->steps);
    assert_true(storm.killed > 0);
    munmap(storm.shared, sizeof *storm.shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_orphan_and_no_double_launch)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
