"""The parts of scripts/benchmark.py, one a module, each with the same four functions.

`run(child)` returns the results, plain data for JSON; `measure(**job)` is what it lets `child` run in a process of its
own; `tables(results)` and `draw(results, figure)` show them; NAME is the title, and SIZE that of the picture in inches.
"""
