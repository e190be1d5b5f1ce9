"""Convert a small TensorFlow.js graph model (JSON and weights) to ONNX, without TensorFlow.

usage: tfjs.py MODEL.json RESULT.onnx

Covers feed-forward convolution networks with one NHWC input of one channel and one output: the
operators below and no others. The weights are read as they are; the network runs NCHW, which for
one channel is the same memory.
"""

import base64
import json
import math
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 15


def read_weights(path, manifest):
    """Name -> array, for every weight of the manifest."""
    weights = {}
    for group in manifest:
        data = b"".join((path.parent / shard).read_bytes() for shard in group["paths"])
        start = 0
        for entry in group["weights"]:
            stored = entry.get("quantization", entry)["dtype"]
            if stored not in ("float32", "float16", "int32"):
                raise ValueError(f"{entry['name']} is stored as {stored}, which is not covered")
            count = math.prod(entry["shape"])
            array = np.frombuffer(data, stored, count, start).reshape(entry["shape"])
            weights[entry["name"]] = array.astype(entry["dtype"])
            start += array.nbytes
    return weights


def read(path):
    """The graph model that a file describes."""
    return json.loads(path.read_text())


def needed(nodes, results):
    """The nodes that these results are computed from, each after its inputs."""
    by_name = {node["name"]: node for node in nodes}
    ordered = {}

    def visit(name):
        if name in ordered:
            return
        for source in by_name[name].get("input", []):
            visit(source)
        ordered[name] = by_name[name]

    for name in results:
        visit(name)
    return list(ordered.values())


def text(attribute):
    return base64.b64decode(attribute["s"]).decode()


def texts(attribute):
    return [base64.b64decode(value).decode() for value in attribute["list"]["s"]]


def numbers(attribute):
    return [int(value) for value in attribute["list"]["i"]]


def spatial(attribute):
    """The two middle numbers of an NHWC list."""
    return numbers(attribute)[1:3]


class Network:
    """The ONNX graph as it grows."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.initialisers = []
        self.names = {}  # TensorFlow name -> ONNX name

    def constant(self, array):
        name = f"w{len(self.initialisers)}"
        self.initialisers.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def add(self, operator, inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def window(self, attributes):
        """What convolutions and pooling share."""
        if "data_format" in attributes and text(attributes["data_format"]) != "NHWC":
            raise ValueError("only NHWC graphs are covered")
        padding = {"SAME": "SAME_UPPER", "VALID": "VALID"}[text(attributes["padding"])]
        return {"auto_pad": padding, "strides": spatial(attributes["strides"])}

    def convert(self, node):
        """Add what one TensorFlow node does; the name of its result."""
        inputs = [self.names.get(name) for name in node.get("input", [])]
        attributes = node.get("attr", {})
        match node["op"]:
            case "_FusedConv2D":
                kernel = self.weights[node["input"][1]].transpose(3, 2, 0, 1)
                bias = self.weights[node["input"][2]]
                return self.convolve(inputs[0], kernel, bias, attributes)
            case "DepthwiseConv2dNative":
                kernel = self.weights[node["input"][1]].transpose(2, 3, 0, 1)
                weight = self.constant(kernel)
                groups = kernel.shape[0]
                window = self.window(attributes)
                return self.add("Conv", [inputs[0], weight], group=groups, **window)
            case "MaxPool":
                size = spatial(attributes["ksize"])
                window = self.window(attributes)
                return self.add("MaxPool", inputs, kernel_shape=size, **window)
            case "Mean":
                pooled = self.add("GlobalAveragePool", inputs[:1])
                return self.add("Flatten", [pooled])
            case "AddV2":
                return self.add("Add", inputs)
            case "Relu" | "Softmax" as operator:
                return self.add(operator, inputs)
            case "Identity":
                return inputs[0]
            case operator:
                raise ValueError(f"operator {operator} is not covered")

    def convolve(self, source, kernel, bias, attributes):
        fused = texts(attributes["fused_ops"])
        if fused not in (["BiasAdd"], ["BiasAdd", "Relu"]):
            raise ValueError(f"fused operators {fused} are not covered")
        inputs = [source, self.constant(kernel), self.constant(bias)]
        result = self.add("Conv", inputs, **self.window(attributes))
        return self.add("Relu", [result]) if "Relu" in fused else result


def convert(path):
    document = read(path)
    network = Network(read_weights(path, document["weightsManifest"]))
    for node in document["modelTopology"]["node"]:
        if node["op"] == "Const":
            continue
        if node["op"] == "Placeholder":
            dimensions = node["attr"]["shape"]["shape"]["dim"]
            _, height, width, channels = (int(dimension["size"]) for dimension in dimensions)
            network.names[node["name"]] = "input"
        else:
            last = network.names[node["name"]] = network.convert(node)
    if channels != 1:
        raise ValueError("only inputs of one channel are covered")
    network.nodes.append(helper.make_node("Identity", [last], ["output"]))
    graph = helper.make_graph(
        network.nodes,
        path.stem,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, height, width])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", "classes"])],
        network.initialisers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    return model


def main():
    source, result = sys.argv[1:]
    model = convert(Path(source))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, result)


if __name__ == "__main__":
    main()
