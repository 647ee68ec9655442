/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "broker/cli/index_part.h"
#include "providers/data/data.h"

#define AT(field) offsetof(struct index_values, field)

/* clang-format off: a row an option */
static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
    {"since", 0, GL_OPT_SPAN, AT(since_s), "SPAN",
     "availability: how far back, at most 366d (default 7d)", "Index", NULL, NULL, 0, 0, 0, NULL},
    {"by", 0, GL_OPT_TEXT, AT(by), "PERIOD",
     "availability: past hours one by one, or added up (default day)", "Index", NULL,
     "hour|day|week|month", 0, 0, 0, NULL},
    {"csv", 0, GL_OPT_FLAG, AT(is_csv), NULL, "comma-separated values (RFC 4180)", "Output", NULL,
     NULL, 0, 0, 0, NULL},
    {"html", 0, GL_OPT_TEXT, AT(html), "FILE", "also write a report that works without a network",
     "Output", NULL, NULL, 0, 0, 0, "file"},
    {0},
};
/* clang-format on */

static const struct {
    const char *name, *title;
    int (*run)(struct index_call *call, struct gl_error *err);
    bool has_rules;
} topics[] = {
    {"disclosure", "Index of providers: what they disclose", gl_index_disclosure, false},
    {"availability", "Index of providers: green availability", gl_index_available, true},
    {"pledges", "Index of providers: what they pledge", gl_index_pledges, false},
};
#define TOPICS    (sizeof topics / sizeof topics[0])
#define NAMES_MAX 64

/* ---- cells ---- */

void gl_index_cells_add(struct index_cells *cells, const char *const *row)
{
    cells->texts =
        gl_realloc(cells->texts, (cells->rows + 1) * cells->columns * sizeof *cells->texts);
    for (size_t c = 0; c < cells->columns; c++)
        cells->texts[cells->rows * cells->columns + c] = gl_strdup(row[c] != NULL ? row[c] : "");
    cells->rows++;
}

void gl_index_cells_done(struct index_cells *cells)
{
    for (size_t i = 0; i < cells->rows * cells->columns; i++)
        free(cells->texts[i]);
    free(cells->texts);
    *cells = (struct index_cells){0};
}

/* A row of borrowed pointers: char ** is no const char *const * in C. */
static const char **borrowed(const struct index_cells *cells)
{
    const char **list = gl_alloc((cells->rows * cells->columns + 1) * sizeof *list);

    for (size_t i = 0; i < cells->rows * cells->columns; i++)
        list[i] = cells->texts[i];
    return list;
}

void gl_index_cells_html(const struct index_cells *cells, const char *caption,
                         const char *const *heads, struct gl_str *out)
{
    const char **list = borrowed(cells);

    gl_html_table(out, &(struct gl_html_table){caption, heads, cells->columns, list, cells->rows});
    free(list);
}

void gl_index_cells_csv(const struct index_cells *cells, const char *const *heads,
                        struct gl_str *out)
{
    const char **list = borrowed(cells);

    gl_csv_record(out, heads, cells->columns);
    for (size_t r = 0; r < cells->rows; r++)
        gl_csv_record(out, list + r * cells->columns, cells->columns);
    free(list);
}

/* ---- what is asked ---- */

bool gl_index_is_wanted(const struct index_call *call, const char *cloud)
{
    const struct gl_option_list *clouds = &call->values->ask.clouds;

    if (call->provider != NULL)
        return strcmp(call->provider, cloud) == 0;
    for (size_t i = 0; i < clouds->count; i++)
        if (gl_glob_match(clouds->items[i], cloud))
            return true;
    return clouds->count == 0;
}

static bool is_given(const struct gl_option *option, const char *values)
{
    const char *at = values + option->offset;
    bool is_set;
    const char *text;
    int64_t number;

    switch (option->kind) {
    case GL_OPT_FLAG:
        memcpy(&is_set, at, sizeof is_set);
        return is_set;
    case GL_OPT_TEXT:
    case GL_OPT_OPTIONAL:
        memcpy(&text, at, sizeof text);
        return text != NULL;
    case GL_OPT_LIST:
        return ((const struct gl_option_list *)(const void *)at)->count > 0;
    case GL_OPT_INTEGER:
    case GL_OPT_QUANTITY:
    case GL_OPT_SPAN:
        memcpy(&number, at, sizeof number);
        return number != INT64_MIN;
    case GL_OPT_COUNT:
        break;
    }
    return false;
}

/* Tables of what was read know no rules: an option that would do nothing is refused. */
static int check_options(const struct index_values *values, const char *topic, struct gl_error *err)
{
    for (const struct gl_option *option = options; option->name != NULL; option++) {
        bool is_common = strcmp(option->group, "Output") == 0 || strcmp(option->name, "cloud") == 0;

        if (!is_common && is_given(option, (const char *)values))
            return gl_fail(
                err, GL_E_USAGE,
                "--%s belongs to greenlaunch index availability; %s takes --cloud, --csv "
                "and --html",
                option->name, topic);
    }
    return 0;
}

static int find_topic(const struct gl_operands *operands, size_t *out, struct gl_error *err)
{
    const char *names[TOPICS], *near;
    char shown[GL_TEXT_SHOWN];

    *out = 0;
    if (operands->count == 0)
        return 0;
    for (size_t t = 0; t < TOPICS; t++) {
        names[t] = topics[t].name;
        if (strcmp(operands->words[0], names[t]) == 0) {
            *out = t;
            return 0;
        }
    }
    near = gl_text_nearest(operands->words[0], names, TOPICS);
    return gl_fail(err, GL_E_USAGE, "no index \"%s\"; %s%s%s",
                   gl_text_show(operands->words[0], shown), near != NULL ? "did you mean " : "",
                   near != NULL ? near : "there are disclosure, availability and pledges",
                   near != NULL ? "?" : "");
}

/* A provider that nothing is known of is no empty table. */
static int check_provider(const struct index_call *call, struct gl_error *err)
{
    const struct gl_disclosure_row *rows;
    size_t count = gl_data_disclosure(&rows);
    const char *names[NAMES_MAX], *near;
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < count && i < NAMES_MAX; i++) {
        names[i] = rows[i].cloud;
        if (gl_index_is_wanted(call, names[i]))
            return 0;
    }
    if (call->provider == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "the index has no provider that --cloud names");
    near = gl_text_nearest(call->provider, names, count < NAMES_MAX ? count : NAMES_MAX);
    return gl_fail(err, GL_E_UNKNOWN_NAME, "the index has no provider \"%s\"%s%s%s",
                   gl_text_show(call->provider, shown), near != NULL ? "; did you mean " : "",
                   near != NULL ? near : "", near != NULL ? "?" : "");
}

static int write_page(struct index_call *call, struct gl_error *err)
{
    const char *path = call->values->html;

    gl_html_end(&call->page);
    if (call->page.is_cut)
        return gl_fail(err, GL_E_TOO_LARGE, "the report would be larger than 64 MB");
    if (gl_file_write_given(path, gl_str_text(&call->page), call->page.length, 0644, err) != 0)
        return gl_wrap(err, "--html");
    gl_say(call->context, "wrote %s (%zu kB): open it in a browser, no network is needed", path,
           call->page.length / 1000);
    return 0;
}

static int run_topic(struct index_call *call, size_t topic, struct gl_error *err)
{
    if (call->values->html != NULL)
        gl_html_begin(&call->page, topics[topic].title,
                      call->context->is_demo ? "Demonstration: an example zone, not yours." : "");
    if (topics[topic].run(call, err) != 0)
        return -1;
    return call->values->html != NULL ? write_page(call, err) : 0;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct index_call index = {.context = context, .values = call->values};
    size_t topic;
    int result;

    if (gl_help_operands(&gl_command_index, call, 0, 2, err) != 0 ||
        find_topic(call->operands, &topic, err) != 0)
        return -1;
    if (index.values->is_csv && context->globals.is_json)
        return gl_fail(err, GL_E_USAGE, "--csv and --json exclude each other");
    if (call->operands->count == 2)
        index.provider = call->operands->words[1];
    if (!topics[topic].has_rules && (check_options(index.values, topics[topic].name, err) != 0 ||
                                     check_provider(&index, err) != 0))
        return -1;
    result = run_topic(&index, topic, err);
    gl_str_done(&index.page);
    return result == 0 ? GL_EXIT_OK : -1;
}

const struct gl_command gl_command_index = {
    .name = "index",
    .group = "Look",
    .summary = "what providers disclose and pledge, and what is green",
    .operands = "[disclosure|availability|pledges [PROVIDER]]",
    .description =
        "disclosure grades what each provider tells of the electricity behind an instance: hourly, "
        "per instance, by API, ahead of time, before purchase, signed; with a PROVIDER named, the "
        "evidence, source and date of every cell. availability counts the offers of each provider "
        "that fit a green rule (by default that of --renewable-only) now and in every stored hour "
        "before. pledges sets each public target beside the figure last reported. Unknown is shown "
        "apart and is never green. Nothing is started and no demand is recorded.",
    .example = "$ greenlaunch index disclosure scaleway\n"
               "scaleway (Scaleway): C, 5 of 12 points",
    .options = options,
    .values_size = sizeof(struct index_values),
    .run = run,
};
