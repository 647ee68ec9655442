/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/pricelist.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_S INT64_C(1780000000)

static char folder[256];
static struct gl_catalog_row rows[8];
static struct gl_pricelist_asked asked;
static struct gl_error err;

static void add(const char *region, const char *zone, const char *type, int64_t price_u,
                const char *offered)
{
    size_t at = asked.count++;

    gl_catalog_row_init(&rows[at], region, type);
    snprintf(rows[at].zone, sizeof rows[at].zone, "%s", zone);
    rows[at].price_u_usd = price_u;
    rows[at].is_offered_known = offered[0] != '-';
    rows[at].is_offered = offered[0] == '1';
}

static int fresh(void **state)
{
    const char *build = getenv("BUILD_DIR");

    (void)state;
    snprintf(folder, sizeof folder, "%s/tmp/pricelist-%ld", build != NULL ? build : "build",
             (long)getpid());
    asked = (struct gl_pricelist_asked){.rows = rows, .retrieved_s = NOW_S};
    gl_error_clear(&err);
    return 0;
}

static int done(void **state)
{
    (void)state;
    return gl_dir_remove(folder, &err);
}

static void write_all(void)
{
    if (gl_pricelist_write(folder, "aws", &asked, &err) != 0)
        fail_msg("%s", err.text);
}

static void zones_of_a_region_are_one_row(void **state)
{
    struct gl_pricelist list;
    const struct gl_pricelist_row *row;

    (void)state;
    add("eu-north-1", "b", "m5.large", 102000, "0");
    add("eu-north-1", "a", "m5.large", 101000, "1");
    add("eu-central-1", "a", "m5.large", 115000, "-");
    add("eu-north-1", "a", "gone.large", GL_UNKNOWN, "0");
    write_all();
    assert_true(gl_pricelist_read(folder, "aws", NOW_S + 60, &list));
    assert_int_equal(list.count, 3);
    row = gl_pricelist_find(&list, "eu-north-1", "m5.large");
    assert_int_equal(row->price_u_usd, 101000);
    assert_false(row->is_withdrawn);
    assert_true(gl_pricelist_find(&list, "eu-north-1", "gone.large")->is_withdrawn);
    assert_false(gl_pricelist_find(&list, "eu-central-1", "m5.large")->is_withdrawn);
    assert_null(gl_pricelist_find(&list, "eu-north-1", "m5.huge"));
    gl_pricelist_done(&list);
}

static void sizes_are_kept_and_the_least_counts(void **state)
{
    struct gl_pricelist list;
    const struct gl_pricelist_row *row;

    (void)state;
    add("north", "a", "small", 20000, "1");
    rows[0].vcpus = 4;
    rows[0].memory_mib = 4096;
    snprintf(rows[0].arch, sizeof rows[0].arch, "arm64");
    snprintf(rows[0].host, sizeof rows[0].host, "aws");
    add("north", "b", "small", 20000, "1");
    rows[1].vcpus = 2;
    rows[1].memory_mib = 8192;
    snprintf(rows[1].host, sizeof rows[1].host, "gcp");
    add("south", "", "small", 20000, "1");
    write_all();
    assert_true(gl_pricelist_read(folder, "aws", NOW_S + 60, &list));
    row = gl_pricelist_find(&list, "north", "small");
    assert_int_equal(row->vcpus, 2);
    assert_int_equal(row->memory_mib, 4096);
    assert_string_equal(row->arch, GL_CATALOG_MIXED);
    assert_string_equal(row->host, GL_CATALOG_MIXED);
    row = gl_pricelist_find(&list, "south", "small");
    assert_int_equal(row->vcpus, 0);
    assert_int_equal(row->memory_mib, 0);
    assert_string_equal(row->arch, "");
    assert_string_equal(row->host, "");
    gl_pricelist_done(&list);
}

/* Of zones that differ the worst counts, and nothing said is not nothing. */
static void estimates_are_kept(void **state)
{
    struct gl_pricelist list;

    (void)state;
    add("r", "a", "t", 1, "1");
    rows[0].estimate_ug = 1600000;
    add("r", "b", "t", 1, "1");
    rows[1].estimate_ug = 4200000;
    add("r", "c", "t", 1, "1");
    add("r", "a", "u", 1, "1");
    add("r", "a", "v", 1, "1");
    rows[4].estimate_ug = 0;
    write_all();
    assert_true(gl_pricelist_read(folder, "aws", NOW_S, &list));
    assert_int_equal(gl_pricelist_estimate(&list, "r", "t"), 4200000);
    assert_int_equal(gl_pricelist_estimate(&list, "r", "u"), GL_UNKNOWN);
    assert_int_equal(gl_pricelist_estimate(&list, "r", "v"), 0);
    assert_int_equal(gl_pricelist_estimate(&list, "s", "t"), GL_UNKNOWN);
    gl_pricelist_done(&list);
}

static void what_is_old_or_of_another_is_absent(void **state)
{
    struct gl_pricelist list;

    (void)state;
    add("r", "", "t", 1, "1");
    write_all();
    assert_false(gl_pricelist_read(folder, "gcp", NOW_S, &list));
    assert_false(gl_pricelist_read(folder, "aws", NOW_S - 1, &list)); /* from the future */
    assert_true(gl_pricelist_read(folder, "aws", NOW_S + GL_PRICELIST_MAX_AGE_S, &list));
    gl_pricelist_done(&list);
    assert_false(gl_pricelist_read(folder, "aws", NOW_S + GL_PRICELIST_MAX_AGE_S + 1, &list));
}

static void every_changed_byte_makes_it_absent(void **state)
{
    struct gl_pricelist list;
    char *path, *text;
    size_t length;

    (void)state;
    add("eu-north-1", "a", "m5.large", 101000, "1");
    add("eu-west-1", "a", "m5.large", 107000, "-");
    write_all();
    path = gl_path_join(folder, "aws.tsv");
    assert_int_equal(gl_file_read(path, 4096, &text, &length, &err), 0);
    for (size_t i = 0; i < length; i++) {
        text[i] ^= 1;
        assert_int_equal(gl_file_write(path, text, length, 0600, &err), 0);
        assert_false(gl_pricelist_read(folder, "aws", NOW_S + 60, &list));
        text[i] ^= 1;
    }
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(gl_file_write(path, text, i, 0600, &err), 0);
        assert_false(gl_pricelist_read(folder, "aws", NOW_S + 60, &list));
    }
    free(text);
    free(path);
}

static void names_that_break_lines_are_left_out(void **state)
{
    struct gl_pricelist list;

    (void)state;
    add("eu\tnorth", "", "t", 1, "1");
    add("r", "", "t\nx", 1, "1");
    add("r", "", "good", INT64_C(99000000000), "1");
    write_all();
    assert_true(gl_pricelist_read(folder, "aws", NOW_S, &list));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.rows[0].price_u_usd, GL_UNKNOWN); /* beyond belief */
    gl_pricelist_done(&list);
}

static void claims_of_a_type_and_of_its_region(void **state)
{
    struct gl_pricelist list;

    (void)state;
    add("eu-north-1", "", GL_CATALOG_REGION, GL_UNKNOWN, "-");
    rows[0].cfe_ppm = 975000;
    add("eu-north-1", "a", "m5.large", 101000, "1");
    add("eu-north-1", "a", "own.large", 101000, "1");
    rows[2].cfe_ppm = 0; /* a claim of nothing is one, too */
    add("eu-west-1", "a", "m5.large", 107000, "1");
    add("eu-west-2", "", GL_CATALOG_REGION, GL_UNKNOWN, "-");
    rows[4].cfe_ppm = 1000001; /* more than all */
    write_all();
    assert_true(gl_pricelist_read(folder, "aws", NOW_S, &list));
    assert_int_equal(gl_pricelist_claim(&list, "eu-north-1", "m5.large"), 975000);
    assert_int_equal(gl_pricelist_claim(&list, "eu-north-1", "own.large"), 0);
    assert_int_equal(gl_pricelist_claim(&list, "eu-north-1", "not-listed"), 975000);
    assert_int_equal(gl_pricelist_claim(&list, "eu-west-1", "m5.large"), GL_UNKNOWN);
    assert_int_equal(gl_pricelist_claim(&list, "eu-west-2", "m5.large"), GL_UNKNOWN);
    gl_pricelist_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(zones_of_a_region_are_one_row, fresh, done),
        cmocka_unit_test_setup_teardown(sizes_are_kept_and_the_least_counts, fresh, done),
        cmocka_unit_test_setup_teardown(estimates_are_kept, fresh, done),
        cmocka_unit_test_setup_teardown(what_is_old_or_of_another_is_absent, fresh, done),
        cmocka_unit_test_setup_teardown(every_changed_byte_makes_it_absent, fresh, done),
        cmocka_unit_test_setup_teardown(names_that_break_lines_are_left_out, fresh, done),
        cmocka_unit_test_setup_teardown(claims_of_a_type_and_of_its_region, fresh, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
