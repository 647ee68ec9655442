/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_RIGHTS_H
#define GL_PROVIDERS_RIGHTS_H

/* What an account must be allowed so that an adapter can work: a table a cloud, beside the adapter,
 * one row a right, written as the document that the cloud itself takes. Looking and launching stand
 * apart. Every call of an adapter has a row, and no row stands without a call: the case
 * tests/cases/provider/rights holds the tables against the adapters' sources. Grants nothing. */

#include "base/json.h"
#include "base/str.h"

enum gl_right_part { GL_RIGHT_LOOK = 1, GL_RIGHT_LAUNCH = 2 };

/* Ends at name NULL. */
struct gl_right {
    const char *name; /* as the cloud writes it: "ec2:RunInstances" */
    /* What the adapter sends, in the words of its source: "RunInstances", "POST
     * zones/%s/instances". NULL: the call of the row above needs this right, too. */
    const char *call;
    enum gl_right_part part;
    const char *group;   /* the statement that holds it; NULL where documents have none */
    const char *setting; /* needed only where this setting is set; NULL = always */
};

/* What a document is written from. */
struct gl_rights_wanted {
    unsigned parts;        /* of gl_right_part */
    const char *partition; /* AWS: "aws", "aws-cn", "aws-us-gov" */
    const char *account;   /* Azure: the subscription; NULL = not known */
    /* Is a setting of this cloud set? */
    bool (*has_setting)(void *cookie, const char *name);
    void *cookie;
};

/* Is this row part of what is wanted? */
bool gl_rights_has(const struct gl_right *right, const struct gl_rights_wanted *wanted);

struct gl_rights {
    const char *cloud;
    const char *form; /* "json", "yaml" or "text" */
    const char *what; /* "an IAM policy" */
    const char *use;  /* what to do with it, a sentence or two */
    bool is_asked;    /* the cloud's check() asks whether launching is allowed */
    const struct gl_right *rows;
    /* Append the document of the rows that are wanted, with its last line ended. */
    void (*write)(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                  struct gl_str *out);
};

/* The table of a cloud; NULL when it needs none. */
const struct gl_rights *gl_rights_find(const char *cloud);

/* Append the name of each wanted right once, in the order of the table, to an array. */
void gl_rights_each(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                    json_t *out);
/* The same as lines that begin with `prefix`. */
void gl_rights_list(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                    const char *prefix, struct gl_str *out);

extern const struct gl_rights gl_rights_aws, gl_rights_gcp, gl_rights_hetzner,
    gl_rights_digitalocean, gl_rights_scaleway, gl_rights_openstack, gl_rights_kubernetes,
    gl_rights_azure;

#endif
