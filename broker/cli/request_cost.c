/* SPDX-License-Identifier: Apache-2.0 */
/* What was done instead of what was wanted, and what that cost: in cells, in words, in JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "broker/budget.h"
#include "broker/cli/request.h"

static const struct {
    const char *done;        /* after a count */
    const char *no_h, *no_g; /* why hours or grams of it may not be known; NULL: they always are */
} instead[GL_INSTEADS] = {
    [GL_INSTEAD_NOTHING] = {"did not run", "of what did not run nobody knows where it ran later",
                            "of what did not run nobody knows where it ran later"},
    [GL_INSTEAD_WAITED] = {"waited", NULL,
                           "what the hours before a wait would have emitted is "
                           "not asked"},
    [GL_INSTEAD_MOVED] = {"moved", "a move is not over, or a clock was set back",
                          "a move is not over, or a grid or the machine is not known"},
    [GL_INSTEAD_PAUSED] = {"paused", "a pause is not over, or a clock was set back",
                           "a pause is not over, or the grid or the machine is not known"},
    [GL_INSTEAD_STOPPED] = {"stopped", "it was stopped by a version that did not reckon it",
                            "of what was stopped the grid or the machine is not known"},
    [GL_INSTEAD_RAN] = {"ran on", "it ran on by a version that did not reckon it",
                        "of what ran on no intensity was promised, or measured, or its machine is "
                        "not known"},
};

/* ---- cells ---- */

void gl_request_instead_cell(const struct gl_cluster *cluster, struct gl_str *out)
{
    size_t most = 0, others = 0;

    for (size_t i = 0; i < GL_INSTEADS; i++) {
        others += cluster->by_instead[i] > 0;
        if (cluster->by_instead[i] > cluster->by_instead[most])
            most = i;
    }
    gl_str_addf(out, "%s%s", gl_instead_words[most], others > 1 ? "+" : "");
}

void gl_request_lost_cell(const struct gl_cluster *cluster, struct gl_str *out)
{
    const double lost_h = (double)cluster->lost_ms / 3.6e6;

    if (cluster->lost_known == 0)
        gl_str_add(out, "-");
    else if (lost_h < 1)
        gl_str_addf(out, "%" PRId64 " min", (cluster->lost_ms + 30000) / 60000);
    else
        gl_str_addf(out, lost_h < 100 ? "%.1f h" : "%.0f h", lost_h);
}

void gl_request_extra_cell(const struct gl_cluster *cluster, struct gl_str *out)
{
    if (cluster->extra_known == 0) {
        gl_str_add(out, "-");
        return;
    }
    gl_str_add(out, cluster->extra_ug > 0 ? "+" : "");
    gl_grams_text(cluster->extra_ug, out);
}

/* ---- words ---- */

/* Of those that were done, each reason once. */
static void add_reasons(const struct gl_cluster *cluster, bool is_grams, struct gl_str *out)
{
    const char *last = NULL;

    for (size_t i = 0; i < GL_INSTEADS; i++) {
        const char *why = is_grams ? instead[i].no_g : instead[i].no_h;

        if (cluster->by_instead[i] <= 0 || why == NULL)
            continue;
        gl_str_addf(out, "%s%s", last != NULL ? "; " : ": ", why);
        last = why;
    }
}

static void add_part(const struct gl_cluster *cluster, bool is_grams, struct gl_str *out)
{
    const int64_t known = is_grams ? cluster->extra_known : cluster->lost_known;

    gl_str_add(out, is_grams ? "grams " : "hours ");
    if (known > 0 && is_grams)
        gl_request_extra_cell(cluster, out);
    else if (known > 0)
        gl_request_lost_cell(cluster, out);
    else
        gl_str_add(out, "unknown");
    if (known > 0 && known < cluster->signals)
        gl_str_addf(out, ", known of %" PRId64 " of %" PRId64, known, cluster->signals);
    if (known < cluster->signals)
        add_reasons(cluster, is_grams, out);
}

void gl_request_add_cost(const struct gl_cluster *cluster, struct gl_str *out)
{
    size_t said = 0;

    gl_str_add(out, "done instead: ");
    for (size_t i = 0; i < GL_INSTEADS; i++)
        if (cluster->by_instead[i] > 0)
            gl_str_addf(out, "%s%" PRId64 " %s", said++ > 0 ? ", " : "", cluster->by_instead[i],
                        instead[i].done);
    gl_str_add(out, "; cost: ");
    if (cluster->by_instead[GL_INSTEAD_NOTHING] == cluster->signals && cluster->signals > 0) {
        gl_str_addf(out, "unknown: %s", instead[GL_INSTEAD_NOTHING].no_h);
        return;
    }
    add_part(cluster, false, out);
    gl_str_add(out, "; ");
    add_part(cluster, true, out);
}

/* ---- JSON ---- */

static json_t *why_json(const struct gl_cluster *cluster, bool is_grams)
{
    json_t *list = json_array();

    if ((is_grams ? cluster->extra_known : cluster->lost_known) == cluster->signals)
        return list;
    for (size_t i = 0; i < GL_INSTEADS; i++) {
        const char *why = is_grams ? instead[i].no_g : instead[i].no_h;

        if (cluster->by_instead[i] > 0 && why != NULL)
            json_array_append_new(list, json_string(why));
    }
    return list;
}

static json_t *sum_json(int64_t known, int64_t sum)
{
    return known > 0 ? json_integer((json_int_t)sum) : json_null();
}

json_t *gl_request_cost_json(const struct gl_cluster *cluster)
{
    return json_pack(
        "{s:o,s:I,s:o,s:o,s:I,s:o}", "lost_ms", sum_json(cluster->lost_known, cluster->lost_ms),
        "lost_known", (json_int_t)cluster->lost_known, "lost_unknown_why", why_json(cluster, false),
        "extra_ug", sum_json(cluster->extra_known, cluster->extra_ug), "extra_known",
        (json_int_t)cluster->extra_known, "extra_unknown_why", why_json(cluster, true));
}

json_t *gl_request_instead_json(const struct gl_cluster *cluster)
{
    json_t *counts = json_object();

    for (size_t i = 0; i < GL_INSTEADS; i++)
        if (cluster->by_instead[i] > 0)
            json_object_set_new(counts, gl_instead_words[i],
                                json_integer((json_int_t)cluster->by_instead[i]));
    return counts;
}
