"""Public conformance cases: small reads with the answers that the publications' rules give, for any response engine.

``cases/v1`` holds CSV tables only; the answers were worked out by hand and never taken from an engine.
"""
