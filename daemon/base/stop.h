/* SPDX-License-Identifier: MIT */
/*
 * stop.h - does whoever we work for still want it? For long work deep below that knows neither
 * requests nor connections.
 */
#ifndef HP_STOP_H
#define HP_STOP_H

#include "base/util.h"

/* Asked as often as one likes, looked at so often. */
#define STOP_LOOK_NS NSEC_PER_MSEC

typedef bool stop_fn(void *arg);

/** stop_set() - from now on @fn tells; NULL: nobody asks us to stop, which is how it begins. */
void stop_set(stop_fn *fn, void *arg);

/**
 * stop_asked() - is the work to be given up, because the user has said so or is gone?
 *
 * Every loop whose length a target decides asks this now and then; most calls cost one reading of
 * the clock. Once true it stays so until stop_set(). Whoever sees it returns -ECANCELED, having
 * left things so that they can be taken down.
 */
bool stop_asked(void);

#endif
