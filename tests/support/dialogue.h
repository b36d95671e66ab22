/* What a test says to a server and hears from it, byte for byte. Connections come from http_dial;
 * what is heard stays until the next call. */
#ifndef SUPPORT_DIALOGUE_H
#define SUPPORT_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>

/* False when the other side does not want all of it. */
bool say_bytes(int client, const char *bytes, size_t len);
/* Fails the test then. */
void say(int client, const char *text);
/* Reads one whole answer, without taking a byte of the next, or what comes before the end. */
const char *hear(int client);
/* Reads until `end` has come, or the end of the connection. */
const char *hear_until(int client, const char *end);
/* Reads all up to the end of the connection; false when it does not end. */
bool hear_end(int client);
/* Fails the test when `part` is not in the answer. */
void assert_has(const char *answer, const char *part);

#endif
