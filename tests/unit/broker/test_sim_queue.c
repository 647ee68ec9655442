/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/sim/sim_memory.h"
#include "broker/sim/sim_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* In time; of one instant in the order they were put in, also those that are put in on the way. */
static void test_order(void **state)
{
    struct gl_sim_queue queue = {0};
    struct gl_sim_event event, last = {.at_ms = INT64_MIN};
    size_t taken = 0;

    (void)state;
    assert_false(gl_sim_queue_take(&queue, &event));
    for (uint32_t i = 0; i < 1000; i++)
        gl_sim_queue_put(&queue, i * 7919 % 101, 1, i);
    while (gl_sim_queue_take(&queue, &event)) {
        assert_true(event.at_ms > last.at_ms ||
                    (event.at_ms == last.at_ms && event.number > last.number));
        last = event;
        if (taken++ < 500)
            gl_sim_queue_put(&queue, event.at_ms + (int64_t)(taken % 3), 2, 0);
    }
    assert_int_equal(taken, 1500);
    gl_sim_queue_done(&queue);
}

static void test_memory(void **state)
{
    struct gl_book_memory book;
    struct gl_sim_memory *memory = gl_sim_memory_new(&book);
    struct gl_hash a = {{1}}, b = {{2}};
    char got[4] = "...";

    (void)state;
    assert_false(book.load(book.cookie, &a, got, 3));
    book.save(book.cookie, &a, "one", 3);
    book.save(book.cookie, &b, "two", 3);
    book.save(book.cookie, &a, "new", 3);
    assert_false(book.load(book.cookie, &a, got, 2)); /* another size is another thing */
    assert_string_equal(got, "...");
    assert_true(book.load(book.cookie, &a, got, 3));
    assert_string_equal(got, "new");
    assert_true(book.load(book.cookie, &b, got, 3));
    assert_string_equal(got, "two");
    gl_sim_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
