/*
 * Script: the text that pg_restore writes, without what only psql and pg_restore themselves need.
 */
#ifndef GODWIT_SCHEMA_SCRIPT_H
#define GODWIT_SCHEMA_SCRIPT_H

#include "base/err.h"

/** Takes the tool's settings off the head and its last line off the end; `text` is changed.
 * \return false with ERR_TOOL when the text is not what pg_restore writes.
 * \note Source: pg_restore, _doSetFixedOutputState() and RestoreArchive(): settings stand before
 * the first "-- Name:"; since 13.22/14.19/15.14/16.10/17.6 the text is framed by \restrict lines
 * for psql. */
MUSTCHECK bool script_trim(char *text, const char **script, Err *err);

#endif
