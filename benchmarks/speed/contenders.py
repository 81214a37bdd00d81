"""Ours and the peers, each as a function that does a case's work once; None for a peer that is not installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper, weights
from lenet5.criterion import CROSS_ENTROPY
from lenet5.export.onnx import bare
from lenet5.learning.distort import Distortion, distort
from lenet5.learning.objective import EngineObjective
from lenet5.learning.optimizer import Adam

__all__ = ["INFERENCE", "TRAINING", "our_inference", "our_training", "our_training_from_digits"]

Floats = NDArray[np.float32]
Work = Callable[[], Any]


def our_inference(network: paper.Network, parameters: Floats, images: Floats, threads: int) -> Work:
    return lambda: engine.forward(parameters, images, threads)


def our_training(network: paper.Network, parameters: Floats, images: Floats, threads: int) -> Work:
    """Loss, gradient and Adam's update of one batch."""
    objective, optimizer = EngineObjective(network, CROSS_ENTROPY, threads), Adam(network.parameters)
    parameters, labels = parameters.copy(), _labels(images)

    def step() -> None:
        _, gradient = objective(parameters, images, labels)
        optimizer.step(parameters, gradient, 1e-3)

    return step


def our_training_from_digits(
    network: paper.Network, parameters: Floats, batch: int, threads: int, distortion: Distortion
) -> Work:
    """The same from digits in MNIST's form, distorted and brought to the network's input range before each step."""
    objective, optimizer = EngineObjective(network, CROSS_ENTROPY, threads), Adam(network.parameters)
    generator = np.random.default_rng(0)
    digits = generator.integers(0, 256, (batch, 28, 28)).astype(np.uint8)
    parameters, labels = parameters.copy(), _labels(digits)

    def step() -> None:
        images = distort(digits, distortion, generator, network, threads)
        _, gradient = objective(parameters, images, labels)
        optimizer.step(parameters, gradient, 1e-3)

    return step


def _labels(images: NDArray[np.generic]) -> NDArray[np.uint8]:
    return (np.arange(len(images)) % 10).astype(np.uint8)


def _module(network: paper.Network, parameters: Floats, threads: int) -> tuple[Any, Any]:
    import torch

    from lenet5.network import ConciseLeNet5, LeNet5

    torch.set_num_threads(threads)
    module = LeNet5() if network is paper.LENET5 else ConciseLeNet5()
    with torch.no_grad():
        for name, array in weights.arrays(network, parameters).items():
            module.get_parameter(name).copy_(torch.from_numpy(array))
    return torch, module


def _torch(network: paper.Network, parameters: Floats, images: Floats, threads: int, compiled: bool = False) -> Work:
    torch, module = _module(network, parameters, threads)
    module.eval()
    run, batch = torch.compile(module) if compiled else module, torch.from_numpy(images[:, None])

    def infer() -> None:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            run(batch)

    return infer


def _torch_compiled(network: paper.Network, parameters: Floats, images: Floats, threads: int) -> Work:
    return _torch(network, parameters, images, threads, compiled=True)


def _torch_training(
    network: paper.Network, parameters: Floats, images: Floats, threads: int, compiled: bool = False
) -> Work:
    torch, module = _module(network, parameters, threads)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)
    batch, labels = torch.from_numpy(images[:, None]), torch.from_numpy(_labels(images).astype(np.int64))
    run, sign = torch.compile(module) if compiled else module, -1 if network is paper.LENET5 else 1

    def step() -> None:
        torch.set_num_threads(threads)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(sign * run(batch), labels).backward()
        optimizer.step()

    return step


def _torch_compiled_training(network: paper.Network, parameters: Floats, images: Floats, threads: int) -> Work:
    return _torch_training(network, parameters, images, threads, compiled=True)


def _onnxruntime(network: paper.Network, parameters: Floats, images: Floats, threads: int) -> Work:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(bare(network, parameters), options, ["CPUExecutionProvider"])
    feed = {"images": np.ascontiguousarray(images[:, None])}
    return lambda: session.run(None, feed)


def _openvino(network: paper.Network, parameters: Floats, images: Floats, threads: int) -> Work:
    import openvino

    core = openvino.Core()
    read = core.read_model(bare(network, parameters))
    read.reshape([len(images), 1, *network.input_size])
    hints = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(read, "CPU", hints).create_infer_request()
    feed = [np.ascontiguousarray(images[:, None])]
    return lambda: request.infer(feed)


def _installed(peers: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    return {name: make for name, (package, make) in peers.items() if importlib.util.find_spec(package)}


INFERENCE = _installed(
    {
        "PyTorch eager": ("torch", _torch),
        "torch.compile": ("torch", _torch_compiled),
        "ONNX Runtime": ("onnxruntime", _onnxruntime),
        "OpenVINO": ("openvino", _openvino),
    }
)
"""Peer → (network, parameters, images, threads) → the work; only those that are installed."""

TRAINING = _installed(
    {"PyTorch eager": ("torch", _torch_training), "torch.compile": ("torch", _torch_compiled_training)}
)
"""The same for one training step: loss, gradient, Adam's update."""
