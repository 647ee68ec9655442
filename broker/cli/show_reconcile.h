/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SHOW_RECONCILE_H
#define GL_BROKER_CLI_SHOW_RECONCILE_H

/* A reconciled month for people and for the envelope. */

#include "broker/context.h"
#include "broker/month.h"

struct gl_month_told {
    const char *cloud;
    const struct gl_month *month;
    const struct gl_statement *statement;
    const struct gl_month_pair *found;
};
void gl_show_month(struct gl_context *context, const struct gl_month_told *told);

#endif
