"""The verbs of the training stage, one file for those that belong together; `train/cli.py` hangs them up."""
