/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

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

static size_t region_count(const struct gl_cloud_ops *ops, struct gl_cloud *cloud)
{
    const char *const *regions;
    struct gl_error ignored = {0};
    size_t count = 0;

    if (ops->regions(cloud, &regions, &ignored) != 0)
        return 0;
    while (regions[count] != NULL)
        count++;
    return count;
}

static void check_cloud(struct gl_exam *exam, const char *name)
{
    struct gl_context *context = exam->context;
    struct gl_finding finding = {"cloud", GL_EXAM_OK, 0, NULL};
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    struct gl_error why = {0};
    struct gl_cloud *cloud;
    char who[128] = "";

    if (context->globals.is_offline) {
        gl_exam_note(exam, &finding, "%s: added, not asked (--offline)", name);
        return;
    }
    gl_progress(context, "asking %s", name);
    cloud = gl_act_open_cloud(context, name, NULL, &why);
    if (cloud != NULL && cloud->ops->whoami(cloud, who, &why) == 0) {
        size_t count = region_count(cloud->ops, cloud);

        gl_progress_end(context);
        gl_exam_note(exam, &finding, "%s: %s, %zu region%s", name, who, count,
                     count == 1 ? "" : "s");
    } else {
        gl_progress_end(context);
        gl_exam_fix(why.code, name, "--describe", &fix);
        finding.state = state_of(why.code);
        finding.exit = (int)gl_errc_row(why.code)->exit;
        finding.fix = gl_str_text(&fix);
        gl_exam_note(exam, &finding, "%s: %s", name, why.text);
    }
    gl_cloud_close(cloud);
}

void gl_exam_clouds(struct gl_exam *exam)
{
    const struct gl_config *config = &exam->context->config;

    exam->kind = "cloud";
    for (size_t i = 0; i < config->clouds.count; i++) {
        exam->subject = config->clouds.items[i].name;
        check_cloud(exam, config->clouds.items[i].name);
    }
    exam->kind = NULL;
    if (config->clouds.count > 0 || config->meter.url != NULL || config->meter.path != NULL)
        gl_exam_meter(exam, "rented");
}
