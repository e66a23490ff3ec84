/*
 * Progress: the live view keeps its lines at the bottom; each log line first clears them, and they
 * are drawn again.
 */
#include "report/progress.h"

#include "base/clock.h"
#include "base/jsontext.h"
#include "base/units.h"
#include "cdc/stream.h"
#include "step/slot_watch.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_EVERY_MS 30000
#define MAX_STEPS     8
#define BAR_CELLS     24
#define DEFAULT_WIDTH 80
#define STALE_US      3000000 /* a source is asked several times a second */

struct Progress {
    bool live;
    Str view;  /* what stands on the terminal now */
    int lines; /* how many lines that is */
    int64_t last_line_ms;
    int64_t last_bytes;
    int64_t last_ms;
    double rate;
};

static void put(const char *data, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(STDERR_FILENO, data, length);
        if (wrote <= 0)
            return;
        data += wrote;
        length -= (size_t)wrote;
    }
}

static void clear_view(const Progress *progress)
{
    for (int i = 0; i < progress->lines; i++)
        put("\033[1A\033[2K", 8);
}

/* Called under the log's mutex, from any thread: log line above, view below. */
static void sink(void *data, const char *line, size_t length)
{
    Progress *progress = data;
    clear_view(progress);
    put(line, length);
    put(str_text(&progress->view), progress->view.length);
}

Progress *progress_begin(bool live)
{
    Progress *progress = mem_resize(NULL, sizeof(Progress));
    *progress = (Progress){.live = live, .last_line_ms = clock_ms()};
    if (live)
        log_set_sink(sink, progress);
    return progress;
}

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return DEFAULT_WIDTH;
    return size.ws_col;
}

static void measure_rate(Progress *progress, const Run *run)
{
    int64_t bytes = atomic_load(&run->counters.bytes_copied);
    int64_t now = clock_ms();
    if (progress->last_ms != 0 && now > progress->last_ms) {
        double fresh =
            (double)(bytes - progress->last_bytes) * 1000.0 / (double)(now - progress->last_ms);
        progress->rate = progress->rate > 0 ? progress->rate * 0.8 + fresh * 0.2 : fresh;
    }
    progress->last_bytes = bytes;
    progress->last_ms = now;
}

bool progress_is_stale(int64_t age_us)
{
    return age_us >= STALE_US;
}

static void totals(Str *text, const Progress *progress, const ExecuteView *view)
{
    AUTO_ARENA Arena arena = {0};
    const Run *run = view->run;
    size_t done = 0;
    size_t all = 0;
    for (size_t i = 0; i < view->graph->count; i++) {
        if (view->graph->steps[i]->barrier)
            continue;
        all++;
        done += view->states[i] == STEP_DONE;
    }
    long long parts = atomic_load(&run->counters.parts_total);
    long long parts_done = atomic_load(&run->counters.parts_done);
    str_appendf(text, "steps %zu/%zu", done, all);
    if (parts > 0)
        str_appendf(text, "  parts %lld/%lld  copied %s in %lld rows", parts_done, parts,
                    units_size_text(&arena, (uint64_t)atomic_load(&run->counters.bytes_copied)),
                    (long long)atomic_load(&run->counters.rows_copied));
    if (parts_done < parts && progress->rate > 1)
        str_appendf(text, "  %s/s", units_size_text(&arena, (uint64_t)progress->rate));
    StreamStatus status = {0};
    if (run_stream_status(view->run, &status)) {
        str_appendf(text, "  lag %s %s  %" PRIu64 " changes applied",
                    units_size_text(&arena, status.lag_bytes),
                    units_interval_text(&arena, status.lag_us), status.changes);
        if (status.chunks_waiting > 0)
            str_appendf(text, "  %zu new chunks wait", status.chunks_waiting);
        if (progress_is_stale(status.head_age_us))
            str_appendf(text, "  as of %s ago: the source does not answer",
                        units_interval_text(&arena, status.head_age_us));
    }
}

static void bar(Str *text, const Run *run)
{
    long long parts = atomic_load(&run->counters.parts_total);
    if (parts <= 0)
        return;
    long long full = atomic_load(&run->counters.parts_done) * BAR_CELLS / parts;
    str_append(text, "[");
    for (int i = 0; i < BAR_CELLS; i++)
        str_append(text, i < full ? "#" : ".");
    str_append(text, "] ");
}

/* One line, cut to the terminal so that it never wraps. */
static void view_line(Progress *progress, const Str *text, int width)
{
    size_t length = text->length < (size_t)width - 1 ? text->length : (size_t)width - 1;
    str_append_bytes(&progress->view, str_text(text), length);
    str_append_char(&progress->view, '\n');
    progress->lines++;
}

static void draw_live(Progress *progress, const ExecuteView *view)
{
    AUTO_STR Str line = {0};
    int width = terminal_width();
    clear_view(progress);
    str_reset(&progress->view);
    progress->lines = 0;
    bar(&line, view->run);
    totals(&line, progress, view);
    view_line(progress, &line, width);
    int shown = 0;
    for (size_t i = 0; i < view->graph->count && shown < MAX_STEPS; i++) {
        if (view->states[i] != STEP_RUNNING)
            continue;
        str_reset(&line);
        str_appendf(&line, "  > %s", view->graph->steps[i]->id);
        view_line(progress, &line, width);
        shown++;
    }
    put(str_text(&progress->view), progress->view.length);
}

void progress_draw(Progress *progress, const ExecuteView *view)
{
    measure_rate(progress, view->run);
    if (progress->live) {
        log_lock();
        draw_live(progress, view);
        log_unlock();
        return;
    }
    if (clock_ms() - progress->last_line_ms < LINE_EVERY_MS)
        return;
    progress->last_line_ms = clock_ms();
    AUTO_STR Str line = {0};
    totals(&line, progress, view);
    log_info(&view->run->log, "%s", str_text(&line));
}

void progress_end(Progress *progress)
{
    if (progress == NULL)
        return;
    if (progress->live) {
        log_lock();
        clear_view(progress);
        progress->lines = 0;
        str_reset(&progress->view);
        log_unlock();
        log_set_sink(NULL, NULL);
    }
    str_release(&progress->view);
    mem_free(progress);
}

char *progress_sample(Arena *arena, Run *run)
{
    StreamStatus status = {0};
    bool replicating = run_stream_status(run, &status);
    json_t *slot = slot_watch_json(atomic_load(&run->keeping) ? run->back_watch : run->slot_watch);
    json_int_t retained = slot != NULL ? json_integer_value(json_object_get(slot, "retained_bytes"))
                                       : (json_int_t)status.retained_bytes;
    return jsontext_compact(
        arena,
        json_pack("{s:I, s:I, s:I, s:I, s:b, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
                  "s:I, s:I, s:I, s:s?, s:o*}",
                  "rows_copied", (json_int_t)atomic_load(&run->counters.rows_copied),
                  "bytes_copied", (json_int_t)atomic_load(&run->counters.bytes_copied),
                  "parts_done", (json_int_t)atomic_load(&run->counters.parts_done), "parts_total",
                  (json_int_t)atomic_load(&run->counters.parts_total), "replicating", replicating,
                  "received_lsn", lsn_text(status.received).text, "applied_lsn",
                  lsn_text(status.applied).text, "source_lsn", lsn_text(status.source_head).text,
                  "lag_bytes", (json_int_t)status.lag_bytes, "lag_us", (json_int_t)status.lag_us,
                  "head_age_us", (json_int_t)status.head_age_us, "retained_bytes", retained,
                  "conflicts", (json_int_t)status.conflicts, "skipped", (json_int_t)status.skipped,
                  "spool_bytes", (json_int_t)status.spool.bytes, "spool_waits",
                  (json_int_t)status.spool.pressure, "held", (json_int_t)status.held,
                  "chunks_waiting", (json_int_t)status.chunks_waiting, "waits_for",
                  status.waits_for != NULL ? name_text(arena, &status.waits_for->source) : NULL,
                  "slot", slot));
}
