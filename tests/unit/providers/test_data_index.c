/* SPDX-License-Identifier: Apache-2.0 */

/* The tables of disclosure and pledges: no cell without evidence, source and date, no provider
 * without a row, no figure that pretends to be the grid's. */

#include "providers/data/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "providers/data/data.h"

static void check_date(const char *text)
{
    assert_non_null(text);
    assert_int_equal(strlen(text), 10);
    for (size_t i = 0; i < 10; i++)
        assert_true(i == 4 || i == 7 ? text[i] == '-' : isdigit((unsigned char)text[i]));
    assert_true(strcmp(text, "2026-01-01") >= 0);
}

static void check_sentence(const char *text)
{
    assert_non_null(text);
    assert_true(strlen(text) > 10);
    assert_int_equal(text[strlen(text) - 1], '.');
}

static void check_source(const char *text)
{
    assert_non_null(text);
    assert_true(strchr(text, '/') != NULL);
}

static void every_cell_has_evidence_source_and_date(void **state)
{
    const struct gl_disclosure_row *rows;
    size_t count = gl_data_disclosure(&rows);

    (void)state;
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].provider[0] != '\0');
        assert_true(i == 0 || strcmp(rows[i - 1].cloud, rows[i].cloud) < 0);
        for (int c = 0; c < GL_DISCLOSURE_COLUMNS; c++) {
            const struct gl_disclosure_cell *cell = &rows[i].cells[c];

            assert_true(cell->value >= GL_DISCLOSED_UNKNOWN && cell->value <= GL_DISCLOSED_YES);
            check_sentence(cell->evidence);
            check_source(cell->source);
            check_date(cell->looked_at);
        }
    }
}

static void check_part(const struct gl_pledge_part *part)
{
    check_source(part->source);
    check_date(part->looked_at);
    assert_non_null(part->dated);
    assert_true(part->permille >= -1 && part->permille <= 1000);
    assert_true(part->year == -1 || (part->year > 2000 && part->year < 2100));
    if (part->what != NULL) {
        check_sentence(part->what);
    } else { /* what nothing says has no figure, year or accounting either */
        assert_null(part->figure);
        assert_int_equal(part->year, -1);
        assert_int_equal(part->counting, GL_PLEDGE_COUNTING_UNKNOWN);
    }
    if (part->figure == NULL)
        assert_int_equal(part->permille, -1);
    else
        assert_true(part->year > 0);
}

static void every_pledge_has_source_and_date(void **state)
{
    const struct gl_pledge_row *rows;
    size_t count = gl_data_pledges(&rows);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || strcmp(rows[i - 1].cloud, rows[i].cloud) < 0);
        check_part(&rows[i].target);
        check_part(&rows[i].reported);
    }
}

/* Every cloud whose regions are known has its row in both tables, and no other. */
static void tables_name_the_clouds_of_the_regions(void **state)
{
    const struct gl_region_row *regions;
    const struct gl_disclosure_row *disclosure;
    const struct gl_pledge_row *pledges;
    size_t count = gl_data_regions(&regions), at = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(regions[i].cloud, regions[i - 1].cloud) == 0)
            continue;
        assert_true(at < gl_data_disclosure(&disclosure) && at < gl_data_pledges(&pledges));
        assert_string_equal(disclosure[at].cloud, regions[i].cloud);
        assert_string_equal(pledges[at].cloud, regions[i].cloud);
        assert_string_equal(pledges[at].provider, disclosure[at].provider);
        at++;
    }
    assert_int_equal(at, gl_data_disclosure(&disclosure));
    assert_int_equal(at, gl_data_pledges(&pledges));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_has_evidence_source_and_date),
        cmocka_unit_test(every_pledge_has_source_and_date),
        cmocka_unit_test(tables_name_the_clouds_of_the_regions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
