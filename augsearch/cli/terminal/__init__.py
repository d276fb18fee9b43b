"""What the command line prints, and how: progress, tables, forecasts and pictures."""
