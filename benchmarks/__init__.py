"""How fast the parts are on this machine, beside other libraries in the same run: `python -m benchmarks`."""
