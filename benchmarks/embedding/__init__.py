"""The exported networks: ONNX and C against the engine on MNIST's test images, and the C on an emulated Cortex-M."""
