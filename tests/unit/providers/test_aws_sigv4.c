/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of AWS's published signing suite (tests/vectors/sigv4), in both forms; or those of the
 * file SIGV4_CASES (tests/integration/sigv4.sh: botocore's). */
#include "providers/cloud/aws_sigv4.h"

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTORS "tests/vectors/sigv4/v4.json"
#define CASES   38

/* One case, taken apart. */
struct vector {
    const json_t *json;
    struct gl_aws_keys keys;
    struct gl_sigv4 how;
    struct gl_sigv4_request request;
    char *method, *path, *query, *headers;
    const char *name;
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL)
        fail_msg("no %s", key);
    return text;
}

static char *copy(const char *from, size_t length)
{
    char *made = gl_alloc(length + 1);

    memcpy(made, from, length);
    return made;
}

/* "METHOD target HTTP/1.1", headers, an empty line, the body. */
static void read_request(const char *text, struct vector *out)
{
    const char *target = strchr(text, ' ') + 1, *end = strchr(target, '\n');
    const char *lines = end != NULL ? end + 1 : text + strlen(text);
    const char *body = strstr(lines, "\n\n"), *mark;
    struct gl_str headers = {0};

    end = strstr(target, " HTTP/1.1");
    mark = memchr(target, '?', (size_t)(end - target));
    out->method = copy(text, (size_t)(target - 1 - text));
    out->path = copy(target, (size_t)((mark != NULL ? mark : end) - target));
    out->query = mark != NULL ? copy(mark + 1, (size_t)(end - mark - 1)) : copy("", 0);
    gl_str_add_bytes(&headers, lines, body != NULL ? (size_t)(body + 1 - lines) : strlen(lines));
    gl_str_add(&headers, "\n");
    out->headers = gl_str_take(&headers);
    out->request = (struct gl_sigv4_request){.method = out->method,
                                             .path = out->path,
                                             .query = out->query,
                                             .headers = out->headers,
                                             .body = {"", 0}};
    if (body != NULL)
        out->request.body = (struct gl_view){body + 2, strlen(body + 2)};
}

static void read_vector(const json_t *json, struct vector *out)
{
    const json_t *context = json_object_get(json, "context");
    const json_t *credentials = json_object_get(context, "credentials");
    const json_t *token = json_object_get(credentials, "token");
    const char *secret = text_of(credentials, "secret_access_key");
    struct gl_error err = {0};

    *out = (struct vector){.json = json, .name = text_of(json, "name")};
    snprintf(out->keys.id, sizeof out->keys.id, "%s", text_of(credentials, "access_key_id"));
    gl_secret_init(&out->keys.secret, secret, strlen(secret));
    if (token != NULL)
        gl_secret_init(&out->keys.token, json_string_value(token), json_string_length(token));
    out->how = (struct gl_sigv4){
        .keys = &out->keys,
        .region = text_of(context, "region"),
        .service = text_of(context, "service"),
        .keeps_dots = !json_is_true(json_object_get(context, "normalize")),
        .has_hash_header = json_is_true(json_object_get(context, "sign_body")),
        .has_late_token = json_is_true(json_object_get(context, "omit_session_token")),
        .expires_s = json_integer_value(json_object_get(context, "expiration_in_seconds"))};
    assert_int_equal(gl_instant_parse(text_of(context, "timestamp"), &out->how.at, &err), 0);
    read_request(text_of(json, "request"), out);
}

static void vector_done(struct vector *vector)
{
    gl_aws_keys_done(&vector->keys);
    free(vector->method);
    free(vector->path);
    free(vector->query);
    free(vector->headers);
}

static void check_steps(const struct vector *vector, const char *form,
                        const struct gl_sigv4_steps *steps)
{
    const json_t *expected = json_object_get(vector->json, form);

    if (strcmp(gl_str_text(&steps->canonical), text_of(expected, "canonical-request")) != 0)
        print_message("case %s, %s\n", vector->name, form);
    assert_string_equal(gl_str_text(&steps->canonical), text_of(expected, "canonical-request"));
    assert_string_equal(gl_str_text(&steps->to_sign), text_of(expected, "string-to-sign"));
    assert_string_equal(steps->signature, text_of(expected, "signature"));
}

/* Each line that we add is in the published request (which writes no space after the colon). */
static void check_signed_headers(const struct vector *vector, const char *added)
{
    const char *whole = text_of(json_object_get(vector->json, "header"), "signed-request");

    while (*added != '\0') {
        size_t length = strcspn(added, "\n"), name = strcspn(added, ":");
        char *line = copy(added, length);

        memmove(line + name + 1, line + name + 2, length - name - 1);
        if (strcasestr(whole, line) == NULL)
            fail_msg("case %s: %s is not in %s", vector->name, line, whole);
        free(line);
        added += length + 1;
    }
}

static void check_header_form(const struct vector *vector)
{
    struct gl_sigv4_steps steps = {0};
    struct gl_str headers = {0};

    gl_sigv4_sign(&vector->how, &vector->request, &headers, &steps);
    check_steps(vector, "header", &steps);
    check_signed_headers(vector, gl_str_text(&headers));
    gl_str_done(&headers);
    gl_sigv4_steps_done(&steps);
}

/* Our parameters are those of the published address, in any order. */
static void check_signed_query(const struct vector *vector, const char *query)
{
    const char *whole = text_of(json_object_get(vector->json, "query"), "signed-request");

    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        char *part = copy(query, length);

        if (strncmp(part, "X-Amz-", 6) == 0 && strstr(whole, part) == NULL)
            fail_msg("case %s: %s is not in %s", vector->name, part, whole);
        free(part);
        query += length + (query[length] == '&');
    }
}

static void check_query_form(struct vector *vector)
{
    struct gl_sigv4_steps steps = {0};
    struct gl_str query = {0};

    vector->how.has_hash_header = false; /* the suite's presigned requests carry none */
    gl_sigv4_presign(&vector->how, &vector->request, &query, &steps);
    check_steps(vector, "query", &steps);
    check_signed_query(vector, gl_str_text(&query));
    gl_str_done(&query);
    gl_sigv4_steps_done(&steps);
}

static void the_published_cases_hold(void **state)
{
    const char *other = getenv("SIGV4_CASES"), *path = other != NULL ? other : VECTORS;
    const char *number = getenv("SIGV4_COUNT");
    size_t length, i, count = other != NULL && number != NULL ? strtoul(number, NULL, 10) : CASES;
    struct gl_error err = {0};
    json_t *cases, *json;
    char *bytes;

    (void)state;
    assert_int_equal(gl_file_read(path, GL_JSON_MAX_BYTES, &bytes, &length, &err), 0);
    cases = gl_json_parse(bytes, length, path, &err);
    assert_non_null(cases);
    assert_int_equal(json_array_size(cases), count);
    json_array_foreach(cases, i, json)
    {
        struct vector vector;

        read_vector(json, &vector);
        check_header_form(&vector);
        if (json_object_get(json, "query") != NULL)
            check_query_form(&vector);
        vector_done(&vector);
    }
    json_decref(cases);
    free(bytes);
}

/* ---- what the suite does not ask ---- */

static void with_keys(struct gl_sigv4 *how, struct gl_aws_keys *keys)
{
    *keys = (struct gl_aws_keys){.id = "AKIDEXAMPLE"};
    gl_secret_init(&keys->secret, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 40);
    *how =
        (struct gl_sigv4){.keys = keys, .region = "us-east-1", .service = "s3", .at = {1440938160}};
}

static void s3_keeps_its_path_and_takes_a_given_hash(void **state)
{
    const struct gl_sigv4_request get = {.method = "GET",
                                         .path = "/a%20b/../c",
                                         .query = "",
                                         .headers = "Host: examplebucket.s3.amazonaws.com\n",
                                         .body = {"", 0}};
    struct gl_sigv4_steps steps = {0};
    struct gl_aws_keys keys;
    struct gl_sigv4 how;
    struct gl_str headers = {0};

    (void)state;
    with_keys(&how, &keys);
    how.keeps_path = true;
    how.has_hash_header = true;
    how.payload_hash = "UNSIGNED-PAYLOAD";
    gl_sigv4_sign(&how, &get, &headers, &steps);
    assert_ptr_equal(strstr(gl_str_text(&steps.canonical), "GET\n/a%20b/../c\n\n"),
                     steps.canonical.text);
    assert_non_null(strstr(gl_str_text(&steps.canonical), "\nUNSIGNED-PAYLOAD"));
    assert_non_null(strstr(gl_str_text(&headers), "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\n"));
    gl_sigv4_steps_done(&steps);
    steps = (struct gl_sigv4_steps){0};
    how.keeps_path = false;
    gl_sigv4_sign(&how, &get, &headers, &steps);
    assert_ptr_equal(strstr(gl_str_text(&steps.canonical), "GET\n/c\n\n"), steps.canonical.text);
    gl_sigv4_steps_done(&steps);
    gl_str_done(&headers);
    gl_aws_keys_done(&keys);
}

static void what_a_proxy_changes_is_not_signed(void **state)
{
    const struct gl_sigv4_request request = {
        .method = "POST",
        .path = "/",
        .query = "",
        .headers = "Host: h\nUser-Agent: x\nExpect: 100-continue\nX-Amzn-Trace-Id: 1\n"
                   "x-amz-ab-c: 1\nx-amz-ab: 2\n",
        .body = {"a", 1}};
    struct gl_sigv4_steps steps = {0};
    struct gl_aws_keys keys;
    struct gl_sigv4 how;
    struct gl_str headers = {0};

    (void)state;
    with_keys(&how, &keys);
    gl_sigv4_sign(&how, &request, &headers, &steps);
    assert_string_equal(gl_str_text(&steps.signed_headers), "host;x-amz-ab;x-amz-ab-c;x-amz-date");
    assert_null(strstr(gl_str_text(&headers), "wJalr"));
    gl_sigv4_steps_done(&steps);
    gl_str_done(&headers);
    gl_aws_keys_done(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_cases_hold),
        cmocka_unit_test(s3_keeps_its_path_and_takes_a_given_hash),
        cmocka_unit_test(what_a_proxy_changes_is_not_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
