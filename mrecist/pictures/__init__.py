"""Lesions on their slices: which lines lie where (plain data), how they are drawn, and the drawing on matplotlib axes."""
