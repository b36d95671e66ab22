/* Where the lines go: a descriptor that may be slow, stuck or closed, and whose reader must not be
 * able to stop the program. */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include "base/text.h"

/* How long a line waits for a reader that does not read. Once one has waited in vain, none waits
 * until there is room again. */
#define SINK_WAIT_MS_MAX 20

/* Before the first thread is started; stderr until then. */
void sink_init(int descriptor);

/* Writes the line with one write() where the system takes it whole. False when it is lost, in
 * whole or from some byte on; what comes next then begins on a line of its own. Any thread. */
bool sink_write(struct text line);

#endif
