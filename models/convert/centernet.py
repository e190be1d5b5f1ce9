"""Convert the CenterNet of objects from TensorFlow.js (JSON and weights) to ONNX, without TensorFlow.

usage: centernet.py MODEL.json RESULT.onnx

Takes the network up to the maps of classes and edges, and of the classes only those below; peaks and
suppression are left to the reader. It is made of convolutions, so the result takes pictures of any
size whose sides are multiples of 32: one input, NCHW, and the outputs `classes` (one map per class,
0..1) and `edges` (left, top, right, bottom: pixels from the centre of the cell's object), both at a
quarter of its resolution.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

import tfjs

# Places among the 80 classes of COCO, in the order of the manifest's labels: person, bicycle, car,
# motorcycle, bus, truck, dog.
CLASSES = [0, 1, 2, 3, 5, 7, 16]
CLASS_WEIGHTS = "CenternetHead/centernet_cls_output/"
RESULTS = {"tower_0/keypoints": "classes", "tower_0/wh": "edges"}


class Network(tfjs.Network):
    """A network of more operators, for colour pictures."""

    def value(self, name):
        """What a node gives, or a constant, which is a single number."""
        return self.names[name] if name in self.names else self.constant(self.weights[name])

    def convert(self, node):
        inputs = node.get("input", [])
        attributes = node.get("attr", {})
        match node["op"]:
            case "_FusedConv2D" | "Conv2D":
                kernel = self.weights[inputs[1]].transpose(3, 2, 0, 1)
                return self.fused(inputs, kernel, attributes)
            case "FusedDepthwiseConv2dNative" | "DepthwiseConv2dNative":
                kernel = self.weights[inputs[1]].transpose(2, 3, 0, 1)
                return self.fused(inputs, kernel, attributes, group=kernel.shape[0])
            case "Add" | "Mul" as operator:
                return self.add(operator, [self.value(name) for name in inputs])
            case "Relu6":
                limits = [self.constant(np.float32(limit)) for limit in (0, 6)]
                return self.add("Clip", [self.names[inputs[0]], *limits])
            case "Mean":
                return self.add("GlobalAveragePool", [self.names[inputs[0]]])
            case "Relu" | "Sigmoid" as operator:
                return self.add(operator, [self.names[inputs[0]]])
            case "ConcatV2":
                return self.add("Concat", [self.names[name] for name in inputs[:-1]], axis=1)
            case "ResizeBilinear":
                scales = self.constant(np.array([1, 1, 2, 2], np.float32))
                modes = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}
                return self.add("Resize", [self.names[inputs[0]], "", scales], **modes)
            case operator:
                raise ValueError(f"operator {operator} is not covered")

    def fused(self, inputs, kernel, attributes, group=1):
        """A convolution with what is fused into it; of the classes, those that are wanted."""
        fused = tfjs.texts(attributes["fused_ops"]) if "fused_ops" in attributes else []
        bias = [self.weights[inputs[2]]] if "BiasAdd" in fused else []
        if inputs[1].startswith(CLASS_WEIGHTS) and group == 1:
            kernel, bias = kernel[CLASSES], [bias[0][CLASSES]]
        tensors = [self.names[inputs[0]], self.constant(kernel), *map(self.constant, bias)]
        result = self.add("Conv", tensors, group=group, **self.window(attributes))
        match [operator for operator in fused if operator != "BiasAdd"]:
            case []:
                return result
            case ["Relu"]:
                return self.add("Relu", [result])
            case others:
                raise ValueError(f"fused operators {others} are not covered")


def convert(path):
    document = tfjs.read(path)
    network = Network(tfjs.read_weights(path, document["weightsManifest"]))
    needed = tfjs.needed(document["modelTopology"]["node"], RESULTS)
    for node in needed:
        if node["op"] == "Placeholder":
            network.names[node["name"]] = "input"
        elif node["op"] == "Identity":
            result = RESULTS[node["name"]]
            network.nodes.append(helper.make_node("Identity", [network.names[node["input"][0]]], [result]))
        elif node["op"] != "Const":
            network.names[node["name"]] = network.convert(node)
    picture, cells = ["N", 3, "H", "W"], ["h", "w"]
    graph = helper.make_graph(
        network.nodes,
        path.stem,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, picture)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, *cells])
            for name, channels in (("classes", len(CLASSES)), ("edges", 4))
        ],
        network.initialisers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", tfjs.OPSET)])
    model.ir_version = 8
    return model


def main():
    source, result = sys.argv[1:]
    model = convert(Path(source))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, result)


if __name__ == "__main__":
    main()
