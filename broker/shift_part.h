/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SHIFT_PART_H
#define GL_BROKER_SHIFT_PART_H

/* What the two halves of broker/shift.h share: shift.c does it, shift_times.c says where and when
 * it ran. */

#include "broker/launch.h"

#define GL_SHIFT_METHOD 3 /* receipts know spans from this method on (broker/account.h) */

/* The zone of a region of this launch: as the last move to it said, as it was launched, or "". */
int gl_shift_zone(struct gl_launcher *launcher, const struct gl_launch_row *row, const char *region,
                  char out[40], struct gl_error *err);

#endif
