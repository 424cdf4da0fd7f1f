"""`python -m cj_pipeline.cli`."""

from cj_pipeline.cli import main

if __name__ == "__main__":
    main()
