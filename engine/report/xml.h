/*
 * XML out: text and attributes of a document that every parser takes: what XML 1.0 cannot hold
 * (control characters, bytes that are no UTF-8) is written as an escape for people.
 */
#ifndef GODWIT_REPORT_XML_H
#define GODWIT_REPORT_XML_H

#include "base/str.h"

/** Appends text between tags. */
void xml_text(Str *out, const char *text);

/** Appends a blank, the name, and the quoted value of an attribute. */
void xml_attribute(Str *out, const char *name, const char *value);
void xml_number(Str *out, const char *name, size_t value);

#endif
