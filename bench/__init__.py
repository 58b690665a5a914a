"""The speed table (`make bench`): CloudScribe beside a bare Django view, in one interleaved run."""
