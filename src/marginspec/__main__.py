"""`python -m marginspec`."""

from marginspec.cli.main import main

if __name__ == "__main__":
    main()
