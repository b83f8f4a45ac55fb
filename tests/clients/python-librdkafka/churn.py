"""Many members of groups in one process, which come and go as the harness says: tests/clients/CHURN.md."""
from __future__ import annotations

import sys
import threading

from churn_member import Lines, Member


def main() -> None:
    bootstrap, topic = sys.argv[1:]
    lines = Lines(sys.stdout)
    members: dict[int, Member] = {}
    # Ends with the input, and then with whatever members there are.
    for line in sys.stdin:
        match line.split():
            case ["join", number, group, protocol]:
                member = Member(int(number), bootstrap, topic, group, protocol, lines)
                members[int(number)] = member
                threading.Thread(target=member.run, daemon=True).start()
            case ["leave", number]:
                members.pop(int(number)).leave()
            case ["state"]:
                for member in members.values():
                    member.ask_state()
            case _:
                sys.exit(f"no command: {line}")


main()
