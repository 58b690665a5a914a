"""Background work beside two libraries: how much a second, what a job costs, how soon it starts."""
