/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/hook/output_part.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define ROWS_MAX      20 /* of the table; more are put together, the worst first */
#define FINDINGS_MAX  20
#define NAMES_MAX     10
#define ADDRESS_LEAST 22 /* columns */
#define LABEL         10 /* columns of "  broken  " */
#define COLUMN_GAP    2  /* between columns of a table */

const char *gl_hook_outcome_word(enum gl_verdict verdict)
{
    static const char *const words[] = {"allowed", "later", "refused", "unknown"};

    return words[verdict];
}

static void add_head(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT], digest[GL_HASH_HEX];

    gl_str_add(&line, report->headline);
    for (char *c = line.text; c != NULL && *c != '\0' && *c != ':'; c++)
        *c = (char)toupper((unsigned char)*c);
    if (report->is_demo)
        gl_str_add(&line, " (" GL_HOOK_DEMO ")");
    gl_render_wrap(gl_str_text(&line), 0, columns, out);
    gl_str_clear(&line);
    for (size_t i = 0; i < report->plan_count && i < NAMES_MAX; i++) {
        const struct gl_hook_plan *plan = report->plans[i];

        gl_str_addf(&line, "%s", i > 0 ? ", " : "");
        gl_str_add_printable(&line, plan->file, strlen(plan->file));
        if (plan->version != NULL && plan->version[0] != '\0') {
            gl_str_add(&line, " (");
            gl_str_add_printable(&line, plan->version, strlen(plan->version));
            gl_str_add_char(&line, ')');
        }
    }
    if (report->plan_count > NAMES_MAX)
        gl_str_addf(&line, " and %zu more", report->plan_count - NAMES_MAX);
    gl_str_addf(&line, "\nat %s, as of %s%s, policy ", report->point,
                gl_instant_text(report->at, at), report->is_offline ? ", offline" : "");
    if (report->policy->id[0] != '\0')
        gl_str_add_printable(&line, report->policy->id, strlen(report->policy->id));
    else
        gl_str_add(&line, "of the command line");
    gl_str_addf(&line, " (sha256 %.12s)", gl_hash_hex(&report->policy->digest, digest));
    gl_render_wrap(gl_str_text(&line), 0, columns, out);
}

/* ---- the table ---- */

static const struct gl_column table_columns[] = {
    {"ADDRESS", false, 0}, {"TYPE", false, 1}, {"N", true, 2},   {"REGION", false, 0},
    {"HOW", false, 4},     {"g/kWh", true, 0}, {"g/h", true, 3}, {"OUTCOME", false, 0},
};
#define COLUMNS (sizeof table_columns / sizeof table_columns[0])

static const char *real_text(double value, char out[GL_RENDER_NUMBER])
{
    return isnan(value) ? "?" : gl_render_real_text(value, out);
}

/* Where a part of an address begins that fits and is not much less than fits: behind a mark
 * that is in no key ("[\"a.b\"]"). NULL = none. */
static const char *whole_part(const char *address, size_t most)
{
    unsigned depth = 0;

    for (const char *at = address; *at != '\0'; at++) {
        depth += *at == '[';
        depth -= depth > 0 && *at == ']';
        if (depth == 0 && strchr("./:_-", *at) != NULL && gl_text_columns(at + 1) <= most)
            return gl_text_columns(at + 1) * 2 >= most ? at + 1 : NULL;
    }
    return NULL;
}

/* Of one that is too long by far the first and the last bytes, between characters. */
static void add_ends(const char *address, struct gl_str *out)
{
    size_t length = strlen(address), half = GL_ESCAPE_MOST / 2;
    const char *end = address + length - half;

    if (length <= 2 * half) {
        gl_str_add_printable(out, address, length);
        return;
    }
    while (half > 0 && ((unsigned char)address[half] & 0xc0) == 0x80)
        half--;
    while (((unsigned char)*end & 0xc0) == 0x80)
        end++;
    gl_str_add_printable(out, address, half);
    gl_str_add_char(out, '~');
    gl_str_add_printable(out, end, strlen(end));
}

static const char *next_letter(const char *at)
{
    do
        at++;
    while (((unsigned char)*at & 0xc0) == 0x80);
    return at;
}

/* The end of an address tells more than its beginning, which many share; of a name that is too long
 * by itself both ends do. */
static void put_address(const char *address, size_t most, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};
    const char *from, *part, *cut;

    add_ends(address, &shown);
    cut = from = gl_str_text(&shown);
    part = gl_text_columns(from) <= most ? from : whole_part(from, most - 1);
    if (part != NULL) {
        gl_str_addf(out, "%s%s", part != from ? "~" : "", part);
        return;
    }
    while (gl_text_columns(from) - gl_text_columns(cut) < most / 3)
        cut = next_letter(cut);
    gl_str_add_bytes(out, from, (size_t)(cut - from));
    while (gl_text_columns(cut) > most - 1 - most / 3)
        cut = next_letter(cut);
    gl_str_addf(out, "~%s", cut);
}

/* "418 D": a figure and the grade of its evidence. */
static void put_intensity(const struct gl_figure *figure, struct gl_str *out)
{
    char number[GL_RENDER_NUMBER];

    gl_str_add(out, gl_render_number(figure->value_u, 1e-6, number));
    if (figure->value_u != GL_UNKNOWN)
        gl_str_addf(out, " %c", gl_grade_letter(figure->grade));
}

/* Launches that differ in their address only: one row when there are many. */
struct alike {
    const struct gl_judged *first;
    const char *how; /* their region is known, when all of them say the same */
    size_t resources;
    int64_t machines; /* GL_UNKNOWN = of one at least */
    double grams;     /* NAN alike */
};

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_alike(const struct gl_judged *a, const struct gl_judged *b)
{
    return a->verdict == b->verdict && is_same(a->intent->type, b->intent->type) &&
           is_same(a->intent->machine.type, b->intent->machine.type) &&
           is_same(a->intent->place.region, b->intent->place.region);
}

static void add_alike(struct alike *alike, const struct gl_judged *judged)
{
    if (alike->first == NULL)
        *alike = (struct alike){.first = judged, .how = judged->intent->place.how};
    if (!is_same(alike->how, judged->intent->place.how))
        alike->how = NULL;
    alike->resources++;
    alike->grams += judged->grams_per_h[1];
    if (alike->machines == GL_UNKNOWN || judged->count == GL_UNKNOWN ||
        __builtin_add_overflow(alike->machines, judged->count, &alike->machines))
        alike->machines = GL_UNKNOWN;
}

/* At most ROWS_MAX; returns how many, *out_left: launches that are in none. */
static size_t sort_alike(const struct gl_hook_report *report, struct alike rows[ROWS_MAX],
                         size_t *out_left)
{
    bool has_many = report->judged_count > ROWS_MAX;
    size_t count = 0;

    *out_left = 0;
    for (size_t i = 0; i < report->judged_count; i++) {
        size_t row = has_many ? 0 : count;

        while (row < count && !is_alike(rows[row].first, &report->judged[i]))
            row++;
        if (row == ROWS_MAX) {
            ++*out_left;
            continue;
        }
        if (row == count)
            rows[count++] = (struct alike){.first = NULL};
        add_alike(&rows[row], &report->judged[i]);
    }
    return count;
}

static void put_name(const struct alike *alike, size_t most, struct gl_str *out)
{
    const struct gl_intent *intent = alike->first->intent;

    if (alike->resources == 1) {
        put_address(intent->address, most, out);
        return;
    }
    gl_str_addf(out, "%zu ", alike->resources);
    gl_str_add_printable(out, intent->type, strlen(intent->type));
}

/* A row but for its name. */
struct cells {
    const char *type, *region, *how, *outcome;
    char count[32], grams[GL_RENDER_NUMBER], intensity[GL_RENDER_NUMBER + 4];
};

static struct cells cells_of(const struct alike *alike)
{
    const struct gl_intent *intent = alike->first->intent;
    struct cells cells = {.type = intent->machine.type,
                          .region = intent->place.region,
                          .how = alike->how,
                          .outcome = gl_hook_outcome_word(alike->first->verdict),
                          .count = "?"};
    GL_AUTO(gl_str_done) struct gl_str intensity = {0};
    char grams[GL_RENDER_NUMBER];

    cells.type = cells.type != NULL ? cells.type : "?";
    cells.region = cells.region != NULL ? cells.region : "?";
    cells.how = cells.how != NULL ? cells.how : "";
    put_intensity(&alike->first->intensity, &intensity);
    snprintf(cells.intensity, sizeof cells.intensity, "%s", gl_str_text(&intensity));
    snprintf(cells.grams, sizeof cells.grams, "%s", real_text(alike->grams, grams));
    if (alike->machines != GL_UNKNOWN)
        snprintf(cells.count, sizeof cells.count, "%lld", (long long)alike->machines);
    return cells;
}

/* What the other columns leave of the line, but for the one that says how. */
static size_t name_columns(const struct alike *rows, size_t count, unsigned columns)
{
    size_t widths[] = {strlen("TYPE"),  strlen("N"),   strlen("REGION"),
                       strlen("g/kWh"), strlen("g/h"), strlen("OUTCOME")};
    size_t taken = 0;

    for (size_t i = 0; i < count; i++) {
        const struct cells cells = cells_of(&rows[i]);
        const char *const texts[] = {cells.type,      cells.count, cells.region,
                                     cells.intensity, cells.grams, cells.outcome};

        for (size_t c = 0; c < sizeof widths / sizeof widths[0]; c++)
            if (gl_text_columns(texts[c]) > widths[c])
                widths[c] = gl_text_columns(texts[c]);
    }
    for (size_t c = 0; c < sizeof widths / sizeof widths[0]; c++)
        taken += widths[c] + COLUMN_GAP;
    return columns > taken + ADDRESS_LEAST ? columns - taken : ADDRESS_LEAST;
}

static void add_row(struct gl_table *table, const struct alike *alike, size_t most)
{
    const struct cells cells = cells_of(alike);
    GL_AUTO(gl_str_done) struct gl_str name = {0};

    put_name(alike, most, &name);
    gl_table_row(table, (const char *const[COLUMNS]){gl_str_text(&name), cells.type, cells.count,
                                                     cells.region, cells.how, cells.intensity,
                                                     cells.grams, cells.outcome});
}

static void add_table(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    struct alike rows[ROWS_MAX];
    size_t left, count = sort_alike(report, rows, &left);
    struct gl_table *table;
    size_t most;

    if (count == 0)
        return;
    most = name_columns(rows, count, columns);
    table = gl_table_new(table_columns, COLUMNS);
    for (size_t i = 0; i < count; i++)
        add_row(table, &rows[i], most);
    gl_str_add_char(out, '\n');
    gl_table_text(table, columns, false, out);
    gl_table_free(table);
    if (left > 0)
        gl_str_addf(out, "and %zu more, none of them worse\n", left);
}

/* ---- findings ---- */

static const struct gl_judged *judged_of(const struct gl_hook_report *report,
                                         const struct gl_hook_finding *finding)
{
    for (size_t i = 0; finding->intent != NULL && i < report->judged_count; i++)
        if (report->judged[i].intent == finding->intent)
            return &report->judged[i];
    return NULL;
}

static void add_finding(const struct gl_hook_report *report, size_t index, unsigned columns,
                        struct gl_str *out)
{
    const struct gl_hook_finding *finding = &report->findings[index];
    const struct gl_judged *judged = judged_of(report, finding);
    bool is_last_of_intent =
        index + 1 == report->finding_count || report->findings[index + 1].intent != finding->intent;
    bool is_against = finding->state == GL_FINDING_BROKEN || finding->state == GL_FINDING_UNKNOWN;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(out, "  %-7s ", gl_finding_word(finding->state));
    if (finding->intent != NULL)
        add_ends(finding->intent->address, &line);
    else
        gl_str_add(&line, "the whole change");
    gl_str_addf(&line, ": %s", finding->message);
    if (finding->rule != NULL)
        gl_str_addf(&line, " [%s]", finding->rule->id);
    gl_render_hang(gl_str_text(&line), LABEL, columns, out);
    for (size_t i = 0;
         judged != NULL && is_against && is_last_of_intent && i < judged->remedy_count; i++) {
        gl_str_clear(&line);
        gl_str_addf(&line, "%s %s", i == 0 ? "nearest" : "or", judged->remedies[i].sentence);
        gl_render_wrap(gl_str_text(&line), LABEL, columns, out);
    }
}

/* The first of those that say the same of other addresses, and how many say it. */
struct saying {
    size_t first, count;
};

static bool says_same(const struct gl_hook_finding *a, const struct gl_hook_finding *b)
{
    return a->rule == b->rule && a->state == b->state && strcmp(a->message, b->message) == 0;
}

/* At most FINDINGS_MAX; *out_left: findings that are in none. */
static size_t sort_sayings(const struct gl_hook_report *report, struct saying out[FINDINGS_MAX],
                           size_t *out_left)
{
    bool has_many = report->finding_count > FINDINGS_MAX;
    size_t count = 0;

    *out_left = 0;
    for (size_t i = 0; i < report->finding_count; i++) {
        size_t at = has_many ? 0 : count;

        while (at < count && !says_same(&report->findings[out[at].first], &report->findings[i]))
            at++;
        if (at == FINDINGS_MAX) {
            ++*out_left;
            continue;
        }
        if (at == count)
            out[count++] = (struct saying){.first = i};
        out[at].count++;
    }
    return count;
}

static void add_findings(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    struct saying sayings[FINDINGS_MAX];
    size_t left, count = sort_sayings(report, sayings, &left);

    if (count > 0)
        gl_str_add(out, "\nFindings:\n");
    for (size_t i = 0; i < count; i++) {
        add_finding(report, sayings[i].first, columns, out);
        if (sayings[i].count > 1)
            gl_str_addf(out, "%*sand of %zu more resources\n", LABEL, "", sayings[i].count - 1);
    }
    if (left > 0)
        gl_str_addf(out, "  and %zu more; all of them: --output json\n", left);
}

/* ---- the rest ---- */

static void add_names(struct gl_str *out, const char *label, const char *const *names)
{
    size_t count = 0;

    while (names != NULL && names[count] != NULL)
        count++;
    if (count == 0)
        return;
    gl_str_addf(out, "; %s ", label);
    for (size_t i = 0; i < count && i < NAMES_MAX; i++) {
        gl_str_add(out, i > 0 ? ", " : "");
        gl_str_add_printable(out, names[i], strlen(names[i]));
    }
    if (count > NAMES_MAX)
        gl_str_addf(out, " and %zu more", count - NAMES_MAX);
}

static void add_paragraph(const char *label, const struct gl_str *text, unsigned columns,
                          struct gl_str *out)
{
    gl_str_addf(out, "%-*s", LABEL, label);
    gl_render_hang(gl_str_text(text), LABEL, columns, out);
}

static void add_coverage(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "%zu of %zu resources launch; %zu only stand by, %zu are no machines",
                report->launches, report->resources, report->context, report->skipped);
    if (report->unknown_region + report->unknown_machine + report->unknown_count > 0)
        gl_str_addf(&text, "; not known: region of %zu, machine of %zu, number of %zu",
                    report->unknown_region, report->unknown_machine, report->unknown_count);
    add_names(&text, "possibly machines, in no mapping:", report->unmapped_types);
    add_names(&text, "not to be seen from here:", report->opaque_addresses);
    if (report->opaque > 0)
        gl_str_add(&text, "; what runs there has plans or manifests of its own to be judged");
    gl_str_add_char(out, '\n');
    add_paragraph("Coverage:", &text, columns, out);
}

static void add_totals(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char number[GL_RENDER_NUMBER];

    if (report->launches == 0 || isnan(report->grams_per_month[1]))
        return;
    gl_render_band(&(struct gl_band){report->grams_per_month[0] / 1000,
                                     report->grams_per_month[1] / 1000,
                                     report->grams_per_month[2] / 1000},
                   &text);
    gl_str_addf(&text, " kgCO2e a month for what is launched%s",
                report->opaque > 0 ? " and can be seen" : "");
    if (!isnan(report->delta_grams_per_month[1]))
        gl_str_addf(&text, "; the change adds %.3g kgCO2e a month",
                    report->delta_grams_per_month[1] / 1000);
    if (!isnan(report->usd_per_month))
        gl_str_addf(&text, "; %s USD a month", gl_render_real_text(report->usd_per_month, number));
    if (!isnan(report->delta_usd_per_month) && report->delta_usd_per_month != report->usd_per_month)
        gl_str_addf(&text, "; the change adds %s USD a month",
                    gl_render_real_text(report->delta_usd_per_month, number));
    add_paragraph("Expect:", &text, columns, out);
}

static void add_list(const char *label, const char *const *items, unsigned columns,
                     struct gl_str *out)
{
    for (; items != NULL && *items != NULL; items++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_str_add(&text, *items);
        while (text.length > 0 && text.text[text.length - 1] == '\n')
            text.text[--text.length] = '\0';
        add_paragraph(label, &text, columns, out);
        label = "";
    }
}

static void add_exceptions(const struct gl_hook_report *report, unsigned columns,
                           struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (report->waived + report->known + report->warned + report->baseline_size > 0) {
        gl_str_addf(&text, "%zu waived, %zu known from the baseline, %zu warned", report->waived,
                    report->known, report->warned);
        if (report->baseline_gone > 0)
            gl_str_addf(&text, "; %zu of %zu of the baseline are gone: --prune",
                        report->baseline_gone, report->baseline_size);
        add_paragraph("Let pass:", &text, columns, out);
    }
    add_list("Waivers:", report->waivers_applied, columns, out);
    add_list("Expiring:", report->waivers_expiring, columns, out);
    add_list("Not used:", report->waivers_unused, columns, out);
    if (report->launches > 0)
        add_list("Unused:", report->unused_rules, columns, out);
}

static void add_method(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_hook_add_method(report, &text);
    if (report->judged_count > 0)
        add_paragraph("Method:", &text, columns, out);
}

/* Words of our own and of the built-in tables only, so that they may be typed as they stand. */
static void add_next(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    const json_t *step, *word;
    size_t i, w;

    json_array_foreach(report->next, i, step)
    {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        json_array_foreach(json_object_get(step, "argv"), w, word)
            gl_str_addf(&text, "%s%s", w > 0 ? " " : "", json_string_value(word));
        gl_str_addf(&text, "\n(%s)", json_string_value(json_object_get(step, "why")));
        add_paragraph(i == 0 ? "Next:" : "", &text, columns, out);
    }
}

void gl_hook_out_text(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    add_head(report, columns, out);
    add_table(report, columns, out);
    add_findings(report, columns, out);
    add_coverage(report, columns, out);
    add_totals(report, columns, out);
    add_exceptions(report, columns, out);
    add_list("Notes:", report->notes, columns, out);
    add_method(report, columns, out);
    add_list("Sources:", report->sources, columns, out);
    add_next(report, columns, out);
}
