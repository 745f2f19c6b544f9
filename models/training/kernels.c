/*
 * The parts of Pocket's network that aren't matrix products, each in one pass over memory: x86-64 with AVX-512 and bfloat16.
 * PyTorch's own operators take several passes each, and were half of the time of a step. See kernels.py for how they are called.
 *
 * cc -O3 -march=native -shared -fPIC kernels.c -o libkernels.so
 */
#include <immintrin.h>
#include <math.h>
#include <stdint.h>

typedef uint16_t bf16;

static inline __m512 get(const bf16 *from) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)from)), 16));
}

static inline __m512 get_some(__mmask16 some, const bf16 *from) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, from)), 16));
}

static inline void put(bf16 *to, __m512 value) { _mm256_storeu_si256((void *)to, (__m256i)_mm512_cvtneps_pbh(value)); }

static inline void put_some(__mmask16 some, bf16 *to, __m512 value) {
    _mm256_mask_storeu_epi16(to, some, (__m256i)_mm512_cvtneps_pbh(value));
}

/* e to the power of x, to about 1e-6; what is below -87 is nearly zero anyway. */
static inline __m512 power(__m512 x) {
    x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-87.f)), _mm512_set1_ps(88.f));
    const __m512 whole = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
    const __m512 rest = _mm512_fnmadd_ps(whole, _mm512_set1_ps(1.42860677e-6f), _mm512_fnmadd_ps(whole, _mm512_set1_ps(0.693145752f), x));
    __m512 sum = _mm512_set1_ps(1.f / 720);
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.f / 120));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.f / 24));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.f / 6));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(.5f));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.f));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.f));
    return _mm512_scalef_ps(sum, whole);
}

/* after = before + added; normed = after / rms(after) * scale. A row is `width` long, a multiple of 16. `added` may be null. */
void norm(long rows, long width, const float *before, const bf16 *added, const float *scale, float *after, bf16 *normed, float *inverse) {
    for (long row = 0; row < rows; row++, before += width, after += width, normed += width) {
        __m512 squares = _mm512_setzero_ps();
        for (long at = 0; at < width; at += 16) {
            __m512 value = _mm512_loadu_ps(before + at);
            if (added) value = _mm512_add_ps(value, get(added + at));
            _mm512_storeu_ps(after + at, value);
            squares = _mm512_fmadd_ps(value, value, squares);
        }
        if (added) added += width;
        inverse[row] = 1 / sqrtf(_mm512_reduce_add_ps(squares) / width + 1e-5f);
        const __m512 by = _mm512_set1_ps(inverse[row]);
        for (long at = 0; at < width; at += 16)
            put(normed + at, _mm512_mul_ps(_mm512_mul_ps(_mm512_loadu_ps(after + at), by), _mm512_loadu_ps(scale + at)));
    }
}

/* d_before is d_after plus what comes through the norm; d_added is the same, rounded; d_scale is added to. */
void norm_back(long rows, long width, const float *after, const float *scale, const float *inverse, const float *d_after,
               const bf16 *d_normed, float *d_before, bf16 *d_added, float *d_scale) {
    for (long row = 0; row < rows; row++, after += width, d_after += width, d_normed += width, d_before += width) {
        __m512 dot = _mm512_setzero_ps();
        const __m512 by = _mm512_set1_ps(inverse[row]);
        for (long at = 0; at < width; at += 16) {
            const __m512 x = _mm512_mul_ps(_mm512_loadu_ps(after + at), by), d = get(d_normed + at);
            _mm512_storeu_ps(d_scale + at, _mm512_fmadd_ps(d, x, _mm512_loadu_ps(d_scale + at)));
            dot = _mm512_fmadd_ps(_mm512_mul_ps(d, _mm512_loadu_ps(scale + at)), x, dot);
        }
        const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(dot) / width);
        for (long at = 0; at < width; at += 16) {
            const __m512 x = _mm512_mul_ps(_mm512_loadu_ps(after + at), by);
            const __m512 d = _mm512_mul_ps(get(d_normed + at), _mm512_loadu_ps(scale + at));
            const __m512 all = _mm512_fmadd_ps(_mm512_fnmadd_ps(x, mean, d), by, _mm512_loadu_ps(d_after + at));
            _mm512_storeu_ps(d_before + at, all);
            if (d_added) put(d_added + at, all);
        }
        if (d_added) d_added += width;
    }
}

/*
 * Between [rows][length][3][heads][64] and three times [rows][heads][length][64], turning query and key by the angle of their
 * place. `cosine` and `sine` are [places][64], the sine with the signs that pairs want; `turn` is 1, or -1 for the way back.
 */
void heads_apart(long rows, long length, long heads, const int *places, const float *cosine, const float *sine, float scale,
                 bf16 *joined, bf16 *query, bf16 *key, bf16 *value, int back) {
    for (long row = 0; row < rows; row++)
        for (long at = 0; at < length; at++) {
            const long place = places[row * length + at];
            for (long kind = 0; kind < 3; kind++)
                for (long head = 0; head < heads; head++) {
                    bf16 *here = joined + (((row * length + at) * 3 + kind) * heads + head) * 64;
                    bf16 *there = (kind == 0 ? query : kind == 1 ? key : value) + ((row * heads + head) * length + at) * 64;
                    bf16 *from = back ? there : here, *to = back ? here : there;
                    for (long part = 0; part < 64; part += 16) {
                        __m512 x = get(from + part);
                        if (kind < 2) {
                            const __m512 c = _mm512_loadu_ps(cosine + place * 64 + part);
                            __m512 s = _mm512_loadu_ps(sine + place * 64 + part);
                            if (back) s = _mm512_sub_ps(_mm512_setzero_ps(), s);
                            x = _mm512_fmadd_ps(x, c, _mm512_mul_ps(_mm512_permute_ps(x, 0xB1), s));
                            if (kind == 0) x = _mm512_mul_ps(x, _mm512_set1_ps(scale));
                        }
                        put(to + part, x);
                    }
                }
        }
}

/* Softmax in place of [rows][heads][length][length]. Place i sees what is common, [0, common), and [begin, i] of its branch. */
void softmax(long rows, long heads, long length, const int *common, const int *begins, bf16 *scores) {
    for (long row = 0; row < rows; row++)
        for (long head = 0; head < heads; head++)
            for (long at = 0; at < length; at++) {
                bf16 *line = scores + ((row * heads + head) * length + at) * length;
                const long begin = begins[row * length + at], first = begin < common[row] ? 0 : common[row];
                const long ranges[2][2] = {{0, first}, {begin < common[row] ? 0 : begin, at + 1}};
                __m512 most = _mm512_set1_ps(-1e30f), sum = _mm512_setzero_ps();
                for (int range = 0; range < 2; range++)
                    for (long j = ranges[range][0]; j < ranges[range][1]; j += 16) {
                        const long left = ranges[range][1] - j;
                        const __mmask16 some = left < 16 ? (1u << left) - 1 : 0xFFFF;
                        most = _mm512_mask_max_ps(most, some, most, get_some(some, line + j));
                    }
                const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(most));
                for (int range = 0; range < 2; range++)
                    for (long j = ranges[range][0]; j < ranges[range][1]; j += 16) {
                        const long left = ranges[range][1] - j;
                        const __mmask16 some = left < 16 ? (1u << left) - 1 : 0xFFFF;
                        const __m512 value = power(_mm512_sub_ps(get_some(some, line + j), top));
                        put_some(some, line + j, value);
                        sum = _mm512_mask_add_ps(sum, some, sum, value);
                    }
                const __m512 by = _mm512_set1_ps(1 / _mm512_reduce_add_ps(sum));
                for (int range = 0; range < 2; range++)
                    for (long j = ranges[range][0]; j < ranges[range][1]; j += 16) {
                        const long left = ranges[range][1] - j;
                        const __mmask16 some = left < 16 ? (1u << left) - 1 : 0xFFFF;
                        put_some(some, line + j, _mm512_mul_ps(get_some(some, line + j), by));
                    }
                for (long j = first; j < ranges[1][0]; j++) line[j] = 0;
                for (long j = at + 1; j < length; j++) line[j] = 0;
            }
}

/* In place of d: chance * (d - sum(chance * d)), a line each. */
void softmax_back(long lines, long length, const bf16 *chances, bf16 *d) {
    for (long line = 0; line < lines; line++, chances += length, d += length) {
        const long end = line % length + 1;
        __m512 dot = _mm512_setzero_ps();
        for (long j = 0; j < end; j += 16) {
            const __mmask16 some = end - j < 16 ? (1u << (end - j)) - 1 : 0xFFFF;
            dot = _mm512_fmadd_ps(get_some(some, chances + j), get_some(some, d + j), dot);
        }
        const __m512 all = _mm512_set1_ps(_mm512_reduce_add_ps(dot));
        for (long j = 0; j < end; j += 16) {
            const __mmask16 some = end - j < 16 ? (1u << (end - j)) - 1 : 0xFFFF;
            put_some(some, d + j, _mm512_mul_ps(get_some(some, chances + j), _mm512_sub_ps(get_some(some, d + j), all)));
        }
        for (long j = end; j < length; j++) d[j] = 0;
    }
}

/* out = silu(gate) * up; gate and up are the halves of a row of `joined`, `hidden` long each. */
void gated(long rows, long hidden, const bf16 *joined, bf16 *out) {
    const __m512 one = _mm512_set1_ps(1.f), zero = _mm512_setzero_ps();
    for (long row = 0; row < rows; row++, joined += 2 * hidden, out += hidden)
        for (long at = 0; at < hidden; at += 16) {
            const __m512 gate = get(joined + at);
            const __m512 silu = _mm512_div_ps(gate, _mm512_add_ps(one, power(_mm512_sub_ps(zero, gate))));
            put(out + at, _mm512_mul_ps(silu, get(joined + hidden + at)));
        }
}

void gated_back(long rows, long hidden, const bf16 *joined, const bf16 *d_out, bf16 *d_joined) {
    const __m512 one = _mm512_set1_ps(1.f), zero = _mm512_setzero_ps();
    for (long row = 0; row < rows; row++, joined += 2 * hidden, d_out += hidden, d_joined += 2 * hidden)
        for (long at = 0; at < hidden; at += 16) {
            const __m512 gate = get(joined + at), up = get(joined + hidden + at), d = get(d_out + at);
            const __m512 open = _mm512_div_ps(one, _mm512_add_ps(one, power(_mm512_sub_ps(zero, gate))));
            const __m512 silu = _mm512_mul_ps(gate, open);
            const __m512 slope = _mm512_fmadd_ps(silu, _mm512_sub_ps(one, open), open);
            put(d_joined + at, _mm512_mul_ps(_mm512_mul_ps(d, up), slope));
            put(d_joined + hidden + at, _mm512_mul_ps(d, silu));
        }
}

/* Losses of rows of logits, and in their place the slopes, each row times its factor. `size` is a multiple of 16. */
void surprise(long rows, long size, bf16 *logits, const long *goal, const float *factor, float *losses) {
    for (long row = 0; row < rows; row++, logits += size) {
        __m512 most = _mm512_set1_ps(-1e30f), sum = _mm512_setzero_ps();
        for (long at = 0; at < size; at += 16) most = _mm512_max_ps(most, get(logits + at));
        const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(most));
        for (long at = 0; at < size; at += 16) sum = _mm512_add_ps(sum, power(_mm512_sub_ps(get(logits + at), top)));
        const float total = _mm512_reduce_add_ps(sum);
        const uint32_t bits = (uint32_t)logits[goal[row]] << 16;
        float wanted;
        __builtin_memcpy(&wanted, &bits, 4);
        const float loss = logf(total) + _mm512_cvtss_f32(top) - wanted;
        losses[row] = loss;
        const __m512 by = _mm512_set1_ps(factor[row] / total);
        for (long at = 0; at < size; at += 16)
            put(logits + at, _mm512_mul_ps(power(_mm512_sub_ps(get(logits + at), top)), by));
        const float slope = factor[row] * (expf(-loss) - 1);
        uint32_t rounded;
        __builtin_memcpy(&rounded, &slope, 4);
        logits[goal[row]] = (bf16)((rounded + 0x7FFF + ((rounded >> 16) & 1)) >> 16);
    }
}
