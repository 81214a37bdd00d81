/* Vectors of WIDTH floats, and the squashing functions on them: part of engine.c, once an instruction set. */
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
#define TEXT2(a) #a
#define TEXT(a) TEXT2(a)

typedef float vec __attribute__((vector_size(4 * WIDTH)));
typedef float loose __attribute__((vector_size(4 * WIDTH), may_alias, aligned(4))); /* at any float */
typedef int ivec __attribute__((vector_size(4 * WIDTH)));

/* Accumulators that fit the registers: 32 of them with AVX-512 and NEON, 16 else. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { C1_MAPS = 2, C3_RUN = 10, S2_RUN = 14, UNITS = 12, INPUTS = 20, OUTER = 4 };
enum { SINGLE_MAPS = 3, SINGLE_ROWS = 5, SINGLE_LANES = WIDTH };
#else
enum { C1_MAPS = 1, C3_RUN = 5, S2_RUN = 7, UNITS = 10, INPUTS = 10, OUTER = 2 };
enum { SINGLE_MAPS = 2, SINGLE_ROWS = 1, SINGLE_LANES = 2 * WIDTH };
#endif

INLINE vec broadcast(float x) { return x - (vec){0}; }
INLINE vec load(const float *at) { return *(const loose *)at; }
INLINE void store(float *at, vec x) { *(loose *)at = x; }

/* Bounds that let NaN through: the second operand is the one returned for NaN. */
INLINE vec bound(vec x, float most)
{
    vec high = broadcast(most), low = broadcast(-most);
#if defined(__AVX512F__) && WIDTH == 16
    return (vec)_mm512_max_ps((__m512)low, _mm512_min_ps((__m512)high, (__m512)x));
#elif defined(__AVX__) && WIDTH == 8
    return (vec)_mm256_max_ps((__m256)low, _mm256_min_ps((__m256)high, (__m256)x));
#elif defined(__SSE2__) && WIDTH == 4
    return (vec)_mm_max_ps((__m128)low, _mm_min_ps((__m128)high, (__m128)x));
#elif defined(__ARM_NEON) && WIDTH == 4
    return (vec)vmaxq_f32((float32x4_t)low, vminq_f32((float32x4_t)high, (float32x4_t)x));
#else
    ivec above = x > high, below = x < low;
    return (vec)(((ivec)x & ~(above | below)) | ((ivec)high & above) | ((ivec)low & below));
#endif
}

/* p / q for q >= 1. */
INLINE vec divide(vec p, vec q)
{
#if defined(__AVX512F__) && WIDTH == 16 /* an estimate and one step of Newton's: half a division's time */
    vec r = (vec)_mm512_rcp14_ps((__m512)q), ratio = p * r;
    return ratio + r * (p - q * ratio);
#else
    return p / q;
#endif
}

INLINE float total(vec x)
{
#if defined(__AVX512F__) && WIDTH == 16
    return _mm512_reduce_add_ps((__m512)x);
#else
    float lanes[WIDTH];
    store(lanes, x);
    for (int half = WIDTH / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
#endif
}

/* WIDTH vectors as a matrix, transposed: log2(WIDTH) rounds of interleaving the two halves. */
INLINE void transpose(vec *rows)
{
#if WIDTH == 16
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif WIDTH == 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#endif
    for (int round = 1; round < WIDTH; round *= 2) {
        vec mixed[WIDTH];
        UNROLL for (int i = 0; i < WIDTH / 2; i++) {
#if defined(__clang__)
            mixed[2 * i] = __builtin_shufflevector(rows[i], rows[i + WIDTH / 2], LOW);
            mixed[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + WIDTH / 2], HIGH);
#else
            mixed[2 * i] = __builtin_shuffle(rows[i], rows[i + WIDTH / 2], (ivec){LOW});
            mixed[2 * i + 1] = __builtin_shuffle(rows[i], rows[i + WIDTH / 2], (ivec){HIGH});
#endif
        }
        UNROLL for (int i = 0; i < WIDTH; i++)
            rows[i] = mixed[i];
    }
}

/* ---- squashing: f(a) = centre + amplitude·tanh(slope·a), eq. 6, or the logistic function ---- */

#define AMPLITUDE(concise) ((concise) ? 0.5f : 1.7159f)
#define SLOPE(concise) ((concise) ? 0.5f : 0.66666667f)
#define CENTRE(concise) ((concise) ? 0.5f : 0.0f)

/* tanh z = z·P(z²)/Q(z²), a minimax fit for |z| <= 9 with relative error 2e-8 before rounding. */
INLINE vec squash(vec a, int concise)
{
    const float s = SLOPE(concise), s2 = s * s, s4 = s2 * s2, s6 = s4 * s2, s8 = s4 * s4;
    const float t = AMPLITUDE(concise) * s;
    a = bound(a, 9.0f / s);
    vec u = a * a;
    vec p = u * (t * s8 * 1.335460754e-08f) + t * s6 * 2.060904290e-05f;
    vec q = u * (s8 * 7.776536081e-07f) + s6 * 3.285630879e-04f;
    p = p * u + t * s4 * 3.495585707e-03f;
    q = q * u + s4 * 2.587697296e-02f;
    p = p * u + t * s2 * 1.338102359e-01f;
    q = q * u + s2 * 4.671433918e-01f;
    p = p * u + t * 9.999999795e-01f;
    q = q * u + 1.0f;
    vec f = divide(a * p, q);
    return concise ? f + CENTRE(1) : f;
}

/* f'(a) from y = f(a), squared for second derivatives. */
INLINE vec slope(vec y, int concise, int second)
{
    const float a = AMPLITUDE(concise), s = SLOPE(concise);
    vec middle = concise ? y - CENTRE(1) : y;
    vec f = a * s - (s / a) * (middle * middle);
    return second ? f * f : f;
}

