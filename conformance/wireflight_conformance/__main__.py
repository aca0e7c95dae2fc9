"""The command `wireflight-conformance`, and `python -m wireflight_conformance`."""

import sys

__all__ = ["main"]

_EXTRA = ("h11", "hypothesis", "uvicorn")


def main() -> int:
    """Run the command; say what to install where the suite's own libraries are missing."""
    try:
        from .cli import main as run
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        print(f"{error}: install the extra: pip install 'wireflight[conformance]'", file=sys.stderr)
        return 4
    return run()


if __name__ == "__main__":
    sys.exit(main())
