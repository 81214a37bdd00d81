/* Threads and memory that stay from call to call. */
#ifndef LENET5_POOL_H
#define LENET5_POOL_H

#include <stddef.h>

/* One piece of a call's work; `worker` is 0 ... threads - 1, and no two threads have the same at a time. */
typedef void lenet5_task(void *work, int worker, size_t piece);

/* The task for every piece 0 ... pieces - 1, on the caller's thread and at most `threads` - 1 more. Whichever thread
 * is free takes the next piece: results must not depend on which. Where another call has the threads, or none can
 * be started, the caller's alone does it all. */
void lenet5_run_pieces(lenet5_task *task, void *work, size_t pieces, int threads);

/* Once, before anything else: look after forks. -1 where memory ran out. Threads start when they are wanted. */
int lenet5_pool_start(void);

/* End the threads; a later call starts them anew. */
void lenet5_pool_stop(void);

/* `bytes` of memory at a multiple of 64, or NULL; the block given back last is kept for the next who takes one,
 * since fresh memory costs a page fault every 4 KiB. */
void *lenet5_allocate(size_t bytes);
void lenet5_release(void *block);

#endif
