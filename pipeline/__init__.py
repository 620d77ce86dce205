"""From documents and personas to a dataset folder."""

__version__ = "0.1.0"
