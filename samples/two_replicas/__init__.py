"""Two replicas of one host on PostgreSQL, behind a reverse proxy: `python -m samples.two_replicas`."""
