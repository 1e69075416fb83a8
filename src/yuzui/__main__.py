"""`python -m yuzui`: the same as the console script."""

from yuzui.cli.main import main

if __name__ == "__main__":
    main()
