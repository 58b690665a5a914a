"""The demo world as pure functions of numbers: who is in it, what stands where, and what it says."""
