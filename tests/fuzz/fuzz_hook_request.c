/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/admission.h"
#include "broker/serve/cloudformation.h"
#include "broker/serve/runtask.h"

#include <stdlib.h>
#include <string.h>

/* What the servers of the hook are sent: run tasks, AdmissionReviews, events of CloudFormation
 * hooks, as bytes of any form. What is accepted asks no host but the one of the list, and every
 * answer is JSON. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const hosts[] = {"app.terraform.io", NULL};

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void demand_json(char *text)
{
    json_t *document = text != NULL ? json_loads(text, 0, NULL) : NULL;

    demand(json_is_object(document));
    json_decref(document);
    free(text);
}

static bool is_ours(const char *url)
{
    return strncasecmp(url, "https://app.terraform.io", 24) == 0 &&
           (url[24] == '\0' || strchr("/?#:", url[24]) != NULL);
}

static void runtask(struct gl_view body)
{
    struct gl_runtask task;
    struct gl_error err = {0};

    if (gl_runtask_parse(body, hosts, &task, &err) != 0) {
        demand(err.code != GL_OK);
        return;
    }
    demand(task.is_test || is_ours(task.callback_url));
    demand(task.is_test || !task.stage->has_plan || is_ours(task.plan_url));
    demand_json(gl_runtask_running(task.workspace));
    gl_runtask_done(&task);
}

static void admission(struct gl_view body)
{
    struct gl_admission review;
    struct gl_error err = {0};

    if (gl_admission_parse(body, &review, &err) != 0)
        return;
    gl_admission_is_judged(&review, hosts, hosts);
    demand_json(gl_admission_allowed(&review));
    demand_json(gl_admission_failed(&review, review.namespace, false));
    gl_admission_done(&review);
}

static void event(struct gl_view body)
{
    struct gl_cfn_hook hook;
    struct gl_error err = {0};

    if (gl_cfn_parse(body, &hook, &err) != 0)
        demand_json(gl_cfn_failed(&hook, err.text));
    else
        demand_json(gl_cfn_succeeded(&hook, hook.region));
    gl_cfn_done(&hook);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = gl_alloc(size + 1);
    const struct gl_view body = {text, size};

    if (size > 0)
        memcpy(text, bytes, size);
    runtask(body);
    admission(body);
    event(body);
    free(text);
    return 0;
}
