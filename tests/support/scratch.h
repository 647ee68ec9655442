/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SUPPORT_SCRATCH_H
#define GL_TESTS_SUPPORT_SCRATCH_H

/* A folder of one test program, below build/tmp, and removed again. */

/* build/tmp/<name>-<pid>, made; to be given to scratch_remove(). */
char *scratch_make(const char *name);
/* Remove it with all inside, free the path. */
void scratch_remove(char *folder);

#endif
