"""The training stage: it reads a dataset folder and nothing else, and makes, examines and asks a student."""
