"""What is encoded: spans, log records and metrics, made by the real SDK, the same in every run.

Each signal is a module of its own, as older releases of the SDK have what one of them needs, and not another.
"""
