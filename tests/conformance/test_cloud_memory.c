/* SPDX-License-Identifier: Apache-2.0 */
/* The faults of the reference cloud, on which other tests rely. */
#include "tests/conformance/cloud_bench.h"
#include "tests/conformance/cloud_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct gl_memory_store *store;
static struct gl_bench bench;

static int open_memory(void **state)
{
    (void)state;
    gl_bench_open(&bench, "memory-faults", false);
    gl_cloud_close(bench.cloud);
    store = gl_memory_store_new();
    bench.cloud = gl_memory_cloud_open(store, &bench.world);
    return 0;
}

static int close_memory(void **state)
{
    (void)state;
    gl_bench_close(&bench);
    gl_memory_store_free(store);
    return 0;
}

static struct gl_launch plain_launch(struct gl_bench_names *names)
{
    struct gl_launch launch = gl_bench_launch(&bench, names, NULL);

    launch.type = GL_MEMORY_TYPE;
    return launch;
}

static void test_lost_answer(void **state)
{
    const struct gl_cloud_ops *ops = bench.cloud->ops;
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance seen;
    struct gl_error err = {0};

    (void)state;
    launch = plain_launch(&names);
    store->faults[GL_MEMORY_LAUNCH] =
        (struct gl_memory_fault){.times = 1, .code = GL_E_NETWORK, .acts_first = true};
    assert_int_equal(ops->launch(bench.cloud, &launch, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    gl_error_clear(&err);
    assert_int_equal(ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err), 1);
    assert_int_equal(ops->terminate(bench.cloud, seen.id, &err), 0);
    launch = plain_launch(&names);
    store->faults[GL_MEMORY_LAUNCH] = (struct gl_memory_fault){.times = 1, .code = GL_E_NETWORK};
    assert_int_equal(ops->launch(bench.cloud, &launch, &seen, &err), -1);
    gl_error_clear(&err);
    assert_int_equal(ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err), 0);
    store->faults[GL_MEMORY_FIND] = (struct gl_memory_fault){.times = 1, .code = GL_E_NETWORK};
    assert_int_equal(ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err), -1);
    assert_int_equal(gl_bench_left(&bench), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lost_answer)};

    return cmocka_run_group_tests(tests, open_memory, close_memory);
}
