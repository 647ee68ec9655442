/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RECEIPT_SHAPE_H
#define GL_BROKER_RECEIPT_SHAPE_H

/* Which members the evidence of a receipt may have, of which type and in which range: one table.
 * What belongs together is broker/tie.h's, what follows from it broker/account.h's. It says nothing
 * of members that it does not know (those of a newer program, which nothing here reads), nor of
 * what is in the readings, which their own reader holds to the byte. */

#include "base/json.h"

/* NOT_VERIFIED naming the first member of the wrong type or out of its range by its path. */
int gl_receipt_shape_check(const json_t *evidence, struct gl_error *err);

#endif
