#!/usr/bin/env python3
"""The door from a shell: Django's own manage.py, which first sees to it that its packages are there.

It starts on a bare Python, so nothing but the standard library may be imported before
`packages_ensure`; the version check stands first because older Pythons cannot read the rest.
"""

import os
import sys


def main():
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or newer is needed; this is Python %d.%d." % sys.version_info[:2])

    from tonsurance.launch.bootstrap import packages_ensure

    packages_ensure(sys.argv)
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "test":
        from tonsurance.launch.testing import run_tests

        sys.exit(run_tests(sys.argv[2:]))
    if command == "demo":
        from tonsurance.launch.demo import run_demo

        sys.exit(run_demo(sys.argv[2:]))
    if command == "bench":
        from tonsurance.launch.benching import run_bench

        run_bench(sys.argv)
        return

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tonsurance.settings")
    if command == "doctor":
        from tonsurance.launch.settings_fault import settings_fault

        if words := settings_fault():
            sys.stderr.write(words + "\n")
            sys.exit(2)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
