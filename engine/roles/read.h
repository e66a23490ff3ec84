/*
 * What the files of roles/ share in reading a server. Part of roles/ only.
 */
#ifndef GODWIT_ROLES_READ_H
#define GODWIT_ROLES_READ_H

#include "roles/roles.h"

/** Reads one server. \return false with ERR_SQL, ERR_LOST */
MUSTCHECK bool role_side_read(Arena *arena, Conn *conn, RoleSide *side, Err *err);

/** The selected objects as two array literals, for queries of the source. */
void object_arrays(Arena *arena, const Blueprint *blueprint, const char **classes,
                   const char **oids);

#endif
