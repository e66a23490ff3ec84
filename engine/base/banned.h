/*
 * Functions that this code base does not use, made into compile errors.
 *
 * Force-included into every engine file by the Makefile. Each name has a better neighbour:
 * Str (base/str.h) for building text, text_to_*() (base/units.h) for numbers, base/clock.h for
 * time.
 */
#ifndef GODWIT_BASE_BANNED_H
#define GODWIT_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GODWIT_BANNED(name) use_of_banned_function_##name

#undef strcpy
#define strcpy(d, s) GODWIT_BANNED(strcpy)
#undef strcat
#define strcat(d, s) GODWIT_BANNED(strcat)
#undef strncpy
#define strncpy(d, s, n) GODWIT_BANNED(strncpy)
#undef strncat
#define strncat(d, s, n) GODWIT_BANNED(strncat)
#undef sprintf
#define sprintf(...) GODWIT_BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) GODWIT_BANNED(vsprintf)
#undef strtok
#define strtok(s, d) GODWIT_BANNED(strtok)
#undef atoi
#define atoi(s) GODWIT_BANNED(atoi)
#undef atol
#define atol(s) GODWIT_BANNED(atol)
#undef localtime
#define localtime(t) GODWIT_BANNED(localtime)
#undef gmtime
#define gmtime(t) GODWIT_BANNED(gmtime)
#undef system
#define system(c) GODWIT_BANNED(system)
#undef popen
#define popen(c, m) GODWIT_BANNED(popen)

#endif
