"""What the host costs beside the same thing written by hand; see README.md."""
