/* A pool of threads: started by the first call that wants them, asleep between calls.
 *
 * A helper that has finished spins for a moment, because the next call of a training comes soon, and then sleeps.
 * Helpers join a call while it has pieces left; the caller waits only for those that joined. Before a fork all helpers
 * end, so that the child has a whole pool, an empty one.
 */
#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 255, SPIN = 60000 /* ns; about what the update between two steps of a training takes */ };

static struct {
    pthread_mutex_t calls; /* held by the call that has the helpers */
    pthread_mutex_t state; /* guards what follows */
    pthread_cond_t wake, done;
    pthread_t helpers[MOST];
    int count, asleep, stopping;
    lenet5_task *task;
    void *work;
    size_t pieces;
    int wanted, joined;    /* helpers that the open call may have, and has had; wanted is 0 when none is open */
    atomic_int running;    /* helpers in the open call */
    atomic_uint number;    /* of the call, or of the order to stop */
    atomic_size_t next;    /* the next piece to run */
} pool = {.calls = PTHREAD_MUTEX_INITIALIZER,
          .state = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    for (int i = 0; i < 8; i++)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void run_remaining(lenet5_task *task, void *work, size_t pieces, int worker)
{
    size_t piece;
    while ((piece = atomic_fetch_add(&pool.next, 1)) < pieces)
        task(work, worker, piece);
}

/* Spin, then sleep, until there is a call after number `seen`; returns with `state` locked. */
static unsigned next_call(unsigned seen)
{
    for (int64_t until = now() + SPIN; atomic_load(&pool.number) == seen && now() < until;)
        pause_briefly();
    pthread_mutex_lock(&pool.state);
    while (atomic_load(&pool.number) == seen) {
        pool.asleep++;
        pthread_cond_wait(&pool.wake, &pool.state);
        pool.asleep--;
    }
    return atomic_load(&pool.number);
}

static void *helper_main(void *first)
{
    unsigned seen = (unsigned)(uintptr_t)first;
    for (;;) {
        seen = next_call(seen);
        if (pool.stopping)
            break;
        if (pool.joined < pool.wanted) {
            lenet5_task *task = pool.task;
            void *work = pool.work;
            size_t pieces = pool.pieces;
            int worker = ++pool.joined;
            atomic_fetch_add(&pool.running, 1);
            pthread_mutex_unlock(&pool.state);
            run_remaining(task, work, pieces, worker);
            pthread_mutex_lock(&pool.state);
            if (atomic_fetch_sub(&pool.running, 1) == 1)
                pthread_cond_signal(&pool.done);
        }
        pthread_mutex_unlock(&pool.state);
    }
    pthread_mutex_unlock(&pool.state);
    return NULL;
}

/* End every helper; with `calls` locked. */
static void end_helpers(void)
{
    pthread_mutex_lock(&pool.state);
    pool.stopping = 1;
    atomic_fetch_add(&pool.number, 1);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.state);
    for (int i = 0; i < pool.count; i++)
        pthread_join(pool.helpers[i], NULL);
    pool.count = pool.stopping = 0;
}

static void before_fork(void)
{
    pthread_mutex_lock(&pool.calls);
    end_helpers();
}

static void after_fork(void) { pthread_mutex_unlock(&pool.calls); }

/* As many helpers as wanted, or as can be started; with `calls` locked. Signals are left to the program's threads. */
static void start_helpers(int wanted)
{
    if (pool.count >= wanted)
        return;
    sigset_t all, former;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    void *seen = (void *)(uintptr_t)atomic_load(&pool.number);
    while (pool.count < wanted && pthread_create(&pool.helpers[pool.count], NULL, helper_main, seen) == 0)
        pool.count++;
    pthread_sigmask(SIG_SETMASK, &former, NULL);
}

static void open_call(lenet5_task *task, void *work, size_t pieces, int wanted)
{
    pthread_mutex_lock(&pool.state);
    pool.task = task, pool.work = work, pool.pieces = pieces, pool.wanted = wanted, pool.joined = 0;
    atomic_store(&pool.next, 0);
    atomic_fetch_add(&pool.number, 1);
    for (int i = 0; i < wanted && i < pool.asleep; i++)
        pthread_cond_signal(&pool.wake);
    pthread_mutex_unlock(&pool.state);
}

/* Let no more helpers join, and wait for those that did. */
static void close_call(void)
{
    pthread_mutex_lock(&pool.state);
    pool.wanted = 0;
    pthread_mutex_unlock(&pool.state);
    for (int64_t until = now() + SPIN; atomic_load(&pool.running) && now() < until;)
        pause_briefly();
    pthread_mutex_lock(&pool.state);
    while (atomic_load(&pool.running))
        pthread_cond_wait(&pool.done, &pool.state);
    pthread_mutex_unlock(&pool.state);
}

void lenet5_run_pieces(lenet5_task *task, void *work, size_t pieces, int threads)
{
    if (pieces < (size_t)threads)
        threads = (int)pieces;
    threads = threads > MOST ? MOST + 1 : threads;
    if (threads > 1 && pthread_mutex_trylock(&pool.calls) == 0) {
        start_helpers(threads - 1);
        open_call(task, work, pieces, threads - 1);
        run_remaining(task, work, pieces, 0);
        close_call();
        pthread_mutex_unlock(&pool.calls);
        return;
    }
    for (size_t piece = 0; piece < pieces; piece++)
        task(work, 0, piece);
}

int lenet5_pool_start(void) { return pthread_atfork(before_fork, after_fork, after_fork) ? -1 : 0; }

void lenet5_pool_stop(void)
{
    pthread_mutex_lock(&pool.calls);
    end_helpers();
    pthread_mutex_unlock(&pool.calls);
}

/* ---- memory ---- */

struct header {
    size_t bytes;
    char padding[64 - sizeof(size_t)];
};

static _Atomic(struct header *) kept;

void *lenet5_allocate(size_t bytes)
{
    struct header *block = atomic_exchange(&kept, NULL);
    if (block && block->bytes < bytes) {
        free(block);
        block = NULL;
    }
    if (!block) {
        bytes = (bytes + 63) / 64 * 64;
        block = aligned_alloc(64, sizeof *block + bytes);
        if (!block)
            return NULL;
        block->bytes = bytes;
    }
    return block + 1;
}

void lenet5_release(void *block)
{
    if (block)
        free(atomic_exchange(&kept, (struct header *)block - 1));
}
