"""Programs for developers, run from the top of the checkout as `python -m tools.<name>`."""
