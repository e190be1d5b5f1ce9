"""Rewrite CenterFace with fewer operations, and in 8 bits.

usage: centerface.py SOURCE RESULT             the same function in fp32
       centerface.py SOURCE RESULT --int8      8 bits, for live frames

The 8-bit network reads the bytes of a frame as they are: its input is u8 [N, H/2, W/2, 12], each cell the RGB pixels of
a square of 2 x 2 (channel = (2 dy + dx) 3 + c). Activations are unsigned, in the ranges that calibrate.py measured;
weights are signed, with a scale for each channel. The heads stay in fp32. The conversion runs no network, so that its
result has the same bytes on every processor.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import tidy
from prelu import drop_unused_weights

OPSET = 17
RANGES = Path(__file__).with_name("centerface_ranges.json")
# One convolution writes all maps; the spare channel makes their number a multiple of four.
HEADS = {"heat": 1, "scale": 2, "offset": 2, "landmarks": 10, "spare": 1}


class Graph:
    """A network whose weights are arrays."""

    def __init__(self, model):
        self.model = model
        self.nodes = list(model.graph.node)
        self.weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}

    def finished(self):
        graph = self.model.graph
        del graph.node[:]
        graph.node.extend(self.nodes)
        del graph.initializer[:]
        for name, values in self.weights.items():
            graph.initializer.append(numpy_helper.from_array(np.array(values, order="C"), name))
        drop_unused_weights(graph)
        del graph.value_info[:]
        del self.model.opset_import[:]
        self.model.opset_import.append(helper.make_opsetid("", OPSET))
        onnx.checker.check_model(self.model)
        return self.model

    def weight(self, name, values, kind=np.float32):
        self.weights[name] = np.asarray(values).astype(kind)
        return name

    def values(self, node, index):
        return self.weights[node.input[index]].astype(np.float64)

    def of_kind(self, kind):
        return [node for node in self.nodes if node.op_type == kind]

    def writer(self, tensor):
        return next((node for node in self.nodes if tensor in node.output), None)

    def readers(self, tensor):
        return [node for node in self.nodes if tensor in node.input]

    def replace(self, old, new):
        """Put the nodes `new` where the first of `old` was."""
        at = self.nodes.index(old[0])
        self.nodes = [node for node in self.nodes if not any(node is gone for gone in old)]
        self.nodes[at:at] = new


def conv(inputs, output, **attributes):
    return helper.make_node("Conv", inputs, [output], output, **{"kernel_shape": [1, 1]} | attributes)


def attributes(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def fuse_convolutions(graph):
    """Join two 1x1 convolutions with nothing between them, where one takes fewer operations."""
    for second in graph.of_kind("Conv"):
        first = graph.writer(second.input[0])
        if first is None or first.op_type != "Conv" or len(graph.readers(first.output[0])) > 1:
            continue
        w1, w2 = graph.values(first, 1), graph.values(second, 1)
        if w1.shape[2:] != (1, 1) or w2.shape[2:] != (1, 1) or attributes(first)["group"] > 1:
            continue
        w1, w2 = w1[:, :, 0, 0], w2[:, :, 0, 0]
        if w2.shape[0] * w1.shape[1] >= w1.size + w2.size:
            continue
        output = second.output[0]
        weight = graph.weight(f"{output}.weight", (w2 @ w1)[:, :, None, None])
        bias = graph.weight(f"{output}.bias", w2 @ graph.values(first, 2) + graph.values(second, 2))
        graph.replace([second], [conv([first.input[0], weight, bias], output)])
        graph.nodes.remove(first)


def fold_normalisation(graph):
    """Fold the batch normalisation that follows a transposed convolution into its weights."""
    for normal in graph.of_kind("BatchNormalization"):
        upward = graph.writer(normal.input[0])
        gain, bias, mean, variance = (graph.values(normal, index) for index in (1, 2, 3, 4))
        gain = gain / np.sqrt(variance + attributes(normal)["epsilon"])
        output = normal.output[0]
        weight = graph.weight(f"{output}.weight", graph.values(upward, 1) * gain[None, :, None, None])
        bias = graph.weight(f"{output}.bias", bias - mean * gain)
        inputs = [upward.input[0], weight, bias]
        folded = helper.make_node("ConvTranspose", inputs, [output], output, **attributes(upward))
        graph.replace([normal], [folded])
        graph.nodes.remove(upward)


def merge_heads(graph):
    """One convolution for all maps instead of one for each."""
    heat = graph.writer("heatmap").input[0]
    names = {"heat": heat} | {name: name for name in HEADS if name not in ("heat", "spare")}
    heads = [graph.writer(name) for name in names.values()]
    weight = np.concatenate([graph.values(head, 1) for head in heads])
    bias = np.concatenate([graph.values(head, 2) for head in heads])
    spare = np.zeros((HEADS["spare"], *weight.shape[1:]))
    weight = graph.weight("heads.weight", np.concatenate([weight, spare]))
    bias = graph.weight("heads.bias", np.concatenate([bias, np.zeros(HEADS["spare"])]))
    sizes = graph.weight("heads.sizes", list(HEADS.values()), np.int64)
    merged = conv([heads[0].input[0], weight, bias], "heads")
    outputs = [names.get(name, name) for name in HEADS]
    split = helper.make_node("Split", ["heads", sizes], outputs, "split", axis=1)
    graph.replace(heads, [merged, split])


def shuffle_upward(graph):
    """A transposed convolution of 2x2 with a stride of 2 as a 1x1 convolution to four times the channels, whose results
    then move to their places: this keeps to 8 bits."""
    for upward in graph.of_kind("ConvTranspose"):
        (relu,) = graph.readers(upward.output[0])
        name, output = upward.output[0], relu.output[0]
        weights = graph.values(upward, 1)
        inside, outside = weights.shape[:2]
        flat = weights.transpose(2, 3, 1, 0).reshape(4 * outside, inside)
        weight = graph.weight(f"{name}.flat", flat[:, :, None, None])
        bias = graph.weight(f"{name}.tiled", np.tile(graph.values(upward, 2), 4))
        nodes = [
            conv([upward.input[0], weight, bias], name),
            helper.make_node("Relu", [name], [f"{output}.flat"], f"{output}.flat"),
            helper.make_node("DepthToSpace", [f"{output}.flat"], [output], output, blocksize=2, mode="DCR"),
        ]
        graph.replace([upward], nodes)
        graph.nodes.remove(relu)


def read_squares(graph):
    """The first convolution, 3x3 with a stride of 2, as one of 2x2 over the twelve channels of squares of pixels."""
    (first,) = graph.readers("input")
    weights = graph.values(first, 1)
    squares = np.zeros((weights.shape[0], 12, 2, 2))
    for y, (cell_y, dy) in enumerate([(0, 1), (1, 0), (1, 1)]):
        for x, (cell_x, dx) in enumerate([(0, 1), (1, 0), (1, 1)]):
            channel = (2 * dy + dx) * 3
            squares[:, channel : channel + 3, cell_y, cell_x] = weights[:, :, y, x]
    weight = graph.weight("squares.weight", squares)
    inputs = ["input", weight, first.input[2]]
    shape = {"kernel_shape": [2, 2], "strides": [1, 1], "pads": [1, 1, 0, 0]}
    graph.replace([first], [conv(inputs, first.output[0], **shape)])
    graph.model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 12


def activations(graph):
    """The tensors that are kept in 8 bits, in the order in which they are computed."""
    kept = ["input"]
    for node in graph.nodes:
        if node.output[0] == "heads":
            break
        readers = graph.readers(node.output[0])
        if not all(reader.op_type == "Relu" for reader in readers):
            kept.append(node.output[0])
    return kept


def quantise(graph, ranges):
    """Wrap each activation and each weight before the heads into QuantizeLinear and DequantizeLinear, which ONNX Runtime
    turns into integer arithmetic."""
    scales = {"input": (1.0, 0)} | {name: scale_of(*ranges[name]) for name in activations(graph) if name != "input"}
    nodes = [helper.make_node("Transpose", ["input"], ["input.q"], "input.q", perm=[0, 3, 1, 2])]
    nodes += dequantised(graph, "input", *scales["input"])
    for node in graph.nodes:
        if node.op_type == "Conv" and node.output[0] != "heads":
            nodes += quantised_weights(graph, node, scales[node.input[0]][0])
        for index, name in enumerate(node.input):
            if name in scales:
                node.input[index] = f"{name}.8"
        nodes.append(node)
        name = node.output[0]
        if name in scales:
            steps = [f"{name}.step", f"{name}.zero"]
            nodes.append(helper.make_node("QuantizeLinear", [name, *steps], [f"{name}.q"], f"{name}.q"))
            nodes += dequantised(graph, name, *scales[name])
    graph.nodes = nodes
    shape = ["N", "H/2", "W/2", 12]
    graph.model.graph.input[0].CopyFrom(helper.make_tensor_value_info("input", TensorProto.UINT8, shape))


def scale_of(low, high):
    """Step and zero point of the unsigned 8-bit values that cover a range."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = np.float32((high - low) / 255)
    return step, int(np.clip(np.rint(-low / step), 0, 255))


def dequantised(graph, name, step, zero):
    step = graph.weight(f"{name}.step", step)
    zero = graph.weight(f"{name}.zero", zero, np.uint8)
    return [helper.make_node("DequantizeLinear", [f"{name}.q", step, zero], [f"{name}.8"], f"{name}.8")]


def largest_weight(graph, node):
    """x86 processors without VNNI add two products of an activation (at most 255) and a weight in 16 bits. Only the sums
    of weights up to 64 never overflow there. Convolutions of single channels are computed in 32 bits everywhere."""
    is_of_single_channels = graph.values(node, 1).shape[1] == 1
    return 127 if is_of_single_channels else 64


def quantised_weights(graph, node, input_step):
    """Signed weights of 8 bits or less with a step for each output channel, and the bias in 32 bits."""
    name = node.output[0]
    weights, bias = graph.values(node, 1), graph.values(node, 2)
    largest, limit = np.abs(weights).reshape(len(weights), -1).max(1), largest_weight(graph, node)
    steps = (np.maximum(largest, 1e-12) / limit).astype(np.float32)
    rounded = np.rint(weights / steps.astype(np.float64)[:, None, None, None])
    graph.weight(f"{name}.w.q", np.clip(rounded, -limit, limit), np.int8)
    graph.weight(f"{name}.w.step", steps)
    graph.weight(f"{name}.w.zero", np.zeros(len(weights)), np.int8)
    bias_steps = (steps * np.float32(input_step)).astype(np.float32)
    graph.weight(f"{name}.b.q", np.rint(bias / bias_steps.astype(np.float64)), np.int32)
    graph.weight(f"{name}.b.step", bias_steps)
    graph.weight(f"{name}.b.zero", np.zeros(len(bias)), np.int32)
    node.input[1], node.input[2] = f"{name}.w", f"{name}.b"
    parts = [[f"{name}.{kind}.{part}" for part in ("q", "step", "zero")] for kind in ("w", "b")]
    return [helper.make_node("DequantizeLinear", part, [part[0][:-2]], part[0][:-2], axis=0) for part in parts]


def rewritten(source):
    """The network in fp32 with fewer operations."""
    model = onnx.load(source)
    tidy.tidy(model, tidy.RECIPES["centerface"])
    graph = Graph(model)
    fuse_convolutions(graph)
    fold_normalisation(graph)
    merge_heads(graph)
    return graph


def before_quantisation(source):
    """The network as it is quantised, still in fp32."""
    graph = rewritten(source)
    shuffle_upward(graph)
    read_squares(graph)
    return graph


def main():
    source, result, *options = sys.argv[1:]
    if options == ["--int8"]:
        graph = before_quantisation(source)
        quantise(graph, json.loads(RANGES.read_text()))
    else:
        graph = rewritten(source)
    onnx.save(graph.finished(), result)


if __name__ == "__main__":
    main()
