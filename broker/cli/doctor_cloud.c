/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/http_date.h"
#include "broker/carried.h"
#include "broker/cli/act.h"
#include "broker/cli/doctor.h"

/* Credentials and rights are the person's to mend; a cloud that does not answer is not. */
static enum gl_exam_state state_of(enum gl_errc code)
{
    enum gl_exit exit = gl_errc_row(code)->exit;

    return exit == GL_EXIT_AUTH || exit == GL_EXIT_USAGE ? GL_EXAM_FAIL : GL_EXAM_WARN;
}

void gl_exam_fix(enum gl_errc code, const char *cloud, const char *right, struct gl_str *out)
{
    if (code == GL_E_PERMISSION && cloud != NULL)
        gl_str_addf(out, "grant the rights: greenlaunch provider %s iam-policy %s", cloud, right);
    else if (code == GL_E_NO_CREDENTIAL && cloud != NULL)
        gl_str_addf(out, "where they are looked for: greenlaunch provider list; more: "
                         "docs/providers.md");
    else if (code == GL_E_CONFIG && cloud != NULL) /* mostly a file of the cloud's own tools */
        gl_str_addf(out,
                    "mend what is named there: in its file, or greenlaunch provider add %s "
                    "KEY=VALUE",
                    cloud);
    else if (code == GL_E_NETWORK || code == GL_E_TIMEOUT)
        gl_str_add(out, "check the connection and any proxy");
    else
        gl_str_add(out, gl_errc_row(code)->hint);
}

static void note_cloud(struct gl_exam *exam, const char *name, const struct gl_act_account *account)
{
    struct gl_finding finding = {"cloud", GL_EXAM_OK, 0, NULL};
    enum gl_errc code = account->why.code;
    GL_AUTO(gl_str_done) struct gl_str fix = {0};

    if (exam->context->globals.is_offline) {
        gl_exam_note(exam, &finding, "%s: added, not asked (--offline)", name);
    } else if (account->is_known) {
        gl_exam_note(exam, &finding, "%s: %s, %zu region%s", name, account->who, account->regions,
                     account->regions == 1 ? "" : "s");
    } else {
        gl_exam_fix(code, name, "--describe", &fix);
        finding.state = state_of(code);
        finding.exit = (int)gl_errc_row(code)->exit;
        finding.fix = gl_str_text(&fix);
        gl_exam_note(exam, &finding, "%s: %s", name, account->why.text);
    }
}

void gl_exam_clouds(struct gl_exam *exam)
{
    const struct gl_config *config = &exam->context->config;
    struct gl_act_account accounts[GL_CONFIG_CLOUDS_MAX];

    if (!exam->context->globals.is_offline)
        gl_act_accounts(exam->context, true, accounts);
    exam->kind = "cloud";
    for (size_t i = 0; i < config->clouds.count; i++) {
        exam->subject = config->clouds.items[i].name;
        note_cloud(exam, exam->subject, &accounts[i]);
        if (exam->dated != NULL && accounts[i].has_date)
            gl_http_dated_hear(exam->dated, accounts[i].ahead_s);
    }
    exam->kind = NULL;
    if (config->clouds.count > 0 || gl_carried_is_any(&config->meter))
        gl_exam_meter(exam, "rented");
}
