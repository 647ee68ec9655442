/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CHILD_H
#define GL_BROKER_CHILD_H

/* Work that may wait for the network, in a process of its own: a copy of this one without its
 * sockets that ends with it. */

#include <stdbool.h>
#include <sys/types.h>

/* The child runs `run` and ends with what it returns; of the descriptors beyond the standard ones
 * it has `kept` alone (-1 = none). -1 when there is no room for a process. */
pid_t gl_child_start(int (*run)(void *cookie), void *cookie, int kept);
/* Never waits. *out_is_fine: it ended by itself with 0. */
bool gl_child_has_ended(pid_t child, bool *out_is_fine);

#endif
