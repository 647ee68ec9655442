/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AWS_PRICE_H
#define GL_PROVIDERS_AWS_PRICE_H

/* The questions about prices that single look-ups and the live catalogue share. `type` NULL = all;
 * `next` NULL or "" = the first page. */

#include "providers/cloud/aws_part.h"

void gl_aws_ask_products(struct gl_aws *aws, struct gl_remote_call *call, const char *region,
                         const char *type, const char *next);
void gl_aws_ask_spot(struct gl_aws *aws, struct gl_remote_call *call, const char *region,
                     const char *type, const char *next);

#endif
