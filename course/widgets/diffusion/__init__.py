"""Widgets of `13_diffusion`."""
