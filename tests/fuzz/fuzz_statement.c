/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "policy/facts.h"
#include "providers/cloud/statement.h"

#include <stdlib.h>
#include <string.h>

/* Carbon statements of clouds, as files of any form. What is accepted has no negative figure, and
 * no sum of more rows than there are. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct gl_statement *statement)
{
    demand(statement->count <= GL_STATEMENT_ROWS && strlen(statement->provider) < 16);
    for (size_t i = 0; i < statement->count; i++)
        demand(statement->rows[i].ug == GL_UNKNOWN || statement->rows[i].ug >= 0);
    for (unsigned i = 0; i < 16; i++) {
        const struct gl_stated_ask ask = {.scope = (enum gl_stated_scope)(i / 4),
                                          .basis = (enum gl_stated_basis)(i % 4)};
        struct gl_stated sum;

        if (gl_statement_sum(statement, &ask, &sum))
            demand(sum.ug >= 0 && sum.slack_ug >= 0 && sum.unknown <= sum.rows &&
                   sum.rows <= statement->count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_instant month = gl_instant_of_civil(2026, 10, 1, 0, 0, 0);
    struct gl_statement statement;
    struct gl_error err = {0};
    char *text = gl_alloc(size + 1);

    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    if (gl_statement_read(text, size, month, &statement, &err) == 0) {
        check(&statement);
        gl_statement_done(&statement);
    } else
        demand(err.code != GL_OK);
    free(text);
    return 0;
}
