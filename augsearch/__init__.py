"""augsearch: find the augmentations that suit your own images for self-supervised learning."""

__version__ = "0.1.0"
