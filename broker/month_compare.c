/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/month.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *gl_month_verdict_word(enum gl_month_verdict verdict)
{
    return verdict == GL_MONTH_WITHIN    ? "within bounds"
           : verdict == GL_MONTH_OUTSIDE ? "outside"
                                         : "cannot be compared";
}

/* ---- what is compared with what ---- */

static bool is_anywhere(const struct gl_month *ours)
{
    return ours->has_more_regions || ours->region_count == 0;
}

static struct gl_stated_ask ask_of(const struct gl_month *ours, enum gl_stated_scope scope,
                                   enum gl_stated_basis basis)
{
    return (struct gl_stated_ask){.scope = scope,
                                  .basis = basis,
                                  .wants_machines = true,
                                  .regions = is_anywhere(ours) ? NULL : ours->regions,
                                  .region_count = ours->region_count};
}

static bool sum(const struct gl_month *ours, const struct gl_statement *stated,
                enum gl_stated_scope scope, enum gl_stated_basis basis, struct gl_stated *out)
{
    const struct gl_stated_ask ask = ask_of(ours, scope, basis);

    return gl_statement_sum(stated, &ask, out) && out->rows > 0;
}

static void add_up(const struct gl_month *ours, const struct gl_statement *stated,
                   struct gl_month_pair *out)
{
    struct gl_stated_ask whole = {.basis = GL_STATED_LOCATION};
    struct gl_stated all;

    gl_month_total(ours, out->total.ours_ug);
    memcpy(out->electricity.ours_ug, ours->operational_ug, sizeof ours->operational_ug);
    out->total.has_stated =
        sum(ours, stated, GL_STATED_ALL, GL_STATED_LOCATION, &out->total.stated);
    out->electricity.has_stated =
        sum(ours, stated, GL_STATED_SCOPE_2, GL_STATED_LOCATION, &out->electricity.stated);
    out->has_market = sum(ours, stated, GL_STATED_ALL, GL_STATED_MARKET, &out->market);
    out->has_unsaid = sum(ours, stated, GL_STATED_ALL, GL_STATED_UNSAID, &out->unsaid);
    out->is_total = out->total.has_stated || !out->electricity.has_stated;
    whole.scope = out->is_total ? GL_STATED_ALL : GL_STATED_SCOPE_2;
    if ((out->total.has_stated || out->electricity.has_stated) &&
        gl_statement_sum(stated, &whole, &all)) {
        const struct gl_stated *part =
            out->is_total ? &out->total.stated : &out->electricity.stated;

        out->has_left_out = all.rows > part->rows;
        out->left_out = (struct gl_stated){.ug = all.ug - part->ug,
                                           .slack_ug = all.slack_ug - part->slack_ug,
                                           .rows = all.rows - part->rows,
                                           .unknown = all.unknown - part->unknown};
    }
}

/* ---- the verdict ---- */

static void decide(struct gl_month_pair *out, enum gl_month_verdict verdict, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));
static void decide(struct gl_month_pair *out, enum gl_month_verdict verdict, const char *format,
                   ...)
{
    va_list args;

    out->verdict = verdict;
    va_start(args, format);
    vsnprintf(out->why, sizeof out->why, format, args);
    va_end(args);
}

/* What stands in the way of any comparison. */
static bool is_incomparable(const struct gl_month *ours, const struct gl_statement *stated,
                            struct gl_month_pair *out)
{
    const char *why = NULL;

    if (ours->launches == 0)
        why = "no launch of ours fell into that month";
    else if (ours->counted == 0)
        why = "none of our launches of that month has a known footprint";
    else if (stated->count == 0 && stated->has_others)
        why = "the statement is of other months";
    else if (stated->count == 0)
        why = "the provider has published nothing of that month (yet)";
    else if (!out->total.has_stated && !out->electricity.has_stated)
        why = out->has_unsaid   ? "the provider does not say whether it counts by location or by "
                                  "market"
              : out->has_market ? "the statement counts by market only, we by location"
                                : "the statement has nothing on machines where ours ran";
    if (why != NULL)
        decide(out, GL_MONTH_NOT_CLEAR, "%s", why);
    return why != NULL;
}

static void judge(const struct gl_month *ours, struct gl_month_pair *out)
{
    const struct gl_month_figures *pair = out->is_total ? &out->total : &out->electricity;
    const struct gl_stated *stated = &pair->stated;
    bool is_ours_whole = ours->counted == ours->launches;
    bool is_theirs_whole = stated->unknown == 0;

    if (is_theirs_whole && stated->ug + stated->slack_ug < pair->ours_ug[0])
        decide(out, GL_MONTH_OUTSIDE, "the provider states less than the least that was metered");
    else if (is_ours_whole && stated->ug - stated->slack_ug > pair->ours_ug[2])
        decide(out, GL_MONTH_OUTSIDE,
               "the provider states more than the most that was metered; the account may hold "
               "more than our launches (allocation)");
    else if (!is_ours_whole)
        decide(out, GL_MONTH_NOT_CLEAR,
               "%zu of %zu launches are not in our figure (coverage): it is a lower bound",
               ours->launches - ours->counted, ours->launches);
    else if (!is_theirs_whole)
        decide(out, GL_MONTH_NOT_CLEAR,
               "%zu of %zu rows of the statement have no figure: it is a lower bound",
               stated->unknown, stated->rows);
    else
        decide(out, GL_MONTH_WITHIN,
               "the stated figure and its rounding reach into our bounds (%s)",
               out->is_total ? "electricity and what was built" : "electricity");
}

/* ---- why they differ ---- */

static struct gl_month_difference *differ(struct gl_month_pair *out, const char *name,
                                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct gl_month_difference *differ(struct gl_month_pair *out, const char *name,
                                          const char *format, ...)
{
    struct gl_month_difference *difference = &out->differences[out->difference_count++];
    va_list args;

    *difference = (struct gl_month_difference){.name = name, .ug = GL_UNKNOWN};
    va_start(args, format);
    vsnprintf(difference->text, sizeof difference->text, format, args);
    va_end(args);
    return difference;
}

static char *mass(int64_t ug, char out[GL_QUANTITY_TEXT])
{
    return gl_mass_text((struct gl_mass){(double)ug / 1e6}, out);
}

/* Of the same rows of the statement, all with a figure: only then they may be set off. */
static bool is_alike(const struct gl_stated *part, const struct gl_month_figures *total)
{
    return total->has_stated && part->rows == total->stated.rows && part->unknown == 0 &&
           total->stated.unknown == 0;
}

static void accounting(struct gl_month_pair *out)
{
    char market[GL_QUANTITY_TEXT];

    if (out->has_market && out->market.unknown < out->market.rows) {
        struct gl_month_difference *difference =
            differ(out, "accounting",
                   "we count the grid where it ran (location); the provider states %sCO2e with its "
                   "contracts counted (market), too: told here, compared with nothing",
                   mass(out->market.ug, market));

        if (is_alike(&out->market, &out->total))
            difference->ug = out->market.ug - out->total.stated.ug;
    } else if (out->has_unsaid)
        differ(out, "accounting",
               "we count the grid where it ran (location); the statement does not say whether it "
               "is by location or by market");
}

static void boundary(const struct gl_month *ours, const struct gl_statement *stated,
                     struct gl_month_pair *out)
{
    struct gl_month_difference *difference;
    char pue[48] = "PUE";

    if (ours->pue_milli[0] > 0)
        snprintf(pue, sizeof pue, "PUE %.3g", (double)ours->pue_milli[0] / 1000);
    if (ours->pue_milli[1] > ours->pue_milli[0])
        snprintf(pue, sizeof pue, "PUE %.3g to %.3g", (double)ours->pue_milli[0] / 1000,
                 (double)ours->pue_milli[1] / 1000);
    difference = differ(out, "boundary",
                        "ours: electricity of the machine with %s, by factors over the whole life "
                        "of the fuel where the source has them, and the embodied share of the "
                        "server; no building, no network, no staff. Theirs: %s",
                        pue, stated->boundary[0] != '\0' ? stated->boundary : "not told");
    if (out->electricity.has_stated && is_alike(&out->electricity.stated, &out->total))
        difference->ug = out->total.stated.ug - out->electricity.stated.ug;
}

static void allocation(const struct gl_month *ours, const struct gl_statement *stated,
                       struct gl_month_pair *out)
{
    bool has_kinds = false, has_regions = false;
    char text[GL_QUANTITY_TEXT];
    struct gl_month_difference *difference;

    for (size_t i = 0; i < stated->count; i++) {
        has_kinds |= stated->rows[i].kind != GL_STATED_ANY;
        has_regions |= stated->rows[i].region[0] != '\0';
    }
    has_regions &= !is_anywhere(ours);
    difference = differ(
        out, "allocation",
        "ours: our launches. Theirs: whatever ran in the account, by their own rule of sharing it "
        "out%s%s; machines that are not ours, disks and network are in it, and cannot be told "
        "apart here",
        has_kinds || has_regions ? ", narrowed to " : "",
        has_kinds && has_regions ? "machines in the regions of our launches"
        : has_kinds              ? "machines, in whatever region"
        : has_regions            ? "the regions of our launches, with all services"
                                 : "");
    if (out->has_left_out && out->left_out.unknown < out->left_out.rows) {
        size_t length = strlen(difference->text);

        snprintf(difference->text + length, sizeof difference->text - length,
                 ". Left out: %sCO2e of other services and regions", mass(out->left_out.ug, text));
        if (out->left_out.unknown == 0)
            difference->ug = out->left_out.ug;
    }
}

static void coverage(const struct gl_month *ours, const struct gl_statement *stated,
                     struct gl_month_pair *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char span[GL_QUANTITY_TEXT];

    gl_str_addf(&text, "%zu of %zu launches counted", ours->counted, ours->launches);
    if (ours->open > 0)
        gl_str_addf(&text, "; %zu without a receipt", ours->open);
    if (ours->unknown > 0)
        gl_str_addf(&text, "; %zu whose carbon is not known", ours->unknown);
    if (ours->broken > 0)
        gl_str_addf(&text, "; %zu whose receipt does not verify", ours->broken);
    if (ours->unread > 0)
        gl_str_addf(&text, "; %zu counted without a single reading", ours->unread);
    if (ours->gap_ms > 0)
        gl_str_addf(&text, "; %s without readings, charged at the high bound",
                    gl_span_text((struct gl_span){(ours->gap_ms + 999) / 1000}, span));
    if (ours->split > 0)
        gl_str_addf(&text, "; %zu split at the end of the month, by its hours", ours->split);
    if (stated->denied > 0)
        gl_str_addf(&text, "; the provider denied %u account%s (%s): not in its figure, and not 0",
                    stated->denied, stated->denied == 1 ? "" : "s", stated->barred);
    differ(out, "coverage", "%s", gl_str_text(&text));
}

static void month_told(const struct gl_month *ours, const struct gl_statement *stated,
                       struct gl_month_pair *out)
{
    char at[GL_INSTANT_TEXT];

    if (stated->count > 0 && !stated->is_undated)
        return;
    gl_instant_text(ours->until, at);
    if (stated->count == 0)
        differ(out, "month",
               "nothing is stated of %.7s; clouds publish a month in the second half of the next "
               "one: not before %.8s15", /* lag: AWS, Google, Azure alike */
               gl_instant_text(ours->from, (char[GL_INSTANT_TEXT]){0}), at);
    else
        differ(out, "month",
               "the statement names no month: that it is of %.7s is the word of whoever gave it",
               gl_instant_text(ours->from, (char[GL_INSTANT_TEXT]){0}));
}

static void model_and_rounding(const struct gl_statement *stated, struct gl_month_pair *out)
{
    const struct gl_stated *compared = out->total.has_stated ? &out->total.stated
                                       : out->has_unsaid     ? &out->unsaid
                                                             : &out->electricity.stated;
    char step[GL_QUANTITY_TEXT], slack[GL_QUANTITY_TEXT];

    if (stated->model[0] != '\0')
        differ(out, "model",
               "the provider's method is of version %s%s; a later version states the same month "
               "anew",
               stated->model, stated->has_models ? " and others, mixed" : "");
    if (stated->step_ug != GL_UNKNOWN && stated->step_ug > 1 && compared->rows > 0)
        differ(out, "rounding",
               "their figures are written to %sCO2e: up to %sCO2e either way over %zu row%s",
               mass(stated->step_ug, step), mass(compared->slack_ug, slack), compared->rows,
               compared->rows == 1 ? "" : "s")
            ->ug = compared->slack_ug;
}

void gl_month_compare(const struct gl_month *ours, const struct gl_statement *stated,
                      struct gl_month_pair *out)
{
    *out = (struct gl_month_pair){.verdict = GL_MONTH_NOT_CLEAR};
    add_up(ours, stated, out);
    if (!is_incomparable(ours, stated, out))
        judge(ours, out);
    accounting(out);
    boundary(ours, stated, out);
    allocation(ours, stated, out);
    coverage(ours, stated, out);
    model_and_rounding(stated, out);
    month_told(ours, stated, out);
}
