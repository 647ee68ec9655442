/* SPDX-License-Identifier: Apache-2.0 */
/* One comment on a pull request: a hidden first line by which it is found again and updated, the
 * verdict, what stands in the way, everything else folded. GitHub takes 65,536 characters: what
 * does not fit is rows, never totals, and their number is said. Bytes are counted, of which a
 * character has one at least. */
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "broker/hook/output_part.h"
#include "broker/render/text.h"

#define COMMENT_MAX ((size_t)65536)
#define LISTED_MAX  20  /* names of one list */
#define TAIL_SPARE  512 /* for the sentences that say what was left out */

/* By the names of the plans: projects that are judged apart have a comment each. */
static void add_marker(const struct gl_hook_report *report, struct gl_str *out)
{
    struct gl_hasher hasher;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_hasher_init(&hasher);
    for (size_t i = 0; i < report->plan_count; i++)
        gl_hasher_add(&hasher, report->plans[i]->file, strlen(report->plans[i]->file) + 1);
    gl_hasher_end(&hasher, &hash);
    gl_str_addf(out, "<!-- greenlaunch-hook scope=%.16s -->\n", gl_hash_hex(&hash, hex));
}

static void add_head(const struct gl_hook_report *report, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    add_marker(report, out);
    gl_hook_add_headline(report, &text);
    gl_str_add(out, "### greenlaunch: ");
    gl_escape_add(GL_ESCAPE_MARKDOWN, gl_str_text(&text), out);
    gl_str_add(out, "\n\n");
    if (report->is_demo)
        gl_str_add(out, "> **" GL_HOOK_DEMO "**\n\n");
}

/* ---- totals ---- */

static void add_totals(const struct gl_hook_report *report, struct gl_str *out)
{
    char number[GL_RENDER_NUMBER];

    gl_str_addf(out, "%zu of %zu resources launch; ", report->launches, report->resources);
    if (isnan(report->grams_per_month[1])) {
        gl_str_add(out, "what they emit is not known");
    } else {
        gl_render_band(&(struct gl_band){report->grams_per_month[0] / 1000,
                                         report->grams_per_month[1] / 1000,
                                         report->grams_per_month[2] / 1000},
                       out);
        gl_str_add(out, " kgCO2e a month");
    }
    if (!isnan(report->delta_grams_per_month[1]))
        gl_str_addf(out, ", the change adds %s",
                    gl_render_real_text(report->delta_grams_per_month[1] / 1000, number));
    if (!isnan(report->usd_per_month))
        gl_str_addf(out, "; %s USD a month", gl_render_real_text(report->usd_per_month, number));
    gl_str_addf(out, "; %zu waived, %zu known, %zu warned.\n\n", report->waived, report->known,
                report->warned);
}

/* ---- rows ---- */

static void add_cell(const char *text, struct gl_str *out)
{
    gl_str_add(out, " ");
    gl_escape_code(text, true, out);
    gl_str_add(out, " |");
}

static void add_prose_cell(const char *text, struct gl_str *out)
{
    gl_str_add(out, " ");
    gl_escape_add(GL_ESCAPE_MARKDOWN, text, out);
    gl_str_add(out, " |");
}

static void add_place(const struct gl_source_place *at, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str place = {0};

    gl_escape_visible(at->file, 128, &place);
    if (at->is_sure)
        gl_str_addf(&place, ":%u", at->line);
    add_cell(gl_str_text(&place), out);
}

static void finding_row(const struct gl_hook_report *report, const struct gl_hook_lookup *lookup,
                        size_t index, struct gl_str *out)
{
    const struct gl_hook_finding *finding = &report->findings[index];
    const struct gl_judged *judged = gl_hook_lookup_find(lookup, finding->intent);
    GL_AUTO(gl_str_done) struct gl_str message = {0};

    gl_str_addf(out, "| %s |", gl_finding_word(finding->state));
    add_cell(gl_hook_subject(finding), out);
    add_cell(gl_hook_rule_id(finding), out);
    gl_str_add(&message, finding->message);
    if (judged != NULL && judged->remedy_count > 0 && gl_hook_level_of(finding) == GL_HOOK_ERROR)
        gl_str_addf(&message, "; nearest: %s", judged->remedies[0].sentence);
    add_prose_cell(gl_str_text(&message), out);
    add_place(&finding->at, out);
    gl_str_add_char(out, '\n');
}

static void judged_row(const struct gl_hook_report *report, const struct gl_hook_lookup *lookup,
                       size_t index, struct gl_str *out)
{
    const struct gl_judged *judged = &report->judged[index];
    const struct gl_intent *intent = judged->intent;
    char number[GL_RENDER_NUMBER];
    GL_AUTO(gl_str_done) struct gl_str evidence = {0};

    (void)lookup;
    gl_str_add_char(out, '|');
    add_cell(intent->address, out);
    add_cell(intent->machine.type != NULL ? intent->machine.type : "?", out);
    if (judged->count != GL_UNKNOWN)
        gl_str_addf(out, " %lld |", (long long)judged->count);
    else
        gl_str_add(out, " ? |");
    add_cell(intent->place.region != NULL ? intent->place.region : "?", out);
    add_prose_cell(intent->place.how, out);
    gl_hook_add_evidence(&judged->intensity, &evidence);
    add_prose_cell(gl_str_text(&evidence), out);
    gl_str_addf(out, " %s | %s |\n",
                isnan(judged->grams_per_h[1]) ? "?"
                                              : gl_render_real_text(judged->grams_per_h[1], number),
                gl_hook_outcome_word(judged->verdict));
}

/* A table of which as many rows are kept as fit into `most` bytes. */
struct rows {
    const char *head, *noun;
    size_t count;
    void (*add)(const struct gl_hook_report *report, const struct gl_hook_lookup *lookup,
                size_t index, struct gl_str *out);
};

static void add_rows(const struct gl_hook_report *report, const struct gl_hook_lookup *lookup,
                     const struct rows *rows, size_t most, struct gl_str *out)
{
    size_t start = out->length, shown = 0;

    if (rows->count == 0)
        return;
    gl_str_add(out, rows->head);
    for (; shown < rows->count; shown++) {
        GL_AUTO(gl_str_done) struct gl_str row = {0};

        rows->add(report, lookup, shown, &row);
        if (out->length - start + row.length > most)
            break;
        gl_str_add_bytes(out, row.text, row.length);
    }
    if (shown < rows->count)
        gl_str_addf(out, "\n%zu more of %zu %s are left out, none of them worse.\n",
                    rows->count - shown, rows->count, rows->noun);
    gl_str_add_char(out, '\n');
}

/* ---- the rest ---- */

static void add_list(const char *label, const char *const *items, bool is_name, struct gl_str *out)
{
    size_t count = 0;

    while (items != NULL && items[count] != NULL)
        count++;
    for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
        gl_str_addf(out, "- %s: ", label);
        if (is_name)
            gl_escape_code(items[i], false, out);
        else
            gl_escape_add(GL_ESCAPE_MARKDOWN, items[i], out);
        gl_str_add_char(out, '\n');
    }
    if (count > LISTED_MAX)
        gl_str_addf(out, "- %s: and %zu more\n", label, count - LISTED_MAX);
}

static void add_plans(const struct gl_hook_report *report, struct gl_str *out)
{
    for (size_t i = 0; i < report->plan_count && i < LISTED_MAX; i++) {
        gl_str_add(out, "- plan: ");
        gl_escape_code(report->plans[i]->file, false, out);
        gl_str_add(out, " ");
        gl_escape_add(GL_ESCAPE_MARKDOWN, report->plans[i]->version, out);
        gl_str_add_char(out, '\n');
    }
    if (report->plan_count > LISTED_MAX)
        gl_str_addf(out, "- and %zu more plans\n", report->plan_count - LISTED_MAX);
}

/* Lists in the order of what they may hide; as a whole within a third of the comment. */
static void add_tail(const struct gl_hook_report *report, struct gl_str *out)
{
    char at[GL_INSTANT_TEXT], digest[GL_HASH_HEX];
    GL_AUTO(gl_str_done) struct gl_str method = {0};
    struct gl_str lists = {.ceiling = COMMENT_MAX / 3};

    gl_hook_add_method(report, &method);
    gl_str_addf(out,
                "<details><summary>Coverage, method and sources</summary>\n\n"
                "- judged at %s, %s%s\n- method: %s\n- digest: `%.16s`\n"
                "- coverage: %zu only stand by, %zu are no machines; not known: region of %zu, "
                "machine of %zu, number of %zu; %zu opaque; %zu types in no mapping\n",
                report->point, gl_instant_text(report->at, at),
                report->is_offline ? ", offline" : "", gl_str_text(&method),
                gl_hash_hex(&report->digest, digest), report->context, report->skipped,
                report->unknown_region, report->unknown_machine, report->unknown_count,
                report->opaque, report->unmapped);
    add_list("source", report->sources, false, &lists);
    add_list("waiver", report->waivers_applied, false, &lists);
    add_list("note", report->notes, false, &lists);
    add_plans(report, &lists);
    add_list("possibly a machine, in no mapping", report->unmapped_types, true, &lists);
    add_list("not to be seen from here", report->opaque_addresses, true, &lists);
    if (lists.is_cut) /* back to the last whole line */
        while (lists.length > 0 && lists.text[lists.length - 1] != '\n')
            lists.text[--lists.length] = '\0';
    gl_str_addf(out, "%s%s\n</details>\n", gl_str_text(&lists),
                lists.is_cut ? "- and more, left out\n" : "");
    gl_str_done(&lists);
}

void gl_hook_out_markdown(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    const struct rows findings = {"| | resource | rule | what | where |\n|---|---|---|---|---|\n",
                                  "findings", report->finding_count, finding_row};
    const struct rows judged = {
        "<details><summary>Every launch</summary>\n\n"
        "| resource | type | n | region | how | evidence | g/h | outcome |\n"
        "|---|---|--:|---|---|---|--:|---|\n",
        "launches", report->judged_count, judged_row};
    GL_AUTO(gl_str_done) struct gl_str tail = {0};
    struct gl_hook_lookup lookup;
    size_t start = out->length, room;

    (void)columns;
    gl_hook_lookup_init(report, &lookup);
    add_head(report, out);
    add_totals(report, out);
    add_tail(report, &tail);
    room = COMMENT_MAX - TAIL_SPARE - tail.length - (out->length - start);
    add_rows(report, &lookup, &findings, room / 3 * 2, out);
    room = COMMENT_MAX - TAIL_SPARE - tail.length - (out->length - start);
    add_rows(report, &lookup, &judged, room, out);
    if (report->judged_count > 0)
        gl_str_add(out, "</details>\n\n");
    gl_str_add_bytes(out, tail.text, tail.length);
    gl_hook_lookup_done(&lookup);
}
