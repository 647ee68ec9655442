/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/listeners.h"

#include <string.h>

/* clang-format off */
static const struct gl_listener rows[] = {
    /* provider, of, area, venue, target, template, style, conditions, trust, source, date */
    {"aws", "compute", "EC2, regions, sustainability", "aws-support", NULL, NULL,
     "subject and one plain text",
     "needs Business, Enterprise On-Ramp or Enterprise support; no public tracker found",
     GL_LISTENER_DOCUMENTED, "botocore support/2013-04-15 service description", "2026-11-21"},
    {"aws", "compute", "EC2, regions, sustainability", "email", NULL, NULL,
     "subject and one plain text",
     "to the account team of the customer: the address is yours to supply; no public tracker found",
     GL_LISTENER_UNKNOWN, "looked for on the provider's pages", "2026-11-21"},
    {"aws", "containers", "containers (ECS, EKS, Fargate, ECR)", "browser", "aws/containers-roadmap", NULL,
     "title \"[service] [request]: ...\"; request, service, problem and impact, workaround, context",
     "look for duplicates first; votes by thumbs, no \"+1\" comments; what lacks information goes stale after 45 days",
     GL_LISTENER_DOCUMENTED, "github.com/aws/containers-roadmap README, CONTRIBUTING, issue template", "2026-11-21"},
    {"aws", "containers", "containers (ECS, EKS, Fargate, ECR)", "github", "aws/containers-roadmap", NULL,
     "title \"[service] [request]: ...\"; request, service, problem and impact, workaround, context",
     "look for duplicates first; votes by thumbs, no \"+1\" comments; what lacks information goes stale after 45 days",
     GL_LISTENER_DOCUMENTED, "github.com/aws/containers-roadmap README, CONTRIBUTING, issue template", "2026-11-21"},
    {"karpenter", NULL, "any", "browser", "kubernetes-sigs/karpenter", NULL, "", "votes by reaction; a bot closes what is stale",
     GL_LISTENER_DOCUMENTED, "github.com/kubernetes-sigs/karpenter issues", "2026-11-21"},
    {"karpenter", NULL, "any", "github", "kubernetes-sigs/karpenter", NULL, "", "votes by reaction; a bot closes what is stale",
     GL_LISTENER_DOCUMENTED, "github.com/kubernetes-sigs/karpenter issues", "2026-11-21"},
    {"gcp", NULL, "any, with a support contract", "google-support", NULL, NULL,
     "title, description, classification",
     "needs paid support; the public Issue Tracker takes feature requests by hand (no open write interface found)",
     GL_LISTENER_DOCUMENTED, "cloud.google.com/support/docs/reference/rest/v2/cases", "2026-11-21"},
    {"azure", NULL, "any, with a support contract", "azure-support", NULL, NULL,
     "title, description, service and problem classification",
     "needs a ProDirect, Premier or Unified plan and the role Support Request Contributor; feedback.azure.com takes ideas by hand only",
     GL_LISTENER_DOCUMENTED, "learn.microsoft.com/rest/api/support", "2026-11-21"},
    {"ovh", NULL, "public cloud", "browser", "ovh/public-cloud-roadmap", NULL,
     "one short user story: As a customer using X I want Y so that Z",
     "check existing ones; use case and workaround as a comment of its own; answered in about a week",
     GL_LISTENER_DOCUMENTED, "github.com/ovh/public-cloud-roadmap README and issue template", "2026-11-21"},
    {"ovh", NULL, "public cloud", "github", "ovh/public-cloud-roadmap", NULL,
     "one short user story: As a customer using X I want Y so that Z",
     "check existing ones; use case and workaround as a comment of its own; answered in about a week",
     GL_LISTENER_DOCUMENTED, "github.com/ovh/public-cloud-roadmap README and issue template", "2026-11-21"},
    {"ovh", NULL, "any, as a ticket", "ovh", NULL, NULL, "subject and one plain text", "seen by support only",
     GL_LISTENER_DOCUMENTED, "eu.api.ovh.com /support/tickets/create", "2026-11-21"},
    {"heroku", NULL, "any", "browser", "heroku/roadmap", "proposal.yml", "",
     "two consent boxes must be ticked by a person, blank issues are off; only thumbs count",
     GL_LISTENER_DOCUMENTED, "github.com/heroku/roadmap .github/ISSUE_TEMPLATE/proposal.yml", "2026-11-21"},
    {"scaleway", NULL, "any", "email", NULL, NULL, "", "console tickets; an idea portal is told of, not verified",
     GL_LISTENER_UNVERIFIED, "github.com/scaleway/docs-content pull request 4226", "2026-11-21"},
    {"vultr", NULL, "any, as a ticket", NULL, NULL, NULL, "subject and description",
     "POST https://api.vultr.com/v2/tickets: no venue of ours yet, use e-mail or a file",
     GL_LISTENER_DOCUMENTED, "docs.vultr.com platform/other/tickets/create", "2026-11-21"},
    {"huawei", NULL, "any, as a ticket", NULL, NULL, NULL, "at most 1200 characters",
     "POST /v1.0/servicerequest/case: no venue of ours yet, use e-mail or a file",
     GL_LISTENER_DOCUMENTED, "support.huaweicloud.com api-ticket", "2026-11-21"},
    {"openstack", NULL, "projects", NULL, NULL, NULL, "a wishlist bug, then a specification",
     "Launchpad, by hand: its write interface is not verified",
     GL_LISTENER_UNVERIFIED, "documentation.ubuntu.com/launchpad", "2026-11-21"},
    {"hetzner", NULL, "any", "email", NULL, NULL, "", "no ticket interface and no public portal found: the address is yours to supply",
     GL_LISTENER_UNKNOWN, "looked for on the provider's pages", "2026-11-21"},
    {"digitalocean", NULL, "any", "email", NULL, NULL, "", "no ticket interface and no public portal verified: the address is yours to supply",
     GL_LISTENER_UNKNOWN, "looked for on the provider's pages", "2026-11-21"},
    {"ionos", NULL, "any", "email", NULL, NULL, "", "no portal verified: the address is yours to supply",
     GL_LISTENER_UNKNOWN, "looked for on the provider's pages", "2026-11-21"},
    {"infomaniak", NULL, "any", "email", NULL, NULL, "", "no portal verified: the address is yours to supply",
     GL_LISTENER_UNKNOWN, "looked for on the provider's pages", "2026-11-21"},
};
/* clang-format on */

#define ROWS (sizeof rows / sizeof rows[0])

const struct gl_listener *gl_listeners(size_t *out_count)
{
    *out_count = ROWS;
    return rows;
}

const struct gl_listener *gl_listener_next(const char *provider, size_t *at)
{
    for (; *at < ROWS; ++*at)
        if (strcmp(rows[*at].provider, provider) == 0)
            return &rows[(*at)++];
    return NULL;
}

static bool is_same(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

const struct gl_listener *gl_listener_for(const char *provider, const char *of, const char *venue,
                                          const char *target)
{
    const struct gl_listener *row;
    size_t at = 0;

    while ((row = gl_listener_next(provider, &at)) != NULL)
        if (row->venue != NULL && (venue == NULL || strcmp(row->venue, venue) == 0) &&
            (target != NULL ? is_same(row->target, target)
                            : row->of == NULL || of == NULL || strcmp(row->of, of) == 0))
            return row;
    return NULL;
}

const char *gl_listener_trust_word(enum gl_listener_trust trust)
{
    static const char *const words[] = {"documented", "unverified", "unknown"};

    return words[trust];
}
