/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ITEMS 400

static void add(struct gl_http_queue *queue, struct gl_http_queue_item *item, const char *origin)
{
    gl_http_queue_add(queue, item, origin, strlen(origin));
}

static unsigned take_all(struct gl_http_queue *queue)
{
    unsigned count = 0;

    while (gl_http_queue_take(queue) != NULL)
        count++;
    return count;
}

static void a_host_gets_six_and_more_when_it_shares_a_connection(void **state)
{
    struct gl_http_queue queue = {0};
    struct gl_http_queue_item items[ITEMS];

    (void)state;
    for (size_t i = 0; i < 50; i++)
        add(&queue, &items[i], "https://a");
    assert_int_equal(take_all(&queue), 6);
    gl_http_queue_remove(&queue, &items[3], false);
    assert_int_equal(take_all(&queue), 1);
    gl_http_queue_remove(&queue, &items[0], true);
    assert_int_equal(take_all(&queue), 32 - 5);
    gl_http_queue_done(&queue);
}

static void sixty_four_go_in_all(void **state)
{
    struct gl_http_queue queue = {0};
    struct gl_http_queue_item items[ITEMS];
    char origin[30];
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < ITEMS; i++) { /* few hosts leave 16 places to others */
        snprintf(origin, sizeof origin, "https://%zu", i % 10);
        add(&queue, &items[i], origin);
    }
    assert_int_equal(take_all(&queue), 48);
    add(&queue, &items[0], "https://10");
    assert_ptr_equal(gl_http_queue_take(&queue), &items[0]);
    gl_http_queue_done(&queue);
    for (size_t i = 0; i < ITEMS; i++) {
        snprintf(origin, sizeof origin, "https://%zu", i % 100);
        add(&queue, &items[i], origin);
    }
    assert_int_equal(take_all(&queue), 64);
    for (size_t i = 0; i < ITEMS; i++) /* every host one before any gets a second */
        count += items[i].is_active && i < 100;
    assert_int_equal(count, 64);
    gl_http_queue_done(&queue);
}

/* A host that never answers keeps its share; the others go on. */
static void the_host_with_the_least_under_way_is_next(void **state)
{
    struct gl_http_queue queue = {0};
    struct gl_http_queue_item silent[6], lively[20], *item;

    (void)state;
    for (size_t i = 0; i < 6; i++)
        add(&queue, &silent[i], "https://silent");
    for (size_t i = 0; i < 20; i++)
        add(&queue, &lively[i], "https://lively");
    assert_ptr_equal(gl_http_queue_take(&queue)->host, silent[0].host);
    for (size_t i = 0; i < 20; i++) {
        item = gl_http_queue_take(&queue);
        assert_ptr_equal(item, &lively[i]); /* in the order of adding */
        gl_http_queue_remove(&queue, item, false);
    }
    assert_int_equal(take_all(&queue), 5);
    gl_http_queue_done(&queue);
}

static void what_waits_can_be_taken_out(void **state)
{
    struct gl_http_queue queue = {0};
    struct gl_http_queue_item items[4];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        add(&queue, &items[i], "https://a");
    gl_http_queue_remove(&queue, &items[1], false);
    gl_http_queue_remove(&queue, &items[2], false);
    add(&queue, &items[3], "https://a"); /* after the last was taken out */
    assert_ptr_equal(gl_http_queue_take(&queue), &items[0]);
    assert_ptr_equal(gl_http_queue_take(&queue), &items[3]);
    assert_null(gl_http_queue_take(&queue));
    gl_http_queue_done(&queue);
}

static void idle_hosts_are_forgotten_in_the_end(void **state)
{
    struct gl_http_queue queue = {0};
    struct gl_http_queue_item item;
    char origin[30];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(origin, sizeof origin, "https://%d", i);
        add(&queue, &item, origin);
        assert_ptr_equal(gl_http_queue_take(&queue), &item);
        gl_http_queue_remove(&queue, &item, false);
    }
    assert_true(queue.host_count <= 256);
    assert_int_equal(queue.active, 0);
    gl_http_queue_done(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_gets_six_and_more_when_it_shares_a_connection),
        cmocka_unit_test(sixty_four_go_in_all),
        cmocka_unit_test(the_host_with_the_least_under_way_is_next),
        cmocka_unit_test(what_waits_can_be_taken_out),
        cmocka_unit_test(idle_hosts_are_forgotten_in_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
