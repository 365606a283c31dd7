// The shape of a convolutional effect: its layers, where its weights lie, and how far back it hears.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace tonecast {

// One dilated layer: z = conv(h) + mix * dry, a = leaky(z), head sum += a, next h = h + W a + b.
struct Layer {
    int taps;
    int dilation;
    int span() const { return (taps - 1) * dilation; }
};

// Where one layer's weights begin in the flat vector, in the order of a `.nam` file.
struct LayerWeights {
    std::size_t convolution;  // (channels out, channels in, taps)
    std::size_t bias;         // (channels)
    std::size_t mix;          // (channels)
    std::size_t residual;     // (channels out, channels in)
    std::size_t residual_bias;
};

// Residual layers whose activations are summed and go through one last convolution, as WaveNet's (van den Oord et al.
// 2016) in the form of Neural Amp Modeler's A2.
class Shape {
public:
    Shape(int channels, std::vector<Layer> layers, int head_taps, float slope)
        : channels(channels), layers(std::move(layers)), head_taps(head_taps), slope(slope) {
        if (channels < 1 || channels > 64 || head_taps < 1 || head_taps > 4096 || this->layers.empty()
            || this->layers.size() > 256 || !(slope >= 0 && slope <= 1))
            throw std::invalid_argument("a convolutional effect has 1 to 64 channels and 1 to 256 layers");
        const std::size_t c = channels;
        std::size_t at = c;
        history = head_taps - 1;
        for (const Layer& layer : this->layers) {
            if (layer.taps < 1 || layer.taps > 256 || layer.dilation < 1 || layer.dilation > 65536)
                throw std::invalid_argument("a layer has 1 to 256 taps, 1 to 65536 frames apart");
            LayerWeights own{};
            own.convolution = at;
            own.bias = own.convolution + c * c * layer.taps;
            own.mix = own.bias + c;
            own.residual = own.mix + c;
            own.residual_bias = own.residual + c * c;
            at = own.residual_bias + c;
            weights.push_back(own);
            history += layer.span();
        }
        head = at;
        weight_count = head + c * head_taps + 1;
    }

    int channels;
    std::vector<Layer> layers;
    int head_taps;
    float slope;  // of the activation below zero

    std::vector<LayerWeights> weights;  // the first `channels` weights bring the dry to the channels
    std::size_t head = 0;               // (channels, taps), then one bias
    std::size_t weight_count = 0;
    int history = 0;  // frames before an output that matter to it
};

}  // namespace tonecast
