"""What the docs site shows beside the pages in docs/: the reference, made from the code."""
