"""One module per question; each has a TITLE and `measure(scale)`."""
