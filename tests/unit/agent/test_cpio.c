/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cpio.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "tests/unit/agent/tree.h"

/* An archive is built member by member, and unpacked in pieces of many sizes. */

struct bench {
    char folder[TREE_PATH];
    struct gl_str archive;
};

static int set_up(void **state)
{
    static struct bench bench;

    memset(&bench, 0, sizeof bench);
    tree_make("test_cpio", bench.folder);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    gl_str_done(&bench->archive);
    tree_drop(bench->folder);
    return 0;
}

struct member {
    const char *name, *data;
    unsigned mode, inode, links;
};

static void pad(struct gl_str *archive)
{
    while (archive->length % 4 != 0)
        gl_str_add_char(archive, '\0');
}

static void add(struct bench *bench, struct member member)
{
    size_t length = member.data != NULL ? strlen(member.data) : 0;

    gl_str_addf(&bench->archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
                member.inode, member.mode, 0U, 0U, member.links, 0U, (unsigned)length, 0U, 0U, 0U,
                0U, (unsigned)strlen(member.name) + 1, 0U);
    gl_str_add_bytes(&bench->archive, member.name, strlen(member.name) + 1);
    pad(&bench->archive);
    gl_str_add_bytes(&bench->archive, member.data != NULL ? member.data : "", length);
    pad(&bench->archive);
}

static void add_end(struct bench *bench)
{
    add(bench, (struct member){.name = "TRAILER!!!", .links = 1});
}

static int unpack_in(const struct bench *bench, size_t piece, struct gl_error *err)
{
    struct gl_cpio *cpio = gl_alloc(sizeof *cpio);
    char root[2 * TREE_PATH];
    const char *bytes = gl_str_text(&bench->archive);
    int status;

    snprintf(root, sizeof root, "%s/root", bench->folder);
    status = gl_cpio_begin(cpio, root, err);
    for (size_t at = 0; status == 0 && at < bench->archive.length; at += piece) {
        size_t left = bench->archive.length - at;

        status = gl_cpio_feed(cpio, bytes + at, left < piece ? left : piece, err);
    }
    if (gl_cpio_end(cpio, err) < 0)
        status = -1;
    free(cpio);
    return status;
}

static void unpacks(const struct bench *bench, size_t piece)
{
    struct gl_error err = {0};

    if (unpack_in(bench, piece, &err) < 0)
        fail_msg("in pieces of %zu: %s", piece, err.text);
}

static void refuses(const struct bench *bench, const char *reason)
{
    struct gl_error err = {0};

    if (unpack_in(bench, 100000, &err) == 0)
        fail_msg("taken, in spite of: %s", reason);
    if (strstr(err.text, reason) == NULL)
        fail_msg("said \"%s\", not \"%s\"", err.text, reason);
}

static char *path_of(const struct bench *bench, const char *name, char out[2 * TREE_PATH])
{
    snprintf(out, 2 * TREE_PATH, "%s/%s", bench->folder, name);
    return out;
}

static void holds(const struct bench *bench, const char *name, const char *expected, unsigned mode)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    char path[2 * TREE_PATH];
    struct gl_error err = {0};
    struct stat info;
    size_t length;

    if (gl_file_read(path_of(bench, name, path), 65536, &text, &length, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(text, expected);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, mode);
}

static bool is_there(const struct bench *bench, const char *name)
{
    char path[2 * TREE_PATH];
    struct stat info;

    return lstat(path_of(bench, name, path), &info) == 0;
}

static void add_usual(struct bench *bench)
{
    add(bench, (struct member){".", NULL, 0040755, 1, 2});
    add(bench, (struct member){"usr", NULL, 0040755, 2, 2});
    add(bench, (struct member){"usr/lib", NULL, 0040750, 3, 2});
    add(bench, (struct member){"lib", "usr/lib", 0120777, 4, 1});
    add(bench, (struct member){"lib/a.so", "library", 0100644, 5, 1});
    add(bench, (struct member){"/etc/deep/er/name", "text\n", 0100600, 6, 1});
    add(bench, (struct member){"./bin/run", "#!", 0104755, 7, 1});
    add(bench, (struct member){"empty", NULL, 0100644, 8, 1});
    add(bench, (struct member){"abs", "/usr/lib", 0120777, 9, 1});
    add(bench, (struct member){"abs/b.so", "inside", 0100644, 10, 1});
    add(bench, (struct member){"pipe", NULL, 0010644, 11, 1});
    add_end(bench);
}

static void check_usual(const struct bench *bench)
{
    holds(bench, "root/usr/lib/a.so", "library", 0644);
    holds(bench, "root/etc/deep/er/name", "text\n", 0600);
    holds(bench, "root/bin/run", "#!", 04755);
    holds(bench, "root/empty", "", 0644);
    holds(bench, "root/usr/lib/b.so", "inside", 0644); /* "/usr/lib" is that of the root */
    assert_true(is_there(bench, "root/pipe"));
}

static void test_in_pieces(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64, 109, 110, 111, 1000, 100000};
    struct bench *bench = *state;

    add_usual(bench);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        unpacks(bench, pieces[i]); /* again and again over the same root */
        check_usual(bench);
    }
}

static void test_hard_links(void **state)
{
    struct bench *bench = *state;

    add(bench, (struct member){"one", NULL, 0100644, 40, 3});
    add(bench, (struct member){"sub/two", NULL, 0100644, 40, 3});
    add(bench, (struct member){"three", "shared", 0100644, 40, 3});
    add(bench, (struct member){"other", "not shared", 0100644, 41, 1});
    add_end(bench);
    unpacks(bench, 50);
    holds(bench, "root/one", "shared", 0644);
    holds(bench, "root/sub/two", "shared", 0644);
    holds(bench, "root/three", "shared", 0644);
    holds(bench, "root/other", "not shared", 0644);
}

static void test_no_way_out(void **state)
{
    static const char *const names[] = {"../out",  "a/../../out", "..",     "a/..",
                                        "/../out", "./../out",    "a//../b"};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        gl_str_clear(&bench->archive);
        add(bench, (struct member){names[i], "x", 0100644, 1, 1});
        add_end(bench);
        refuses(bench, "leads out");
        assert_false(is_there(bench, "out"));
    }
    /* names that only look like it */
    gl_str_clear(&bench->archive);
    add(bench, (struct member){"..a/...", "x", 0100644, 1, 1});
    add_end(bench);
    unpacks(bench, 9);
    holds(bench, "root/..a/...", "x", 0644);
}

/* Links to places outside: files go to the place of that name inside the root, or nowhere. */
static void test_links_do_not_lead_out(void **state)
{
    struct bench *bench = *state;
    struct gl_error ignored = {0};
    char outside[3 * TREE_PATH], cwd[TREE_PATH];

    tree_put(bench->folder, "/victim/keep", "untouched");
    assert_non_null(getcwd(cwd, sizeof cwd));
    snprintf(outside, sizeof outside, "%s/%s/victim", cwd, bench->folder);
    add(bench, (struct member){"up", "../victim", 0120777, 1, 1});
    add(bench, (struct member){"far", outside, 0120777, 2, 1});
    add(bench, (struct member){"up/keep", "overwritten", 0100644, 3, 1});
    add_end(bench);
    unpack_in(bench, 100000, &ignored);
    holds(bench, "victim/keep", "untouched", 0644);
    gl_str_clear(&bench->archive);
    add(bench, (struct member){"far/keep", "overwritten", 0100644, 3, 1});
    add(bench, (struct member){"far/new", "planted", 0100644, 4, 1});
    add_end(bench);
    unpack_in(bench, 100000, &ignored);
    holds(bench, "victim/keep", "untouched", 0644);
    assert_false(is_there(bench, "victim/new"));
    /* a link in place of a file that is written again is replaced, not followed */
    gl_str_clear(&bench->archive);
    add(bench, (struct member){"file", "../victim/keep", 0120777, 5, 1});
    add(bench, (struct member){"file", "mine", 0100644, 6, 1});
    add_end(bench);
    unpacks(bench, 100000);
    holds(bench, "victim/keep", "untouched", 0644);
    holds(bench, "root/file", "mine", 0644);
}

static void test_links_in_circles_and_long_names(void **state)
{
    struct bench *bench = *state;
    char name[600];

    add(bench, (struct member){"a", "b", 0120777, 1, 1});
    add(bench, (struct member){"b", "a", 0120777, 2, 1});
    add(bench, (struct member){"a/file", "x", 0100644, 3, 1});
    refuses(bench, "cannot make a/file");
    memset(name, 'n', sizeof name);
    memcpy(name + sizeof name - 6, "/file", 6);
    gl_str_clear(&bench->archive);
    add(bench, (struct member){name, "x", 0100644, 3, 1});
    refuses(bench, "cannot make nnn");
    assert_false(is_there(bench, "root/file"));
    /* links in links, up and down, that stay inside */
    gl_str_clear(&bench->archive);
    add(bench, (struct member){"d/e", NULL, 0040755, 4, 2});
    add(bench, (struct member){"d/up", "../../../d/./e", 0120777, 5, 1});
    add(bench, (struct member){"chain", "d/up", 0120777, 6, 1});
    add(bench, (struct member){"chain/file", "found", 0100644, 7, 1});
    add_end(bench);
    unpacks(bench, 17);
    holds(bench, "root/d/e/file", "found", 0644);
}

static void test_broken_archives(void **state)
{
    struct bench *bench = *state;

    gl_str_add(&bench->archive, "PK\x03\x04 this is a zip, not a cpio, and longer than a header "
                                "of one would be, so that it is seen at once as what it is ...");
    refuses(bench, "not a newc");
    gl_str_clear(&bench->archive);
    add_usual(bench);
    bench->archive.text[20] = 'x';
    refuses(bench, "header is broken");
    gl_str_clear(&bench->archive);
    add(bench, (struct member){"a\nb", "x", 0100644, 1, 1});
    bench->archive.text[111] = '\0'; /* the name ends before its size does */
    refuses(bench, "not one string");
    gl_str_clear(&bench->archive);
    add(bench, (struct member){"link", NULL, 0120777, 1, 1});
    refuses(bench, "target of 0 bytes");
}

static void test_every_truncation(void **state)
{
    struct bench *bench = *state;
    size_t whole;

    add(bench, (struct member){"a", "some text", 0100644, 1, 1});
    add(bench, (struct member){"l", "a", 0120777, 2, 1});
    add_end(bench);
    whole = bench->archive.length;
    for (size_t cut = 1; cut < whole; cut++) {
        struct gl_error err = {0};

        bench->archive.length = cut;
        if (unpack_in(bench, 100000, &err) == 0)
            fail_msg("taken when cut at %zu of %zu", cut, whole);
    }
    bench->archive.length = 0;
    unpacks(bench, 1); /* no payload at all is fine */
}

static void test_padding_between_archives(void **state)
{
    struct bench *bench = *state;

    add(bench, (struct member){"first", "1", 0100644, 1, 1});
    add_end(bench);
    while (bench->archive.length % 512 != 0)
        gl_str_add_char(&bench->archive, '\0');
    add(bench, (struct member){"second", "2", 0100644, 1, 1});
    add_end(bench);
    unpacks(bench, 13);
    holds(bench, "root/first", "1", 0644);
    holds(bench, "root/second", "2", 0644);
}

/* ---- writing ---- */

/* Archive `name` of the folder into the bench. */
static int pack(struct bench *bench, const char *name, uint64_t most, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    char path[2 * TREE_PATH], out[2 * TREE_PATH];
    struct gl_error ignored = {0};
    size_t length;
    int fd, status;

    fd = open(path_of(bench, "archive", out), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    status = gl_cpio_write(fd, path_of(bench, name, path), most, err);
    close(fd);
    gl_str_clear(&bench->archive);
    if (gl_file_read(out, 1 << 20, &bytes, &length, &ignored) == 0)
        gl_str_add_bytes(&bench->archive, bytes, length);
    return status;
}

static void test_round_trip(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    char path[2 * TREE_PATH];

    tree_put(bench->folder, "/out/result/a.txt", "alpha\n");
    tree_put(bench->folder, "/out/result/sub/b.txt", "beta");
    tree_put(bench->folder, "/out/result/empty", "");
    assert_int_equal(chmod(path_of(bench, "out/result/a.txt", path), 0750), 0);
    assert_int_equal(symlink("a.txt", path_of(bench, "out/result/link", path)), 0);
    assert_int_equal(mkfifo(path_of(bench, "out/result/pipe", path), 0600), 0);
    if (pack(bench, "out/result/", 1000, &err) < 0)
        fail_msg("%s", err.text);
    unpacks(bench, 33);
    holds(bench, "root/result/a.txt", "alpha\n", 0750);
    holds(bench, "root/result/sub/b.txt", "beta", 0644);
    holds(bench, "root/result/link", "alpha\n", 0750);
    assert_false(is_there(bench, "root/result/pipe")); /* nothing to hand over, and no hang */
    if (pack(bench, "out/result/a.txt", 6, &err) < 0)
        fail_msg("%s", err.text);
    unpacks(bench, 33);
    holds(bench, "root/a.txt", "alpha\n", 0750);
}

static void test_refused_to_pack(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};

    tree_put(bench->folder, "/out/a", "0123456789");
    assert_int_equal(pack(bench, "out", 9, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_int_equal(bench->archive.length, 0); /* nothing was written */
    gl_error_clear(&err);
    assert_int_equal(pack(bench, "missing", 9, &err), -1);
    assert_int_equal(bench->archive.length, 0);
    gl_error_clear(&err);
    assert_int_equal(pack(bench, "out/..", 9, &err), -1);
}

static void test_too_deep(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    char path[TREE_PATH] = "/d";

    for (int i = 0; i < 40; i++)
        strcat(path, "/d");
    strcat(path, "/file");
    tree_put(bench->folder, path, "x");
    assert_int_equal(pack(bench, "d", 1000, &err), -1);
    assert_non_null(strstr(err.text, "deep"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_in_pieces),
        CASE(test_hard_links),
        CASE(test_no_way_out),
        CASE(test_links_do_not_lead_out),
        CASE(test_links_in_circles_and_long_names),
        CASE(test_broken_archives),
        CASE(test_every_truncation),
        CASE(test_padding_between_archives),
        CASE(test_round_trip),
        CASE(test_refused_to_pack),
        CASE(test_too_deep),
    };

    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
