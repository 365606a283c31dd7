// Forward: the layers of a tile, shared by training rows and by playing, which differ in what they keep.

// Weights in the order in which the blocks read them: (taps, channels in, channels out).
static void pack(const NetworkView& net, const float* weights, float* packed) {
    const int c = net.channels;
    for (int l = 0; l < net.layers; ++l) {
        const LayerView& layer = net.layer[l];
        const float* from = weights + layer.convolution;
        float* to = packed + layer.convolution;
        for (int k = 0; k < layer.taps; ++k)
            for (int i = 0; i < c; ++i)
                for (int o = 0; o < c; ++o) *to++ = from[(o * c + i) * layer.taps + k];
        copy(packed + layer.bias, weights + layer.bias, 2 * c);
        for (int i = 0; i < c; ++i)
            for (int o = 0; o < c; ++o) packed[layer.residual + i * c + o] = weights[layer.residual + o * c + i];
        copy(packed + layer.residual_bias, weights + layer.residual_bias, c);
    }
    copy(packed, weights, c);
    for (int k = 0; k < net.head_taps; ++k)
        for (int i = 0; i < c; ++i) packed[net.head + k * c + i] = weights[net.head + i * net.head_taps + k];
    packed[net.weight_count - 1] = weights[net.weight_count - 1];
}

TONECAST_INLINE void to_channels(const NetworkView& net, const float* packed, const float* dry, Out h, int from, int to) {
    for (int i = 0; i < net.channels; ++i)
        for (int t = from; t < to; t += LANES) store(h.channel(i) + t, load(dry + t) * packed[i]);
}

// `film` is scales and shifts of this layer for each frame, (2, channels, film_stride), or null.
struct LayerSignals {
    In dry, input;
    Out activation, head_input, next;  // next.at is null for the last layer
    In film;
    In coming;  // where the next activations will be kept, or null
};

template <bool HAS_FILM>
TONECAST_INLINE void run_layer(const NetworkView& net, const LayerView& layer, const float* packed,
                               const LayerSignals& s, int from, int to) {
    const int c = net.channels;
    for (int t = from; t < to; t += BLOCK) {
        in_blocks(c, [&]<int COUNT>(int o) {
            fetch<COUNT>(s.coming, o, t);
            Vec sum[COUNT][WIDE];
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n) {
                const Vec bias = spread(packed[layer.bias + o + n]), mix = spread(packed[layer.mix + o + n]);
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v)
                    sum[n][v] = bias + mix * load(s.dry.at + t + v * LANES);
            }
            accumulate<COUNT>(sum, s.input.moved(t - layer.span), c, layer.taps, layer.dilation,
                              packed + layer.convolution + o, c);
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n) {
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v) {
                    Vec z = sum[n][v];
                    const std::ptrdiff_t at = t + v * LANES;
                    if constexpr (HAS_FILM)
                        z = z * load(s.film.channel(o + n) + at) + load(s.film.channel(c + o + n) + at);
                    const Vec bent = z * net.slope;
                    const Vec a = z > bent ? z : bent;
                    store(s.activation.channel(o + n) + at, a);
                    float* head = s.head_input.channel(o + n) + at;
                    store(head, load(head) + a);
                }
            }
        });
        if (s.next.at == nullptr) continue;
        in_blocks(c, [&]<int COUNT>(int o) {
            Vec sum[COUNT][WIDE];
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n) {
                const Vec bias = spread(packed[layer.residual_bias + o + n]);
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v)
                    sum[n][v] = bias + load(s.input.channel(o + n) + t + v * LANES);
            }
            accumulate<COUNT>(sum, static_cast<In>(s.activation).moved(t), c, 1, 0, packed + layer.residual + o, c);
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n)
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v) store(s.next.channel(o + n) + t + v * LANES, sum[n][v]);
        });
    }
}

TONECAST_INLINE void run_head(const NetworkView& net, const float* packed, In head_input, float* wet, int from, int to) {
    const Vec bias = spread(packed[net.weight_count - 1]);
    for (int t = from; t < to; t += BLOCK) {
        Vec sum[1][WIDE] = {{bias, bias, bias}};
        accumulate<1>(sum, head_input.moved(t - net.head_taps + 1), net.channels, net.head_taps, 1, packed + net.head,
                      1);
        TONECAST_UNROLL for (int v = 0; v < WIDE; ++v) store(wet + t + v * LANES, sum[0][v]);
    }
}

// Scratch: packed weights, then for each layer its input over its span and a tile.
struct Sliding {
    Out input(const NetworkView& net, int l) const {
        float* at = floats;
        for (int n = 0; n < l; ++n) at += net.channels * spaced(net.layer[n].span + TILE + STEP);
        return {at + net.layer[l].span, spaced(net.layer[l].span + TILE + STEP)};
    }
    static std::size_t size(const NetworkView& net) {
        std::size_t total = 0;
        for (int n = 0; n < net.layers; ++n) total += net.channels * spaced(net.layer[n].span + TILE + STEP);
        return total;
    }
    float* floats;
};

TONECAST_INLINE void slide(const NetworkView& net, int l, Out input, int frames) {
    const int span = net.layer[l].span;
    for (int i = 0; i < net.channels; ++i)
        __builtin_memmove(input.channel(i) - span, input.channel(i) - span + frames, span * sizeof(float));
}

// Keeps what of a tile's input lies within the layer's span before the frame to which backward goes.
TONECAST_INLINE void keep_past(const LayerView& layer, int back_to, int channels, Out input, float* past, int t0,
                               int t1) {
    const int length = rounded_to_lanes(layer.span), begin = back_to - length;
    const int from = begin > t0 ? begin : t0, to = back_to < t1 ? back_to : t1;
    for (int i = 0; i < channels && from < to; ++i)
        copy(past + i * length + from - begin, input.channel(i) + from - t0, to - from);
}

static void forward(const NetworkView& net, const PlanView& plan, const float* weights, const TraceView& trace,
                    float* wet, float* scratch) {
    const int c = net.channels, last = net.layers - 1;
    float* packed = scratch;
    pack(net, weights, packed);
    const Sliding sliding{scratch + spaced(net.weight_count)};
    clear(sliding.floats, Sliding::size(net));
    const Out passing = {sliding.floats + Sliding::size(net), spaced(TILE + STEP)};
    const Out head_input = {trace.head_input, plan.stride};
    for (int t0 = 0; t0 < plan.length; t0 += TILE) {
        const int t1 = t0 + TILE < plan.length ? t0 + TILE : plan.length;
        const float* dry = trace.dry + t0;
        for (int i = 0; i < c; ++i) clear(head_input.channel(i) + t0, t1 - t0);
        Out input = sliding.input(net, 0);
        to_channels(net, packed, dry, input, 0, t1 - t0);
        for (int l = 0; l <= last; ++l) {
            const LayerView& layer = net.layer[l];
            const int begin = plan.begins[l + 1];
            const int known = plan.begins[l] > t0 ? plan.begins[l] : t0;
            if (known >= t1) break;
            for (int i = 0; i < c && known < begin; ++i)
                copy(trace.edges + layer.edge + i * (begin - plan.begins[l]) + known - plan.begins[l],
                     input.channel(i) + known - t0, (begin < t1 ? begin : t1) - known);
            keep_past(layer, plan.back_to, c, input, trace.pasts + layer.past, t0, t1);
            if (l == last)
                for (int i = 0; i < c; ++i)
                    copy(trace.last_input + i * plan.stride + known, input.channel(i) + known - t0, t1 - known);
            const int from = begin > t0 ? begin : t0;
            const Out next = l < last ? sliding.input(net, l + 1) : Out{nullptr, 0};
            const Out kept = {trace.activations + l * c * plan.stride + t0, plan.stride};
            const bool keeps = t1 > plan.back_to;
            const In coming = keeps && l < last ? In{kept.at + c * plan.stride, plan.stride} : In{nullptr, 0};
            if (from < t1)
                run_layer<false>(
                    net, layer, packed,
                    {{dry, 0}, input, keeps ? kept : passing, head_input.moved(t0), next, {}, coming}, from - t0, t1 - t0);
            slide(net, l, input, t1 - t0);
            input = next;
        }
        const int begin = plan.lead > t0 ? plan.lead : t0;
        if (begin >= t1) continue;
        float* out = trace.output_gradient;  // free until backward: the last block may go beyond what was asked for
        run_head(net, packed, head_input, out, begin, t1);
        const int end = t1 < plan.lead + plan.frames ? t1 : plan.lead + plan.frames;
        if (begin < end) copy(wet + begin - plan.lead, out + begin, end - begin);
    }
}

// State: for each layer the last frames that it still hears, (channels, span), then the head's, (channels, taps - 1).
static void play(const NetworkView& net, const float* weights, const float* dry, const float* film, float* wet,
                 int frames, float* state, float* scratch) {
    const int c = net.channels, last = net.layers - 1, past = net.head_taps - 1;
    float* packed = scratch;
    pack(net, weights, packed);
    const Sliding sliding{scratch + spaced(net.weight_count)};
    float* floats = sliding.floats + Sliding::size(net);
    const Out activation = {floats, spaced(TILE + STEP)};
    floats += c * activation.stride;
    const Out head_input = {floats + past, spaced(past + TILE + STEP)};
    floats += c * head_input.stride;
    float* dry_tile = floats;
    float* wet_tile = dry_tile + TILE + STEP;
    const Out film_tile = {wet_tile + TILE + STEP, spaced(TILE + STEP)};

    float* kept = state;
    for (int l = 0; l <= last; ++l) {
        const Out input = sliding.input(net, l);
        for (int i = 0; i < c; ++i, kept += net.layer[l].span)
            copy(input.channel(i) - net.layer[l].span, kept, net.layer[l].span);
    }
    for (int i = 0; i < c; ++i, kept += past) copy(head_input.channel(i) - past, kept, past);

    for (int t0 = 0; t0 < frames; t0 += TILE) {
        const int count = t0 + TILE < frames ? TILE : frames - t0;
        const int padded = (count + BLOCK - 1) / BLOCK * BLOCK;
        copy(dry_tile, dry + t0, count);
        clear(dry_tile + count, padded - count);
        for (int i = 0; i < c; ++i) clear(head_input.channel(i), padded);
        Out input = sliding.input(net, 0);
        to_channels(net, packed, dry_tile, input, 0, padded);
        for (int l = 0; l <= last; ++l) {
            const Out next = l < last ? sliding.input(net, l + 1) : Out{nullptr, 0};
            const LayerSignals signals = {{dry_tile, 0}, input, activation, head_input, next, film_tile, {nullptr, 0}};
            if (film != nullptr) {
                for (int i = 0; i < 2 * c; ++i) {
                    copy(film_tile.channel(i), film + (std::ptrdiff_t(l) * 2 * c + i) * frames + t0, count);
                    clear(film_tile.channel(i) + count, padded - count);
                }
                run_layer<true>(net, net.layer[l], packed, signals, 0, padded);
            } else {
                run_layer<false>(net, net.layer[l], packed, signals, 0, padded);
            }
            slide(net, l, input, count);
            input = next;
        }
        run_head(net, packed, head_input, wet_tile, 0, padded);
        copy(wet + t0, wet_tile, count);
        for (int i = 0; i < c; ++i)
            __builtin_memmove(head_input.channel(i) - past, head_input.channel(i) - past + count,
                              past * sizeof(float));
    }

    kept = state;
    for (int l = 0; l <= last; ++l) {
        const Out input = sliding.input(net, l);
        for (int i = 0; i < c; ++i, kept += net.layer[l].span)
            copy(kept, input.channel(i) - net.layer[l].span, net.layer[l].span);
    }
    for (int i = 0; i < c; ++i, kept += past) copy(kept, head_input.channel(i) - past, past);
}
