/* SPDX-License-Identifier: Apache-2.0 */
/* Readings that a rented machine pushes: beside its console or without one, cut, doubled, forged,
 * of nobody, and after the end; by the journal and by the server. BUILD_DIR is where greenlaunch
 * lies. */
#include "tests/support/rented_bench.h"

#include "agent/batch.h"
#include "agent/tail.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "broker/output.h"
#include "broker/readings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/no_sync.h"

static struct rented_bench bench;
static struct gl_error err;

static int set_up(void **state)
{
    (void)state;
    rented_bench_open(&bench, "test_pushed");
    gl_error_clear(&err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rented_bench_close(&bench);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A launch of a minute ago whose console shows nothing; what its meter has said into *out_text. */
static struct gl_instance silent_launch(struct gl_str *out_text)
{
    struct gl_instance instance;

    if (rented_bench_start(&bench, RENTED_TYPE, &instance, &err) != 0)
        fail_msg("%s", err.text);
    bench.clock->slept_ms += 60000;
    rented_bench_console(&bench, rented_bench_instance(&bench, instance.launch_id), out_text);
    assert_non_null(strstr(gl_str_text(out_text), "GLM1 "));
    bench.is_mute = true;
    return instance;
}

/* How many new ones, or -1 and its code in `err`. */
static int push(const char *launch, const char *bytes, size_t length)
{
    size_t fresh = 0;

    gl_error_clear(&err);
    return gl_collect_pushed(&bench.launcher, launch, bytes, length, &fresh, &err) == 0 ? (int)fresh
                                                                                        : -1;
}

static int refused(const char *launch, const char *text, enum gl_errc code)
{
    return push(launch, text, strlen(text)) == -1 && err.code == code;
}

/* "derived.meter.readings" and "evidence.instance.exit_status" of the receipt. */
static void finished(const char *launch, json_int_t *out_readings, json_int_t *out_exit)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_auto_json) json_t *receipt = NULL;
    const json_t *meter, *instance;

    gl_error_clear(&err);
    if (rented_bench_finish(&bench, launch, &text, &err) != 0)
        fail_msg("%s", err.text);
    receipt = json_loads(text, 0, NULL);
    meter = json_object_get(json_object_get(receipt, "derived"), "meter");
    instance = json_object_get(json_object_get(receipt, "evidence"), "instance");
    *out_readings = json_integer_value(json_object_get(meter, "readings"));
    *out_exit = json_integer_value(json_object_get(instance, "exit_status"));
}

static void what_was_pushed_is_in_the_receipt(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_instance instance = silent_launch(&text);
    json_int_t readings, status;
    int first, rest;

    (void)state;
    first = push(instance.launch_id, text.text, text.length / 2); /* cut in a line */
    assert_in_range(first, 5, 55);
    rest = push(instance.launch_id, text.text, text.length); /* the whole chain each time */
    assert_in_range(rest, 5, 55);
    assert_int_equal(push(instance.launch_id, text.text, text.length), 0); /* doubled */
    finished(instance.launch_id, &readings, &status);
    assert_int_equal(readings, first + rest);
    assert_in_range(readings, 50, 62);
    assert_int_equal(push(instance.launch_id, text.text, text.length), -1); /* after the end */
    assert_int_equal(err.code, GL_E_NOT_FOUND);
}

static void forged_ones_are_refused(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_instance instance = silent_launch(&text);
    GL_AUTO(gl_str_done) struct gl_str bent = {0};
    char exit_line[128];
    json_int_t readings, status;

    (void)state;
    snprintf(exit_line, sizeof exit_line, "GLX1 {\"exit\":0,\"launch\":\"%s\"}\n",
             instance.launch_id);
    assert_true(refused(instance.launch_id, "", GL_E_NOT_VERIFIED));
    assert_true(refused(instance.launch_id, "GLM1 {\"v\":1}\nnoise\n", GL_E_NOT_VERIFIED));
    assert_true(refused(instance.launch_id, exit_line, GL_E_NOT_VERIFIED));
    assert_true(refused("gl-nobody", text.text, GL_E_NOT_FOUND));
    assert_true(refused("running", text.text, GL_E_NOT_FOUND)); /* a state is no name */
    gl_str_add(&bent, text.text);
    for (char *at = bent.text; (at = strstr(at, "\"sig\":\"")) != NULL; at += 8)
        at[7] = at[7] == '0' ? '1' : '0';
    assert_true(refused(instance.launch_id, bent.text, GL_E_NOT_VERIFIED));
    gl_str_clear(&bent);
    gl_str_add(&bent, exit_line);
    gl_str_add(&bent, text.text);
    assert_true(push(instance.launch_id, bent.text, bent.length) > 0);
    finished(instance.launch_id, &readings, &status);
    assert_in_range(readings, 50, 62);
    assert_int_equal(status, -1); /* only what the meter has signed says how a command ended */
}

/* Who pushes must hear that nothing was kept, and says it again. */
static void what_cannot_be_kept_is_not_taken(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_instance instance = silent_launch(&text);
    struct rlimit before, small;
    json_int_t readings, status;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 64, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(push(instance.launch_id, text.text, text.length), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(push(instance.launch_id, text.text, text.length) > 0);
    finished(instance.launch_id, &readings, &status);
    assert_in_range(readings, 50, 62);
}

/* A line that the key of `seed` has signed. */
static void add_exit(struct gl_str *out, const char *launch, int status, uint8_t seed_byte)
{
    struct gl_secret_key secret;
    struct gl_public_key key;
    uint8_t seed[32];
    char line[GL_EXIT_MAX];

    memset(seed, seed_byte, sizeof seed);
    gl_key_of_seed(seed, &secret, &key);
    gl_str_add_bytes(out, line, gl_exit_line(launch, status, &secret, &key, line));
}

static void an_exit_counts_when_the_meter_has_signed_it(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str lines = {0};
    struct gl_instance instance = silent_launch(&text);
    const char *launch = instance.launch_id;
    json_int_t readings, status;

    (void)state;
    add_exit(&lines, launch, 3, 7); /* before anybody has enrolled */
    assert_true(refused(launch, gl_str_text(&lines), GL_E_NOT_VERIFIED));
    assert_true(push(launch, text.text, text.length) > 0);
    gl_str_clear(&lines);
    add_exit(&lines, launch, 4, 8); /* another key */
    add_exit(&lines, "gl-other", 5, 7);
    assert_true(refused(launch, gl_str_text(&lines), GL_E_NOT_VERIFIED));
    gl_str_clear(&lines);
    add_exit(&lines, launch, 6, 7);
    *strstr(lines.text, ":6,") = ';';
    assert_true(refused(launch, gl_str_text(&lines), GL_E_NOT_VERIFIED));
    gl_str_clear(&lines);
    add_exit(&lines, launch, 6, 7);
    strstr(lines.text, ":6,")[1] = '0';
    assert_true(refused(launch, gl_str_text(&lines), GL_E_NOT_VERIFIED));
    gl_str_clear(&lines);
    add_exit(&lines, launch, 9, 7);
    assert_int_equal(push(launch, lines.text, lines.length), 0); /* and nothing else is new */
    finished(launch, &readings, &status);
    assert_in_range(readings, 50, 62);
    assert_int_equal(status, 9);
}

/* ---- what was kept, at the end ---- */

static bool has_file(const char *folder, const char *launch)
{
    GL_AUTO(gl_str_done) struct gl_str path = {0};

    gl_str_addf(&path, "%s/%s/%s", bench.folder, folder, launch);
    return gl_file_exists(gl_str_text(&path));
}

static struct {
    const char *launch;
    unsigned sealed, recorded;
} seen;

/* Killed at either of them, all that was pushed is still there. */
static void look_at_step(void *cookie, const char *step)
{
    (void)cookie;
    if (strcmp(step, "receipt-written") == 0)
        seen.sealed += has_file("readings", seen.launch);
    if (strcmp(step, "recorded") == 0)
        seen.recorded += has_file("readings", seen.launch) && has_file("output", seen.launch);
}

static void must_have_output(const char *launch, const char *expected)
{
    struct gl_guest_said said;

    assert_true(gl_output_read(&bench.launcher, launch, &said));
    assert_string_equal(gl_str_text(&said.tail), expected);
    gl_guest_said_done(&said);
}

/* A line of a tail that the bench's meter has signed, pushed. */
static void push_tail(const char *launch, const char *printed)
{
    GL_AUTO(gl_auto_free) struct gl_tail *tail = gl_alloc(sizeof *tail);
    GL_AUTO(gl_auto_free) char *line = gl_alloc(GL_TAIL_LINE_MAX);
    struct gl_secret_key secret;
    struct gl_public_key key;
    uint8_t seed[32];

    memset(seed, 7, sizeof seed);
    gl_key_of_seed(seed, &secret, &key);
    tail->length = strlen(printed);
    memcpy(tail->bytes, printed, tail->length);
    assert_int_equal(push(launch, line, gl_tail_line(launch, tail, &secret, &key, line)), 0);
}

static void what_was_kept_goes_with_the_receipt(void **state)
{
    static const char late[] = "GLO1 {\"cut\":false,\"launch\":\"%s\",\"output\":\"bGF0ZQ==\"}\n";
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str line = {0}, path = {0}, output = {0};
    struct gl_instance instance = silent_launch(&text);
    struct gl_reconciled counts;
    json_int_t readings, status;

    (void)state;
    assert_true(push(instance.launch_id, text.text, text.length) > 0);
    push_tail(instance.launch_id, "end");
    bench.launcher.checkpoint = look_at_step;
    seen.launch = instance.launch_id;
    finished(instance.launch_id, &readings, &status);
    assert_in_range(readings, 50, 62);
    assert_int_equal(seen.sealed, 1);
    assert_int_equal(seen.recorded, 1);
    assert_false(has_file("readings", instance.launch_id));
    must_have_output(instance.launch_id, "end");
    assert_int_equal(push(instance.launch_id, text.text, text.length), -1);
    assert_false(has_file("readings", instance.launch_id));

    /* What a kill before the last step leaves is swept, and nothing of it is lost. */
    bench.launcher.checkpoint = NULL;
    gl_str_addf(&line, late, instance.launch_id);
    gl_str_addf(&path, "%s/readings/%s", bench.folder, instance.launch_id);
    gl_str_addf(&output, "%s/output/%s", bench.folder, instance.launch_id);
    assert_int_equal(gl_file_write(path.text, line.text, line.length, 0600, &err), 0);
    assert_int_equal(unlink(output.text), 0);
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_false(has_file("readings", instance.launch_id));
    must_have_output(instance.launch_id, "late");
}

/* A console shows less of it than was pushed, before and after. */
static void the_fuller_output_is_kept(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_instance instance = silent_launch(&text);
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_collected known;
    struct gl_cloud *cloud;
    json_int_t readings, status;

    (void)state;
    assert_true(push(instance.launch_id, text.text, text.length) > 0);
    push_tail(instance.launch_id, "end\n");
    push_tail(instance.launch_id, "more of it\nend\n");
    bench.is_mute = false;
    bench.identity = "greenlaunch: | end";
    assert_int_equal(gl_ledger_launches(bench.ledger, instance.launch_id, &rows, &err), 0);
    cloud = bench.launcher.open(bench.launcher.cookie, "gcp", NULL, &err);
    for (unsigned i = 0; i < 2; i++) { /* and as it was kept by the first look */
        assert_int_equal(gl_collect(&bench.launcher, &rows.rows[0], cloud, &known, &err), 0);
        assert_string_equal(gl_str_text(&known.said.tail), "more of it\nend\n");
        gl_collected_done(&known);
    }
    gl_cloud_close(cloud);
    finished(instance.launch_id, &readings, &status);
    must_have_output(instance.launch_id, "more of it\nend\n");
}

/* One that came after the end was written down, and one that was written down again. */
static void the_fuller_output_stays(void **state)
{
    static const char *const lines[] = {"bGF0ZQ==", "bGF0ZXIgYW5kIG1vcmU=", "bGF0ZQ=="};
    static const char *const stays[] = {"late", "later and more", "later and more"};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str path = {0};
    struct gl_instance instance = silent_launch(&text);
    json_int_t readings, status;

    (void)state;
    assert_true(push(instance.launch_id, text.text, text.length) > 0);
    finished(instance.launch_id, &readings, &status);
    gl_str_addf(&path, "%s/readings/%s", bench.folder, instance.launch_id);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        gl_str_addf(&line, "GLO1 {\"cut\":false,\"launch\":\"%s\",\"output\":\"%s\"}\n",
                    instance.launch_id, lines[i]);
        assert_int_equal(gl_file_write(path.text, line.text, line.length, 0600, &err), 0);
        gl_readings_drop(&bench.launcher, instance.launch_id);
        assert_false(has_file("readings", instance.launch_id));
        must_have_output(instance.launch_id, stays[i]);
    }
}

/* ---- a server ---- */

/* In its folder, a server that takes pushes over TLS: $server, $url. */
#define SERVER                                                                                   \
    "cd \"$FOLDER\" || exit 1\n"                                                                 \
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem \\\n"  \
    "    -out cert.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "         \
    "2>/dev/null\n"                                                                              \
    "chmod 600 key.pem\n"                                                                        \
    "\"$PROGRAM\" meter receive --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem \\\n" \
    "    --state \"$FOLDER\" --no-input 2>log &\n"                                               \
    "server=$!\n"                                                                                \
    "left=200\n"                                                                                 \
    "until grep -q '^listening on https' log || [ $left = 0 ]; do\n"                             \
    "    left=$((left - 1)); sleep 0.1\n"                                                        \
    "done\n"                                                                                     \
    "url=$(sed -n 's/^listening on \\(https:[^ ]*\\): .*/\\1/p' log)\n"

/* ---- a machine ---- */

/* User data as a cloud without a console gives it to its machine, run by a real shell, which pushes
 * with what it finds there to the server; a line of what was not as it should be. */
static const char machine[] = SERVER
    "sed \"s|https://push.example|$url|\" script >script.here\n"
    "mkdir -p bin root\n"
    "printf '#!/bin/sh\\necho off >>\"$GREENLAUNCH_ROOT/power\"\\n' >bin/poweroff\n"
    "printf '#!/bin/sh\\n' >bin/systemd-run\n"
    "chmod 755 bin/*\n"
    "for tool in sh seq cat date sleep rm mkdir base64 chmod printf tail sed sync kill gunzip \\\n"
    "    gzip sha256sum $SENDER; do\n"
    "    path=$(command -v $tool) && case $path in /*) ln -sf \"$path\" bin/ ;; esac\n"
    "done\n"
    "[ $SENDER = curl ] || { rm -f bin/python3\n"
    "    printf '#!/bin/sh\\nexec %s \"$@\"\\n' \\\n"
    "        \"$(python3 -c 'import sys; print(sys.executable)')\" >bin/python3\n"
    "    chmod 755 bin/python3; }\n"
    "env -i PATH=\"$FOLDER/bin\" HOME=\"$FOLDER\" GREENLAUNCH_ROOT=\"$FOLDER/root\" \\\n"
    "    CURL_CA_BUNDLE=\"$FOLDER/cert.pem\" SSL_CERT_FILE=\"$FOLDER/cert.pem\" NO_PROXY='*' \\\n"
    "    no_proxy='*' sh script.here >said 2>&1 </dev/null\n"
    "head -c 2000 said\n"
    "[ \"$(cat root/power)\" = off ] || echo 'it is not powered off'\n"
    "ls root/var/lib/greenlaunch | grep pushed\n"
    "kill $server\n"
    "wait $server && cat log\n";

/* ---- the server ---- */

/* Pushes as the machine does it, over TLS; a status a line, then what the server said. */
static const char pushes[] = SERVER
    "push() {\n"
    "    curl -s -m 20 --noproxy '*' --cacert cert.pem -o answer -w '%{http_code} ' \"$@\" \\\n"
    "        \"$url/readings\" && tr '\\n' ' ' <answer && echo\n"
    "}\n"
    "push -H \"X-Greenlaunch-Launch: $LAUNCH\" --data-binary @pushed\n"
    "push -H \"X-Greenlaunch-Launch: $LAUNCH\" -T pushed\n"
    "push -H \"X-Greenlaunch-Launch: $LAUNCH\" --data-binary noise\n"
    "push -H 'X-Greenlaunch-Launch: gl-nobody' --data-binary @pushed\n"
    "push -H 'X-Greenlaunch-Launch: ../../etc' --data-binary @pushed\n"
    "push --data-binary @pushed\n"
    "head -c 9000000 /dev/zero >huge\n"
    "push -H \"X-Greenlaunch-Launch: $LAUNCH\" -H Expect: --data-binary @huge\n"
    "kill $!\n"
    "wait $! && cat log\n";

static bool has_program(const char *name)
{
    GL_AUTO(gl_auto_free) char *path = gl_program_find(name);

    return path != NULL;
}

/* What a script prints. */
static void run_script(const char *script, const char *launch, struct gl_str *out)
{
    const char *build = getenv("BUILD_DIR");
    GL_AUTO(gl_auto_free)
    char *program = gl_path_join(build != NULL ? build : "build", "greenlaunch");
    GL_AUTO(gl_auto_free) char *whole = realpath(program, NULL);
    GL_AUTO(gl_auto_free) char *folder = realpath(bench.folder, NULL);
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    int status;

    setenv("PROGRAM", whole, 1);
    setenv("FOLDER", folder, 1);
    setenv("LAUNCH", launch, 1);
    if (gl_process_capture(argv, 65536, 60000, out, &status, &err) != 0)
        fail_msg("%s", err.text);
}

static void must_say(const struct gl_str *said, const char *text)
{
    if (strstr(gl_str_text(said), text) == NULL)
        fail_msg("it does not say \"%s\":\n%s", text, gl_str_text(said));
}

static void a_server_takes_what_is_pushed(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str said = {0};
    GL_AUTO(gl_auto_free) char *path = NULL;
    struct gl_instance instance;
    json_int_t readings, status;

    (void)state;
    if (!has_program("curl") || !has_program("openssl")) {
        print_message("skip test_pushed: curl or openssl is not installed\n");
        skip();
    }
    instance = silent_launch(&text);
    path = gl_path_join(bench.folder, "pushed");
    assert_int_equal(gl_file_write(path, text.text, text.length, 0600, &err), 0);
    run_script(pushes, instance.launch_id, &said);
    must_say(&said, " new \n200 0 new \n422 ");
    assert_int_equal(strncmp(gl_str_text(&said), "200 ", 4), 0);
    must_say(&said, "\n404 no such launch is open \n400 ");
    must_say(&said, "\n413 ");
    must_say(&said, "new readings\n"); /* in its log */
    must_say(&said, "stopped\n");
    finished(instance.launch_id, &readings, &status);
    assert_in_range(readings, 50, 62);
}

static void write_userdata(const char *launch)
{
    static const char *const command[] = {"sh", "-c", "seq 9000; sleep 2; echo 'the end'; exit 7",
                                          NULL};
    const char *build = getenv("BUILD_DIR");
    GL_AUTO(gl_auto_free)
    char *meter_path = gl_path_join(build != NULL ? build : "build", "greenlaunch-meter");
    GL_AUTO(gl_auto_free) char *path = gl_path_join(bench.folder, "script");
    GL_AUTO(gl_auto_free) char *token = NULL;
    GL_AUTO(gl_str_done) struct gl_str token_path = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    const struct gl_carried_meter meter = {.path = meter_path,
                                           .push = "https://push.example/readings"};
    struct gl_launch wanted = {.launch_id = launch,
                               .expires = {gl_now(&bench.world).unix_s + 300},
                               .lease = {300},
                               .interval_s = 1,
                               .command = command,
                               .meter = &meter};
    size_t length;

    gl_str_addf(&token_path, "%s/tokens/%s", bench.folder, launch);
    assert_int_equal(gl_file_read(gl_str_text(&token_path), 256, &token, &length, &err), 0);
    wanted.enrol_token = token;
    if (gl_userdata_make(&(struct gl_userdata){.launch = &wanted, .end = GL_GUEST_STAYS}, &text,
                         &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(gl_file_write(path, text.text, text.length, 0600, &err), 0);
}

/* What the command printed last, as the journal knows it. */
static void must_have_printed(const char *launch)
{
    static const char end[] = "\n8999\n9000\nthe end\n";
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_collected known;
    const char *text;

    assert_int_equal(gl_ledger_launches(bench.ledger, launch, &rows, &err), 0);
    assert_int_equal(gl_collect(&bench.launcher, &rows.rows[0], NULL, &known, &err), 0);
    text = gl_str_text(&known.said.tail);
    assert_true(known.said.is_tail_pushed && known.said.is_tail_cut);
    assert_int_equal(known.said.tail.length, GL_GUEST_TAIL);
    assert_string_equal(text + GL_GUEST_TAIL - strlen(end), end);
    gl_collected_done(&known);
}

/* With curl, and where there is none with the Python that cloud-init needs. */
static void pushed_by(const char *sender)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str said = {0};
    struct gl_instance instance;
    json_int_t readings, status;

    if (!has_program(sender) || !has_program("openssl")) {
        print_message("skip test_pushed: %s or openssl is not installed\n", sender);
        skip();
    }
    instance = silent_launch(&text);
    bench.clock->slept_ms = 0;
    write_userdata(instance.launch_id);
    setenv("SENDER", sender, 1);
    run_script(machine, instance.launch_id, &said);
    must_say(&said, "new readings\n");
    if (strncmp(gl_str_text(&said), "listening on", 12) != 0)
        fail_msg("%s", gl_str_text(&said));
    must_have_printed(instance.launch_id);
    finished(instance.launch_id, &readings, &status);
    assert_true(readings >= 2);
    assert_int_equal(status, 7);
}

static void a_machine_pushes_with_curl(void **state)
{
    (void)state;
    pushed_by("curl");
}

static void a_machine_pushes_without_curl(void **state)
{
    (void)state;
    pushed_by("python3");
}

static void presigned_addresses_are_refused(void **state)
{
    static const char *const addresses[] = {
        "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0a",
        "https://storage.googleapis.com/b/k?x-goog-signature=0a",
        "https://storage.googleapis.com/b/k?GoogleAccessId=a&Expires=1&Signature=x",
        "https://a.blob.core.windows.net/c/k?sv=2024&se=2030&sig=x"};
    struct gl_carried_meter meter = {.path = "/bin/true"};
    const struct gl_launch launch = {
        .launch_id = "gl-1", .lease = {60}, .meter = &meter, .enrol_token = "00"};
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        meter.push = addresses[i];
        gl_error_clear(&err);
        assert_int_equal(gl_userdata_make(&(struct gl_userdata){.launch = &launch}, &text, &err),
                         -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        assert_non_null(strstr(err.text, "presigned"));
    }
    meter.push = "https://host.example/readings?design=1"; /* "sig" is in it, too */
    assert_int_equal(gl_userdata_make(&(struct gl_userdata){.launch = &launch}, &text, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_pushed_is_in_the_receipt),
        CASE(forged_ones_are_refused),
        CASE(what_cannot_be_kept_is_not_taken),
        CASE(an_exit_counts_when_the_meter_has_signed_it),
        CASE(what_was_kept_goes_with_the_receipt),
        CASE(the_fuller_output_is_kept),
        CASE(the_fuller_output_stays),
        CASE(a_server_takes_what_is_pushed),
        CASE(a_machine_pushes_with_curl),
        CASE(a_machine_pushes_without_curl),
        CASE(presigned_addresses_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
