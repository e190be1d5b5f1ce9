"""Rewrite PRelu, which ONNX Runtime computes outside its blocked layout: a slow loop, and a reordering before and after.

    y = a x + relu((1 - a) x)      as two depthwise 1x1 convolutions, for slopes up to 1
    y = a (x - relu(x)) + relu(x)  for any slope
"""

import numpy as np
from onnx import helper, numpy_helper


def rewrite(graph):
    """Replace every PRelu with a slope per channel by operators that stay in the blocked layout."""
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type == "PRelu":
            slopes = numpy_helper.to_array(weights[node.input[1]]).reshape(-1)
            nodes += replacement(graph, node, slopes)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    drop_unused_weights(graph)


def replacement(graph, prelu, slopes):
    x, y = prelu.input[0], prelu.output[0]

    def weight(name, values):
        name = f"{y}.{name}"
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def node(kind, inputs, name, **attributes):
        return helper.make_node(kind, inputs, [f"{y}.{name}"], f"{y}.{name}", **attributes)

    if (slopes > 1).any():
        slope = weight("slope", slopes.reshape(1, -1, 1, 1))
        nodes = [
            node("Relu", [x], "positive"),
            node("Sub", [x, f"{y}.positive"], "negative"),
            node("Mul", [f"{y}.negative", slope], "scaled"),
            node("Add", [f"{y}.scaled", f"{y}.positive"], "sum"),
        ]
    else:
        depthwise = {"group": len(slopes), "kernel_shape": [1, 1]}
        rest = weight("rest", (1 - slopes).reshape(-1, 1, 1, 1))
        slope = weight("slope", slopes.reshape(-1, 1, 1, 1))
        nodes = [
            node("Conv", [x, rest], "part", **depthwise),
            node("Relu", [f"{y}.part"], "positive"),
            node("Conv", [x, slope], "scaled", **depthwise),
            node("Add", [f"{y}.scaled", f"{y}.positive"], "sum"),
        ]
    nodes[-1].output[0] = y
    return nodes


def drop_unused_weights(graph):
    used = {name for node in graph.node for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(weights)
