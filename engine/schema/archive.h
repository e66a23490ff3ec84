/*
 * Archive: the source's schema as pg_dump writes it, and the parts of it as SQL.
 *
 *     AUTO_ARCHIVE Archive archive = {0};
 *     if (!archive_make(&archive, run, blueprint, &objects, err)) return false;
 *     archive_script(&archive, TOC_PRE, NULL, NULL, &script, err);
 *
 * The file is private (0600, close-on-exec), has no name and goes with the Archive. Passwords
 * stand neither in the tool's arguments nor in its environment. The SQL is run by archive_run() on
 * a connection of ours and not by pg_restore, so that an engine that dies in the middle leaves
 * nothing behind.
 */
#ifndef GODWIT_SCHEMA_ARCHIVE_H
#define GODWIT_SCHEMA_ARCHIVE_H

#include "base/log.h"
#include "schema/objects.h"

typedef struct ArchiveTools {
    const char *pg_dump; /* full paths */
    const char *pg_restore;
    const Endpoint *source;
    const Stop *stop;
    const LogCtx *log;
} ArchiveTools;

typedef struct Archive {
    Arena arena;
    ArchiveTools tools;
    int fd;           /* an unnamed file */
    const char *path; /* how the tools reach it, NULL: there is none */
    Toc toc;
    bool comments; /* are restored */
} Archive;

/** Dumps the source, reads the list, decides each entry's fate.
 * \param objects of the source \return false with ERR_TOOL, ERR_IO, or the stop's error */
MUSTCHECK bool archive_make(Archive *archive, const ArchiveTools *tools, const Blueprint *blueprint,
                            const SchemaObjects *objects, Err *err);
void archive_release(Archive *archive);
#define AUTO_ARCHIVE __attribute__((cleanup(archive_release)))

/** Logs what the archive gives, leaves to other steps, and leaves out, counted by kind. */
void archive_log(const Archive *archive);

/** The SQL of the entries of one fate that `wanted` (NULL: all) accepts; owned by the archive. */
MUSTCHECK bool archive_script(Archive *archive, TocFate fate, TocWanted *wanted, void *data,
                              const char **script, Err *err);

/** Runs such SQL inside the caller's open transaction, under the settings that pg_restore uses;
 * they end with the transaction, but for the session's default tablespace and access method, which
 * are reset. */
MUSTCHECK bool archive_run(Conn *target, const char *script, Err *err);

#endif
