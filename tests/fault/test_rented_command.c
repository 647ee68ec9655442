/* SPDX-License-Identifier: Apache-2.0 */
/* The command itself on a rented cloud: launch, status, stop and a receipt that verifies; run with
 * the exit status of the command; a place without stock left for the next; nothing anywhere that
 * is secret. BUILD_DIR is where greenlaunch lies. */
#include "tests/support/rented_bench.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define PIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GREEN                                                                            \
    "--cloud gcp --region europe-north1 --renewable-only=50% --min-grade D --max-price " \
    "1USD/h --duration 10min --meter-url https://meters.example/m --meter-sha256 " PIN

static struct rented_bench bench;
static struct gl_error err;
static struct gl_str said; /* of the last command, both streams */
static unsigned refusals;  /* inserts to be refused for want of stock */

/* With more clouds than that of the bench: ", NAME: {...}". */
static void configure(const char *more)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(bench.folder, "config.yaml");
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "greenlaunch_config: 1\nzone: IS\nclouds: {gcp: {");
    for (size_t i = 0; i < 4; i++)
        gl_str_addf(&text, "%s%s: '%s'", i > 0 ? ", " : "", bench.settings[i].name,
                    bench.settings[i].value);
    gl_str_addf(&text, "}%s}\nsources: []\n", more);
    assert_int_equal(gl_file_write(path, text.text, text.length, 0600, &err), 0);
}

static int set_up(void **state)
{
    (void)state;
    refusals = 0;
    rented_bench_open(&bench, "test_rented_command");
    configure("");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_str_done(&said);
    rented_bench_close(&bench);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Its exit status; what it said is in `said`. */
static int command(const char *words, const char *rest)
{
    const char *build = getenv("BUILD_DIR");
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char bytes[4096];
    size_t got;
    FILE *pipe;

    gl_str_addf(&line,
                "env -i PATH=/usr/bin:/bin HOME=%s LC_ALL=C.UTF-8 HCLOUD_TOKEN=planted-hetzner "
                "DIGITALOCEAN_ACCESS_TOKEN=planted-ocean %s/greenlaunch %s --state %s "
                "--config %s/config.yaml --no-input %s 2>&1 </dev/null",
                bench.folder, build != NULL ? build : "build", words, bench.folder, bench.folder,
                rest);
    gl_str_clear(&said);
    pipe = popen(gl_str_text(&line), "r"); /* NOLINT: a test */
    assert_non_null(pipe);
    while ((got = fread(bytes, 1, sizeof bytes, pipe)) > 0)
        gl_str_add_bytes(&said, bytes, got);
    return WEXITSTATUS(pclose(pipe));
}

static void must(int expected, int got)
{
    if (expected != got)
        fail_msg("exit %d, not %d:\n%s", got, expected, gl_str_text(&said));
}

static void must_say(const char *text)
{
    if (strstr(gl_str_text(&said), text) == NULL)
        fail_msg("it does not say \"%s\":\n%s", text, gl_str_text(&said));
}

/* "gl-..." of the newest launch. */
static void newest(char out[GL_CLOUD_ID])
{
    struct gl_launch_rows rows;

    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    assert_true(rows.count > 0);
    snprintf(out, GL_CLOUD_ID, "%s", rows.rows[0].launch);
    gl_launch_rows_free(&rows);
}

static void verify_newest(void)
{
    GL_AUTO(gl_str_done) struct gl_str words = {0};
    char launch[GL_CLOUD_ID];

    newest(launch);
    gl_str_addf(&words, "verify %s/receipts/%s.json", bench.folder, launch);
    must(0, command(gl_str_text(&words), ""));
}

static void a_launch_is_watched_stopped_and_verified(void **state)
{
    char launch[GL_CLOUD_ID], words[128];

    (void)state;
    must(0, command("launch", GREEN " --type n2-standard-2 -- sleep 100"));
    must_say("Started gl-");
    newest(launch);
    assert_int_equal(fake_gcp_running(&bench.fake), 1);
    must(0, command("status", ""));
    must_say(launch);
    must_say("running");
    snprintf(words, sizeof words, "stop %s", launch);
    must(0, command(words, ""));
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
    verify_newest();
}

/* What its console tells is in `status` while it runs. */
static void an_early_end_and_a_wrong_place_are_told(void **state)
{
    char launch[GL_CLOUD_ID], line[256];

    (void)state;
    must(0, command("launch", GREEN " --type n2-standard-2 -- sleep 100"));
    newest(launch);
    snprintf(line, sizeof line,
             "GLN1 {\"kind\":\"gcp\",\"launch\":\"%s\"}\r\n"
             "GLI1 {\"document\":\"Zm9yZ2Vk\",\"kind\":\"aws\"}",
             launch);
    bench.identity = line;
    must(0, command("status", ""));
    must_say("is going to be ended early: its console showed the notice of gcp");
    must_say("the document of its place does not hold");
    must(0, command("status --json", ""));
    must_say("\"ended_it\": false");
    must_say("\"refused\": \"the document is one of aws");
    must(0, command("stop --all-mine", ""));
    verify_newest();
}

/* Of launches that are over nothing is left beside their receipts and outputs. */
static int kept_files(void)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(bench.folder, "readings");
    const struct dirent *entry;
    DIR *folder = opendir(path);
    int count = 0;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    if (folder != NULL)
        closedir(folder);
    return count;
}

static void a_run_has_the_exit_status_of_its_command(void **state)
{
    char launch[GL_CLOUD_ID], words[128];

    (void)state;
    bench.is_done = true;
    bench.exit_status = 3;
    must(3, command("run", GREEN " --type n2-standard-2 -- false"));
    must_say("second line");
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
    verify_newest();
    newest(launch);
    snprintf(words, sizeof words, "status %s", launch);
    must(0, command(words, ""));
    must_say(": the command ended with status 3\n  all of what it printed:\n    ");
    must_say("    second line\n");
    assert_int_equal(kept_files(), 0);
}

/* What a machine without a console has pushed meanwhile, as it is kept. */
static bool push_meanwhile(void *cookie, const struct gl_test_request *request,
                           struct gl_test_answer *out)
{
    GL_AUTO(gl_auto_free) char *tokens = gl_path_join(bench.folder, "tokens");
    GL_AUTO(gl_str_done) struct gl_str text = {0}, path = {0};
    struct gl_error ignored = {0};
    const struct dirent *entry;
    DIR *folder;

    (void)cookie;
    (void)out;
    if (strstr(request->path, "/serialPort") == NULL)
        return false;
    folder = opendir(tokens);
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, "gl-", 3) == 0) {
            gl_str_clear(&text);
            gl_str_addf(&text,
                        "GLO1 {\"cut\":true,\"launch\":\"%s\",\"output\":"
                        "\"dGhlIGVuZAobWzMxbQBiZWxs\"}\nGLX1 {\"exit\":4,\"launch\":\"%s\"}\n",
                        entry->d_name, entry->d_name);
            gl_str_clear(&path);
            gl_str_addf(&path, "%s/readings", bench.folder);
            gl_dir_make(path.text, &ignored);
            gl_str_addf(&path, "/%s", entry->d_name);
            gl_file_write(path.text, text.text, text.length, 0600, &ignored);
        }
    if (folder != NULL)
        closedir(folder);
    return false;
}

/* It cannot steer a terminal, and says that it is not all. */
static void a_run_shows_what_was_pushed_of_its_output(void **state)
{
    char launch[GL_CLOUD_ID], words[128];

    (void)state;
    bench.is_mute = true;
    bench.fake.before = push_meanwhile;
    must(4, command("run", GREEN " --type n2-standard-2 -- false"));
    must_say("the end\n\\x1b[31m\\x00bell\n");
    must_say("of its output the last 16 KiB were kept");
    newest(launch);
    must(4, command("run --json", GREEN " --type n2-standard-2 -- false"));
    must_say("\"output_tail\": \"the end\\n\\\\x1b[31m\\\\x00bell\\n\"");
    must_say("\"output_is_cut\": true");
    snprintf(words, sizeof words, "status %s", launch);
    must(0, command(words, ""));
    must_say(": the command ended with status 4\n  the last of what it printed:\n    the end\n"
             "    \\x1b[31m\\x00bell\n");
    snprintf(words, sizeof words, "status --json %s", launch);
    must(0, command(words, ""));
    must_say("\"exit_status\": 4");
    must_say("\"output_tail\": \"the end\\n\\\\x1b[31m\\\\x00bell\\n\"");
    assert_int_equal(kept_files(), 0); /* a push that came too late is swept */
}

static void the_first_use_is_a_small_one(void **state)
{
    (void)state;
    must(2, command("launch", "--cloud gcp --no-rules --type n2-standard-2 --region europe-north1 "
                              "--duration 2h -- true"));
    must_say("the first launch on gcp in this ledger");
    must_say("--max-price");
    assert_int_equal(bench.fake.made, 0);
    must(0, command("launch", GREEN " --type n2-standard-2 -- true"));
    must(0, command("launch", "--cloud gcp --no-rules --type n2-standard-2 --region europe-north1 "
                              "--duration 2h -- true"));
    must_say("no readings: charged at the model's");
    must(0, command("stop --all-mine", ""));
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
}

static bool refuse_inserts(void *cookie, const struct gl_test_request *request,
                           struct gl_test_answer *out)
{
    (void)cookie;
    if (strcmp(request->method, "POST") != 0 || strstr(request->path, "/instances") == NULL ||
        refusals == 0)
        return false;
    refusals--;
    gl_test_answer_text(out, 503, "application/json",
                        "{\"error\":{\"code\":503,\"message\":\"no stock\",\"errors\":[{\"reason\":"
                        "\"ZONE_RESOURCE_POOL_EXHAUSTED\"}]}}");
    return true;
}

static void without_stock_the_next_place_is_taken(void **state)
{
    struct gl_launch_rows rows;

    (void)state;
    refusals = 1;
    bench.fake.before = refuse_inserts;
    must(0, command("launch", GREEN " --type 'n2-standard-?' -- true"));
    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].attempt, 2);
    gl_launch_rows_free(&rows);
    must(0, command("stop --all-mine", ""));
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
    verify_newest();
}

static void without_quota_it_is_refused_and_the_demand_noted(void **state)
{
    (void)state;
    bench.fake.cpus_left = 0;
    must(3, command("launch", GREEN " --type n2-standard-2 -- true"));
    must_say("QUOTA");
    must_say("Demand recorded");
    assert_int_equal(bench.fake.made, 0);
}

static bool throttle(void *cookie, const struct gl_test_request *request,
                     struct gl_test_answer *out)
{
    (void)cookie;
    if (strstr(request->path, "/instances") == NULL || refusals == 0)
        return false;
    refusals--;
    gl_test_answer_text(out, 429, "application/json", "{\"error\":{\"code\":429}}");
    return true;
}

/* What asks for time is named, and what runs there is stopped all the same. */
static void a_throttled_cloud_is_named_and_stopped(void **state)
{
    (void)state;
    must(0, command("launch", GREEN " --type n2-standard-2 -- true"));
    refusals = 3; /* the tries of one question */
    bench.fake.before = throttle;
    must(0, command("stop --all-mine", ""));
    must_say("cloud gcp cannot be asked");
    must_say("1 stopped, 0 failed");
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
}

static void a_dead_cloud_is_named(void **state)
{
    (void)state;
    gl_test_server_stop(bench.fake.server);
    bench.fake.server = NULL;
    must(10, command("stop --all-mine", ""));
    must_say("gcp");
}

/* ---- one dead, one throttled, one well ---- */

#define SERVER(id, launch)                                                              \
    "{\"id\":" id ",\"status\":\"running\",\"created\":\"2026-07-01T00:00:00+00:00\","  \
    "\"server_type\":{\"name\":\"cx22\"},\"location\":{\"name\":\"hel1\"},\"labels\":{" \
    "\"greenlaunch-request\":\"" launch "\",\"greenlaunch-attempt\":\"1\","             \
    "\"greenlaunch-expires\":\"4102444800\","                                           \
    "\"greenlaunch-token-a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","                     \
    "\"greenlaunch-token-b\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}"

static bool say_nothing(void *cookie, const struct gl_test_request *request,
                        struct gl_test_answer *out)
{
    (void)cookie, (void)request;
    out->is_silent = true;
    return true;
}

static void ask_for_time(const struct gl_test_request *request, struct gl_test_answer *out,
                         void *cookie)
{
    (void)request, (void)cookie;
    gl_str_add(&out->headers, "Retry-After: 15\r\n");
    gl_test_answer_text(out, 429, "application/json",
                        "{\"id\":\"too_many_requests\",\"message\":\"slow down\"}");
}

static void show_servers(const struct gl_test_request *request, struct gl_test_answer *out,
                         void *cookie)
{
    (void)cookie;
    if (strcmp(request->path, "/servers/8") == 0)
        gl_test_answer_text(out, 200, "application/json",
                            "{\"server\":" SERVER("8", "gl-well") "}");
    else
        gl_test_answer_text(
            out, 200, "application/json",
            "{\"servers\":[" SERVER("7", "gl-seen") "," SERVER("8", "gl-well") "]}");
}

/* A launch like the newest one on another cloud. */
static void run_on(const char *cloud, const char *launch, const char *instance)
{
    struct gl_launch_rows rows;
    GL_AUTO(gl_auto_json) json_t *body = json_object();

    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    assert_int_equal(gl_ledger_append(bench.ledger, "running", launch, body,
                                      &(struct gl_launch_change){
                                          .launch = launch,
                                          .state = "running",
                                          .cloud = cloud,
                                          .region = "hel1",
                                          .type = "cx22",
                                          .zone = "FI",
                                          .token = rows.rows[0].token,
                                          .instance = instance,
                                          .plan = rows.rows[0].plan,
                                          .attempt = 1,
                                          .created_ms = rows.rows[0].created_ms,
                                          .started_ms = rows.rows[0].started_ms,
                                          .expires_ms = rows.rows[0].expires_ms,
                                          .ended_ms = -1,
                                          .exit_status = -1,
                                          .is_demo = -1,
                                      },
                                      &err),
                     0);
    gl_launch_rows_free(&rows);
}

/* Half a minute each: one after another they would take a minute. */
static void those_that_do_not_answer_delay_nobody(void **state)
{
    struct gl_test_server *throttled = gl_test_server_start(ask_for_time, NULL);
    struct gl_test_server *well = gl_test_server_start(show_servers, NULL);
    GL_AUTO(gl_str_done) struct gl_str more = {0};
    struct gl_launch_rows rows;

    (void)state;
    gl_str_addf(&more, ", digitalocean: {endpoint: '%s'}, hetzner: {endpoint: '%s'}",
                gl_test_server_url(throttled), gl_test_server_url(well));
    must(0, command("launch", GREEN " --type n2-standard-2 -- sleep 100"));
    configure(gl_str_text(&more));
    run_on("digitalocean", "gl-slow", "9");
    run_on("hetzner", "gl-well", "8");
    bench.fake.before = say_nothing;
    must(0, command("status --timeout 50s", ""));
    must_say("gcp cannot be asked");
    must_say("digitalocean cannot be asked");
    must_say("2 launches cannot be asked now");
    must_say("gl-seen  hetzner hel1 cx22");
    assert_int_equal(gl_ledger_launches(bench.ledger, "running", &rows, &err), 0);
    assert_int_equal(rows.count, 3);
    gl_launch_rows_free(&rows);
    gl_test_server_stop(throttled);
    gl_test_server_stop(well);
}

static atomic_uint asked_of; /* bit 0: Google was asked, bit 1: Hetzner was */

static void wait_for_both(unsigned own)
{
    const struct timespec pause = {.tv_nsec = 50000000};

    atomic_fetch_or(&asked_of, own);
    for (unsigned i = 0; i < 240 && atomic_load(&asked_of) != 3; i++)
        nanosleep(&pause, NULL);
}

static bool wait_for_hetzner(void *cookie, const struct gl_test_request *request,
                             struct gl_test_answer *out)
{
    (void)cookie, (void)request, (void)out;
    wait_for_both(1);
    return false;
}

static void show_servers_late(const struct gl_test_request *request, struct gl_test_answer *out,
                              void *cookie)
{
    wait_for_both(2);
    show_servers(request, out, cookie);
}

/* Neither answers before both were asked. */
static void who_acts_asks_all_at_once_too(void **state)
{
    struct gl_test_server *hetzner = gl_test_server_start(show_servers_late, NULL);
    GL_AUTO(gl_str_done) struct gl_str more = {0};

    (void)state;
    gl_str_addf(&more, ", hetzner: {endpoint: '%s'}", gl_test_server_url(hetzner));
    must(0, command("launch", GREEN " --type n2-standard-2 -- sleep 100"));
    configure(gl_str_text(&more));
    run_on("hetzner", "gl-well", "8");
    atomic_store(&asked_of, 0);
    bench.fake.before = wait_for_hetzner;
    must(0, command("guard --once", ""));
    assert_null(strstr(gl_str_text(&said), "cannot be asked"));
    gl_test_server_stop(hetzner);
}

static void find_nowhere(const char *secret)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    /* The counterpart's own key file is where the credentials are; the tokens folder holds the
     * one-time tokens. */
    gl_str_addf(&line, "grep -rl --exclude=account.json --exclude-dir=tokens -e '%s' %s", secret,
                bench.folder);
    if (system(gl_str_text(&line)) == 0) /* NOLINT: a test */
        fail_msg("a secret was written: %s", secret);
    assert_null(strstr(gl_str_text(&said), secret));
}

static void no_secret_is_anywhere(void **state)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *token = NULL;
    char launch[GL_CLOUD_ID], name[GL_CLOUD_ID + 16];
    size_t length;

    (void)state;
    must(0, command("launch --json -vv", GREEN " --type n2-standard-2 -- sleep 100"));
    newest(launch);
    snprintf(name, sizeof name, "tokens/%s", launch);
    path = gl_path_join(bench.folder, name);
    assert_int_equal(gl_file_read(path, 256, &token, &length, &err), 0);
    find_nowhere(FAKE_GCP_TOKEN);
    find_nowhere("PRIVATE KEY");
    find_nowhere(token); /* until the receipt discloses it */
    must(0, command("stop --json --all-mine", ""));
    find_nowhere(FAKE_GCP_TOKEN);
    find_nowhere("PRIVATE KEY");
    assert_int_equal(fake_gcp_running(&bench.fake), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_launch_is_watched_stopped_and_verified),
        CASE(an_early_end_and_a_wrong_place_are_told),
        CASE(a_run_has_the_exit_status_of_its_command),
        CASE(a_run_shows_what_was_pushed_of_its_output),
        CASE(the_first_use_is_a_small_one),
        CASE(without_stock_the_next_place_is_taken),
        CASE(without_quota_it_is_refused_and_the_demand_noted),
        CASE(a_throttled_cloud_is_named_and_stopped),
        CASE(a_dead_cloud_is_named),
        CASE(those_that_do_not_answer_delay_nobody),
        CASE(who_acts_asks_all_at_once_too),
        CASE(no_secret_is_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
