"""Convert dlib's face recognition ResNet (a serialised C++ object) to ONNX, without dlib.

usage: dlib.py MODEL.dat RESULT.onnx

The stream holds the layers innermost first, so that scanning for their version tags yields them
in the order of execution. Each `affine` layer (a frozen batch normalisation) is folded into the
convolution before it.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
SIDE = 150  # pixels of the input
LENGTH = 128  # of the embedding
MEAN = (122.782, 117.001, 104.298)
# True: the block halves the resolution.
BLOCKS = [False] * 3 + [True] + [False] * 3 + ([True] + [False] * 2) * 2 + [True]


class Convolution(NamedTuple):
    values: np.ndarray  # kernel, then bias when there is one
    filters: int
    side: int  # of the kernel
    stride: int
    padding: int


class Stream:
    """dlib's serialisation: integers carry their length, tensors their shape."""

    TAGS = (b"\x01\x05con_4", b"\x01\x05con_5", b"\x01\x07affine_", b"\x01\x04fc_2")

    def __init__(self, data):
        self.data = data
        self.position = 0

    def integer(self):
        head = self.data[self.position]
        start, end = self.position + 1, self.position + 1 + (head & 0x0F)
        value = int.from_bytes(self.data[start:end], "little")
        self.position = end
        return -value if head & 0x80 else value

    def tensor(self):
        if self.integer() != 2:
            raise ValueError("unknown version of a tensor")
        count = int(np.prod([self.integer() for _ in range(4)]))
        values = np.frombuffer(self.data, "<f4", count, self.position)
        self.position += 4 * count
        return values.copy()

    def next_tag(self):
        found = [(self.data.find(tag, self.position), tag) for tag in self.TAGS]
        start, tag = min((f for f in found if f[0] >= 0), default=(-1, None))
        if tag:
            self.position = start + len(tag)
        return tag

    def layers(self):
        while tag := self.next_tag():
            if tag.endswith(b"affine_"):
                yield self.tensor()
            elif tag.endswith(b"fc_2"):
                self.integer(), self.integer()
                yield self.tensor()
            else:
                yield self.convolution()

    def convolution(self):
        values = self.tensor()
        filters, rows, _, stride, _, padding, _ = (self.integer() for _ in range(7))
        return Convolution(values, filters, rows, stride, padding)


class Network:
    """The ONNX graph as it grows."""

    def __init__(self, layers):
        self.layers = iter(layers)
        self.nodes = []
        self.initialisers = []

    def constant(self, array):
        name = f"w{len(self.initialisers)}"
        self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator, inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def convolve(self, source, channels):
        layer, affine = next(self.layers), next(self.layers)
        size = layer.filters * channels * layer.side**2
        kernel = layer.values[:size].reshape(layer.filters, channels, layer.side, layer.side)
        bias = layer.values[size:] if layer.values.size > size else np.zeros(layer.filters)
        gain, shift = affine[: layer.filters], affine[layer.filters : 2 * layer.filters]
        weights = (kernel * gain[:, None, None, None]).astype(np.float32)
        inputs = [source, self.constant(weights)]
        inputs.append(self.constant((bias * gain + shift).astype(np.float32)))
        result = self.add(
            "Conv",
            inputs,
            kernel_shape=[layer.side] * 2,
            strides=[layer.stride] * 2,
            pads=[layer.padding] * 4,
        )
        return result, layer.filters

    def pad(self, source, channels, pixels):
        """dlib adds tensors of unequal size by filling the smaller one with zeros at its end."""
        if not channels and not pixels:
            return source
        ends = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
        return self.add("Pad", [source, self.constant(ends)], mode="constant")

    def block(self, source, channels, side, halve):
        main, filters = self.convolve(source, channels)
        main, filters = self.convolve(self.add("Relu", [main]), filters)
        shortcut = source
        if halve:
            shortcut = self.add("AveragePool", [source], kernel_shape=[2, 2], strides=[2, 2])
            sides = (side - 3) // 2 + 1, (side - 2) // 2 + 1
            side = max(sides)
            main = self.pad(main, 0, side - sides[0])
            shortcut = self.pad(shortcut, filters - channels, side - sides[1])
        return self.add("Relu", [self.add("Add", [main, shortcut])]), filters, side

    def build(self):
        mean = self.constant(np.array(MEAN, np.float32).reshape(1, 3, 1, 1))
        scale = self.constant(np.float32(1 / 256))
        tip = self.add("Mul", [self.add("Sub", ["input", mean]), scale])
        tip, channels = self.convolve(tip, 3)
        tip = self.add("Relu", [tip])
        tip = self.add("MaxPool", [tip], kernel_shape=[3, 3], strides=[2, 2])
        side = ((SIDE - 7) // 2 + 1 - 3) // 2 + 1
        for halve in BLOCKS:
            tip, channels, side = self.block(tip, channels, side, halve)
        tip = self.add("Flatten", [self.add("GlobalAveragePool", [tip])])
        weights = self.constant(next(self.layers).reshape(channels, LENGTH))
        self.nodes.append(helper.make_node("MatMul", [tip, weights], ["embedding"]))
        if next(self.layers, None) is not None:
            raise ValueError("layers left over")


def convert(data):
    network = Network(Stream(data).layers())
    network.build()
    graph = helper.make_graph(
        network.nodes,
        "dlib_face_recognition_resnet_v1",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", LENGTH])],
        network.initialisers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    return model


def main():
    source, result = sys.argv[1:]
    model = convert(Path(source).read_bytes())
    onnx.checker.check_model(model)
    onnx.save(model, result)


if __name__ == "__main__":
    main()
