/* SPDX-License-Identifier: Apache-2.0 */
/* `request feed` as a command: consent, what leaves and what does not, merging files, and a disk
 * that fails at call number N (failing_disk.h). */
#undef _FORTIFY_SOURCE
#include "tests/support/failing_disk.h"

#include "base/file.h"
#include "broker/cli/request_feed.h"
#include "broker/receipt.h"
#include "tests/support/feed_bench.h"
#include "tests/support/scratch.h"

#include <sys/wait.h>

int fsync(int fd)
{
    (void)fd;
    return strikes(true) ? -1 : 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return strikes(true) ? -1 : 0;
}

/* ---- the bench ---- */

/* Each stands in every input that has a place for it, and may stand in no output. */
#define ACCOUNT "210987654321"
#define HOST    "build-7.corp.example"
#define TAG     "project-nightingale"
#define PRICE   "0.4711"
#define USER    "mallory"
#define ADDRESS "203.0.113.77"
static const char *const planted[] = {ACCOUNT, HOST, TAG, PRICE, USER, ADDRESS};
static const char *const environment[] = {"AWS_ACCOUNT_ID=" ACCOUNT, "HOSTNAME=" HOST, "USER=" USER,
                                          "SSH_CLIENT=" ADDRESS, NULL};

static char *folder;
static struct gl_world *world;
static struct gl_context context;
static struct gl_error err;

static void open_context(void)
{
    context = (struct gl_context){.world = *world,
                                  .globals = {.state = folder, .is_quiet = true},
                                  .columns = 200,
                                  .command = "request"};
    gl_error_clear(&err);
}

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make("test_feed_request");
    world = gl_world_fixed_new(NOW_S * 1000, 1, environment);
    open_context();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_context_done(&context);
    gl_world_fixed_free(world);
    scratch_remove(folder);
    return 0;
}

static void again(void)
{
    gl_context_done(&context);
    open_context();
}

static struct gl_ledger *must_ledger(void)
{
    struct gl_ledger *ledger = gl_context_ledger(&context, &err);

    if (ledger == NULL)
        fail_msg("%s", err.text);
    return ledger;
}

static void record(const char *region, int month, int day, bool is_demo)
{
    static int launches;
    struct gl_demand demand = {
        .provider = "aws",
        .family = "m5",
        .rule = RULE,
        .limit_u = GL_UNKNOWN,
        .found_u = GL_UNKNOWN,
        .key = GL_KEYS,
        .wanted_ms = INT64_C(4) * 3600 * 1000,
        .grade = GL_GRADE_B,
        .lost_ms = GL_UNKNOWN,
        .extra_ug = GL_UNKNOWN,
        .at_ms = (gl_demand_month_start(month).unix_s + INT64_C(86400) * day + 60) * 1000,
        .is_demo = is_demo,
    };
    struct gl_demand_told told;

    snprintf(demand.region, sizeof demand.region, "%s", region);
    snprintf(demand.launch_key, sizeof demand.launch_key, "%012x", (unsigned)++launches);
    if (gl_demand_record(must_ledger(), &demand, 1, &told, &err) != 0)
        fail_msg("%s", err.text);
}

/* Seven launches in October on four days, three in September, and what is below the threshold. */
static void record_some(void)
{
    for (int i = 0; i < 7; i++)
        record("eu-central-1", OCTOBER, i / 2, false);
    for (int i = 0; i < 3; i++)
        record("eu-central-1", OCTOBER - 1, i, false);
    for (int i = 0; i < 4; i++)
        record("us-east-1", OCTOBER, i, false);
    for (int i = 0; i < 9; i++)
        record("eu-west-1", OCTOBER, i, true);
}

/* Everything else that a ledger knows of a launch. */
static void plant(void)
{
    struct gl_launch_change change = {GL_LAUNCH_KEEP,   .launch = "gl-planted",
                                      .name = TAG,      .state = "running",
                                      .cloud = "aws",   .region = "eu-central-1",
                                      .instance = HOST, .plan = "{\"price\":\"" PRICE "\"}"};
    json_t *body = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "account", ACCOUNT, "host", HOST, "tag",
                             TAG, "price", PRICE, "user", USER, "address", ADDRESS);

    assert_int_equal(gl_ledger_append(must_ledger(), "intent", "gl-planted", body, &change, &err),
                     0);
    json_decref(body);
}

static void must_name_nobody(const char *text)
{
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++)
        if (strstr(text, planted[i]) != NULL)
            fail_msg("%s stands in %s", planted[i], text);
}

struct notes {
    size_t count;
    char body[1024]; /* of the last */
};

static int note(void *cookie, const json_t *event)
{
    struct notes *notes = cookie;
    GL_AUTO(gl_auto_free) char *body = NULL;

    if (strcmp(json_string_value(json_object_get(event, "kind")), "feed") != 0)
        return 0;
    body = gl_json_canonical(json_object_get(event, "body"), &err);
    snprintf(notes->body, sizeof notes->body, "%s", body);
    notes->count++;
    return 0;
}

static struct notes notes_of(void)
{
    struct notes notes = {0, ""};

    assert_int_equal(gl_ledger_events(must_ledger(), NULL, &notes, note, &err), 0);
    return notes;
}

static char *out_path(void)
{
    return gl_path_join(folder, "demand.json");
}

static char *bytes_of(const char *path)
{
    size_t length;
    char *bytes;

    if (gl_file_read(path, GL_DEMAND_FEED_MAX_BYTES, &bytes, &length, &err) != 0)
        fail_msg("%s", err.text);
    return bytes;
}

static int own(const char *consent, const char *out)
{
    struct gl_feed_ask ask = {.is_own = true, .consent = consent, .out = out, .k = INT64_MIN};

    again();
    return gl_request_feed(&context, &ask, &err);
}

static int merge(const char *word, const char *out)
{
    struct gl_feed_ask ask = {
        .is_merge = true, .out = out, .k = INT64_MIN, .files = &word, .file_count = 1};

    again();
    return gl_request_feed(&context, &ask, &err);
}

static int check(const char *path, const char *key)
{
    struct gl_feed_ask ask = {
        .is_check = true, .key = key, .k = INT64_MIN, .files = &path, .file_count = 1};

    again();
    return gl_request_feed(&context, &ask, &err);
}

/* ---- own ---- */

static void nothing_leaves_without_consent(void **state)
{
    GL_AUTO(gl_auto_free) char *out = out_path();
    const json_t *preview;

    (void)state;
    record_some();
    plant();
    assert_int_equal(own(NULL, out), GL_EXIT_DECLINED);
    assert_false(gl_file_exists(out));
    /* Not on standard output either. */
    assert_true(context.reply.is_streamed);
    assert_non_null(strstr(gl_str_text(&context.reply.text), "nothing was written"));
    assert_non_null(strstr(gl_str_text(&context.reply.text), "eu-central-1"));
    must_name_nobody(gl_str_text(&context.reply.text));
    preview = json_object_get(context.reply.data, "preview");
    assert_int_equal(json_array_size(json_object_get(preview, "cells")), 2);
    assert_null(json_object_get(preview, "signature"));
    assert_int_equal(notes_of().count, 0);
    /* A name that is none is no consent. */
    assert_int_equal(own("", out), -1);
    assert_int_equal(own("Ada\nconsents", out), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_false(gl_file_exists(out));
    assert_int_equal(notes_of().count, 0);
}

static void by_consent_exactly_what_was_shown_leaves(void **state)
{
    GL_AUTO(gl_auto_free) char *out = out_path();
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_auto_json) json_t *shown = NULL, *written = NULL;
    struct notes notes;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    (void)state;
    record_some();
    plant();
    assert_int_equal(own(NULL, out), GL_EXIT_DECLINED);
    shown = json_incref(json_object_get(context.reply.data, "preview"));
    assert_int_equal(own("Ada Lovelace", out), GL_EXIT_OK);
    text = bytes_of(out);
    must_name_nobody(text);
    assert_null(strstr(text, "Ada"));
    written = json_loads(text, 0, NULL);
    json_object_del(written, "signature");
    assert_true(json_equal(shown, written));
    notes = notes_of();
    assert_int_equal(notes.count, 1);
    gl_hash_of(text, strlen(text), &hash);
    assert_non_null(strstr(notes.body, gl_hash_hex(&hash, hex)));
    assert_non_null(strstr(notes.body, "\"consent\":\"Ada Lovelace\""));
}

static void cells_are_months_of_needs_above_the_threshold(void **state)
{
    struct gl_demand_feed feed;
    const char *text;

    (void)state;
    record_some();
    assert_int_equal(own("Ada", NULL), GL_EXIT_OK);
    text = gl_str_text(&context.reply.text);
    assert_int_equal(gl_demand_feed_read(text, strlen(text), NULL, &feed, &err), 0);
    assert_int_equal(feed.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct gl_demand_cell *cell = &feed.cells[i];

        assert_string_equal(cell->region, "eu-central-1");
        assert_int_equal(cell->month, OCTOBER - 1 + (int)i);
        assert_int_equal(cell->launches.low, i == 0 ? 2 : 5);
        assert_int_equal(cell->hours.low, i == 0 ? 10 : 20);
        assert_int_equal(cell->gpu_hours.high, 0);
        assert_int_equal(cell->grade, GL_GRADE_B);
    }
    gl_demand_feed_done(&feed);
}

static void demonstrations_stand_apart(void **state)
{
    struct gl_feed_ask ask = {.is_own = true, .consent = "Ada", .k = INT64_MIN};
    struct gl_demand_feed feed;
    const char *text;

    (void)state;
    record_some();
    again();
    context.is_demo = true;
    assert_int_equal(gl_request_feed(&context, &ask, &err), GL_EXIT_OK);
    text = gl_str_text(&context.reply.text);
    assert_int_equal(gl_demand_feed_read(text, strlen(text), NULL, &feed, &err), 0);
    assert_true(feed.is_demo);
    assert_int_equal(feed.count, 1);
    assert_string_equal(feed.cells[0].region, "eu-west-1");
    gl_demand_feed_done(&feed);
}

static void too_little_is_not_told(void **state)
{
    GL_AUTO(gl_auto_free) char *out = out_path();
    struct gl_feed_ask ask = {.is_own = true, .consent = "Ada", .out = out, .k = INT64_MIN};

    (void)state;
    for (int i = 0; i < 4; i++)
        record("us-east-1", OCTOBER, i, false);
    assert_int_equal(own("Ada", out), GL_EXIT_OK);
    assert_false(gl_file_exists(out));
    assert_int_equal(notes_of().count, 0);
    /* As configured, it is enough. */
    again();
    context.config.request.refused = 4;
    assert_int_equal(gl_request_feed(&context, &ask, &err), GL_EXIT_OK);
    assert_true(gl_file_exists(out));
}

static void options_of_another_kind_are_refused(void **state)
{
    const char *file = "x.json";
    const struct gl_feed_ask asks[] = {
        {.k = INT64_MIN},
        {.is_own = true, .is_merge = true, .k = INT64_MIN},
        {.is_own = true, .k = 10},
        {.is_own = true, .members = "x", .k = INT64_MIN},
        {.is_own = true, .files = &file, .file_count = 1, .k = INT64_MIN},
        {.is_merge = true, .consent = "Ada", .files = &file, .file_count = 1, .k = INT64_MIN},
        {.is_merge = true, .key = "x", .files = &file, .file_count = 1, .k = INT64_MIN},
        {.is_merge = true, .files = &file, .file_count = 1, .k = 9},
        {.is_merge = true, .k = INT64_MIN},
        {.is_check = true, .out = "x", .files = &file, .file_count = 1, .k = INT64_MIN},
        {.is_check = true, .k = INT64_MIN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        gl_error_clear(&err);
        if (gl_request_feed(&context, &asks[i], &err) != -1 || err.code != GL_E_USAGE)
            fail_msg("row %zu", i);
    }
}

/* ---- merging ---- */

static void put(const char *inside, const char *name, const char *text)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(inside, name);

    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
}

static char *contributions(unsigned count)
{
    char *inside = gl_path_join(folder, "contributions");

    assert_int_equal(gl_dir_make(inside, &err), 0);
    for (unsigned i = 0; i < count; i++) {
        struct gl_demand_cell cells[] = {cell_of("eu-central-1", OCTOBER, 43),
                                         cell_of("us-east-1", OCTOBER, 7)};
        char name[32];
        char *text = own_text(cells, i < 7 ? 2 : 1, NOW_S, i);

        snprintf(name, sizeof name, "%02u.json", i);
        put(inside, name, text);
        free(text);
    }
    return inside;
}

static void put_bad_ones(const char *inside)
{
    struct gl_demand_cell cell = cell_of("eu-central-1", OCTOBER, 43);
    char *tampered = own_text(&cell, 1, NOW_S, 900);
    GL_AUTO(gl_auto_free) char *huge = gl_path_join(inside, "huge.json");
    GL_AUTO(gl_auto_free) char *pipe = gl_path_join(inside, "pipe.json");

    *strstr(tampered, "2026-10") = '3';
    put(inside, "tampered.json", tampered);
    free(tampered);
    put(inside, "garbage.json", "{\"greenlaunch_demand\":");
    put(inside, "empty.json", "");
    put(inside, "notes.txt", "not looked at");
    put(inside, "huge.json", "");
    assert_int_equal(truncate(huge, (off_t)GL_DEMAND_FEED_MAX_BYTES + 1), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
}

static void files_are_merged_and_bad_ones_named(void **state)
{
    static const char *const bad[] = {"tampered.json", "garbage.json", "empty.json", "huge.json",
                                      "pipe.json"};
    GL_AUTO(gl_auto_free) char *inside = contributions(60);
    GL_AUTO(gl_auto_free) char *out = out_path();
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_auto_free) char *again_text = NULL;
    GL_AUTO(gl_auto_free) char *warnings = NULL;
    GL_AUTO(gl_auto_free) char *key = NULL;

    (void)state;
    assert_int_equal(merge(inside, out), GL_EXIT_OK);
    text = bytes_of(out);
    assert_non_null(strstr(text, "eu-central-1"));
    assert_null(strstr(text, "us-east-1"));
    put_bad_ones(inside);
    assert_int_equal(merge(inside, out), GL_EXIT_PARTIAL);
    again_text = bytes_of(out);
    assert_string_equal(text, again_text);
    warnings = json_dumps(context.reply.warnings, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(strstr(warnings, bad[i]));
    assert_null(strstr(warnings, "notes.txt"));
    assert_int_equal(json_array_size(context.reply.warnings), 6);
    key = gl_path_join(folder, "broker.pub");
    assert_int_equal(check(out, key), GL_EXIT_OK);
    assert_true(json_is_true(json_object_get(context.reply.data, "verified")));
    assert_int_equal(check(inside, key), -1);
    free(key);
    key = gl_path_join(inside, "00.json");
    assert_int_equal(check(key, NULL), GL_EXIT_OK);
}

static void nine_organisations_are_told_of_nothing(void **state)
{
    GL_AUTO(gl_auto_free) char *inside = contributions(9);
    GL_AUTO(gl_auto_free) char *out = out_path();

    (void)state;
    assert_int_equal(merge(inside, out), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_false(gl_file_exists(out));
    assert_int_equal(notes_of().count, 0);
}

static void members_come_from_a_file(void **state)
{
    GL_AUTO(gl_auto_free) char *inside = contributions(60);
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "keys.txt");
    GL_AUTO(gl_auto_free) char *out = out_path();
    GL_AUTO(gl_str_done) struct gl_str keys = {0};
    struct gl_feed_ask ask = {.is_merge = true,
                              .members = path,
                              .out = out,
                              .k = 10,
                              .files = (const char *const *)&inside,
                              .file_count = 1};
    struct gl_secret_key ignored;

    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        struct gl_public_key key;
        char hex[2 * GL_KEY_BYTES + 1];

        key_of(i, &ignored, &key);
        gl_str_addf(&keys, "%s%s # organisation %u\n", i % 2 == 0 ? "  " : "",
                    gl_hex_text(key.bytes, sizeof key.bytes, hex), i);
    }
    put(folder, "keys.txt", gl_str_text(&keys));
    assert_int_equal(gl_request_feed(&context, &ask, &err), GL_EXIT_PARTIAL);
    assert_int_equal(json_integer_value(json_object_get(context.reply.data, "organisations")), 12);
    assert_int_equal(json_integer_value(json_object_get(context.reply.data, "left_out")), 48);
    put(folder, "keys.txt", "# none\n12345\n");
    again();
    assert_int_equal(gl_request_feed(&context, &ask, &err), -1);
    assert_non_null(strstr(err.text, "line 2"));
}

/* ---- a disk that fails ---- */

/* Full or killed at call N: the old file or the new one, never a half, and never a new one that
 * the ledger does not know of. */
static bool survives(const char *out, unsigned at, bool is_killed)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_auto_free) char *hex_of_text = gl_alloc(GL_HASH_HEX);
    struct gl_hash hash;
    struct notes notes;
    int status;
    pid_t child;

    assert_int_equal(gl_file_write(out, "the old one", 11, 0644, &err), 0);
    gl_context_done(&context);
    child = fork();
    if (child == 0) {
        open_context();
        disk = (struct disk){.is_armed = true,
                             .kill_at = is_killed ? at : 0,
                             .full_from = is_killed ? 0 : at,
                             .full_until = is_killed ? 0 : UINT32_MAX};
        status = own("Ada", out);
        disk.is_armed = false;
        _exit(disk.count < at ? 99 : status == GL_EXIT_OK ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    open_context();
    text = bytes_of(out);
    if (strcmp(text, "the old one") != 0) {
        struct gl_demand_feed feed;

        assert_int_equal(gl_demand_feed_read(text, strlen(text), NULL, &feed, &err), 0);
        gl_demand_feed_done(&feed);
        gl_hash_of(text, strlen(text), &hash);
        notes = notes_of();
        assert_non_null(strstr(notes.body, gl_hash_hex(&hash, hex_of_text)));
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 99;
}

static void a_full_disk_or_a_kill_leaves_the_old_or_the_new(void **state)
{
    GL_AUTO(gl_auto_free) char *out = out_path();
    unsigned at = 1;

    (void)state;
    record_some();
    assert_int_equal(own("Ada", out), GL_EXIT_OK); /* the key is there */
    for (int is_killed = 0; is_killed < 2; is_killed++) {
        for (at = 1; !survives(out, at, is_killed != 0); at++)
            assert_true(at < 500);
        assert_true(at > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_leaves_without_consent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_consent_exactly_what_was_shown_leaves, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(cells_are_months_of_needs_above_the_threshold, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(demonstrations_stand_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_little_is_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(options_of_another_kind_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_merged_and_bad_ones_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nine_organisations_are_told_of_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_come_from_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_or_a_kill_leaves_the_old_or_the_new, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
