/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_TENANT_H
#define GL_BROKER_TENANT_H

/* Whose account of a cloud a launch stands in: AWS's account, Google's or OpenStack's project,
 * Azure's subscription, the namespace of a cluster. Its intent says so, and that a cloud does not
 * show it proves nothing when it is asked with the credentials of another. Stands in the ledger
 * only: a receipt names no account. */

#include "broker/launch.h"

#define GL_TENANT 128 /* as gl_cloud.account */

/* What whoami() of a cloud says, without whom it says it to: "account 123456789012, user/x" of aws
 * is 123456789012. Pure. */
void gl_tenant_read(const char *cloud, const char *who, char out[GL_TENANT]);

/* Of the credentials of this handle, asked once; "" for a cloud of this machine, and where they are
 * not allowed to tell. Errors: of the cloud. */
int gl_tenant_now(struct gl_cloud *cloud, char out[GL_TENANT], struct gl_error *err);

/* May it be believed that a launch is not there, because `cloud` does not show it? 0, or -1:
 * NO_CREDENTIAL naming both accounts; OUTCOME when it is not known in which one it stands (an
 * intent of an older program, credentials that may not tell): then not before its lease is over.
 * Errors: of the cloud, of the ledger. */
int gl_tenant_check(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_cloud *cloud, struct gl_error *err);

#endif
