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

static union {
    lenet5_scratch network;
    lenet5_preparation preparation;
} scratch;

static void print_answers(void)
{
    int test;
    for (test = 0; test < TESTS; test++) {
        const lenet5_answer answer = lenet5_read(test_image[test], &scratch.network);
        print("answer ");
        print_hex(&answer.label, 1);
        print(" ");
        print_hex(answer.posterior, sizeof answer.posterior);
        print(" ");
        print_hex(scratch.network.f6, sizeof scratch.network.f6);
        print("\n");
    }
    print("wrong ");
    test = self_test();
    print_hex(&test, 1);
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

static uint32_t ticks(void)
{
    return 0xFFFFFF - systick[2];
}

static void print_count(const char *name, uint32_t count)
{
    print(name);
    print_hex(&count, 4);
    print("\n");
}

static uint8_t crop[64][64];

void reset(void)
{
    extern uint32_t bss_start[], bss_end[];
    uint32_t *word, start, loops = 1000000;
    uint8_t image[LENET5_PIXELS];
    int k;
    for (word = bss_start; word < bss_end; word++)
        *word = 0;
    print_answers();
    systick[1] = 0xFFFFFF;
    systick[2] = 0;
    systick[0] = 5;
    start = ticks();
    __asm__ volatile("1: sub %0, #1\n cmp %0, #0\n bne 1b" : "+l"(loops) : : "cc");
    print_count("three million ", ticks() - start);
    systick[2] = 0;
    start = ticks();
    lenet5_read(test_image[3], &scratch.network);
    print_count("read ", ticks() - start);
    for (k = 0; k < 64 * 64; k++)
        crop[k / 64][k % 64] = (uint8_t)(k % 64 > 29 && k % 64 < 35 && k / 64 > 3 && k / 64 < 60 ? 20 : 230);
    systick[2] = 0;
    start = ticks();
    lenet5_prepare(&crop[0][0], 64, 64, 64, 200, 40, image, &scratch.preparation);
    print_count("prepare ", ticks() - start);
    semihosting(0x18, (const void *)0x20026);
    for (;;)
        ;
}

extern uint32_t stack_top[];
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {stack_top, (void *)reset};

#else

#include <stdio.h>

static void print(const char *text)
{
    fputs(text, stdout);
}

int main(void)
{
    print_answers();
    return 0;
}

#endif
