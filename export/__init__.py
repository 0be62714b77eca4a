"""Simulators, training, ONNX export and benchmarks. Needs torch; never on the desk."""
