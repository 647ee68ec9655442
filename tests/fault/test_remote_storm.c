/* SPDX-License-Identifier: Apache-2.0 */
/* Launches on rented clouds while everything goes wrong at once: handshakes are cut or end with a
 * certificate that must not be trusted, answers are cut, late, torn, huge, of another kind or not
 * there, what was made does not show yet, throttles, no stock, no quota, machines left over, and
 * the broker is killed at any step and in the middle of any exchange. Whatever came, there is never
 * more than one machine of a launch, and none is left in the end. Each round is on another cloud.
 *   GREENLAUNCH_STORM=10000       how many launches (200); `make storm`
 *   GREENLAUNCH_STORM_SEED=123    of the dice (drawn and printed)
 *   GREENLAUNCH_STORM_CLOUD=aws   on this cloud alone */
#include "tests/support/rented_bench.h"

#include "base/file.h"
#include "broker/receipt.h"
#include "tests/support/fake_gcp.h"
#include "tests/support/storm_cloud.h"
#include "tests/support/test_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/no_sync.h"

#define LAUNCHES   200
#define PER_ROUND  25 /* then a fresh ledger and another cloud */
#define PER_BROKER 8  /* launches, if nothing kills it before */
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
    HANDSHAKE_CUT, /* in the order of enum gl_test_handshake */
    STRANGER,
    EXPIRED,
    OTHER_HOST,
    HUNG_UP_BEFORE,
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
static const char *const fault_words[FAULTS] = {"handshake cut",
                                                "certificate of a stranger",
                                                "certificate expired",
                                                "certificate of another host",
                                                "not heard",
                                                "500",
                                                "throttled",
                                                "throttled for long",
                                                "redirected",
                                                "cut after",
                                                "lost after",
                                                "torn",
                                                "html",
                                                "500 after",
                                                "late",
                                                "huge",
                                                "killed before",
                                                "killed after"};

struct storm {
    struct rented_bench bench;
    struct storm_cloud cloud;
    unsigned launched[GL_COUNTERPARTS], made[GL_COUNTERPARTS];
    uint64_t dice;  /* of the parent and its server: under the server's lock while a broker lives */
    bool is_raging; /* only brokers that may be killed meet faults */
    pid_t broker;
    unsigned met[FAULTS], gullible, doubled, killed, rounds;
    struct shared *shared;
    int shared_fd;
};
static struct storm storm;

/* What a broker is told and tells, in memory of both. */
struct shared {
    unsigned launches; /* begun, ever */
    unsigned limit;    /* of this round */
    unsigned steps;
    uint64_t seed; /* of the next broker's dice */
    char cloud[32], folder[256], url[64], own_url[64], ca[8192];
};
#define SHARED_FD 9 /* of a broker */

static void kill_broker(enum fault how)
{
    storm.met[how]++;
    kill(storm.broker, SIGKILL);
}

static void refuse(struct gl_test_answer *out, const struct gl_counterpart_word *word)
{
    gl_test_answer_text(out, word->status, word->type, word->body);
}

static enum gl_test_handshake handshake(void *cookie)
{
    enum fault fault;

    (void)cookie;
    if (!storm.is_raging || !one_in(&storm.dice, 12))
        return GL_HANDSHAKE_FINE;
    fault = (enum fault)(roll(&storm.dice) % (OTHER_HOST + 1));
    storm.met[fault]++;
    return (enum gl_test_handshake)(GL_HANDSHAKE_CUT + (int)fault);
}

/* True: it was not heard. */
static bool before(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out)
{
    const struct gl_counterpart *kind = storm.cloud.kind;
    bool is_create = gl_counterpart_is_create(kind, request);
    uint64_t *dice = &storm.dice;
    enum fault fault;

    (void)cookie;
    storm.gullible += request->handshake != GL_HANDSHAKE_FINE;
    if (!storm.is_raging)
        return false;
    if (is_create && one_in(dice, 24)) {
        kill_broker(KILLED_BEFORE);
        out->is_hung_up = true;
        return one_in(dice, 2); /* or it was on its way already */
    }
    if (!one_in(dice, is_create ? 6 : 16))
        return false;
    fault = (enum fault)(HUNG_UP_BEFORE + roll(dice) % (REDIRECTED - HUNG_UP_BEFORE + 1));
    storm.met[fault]++;
    switch (fault) {
    case HUNG_UP_BEFORE:
        out->is_hung_up = true;
        break;
    case SERVER_ERROR:
        refuse(out, &kind->broken);
        break;
    case THROTTLED:
        refuse(out, &kind->throttled);
        break;
    case THROTTLED_LONG:
        refuse(out, &kind->throttled);
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
        refuse(out, &storm.cloud.kind->broken);
        break;
    case LATE:
        out->delay_ms = 20;
        break;
    default:
        out->flood_bytes = HUGE_BYTES;
        break;
    }
}

static void after(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out)
{
    bool is_create = gl_counterpart_is_create(storm.cloud.kind, request);
    uint64_t *dice = &storm.dice;
    enum fault fault;

    (void)cookie;
    if (is_create && out->status >= 200 && out->status < 300) {
        storm.made[storm.cloud.kind - gl_counterparts]++;
        storm.doubled += gl_counterpart_most(storm.cloud.kind, storm.cloud.fake) > 1;
    }
    if (!storm.is_raging)
        return;
    if (one_in(dice, is_create ? 24 : 150)) {
        kill_broker(KILLED_AFTER);
        return;
    }
    if (!one_in(dice, is_create ? 5 : 20))
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

/* The first one in half of all cases: it does what it should. */
static const char *any_type(void)
{
    const char *const *types = storm.cloud.kind->types;
    size_t count = 0;

    while (count < GL_COUNTERPART_TYPES && types[count] != NULL)
        count++;
    return one_in(&own_dice, 2) ? types[0] : types[roll(&own_dice) % count];
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
    order.cloud = storm.cloud.kind->cloud;
    order.launch.region = storm.cloud.kind->region;
    order.elsewhere = elsewhere;
    result = gl_launch_start(&bench->launcher, &order, &instance, &err);
    json_decref((json_t *)(uintptr_t)order.plan);
    bench->clock->slept_ms += (int64_t)(roll(&own_dice) % 40) * 1000;
    if (one_in(&own_dice, 3))
        gl_launch_reconcile(&bench->launcher, &counts, &second);
    if (result == 0 && !one_in(&own_dice, 3))
        rented_bench_finish(bench, instance.launch_id, NULL, &third);
}

static struct gl_cloud *open_stormed(void *cookie, const char *name, const char *zone,
                                     struct gl_error *err)
{
    (void)cookie;
    (void)name;
    (void)zone;
    return storm_cloud_connect(&storm.cloud, &storm.bench.world, err);
}

static void attach(void)
{
    rented_bench_attach(&storm.bench);
    storm_cloud_enter(&storm.cloud, &storm.bench.world);
    storm.bench.launcher.open = open_stormed;
}

static void map_shared(int fd)
{
    storm.shared = mmap(NULL, sizeof *storm.shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(storm.shared != MAP_FAILED);
}

/* This program, started for one. */
static int broker(void)
{
    struct rented_bench *bench = &storm.bench;
    struct gl_counterpart_way way;

    map_shared(SHARED_FD);
    way = (struct gl_counterpart_way){
        .url = storm.shared->url, .own_url = storm.shared->own_url, .folder = storm.shared->folder};
    own_dice = storm.shared->seed | 1;
    rented_bench_join(bench, way.folder);
    storm_cloud_join(&storm.cloud, gl_counterpart_of(storm.shared->cloud), &way,
                     storm.shared->ca[0] != '\0' ? storm.shared->ca : NULL);
    attach();
    bench->launcher.checkpoint = checkpoint;
    for (unsigned i = 0; i < PER_BROKER && storm.shared->launches < storm.shared->limit; i++)
        one_life(bench);
    _exit(0);
}

/* A program of its own, not a fork of this one: the counterpart's threads may hold any lock. */
static pid_t spawn_broker(void)
{
    char *argv[] = {(char[]){"broker"}, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, storm.shared_fd, SHARED_FD);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* Let one live, and die. */
static void run_broker(void)
{
    int status = -1;

    storm.shared->seed = roll(&storm.dice);
    rented_bench_detach(&storm.bench); /* one of them has the ledger at a time */
    if (strcmp(storm.cloud.kind->cloud, "gcp") == 0)
        ((struct fake_gcp *)storm.cloud.fake)->lag_ms = (int64_t)(roll(&storm.dice) % 12000);
    storm.broker = spawn_broker();
    storm.is_raging = true;
    while (waitpid(storm.broker, &status, 0) < 0 && errno == EINTR) {
    }
    storm.is_raging = false;
    storm.killed += WIFSIGNALED(status);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        assert_int_equal(status, 0);
    attach();
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
    const struct gl_counterpart *kind = storm.cloud.kind;
    struct gl_error ignored = {0};
    const char *launch;
    char id[GL_CLOUD_ID];

    for (size_t i = 0; (launch = kind->launch_of(storm.cloud.fake, i)) != NULL; i++) {
        if (launch[0] == '\0')
            continue;
        print_message("  left on %s: %s\n", kind->cloud, launch);
        snprintf(id, sizeof id, "%.11s", launch); /* a name goes on with the attempt */
        gl_ledger_events(storm.bench.ledger, id, NULL, show_event, &ignored);
    }
}

static void check_left(void)
{
    const struct gl_counterpart *kind = storm.cloud.kind;
    size_t left = kind->left(storm.cloud.fake);

    if (left > 0)
        fail_msg("%zu left on %s", left, kind->cloud);
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
    assert_int_equal(storm.gullible, 0); /* nobody spoke where no trust was */
    show_orphans();
    check_left();
    if (gl_ledger_check(storm.bench.ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(gl_ledger_launches(storm.bench.ledger, NULL, &rows, &err), 0);
    for (size_t i = 0; i < rows.count; i++)
        check_row(&rows.rows[i]);
    gl_launch_rows_free(&rows);
}

/* Where brokers find the cloud of this round. */
static void tell_way(void)
{
    struct gl_counterpart_way way = storm_cloud_way(&storm.cloud, storm.bench.folder);
    struct shared *shared = storm.shared;

    snprintf(shared->cloud, sizeof shared->cloud, "%s", storm.cloud.kind->cloud);
    snprintf(shared->folder, sizeof shared->folder, "%s", way.folder);
    snprintf(shared->url, sizeof shared->url, "%s", way.url);
    snprintf(shared->own_url, sizeof shared->own_url, "%s", way.own_url);
    snprintf(shared->ca, sizeof shared->ca, "%s", storm.cloud.ca != NULL ? storm.cloud.ca : "");
}

/* Readings come back from one of them: its machines have meters. */
static void set_meters(void)
{
    struct fake_gcp *fake = storm.cloud.fake;

    storm.bench.is_mute = storm.rounds++ % 4 == 3;
    if (strcmp(storm.cloud.kind->cloud, "gcp") != 0)
        return;
    fake->slept_ms = &storm.bench.clock->slept_ms;
    fake->console = rented_bench_console;
    fake->console_cookie = &storm.bench;
}

static void one_round(const struct gl_counterpart *kind, unsigned launches)
{
    const struct fault_proxy_hooks hooks = {
        .before = before, .after = after, .handshake = handshake};
    unsigned met = 0, begun = storm.shared->launches;

    rented_bench_open(&storm.bench, "test_remote_storm");
    test_clock_follow(&storm.bench.clock->slept_ms);
    storm.bench.clock->random = roll(&storm.dice);
    rented_bench_detach(&storm.bench);
    storm_cloud_open(&storm.cloud, kind, storm.bench.folder, &hooks);
    tell_way();
    attach();
    set_meters();
    storm.shared->limit = begun + launches;
    while (storm.shared->launches < storm.shared->limit)
        run_broker();
    check_round();
    storm.launched[kind - gl_counterparts] += storm.shared->launches - begun;
    test_clock_follow(NULL);
    storm_cloud_close(&storm.cloud);
    rented_bench_close(&storm.bench);
    for (unsigned f = 0; f < FAULTS; f++)
        met += storm.met[f];
    assert_true(met > 0);
    assert_true(storm.made[kind - gl_counterparts] > 0);
}

/* All of them before one comes again, in an order that the dice give. */
static const struct gl_counterpart *next_cloud(void)
{
    static const struct gl_counterpart *order[GL_COUNTERPARTS];
    static size_t left;
    const char *only = getenv("GREENLAUNCH_STORM_CLOUD");
    const struct gl_counterpart *taken;
    size_t at;

    if (only != NULL && gl_counterpart_of(only) != NULL)
        return gl_counterpart_of(only);
    for (; left == 0; left = GL_COUNTERPARTS)
        for (size_t i = 0; i < GL_COUNTERPARTS; i++)
            order[i] = &gl_counterparts[i];
    at = roll(&storm.dice) % left;
    taken = order[at];
    order[at] = order[--left];
    return taken;
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
    storm.shared_fd = memfd_create("storm", MFD_CLOEXEC);
    assert_int_equal(ftruncate(storm.shared_fd, sizeof *storm.shared), 0);
    map_shared(storm.shared_fd);
    while (storm.shared->launches < wanted) {
        unsigned left = wanted - storm.shared->launches;

        one_round(next_cloud(), left < PER_ROUND ? left : PER_ROUND);
        if (wanted > LAUNCHES)
            print_message("%u launches, %u brokers killed\n", storm.shared->launches, storm.killed);
    }
    for (size_t i = 0; i < GL_COUNTERPARTS; i++)
        print_message("%8u launches, %u creates on %s\n", storm.launched[i], storm.made[i],
                      gl_counterparts[i].cloud);
    for (unsigned f = 0; f < FAULTS; f++)
        print_message("%8u %s\n", storm.met[f], fault_words[f]);
    print_message("%u launches, %u brokers killed, %u steps\n", storm.shared->launches,
                  storm.killed, storm.shared->steps);
    assert_true(storm.killed > 0);
    munmap(storm.shared, sizeof *storm.shared);
    close(storm.shared_fd);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_orphan_and_no_double_launch)};

    if (argc > 0 && strcmp(argv[0], "broker") == 0)
        return broker();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
