"""Tidy an ONNX file: plain tensor names, initialisers out of the inputs, a free batch size, no
weights next to zero.

usage: tidy.py MODEL SOURCE RESULT [--blocked]      MODEL is a key of RECIPES; --blocked also rewrites PRelu
"""

import sys
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import numpy_helper

import prelu

# Below this a weight changes no result, but what it is multiplied with becomes a denormal number, and
# processors are several times slower with those.
TINY = 1e-20


@dataclass
class Recipe:
    """What one model needs beyond the common tidying."""

    rename: dict = field(default_factory=dict)  # old tensor name -> new
    shapes: dict = field(default_factory=dict)  # old name of an input or output -> its dimensions
    free_batch: bool = False  # the graph reshapes with a fixed batch size of one


def maps(channels):
    """The shape of an output that has one value per cell."""
    return ["N", channels, "h", "w"]


RECIPES = {
    "centerface": Recipe(
        rename={
            "input.1": "input",
            "537": "heatmap",
            "538": "scale",
            "539": "offset",
            "540": "landmarks",
        },
        shapes={
            "input.1": ["N", 3, "H", "W"],
            "537": maps(1),
            "538": maps(2),
            "539": maps(2),
            "540": maps(10),
        },
    ),
    "face_embed_512": Recipe(rename={"output": "embedding"}, free_batch=True),
    "head_pose": Recipe(rename={"output": "yaw", "617": "pitch", "618": "roll"}),
    "liveness_minifasnet": Recipe(),
    "ultraface_320": Recipe(),
    "landmark68": Recipe(),
    "age": Recipe(),
}


def drop_initialisers_from_inputs(graph):
    """Old exporters list every weight as an input as well, which forbids constant folding."""
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)


def set_shape(value, dimensions):
    for slot, dimension in zip(value.type.tensor_type.shape.dim, dimensions):
        if isinstance(dimension, str):
            slot.ClearField("dim_value")
            slot.dim_param = dimension


def free_batch(graph):
    """Let reshapes take the batch size from their input instead of a constant."""
    targets = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for tensor in graph.initializer:
        if tensor.name not in targets:
            continue
        shape = numpy_helper.to_array(tensor).copy()
        if shape.size and shape[0] in (1, 2):
            shape[0] = 0 if -1 in shape else -1
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))


def flush_tiny_weights(graph):
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        tiny = (weights != 0) & (np.abs(weights) < TINY)
        if weights.dtype == np.float32 and tiny.any():
            tensor.CopyFrom(numpy_helper.from_array(np.where(tiny, np.float32(0), weights), tensor.name))


def rename(graph, names):
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in list(graph.input) + list(graph.output):
        value.name = names.get(value.name, value.name)


def tidy(model, recipe):
    graph = model.graph
    drop_initialisers_from_inputs(graph)
    flush_tiny_weights(graph)
    for value in list(graph.input) + list(graph.output):
        set_shape(value, recipe.shapes.get(value.name, ["N"] if recipe.free_batch else []))
    if recipe.free_batch:
        free_batch(graph)
    if recipe.free_batch or recipe.shapes:
        del graph.value_info[:]
    rename(graph, recipe.rename)
    model.ir_version = min(model.ir_version, 8)


def main():
    name, source, result, *options = sys.argv[1:]
    model = onnx.load(source)
    tidy(model, RECIPES[name])
    if options == ["--blocked"]:
        prelu.rewrite(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, result)


if __name__ == "__main__":
    main()
