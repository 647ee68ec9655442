/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/html.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVIL "<script>alert(1)</script>&\"'\x1b[31m\xff"

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

/* The page without Chart.js, whose own text is not ours to judge. */
static char *without_chart_js(struct gl_str *page)
{
    const struct gl_view js = gl_html_chart_js();
    char *text = gl_str_take(page), *at;

    if (js.length == 0)
        return text;
    at = memmem(text, strlen(text), js.text, js.length);
    assert_non_null(at);
    memmove(at, at + js.length, strlen(at + js.length) + 1);
    assert_null(memmem(text, strlen(text), js.text, js.length)); /* once is enough */
    return text;
}

static void add_chart(struct gl_str *page, enum gl_html_kind kind, const char *id)
{
    static const double low[] = {-5, 1, NAN}, high[] = {3, 40, 2}, middle[] = {0, 20, NAN};
    static const char *const labels[] = {"first", EVIL, "third"};
    const struct gl_html_series series[] = {{"low", low}, {EVIL, high}, {"middle", middle}};

    gl_html_chart(page, &(struct gl_html_chart){
                            .kind = kind,
                            .id = id,
                            .title = EVIL,
                            .summary = EVIL,
                            .label = EVIL,
                            .unit = EVIL,
                            .labels = labels,
                            .count = 3,
                            .series = series,
                            .series_count = kind == GL_HTML_BARS ? 1 : 3,
                            .decimals = 1,
                        });
}

static char *page_of_everything(void)
{
    static const char *const heads[] = {"name", EVIL};
    static const char *const cells[] = {EVIL, "1", "two", NULL};
    struct gl_str page = {0};

    gl_html_begin(&page, EVIL, EVIL);
    gl_html_cards_begin(&page);
    gl_html_card(&page, EVIL, EVIL, EVIL);
    gl_html_cards_end(&page);
    gl_html_heading(&page, EVIL);
    gl_html_paragraph(&page, EVIL);
    for (int kind = GL_HTML_BARS; kind <= GL_HTML_STEPS; kind++) {
        char id[16];

        snprintf(id, sizeof id, "plot-%d", kind);
        add_chart(&page, (enum gl_html_kind)kind, id);
    }
    gl_html_table(&page, &(struct gl_html_table){EVIL, heads, 2, cells, 2});
    gl_html_end(&page);
    return without_chart_js(&page);
}

static void foreign_text_is_harmless(void **state)
{
    char *page = page_of_everything();

    (void)state;
    assert_null(strstr(page, "alert(1)</script>"));
    assert_null(strstr(page, "<script>alert"));
    assert_null(strchr(page, '\x1b'));
    assert_null(strchr(page, '\xff'));
    assert_non_null(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;"));
    /* Ours: one of data a plot, and Chart.js with what sets it up. */
    assert_int_equal(count_of(page, "<script"), 4 + (gl_html_chart_js().length > 0 ? 2 : 0));
    assert_int_equal(count_of(page, "<script"), count_of(page, "</script>"));
    free(page);
}

static void nothing_is_fetched(void **state)
{
    static const char *const ways[] = {"src=",  "href=\"http", "url(",    "@import", "<link",
                                       "<img",  "<iframe",     "fetch(",  "import(", "http://",
                                       "<base", "<object",     "XMLHttp", "https://"};
    char *page = page_of_everything();

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strstr(page, ways[i]) != NULL)
            fail_msg("the page holds %s", ways[i]);
    assert_non_null(strstr(page, "default-src 'none'"));
    free(page);
}

static void every_plot_has_words_and_a_table(void **state)
{
    char *page = page_of_everything();
    size_t plots = count_of(page, "<figure class=\"plot\"");

    (void)state;
    assert_int_equal(plots, 4);
    assert_int_equal(count_of(page, "<svg "), plots);
    assert_int_equal(count_of(page, "role=\"img\" aria-labelledby="), plots);
    assert_int_equal(count_of(page, "<desc id="), plots);
    assert_int_equal(count_of(page, "<figcaption>"), plots);
    for (const char *at = strstr(page, "<figure"); at != NULL; at = strstr(at + 1, "<figure")) {
        const char *table = strstr(at, "<table>"), *next = strstr(at + 1, "<figure");

        assert_non_null(table);
        assert_true(next == NULL || table < next);
    }
    assert_int_equal(count_of(page, "<table>"), plots + 1);
    assert_int_equal(count_of(page, "<caption>"), plots + 1);
    assert_int_equal(count_of(page, "<th scope=\"row\">"), 4 * 3 + 2);
    free(page);
}

/* 5 points of 12 fill no bar, and there is no thirteenth. */
static void an_axis_goes_as_far_as_it_is_told(void **state)
{
    static const double points[] = {5, 1}, none[] = {0, 0};
    static const char *const labels[] = {"a", "b"};
    struct gl_html_chart chart = {.kind = GL_HTML_BARS,
                                  .id = "x",
                                  .title = "t",
                                  .summary = "s",
                                  .label = "l",
                                  .unit = "u",
                                  .labels = labels,
                                  .count = 2,
                                  .series = &(struct gl_html_series){"points", points},
                                  .series_count = 1};
    GL_AUTO(gl_str_done) struct gl_str free_axis = {0}, told = {0}, empty = {0};

    (void)state;
    gl_html_chart(&free_axis, &chart);
    assert_null(strstr(gl_str_text(&free_axis), ">10<"));
    chart.most = 12;
    gl_html_chart(&told, &chart);
    assert_non_null(strstr(gl_str_text(&told), ">12<"));
    assert_null(strstr(gl_str_text(&told), ">14<"));
    assert_null(strstr(gl_str_text(&told), ">15<"));
    assert_non_null(strstr(gl_str_text(&told), "\"most\":12.0"));
    chart.series = &(struct gl_html_series){"points", none};
    gl_html_chart(&empty, &chart);
    assert_non_null(strstr(gl_str_text(&empty), ">12<"));
}

/* An address wider than a telephone widens no page. */
static void long_words_are_broken(void **state)
{
    char *page = page_of_everything();

    (void)state;
    assert_non_null(strstr(page, "p{overflow-wrap:anywhere}"));
    free(page);
}

static void elements_are_closed(void **state)
{
    static const char *const names[] = {"table", "figure", "section", "details", "svg",  "thead",
                                        "tbody", "dl",     "main",    "body",    "html", "style"};
    char *page = page_of_everything();

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char open[24], open_with[24], close[24];

        snprintf(open, sizeof open, "<%s>", names[i]);
        snprintf(open_with, sizeof open_with, "<%s ", names[i]);
        snprintf(close, sizeof close, "</%s>", names[i]);
        assert_int_equal(count_of(page, open) + count_of(page, open_with), count_of(page, close));
    }
    free(page);
}

static void numbers_are_plain(void **state)
{
    char out[GL_HTML_NUMBER];

    (void)state;
    assert_string_equal(gl_html_number(12.345, 1, out), "12.3");
    assert_string_equal(gl_html_number(-0.01, 1, out), "0.0");
    assert_string_equal(gl_html_number(-0.06, 1, out), "-0.1");
    assert_string_equal(gl_html_number(NAN, 1, out), "-");
    assert_string_equal(gl_html_number(INFINITY, 0, out), "-");
    assert_string_equal(gl_html_number(-1e300, 2, out), "-1e+300");
}

static void strange_figures_draw_something(void **state)
{
    static const double values[][3] = {
        {0, 0, 0}, {NAN, NAN, NAN}, {1e300, -1e300, 0}, {1e-300, 0, 0}, {INFINITY, 1, 2}};
    static const char *const labels[] = {"a", "b", "c"};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (int kind = GL_HTML_BARS; kind <= GL_HTML_STEPS; kind++) {
            const struct gl_html_series series[] = {
                {"s", values[i]}, {"t", values[i]}, {"u", values[i]}};
            struct gl_str out = {0};

            gl_html_chart(&out, &(struct gl_html_chart){.kind = (enum gl_html_kind)kind,
                                                        .id = "x",
                                                        .title = "",
                                                        .summary = "",
                                                        .label = "",
                                                        .unit = "",
                                                        .labels = labels,
                                                        .count = 3,
                                                        .series = series,
                                                        .series_count = 3});
            assert_true(out.length < 200000);
            assert_null(strstr(gl_str_text(&out), "nan"));
            assert_null(strstr(gl_str_text(&out), "inf\""));
            gl_str_done(&out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_text_is_harmless),
        cmocka_unit_test(nothing_is_fetched),
        cmocka_unit_test(every_plot_has_words_and_a_table),
        cmocka_unit_test(an_axis_goes_as_far_as_it_is_told),
        cmocka_unit_test(long_words_are_broken),
        cmocka_unit_test(elements_are_closed),
        cmocka_unit_test(numbers_are_plain),
        cmocka_unit_test(strange_figures_draw_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
