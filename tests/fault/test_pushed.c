/* SPDX-License-Identifier: Apache-2.0 */
/* Readings that a rented machine pushes: beside its console or without one, cut, doubled, forged,
 * of nobody, and after the end; by the journal and by the server. BUILD_DIR is where greenlaunch
 * lies. */
#include "tests/support/rented_bench.h"

#include "base/file.h"
#include "base/process.h"
#include "broker/readings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
    assert_int_equal(status, -1); /* whoever pushes does not say how a command ended */
}

/* ---- the server ---- */

/* Pushes as the machine does it, over TLS; a status a line, then what the server said. */
static const char script[] =
    "cd \"$FOLDER\" || exit 1\n"
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem \\\n"
    "    -out cert.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "
    "2>/dev/null\n"
    "chmod 600 key.pem\n"
    "\"$PROGRAM\" meter receive --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem \\\n"
    "    --state \"$FOLDER\" --no-input 2>log &\n"
    "left=200\n"
    "until grep -q '^listening on https' log || [ $left = 0 ]; do\n"
    "    left=$((left - 1)); sleep 0.1\n"
    "done\n"
    "url=$(sed -n 's/^listening on \\(https:[^ ]*\\): .*/\\1/p' log)\n"
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

/* What `script` prints; "" where the server cannot run on this machine. */
static void run_script(const char *launch, struct gl_str *out)
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
    run_script(instance.launch_id, &said);
    must_say(&said, " new \n200 0 new \n422 ");
    assert_int_equal(strncmp(gl_str_text(&said), "200 ", 4), 0);
    must_say(&said, "\n404 no such launch is open \n400 ");
    must_say(&said, "\n413 ");
    must_say(&said, "new readings\n"); /* in its log */
    must_say(&said, "stopped\n");
    finished(instance.launch_id, &readings, &status);
    assert_in_range(readings, 50, 62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_pushed_is_in_the_receipt),
        CASE(forged_ones_are_refused),
        CASE(a_server_takes_what_is_pushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
