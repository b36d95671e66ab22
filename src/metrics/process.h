/* What users expect of every program they watch: its memory, descriptors, CPU time, age, and which
 * build it is. */
#ifndef METRICS_PROCESS_H
#define METRICS_PROCESS_H

#include "base/buffer.h"

/* As Prometheus text; what the system does not tell is left out. Any thread. */
void process_write_prometheus(struct buffer *buffer);

#endif
