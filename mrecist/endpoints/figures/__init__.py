"""Figures of a trial, each from plain values: waterfall, spider, swimmer, Kaplan-Meier, forest, responses by visit."""
