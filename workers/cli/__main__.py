"""`python -m workers.cli` is `parlance`."""

from workers.cli import main

if __name__ == "__main__":
    main()
