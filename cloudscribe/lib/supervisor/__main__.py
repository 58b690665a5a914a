"""`python -m cloudscribe.lib.supervisor`."""

from __future__ import annotations

import os
import sys

from cloudscribe.lib.embedded.binaries import ServersMissing
from cloudscribe.lib.embedded.postgres import PostgresFailed
from cloudscribe.lib.embedded.processes import use_batch_scheduling
from cloudscribe.lib.embedded.valkey import ValkeyFailed
from cloudscribe.lib.supervisor.installation import Installation, Misused
from cloudscribe.lib.supervisor.run import StepFailed, Supervisor


def main() -> int:
    """Serve; 0 after a signal, 1 where something failed, 2 where the environment is at fault."""
    use_batch_scheduling()
    try:
        Supervisor(Installation.from_environment(os.environ)).run()
    except Misused as problem:
        print(f"make run: {problem}", file=sys.stderr)
        return 2
    except (PostgresFailed, ServersMissing, StepFailed, ValkeyFailed) as problem:
        print(f"make run: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
