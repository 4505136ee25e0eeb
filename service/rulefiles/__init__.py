"""Rule files on disk: YAML to a positioned tree, and the directory they live in."""
