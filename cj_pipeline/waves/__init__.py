"""Modes, waves, and the one decision that ends them: pure functions, no ledger, no network.

Import from the files themselves: batch manifests name a mode without loading the numeric rooms.
"""
