/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/http.h"
#include "base/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "build/tmp/test_http_replay"

static int set_up(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_make(FOLDER, &err);
}

static int tear_down(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_remove(FOLDER, &err);
}

/* ---- replay ---- */

static void write_recording(const char *method_and_url, const char *text)
{
    struct gl_hash hash;
    char name[GL_HASH_HEX], path[200];
    struct gl_error err = {0};

    gl_hash_of(method_and_url, strlen(method_and_url), &hash);
    snprintf(path, sizeof path, FOLDER "/%s.http", gl_hash_hex(&hash, name));
    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
}

static void recordings_answer(void **state)
{
    static const char *const ends[] = {"\n", "\r\n"};
    struct gl_http *http = gl_http_replay_new(FOLDER);
    struct gl_http_request request = {.method = "GET", .url = "https://example.org/a?b=c"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gl_http_reply reply;
        struct gl_error err = {0};
        char text[200];

        snprintf(text, sizeof text, "HTTP/2 503 Busy%seTaG: \"x\"%sRetry-After: 9%s%sbody\r\n\n",
                 ends[i], ends[i], ends[i], ends[i]);
        write_recording("GET https://example.org/a?b=c", text);
        assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
        assert_int_equal(reply.status, 503);
        assert_string_equal(reply.etag, "\"x\"");
        assert_int_equal(reply.retry_after_s, 9);
        assert_string_equal(reply.body, "body\r\n\n");
        assert_int_equal(reply.body_length, 7);
        gl_http_reply_done(&reply);
    }
    gl_http_close(http);
}

static void bad_recordings_fail(void **state)
{
    static const struct {
        const char *text;
        enum gl_errc code;
    } rows[] = {
        {"ERROR network\n", GL_E_NETWORK},
        {"ERROR timeout\n", GL_E_TIMEOUT},
        {"", GL_E_NETWORK},
        {"HTTP/1.1 200", GL_E_NETWORK},
        {"HTTP/1.1 2x0 OK\n\n", GL_E_NETWORK},
        {"HTTP/1.1 200 OK\nETag: \"x\"\n", GL_E_NETWORK},
        {"hello\n\n", GL_E_NETWORK},
        {"HTTP/1.1 200 OK\n\n12345", GL_E_TOO_LARGE},
    };
    struct gl_http *http = gl_http_replay_new(FOLDER);
    struct gl_http_request request = {
        .method = "GET", .url = "https://example.org/bad?k=hidden", .body_ceiling = 4};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_http_reply reply = {.status = 77};
        struct gl_error err = {0};

        write_recording("GET https://example.org/bad?k=hidden", rows[i].text);
        assert_int_equal(gl_http_send(http, &request, &reply, &err), -1);
        assert_int_equal(err.code, rows[i].code);
        assert_null(strstr(err.text, "hidden"));
        assert_int_equal(reply.status, 77);
    }
    gl_http_close(http);
}

static void what_is_not_recorded_is_no_network(void **state)
{
    struct gl_http *http = gl_http_replay_new(FOLDER);
    struct gl_http_request request = {.method = "POST", .url = "https://example.org/a?b=hidden"};
    struct gl_http_reply reply;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_http_send(http, &request, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    assert_string_equal(err.text, "POST example.org/a: not recorded");
    gl_error_clear(&err);
    request.url = "https://me:hidden@example.org/a?b=c";
    assert_int_equal(gl_http_send(http, &request, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_string_equal(err.text, "POST example.org/a: the address holds a user name");
    gl_http_close(http);
}

static void retry_dates_need_a_date_to_count_from(void **state)
{
    static const struct {
        const char *headers;
        int64_t retry_after_s;
    } rows[] = {
        {"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\nDate: Sun, 06 Nov 1994 08:49:37 GMT\n", 10},
        {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\nDate: Sun, 06 Nov 1994 08:49:47 GMT\n", 0},
        {"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT\n", -1},
        {"Retry-After: Sun, 06 Nix 1994 08:49:47 GMT\nDate: Sun, 06 Nov 1994 08:49:37 GMT\n", -1},
        {"Retry-After: Sun, 06 ovD 1994 08:49:47 GMT\nDate: Sun, 06 Nov 1994 08:49:37 GMT\n", -1},
        {"Retry-After: Sun, 06 Nov 2994 08:49:47 GMT\nDate: Sun, 06 Nov 1994 08:49:37 GMT\n",
         31536000},
        {"Retry-After: -5\n", -1},
        {"Retry-After: \n", -1},
        {"Retry-After: 0\n", 0},
        {"Retry-After: 99999999999999999999999\n", 31536000},
        {"Retry-After 5\n", -1},
    };
    struct gl_http *http = gl_http_replay_new(FOLDER);
    struct gl_http_request request = {.method = "GET", .url = "https://example.org/r"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_http_reply reply;
        struct gl_error err = {0};
        char text[300];

        snprintf(text, sizeof text, "HTTP/1.1 429 Slow\n%s\n", rows[i].headers);
        write_recording("GET https://example.org/r", text);
        assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
        assert_int_equal(reply.retry_after_s, rows[i].retry_after_s);
        gl_http_reply_done(&reply);
    }
    gl_http_close(http);
}

static void a_recording_is_a_regular_file(void **state)
{
    static const char folder[] = FOLDER "/odd";
    struct gl_http *http = gl_http_replay_new(folder);
    struct gl_http_request request = {.method = "GET", .url = "https://example.org/"};
    struct gl_http_reply reply;
    struct gl_error err = {0};
    struct gl_hash hash;
    char name[GL_HASH_HEX], path[200];

    (void)state;
    gl_hash_of("GET https://example.org/", 24, &hash);
    snprintf(path, sizeof path, "%s/%s.http", folder, gl_hash_hex(&hash, name));
    assert_int_equal(gl_dir_make(path, &err), 0);
    assert_int_equal(gl_http_send(http, &request, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    assert_null(strstr(err.text, "not recorded"));
    gl_http_close(http);
}

/* A cut entity tag would match another answer. */
static void long_values_are_dropped_not_cut(void **state)
{
    struct gl_http *http = gl_http_replay_new(FOLDER);
    struct gl_http_request request = {.method = "GET", .url = "https://example.org/long"};
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char text[300];

    (void)state;
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\nETag: %0200d\n\n", 1);
    write_recording("GET https://example.org/long", text);
    assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
    assert_string_equal(reply.etag, "");
    gl_http_reply_done(&reply);
    gl_http_close(http);
}

/* ---- record and fault, over a transport that answers the same each time ---- */

struct canned {
    struct gl_http http;
    enum gl_errc fails_with;        /* GL_OK: answers */
    const char *body, *header_text; /* NULL: none */
    unsigned calls;
};

static int canned_send(struct gl_http *http, const struct gl_http_request *request,
                       struct gl_http_reply *out, struct gl_error *err)
{
    struct canned *self = (struct canned *)http;

    (void)request;
    self->calls++;
    if (self->fails_with != GL_OK)
        return gl_fail(err, self->fails_with, "canned");
    *out = (struct gl_http_reply){.status = 200,
                                  .retry_after_s = 3,
                                  .etag = "\"e\"",
                                  .content_type = "text/plain",
                                  .last_modified = "yesterday",
                                  .body = gl_strdup(self->body),
                                  .body_length = strlen(self->body)};
    if (self->header_text != NULL)
        out->header_text = gl_strdup(self->header_text);
    return 0;
}

static void canned_close(struct gl_http *http)
{
    ((struct canned *)http)->fails_with = GL_E_INTERNAL;
}

static const struct gl_http_ops canned_ops = {"canned", canned_send, canned_close};

/* All bytes of all files in `folder`, one after the other; to be freed. */
static char *all_bytes(const char *folder)
{
    struct gl_str all = {0};
    DIR *entries = opendir(folder);
    const struct dirent *entry;

    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        struct gl_error err = {0};
        char *path = gl_path_join(folder, entry->d_name), *bytes;
        size_t length;

        if (entry->d_name[0] != '.') {
            assert_int_equal(gl_file_read(path, 65536, &bytes, &length, &err), 0);
            gl_str_add_bytes(&all, bytes, length);
            free(bytes);
        }
        free(path);
    }
    closedir(entries);
    return gl_str_take(&all);
}

static void a_recording_holds_no_secret(void **state)
{
    static const char *const secret_parameters[] = {"api_key", "token", NULL};
    static const char *const headers[] = {"Authorization: Bearer hidden-3", NULL};
    static const char folder[] = FOLDER "/recorded";
    struct canned canned = {.http.ops = &canned_ops,
                            .body = "see /a?api_key=hidden-1&z=1 and hidden-1 and token=hidden-2"};
    struct gl_http *record = gl_http_record_new(&canned.http, folder, secret_parameters);
    struct gl_http *replay = gl_http_replay_new(folder);
    struct gl_http_request request = {
        .method = "GET",
        .headers = headers,
        .url = "https://example.org/a?api_key=hidden-1&z=1&token=hidden-2&token=#api_key=x"};
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char *bytes;

    (void)state;
    assert_int_equal(gl_http_send(record, &request, &reply, &err), 0);
    assert_string_equal(reply.body, canned.body); /* the caller gets the answer as it is */
    gl_http_reply_done(&reply);
    bytes = all_bytes(folder);
    assert_null(strstr(bytes, "hidden"));
    assert_null(strstr(bytes, "Authorization"));
    free(bytes);

    request.url = "https://example.org/a?api_key=REDACTED&z=1&token=REDACTED&token=REDACTED"
                  "#api_key=x";
    assert_int_equal(gl_http_send(replay, &request, &reply, &err), 0);
    assert_string_equal(reply.body, "see /a?api_key=REDACTED&z=1 and REDACTED and token=REDACTED");
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.retry_after_s, 3);
    assert_string_equal(reply.etag, "\"e\"");
    assert_string_equal(reply.content_type, "text/plain");
    assert_string_equal(reply.last_modified, "yesterday");
    gl_http_reply_done(&reply);
    gl_http_close(replay);
    gl_http_close(record);
    assert_int_equal(canned.fails_with, GL_E_INTERNAL); /* closed with its owner */
}

/* Neither the question nor the answer of a request for a token, say. */
static void nothing_is_recorded_of_what_carries_a_secret(void **state)
{
    static const char *const headers[] = {"X-Auth: hidden-1", NULL};
    static const char folder[] = FOLDER "/secret";
    struct canned canned = {.http.ops = &canned_ops, .body = "{\"token\":\"hidden-2\"}"};
    struct gl_http *record = gl_http_record_new(&canned.http, folder, NULL);
    struct gl_http *replay = gl_http_replay_new(folder);
    struct gl_http_request request = {.method = "POST",
                                      .url = "https://example.org/token?x=hidden-3",
                                      .headers = headers,
                                      .body = "hidden-4",
                                      .body_length = 8,
                                      .carries_secret = true};
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char *bytes;

    (void)state;
    assert_int_equal(gl_http_send(record, &request, &reply, &err), 0);
    assert_string_equal(reply.body, canned.body);
    gl_http_reply_done(&reply);
    bytes = all_bytes(folder);
    assert_string_equal(bytes, "ERROR secret\n");
    free(bytes);
    assert_int_equal(gl_http_send(replay, &request, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    assert_non_null(strstr(err.text, "because it carried a secret"));
    gl_http_close(record);
    gl_http_close(replay);
}

static void links_are_recorded_and_cookies_are_not(void **state)
{
    static const char *const secret_parameters[] = {"sig", NULL};
    static const char folder[] = FOLDER "/links";
    struct canned canned = {.http.ops = &canned_ops,
                            .body = "",
                            .header_text = "set-cookie: hidden-1\nlocation: /next?sig=hidden-2\n"
                                           "x-subject-token: hidden-3\nlink: <b>\n"};
    struct gl_http *record = gl_http_record_new(&canned.http, folder, secret_parameters);
    struct gl_http *replay = gl_http_replay_new(folder);
    struct gl_http_request request = {.method = "GET", .url = "https://example.org/?sig=hidden-2"};
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char value[40];

    (void)state;
    assert_int_equal(gl_http_send(record, &request, &reply, &err), 0);
    gl_http_reply_done(&reply);
    request.url = "https://example.org/?sig=REDACTED";
    assert_int_equal(gl_http_send(replay, &request, &reply, &err), 0);
    assert_null(strstr(reply.header_text, "hidden"));
    assert_true(gl_http_reply_header(&reply, "Location", value, sizeof value));
    assert_string_equal(value, "/next?sig=REDACTED");
    assert_true(gl_http_reply_header(&reply, "Link", value, sizeof value));
    assert_string_equal(value, "<b>");
    gl_http_reply_done(&reply);
    gl_http_close(record);
    gl_http_close(replay);
}

static void recorded_headers_have_a_ceiling(void **state)
{
    struct gl_http *http = gl_http_replay_new(FOLDER);
    struct gl_http_request request = {.method = "GET", .url = "https://example.org/many"};
    struct gl_http_reply reply = {.status = 77};
    struct gl_error err = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    (void)state;
    gl_str_add(&text, "HTTP/1.1 200 OK\n");
    for (int i = 0; i < 2049; i++)
        gl_str_add(&text, "X-Sixteen: 4567\n");
    gl_str_add(&text, "\nbody");
    write_recording("GET https://example.org/many", text.text);
    assert_int_equal(gl_http_send(http, &request, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_int_equal(reply.status, 77);
    gl_http_close(http);
}

static void failures_are_recorded_too(void **state)
{
    static const enum gl_errc codes[] = {GL_E_NETWORK, GL_E_TIMEOUT};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct canned canned = {.http.ops = &canned_ops, .fails_with = codes[i]};
        struct gl_http *record = gl_http_record_new(&canned.http, FOLDER "/recorded", NULL);
        struct gl_http *replay = gl_http_replay_new(FOLDER "/recorded");
        struct gl_http_request request = {.method = "GET", .url = "https://example.org/fails"};
        struct gl_http_reply reply;
        struct gl_error err = {0};

        assert_int_equal(gl_http_send(record, &request, &reply, &err), -1);
        assert_int_equal(err.code, codes[i]);
        gl_error_clear(&err);
        assert_int_equal(gl_http_send(replay, &request, &reply, &err), -1);
        assert_int_equal(err.code, codes[i]);
        assert_non_null(strstr(err.text, "recorded"));
        gl_http_close(record);
        gl_http_close(replay);
    }
}

static void a_recording_that_cannot_be_written_is_an_error(void **state)
{
    struct canned canned = {.http.ops = &canned_ops, .body = "x"};
    struct gl_http *record = gl_http_record_new(&canned.http, "/proc/no/such/folder", NULL);
    struct gl_http_request request = {.method = "GET", .url = "https://example.org/"};
    struct gl_http_reply reply = {.status = 77};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_http_send(record, &request, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    assert_int_equal(reply.status, 77);
    gl_http_close(record);
}

/* Call 2 of 3 is broken in each way; the others pass. `reached` = calls that got to the server. */
static void the_chosen_call_breaks(void **state)
{
    static const struct {
        enum gl_http_fault fault;
        enum gl_errc code;
        int status;
        int64_t retry_after_s;
        size_t length;
        unsigned reached;
    } rows[] = {
        {GL_FAULT_NONE, GL_OK, 200, 3, 10, 3},        {GL_FAULT_NETWORK, GL_E_NETWORK, 0, 0, 0, 2},
        {GL_FAULT_TIMEOUT, GL_E_TIMEOUT, 0, 0, 0, 3}, {GL_FAULT_500, GL_OK, 500, -1, 0, 2},
        {GL_FAULT_429, GL_OK, 429, 1, 0, 2},          {GL_FAULT_EMPTY, GL_OK, 200, 3, 0, 3},
        {GL_FAULT_TRUNCATE, GL_OK, 200, 3, 5, 3},     {GL_FAULT_GARBAGE, GL_OK, 200, 3, 10, 3},
    };
    static const struct gl_http_request request = {.method = "GET", .url = "https://example.org/"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct canned canned = {.http.ops = &canned_ops, .body = "0123456789"};
        struct gl_http *http = gl_http_fault_new(&canned.http, 2, rows[i].fault);

        for (unsigned call = 1; call <= 3; call++) {
            bool is_broken = call == 2 && rows[i].fault != GL_FAULT_NONE;
            struct gl_http_reply reply = {0};
            struct gl_error err = {0};
            int result = gl_http_send(http, &request, &reply, &err);

            assert_int_equal(err.code, is_broken ? rows[i].code : GL_OK);
            assert_int_equal(result, err.code == GL_OK ? 0 : -1);
            if (result < 0)
                continue;
            assert_int_equal(reply.status, is_broken ? rows[i].status : 200);
            assert_int_equal(reply.retry_after_s, is_broken ? rows[i].retry_after_s : 3);
            assert_int_equal(reply.body_length, is_broken ? rows[i].length : 10);
            assert_int_equal(reply.body[reply.body_length], '\0');
            if (!is_broken || rows[i].fault == GL_FAULT_TRUNCATE)
                assert_memory_equal(reply.body, "0123456789", reply.body_length);
            if (is_broken && rows[i].fault == GL_FAULT_GARBAGE)
                assert_memory_not_equal(reply.body, "0123456789", 10);
            gl_http_reply_done(&reply);
        }
        gl_http_close(http);
        assert_int_equal(canned.calls, rows[i].reached);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recordings_answer),
        cmocka_unit_test(bad_recordings_fail),
        cmocka_unit_test(what_is_not_recorded_is_no_network),
        cmocka_unit_test(retry_dates_need_a_date_to_count_from),
        cmocka_unit_test(a_recording_is_a_regular_file),
        cmocka_unit_test(long_values_are_dropped_not_cut),
        cmocka_unit_test(a_recording_holds_no_secret),
        cmocka_unit_test(nothing_is_recorded_of_what_carries_a_secret),
        cmocka_unit_test(links_are_recorded_and_cookies_are_not),
        cmocka_unit_test(recorded_headers_have_a_ceiling),
        cmocka_unit_test(failures_are_recorded_too),
        cmocka_unit_test(a_recording_that_cannot_be_written_is_an_error),
        cmocka_unit_test(the_chosen_call_breaks),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
