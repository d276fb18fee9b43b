"""SimCLR pretraining in short, counted steps; knows views and seeds, not policies or studies."""
