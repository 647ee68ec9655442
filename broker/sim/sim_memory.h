/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SIM_MEMORY_H
#define GL_BROKER_SIM_MEMORY_H

/* What the guarantee engine has learnt, kept for the length of a simulation: no files. */

#include "policy/guarantee/book.h"

struct gl_sim_memory;
/* Fills *out, which borrows the memory. */
struct gl_sim_memory *gl_sim_memory_new(struct gl_book_memory *out);
void gl_sim_memory_free(struct gl_sim_memory *memory); /* NULL is fine */

#endif
