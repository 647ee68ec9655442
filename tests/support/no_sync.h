/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_NO_SYNC_H
#define GL_TESTS_NO_SYNC_H

/* fsync() and fdatasync() that do nothing, for one source file of a program that is killed over and
 * over: what a killed process wrote is in the kernel; only a power cut needs them, and they take
 * most of the time. */

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

#endif
