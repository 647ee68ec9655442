/* SPDX-License-Identifier: Apache-2.0 */
/* The outcome of policy tests as TAP 14, JUnit XML and JSON. */
#include <string.h>

#include "broker/policytest/policytest.h"

/* "#" would begin a directive of TAP, a newline another line. */
static void add_tap_text(struct gl_str *out, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str safe = {0};

    gl_str_add_printable(&safe, text, strlen(text));
    for (const char *at = gl_str_text(&safe); *at != '\0'; at++) {
        if (*at == '#' || *at == '\\')
            gl_str_add_char(out, '\\');
        gl_str_add_char(out, *at);
    }
}

/* As a YAML string in double quotes. */
static void add_yaml_text(struct gl_str *out, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str safe = {0};

    gl_str_add_printable(&safe, text, strlen(text));
    gl_str_add_char(out, '"');
    for (const char *at = gl_str_text(&safe); *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            gl_str_add_char(out, '\\');
        gl_str_add_char(out, *at);
    }
    gl_str_add_char(out, '"');
}

void gl_test_tap(const struct gl_test_report *report, struct gl_str *out)
{
    json_t *row;
    size_t i;

    gl_str_addf(out, "TAP version 14\n1..%zu\n", report->count);
    for (i = 0; i < report->count; i++) {
        const struct gl_test_point *point = &report->points[i];

        gl_str_addf(out, "%s %zu - ", point->message == NULL ? "ok" : "not ok", i + 1);
        add_tap_text(out, point->file);
        gl_str_add(out, ": ");
        add_tap_text(out, point->name);
        gl_str_add_char(out, '\n');
        if (point->message == NULL)
            continue;
        gl_str_add(out, "  ---\n  message: ");
        add_yaml_text(out, point->message);
        gl_str_add(out, "\n  ...\n");
    }
    json_array_foreach(report->coverage, i, row)
    {
        gl_str_addf(out, "# coverage of rule %s: allows in %lld, refuses in %lld cases\n",
                    json_string_value(json_object_get(row, "rule")),
                    (long long)json_integer_value(json_object_get(row, "allowed")),
                    (long long)json_integer_value(json_object_get(row, "refused")));
    }
    gl_str_addf(out, "# %zu passed, %zu failed\n", report->count - report->failed, report->failed);
}

static void add_xml_text(struct gl_str *out, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str safe = {0};

    gl_str_add_printable(&safe, text, strlen(text));
    for (const char *at = gl_str_text(&safe); *at != '\0'; at++) {
        if (*at == '&')
            gl_str_add(out, "&amp;");
        else if (*at == '<')
            gl_str_add(out, "&lt;");
        else if (*at == '>')
            gl_str_add(out, "&gt;");
        else if (*at == '"')
            gl_str_add(out, "&quot;");
        else
            gl_str_add_char(out, *at);
    }
}

void gl_test_junit(const struct gl_test_report *report, struct gl_str *out)
{
    gl_str_addf(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuites name=\"greenlaunch policy test\" tests=\"%zu\" failures=\"%zu\">\n"
                "<testsuite name=\"policy\" tests=\"%zu\" failures=\"%zu\">\n",
                report->count, report->failed, report->count, report->failed);
    for (size_t i = 0; i < report->count; i++) {
        const struct gl_test_point *point = &report->points[i];

        gl_str_add(out, "<testcase classname=\"");
        add_xml_text(out, point->file);
        gl_str_add(out, "\" name=\"");
        add_xml_text(out, point->name);
        if (point->message == NULL) {
            gl_str_add(out, "\"/>\n");
            continue;
        }
        gl_str_add(out, "\"><failure message=\"");
        add_xml_text(out, point->message);
        gl_str_add(out, "\"/></testcase>\n");
    }
    gl_str_add(out, "</testsuite>\n</testsuites>\n");
}

json_t *gl_test_json(const struct gl_test_report *report)
{
    json_t *points = json_array();

    for (size_t i = 0; i < report->count; i++) {
        const struct gl_test_point *point = &report->points[i];

        json_array_append_new(points,
                              json_pack("{s:s,s:s,s:b,s:s?,s:s?}", "file", point->file, "name",
                                        point->name, "ok", point->message == NULL, "message",
                                        point->message, "verdict", point->verdict));
    }
    return json_pack("{s:o,s:I,s:I,s:O}", "tests", points, "passed",
                     (json_int_t)(report->count - report->failed), "failed",
                     (json_int_t)report->failed, "coverage", report->coverage);
}
