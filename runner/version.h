/* The version, in one place. */
#ifndef RUNNER_VERSION_H
#define RUNNER_VERSION_H

#define MINIRUN_VERSION "0.1.0"

#endif
