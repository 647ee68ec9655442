/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/html.h"

/* Chart.js (MIT, its notice is its first lines) from the distribution's package, as the Makefile
 * found it; GL_CHART_JS is its path. */

#ifdef GL_CHART_JS
extern const char gl_chart_js_begin[] __attribute__((visibility("hidden")));
extern const char gl_chart_js_end[] __attribute__((visibility("hidden")));

__asm__(".pushsection .rodata\n"
        ".hidden gl_chart_js_begin\n"
        ".global gl_chart_js_begin\n"
        "gl_chart_js_begin:\n"
        ".incbin \"" GL_CHART_JS "\"\n"
        ".hidden gl_chart_js_end\n"
        ".global gl_chart_js_end\n"
        "gl_chart_js_end:\n"
        ".byte 0\n"
        ".popsection\n");

struct gl_view gl_html_chart_js(void)
{
    return (struct gl_view){gl_chart_js_begin, (size_t)(gl_chart_js_end - gl_chart_js_begin)};
}
#else
struct gl_view gl_html_chart_js(void)
{
    return (struct gl_view){"", 0};
}
#endif
