/* SPDX-License-Identifier: Apache-2.0 */
/* One case against one policy: what was decided, compared with what was expected. */
#include <stdlib.h>
#include <string.h>

#include "broker/policytest/policytest.h"

#define REASONS_MAX   256
#define LOOKED_AT_MAX 2000 /* offers that one expected result is looked for in */

enum outcome { SATISFIED, VIOLATED, UNKNOWN, NONE };

static void name_of(const struct gl_offer *offer, struct gl_str *out)
{
    gl_str_addf(out, "%s/%s/%s", offer->place->cloud, offer->place->region, offer->type->name);
}

/* The worst of the reasons that the result is about; NONE when there are none. */
static enum outcome outcome_for(const struct gl_question *question, uint32_t offer,
                                const struct gl_test_result *result, struct gl_reason *reasons)
{
    size_t count = gl_judge_all(question, offer, reasons, REASONS_MAX);
    enum outcome worst = NONE;

    for (size_t i = 0; i < count; i++) {
        const struct gl_reason *one = &reasons[i];
        enum outcome outcome = one->outcome == GL_VIOLATED          ? VIOLATED
                               : one->outcome == GL_OUTCOME_UNKNOWN ? UNKNOWN
                                                                    : SATISFIED;

        if (one->rule == NULL ||
            (result->rule != NULL && strcmp(one->rule->id, result->rule) != 0) ||
            (result->key != NULL && strcmp(one->constraint->key->name, result->key) != 0))
            continue;
        if (worst == NONE || outcome == VIOLATED || (outcome == UNKNOWN && worst == SATISFIED))
            worst = outcome;
    }
    return worst;
}

static bool is_meant(const struct gl_test_result *result, const struct gl_offer *offer)
{
    GL_AUTO(gl_str_done) struct gl_str name = {0};

    if (result->offer == NULL)
        return true;
    name_of(offer, &name);
    return gl_glob_match(result->offer, gl_str_text(&name));
}

/* Every offer that is meant must show the outcome; a message in `out` when one does not. */
static void check_result(const struct gl_question *question, const struct gl_decision *decision,
                         const struct gl_test_result *result, struct gl_str *out)
{
    GL_AUTO(gl_auto_free) struct gl_reason *reasons = gl_alloc(REASONS_MAX * sizeof *reasons);
    size_t looked_at = 0;

    for (uint32_t i = 0; i < decision->judged && looked_at < LOOKED_AT_MAX; i++) {
        enum outcome outcome;

        if (decision->judgements[i].outcome == GL_NOT_ASKED ||
            !is_meant(result, &question->offers[i]))
            continue;
        looked_at++;
        outcome = outcome_for(question, i, result, reasons);
        if ((int)outcome == result->outcome)
            continue;
        gl_str_addf(out, "rule %s%s%s is %s for ", result->rule != NULL ? result->rule : "(any)",
                    result->key != NULL ? " " : "", result->key != NULL ? result->key : "",
                    gl_test_outcomes[outcome]);
        name_of(&question->offers[i], out);
        gl_str_addf(out, ", expected %s; ", gl_test_outcomes[result->outcome]);
        return;
    }
    if (looked_at == 0)
        gl_str_addf(out, "no asked offer is %s; ", result->offer != NULL ? result->offer : "there");
}

static void check_best(const struct gl_test_case *one, const struct gl_question *question,
                       const struct gl_decision *decision, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str name = {0};

    if (one->best == NULL)
        return;
    if (decision->allowed == 0) {
        gl_str_addf(out, "no offer is allowed, expected %s first; ", one->best);
        return;
    }
    name_of(&question->offers[decision->ranked[0]], &name);
    if (!gl_glob_match(one->best, gl_str_text(&name)))
        gl_str_addf(out, "%s comes first, expected %s; ", gl_str_text(&name), one->best);
}

/* Indexed by enum gl_verdict. */
static int exit_of(enum gl_verdict verdict)
{
    static const int exits[] = {GL_EXIT_OK, GL_EXIT_LATER, GL_EXIT_REFUSED, GL_EXIT_UNKNOWN};

    return exits[verdict];
}

static void check_verdict(const struct gl_test_case *one, const struct gl_question *question,
                          const struct gl_decision *decision, struct gl_str *out)
{
    int status = exit_of(decision->verdict);
    bool is_wrong = one->verdict >= 0 && one->verdict != (int)decision->verdict;

    if (is_wrong)
        gl_str_addf(out, "verdict is %s, expected %s", gl_verdict_word(decision->verdict),
                    gl_test_verdicts[one->verdict]);
    if (is_wrong && decision->judged > decision->not_asked) {
        gl_str_add(out, " (");
        name_of(&question->offers[decision->ranked[0]], out);
        gl_str_add(out, ": ");
        gl_reason_text(&decision->judgements[decision->ranked[0]].reason, out);
        gl_str_add_char(out, ')');
    }
    if (is_wrong)
        gl_str_add(out, "; ");
    if (one->exit >= 0 && one->exit != status)
        gl_str_addf(out, "exit is %d, expected %d; ", status, one->exit);
}

char *gl_test_judge(const struct gl_test_case *one, const struct gl_question *question,
                    struct gl_decision **out_decision)
{
    struct gl_decision *decision = gl_decide(question);
    struct gl_str message = {0};

    check_verdict(one, question, decision, &message);
    check_best(one, question, decision, &message);
    for (size_t i = 0; i < one->result_count; i++)
        check_result(question, decision, &one->results[i], &message);
    if (out_decision != NULL)
        *out_decision = decision;
    else
        gl_decision_free(decision);
    if (message.length < 2)
        return NULL;
    message.text[message.length -= 2] = '\0'; /* the last "; " */
    return gl_str_take(&message);
}
