/* SPDX-License-Identifier: Apache-2.0 */
/* What a person reads of a policy fits the terminal: mistakes with their line, and the explanation.
 */
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char long_line[] =
    "greenlaunch: 1\n"
    "rules:\n"
    "  - {id: a, description: \"words and words and w\xc3\xb6rds and words and words\", "
    "max_intensity: 100, message: \"and a long end of the line that nobody has to see\"}\n";

/* The widest line but digests, which are one word. */
static unsigned widest(const char *text)
{
    unsigned most = 0;

    while (*text != '\0') {
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        size_t length = strcspn(text, "\n");
        unsigned columns;

        gl_str_add_bytes(&line, text, length);
        columns = gl_text_columns(gl_str_text(&line));
        if (strstr(gl_str_text(&line), "sha256") == NULL && columns > most)
            most = columns;
        text += length + (text[length] == '\n');
    }
    return most;
}

/* The column at which `part` stands in the first line that begins with `start`. */
static unsigned column_of(const char *text, const char *start, const char *part)
{
    GL_AUTO(gl_str_done) struct gl_str before = {0};
    const char *line = strstr(text, start);
    const char *at = line != NULL ? strstr(line, part) : NULL;

    assert_non_null(at);
    gl_str_add_bytes(&before, line, (size_t)(at - line));
    return gl_text_columns(gl_str_text(&before));
}

static void mistakes(const char *policy, unsigned columns, struct gl_str *out)
{
    GL_AUTO(gl_auto_free) struct gl_diagnostics *found = gl_alloc(sizeof *found);

    assert_null(gl_policy_parse((struct gl_view){policy, strlen(policy)}, "a.yaml", NULL, found));
    gl_diagnostics_text(found, columns, out);
}

static void a_long_source_line_is_shown_around_the_place(void **state)
{
    (void)state;
    for (unsigned columns = 40; columns <= 240; columns++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        mistakes(long_line, columns, &text);
        assert_in_range(widest(text.text), 1, columns);
        assert_int_equal(column_of(text.text, "    3 | ", "100"),
                         column_of(text.text, "      | ", "^"));
        assert_non_null(strstr(text.text, "^^^\n"));
    }
}

static void a_line_that_fits_is_whole(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    (void)state;
    mistakes("greenlaunch: 1\nrules:\n  - max_intensity: 100\n", 0, &text);
    assert_non_null(strstr(text.text, "    3 |   - max_intensity: 100\n"));
    assert_null(strstr(text.text, "..."));
    assert_in_range(widest(text.text), 1, 80);
}

static void the_explanation_fits(void **state)
{
    static const char policy[] =
        "greenlaunch: 1\n"
        "rules:\n"
        "  - id: a-rule-with-a-name-of-some-length\n"
        "    description: why it is here, said at such length that it does not fit one line\n"
        "    max_intensity: 100 g/kWh\n"
        "    not_regions: [aws/eu-central-1, aws/eu-west-1, gcp/europe-west1, gcp/europe-west3]\n";
    struct gl_diagnostics found = {0};
    struct gl_policy *parsed =
        gl_policy_parse((struct gl_view){policy, sizeof policy - 1}, "a-file.yaml", NULL, &found);

    (void)state;
    assert_non_null(parsed);
    for (unsigned columns = 50; columns <= 200; columns++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_policy_explain(parsed, columns, &text);
        assert_in_range(widest(text.text), 1, columns);
        assert_non_null(strstr(text.text, "a-file.yaml:5:20"));
        assert_non_null(strstr(text.text, "a-file.yaml:3:5"));
    }
    gl_policy_free(parsed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_source_line_is_shown_around_the_place),
        cmocka_unit_test(a_line_that_fits_is_whole),
        cmocka_unit_test(the_explanation_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
