// Backward: tiles from the end of a row to its beginning, layers from the last to the first.
//
// Only activations are kept from forward. The input of a layer is that of the next one less what the layer added, so
// it is worked out on the way back, and the gradient of a pre-activation takes the place of its activation.

// Weights as (taps, channels out, channels in), each layer where its weights lie.
static void pack_transposed(const NetworkView& net, const float* weights, float* packed) {
    const int c = net.channels;
    for (int l = 0; l < net.layers; ++l) {
        const LayerView& layer = net.layer[l];
        float* to = packed + layer.convolution;
        for (int k = 0; k < layer.taps; ++k)
            for (int o = 0; o < c; ++o)
                for (int i = 0; i < c; ++i) *to++ = weights[layer.convolution + (o * c + i) * layer.taps + k];
    }
}

// A tile on its way back: what the next layer's input was, and its gradient; and ones and dry for the sums over frames.
struct TileSignals {
    Out input, gradient;
    Out ones_and_dry;
};

// From the gradient of a layer's output to that of its pre-activation, over [from, to) of the tile.
TONECAST_INLINE void back_through_residual(const NetworkView& net, const LayerView& layer, const float* packed,
                                           const float* weights, const TileSignals& s, Out activation, In head_gradient,
                                           bool is_last, float* product, int from, int to) {
    const int c = net.channels;
    if (!is_last) {
        const In gradient = static_cast<In>(s.gradient).moved(from);
        correlate(gradient, c, static_cast<In>(activation).moved(from), c, to - from, product + layer.residual);
        correlate(gradient, c, static_cast<In>(s.ones_and_dry).moved(from), 1, to - from, product + layer.residual_bias);
    }
    for (int t = from; t < to; t += BLOCK) {
        if (!is_last)
            in_blocks(c, [&]<int COUNT>(int o) {
                Vec sum[COUNT][WIDE];
                TONECAST_UNROLL for (int n = 0; n < COUNT; ++n) {
                    const Vec bias = spread(packed[layer.residual_bias + o + n]);
                    TONECAST_UNROLL for (int v = 0; v < WIDE; ++v) sum[n][v] = bias;
                }
                accumulate<COUNT>(sum, static_cast<In>(activation).moved(t), c, 1, 0, packed + layer.residual + o, c);
                TONECAST_UNROLL for (int n = 0; n < COUNT; ++n)
                    TONECAST_UNROLL for (int v = 0; v < WIDE; ++v) {
                        float* h = s.input.channel(o + n) + t + v * LANES;
                        store(h, load(h) - sum[n][v]);
                    }
            });
        in_blocks(c, [&]<int COUNT>(int o) {
            Vec sum[COUNT][WIDE];
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n)
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v)
                    sum[n][v] = load(head_gradient.channel(o + n) + t + v * LANES);
            if (!is_last)
                accumulate<COUNT>(sum, static_cast<In>(s.gradient).moved(t), c, 1, 0, weights + layer.residual + o, c);
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n)
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v) {
                    float* a = activation.channel(o + n) + t + v * LANES;
                    store(a, load(a) > 0 ? sum[n][v] : sum[n][v] * net.slope);
                }
        });
    }
}

// From the gradient of pre-activations, now in place of the activations, to that of the layer's input.
TONECAST_INLINE void back_through_convolution(const NetworkView& net, const LayerView& layer, const float* transposed,
                                              const TileSignals& s, In gradient, In coming, float* product, int from,
                                              int to) {
    const int c = net.channels;
    // The many channels of a block of correlations are those that lie on whole cache lines, which load faster.
    for (int k = 0; k < layer.taps; ++k)
        correlate(static_cast<In>(s.input).moved(from), c, gradient.moved(from + layer.span - k * layer.dilation), c,
                  to - from, product + layer.convolution + k * c * c);
    for (int t = from; t < to; t += BLOCK)
        in_blocks(c, [&]<int COUNT>(int i) {
            fetch<COUNT>(coming, i, t);
            Vec sum[COUNT][WIDE];
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n)
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v)
                    sum[n][v] = load(s.gradient.channel(i + n) + t + v * LANES);
            accumulate<COUNT>(sum, gradient.moved(t + layer.span), c, layer.taps, -layer.dilation,
                              transposed + layer.convolution + i, c);
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n)
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v)
                    store(s.gradient.channel(i + n) + t + v * LANES, sum[n][v]);
        });
}

// The head's gradients over [from, to) of the row; `head_gradient` is laid out on the tile that begins at t0.
TONECAST_INLINE void back_through_head(const NetworkView& net, const PlanView& plan, const float* packed,
                                       const TraceView& trace, Out head_gradient, float* product, int t0, int from,
                                       int to) {
    const int c = net.channels, past = net.head_taps - 1;
    const In wet = {trace.output_gradient, plan.stride};
    const In head_input = {trace.head_input + from, plan.stride};
    for (int k = 0; k < net.head_taps; ++k)
        correlate(head_input, c, wet.moved(from + past - k), 1, to - from, product + net.head + k * c);
    for (int t = from; t < to; t += BLOCK)
        in_blocks(c, [&]<int COUNT>(int i) {
            Vec sum[COUNT][WIDE] = {};
            accumulate<COUNT>(sum, wet.moved(t + past), 1, net.head_taps, -1, packed + net.head + i, c);
            TONECAST_UNROLL for (int n = 0; n < COUNT; ++n)
                TONECAST_UNROLL for (int v = 0; v < WIDE; ++v)
                    store(head_gradient.channel(i + n) + t - t0 + v * LANES, sum[n][v]);
        });
}

// What a convolution's taps heard before the frame to which backward goes: their gradients are learnt from, the inputs'
// own are not.
TONECAST_INLINE void learn_from_past(const NetworkView& net, const PlanView& plan, int l, const TraceView& trace,
                                     float* product) {
    const LayerView& layer = net.layer[l];
    const int c = net.channels, length = rounded_to_lanes(layer.span);
    const int begin = plan.begins[l + 1] > plan.back_to ? plan.begins[l + 1] : plan.back_to;
    const Out gradient = {trace.activations + l * c * plan.stride, plan.stride};
    if (begin == plan.back_to)  // what lies before has none, and the first vector below may reach there
        for (int i = 0; i < c; ++i) clear(gradient.channel(i) + begin - LANES, LANES);
    for (int k = 0; k < layer.taps; ++k) {
        const int delay = layer.span - k * layer.dilation, heard = plan.back_to - begin + delay;
        if (heard <= 0) break;
        const int frames = (heard + LANES - 1) / LANES * LANES;
        const In past = {trace.pasts + layer.past + length - frames, length};
        correlate(past, c, static_cast<In>(gradient).moved(plan.back_to - frames + delay), c, frames,
                  product + layer.convolution + k * c * c);
    }
}

// Sums lie as the blocks make them, (taps, channels out, channels in) and (channels in, channels out); put them in the
// weights' own order.
static void unpack(const NetworkView& net, const float* product, float* gradient) {
    const int c = net.channels;
    for (int l = 0; l < net.layers; ++l) {
        const LayerView& layer = net.layer[l];
        const float* from = product + layer.convolution;
        for (int k = 0; k < layer.taps; ++k)
            for (int o = 0; o < c; ++o)
                for (int i = 0; i < c; ++i) gradient[layer.convolution + (o * c + i) * layer.taps + k] = *from++;
        copy(gradient + layer.bias, product + layer.bias, 2 * c);
        for (int i = 0; i < c; ++i)
            for (int o = 0; o < c; ++o) gradient[layer.residual + o * c + i] = product[layer.residual + i * c + o];
        copy(gradient + layer.residual_bias, product + layer.residual_bias, c);
    }
    copy(gradient, product, c);
    for (int k = 0; k < net.head_taps; ++k)
        for (int i = 0; i < c; ++i) gradient[net.head + i * net.head_taps + k] = product[net.head + k * c + i];
}

static void backward(const NetworkView& net, const PlanView& plan, const float* weights, const TraceView& trace,
                     float* gradient, float* scratch) {
    const int c = net.channels, last = net.layers - 1;
    const std::ptrdiff_t tile = spaced(TILE + STEP);
    float* packed = scratch;
    float* transposed = packed + spaced(net.weight_count);
    float* product = transposed + spaced(net.weight_count);
    float* floats = product + spaced(net.weight_count);
    const TileSignals signals = {{floats, tile}, {floats + c * tile, tile}, {floats + 2 * c * tile, tile}};
    const Out head_gradient = {floats + (2 * c + 2) * tile, tile};
    pack(net, weights, packed);
    pack_transposed(net, weights, transposed);
    clear(product, net.weight_count);
    for (int t = 0; t < TILE; ++t) signals.ones_and_dry.at[t] = 1;

    const int tiles = (plan.length - plan.back_to + TILE - 1) / TILE;
    for (int t0 = plan.back_to + (tiles - 1) * TILE; t0 >= plan.back_to; t0 -= TILE) {
        const int t1 = t0 + TILE < plan.length ? t0 + TILE : plan.length;
        copy(signals.ones_and_dry.channel(1), trace.dry + t0, t1 - t0);
        for (int i = 0; i < c; ++i) clear(signals.gradient.channel(i), t1 - t0);
        const int head_from = plan.begins[net.layers] > t0 ? plan.begins[net.layers] : t0;
        for (int i = 0; i < c; ++i) clear(head_gradient.channel(i), t1 - t0);
        if (head_from < t1) back_through_head(net, plan, packed, trace, head_gradient, product, t0, head_from, t1);
        for (int l = last; l >= 0; --l) {
            const LayerView& layer = net.layer[l];
            const int begin = plan.begins[l + 1], input_begin = plan.begins[l];
            const int from = begin > t0 ? begin : t0, input_from = input_begin > t0 ? input_begin : t0;
            const Out own = {trace.activations + l * c * plan.stride + t0, plan.stride};
            if (input_from >= t1) continue;
            if (l == last)
                for (int i = 0; i < c; ++i)
                    copy(signals.input.channel(i) + input_from - t0, trace.last_input + i * plan.stride + input_from,
                         t1 - input_from);
            if (from < t1) {
                back_through_residual(net, layer, packed, weights, signals, own, head_gradient, l == last, product,
                                      from - t0, t1 - t0);
                // Of ones the bias, of dry the mix: the two lie side by side.
                correlate(static_cast<In>(own).moved(from - t0), c, static_cast<In>(signals.ones_and_dry).moved(from - t0),
                          2, t1 - from, product + layer.bias);
            }
            const int known = begin < t1 ? begin : t1;
            for (int i = 0; i < c && input_from < known; ++i)
                copy(signals.input.channel(i) + input_from - t0,
                     trace.edges + layer.edge + i * (begin - input_begin) + input_from - input_begin,
                     known - input_from);
            const In coming = l > 0 ? In{own.at - c * plan.stride, plan.stride} : In{nullptr, 0};
            back_through_convolution(net, layer, transposed, signals, own, coming, product, input_from - t0, t1 - t0);
        }
        correlate(signals.gradient, c, {signals.ones_and_dry.channel(1), tile}, 1, t1 - t0, product);
    }
    for (int l = 0; l <= last && plan.back_to > 0; ++l) learn_from_past(net, plan, l, trace, product);
    unpack(net, product, gradient);
    float bias = 0;
    for (int t = plan.lead; t < plan.lead + plan.frames; ++t) bias += trace.output_gradient[t];
    gradient[net.weight_count - 1] = bias;
}

static std::size_t scratch_size(const NetworkView& net) {
    const std::size_t c = net.channels, tile = spaced(TILE + STEP);
    const std::size_t playing = spaced(net.weight_count) + Sliding::size(net) + c * tile
                                + c * spaced(net.head_taps + TILE + STEP) + 2 * (TILE + STEP) + 2 * c * tile;
    const std::size_t training = 3 * spaced(net.weight_count) + (3 * c + 2) * tile;
    return playing > training ? playing : training;
}
