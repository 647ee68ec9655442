/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Tables of how venues write requests, and what reads by them. */

static struct gl_venue venue_of(const struct gl_venue_ops *ops)
{
    return (struct gl_venue){.ops = ops, .endpoint = "https://x.example"};
}

static void test_members_by_path(void **state)
{
    GL_AUTO(gl_auto_json)
    json_t *root = json_pack("{s:{s:i, s:{s:s}}, s:s}", "a", "+1", 7, "b", "c", "deep", "d", "top");

    (void)state;
    assert_int_equal(gl_venue_number(root, "a/+1"), 7);
    assert_string_equal(gl_venue_member(root, "a/b/c"), "deep");
    assert_string_equal(gl_venue_member(root, "d"), "top");
    assert_string_equal(gl_venue_member(root, "d/e"), "");
    assert_string_equal(gl_venue_member(root, NULL), "");
    assert_int_equal(gl_venue_number(root, NULL), -1);
    assert_int_equal(gl_venue_number(NULL, "a"), -1);
}

static void test_words(void **state)
{
    (void)state;
    assert_true(gl_venue_is_one_of("solved|closed", "closed"));
    assert_false(gl_venue_is_one_of("solved|closed", "clos"));
    assert_false(gl_venue_is_one_of("solved|closed", "solved|closed"));
    assert_false(gl_venue_is_one_of("solved|closed", ""));
    assert_false(gl_venue_is_one_of(NULL, "closed"));
}

static void test_ids(void **state)
{
    static const struct {
        const struct gl_venue_ops *ops;
        const char *id, *said; /* NULL = fine */
    } rows[] = {
        {&gl_venue_github, "181", NULL},
        {&gl_venue_github, "0181", "github: an issue has a number"},
        {&gl_venue_github, "1234567890123", "github: an issue has a number"},
        {&gl_venue_ovh, "1234567890123", NULL},
        {&gl_venue_zendesk, "x", "zendesk: a request has a number"},
        {&gl_venue_jira, "GREEN-1", NULL},
        {&gl_venue_jira, "GREEN", "jira: an issue is called as in GREEN-1"},
        {&gl_venue_azure_support, "other-1", "azure-support: that is no ticket of ours"},
        {&gl_venue_aws_support, "case:1", NULL}, /* its ids have no rule */
        {&gl_venue_webhook, "1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_error err = {0};

        assert_int_equal(gl_venue_check_id(rows[i].ops, rows[i].id, &err),
                         rows[i].said == NULL ? 0 : -1);
        assert_string_equal(err.text, rows[i].said != NULL ? rows[i].said : "");
    }
}

static void test_receipt_with_an_address_of_our_own(void **state)
{
    GL_AUTO(gl_auto_json) json_t *issue = json_pack("{s:s}", "key", "GREEN-7");
    struct gl_venue jira = venue_of(&gl_venue_jira);
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_venue_read_receipt(&jira, issue, &receipt, &err), 0);
    assert_string_equal(receipt.id, "GREEN-7");
    assert_string_equal(receipt.url, "https://x.example/browse/GREEN-7");
    assert_int_equal(gl_venue_read_receipt(&jira, NULL, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_REPLY);
    assert_string_equal(err.text, "jira: the answer names no issue");
}

static void test_states(void **state)
{
    static const struct {
        const struct gl_venue_ops *ops;
        const char *answer;
        enum gl_venue_state state;
    } rows[] = {
        {&gl_venue_github, "{\"state\":\"open\",\"comments\":0}", GL_REQUEST_OPEN},
        {&gl_venue_github, "{\"state\":\"open\",\"comments\":2}", GL_REQUEST_ANSWERED},
        {&gl_venue_github, "{\"state\":\"closed\",\"comments\":2}", GL_REQUEST_CLOSED},
        {&gl_venue_zendesk, "{\"status\":\"pending\"}", GL_REQUEST_ANSWERED},
        {&gl_venue_zendesk, "{\"status\":\"solved\"}", GL_REQUEST_CLOSED},
        {&gl_venue_google_support, "{\"state\":\"SOLUTION_PROVIDED\"}", GL_REQUEST_ANSWERED},
        {&gl_venue_google_support, "{\"state\":\"closed\"}", GL_REQUEST_OPEN},
        {&gl_venue_jira,
         "{\"fields\":{\"status\":{\"name\":\"Fertig\",\"statusCategory\":{\"key\":\"done\"}}}}",
         GL_REQUEST_CLOSED},
        {&gl_venue_jira, "{\"fields\":{\"comment\":{\"total\":1}}}", GL_REQUEST_ANSWERED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_venue venue = venue_of(rows[i].ops);
        struct gl_error err = {0};
        GL_AUTO(gl_auto_json)
        json_t *root = gl_json_parse(rows[i].answer, strlen(rows[i].answer), "answer", &err);
        struct gl_venue_status status = {0};

        gl_venue_read_status(&venue, root, &status);
        assert_int_equal(status.state, rows[i].state);
    }
}

static void test_candidates_end(void **state)
{
    GL_AUTO(gl_auto_json)
    json_t *issue = json_pack("{s:i, s:s, s:s, s:s}", "iid", 5, "title", "t", "state", "opened",
                              "web_url", "https://x.example/5");
    struct gl_venue gitlab = venue_of(&gl_venue_gitlab);
    struct gl_venue_candidate found[GL_VENUE_CANDIDATES] = {0};
    struct gl_error err = {0};
    size_t count = 0;

    (void)state;
    for (unsigned i = 0; i < GL_VENUE_CANDIDATES + 2; i++)
        assert_int_equal(gl_venue_add_candidate(&gitlab, issue, found, &count, &err), 0);
    assert_int_equal(count, GL_VENUE_CANDIDATES);
    assert_true(found[0].is_open);
    assert_string_equal(found[0].id, "5");
    assert_string_equal(found[0].url, "https://x.example/5");
    assert_int_equal(found[0].votes, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_by_path),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_receipt_with_an_address_of_our_own),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_candidates_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
