"""Development side of voladdin: simulators, training, ONNX export, benchmarks. Needs torch; never on the desk."""
