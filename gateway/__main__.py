"""`python -m gateway`: the same as `qido-gateway`."""

from gateway.cli import main

if __name__ == "__main__":
    main()
