/* Prints what the exported C answers to its test vectors, as bits, on a Cortex-M under QEMU or on the host. There the
 * instructions of lenet5_read and lenet5_prepare are counted as well: with -icount a tick of SysTick is a fixed number
 * of instructions, which a loop of known length gives. */

#define LENET5_SELF_TEST
#define main self_test
#include "lenet5.c"
#undef main

static void print(const char *text);

static void print_hex(const void *data, unsigned bytes)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *byte = (const uint8_t *)data;
    char text[3] = {0, 0, 0};
    while (bytes-- > 0) {
        text[0] = digits[*byte >> 4];
        text[1] = digits[*byte++ & 15];
        print(text);
    }
}

static void print_answers(void)
{
    lenet5_scratch scratch;
    int test;
    for (test = 0; test < TESTS; test++) {
        const lenet5_answer answer = lenet5_read(test_image[test], &scratch);
        print("answer ");
        print_hex(&answer.label, 1);
        print(" ");
        print_hex(answer.posterior, sizeof answer.posterior);
        print(" ");
        print_hex(scratch.f6, sizeof scratch.f6);
        print("\n");
    }
}

static void print_self_test(void)
{
    const int wrong = self_test();
    print("wrong ");
    print_hex(&wrong, 1);
    print("\n");
}

#ifdef __arm__

static uint32_t semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void print(const char *text)
{
    semihosting(4, text);
}

static volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010;

static uint32_t started;
static volatile int result; /* so that what is counted is not optimised away */

static void start(void)
{
    systick[1] = 0xFFFFFF;
    systick[2] = 0;
    systick[0] = 5;
    started = systick[2];
}

static void print_ticks(const char *name)
{
    const uint32_t ticks = (started - systick[2]) & 0xFFFFFF;
    print(name);
    print_hex(&ticks, 4);
    print("\n");
}

static void count_loop(void)
{
    uint32_t loops = 1000000;
    start();
    __asm__ volatile("1: sub %0, #1\n cmp %0, #0\n bne 1b" : "+l"(loops) : : "cc");
    print_ticks("loop ");
}

static void count_read(void)
{
    lenet5_scratch scratch;
    start();
    result = lenet5_read(test_image[3], &scratch).label;
    print_ticks("read ");
}

static void count_prepare(void)
{
    lenet5_preparation scratch;
    uint8_t crop[48 * 48], image[LENET5_PIXELS];
    int k;
    for (k = 0; k < 48 * 48; k++) /* a bar */
        crop[k] = (uint8_t)(k % 48 > 21 && k % 48 < 27 && k / 48 > 3 && k / 48 < 45 ? 20 : 230);
    start();
    lenet5_prepare(crop, 48, 48, 48, 200, 40, image, &scratch);
    result = image[14 * LENET5_SIDE + 14];
    print_ticks("prepare ");
}

static void __attribute__((noinline)) print_all(void)
{
    print_answers();
    print_self_test();
    count_loop();
    count_read();
    count_prepare();
}

void reset(void)
{
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= (uint32_t)0xF << 20; /* the floating-point unit is off at reset */
    __asm__ volatile("dsb\n isb" : : : "memory");
#endif
    print_all();
    semihosting(0x18, (const void *)0x20026);
    for (;;)
        ;
}

extern uint32_t stack_top[];
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {stack_top, (const void *)reset};

#else

#include <stdio.h>

static void print(const char *text)
{
    fputs(text, stdout);
}

int main(void)
{
    print_answers();
    print_self_test();
    return 0;
}

#endif
