/*
 * Progress: on a terminal a live view (bar, running steps, lag), redrawn at most five times a
 * second; elsewhere a line every 30 seconds. On stderr. Log lines and the view share the terminal
 * through the log's sink.
 */
#ifndef GODWIT_REPORT_PROGRESS_H
#define GODWIT_REPORT_PROGRESS_H

#include "graph/execute.h"

typedef struct Progress Progress;

/** \param live stderr is a terminal: draw the view there */
Progress *progress_begin(bool live);

/** Draws; called from the executor's tick. */
void progress_draw(Progress *progress, const ExecuteView *view);

/** Takes the view off the terminal and gives the log back its own sink. NULL is allowed. */
void progress_end(Progress *progress);

/** Whether what is this old is no longer how things are. */
bool progress_is_stale(int64_t age_us);

/** One sample of a running engine as JSON, for the journal's metric row. */
char *progress_sample(Arena *arena, Run *run);

#endif
