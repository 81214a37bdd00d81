/* The machine's peak of fused multiply-adds: twelve independent chains in registers, billions a second, one thread. */
#include <stdio.h>
#include <time.h>

#define CHAINS(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#if defined(__AVX512F__)
#define WIDTH 16
#elif defined(__AVX2__)
#define WIDTH 8
#else
#define WIDTH 4
#endif
typedef float vec __attribute__((vector_size(4 * WIDTH)));
#if defined(__aarch64__)
#define REGISTER "+w"
#else
#define REGISTER "+x"
#if defined(__AVX512F__)
#undef REGISTER
#define REGISTER "+v"
#endif
#endif

int main(void)
{
#define START(i) vec a##i = (vec){0} + (float)i;
#define STEP(i) a##i = a##i * w + w; __asm__ volatile("" : REGISTER(a##i));
    CHAINS(START)
    vec w = (vec){0} + 0.5f;
    double best = 0;
    for (int trial = 0; trial < 20; trial++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < 400000; i++) {
            CHAINS(STEP)
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
        double rate = 400000.0 * 12 * WIDTH / seconds / 1e9;
        best = rate > best ? rate : best;
    }
    printf("%.2f\n", best);
    return 0;
}
