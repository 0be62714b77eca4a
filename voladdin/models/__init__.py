"""The bundles that ship, a folder each, and the model of those that generate: repair moves in it too."""
