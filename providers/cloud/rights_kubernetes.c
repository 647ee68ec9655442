/* SPDX-License-Identifier: Apache-2.0 */
/* What the Kubernetes adapter needs, as roles: one in the namespace of the Jobs and, to see which
 * regions and types there are, one for the nodes. Who one is and what one may, every user may ask.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
#include "providers/cloud/rights.h"

#include <stdio.h>
#include <string.h>

#define LOOK(name, call, group)                \
    {                                          \
        name, call, GL_RIGHT_LOOK, group, NULL \
    }
#define LAUNCH(name, call)                        \
    {                                             \
        name, call, GL_RIGHT_LAUNCH, "Role", NULL \
    }

/* Names are "GROUP RESOURCE VERB"; the core group is "-". Rows of one group and resource stand
 * together. */
static const struct gl_right rows[] = {
    LOOK("- nodes list", "GET v1 nodes", "ClusterRole"),
    LOOK("batch jobs list", "GET batch/v1 jobs", "Role"),
    LOOK("batch jobs get", "GET batch/v1 jobs/%s", "Role"),
    LAUNCH("batch jobs create", "POST batch/v1 jobs"),
    LAUNCH("batch jobs patch", "PATCH batch/v1 jobs/%s"),
    LAUNCH("batch jobs delete", "DELETE batch/v1 jobs/%s"),
    LOOK("- pods list", "GET v1 pods", "Role"),
    LAUNCH("- pods create", "POST v1 pods"), /* in dry runs only */
    LAUNCH("- pods patch", "PATCH v1 pods/%s"),
    LOOK("- pods/log get", "GET v1 pods/%s/log", "Role"),
    LOOK("- resourcequotas list", "GET v1 resourcequotas", "Role"),
    LAUNCH("- secrets create", "POST v1 secrets%s%s"),
    LAUNCH("- secrets update", "PUT v1 secrets%s%s"),
    {NULL, NULL, GL_RIGHT_LOOK, NULL, NULL},
};

struct parts {
    char group[16], resource[32], verb[16];
};

static struct parts parts_of(const char *name)
{
    struct parts parts = {{0}, {0}, {0}};

    sscanf(name, "%15s %31s %15s", parts.group, parts.resource, parts.verb);
    if (strcmp(parts.group, "-") == 0)
        parts.group[0] = '\0';
    return parts;
}

/* The rules of one kind of role: a rule a resource, with all its verbs. */
static void write_rules(const char *kind, const struct gl_rights_wanted *wanted, struct gl_str *out)
{
    char last[64] = "";

    for (const struct gl_right *row = rows; row->name != NULL; row++) {
        const struct parts parts = parts_of(row->name);
        char resource[64];

        if (strcmp(row->group, kind) != 0 || !gl_rights_has(row, wanted))
            continue;
        snprintf(resource, sizeof resource, "%s %s", parts.group, parts.resource);
        if (strcmp(resource, last) == 0)
            gl_str_addf(out, ", %s", parts.verb);
        else
            gl_str_addf(out, "%s- apiGroups: [\"%s\"]\n  resources: [%s]\n  verbs: [%s",
                        last[0] != '\0' ? "]\n" : "", parts.group, parts.resource, parts.verb);
        snprintf(last, sizeof last, "%s", resource);
    }
    if (last[0] != '\0')
        gl_str_add(out, "]\n");
}

static bool has_kind(const char *kind, const struct gl_rights_wanted *wanted)
{
    for (const struct gl_right *row = rows; row->name != NULL; row++)
        if (strcmp(row->group, kind) == 0 && gl_rights_has(row, wanted))
            return true;
    return false;
}

static void write_roles(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                        struct gl_str *out)
{
    static const char *const kinds[] = {"Role", "ClusterRole"};
    const char *name = wanted->parts == GL_RIGHT_LOOK     ? "greenlaunch-look"
                       : wanted->parts == GL_RIGHT_LAUNCH ? "greenlaunch-launch"
                                                          : "greenlaunch";
    bool is_begun = false;

    (void)rights;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!has_kind(kinds[i], wanted))
            continue;
        gl_str_addf(out,
                    "%sapiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n  name: %s\n"
                    "rules:\n",
                    is_begun ? "---\n" : "", kinds[i], name);
        write_rules(kinds[i], wanted, out);
        is_begun = true;
    }
}

const struct gl_rights gl_rights_kubernetes = {
    .cloud = "kubernetes",
    .form = "yaml",
    .what = "roles",
    .use = "kubectl apply -n NAMESPACE -f FILE, then bind them: kubectl create rolebinding and "
           "clusterrolebinding. Without the ClusterRole name the regions yourself: greenlaunch "
           "provider add kubernetes regions=REGION",
    .is_asked = true,
    .rows = rows,
    .write = write_roles,
};
