/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "base/file.h"
#include "broker/receipt.h"

#include <stdio.h>

#define AT_LEAST_S 1.0

int bench_receipt(const char *path, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    size_t length = 0, count = 0, readings = 0;
    double start, took_s;

    if (gl_file_read(path, GL_RECEIPT_MAX_BYTES, &bytes, &length, err) != 0)
        return -1;
    start = bench_now_s();
    do {
        struct gl_receipt_check check = {0};

        if (gl_receipt_verify(bytes, length, NULL, &check, err) != 0)
            return -1;
        readings = check.readings;
        gl_receipt_check_done(&check);
        count++;
        took_s = bench_now_s() - start;
    } while (took_s < AT_LEAST_S);
    printf("  %.0f verifications a second (%.0f us each) of a receipt of %zu bytes with %zu "
           "readings\n",
           (double)count / took_s, took_s * 1e6 / (double)count, length, readings);
    return 0;
}
