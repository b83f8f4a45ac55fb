"""The scenarios of tests/clients/SCENARIOS.md for Python clients.

The scenarios are written once, against the small interface of `interface.py`. Each client program supplies
that interface with its own library and starts `harness.main`.
"""
