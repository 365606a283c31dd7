// Register blocks: a few channels by a few vectors of frames, held in registers while taps and channels go by.
//
// Included by each instruction set's file after it has set LANES (floats in a vector) and OUTS (channels in a block).

using Vec = float __attribute__((vector_size(LANES * 4)));
using Loose = float __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
using Mask = int __attribute__((vector_size(LANES * 4)));

#define TONECAST_INLINE inline __attribute__((always_inline))
#define TONECAST_UNROLL _Pragma("GCC unroll 16")

constexpr int WIDE = 3;  // vectors in a block
constexpr int BLOCK = WIDE * LANES;
static_assert(STEP % BLOCK == 0);

TONECAST_INLINE Vec load(const float* from) { return *reinterpret_cast<const Loose*>(from); }
TONECAST_INLINE void store(float* to, Vec value) { *reinterpret_cast<Loose*>(to) = value; }
TONECAST_INLINE Vec spread(float value) { return value - Vec{}; }

// A signal of several channels: `at` is channel 0 at the frame that counts as 0.
template <class Float>
struct Signal {
    Float* at;
    std::ptrdiff_t stride;
    TONECAST_INLINE Float* channel(int number) const { return at + number * stride; }
    TONECAST_INLINE Signal moved(std::ptrdiff_t frames) const { return {at + frames, stride}; }
    TONECAST_INLINE operator Signal<const Float>() const { return {at, stride}; }
};
using In = Signal<const float>;
using Out = Signal<float>;

// Kept in a register. Without this the compiler reads it again for every product that it goes into, and the reads take
// longer than the products.
TONECAST_INLINE Vec held(Vec value) {
#ifdef REGISTER
    asm("" : "+" REGISTER(value));
#endif
    return value;
}

// Asks for `COUNT` channels of a block that will be needed soon; nothing where `coming` is null.
template <int COUNT>
TONECAST_INLINE void fetch(In coming, int first, std::ptrdiff_t frame) {
    if (coming.at == nullptr) return;
    TONECAST_UNROLL for (int n = 0; n < COUNT; ++n)
        for (int byte = 0; byte < BLOCK * 4; byte += 64)
            __builtin_prefetch(reinterpret_cast<const char*>(coming.channel(first + n) + frame) + byte, 0, 2);
}

// sum[o][t] += weight[(k * channels + i) * outs + o] * in[i][t + k * apart]
template <int COUNT>
TONECAST_INLINE void accumulate(Vec (&sum)[COUNT][WIDE], In in, int channels, int taps, std::ptrdiff_t apart,
                                const float* weight, int outs) {
    for (int k = 0; k < taps; ++k) {
        const float* from = in.at + k * apart;
        for (int i = 0; i < channels; ++i, from += in.stride, weight += outs) {
            Vec heard[WIDE];
            TONECAST_UNROLL for (int v = 0; v < WIDE; ++v) heard[v] = load(from + v * LANES);
            TONECAST_UNROLL for (int o = 0; o < COUNT; ++o) {
                const Vec by = spread(weight[o]);
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v) sum[o][v] += heard[v] * by;
            }
        }
    }
}

// Calls body.operator()<COUNT>(first) for blocks of at most MOST channels.
template <int COUNT, class Body>
TONECAST_INLINE void remainder_block(int first, int left, const Body& body) {
    if constexpr (COUNT > 0) {
        if (left == COUNT)
            body.template operator()<COUNT>(first);
        else
            remainder_block<COUNT - 1>(first, left, body);
    }
}

template <int MOST = OUTS, class Body>
TONECAST_INLINE void in_blocks(int channels, const Body& body) {
    int first = 0;
    for (; first + MOST <= channels; first += MOST) body.template operator()<MOST>(first);
    if (first < channels) remainder_block<MOST - 1>(first, channels - first, body);
}

// Halves groups of `GROUP` lanes of two vectors: their lower halves plus their upper ones, first of one, then of two.
template <int GROUP, int... LANE>
TONECAST_INLINE Vec halved(Vec one, Vec two, std::integer_sequence<int, LANE...>) {
    constexpr int half = GROUP / 2;
    const Vec low = __builtin_shufflevector(one, two, (LANE / half * GROUP + LANE % half)...);
    const Vec high = __builtin_shufflevector(one, two, (LANE / half * GROUP + LANE % half + half)...);
    return low + high;
}

// Sums each of COUNT (a power of two up to LANES) vectors over its lanes; the sums are the result's first lanes.
template <int COUNT, int GROUP = LANES>
TONECAST_INLINE Vec summed(const Vec (&parts)[COUNT]) {
    constexpr auto lanes = std::make_integer_sequence<int, LANES>{};
    if constexpr (COUNT > 1) {
        Vec folded[COUNT / 2];
        TONECAST_UNROLL for (int n = 0; n < COUNT / 2; ++n)
            folded[n] = halved<GROUP>(parts[2 * n], parts[2 * n + 1], lanes);
        return summed<COUNT / 2, GROUP / 2>(folded);
    } else if constexpr (GROUP > 1) {
        const Vec folded[1] = {halved<GROUP>(parts[0], parts[0], lanes)};
        return summed<1, GROUP / 2>(folded);
    } else {
        return parts[0];
    }
}

constexpr int power_of_two(int count) { return count <= 1 ? 1 : 2 * power_of_two((count + 1) / 2); }
constexpr int PAIRED = WIDE;  // second channels that a block of correlations holds

// product[i * outs + o] += sum over frames of one[o][t] * two[i][t]
template <int COUNT, int SECONDS>
TONECAST_INLINE void correlate_block(In one, In two, int frames, float* product, int outs) {
    constexpr int padded = power_of_two(COUNT);
    static_assert(padded <= LANES);
    Vec sum[SECONDS][padded] = {};
    for (int t = 0; t < frames; t += LANES) {
        Vec second[SECONDS];
        TONECAST_UNROLL for (int i = 0; i < SECONDS; ++i) second[i] = load(two.channel(i) + t);
        TONECAST_UNROLL for (int o = 0; o < COUNT; ++o) {
            const Vec first = held(load(one.channel(o) + t));
            TONECAST_UNROLL for (int i = 0; i < SECONDS; ++i) sum[i][o] += first * second[i];
        }
    }
    TONECAST_UNROLL for (int i = 0; i < SECONDS; ++i) {
        const Vec total = summed(sum[i]);
        TONECAST_UNROLL for (int o = 0; o < COUNT; ++o) product[i * outs + o] += total[o];
    }
}

TONECAST_INLINE void correlate(In one, int ones, In two, int twos, int frames, float* product) {
    in_blocks<(OUTS < LANES ? OUTS : LANES)>(ones, [&]<int COUNT>(int o) {
        const In first = {one.channel(o), one.stride};
        int i = 0;
        for (; i + PAIRED <= twos; i += PAIRED)
            correlate_block<COUNT, PAIRED>(first, {two.channel(i), two.stride}, frames, product + i * ones + o, ones);
        if (twos - i == 2)
            correlate_block<COUNT, 2>(first, {two.channel(i), two.stride}, frames, product + i * ones + o, ones);
        else if (twos - i == 1)
            correlate_block<COUNT, 1>(first, {two.channel(i), two.stride}, frames, product + i * ones + o, ones);
    });
}

TONECAST_INLINE void copy(float* to, const float* from, std::ptrdiff_t count) {
    __builtin_memcpy(to, from, count * sizeof(float));
}
TONECAST_INLINE void clear(float* to, std::ptrdiff_t count) { __builtin_memset(to, 0, count * sizeof(float)); }
