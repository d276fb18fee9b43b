"""The networks that turn images into features: which there are, and what they start from."""
