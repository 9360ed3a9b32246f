"""Neural Networks, Hands On: what the notebooks import, and what builds and grades them."""

__version__ = "0.1.0"
