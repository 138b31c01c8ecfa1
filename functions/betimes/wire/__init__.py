"""What others say to us: models of requests, files and provider events, and how they turn into core values."""
