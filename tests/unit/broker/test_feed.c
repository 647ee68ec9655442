/* SPDX-License-Identifier: Apache-2.0 */
/* The demand feed's documents: read, refused, merged; the noise. */
#include "tests/support/feed_bench.h"

#include <math.h>

static struct gl_error err;

static int read_text(const char *text, struct gl_demand_feed *out)
{
    gl_error_clear(&err);
    return gl_demand_feed_read(text, strlen(text), NULL, out, &err);
}

/* ---- reading ---- */

static json_t *plain_own(void)
{
    struct gl_demand_cell cells[] = {cell_of("eu-central-1", OCTOBER, 43),
                                     cell_of("us-east-1", OCTOBER, 7)};

    return own_document(cells, 2, NOW_S);
}

static json_t *plain_shared(void)
{
    struct gl_demand_cell cells[] = {cell_of("eu-central-1", OCTOBER, 430)};

    return shared_document(cells, 1, GL_DEMAND_K);
}

static void a_document_reads_as_it_was_written(void **state)
{
    GL_AUTO(gl_auto_free) char *text = sealed(plain_own(), 1);
    struct gl_demand_feed feed;
    struct gl_secret_key secret;
    struct gl_public_key key, other;
    char hex[2 * GL_KEY_BYTES + 1];

    (void)state;
    key_of(1, &secret, &key);
    key_of(2, &secret, &other);
    assert_int_equal(read_text(text, &feed), 0);
    assert_false(feed.is_shared);
    assert_int_equal(feed.count, 2);
    assert_int_equal(feed.issued_s, NOW_S);
    assert_string_equal(feed.key, gl_hex_text(key.bytes, sizeof key.bytes, hex));
    assert_true(strcmp(feed.cells[0].fingerprint, feed.cells[1].fingerprint) < 0);
    for (size_t i = 0; i < feed.count; i++)
        assert_int_equal(feed.cells[i].launches.low,
                         strcmp(feed.cells[i].region, "us-east-1") == 0 ? 5 : 20);
    gl_demand_feed_done(&feed);
    assert_int_equal(gl_demand_feed_read(text, strlen(text), &key, &feed, &err), 0);
    gl_demand_feed_done(&feed);
    assert_int_equal(gl_demand_feed_read(text, strlen(text), &other, &feed, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
}

static void the_same_bytes_come_of_any_order(void **state)
{
    struct gl_demand_cell one[] = {cell_of("eu-central-1", OCTOBER, 43),
                                   cell_of("us-east-1", OCTOBER, 7)};
    struct gl_demand_cell other[] = {one[1], one[0]};
    GL_AUTO(gl_auto_free) char *first = own_text(one, 2, NOW_S, 1);
    GL_AUTO(gl_auto_free) char *second = own_text(other, 2, NOW_S, 1);

    (void)state;
    assert_string_equal(first, second);
}

static const struct {
    bool is_shared;
    const char *cell, *member, *value; /* JSON; NULL = taken away */
} bad_rows[] = {
    {false, NULL, "host", "\"build-7.corp.example\""},
    {false, NULL, "kind", "\"mine\""},
    {false, NULL, "kind", "\"shared\""},
    {false, NULL, "demo", "0"},
    {false, NULL, "issued_s", "-1"},
    {false, NULL, "threshold", "{\"refused\":1,\"days\":1}"},
    {false, NULL, "threshold", "{\"refused\":5,\"days\":3,\"user\":4}"},
    {false, NULL, "cells", NULL},
    {false, NULL, "cells", "{}"},
    {false, NULL, "cells", "[7]"},
    {false, "cell", "account", "\"123456789012\""},
    {false, "cell", "region", "\"123456789012\""},
    {false, "cell", "region", "\"build-7.corp.example\""},
    {false, "cell", "region", "\"us-east-1\""},
    {false, "cell", "provider", "\"corp\""},
    {false, "cell", "rule", "\"team=secret\""},
    {false, "cell", "rule", "\"renewable-share>=95%;price<=0.4USD\""},
    {false, "cell", "capability", "\"wish\""},
    {false, "cell", "fingerprint",
     "\"0000000000000000000000000000000000000000000000000000000000000000\""},
    {false, "cell", "month", "\"2026-13\""},
    {false, "cell", "month", "\"2026-1\""},
    {false, "cell", "month", "\"26-10-1\""},
    {false, "cell", "launches", "[43,43]"},
    {false, "cell", "launches", "[20,100]"},
    {false, "cell", "launches", "[-5,0]"},
    {false, "cell", "launches", "[20]"},
    {false, "cell", "launches", "[20,50,50]"},
    {false, "cell", "launches", "43"},
    {false, "cell", "hours", "[\"20\",50]"},
    {false, "cell", "gpu_hours", "[1,1]"},
    {false, "cell", "grade", "\"F\""},
    {false, "cell", "grade", "\"BB\""},
    {false, "cell", "grade", NULL},
    {true, NULL, "k", "9"},
    {true, NULL, "k", "10001"},
    {true, NULL, "noise", "{}"},
    {true, NULL, "kind", "\"own\""},
    {true, "cell", "organisations", "[5,10]"},
    {true, "cell", "organisations", "[11,20]"},
    {true, "cell", "organisations", NULL},
};

/* Each is signed again after it was changed: it is the form that refuses it. */
static void nothing_but_what_may_stand_there_is_read(void **state)
{

    (void)state;
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        json_t *document = bad_rows[i].is_shared ? plain_shared() : plain_own();
        json_t *place = bad_rows[i].cell == NULL
                            ? document
                            : json_array_get(json_object_get(document, "cells"), 0);
        GL_AUTO(gl_auto_free) char *text = NULL;
        struct gl_demand_feed feed;

        /* One of the two cells is eu-central-1, whatever its place. */
        if (bad_rows[i].cell != NULL &&
            strcmp(json_string_value(json_object_get(place, "region")), "eu-central-1") != 0)
            place = json_array_get(json_object_get(document, "cells"), 1);
        if (bad_rows[i].value == NULL)
            json_object_del(place, bad_rows[i].member);
        else
            json_object_set_new(place, bad_rows[i].member,
                                json_loads(bad_rows[i].value, JSON_DECODE_ANY, NULL));
        text = sealed(document, 1);
        if (read_text(text, &feed) == 0)
            fail_msg("row %zu: %s %s was read", i, bad_rows[i].member,
                     bad_rows[i].value != NULL ? bad_rows[i].value : "absent");
        assert_int_equal(err.code, GL_E_NOT_VERIFIED);
        /* The text that may not stand there is not in the message either. */
        assert_null(strstr(err.text, "123456789012"));
        assert_null(strstr(err.text, "build-7"));
        assert_null(strstr(err.text, "secret"));
    }
}

static void cells_stand_in_order_and_once(void **state)
{
    json_t *document = plain_own();
    json_t *cells = json_object_get(document, "cells");
    GL_AUTO(gl_auto_free) char *twice = NULL;
    GL_AUTO(gl_auto_free) char *turned = NULL;
    struct gl_demand_feed feed;

    (void)state;
    json_array_insert(cells, 0, json_array_get(cells, 0));
    twice = sealed(json_incref(document), 1);
    assert_int_equal(read_text(twice, &feed), -1);
    assert_non_null(strstr(err.text, "out of order"));
    json_array_remove(cells, 0);
    json_array_append(cells, json_array_get(cells, 0));
    json_array_remove(cells, 0);
    turned = sealed(document, 1);
    assert_int_equal(read_text(turned, &feed), -1);
    assert_non_null(strstr(err.text, "out of order"));
}

static void bytes_that_are_no_feed_are_refused(void **state)
{
    GL_AUTO(gl_auto_free) char *text = sealed(plain_own(), 1);
    static const char *const others[] = {
        "", "{", "null", "[]", "{\"greenlaunch_demand\":2}", "{\"greenlaunch_receipt\":1}"};
    struct gl_demand_feed feed;
    char *digit;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(read_text(others[i], &feed), -1);
        assert_int_equal(err.code, GL_E_SYNTAX);
    }
    for (size_t length = 0; length < strlen(text); length += 7)
        assert_int_equal(gl_demand_feed_read(text, length, NULL, &feed, &err), -1);
    digit = strstr(text, "\"issued_s\":") + strlen("\"issued_s\":");
    *digit = '2';
    assert_int_equal(read_text(text, &feed), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    gl_error_clear(&err);
    assert_int_equal(gl_demand_feed_read(text, GL_DEMAND_FEED_MAX_BYTES + 1, NULL, &feed, &err),
                     -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
}

/* ---- merging ---- */

static const uint8_t secret[32] = {42};

static struct gl_demand_merge *merge_of(int64_t k, const struct gl_demand_members *members)
{
    struct gl_demand_merge_options options = {k, {NOW_S}, members};
    struct gl_demand_merge *merge = gl_demand_merge_new(&options, &err);

    assert_non_null(merge);
    return merge;
}

static void must_add(struct gl_demand_merge *merge, char *text)
{
    if (merge_text(merge, text, NULL, &err) != 0)
        fail_msg("%s", err.text);
    free(text);
}

static json_t *end_of(struct gl_demand_merge *merge, const uint8_t with[32], size_t *out_count)
{
    json_t *document = gl_demand_merge_end(merge, with, out_count, &err);

    assert_non_null(document);
    return document;
}

static char *one_cell(unsigned organisation, const char *region, int month, int64_t issued_s)
{
    struct gl_demand_cell cell = cell_of(region, month, 20);

    return own_text(&cell, 1, issued_s, organisation);
}

static size_t cells_of(unsigned organisations, int month)
{
    struct gl_demand_merge *merge = merge_of(GL_DEMAND_K, NULL);
    json_t *document;
    size_t count;

    for (unsigned i = 0; i < organisations; i++)
        must_add(merge, one_cell(i, "eu-central-1", month, NOW_S));
    document = end_of(merge, secret, &count);
    assert_int_equal(json_array_size(json_object_get(document, "cells")), count);
    json_decref(document);
    gl_demand_merge_free(merge);
    return count;
}

static void a_cell_needs_k_organisations_and_a_month_that_is_over(void **state)
{
    (void)state;
    assert_int_equal(cells_of(0, OCTOBER), 0);
    assert_int_equal(cells_of(1, OCTOBER), 0);
    assert_int_equal(cells_of(9, OCTOBER), 0);
    assert_int_equal(cells_of(60, OCTOBER), 1);
    assert_int_equal(cells_of(60, OCTOBER + 1), 0);
    assert_int_equal(cells_of(60, OCTOBER + 2), 0);
}

static void a_k_below_ten_is_refused(void **state)
{
    const int64_t refused[] = {-1, 0, 1, 9, 10001, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct gl_demand_merge_options options = {refused[i], {NOW_S}, NULL};

        gl_error_clear(&err);
        assert_null(gl_demand_merge_new(&options, &err));
        assert_int_equal(err.code, GL_E_USAGE);
    }
}

static void a_key_counts_once_and_its_newest_counts(void **state)
{
    struct gl_demand_merge *merge = merge_of(GL_DEMAND_K, NULL);
    json_t *document;
    size_t count;
    bool is_newest;

    (void)state;
    /* Nine and one that speaks forty times. */
    for (unsigned i = 0; i < 9; i++)
        must_add(merge, one_cell(i, "eu-central-1", OCTOBER, NOW_S));
    for (int i = 0; i < 40; i++) {
        char *text = one_cell(8, "eu-central-1", OCTOBER, NOW_S - i);

        assert_int_equal(merge_text(merge, text, &is_newest, &err), 0);
        assert_false(is_newest);
        free(text);
    }
    assert_int_equal(gl_demand_merge_organisations(merge), 9);
    json_decref(end_of(merge, secret, &count));
    assert_int_equal(count, 0);
    /* Sixty more of it, and then all of them take it back. */
    for (unsigned i = 9; i < 69; i++)
        must_add(merge, one_cell(i, "eu-central-1", OCTOBER, NOW_S));
    document = end_of(merge, secret, &count);
    assert_int_equal(count, 1);
    json_decref(document);
    for (unsigned i = 0; i < 69; i++)
        must_add(merge, own_text(NULL, 0, NOW_S + 1, i));
    json_decref(end_of(merge, secret, &count));
    assert_int_equal(count, 0);
    gl_demand_merge_free(merge);
}

static void only_contributions_of_members_take_part(void **state)
{
    struct gl_demand_members members = {1, gl_alloc(sizeof *members.keys)};
    struct gl_demand_merge *merge;
    struct gl_secret_key ignored;
    char *known = one_cell(3, "eu-central-1", OCTOBER, NOW_S);
    char *unknown = one_cell(4, "eu-central-1", OCTOBER, NOW_S);
    char *shared = sealed(plain_shared(), 3), *demo;
    json_t *document = plain_own();

    (void)state;
    json_object_set_new(document, "demo", json_true());
    demo = sealed(document, 3);
    key_of(3, &ignored, members.keys);
    merge = merge_of(GL_DEMAND_K, &members);
    assert_int_equal(merge_text(merge, unknown, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_int_equal(merge_text(merge, shared, NULL, &err), -1);
    assert_non_null(strstr(err.text, "shared"));
    assert_int_equal(merge_text(merge, demo, NULL, &err), -1);
    assert_non_null(strstr(err.text, "demonstration"));
    assert_int_equal(gl_demand_merge_organisations(merge), 0);
    assert_int_equal(merge_text(merge, known, NULL, &err), 0);
    assert_int_equal(gl_demand_merge_organisations(merge), 1);
    gl_demand_merge_free(merge);
    gl_demand_members_done(&members);
    free(known);
    free(unknown);
    free(shared);
    free(demo);
}

static char *merged_text(bool is_turned, int64_t k, const uint8_t with[32], unsigned organisations)
{
    struct gl_demand_merge *merge = merge_of(k, NULL);
    json_t *document;
    size_t count;
    char *text;

    for (unsigned i = 0; i < organisations; i++) {
        unsigned organisation = is_turned ? organisations - 1 - i : i;

        must_add(merge, one_cell(organisation, "eu-central-1", OCTOBER, NOW_S));
        must_add(merge, one_cell(organisation, "us-east-1", OCTOBER, NOW_S + 1));
    }
    document = end_of(merge, with, &count);
    text = gl_json_canonical(json_object_get(document, "cells"), &err);
    assert_int_equal(count, 1);
    json_decref(document);
    gl_demand_merge_free(merge);
    return text;
}

/* Asked again the noise is the same, or it could be averaged away. */
static void noise_belongs_to_data_and_secret(void **state)
{
    static const uint8_t other_secret[32] = {43};
    char *first = merged_text(false, 10, secret, 60), *turned = merged_text(true, 10, secret, 60),
         *more_k = merged_text(false, 12, secret, 60);
    bool is_other_secret = false, is_other_data = false;

    (void)state;
    assert_string_equal(first, turned);
    assert_string_equal(first, more_k);
    for (unsigned i = 60; i < 70; i++) {
        uint8_t one[32];
        char *by_secret, *by_data;

        memcpy(one, other_secret, sizeof one);
        one[1] = (uint8_t)i;
        by_secret = merged_text(false, 10, one, 60);
        by_data = merged_text(false, 10, secret, i + 1);
        is_other_secret |= strcmp(first, by_secret) != 0;
        is_other_data |= strcmp(first, by_data) != 0;
        free(by_secret);
        free(by_data);
    }
    assert_true(is_other_secret);
    assert_true(is_other_data);
    free(first);
    free(turned);
    free(more_k);
}

/* An organisation's word weighs no more than the bounds. */
static void one_organisation_cannot_drown_the_others(void **state)
{
    struct gl_demand_merge *merge = merge_of(GL_DEMAND_K, NULL);
    json_t *document;
    size_t count;
    int64_t high;

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        struct gl_demand_cell cell = cell_of("eu-central-1", OCTOBER, i == 0 ? INT64_MAX / 8 : 1);

        must_add(merge, own_text(&cell, 1, NOW_S, i));
    }
    document = end_of(merge, secret, &count);
    assert_int_equal(count, 1);
    high = json_integer_value(json_array_get(
        json_object_get(json_array_get(json_object_get(document, "cells"), 0), "launches"), 1));
    assert_true(high <= 2000);
    json_decref(document);
    gl_demand_merge_free(merge);
}

/* ---- noise ---- */

/* Share of zeros, mean and mean size of the discrete Laplace distribution, in closed form. */
static void noise_has_the_stated_distribution(void **state)
{
    static const int64_t scales[] = {1, 3, 100, 1000};
    enum { DRAWS = 100000 };

    (void)state;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        struct gl_hash purpose = {{(uint8_t)i}};
        struct gl_noise noise;
        double a = exp(-1 / (double)scales[i]), sum = 0, size = 0, zeros = 0;
        double deviation = sqrt(2 * a) / (1 - a);

        gl_noise_begin(&noise, secret, &purpose);
        for (int draw = 0; draw < DRAWS; draw++) {
            int64_t x = gl_noise_laplace(&noise, scales[i]);

            sum += (double)x;
            size += (double)llabs(x);
            zeros += x == 0;
        }
        assert_true(fabs(sum / DRAWS) < 5 * deviation / sqrt(DRAWS));
        assert_true(fabs(size / DRAWS / (2 * a / (1 - a * a)) - 1) < 0.02);
        assert_true(fabs(zeros / DRAWS - (1 - a) / (1 + a)) < 5 * sqrt((1 - a) / DRAWS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_reads_as_it_was_written),
        cmocka_unit_test(the_same_bytes_come_of_any_order),
        cmocka_unit_test(nothing_but_what_may_stand_there_is_read),
        cmocka_unit_test(cells_stand_in_order_and_once),
        cmocka_unit_test(bytes_that_are_no_feed_are_refused),
        cmocka_unit_test(a_cell_needs_k_organisations_and_a_month_that_is_over),
        cmocka_unit_test(a_k_below_ten_is_refused),
        cmocka_unit_test(a_key_counts_once_and_its_newest_counts),
        cmocka_unit_test(only_contributions_of_members_take_part),
        cmocka_unit_test(noise_belongs_to_data_and_secret),
        cmocka_unit_test(one_organisation_cannot_drown_the_others),
        cmocka_unit_test(noise_has_the_stated_distribution),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
