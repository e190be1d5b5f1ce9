"""Make what networks are held against in `make bench`.

usage: yardsticks.py MODELS OUT

Writes into OUT:
  f32.onnx, u8s8.onnx   one operator each that a processor runs as fast as it can: a convolution in 32-bit floating
                        point, a product of matrices of 8-bit integers
  operations.toml       the operations of each network, and of both: multiplications and additions, each counted
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

# Networks as they were before they were rewritten for a processor, and the input they are asked with (benches/budget).
NETWORKS = {
    "centerface_int8": ("centerface", [1, 3, 736, 1280]),
    "face_embed_512": ("face_embed_512_plain", [1, 3, 112, 112]),
}


def sizes(graph):
    """The shape of every tensor."""
    known = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for value in [*graph.input, *graph.value_info, *graph.output]:
        known[value.name] = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
    return known


def operations(model, shape):
    """Twice the multiplications of convolutions and products of matrices; all else is less than a hundredth."""
    for dimension, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
        dimension.dim_value = size
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = shape_inference.infer_shapes(model, strict_mode=True).graph
    known, total = sizes(graph), 0
    for node in graph.node:
        if node.op_type == "Conv":
            total += 2 * np.prod(known[node.output[0]]) * np.prod(known[node.input[1]][1:])
        elif node.op_type == "ConvTranspose":
            total += 2 * np.prod(known[node.input[0]]) * np.prod(known[node.input[1]][1:])
        elif node.op_type in ("Gemm", "MatMul"):
            total += 2 * np.prod(known[node.output[0]]) * known[node.input[0]][-1]
    return int(total)


def one_operator(node, inputs, output, weights):
    graph = helper.make_graph([node], "yardstick", inputs, [output], [numpy_helper.from_array(weights, "weights")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def f32():
    """A convolution of 3 × 3 whose tensors fit into the cache of a core."""
    shape = [1, 128, 28, 28]
    weights = np.linspace(-1, 1, 128 * 128 * 9, dtype=np.float32).reshape(128, 128, 3, 3)
    return one_operator(
        helper.make_node("Conv", ["input", "weights"], ["output"], pads=[1, 1, 1, 1]),
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        helper.make_tensor_value_info("output", TensorProto.FLOAT, shape),
        weights,
    ), 2 * 28 * 28 * 128 * 128 * 9


def u8s8():
    side = 512
    weights = (np.arange(side * side) % 255 - 127).astype(np.int8).reshape(side, side)
    return one_operator(
        helper.make_node("MatMulInteger", ["input", "weights"], ["output"]),
        [helper.make_tensor_value_info("input", TensorProto.UINT8, [side, side])],
        helper.make_tensor_value_info("output", TensorProto.INT32, [side, side]),
        weights,
    ), 2 * side**3


def main():
    models, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    counted = {}
    for name, (source, shape) in NETWORKS.items():
        counted[name] = operations(onnx.load(models / f"{source}.onnx"), shape)
    for name, make in (("f32", f32), ("u8s8", u8s8)):
        model, counted[name] = make()
        onnx.save(model, out / f"{name}.onnx")
    lines = [f"{name} = {count}\n" for name, count in counted.items()]
    (out / "operations.toml").write_text("".join(lines))


main()
