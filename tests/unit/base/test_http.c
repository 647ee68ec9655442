/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include "base/file.h"
#include "base/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "build/tmp/test_http"

/* ---- a tiny server on a loopback port of its own: one process a connection ---- */

struct server {
    int pid, port;
    int *connections; /* shared with the server */
};

static void say(int fd, const char *text)
{
    ssize_t ignored = write(fd, text, strlen(text));

    (void)ignored;
}

static void say_body(int fd, const char *head, const char *body)
{
    char text[4096];

    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body),
             body);
    say(fd, text);
}

static void flood(int fd)
{
    say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 100000; i++)
        if (write(fd, "0123456789abcdef", 16) != 16)
            return;
}

/* Answer one request; false to hang up. */
static bool answer(int fd, const char *request)
{
    const char *path = strchr(request, ' ') != NULL ? strchr(request, ' ') + 1 : "";

    if (strncmp(path, "/ok ", 4) == 0)
        say_body(fd,
                 "200 OK\r\nETag: \"v1\"\r\nlast-modified:\tSun, 06 Nov 1994 08:49:37 GMT \r\n"
                 "Content-Type: text/plain",
                 "hello");
    else if (strncmp(path, "/none ", 6) == 0)
        say(fd, "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n");
    else if (strncmp(path, "/limit ", 7) == 0)
        say_body(fd, "429 Too Many Requests\r\nRetry-After: 17", "slow down");
    else if (strncmp(path, "/date ", 6) == 0)
        say_body(fd,
                 "503 Busy\r\nRetry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n"
                 "Date: Sun, 06 Nov 1994 08:49:37 GMT",
                 "");
    else if (strncmp(path, "/move ", 6) == 0)
        say_body(fd, "302 Found\r\nLocation: /ok", "moved");
    else if (strncmp(path, "/echo", 5) == 0)
        say_body(fd, "200 OK", request);
    else if (strncmp(request, "HEAD /head ", 11) == 0)
        say(fd, "HTTP/1.1 204 Fine\r\nContent-Length: 99\r\n\r\n");
    else if (strncmp(path, "/short ", 7) == 0)
        return say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"), false;
    else if (strncmp(path, "/flood ", 7) == 0)
        return flood(fd), false;
    else if (strncmp(path, "/late ", 6) == 0) {
        sleep(2);
        say_body(fd, "200 OK", "");
    } else if (strncmp(path, "/garbage ", 9) == 0)
        return say(fd, "\1\2\3 what?\r\n\r\n"), false;
    else
        say_body(fd, "404 Not Found", "");
    return true;
}

/* Read a request with the body that its Content-Length announces; false at the end. */
static bool read_request(int fd, char *out, size_t size)
{
    size_t used = 0;

    for (;;) {
        ssize_t got = read(fd, out + used, size - 1 - used);
        const char *end, *length;

        if (got <= 0)
            return false;
        used += (size_t)got;
        out[used] = '\0';
        end = strstr(out, "\r\n\r\n");
        length = strstr(out, "Content-Length: ");
        if (end != NULL && (length == NULL || strlen(end + 4) >= strtoul(length + 16, NULL, 10)))
            return true;
    }
}

static _Noreturn void serve_connection(int fd)
{
    char request[4096];

    while (read_request(fd, request, sizeof request) && answer(fd, request))
        continue;
    _exit(0);
}

static _Noreturn void serve(int listener, int *connections)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            continue;
        ++*connections;
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve_connection(fd);
        }
        close(fd);
    }
}

static int start_server(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct server *server = gl_alloc(sizeof *server);
    struct gl_error err = {0};

    if (gl_dir_make(FOLDER, &err) < 0 || bind(listener, (struct sockaddr *)&at, size) < 0 ||
        listen(listener, 8) < 0 || getsockname(listener, (struct sockaddr *)&at, &size) < 0)
        return -1;
    server->port = ntohs(at.sin_port);
    server->connections =
        mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(NULL);
    server->pid = fork();
    if (server->pid == 0)
        serve(listener, server->connections);
    close(listener);
    *state = server;
    return 0;
}

static int stop_server(void **state)
{
    struct server *server = *state;
    struct gl_error err = {0};

    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    munmap(server->connections, sizeof(int));
    free(server);
    return gl_dir_remove(FOLDER, &err);
}

/* ---- curl ---- */

static bool is_curl_mapped(void)
{
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "re");
    bool is_mapped = false;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL)
        is_mapped = is_mapped || strstr(line, "libcurl") != NULL;
    fclose(maps);
    return is_mapped;
}

static struct gl_http_request request_of(const struct server *server, const char *path,
                                         char url[100])
{
    snprintf(url, 100, "http://127.0.0.1:%d%s", server->port, path);
    return (struct gl_http_request){.method = "GET", .url = url};
}

/* Must run first: later tests leave libcurl mapped. */
static void curl_is_loaded_at_the_first_call_only(void **state)
{
    const struct server *server = *state;
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char url[100];
    struct gl_http_request request = request_of(server, "/ok", url);

    assert_false(is_curl_mapped());
    if (gl_http_send(http, &request, &reply, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(is_curl_mapped());
    gl_http_reply_done(&reply);
    gl_http_close(http);
}

/* One exchange that must succeed. */
static struct gl_http_reply get(const struct server *server, const char *path)
{
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char url[100];
    struct gl_http_request request = request_of(server, path, url);

    if (gl_http_send(http, &request, &reply, &err) < 0)
        fail_msg("%s: %s", path, err.text);
    gl_http_close(http);
    return reply;
}

static void a_reply_carries_what_caches_need(void **state)
{
    struct gl_http_reply reply = get(*state, "/ok");

    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.etag, "\"v1\"");
    assert_string_equal(reply.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(reply.content_type, "text/plain");
    assert_int_equal(reply.retry_after_s, -1);
    assert_int_equal(reply.body_length, 5);
    assert_string_equal(reply.body, "hello");
    gl_http_reply_done(&reply);
    assert_null(reply.body);
    reply = get(*state, "/none");
    assert_int_equal(reply.status, 304);
    assert_string_equal(reply.body, "");
    gl_http_reply_done(&reply);
}

static void every_status_is_an_answer(void **state)
{
    struct gl_http_reply reply = get(*state, "/limit");

    assert_int_equal(reply.status, 429);
    assert_int_equal(reply.retry_after_s, 17);
    gl_http_reply_done(&reply);
    reply = get(*state, "/date"); /* counted from the answer's own date */
    assert_int_equal(reply.status, 503);
    assert_int_equal(reply.retry_after_s, 120);
    gl_http_reply_done(&reply);
    reply = get(*state, "/nowhere");
    assert_int_equal(reply.status, 404);
    gl_http_reply_done(&reply);
}

static void redirects_are_not_followed(void **state)
{
    struct gl_http_reply reply = get(*state, "/move");

    assert_int_equal(reply.status, 302);
    assert_string_equal(reply.body, "moved");
    gl_http_reply_done(&reply);
}

static void method_headers_and_body_are_sent(void **state)
{
    static const char *const headers[] = {"X-Colour: green", NULL};
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH"};
    struct gl_http *http = gl_http_curl_new();
    char url[100], line[40];
    struct gl_http_request request = request_of(*state, "/echo", url);

    request.headers = headers;
    request.body = "a\nb";
    request.body_length = 3;
    for (size_t i = 0; i < 4; i++) {
        struct gl_http_reply reply;
        struct gl_error err = {0};

        request.method = methods[i];
        assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
        snprintf(line, sizeof line, "%s /echo HTTP/1.1\r\n", methods[i]);
        assert_memory_equal(reply.body, line, strlen(line));
        assert_non_null(strstr(reply.body, "\r\nX-Colour: green\r\n"));
        assert_non_null(strstr(reply.body, "\r\nUser-Agent: greenlaunch/"));
        assert_non_null(strstr(reply.body, "\r\nContent-Length: 3\r\n"));
        assert_string_equal(strstr(reply.body, "\r\n\r\n"), "\r\n\r\na\nb");
        gl_http_reply_done(&reply);
    }
    gl_http_close(http);
}

static void a_connection_is_used_again(void **state)
{
    const struct server *server = *state;
    struct gl_http *http = gl_http_curl_new();
    int before = *server->connections;
    char url[100];
    struct gl_http_request request = request_of(server, "/ok", url);

    for (int i = 0; i < 3; i++) {
        struct gl_http_reply reply;
        struct gl_error err = {0};

        assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
        gl_http_reply_done(&reply);
    }
    gl_http_close(http);
    assert_int_equal(*server->connections, before + 1);
}

/* One exchange that must fail; the output stays as it was. */
static void fail_to_get(const struct server *server, const char *path, enum gl_errc code)
{
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_reply reply = {.status = 77};
    struct gl_error err = {0};
    char url[100];
    struct gl_http_request request = request_of(server, path, url);

    request.timeout_ms = 300;
    request.body_ceiling = 1000;
    assert_int_equal(gl_http_send(http, &request, &reply, &err), -1);
    assert_int_equal(err.code, code);
    assert_null(strstr(err.text, "hidden"));
    assert_non_null(strstr(err.text, "GET 127.0.0.1"));
    assert_int_equal(reply.status, 77);
    gl_http_close(http);
}

static void what_is_no_whole_answer_fails(void **state)
{
    const struct server nobody = {.port = 1};

    fail_to_get(*state, "/short", GL_E_NETWORK);
    fail_to_get(*state, "/garbage", GL_E_NETWORK);
    fail_to_get(*state, "/late", GL_E_TIMEOUT);
    fail_to_get(&nobody, "/ok?api_key=hidden", GL_E_NETWORK);
}

static void the_body_ceiling_holds(void **state)
{
    const struct server *server = *state;
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char url[100];
    struct gl_http_request request = request_of(server, "/ok", url);

    fail_to_get(server, "/flood", GL_E_TOO_LARGE); /* without a length */
    request.body_ceiling = 4;
    assert_int_equal(gl_http_send(http, &request, &reply, &err), -1); /* with one */
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    request.body_ceiling = 5;
    assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
    gl_http_reply_done(&reply);
    gl_http_close(http);
}

static void malformed_requests_are_not_sent(void **state)
{
    static const char *const smuggled[] = {"X: a\r\nY: b", NULL}, *const bare[] = {"X", NULL};
    const struct gl_http_request rows[] = {
        {.method = "GET", .url = "file:///etc/passwd"},
        {.method = "GET", .url = "ftp://127.0.0.1/"},
        {.method = "GET", .url = ""},
        {.method = "GET", .url = "http://127.0.0.1/a b\r\nX: y"},
        {.method = "GET\r\nX: y", .url = "http://127.0.0.1/"},
        {.method = "GET", .url = "http://127.0.0.1/", .headers = smuggled},
        {.method = "GET", .url = "http://127.0.0.1/", .headers = bare},
    };
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_reply reply;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};

        assert_int_equal(gl_http_send(http, &rows[i], &reply, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
    }
    gl_http_close(http);
    gl_http_close(NULL);
}

static void head_asks_for_no_body(void **state)
{
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char url[100];
    struct gl_http_request request = request_of(*state, "/head", url);

    request.method = "HEAD";
    assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
    assert_int_equal(reply.status, 204);
    assert_int_equal(reply.body_length, 0);
    gl_http_reply_done(&reply);
    gl_http_close(http);
}

/* openssl s_server with a certificate of its own making; its port, or 0. */
static int start_tls_server(struct gl_process *out)
{
    static const char *const make[] = {
        "openssl",  "req",           "-x509",   "-newkey",
        "rsa:2048", "-nodes",        "-days",   "2",
        "-subj",    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout",  FOLDER "/key",   "-out",    FOLDER "/certificate",
        NULL};
    static const char *const serve_tls[] = {
        "openssl", "s_server",    "-accept", "127.0.0.1:0",
        "-key",    FOLDER "/key", "-cert",   FOLDER "/certificate",
        "-www",    NULL};
    struct gl_str text = {0};
    struct gl_error err = {0};
    struct gl_spawn spawn = {.argv = serve_tls,
                             .stdin_fd = -1,
                             .stderr_fd = -1,
                             .uid = -1,
                             .gid = -1,
                             .dies_with_parent = true};
    int ends[2], status = -1, port = 0;
    char line[256];
    FILE *output;

    if (gl_process_capture(make, 65536, 30000, &text, &status, &err) < 0 || status != 0 ||
        pipe(ends) < 0)
        return 0;
    gl_str_done(&text);
    spawn.stdout_fd = ends[1];
    if (gl_process_start(&spawn, out, &err) < 0)
        return 0;
    close(ends[1]);
    output = fdopen(ends[0], "r");
    while (port == 0 && output != NULL && fgets(line, sizeof line, output) != NULL)
        if (strncmp(line, "ACCEPT ", 7) == 0 && strrchr(line, ':') != NULL)
            port = atoi(strrchr(line, ':') + 1);
    if (output != NULL)
        fclose(output);
    return port;
}

static void an_unknown_certificate_is_refused(void **state)
{
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_reply reply;
    struct gl_error err = {0};
    struct gl_process process;
    char url[100];
    struct gl_http_request request = {.method = "GET", .url = url, .timeout_ms = 10000};
    int port = start_tls_server(&process), status;

    (void)state;
    if (port == 0) {
        gl_http_close(http);
        print_message("skipped: no openssl program to serve TLS\n");
        skip();
    }
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
    assert_int_equal(gl_http_send(http, &request, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    assert_non_null(strstr(err.text, "certificate"));
    gl_http_close(http);
    gl_process_kill(&process, SIGKILL);
    assert_int_equal(gl_process_wait(&process, -1, &status), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curl_is_loaded_at_the_first_call_only),
        cmocka_unit_test(a_reply_carries_what_caches_need),
        cmocka_unit_test(every_status_is_an_answer),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(method_headers_and_body_are_sent),
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(what_is_no_whole_answer_fails),
        cmocka_unit_test(the_body_ceiling_holds),
        cmocka_unit_test(malformed_requests_are_not_sent),
        cmocka_unit_test(head_asks_for_no_body),
        cmocka_unit_test(an_unknown_certificate_is_refused),
    };

    setenv("no_proxy", "*", 1); /* the loopback server is not behind the user's proxy */
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
