"""What the figures of docs/ were measured with; README.md lists the commands."""
