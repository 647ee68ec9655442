/* SPDX-License-Identifier: Apache-2.0 */
/* The last push of a rented machine, which nobody meters any more: run by a real shell, on a clock
 * that only its own waits move. */
#include "providers/cloud/guest_shell.h"

#include "base/file.h"
#include "base/process.h"
#include "tests/support/scratch.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 60000

/* Functions in place of programs. A try takes `takes` seconds, or as long as its options let it. */
static const char fakes[] =
    "clock=1000 tries=0 waits=\n"
    "rm() { :; }\n"
    "now() { echo \"$clock\"; }\n"
    "date() { echo 0; }\n"
    "sleep() { waits=\"$waits $1\"; clock=$((clock + $1)); }\n"
    "replay() { tries=$((tries + 1)); }\n"
    "pass() { # SECONDS MOST\n"
    "    if [ \"$1\" -lt \"$2\" ]; then clock=$((clock + $1)); else clock=$((clock + $2)); fi\n"
    "    [ \"$tries\" = \"${ok:-0}\" ]\n"
    "}\n"
    "tell() { echo \"tries $tries, waits$waits, $((clock - 1000)) s\"; }\n";

static const char curl[] =
    "option() { # NAME ARGUMENT...\n"
    "    name=$1\n"
    "    while [ \"$2\" != \"$name\" ]; do shift; done\n"
    "    echo \"$3\"\n"
    "}\n"
    "curl() {\n"
    "    [ -z \"${is_far:-}\" ] || takes=$(option --connect-timeout \"$@\")\n"
    "    pass \"$takes\" \"$(option --max-time \"$@\")\"\n"
    "}\n";
static const char python3[] = "python3() { pass \"$takes\" \"$6\"; }\n";

static char *folder;

static int fresh(void **state)
{
    (void)state;
    folder = scratch_make("guest_shell");
    return 0;
}

static int done(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/* What the script says: its variables, ours, then `end`. */
static void run(const char *variables, const char *sender, const char *end, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str script = {0};
    struct gl_error err = {0};
    int status;

    gl_str_addf(&script, "dir=%s launch=gl-1\n%s%s%s\n%s%s", folder, gl_guest_push, fakes,
                variables, sender, end);
    const char *const argv[] = {"/bin/sh", "-c", gl_str_text(&script), NULL};

    if (gl_process_capture(argv, 4096, WAIT_MS, out, &status, &err) != 0)
        fail_msg("%s", err.text);
}

static void expect(const char *variables, const char *sender, const char *said)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};

    run(variables, sender, "PATH=/nowhere\npush_last 7\ntell\n", &out);
    assert_string_equal(gl_str_text(&out), said);
}

static void nothing_to_send_with_is_no_reason_to_wait(void **state)
{
    (void)state;
    expect("push=https://x.example/", "", "tries 0, waits, 0 s\n");
}

static void a_moment_without_a_network_is_waited_for(void **state)
{
    (void)state;
    expect("takes=0 ok=1", curl, "tries 1, waits 0, 0 s\n");
    expect("takes=1 ok=4", curl, "tries 4, waits 0 2 5 15, 26 s\n");
    expect("takes=0", curl, "tries 4, waits 0 2 5 15, 22 s\n");
    expect("takes=0 ok=3", python3, "tries 3, waits 0 2 5, 7 s\n");
}

static void no_receiver_keeps_a_machine_for_longer_than_half_a_minute(void **state)
{
    (void)state;
    expect("takes=99", curl, "tries 1, waits 0, 30 s\n");
    expect("is_far=1", curl, "tries 3, waits 0 2 5, 30 s\n");
    expect("takes=99", python3, "tries 1, waits 0, 30 s\n");
    expect("takes=20", python3, "tries 2, waits 0 2, 30 s\n");
}

/* Images have environments. */
static void only_its_own_variables_count(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};

    (void)state;
    setenv("unseen", "/of/the/image", 1);
    setenv("patience", "none", 1);
    run("", "", "echo \"<$unseen$patience>\"\n", &out);
    unsetenv("unseen");
    unsetenv("patience");
    assert_string_equal(gl_str_text(&out), "<>\n");
}

/* A meter that is older knows less; where a console shows what was printed nobody sends it. */
static void a_meter_signs_what_it_can(void **state)
{
    static const struct {
        const char *variables, *said;
    } rows[] = {
        {"printf 7 >\"$dir/exit\" knows=all unseen=/o", "F --exit 7 --tail /o;\n"},
        {"printf 7 >\"$dir/exit\" knows=exit unseen=/o", "F --exit 7 --tail /o;F --exit 7;\n"},
        {"printf 7 >\"$dir/exit\" knows=none unseen=/o", "F --exit 7 --tail /o;F --exit 7;F;\n"},
        {"printf 7 >\"$dir/exit\" knows=all", "F --exit 7;\n"},
        {"command rm -f \"$dir/exit\" knows=all unseen=/o", "F;\n"},
    };
    static const char meter[] = "replay() {\n"
                                "    printf '%s;' \"$*\"\n"
                                "    case \"$knows $*\" in\n"
                                "    all*) ;;\n"
                                "    *--tail*) false ;;\n"
                                "    exit*) ;;\n"
                                "    *--exit*) false ;;\n"
                                "    esac\n"
                                "}\n";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        GL_AUTO(gl_str_done) struct gl_str out = {0}, variables = {0};
        const char *space = strstr(rows[i].variables, " knows");

        gl_str_addf(&variables, "%.*s\n%s", (int)(space - rows[i].variables), rows[i].variables,
                    space);
        run(gl_str_text(&variables), meter, "chain F\necho\n", &out);
        assert_string_equal(gl_str_text(&out), rows[i].said);
    }
}

static void its_clock_is_set_by_nobody(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    long before, after;
    struct timespec at;

    (void)state;
    clock_gettime(CLOCK_BOOTTIME, &at);
    before = (long)at.tv_sec;
    run("date() { echo 0; }", gl_guest_push, "now\n", &out);
    clock_gettime(CLOCK_BOOTTIME, &at);
    after = (long)at.tv_sec;
    assert_in_range(strtol(gl_str_text(&out), NULL, 10), before, after);
}

/* Takes what is sent, and never says a word. */
static int listen_silently(unsigned *out_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *out_port = ntohs(at.sin_port);
    return fd;
}

/* The true programs, against one who says nothing: 28 is curl's word for that, 142 SIGALRM. */
static void true_senders_keep_to_their_time(void **state)
{
    static const struct {
        const char *name, *said;
    } senders[] = {{"curl", "28\n"}, {"python3", "142\n"}};
    unsigned port;
    int fd = listen_silently(&port);
    char variables[128];

    (void)state;
    snprintf(variables, sizeof variables,
             "push=https://127.0.0.1:%u/ patience=1 no_proxy='*'\nexport no_proxy", port);
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
        GL_AUTO(gl_auto_free) char *path = gl_program_find(senders[i].name);
        GL_AUTO(gl_str_done) struct gl_str sender = {0}, out = {0};

        if (path == NULL) {
            print_message("without %s: it is not installed\n", senders[i].name);
            continue;
        }
        gl_str_addf(&sender,
                    "was=$PATH\n%s() { PATH=$was '%s' \"$@\"; }\nPATH=/nowhere\n: >\"$dir/file\"\n",
                    senders[i].name, path);
        run(variables, gl_str_text(&sender), "post \"$dir/file\" 2>/dev/null\necho $?\n", &out);
        assert_string_equal(gl_str_text(&out), senders[i].said);
    }
    close(fd);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        CASE(nothing_to_send_with_is_no_reason_to_wait),
        CASE(a_moment_without_a_network_is_waited_for),
        CASE(no_receiver_keeps_a_machine_for_longer_than_half_a_minute),
        CASE(only_its_own_variables_count),
        CASE(a_meter_signs_what_it_can),
        CASE(its_clock_is_set_by_nobody),
        CASE(true_senders_keep_to_their_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
