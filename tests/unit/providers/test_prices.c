/* SPDX-License-Identifier: Apache-2.0 */

/* Prices by the grid: they are those that gl_data_price() gives pair by pair. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "providers/data/data.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const clouds[] = {"alibaba", "aws",    "azure", "digitalocean", "gcp",
                                     "hetzner", "oracle", "ovh",   "scaleway"};

/* The grid of the whole tables of one cloud says what the pairs say one by one. */
static void check_grid(const struct gl_price_grid *grid)
{
    for (size_t r = 0; r < grid->region_count; r++)
        for (size_t t = 0; t < grid->type_count; t++) {
            size_t cell = r * grid->type_count + t;
            uint8_t source = UINT8_MAX;
            int64_t price = gl_data_price(&grid->types[t], &grid->regions[r], &source);

            assert_int_equal(grid->micro_usd[cell], price);
            if (price >= 0)
                assert_int_equal(grid->sources[cell], source);
        }
}

static void test_price_grids(void **state)
{
    struct gl_price_grid grid = {0};
    const struct gl_type_row *types;
    const struct gl_region_row *regions;
    size_t type_count = gl_data_types(&types), region_count = gl_data_regions(&regions);

    (void)state;
    grid.micro_usd = calloc(type_count * region_count, sizeof *grid.micro_usd);
    grid.sources = calloc(type_count * region_count, 1);
    for (size_t c = 0; c < COUNT(clouds); c++) {
        grid.types = NULL;
        grid.regions = NULL;
        grid.type_count = grid.region_count = 0;
        for (size_t t = 0; t < type_count; t++)
            if (strcmp(types[t].cloud, clouds[c]) == 0 && grid.type_count++ == 0)
                grid.types = &types[t];
        for (size_t r = 0; r < region_count; r++)
            if (strcmp(regions[r].cloud, clouds[c]) == 0 && grid.region_count++ == 0)
                grid.regions = &regions[r];
        assert_true(grid.type_count > 0 && grid.region_count > 0);
        gl_data_prices(&grid);
        check_grid(&grid);
    }
    grid.types += 1; /* a part of a table */
    grid.type_count -= 1;
    gl_data_prices(&grid);
    check_grid(&grid);
    free(grid.micro_usd);
    free(grid.sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_price_grids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
